"""How are entries kept in memory? In a dict, for tests and for sharing results in one process without a disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from stored.stores._upkeep import bytes_to_leave
from stored.typing import Buffer, Store, Upkeep, Usage, check_name

__all__ = ["MemoryStore"]


class MemoryStore(Store):
    """A store in memory, which ends with its process."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}
        self._used: dict[str, float] = {}
        self._usage = Usage()

    def read(self, name: str) -> Buffer | None:
        """All bytes under a name."""
        return self._data.get(check_name(name))

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Put bytes under a name."""
        data = b"".join(parts)
        self._used[check_name(name)] = time.time()
        self._data[name] = data

    def delete(self, name: str) -> bool:
        """Remove a name; was it there?"""
        self._used.pop(check_name(name), None)
        return self._data.pop(name, None) is not None

    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder and the folders below it."""
        prefix = f"{check_name(folder)}/" if folder else ""
        return iter([name for name in list(self._data) if name.startswith(prefix)])

    def location(self, name: str = "") -> str:
        """A name as messages show it."""
        return f"memory:{name}"

    def touch(self, name: str) -> None:
        """Note the time of a use."""
        if check_name(name) in self._data:
            self._used[name] = time.time()

    def count_written(self, size: int) -> Usage:
        """Add to the count; what two threads add at once may be lost, which the next trim puts right."""
        self._usage = self._usage._replace(bytes=self._usage.bytes + size)
        return self._usage

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove what was unused for too long, and the least recently used if there is too much."""
        now = time.time()
        sizes = {name: len(data) for name, data in list(self._data.items()) if name.endswith(ending)}
        number, total, removed = len(sizes), sum(sizes.values()), 0
        allowed = bytes_to_leave(total, max_bytes)
        # of two threads that write and remove one name at once, either may be the last: then its time may be missing
        used = {name: min(self._used.get(name, now), now) for name in sizes}
        for name in sorted(sizes, key=used.__getitem__):
            if total <= allowed and (max_age is None or used[name] >= now - max_age):
                break
            self.delete(name)
            total -= sizes[name]
            removed += 1
        self._usage = Usage(total, now)
        return Upkeep(number - removed, total, removed, sum(sizes.values()) - total)
