"""What is a store? The base class of all stores, and the names that they accept."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from stored.typing import Buffer, Turn, Upkeep

__all__ = ["Store", "check_name", "is_name"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def is_name(name: str) -> bool:
    """Is this a name that `check_name` accepts?"""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """The name itself, if it is valid: folders and a last part joined by slashes, none of them hidden, empty or ``..``.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    if not is_name(name):
        raise ValueError(f"{name!r} is not a name in a store; its parts are letters, digits and _ . - joined by /")
    return name


_RENAMED = {"needing": "declare_wait", "turn": "compute_turn", "open_to": "writable_by_others"}


class Store(ABC):
    """A place for bytes under names; it knows nothing of values.

    A write is atomic: a reader sees all bytes of one write, or nothing. Every method may raise `OSError`; results are
    then computed and kept in memory. The methods that are not abstract are for what some stores cannot do: by default
    nobody waits, nothing is tidied, and nobody else can write to the store.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a method by a name of before, which nothing would call."""
        super().__init_subclass__(**options)
        for before, now in _RENAMED.items():
            if before in vars(cls):
                raise TypeError(f"{cls.__qualname__} defines {before}(), which is called {now}() now; rename it")

    @abstractmethod
    def read(self, name: str) -> Buffer | None:
        """All bytes under a name, or None if there are none; a later write does not change them."""

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes under a name, as many as there are up to `length`."""
        data = self.read(name)
        return None if data is None else memoryview(data)[:length]

    @abstractmethod
    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Replace what is under a name by the parts, one after another."""

    @abstractmethod
    def delete(self, name: str) -> bool:
        """Remove a name; was it there?"""

    @abstractmethod
    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder and the folders below it, in any order."""

    @abstractmethod
    def location(self, name: str = "") -> str:
        """Where a name is, as messages show it."""

    def touch(self, name: str) -> None:
        """Note that a name is in use, so that `trim` removes others first."""
        check_name(name)

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """Within the block, this thread needs the entry of a name, and may wait until another computes it.

        Threads that wait in `compute_turn` can then see that this thread waits for them.
        """
        check_name(name)
        return nullcontext()

    def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:
        """Wait before the block while another computes the entry of a name; within the block, let others wait.

        It never waits for a process that has died, and never for one that itself waits, directly or through others,
        for this thread. Where that cannot be known, as in a store without locks, the block gets `Turn.MINE`.

        Parameters
        ----------
        name : str
            The name.
        limit : float
            Seconds to wait at most.
        """
        check_name(name)
        return nullcontext(Turn.MINE)

    def clear_leftovers(self) -> int:
        """Remove what processes that died have left, and nothing of others; how many files were removed?"""
        return 0

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove names that were unused for too long, and the least recently used ones if there are too many bytes.

        Parameters
        ----------
        ending : str
            Only names with this ending count, and only they are removed.
        max_bytes : int, optional
            The size of all together; if they are larger, names are removed until they take nine tenths of it.
        max_age : float, optional
            Seconds since a name was written or touched.
        """
        return Upkeep()

    def writable_by_others(self) -> str:
        """Where other users can write, and who they are, as messages show it; empty if nobody can."""
        return ""
