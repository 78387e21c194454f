"""Owners have parameters in one of four ways, and every change of them is noticed."""

from __future__ import annotations

import dataclasses
import functools
import gc
from typing import Any

import attrs
import numpy as np
import pytest

from stored import keyed_by, stored
from stored._keys import Selection, find_describer, owner_parameters
from stored.errors import OwnerError, UnstableKeyError
from tests.keys.models import Cosmology, Frozen, FrozenAttrs, snapshot, string


@attrs.define(frozen=True, slots=False)
class OpenAttrs:
    H0: Any


@keyed_by("H0")
class Slotted:
    __slots__ = ("H0",)

    def __init__(self, H0: Any) -> None:
        self.H0 = H0


class Told:
    def __init__(self, string: Any, name: Any = "told") -> None:
        self.string, self.name = string, name

    def getHashableString(self) -> Any:
        return self.string

    def getName(self) -> Any:
        return self.name


class Nameless:
    @staticmethod
    def _getHashableString() -> str:
        return "s"


# -- what the string says ---------------------------------------------------------------------------------------------


def test_a_describer_that_another_thread_has_just_chosen_is_taken(while_waiting: Any) -> None:
    """All threads have one for a class, since objects share their results only then."""

    @keyed_by("n")
    class Model:
        n = 1

    found = while_waiting(owner_parameters, "_describers_lock", lambda: find_describer(Model))
    assert find_describer(Model) is found[0]


def test_a_space_is_named_after_the_class() -> None:
    """Module, class and the parameters in full."""
    space = snapshot(Cosmology(70, 0.1)).space
    assert (space.module, space.name, space.string) == (Cosmology.__module__, "Cosmology", "H0=70, Om0=0.1")


def test_a_value_cannot_imitate_another_parameter() -> None:
    """A string that spells the next parameter stays a string."""
    owners = [
        Cosmology("1, Om0=2", 2),
        Cosmology("1", 2),
        Cosmology(1, 2),
        Cosmology("1', Om0='2", 2),
        Cosmology(("1", 2), 2),
    ]
    assert len({string(owner) for owner in owners}) == len(owners)


def test_owners_hold_owners() -> None:
    """A parameter that is an owner itself counts with its parameters."""
    assert string(Cosmology(1, Frozen(2))) == string(Cosmology(1, Frozen(2)))
    assert string(Cosmology(1, Frozen(2))) != string(Cosmology(1, Frozen(2.0)))
    assert string(Cosmology(1, Frozen(2, "a"))) != string(Cosmology(1, Frozen(2, "b")))
    assert string(Cosmology(1, Frozen(2))) != string(Cosmology(1, FrozenAttrs(2)))
    assert string(Cosmology(1, Cosmology(1, 2))) != string(Cosmology(1, Cosmology(1, 3)))


def test_an_unstable_parameter_is_named() -> None:
    """The message says which parameter of which class, and its type."""
    with pytest.raises(UnstableKeyError, match=r"^Cosmology\.Om0 is a value of type builtins.object"):
        string(Cosmology(1, object()))


def test_a_missing_parameter_is_named() -> None:
    """The message says what the class is keyed by, what is missing and what to do."""
    owner = Cosmology(1)
    del owner.Om0
    with pytest.raises(OwnerError, match=r"Cosmology is keyed by H0, Om0, but .*'Om0'.* set every parameter before"):
        snapshot(owner)


def test_a_method_is_no_parameter() -> None:
    """The message says so, for plain and for stored methods."""

    class Model:
        def g(self) -> int:
            return 1

        @stored
        def h(self) -> int:
            return 1

    for name in ("g", "h"):
        with pytest.raises(UnstableKeyError, match=rf"^Model\.{name}, a parameter of Model, is a method of the class"):
            snapshot(keyed_by(name)(type("Model", (Model,), {}))())


def test_a_subclass_can_have_a_string_of_its_own() -> None:
    """Its own string comes before the names of its base."""

    class Own(Cosmology):
        def _getHashableString(self) -> str:
            return "own words"

    assert string(Own(1)) == "own words"


# -- classes made by functions ----------------------------------------------------------------------------------------


def scaled(k: Any) -> Any:
    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(self: Any) -> Any:
            return function(self) * k

        return wrapper

    return decorate


def by_helper(k: Any) -> Any:
    @keyed_by("x")
    class Model:
        x = 1

        def helper(self) -> Any:
            return k

        @stored
        def f(self) -> Any:
            return self.helper()

    return Model


def by_stored(k: Any) -> Any:
    class Model:
        _getHashableString = staticmethod(lambda: "s")

        @stored
        def f(self) -> Any:
            return k

    return Model


def by_decorator(k: Any) -> Any:
    @keyed_by("x", name="model")
    class Model:
        x = 1

        @stored
        @scaled(k)
        def f(self) -> Any:
            return 1

    return Model


def by_attribute(k: Any) -> Any:
    @keyed_by("x")
    class Model:
        x, order = 1, k

    return Model


def by_default(k: Any) -> Any:
    @keyed_by("x")
    class Model:
        x = 1

        def helper(self, n: Any = k) -> Any:
            return n

    return Model


def by_property(k: Any) -> Any:
    @keyed_by("x")
    class Model:
        x = 1

        @property
        def order(self) -> Any:
            return k

    return Model


def by_cached_property(k: Any) -> Any:
    @keyed_by("x")
    class Model:
        x = 1

        @functools.cached_property
        def order(self) -> Any:
            return k

    return Model


def by_base(k: Any) -> Any:
    class Model(by_helper(k)):  # type: ignore[misc]
        pass

    return Model


def by_class_inside(k: Any) -> Any:
    law = by_attribute(k)

    @keyed_by("x")
    class Model:
        x = 1

        def helper(self) -> Any:
            return law.order

    return Model


FACTORIES = [
    *(by_helper, by_stored, by_decorator, by_attribute, by_default, by_property, by_cached_property, by_base),
    by_class_inside,
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_classes_of_one_factory_have_separate_results(factory: Any) -> None:
    """What the function gave to the class, in whichever way, is part of whose results they are; equals stay equal."""
    spaces = [snapshot(factory(k)()).space for k in (2, 2, 2.0, 3, ("a", 2), ("a", 3), ["a", 2], ["a", 3])]
    assert spaces[0] == spaces[1]
    assert len(set(spaces)) == 7
    assert len({space.string for space in spaces}) == 1


def test_bases_given_to_a_factory_count() -> None:
    """A subclass of another base computes something else."""

    def made(base: type) -> Any:
        class Sub(base):  # type: ignore[misc]
            pass

        return Sub

    class Like(Cosmology):
        pass

    assert snapshot(made(Cosmology)(1)).space != snapshot(made(Like)(1)).space


def test_a_class_that_counts_finds_its_results() -> None:
    """Neither a name that a method rebinds, nor an attribute that counts."""

    def made() -> Any:
        calls = 0

        @keyed_by("x")
        class Model:
            x = 1
            made = 0

            def f(self) -> None:
                nonlocal calls
                calls += 1
                type(self).made += 1

        return Model

    kind = made()
    before = snapshot(kind()).space
    kind().f()
    assert snapshot(kind()).space == before == snapshot(made()()).space


# -- noticing changes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Cosmology, Slotted])
def test_a_change_is_noticed_and_its_undoing_too(kind: Any) -> None:
    """Parameters hold while their values are equal, whichever objects they are."""
    owner = kind(0.1)
    before = snapshot(owner)
    assert before.holds(owner)
    owner.H0 = 0.2
    assert not before.holds(owner)
    owner.H0 = float("0.1")
    assert before.holds(owner)
    assert snapshot(owner).space == before.space


@pytest.mark.parametrize(
    ("value", "equals", "differs"),
    [
        (0.1, np.float64(0.1), np.float32(0.1)),
        (1, int("1"), True),
        (1, int("1"), "1"),
        (2.0**53, np.float64(2.0**53), 2**53),
        ("a", "".join(["a"]), b"a"),
        (float("nan"), np.float64("nan"), np.float32("nan")),
        (0.0, -0.0, 0),
        ([1, 2], [1, 2], (1, 2)),
        ([1, 2], [1, 2], [1.0, 2]),
        (np.arange(2.0), np.arange(4.0)[::2] / 2, np.arange(2)),
        (Frozen(1), Frozen(1), Frozen(1.0)),
        (Frozen(1), Frozen(1), Frozen(1, "label")),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_a_value_is_the_same_if_type_value_and_order_agree(value: Any, equals: Any, differs: Any) -> None:
    """Doubles of numpy are Python's, and no other types are one; 0.0 and -0.0 are one."""
    owner = Cosmology(value)
    before = snapshot(owner)
    owner.H0 = equals
    assert before.holds(owner)
    owner.H0 = differs
    assert not before.holds(owner)
    owner.H0 = value
    assert before.holds(owner)


def append(value: Any) -> None:
    value.append(3)


def set_first(value: Any) -> None:
    value[0] = 7


def set_deep(value: Any) -> None:
    value["a"][0].append(1)


def set_field(value: Any) -> None:
    object.__setattr__(value, "H0", 2)


def grow_field(value: Any) -> None:
    value.H0.append(1)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1, 2], append),
        (np.arange(3.0), set_first),
        (np.arange(1000.0), set_first),
        (bytearray(b"x"), set_first),
        ({"a": ([],)}, set_deep),
        (Frozen(1), set_field),
        (FrozenAttrs(1), set_field),
        (Frozen([1]), grow_field),
        (Cosmology(1), set_field),
    ],
)
def test_a_change_in_place_is_noticed(value: Any, change: Any) -> None:
    """The object is the same, its content is not."""
    owner = Cosmology(value)
    before = snapshot(owner)
    assert before.holds(owner)
    change(value)
    assert not before.holds(owner)


@pytest.mark.parametrize("kind", [Frozen, FrozenAttrs, OpenAttrs])
def test_fields_of_frozen_classes_are_compared_too(kind: Any) -> None:
    """A field forced to another value, or mutable within, is noticed like any other."""
    owner = kind([1])
    before = snapshot(owner)
    owner.H0.append(2)
    assert not before.holds(owner)
    before = snapshot(owner)
    object.__setattr__(owner, "H0", 5)
    assert not before.holds(owner)


def test_missing_or_unstable_parameters_are_a_change() -> None:
    """A method that removes or spoils a parameter still returns; the next call says what is wrong."""
    owner = Cosmology(1)
    before = snapshot(owner)
    owner.Om0 = object()
    assert not before.holds(owner)
    del owner.Om0
    assert not before.holds(owner)


def test_another_class_is_another_owner() -> None:
    """An object that is given another class does not keep its results."""

    class Other(Cosmology):
        pass

    owner = Cosmology(1)
    before = snapshot(owner)
    owner.__class__ = Other
    assert not before.holds(owner)


def test_properties_can_be_parameters() -> None:
    """A parameter may be computed anew at each look."""

    @keyed_by("h")
    class Model:
        H0 = 70.0

        @property
        def h(self) -> float:
            return self.H0 / 100

    owner = Model()
    before = snapshot(owner)
    assert before.holds(owner)
    owner.H0 = 71.0
    assert not before.holds(owner)


# -- owners with a string ----------------------------------------------------------------------------------------


def test_an_owners_own_string_is_used() -> None:
    """With its own name, or else the class's."""
    space = snapshot(Told("model 1", "planck")).space
    assert (space.module, space.name, space.string) == (__name__, "planck", "model 1")

    assert snapshot(Nameless()).space.name == "Nameless"


def test_a_changed_string_is_noticed() -> None:
    """A string that changes back is the same again."""
    owner = Told("a")
    before = snapshot(owner)
    assert before.holds(owner)
    owner.string = "b"
    assert not before.holds(owner)
    owner.string = "a"
    assert before.holds(owner)


def test_the_string_and_name_of_an_owner_must_be_text() -> None:
    """The message says which function returned what."""
    with pytest.raises(OwnerError, match=r"Told.getHashableString\(\) returned 5 of type int; it must return a str"):
        snapshot(Told(5))
    with pytest.raises(OwnerError, match=r"Told.getName\(\) returned None of type NoneType"):
        snapshot(Told("a", None))


def test_a_string_cannot_be_narrowed() -> None:
    """Single parameters can be chosen only where the class names its parameters."""
    with pytest.raises(OwnerError, match=r"depends=\('H0',\) needs single parameters"):
        find_describer(Told).selected(Selection(("H0",)))
    assert find_describer(Told).selected(Selection()) is find_describer(Told)


@dataclasses.dataclass
class Unfrozen:
    H0: float


@attrs.define
class UnfrozenAttrs:
    H0: float


@pytest.mark.parametrize("kind", [object, Unfrozen, UnfrozenAttrs, type("Off", (Told,), {"getHashableString": None})])
def test_an_owner_without_parameters_is_refused(kind: Any) -> None:
    """The message names the class and the four ways."""
    with pytest.raises(
        OwnerError, match=rf"{kind.__qualname__} has stored methods.*@keyed_by.*storageUser.*getHash.*frozen"
    ):
        find_describer(kind)


# -- fewer parameters -------------------------------------------------------------------------------------------------


def test_narrowed_parameters_are_fewer() -> None:
    """A change of the others does not count."""
    owner = Cosmology(1, 2)
    before = snapshot(owner, depends=("H0",))
    assert before.space.string == "H0=1"
    owner.Om0 = 3
    assert before.holds(owner)
    owner.H0 = 3
    assert not before.holds(owner)


def test_an_unknown_dependence_is_refused_when_the_class_is_made() -> None:
    """Names of bases are known, others are not."""

    class Sub(Cosmology):
        w0 = -1

        @stored(depends=("H0", "w0"))
        def f(self) -> int:
            return 1

    assert keyed_by("w0")(Sub)(1).f() == 1
    with pytest.raises(OwnerError, match="names 'w0', which is none of the parameters H0, Om0, x"):
        keyed_by("x")(type("Wrong", (Cosmology,), {"f": vars(Sub)["f"]}))


def test_no_parameters_are_equal_to_none() -> None:
    """A frozen class without fields has results of its own, the same for all its objects."""

    @dataclasses.dataclass(frozen=True)
    class Constant:
        @stored(persistent=False)
        def value(self) -> float:
            return 1.0

    assert snapshot(Constant()).space.parameters == ()
    assert snapshot(Constant()).holds(Constant())


def test_what_is_known_of_classes_goes_with_them() -> None:
    """A notebook that makes a class again and again does not fill memory."""
    gc.collect()
    known = len(owner_parameters._describers)
    for number in range(20):
        find_describer(keyed_by("H0")(type(f"Again{number}", (), {"H0": 1})))
    gc.collect()
    assert len(owner_parameters._describers) <= known  # those of other tests may go meanwhile
