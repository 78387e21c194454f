"""`DirectoryStore` keeps the contract of a store, privately, atomically and without leftovers."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import os
import shutil
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored.stores import DirectoryStore, _directory, _drafts, _folders
from stored.testing import StoreContract
from stored.typing import Buffer
from tests.faults.processes import in_processes
from tests.stores.entries import content, named
from tests.stores.test_files import fail, without_handles

READ_AT_ONCE, MAPPED_FROM = 1 << 16, 1 << 20


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files(root: Path) -> set[str]:
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return found - {".work/locks", ".work/size", "CACHEDIR.TAG"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "new" / "root"


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    return DirectoryStore(root)


class TestDirectoryStore(StoreContract):
    def make_store(self, directory: Path) -> DirectoryStore:
        return DirectoryStore(directory / "root")


def test_reading_makes_nothing(store: DirectoryStore, root: Path) -> None:
    """The directory appears with the first write, not before."""
    assert store.read("a/b") is None
    assert not store.delete("a/b")
    assert list(store.names()) == []
    assert not root.parent.exists()


def test_everything_is_private(store: DirectoryStore, root: Path) -> None:
    """Every folder that is made has mode 0700 and every file 0600, whatever the umask allows."""
    before = os.umask(0)
    try:
        store.write("a/b/c", [b"x"])
    finally:
        os.umask(before)
    assert [mode(each) for each in (root.parent, root, root / "a", root / "a" / "b")] == [0o700] * 4
    assert mode(root / "a" / "b" / "c") == 0o600


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    """A directory that the user made is used as it is, and stays when its last file goes."""
    tmp_path.chmod(0o750)
    store = DirectoryStore(tmp_path)
    store.write("a", [b"x"])
    assert store.delete("a")
    assert tmp_path.is_dir()
    assert mode(tmp_path) == 0o750


def test_folders_stay(store: DirectoryStore, root: Path) -> None:
    """A folder is not removed with its last file, unless it is an owner's of an older release; one with more stays."""
    old = f"module/owner-{'0' * 32}"
    for name in ("a/b", f"{old}/b", f"{old}/c"):
        store.write(name, [b"x"])
    store.delete("a/b")
    assert (root / "a").is_dir()
    store.delete(f"{old}/b")
    assert store.read(f"{old}/c") == b"x"
    store.delete(f"{old}/c")
    assert not (root / old).exists()
    assert (root / "module").is_dir()


@pytest.mark.parametrize(
    "size", [0, 1, READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, MAPPED_FROM - 1, MAPPED_FROM, MAPPED_FROM + 1]
)
def test_large_files_are_mapped(store: DirectoryStore, size: int) -> None:
    """From 1 MiB on a file is memory-mapped; all sizes read the same, and none can be written through."""
    content = os.urandom(size)
    store.write("a", [content])
    found = store.read("a")
    assert found is not None
    assert bytes(found) == content
    assert isinstance(found, memoryview) == (size >= MAPPED_FROM)
    assert memoryview(found).readonly
    with pytest.raises(ValueError, match="WRITEABLE"):
        np.frombuffer(found, np.uint8).flags.writeable = True


def test_a_replaced_file_is_another_file(store: DirectoryStore, root: Path) -> None:
    """A write never touches the file that readers may have mapped."""
    store.write("a", [b"1"])
    before = (root / "a").stat().st_ino
    with open(root / "a", "rb") as reader:
        store.write("a", [b"2"])
        assert reader.read() == b"1"
        assert (root / "a").stat().st_ino != before


class Parts(list[Buffer]):
    """Parts the second of which makes trouble."""

    def __init__(self, trouble: object) -> None:
        super().__init__([b"x" * 100_000, b"y"])
        self.trouble = trouble

    def __iter__(self) -> Iterator[Buffer]:
        yield self[0]
        if isinstance(self.trouble, BaseException):
            raise self.trouble
        yield self.trouble() if callable(self.trouble) else self.trouble  # type: ignore[misc]


@pytest.mark.parametrize("trouble", ["text", None, 3, [b"z"], KeyboardInterrupt(), SystemExit(), OSError(28, "full")])
def test_a_failed_write_leaves_no_file(store: DirectoryStore, root: Path, trouble: object) -> None:
    """Whatever ends a write midway, the old file stays and no draft does."""
    store.write("a/b", [b"old"])
    with pytest.raises(type(trouble) if isinstance(trouble, BaseException) else TypeError):
        store.write("a/b", Parts(trouble))
    assert files(root) == {"a/b"}
    assert store.read("a/b") == b"old"


def test_a_name_in_the_place_of_a_folder(store: DirectoryStore, root: Path) -> None:
    """A file cannot replace a folder: that is an OSError, and leaves no draft."""
    store.write("a/b", [b"x"])
    with pytest.raises(IsADirectoryError):
        store.write("a", [b"x"])
    assert files(root) == {"a/b"}


def test_root_is_a_file(tmp_path: Path) -> None:
    """If a file stands where the directory should be, reading, writing and deleting are an OSError."""
    root = tmp_path / "root"
    root.write_bytes(b"not a directory")
    store = DirectoryStore(root)
    for use in (
        lambda: store.read("a"),
        lambda: store.read_start("a", 1),
        lambda: store.write("a", [b"x"]),
        lambda: store.write("a/b", [b"x"]),
        lambda: store.delete("a"),
    ):
        with pytest.raises(OSError, match=r"Not a directory|cannot be made"):
            use()
    assert list(store.names()) == []
    assert root.read_bytes() == b"not a directory"


@pytest.mark.parametrize("target", ["nowhere", "root"])
def test_root_is_a_broken_link(tmp_path: Path, target: str) -> None:
    """A root that is a dangling or a looping link cannot be written: an OSError, and the link stays."""
    root = tmp_path / "root"
    root.symlink_to(tmp_path / target)
    with pytest.raises(OSError, match=r"cannot be made|symbolic links"):
        DirectoryStore(root).write("a", [b"x"])
    assert root.is_symlink()


def test_root_is_no_place_for_files() -> None:
    """Where not even root may write (/proc stands for a read-only directory) writing is an OSError, reading a miss."""
    store = DirectoryStore("/proc/stored")
    assert store.read("a") is None
    with pytest.raises(OSError):  # noqa: PT011  (which one is up to the kernel)
        store.write("a", [b"x"])


def test_names_are_of_entries_only(store: DirectoryStore, root: Path) -> None:
    """Drafts, hidden files and folders, and files whose names no store gives are not listed."""
    store.write("a/b", [b"x"])
    (root / "a" / ".tmp-1-ff").write_bytes(b"")
    (root / "a" / "notes to self.txt").write_bytes(b"")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "b").write_bytes(b"")
    (root / "my folder").mkdir()
    (root / "my folder" / "b").write_bytes(b"")
    os.mkfifo(root / "a" / ".pipe")
    assert list(store.names()) == ["a/b"]
    assert list(store.names("a")) == ["a/b"]


def test_the_root_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative root means the directory of the time when the store was made; ~ is the home directory."""
    monkeypatch.chdir(tmp_path)
    store = DirectoryStore("relative")
    monkeypatch.chdir("/")
    assert store.location() == str(tmp_path / "relative")
    assert store.location("a/b") == str(tmp_path / "relative" / "a" / "b")
    assert repr(store) == f"DirectoryStore({str(tmp_path / 'relative')!r})"
    assert DirectoryStore("~/x").root == Path.home() / "x"


REMOVER = """
import contextlib, os, random, sys, time
print("ready", flush=True)
while True:
    with contextlib.suppress(OSError):
        os.rmdir(sys.argv[1])
    time.sleep(random.random() / 500)  # at once it would leave nobody a chance, on a busy machine least of all
"""


def test_a_folder_that_others_remove_while_it_is_written_to(store: DirectoryStore, root: Path) -> None:
    """A folder that another process removes as empty, just before a draft is begun in it, is made again."""
    command = [sys.executable, "-c", REMOVER, str(root / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as remover:
        try:
            assert remover.stdout is not None
            assert remover.stdout.readline() == b"ready\n"
            for number in range(1000):
                store.write("a/b", [b"%d" % number])
                assert store.read("a/b") == b"%d" % number
                assert store.delete("a/b")
        finally:
            remover.kill()
    assert files(root) == set()


def test_a_draft_is_no_entry(store: DirectoryStore, root: Path) -> None:
    """While a file is written its name is absent, or has its old bytes, and nothing else is listed."""

    def look() -> bytes:
        assert list(store.names()) == ["a/old"]
        assert (store.read("a/old"), store.read("a/new")) == (b"old", None)
        assert len(files(root)) == 2
        return b"end"

    store.write("a/old", [b"old"])
    store.write("a/new", Parts(look))
    store.write("a/old", Parts(lambda: store.read("a/old")))
    assert files(root) == {"a/old", "a/new"}
    assert store.read("a/old") == b"x" * 100_000 + b"old"


def test_everything_is_removed_while_it_is_written(store: DirectoryStore, root: Path) -> None:
    """If the directory goes together with the draft, the write begins again; if that goes on, it is an OSError."""
    with pytest.raises(FileNotFoundError, match="removed again and again"):
        store.write("a/b", Parts(lambda: shutil.rmtree(root) or b""))
    assert not root.exists()
    chances = iter([lambda: shutil.rmtree(root) or b"", lambda: b"y"])
    store.write("a/b", Parts(lambda: next(chances)()))
    assert files(root) == {"a/b"}


def test_a_folder_that_becomes_a_broken_link(store: DirectoryStore, root: Path) -> None:
    """A link in the place of a folder, made while a file is written, is an OSError."""
    with pytest.raises(OSError, match="is a symbolic link, which is not followed"):
        store.write("a/b", Parts(lambda: (root / "a").symlink_to("nowhere") or b""))
    assert files(root) == set()


def test_a_draft_that_is_cleared_before_it_is_locked(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If somebody takes a draft that was made just now for a leftover, the write begins again."""
    real, cleared = fcntl.flock, list[int]()

    def claim(descriptor: int, kind: int) -> None:
        monkeypatch.undo()
        cleared.append(store.clear_leftovers())
        real(descriptor, kind)

    store.write("a/a", [b"x"])  # opens the folder
    monkeypatch.setattr(fcntl, "flock", claim)
    gc.collect()  # what other tests have left may hold handles
    handles = os.listdir("/proc/self/fd")
    store.write("a/b", [b"x"])
    assert cleared == [1]
    assert files(root) == {"a/a", "a/b"}
    assert os.listdir("/proc/self/fd") == handles


@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_the_system_may_write_less_than_it_is_given(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """What a call has not written is written by the next, whatever the size and kind of the parts."""
    real, calls = os.writev, list[int]()

    def writev(descriptor: int, buffers: list[memoryview]) -> int:
        calls.append(len(buffers))
        return os.write(descriptor, b"".join(buffers)[:at_once]) if at_once < 100 else real(descriptor, buffers)

    parts: list[Any] = [b"", b"one", bytearray(b"two"), np.arange(3), np.empty((0, 3)), memoryview(b"xthreex")[1:-1]]
    monkeypatch.setattr(os, "writev", writev)
    store.write("a/b", parts)
    many = [b"%d" % number for number in range(50 if at_once < 100 else 5000)]
    store.write("a/c", many)
    assert store.read("a/b") == b"".join(parts)
    assert store.read("a/c") == b"".join(many)
    assert max(calls) <= os.sysconf("SC_IOV_MAX")
    assert at_once < 100 or len(calls) == 1 + 5


def test_a_fork_that_python_does_not_know(store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft of another process that has the same name is left alone."""
    store.write("a/b", [b"x"])
    name = _drafts._names.next()
    (root / ".work" / name).write_bytes(b"another's")
    names = iter([name, f"2-{'1' * 16}.draft"])
    monkeypatch.setattr(_drafts._names, "next", lambda: next(names))
    store.write("a/b", [b"y"])
    assert store.read("a/b") == b"y"
    assert (root / ".work" / name).read_bytes() == b"another's"


def next_draft() -> str:
    return _drafts._names.next()


def test_processes_name_their_drafts_differently() -> None:
    """A forked process uses none of the names that its parent uses."""
    names = {next_draft(), *in_processes(*[(next_draft,)] * 3), next_draft()}
    assert len(names) == 5


def test_a_file_system_without_locks_is_written_to(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses locks, drafts are written without."""
    fail(monkeypatch, fcntl, "flock", errno.ENOLCK)
    store.write("a/b", [b"x"])
    assert store.read("a/b") == b"x"


USES: dict[str, Callable[[DirectoryStore, str], Any]] = {
    "read": lambda store, name: store.read(name),
    "read_start": lambda store, name: store.read_start(name, 1),
    "write": lambda store, name: store.write(name, [b"x"]),
    "delete": lambda store, name: store.delete(name),
    "names": lambda store, name: list(store.names(name)),
    "touch": lambda store, name: store.touch(name),
}


@pytest.mark.parametrize("use", USES)
def test_links_among_the_folders_are_not_followed(store: DirectoryStore, root: Path, tmp_path: Path, use: str) -> None:
    """Where a link leads out of the root, or to another folder in it, everything is an OSError, and does nothing."""
    store.write("real/deep/b", [b"precious"])
    (root / "inside").symlink_to("real")
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "outside" / "deep" / "b").write_bytes(b"precious")
    (root / "a").symlink_to(tmp_path / "outside")
    states = [os.stat(each) for each in (root / "real/deep/b", tmp_path / "outside/deep/b")]
    for name in ("inside/deep/b", "a/deep/b", "a/deep/new"):
        with pytest.raises(OSError, match="is a symbolic link, which is not followed; remove it"):
            USES[use](store, name)
    with pytest.raises(OSError, match="is a symbolic link, which is not followed; remove it"):
        list(store.names("inside"))
    assert [os.stat(each) for each in (root / "real/deep/b", tmp_path / "outside/deep/b")] == states
    assert list(store.names()) == ["real/deep/b"]


def test_drafts_are_not_made_elsewhere(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    """A link in the place of the folder of drafts is an OSError."""
    (tmp_path / "outside").mkdir()
    root.mkdir(parents=True)
    (root / ".work").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="is a symbolic link, which is not followed; remove it"):
        store.write("a/b", [b"x"])
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize("target", ["outside", "nowhere", "root/a/b"])
def test_a_link_in_place_of_a_file(store: DirectoryStore, root: Path, tmp_path: Path, target: str) -> None:
    """A link is not read or touched through; it is replaced by a write, and removed by a delete."""
    (tmp_path / "outside").write_bytes(b"precious")
    before = os.stat(tmp_path / "outside").st_mtime_ns
    (root / "a").mkdir(parents=True)
    for replace in (lambda: store.write("a/b", [b"x"]), lambda: store.delete("a/b")):
        (root / "a").mkdir(exist_ok=True)
        (root / "a" / "b").symlink_to(tmp_path / target)
        for use in ("read", "read_start"):
            with pytest.raises(OSError, match="symbolic links"):
                USES[use](store, "a/b")
        store.touch("a/b")
        replace()
        assert not (root / "a" / "b").is_symlink()
        (root / "a" / "b").unlink(missing_ok=True)
    assert (tmp_path / "outside").read_bytes() == b"precious"
    assert os.stat(tmp_path / "outside").st_mtime_ns == before


def test_a_pipe_in_place_of_a_file(store: DirectoryStore, root: Path) -> None:
    """A pipe is no entry: reading it is an OSError that does not keep anybody waiting, and a write replaces it."""
    (root / "a").mkdir(parents=True)
    os.mkfifo(root / "a" / "b")
    for use in ("read", "read_start"):
        with pytest.raises(OSError, match="not a regular file"):
            USES[use](store, "a/b")
    store.write("a/b", [b"x"])
    assert store.read("a/b") == b"x"


@pytest.mark.parametrize("use", USES)
def test_without_file_handles(store: DirectoryStore, root: Path, use: str) -> None:
    """A process that can open no more files gets an OSError for what needs one, and nothing is spoilt or left."""
    store.write("a/b", [b"old"])
    with without_handles():
        if use in ("delete", "touch"):
            USES[use](store, "a/b")
        else:
            with pytest.raises(OSError, match="Too many open files"):
                USES[use](store, "a/b")
    assert files(root) == (set() if use == "delete" else {"a/b"})


@pytest.mark.parametrize("words", [content(), b"damaged", b""])
def test_deleting_takes_that_name_alone(store: DirectoryStore, root: Path, words: bytes) -> None:
    """Whatever the file holds, since the user asks for it; nothing beside it."""
    name, other = named("a"), named("b")
    for each in (name, other, f"{name}.txt", "notes"):
        (root / each).parent.mkdir(parents=True, exist_ok=True)
        (root / each).write_bytes(words)
    assert [store.delete(name), store.delete(name)] == [True, False]
    assert files(root) == {other, f"{name}.txt", "notes"}


def test_a_store_that_maps_nothing(root: Path) -> None:
    """Large files are read where somebody may write into them: what was read stays as it was."""
    content = os.urandom(MAPPED_FROM + 1)
    store = DirectoryStore(root, maps=False)
    store.write("a/b", [content])
    found = store.read("a/b")
    with open(root / "a" / "b", "r+b") as file:
        file.write(b"changed in place")
    assert found == content
    assert repr(store) == f"DirectoryStore({str(root)!r}, maps=False)"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o606])
@pytest.mark.parametrize("others", [False, True])
def test_files_are_mapped_that_nobody_else_can_write_to(
    root: Path, monkeypatch: pytest.MonkeyPatch, mode: int, others: bool
) -> None:
    """Also those of a directory that is nobody's shared one; whoever asks for it has all of them mapped."""
    content = os.urandom(MAPPED_FROM + 1)
    DirectoryStore(root).write("a/b", [content])
    (root / "a" / "b").chmod(mode)
    if others:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    found = DirectoryStore(root).read("a/b")
    asked_for = DirectoryStore(root, maps=True).read("a/b")
    with open(root / "a" / "b", "r+b") as file:
        file.write(b"changed in place")
    assert (found == content) == (others or bool(mode & 0o022))
    assert asked_for != content


def test_a_file_that_is_cut_off_while_it_is_mapped_is_read(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it is just being written over in place: what is left of it is read, which no call takes for an entry."""
    store.write("a/b", [b"x" * (MAPPED_FROM + 1)])
    real = os.fstat

    def cut_off(descriptor: int) -> os.stat_result:
        state = real(descriptor)
        if state.st_size > MAPPED_FROM:
            os.truncate(root / "a" / "b", 100_000)
        return state

    monkeypatch.setattr(os, "fstat", cut_off)
    assert store.read("a/b") == b"x" * 100_000


def test_a_large_file_is_read_into_one_buffer(root: Path) -> None:
    """Reading it takes no more memory than it has bytes."""
    store = DirectoryStore(root, maps=False)
    store.write("a/b", [b"x" * (50 << 20)])
    tracemalloc.start()
    try:
        found = store.read("a/b")
        assert tracemalloc.get_traced_memory()[1] < 51 << 20
    finally:
        tracemalloc.stop()
    assert found == b"x" * (50 << 20)


@pytest.mark.parametrize("maps", [True, False])
@pytest.mark.parametrize("is_entry", [True, False])
def test_a_hole_of_sixteen_gigabytes_is_not_read(root: Path, maps: bool, is_entry: bool) -> None:
    """Of a file that is longer than the entry in it says, or is no entry, only the first bytes are read."""
    store = DirectoryStore(root, maps=maps)
    name = named("a")
    store.write(name, [content(100) if is_entry else b""])
    os.truncate(store.location(name), 16 << 30)
    found = store.read(name)
    assert found is not None
    assert memoryview(found).nbytes == READ_AT_ONCE


@pytest.mark.parametrize("maps", [True, False])
@pytest.mark.parametrize("size", [READ_AT_ONCE - 1, READ_AT_ONCE, MAPPED_FROM + 1])
def test_an_entry_of_the_size_that_it_says_is_read(root: Path, maps: bool, size: int) -> None:
    """All of it, mapped or not."""
    store = DirectoryStore(root, maps=maps)
    start = content(32) + size.to_bytes(8, "little")
    store.write(named("a"), [start, b"x" * (size - len(start))])
    assert bytes(store.read(named("a")) or b"") == start + b"x" * (size - len(start))


@pytest.mark.parametrize("error", [BlockingIOError(), KeyboardInterrupt()])
def test_a_draft_that_cannot_be_locked(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """One that is just being taken for a leftover is left to that, and another is made; Ctrl-C leaves none."""
    store.write("a/b", [b"old"])
    real, errors = fcntl.flock, [error]

    def flock(descriptor: int, kind: int) -> None:
        if errors:
            raise errors.pop()
        real(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(KeyboardInterrupt) if isinstance(error, KeyboardInterrupt) else contextlib.nullcontext():
        store.write("a/b", [b"new"])
    assert store.read("a/b") == (b"old" if isinstance(error, KeyboardInterrupt) else b"new")
    assert files(root) == {"a/b"}


def test_a_file_system_that_always_refuses_locks_is_written_to(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each lock is said to be another's, a draft is written without in the end, and none is left."""
    fail(monkeypatch, fcntl, "flock", errno.EAGAIN)
    store.write("a/b", [b"new"])
    assert store.read("a/b") == b"new"
    assert files(root) == {"a/b"}


def test_a_draft_does_not_wait_for_its_lock(store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that upkeep has just locked, to see whether it is a leftover, is left to it."""
    store.write("a/b", [b"old"])
    real, opened = os.open, []

    def and_lock(path: str, flags: int, *arguments: Any, **options: Any) -> int:
        descriptor = real(path, flags, *arguments, **options)
        if flags & os.O_EXCL and not opened:
            opened.append(real(path, os.O_RDWR, **options))
            fcntl.flock(opened[0], fcntl.LOCK_EX)
        return descriptor

    monkeypatch.setattr(os, "open", and_lock)
    store.write("a/b", [b"new"])
    os.close(opened[0])
    assert store.read("a/b") == b"new"
    assert files(root) == {"a/b"}


@pytest.mark.parametrize("use", ["read", "write", "delete", "touch"])
def test_a_folder_that_was_moved_and_linked_back_is_not_used(
    store: DirectoryStore, root: Path, tmp_path: Path, use: str
) -> None:
    """A process that had it open follows the link no more than another one would."""
    name = named("a")
    store.write(name, [content()])
    (root / "tests").rename(tmp_path / "moved")
    (root / "tests").symlink_to(tmp_path / "moved")
    before = {path: path.lstat().st_mtime_ns for path in (tmp_path / "moved").rglob("*")}
    if use == "read":
        store.read(name)  # which changes nothing
    else:
        with pytest.raises(OSError, match="symbolic link"):
            USES[use](store, name)
    assert {path: path.lstat().st_mtime_ns for path in (tmp_path / "moved").rglob("*")} == before


def test_a_draft_that_cannot_be_closed_is_not_published(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On NFS, closing a file may say that there was no room for it: the old one stays, and no draft."""
    store.write("a/b", [b"old"])
    real = os.close

    def close(descriptor: int) -> None:
        real(descriptor)
        raise OSError(errno.EDQUOT, "over quota")

    monkeypatch.setattr(os, "close", close)
    with pytest.raises(OSError, match="over quota"):
        store.write("a/b", [b"new"])
    monkeypatch.undo()
    assert store.read("a/b") == b"old"
    assert files(root) == {"a/b"}


def test_files_of_other_computers_are_not_mapped(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a network file system, where a mapped file can be taken away, large files are read into memory."""
    content = os.urandom(MAPPED_FROM + 1)
    store.write("a/b", [content])
    monkeypatch.setattr(_directory, "is_on_network", lambda device: True)
    assert store.read("a/b") == content
    assert isinstance(store.read("a/b"), bytes)


@pytest.mark.parametrize("use", ["read", "read_start"])
def test_a_file_replaced_on_the_server_is_read_again(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    """On NFS a file that is replaced as it is read is ESTALE (here it is made so): once, then the new one is read."""
    store.write("a/b", [b"x"])
    fail(monkeypatch, os, "read", errno.ESTALE, times=1)
    assert USES[use](store, "a/b") == b"x"
    fail(monkeypatch, os, "read", errno.ESTALE, times=2)
    with pytest.raises(OSError, match="Stale"):
        USES[use](store, "a/b")


def test_touching_sets_the_time(store: DirectoryStore, root: Path) -> None:
    """A name that is touched has the time of now, and its bytes; what is absent stays absent."""
    store.write("a/b", [b"x"])
    os.utime(root / "a" / "b", (1000.0, 1000.0))
    written = (root / "a" / "b").stat().st_mtime
    store.touch("a/b")
    assert (root / "a" / "b").stat().st_mtime > written + 1e9
    store.touch("a/c")
    store.touch("c/d")
    assert files(root) == {"a/b"}
    assert store.read("a/b") == b"x"


@pytest.mark.parametrize("permission", [0o700, 0o755, 0o770, 0o702, 0o777, 0o1777])
def test_a_directory_that_everybody_can_write_to_is_told(store: DirectoryStore, root: Path, permission: int) -> None:
    """Permission to write for everybody is described in words; that of a group is the user's choice."""
    assert store.writable_by_others() == ""  # it is not there yet
    store.write("a", [b"x"])
    root.chmod(permission)
    message = f"{root} can be written to by everybody on this computer"
    assert store.writable_by_others() == (message if permission & 0o002 else "")


def test_mapped_files_leave_handles_to_others(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mapped file takes a handle, so beyond a share of them large files are read into memory."""
    monkeypatch.setattr(_directory, "spare_handles", lambda: len(_directory._mapped_files) + 2 - len(found))
    content, found = b"x" * MAPPED_FROM, []
    store.write("a", [content])
    for mapped in (True, True, False):
        found.append(store.read("a"))
        assert isinstance(found[-1], memoryview) == mapped
        assert bytes(found[-1] or b"") == content


def test_files_of_others_under_the_number_of_a_folder_are_left_alone(tmp_path: Path) -> None:
    """A program that closes all descriptors, as daemons do, may open its own files under these numbers."""
    code = """
import os, sys
from stored.stores import DirectoryStore
store = DirectoryStore(sys.argv[1])
for name in ("a/x", "b/x", "c/x"):
    store.write(name, [b"x"])
    store.read(name)
with store.compute_turn("a/x", 0.0):
    pass
os.closerange(3, 64)
files = [open(f"{sys.argv[1]}/{number}", "w+") for number in range(16)]
for name in ("a/y", "b/y", "c/y", "a/z"):
    store.write(name, [b"y"])
    assert store.read(name) == b"y"
with store.compute_turn("a/x", 0.0):
    pass
del store
for file in files:
    file.write("mine")
    file.flush()
    file.seek(0)
    assert file.read() == "mine"
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_folders_of_others_under_the_number_of_a_folder_are_left_alone(tmp_path: Path) -> None:
    """Nothing is made, removed, touched or locked there, not even for a moment; the changes are made in their place."""
    code = """
import os, sys
from stored.stores import DirectoryStore
place = sys.argv[1]
store = DirectoryStore(f"{place}/root")
for name in ("a/x", "b/x", "c/x"):
    store.write(name, [b"x"])
with store.compute_turn("a/x", 0.0):
    pass
os.utime(f"{place}/root/c/x", (1000, 1000))

def others(name, use):
    os.closerange(3, 64)
    folder = f"{place}/{name}"
    os.mkdir(folder)
    open(f"{folder}/x", "w").close()
    for path in (f"{folder}/x", folder):
        os.utime(path, (1000, 1000))
    opened = [os.open(folder, os.O_RDONLY) for _ in range(16)]
    use()
    assert os.stat(folder).st_mtime == os.stat(f"{folder}/x").st_mtime == 1000, name
    for each in opened:
        os.fstat(each)

def turn():
    with store.compute_turn("a/x", 0.0) as which:
        assert which.name == "MINE"

others("write", lambda: store.write("a/y", [b"y"]))
others("write to a new folder", lambda: store.write("d/y", [b"y"]))
others("touch", lambda: store.touch("c/x"))
others("delete", lambda: store.delete("b/x"))
others("turn", turn)
others("end", lambda: globals().pop("store"))
assert os.stat(f"{place}/root/c/x").st_mtime > 1000
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert files(tmp_path / "root") == {"a/x", "a/y", "c/x", "d/y"}


def test_a_directory_that_is_moved_away_is_left_alone(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    """What is written goes to a new one of the old name; nothing is removed from where it is now."""
    for name in ("a/b", "c/d"):
        store.write(name, [b"old"])
    root.rename(tmp_path / "moved")
    assert not store.delete("a/b")
    store.touch("a/b")
    assert store.read("a/missing") is None
    store.write("a/e", [b"new"])
    assert store.read("a/b") is None
    assert store.read("c/d") == b"old"  # from where it was opened, until a write or a miss
    assert store.read("c/missing") is None
    assert store.read("f/missing") is None
    assert files(root) == {"a/e"}
    assert files(tmp_path / "moved") == {"a/b", "c/d"}


def test_a_directory_that_is_replaced(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    """What is not found is looked for in the new one, as are names in folders that were not opened before."""
    store.write("a/b", [b"old"])
    other = DirectoryStore(tmp_path / "other")
    for name in ("a/c", "d/e"):
        other.write(name, [b"new"])
    root.rename(tmp_path / "moved")
    other.root.rename(root)
    assert store.read("a/c") == b"new"
    assert store.read("d/e") == b"new"
    assert store.delete("a/c")
    assert files(root) == {"d/e"}


def test_a_directory_that_is_removed_while_it_is_made_again(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write begins once more."""
    real, removed = os.mkdir, list[Path]()

    def mkdir(path: Any, *arguments: Any, **options: Any) -> None:
        if "dir_fd" in options and len(removed) < 3:
            removed.append(root)
            shutil.rmtree(root)
        real(path, *arguments, **options)

    store.write("a/b", [b"x"])
    shutil.rmtree(root)
    monkeypatch.setattr(os, "mkdir", mkdir)
    store.write("a/b", [b"y"])
    assert len(removed) == 3
    assert files(root) == {"a/b"}


@pytest.mark.parametrize("interrupted", [1, 2, 3])
def test_a_folder_whose_renewal_was_interrupted(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch, interrupted: int
) -> None:
    """Ctrl-C while a folder is opened again, or a fork at that moment, does not keep later writes from it."""
    real, calls = os.dup2, list[int]()

    def dup2(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        calls.append(1)
        if len(calls) == interrupted:
            raise KeyboardInterrupt

    store.write("a/b", [b"x"])
    shutil.rmtree(root)
    monkeypatch.setattr(os, "dup2", dup2)
    with pytest.raises(KeyboardInterrupt):
        store.write("a/b", [b"y"])
    store.write("a/b", [b"z"])
    assert files(root) == {"a/b"}


def test_a_folder_that_cannot_be_made(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If others remove a folder each time it is made, that is an OSError after some attempts."""
    store.root.parent.mkdir()
    monkeypatch.setattr(os, "mkdir", lambda *arguments, **options: None)
    with pytest.raises(OSError, match="the folder cannot be made"):
        store.write("a/b", [b"x"])


def test_more_folders_than_can_be_kept_open(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for descriptors, files are opened by their paths, and links in them are refused."""
    monkeypatch.setattr(_folders, "spare_handles", lambda: 0)
    store = DirectoryStore(root)
    store.write("a/b", [b"x" * 40])
    assert bytes(store.read("a/b") or b"") == b"x" * 40
    assert store.delete("a/b")
    store.write("a/b/c/d", [b"x" * 40])
    assert bytes(store.read("a/b/c/d") or b"") == b"x" * 40
    (root / "link").symlink_to(root / "a")
    with pytest.raises(OSError, match="is a symbolic link"):
        store.read("link/b")
