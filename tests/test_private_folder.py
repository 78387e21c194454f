"""Folders are made for their owner alone, whatever the umask, and where they were asked for."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stored import StorageUser, configure, getCacheDir
from stored._private_folder import make_private_folder
from tests.faults.processes import here, in_processes
from tests.faults.test_places import drop_privileges, reachable_folder
from tests.stores.test_files import without_handles

UMASKS = (0, 0o002, 0o022, 0o077, 0o177, 0o277, 0o777)


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make_under(value: int, place: Path) -> None:
    drop_privileges()
    with umask(value):
        for _ in range(2):
            make_private_folder(place / "a" / "b" / "c")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that a process without privileges can use."""
    with reachable_folder(0o777) as found:
        yield found


@pytest.mark.parametrize("value", UMASKS, ids=oct)
def test_folders_are_made_for_their_owner_only(value: int, place: Path) -> None:
    """All that is made has mode 0700, also for a user without privileges; what is there keeps its mode."""
    in_processes((make_under, value, place))
    assert [mode(place / each) for each in ("", "a", "a/b", "a/b/c")] == [0o777, 0o700, 0o700, 0o700]


@pytest.mark.parametrize("group", [None, os.getegid()])
def test_a_umask_that_takes_all(group: int | None, tmp_path: Path) -> None:
    """What is made is open to its owner all the same, and to the group, if there is one."""
    with umask(0o777):
        make_private_folder(tmp_path / "a" / "b", group)
    expected = 0o700 if group is None else 0o2770
    assert [mode(tmp_path / each) for each in ("a", "a/b")] == [expected] * 2


def use_under(value: int, place: Path) -> None:
    drop_privileges()
    with umask(value), configure(cache_dir=place / "x" / "cache", key_file=place / "y" / "config" / "key"):
        StorageUser("module", "rw", lambda: "name", lambda: "string", None).storeObject("x", print)
        getCacheDir("other")
        assert here()["key_file"].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", [0, 0o022, 0o077], ids=oct)
def test_the_folders_of_cache_and_key_are_private(value: int, place: Path) -> None:
    """Whatever stores a result, all folders that it makes for entries and for the key are their owner's alone."""
    in_processes((use_under, value, place))
    made = {str(path.relative_to(place)): mode(path) for path in place.rglob("*") if path.is_dir()}
    assert made.keys() >= {"x", "x/cache", "x/cache/.work", "x/cache/other", "y", "y/config"}
    assert set(made.values()) == {0o700}


def test_a_folder_inherits_the_group_of_the_one_above(tmp_path: Path) -> None:
    """The bit that says so may stay; the permissions are the same."""
    tmp_path.chmod(0o2777)
    with umask(0):
        make_private_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / each) & 0o777 for each in ("a", "a/b")] == [0o700, 0o700]


@pytest.mark.parametrize("path", ["a", "a/b", "a/", "a/../b/c", "./a//b"])
def test_paths_may_be_relative(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made below the working directory, however they are written."""
    monkeypatch.chdir(tmp_path)
    make_private_folder(path)
    assert (tmp_path / path).is_dir()


def test_a_folder_that_may_not_be_listed(tmp_path: Path) -> None:
    """A folder can be made in it, and is found there."""
    program = "import sys; from stored._private_folder import make_private_folder; make_private_folder(sys.argv[1])"
    place = tmp_path / "dropbox"
    place.mkdir()
    place.chmod(0o300)
    subprocess.run([sys.executable, "-c", program, str(place / "a" / "b")], check=True)
    assert mode(place / "a" / "b") == 0o700


def test_a_folder_cannot_be_made_in_the_place_of_a_file(tmp_path: Path) -> None:
    """A file where a folder is to be made, or above it, is an OSError that names it, and stays."""
    (tmp_path / "file").touch()
    for folder in ("file", "file/a", "file/a/b"):
        with pytest.raises(OSError, match=rf"(File exists|Not a directory): '{tmp_path}/file"):
            make_private_folder(tmp_path / folder)
    assert (tmp_path / "file").is_file()


def test_links_that_were_there_are_followed_if_they_lead_somewhere(tmp_path: Path) -> None:
    """That is their user's choice; one that leads nowhere is an OSError that names it, and nothing is made there."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "broken").symlink_to("nowhere")
    make_private_folder(tmp_path / "link" / "a" / "b")
    make_private_folder(tmp_path / "link")
    assert (tmp_path / "real" / "a" / "b").is_dir()
    for path in ("broken", "broken/a/b"):
        with pytest.raises(OSError, match=f"{tmp_path}/broken"):
            make_private_folder(tmp_path / path)
    assert not (tmp_path / "nowhere").exists()


def after_mkdir(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Do something between the making of a folder and what follows, as another process can."""
    real = os.mkdir

    def mkdir(path: str, *arguments: int, **options: int) -> None:
        real(path, *arguments, **options)
        if path == name:
            act()

    monkeypatch.setattr(os, "mkdir", mkdir)


def exchange(folder: Path, other: Path) -> None:
    folder.rmdir()
    folder.symlink_to(other)


@pytest.mark.parametrize("value", [0o022, 0o777], ids=oct)
def test_a_link_in_the_place_of_what_was_just_made_is_not_followed(
    value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made or changed where it leads."""
    other = tmp_path / "other"
    other.mkdir()
    other.chmod(0o755)
    after_mkdir(monkeypatch, "a", lambda: exchange(tmp_path / "a", other))
    with umask(value), pytest.raises(OSError, match=f"{tmp_path}/a"):
        make_private_folder(tmp_path / "a" / "b")
    assert (mode(other), os.listdir(other)) == (0o755, [])


def test_what_others_make_meanwhile_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another process makes the same folders at the same time, both have them."""
    real = os.mkdir

    def mkdir(path: str, *arguments: int, **options: int) -> None:
        real(path, *arguments, **options)
        real(path, *arguments, **options)

    monkeypatch.setattr(os, "mkdir", mkdir)
    make_private_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700


def test_no_handle_stays_open(tmp_path: Path) -> None:
    """Neither after a folder was made nor after an error; without any handle it is an OSError."""
    (tmp_path / "file").touch()
    before = os.listdir("/proc/self/fd")
    make_private_folder(tmp_path / "a" / "b")
    for path in ("file", "file/a"):
        with pytest.raises(OSError, match="file"):
            make_private_folder(tmp_path / path)
    with without_handles(), pytest.raises(OSError, match="Too many open files"):
        make_private_folder(tmp_path / "c" / "d")
    assert os.listdir("/proc/self/fd") == before
