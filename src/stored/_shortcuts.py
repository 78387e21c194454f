"""Shortcuts: the answer to the last kind of call of an owner, with a quick proof that it still is the answer.

A call that takes one neither looks its owner up nor binds and keys its arguments. What a shortcut does not know, the
long way finds out; benchmarks/ holds the times of both.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["Shortcut", "Shortcuts"]


class Shortcut:
    """One result of one owner, and a quick proof that it still is the result.

    Parameters
    ----------
    owner : object
        The owner; it is referred to weakly.
    shortcuts : Shortcuts
        Where this is kept, until the owner dies.
    epoch : object
        What the proof holds good for.
    is_same : callable
        Are the owner's parameters still the same? False and AttributeError prove nothing.
    value : callable
        From an argument to what the call returns; None if that takes more.
    seconds : float
        What computing the result took.

    Attributes
    ----------
    hits : int
        The calls answered so.
    """

    __slots__ = ("epoch", "hits", "is_same", "number", "owner", "seconds", "value")

    def __init__(
        self,
        owner: object,
        shortcuts: Shortcuts,
        epoch: object,
        is_same: Callable[[Any], bool],
        value: Any,
        seconds: float,
    ) -> None:
        self.number = id(owner)
        self.owner = weakref.ref(owner, functools.partial(shortcuts.forget, self.number))
        self.epoch = epoch
        self.is_same = is_same
        self.value = value
        self.seconds = seconds
        self.hits = 0

    def leads_to(self, owner: object, now: object, value: object) -> bool:
        """Is this still the way to such values?"""
        return self.epoch is now and self.value is value and self.is_same(owner)


class Shortcuts:
    """The shortcuts of one method.

    Attributes
    ----------
    last : Shortcut or None
        The one used last.
    """

    __slots__ = ("_by_owner", "last")

    def __init__(self) -> None:
        self.last: Shortcut | None = None
        self._by_owner: dict[int, Shortcut] = {}

    def find(self, owner: object) -> Shortcut | None:
        """The owner's, which becomes the last."""
        found = self._by_owner.get(id(owner))
        if found is not None and found.owner() is owner:
            self.last = found
            return found
        return None

    def forget(self, number: int, _: object) -> None:
        """An owner has died."""
        found = self._by_owner.pop(number, None)
        if self.last is found:
            self.last = None

    def add(self, shortcut: Shortcut) -> None:
        """Take one."""
        self._by_owner[shortcut.number] = self.last = shortcut

    def drop(self, shortcut: Shortcut) -> None:
        """Forget one."""
        self._by_owner.pop(shortcut.number, None)
        if self.last is shortcut:
            self.last = None
