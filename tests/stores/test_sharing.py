"""A directory that a group shares is open to the group whatever the umask, and to nobody else; others stay private."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stored.stores import DirectoryStore, _files, _folders, _sharing
from stored.stores._notes import make_mark, tell_failure
from tests.stores.entries import content
from tests.test_private_folder import umask

OWN = os.getegid()
NAMES = ("module/ab/entry.stored", "other/cd/ef/entry.stored")


def other_group() -> int:
    """A group that the user is in, beside the own one if there is any."""
    return 54000 if os.geteuid() == 0 else max([OWN, *os.getgroups()], key=lambda each: each != OWN)


def modes(root: Path) -> dict[str, int]:
    """The modes of a directory and of all that is in it."""
    found = {path.relative_to(root).as_posix(): path for path in (root, *root.rglob("*"))}
    return {name: stat.S_IMODE(path.stat().st_mode) for name, path in found.items()}


def groups(root: Path) -> set[int]:
    return {path.stat().st_gid for path in (root, *root.rglob("*"))}


def expected(names: list[str], root: Path, folder: int, file: int) -> dict[str, int]:
    return {each: (folder if (root / each).is_dir() else file) for each in names}


def use(store: DirectoryStore) -> None:
    """Let a store make all kinds of files."""
    for name in NAMES:
        with store.compute_turn(name, None):
            store.write(name, [content(40)])
        store.count_written(40)
    make_mark(store._folders, "0" * 32)


@pytest.fixture(params=[0, 0o022, 0o077, 0o777], ids=oct)
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    with umask(request.param):
        yield


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "above" / "root"


@pytest.mark.usefixtures("any_umask")
def test_a_directory_that_is_made_for_a_group(root: Path) -> None:
    """All that is made, the folders above too, has the group, 2770 or 0660."""
    use(DirectoryStore(root, group=other_group()))
    found = modes(root.parent)
    assert {"root/.work/locks", "root/.work/size", f"root/.work/{'0' * 32}.failed", "root/CACHEDIR.TAG"} < found.keys()
    assert found == expected(list(found), root.parent, 0o2770, 0o660)
    assert groups(root.parent) == {other_group()}


@pytest.mark.usefixtures("any_umask")
@pytest.mark.parametrize(("mode", "folder", "file"), [(0o2770, 0o2770, 0o660), (0o2775, 0o2775, 0o664)])
def test_a_directory_that_is_setgid(root: Path, mode: int, folder: int, file: int) -> None:
    """It is shared without a setting; where others may look into it, they may read, but see no drafts."""
    make_root(root, mode)
    use(DirectoryStore(root))
    found = modes(root)
    assert found.pop(".work") == 0o2770
    assert found == expected(list(found), root, folder, file)
    assert groups(root) == {other_group()}


def make_root(root: Path, mode: int) -> None:
    with umask(0):
        root.mkdir(parents=True)
    os.chown(root, -1, other_group())
    root.chmod(mode)


@pytest.mark.parametrize("value", [0, 0o022, 0o077], ids=oct)
@pytest.mark.parametrize("mode", [0o2700, 0o770, 0o2750, 0o700, 0o755])
def test_other_directories_stay_private(root: Path, mode: int, value: int) -> None:
    """Where the directory is not setgid, or its group may not write, all is for the user alone."""
    make_root(root, mode)
    with umask(value):
        use(DirectoryStore(root))
    assert not [each for path, each in modes(root).items() if path != "." and each & 0o077]


@pytest.mark.parametrize("way", ["group", "mode"])
def test_a_private_directory_is_given_to_the_group_once(root: Path, way: str) -> None:
    """The results in it are open to the group then, and whatever else is there is left alone."""
    use(DirectoryStore(root))
    for each in ("notes.txt", "mine/notes.txt"):
        (root / each).parent.mkdir(mode=0o700, exist_ok=True)
        (root / each).touch(0o600)
    (root / "module" / "ab" / "letter").write_text("moved here by somebody")
    (root / "module" / "ab" / "letter").chmod(0o600)
    os.link(root / NAMES[1], root.parent / "linked")
    (root / "module" / "ab" / "link").symlink_to(root / "notes.txt")
    if way == "mode":
        os.chown(root, -1, other_group())
        root.chmod(0o2770)
    DirectoryStore(root, group=other_group() if way == "group" else None).write("module/new", [b"x"])
    found = modes(root)
    private = {
        each: found.pop(each)
        for each in ("notes.txt", "mine", "mine/notes.txt", "module/ab/link", "module/ab/letter", NAMES[1])
    }
    assert set(private.values()) == {0o700, 0o600}
    assert found == expected(list(found), root, 0o2770, 0o660)


def test_sharing_that_was_stopped_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a process dies amid it, the next that writes shares what is left."""
    use(DirectoryStore(root))
    with monkeypatch.context() as patch:
        patch.setattr(_sharing, "_share_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            DirectoryStore(root, group=other_group()).write("module/new", [b"x"])
    DirectoryStore(root, group=other_group()).write("module/new", [b"x"])
    found = modes(root)
    assert found == expected(list(found), root, 0o2770, 0o660)


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_cannot_be_changed_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or folder that vanishes, or that the system leaves as it is, does not keep the rest from the group."""
    use(DirectoryStore(root))
    real = os.fchmod

    def fchmod(descriptor: int, mode: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        real(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", fchmod)
    with umask(0):
        use(DirectoryStore(root, group=other_group()))
    assert modes(root)[".work"] == modes(root)["module/ab"] == 0o2770
    assert modes(root)[NAMES[0]] == 0o660


def test_a_home_directory_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that may not be a cache is not opened to a group, which the error says."""
    monkeypatch.setenv("HOME", str(tmp_path))
    tmp_path.chmod(0o700)
    with pytest.raises(OSError, match=r"is not shared with group .* home.* of their own") as error:
        DirectoryStore(tmp_path, group=other_group()).write("a", [b"x"])
    assert error.value.filename == str(tmp_path)
    assert modes(tmp_path)["."] == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make directories of other users")
def test_a_directory_of_another_user_that_is_not_shared(root: Path) -> None:
    """The error says what it is like, what it must be like, and who can do it."""
    make_root(root, 0o2750)
    os.chown(root, 54001, -1)
    with pytest.raises(OSError, match=r"must have that group and mode 2770.*mode 2750.*user 54001, who can share it"):
        DirectoryStore(root, group=other_group()).write("a", [b"x"])
    os.chown(root, -1, 54007)
    root.chmod(0o2770)
    with pytest.raises(OSError, match=r"it has group 54007 and mode 2770"):
        DirectoryStore(root, group=other_group()).write("a", [b"x"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make folders of other users")
def test_a_folder_of_drafts_that_is_not_of_the_group(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, with the remedy; also if it is open to another group, or to everybody."""
    monkeypatch.setattr(_files, "MAKING_TAKES", 0.0)  # they are not being made
    make_root(root, 0o2770)
    (root / ".work").mkdir()
    for group, mode in ((54000, 0o2750), (54007, 0o2770), (54000, 0o2777)):
        os.chown(root / ".work", 54001, group)
        (root / ".work").chmod(mode)
        found = f"directory's group, 54000, and mode 2770; .* mode {mode:04o} and group {group}"
        with pytest.raises(OSError, match=found):
            DirectoryStore(root).write("a", [b"x"])


def test_own_folders_that_are_not_open_are_mended(root: Path) -> None:
    """A folder of a process that died before it let the group in is opened to it by the next write there."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    (root / "module" / "ab").chmod(0o2700)
    assert DirectoryStore(root).read(NAMES[0]) == content(40)
    assert modes(root)["module/ab"] == 0o2700
    DirectoryStore(root).write("module/ab/other", [b"x"])
    assert modes(root)["module/ab"] == 0o2770


def test_a_group_that_changes(root: Path) -> None:
    """A store shares its directory, also if others have used it before with another setting in the same process."""
    private, shared = DirectoryStore(root), DirectoryStore(root, group=other_group())
    private.write("a", [b"x"])
    assert modes(root)["a"] == 0o600
    shared.write("a", [b"x"])
    assert modes(root)["a"] == 0o660
    private.write("a", [b"x"])
    assert modes(root)["a"] == 0o660


def test_the_directory_is_made_on_request(root: Path) -> None:
    """Where a program asks for the path of the directory, what is made is for the group too."""
    assert DirectoryStore(root, group=other_group()).make_folder("module") == f"{root}/module"
    assert modes(root)["module"] == modes(root)["."] == 0o2770


def test_a_store_says_its_group(root: Path) -> None:
    """By name or number, as it was given; one that cannot be used is refused."""
    assert repr(DirectoryStore(root, group=other_group())) == f"DirectoryStore({str(root)!r}, group={other_group()})"
    with pytest.raises(ValueError, match="must be the name or the number of a group"):
        DirectoryStore(root, group="no such group")


def test_marks_of_another_user(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a file of another user can only be set to now, which tells a failure as well."""
    store = DirectoryStore(root)
    make_mark(store._folders, "0" * 32)
    mark = root / ".work" / f"{'0' * 32}.failed"
    os.utime(mark, ns=(0, 0))
    real = os.utime

    def utime(path: str, *times: object, ns: object = None, **options: object) -> None:
        if ns is not None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        real(path, *times, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "utime", utime)
    tell_failure(store._folders, "0" * 32)
    assert mark.stat().st_mtime > 0


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, times: float) -> None:
    """Let a file or folder be closed so many times, as it is before another user lets the group in."""
    real = os.open
    left = [times]

    def refused(path: Any, *arguments: Any, **options: Any) -> int:
        if path == name and left[0]:
            left[0] -= 1
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refused)


@pytest.mark.parametrize("name", ["locks", "size", "CACHEDIR.TAG", ".work", "module", "ab"])
def test_what_another_user_is_just_making(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes before its maker has let the group in waits a moment."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    refuse(monkeypatch, name, 2)
    store = DirectoryStore(root)
    use(store)
    assert store.read(NAMES[0]) == content(40)
    assert store.count_written(0) is not None


@pytest.mark.parametrize("name", ["module", "ab"])
def test_nothing_is_in_a_folder_that_is_just_being_made(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads there does not wait."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    refuse(monkeypatch, name, 1)
    store = DirectoryStore(root)
    assert store.read(NAMES[0]) is None
    assert store.read(NAMES[0]) == content(40)


@pytest.mark.parametrize("name", ["locks", "module"])
def test_what_stays_closed(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another user has not opened to the group after a moment is an error, or a computation without a lock."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    monkeypatch.setattr(_files, "MAKING_TAKES", 0.0)
    refuse(monkeypatch, name, float("inf"))
    store = DirectoryStore(root)
    with pytest.raises(PermissionError) if name == "module" else store.compute_turn(NAMES[0], None):
        store.write(NAMES[0], [b"x"])


def test_a_file_that_stays_new(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever for a file that its user writes to all the time, and leaves closed."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    monkeypatch.setattr("stored.stores._files.time.sleep", lambda seconds: None)
    refuse(monkeypatch, "size", float("inf"))
    assert DirectoryStore(root).count_written(1) is None


def test_a_draft_that_another_user_is_just_making(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no leftover; one that stays closed is an error."""
    make_root(root, 0o2770)
    store = DirectoryStore(root)
    use(store)
    draft = f"12-{'0' * 16}.draft"
    (root / ".work" / draft).touch(0o600)
    refuse(monkeypatch, draft, 2)
    assert store.clear_leftovers() == 0
    with monkeypatch.context() as patch:
        patch.setattr(_files, "MAKING_TAKES", 0.0)
        with pytest.raises(PermissionError):
            store.clear_leftovers()
    assert store.clear_leftovers() == 1


@pytest.mark.parametrize("closed", [False, True])
def test_a_directory_that_another_user_is_just_making(
    root: Path, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for, also if the one above cannot be entered yet; without a group, or when old, it is an error."""
    make_root(root, 0o2770)
    if closed:
        monkeypatch.setattr(os.path, "lexists", lambda path: path != str(root))
    refuse(monkeypatch, str(root), 2)
    store = DirectoryStore(root, group=other_group())
    assert store.read("a") is None
    store.write("a", [b"x"])
    refuse(monkeypatch, str(root), 2)
    with pytest.raises(PermissionError):
        open_anew(root)
    monkeypatch.setattr(_files, "MAKING_TAKES", 0.0)
    with pytest.raises(PermissionError):
        open_anew(root, other_group())


def open_anew(root: Path, group: int | None = None) -> None:
    folders = _folders.OpenFolders(str(root))
    folders.share_with(group)
    folders.work(makes=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make folders of other users")
@pytest.mark.parametrize("name", ["", ".work", "module"])
def test_a_folder_that_another_user_is_just_opening(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder into which the group cannot write yet is as good as missing, until it can."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    os.chown(root / name, 54001, -1)
    (root / name).chmod(0o2750)
    monkeypatch.setattr("stored.stores._files.time.sleep", lambda seconds: (root / name).chmod(0o2770))
    DirectoryStore(root, group=other_group()).write(NAMES[0], [b"x"])
    assert modes(root)[name or "."] == 0o2770


def test_a_folder_that_goes_while_it_is_looked_at(tmp_path: Path) -> None:
    """Nobody waits for it."""
    assert not _files.wait_if_just_made(f"{tmp_path}/missing")


def test_a_group_makes_what_another_process_makes_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was removed just after it was made is made again."""
    real, left = os.mkdir, [1]

    def mkdir(path: str, *arguments: int, **options: int) -> None:
        real(path, *arguments, **options)
        if path == "module" and left.pop():
            left.append(0)
            os.rmdir(path, **options)

    monkeypatch.setattr(os, "mkdir", mkdir)
    DirectoryStore(root, group=other_group()).write(NAMES[0], [b"x"])
    assert modes(root)["module"] == 0o2770


@pytest.mark.parametrize("name", ["locks", "size"])
def test_a_file_that_somebody_has_moved_to_the_place_of_one(root: Path, name: str) -> None:
    """A private file of this user that another one of the group could move here is not opened to the group."""
    make_root(root, 0o2770)
    use(DirectoryStore(root))
    letter = root / ".work" / "letter"
    letter.write_text("private")
    letter.chmod(0o600)
    letter.replace(root / ".work" / name)
    use(DirectoryStore(root))
    assert modes(root)[f".work/{name}"] == 0o600
