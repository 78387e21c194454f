"""What a StorageUser holds in memory for one hashable string."""

from __future__ import annotations

import threading
from typing import Any

from stored._keys import Space
from stored._storage import CachedResult, ForkSafeLock, MemoryTier

__all__ = ["CallbackFlag", "State"]


class State:
    """What a StorageUser holds in memory for one hashable string."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.lock = ForkSafeLock()  # held while memory and store change together; reading memory needs none
        self.objects: MemoryTier[CachedResult] = MemoryTier(lock=self.lock)
        self.shortcuts: dict[str, dict[tuple[bool, bool, bool], Any]] = {}

    def put(self, name: str, record: CachedResult) -> None:
        """Keep a record, and forget what was made of the one before."""
        self.objects.put(name, record)
        self.shortcuts.pop(name, None)

    def discard(self, name: str) -> bool:
        """Forget a record; was there one?"""
        was_there = self.objects.discard(name)
        self.shortcuts.pop(name, None)
        return was_there

    def take_shortcut(self, name: str, record: CachedResult, form: tuple[bool, bool, bool], found: Any) -> None:
        """Answer at once, from now on, what was found in a record; its form is interpolator, inverse and linear."""
        if not self.lock.acquire(blocking=False):
            return  # whoever holds it may be writing for long; a later call takes the shortcut
        try:
            if self.objects.get(name) is record:  # and not replaced meanwhile
                self.shortcuts.setdefault(name, {})[form] = found
        finally:
            self.lock.release()

    def __reduce__(self) -> tuple[type[State], tuple[Space]]:
        return State, (self.space,)


class CallbackFlag(threading.local):
    """Is this thread in the change callback? A process forked meanwhile by another thread is not."""

    runs = False
