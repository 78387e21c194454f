"""Bare `keyed_by` takes the fields of dataclasses, attrs classes and named tuples."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from collections import namedtuple
from dataclasses import KW_ONLY, InitVar, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import attrs
import pytest

from stored import keyed_by, stored
from stored.errors import OwnerError, UnstableKeyError
from tests.keys.models import Frozen, snapshot, string


@keyed_by
@dataclass
class Above:
    mass: Any
    shape: Any = 5.0

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


@dataclass
@keyed_by
class Below:
    mass: Any
    shape: Any = 5.0

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


@dataclass(slots=True, weakref_slot=True)
@keyed_by()
class Slotted:
    mass: Any
    shape: Any = 5.0

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


@attrs.define
@keyed_by
class Attrs:
    mass: Any
    shape: Any = 5.0

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


@keyed_by
@attrs.define(slots=False)
class OpenAttrs:
    mass: Any
    shape: Any = 5.0

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


MUTABLE = [Above, Below, Slotted, Attrs, OpenAttrs]


@keyed_by
class Tuple(NamedTuple):
    mass: Any
    shape: Any = 5.0

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


@keyed_by
class SubTuple(namedtuple("SubTuple", ["mass", "shape"], defaults=[5.0])):
    @stored
    def value(self) -> Any:
        return self.mass, self.shape


@pytest.mark.parametrize("kind", [*MUTABLE, Tuple, SubTuple])
def test_the_fields_are_the_parameters(kind: Any) -> None:
    """Whichever decorator comes first, and with slots, where the class is another one than the one decorated."""
    assert string(kind(1, 2)) == "mass=1, shape=2"
    assert [kind(1).value(), kind(1.0).value(), kind(1, 2).value()] == [(1, 5.0), (1.0, 5.0), (1, 2)]
    assert [type(kind(each).value()[0]) for each in (1, 1.0, True)] == [int, float, bool]
    assert kind(1).value.cached()


@pytest.mark.parametrize("kind", MUTABLE)
def test_a_changed_field_is_noticed(kind: Any) -> None:
    """At the next call, also when calls have become short."""
    owner = kind(1)
    assert [owner.value() for _ in range(3)] == [(1, 5.0)] * 3
    owner.shape = 6.0
    assert [owner.value() for _ in range(3)] == [(1, 6.0)] * 3
    owner.shape = 5.0
    assert owner.value() == (1, 5.0)


@pytest.mark.parametrize("kind", [*MUTABLE, Tuple, SubTuple])
def test_owners_travel(kind: Any) -> None:
    """Pickled and back, an object has the results of before."""
    owner = kind(1)
    value = owner.value()
    copy = pickle.loads(pickle.dumps(owner))
    assert string(copy) == string(owner)
    assert copy.value.cached()
    assert copy.value() == value


def test_only_what_is_kept_in_the_object_is_a_field() -> None:
    """No variables of the class, no arguments of `__init__` alone, and no mark of those that need their names."""

    @keyed_by
    @dataclass
    class Model:
        count: ClassVar[int] = 0
        mass: Any
        scale: InitVar[float]
        _: KW_ONLY
        shape: Any = 5.0
        total: Any = field(init=False)

        def __post_init__(self, scale: float) -> None:
            self.total = self.mass * scale

        @stored
        def value(self) -> Any:
            return self.total

    owner = Model(2, 3)
    assert string(owner) == "mass=2, shape=5.0"
    assert [owner.value(), Model(2, 4).value(), owner.value()] == [6, 8, 6]
    owner.total = 7
    assert owner.value() == 7


def test_a_field_that_init_does_not_set_can_be_a_memo() -> None:
    """It is no parameter, so filling it changes no key; with ``only=True``, where nothing joins, it is one."""

    @keyed_by
    @dataclass
    class Lazy:
        mass: Any
        _table: Any = field(init=False, default=None, repr=False)

        def table(self) -> Any:
            if self._table is None:
                self._table = [self.mass] * 2
            return self._table

        @stored
        def value(self) -> Any:
            return sum(self.table())

    owner = Lazy(2)
    assert [owner.value(), owner.value(), Lazy(2).value()] == [4, 4, 4]
    assert owner.value.cache_info().misses == 1

    @keyed_by(only=True)
    @dataclass
    class Whole:
        mass: Any
        total: Any = field(init=False)

        @stored
        def value(self) -> Any:
            return getattr(self, "total", None)

    whole = Whole(1)
    assert whole.value() is None
    whole.total = 3
    assert whole.value() == 3


def test_fields_of_attrs_have_the_names_of_their_attributes() -> None:
    """A private one is set by an argument without the underscore; one that `__init__` leaves out may be missing."""

    @keyed_by
    @attrs.define(slots=False)
    class Model:
        _mass: Any
        later: Any = attrs.field(init=False)

        @stored
        def value(self) -> Any:
            return self._mass

    assert string(Model(mass=1)) == "_mass=1"
    assert [Model(mass=1).value(), Model(mass=2).value()] == [1, 2]


def test_a_subclass_adds_its_fields() -> None:
    """Decorated by `keyed_by` again or not; one that adds methods only has those of its base."""

    @dataclass
    class Wider(Above):
        extra: Any = 0

    @keyed_by
    @dataclass
    class Again(Above):
        extra: Any = 0

    class Same(Above):
        pass

    for kind in (Wider, Again):
        assert string(kind(1)) == "mass=1, shape=5.0, extra=0"
    assert string(Same(1)) == "mass=1, shape=5.0"
    assert snapshot(Same(1)).space != snapshot(Above(1)).space


def test_a_subclass_with_an_init_of_its_own_adds_what_it_keeps() -> None:
    """The fields of its base, and its arguments if it is decorated itself."""

    @keyed_by
    class Own(Above):
        def __init__(self, mass: Any, extra: Any) -> None:
            super().__init__(mass)
            self.extra = extra

    assert string(Own(1, 2)) == "mass=1, shape=5.0, extra=2"


def test_an_owner_is_a_value_of_its_fields() -> None:
    """As a parameter of another, it counts with all of them."""
    texts = {string(Frozen(each)) for each in (Above(1), Above(2), Above(1, 2), Below(1))}
    assert len(texts) == 4
    assert string(Frozen(Above(1))) == string(Frozen(Above(1)))


def test_only_takes_the_place_of_the_fields_of_a_frozen_base() -> None:
    """A field that has no form is left out by naming the others; the error writes that line."""

    @dataclass(frozen=True)
    class Model:
        H0: float
        Om0: float
        log: Any = None

        @stored
        def value(self) -> float:
            return self.H0

    with pytest.raises(
        UnstableKeyError,
        match=r'Model\.log is a value of type .*TextIO.*write @keyed_by\("H0", "Om0", only=True\) above',
    ):
        Model(70.0, 0.3, sys.__stdout__).value()
    named = keyed_by("H0", "Om0", only=True)(Model)
    owner = named(70.0, 0.3, sys.__stdout__)
    assert string(owner) == "H0=70.0, Om0=0.3"
    assert [owner.value(), owner.value()] == [70.0, 70.0]


def test_the_place_of_what_has_no_form_is_told() -> None:
    """The attribute and what it is inside that, the type, and what can be done."""

    @keyed_by
    @dataclass
    class Halo:
        cosmo: Any

        @stored
        def value(self) -> int:
            return 1

    with pytest.raises(UnstableKeyError, match=r"^Halo\.cosmo\.H0\[1\] is a value of .*generator.*depends=\(\)"):
        Halo(Frozen([1, (each for each in ())])).value()
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(UnstableKeyError, match=r"^Halo\.cosmo: a value of type builtins\.list is nested too deeply"):
        Halo(deep).value()


def test_names_are_looked_for_when_fields_are_known() -> None:
    """Converters and `depends` are checked at the first call, and name what is wrong."""

    @dataclass
    @keyed_by(convert={"mass": float})
    class Good:
        mass: Any

        @stored(depends=("mass",))
        def value(self) -> Any:
            return self.mass

    assert [Good(1).value(), Good(1.0).value()] == [1, 1]

    @dataclass
    @keyed_by(convert={"mess": float})
    class Wrong:
        mass: Any

        @stored
        def value(self) -> Any:
            return self.mass

    with pytest.raises(OwnerError, match=r"convert of keyed_by names 'mess', which is none of the parameters mass"):
        Wrong(1).value()

    @keyed_by
    @dataclass
    class Other:
        mass: Any

        @stored(depends=("mess",))
        def value(self) -> Any:
            return self.mass

    with pytest.raises(OwnerError, match=r"depends names 'mess', which is none of the parameters mass"):
        Other(1).value()


def test_names_below_a_bare_declaration_are_checked_at_the_first_call() -> None:
    """Those of converters too, since the fields of a base may not be known before."""

    @keyed_by("extra", convert={"mass": float, "extra": float})
    class Named(Above):
        extra: Any = 1

    assert string(Named(1)) == "mass=1.0, shape=5.0, extra=1.0"
    with pytest.raises(OwnerError, match=r"convert of keyed_by names 'mess', which is none of the parameters mass, sh"):
        string(keyed_by("extra", convert={"mess": float})(type("Wrong", (Above,), {"extra": 1}))(1))


class ModelLike:
    """What there is of a pydantic model, where that is not installed."""

    __pydantic_fields__: ClassVar[dict[str, Any]] = {"mass": None, "shape": None}
    model_config: ClassVar[dict[str, Any]] = {}

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError("no " + name)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, str(name), value)

    __getattr__.__module__ = __setattr__.__module__ = "pydantic.main"


@pytest.mark.parametrize("validates", [False, True])
def test_models_are_known_by_what_they_have(validates: bool) -> None:
    """Fields, extra attributes, and accesses of private ones, which do no more than an ordinary object."""

    @keyed_by
    class Model(ModelLike):
        model_config: ClassVar[dict[str, Any]] = {"extra": "allow", "validate_assignment": validates}
        __pydantic_fields__: ClassVar[dict[str, Any]] = {"mass": None, "shape": None}

        @stored
        def value(self) -> Any:
            self.calls = 1
            return self.mass

    assert string(Model(mass=1, shape=2, model_extra={"a": 2})) == "mass=1, shape=2, model_extra={'a': 2}"
    assert string(keyed_by(type("Closed", (ModelLike,), {}))(mass=1, shape=2)) == "mass=1, shape=2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [Model(mass=each, shape=2, model_extra=None).value() for each in (1, 2)] == [1, 2]


SCRIPT = """
import sys
from tests.keys.test_class_fields import {names}
for kind in ({names}):
    owner = kind(1, 2.5)
    print(owner.value(), owner.value.cache_info().persistent_hits)
"""


def test_another_process_finds_the_results(tmp_path: Path) -> None:
    """Of an equal object of each kind."""
    places = {"STORED_CACHE_DIR": str(tmp_path / "shared"), "STORED_KEY_FILE": str(tmp_path / "shared key")}
    environment = {**os.environ, **places}
    names = ", ".join([kind.__name__ for kind in (*MUTABLE, Tuple, SubTuple)])
    script = SCRIPT.format(names=names)
    printed = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        printed.append(done.stdout.split("\n")[:-1])
    assert printed == [["(1, 2.5) 0"] * 7, ["(1, 2.5) 1"] * 7]
