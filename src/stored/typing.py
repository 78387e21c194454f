"""Which types do all parts of the library share? Also `ABSENT`, which stands for "nothing is stored"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["ABSENT", "Absent", "Buffer", "HandOut", "SupportsStore", "TableInterpolant", "Turn", "Upkeep"]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""An object that gives access to bytes."""


class Absent(Enum):
    """The type of `ABSENT`, by which type checkers distinguish it from a stored None."""

    ABSENT = "absent"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT
"""Nothing is stored; None is a value like any other."""


class Turn(Enum):
    """What waiting for a turn to compute the entry of a name has led to."""

    MINE = "mine"
    """This thread computes: nobody else does, as far as can be known."""
    DONE_ELSEWHERE = "done elsewhere"
    """Another process has computed it meanwhile."""
    EXPIRED = "expired"
    """Another process still computes it after the time limit; this thread computes it too."""


class Upkeep(NamedTuple):
    """What upkeep found and did.

    Attributes
    ----------
    entries, bytes : int
        What is in the store now.
    removed_entries, removed_bytes : int
        What was removed because it was beyond the limits.
    leftovers : int
        How many files of processes that died were removed: drafts and locks.
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
    """A function that copies a stored value for a caller."""

    def __call__(self, value: Any, /) -> Any:
        """The value that the caller gets."""


class TableInterpolant(Protocol):
    """An interpolant over a table that a method returned: one of scipy's splines."""

    def __call__(self, *coordinates: ArrayLike, **options: Any) -> Any:
        """The interpolated value at one coordinate or two."""


class SupportsStore(Protocol):
    """What the library needs of a store; `stored.stores.Store` describes it, and is the base class to inherit."""

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
        """Within the block, this thread needs the entry of a name."""

    def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:
        """Wait before the block while another computes the entry of a name; within the block, let others wait."""

    def clear_leftovers(self) -> int:
        """Remove what processes that died have left."""

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove names that were unused for too long, or the least recently used if there are too many bytes."""

    def writable_by_others(self) -> str:
        """Where other users can write, and who they are, as messages show it; empty if nobody can."""
