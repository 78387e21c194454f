"""Owners of every kind: all ways in which objects tell their parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

import attrs

from stored import Axis, StorageUser, keyed_by, stored
from stored._keys import USER_ATTRIBUTES
from tests.methods.models import CALLS


class Described:
    """An owner with a hashable string of its own."""

    def __init__(self, n: float) -> None:
        self.n = n

    def getHashableString(self) -> str:
        return f"Described {self.n}"

    def getName(self) -> str:
        return "described"

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


class Hidden(Described):
    """The same with the underscore of Colossus."""

    getHashableString = None  # type: ignore[assignment]

    def _getHashableString(self) -> str:
        return f"Hidden {self.n}"


class Held:
    """Holds a StorageUser."""

    attribute = "su"

    def __init__(self, n: float) -> None:
        self.n = n
        self.changes = 0
        setattr(self, self.attribute, StorageUser("held", "rw", self.name, self.string, self.changed))

    def name(self) -> str:
        return "held"

    def string(self) -> str:
        return f"held {self.n}"

    def changed(self) -> None:
        self.changes += 1

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


class HeldLong(Held):
    attribute = "storageUser"


@dataclasses.dataclass(frozen=True)
class Frozen:
    n: float
    label: str = dataclasses.field(default="", compare=False)

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    n: float

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@attrs.frozen
class FrozenAttrs:
    n: float

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@keyed_by("n")
class Slotted:
    __slots__ = ("n",)

    def __init__(self, n: float) -> None:
        self.n = n

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@keyed_by("n")
class Plain:
    def __init__(self, n: float) -> None:
        self.n = n

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


OWNERS = [Described, Hidden, Held, HeldLong, Frozen, FrozenSlots, FrozenAttrs, Slotted, Plain]


def set_parameter(owner: Any, n: float) -> None:
    object.__setattr__(owner, "n", n)  # what nobody should do to a frozen object is noticed too


KINDS = ("keyed_by", "frozen", "string", *USER_ATTRIBUTES)


def owner_class(kind: str) -> Any:
    """A new class of owners of some kind, with methods of many signatures, which tell what they are given."""

    class Owner:
        a: Any = 1.0
        b: Any = 2.0
        word = "base"

        def __init__(self) -> None:
            vars(self).update(a=1.0, b=2.0)
            if kind in USER_ATTRIBUTES:
                vars(self)[kind] = StorageUser("m", "rw", self.name, self.string, None)

        def name(self) -> str:
            return "Owner"

        def string(self) -> str:
            return f"{self.a!r} {self.b!r}"

        def tell(self, *given: Any) -> str:
            return f"{self.a!r} {self.b!r} {self.word} {given!r}"

        @stored(persistent=False)
        def one(self, x: Any) -> str:
            return self.tell(x)

        @stored
        def kept(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False)
        def keyword(self, *, x: Any = 1.0) -> str:
            return self.tell(x)

        @stored(persistent=False)
        def three(self, x: Any, y: Any, z: Any) -> str:
            return self.tell(x, y, z)

        @stored
        def defaults(self, x: Any = 1.0, /, y: Any = 0.5, *, z: Any = None) -> str:
            return self.tell(x, y, z)

        @stored(persistent=False)
        def many(self, *xs: Any, y: Any = 1, **others: Any) -> str:
            return self.tell(xs, y, others)

        @stored(persistent=False, ignore=("y",))
        def ignoring(self, x: Any, y: Any = 0) -> str:
            return self.tell(x)

        @stored(persistent=False, maxsize=2)
        def few(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False, round={"x": 1})
        def rounded(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False, depends=("a",))
        def depending(self, x: Any) -> str:
            return f"{self.a!r} {self.word} {x!r}"

        @stored(persistent=False)
        def changeable(self, x: Any) -> list[str]:
            return [self.tell(x)]

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9, outside="exact"))
        def curve(self, x: Any) -> float:
            return float(str(self.a)) * x**2 + len(self.word)

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9), ignore=("x",))
        def ignored_curve(self, x: Any) -> float:
            return float(str(self.b)) * x**2 + len(self.word)

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9))
        def curve_of(self, x: Any, y: Any = 1.0) -> float:
            return float(str(y)) * x**2 + len(self.word)

    if kind == "keyed_by":
        return keyed_by("a", "b")(Owner)
    if kind == "frozen":
        return dataclasses.dataclass(frozen=True)(Owner)
    if kind == "string":
        Owner.getHashableString = Owner.string  # type: ignore[attr-defined]
    return Owner
