"""All attributes of an object count where it stands in a key, whether they compare or not."""

from __future__ import annotations

import dataclasses
import functools
import random
import statistics
import types
from typing import Any

import attrs
import pytest

from stored import UnstableKeyError
from stored._keys import canonical
from stored._keys.attributes import compiled_base, counted_attributes, has_fields


@dataclasses.dataclass
class Fields:
    x: int
    y: Any = dataclasses.field(default=2, compare=False, init=False)
    scale: dataclasses.InitVar[int] = 1
    kept: dataclasses.InitVar[int] = 1

    def __post_init__(self, scale: int, kept: int) -> None:
        self.kept = kept
        self.extra = scale * 2

    @functools.cached_property
    def lazy(self) -> int:
        return self.x


@attrs.define
class Slotted:
    x: int
    y: Any = attrs.field(default=2, eq=False)


class Base:
    __slots__ = ("_x", "unset")

    def __init__(self, x: int) -> None:
        self._x = x


class Below(Base):
    __slots__ = ("__dict__", "__own")

    def __init__(self, x: int) -> None:
        super().__init__(x)
        self.__own = x + 1
        self.b, self.a = 1, 2


def test_all_attributes_count() -> None:
    """Fields, slots and what stands in the dict, sorted; but not what a cached property has filled."""
    owner = Fields(1)
    assert owner.lazy == 1
    assert counted_attributes(owner) == [("extra", 2), ("kept", 1), ("x", 1), ("y", 2)]
    assert counted_attributes(Slotted(1)) == [("x", 1), ("y", 2)]
    assert counted_attributes(Below(1)) == [("_Below__own", 2), ("_x", 1), ("a", 2), ("b", 1)]
    del owner.x
    assert ("x", 1) not in counted_attributes(owner)


def test_classes_with_fields() -> None:
    """Dataclasses and attrs classes, frozen or not."""
    assert [has_fields(each) for each in (Fields, Slotted, Base)] == [True, True, False]


def test_the_compiled_base_of_a_class() -> None:
    """Its objects can have more than attributes, if it is another one than object."""
    own = type("Own", (random.Random,), {})
    found = [compiled_base(each) for each in (Fields, Slotted, Below, own, bool)]
    assert found == [object, object, object, random.Random.__base__, bool]


def test_slots_count_whatever_hides_them() -> None:
    """Those of libraries' classes and of exceptions, and those below another of the same name; others are refused."""

    class Normal(statistics.NormalDist):
        pass

    class Shadowed(Base):
        __slots__ = ("_x",)

    class Lost(OSError):
        pass

    below = Shadowed(1)
    Base._x.__set__(below, 5)  # type: ignore[attr-defined]
    assert counted_attributes(Normal(1, 2)) == [("_mu", 1.0), ("_sigma", 2.0)]
    assert counted_attributes(below) == [("_x", 1), ("_x of base 1", 5)]
    assert ("filename", "a") in counted_attributes(Lost(2, "m", "a"))

    class Hidden:
        __slots__ = "v"

    Hidden.v = property(lambda self: 0)  # type: ignore[assignment, method-assign]
    with pytest.raises(UnstableKeyError, match=r"it\.v, in place of the slot"):
        canonical(Hidden())


def test_keying_computes_nothing() -> None:
    """A lazy attribute of an attrs class with slots, which may raise anything."""

    @attrs.define
    class Lazy:
        x: int

        @functools.cached_property
        def big(self) -> int:
            raise ValueError("computed")

    assert counted_attributes(Lazy(1)) == [("x", 1)]


def test_names_that_are_no_strings_are_refused() -> None:
    """No attribute is found by one."""
    owner = Fields(1)
    owner.__dict__[1] = 2  # type: ignore[index]
    with pytest.raises(UnstableKeyError, match=r"it\.__dict__ key 1 is a value of type builtins.int"):
        canonical(owner)


def test_a_name_is_not_taken_for_two() -> None:
    """Whatever is in it."""
    assert canonical(types.SimpleNamespace(a=1, b=2)) != canonical(types.SimpleNamespace(**{"a=1, b": 2}))
    assert canonical(types.SimpleNamespace(a=1, b=2)) != canonical(types.SimpleNamespace(**{"a'=1, 'b": 2}))
