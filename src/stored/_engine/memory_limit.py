"""How much do the results of all methods take in memory, and which of them go first if that is too much?"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

from stored._fork_safe_lock import ForkSafeLock
from stored._settings import settings
from stored._storage import CachedResult, memory_size

__all__ = ["MemoryLimit", "memory_limit"]


class HoldsResults(Protocol):
    """What has results in memory: a storage space."""

    def forget(self, method: Any, arguments: Hashable) -> None:
        """Forget a result."""


class _Counted(NamedTuple):
    """A result that is counted, and where it is kept."""

    holder: weakref.ref[Any]
    method: Any
    arguments: Hashable
    result: weakref.ref[CachedResult]
    size: int
    seen: int = 0
    """How often a shortcut had led to it when this was last looked at."""


class MemoryLimit:
    """The results in memory, in the order in which they were last used, for as long as a limit is set.

    Attributes
    ----------
    total : int
        The bytes of all of them.
    limit : int or None
        That of the settings, which are asked when they change.
    """

    def __init__(self) -> None:
        self._counted: OrderedDict[int, _Counted] = OrderedDict()  # by the id of the result
        self._freed: deque[int] = deque()  # a result is freed at any moment, and the lock may be held by any thread
        self._lock = ForkSafeLock()
        self.total = 0
        self.limit = settings().max_memory_bytes

    def add(self, holder: HoldsResults, method: Any, arguments: Hashable, result: CachedResult) -> None:
        """Count a result that is kept, and forget others if they take too much."""
        limit, size = self.limit, memory_size(result.value)
        with self._lock:
            self._take_out_freed()
            self._remove(id(result))
            self._counted[id(result)] = _Counted(weakref.ref(holder), method, arguments, self._reference(result), size)
            self.total += size
            removed = self._removed_beyond(self.total if limit is None else limit)
        for each in removed:
            kept_in = each.holder()
            if kept_in is not None:
                kept_in.forget(each.method, each.arguments)

    def use(self, result: CachedResult) -> None:
        """Note that a result was used."""
        with self._lock:
            if id(result) in self._counted:
                self._counted.move_to_end(id(result))

    def _reference(self, result: CachedResult) -> weakref.ref[CachedResult]:
        number = id(result)
        return weakref.ref(result, lambda _: self._freed.append(number))

    def _take_out_freed(self) -> None:
        while self._freed:
            number = self._freed.popleft()
            counted = self._counted.get(number)
            if counted is not None and counted.result() is None:
                self._remove(number)

    def _remove(self, number: int) -> _Counted | None:
        counted = self._counted.pop(number, None)
        if counted is not None:
            self.total -= counted.size
        return counted

    def _removed_beyond(self, limit: int) -> list[_Counted]:
        """Take out those that were least recently used, until the others take no more than the limit."""
        removed = []
        chances = len(self._counted)
        while self.total > limit and self._counted:
            number, counted = next(iter(self._counted.items()))
            result = counted.result()
            count = 0 if result is None or result.hit is None else result.hit.count
            if count > counted.seen and chances:  # a shortcut has led to it meanwhile
                self._counted[number] = counted._replace(seen=count)
                self._counted.move_to_end(number)
                chances -= 1
                continue
            self._remove(number)
            if result is not None:
                removed.append(counted)
        return removed


memory_limit = MemoryLimit()
