"""What does a StorageUser hold in memory for one hashable string?"""

from __future__ import annotations

import threading
from typing import Any

from stored._fork_safe_lock import ForkSafeLock
from stored._keys import Space
from stored._storage import CachedResult, MemoryTier

__all__ = ["CallbackFlag", "State"]


class State:
    """What a StorageUser holds in memory for one hashable string."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.lock = ForkSafeLock()  # held while memory and store change together; reading memory needs none
        self.objects: MemoryTier[CachedResult] = MemoryTier(lock=self.lock)
        self.shortcuts: dict[str, dict[tuple[bool, bool, bool], Any]] = {}
        self._shortcut_lock = ForkSafeLock()  # never held for long, as the other is while an object is written

    def put(self, name: str, result: CachedResult) -> None:
        """Keep a result, and discard the shortcuts to the one before."""
        self.objects.put(name, result)
        self._discard_shortcuts(name)

    def discard(self, name: str) -> bool:
        """Discard a result; was there one?"""
        was_there = self.objects.discard(name)
        self._discard_shortcuts(name)
        return was_there

    def _discard_shortcuts(self, name: str) -> None:
        # after the object has changed: a shortcut to the old one is added before this, or not at all
        with self._shortcut_lock:
            self.shortcuts.pop(name, None)

    def add_shortcut(self, name: str, result: CachedResult, form: tuple[bool, bool, bool], found: Any) -> None:
        """Let later calls find at once what was found for this one; its form is interpolator, inverse and linear."""
        with self._shortcut_lock:
            if self.objects.get(name) is result:  # and not replaced meanwhile
                self.shortcuts.setdefault(name, {})[form] = found

    def __reduce__(self) -> tuple[type[State], tuple[Space]]:
        return State, (self.space,)


class CallbackFlag(threading.local):
    """Is this thread in the change callback? A process that another thread forks meanwhile is not."""

    runs = False
