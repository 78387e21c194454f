"""`DirectoryStore` keeps the contract of a store, privately, atomically and without leftovers."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stored.stores import DirectoryStore
from stored.testing import StoreContract
from stored.typing import Buffer

MAPPED_FROM = 1 << 20


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


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


def test_folders_go_with_their_last_file(store: DirectoryStore, root: Path) -> None:
    """An empty folder is not left behind, and one that holds more is not touched."""
    store.write("a/b", [b"x"])
    store.write("a/c", [b"x"])
    store.delete("a/b")
    assert (root / "a").is_dir()
    store.delete("a/c")
    assert not (root / "a").exists()


@pytest.mark.parametrize("size", [0, 1, MAPPED_FROM - 1, MAPPED_FROM, MAPPED_FROM + 1])
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
        yield self.trouble  # type: ignore[misc]


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
    time.sleep(random.random() / 2000)  # at once it would leave nobody a chance
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
