"""Folders are opened once, and lead nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stored.stores import _folders
from stored.stores._folders import check_folders
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
    descriptor = folders.find("a")
    assert descriptor is not None
    os.close(descriptor)
    del folders


def test_a_folder_that_another_thread_has_opened_meanwhile(root: Path) -> None:
    """Both threads use the one descriptor."""
    (root / "a").mkdir(parents=True)
    folders = _folders.OpenFolders(str(root))
    found = in_threads(*[(folders.find, "a")] * 4)
    assert set(found) == {folders.open["a"]}
