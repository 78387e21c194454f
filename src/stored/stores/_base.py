"""What a store is: a place for bytes under names."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from stored.typing import Buffer, Turn, Upkeep

__all__ = ["Store", "check_name", "is_name"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def is_name(name: str) -> bool:
    """Is this a name, as `check_name` has it?"""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """A name, if it is one: folders and a last part joined by slashes, none of them hidden, empty or ``..``.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not is_name(name):
        raise ValueError(f"{name!r} is not a name in a store; its parts are letters, digits and _ . - joined by /")
    return name


class Store(ABC):
    """A place for bytes under names; it never sees values.

    A write is atomic: a reader sees the bytes of one write, whole, or nothing. Every method may raise `OSError`; the
    engine then does without the store. The methods that are not abstract are for what some stores cannot do: by
    default nobody waits, nothing is tidied, and the place is private.
    """

    @abstractmethod
    def read(self, name: str) -> Buffer | None:
        """All bytes under a name, or None if there are none; a later write does not change them."""

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes under a name, as many as there are up to `length`."""
        data = self.read(name)
        return None if data is None else memoryview(data)[:length]

    @abstractmethod
    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Put the parts, one after another, in the place of what was under a name."""

    @abstractmethod
    def delete(self, name: str) -> bool:
        """Remove a name; was it there?"""

    @abstractmethod
    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder and the folders below it, in no order."""

    @abstractmethod
    def location(self, name: str = "") -> str:
        """Where a name is, in a user's words."""

    def touch(self, name: str) -> None:
        """Note that a name is in use, so that `trim` takes others first."""
        check_name(name)

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """For the length of a block, this thread needs what a name is missing, and may wait for it.

        Whoever waits in `turn` can then see that it is waited for itself.
        """
        check_name(name)
        return nullcontext()

    def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:
        """Wait, outside a block, until nobody else computes what a name is missing; within it, keep others waiting.

        It never waits for a process that has died, and never for one that itself waits, directly or through others,
        for this thread. Where that cannot be known, as in a store without locks, the answer is `Turn.MINE`.

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
        """Remove what processes that died have left, and nothing of those that live; how many files were there?"""
        return 0

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove names that are too long out of use, and the longest unused of those that are too much.

        Parameters
        ----------
        ending : str
            Only names that end so count, and only such are removed.
        max_bytes : int, optional
            The size of all of them together; if they take more, as many go as bring them to nine tenths of it.
        max_age : float, optional
            Seconds since a name was written or touched.
        """
        return Upkeep()

    def writable_by_others(self) -> str:
        """Where others can put bytes, and who, in a user's words; empty if nobody can."""
        return ""
