"""`register` teaches keys and entries a type, and says what is wrong where it cannot."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import operator
import threading
import types
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import stored
from stored import DamagedEntryError, EntryWarning, PersistenceWarning, UnstableKeyError, keyed_by, register
from stored._adapters import BY_PICKLE, Adapter, adapter_of
from stored._adapters.registry import add
from stored._keys import canonical, change_key, comparable, lasting
from stored._storage.native import NotNativeError, located
from stored._storage.reports import clear_reports
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, comes_back, read_as, user


class Grid:
    """A class of its own, with all in its attributes."""

    def __init__(self, edges: Any, unit: str = "Mpc") -> None:
        self.edges, self.unit = edges, unit

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]


class ByFunctions(Grid):
    pass


def encoded_grid(grid: Any) -> Any:
    return {"edges": grid.edges, "unit": grid.unit}


def decoded_grid(found: Any) -> Any:
    return ByFunctions(found["edges"], found["unit"])


register(Grid)
register(ByFunctions, encode=encoded_grid, decode=decoded_grid)


@register
@dataclasses.dataclass
class Halo:
    mass: float
    radii: list[float]
    count: int = dataclasses.field(init=False, default=3)


@register
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    mass: float
    profile: Any = None


@register
@dataclasses.dataclass(slots=True)
class Cluster(Halo):
    redshift: float = 0.0


@register
class Fit(NamedTuple):
    value: float
    error: Any


@register()
class WithState:
    """It says itself what it consists of."""

    def __init__(self, number: int) -> None:
        self.number, self.lock = number, threading.Lock()

    def __getstate__(self) -> Any:
        return {"number": self.number}

    def __setstate__(self, state: Any) -> None:
        self.__init__(state["number"])  # type: ignore[misc]


class Slots:
    __slots__ = ("a", "b")


register(Slots)


def slots(a: int) -> Slots:
    made = Slots()
    made.a = a
    return made


DERIVED: dict[str, Any] = {
    "plain": lambda: Grid((1.0, 2.0)),
    "functions": lambda: ByFunctions([1.0, 2.0]),
    "dataclass": lambda: Halo(1e14, [1.0, 2.0]),
    "frozen": lambda: Frozen(mass=1e14, profile={"c": (5.0,)}),
    "inherited": lambda: Cluster(1e14, [1.0], 0.5),
    "named tuple": lambda: Fit(1.0, (0.1, None)),
    "nested": lambda: Halo(Frozen(mass=1.0), [Fit(1.0, Grid([]))]),  # type: ignore[arg-type,list-item]
    "slots": lambda: slots(3),
    "state": lambda: WithState(3),
    "array": lambda: Frozen(mass=1.0, profile=np.arange(1000.0)),
}
round_trips.GOOD |= DERIVED


@pytest.mark.parametrize("name", DERIVED)
def test_registered_classes_come_back(name: str, tmp_path: Path) -> None:
    """Those of dataclasses, named tuples and plain attributes need no functions; a second user finds each."""
    value = DERIVED[name]()
    comes_back(value)
    comes_back([{"a": (value, 1)}])
    ((first, second),) = by_two_users(tmp_path, [name])
    assert canonical(first) == canonical(second) == canonical(value)
    assert type(second) is type(value)


def test_large_arrays_in_objects_are_mapped() -> None:
    """They are views of the bytes of the entry."""
    assert not comes_back(DERIVED["array"]()).profile.flags.owndata


def test_results_are_the_callers_own(tmp_path: Path) -> None:
    """Who changes one changes none that others get."""
    with user(tmp_path, "first"):
        owner = round_trips.Maker()
        for _ in range(3):
            found = owner.made("dataclass")
            assert found == Halo(1e14, [1.0, 2.0])
            found.radii.append(7.0)
            found.mass = 0.0


@dataclasses.dataclass
class Unregistered:
    mass: float


round_trips.GOOD["unregistered"] = lambda: Unregistered(1.0)


def test_classes_that_nobody_registers_are_pickled_for_their_user_alone(tmp_path: Path) -> None:
    """With a signature: he finds them, and others compute, with a warning."""
    for _ in range(2):
        with user(tmp_path, "first"):
            assert round_trips.Maker().made("unregistered") == Unregistered(1.0)
    assert round_trips.Maker.computed.count("unregistered") == 1
    with user(tmp_path, "second"), pytest.warns(EntryWarning, match="somebody else has pickled"):
        assert round_trips.Maker().made("unregistered") == Unregistered(1.0)
    assert round_trips.Maker.computed.count("unregistered") == 2


# -- keys -------------------------------------------------------------------------------------------------------------


def opaque(**functions: Any) -> Any:
    """A new class whose objects hold something that has no form, registered with these functions."""

    class Opaque:
        def __init__(self, number: Any) -> None:
            self.number, self.handle = number, iter(())

    register(Opaque, **functions)
    return Opaque


def test_a_key_alone_makes_parameters_and_no_entries() -> None:
    """Results are pickled, if they can be."""
    kind = opaque(key=lambda value: value.number)
    assert canonical(kind(1)) == canonical(kind(1)) != canonical(kind(2))
    with pytest.raises(NotNativeError):
        comes_back(kind(1))
    assert canonical({"a": kind(np.arange(3))}) != canonical({"a": kind(np.arange(4))})


def test_what_a_key_returns_must_have_a_form() -> None:
    """An error names the value and its place."""
    kind = opaque(key=lambda value: {"number": value.number})
    with pytest.raises(UnstableKeyError, match=r"it\[1\]\['number'\] is a value of type .*tuple_iterator"):
        canonical([0, kind(iter(()))])


def test_what_a_key_raises_is_told_with_the_type() -> None:
    """A call does not go on without its key, and the error is the function's own."""
    kind = opaque(key=lambda value: 1 / value.number)
    for ask in (canonical, lambda value: change_key((value,))):
        with pytest.raises(ZeroDivisionError) as caught:
            ask(kind(0))
        assert "Opaque is registered with as its key" in caught.value.__notes__[0]


def test_the_code_of_a_key_counts() -> None:
    """Other functions, also if they are bound anew at run time, make other keys."""
    kind = opaque(key=lambda value: value.number)
    before = canonical(kind(1))
    register(kind, key=lambda value: value.number + 0)
    assert canonical(kind(1)) != before


def test_same_is_asked_in_place_of_key() -> None:
    """On every call, and it tells mutable values that have changed."""
    calls = collections.Counter[str]()

    def key(value: Any) -> Any:
        calls["key"] += 1
        return value.numbers

    def same(one: Any, other: Any) -> bool:
        calls["same"] += 1
        return bool(one.numbers == other.numbers)

    class Sample:
        def __init__(self) -> None:
            self.numbers = [1, 2]

    register(Sample, key=key, same=same)

    @keyed_by("sample")
    class Owner:
        def __init__(self) -> None:
            self.sample = Sample()

        @stored.stored
        def total(self) -> int:
            computed.append(1)
            return sum(self.sample.numbers)

    computed: list[int] = []
    owner = Owner()
    assert owner.total() == 3
    keys = calls["key"]
    for _ in range(5):
        assert owner.total() == 3
    assert calls["key"] == keys
    assert calls["same"] >= 5
    owner.sample.numbers.append(4)
    assert owner.total() == 7
    owner.sample = Sample()
    assert owner.total() == 3


def test_same_is_between_values_of_one_type() -> None:
    """What has no equality of its own is compared by its key, and other types are never equal."""

    class Sample(types.SimpleNamespace):
        pass

    register(Sample, key=lambda value: value.number, same=lambda one, other: one.number == other.number)
    one, other, third = Sample(number=1), Sample(number=1), Sample(number=2)
    kept = lasting((one,))
    assert kept == comparable((other,)) != comparable((third,))
    assert kept != comparable((1,))
    one.number = 2
    assert kept != comparable((one,))
    assert change_key((other,)) != change_key((third,))
    assert kept is not None
    assert lasting((Sample(number=threading.Lock()),)) is None  # which cannot be copied


# -- subclasses -------------------------------------------------------------------------------------------------------


def test_subclasses_are_registered_only_if_that_is_said() -> None:
    """They are keyed by their class too, whose code counts."""

    class Base:
        def __init__(self, number: int) -> None:
            self.number = number

    class Sub(Base):
        pass

    def decoded(number: int) -> Base:
        return Base(number)

    register(Base, encode=lambda value: value.number, decode=decoded)
    assert adapter_of(Sub) is None
    assert adapter_of(type("Other", (Base,), {})) is None
    register(Base, encode=lambda value: value.number, decode=decoded, subclasses=True)
    assert canonical(Sub(1)) == canonical(Sub(1)) != canonical(Base(1))
    assert canonical(Sub(1)) != canonical(Sub(2))
    found = round_trips.round_trip([Base(1)])
    assert type(found[0]) is Base


def test_a_subclass_comes_back_as_itself_or_is_pickled() -> None:
    """Whatever `decode` makes of it, or raises."""

    class Base:
        def __init__(self, number: int) -> None:
            self.number = number

    class Sub(Base):
        pass

    def decode_by_name(found: Any) -> Any:
        return {"Base": Base, "Sub": Sub}[found[0]](found[1])

    for decode in (lambda found: Base(found[1]), lambda found: [][1]):
        register(Base, encode=lambda value: (type(value).__name__, value.number), decode=decode, subclasses=True)
        with pytest.raises(NotNativeError):
            round_trips.round_trip(Sub(1))
    register(Base, encode=lambda value: (type(value).__name__, value.number), decode=decode_by_name, subclasses=True)
    assert type(comes_back(Sub(1))) is Sub


def test_subclasses_of_library_types_count_with_what_they_add() -> None:
    """Where it is known what the key does not tell."""

    class Base:
        pass

    class Sub(Base):
        def __init__(self, label: str) -> None:
            self.label = label

    add(Adapter(Base, "tests.Base", subclasses=True, key=lambda value: 1, beyond=lambda value: list(vars(value))))
    assert canonical(Sub("a")) == canonical(Sub("a")) != canonical(Sub("b"))
    assert change_key((Sub("a"),)) is None
    with pytest.raises(UnstableKeyError, match=r"it\.label is a value"):
        canonical(Sub(iter(())))  # type: ignore[arg-type]
    add(Adapter(Base, "tests.Base", subclasses=True, key=lambda value: 1, encode=lambda value: 1))
    with pytest.raises(NotNativeError):
        round_trips.round_trip(Sub("a"))


# -- again, and by others ---------------------------------------------------------------------------------------------


def defined_in(module: str, name: str = "Model") -> Any:
    """A class of a module, as each run of a notebook's cell defines it."""
    return type(name, (), {"__module__": module, "__qualname__": name})


def functions_of(module: str) -> dict[str, Any]:
    """Functions of a module that register a type."""
    made: dict[str, Any] = {"__name__": module}
    exec("def encode(value): return 1\ndef decode(found): return None", made)
    return {name: made[name] for name in ("encode", "decode")}


def test_a_class_defined_again_takes_the_place_of_the_earlier_one() -> None:
    """As when a cell of a notebook is run again."""
    first = register(defined_in("notebook"))
    second = register(defined_in("notebook"))
    found = comes_back(second())
    assert type(found) is second
    assert adapter_of(first) is not None
    first.version = 2
    register(first)
    assert type(round_trips.round_trip(first())) is first


def test_a_class_that_somebody_else_has_registered_is_refused() -> None:
    """The error names who has, and what to do."""
    kind = defined_in("library", "Theirs")
    register(kind, **functions_of("package.one"))
    register(kind, **functions_of("package.one"))
    with pytest.raises(TypeError, match=r"library\.Theirs is registered already, by package\.one; register a subclass"):
        register(kind, **functions_of("package.two"))
    with pytest.raises(TypeError, match=r"numpy\.ma\.MaskedArray is registered already, by stored;"):
        register(np.ma.MaskedArray, key=lambda value: 0)


OF_PYTHON: dict[str, Any] = {
    "attrgetter": operator.attrgetter("number"),
    "partial of one": functools.partial(operator.attrgetter("number")),
    "partial": functools.partial(getattr, "number"),
    "method of a dictionary": {}.get,
}


@pytest.mark.parametrize("name", OF_PYTHON)
def test_functions_of_python_are_registered_by_the_module_of_the_class(name: str) -> None:
    """Nobody can tell from them who has written them."""
    kind = defined_in("notebook")
    register(kind, key=OF_PYTHON[name])
    adapter = adapter_of(kind)
    assert adapter is not None
    assert adapter.home == "notebook"


def test_a_partial_function_is_registered_by_the_module_of_its_function() -> None:
    """As the function itself."""
    kind = defined_in("library", "Partial")
    register(kind, key=functools.partial(functions_of("package.one")["encode"]))
    with pytest.raises(TypeError, match=r"registered already, by package\.one"):
        register(kind, key=functools.partial(functions_of("package.two")["encode"]))


def test_an_equality_is_asked_without_a_key() -> None:
    """Of a class of one's own that tells its attributes."""
    asked = []

    class Mesh:
        def __init__(self, number: int) -> None:
            self.number = number

    def same(one: Any, other: Any) -> bool:
        asked.append(True)
        return bool(one.number == other.number)

    register(Mesh, same=same)
    value = Mesh(1)
    before = lasting((value,))
    assert before is not None
    assert comparable((value,)) == before
    value.number = 2
    assert comparable((value,)) != before
    assert len(asked) == 2
    assert change_key((value,)) is None


ERRORS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no type": (3, {}, "takes a type, and got 3 of type int"),
    "builtin": (list, {}, "builtins.list is known as it is"),
    "array": (np.ndarray, {}, "numpy.ndarray is known as it is"),
    "no function": (Grid, {"key": "H0"}, r"key of register\(\) is 'H0'; give a function"),
    "subclasses": (Grid, {"subclasses": 1}, r"subclasses of register\(\) is 1; it must be True or False"),
    "no decode": (Grid, {"encode": vars}, "has no decode; give both"),
    "no encode": (Grid, {"decode": vars}, "has no encode; give both"),
    "dict": (collections.OrderedDict, {}, "made in a way of their own; give encode"),
    "enum": (enum.Enum("Colour", "RED"), {}, "made in a way of their own"),
    "attributes": (
        type("Labelled", (Fit,), {}),
        {},
        "named tuples with attributes beside their fields",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_be_registered_is_refused(case: str) -> None:
    """Each error says what was found and what to do."""
    kind, options, message = ERRORS[case]
    with pytest.raises(TypeError, match=message):
        register(kind, **options)


def test_objects_with_arguments_of_their_own_for_copies_are_refused() -> None:
    """They may have a state beside their attributes."""
    for name in ("__getnewargs__", "__getnewargs_ex__"):
        with pytest.raises(TypeError, match="give encode"):
            register(type("Odd", (), {name: lambda self: ()}))


# -- entries ----------------------------------------------------------------------------------------------------------


def test_entries_of_other_functions_are_not_read() -> None:
    """Neither of others that somebody registers, nor if a function that they call is bound to another."""

    class Model:
        def __init__(self, number: int) -> None:
            self.number = number

    scope: dict[str, Any] = {"Model": Model, "helper": int, "__name__": __name__}
    exec("def encode(model): return model.number\ndef decode(found): return Model(helper(found))", scope)
    register(Model, encode=scope["encode"], decode=scope["decode"])
    entry = round_trips.entry_of(Model(3))
    assert round_trips.value_in(entry).number == 3
    scope["helper"] = abs
    assert round_trips.value_in(entry) is None
    scope["helper"] = int
    assert round_trips.value_in(entry).number == 3
    register(Model, encode=scope["encode"], decode=lambda found: Model(found))
    assert round_trips.value_in(entry) is None


def test_a_helper_bound_anew_makes_results_be_computed(tmp_path: Path) -> None:
    """And the old ones come with a warning that says why."""

    class Model:
        def __init__(self, number: int) -> None:
            self.number = number

    factor = [1]
    functions = {1: lambda found: Model(found), 2: lambda found: Model(found * 1)}
    register(Model, encode=lambda model: model.number, decode=functions[1])
    round_trips.GOOD["edited"] = lambda: Model(factor[0])
    with user(tmp_path, "first"):
        assert round_trips.Maker().made("edited").number == 1
        factor[0] = 5
        assert round_trips.Maker().made("edited").number == 1
        register(Model, encode=lambda model: model.number, decode=functions[2])
        with pytest.warns(EntryWarning, match=r"its .*Model was written by other functions"):
            assert round_trips.Maker().made("edited").number == 5


def test_functions_without_a_form_write_no_entries_and_read_none() -> None:
    """What a function closes over must be told, so that a change of it is noticed."""
    numbers = iter(())

    class Model:
        pass

    def decode(found: Any) -> Any:
        return Model(), next(numbers)

    register(Model, encode=lambda model: 1, decode=decode)
    with pytest.raises(NotNativeError, match="whose functions have no form"):
        round_trips.round_trip(Model())
    assert read_as(f"{__name__}.{Model.__qualname__}", 1) is None


def test_what_decode_raises_makes_a_damaged_entry() -> None:
    """Whatever it raises."""

    class Model:
        pass

    def decode(found: Any) -> Any:
        raise SystemError("never")

    register(Model, encode=lambda model: 1, decode=decode)
    assert round_trips.value_in(round_trips.entry_of(Model())) is None


def test_what_encode_raises_costs_persistence_alone(tmp_path: Path) -> None:
    """The caller gets his result, and a warning that names the type."""

    class Model:
        pass

    def encode(model: Any) -> Any:
        raise KeyError("edges")

    register(Model, encode=encode, decode=lambda found: Model())
    round_trips.GOOD["not encoded"] = Model
    with user(tmp_path, "first"), pytest.warns(PersistenceWarning, match=r"encode of .*Model has failed \(KeyError"):
        assert type(round_trips.Maker().made("not encoded")) is Model


def test_unregistered_types_are_not_read() -> None:
    """An entry that names one is damaged, and nothing is imported for it."""
    for name in ("os.system", "builtins.eval", "", "numpy", "\ud800", ".", "no such.Type", "numpy.random.Generator"):
        assert read_as(name, "true") is None
    assert read_as(3, 1) is None  # type: ignore[arg-type]


def test_values_of_derived_classes_are_not_made_of_what_is_none() -> None:
    """What is not of their form is damage."""
    for kind, plain in (
        (Fit, (1,)),
        (Fit, [1, 2]),
        (Halo, 3),
        (Halo, (1, 2, 3)),
        (Slots, (None, {"c": 1})),
        (Grid, [1]),
    ):
        adapter = adapter_of(kind)
        assert adapter is not None
        assert adapter.decode is not None
        with pytest.raises((ValueError, TypeError, AttributeError)):
            adapter.decode(plain)


class Closed:
    """It can neither be pickled nor copied."""

    def __init__(self, number: Any = 1) -> None:
        self.number, self.lock = number, threading.Lock()


round_trips.GOOD["closed"] = lambda: {"spectra": [1, Closed()]}
round_trips.GOOD["lambda"] = lambda: lambda: 1


def test_a_result_that_cannot_be_written_says_what_to_write(tmp_path: Path) -> None:
    """Its type, the place of what prevents it, and the line."""
    line = r"\['spectra'\]\[1\] of it is of type .*\.Closed; stored\.register\(Closed, encode=\.\.\., decode=\.\.\.\)"
    with user(tmp_path, "first"), pytest.warns(PersistenceWarning, match=line):
        round_trips.Maker().made("closed")
    clear_reports()
    with user(tmp_path, "second"), pytest.warns(PersistenceWarning, match="a function cannot be pickled") as caught:
        round_trips.Maker().made("lambda")
    assert "register" not in str(caught[0].message)


def test_places_in_all_containers() -> None:
    """Where in a value is what has no form without a pickle?"""
    closed = Closed()
    for value, place in (
        (closed, ""),
        ([(closed,)], "[0][0]"),
        ({1: {"b": closed}}, "[1]['b']"),
        ({"a": 1, closed: 2}, ".keys()[1]"),
        ({closed}, ".pop()"),
        ([Frozen(mass=1, profile=closed)], "[0].profile"),
        ([Fit(1.0, closed)], "[0].error"),
    ):
        with pytest.raises(NotNativeError) as caught:
            round_trips.round_trip(value)
        found = located(value, caught.value)
        assert found.place() == place
        assert found.kind is Closed


def test_what_python_cannot_copy_is_made_of_plain_values_for_callers() -> None:
    """So that nobody shares what others can change."""
    register(Closed, encode=lambda value: value.number, decode=lambda number: Closed(number))
    adapter = adapter_of(Closed)
    assert adapter is not None
    assert adapter.for_caller is not None
    numbers = [1, 2]
    copied = adapter.for_caller(Closed(numbers))
    numbers.append(3)
    assert copied.number == [1, 2]


def test_a_class_that_is_freed_is_forgotten() -> None:
    """Its name is not, since entries may hold values of it."""
    kind = defined_in("notebook", "Freed")
    register(kind)
    assert adapter_of(kind).kind is kind  # type: ignore[union-attr]


def test_by_pickle_is_returned_for_single_values() -> None:
    """Those of which only some have a plain form."""

    class Model:
        instances: ClassVar[list[Any]] = []

    register(Model, encode=lambda model: BY_PICKLE, decode=lambda found: Model())
    with pytest.raises(NotNativeError) as caught:
        round_trips.round_trip(Model())
    assert caught.value.kind is None


def test_the_code_of_a_registered_class_counts() -> None:
    """Methods of an argument are called, whatever its key tells; so it is of a parameter, and inside containers."""

    class Grid:
        def __init__(self, n: int) -> None:
            self.n = n

        def size(self) -> int:
            return self.n

    @stored.stored
    def size(grids: Any) -> int:
        return sum(each.size() for each in grids)

    register(Grid, key=lambda grid: grid.n)
    assert [size([Grid(3)]), size([Grid(3)]), size.cache_info().hits] == [3, 3, 1]
    Grid.size = lambda self: 100 * self.n  # type: ignore[method-assign]
    assert size([Grid(3)]) == 300


def test_what_decode_makes_is_of_the_type() -> None:
    """Else the entry is a damaged one, and no later process gets another type than this one."""

    class Plain:
        def __init__(self, number: int) -> None:
            self.number = number

    register(Plain, encode=lambda plain: plain.number, decode=lambda number: number)
    with pytest.raises(DamagedEntryError, match=r"its decode made a int"):
        round_trips.round_trip(Plain(1))


def test_what_cannot_be_copied_is_handed_out_as_it_is() -> None:
    """As it is inside containers, and where no type is registered."""

    class Handle:
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("not this one")

    register(Handle, key=lambda handle: 1)

    @stored.stored(persistent=False)
    def opened() -> Any:
        return Handle()

    assert isinstance(opened(), Handle)
    assert opened() is opened()
