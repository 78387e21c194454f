"""How does Python look for no garbage meanwhile? Among thousands of new objects, that takes as long as to make them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collections"]


class _Pause:
    """Which blocks are open, of all threads, and whether garbage is looked for when the last one ends.

    It needs no lock: whatever threads do at the same moment, garbage is collected after the last block.
    """

    def __init__(self) -> None:
        self.open: set[object] = set()
        self.is_collecting = False

    def begin(self, block: object) -> None:
        is_enabled = gc.isenabled()
        if is_enabled or not self.open:
            self.is_collecting = is_enabled
        self.open.add(block)
        gc.disable()

    def end(self, block: object) -> None:
        self.open.discard(block)
        if not self.open and self.is_collecting:
            gc.enable()

    def end_after_fork(self) -> None:
        """The blocks of other threads, which exist in the parent only, never end in this process."""
        if self.open:
            self.open.clear()
            self.end(None)


_pause = _Pause()

os.register_at_fork(after_in_child=_pause.end_after_fork)


@contextmanager
def without_collections() -> Iterator[None]:
    """Within the block, no cycles of garbage are collected, in any thread.

    The syntax trees of files, and what is noted of code, are made of many objects that stay.
    """
    block = object()
    try:
        try:
            _pause.begin(block)
            yield
        finally:
            _pause.end(block)
    finally:
        _pause.end(block)  # Ctrl-C may have come as the first one began
