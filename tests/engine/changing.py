"""Owners of every kind whose parameter can be changed, with methods that note what they compute."""

from __future__ import annotations

import dataclasses
from typing import Any

import attrs
import numpy as np

from stored import Axis, StorageUser, keyed_by, stored

COMPUTED: list[tuple[str, Any]] = []
"""The methods that were computed, with the parameter at that moment."""


class Methods:
    """Methods of all kinds, of one parameter that every value shows; no result is on disk, but for one method."""

    n: Any

    @stored(persistent=False)
    def value(self, x: float = 1.0) -> Any:
        COMPUTED.append(("value", self.n))
        return self.n * x

    @stored(persistent=False)
    def array(self) -> Any:
        COMPUTED.append(("array", self.n))
        return np.full(100, self.n)

    @stored(persistent=False)
    def items(self) -> list[Any]:
        COMPUTED.append(("items", self.n))
        return [self.n]

    @stored(persistent=False, interpolate=True)
    def table(self) -> Any:
        COMPUTED.append(("table", self.n))
        x = np.linspace(0.0, 1.0, 9)
        return np.array([x, self.n * x])

    @stored(persistent=False, interpolate=Axis("x", 0.0, 1.0, points=8, vectorized=True))
    def curve(self, x: Any) -> Any:
        COMPUTED.append(("curve", self.n))
        return self.n * x

    @stored(persistent=False, maxsize=2)
    def few(self, x: float) -> Any:
        COMPUTED.append(("few", self.n))
        return self.n * x

    @stored(persistent=False, ignore=("COMPUTED",))
    def number(self) -> int:
        COMPUTED.append(("number", self.n))
        return len(COMPUTED)

    @stored
    def kept(self) -> Any:
        COMPUTED.append(("kept", self.n))
        return np.full(100, self.n)


def all_values(owner: Any) -> list[float]:
    """What the methods give, twice each, as numbers that are the parameter; all are in memory by the second time."""
    found = []
    for _ in range(2):
        found += [owner.value(), owner.array()[7], owner.items()[0], float(owner.table()(1.0)), owner.curve(1.0)]
        found += [owner.few(1.0), owner.kept()[3]]
    return [round(float(each), 9) for each in found]


@keyed_by("n")
class Keyed(Methods):
    """Its class names the parameter."""

    def __init__(self, n: Any) -> None:
        self.n = n


def keyed() -> Any:
    """A class that names the parameter."""

    @keyed_by("n")
    class Keyed(Methods):
        def __init__(self, n: Any) -> None:
            self.n = n

    return Keyed


def slotted() -> Any:
    """A class whose objects have no weak references."""

    class Bare:
        __slots__ = ("n",)
        value, array, items, table = Methods.value, Methods.array, Methods.items, Methods.table
        curve, few, kept, number = Methods.curve, Methods.few, Methods.kept, Methods.number

        def __init__(self, n: Any) -> None:
            self.n = n

    return keyed_by("n")(Bare)


def frozen() -> Any:
    """A frozen dataclass."""

    @dataclasses.dataclass(frozen=True)
    class Frozen(Methods):
        n: Any

    return Frozen


def frozen_attrs() -> Any:
    """A frozen attrs class."""

    @attrs.frozen(slots=False)
    class FrozenAttrs(Methods):
        n: Any

    return FrozenAttrs


def told() -> Any:
    """A class with a hashable string of its own."""

    class Told(Methods):
        def __init__(self, n: Any) -> None:
            self.n = n

        def getHashableString(self) -> str:
            return f"told {self.n!r}"

    return Told


def held() -> Any:
    """A class whose objects hold a StorageUser; it notes each change, and whether the storage is of before then."""

    class Held(Methods):
        def __init__(self, n: Any, persistence: str = "rw") -> None:
            self.n = n
            self.announced: list[tuple[Any, bool]] = []
            self.su = StorageUser("held", persistence, lambda: "held", self.string, self.announce)

        def string(self) -> str:
            return f"held {self.n!r}"

        def announce(self) -> None:
            self.announced.append((self.n, self.su.checkForChangedHash()))

    return Held


def held_and_keyed() -> Any:
    """A class that names the parameter, beside a StorageUser that does not know it."""

    @keyed_by("n")
    class HeldAndKeyed(Methods):
        def __init__(self, n: Any) -> None:
            self.n = n
            self.su = StorageUser("held", "rw", lambda: "held", lambda: "held", None)

    return HeldAndKeyed


REFERENCED: list[Any] = [keyed, frozen, frozen_attrs, told, held, held_and_keyed]
"""Makers of classes of every kind; each makes a new class, of which memory has no results yet."""

KINDS: list[Any] = [*REFERENCED, slotted]
"""The same, with one whose objects have no weak references."""


def set_parameter(owner: Any, n: Any) -> None:
    """Change the parameter, of a frozen object too."""
    object.__setattr__(owner, "n", n)
