"""Who computes for long says so, and shows that it lives; who computes shortly leaves nothing."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from stored.stores import DirectoryStore, _holders, _locks
from stored.stores._folders import OpenFolders
from stored.stores._holders import HolderNotes, SignsOfLife
from stored.typing import Holder, Turn
from tests.faults.processes import PATIENCE, started, until
from tests.stores.test_files import fail
from tests.stores.test_locks import digest, elsewhere, received, turn_of

DIGEST = digest("a/b")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are made and renewed at once, in forked processes too."""
    monkeypatch.setattr(_locks, "_notes", HolderNotes())
    monkeypatch.setattr(_holders, "_PAUSE", 0.01)
    monkeypatch.setattr(_holders, "_BETWEEN_SIGNS", 0.0)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path / "root")
    assert turn_of(store, "a/first") is Turn.MINE
    return store


@pytest.fixture
def folders(store: DirectoryStore) -> OpenFolders:
    return store._folders


@pytest.fixture
def notes() -> HolderNotes:
    """Notes that are kept by the test itself: it looks when it wants to."""
    notes = HolderNotes()
    notes._has_thread = True
    return notes


def look(notes: HolderNotes, *blocks: object) -> None:
    """What the thread does at each of its looks."""
    for block in blocks:
        notes._renew(block)


def work_files(store: DirectoryStore) -> list[str]:
    return sorted(set(os.listdir(store.root / ".work")) - {"locks"})


def note_of(store: DirectoryStore, name: str = "a/b") -> Path:
    return store.root / ".work" / f"{digest(name)}.holder"


def signs_of(folders: OpenFolders, name: str = "a/b") -> SignsOfLife:
    """What is seen now by who has just begun to wait."""
    signs = SignsOfLife(folders, digest(name))
    signs.look(time.monotonic() + 1.0)
    return signs


def hold_until_told(store: DirectoryStore, name: str, end: Connection) -> None:
    with store.compute_turn(name, PATIENCE) as turn:
        end.send(turn)
        end.recv()
    end.send("over")


@contextlib.contextmanager
def computing(store: DirectoryStore, name: str = "a/b") -> Iterator[tuple[Any, Connection]]:
    """A block while another process computes, and has said so in a note."""
    with elsewhere(hold_until_told, store, name) as (process, end):
        assert received(end) is Turn.MINE
        until(lambda: signs_of(store._folders, name).holder)
        yield process, end


# -- from one process to another --------------------------------------------------------------------------------------


def test_who_computes_for_long_says_so(store: DirectoryStore) -> None:
    """The note tells host, process and since when; it goes with the turn, and nothing else is left."""
    before = time.time()
    with computing(store) as (process, end):
        holder = signs_of(store._folders).holder
        assert holder is not None
        assert holder[:2] == (os.uname().nodename, process.pid)
        assert before - 1 < holder.since < time.time() + 1
        end.send("end")
        assert received(end) == "over"
        assert work_files(store) == []
        assert signs_of(store._folders).holder is None


def test_a_stopped_process_shows_no_life(store: DirectoryStore) -> None:
    """While it runs its signs go on, and when it is continued, too."""
    with computing(store) as (process, _):
        signs = signs_of(store._folders)

        def shows_life() -> bool:
            before = signs.latest
            signs.look(signs._looked + 1.0)
            return signs.latest > before

        until(shows_life)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            until(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
            shows_life()  # the last sign before
            assert not shows_life()
            assert signs.holder is not None  # the process is there, and has its lock
        finally:
            os.kill(process.pid, signal.SIGCONT)
        until(shows_life)


def test_a_process_that_died_is_not_said_to_compute(store: DirectoryStore) -> None:
    """What it left is replaced by the note of the next one, or removed as a leftover."""
    with computing(store) as (process, _):
        process.kill()
    assert note_of(store).exists()
    assert signs_of(store._folders).holder is None
    with computing(store) as (process, _):
        holder = signs_of(store._folders).holder
        assert holder is not None
        assert holder.process == process.pid
        process.kill()
    assert store.clear_leftovers() == 1
    assert work_files(store) == []


def test_a_note_that_is_in_use_is_no_leftover(store: DirectoryStore) -> None:
    """Upkeep leaves it alone."""
    with computing(store):
        assert store.clear_leftovers() == 0
        assert signs_of(store._folders).holder is not None


def many_short_turns(store: DirectoryStore) -> tuple[list[str], int]:
    for number in range(5000):
        with store.compute_turn(f"a/{number}", 0.0):
            pass
    return work_files(store), threading.active_count()


def test_short_computations_leave_nothing(store: DirectoryStore) -> None:
    """However many they are, no file is left, no thread that Python knows of, and the one that keeps notes ends."""
    assert many_short_turns(store) == ([], threading.active_count())
    notes = _locks._notes
    until(lambda: not notes._has_thread)
    assert (notes._begun, notes._notes, notes._signs) == ({}, {}, {})


def hold_and_fork(store: DirectoryStore, name: str, end: Connection) -> None:
    with store.compute_turn(name, PATIENCE):
        until(lambda: signs_of(store._folders, name).holder)
        with started((turn_and_sleep, store)) as [child]:
            end.send(child.pid)
            end.recv()


def turn_and_sleep(store: DirectoryStore) -> None:
    assert turn_of(store, "a/c") is Turn.MINE
    time.sleep(PATIENCE)


def test_a_forked_process_shows_no_life_for_its_parent(store: DirectoryStore) -> None:
    """When the parent is killed, the note is that of a process that died, though a child lives on."""
    with elsewhere(hold_and_fork, store, "a/b") as (parent, end):
        child = received(end)
        try:
            assert signs_of(store._folders).holder is not None
            parent.kill()
            until(lambda: signs_of(store._folders).holder is None)  # the child may just begin
            assert store.clear_leftovers() >= 1
        finally:
            os.kill(child, signal.SIGKILL)


def test_the_parent_has_its_note_after_a_fork(store: DirectoryStore) -> None:
    """A child closes its copy only."""
    with store.compute_turn("a/b", 0.0):
        until(note_of(store).exists)
        with started((turn_and_sleep, store)):
            assert signs_of(store._folders).holder is not None
    assert work_files(store) == []


# -- the notes of this process ----------------------------------------------------------------------------------------


def test_a_short_block_has_no_note(
    store: DirectoryStore, folders: OpenFolders, notes: HolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that has just begun, or is over, gets none."""
    monkeypatch.setattr(_holders, "_PAUSE", 100.0)
    notes.begin("one", folders, DIGEST)
    look(notes, "one", "other")
    assert work_files(store) == []
    notes.end("one")
    notes.end("one")
    assert notes._begun == {}


def wait_for_note(notes: HolderNotes, block: object) -> None:
    """Have the note of a block made."""

    def is_there() -> bool:
        look(notes, block)
        return block in notes._notes

    until(is_there)


def test_signs_of_life_are_few(
    store: DirectoryStore, folders: OpenFolders, notes: HolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a note is set only when the last sign is long ago."""
    notes.begin("one", folders, DIGEST)
    wait_for_note(notes, "one")
    before = note_of(store).stat().st_mtime_ns
    monkeypatch.setattr(_holders, "_BETWEEN_SIGNS", 100.0)
    look(notes, "one")
    assert note_of(store).stat().st_mtime_ns == before
    monkeypatch.setattr(_holders, "_BETWEEN_SIGNS", 0.0)
    until(lambda: look(notes, "one") or note_of(store).stat().st_mtime_ns != before)
    notes.end("one")
    assert work_files(store) == []


@pytest.mark.parametrize("error", [RecursionError, MemoryError, KeyboardInterrupt])
def test_an_end_that_is_interrupted_is_mended(
    store: DirectoryStore,
    folders: OpenFolders,
    notes: HolderNotes,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    """The thread removes what is left of a block that is over."""
    notes.begin("one", folders, DIGEST)
    wait_for_note(notes, "one")

    def interrupted(block: object) -> None:
        raise error

    monkeypatch.setattr(notes, "_remove", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        notes.end("one")
    monkeypatch.undo()
    assert note_of(store).exists()
    look(notes, "one")
    assert (work_files(store), notes._notes, notes._signs) == ([], {}, {})


def close_it(note: Any) -> None:
    os.close(note._descriptor)


def reuse_its_number(note: Any) -> None:
    other = os.open("/dev/null", os.O_RDONLY)
    os.dup2(other, note._descriptor)
    os.close(other)


def remove_it(note: Any) -> None:
    os.unlink(note._name, dir_fd=note._work)


@pytest.mark.parametrize("lose", [close_it, reuse_its_number, remove_it])
def test_a_note_that_is_lost_is_made_anew(
    store: DirectoryStore, folders: OpenFolders, notes: HolderNotes, lose: Callable[[Any], None]
) -> None:
    """Where the program closes all its files, or somebody removes the note, there is another one at the next look."""
    notes.begin("one", folders, DIGEST)
    wait_for_note(notes, "one")
    note = notes._notes["one"]
    descriptor = note._descriptor
    lose(note)
    look(notes, "one")
    assert "one" not in notes._notes
    wait_for_note(notes, "one")
    assert signs_of(folders).holder is not None
    notes.end("one")
    assert work_files(store) == []
    if lose is reuse_its_number:
        assert os.readlink(f"/proc/self/fd/{descriptor}") == "/dev/null"  # a file of others by now, which stays open
        os.close(descriptor)


def test_a_note_is_overtaken_with_the_turn(store: DirectoryStore, folders: OpenFolders, notes: HolderNotes) -> None:
    """The note of who takes over stands in the place of the other one, whose end does not remove it."""
    others = HolderNotes()
    others._has_thread = True
    notes.begin("one", folders, DIGEST)
    wait_for_note(notes, "one")
    others.begin("two", folders, DIGEST)
    wait_for_note(others, "two")
    look(notes, "one")  # a sign of life where nobody looks
    notes.end("one")
    assert signs_of(folders).holder is not None
    others.end("two")
    assert work_files(store) == []


def test_no_links_are_needed(
    store: DirectoryStore, folders: OpenFolders, notes: HolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are notes also where files have one name only."""
    fail(monkeypatch, os, "link", errno.EPERM)
    notes.begin("one", folders, DIGEST)
    wait_for_note(notes, "one")
    assert signs_of(folders).holder is not None


@pytest.mark.parametrize("call", ["writev", "rename", "fstat"])
def test_a_note_that_cannot_be_made_leaves_nothing(
    store: DirectoryStore, folders: OpenFolders, notes: HolderNotes, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """On a full disk nobody is told, and the next look tries again."""
    notes.begin("one", folders, DIGEST)
    time.sleep(0.02)
    handles, work = os.listdir("/proc/self/fd"), folders.work()
    with monkeypatch.context() as patch:
        patch.setattr(folders, "work", lambda makes=False: work)
        fail(patch, os, call, errno.ENOSPC)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            look(notes, "one")
    assert work_files(store) == []
    assert os.listdir("/proc/self/fd") == handles
    wait_for_note(notes, "one")


def test_a_removed_directory_is_not_made_again(store: DirectoryStore, folders: OpenFolders, notes: HolderNotes) -> None:
    """Nobody waits there any longer."""
    notes.begin("one", folders, DIGEST)
    time.sleep(0.02)
    shutil.rmtree(store.root)
    with pytest.raises(FileNotFoundError):
        look(notes, "one")
    assert not store.root.exists()


def test_notes_take_few_handles(
    store: DirectoryStore, folders: OpenFolders, notes: HolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a deep recursion the outer turns have notes, and most handles are left to the program."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (20, 20))
    for number in range(30):
        notes.begin(number, folders, digest(f"a/{number}"))
    time.sleep(0.02)
    look(notes, *range(30))
    assert list(notes._notes) == [0, 1, 2, 3, 4]
    for number in range(30):
        notes.end(number)
    assert work_files(store) == []


def test_a_fork_waits_for_a_note_that_is_being_made(notes: HolderNotes) -> None:
    """Else the child would have it open and not know; a moment only, since a server may be gone."""
    notes._before_fork()
    assert in_another_thread(is_free, notes) is False
    in_another_thread(notes._before_fork)
    in_another_thread(notes._after_fork_in_parent)
    notes._after_fork_in_parent()
    assert in_another_thread(is_free, notes) is True


def is_free(notes: HolderNotes) -> bool:
    """Can this thread have the lock? It is released again, since each fork of this process waits for it from now on."""
    got = notes._lock.acquire(blocking=False)
    if got:
        notes._lock.release()
    return got


def in_another_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result(PATIENCE)


def test_notes_are_left_to_the_parent(store: DirectoryStore, folders: OpenFolders, notes: HolderNotes) -> None:
    """What a forked process does first: it closes its copies, and knows of no computation."""
    notes.begin("one", folders, DIGEST)
    wait_for_note(notes, "one")
    notes._after_fork()
    notes.end("one")
    assert (notes._begun, notes._notes, notes._has_thread) == ({}, {}, False)
    assert note_of(store).exists()
    assert store.clear_leftovers() == 1


# -- the thread -------------------------------------------------------------------------------------------------------


def test_the_thread_keeps_notes_until_nothing_is_computed(
    store: DirectoryStore, folders: OpenFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes and renews notes; trouble of one look does not end it; then it ends (here it is one of the test)."""
    notes, seen = HolderNotes(), []
    real = notes._renew

    def renew(block: object) -> None:
        seen.append(block)
        if len(seen) == 1:
            raise OSError
        real(block)

    monkeypatch.setattr(notes, "_renew", renew)
    monkeypatch.setattr(_holders, "start_new_thread", lambda function, arguments: threads[0].start())
    threads = [threading.Thread(target=notes._keep, daemon=True)]
    notes.begin("one", folders, DIGEST)
    until(note_of(store).exists)
    notes.begin("two", folders, digest("a/c"))
    until(note_of(store, "a/c").exists)
    before = note_of(store).stat().st_mtime_ns
    until(lambda: note_of(store).stat().st_mtime_ns != before)
    notes.end("one")
    notes.end("two")
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()
    assert not notes._has_thread
    assert work_files(store) == []


def test_who_begins_while_another_starts_the_thread(
    folders: OpenFolders, notes: HolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one thread."""
    monkeypatch.setattr(_holders, "start_new_thread", lambda *_: pytest.fail("another thread"))
    notes._start()


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), RecursionError(), MemoryError()])
def test_where_no_thread_can_be_started_nobody_is_told(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The turn is as any other, and the next one tries again."""
    tried = []

    def refuse(*_: object) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(_locks, "_notes", HolderNotes())
    monkeypatch.setattr(_holders, "start_new_thread", refuse)
    assert [turn_of(store, "a/b"), turn_of(store, "a/b")] == [Turn.MINE] * 2
    assert tried == [1, 1]
    assert _locks._notes._begun == {}


# -- what others see --------------------------------------------------------------------------------------------------


def test_looks_are_few(store: DirectoryStore, folders: OpenFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits looks at the note now and then only."""
    monkeypatch.setattr(_holders, "_PAUSE", 100.0)
    signs = SignsOfLife(folders, DIGEST)
    monkeypatch.setattr(_holders, "open_file", lambda *_: pytest.fail("a look"))
    signs.look(time.monotonic() + 10.0)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"host": "a"}',
        b'{"host": "a", "process": "x", "since": 1}',
        b'{"host": "a", "process": 1, "since": NaN}',
        b'{"host": "a", "process": 1, "since": 1e300}',
        b'{"host": "a", "process": 1e999, "since": 1}',
        b"[" * 100_000,
    ],
)
def test_what_a_note_says_is_checked(
    store: DirectoryStore, folders: OpenFolders, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    """Anything else is a sign of life of somebody unknown."""
    note_of(store).write_bytes(words)
    fail(monkeypatch, _holders.fcntl, "flock", errno.ENOLCK)
    signs = signs_of(folders)
    assert signs.holder is None
    assert signs.latest == signs._looked


def test_where_there_are_no_locks_a_note_is_believed(
    store: DirectoryStore, folders: OpenFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody can know that its process has died."""
    note_of(store).write_bytes(json.dumps({"host": "h" * 200, "process": 5, "since": 7.5}).encode())
    assert signs_of(folders).holder is None
    fail(monkeypatch, _holders.fcntl, "flock", errno.ENOLCK)
    assert signs_of(folders).holder == Holder("h" * 100, 5, 7.5)


def test_a_note_that_cannot_be_read_says_nothing(
    store: DirectoryStore, folders: OpenFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the server leaves everything as it was, and no handle open."""
    note_of(store).write_bytes(b"x")
    handles, work = os.listdir("/proc/self/fd"), folders.work()
    monkeypatch.setattr(folders, "work", lambda: work)
    fail(monkeypatch, os, "fstat", errno.EIO)
    signs = SignsOfLife(folders, DIGEST)
    before = signs.latest
    signs.look(before + 1.0)
    assert (signs.holder, signs.latest) == (None, before)
    monkeypatch.undo()
    assert os.listdir("/proc/self/fd") == handles
