"""How are entries kept in memory? In a dict, for tests and for sharing results in one process without a disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stored.typing import Buffer, Store, check_name

__all__ = ["MemoryStore"]


class MemoryStore(Store):
    """A store in memory, which ends with its process."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def read(self, name: str) -> Buffer | None:
        """All bytes under a name."""
        return self._data.get(check_name(name))

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Put bytes under a name."""
        self._data[check_name(name)] = b"".join(parts)

    def delete(self, name: str) -> bool:
        """Remove a name; was it there?"""
        return self._data.pop(check_name(name), None) is not None

    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder and the folders below it."""
        prefix = f"{check_name(folder)}/" if folder else ""
        return iter([name for name in list(self._data) if name.startswith(prefix)])

    def location(self, name: str = "") -> str:
        """A name as messages show it."""
        return f"memory:{name}"
