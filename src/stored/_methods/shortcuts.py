"""Shortcuts: the results of one owner by plain arguments, with a quick check that they still hold.

A call that takes one neither looks its owner up nor binds and keys its arguments. What a shortcut does not know, the
long way finds out; benchmarks/ holds the times of both.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from stored._keys import UnchangedCheck, compile_check
from stored._settings import settings, validity

__all__ = ["Hit", "Shortcut", "ShortcutsByOwner"]


class Hit:
    """A result that calls find.

    Attributes
    ----------
    value : object
        What they return.
    seconds : float
        What computing it took.
    count : int
        How many have found it.
    """

    __slots__ = ("count", "seconds", "value")

    def __init__(self, value: Any, seconds: float) -> None:
        self.value = value
        self.seconds = seconds
        self.count = 0


class Shortcut:
    """Results of one owner, and a quick proof that they still hold.

    Parameters
    ----------
    owner : object
        The owner; it is referred to weakly.
    proof : Proof
        That its parameters are the same.
    memory : object
        What holds the results.
    now : object
        The epoch that the proof holds good for.

    Attributes
    ----------
    table : dict
        Results by plain arguments: the argument itself if there is one, else a tuple.
    scalar : callable
        In place of the table, from an argument to what the call returns, or to None if that takes more.
    hit : Hit
        What counts the calls that `scalar` answers.
    hits : list of Hit
        All that count calls.
    """

    def __init__(self, owner: object, proof: UnchangedCheck, memory: object, now: object) -> None:
        self.number = id(owner)
        self.ref = weakref.ref(owner)  # of all references without callback there is one, and __weakref__ shows it
        self.memory = memory
        self.validity = now
        self.test = proof.test
        self.refers_to_owner = proof.refers_to_owner
        self.is_over = False
        self.is_same = compile_check(proof.test)
        self.scalar: Callable[[Any], Any] = _no_value
        self.table: dict[Any, Hit] = {}
        self.hit = Hit(None, 0.0)
        self.hits: list[Hit] = []
        self.end_of_owner: object = None
        for name, value in proof.expected.items():
            setattr(self, name, value)  # one by one: attributes in a dict of its own are slower to read

    def holds(self, owner: object) -> bool:
        """Are the owner's parameters, and all else, still the same?"""
        try:
            return self.is_valid() and self.is_same(owner, self)
        except AttributeError:
            return False

    def is_valid(self) -> bool:
        """Is all the same that its proof does not look at?"""
        return self.validity is validity.token and not self.is_over and not settings().disable

    def take(self, key: Any, hit: Hit) -> None:
        """Take a result, by its plain arguments or by the function that gives it."""
        if key is self.scalar or key in self.table:
            return  # another thread was first, and counts already
        if callable(key):
            self.scalar, self.hit = key, hit
        else:
            self.table[key] = hit
        self.hits.append(hit)

    def end(self) -> None:
        """Answer nothing any more, wherever this is still in use; what was counted stays."""
        self.is_over = True
        self.table, self.scalar = {}, _no_value


def _no_value(_: Any) -> None:
    """What a shortcut answers that answers nothing."""


class _NoShortcut:
    """In the place of a shortcut: of no owner."""

    ref = object()


NO_SHORTCUT: Any = _NoShortcut()


class ShortcutsByOwner:
    """The shortcuts that one compiled function looks at: all are proved by one test, which is part of it.

    Attributes
    ----------
    scope : dict
        The names that the function looks up.
    """

    def __init__(self, test: str) -> None:
        self.test = test
        self.scope: dict[str, Any] = {"_stored_found": self.find}
        self.last = NO_SHORTCUT
        self._by_owner: dict[int, weakref.ref[Shortcut]] = {}

    @property
    def last(self) -> Any:
        """The shortcut used last, if nothing in it refers to its owner."""
        return self.scope["_stored_last"]

    @last.setter
    def last(self, shortcut: Any) -> None:
        self.scope["_stored_last"] = shortcut

    def is_empty(self) -> bool:
        """Are there none?"""
        return not self._by_owner

    def find(self, owner: object) -> Shortcut:
        """The owner's; a `KeyError` if there is none."""
        found = self._by_owner[id(owner)]()
        if found is None or found.ref() is not owner:
            raise KeyError(owner)
        if not found.refers_to_owner:
            self.last = found  # it may have ended by now, and then answers nothing
        return found

    def add(self, owner: object, shortcut: Shortcut) -> None:
        """Take one, for as long as what holds the owner's results keeps it."""
        number = shortcut.number
        if self._of(number) is not shortcut:
            self._by_owner[number] = weakref.ref(shortcut, functools.partial(self._forget, number))
            shortcut.end_of_owner = weakref.ref(owner, functools.partial(self._leave, weakref.ref(shortcut)))
        if not shortcut.refers_to_owner:
            self.last = shortcut

    def discard(self, shortcut: Shortcut) -> None:
        """Forget one."""
        if self._of(shortcut.number) is shortcut:
            self._by_owner.pop(shortcut.number, None)
        self._leave(weakref.ref(shortcut), None)

    def _of(self, number: int) -> Shortcut | None:
        reference = self._by_owner.get(number)
        return None if reference is None else reference()

    def _forget(self, number: int, _: object) -> None:
        self._by_owner.pop(number, None)  # at worst, of one that came this moment: it is taken again

    def _leave(self, reference: weakref.ref[Shortcut], _: object) -> None:
        if self.last is reference():
            self.last = NO_SHORTCUT

    def end(self) -> None:
        """Forget all."""
        for shortcut in filter(None, [reference() for reference in list(self._by_owner.values())]):
            shortcut.end()
        self._by_owner.clear()
        self.last = NO_SHORTCUT
