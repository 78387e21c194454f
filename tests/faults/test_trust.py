"""Nobody else's code is run, no file elsewhere is touched, and nobody else's bytes become a result."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import pickle
import shutil
import signal
import socket
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colossus import settings as colossus_settings
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stored import StorageUser, StoredWarning, TableError, configure, keyed_by, stored, upkeep
from stored._storage.format import unpack
from stored._storage.limits import _schedules
from stored._storage.reports import clear_reports
from stored._storage.signing import sign
from stored.compat import colossus as drop_in
from stored.stores import DirectoryStore
from tests.faults.memory import forget_memory
from tests.faults.processes import here, in_processes
from tests.faults.test_places import NOBODY, drop_privileges
from tests.storage.entries import parts_of


class Day(datetime.date):
    """A date of a class of its own, which is pickled."""


MOMENT = Day(2000, 1, 1)
X = np.arange(9.0)


class Model:
    """An owner with results and objects of both kinds."""

    wrong = 0
    """What to add, for results that nobody must ever see."""

    def __init__(self, number: int = 1, name: str = "model") -> None:
        self.number, self.name = number, name
        self.su = StorageUser("trust", "rw", self.getName, self.getHashableString, None)

    def getName(self) -> str:
        return self.name

    def getHashableString(self) -> str:
        return str(self.number)

    @stored
    def pickled(self, x: int) -> datetime.date:
        return MOMENT + datetime.timedelta(self.number + x + Model.wrong)

    @stored
    def other(self, x: int) -> datetime.date:
        return MOMENT - datetime.timedelta(x)

    @stored
    def native(self, x: int) -> int:
        return self.number + x + Model.wrong


def trimmed() -> bool:
    with configure(max_age=0):
        return upkeep() is not None


METHODS = ("pickled", "other", "native")

OPERATIONS: dict[str, Callable[[], bool]] = {
    "call": lambda: Model().pickled(2) == MOMENT + datetime.timedelta(3),
    "native call": lambda: Model().native(2) == 3,
    "cached": lambda: Model().pickled.cached(2) is False,
    "refresh": lambda: Model().pickled.refresh(2) == MOMENT + datetime.timedelta(3),
    "explain": lambda: str(Model().native.explain(2)).startswith("model.native(x=2): miss"),
    "clear": lambda: Model().pickled.cache_clear() is None,
    "clear a call": lambda: Model().native.cache_clear(2) is None,
    "read": lambda: Model().su.getStoredObject("thing") is None,
    "read a table": lambda: Model().su.getStoredObject("table", path="table.txt").shape == (2, 9),
    "list": lambda: {each.partition("(")[0] for each in Model().su.listObjects()} <= {"thing", "table", *METHODS},
    "remove": lambda: Model().su.removeObject("thing") in {True, False},
    "upkeep": trimmed,
}


def store_all(root: Path) -> dict[str, bytes]:
    """Store a result and an object of each kind; which entries are there then?"""
    Model().pickled(2)
    Model().native(2)
    Model().su.storeObject("thing", MOMENT)
    Model().su.storeObject("table", np.array([X, X + Model.wrong]))
    return entries(root)


def entries(root: Path) -> dict[str, bytes]:
    """Names and contents; a module may be called as an entry is."""
    files = [file for file in root.rglob("*.stored") if file.is_file()]
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def put(content: bytes, *parts: str | Path) -> None:
    """Write a private file, and make the folders above it."""
    file = Path(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o600)


DRAFT = f".work/1-{'0' * 16}.draft"


def note_of(name: str) -> str:
    return f".work/{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}.waits"


def forget(*places: Path) -> None:
    """Begin anew: nothing is there or in memory, and nothing was reported or tidied."""
    forget_memory(Model)
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    clear_reports()
    _schedules.clear()


@contextlib.contextmanager
def reported(most: int) -> Iterator[list[str]]:
    """What is warned of within a block, by stored alone and not more often than so."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    messages += [str(each.message) for each in caught]
    assert all(issubclass(each.category, StoredWarning) for each in caught), messages
    assert len(messages) <= most, messages


class Blocked(BaseException):
    """Something waits for what never comes."""


@pytest.fixture(autouse=True)
def never_blocked() -> Iterator[None]:
    """Interrupt a test that blocks; generously, since slow is not blocked."""

    def interrupt(*_: object) -> None:
        raise Blocked

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def work_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the cache directory, with a table."""
    monkeypatch.chdir(tmp_path)
    np.savetxt("table.txt", np.array([X, X]).T)


# -- malicious pickles ------------------------------------------------------------------------------------------------


class Malicious:
    """Whoever loads its pickle makes a directory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("sentinel",)


@pytest.fixture
def malicious(work_place: None) -> Iterator[bytes]:
    """A pickle that can also be a file's name; in the end, nobody has loaded it."""
    malicious = pickle.dumps(Malicious(), protocol=0)
    pickle.loads(malicious)
    Path("sentinel").rmdir()  # so it works
    yield malicious
    assert not Path("sentinel").exists()


def forged(original: bytes, body: bytes, **items: Any) -> bytes:
    """An entry with another body, and other items in its description, under a right checksum."""
    return parts_of(original).change(**{"kind": "pickle", **items})._replace(body=body, buffers=None).joined()


def signed_by_another(original: bytes, body: bytes) -> bytes:
    return forged(original, body, signature=sign(b"another key of thirty-two bytes.", unpack(original).key, body))


PLACES: dict[str, Callable[[Path, str, bytes, bytes], object]] = {
    "entry": lambda root, name, original, evil: put(evil, root, name),
    "unsigned": lambda root, name, original, evil: put(forged(original, evil, signature=None), root, name),
    "wrongly signed": lambda root, name, original, evil: put(forged(original, evil, signature="0" * 64), root, name),
    "signed for the original": lambda root, name, original, evil: put(forged(original, evil), root, name),
    "signed by another": lambda root, name, original, evil: put(signed_by_another(original, evil), root, name),
    "native": lambda root, name, original, evil: put(forged(original, evil, kind="native"), root, name),
    "shared entry": lambda root, name, original, evil: put(evil, "shared", name),
    "shared and unsigned": lambda root, name, original, evil: put(forged(original, evil, signature=""), "shared", name),
    "mark": lambda root, name, original, evil: put(evil, root, f"{name}.removed"),
    "lock": lambda root, name, original, evil: put(evil, root, ".work/locks"),
    "size": lambda root, name, original, evil: put(evil, root, ".work/size"),
    "note": lambda root, name, original, evil: put(evil, root, note_of(name)),
    "draft": lambda root, name, original, evil: put(evil, root, DRAFT),
    "hidden file": lambda root, name, original, evil: put(evil, (root / name).with_name(".hidden.stored")),
    "name": lambda root, name, original, evil: put(b"", (root / name).parent, evil.decode(), f"{evil.decode()}.stored"),
    "key file": lambda root, name, original, evil: put(evil, here()["key_file"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_malicious_pickle_is_never_loaded(place: str, malicious: bytes, cache_dir: Path) -> None:
    """Wherever it stands, whatever is done then does not load it, and gives the right result with one warning."""
    with configure(shared_dirs=["shared"]) as now:
        originals = store_all(cache_dir)
        secret = now.key_file.read_bytes()
        for name, operation in OPERATIONS.items():
            forget(cache_dir, Path("shared"))
            put(secret, now.key_file)
            for entry, original in originals.items():
                PLACES[place](cache_dir, entry, original, malicious)
            with reported(1):
                assert operation(), name


@pytest.mark.parametrize("place", ["entry", "unsigned", "signed by another", "native", "hidden file"])
def test_a_malicious_pickle_among_those_of_colossus(
    place: str, malicious: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drop-in module loads neither the cache file of Colossus for its owner nor an entry that nobody has signed."""
    monkeypatch.setattr(colossus_settings, "BASE_DIR", ".")
    user = drop_in.StorageUser("trust", "rw", lambda: "model", lambda: "string", None)
    root = Path(drop_in.getCacheDir())
    user.storeObject("thing", MOMENT)
    ((name, original),) = entries(root).items()
    PLACES[place](root, name, original, malicious)
    put(malicious, root, "trust", f"model_{hashlib.md5(b'string').hexdigest()}")
    if place == "hidden file":
        (root / name).unlink()
    with reported(1):
        user.resetStorage()
        assert user.getStoredObject("thing") is None
        assert dict(user.storage_pers) == {}
        assert set(user.listObjects()) <= {"thing"}
    with reported(0):
        user.storeObject("thing", MOMENT)
        user.resetStorage()
        assert dict(user.storage_pers) == {"thing": MOMENT}
        assert user.removeObject("thing")


def test_a_malicious_pickle_for_a_table(malicious: bytes) -> None:
    """A file to read a table from is read as text, and that is all."""
    put(malicious, "table.txt")
    with pytest.raises(TableError, match=r"'table\.txt' is not a table of two columns"):
        Model().su.getStoredObject("table", path="table.txt")


# -- moved pickles ----------------------------------------------------------------------------------------------------

THINGS: dict[str, tuple[Callable[[], object], Callable[[], object], object]] = {
    "a call": (lambda: Model().pickled(2), lambda: Model().pickled(2), MOMENT + datetime.timedelta(3)),
    "an argument": (lambda: Model().pickled(3), lambda: Model().pickled(3), MOMENT + datetime.timedelta(4)),
    "an owner": (lambda: Model(5).pickled(2), lambda: Model(5).pickled(2), MOMENT + datetime.timedelta(7)),
    "a name": (lambda: Model(9, "n").pickled(2), lambda: Model(9, "n").pickled(2), MOMENT + datetime.timedelta(11)),
    "a method": (lambda: Model().other(2), lambda: Model().other(2), MOMENT - datetime.timedelta(2)),
    "an object": (
        lambda: Model().su.storeObject("pickled", MOMENT),
        lambda: Model().su.getStoredObject("pickled"),
        None,
    ),
}


def only_entry(root: Path, make: Callable[[], object]) -> tuple[str, bytes]:
    forget(root)
    make()
    (found,) = entries(root).items()
    return found


@pytest.mark.parametrize("way", ["renamed", "under its key"])
@pytest.mark.parametrize(
    ("source", "target"), [pair for other in list(THINGS)[1:] for pair in (("a call", other), (other, "a call"))]
)
def test_a_pickle_moved_to_another_key_is_refused(source: str, target: str, way: str, cache_dir: Path) -> None:
    """One's own signed pickle, in the place of another with its own key or with that one's, is a miss with a warning.

    An older entry of the same key, put back, cannot be distinguished from the one that replaced it, and is accepted.
    """
    make, read, right = THINGS[target]
    _, moved = only_entry(cache_dir, THINGS[source][0])
    name, own = only_entry(cache_dir, make)
    assert unpack(moved).description().kind == unpack(own).description().kind == "pickle"
    if way == "under its key":
        moved = parts_of(moved)._replace(key=unpack(own).key).joined()
    put(moved, cache_dir, name)
    forget_memory(Model)
    with reported(1) as messages:
        assert read() == right
    forget_memory(Model)
    assert name in messages[0]
    assert ("belongs to another result" if way == "renamed" else "not signed with your key for this") in messages[0]
    with reported(0):
        assert read() == right


# -- the key file -----------------------------------------------------------------------------------------------------


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def trouble(file: Path) -> None:
        file.rename(file.with_name("before"))
        make(file)

    return trouble


TROUBLES: dict[str, Callable[[Path], object]] = {
    "0644": lambda file: file.chmod(0o644),
    "0640": lambda file: file.chmod(0o640),
    "0660": lambda file: file.chmod(0o660),
    "link": replaced(lambda file: file.symlink_to("before")),
    "pipe": replaced(lambda file: os.mkfifo(file, 0o600)),
    "directory": replaced(lambda file: file.mkdir(0o700)),
    "short": lambda file: put(b"x" * 31, file),
    "empty": lambda file: put(b"", file),
    "of an earlier release": lambda file: put(b"x" * 32, file),
    "another file": lambda file: put(file.read_bytes() + b"x", file),
    "folder open to a group": lambda file: file.parent.chmod(0o770),
    "folder open to others": lambda file: file.parent.chmod(0o703),
    **({"folder of another": lambda file: os.chown(file.parent, 12345, -1)} if os.geteuid() == 0 else {}),
    **({"another's": lambda file: os.chown(file, 12345, -1)} if os.geteuid() == 0 else {}),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_untrusted_key_file_neither_signs_nor_verifies(trouble: str, cache_dir: Path) -> None:
    """Pickles are then computed anew and not stored, with warnings that name the file and the remedy; others are."""
    file = here()["key_file"]
    store_all(cache_dir)
    TROUBLES[trouble](file)
    forget_memory(Model)
    with reported(2) as messages:
        assert OPERATIONS["call"]()
    assert len(messages) == 2  # that it was not loaded, and that it was not stored
    remedies = ("delete it", "chmod 600", "chmod go-w")
    assert all(f"key file {file}" in each and any(map(each.__contains__, remedies)) for each in messages)
    with reported(0):  # it is one trouble, however many results it costs
        assert Model().other(2) == MOMENT - datetime.timedelta(2)
        assert Model().su.getStoredObject("thing") is None
        Model().su.storeObject("thing", MOMENT)
        assert upkeep() is not None
    forget_memory(Model)
    model = Model()
    with reported(0):
        assert (model.native(2), model.native(3)) == (3, 4)
    assert (model.native.cache_info().persistent_hits, model.native.cache_info().stores) == (1, 1)
    file.rmdir() if trouble == "directory" else file.unlink()
    os.chown(file.parent, os.geteuid(), -1)
    file.parent.chmod(0o700)
    forget_memory(Model)
    with reported(0):
        assert OPERATIONS["call"]()
    forget_memory(Model)
    assert Model().pickled.cached(2)


# -- another user -----------------------------------------------------------------------------------------------------

STRANGER = 12345
KNOWN = b"0123456789abcdef" * 2
"""The content of a file that the user has, and others know."""


class Exploit:
    """Whoever loads its pickle leaves a file that says who it was."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.place / "fired",)


def begin_carelessly(key_file: Path, cache: Path) -> tuple[str, bytes]:
    """A user stores a pickle, has a file of 32 bytes, and opens both folders to a group; which entry is there?"""
    drop_privileges()
    Model().su.storeObject("thing", MOMENT)
    put(KNOWN, cache, note_of("name"))
    for folder in (key_file.parent, cache, cache / ".work"):
        folder.chmod(0o770)
    ((name, entry),) = entries(cache).items()
    return name, entry


def exchange_key(key_file: Path, cache: Path, name: str, evil: bytes) -> None:
    """Another user of the group puts the known file in place of the key, and a folder of his own in the cache."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(STRANGER)
    (cache / note_of("name")).rename(key_file)
    (cache / name.split("/")[0]).rename(cache / "away")
    put(evil, cache, name)
    (cache / name).chmod(0o644)


def read_and_store(key_file: Path, mode: int) -> list[str]:
    """The user reads the entry and stores it again; what is reported?"""
    drop_privileges()
    key_file.parent.chmod(mode)
    with reported(2) as messages:
        assert Model().su.getStoredObject("thing") is None
        user = Model().su
        user.storeObject("thing", MOMENT)
        assert user.getStoredObject("thing") == MOMENT
    return messages


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")
@pytest.mark.parametrize("mode", [0o770, 0o700])
def test_no_file_of_the_user_serves_another_user_as_the_key(mode: int) -> None:
    """Whoever can write to both folders runs no code as their owner, also if the folder is closed too late."""
    place = Path(tempfile.mkdtemp())
    os.chown(place, NOBODY, NOBODY)
    place.chmod(0o711)
    key_file, cache = place / "config" / "key", place / "cache"
    with configure(key_file=key_file, cache_dir=cache):
        ((name, entry),) = in_processes((begin_carelessly, key_file, cache))
        body = pickle.dumps(Exploit(place))
        evil = forged(entry, body, signature=sign(KNOWN, unpack(entry).key, body))
        in_processes((exchange_key, key_file, cache, name, evil))
        (messages,) = in_processes((read_and_store, key_file, mode))
    assert not (place / "fired").exists()
    assert len(messages) == 2
    assert all(("chmod go-w" if mode == 0o770 else "is not a key") in each for each in messages)
    shutil.rmtree(place)


# -- names ------------------------------------------------------------------------------------------------------------

NASTY = ("../../x", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "a_b", "\0", "con", "é" * 300, "n" * 300, "...", "~")
NASTY += (".work", ".lock", "x", "x.removed", "x.stored", "x-", "\ud800", "\n", "*", "-rf", "decoy", "../decoy", "A/B")

names = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=()), max_size=60)

_touched: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _touched is not None and (event == "open" or event.startswith("os.")):
        paths = arguments[:1] if event == "open" else arguments  # after a path, its mode
        _touched.extend(os.fsdecode(path) for path in paths if isinstance(path, str | bytes | os.PathLike))


sys.addaudithook(_audit)


@contextlib.contextmanager
def within(root: Path) -> Iterator[None]:
    """No file is opened, listed, made, changed or removed in this block but in a directory, and beside the key.

    The directory is made in the one above, which is opened for this.
    """
    global _touched
    _touched = touched = []
    try:
        yield
    finally:
        _touched = None
    assert touched
    # files are opened by name in folders that were opened before, part by part, without following links
    paths = [path for path in touched if "/" in path or path in {"", ".", ".."}]
    strays = [path for path in paths if not Path(os.path.abspath(path)).is_relative_to(root)]
    assert set(strays) <= {str(here()["key_file"].parent), str(root.parent)}


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, names, names, names), min_size=2, max_size=5, unique=True))
@example([(name, "x", "x", "x") for name in NASTY])
@example([("x", name, "x", "x") for name in NASTY])
@example([("x", "x", name, "x") for name in NASTY])
@example([("x", "x", "x", name) for name in NASTY])
@example([(name, name, name, name) for name in NASTY])
def test_no_name_of_a_space_leads_elsewhere(identities: list[tuple[str, str, str, str]]) -> None:
    """Whatever module, owner, string and object are called, all is done within the directory, and all are different."""
    root = here()["cache_dir"]
    forget(root)

    def user(module: str, name: str, string: str, _: str) -> StorageUser:
        return StorageUser(module, "rw", lambda: name, lambda: string, None)

    with within(root):
        for identity in identities:
            user(*identity).storeObject(identity[-1], repr(identity))
        for identity in identities:
            assert user(*identity).getStoredObject(identity[-1]) == repr(identity)
            assert identity[-1] in user(*identity).listObjects()
        assert user(*identities[0]).removeObject(identities[0][-1])
        assert user(*identities[0]).getStoredObject(identities[0][-1]) is None
        upkeep()
    assert len(entries(root)) == len(identities) - 1


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, names), min_size=2, max_size=5, unique=True))
@example([(name, "x") for name in NASTY])
@example([("x", name) for name in NASTY])
def test_no_name_or_argument_of_a_method_leads_elsewhere(calls: list[tuple[str, str]]) -> None:
    """Whatever methods and arguments are called, all is done within the directory, and all are different."""

    def model(method: str) -> Any:
        @keyed_by("number", module=method, name=method)
        class Named:
            number = 1

            @stored(method or None, version="1")
            def call(self, x: str) -> list[str]:
                return [self.label, x]

            label = method

        return Named()

    root = here()["cache_dir"]
    forget(root)
    with within(root):
        for method, x in calls:
            assert model(method).call(x) == [method, x]
        for method, x in calls:
            found = model(method)
            assert found.call(x) == [method, x]
            assert found.call.cache_info().persistent_hits == 1
        found.call.cache_clear()
        assert not model(method).call.cached(x)
        upkeep()


# -- links ------------------------------------------------------------------------------------------------------------


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    """All there is in a directory, by path."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
        for path in root.rglob("*")
    }


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A directory with wrong results for every key, a lock and a draft; it stays as it is."""
    directory = tmp_path / "outside"
    with pytest.MonkeyPatch.context() as patch, configure(cache_dir=directory):
        patch.setattr(Model, "wrong", 100)
        for name in store_all(directory):
            put(b"the note of somebody else, of more than 32 bytes", directory, note_of(name))
    put(b"decoy", directory, DRAFT)
    put(b"decoy", directory, "file")
    before = tree(directory)
    yield directory
    assert tree(directory) == before


LINKS: dict[str, Callable[[str], str]] = {
    "module folder": lambda name: name.split("/")[0],
    "owner folder": lambda name: name.rpartition("/")[0],
    "entry": lambda name: name,
    "work folder": lambda name: ".work",
    "lock": lambda name: ".work/locks",
    "size": lambda name: ".work/size",
    "note": note_of,
    "draft": lambda name: DRAFT,
}


@pytest.mark.parametrize("target", ["its like", "a file", "nothing"])
@pytest.mark.parametrize("link", LINKS)
def test_no_link_is_followed(link: str, target: str, outside: Path, cache_dir: Path) -> None:
    """Where a link leads, nothing is read as a result, changed or removed; results are right, with one warning."""
    for name, operation in OPERATIONS.items():
        forget(cache_dir)
        for entry in entries(outside):
            path = LINKS[link](entry)
            place = cache_dir / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_symlink():
                place.symlink_to(outside / {"its like": path, "a file": "file", "nothing": "nothing"}[target])
        refused = contextlib.suppress(OSError) if operation is trimmed else contextlib.nullcontext()
        with reported(1), refused:
            assert operation(), name


def test_no_listing_follows_a_link(outside: Path, cache_dir: Path) -> None:
    """A folder that is a link is not listed, neither a module's nor an owner's."""
    for name in entries(outside):
        for folder in (name.split("/")[0], name.rpartition("/")[0]):
            forget(cache_dir)
            (cache_dir / folder).parent.mkdir(parents=True, exist_ok=True)
            (cache_dir / folder).symlink_to(outside / folder)
            with contextlib.suppress(OSError):
                assert list(DirectoryStore(cache_dir).names(folder)) == []


def test_a_lock_is_no_other_name_of_a_file_elsewhere(outside: Path, cache_dir: Path) -> None:
    """What a hard link in the place of a lock leads to keeps its content, and results are right."""
    for name, operation in OPERATIONS.items():
        forget(cache_dir)
        (cache_dir / ".work").mkdir(parents=True)
        for entry in entries(outside):
            os.link(outside / "file", cache_dir / note_of(entry))
        for each in ("locks", "size"):
            os.link(outside / "file", cache_dir / ".work" / each)
        with reported(1):
            assert operation(), name


def test_a_cache_directory_may_be_a_link(cache_dir: Path, tmp_path: Path) -> None:
    """That is its user's choice: what it leads to is the cache directory."""
    (tmp_path / "real").mkdir(mode=0o700)
    cache_dir.symlink_to("real")
    with reported(0):
        stored_there = store_all(cache_dir)
        forget_memory(Model)
        assert all(Model().su.getStoredObject(name) is not None for name in ("thing", "table"))
        assert Model().pickled.cached(2)
        assert upkeep().entries == len(stored_there) == len(entries(tmp_path / "real")) == 4


# -- what is no file --------------------------------------------------------------------------------------------------


def make_socket(place: Path) -> None:
    with contextlib.chdir(place.parent), socket.socket(socket.AF_UNIX) as made:  # the path of a socket must be short
        made.bind(place.name)


def make_device(place: Path) -> None:
    os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero, which never ends


SPECIAL: dict[str, Callable[[Path], None]] = {
    "pipe": lambda place: os.mkfifo(place, 0o600),
    "socket": make_socket,
    "directory": lambda place: place.mkdir(0o700),
    **({"device": make_device} if os.geteuid() == 0 else {}),
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("place", [*LINKS, "mark", "key file"])
def test_nothing_waits_for_what_is_no_file(kind: str, place: str, cache_dir: Path, tmp_path: Path) -> None:
    """In the place of any file or folder it costs one warning, and neither a result nor an end."""
    originals = store_all(cache_dir)
    for name, operation in OPERATIONS.items():
        forget(cache_dir, here()["key_file"].parent)
        for entry in originals:
            paths = {**LINKS, "mark": lambda entry: f"{entry}.removed", "key file": lambda _: here()["key_file"]}
            path = cache_dir / paths[place](entry)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(path):
                try:
                    SPECIAL[kind](path)
                except PermissionError:
                    pytest.skip("this system makes no devices")
        refused = contextlib.suppress(OSError) if operation is trimmed else contextlib.nullcontext()
        with reported(1), refused, configure(shared_dirs=[tmp_path / "shared"]):
            assert operation(), name


@pytest.mark.parametrize("kind", [*SPECIAL, "link"])
def test_upkeep_goes_on_whatever_stands_among_drafts(kind: str, cache_dir: Path) -> None:
    """What is no file there keeps no result from being removed, and if it stays, nobody hears of it twice."""
    store_all(cache_dir)
    place = cache_dir / DRAFT
    place.symlink_to("nothing") if kind == "link" else SPECIAL[kind](place)
    with configure(max_age=0):
        assert [upkeep().removed_entries for _ in range(2)] == [4, 0]


# -- open to the world ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775, 0o777, 0o1777, 0o702])
def test_a_directory_that_everybody_can_write_to_is_reported(mode: int, cache_dir: Path) -> None:
    """Whoever stores there or reads it is warned once, with the directory and the remedy; of a private one, nothing."""
    cache_dir.mkdir()
    cache_dir.chmod(mode)
    with reported(1) as messages:
        for _ in range(2):
            store_all(cache_dir)
            assert Model().su.getStoredObject("thing") == MOMENT
    assert [f"{cache_dir} can be written to by everybody" in each and "chmod o-w" in each for each in messages] == (
        [True] if mode & 0o002 else []
    )


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_shared_directory_that_everybody_can_write_to_is_reported(mode: int, tmp_path: Path) -> None:
    """Whoever reads it is warned once, with the shared directory and the remedy."""
    shared = tmp_path / "shared"
    with configure(cache_dir=shared):
        store_all(shared)
    shared.chmod(mode)
    forget()
    with reported(1) as messages, configure(shared_dirs=[shared]):
        for _ in range(2):
            assert Model().pickled.cached(2)
            Model().pickled.refresh(2)
    assert [f"{shared} can be written to by everybody" in each and "chmod o-w" in each for each in messages] == (
        [True] if mode & 0o002 else []
    )
