"""`MemoryStore` keeps the contract of a store, for as long as its process lives."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import stored
from stored._storage.limits import finish_trims
from stored.stores import MemoryStore, _memory
from stored.testing import StoreContract
from stored.typing import Upkeep, Usage
from tests.storage.models import store


class TestMemoryStore(StoreContract):
    is_shared = False

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

    def test_the_least_recently_used_goes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was written or touched last stays, a tenth is left free, and other endings do not count."""
        store, clock = MemoryStore(), itertools.count(100.0)
        monkeypatch.setattr(_memory.time, "time", lambda: next(clock))
        for name in ("a.x", "b.x", "c.x", "other"):
            store.write(name, [b"x" * 10])
        store.touch("a.x")
        assert store.trim(".x", 20, None) == Upkeep(1, 10, 2, 20)
        assert sorted(store.names()) == ["a.x", "other"]

    def test_what_is_unused_for_too_long_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its age is that of its last use; one of a clock that was set back is used now."""
        store = MemoryStore()
        for now, name in ((100.0, "old"), (200.0, "new"), (900.0, "future")):
            monkeypatch.setattr(_memory.time, "time", lambda now=now: now)
            store.write(name, [b"x" * 10])
        monkeypatch.setattr(_memory.time, "time", lambda: 250.0)
        assert store.trim("", None, 60.0) == Upkeep(2, 20, 1, 10)
        assert sorted(store.names()) == ["future", "new"]
        assert store.count_written(1) == Usage(21, 250.0)

    def test_methods_keep_its_limits(self) -> None:
        """As in a directory, what is beyond a limit goes in the background."""
        place = MemoryStore()
        with stored.configure(store=place, max_bytes=3000):
            for label in "abcdefgh":
                store(label)
                finish_trims()
        assert 0 < sum(len(place.read(name) or b"") for name in place.names()) <= 3000
