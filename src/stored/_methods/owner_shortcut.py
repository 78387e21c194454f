"""Which shortcuts lead to the results of one owner, and when do they end? One for each of its last parameters."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import Any

from stored._engine import PresentSpace, StorageSpace
from stored._keys import InlineCheck
from stored._methods.counters import Counters
from stored._methods.memo_state import MemoTests
from stored._methods.shortcuts import Shortcut
from stored._settings import validity

__all__ = ["OwnerShortcut"]


_HITS_OF_EACH, _MORE_HITS = 4, 64
"""So many hits may a shortcut have for each result, and beside these: equal arguments can be of several types."""


class OwnerShortcut:
    """The shortcuts to one owner's results of one method.

    `add`, `end` and `count_hits` are called with the lock of the results held.

    Parameters
    ----------
    counters : Counters
        The counters to which the hits are added.
    present : PresentSpace
        What finds the owner's space.

    Attributes
    ----------
    last : Shortcut or None
        The one that was used last.
    """

    __slots__ = (
        "__weakref__",
        "_by_key",
        "_counters",
        "_present",
        "_values",
        "last",
        "owner_callback",
        "ref",
    )

    def __init__(self, counters: Counters, present: PresentSpace) -> None:
        self._counters = counters
        self._by_key: dict[Hashable, Shortcut] = {}
        self._present = present
        self._values = present.quick_values
        self.last: Shortcut | None = None
        self.ref: Any = None
        self.owner_callback: object = None  # a weak reference whose callback runs when the owner is freed

    def prepare(
        self, owner: object, space: StorageSpace, token: object, memos: MemoTests, code: InlineCheck
    ) -> Shortcut | None:
        """The shortcut to a space, a new one if need be; None if there is no quick check of the parameters.

        Parameters
        ----------
        owner : object
            The owner.
        space : StorageSpace
            The space for its parameters.
        token : object
            That of `validity`, taken before anything else was looked at.
        memos : tuple of (list of str, dict)
            Conditions for the memos that the method reads, and what they expect.
        code : InlineCheck
            Conditions for the code of the method.
        """
        last = self.last
        if last is not None and last.space is space and last.holds(owner) and self._by_key.get(last.key) is last:
            return last
        found = self._present.unchanged_check(space, may_hold_user=validity.has_storage_users)
        if found is None:
            return None
        check, key = found
        shortcut = self._by_key.get(key)
        if shortcut is not None and shortcut.space is space and shortcut.holds(owner):
            return shortcut
        tests, expected = memos
        if tests or code.tests:
            check = check._replace(
                test=" and ".join([check.test, *tests, *code.tests]),
                expected={**check.expected, **expected},
                scope=code.scope,
            )
        shortcut = Shortcut(owner, check, key, space, token)
        return shortcut if shortcut.holds(owner) else None

    def has_too_many_hits(self, results: int) -> bool:
        """Are there by far more hits than results, so that most are those of arguments which do not come again?

        Classes that a function makes anew for each call are such, for one.
        """
        return self.last is not None and len(self.last.hits) > _HITS_OF_EACH * results + _MORE_HITS

    def add(self, shortcut: Shortcut) -> None:
        """Add a shortcut that was prepared; `CallCode.add` does, once what must end before has ended."""
        if shortcut.of_owner is None:
            shortcut.of_owner = weakref.ref(self)
        known = self._by_key.pop(shortcut.key, None)
        if known is not None and known is not shortcut:
            self._end(known)
        self._by_key[shortcut.key] = shortcut  # the latest comes last
        while len(self._by_key) > self._present.spaces.memory_sets + 1:
            self._end(self._by_key.pop(next(iter(self._by_key))))
        self.ref = shortcut.ref
        self.last = shortcut

    def switch(self, owner: object) -> Shortcut | None:
        """The shortcut for the parameters that the owner has now; None if there is none."""
        last = self.last
        if last is None or last.rebind is None:
            return None  # a full call asks for the values: that may call the change callback, whose error must be seen
        values = self._values(owner)
        types = tuple(map(type, values))
        # numbers and texts are their own key, but for numpy's; what stands for tuples may be a tuple too
        found = self._by_key.get((types, values)) if last.is_steady and tuple not in types else None
        if found is None:
            found = self._by_key.get(self._present.key_of(values))
        if found is None or found.rebind is None:
            return None
        found.rebind(found, values)
        space = found.space
        if space is None or not found.is_same(owner, found):  # it may have ended just now
            return None
        self._present.note_switch(values if found.is_steady else None, space)
        self.last = found
        return found

    def end(self) -> None:
        """End all shortcuts, after their hits are counted."""
        while self._by_key:
            self._end(self._by_key.popitem()[1])

    def _end(self, shortcut: Shortcut) -> None:
        shortcut.end()
        self._count(shortcut)

    def end_all(self) -> None:
        """End all shortcuts; `count_hits` counts their hits. It takes no lock of the results."""
        for shortcut in list(self._by_key.values()):
            shortcut.end()

    def count_hits(self) -> None:
        """Move the hits of the shortcuts to the counters, and drop those that have ended."""
        for key, shortcut in list(self._by_key.items()):
            self._count(shortcut)
            if shortcut.is_ended:
                del self._by_key[key]

    def _count(self, shortcut: Shortcut) -> None:
        count, seconds = shortcut.take_counts()
        self._counters.hits += count
        self._counters.seconds_saved += seconds
