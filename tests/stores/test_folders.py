"""Folders are opened once, and lead nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stored.stores import DirectoryStore, _folders
from stored.stores._folders import check_folders
from stored.typing import Turn
from tests.faults.processes import in_threads


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "new" / "root"


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/c"])
def test_links_among_the_folders_are_refused(tmp_path: Path, link: str) -> None:
    """A folder that is a link, at any depth below the root, is an error that names it, and what to do about it."""
    (tmp_path / "elsewhere" / "b" / "c").mkdir(parents=True)
    (tmp_path / "elsewhere" / "c").mkdir()
    place = tmp_path / "root" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a symbolic link, which is not followed; remove it") as caught:
        check_folders(str(tmp_path / "root"), "a/b/c")
    assert caught.value.filename == str(place)


def test_folders_that_are_none_lead_nowhere(tmp_path: Path) -> None:
    """Folders, missing ones, files in their place, and a root that is a link itself are not refused."""
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "root" / "file").touch()
    (tmp_path / "link").symlink_to("root")
    for root in ("root", "link", "absent"):
        for folder in ("a", "a/b", "a/b/absent/c", "file", "file/a"):
            check_folders(str(tmp_path / root), folder)


def test_descriptors_that_the_program_has_closed(root: Path) -> None:
    """They are not closed again, when whatever was opened then may have their numbers."""
    folders = _folders.OpenFolders(str(root))
    (root / "a").mkdir(parents=True)
    with folders.at("a") as descriptor:
        os.close(descriptor)
    del folders


def test_a_folder_that_another_thread_has_opened_meanwhile(root: Path) -> None:
    """Both threads use the one descriptor."""
    (root / "a").mkdir(parents=True)
    folders = _folders.OpenFolders(str(root))

    def find() -> int:
        with folders.at("a") as descriptor:
            return descriptor

    assert set(in_threads(*[(find,)] * 4)) == {folders.open["a"]}


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_of_drafts_that_others_can_write_to_is_refused(root: Path, mode: int) -> None:
    """Whoever can write there could exchange what is about to be published."""
    (root / ".work").mkdir(parents=True)
    (root / ".work").chmod(mode)
    store = DirectoryStore(root)
    with pytest.raises(PermissionError, match="nobody else may write there; it belongs to user") as caught:
        store.write("a/b", [b"x"])
    assert caught.value.filename == str(root / ".work")
    with store.compute_turn("a/b", 0.0) as turn:
        assert turn is Turn.MINE
    assert os.listdir(root / ".work") == []
    (root / ".work").chmod(0o700)
    store.write("a/b", [b"x"])


def test_a_folder_of_drafts_that_another_user_owns_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written, locked or removed there."""
    store = DirectoryStore(root)
    store.write("a/b", [b"x"])
    (root / ".work" / f"1-{'0' * 16}.draft").touch()
    del store
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    store = DirectoryStore(root)
    for use in (lambda: store.write("a/c", [b"x"]), store.clear_leftovers):
        with pytest.raises(PermissionError, match=r"must belong to user 54321.*it belongs to user"):
            use()
    assert store.count_written(5) is None
    assert store.read("a/b") == b"x"
    assert os.listdir(root / ".work") == [f"1-{'0' * 16}.draft"]
