"""Types shared by all layers, and the sentinel that stands for "nothing here"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeAlias

from numpy.typing import ArrayLike

__all__ = ["ABSENT", "Absent", "Buffer", "HandOut", "SupportsStore", "TableInterpolant"]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Bytes at rest."""


class Absent(Enum):
    """The type of `ABSENT`, so that type checkers can tell it from a stored None."""

    ABSENT = "absent"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT
"""Nothing is stored; None is a value like any other."""


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
