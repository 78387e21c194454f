"""What a store is: a place for bytes under names."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from stored.typing import Buffer

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
    engine then does without the store.
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
