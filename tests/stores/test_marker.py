"""Files are removed only from a directory that is a cache, and known for one."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from stored.stores import DirectoryStore, _marker
from stored.typing import Upkeep
from tests.stores.entries import content, named

SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


def marker(root: Path) -> bytes | None:
    file = root / "CACHEDIR.TAG"
    return file.read_bytes() if file.exists() else None


def fill(store: DirectoryStore) -> None:
    store.write(named("a"), [content()])
    (store.root / ".work" / f"1-{'0' * 16}.draft").write_bytes(content())


def is_tidied(store: DirectoryStore) -> bool:
    """Are leftovers and entries removed? Else neither is, and it is said why."""
    left = store.clear_leftovers()
    try:
        done = store.trim(".stored", 0, None)
    except OSError:
        assert left == 0
        assert store.read(named("a")) == content()
        return False
    assert (left, done) == (1, Upkeep(0, 0, 1, 10))
    return True


def test_the_first_write_marks_the_directory(root: Path) -> None:
    """One that was empty, or missing, has the marker that backups know; it is no name, and reading makes none."""
    store = DirectoryStore(root)
    store.read("a/b")
    assert marker(root) is None
    store.write("a/b", [b"x"])
    text = marker(root)
    assert text is not None
    assert text.startswith(SIGNATURE + b"\n")
    assert stat.S_IMODE((root / "CACHEDIR.TAG").stat().st_mode) == 0o600
    assert list(store.names()) == ["a/b"]
    fill(store)
    assert is_tidied(store)


@pytest.mark.parametrize(
    "name", ["thesis.txt", ".git/config", "module/notes.txt", "project/results.stored", "data/raw/x"]
)
def test_a_directory_that_holds_anything_else_is_not_marked(root: Path, name: str) -> None:
    """Backups must not pass over what the library has not made; results are stored there, and nothing is removed."""
    (root / name).parent.mkdir(exist_ok=True, parents=True)
    (root / name).write_text("precious")
    store = DirectoryStore(root)
    fill(store)
    assert marker(root) is None
    with pytest.raises(PermissionError, match=r"nothing is removed here, since it has no CACHEDIR.TAG") as caught:
        store.trim(".stored", 0, None)
    assert "give results a directory of their own (cache_dir), or allow it by configure(" in str(caught.value)
    assert not is_tidied(store)
    (root / name).unlink()
    if name.startswith("thesis"):
        assert is_tidied(store)


@pytest.mark.parametrize("folders", [["data"], ["data", "figures", "results"], [".config"], ["src/package"]])
def test_a_directory_of_empty_folders_is_not_marked(root: Path, folders: list[str]) -> None:
    """A project that has just begun is not passed over by backups either."""
    for folder in folders:
        (root / folder).mkdir(parents=True)
    store = DirectoryStore(root)
    fill(store)
    assert marker(root) is None
    assert not is_tidied(store)


@pytest.mark.parametrize("above", [0, 1])
def test_a_home_directory_is_not_marked(root: Path, monkeypatch: pytest.MonkeyPatch, above: int) -> None:
    """Though it is empty: backups would pass over all that comes into it."""
    home = root.joinpath(*["folder"] * above)
    home.mkdir(exist_ok=True, parents=True)
    monkeypatch.setenv("HOME", str(home))
    store = DirectoryStore(root)
    fill(store)
    assert marker(root) is None
    assert not is_tidied(store)


def test_a_marker_that_cannot_be_read_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that there is none, and nothing is removed."""
    store = DirectoryStore(root)
    fill(store)
    real = os.open

    def no_marker(path: str, *arguments: int, **options: int) -> int:
        if path == "CACHEDIR.TAG":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", no_marker)
    assert not is_tidied(store)
    with pytest.raises(PermissionError, match=r"it has no CACHEDIR.TAG that can be read"):
        store.trim(".stored", 0, None)


def test_a_directory_of_earlier_releases_is_marked(root: Path) -> None:
    """Folders of modules are the library's own, those of owners of the layout of before too."""
    for folder in (f"module/Owner-{'0' * 32}", "other/ab"):
        (root / folder).mkdir(parents=True)
    store = DirectoryStore(root)
    fill(store)
    assert is_tidied(store)


def test_a_marked_directory_may_hold_a_few_other_things(root: Path) -> None:
    """Some files of others make no difference, many do: then it is no cache, whoever marked it."""
    store = DirectoryStore(root)
    fill(store)
    for number in range(16):
        (root / f"note {number}").touch()
    assert is_tidied(store)
    fill(store)
    (root / "one more").touch()
    assert not is_tidied(store)
    with pytest.raises(PermissionError, match="it holds much that is not of a cache, as 'note 0', 'note 1', 'note 10'"):
        store.trim(".stored", 0, None)


@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_home_directory_is_no_cache(root: Path, monkeypatch: pytest.MonkeyPatch, above: int) -> None:
    """Nor one above it, marked or not."""
    home = root.joinpath(*["folder"] * above)
    home.mkdir(exist_ok=True, parents=True)
    store = DirectoryStore(root)
    fill(store)
    (root / "CACHEDIR.TAG").write_bytes(SIGNATURE)
    monkeypatch.setenv("HOME", str(home))
    assert not is_tidied(store)
    with pytest.raises(PermissionError, match="it is a home directory, or has home directories in it"):
        store.trim(".stored", 0, None)


def test_the_root_of_the_system_is_no_cache() -> None:
    """Whatever it holds."""
    root = os.open("/", os.O_RDONLY)
    assert "home" in _marker.why_no_cache(root)
    os.close(root)


def test_whoever_asks_for_it_has_files_removed_anywhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``anywhere``, files of the library are removed from a home too, no others, and no marker is made."""
    monkeypatch.setenv("HOME", str(root))
    (root / "thesis.stored").write_text("precious")
    store = DirectoryStore(root, anywhere=True)
    fill(store)
    assert is_tidied(store)
    assert (root / "thesis.stored").read_text() == "precious"
    assert marker(root) is None
    assert repr(store) == f"DirectoryStore({str(root)!r}, anywhere=True)"


@pytest.mark.parametrize("text", [b"", b"Signature: 8a", b"my own tag", "folder", "link", "pipe", "hard link"])
def test_what_is_no_marker(root: Path, tmp_path: Path, text: bytes | str) -> None:
    """One that was cut off is written again; anything else in its place stays, and the directory is no cache."""
    file = root / "CACHEDIR.TAG"
    (tmp_path / "file").write_bytes(b"")
    if isinstance(text, bytes):
        file.write_bytes(text)
    elif text == "folder":
        file.mkdir()
    elif text == "pipe":
        os.mkfifo(file)
    elif text == "link":
        file.symlink_to(tmp_path / "file")
    else:
        file.hardlink_to(tmp_path / "file")
    store = DirectoryStore(root)
    fill(store)
    assert is_tidied(store) == (isinstance(text, bytes) and text != b"my own tag")
    assert (tmp_path / "file").read_bytes() == b""


def test_a_user_without_an_entry_has_a_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers, where nobody has given the user a name."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    opened = os.open(root, os.O_RDONLY)
    assert _marker.why_no_cache(opened) == ""
    os.close(opened)


def test_folders_that_cannot_be_looked_into_are_of_others(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes a link, or cannot be opened, is not taken for the library's."""
    (root / "module").mkdir()
    opened, real = os.open(root, os.O_RDONLY), os.open

    def refuse(name: str, *arguments: int, **options: int) -> int:
        if name == "module":
            raise PermissionError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    assert "no CACHEDIR.TAG" in _marker.why_no_cache(opened)
    monkeypatch.undo()
    os.close(opened)
