"""All attributes of an object count where it stands in a key, whether they compare or not."""

from __future__ import annotations

import dataclasses
import functools
import random
from typing import Any

import attrs

from stored._keys.attributes import counted_attributes, has_fields, has_hidden_state


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


def test_classes_with_a_hidden_state() -> None:
    """Their objects have more than attributes."""
    own = type("Own", (random.Random,), {})
    assert [has_hidden_state(each) for each in (Fields, Slotted, Below, own, int)] == [False, False, False, True, True]
