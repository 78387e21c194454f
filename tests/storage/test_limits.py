"""What is on disk stays within the limits, and the least recently used results go first."""

from __future__ import annotations

import _thread
import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored
from stored import PersistenceWarning, configure
from stored._storage import limits
from stored._storage.limits import finish_trims
from stored.stores import DirectoryStore, MemoryStore, _size
from stored.typing import Upkeep
from tests.faults.processes import in_processes
from tests.storage.models import CONTENT, Model, entry_files, kept, leave_draft, new_user, set_ages, store
from tests.stores.test_files import fail
from tests.stores.test_locks import held

ROOT = Path(__file__).parents[2]


def test_the_least_recently_used_go_first(cache_dir: Path, size: int) -> None:
    """Beyond max_bytes what was neither read nor written for longest goes, until a tenth is free."""
    store(*"abcde")
    set_ages(cache_dir, a=500, b=400, c=300, d=200, e=100)
    with configure(max_bytes=5 * size):
        assert np.array_equal(new_user().getStoredObject("a"), CONTENT)
        store("f")
        finish_trims()
    assert kept(cache_dir) == "adef"


def test_the_limit_is_kept_with_every_write(cache_dir: Path, size: int) -> None:
    """However much one process stores, after each trim it takes no more than allowed, and the latest is there."""
    with configure(max_bytes=5.5 * size // 1):
        for name in "abcdefghijklmnopqrst":
            store(name)
            finish_trims()
            assert len(entry_files(cache_dir)) <= 5
            assert name in kept(cache_dir)


def test_what_is_not_used_for_long_goes(cache_dir: Path) -> None:
    """Beyond max_age since its last use a result is dropped, whatever its size; others stay."""
    store(*"abc")
    set_ages(cache_dir, a=500, b=400, c=200)
    with configure(max_age=300.0):
        assert new_user().getStoredObject("a") is not None
        store("d")
        finish_trims()
    assert kept(cache_dir) == "acd"


def test_a_result_larger_than_all_is_kept_in_memory(cache_dir: Path, size: int) -> None:
    """What exceeds max_bytes by itself displaces nothing but its older self; one warning names both sizes."""
    store(*"ab")
    user = new_user()
    with configure(max_bytes=3 * size):
        with pytest.warns(
            PersistenceWarning, match=rf"object 'a' .* it takes 8\d+ bytes, and max_bytes is {3 * size}"
        ) as caught:
            for _ in range(2):
                user.storeObject("a", np.arange(1000.0))
        assert [each.filename for each in caught] == [__file__]
        assert len(user.getStoredObject("a")) == 1000
        assert new_user().getStoredObject("a") is None
    assert kept(cache_dir) == "b"


def store_elsewhere(size: int, names: str) -> None:
    """Store in another process, with a limit, and end before anything can be trimmed."""
    with configure(max_bytes=5 * size):
        store(*names)


def test_results_of_other_processes_count(cache_dir: Path, size: int) -> None:
    """What others have written is known without a look at it, and what is too much is trimmed at the next write."""
    with configure(max_bytes=5 * size):
        store("a")
        finish_trims()
    with configure(max_bytes=10**9):
        in_processes((store_elsewhere, 10**6, "bcd"), (store_elsewhere, 10**6, "ef"))
    set_ages(cache_dir, a=500, b=400, c=300)
    assert kept(cache_dir) == "abcdef"
    with configure(max_bytes=6 * size):
        store("g")
        finish_trims()
    assert kept(cache_dir) == "cdefg"


def test_two_writers_and_a_trim(cache_dir: Path, size: int) -> None:
    """Processes that write at once stay within the limit together, lose none of the latest, and know the size."""
    with configure(max_bytes=20 * size):
        in_processes((write_and_trim, "abcdefghijklm"), (write_and_trim, "nopqrstuvwxyz"))
        assert DirectoryStore(cache_dir)._size.read().bytes >= len(entry_files(cache_dir)) * size
        stored.upkeep()
        assert DirectoryStore(cache_dir)._size.read().bytes == len(entry_files(cache_dir)) * size
    assert {"m", "z"} <= set(kept(cache_dir))
    assert len(entry_files(cache_dir)) <= 20


def write_and_trim(names: str) -> None:
    for name in names:
        store(name)
        finish_trims()


def test_one_process_trims(cache_dir: Path, size: int) -> None:
    """While another process trims nobody else does, and a moment later the next write sees to it."""
    with configure(max_bytes=2 * size), held(DirectoryStore(cache_dir), limits._TURN) as (trimmer, _):
        store(*"abcd")
        finish_trims()
        assert kept(cache_dir) == "abcd"
        trimmer.kill()
        (schedule,) = (each for place, each in limits._schedules.items() if place == str(cache_dir))
        store("e")
        finish_trims()
        assert kept(cache_dir) == "abcde"
        schedule._may_begin = 0.0
        store("f")
        finish_trims()
    assert kept(cache_dir).endswith("f")
    assert len(kept(cache_dir)) <= 2


@pytest.mark.parametrize("trouble", [None, "another trims", "it fails"])
def test_a_trim_in_the_background(
    cache_dir: Path, size: int, monkeypatch: pytest.MonkeyPatch, trouble: str | None
) -> None:
    """A trim that is refused or fails leaves everything, and the next is not tried at once (here it runs as a call)."""
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, arguments: function(*arguments))
    with contextlib.ExitStack() as stack:
        stack.enter_context(configure(max_bytes=3 * size))
        store(*"abc")
        if trouble == "another trims":
            stack.enter_context(held(DirectoryStore(cache_dir), limits._TURN))
        if trouble == "it fails":
            fail(monkeypatch, os, "unlink", errno.EACCES)
            stack.enter_context(pytest.warns(PersistenceWarning, match="upkeep of .* failed"))
        store(*"de")
        assert (kept(cache_dir) == "abcde") == (trouble is not None)
        assert (limits._schedules[str(cache_dir)]._may_begin > time.monotonic()) == (trouble is not None)


def test_a_short_script_is_trimmed_for(cache_dir: Path, size: int) -> None:
    """A process that ends right after a write waits a little for the trim that this made due."""
    store(*"abcdef")
    script = "from tests.storage.models import store; store('g')"
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(cache_dir),
        "STORED_KEY_FILE": str(cache_dir.parent / "key"),
        "STORED_MAX_BYTES": str(3 * size),
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, cwd=ROOT)
    assert len(kept(cache_dir)) == 2
    assert "g" in kept(cache_dir)


def test_a_process_that_is_forked_during_a_trim(cache_dir: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child has no trim under way, waits for none, and begins its own."""
    monkeypatch.setattr(limits, "_SECONDS_TO_GATHER", 300.0)
    with configure(max_bytes=3 * size):
        store(*"abcde")
        in_processes((write_and_trim, "f"))
        assert len(kept(cache_dir)) == 2
        finish_trims(0.0)


def test_writes_list_nothing(cache_dir: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that makes a trim due does not look at the other entries: that is done in the background."""
    store("z")  # before the first write, a directory is looked at and marked
    threads = []
    real = os.scandir

    def scandir(path: Any) -> Any:
        if not str(path).endswith(".work"):
            threads.append(threading.get_ident())
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with configure(max_bytes=2 * size):
        store(*"abcdef")
        finish_trims()
    assert threads
    assert threading.get_ident() not in threads


def test_where_no_thread_can_be_had_nothing_is_trimmed(
    cache_dir: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a process ends it can begin no threads: results are stored all the same."""

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    with configure(max_bytes=2 * size):
        store(*"abcd")
    assert kept(cache_dir) == "abcd"


def test_whoever_has_no_patience_at_the_end_need_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C while a process waits for its trims ends the wait without a word."""

    def interrupt(limit: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(limits, "finish_trims", interrupt)
    limits._finish_at_exit()


class Counted(MemoryStore):
    """A store without a count, which notes when it is trimmed."""

    def __init__(self) -> None:
        super().__init__()
        self.trims: list[int] = []

    def location(self, name: str = "") -> str:
        return f"counted {id(self)}"

    def count_written(self, size: int) -> None:  # type: ignore[override]
        return None

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        self.trims.append(sum(len(self.read(name) or b"") for name in self.names()))
        return Upkeep(bytes=self.trims[-1])


def test_a_store_that_keeps_no_count(size: int) -> None:
    """Where a store does not count, this process trims at first, after a tenth of the limit, and beyond the limit."""
    place = Counted()
    with configure(store=place, max_bytes=20 * size):
        for name in "abcdefgh":
            store(name)
            finish_trims()
        assert len(place.trims) == 3
    with configure(store=place, max_bytes=10 * size):
        for name in "ijk":
            store(name)
            finish_trims()
        assert place.trims[-1] > 10 * size


def hour_later(cache_dir: Path, seconds: float = 3601.0) -> None:
    """Let the last trim be so long ago."""
    size = DirectoryStore(cache_dir)._size
    with size._opened(os.O_RDWR) as descriptor:
        _size._write(descriptor, size.read()._replace(trimmed_at=time.time() - seconds))


def test_limits_are_kept_every_hour(cache_dir: Path) -> None:
    """Little is written, and yet an hour later a write drops what is too old by then."""
    with configure(max_age=300.0):
        store("a")
        finish_trims()
        set_ages(cache_dir, a=500)
        store("b")
        finish_trims()
        assert kept(cache_dir) == "ab"
        hour_later(cache_dir)
        store("c")
        finish_trims()
    assert kept(cache_dir) == "bc"


def test_short_ages_are_kept(cache_dir: Path) -> None:
    """With a max_age below an hour, writing tidies up accordingly often."""
    with configure(max_age=100.0):
        Model().power(1.0)
        finish_trims()
        for file in entry_files(cache_dir):
            os.utime(file, (1.0, 1.0))
        hour_later(cache_dir, 11.0)
        Model().power(2.0)
        finish_trims()
        assert len(entry_files(cache_dir)) == 1


def test_without_limits_nothing_goes(cache_dir: Path) -> None:
    """By default results stay, however old."""
    store("a")
    set_ages(cache_dir, a=1e9)
    store("b")
    assert stored.upkeep().removed_entries == 0
    assert kept(cache_dir) == "ab"


# -- upkeep after a write ---------------------------------------------------------------------------------------------


def test_the_first_write_clears_leftovers(cache_dir: Path) -> None:
    """A process clears a directory when it first writes there, and not each time; reading clears nothing."""
    draft = leave_draft(cache_dir)
    assert new_user().getStoredObject("a") is None
    assert draft.exists()
    store("a")
    assert not draft.exists()
    leave_draft(cache_dir)
    store("b")
    assert draft.exists()


def test_a_write_counts_though_leftovers_cannot_be_cleared(tmp_path: Path) -> None:
    """The first write of a process too."""

    class Failing(DirectoryStore):
        def clear_leftovers(self) -> int:
            raise OSError("no such thing")

    store = Failing(tmp_path / "root")
    with configure(store=store, max_bytes=10**6), pytest.warns(PersistenceWarning, match="upkeep of .* failed"):
        new_user().storeObject("a", CONTENT)
    usage = store.count_written(0)
    assert usage is not None
    assert usage.bytes > CONTENT.nbytes


@pytest.mark.parametrize("step", ["clear_leftovers", "trim"])
def test_upkeep_that_fails_costs_nothing(step: str) -> None:
    """Results are stored though upkeep fails, with one warning at the caller's line."""

    class Failing(MemoryStore):
        def location(self, name: str = "") -> str:
            return f"a store without {step}"

        def refuse(self, *_: object) -> Any:
            raise OSError("no such thing")

    setattr(Failing, step, Failing.refuse)
    with configure(store=Failing(), max_bytes=10**6):
        new_user().storeObject("a", CONTENT) if step == "trim" else None
        finish_trims()
        with pytest.warns(
            PersistenceWarning, match=f"upkeep of a store without {step} failed .no such thing."
        ) as caught:
            for name in "abc":
                new_user().storeObject(name, CONTENT)
        assert [each.filename for each in caught] == [__file__]
        assert new_user().listObjects() == ["a", "b", "c"]
