"""Which lock is still of use after a fork?"""

from __future__ import annotations

import os
from _thread import RLock  # threading.RLock is a function that makes one
from weakref import WeakSet

__all__ = ["ForkSafeLock"]


class ForkSafeLock(RLock):  # type: ignore[misc]  # final only to the type checker
    """A re-entrant lock that in a forked process is free, unless the thread that forked holds it.

    The other threads exist in the parent only, and would never release it. A fork can interrupt what they do under the
    lock, so the data that it protects must be consistent after each single operation.
    """

    _locks: WeakSet[ForkSafeLock] = WeakSet()

    def __init__(self) -> None:
        self._locks.add(self)

    @classmethod
    def reset_after_fork(cls) -> None:
        """Release all locks that threads hold which are not in this process."""
        for lock in cls._locks:
            if lock.acquire(blocking=False):  # it was free, or this thread holds it
                lock.release()
            else:
                lock._at_fork_reinit()  # type: ignore[attr-defined]  # as the standard library itself does


os.register_at_fork(after_in_child=ForkSafeLock.reset_after_fork)
