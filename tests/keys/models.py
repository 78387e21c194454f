"""Classes and functions whose keys are tested."""

from __future__ import annotations

import dataclasses
import enum
import functools
import threading
from collections.abc import Callable
from typing import Any

import attrs

from stored import keyed_by
from stored._keys import ATOMIC_SET, find_describer
from stored.errors import OwnerError, UnstableKeyError


@keyed_by("H0", "Om0")
class Cosmology:
    def __init__(self, H0: Any, Om0: Any = 0.3) -> None:
        self.H0, self.Om0 = H0, Om0


@dataclasses.dataclass(frozen=True)
class Frozen:
    H0: Any
    label: Any = dataclasses.field(default="", compare=False)


@attrs.frozen
class FrozenAttrs:
    H0: Any
    label: Any = attrs.field(default="", eq=False)


class Snapshot:
    """The parameters of an owner at one moment.

    Attributes
    ----------
    space : Space
        The owner's name and parameters, as keys contain them.
    """

    def __init__(self, owner: Any, depends: tuple[str, ...] | None = None) -> None:
        describer = find_describer(type(owner))
        self._owner_class = type(owner)
        self._parameters = describer if depends is None else describer.only(depends)
        values = self._parameters.values(owner)
        self._parameters.check(owner, values)
        self.quick_key = self._key(values)
        self.space = self._parameters.described.space(self._owner_class, values)

    def _key(self, values: tuple[Any, ...]) -> Any:
        types = tuple(map(type, values))
        return values + types if ATOMIC_SET.issuperset(types) else self._parameters.quick_key(values)

    def holds(self, owner: Any) -> bool:
        """Has the owner these parameters now? What stands for them in memory must say no more than their texts."""
        try:
            values = self._parameters.values(owner)
            space = self._parameters.described.space(type(owner), values)
            is_same = type(owner) is self._owner_class and space == self.space
        except (OwnerError, UnstableKeyError):
            return False
        key = self._key(values)
        assert is_same or key is None or key != self.quick_key or type(owner) is not self._owner_class
        return is_same


def snapshot(owner: Any, depends: tuple[str, ...] | None = None) -> Snapshot:
    """The parameters of an owner now, or those of these names."""
    return Snapshot(owner, depends)


def string(owner: Any) -> str:
    """The text of these parameters, as it is in a key."""
    return snapshot(owner).space.string


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class OldWord(str, enum.Enum):  # noqa: UP042
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Dark:
    w0: float
    label: str = dataclasses.field(default="", compare=False)


@keyed_by("h", "dark")
class Model:
    def __init__(self, h: Any, dark: Any) -> None:
        self.h, self.dark, self.scratch = h, dark, threading.Lock()

    def age(self, z: float) -> float:
        return z * self.h


class Told:
    def __init__(self, string: Any) -> None:
        self.string = string

    def getHashableString(self) -> Any:
        return self.string

    @classmethod
    def made(cls) -> Told:
        return cls("x")


class Base:
    order = 1

    def step(self) -> int:
        return 1

    @property
    def size(self) -> int:
        return 1

    @staticmethod
    def helper() -> int:
        return 1


def power(n: Any) -> Callable[[float], float]:
    return lambda x: x**n


def plus_one(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(x: float) -> float:
        return function(x) + 1

    return wrapper


def plus_two(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(x: float) -> float:
        return function(x) + 2

    return wrapper


def square(x: float) -> float:
    return x * x


def function_of(source: str) -> Any:
    """The function f that a source defines, which is in no file."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names["f"]
