"""The shipped contract finds stores that break it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from stored.stores import MemoryStore
from stored.testing import StoreContract
from stored.typing import Buffer, Turn, Upkeep, Usage


def test_a_contract_without_a_store_says_so(tmp_path: Path) -> None:
    """A subclass that forgets make_store gets an error with its own name and what to do."""

    class TestForgetful(StoreContract):
        pass

    with pytest.raises(NotImplementedError, match="TestForgetful must override make_store"):
        TestForgetful().make_store(tmp_path)


def test_a_store_that_aliases_is_found() -> None:
    """A store whose readers see later writes fails the contract."""

    class Aliasing(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self._buffers: dict[str, bytearray] = {}

        def write(self, name: str, parts: Sequence[Buffer]) -> None:
            self._buffers.setdefault(name, bytearray(5))[:] = b"".join(parts)

        def read(self, name: str) -> Buffer | None:
            return self._buffers.get(name)

    with pytest.raises(AssertionError):
        StoreContract().test_a_reader_keeps_its_bytes(Aliasing(), 5)


def test_a_store_that_lists_too_much_is_found() -> None:
    """A store that takes a folder for a mere beginning of names fails the contract."""

    class Prefixing(MemoryStore):
        def names(self, folder: str = "") -> Iterator[str]:
            return iter([name for name in super().names() if name.startswith(folder)])

    with pytest.raises(AssertionError):
        StoreContract().test_names_lists_a_folder_and_below(Prefixing())


class OneLock(MemoryStore):
    """A store with one lock for all names and threads, which an error within a block leaves locked."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    @contextmanager
    def compute_turn(self, name: str, limit: float | None, tell: object = None) -> Iterator[Turn]:
        taken = self._lock.acquire(timeout=-1 if limit is None else limit)
        yield Turn.MINE if taken else Turn.EXPIRED
        if taken:
            self._lock.release()


class OneThread(OneLock):
    """A store with a lock that its own thread cannot take twice."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()


def test_a_store_where_names_wait_for_each_other_is_found() -> None:
    """A store with one lock for everything fails the contract, as does one that a thread can wait in for itself."""
    for store in (OneLock(), OneThread()):
        with pytest.raises(AssertionError):
            StoreContract().test_nobody_waits_for_a_free_name(store)


def test_a_store_that_keeps_a_turn_is_found() -> None:
    """A store in which an error within a turn keeps others out fails the contract."""
    with pytest.raises(AssertionError):
        StoreContract().test_a_turn_ends_with_its_block(OneLock())


class Sweeping(MemoryStore):
    """A store that removes everything when it trims."""

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        names = list(self.names())
        return Upkeep(removed_entries=sum(map(self.delete, names)))


class Lying(MemoryStore):
    """A store that removes names and says nothing of it."""

    def clear_leftovers(self) -> int:
        for name in self.names():
            self.delete(name)
        return 0


class Forgetful(MemoryStore):
    """A store that counts the last write only."""

    def count_written(self, size: int) -> Usage:
        return Usage(size)


def test_a_store_that_counts_wrongly_is_found() -> None:
    """A store whose count is not that of all writes until a trim, and what is there after it, fails the contract."""
    with pytest.raises(AssertionError):
        StoreContract().test_what_is_written_is_counted(Forgetful())


def test_a_store_that_tidies_too_much_is_found() -> None:
    """A store whose upkeep removes what is allowed, or another ending, fails the contract."""
    for store in (Sweeping(), Lying()):
        with pytest.raises(AssertionError):
            StoreContract().test_upkeep_keeps_what_is_allowed(store)
    with pytest.raises(AssertionError):
        StoreContract().test_trimming_takes_one_ending_only(Sweeping())
