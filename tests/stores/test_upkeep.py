"""Upkeep removes what dead processes have left and what is too old or too much, and nothing else."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from stored.stores import DirectoryStore, _upkeep
from stored.stores._upkeep import files_below
from stored.typing import Buffer, Upkeep
from tests.faults.processes import in_threads
from tests.stores.entries import FOLDER, content, label_of, named
from tests.stores.test_files import fail, without_handles
from tests.stores.test_locks import elsewhere, held, received

DAY = 86_400.0
DEAD_DRAFT = f"1-{'0' * 16}.draft"
BEGUN = content(20)
DEAD_LOCK = f"{'0' * 32}.lock"


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "root")


@pytest.fixture
def work(store: DirectoryStore) -> Path:
    """The folder of drafts and locks, with one of each that nobody holds."""
    store._folders.work(makes=True)
    work = store.root / ".work"
    for name in (DEAD_DRAFT, DEAD_LOCK):
        (work / name).write_bytes(BEGUN)
    return work


class Waiting(list[Buffer]):
    """Parts of which the second is long in coming."""

    def __init__(self, end: Connection) -> None:
        super().__init__([BEGUN])
        self.end = end

    def __iter__(self) -> Iterator[Buffer]:
        yield self[0]
        self.end.send("begun")
        yield self.end.recv()


def write_slowly(store: DirectoryStore, name: str, end: Connection) -> None:
    store.write(name, Waiting(end))
    end.send("written")


# -- leftovers --------------------------------------------------------------------------------------------------------


def test_what_dead_processes_have_left_is_removed(store: DirectoryStore) -> None:
    """Of a process killed while it writes or has its turn, nothing remains after upkeep, and no name appears."""
    with elsewhere(write_slowly, store, "a/b") as (writer, end), held(store, "a/c") as (holder, _):
        assert received(end) == "begun"
        writer.kill()
        holder.kill()
    assert len(os.listdir(store.root / ".work")) == 2
    assert [store.clear_leftovers() for _ in range(2)] == [1, 0]
    assert os.listdir(store.root / ".work") == ["locks"]
    assert list(store.names()) == []


def test_what_living_processes_use_stays(store: DirectoryStore) -> None:
    """A write and a turn of a living process are none of upkeep's business, and end well."""
    with elsewhere(write_slowly, store, "a/b") as (_, end), held(store, "a/c"):
        assert received(end) == "begun"
        assert store.clear_leftovers() == 0
        end.send(b" and ended")
        assert received(end) == "written"
    assert store.read("a/b") == BEGUN + b" and ended"


def test_other_files_stay(store: DirectoryStore, work: Path) -> None:
    """What has not the name of a leftover, or is no file, is not touched, though it is where leftovers are."""
    others = ["notes.txt", "a.draft", "b.lock", f"x{DEAD_DRAFT}", f"{DEAD_LOCK}.old", DEAD_LOCK.upper()]
    for name in others:
        (work / name).touch()
    with_content = [f"3-{'0' * 16}.draft", f"{'3' * 32}.waits", f"{'4' * 32}.lock", f"{'5' * 32}.failed"]
    for name in with_content:
        (work / name).write_bytes(b"my results")
        os.utime(work / name, (1000, 1000))
    link, folder = f"2-{'0' * 16}.draft", f"{'1' * 32}.lock"
    (work / link).symlink_to("notes.txt")
    (work / folder).mkdir()
    assert store.clear_leftovers() == 2
    assert sorted(os.listdir(work)) == sorted([*others, *with_content, link, folder])


def test_several_clear_at_once(store: DirectoryStore, work: Path) -> None:
    """Of several that clear at the same time each file is removed by one, and none fails."""
    for number in range(2, 500):
        (work / f"{number}-{'0' * 16}.draft").touch()
    assert sum(in_threads(*[(store.clear_leftovers,)] * 4)) == 500
    assert os.listdir(work) == []


@pytest.mark.parametrize("step", ["open_file", "try_lock_file"])
def test_a_leftover_may_vanish(store: DirectoryStore, work: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A file that another process removes before it is opened, or before it is removed, is not counted."""
    (work / DEAD_DRAFT).unlink()
    real = getattr(_upkeep, step)

    def after_removal(*found: Any) -> Any:
        (work / DEAD_LOCK).unlink()
        return real(*found)

    monkeypatch.setattr(_upkeep, step, after_removal)
    assert store.clear_leftovers() == 0
    assert os.listdir(work) == []


def test_without_locks_age_decides(store: DirectoryStore, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses locks, only what is more than a day old is taken for a leftover."""
    fail(monkeypatch, fcntl, "flock", errno.ENOLCK)
    os.utime(work / DEAD_DRAFT, (time.time() - 1.1 * DAY,) * 2)
    os.utime(work / DEAD_LOCK, (time.time() - 0.9 * DAY,) * 2)
    assert store.clear_leftovers() == 1
    assert os.listdir(work) == [DEAD_LOCK]


@pytest.mark.parametrize("make", [Path.touch, lambda work: None])
def test_where_nothing_can_be_nothing_is_left(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A folder that does not exist, or is a file, has no leftovers; nothing is made."""
    make(tmp_path / ".work")
    before = os.listdir(tmp_path)
    assert DirectoryStore(tmp_path).clear_leftovers() == 0
    assert DirectoryStore(tmp_path / ".work" / "deeper").clear_leftovers() == 0
    assert os.listdir(tmp_path) == before


def test_marks_of_failures_go_after_a_day(store: DirectoryStore, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark of a computation that failed stays for a day, and then for nobody; what others remove is not counted."""
    marks = [work / f"{number * 32}.failed" for number in "0123"]
    for mark, age in zip(marks, (0.0, 1.1, 1.1, -1.1), strict=True):  # the last one of a clock that was set back
        mark.touch()
        os.utime(mark, (time.time() - age * DAY,) * 2)
    real = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        state = real(path, **options)
        if path == marks[2].name:
            marks[2].unlink()
        return state

    monkeypatch.setattr(os, "stat", stat)
    assert store.clear_leftovers() == 4
    assert os.listdir(work) == [marks[0].name]


def test_links_lead_no_upkeep_away(store: DirectoryStore, work: Path, tmp_path: Path) -> None:
    """A folder of leftovers that is a link is an error, and what is there stays."""
    work.rename(tmp_path / "elsewhere")
    work.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a symbolic link, which is not followed"):
        store.clear_leftovers()
    assert sorted(os.listdir(tmp_path / "elsewhere")) == [DEAD_LOCK, DEAD_DRAFT]


def test_leftovers_that_cannot_be_seen_are_an_error(store: DirectoryStore, work: Path) -> None:
    """What cannot be listed is not taken for nothing."""
    with without_handles(), pytest.raises(OSError, match="Too many open files"):
        store.clear_leftovers()
    assert len(os.listdir(work)) == 2


def test_regular_files_are_found_at_every_depth(tmp_path: Path) -> None:
    """The files in a folder and below are listed by their paths, but for what is hidden, and for links and pipes."""
    for name in ("a", "b/c", "b/d e/f", ".hidden", "b/.hidden", ".folder/g"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "b" / "link").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    folder = os.open(tmp_path, os.O_RDONLY)
    assert sorted(name for name, _ in files_below(folder)) == ["a", "b/c", "b/d e/f"]
    os.close(folder)


def test_a_tree_of_others_is_not_followed_down(store: DirectoryStore) -> None:
    """Folders in folders, 1,500 deep, are passed over, in listings and by upkeep."""
    store.write(named("a"), [content()])
    folder = os.open(store.root, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deeper", dir_fd=folder)
        below = os.open("deeper", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    try:
        assert list(store.names()) == [named("a")]
        assert store.trim(".stored", None, None) == Upkeep(1, 10)
    finally:  # Python's own removal of trees cannot do it
        subprocess.run(["rm", "-r", store.root / "deeper"], check=True)


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is below it is not taken for nothing."""
    (tmp_path / "folder").mkdir()
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fail(monkeypatch, os, "open", errno.EIO)
        with pytest.raises(OSError, match="Input/output"):
            list(files_below(folder))
    finally:
        os.close(folder)


@pytest.mark.parametrize("error", [errno.ENOENT, errno.ELOOP])
def test_a_folder_may_become_another_thing(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """A folder that is removed, or replaced by a link, before it is looked into holds nothing."""
    store.write(named("a"), [content()])
    list(store.names())
    fail(monkeypatch, os, "open", error, times=1)
    assert list(store.names()) == []


# -- limits -----------------------------------------------------------------------------------------------------------


def fill(store: DirectoryStore, **ages: float) -> None:
    """Entries of 10 bytes, of which each was used so many seconds ago."""
    for name, age in ages.items():
        store.write(named(name), [content()])
        set_age(store, named(name), age)


def set_age(store: DirectoryStore, name: str, age: float) -> None:
    now = time.time()
    os.utime(store.location(name), (now, now - age))


def left(store: DirectoryStore) -> str:
    return "".join(sorted(map(label_of, store.names(FOLDER))))


@pytest.mark.parametrize(
    ("max_bytes", "max_age", "expected"),
    [
        (None, None, "abcde"),
        (50, None, "abcde"),
        (49, None, "abcd"),  # nine tenths are 44.1
        (44, None, "abc"),
        (20, None, "a"),
        (9, None, ""),
        (0, None, ""),
        (None, 1000.0, "abcde"),
        (None, 35.0, "abc"),
        (None, 0.0, ""),
        (50, 35.0, "abc"),
        (20, 35.0, "a"),
        (49, 45.0, "abcd"),
    ],
)
def test_the_longest_unused_go_first(
    store: DirectoryStore, max_bytes: int | None, max_age: float | None, expected: str
) -> None:
    """All that is too old goes, and if all is too much, the oldest until a tenth of what is allowed is free."""
    fill(store, a=10.0, c=30.0, b=20.0, e=50.0, d=40.0)
    removed = 5 - len(expected)
    assert store.trim(".stored", max_bytes, max_age) == Upkeep(len(expected), 10 * len(expected), removed, 10 * removed)
    assert left(store) == expected


def test_a_use_counts(store: DirectoryStore) -> None:
    """Whatever is touched or written again is in use; being read or listed is not noted by a directory."""
    fill(store, a=10.0, b=20.0, c=30.0, d=40.0)
    store.touch(named("d"))
    store.write(named("c"), [content()])
    store.read(named("b"))
    store.trim(".stored", 25, None)
    assert left(store) == "cd"


def test_a_clock_that_went_backwards_removes_nothing_early(store: DirectoryStore) -> None:
    """What was written in the future, by a clock that has been set back, is used now, and ages from now on."""
    fill(store, a=-1e8, b=10.0, c=-1.0)
    assert store.trim(".stored", None, 5.0).removed_entries == 1
    assert left(store) == "ac"
    ages = [time.time() - os.stat(store.location(named(name))).st_mtime for name in "ac"]
    assert 0 <= ages[0] < 60
    assert -1 <= ages[1] < 60


def test_an_entry_that_cannot_be_dated_is_used_now(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of another user, dated in the future, stays for now, and keeps no other from being removed."""
    fill(store, a=-1e8, b=20.0, c=10.0)
    fail(monkeypatch, os, "utime", errno.EPERM)
    assert store.trim(".stored", 15, None) == Upkeep(1, 10, 2, 20)
    assert left(store) == "a"


def test_only_entries_are_counted_and_removed(store: DirectoryStore, tmp_path: Path) -> None:
    """Files of another ending, hidden ones, those whose names no store gives, links and other directories stay."""
    fill(store, a=10.0)
    folder = (store.root / named("a")).parent
    in_folder = os.path.relpath(folder, store.root)
    outside = tmp_path / "outside.stored"
    outside.write_bytes(content(1000))
    (tmp_path / "folder" / "00").mkdir(parents=True)
    elsewhere = tmp_path / "folder" / "00" / os.path.basename(named("b"))
    elsewhere.write_bytes(content(1000))
    file = os.path.basename(named("c"))
    kept = [
        f"{named('b')}.y", f"{in_folder}/.{file}", f".work/{file}", f"{in_folder}/{file[:-8]} copy.stored",
        f"my folder/00/{file}", file, f"tests/zz/{file}", f"tests/{file}", "tests/results.stored",
    ]  # fmt: skip
    for name in kept:
        (store.root / name).parent.mkdir(exist_ok=True, parents=True)
        (store.root / name).write_bytes(content(1000))
    links = [store.root / named(each) for each in "def"]
    links[0].symlink_to(outside)
    (store.root / "link").symlink_to(tmp_path / "folder")
    links[1].mkdir()
    os.mkfifo(links[2])
    assert store.trim(".stored", 10, None) == Upkeep(1, 10, 0, 0)
    assert store.trim(".stored", 0, 0.0) == Upkeep(0, 0, 1, 10)
    assert all((store.root / name).is_file() for name in kept)
    assert (outside.exists(), elsewhere.exists()) == (True, True)
    assert {link.name for link in links} < set(os.listdir(folder))


@pytest.mark.parametrize("words", [b"my results", b"\x89STOREd\n", b"\0\0\0\0\0\0\0\0x"])
def test_what_does_not_begin_as_an_entry_stays(store: DirectoryStore, words: bytes) -> None:
    """A file of another program is not removed, even if it has the name of an entry, and no entry in its place."""
    fill(store, a=30.0, b=20.0, c=10.0)
    (store.root / named("a")).write_bytes(100 * words)
    set_age(store, named("a"), 30.0)
    assert store.trim(".stored", 25, None) == Upkeep(2, 20, 0, 0)
    assert store.trim(".stored", 15, None) == Upkeep(1, 10, 1, 10)
    assert left(store) == "ac"


@pytest.mark.parametrize("words", [b"", b"\x89STO", b"\0" * 100])
def test_what_a_power_failure_has_left_of_an_entry_goes(store: DirectoryStore, words: bytes) -> None:
    """An entry without its content, or cut off, is one still."""
    fill(store, a=30.0)
    (store.root / named("a")).write_bytes(words)
    assert store.trim(".stored", None, 0.0).removed_entries == 1
    assert left(store) == ""


def test_folders_stay(store: DirectoryStore) -> None:
    """A trim removes no folder, since another process may be writing there."""
    fill(store, a=1.0)
    assert store.trim(".stored", 0, None).removed_entries == 1
    assert (store.root / named("a")).parent.is_dir()


def test_an_entry_may_vanish(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others remove between the listing and the look at it, or its removal, is no trouble."""
    fill(store, a=10.0, b=20.0, c=30.0)
    real = _upkeep.is_entry_name

    def after_removal(name: str, ending: str) -> bool:
        if "-b-" in name:
            os.unlink(store.location(name))  # before it is looked at
        return real(name, ending)

    monkeypatch.setattr(_upkeep, "is_entry_name", after_removal)
    removed = _upkeep.open_file

    def open_file(file: str, folder: int) -> int:
        if "-c-" in file:
            os.unlink(file, dir_fd=folder)  # after
        return removed(file, folder)

    monkeypatch.setattr(_upkeep, "open_file", open_file)
    assert store.trim(".stored", 10, None) == Upkeep(0, 0, 2, 20)
    assert left(store) == ""


def test_several_trim_at_once(store: DirectoryStore) -> None:
    """Of several that trim at the same time none fails, and nothing in use goes."""
    for number in range(300):
        store.write(named(f"b{number}"), [content()])
        set_age(store, named(f"b{number}"), 100.0)
    fill(store, a=1.0)
    in_threads(*[(store.trim, ".stored", None, 50.0)] * 4)
    assert left(store) == "a"


@pytest.mark.parametrize("make", [Path.touch, lambda root: None])
def test_a_directory_without_entries_needs_no_trimming(store: DirectoryStore, make: Callable[[Path], None]) -> None:
    """A root that does not exist, or is a file, holds nothing, and stays as it is."""
    make(store.root)
    assert store.trim(".stored", 0, 0.0) == Upkeep()
    assert not store.root.is_dir()


def test_what_cannot_be_listed_is_an_error(store: DirectoryStore) -> None:
    """A folder that cannot be read is not taken for an empty one, neither by a listing nor by a trim."""
    fill(store, a=10.0)
    with without_handles():
        for use in (lambda: list(store.names()), lambda: store.trim(".stored", 0, None)):
            with pytest.raises(OSError, match=r"Too many open files|Invalid argument"):
                use()
    assert left(store) == "a"


def test_upkeep_tells_what_it_did() -> None:
    """The result reads as a sentence, with large numbers in groups of three."""
    assert str(Upkeep(2, 12345678, 3, 4000, 5)) == (
        "2 results in 12,345,678 bytes; removed 3 results in 4,000 bytes, and 5 files left by processes that died"
    )


def test_a_lock_that_was_made_anew_stays(store: DirectoryStore, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is released, and taken by another process, while it is looked at is not removed."""
    real = _upkeep.try_lock_file

    def released_and_taken(descriptor: int) -> bool:
        (work / DEAD_LOCK).unlink()
        (work / DEAD_LOCK).write_bytes(content(30))
        return real(descriptor)

    (work / DEAD_DRAFT).unlink()
    monkeypatch.setattr(_upkeep, "try_lock_file", released_and_taken)
    assert store.clear_leftovers() == 0
    assert (work / DEAD_LOCK).read_bytes() == content(30)


def test_what_cannot_be_removed_keeps_nothing_else(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the oldest cannot be removed, the others go all the same, and then the trouble is raised."""
    fill(store, a=40.0, b=30.0, c=20.0, d=10.0)
    fail(monkeypatch, os, "unlink", errno.EACCES, times=1)
    with pytest.raises(PermissionError):
        store.trim(".stored", 25, None)
    assert left(store) == "ad"


def test_a_leftover_that_cannot_be_opened_keeps_no_other(
    store: DirectoryStore, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leftover of another user stays, all others go, and then the trouble is raised."""
    fail(monkeypatch, _upkeep, "open_file", errno.EACCES, times=1)
    with pytest.raises(PermissionError):
        store.clear_leftovers()
    assert len(list(work.iterdir())) == 1


def test_whether_files_can_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory says so when there is a file to try; until then, they can be as far as is known."""
    store = DirectoryStore(tmp_path / "new")
    assert store.has_locks()
    store.write("a/b", [b"x"])
    fail(monkeypatch, fcntl, "flock", errno.ENOLCK)
    assert store.has_locks()
    store.count_written(1)
    assert not store.has_locks()
    monkeypatch.undo()
    assert store.has_locks()
