"""How does Python look for no garbage meanwhile? Among thousands of new objects, that takes as long as to make them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

from stored._fork_safe_lock import ForkSafeLock

__all__ = ["without_collections"]


class _Pause:
    """How many blocks are open, of all threads, and whether garbage is looked for when the last one ends."""

    def __init__(self) -> None:
        self.lock = ForkSafeLock()
        self.open = 0
        self.is_collecting = False

    def begin(self) -> None:
        with self.lock:
            self.open += 1
            if self.open == 1:
                self.is_collecting = gc.isenabled()
                gc.disable()

    def end(self) -> None:
        with self.lock:
            if self.open == 1 and self.is_collecting:
                gc.enable()
            self.open = max(self.open - 1, 0)

    def end_after_fork(self) -> None:
        """The blocks of other threads, which exist in the parent only, never end in this process."""
        self.open = min(self.open, 1)
        self.end()


_pause = _Pause()

os.register_at_fork(after_in_child=_pause.end_after_fork)


@contextmanager
def without_collections() -> Iterator[None]:
    """Within the block, no cycles of garbage are collected, in any thread.

    The syntax trees of files, and what is noted of code, are made of many objects that stay.
    """
    try:
        _pause.begin()
        yield
    finally:
        _pause.end()
