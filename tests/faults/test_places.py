"""Whatever becomes of the directory, the disk, the handles or the clock, a call returns the right result."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import shutil
import socket
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stored import StorageUser, StoredWarning, configure, keyed_by, stored, upkeep
from tests.faults.memory import forget_memory
from tests.faults.processes import here, in_processes
from tests.faults.values import KINDS, check, edition, made, whole_entries

HOOK: list[Callable[[], object]] = [lambda: None]
"""What is called while a result is computed; no attribute of the class, whose code would count."""

NOW = {"computed": 0, "edition": 0}
"""How many results were computed, and what they tell; neither are these attributes of the class."""


@keyed_by("n")
class Model:
    """An owner that counts what it computes, and can do something meanwhile."""

    def __init__(self, n: int = 1) -> None:
        self.n = n

    @stored(ignore=("HOOK", "NOW"))
    def value(self, kind: str, x: int) -> Any:
        HOOK[0]()
        NOW["computed"] += 1
        return made(kind, self.n, x, edition=NOW["edition"])


TROUBLE = re.compile(r".* is kept in memory only: \w+|\S+ cannot be \w+|\S+ was not used|upkeep of \S+")
"""What is in trouble, and how; the reason, which may name a draft, comes after it."""


@contextlib.contextmanager
def only_ours() -> Iterator[list[str]]:
    """The warnings of a block, which are all of stored."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    assert all(issubclass(each.category, StoredWarning) for each in caught), list(map(str, caught))
    messages += [str(each.message) for each in caught]


@contextlib.contextmanager
def reported() -> Iterator[list[str]]:
    """The troubles that are warned of within a block, none of them twice."""
    with only_ours() as troubles:
        yield troubles
    kinds = Counter(found[0] if (found := TROUBLE.search(each)) else each for each in troubles)
    assert max(kinds.values(), default=0) <= 1, troubles


def use(n: int) -> list[str]:
    """Whatever is asked of new owners is answered rightly, and no trouble is reported twice; which were there?"""
    with reported() as troubles:
        for kind in KINDS:
            for _ in range(2):
                forget_memory(Model)
                check(Model(n).value(kind, 0), kind, n, 0)
                check(Model(n).value(kind, 0), kind, n, 0)
            Model(n).value.cached(kind, 1)
        check(Model(n).value.refresh("small", 0), "small", n, 0)
        Model(n).value.cache_clear("small", 0)
        Model(n).value.cache_clear()
        user = StorageUser("places", "rw", lambda: "user", lambda: f"user {n}", None)
        user.storeObject("object", made("tree", n))
        check(user.getStoredObject("object"), "tree", n)
        assert user.listObjects() == ["object"]
    return troubles


def use_well(n: int) -> None:
    """All is as if nothing had been: no warning, results are stored and found again, and no other files are left."""
    assert use(n) == []
    for computed in (len(KINDS), 0):
        forget_memory(Model)
        before = NOW["computed"]
        for kind in KINDS:
            check(Model(n).value(kind, 0), kind, n, 0)
        assert NOW["computed"] == before + computed
    upkeep()
    assert whole_entries(here()["cache_dir"]) >= KEPT


KEPT = len(KINDS) + 1
"""So many entries a use leaves."""


# --------------------------------------------------------------------------------------------------------------------
# A full disk, and no handles
# --------------------------------------------------------------------------------------------------------------------


def use_with_short_files(limit: int) -> list[str]:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
    troubles = use(1)
    leftovers = [path for path in here()["cache_dir"].rglob("*") if path.suffix in {".draft", ".waits"}]
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert leftovers == []
    use_well(1)
    use_well(2)
    return troubles


@pytest.mark.parametrize("limit", [0, 1, 31, 32, 33, 200, 500, 1000, 1 << 20, (1 << 20) + 10_000])
def test_files_that_cannot_grow(limit: int) -> None:
    """Where the size of files is limited, what does not fit is computed, reported once, and leaves no file."""
    (troubles,) = in_processes((use_with_short_files, limit))
    assert "File too large" in troubles[0]


def replace_where_files_cannot_grow() -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for kind in KINDS:
        check(Model(1).value(kind, 0), kind, 1, 0)
        NOW["edition"] += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, unlimited[1]))
        with reported():
            assert edition(Model(1).value.refresh(kind, 0)) == NOW["edition"]
            NOW["edition"] += 1
            forget_memory(Model)
            assert edition(Model(1).value(kind, 0)) == NOW["edition"]
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)


def test_what_cannot_be_replaced_does_not_come_back() -> None:
    """A result that was to be replaced is gone, though what should replace it cannot be written."""
    in_processes((replace_where_files_cannot_grow,))


NEW_NAMESPACE, PRIVATE, REMOUNT = 0x20000, (1 << 14) | (1 << 18), 32


def mount(place: Path, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(place), b"tmpfs", flags, options.encode()):
        raise OSError(ctypes.get_errno(), "mount failed")


def use_small_disk(options: str) -> list[str] | str:
    place = here()["cache_dir"]
    place.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NAMESPACE):
        return f"no mount namespace can be made here ({os.strerror(ctypes.get_errno())})"
    try:
        mount(Path("/"), PRIVATE, "")
        mount(place, 0, f"{options},mode=700")
    except OSError as error:
        return f"no file system can be mounted here ({error})"
    troubles = use(1)
    mount(place, REMOUNT, "size=64m,nr_inodes=10000,mode=700")
    use_well(1)
    use_well(2)
    return troubles


@pytest.mark.parametrize("options", ["size=4k", "size=16k", "size=1096k", "nr_inodes=2", "nr_inodes=4", "nr_inodes=6"])
def test_a_full_disk(options: str) -> None:
    """On a disk too small, for bytes or for files, results are right; when there is room, they are stored again."""
    (troubles,) = in_processes((use_small_disk, options))
    if isinstance(troubles, str):
        pytest.skip(troubles)
    assert "No space left" in troubles[0]


def use_without_handles(free: int) -> list[str]:
    Model(1).value.cached("small", 0)  # lets go the store of another test, and the handles that it keeps
    taken = []
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))  # of other tests
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 64, before[1]))
    with contextlib.suppress(OSError):
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    for _ in range(free):
        os.close(taken.pop())
    troubles = use(1)
    for descriptor in taken:
        os.close(descriptor)
    use_well(1)
    use_well(2)
    return troubles


@pytest.mark.parametrize("free", range(5))
def test_no_file_handles_left(free: int) -> None:
    """Where no file can be opened, or few at once, results are right; when there are handles, they are stored again."""
    (troubles,) = in_processes((use_without_handles, free))
    assert free or "Too many open files" in troubles[0]  # with one handle at a time, all may be well


# --------------------------------------------------------------------------------------------------------------------
# A directory that is taken away
# --------------------------------------------------------------------------------------------------------------------


def remove(directory: Path) -> None:
    if directory.is_dir() and not directory.is_symlink():
        shutil.rmtree(directory)
    else:
        directory.unlink(missing_ok=True)


def replace_by_file(directory: Path) -> None:
    remove(directory)
    directory.write_text("not a directory")


def replace_by_link(directory: Path) -> None:
    remove(directory)
    directory.symlink_to("nowhere")


def move_away(directory: Path) -> None:
    directory.rename(directory.with_name("elsewhere"))


def move_back(directory: Path) -> None:
    remove(directory)
    directory.with_name("elsewhere").rename(directory)


def permit(directory: Path, mode: int) -> None:
    for path in sorted(each for each in [directory, *directory.rglob("*")] if each.is_dir())[::-1]:
        path.chmod(mode)


def permit_again(directory: Path) -> None:
    directory.chmod(0o700)
    for path in directory.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    permit(directory, 0o700)


FAULTS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "removed": (remove, lambda _: None),
    "replaced by a file": (replace_by_file, remove),
    "replaced by a broken link": (replace_by_link, remove),
    "moved away": (move_away, lambda _: None),
    "moved away and back": (move_away, move_back),
    "made read-only": (lambda directory: permit(directory, 0o500), permit_again),
    "closed": (lambda directory: permit(directory, 0), permit_again),
}


@pytest.fixture
def open_place(cache_dir: Path) -> Iterator[Path]:
    """A directory that a process without privileges can use."""
    place = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
    with configure(cache_dir=place / "cache", key_file=place / "key"):
        yield place / "cache"
    shutil.rmtree(place)


NOBODY = 65534


@contextlib.contextmanager
def reachable_folder(mode: int) -> Iterator[Path]:
    """A new folder that a process without privileges can reach."""
    found = Path(tempfile.mkdtemp())
    found.chmod(mode)
    yield found
    shutil.rmtree(found)


def drop_privileges() -> None:
    import hmac  # noqa: F401  # signing a pickle imports it, from where this process may no longer read

    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def use_while_harmed(fault: str, when: str) -> list[str]:
    drop_privileges()
    directory = here()["cache_dir"]
    harm, heal = FAULTS[fault]
    use_well(1)
    owner = Model(1)
    held = {kind: owner.value(kind, 0) for kind in KINDS}

    def strike() -> None:
        HOOK[0] = lambda: None
        harm(directory)

    if when == "while computing":
        HOOK[0] = strike
    else:
        strike()
    for kind in KINDS:
        check(owner.value(kind, 0), kind, 1, 0)  # from memory
    troubles = use(3) + use(1)
    for kind, value in held.items():
        check(value, kind, 1, 0)
        check(owner.value(kind, 0), kind, 1, 0)
    heal(directory)
    use_well(1)
    use_well(2)
    return troubles


@pytest.mark.parametrize("when", ["while computing", "between calls"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_directory_that_is_taken_away(fault: str, when: str, open_place: Path) -> None:
    """Results stay right, new and old, whatever becomes of the directory; when it is well, they are stored again."""
    (troubles,) = in_processes((use_while_harmed, fault, when))
    assert (troubles == []) == (fault == "removed" or fault.startswith("moved"))


# --------------------------------------------------------------------------------------------------------------------
# Something else in the place of an entry
# --------------------------------------------------------------------------------------------------------------------


def bind(path: Path) -> None:
    folder = os.open(path.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/socket")  # their paths must be short
    path.with_name("socket").rename(path)
    os.close(folder)


OTHERS: dict[str, Callable[[Path], object]] = {
    "directory": Path.mkdir,
    "directory of things": lambda path: (path / "thing").mkdir(parents=True),
    "pipe": os.mkfifo,
    "broken link": lambda path: path.symlink_to("nowhere"),
    "link to a file": lambda path: path.symlink_to("/etc/passwd"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "socket": bind,
    "empty file": Path.touch,
    "unreadable file": lambda path: path.touch(mode=0),
}


def use_in_the_place_of(other: str) -> list[str]:
    drop_privileges()
    check(Model(1).value("small", 1), "small", 1, 1)
    (file,) = here()["cache_dir"].rglob("*.stored")
    file.unlink()
    OTHERS[other](file)
    with reported() as troubles:
        for _ in range(2):
            forget_memory(Model)
            check(Model(1).value("small", 1), "small", 1, 1)
    if file.is_dir():
        remove(file)
    use_well(1)
    check(Model(1).value("small", 1), "small", 1, 1)
    return troubles


@pytest.mark.parametrize("other", OTHERS)
def test_something_else_in_the_place_of_an_entry(other: str, open_place: Path) -> None:
    """What is no entry is passed over with one warning, and replaced if it can be."""
    (troubles,) = in_processes((use_in_the_place_of, other))
    assert len(troubles) == 1


# --------------------------------------------------------------------------------------------------------------------
# The clock
# --------------------------------------------------------------------------------------------------------------------

YEARS = 365.25 * 86400
CLOCKS = {"1970": 0.0, "before 1970": -YEARS, "twenty years ago": time.time() - 20 * YEARS, "2100": 130 * YEARS}


def use_with_clock(now: float) -> None:
    use_well(1)
    time.time = lambda: now
    use_well(1)
    use_well(2)
    with configure(max_age=60.0, max_bytes=10**9):
        assert use(3) == []


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_that_jumps(clock: str) -> None:
    """Whatever the clock says, entries of another time are good, and new ones are stored."""
    in_processes((use_with_clock, CLOCKS[clock]))


@pytest.mark.parametrize("clock", CLOCKS)
def test_files_of_other_times(clock: str, cache_dir: Path) -> None:
    """Entries of any time are good; leftovers of any time go; by age goes what is older, future times are not."""
    use_well(1)
    for name in (f"1-{'0' * 16}.draft", f"{'0' * 32}.lock"):
        (cache_dir / ".work" / name).touch()
    files = [path for path in cache_dir.rglob("*") if path.is_file()]
    for path in files:
        os.utime(path, (CLOCKS[clock], CLOCKS[clock]))
    assert upkeep().leftovers == 2
    forget_memory(Model)
    before = NOW["computed"]
    for kind in KINDS:
        check(Model(1).value(kind, 0), kind, 1, 0)
    assert NOW["computed"] == before
    with configure(max_age=3600.0):
        assert upkeep().entries == (KEPT if clock == "2100" else 0)
    use_well(1)


def test_dropping_by_size_whatever_the_times(cache_dir: Path) -> None:
    """With times in the future and before 1970, the earliest go first, until there is room."""
    use_well(1)
    use_well(2)
    times = {path: list(CLOCKS.values())[number % 4] for number, path in enumerate(sorted(cache_dir.rglob("*.stored")))}
    sizes = {path: path.stat().st_size for path in times}
    for path, moment in times.items():
        os.utime(path, (moment, moment))
    with configure(max_bytes=max(sizes.values()) * 1.5 // 1):
        done = upkeep()
    left = set(cache_dir.rglob("*.stored"))
    assert done.bytes == sum(sizes[path] for path in left) <= max(sizes.values()) * 1.5
    assert 0 < done.removed_entries == len(times) - len(left)
    assert all(times[gone] <= times[kept] for gone in times.keys() - left for kept in left)
    use_well(1)


# --------------------------------------------------------------------------------------------------------------------
# Readers
# --------------------------------------------------------------------------------------------------------------------


def replace(directory: Path) -> None:
    NOW["edition"] += 1
    check(Model(1).value.refresh("large", 0), "large", 1, 0)


def trim(directory: Path) -> None:
    with configure(max_bytes=0):
        assert upkeep().entries == 0


AWAY: dict[str, Callable[[Path], object]] = {
    "replaced": replace,
    "cleared": lambda _: Model(1).value.cache_clear(),
    "dropped by size": trim,
    "removed with its directory": remove,
    "moved away": move_away,
}


@pytest.mark.parametrize("change", AWAY)
def test_a_mapped_array_stays_as_it_is(change: str, cache_dir: Path) -> None:
    """An array that a reader has memory-mapped stays the same, bit for bit, whatever becomes of its file."""
    Model(1).value("large", 0)
    forget_memory(Model)
    array = Model(1).value("large", 0)
    (file,) = cache_dir.rglob("*.stored")
    assert str(file) in Path("/proc/self/maps").read_text()
    before = array.tobytes()
    for _ in range(3):
        AWAY[change](cache_dir)
        if change != "replaced":
            assert not file.exists()
            break
    assert array.tobytes() == before
    check(array, "large", 1, 0)
    use_well(1)
    assert array.tobytes() == before


@pytest.mark.parametrize("maps", [False, True])
def test_a_shared_array_stays_as_it_is(maps: bool, cache_dir: Path, tmp_path: Path) -> None:
    """What others write in place, as cp does, changes no array in hand, unless the user has them mapped."""
    shared = tmp_path / "shared"
    with configure(cache_dir=shared):
        Model(1).value("large", 0)
    forget_memory(Model)
    (file,) = shared.rglob("*.stored")
    with configure(shared_dirs=[shared], map_shared_dirs=maps):
        array = Model(1).value("large", 0)
        assert (str(file) in Path("/proc/self/maps").read_text()) == maps
    if not maps:
        with open(file, "r+b") as opened:
            opened.seek(-1000, os.SEEK_END)
            opened.write(b"\0" * 1000)
    check(array, "large", 1, 0)


# --------------------------------------------------------------------------------------------------------------------
# Another user
# --------------------------------------------------------------------------------------------------------------------


def use_where_drafts_are_of_another() -> list[str]:
    drop_privileges()
    return use(1) + use(1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make folders of other users")
@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_a_folder_of_drafts_of_another_user(mode: int, open_place: Path) -> None:
    """Nothing is published by way of a folder that another user owns: results are kept in memory, with one warning."""
    work = open_place / ".work"
    work.mkdir(parents=True)
    os.chown(open_place, NOBODY, NOBODY)
    work.chmod(mode)
    (troubles,) = in_processes((use_where_drafts_are_of_another,))
    reason = f"the folder of drafts must belong to user {NOBODY}" if mode == 0o777 else "Permission denied"
    assert reason in troubles[0]
    assert str(work) in troubles[0]
    assert len(troubles) == 1
    assert os.listdir(work) == []
    assert list(open_place.rglob("*.stored")) == []
