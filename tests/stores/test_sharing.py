"""A directory that a group shares is open to the group whatever the umask, and to nobody else; others stay private."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from stored.stores import DirectoryStore, _folders, _sharing
from stored.stores._notes import make_mark, tell_failure
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
            store.write(name, [b"x" * 40])
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


@pytest.mark.usefixtures("any_umask")
@pytest.mark.parametrize("mode", [0o2700, 0o770, 0o2750, 0o700, 0o755])
def test_other_directories_stay_private(root: Path, mode: int) -> None:
    """Where the directory is not setgid, or its group may not write, all is for the user alone."""
    if os.umask(0o022) == 0o777:
        pytest.skip("files that are private have always followed the umask in what their user may do")
    make_root(root, mode)
    use(DirectoryStore(root))
    assert not [each for path, each in modes(root).items() if path != "." and each & 0o077]


@pytest.mark.parametrize("way", ["group", "mode"])
def test_a_private_directory_is_given_to_the_group_once(root: Path, way: str) -> None:
    """The results in it are open to the group then, and whatever else is there is left alone."""
    use(DirectoryStore(root))
    for each in ("notes.txt", "mine/notes.txt"):
        (root / each).parent.mkdir(mode=0o700, exist_ok=True)
        (root / each).touch(0o600)
    os.link(root / NAMES[1], root.parent / "linked")
    (root / "module" / "ab" / "link").symlink_to(root / "notes.txt")
    if way == "mode":
        os.chown(root, -1, other_group())
        root.chmod(0o2770)
    DirectoryStore(root, group=other_group() if way == "group" else None).write("module/new", [b"x"])
    found = modes(root)
    private = {each: found.pop(each) for each in ("notes.txt", "mine", "mine/notes.txt", "module/ab/link", NAMES[1])}
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
    monkeypatch.setattr(_folders, "_MAKING_TAKES", 0.0)  # they are not being made
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
