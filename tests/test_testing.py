"""The shipped contract finds stores that break it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from stored._store_process import StoreProcess
from stored.stores import DirectoryStore, MemoryStore
from stored.testing import StoreContract
from stored.typing import Buffer, Store, Turn, Upkeep, Usage
from tests.faults.scale import FULL


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


class Pretending(MemoryStore):
    """A store that says it has trimmed, and has not."""

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        return MemoryStore().trim(ending, max_bytes, max_age)


class LeavingOut(MemoryStore):
    """A store that trims, and says it does not."""

    def left_out(self) -> frozenset[str]:
        return frozenset({"trim"})


def test_a_store_that_trims_otherwise_than_it_says_is_found() -> None:
    """A store that leaves what is beyond a limit, or takes it though it says that it does not trim, fails."""
    for store in (Pretending(), LeavingOut()):
        with pytest.raises(AssertionError):
            StoreContract().test_trimming_takes_the_least_recently_used(store)


def test_a_store_that_tells_nobody_is_found() -> None:
    """A store by an older form of the contract, which takes no function to tell, fails."""

    class Older(MemoryStore):
        def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:  # type: ignore[override]
            return nullcontext(Turn.MINE)

    with pytest.raises(TypeError):
        StoreContract().test_who_waits_can_be_told_of_it(Older())


class Careless(DirectoryStore):
    """A store that claims to let others wait, and does not."""

    def compute_turn(self, *_: object) -> AbstractContextManager[Turn]:
        return nullcontext(Turn.MINE)


class Folders(DirectoryStore):
    """A store whose locks are folders: they outlive their process, and whoever has waited too long goes on."""

    @contextmanager
    def compute_turn(self, name: str, limit: float | None, tell: object = None) -> Iterator[Turn]:
        folder, begun = self.root / name.replace("/", "-"), time.monotonic()
        self.root.mkdir(exist_ok=True)
        while not self._make(folder):
            if limit is not None and time.monotonic() - begun >= limit:
                yield Turn.EXPIRED
                return
            time.sleep(0.01)
        try:
            yield Turn.MINE
        finally:
            os.rmdir(folder)

    def _make(self, folder: Path) -> bool:
        try:
            folder.mkdir()
        except FileExistsError:
            return False
        return True


class Quiet(Folders):
    """A store that lets others wait, and says that it does not."""

    def left_out(self) -> frozenset[str]:
        return frozenset({"compute_turn"})


class CountingAlone(DirectoryStore):
    """A store that counts what its own process has written."""

    _count = 0

    def count_written(self, size: int) -> Usage:
        self._count += size
        return Usage(self._count)


@pytest.fixture
def others() -> Iterator[Callable[[Store], StoreProcess]]:
    """A function that gives another process which uses a store."""
    taken = []

    def take(store: Store) -> StoreProcess:
        taken.append(StoreProcess(60.0))
        taken[-1].use(store)
        return taken[-1]

    yield take
    for each in taken:
        each.kill()


HANGS = "nothing keeps them from going on"

SLOW = pytest.mark.skipif(not FULL, reason="it takes the time of waiting: STORED_FAULTS=full")


class Impatient(StoreContract):
    """The contract, which soon takes for hung what waits."""

    patience = 3.0


@pytest.mark.parametrize(
    ("store", "test", "message"),
    [
        (Careless, "one_process_computes_at_a_time", "two compute at once"),
        (Careless, "a_holder_that_dies_keeps_nobody_waiting", "two compute at once"),
        (Quiet, "one_process_computes_at_a_time", "left out, and waits"),
        pytest.param(Folders, "a_holder_that_dies_keeps_nobody_waiting", HANGS, marks=SLOW),
        (Folders, "one_of_those_who_wait_takes_over_at_the_limit", "all who wait compute at the limit"),
        pytest.param(Folders, "processes_do_not_wait_for_each_other", HANGS, marks=SLOW),
        pytest.param(Folders, "threads_that_wait_in_their_process_are_seen", HANGS, marks=SLOW),
        (Folders, "a_fork_leaves_both_processes_their_store", "the child ended the turn"),
        (CountingAlone, "the_count_is_of_all_processes", "of one process only"),
    ],
)
def test_a_store_that_fails_between_processes_is_found(
    tmp_path: Path,
    others: Callable[[Store], StoreProcess],
    store: Callable[[Path], DirectoryStore],
    test: str,
    message: str,
) -> None:
    """Two that compute at once, the dead that keep others waiting, all that go on at the limit, and so on, fail."""
    with pytest.raises(AssertionError, match=message):
        getattr(Impatient(), f"test_{test}")(store(tmp_path / "root"), others)


def test_a_store_of_one_process_is_found(others: Callable[[Store], StoreProcess]) -> None:
    """A store that other processes get a copy of, and that does not say so, fails."""
    with pytest.raises(AssertionError, match="the other process does not read what was written here"):
        StoreContract().test_processes_share_a_store(MemoryStore(), others)
