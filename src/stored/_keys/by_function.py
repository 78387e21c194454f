"""What is noted of functions, for as long as these exist."""

from __future__ import annotations

import functools
import weakref
from types import FunctionType
from typing import Generic, TypeVar

__all__ = ["ByFunction"]

T = TypeVar("T")


class ByFunction(Generic[T]):
    """One thing that is noted of each of some functions, which it does not keep alive."""

    def __init__(self) -> None:
        self._noted: dict[int, tuple[weakref.ref[FunctionType], T]] = {}

    def note(self, function: FunctionType, value: T) -> None:
        """Note something of a function, in place of what was noted before."""
        number = id(function)
        self._noted[number] = weakref.ref(function, functools.partial(self._forget, number)), value

    def of(self, function: object) -> T | None:
        """What was noted of a function; None if nothing was."""
        found = self._noted.get(id(function))
        return found[1] if found is not None and found[0]() is function else None

    def _forget(self, number: int, _: object) -> None:
        self._noted.pop(number, None)
