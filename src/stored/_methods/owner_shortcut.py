"""Which shortcut leads to the results of one owner, and when does it end?"""

from __future__ import annotations

from typing import Any

from stored._keys import Snapshot
from stored._methods.call_code import CallCode
from stored._methods.counters import Counters
from stored._methods.shortcuts import Hit, Shortcut
from stored._settings import validity

__all__ = ["OwnerShortcut"]


class OwnerShortcut:
    """The shortcut to one owner's results of one method, if there is one.

    `add`, `drop` and `count_hits` are called with the lock of the results held.

    Parameters
    ----------
    call_code : CallCode
        The code of the method's calls.
    counters : Counters
        The counters to which the shortcut's hits are added.
    """

    def __init__(self, call_code: CallCode, counters: Counters) -> None:
        self._call_code = call_code
        self._counters = counters
        self._shortcut: Shortcut | None = None

    def prepare(self, owner: object, snapshot: Snapshot, memory: object, token: object) -> Shortcut | None:
        """The shortcut to a memory, a new one if need be; None if there is no quick check of the parameters.

        Parameters
        ----------
        owner : object
            The owner.
        snapshot : Snapshot
            Its parameters.
        memory : object
            The memory that has the results for them.
        token : object
            That of `validity`, taken before anything else was looked at.
        """
        shortcut = self._shortcut
        if shortcut is not None and shortcut.memory is memory and shortcut.holds(owner):
            return shortcut
        if not type(owner).__weakrefoffset__:
            return None
        check = snapshot.unchanged_check(may_hold_user=validity.has_storage_users)
        if check is None:
            return None
        shortcut = Shortcut(owner, check, memory, token)
        return shortcut if shortcut.holds(owner) else None

    def add(self, owner: object, shortcut: Shortcut, key: Any, hit: Hit) -> None:
        """Answer such calls by a shortcut that was prepared."""
        if shortcut is not self._shortcut:
            self.drop()
            self._shortcut = shortcut
        self._call_code.add(owner, shortcut, key, hit)

    def drop(self) -> None:
        """End the shortcut, after its hits are counted."""
        if self._shortcut is not None:
            self._call_code.drop(self._shortcut)
            self.count_hits()
            self._shortcut = None

    def count_hits(self) -> None:
        """Move the shortcut's hits to the counters."""
        if self._shortcut is not None:
            for hit in self._shortcut.hits:
                count, hit.count = hit.count, 0
                self._counters.hits += count
                self._counters.seconds_saved += count * hit.seconds
