"""`MemoryStore` keeps the contract of a store, for as long as its process lives."""

from __future__ import annotations

from pathlib import Path

from stored.stores import MemoryStore
from stored.testing import StoreContract


class TestMemoryStore(StoreContract):
    def make_store(self, directory: Path) -> MemoryStore:
        return MemoryStore()

    def test_stores_are_apart(self) -> None:
        """Two stores share nothing."""
        one, other = MemoryStore(), MemoryStore()
        one.write("a", [b"1"])
        assert other.read("a") is None

    def test_written_buffers_are_copied(self) -> None:
        """A buffer that changes after it was written changes nothing stored."""
        store, buffer = MemoryStore(), bytearray(b"1")
        store.write("a", [buffer])
        buffer[0] = 0
        assert store.read("a") == b"1"
