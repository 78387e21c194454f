"""StorageUser, and the persistent tier beneath it."""

from __future__ import annotations

import contextlib
import copy
import functools
import gc
import inspect
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

import stored
from stored import (
    ConfigurationError,
    EntryWarning,
    OwnerError,
    PersistenceWarning,
    StorageUser,
    TableError,
    TableWarning,
    configure,
    getCacheDir,
)
from stored._engine import described_instead, rebound_user
from stored._engine import user as user_module
from stored._engine.snapshot import UserSnapshot
from stored._engine.state import State
from stored._keys.result_key import Key, Space
from stored._settings import settings
from stored._storage import keys_of_same_method
from stored._storage.codecs import encode
from stored._storage.disk import PersistentTier
from stored._storage.format import pack
from stored._storage.memory import CachedResult, MemoryTier
from stored.stores import DirectoryStore, MemoryStore
from stored.typing import ABSENT

X = np.linspace(0.0, 4.0, 9)
CURVE = np.array([X, X**3])
FALLING = np.array([X, 100 - X**3])
SURFACE = (X, X[:6], X[:, None] ** 2 + X[None, :6])
AT = np.linspace(0.0, 4.0, 33)
for each in (CURVE, FALLING, *SURFACE):
    each.flags.writeable = False  # shared by tests


class Model:
    """An owner as the storage module of Colossus asks for it."""

    def __init__(self, n: float = 1.0, persistence: str = "rw", user_class: Any = StorageUser, name: str = "m") -> None:
        self.n = n
        self.name = name
        self.told: list[float] = []
        self.on_change: Callable[[], object] = lambda: None
        self.su = user_class("engine", persistence, self.getName, self.getHashableString, self.reportChanges)

    def getName(self) -> str:
        return self.name

    def getHashableString(self) -> str:
        return f"model {self.n!r}"

    def reportChanges(self) -> None:
        self.told.append(self.n)
        self.on_change()


def found(name: str, n: float = 1.0) -> Any:
    """What another user of the same directory finds."""
    return Model(n).su.getStoredObject(name)


def repeat(function: Callable[[], Any]) -> list[Any]:
    return [function(), function(), function()]


def entries(directory: Path) -> list[Path]:
    return sorted(each for each in directory.rglob("*") if each.is_file())


def entry_of(directory: Path, name: str) -> Path:
    (entry,) = directory.rglob(f"{name}-*.stored")
    return entry


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    file = tmp_path / "table.txt"
    np.savetxt(file, CURVE.T, header="x y")
    return file


# -- making one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persistence", ["rw", "wr", "r", "w", ""])
def test_every_persistence_is_accepted(persistence: str) -> None:
    """Any combination of r and w makes a user, and reads and writes say which."""
    user = Model(persistence=persistence).su
    assert user.persistence_read is ("r" in persistence)
    assert user.persistence_write is ("w" in persistence)


@pytest.mark.parametrize("persistence", ["x", "rwx", "R", " ", True, False, None, 1, ["r"]])
def test_any_other_persistence_is_an_error(persistence: Any) -> None:
    """The error shows what was given, bools too, and lists all that is allowed."""
    with pytest.raises(ConfigurationError, match=r"persistence is .*'rw'.*'r'.*'w'.*''") as caught:
        Model(persistence=persistence)
    assert repr(persistence) in str(caught.value)


@pytest.mark.parametrize(("letters", "reads", "writes"), [("rw", 1, 1), ("r", 1, 0), ("w", 0, 1), ("", 0, 0)])
def test_settings_take_letters_away(letters: str, reads: bool, writes: bool) -> None:
    """The settings of the process can only lower what a user may do."""
    with configure(persistence=letters):
        assert (Model().su.persistence_read, Model().su.persistence_write) == (reads, writes)
        assert not Model(persistence="").su.persistence_read
        assert not Model(persistence="").su.persistence_write


def test_what_each_persistence_does(cache_dir: Path) -> None:
    """Without w nothing is written, without r nothing is read from disk, and memory serves in every case."""
    for persistence in ("", "r"):
        user = Model(persistence=persistence).su
        user.storeObject("a", 1)
        assert user.getStoredObject("a") == 1
        assert not entries(cache_dir)
    user = Model(persistence="w").su
    user.storeObject("a", 1)
    assert user.getStoredObject("a") == 1
    assert found("a") == 1
    user.resetStorage()
    assert user.getStoredObject("a") is None
    assert user.listObjects() == []
    assert Model(persistence="r").su.getStoredObject("a") == 1


def test_disabled_means_memory_only(cache_dir: Path) -> None:
    """While stored is disabled, objects are kept in memory, and the disk is neither read nor written."""
    Model().su.storeObject("before", 1)
    with configure(disable=True):
        user = Model().su
        user.storeObject("a", 2)
        assert user.getStoredObject("a") == 2
        assert user.getStoredObject("before") is None
        assert user.listObjects() == ["a"]
        assert len(entries(cache_dir)) == 1
    assert found("before") == 1


@pytest.mark.parametrize("position", [2, 3, 4])
def test_functions_must_be_callable(position: int) -> None:
    """The error names the parameter; only func_changed may be None."""
    arguments: list[Any] = ["engine", "rw", lambda: "n", lambda: "h", None]
    arguments[position] = "not a function"
    name = ("func_name", "func_hashstring", "func_changed")[position - 2]
    with pytest.raises(OwnerError, match=f"{name} is 'not a function'"):
        StorageUser(*arguments)
    if position < 4:
        arguments[position] = None
        with pytest.raises(OwnerError, match=f"{name} is None"):
            StorageUser(*arguments)


@pytest.mark.parametrize("found", [None, 1, b"text"])
def test_functions_must_return_text(found: Any) -> None:
    """The error names the function and what it returned, at once and later."""
    with pytest.raises(OwnerError, match=r"func_name\(\) returned .*; it must return a str"):
        StorageUser("engine", "rw", lambda: found, lambda: "h", None)
    string: Any = "h"
    user = StorageUser("engine", "rw", lambda: "n", lambda: string, None)
    string = found
    with pytest.raises(OwnerError, match=r"func_hashstring\(\) returned .*; it must return a str"):
        user.getStoredObject("a")


@pytest.mark.parametrize("name", [None, 1, b"a", ["a"]])
def test_names_must_be_text(name: Any) -> None:
    """Module and object names that are no text are a TypeError that shows them, in every method."""
    with pytest.raises(TypeError, match=r"module is .*; it must be a str"):
        StorageUser(name, "rw", lambda: "n", lambda: "h", None)
    user = Model().su
    for call in (user.getStoredObject, user.removeObject, lambda name: user.storeObject(name, 1)):
        with pytest.raises(TypeError, match=r"object_name is .*; it must be a str"):
            call(name)


def test_signatures_are_the_originals() -> None:
    """Every parameter of the original's methods has its place and its default."""
    from colossus.utils import storage

    for name in ("__init__", "getHash", "getUniqueFilename", "checkForChangedHash", "resetStorage", "storeObject"):
        original = inspect.signature(getattr(storage.StorageUser, name)).parameters.values()
        ours = inspect.signature(getattr(StorageUser, name)).parameters.values()
        assert [(each.name, each.default) for each in ours] == [(each.name, each.default) for each in original]
    original = inspect.signature(storage.StorageUser.getStoredObject).parameters.values()
    ours = inspect.signature(StorageUser.getStoredObject).parameters.values()
    assert [(each.name, each.default) for each in ours] == [(each.name, each.default) for each in original]
    assert list(inspect.signature(getCacheDir).parameters) == ["module"]


def test_repr_names_owner_and_digest() -> None:
    """The repr tells module, name and digest."""
    user = Model().su
    assert repr(user) == f"<StorageUser engine/m {user.getHash()}>"


# -- keys and places --------------------------------------------------------------------------------------------------


def test_the_hash_follows_the_string() -> None:
    """The digest has 32 hex digits, is the same for equal strings and differs for others."""
    model = Model(1.0)
    first = model.su.getHash()
    assert len(first) == 32
    int(first, 16)
    model.n = 2.0
    assert model.su.getHash() != first
    assert model.su.getHash() == Model(2.0).su.getHash()


def test_the_unique_filename_is_where_entries_are(cache_dir: Path) -> None:
    """It lies in the module's directory, contains all entries, and follows name and parameters."""
    model = Model()
    model.su.storeObject("a", 1)
    place = model.su.getUniqueFilename()
    assert entry_of(cache_dir, "a").is_relative_to(place)
    assert place.startswith(getCacheDir("engine"))
    model.n = 2.0
    assert model.su.getUniqueFilename() != place
    assert Model(name="other").su.getUniqueFilename() != place


def test_the_cache_directory_is_made(cache_dir: Path) -> None:
    """The directory is given, or a module's, made for its owner only and with a slash at the end."""
    assert getCacheDir() == f"{cache_dir}/"
    place = getCacheDir("engine")
    assert place == f"{cache_dir}/engine/"
    assert Path(place).stat().st_mode & 0o777 == 0o700
    assert Path(getCacheDir("../elsewhere")).resolve().is_relative_to(cache_dir.resolve())


def test_a_store_without_a_directory_has_none() -> None:
    """With entries elsewhere, getCacheDir says so, and a StorageUser works all the same."""
    with configure(store=MemoryStore()):
        with pytest.raises(ConfigurationError, match="which has no directory"):
            getCacheDir()
        Model().su.storeObject("a", 1)
        assert found("a") == 1
        assert Model().su.getUniqueFilename().startswith("memory:engine/")
    assert found("a") is None


def test_module_name_and_string_all_separate() -> None:
    """Users that differ in module, name or string share nothing, even if the parts joined are the same."""
    spaces = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("A", "b", "c"), ("a/", "b", "c"), ("a.", "b", "c")]

    def user(parts: tuple[str, str, str]) -> StorageUser:
        return StorageUser(parts[0], "rw", lambda: parts[1], lambda: parts[2], None)

    for number, parts in enumerate(spaces):
        user(parts).storeObject("x", number)
    assert [user(parts).getStoredObject("x") for parts in spaces] == list(range(len(spaces)))


NAMES = ["", "a", "A", "a/b", "..", "/etc/passwd", "x_interpolator", "colossus_version", "\0", "é", "\udc80", "n" * 500]


def test_any_text_is_a_name() -> None:
    """Names that no file could have are stored and found, each for itself."""
    user = Model().su
    for number, name in enumerate(NAMES):
        user.storeObject(name, number)
    other = Model().su
    assert [other.getStoredObject(name) for name in NAMES] == list(range(len(NAMES)))
    assert other.listObjects() == sorted(NAMES)


# -- storing and finding ----------------------------------------------------------------------------------------------

VALUES = [
    None,
    False,
    2**70,
    1.5,
    float("inf"),
    2j,
    "text",
    b"bytes",
    [2.6, 9.5],
    (1, [2, {3}]),
    {"a": 1, 2: None},
    np.float32(2.5),
    CURVE,
    np.arange(6).reshape(2, 3).T,
    SURFACE,
    np.zeros((0, 3)),
]


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_what_is_stored_is_found(value: Any, persistent: bool) -> None:
    """Every value comes back equal and of its type, from memory and, if persistent, from disk."""
    user = Model().su
    assert user.storeObject("a", value, persistent=persistent) is None
    for again in [user] + [Model().su] * persistent:
        back = again.getStoredObject("a")
        assert type(back) is type(value)
        assert repr(back) == repr(value)
    if not persistent:
        assert found("a") is None


def test_nothing_stored_is_none() -> None:
    """An unknown name gives None, with and without an interpolator asked for."""
    user = Model().su
    assert user.getStoredObject("nothing") is None
    assert user.getStoredObject("nothing", interpolator=True, inverse=True) is None
    user.storeObject("nothing", None)
    assert user.getStoredObject("nothing") is None
    assert user.listObjects() == ["nothing"]


def test_the_latest_store_counts() -> None:
    """A name has the value stored last, whether that is persistent or not."""
    user = Model().su
    user.storeObject("a", 1)
    user.storeObject("a", 2, persistent=False)
    assert user.getStoredObject("a") == 2
    user.storeObject("a", 3)
    assert user.getStoredObject("a") == 3
    assert found("a") == 3


def test_a_memory_only_object_hides_a_persistent_one_until_the_reset() -> None:
    """What persistent=False has hidden is found again when memory is reset."""
    user = Model().su
    user.storeObject("a", 1)
    user.storeObject("a", 2, persistent=False)
    assert found("a") == 1
    user.resetStorage()
    assert user.getStoredObject("a") == 1


class Custom:
    """Neither plain data nor an array: pickled."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Custom) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


def test_other_objects_are_pickled_and_signed() -> None:
    """An object of any class is found by a user with the same key, and by none with another."""
    Model().su.storeObject("custom", Custom(3))
    assert found("custom") == Custom(3)


def test_a_pickle_signed_with_another_key_is_not_loaded(tmp_path: Path) -> None:
    """With another key the entry is a miss with one warning; with the old key it is there again."""
    Model().su.storeObject("custom", Custom(3))
    with configure(key_file=tmp_path / "other"):
        with pytest.warns(EntryWarning, match="not signed with your key") as caught:
            assert found("custom") is None
        assert [each.filename for each in caught] == [__file__]
    assert found("custom") == Custom(3)


def test_without_a_key_pickles_are_kept_in_memory(tmp_path: Path, cache_dir: Path) -> None:
    """When the key cannot be read or made, pickled objects lose persistence only, and plain ones nothing."""
    Model().su.storeObject("custom", Custom(3))
    (tmp_path / "blocked").write_text("a file where a directory is needed")
    with configure(key_file=tmp_path / "blocked" / "key"):
        user = Model(2.0).su
        with pytest.warns(PersistenceWarning, match="kept in memory only.*the key that signs pickles") as caught:
            user.storeObject("other", Custom(4))
        assert user.getStoredObject("other") == Custom(4)
        with pytest.warns(EntryWarning, match="the key that signs pickles cannot be read"):
            assert found("custom") is None
        user.storeObject("plain", [1, 2])
        assert found("plain", 2.0) == [1, 2]
    assert [each.filename for each in caught] == [__file__]
    assert found("custom") == Custom(3)


def test_what_cannot_be_pickled_is_kept_in_memory() -> None:
    """An object without any stored form is found in memory, with one PersistenceWarning at the caller's line."""
    user = Model().su
    value = threading.Lock()
    with pytest.warns(PersistenceWarning, match="object 'lock' is kept in memory only: .*cannot be pickled") as caught:
        repeat(lambda: user.storeObject("lock", value))
    assert [(each.category, each.filename) for each in caught] == [(PersistenceWarning, __file__)]
    assert user.getStoredObject("lock") is value
    assert found("lock") is None


def test_a_value_that_cannot_be_written_leaves_no_older_one() -> None:
    """After storing what cannot be pickled, another process does not find what it replaced."""
    user = Model().su
    user.storeObject("a", 1)
    with pytest.warns(PersistenceWarning, match="kept in memory only"):
        user.storeObject("a", threading.Lock())
    assert found("a") is None


# -- removing and listing ---------------------------------------------------------------------------------------------


def test_removing_forgets_memory_and_disk() -> None:
    """A removed object is gone for everyone, and removeObject tells whether there was one."""
    user = Model().su
    user.storeObject("disk", 1)
    user.storeObject("memory", 2, persistent=False)
    assert user.removeObject("disk") is True
    assert user.removeObject("memory") is True
    assert user.removeObject("disk") is False
    assert user.removeObject("never") is False
    assert user.getStoredObject("disk") is None
    assert found("disk") is None
    assert user.listObjects() == []


def test_a_reader_removes_from_memory_only() -> None:
    """Without w, the entry on disk stays and is found again."""
    Model().su.storeObject("a", 1)
    reader = Model(persistence="r").su
    assert reader.removeObject("a") is False
    assert reader.getStoredObject("a") == 1
    assert reader.removeObject("a") is True
    assert reader.getStoredObject("a") == 1


def test_removing_drops_interpolators() -> None:
    """Without its table there is no interpolator."""
    user = Model().su
    user.storeObject("xy", CURVE)
    user.getStoredObject("xy", interpolator=True)
    user.removeObject("xy")
    assert user.getStoredObject("xy", interpolator=True) is None


def test_listing_shows_what_is_found() -> None:
    """Names in memory and on disk, each once, sorted; none of other owners, other parameters or decorated methods."""

    class Owner(Model):
        @stored.stored
        def method(self) -> int:
            return 1

    owner = Owner()
    owner.method()
    owner.su.storeObject("b", 1)
    owner.su.storeObject("c", 1, persistent=False)
    Model(2.0).su.storeObject("other", 1)
    assert owner.su.listObjects() == ["b", "c"]
    assert Model().su.listObjects() == ["b"]
    assert Model(persistence="w").su.listObjects() == []


def test_listing_passes_over_what_is_not_ours(cache_dir: Path) -> None:
    """Foreign files, renamed entries and entries without a full key are not listed."""
    user = StorageUser("engine", "rw", lambda: "m", lambda: "long " * 2000, None)  # its header exceeds one read
    user.storeObject("a", 1)
    user.storeObject("b", 1)
    b = entry_of(cache_dir, "b")
    b.rename(b.with_name("b-0.stored"))
    (b.parent / "foreign.stored").write_bytes(b"not an entry")
    (b.parent / "empty.stored").write_bytes(b"")
    key = Key(Space("engine", "m", "long " * 2000), "c")
    for name, found in (("half", {**key.as_json(), "string": 5}), ("none", "no key")):
        parts = pack({"key": found}, b"null", [])
        (b.parent / f"{name}.stored").write_bytes(b"".join(parts))
    assert user.listObjects() == ["a", "b"]  # b is in memory still
    user.resetStorage()
    assert user.listObjects() == ["a"]


# -- changes ----------------------------------------------------------------------------------------------------------


def test_the_seed_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of the original's documentation: stored, read back, told of the change, gone."""

    class DemoClass:
        def __init__(self, some_parameter: float = 1.5) -> None:
            self.some_parameter = some_parameter
            self.su = StorageUser("myModule", "rw", self.getName, self.getHashableString, self.reportChanges)
            self.some_data = [2.6, 9.5]
            self.su.storeObject("test_data", self.some_data, persistent=False)

        def getName(self) -> str:
            return "MyModule"

        def getHashableString(self) -> str:
            param_string = "MyModule_%.4f" % (self.some_parameter)  # noqa: UP031  (the example, as it stands)
            return param_string

        def reportChanges(self) -> None:
            print("Changes in this module detected, storage has been reset.")

        def loadData(self) -> Any:
            data = self.su.getStoredObject("test_data")
            return data

    dc = DemoClass()
    assert dc.loadData() == [2.6, 9.5]
    assert capsys.readouterr().out == ""
    dc.some_parameter = 1.2
    assert dc.loadData() is None
    assert capsys.readouterr().out == "Changes in this module detected, storage has been reset.\n"


ACCESSES: dict[str, Callable[[StorageUser], object]] = {
    "get": lambda user: user.getStoredObject("a"),
    "store": lambda user: user.storeObject("b", 1),
    "remove": lambda user: user.removeObject("b"),
    "list": lambda user: user.listObjects(),
    "interpolator": lambda user: user.getStoredObject("xy", interpolator=True),
}


@pytest.mark.parametrize("access", ACCESSES)
def test_every_access_notices_a_change_once(access: str) -> None:
    """The callback runs once for each change, at the first access of any kind, and never without a change."""
    model = Model()
    ACCESSES[access](model.su)
    assert model.told == []
    for n in (2.0, 1.0):
        model.n = n
        ACCESSES[access](model.su)
        ACCESSES[access](model.su)
        assert model.told.pop() == n
        assert model.told == []
    model.n = 5.0
    model.n = 1.0
    ACCESSES[access](model.su)
    assert model.told == []


def test_the_callback_may_be_none() -> None:
    """Without a callback a change resets all the same."""
    string = "one"
    user = StorageUser("engine", "rw", lambda: "n", lambda: string, None)
    user.storeObject("a", 1)
    string = "two"
    assert user.getStoredObject("a") is None


def test_checking_for_a_change_changes_nothing() -> None:
    """A check tells of a change until an access or a reset, and does not announce it."""
    model = Model()
    assert model.su.checkForChangedHash() is False
    model.n = 2.0
    assert model.su.checkForChangedHash() is True
    assert model.su.checkForChangedHash() is True
    assert model.told == []
    model.su.getStoredObject("a")
    assert model.su.checkForChangedHash() is False
    model.n = 3.0
    model.su.resetStorage()
    assert model.su.checkForChangedHash() is False
    assert model.told == [2.0]


def test_a_change_back_finds_what_was_persistent() -> None:
    """Memory ends with a change; the disk keeps the results of every parameter set apart."""
    model = Model()
    model.su.storeObject("a", "one")
    model.su.storeObject("temporary", 1, persistent=False)
    model.n = 2.0
    assert model.su.getStoredObject("a") is None
    model.su.storeObject("a", "two")
    model.n = 1.0
    assert model.su.getStoredObject("a") == "one"
    assert model.su.getStoredObject("temporary") is None
    model.n = 2.0
    assert model.su.getStoredObject("a") == "two"


def test_the_callback_runs_before_the_reset() -> None:
    """During the callback the user still tells of the change."""
    model = Model()
    changed = []
    model.on_change = lambda: changed.append(model.su.checkForChangedHash())
    model.n = 2.0
    model.su.getStoredObject("a")
    assert changed == [True]


def test_a_callback_may_store_and_read() -> None:
    """In the callback the new parameters hold; what it stores is kept, and it is not called again."""
    model = Model()
    model.su.storeObject("a", "old")
    seen = []

    def on_change() -> None:
        seen.append(model.su.getStoredObject("a"))
        model.su.storeObject("derived", model.n * 2, persistent=False)
        seen.append(model.su.getStoredObject("derived"))

    model.on_change = on_change
    model.n = 2.0
    assert model.su.getStoredObject("a") is None
    assert model.su.getStoredObject("derived") == 4.0
    assert seen == [None, 4.0]
    assert model.told == [2.0]


def test_a_callback_may_change_the_string_further() -> None:
    """Parameters derived in the callback are part of the same change: the string at its end counts."""

    class Derived(Model):
        twice = 2.0

        def getHashableString(self) -> str:
            return f"{self.n} {self.twice}"

        def reportChanges(self) -> None:
            super().reportChanges()
            self.su.storeObject("midway", 1, persistent=False)
            self.twice = self.n * 2

    model = Derived()
    model.su.storeObject("a", "old")
    model.n = 5.0
    model.su.storeObject("b", "new")
    assert model.told == [5.0]
    assert model.su.listObjects() == ["b"]
    fresh = Derived(5.0)
    fresh.twice = 10.0
    fresh.su.resetStorage()
    assert fresh.su.getStoredObject("b") == "new"
    assert fresh.su.getStoredObject("a") is None


def test_a_callback_may_undo_the_change() -> None:
    """If the callback puts the old parameters back, what is stored for them is still there."""
    model = Model()
    model.su.storeObject("a", 1, persistent=False)

    def undo() -> None:
        model.n = 1.0

    model.on_change = undo
    model.n = 2.0
    assert model.su.getStoredObject("a") == 1


def test_a_callback_may_reset_the_storage() -> None:
    """An explicit reset within the callback is harmless."""
    model = Model()
    model.su.storeObject("a", 1)
    model.on_change = model.su.resetStorage
    model.n = 2.0
    assert model.su.getStoredObject("a") is None
    assert model.told == [2.0]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_callback_that_raises_is_called_again(error: type[BaseException]) -> None:
    """Its exception reaches the caller, nothing is stored or found, and the next access announces the change anew."""
    model = Model()
    model.su.storeObject("a", "old")

    def fail() -> None:
        model.su.storeObject("midway", 1, persistent=False)
        raise error("not now")

    model.on_change = fail
    model.n = 2.0
    for access in ACCESSES.values():
        with pytest.raises(error, match="not now"):
            access(model.su)
    assert len(model.told) == len(ACCESSES)
    model.on_change = lambda: None
    assert model.su.getStoredObject("a") is None
    assert model.su.listObjects() == []
    assert len(model.told) == len(ACCESSES) + 1
    model.n = 1.0
    assert model.su.getStoredObject("a") == "old"


def test_a_snapshot_holds_until_a_change_or_a_reset() -> None:
    """The snapshot of a user tells its space, and ends with it."""
    model = Model()
    snapshot = UserSnapshot(model.su, Model, "su")
    assert snapshot.space == Space("engine", "m", "model 1.0")
    assert snapshot.holds(model)
    model.n = 2.0
    assert not snapshot.holds(model)
    again = UserSnapshot(model.su, Model, "su")
    model.su.resetStorage()
    assert not again.holds(model)


# -- interpolators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_curve_is_scipys(linear: bool, degree: int, persistent: bool) -> None:
    """From memory and from disk, the interpolator equals scipy's on the same nodes, bit by bit."""
    user = Model().su
    user.storeObject("xy", CURVE, persistent=persistent)
    for each in [user] + [Model().su] * persistent:
        made = each.getStoredObject("xy", interpolator=True, linear_interp=linear)
        assert type(made) is InterpolatedUnivariateSpline
        assert np.array_equal(made(AT), InterpolatedUnivariateSpline(*CURVE, k=degree)(AT))


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
@pytest.mark.parametrize("table", [CURVE, FALLING])
def test_an_inverse_is_scipys(table: Any, linear: bool, degree: int) -> None:
    """The inverse equals scipy's through the nodes exchanged, a falling table reversed."""
    user = Model().su
    user.storeObject("xy", table)
    x, y = table if table is CURVE else table[:, ::-1]
    made = user.getStoredObject("xy", interpolator=True, inverse=True, linear_interp=linear)
    at = np.linspace(y[0], y[-1], 33)
    assert np.array_equal(made(at), InterpolatedUnivariateSpline(y, x, k=degree)(at))


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_surface_is_scipys(linear: bool, degree: int) -> None:
    """A stored tuple (x, y, z) gives scipy's RectBivariateSpline on the same nodes, from disk too."""
    Model().su.storeObject("z", SURFACE)
    made = Model().su.getStoredObject("z", interpolator=True, linear_interp=linear)
    assert type(made) is RectBivariateSpline
    assert np.array_equal(made(AT, AT[:9]), RectBivariateSpline(*SURFACE, kx=degree, ky=degree)(AT, AT[:9]))


def test_flat_stretches_warn_at_the_callers_line() -> None:
    """Inverting a table with flat stretches gives one TableWarning, naming object and caller."""
    user = Model().su
    user.storeObject("flat", np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 1.0, 2.0, 3.0]]))
    with pytest.warns(TableWarning, match="'flat': 1 points") as caught:
        made = repeat(lambda: user.getStoredObject("flat", interpolator=True, inverse=True))
    assert made[0] is made[1] is made[2]
    assert [each.filename for each in caught] == [__file__]


@pytest.mark.parametrize(
    ("value", "inverse", "message"),
    [
        (np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0]]), True, "'odd' has no inverse"),
        (SURFACE, True, "'odd' has two coordinates"),
        (np.zeros((3, 4)), False, "'odd' is not a table"),
        ([2.6, 9.5], False, "'odd' is not a table"),
        (None, False, "'odd' is not a table"),
    ],
)
def test_what_has_no_interpolator_stays_an_object(value: Any, inverse: bool, message: str) -> None:
    """The error names the object, which can still be read."""
    user = Model().su
    user.storeObject("odd", value)
    with pytest.raises(TableError, match=message):
        user.getStoredObject("odd", interpolator=True, inverse=inverse)
    assert repr(user.getStoredObject("odd")) == repr(value)


def test_an_inverse_needs_an_interpolator() -> None:
    """Asking for the inverse alone is an error that says what to add."""
    with pytest.raises(ValueError, match="'xy' was asked for with inverse=True; that needs interpolator=True"):
        Model().su.getStoredObject("xy", inverse=True)


def test_store_interpolator_keeps_it() -> None:
    """By default an interpolator is made once; with store_interpolator=False it is the caller's alone."""
    user = Model().su
    user.storeObject("xy", CURVE)
    alone = user.getStoredObject("xy", interpolator=True, store_interpolator=False)
    made = user.getStoredObject("xy", interpolator=True)
    assert made is not alone
    assert user.getStoredObject("xy", interpolator=True) is made
    assert user.getStoredObject("xy", interpolator=True, store_interpolator=False) is made
    assert user.getStoredObject("xy", True, 0, linear_interp=0) is made  # type: ignore[arg-type]


# -- tables in text files ---------------------------------------------------------------------------------------------


def test_a_text_table_is_read(table_file: Path, cache_dir: Path) -> None:
    """The two columns are an object and can be interpolated; nothing of them goes to disk."""
    user = Model().su
    assert np.array_equal(user.getStoredObject("t", path=table_file), CURVE)
    made = user.getStoredObject("t", interpolator=True, path=str(table_file))
    assert np.array_equal(made(AT), InterpolatedUnivariateSpline(*CURVE)(AT))
    inverse = user.getStoredObject("t", interpolator=True, inverse=True, path=table_file)
    assert inverse(8.0) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="read-only"):
        user.getStoredObject("t", path=table_file)[0, 0] = 1.0
    assert not entries(cache_dir)
    assert found("t") is None


def test_a_text_table_is_kept(table_file: Path) -> None:
    """By default what was read stays in memory: it is found without the path, and when the file is gone."""
    user = Model().su
    user.getStoredObject("t", path=table_file)
    assert np.array_equal(user.getStoredObject("t"), CURVE)
    assert user.listObjects() == ["t"]
    table_file.unlink()
    assert np.array_equal(user.getStoredObject("t", path=table_file), CURVE)
    table_file.parent.joinpath("a file").write_text("")
    assert np.array_equal(user.getStoredObject("t", path=table_file.parent / "a file" / "table"), CURVE)


def test_a_settled_text_table_is_read_once(table_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old file that did not change is not read again, and its interpolators stay."""
    user = Model().su
    fresh = user.getStoredObject("t", path=table_file)
    assert user.getStoredObject("t", path=table_file) is not fresh  # it might change again within a tick of its clock
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 10**10)  # rather than wait; nobody can set a time of change
    first = user.getStoredObject("t", path=table_file)
    assert user.getStoredObject("t", path=table_file) is first
    made = user.getStoredObject("t", interpolator=True, path=table_file)
    assert user.getStoredObject("t", interpolator=True, path=table_file) is made
    np.savetxt(table_file, FALLING.T)
    assert np.array_equal(user.getStoredObject("t", path=table_file), FALLING)


def test_store_path_data_false_keeps_nothing(table_file: Path) -> None:
    """With store_path_data=False the table is the caller's alone."""
    user = Model().su
    assert np.array_equal(user.getStoredObject("t", path=table_file, store_path_data=False), CURVE)
    made = user.getStoredObject("t", interpolator=True, path=table_file, store_path_data=False)
    assert made(2.0) == pytest.approx(8.0)
    assert user.getStoredObject("t") is None
    assert user.listObjects() == []


def test_a_changed_file_is_read_again(table_file: Path) -> None:
    """A file rewritten with as many bytes, and even with its old time, gives the new table and interpolators."""
    user = Model().su
    time_before = table_file.stat().st_mtime_ns
    old = user.getStoredObject("t", interpolator=True, path=table_file)
    for number in range(1, 4):
        np.savetxt(table_file, np.array([X, number + X]).T, header="x y")
        os.utime(table_file, ns=(time_before, time_before))
        assert np.array_equal(user.getStoredObject("t", path=table_file), [X, number + X])
        new = user.getStoredObject("t", interpolator=True, path=table_file)
        assert new is not old
        assert new(2.0) == pytest.approx(2.0 + number)


def test_another_path_is_another_table(tmp_path: Path, table_file: Path) -> None:
    """A name asked for with another path gives that file's table, and the first's again with the first."""
    other = tmp_path / "other.txt"
    np.savetxt(other, FALLING.T)
    user = Model().su
    for _ in range(2):
        assert np.array_equal(user.getStoredObject("t", path=table_file), CURVE)
        assert np.array_equal(user.getStoredObject("t", path=other), FALLING)
    assert user.getStoredObject("t", interpolator=True, path=other)(0.0) == pytest.approx(100.0)
    assert user.getStoredObject("t", interpolator=True, path=table_file)(0.0) == pytest.approx(0.0)


def test_a_stored_object_goes_before_a_file(table_file: Path) -> None:
    """An object stored under the name, in memory or on disk, is returned whatever the path, even to a missing file."""
    user = Model().su
    user.storeObject("t", FALLING)
    for each in (user, Model().su):
        assert np.array_equal(each.getStoredObject("t", path=table_file), FALLING)
        assert np.array_equal(each.getStoredObject("t", path="nowhere.txt"), FALLING)
    reader = Model(2.0).su
    reader.getStoredObject("t", path=table_file)
    reader.storeObject("t", FALLING, persistent=False)
    assert np.array_equal(reader.getStoredObject("t", path=table_file), FALLING)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error names file and object, with and without an interpolator."""
    for interpolator in (False, True):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.txt' for object 'growth' was not found"):
            Model().su.getStoredObject("growth", interpolator=interpolator, path=tmp_path / "nowhere.txt")


def test_a_file_of_wrong_shape_is_an_error(tmp_path: Path) -> None:
    """A file of one column names itself in the error, and leaves nothing behind."""
    (tmp_path / "odd.txt").write_text("1\n2\n")
    user = Model().su
    with pytest.raises(TableError, match=r"odd\.txt' is not a table of two columns"):
        user.getStoredObject("t", path=tmp_path / "odd.txt")
    assert user.listObjects() == []


@pytest.mark.parametrize("persistence", ["", "w"])
def test_without_r_no_file_is_read(table_file: Path, persistence: str) -> None:
    """A user that does not read the disk does not read text files either, present or missing."""
    user = Model(persistence=persistence).su
    assert user.getStoredObject("t", path=table_file) is None
    assert user.getStoredObject("t", interpolator=True, path="nowhere.txt") is None


# -- the faults of the original ---------------------------------------------------------------------------------------
#
# Each check is run against this StorageUser, and against the original, which must fail it.

Maker = Callable[..., Model]


def check_a_store_after_a_change_goes_to_the_new_parameters(make: Maker, place: Path) -> None:
    """What is stored after a change and before any read is found under the new parameters."""
    model = make()
    model.n = 2.0
    model.su.storeObject("x", "new", persistent=False)
    assert model.su.getStoredObject("x") == "new"


def check_a_store_after_a_change_carries_nothing_along(make: Maker, place: Path) -> None:
    """What was stored for the old parameters is not found under the new ones."""
    model = make()
    model.su.storeObject("old", 1)
    model.n = 2.0
    model.su.storeObject("new", 2)
    assert model.su.getStoredObject("old") is None
    assert make(2.0).su.getStoredObject("old") is None


def check_a_new_table_has_new_interpolators(make: Maker, place: Path) -> None:
    """Interpolators made from a table end with it."""
    user = make().su
    user.storeObject("xy", CURVE)
    user.getStoredObject("xy", interpolator=True)
    user.storeObject("xy", FALLING)
    assert user.getStoredObject("xy", interpolator=True)(0.0) == pytest.approx(100.0)


def check_linear_and_cubic_are_two(make: Maker, place: Path) -> None:
    """The linear interpolator is not the cubic one, whichever was made first."""
    for inverse in (False, True):
        user = make().su
        user.storeObject("xy", CURVE)
        user.getStoredObject("xy", interpolator=True, inverse=inverse)
        linear = user.getStoredObject("xy", interpolator=True, inverse=inverse, linear_interp=True)
        x, y = CURVE[::-1] if inverse else CURVE
        assert float(linear((x[2] + x[3]) / 2)) == pytest.approx((y[2] + y[3]) / 2)


def check_an_object_name_is_only_a_name(make: Maker, place: Path) -> None:
    """An object may have a name that ends as an internal one might."""
    user = make().su
    user.storeObject("xy", CURVE)
    user.storeObject("xy_interpolator", "mine")
    assert user.getStoredObject("xy", interpolator=True) != "mine"


def check_two_processes_keep_both_objects(make: Maker, place: Path) -> None:
    """What another process stores meanwhile is still there after a store of one's own."""
    user = make().su
    user.getStoredObject("anything")
    in_another_process(make, "model.su.storeObject('theirs', 1)", place)
    user.storeObject("mine", 2)
    fresh = make().su
    assert (fresh.getStoredObject("theirs"), fresh.getStoredObject("mine")) == (1, 2)


def check_damage_costs_one_entry(make: Maker, place: Path) -> None:
    """When the file that the last store wrote is cut in half, what was stored before is still found."""
    user = make().su
    user.storeObject("first", 1)
    before = file_states(place)
    user.storeObject("second", 2)
    for each in file_states(place).items() - before.items():
        Path(each[0]).write_bytes(Path(each[0]).read_bytes()[: each[1][2] // 2])
    fresh = make().su
    assert fresh.getStoredObject("second") is None
    assert fresh.getStoredObject("first") == 1


def check_a_store_writes_its_object_only(make: Maker, place: Path) -> None:
    """With many objects stored, storing one more writes about as many bytes as it has."""
    user = make().su
    for number in range(20):
        user.storeObject(f"x{number}", np.arange(1000.0))
    before = file_states(place)
    user.storeObject("last", np.arange(1000.0))
    written = sum(size for _, (_, _, size) in file_states(place).items() - before.items())
    assert 8000 <= written < 16000


def check_a_returned_array_is_out_of_reach(make: Maker, place: Path) -> None:
    """Whatever a caller does to an array or a list that it got, the next caller gets what was stored."""
    user = make().su
    user.storeObject("array", CURVE.copy())
    with contextlib.suppress(ValueError):
        user.getStoredObject("array")[:] = 0.0
    assert np.array_equal(user.getStoredObject("array"), CURVE)


def check_a_returned_list_is_out_of_reach(make: Maker, place: Path) -> None:
    """A list that a caller got can be changed without consequence."""
    user = make().su
    user.storeObject("list", [1, [2]])
    user.getStoredObject("list").append(3)
    user.getStoredObject("list")[1].append(3)
    assert user.getStoredObject("list") == [1, [2]]


def check_a_stored_array_is_out_of_reach(make: Maker, place: Path) -> None:
    """Changing an array after storing it changes nothing stored."""
    user = make().su
    mine = CURVE.copy()
    user.storeObject("array", mine)
    mine[:] = 0.0
    assert np.array_equal(user.getStoredObject("array"), CURVE)


def check_the_latest_store_counts(make: Maker, place: Path) -> None:
    """A value stored in memory only is found although an older one is on disk."""
    user = make().su
    user.storeObject("a", "old")
    user.storeObject("a", "new", persistent=False)
    assert user.getStoredObject("a") == "new"


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


def file_states(place: Path) -> dict[str, tuple[int, int, int]]:
    states = {str(each): each.stat() for each in entries(place)}
    return {name: (state.st_ino, state.st_mtime_ns, state.st_size) for name, state in states.items()}


def in_another_process(make: Maker, code: str, place: Path) -> str:
    """Run code on a model of the same kind in a process of its own, and return what it printed."""
    original = getattr(make, "keywords", {}).get("user_class") is not None
    choose = (
        f"from colossus import settings; settings.BASE_DIR = {str(place)!r}\n"
        "from colossus.utils.storage import StorageUser"
        if original
        else "from stored import StorageUser"
    )
    script = f"""
from tests.engine.test_user import Model
{choose}
import numpy as np
model = Model(user_class=StorageUser)
{textwrap.dedent(code)}
"""
    now = settings()
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(now.cache_dir),
        "STORED_KEY_FILE": str(now.key_file),
        "PYTHONHASHSEED": "17",
    }
    repository = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
def test_what_the_original_gets_wrong_is_right_here(check: Callable[[Maker, Path], None], cache_dir: Path) -> None:
    """Each fault of the original that is known is none of this StorageUser."""
    check(Model, cache_dir)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
def test_the_original_gets_it_wrong(
    check: Callable[[Maker, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same checks fail with the storage module of Colossus, so they test what they say."""
    from colossus import settings
    from colossus.utils import storage

    monkeypatch.setattr(settings, "BASE_DIR", str(tmp_path))
    with pytest.raises(AssertionError):
        check(functools.partial(Model, user_class=storage.StorageUser), tmp_path)


def test_four_interpolators_are_four() -> None:
    """Linear and cubic, forward and inverse: each is its own object, kept beside the others, in any order."""
    choices = [{"inverse": i, "linear_interp": k} for i in (False, True) for k in (False, True)]
    for order in (choices, choices[::-1]):
        user = Model().su
        user.storeObject("xy", CURVE)
        made = [user.getStoredObject("xy", interpolator=True, **each) for each in order]
        assert len(set(map(id, made))) == 4
        assert [user.getStoredObject("xy", interpolator=True, **each) for each in order] == made


# -- processes --------------------------------------------------------------------------------------------------------


def test_a_second_process_finds_everything_of_the_first() -> None:
    """Equal parameters find every persistent result, one changed parameter none, and changed back all again."""
    in_another_process(
        Model,
        """
        model.su.storeObject("list", [2.6, 9.5])
        model.su.storeObject("table", np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 8.0, 27.0]]))
        model.su.storeObject("large", np.arange(300000.0))
        model.su.storeObject("text", "é")
        model.su.storeObject("memory", 1, persistent=False)
        """,
        Path(),
    )
    model = Model()
    names = ["large", "list", "table", "text"]
    assert model.su.listObjects() == names
    assert model.su.getStoredObject("list") == [2.6, 9.5]
    assert model.su.getStoredObject("table", interpolator=True)(2.0) == pytest.approx(8.0)
    assert np.array_equal(model.su.getStoredObject("large"), np.arange(300000.0))
    model.n = 1.0000000000000002
    assert [model.su.getStoredObject(name) for name in names] == [None] * 4
    assert model.su.listObjects() == []
    model.n = 1.0
    assert model.su.listObjects() == names
    assert model.su.getStoredObject("text") == "é"


def test_two_processes_at_once_keep_everything() -> None:
    """Processes that store different objects at the same time lose none."""
    ours = Model().su
    ours.storeObject("before", 0)
    code = "for i in range(20): Model().su.storeObject({!r} + str(i), i)"
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(in_another_process, Model, code.format(name), Path()) for name in "ab"]
    assert [each.result() for each in others] == ["", ""]
    fresh = Model().su
    assert fresh.listObjects() == sorted(["before", *(f"{name}{i}" for name in "ab" for i in range(20))])
    assert [fresh.getStoredObject(f"{name}{i}") for name in "ab" for i in range(20)] == [*range(20), *range(20)]


# -- directories that do not serve ------------------------------------------------------------------------------------


def file_in_the_way(place: Path) -> None:
    place.write_text("a file where the cache directory should be")


def file_above(place: Path) -> None:
    place.parent.rmdir()
    place.parent.write_text("a file where its parent should be")


def looping_link(place: Path) -> None:
    place.symlink_to(place)


def use_everything() -> None:
    """Go through all that a user can do, and find in memory what cannot be on disk."""
    model = Model()
    assert model.su.getStoredObject("a") is None
    model.su.storeObject("a", 1)
    model.su.storeObject("b", [2])
    assert model.su.getStoredObject("a") == 1
    assert model.su.getStoredObject("b") == [2]
    assert model.su.getStoredObject("c") is None
    assert model.su.listObjects() == ["a", "b"]
    model.n = 2.0
    assert model.su.getStoredObject("a") is None


# root may write anywhere by mode, so the places are such that nobody can
@pytest.mark.parametrize("spoil", [file_in_the_way, file_above, looping_link])
def test_an_unwritable_place_costs_persistence_only(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Results are returned from memory with one warning at the caller's line, however many there are."""
    place = tmp_path / "parent" / "cache"
    place.parent.mkdir()
    spoil(place)
    with configure(cache_dir=place):
        with pytest.warns(PersistenceWarning) as caught:
            use_everything()
        assert [(each.category, each.filename) for each in caught] == [(PersistenceWarning, __file__)]
        assert str(place) in str(caught[0].message)


@pytest.mark.parametrize("spoil", [file_in_the_way, file_above])
def test_a_place_without_entries_has_none_to_remove(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Removing where no directory can be finds nothing, and warns of nothing."""
    place = tmp_path / "parent" / "cache"
    place.parent.mkdir()
    spoil(place)
    with configure(cache_dir=place):
        assert Model().su.removeObject("a") is False


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    """When an entry cannot be reached to remove it, memory forgets it, and a warning says that the disk may not."""
    place = tmp_path / "cache"
    looping_link(place)
    with configure(cache_dir=place, persistence="w"):
        user = Model().su
        with pytest.warns(PersistenceWarning, match="kept in memory only"):
            user.storeObject("a", 1)
        with pytest.warns(PersistenceWarning, match="cannot be removed .*, and will be found again") as caught:
            assert user.removeObject("a") is True
        assert [each.filename for each in caught] == [__file__]
        assert user.getStoredObject("a") is None


def test_a_place_that_serves_again_is_used_again(tmp_path: Path) -> None:
    """When the trouble is over results persist, and trouble that comes back is told again."""
    place = tmp_path / "cache"
    with configure(cache_dir=place):
        user = Model().su
        for _ in range(2):
            file_in_the_way(place)
            with pytest.warns(PersistenceWarning, match=f"writing to {place} failed"):
                user.storeObject("a", 1)
            place.unlink()
            user.storeObject("b", 2)
            assert found("b") == 2
            assert found("a") is None
            shutil.rmtree(place)


def test_a_place_that_does_not_exist_is_made(tmp_path: Path) -> None:
    """A missing directory holds nothing, silently, and is made by the first store."""
    with configure(cache_dir=tmp_path / "not" / "yet"):
        assert found("a") is None
        assert Model().su.listObjects() == []
        assert Model().su.removeObject("a") is False
        assert not (tmp_path / "not").exists()
        Model().su.storeObject("a", 1)
        assert found("a") == 1


def test_a_directory_may_vanish(cache_dir: Path) -> None:
    """When the directory is deleted under way, memory still answers, and the next store makes it anew."""
    user = Model().su
    user.storeObject("a", 1)
    shutil.rmtree(cache_dir)
    assert user.getStoredObject("a") == 1
    user.storeObject("b", 2)
    assert user.listObjects() == ["a", "b"]
    assert found("a") is None
    assert found("b") == 2


def test_a_directory_replaced_by_a_file(cache_dir: Path) -> None:
    """When a file takes the place of the directory under way, memory still answers, with one warning."""
    user = Model().su
    user.storeObject("a", 1)
    shutil.rmtree(cache_dir)
    file_in_the_way(cache_dir)
    assert user.getStoredObject("a") == 1
    with pytest.warns(PersistenceWarning) as caught:
        repeat(lambda: user.storeObject("a", 2))
    assert len(caught) == 1
    user.storeObject("b", 3)
    assert (user.getStoredObject("a"), user.getStoredObject("b")) == (2, 3)


def test_an_entry_that_is_a_directory(cache_dir: Path) -> None:
    """An entry that cannot be read is a miss with one warning."""
    Model().su.storeObject("a", 1)
    entry = entry_of(cache_dir, "a")
    entry.unlink()
    entry.mkdir()
    with pytest.warns(PersistenceWarning, match="cannot be read .*; the result is computed anew") as caught:
        assert repeat(lambda: found("a")) == [None] * 3
    assert [each.filename for each in caught] == [__file__]


def test_warnings_as_errors_lose_nothing(cache_dir: Path) -> None:
    """When a warning is made an error, the object is in memory nevertheless, and the user goes on working."""
    file_in_the_way(cache_dir)
    user = Model().su
    with pytest.raises(PersistenceWarning):
        user.storeObject("a", 1)
    assert user.getStoredObject("a") == 1
    user.storeObject("b", 2)
    assert user.getStoredObject("b") == 2


# -- entries that do not serve ----------------------------------------------------------------------------------------

VALUE = {"x": np.arange(100.0), "y": "text"}


def truncated(data: bytes) -> bytes:
    return data[:-1]


def cut_short(data: bytes) -> bytes:
    return data[:20]


def emptied(data: bytes) -> bytes:
    return b""


def extended(data: bytes) -> bytes:
    return data + b"\0"


def foreign(data: bytes) -> bytes:
    return pickle.dumps({"x": 1}) * 10


def of_another_version(data: bytes) -> bytes:
    return data[:8] + b"\2" + data[9:]


def altered(offset: float) -> Callable[[bytes], bytes]:
    def alter(data: bytes) -> bytes:
        at = int(offset * (len(data) - 1))
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return alter


DAMAGES = [truncated, cut_short, emptied, extended, foreign, of_another_version, *map(altered, (0, 0.02, 0.5, 1))]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_a_miss(cache_dir: Path, damage: Callable[[bytes], bytes]) -> None:
    """It gives None and one EntryWarning at the caller's line; the next store replaces it, and it is readable."""
    Model().su.storeObject("a", VALUE)
    Model().su.storeObject("b", 2)
    entry = entry_of(cache_dir, "a")
    entry.write_bytes(damage(entry.read_bytes()))
    model = Model()
    with pytest.warns(EntryWarning, match="was not used: .*; the result is computed anew") as caught:
        assert repeat(lambda: model.su.getStoredObject("a")) + repeat(lambda: found("a")) == [None] * 6
    assert [(each.category, each.filename) for each in caught] == [(EntryWarning, __file__)]
    assert str(entry) in str(caught[0].message)
    assert model.su.getStoredObject("b") == 2
    model.su.storeObject("a", VALUE)
    assert repr(found("a")) == repr(VALUE)
    entry.write_bytes(damage(entry.read_bytes()))
    with pytest.warns(EntryWarning, match="was not used"):  # new damage is told again
        assert found("a") is None


def test_a_renamed_entry_is_a_miss(cache_dir: Path) -> None:
    """An entry under the name of another, of the same owner or of other parameters, never gives its value."""
    Model().su.storeObject("a", 1)
    Model().su.storeObject("b", 2)
    Model(2.0).su.storeObject("c", 3)
    source = entry_of(cache_dir, "a").read_bytes()
    for name, n in (("b", 1.0), ("c", 2.0)):
        entry_of(cache_dir, name).write_bytes(source)
        with pytest.warns(EntryWarning, match="belongs to another result") as caught:
            assert found(name, n) is None
        assert len(caught) == 1
        Model(n).su.storeObject(name, 5)
        assert found(name, n) == 5
    assert found("a") == 1


@pytest.mark.parametrize("details", [{}, {"seconds": 1.0}, {"seconds": "1", "writer": {}}, {"seconds": 1, "writer": 2}])
def test_an_entry_that_does_not_tell_its_writer_is_a_miss(cache_dir: Path, details: dict[str, Any]) -> None:
    """A well-formed entry without the header of this library is passed over."""
    key = Key(Space("engine", "m", "model 1.0"), "a")
    DirectoryStore(cache_dir).write(key.entry_name(), encode(key, 1, details, lambda text, body: ""))
    with pytest.warns(EntryWarning, match="does not say who wrote it"):
        assert found("a") is None


def test_a_damaged_entry_can_be_removed(cache_dir: Path) -> None:
    """Removing works without reading."""
    Model().su.storeObject("a", 1)
    entry_of(cache_dir, "a").write_bytes(b"damaged")
    assert Model().su.removeObject("a") is True
    assert found("a") is None


# -- the persistent tier ----------------------------------------------------------------------------------------------


def test_the_tier_forgets_all_of_a_method() -> None:
    """forget_all removes every version and argument of one method in one space, and nothing else."""
    tier, space, other = PersistentTier("rw"), Space("engine", "m", "1"), Space("engine", "m", "2")
    gone = [Key(space, "f", "mod.f", version, (("x", x),)) for version in "ab" for x in "12"]
    kept = [Key(space, "f", "mod.g", "a"), Key(other, "f", "mod.f", "a"), Key(space, "f"), Key(space, "ff", "mod.f")]
    for key in gone + kept:
        assert tier.save(key, CachedResult(1))
    PersistentTier("r").forget_all(space, "f", "mod.f")
    assert all(tier.load(key) is not ABSENT for key in gone + kept)
    tier.forget_all(space, "f", "mod.f")
    assert all(tier.load(key) is ABSENT for key in gone)
    assert all(tier.load(key) is not ABSENT for key in kept)


def test_the_tier_finds_keys_of_the_same_method(cache_dir: Path) -> None:
    """keys_of_same_method gives keys of the method for any parameters, at most so many, and skips unreadable ones."""
    tier = PersistentTier("rw")
    keys = [Key(Space("engine", "m", str(n)), "f", "mod.f", "a", (("x", "1"),)) for n in range(4)]
    others = [Key(Space("engine", "m", "1"), "f", "mod.g"), Key(Space("engine", "n", "1"), "f", "mod.f")]
    for key in keys + others:
        tier.save(key, CachedResult(1))
    half = b"".join(pack({"key": {"module": "engine"}}, b"null", []))
    (cache_dir / "engine" / "f-half.stored").write_bytes(half)
    assert sorted(keys_of_same_method(tier.store(), keys[0]), key=Key.text) == keys
    assert len(keys_of_same_method(tier.store(), keys[0], limit=2)) == 2
    assert keys_of_same_method(tier.store(), Key(Space("nowhere", "m", "1"), "f", "mod.f")) == []


# -- copies -----------------------------------------------------------------------------------------------------------


class Decorated(Model):
    """An owner with an explicit space and a decorated method."""

    @stored.stored
    def value(self) -> float:
        return self.n


DUPLICATES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]


class Picklable(Model):
    """Without the lambda that pickle refuses."""

    def __init__(self, n: float = 1.0) -> None:
        super().__init__(n)
        del self.on_change

    def reportChanges(self) -> None:
        self.told.append(self.n)

    @stored.stored
    def value(self) -> float:
        return self.n


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_decorated_methods_of_a_copy_follow_the_copy(duplicate: Callable[[Any], Any]) -> None:
    """Neither the copy nor the original ever gets the other's result, in whatever order they change."""
    model = Picklable()
    assert model.value() == 1.0
    other = duplicate(model)
    assert other.value() == 1.0
    other.n = 2.0
    assert (other.value(), model.value()) == (2.0, 1.0)
    model.n = 3.0
    assert (other.value(), model.value()) == (2.0, 3.0)
    model.n = 2.0
    assert (other.value(), model.value()) == (2.0, 2.0)


@pytest.mark.parametrize("duplicate", DUPLICATES[1:])
def test_a_copied_user_describes_the_copy(duplicate: Callable[[Any], Any]) -> None:
    """A deep copy and an unpickled owner have a space of their own: memory is empty, the disk is shared."""
    model = Picklable()
    model.su.storeObject("disk", 1)
    model.su.storeObject("memory", 2, persistent=False)
    other = duplicate(model)
    assert other.su is not model.su
    assert other.su.checkForChangedHash() is False
    assert other.su.getStoredObject("disk") == 1
    assert other.su.getStoredObject("memory") is None
    other.n = 2.0
    assert other.su.getStoredObject("disk") is None
    assert other.told == [2.0]
    assert model.told == []
    assert model.su.getStoredObject("memory") == 2
    other.su.storeObject("disk", "other's")
    model.n = 2.0
    assert model.su.getStoredObject("disk") == "other's"
    assert other.su.module == "engine"
    assert other.su.persistence_write


@pytest.mark.parametrize(
    "describe",
    [
        lambda owner: lambda: f"{owner.n}",
        lambda owner: lambda owner=owner: f"{owner.n}",
    ],
)
def test_a_function_that_goes_on_describing_the_original_is_refused(describe: Callable[[Any], Any]) -> None:
    """A plain function cannot follow a deep copy of the object it refers to, and the error says what to do."""

    class Careless:
        def __init__(self) -> None:
            self.n = 1.0
            self.su = StorageUser("engine", "rw", lambda: "careless", describe(self), None)

    owner = Careless()
    with pytest.raises(OwnerError, match=r"Careless holds the StorageUser of the object it was copied from.*methods"):
        copy.deepcopy(owner)
    alone = copy.deepcopy(owner.su)  # without its owner, it is one more user of the same owner
    alone.storeObject("a", 1)
    owner.n = 2.0
    assert alone.getStoredObject("a") is None


def test_a_partial_follows_a_deep_copy() -> None:
    """functools.partial of the owner is copied with the owner."""

    class Owner:
        def __init__(self) -> None:
            self.n = 1.0
            self.su = StorageUser("engine", "rw", lambda: "o", functools.partial(Owner.describe, self), None)

        def describe(self) -> str:
            return f"{self.n}"

    owner = Owner()
    owner.su.storeObject("a", 1)
    other = copy.deepcopy(owner)
    other.n = 2.0
    assert other.su.getStoredObject("a") is None
    assert owner.su.getStoredObject("a") == 1


def test_a_user_described_by_no_object_can_be_copied() -> None:
    """Functions that refer to no object describe the same for every copy."""
    user = StorageUser("engine", "rw", lambda: "free", lambda: "1", None)
    user.storeObject("a", 1)
    for duplicate in (copy.copy, copy.deepcopy):
        assert duplicate(user).getStoredObject("a") == 1
    assert described_instead(user, Model()) is None


def test_an_object_described_in_place_of_the_owner_is_found() -> None:
    """It is found behind a method, a closure, a default or a partial, if it is of the owner's class."""
    model, other = Model(), Model()

    def user(describe: Callable[[], str]) -> StorageUser:
        return StorageUser("engine", "", lambda: "x", describe, None)

    for each in (
        model.su,
        user(lambda: str(model.n)),
        user(lambda owner=model: str(owner.n)),  # type: ignore[misc]
        user(functools.partial(Model.getHashableString, model)),
        user(functools.partial(Model.getHashableString, self=model)),
    ):
        assert described_instead(each, other) is model
        assert described_instead(each, model) is None
        assert described_instead(each, Decorated()) is None
    assert described_instead(user(lambda: "free"), model) is None


def test_an_owner_may_be_described_along_with_another() -> None:
    """A string that tells of the owner and of another object of its class describes the owner."""
    model, fiducial = Model(), Model()
    user = StorageUser("engine", "", lambda: "x", lambda: f"{fiducial.n} {model.n}", None)
    assert described_instead(user, model) is None


def test_an_empty_closure_describes_nothing() -> None:
    """A function that refers to a variable not yet set is passed over."""

    def describe() -> str:
        return "1" if len(calls) < 9 else str(later)

    calls: list[int] = []
    user = StorageUser("engine", "", lambda: "x", describe, None)
    assert described_instead(user, Model()) is None
    later = Model()
    assert described_instead(user, Model()) is later


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_told_of_a_change_before_its_first_use(duplicate: Callable[[Any], Any]) -> None:
    """A parameter changed right after copying is announced, so that what derives from it is derived anew."""
    model = Picklable()
    other = duplicate(model)
    told = len(other.told)
    other.n = 2.0
    assert other.su.getStoredObject("a") is None
    assert len(other.told) == told + 1


def test_rebound_calls_the_methods_of_the_copy() -> None:
    """A rebound user has the name, string and callback of the copy, and the module and persistence of the original."""
    model = Model(persistence="r")
    other = copy.copy(model)
    other.n, other.told, other.name = 2.0, [], "other"
    user = rebound_user(model.su, model, other)
    assert user.getHash() == Model(2.0).su.getHash()
    assert repr(user).startswith("<StorageUser engine/other ")
    assert (user.persistence_read, user.persistence_write) == (True, False)
    other.n = 3.0
    user.getStoredObject("a")
    assert (other.told, model.told) == ([3.0], [])


def test_rebound_keeps_functions_of_nobody() -> None:
    """A name function and a callback that are not methods serve the copy too; a hash function does not."""
    model = Model()
    user = StorageUser("engine", "rw", lambda: "fixed", model.getHashableString, None)
    other = copy.copy(model)
    other.n = 2.0
    assert repr(rebound_user(user, model, other)).startswith("<StorageUser engine/fixed ")
    careless = StorageUser("engine", "rw", model.getName, lambda: f"{model.n}", None)
    with pytest.raises(OwnerError, match="whose func_hashstring describes that object; give each copy a StorageUser"):
        rebound_user(careless, model, other)


def test_an_owner_is_freed() -> None:
    """Nothing but the owner itself keeps an owner and its user alive."""
    model = Model()
    model.su.storeObject("a", 1)
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


# -- threads ----------------------------------------------------------------------------------------------------------


def run_all(*functions: Callable[[], object]) -> None:
    """Run functions at the same time; the first exception of any is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(functions))

    def guarded(function: Callable[[], object]) -> None:
        try:
            start.wait()
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("persistent", [True, False])
def test_threads_with_parameters_of_their_own(persistent: bool) -> None:
    """Where each thread has its own parameters, none ever gets the value of another."""
    local = threading.local()
    local.n = 0
    user = StorageUser("engine", "rw", lambda: "n", lambda: f"{local.n}", None)

    def work(n: int) -> None:
        local.n = n
        for count in range(40):
            user.storeObject("x", (n, count), persistent=persistent)
            value = user.getStoredObject("x")
            assert value == (n, count) or (value is None and not persistent)

    run_all(*(functools.partial(work, n) for n in range(1, 5)))


def test_threads_never_see_a_value_of_other_parameters() -> None:
    """While one thread changes the parameters, others store and read values that tell their parameters."""
    model = Model(0)
    storing = [threading.Lock(), threading.Lock()]  # a value goes with the parameters that it is made of
    changes = 0
    done = threading.Event()

    def change() -> None:
        nonlocal changes
        for n in range(300):
            with storing[0], storing[1]:
                changes += 1
                model.n = n % 3
                changes += 1
        done.set()

    def store(lock: threading.Lock) -> None:
        while not done.is_set():
            with lock:
                model.su.storeObject("x", {"n": model.n}, persistent=False)

    def read() -> None:
        while not done.is_set():
            before, n = changes, model.n
            value = model.su.getStoredObject("x")
            if before == changes and not before % 2:  # no change began or went on meanwhile
                assert value in (None, {"n": n})

    run_all(change, functools.partial(store, storing[0]), functools.partial(store, storing[1]), read, read)


def test_a_change_is_announced_once_to_all_threads() -> None:
    """Threads that notice a change together have one callback among them, and wait for its end."""
    model = Model(1.0)
    noticed: set[int] = set()
    together, finished = threading.Event(), threading.Event()
    describe = model.getHashableString

    def noticing() -> str:
        noticed.add(threading.get_ident())
        if len(noticed) == 4:
            together.set()
        return describe()

    def on_change() -> None:
        together.wait(10)  # until every thread has seen the new string
        finished.set()

    def access() -> None:
        model.su.getStoredObject("a")
        assert finished.is_set()

    model.su.func_hashstring = noticing
    model.on_change = on_change
    model.n = 2.0
    run_all(*[access] * 4)
    assert model.told == [2.0]


class Distant(MemoryStore):
    """Bytes take their way: a read ends when another thread has stored something, or not."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.stored = threading.Event(), threading.Event()

    def read(self, name: str) -> Any:
        data = super().read(name)
        self.reading.set()
        self.stored.wait(0.2)
        return data


@pytest.mark.parametrize("change", ["store", "remove"])
def test_a_value_that_was_replaced_does_not_come_back(change: str) -> None:
    """A thread that reads the old entry while another stores or removes does not bring the old value back."""
    store = Distant()
    with configure(store=store):
        Model().su.storeObject("x", "old")
        user = Model().su

        def replace() -> None:
            store.reading.wait(10)
            user.storeObject("x", "new") if change == "store" else user.removeObject("x")
            store.stored.set()

        run_all(lambda: user.getStoredObject("x"), replace)
        assert user.getStoredObject("x") == ("new" if change == "store" else None)
        assert found("x") == ("new" if change == "store" else None)


def test_threads_that_miss_together_read_once() -> None:
    """Of threads that ask for an entry at the same time one reads it, and all get the same array."""
    Model().su.storeObject("x", CURVE)
    user = Model().su
    results: list[Any] = []
    run_all(*[lambda: results.append(user.getStoredObject("x"))] * 6)
    assert len(set(map(id, results))) == 1


def test_what_another_thread_has_stored_meanwhile_is_found() -> None:
    """A thread that finds nothing, and then waits for one that stores, has what that stored."""
    asked = threading.Event()

    class OwnerParameters(MemoryTier[CachedResult]):
        def get(self, key: Hashable) -> Any:
            value = super().get(key)
            asked.set()
            return value

    user = Model().su
    state = user.current_state()
    state.objects = OwnerParameters()
    with ThreadPoolExecutor(1) as pool:
        with state.lock:
            found = pool.submit(user.getStoredObject, "x")
            assert asked.wait(10)
            user.storeObject("x", 1, persistent=False)
        assert found.result(10) == 1


class Slow:
    """Is being pickled until another thread ends that."""

    def __init__(self, begun: threading.Event | None = None, may_end: threading.Event | None = None) -> None:
        self.begun, self.may_end = begun, may_end

    def __reduce__(self) -> Any:
        if self.begun is not None and self.may_end is not None:
            self.begun.set()
            assert self.may_end.wait(20), "the other thread waits for this one"
        return Slow, ()


def test_reading_from_memory_does_not_wait_for_a_write() -> None:
    """While one thread writes a large object, another reads what is in memory."""
    user = Model().su
    user.storeObject("a", 1)
    begun, may_end = threading.Event(), threading.Event()
    writer = threading.Thread(target=user.storeObject, args=("slow", Slow(begun, may_end)))
    writer.start()
    assert begun.wait(20)
    for _ in range(3):
        assert user.getStoredObject("a") == 1
        assert isinstance(user.getStoredObject("slow"), Slow)
    may_end.set()
    writer.join()
    assert isinstance(found("slow"), Slow)


# -- against a model --------------------------------------------------------------------------------------------------


class AgainstADict(RuleBasedStateMachine):
    """A StorageUser does what two dicts would do: one that ends with the parameters, and one for each set of them."""

    names = st.sampled_from(["a", "b", "a_interpolator", "", "x/y"])
    values = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.lists(st.text(max_size=3), max_size=3))

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.settings = configure(cache_dir=self.place / "cache", key_file=self.place / "key")
        self.model = Model(0)
        self.memory: dict[str, Any] = {}
        self.disk: dict[float, dict[str, Any]] = {}
        self.seen = self.model.n
        self.changes = 0

    def teardown(self) -> None:
        self.settings.__exit__(None, None, None)
        shutil.rmtree(self.place)

    def access(self) -> dict[str, Any]:
        if self.seen != self.model.n:
            self.seen, self.memory = self.model.n, {}
            self.changes += 1
        return self.disk.setdefault(self.seen, {})

    @rule(name=names, value=values, persistent=st.booleans())
    def store(self, name: str, value: Any, persistent: bool) -> None:
        self.model.su.storeObject(name, value, persistent=persistent)
        disk = self.access()
        self.memory[name] = value
        if persistent:
            disk[name] = value

    @rule(name=names)
    def read(self, name: str) -> None:
        result = self.model.su.getStoredObject(name)
        expected = {**self.access(), **self.memory}
        assert result == expected.get(name)
        if name in expected:
            self.memory[name] = expected[name]

    @rule(name=names)
    def remove(self, name: str) -> None:
        result = self.model.su.removeObject(name)
        disk = self.access()
        assert result == (name in disk or name in self.memory)
        disk.pop(name, None)
        self.memory.pop(name, None)

    @rule()
    def list_all(self) -> None:
        result = self.model.su.listObjects()
        assert result == sorted({*self.access(), *self.memory})

    @rule(n=st.integers(0, 2))
    def change(self, n: int) -> None:
        self.model.n = n

    @precondition(lambda self: self.seen != self.model.n)
    @rule()
    def change_back(self) -> None:
        self.model.n = self.seen

    @rule()
    def reset(self) -> None:
        self.model.su.resetStorage()
        self.seen, self.memory = self.model.n, {}

    @rule()
    def restart(self) -> None:
        self.model = Model(self.model.n)
        self.seen, self.memory, self.changes = self.model.n, {}, 0

    @invariant()
    def changes_are_told(self) -> None:
        assert self.model.su.checkForChangedHash() == (self.seen != self.model.n)
        assert len(self.model.told) == self.changes


TestAgainstADict = AgainstADict.TestCase
TestAgainstADict.settings = hypothesis_settings(max_examples=60, stateful_step_count=30, deadline=None)


# -- iterators, splines, forks, long calls and keys -------------------------------------------------------------------


def test_what_can_be_used_only_once_is_not_stored() -> None:
    """An iterator would be empty for the second who asks; it is refused, and nothing is stored."""
    user = Model().su
    with pytest.raises(TypeError, match=r"a map .*can be used only once"):
        user.storeObject("x", map(abs, [1]))
    assert user.listObjects() == []


@pytest.mark.parametrize("table", [CURVE, SURFACE], ids=["curve", "surface"])
def test_a_kept_interpolator_cannot_be_spoilt(table: Any) -> None:
    """Nobody can change through the coefficients what the next caller gets."""
    user = Model().su
    user.storeObject("t", table)
    with pytest.raises(ValueError, match="read-only"):
        user.getStoredObject("t", interpolator=True).get_coeffs()[:] = 0
    assert user.getStoredObject("t", interpolator=True).get_coeffs().any()


FORK = """
import os, signal, sys, threading
import stored
from stored.stores import MemoryStore

class Slow(MemoryStore):
    def write(self, name, buffers):
        if "slow" in name:
            wait()
        return super().write(name, buffers)

held, over = threading.Event(), threading.Event()
def wait():
    if os.getpid() == parent:
        held.set()
        over.wait(60)

parent, n, told = os.getpid(), 1, []
def changed():
    told.append(n)
    wait()

stored.configure(store=Slow())
user = stored.StorageUser("m", "rw", lambda: "m", lambda: str(n), changed)
user.storeObject("a", 1)
def busy():
    if sys.argv[1] == "store":
        user.storeObject("slow", 2)
    else:
        user.getStoredObject("a")
if sys.argv[1] == "change":
    n = 2
thread = threading.Thread(target=busy)
thread.start()
held.wait(60)
child = os.fork()
if not child:
    signal.alarm(20)  # a deadlock ends too
    told.clear()
    user.storeObject("b", 3)
    good = user.getStoredObject("b") == 3 and user.getStoredObject("slow2") is None
    os._exit(0 if good and told == ([2] if n == 2 else []) else 1)
status = os.waitpid(child, 0)[1]
over.set()
thread.join()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("busy", ["store", "change"])
def test_a_forked_process_goes_on_without_the_threads_it_has_not(busy: str) -> None:
    """Forked while another thread writes or is in the callback, the child stores, and hears of the change itself."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, busy]
    done = subprocess.run(command, timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("trouble", ["value", "store"])
def test_a_long_call_is_shortened_in_messages(tmp_path: Path, trouble: str) -> None:
    """A warning about a call with large arguments begins like the call, and is not as long."""
    (tmp_path / "blocked").write_text("a file where a directory is needed")
    arguments = (("table", "[" + "1.5, " * 5000 + "]"),)
    key = Key(Space("m", "owner", "s"), "f", "definition", "1", arguments)
    value = (lambda: 1) if trouble == "value" else 1
    shortened = r"owner\.f\(table=\[1\.5.*\.\.\. is kept in memory only"
    with configure(cache_dir=tmp_path / "blocked"), pytest.warns(PersistenceWarning, match=shortened) as caught:
        assert not PersistentTier("rw").save(key, CachedResult(value))
    assert len(str(caught[0].message)) < 200 + 400 + len(str(tmp_path))


@pytest.mark.parametrize("persistence", ["r", "rw"])
def test_reading_makes_no_key(tmp_path: Path, persistence: str) -> None:
    """Where there is no key, nothing can be verified: a pickle is passed over, and no key file appears."""
    Model().su.storeObject("custom", Custom(3))
    missing = tmp_path / "none" / "key"
    nothing = "not signed with your key: there is no key file"
    with configure(key_file=missing, persistence=persistence), pytest.warns(EntryWarning, match=nothing):
        assert found("custom") is None
    assert not missing.parent.exists()


def test_an_interpolator_of_a_table_that_was_replaced_meanwhile_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another thread stores a table while an interpolator is made of the one before, the next is made of the new."""
    user, real = Model().su, user_module._interpolator
    tables = [np.array([np.arange(9.0), slope * np.arange(9.0)]) for slope in (1.0, 2.0)]

    def slowly(*arguments: Any) -> Any:
        made = real(*arguments)
        user.storeObject("t", tables[1], persistent=False)
        return made

    user.storeObject("t", tables[0], persistent=False)
    monkeypatch.setattr(user_module, "_interpolator", slowly)
    assert user.getStoredObject("t", interpolator=True)(2.0) == pytest.approx(2.0)
    monkeypatch.undo()
    for _ in range(3):
        assert user.getStoredObject("t", interpolator=True)(2.0) == pytest.approx(4.0)


# -- shortcuts of getStoredObject -------------------------------------------------------------------------------------

Odd = type("Odd", (str,), {"__str__": lambda _: "other", "__repr__": lambda _: "another"})
OBJECT_NAMES: list[Any] = ["t", np.str_("t"), Odd("t"), "u", 5, None, b"t", ("t",), ["t"]]
TABLES: list[Any] = [CURVE, FALLING, SURFACE, [1, 2], None, np.arange(3.0)]
FLAGS: list[Any] = [False, True, 0, 1, 2, None, np.True_, []]
ANY_NAME = st.sampled_from(["t"] * len(OBJECT_NAMES) + OBJECT_NAMES)
OPTIONS = st.fixed_dictionaries(
    {"interpolator": st.sampled_from(FLAGS)},
    optional=dict.fromkeys(["inverse", "linear_interp", "store_interpolator"], st.sampled_from(FLAGS)),
)
OFTEN = st.sampled_from([{}, {"linear_interp": None}, *[{"interpolator": flag} for flag in FLAGS[1:5]]])
READ = st.tuples(st.just("read"), ANY_NAME, st.one_of(OFTEN, OPTIONS), st.sampled_from([False] * 5 + [True]))
STORE = st.tuples(
    st.just("store"), st.sampled_from(OBJECT_NAMES[:4]), st.sampled_from([*TABLES[:3], *TABLES]), st.booleans()
)
REMOVE = st.tuples(st.just("remove"), ANY_NAME)
OTHER = st.sampled_from([("reset",), ("change", 1), ("change", 2), ("restart",)])


def evaluated(found: Any) -> Any:
    """A spline by its values, anything else as it is."""
    return found(X, X) if isinstance(found, RectBivariateSpline) else found(X) if callable(found) else found


def outcome(model: Model, path: Path, step: str, *arguments: Any) -> Any:
    """What a step gives, or raises; of splines, their values, and whether a repeated call gives the same object."""
    user = model.su
    if step == "change":
        model.n = arguments[0]
    elif step == "restart":
        model.__init__(model.n)  # type: ignore[misc]
    elif step == "reset":
        user.resetStorage()
    try:
        if step == "store":
            user.storeObject(*arguments)
        elif step == "remove":
            return user.removeObject(*arguments)
        elif step == "read":
            name, options, has_path = arguments
            results = repeat(lambda: user.getStoredObject(name, **options, path=path if has_path else None))
            return [repr(evaluated(each)) for each in results], has_path or results[0] is results[2]
    except Exception as error:
        return type(error), str(error)
    return len(model.told)


@pytest.fixture(scope="module")
def shared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tables") / "table.txt"
    np.savetxt(file, FALLING.T, header="x y")
    return file


@hypothesis_settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.one_of(READ, READ, READ, STORE, STORE, REMOVE, OTHER), min_size=20, max_size=60))
def test_shortcuts_to_objects_change_nothing(shared_file: Path, steps: list[Any]) -> None:
    """Objects and interpolators, by names and flags of all kinds, are those that are found without shortcuts."""

    def outcomes() -> list[Any]:
        with configure(store=MemoryStore()):
            model = Model()
            return [outcome(model, shared_file, *step) for step in steps]

    short = outcomes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "add_shortcut", lambda *_: None)
        assert short == outcomes()


@pytest.mark.parametrize(
    "options", [{}, {"interpolator": 2}, {"interpolator": True, "inverse": 1, "linear_interp": True}]
)
@pytest.mark.parametrize("end", ["store", "remove", "reset", "change", "elsewhere"])
def test_what_ends_an_object_ends_its_shortcut(options: dict[str, Any], end: str) -> None:
    """Storing again, removing, a reset and a change of the string are noticed by the next of many calls."""
    model = Model(persistence="")
    tables = [np.array([X, slope * X]) for slope in (1.0, 2.0)]

    def get() -> Any:
        return model.su.getStoredObject("t", **options)

    def value(found: Any) -> Any:
        return None if found is None else evaluated(found).tolist()

    model.su.storeObject("t", tables[0])
    before, *_ = map(value, repeat(get))
    if end == "store":
        model.su.storeObject("t", tables[1])
    elif end == "remove":
        assert model.su.removeObject("t")
    elif end == "reset":
        model.su.resetStorage()
    elif end == "change":
        model.n = 2.0
    else:
        model.su.storeObject("u", tables[1])
    after = list(map(value, repeat(get)))
    if end == "store":
        assert after[0] not in (None, before)
    assert after == [before if end == "elsewhere" else after[0] if end == "store" else None] * 3
    assert model.told == ([2.0] if end == "change" else [])


@pytest.mark.parametrize("name", [5, None, b"t", ["t"], {}, ("t", False, False, False)])
def test_a_name_that_is_no_text_is_refused_beside_shortcuts(name: Any) -> None:
    """However often objects are found by name, what is no name is told so, hashable or not."""
    user = Model().su
    user.storeObject("t", CURVE)
    for _ in range(3):
        assert user.getStoredObject("t") is not None
        with pytest.raises(TypeError, match=r"object_name is .* it must be a str"):
            user.getStoredObject(name)


@pytest.mark.parametrize("part", ["module", "name", "string", "object"])
@pytest.mark.parametrize("tell", [np.str_, Odd])
def test_text_of_any_class_finds_what_plain_text_stored(part: str, tell: Callable[[str], str]) -> None:
    """Whatever class of text modules, names and strings are of, and however it shows itself, the content counts."""

    def user(tell: Callable[[str], str]) -> StorageUser:
        texts = {each: tell(each) if each == part else each for each in ("module", "name", "string")}
        return StorageUser(texts["module"], "rw", lambda: texts["name"], lambda: texts["string"], None)

    plain = "object"
    other = tell(plain) if part == "object" else plain
    user(str).storeObject(plain, [1.0])
    assert repeat(lambda: user(tell).getStoredObject(other)) == [[1.0]] * 3
    mine = user(tell)
    mine.storeObject(other, [2.0])
    assert repeat(lambda: mine.getStoredObject(plain)) == repeat(lambda: mine.getStoredObject(other)) == [[2.0]] * 3
    assert user(str).getStoredObject(plain) == [2.0]
    assert mine.removeObject(plain)
    assert mine.getStoredObject(other) is None
