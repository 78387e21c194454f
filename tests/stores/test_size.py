"""The size of a directory is known without listing it, to all processes, and whatever becomes of the file."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import struct
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from stored.stores import DirectoryStore, _upkeep
from stored.typing import Usage
from tests.faults.processes import METHODS, in_processes, in_threads
from tests.stores.entries import content, named
from tests.stores.test_files import fail
from tests.stores.test_locks import elsewhere, received


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path / "root")
    store.write(named("b"), [content(10)])
    return store


def size_file(store: DirectoryStore) -> Path:
    return store.root / ".work" / "size"


def count_often(store: DirectoryStore, size: int, times: int) -> None:
    for _ in range(times):
        assert store.count_written(size) is not None
    while store._size._uncounted:  # what a process that ends here could not count would be lost
        store.count_written(0)


@pytest.mark.parametrize("method", METHODS)
def test_all_that_is_written_is_counted(store: DirectoryStore, method: str) -> None:
    """Processes and threads that write at once count all bytes, of all of them."""
    in_processes(*[(count_often, store, 10, 100)] * 3, method=method)
    in_threads(*[(count_often, store, 1, 100)] * 3)
    assert store.count_written(0) == Usage(3 * 1000 + 3 * 100, 0.0)


def test_a_trim_puts_the_count_right(store: DirectoryStore) -> None:
    """After a trim the count is what is there, with what was written meanwhile, and the time is that of the trim."""
    store.count_written(1000)
    before = time.time()
    store.trim(".stored", None, None)
    usage = store.count_written(5)
    assert usage is not None
    assert usage.bytes == 15
    assert before <= usage.trimmed_at <= time.time()


def test_what_is_written_during_a_trim_counts(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are counted while a trim looks at the files are not forgotten when it ends."""
    real = _upkeep.files_below

    def files_below(folder: int, path: str = "", depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
        if not depth:
            store.count_written(7)
        return real(folder, path, depth)

    monkeypatch.setattr(_upkeep, "files_below", files_below)
    store.trim(".stored", None, None)
    assert store._size.read().bytes == 17


def be_at_it(store: DirectoryStore, end: Connection) -> None:
    with store._locks.section() as is_free:
        end.send(is_free)
        end.recv()


def test_nobody_waits_for_another_that_counts(store: DirectoryStore) -> None:
    """Bytes that cannot be counted since another process is at it are counted with the next write."""
    store.count_written(1)
    with elsewhere(be_at_it, store) as (process, end):
        assert received(end) is True
        assert store.count_written(2) == Usage(3)
        assert store.count_written(4) == Usage(7)
        assert store._size.read() == Usage(1)
        process.kill()
    assert store.count_written(8) == Usage(15) == store._size.read()


def test_counting_goes_on_where_a_lock_cannot_be_released(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock goes with the file that is closed, so that other processes count too."""
    real = fcntl.fcntl

    def no_release(descriptor: int, command: int, lock: bytes) -> Any:
        if lock[:2] == struct.pack("h", fcntl.F_UNLCK):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, command, lock)

    monkeypatch.setattr(fcntl, "fcntl", no_release)
    assert store.count_written(2) == Usage(2)
    monkeypatch.undo()
    in_processes((count_often, store, 3, 1))
    assert store.count_written(4) == Usage(9) == store._size.read()


@pytest.mark.parametrize("words", [b"", b"x", b"\0" * 40, b"x" * 5000, "damaged", "longer"])
def test_a_damaged_file_counts_nothing(store: DirectoryStore, words: bytes | str) -> None:
    """What is no record of a size is that of a directory that was never trimmed; counting goes on from there."""
    store.trim(".stored", None, None)
    whole = size_file(store).read_bytes()
    damaged = bytes([*whole[:10], whole[10] ^ 1, *whole[11:]])
    words = {"damaged": damaged, "longer": whole + b"x"}.get(str(words), words)
    assert isinstance(words, bytes)
    size_file(store).write_bytes(words)
    assert store.count_written(3) == Usage(3, 0.0) or len(words) > 40
    store.trim(".stored", None, None)
    assert store.read(named("b")) == content(10)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "other name", "folder is a link"])
def test_what_is_no_file_of_the_store_is_not_written_to(store: DirectoryStore, tmp_path: Path, kind: str) -> None:
    """In the place of the file, whatever leads elsewhere or is no file stays as it is, and the store keeps no count."""
    (tmp_path / "elsewhere").mkdir()
    precious = tmp_path / "elsewhere" / "size"
    precious.write_bytes(b"precious")
    file = size_file(store)
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to(precious)
    elif kind == "other name":
        file.hardlink_to(precious)
    else:
        file.parent.rename(tmp_path / "work")
        file.parent.symlink_to(tmp_path / "elsewhere")
    assert store.count_written(3) is None
    assert store.trim(".stored", None, None).entries == 1
    assert store.count_written(3) is None
    assert precious.read_bytes() == b"precious"


def test_a_file_system_without_locks_counts(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses locks, counts of several processes may be lost, and no more."""
    fail(monkeypatch, fcntl, "fcntl", errno.ENOLCK)
    assert [store.count_written(3), store.count_written(3)] == [Usage(3), Usage(6)]


def test_a_full_disk_costs_the_count(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the file cannot be written, or not in full, the store keeps no count."""
    fail(monkeypatch, os, "pwrite", errno.ENOSPC, times=1)
    assert store.count_written(3) is None
    monkeypatch.setattr(os, "pwrite", lambda *_: 5)
    assert store.count_written(3) is None


def test_the_count_of_a_directory_that_is_gone(store: DirectoryStore) -> None:
    """Who counts where the directory has been removed makes no trouble."""
    shutil.rmtree(store.root)
    store.count_written(3)
    assert store.read(named("b")) is None
