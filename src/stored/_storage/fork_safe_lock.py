"""A lock that a forked process can use."""

from __future__ import annotations

import os
from _thread import RLock  # threading.RLock is a function that makes one
from weakref import WeakSet

__all__ = ["ForkSafeLock"]


class ForkSafeLock(RLock):  # type: ignore[misc]  # final only to the type checker
    """A re-entrant lock that nobody holds in a forked process but the thread that forked.

    The other threads stayed behind in the parent, and would never release it. What it guards must be in order for a
    newcomer after each single step.
    """

    _all: WeakSet[ForkSafeLock] = WeakSet()

    def __init__(self) -> None:
        self._all.add(self)

    @classmethod
    def free_all(cls) -> None:
        """Take all locks from threads that are not in this process."""
        for lock in cls._all:
            if lock.acquire(blocking=False):  # it was free, or this thread's own
                lock.release()
            else:
                lock._at_fork_reinit()  # type: ignore[attr-defined]  # as the standard library itself does


os.register_at_fork(after_in_child=ForkSafeLock.free_all)
