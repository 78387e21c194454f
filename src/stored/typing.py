"""Types shared by all layers, and the sentinel that stands for "nothing here"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["ABSENT", "Absent", "Buffer", "HandOut", "SupportsStore", "TableInterpolant", "Turn", "Upkeep"]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Bytes at rest."""


class Absent(Enum):
    """The type of `ABSENT`, so that type checkers can tell it from a stored None."""

    ABSENT = "absent"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT
"""Nothing is stored; None is a value like any other."""


class Turn(Enum):
    """What came of wanting to compute what a name is missing."""

    MINE = "mine"
    """Nobody else computes it, as far as can be known."""
    DONE_ELSEWHERE = "over"
    """Another process has computed it meanwhile, and is done."""
    EXPIRED = "expired"
    """Another process still computes it, after all the time that there was to wait."""


class Upkeep(NamedTuple):
    """What upkeep found and did.

    Attributes
    ----------
    entries, bytes : int
        What is in the store now.
    removed_entries, removed_bytes : int
        What was too old, or too much.
    leftovers : int
        Files of processes that died: unfinished writes and locks.
    """

    entries: int = 0
    bytes: int = 0
    removed_entries: int = 0
    removed_bytes: int = 0
    leftovers: int = 0

    def __str__(self) -> str:
        return (
            f"{self.entries} results in {self.bytes:,} bytes; removed {self.removed_entries} results in"
            f" {self.removed_bytes:,} bytes, and {self.leftovers} files left by processes that died"
        )


class HandOut(Protocol):
    """Makes what a caller may have of a stored value."""

    def __call__(self, value: Any, /) -> Any:
        """What the caller gets."""


class TableInterpolant(Protocol):
    """An interpolant over a table: one of scipy's splines."""

    def __call__(self, *coordinates: ArrayLike, **options: Any) -> Any:
        """The table's function at one coordinate, or two."""


class SupportsStore(Protocol):
    """What the engine asks of a store; `stored.stores.Store` is the base to inherit."""

    def read(self, name: str) -> Buffer | None:
        """All bytes under a name."""

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes under a name."""

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Replace what is under a name."""

    def delete(self, name: str) -> bool:
        """Remove a name."""

    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder."""

    def location(self, name: str = "") -> str:
        """Where a name is."""

    def touch(self, name: str) -> None:
        """Note that a name is in use."""

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """For the length of a block, this thread needs what a name is missing."""

    def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:
        """Wait for whoever computes what a name is missing, or keep others waiting while this thread does."""

    def clear_leftovers(self) -> int:
        """Remove what processes that died have left."""

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove names that are too many, or too long out of use."""

    def writable_by_others(self) -> str:
        """Where others can put bytes, and who, in a user's words; empty if nobody can."""
