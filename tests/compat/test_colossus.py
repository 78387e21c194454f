"""The drop-in for the storage module of Colossus."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colossus import settings as colossus_settings
from colossus.utils import storage as original
from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

import stored
from stored.compat import colossus as drop_in
from tests.compat.models import TABLE, Model, entries, run

# -- the module -------------------------------------------------------------------------------------------------------


def test_stored_does_not_import_colossus(tmp_path: Path) -> None:
    """Colossus is imported by those who ask for its drop-in only."""
    done = run(tmp_path / "home", "import sys, stored, stored.compat; print('colossus' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_without_colossus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Colossus is missing, the import says what to install."""
    monkeypatch.setitem(sys.modules, "colossus", None)  # how the import system marks what cannot be imported
    monkeypatch.delitem(sys.modules, "stored.compat.colossus")
    with pytest.raises(ImportError, match="pip install colossus"):
        importlib.import_module("stored.compat.colossus")


def test_same_surface() -> None:
    """Every public method of the original is there, with the same parameters and defaults."""
    methods = [name for name, each in vars(original.StorageUser).items() if callable(each)]
    for name in methods:
        theirs, ours = (
            [(each.name, each.default) for each in inspect.signature(getattr(one, name)).parameters.values()]
            for one in (original.StorageUser, drop_in.StorageUser)
        )
        assert ours == theirs, name
    assert (
        inspect.signature(drop_in.getCacheDir).parameters.keys()
        == inspect.signature(original.getCacheDir).parameters.keys()
    )


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letters", ["rw", "r", "w", ""])
def test_default_persistence(letters: str, base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None stands for the persistence that is set in Colossus when the user is made."""
    Model().user("rw").storeObject("there", 1)
    monkeypatch.setattr(colossus_settings, "PERSISTENCE", letters)
    user = Model().user(None)
    assert (user.persistence_read, user.persistence_write) == ("r" in letters, "w" in letters)
    assert user.getStoredObject("there") == (1 if "r" in letters else None)
    user.storeObject("new", 2)
    assert user.getStoredObject("new") == 2
    assert len(entries(base_dir)) == (2 if "w" in letters else 1)


@pytest.mark.parametrize("persistence", [True, False, "x", "rwx"])
def test_wrong_persistence(persistence: Any) -> None:
    """Anything but the letters r and w is an error that says what is allowed."""
    with pytest.raises(stored.ConfigurationError, match="'rw'"):
        Model().user(persistence)


def test_configure_takes_persistence_away(base_dir: Path) -> None:
    """The settings of stored limit what a user may do, whatever Colossus says."""
    user = Model().user("rw")
    user.storeObject("there", 1)
    with stored.configure(persistence="r"):
        user.storeObject("new", 2)
        assert len(entries(base_dir)) == 1
    with stored.configure(persistence=""):
        user.resetStorage()
        assert user.getStoredObject("there") is None
        assert not user.persistence_read


def test_disable_leaves_the_disk_alone(base_dir: Path, tmp_path: Path) -> None:
    """While stored is disabled, objects are in memory only; text tables, which are input, are read all the same."""
    text = tmp_path / "table.txt"
    np.savetxt(text, TABLE.T)
    Model().user().storeObject("there", 1)
    before = entries(base_dir)
    with stored.configure(disable=True):
        user = Model().user()
        assert user.getStoredObject("there") is None
        user.storeObject("new", 2)
        assert user.getStoredObject("new") == 2
        assert user.listObjects() == ["new"]
        assert not user.removeObject("there")
        np.testing.assert_array_equal(user.getStoredObject("table", path=text), TABLE)
    assert entries(base_dir) == before
    assert Model().user().listObjects() == ["there"]


# -- objects ----------------------------------------------------------------------------------------------------------


def test_example_of_the_original() -> None:
    """A change of the parameter is announced, and the data stored before it are gone."""
    model = Model()
    user = model.user()
    user.storeObject("test_data", [2.6, 9.5], persistent=False)
    assert user.getStoredObject("test_data") == [2.6, 9.5]
    model.parameter = 1.2
    assert user.getStoredObject("test_data") is None
    assert model.changes == [1.2]


@pytest.mark.parametrize("from_disk", [False, True], ids=["memory", "disk"])
@pytest.mark.parametrize(
    "value",
    [
        TABLE,
        (TABLE[0], TABLE[1], np.outer(TABLE[0], TABLE[1])),
        [TABLE],
        {"a": (TABLE, [TABLE])},
        np.asfortranarray(TABLE),
    ],
    ids=["array", "tuple", "list", "nested", "fortran"],
)
def test_arrays_are_private(value: Any, from_disk: bool) -> None:
    """Arrays come writable, wherever they stand in a value, and writing to them changes nothing stored."""

    def arrays(found: Any) -> list[Any]:
        if isinstance(found, np.ndarray):
            return [found]
        return [each for part in (found.values() if isinstance(found, dict) else found) for each in arrays(part)]

    model = Model()
    user = model.user()
    user.storeObject("x", value)
    if from_disk:
        user = model.user()
    expected = [each.copy(order="K") for each in arrays(value)]
    for get in (lambda: user.getStoredObject("x"), lambda: user.storage_pers["x"]):
        found = get()
        assert type(found) is type(value)
        for each in arrays(found):
            each[...] = -1.0
        for stands, was in zip(arrays(get()), expected, strict=True):
            np.testing.assert_array_equal(stands, was)
            assert stands.flags.f_contiguous == was.flags.f_contiguous
    for stands, was in zip(arrays(model.user().getStoredObject("x")), expected, strict=True):
        np.testing.assert_array_equal(stands, was)


def test_writing_to_an_array_changes_no_interpolator() -> None:
    """An interpolator is of the stored table, and not of what a caller has made of a copy."""
    user = Model().user()
    user.storeObject("t", TABLE)
    user.getStoredObject("t")[1] = 0.0
    assert user.getStoredObject("t", interpolator=True)(3.0) == pytest.approx(8.0)
    user.storeObject("t", TABLE * [[1.0], [2.0]])
    assert user.getStoredObject("t", interpolator=True)(3.0) == pytest.approx(16.0)


def test_interpolators_equal_the_originals() -> None:
    """Forward, inverse and linear, of one coordinate and two: class, knots and coefficients are the original's."""
    model = Model()
    ours = model.user()
    theirs = original.StorageUser("tests", "", lambda: model.name, model.string, None)
    tables = {
        "t": TABLE,
        "falling": TABLE * [[1.0], [-1.0]],
        "s": (TABLE[0], TABLE[1], np.outer(TABLE[0], TABLE[1]) ** 2),
    }
    for name, table in tables.items():
        for options in ({}, {"inverse": True}, {"linear_interp": True}, {"inverse": True, "linear_interp": True}):
            if name == "s" and "inverse" in options:
                continue
            # under names of their own: the original takes a linear interpolator for the cubic one
            theirs.storeObject(f"{name}{options}", table, persistent=False)
            ours.storeObject(f"{name}{options}", table)
            expected, found = (
                user.getStoredObject(f"{name}{options}", interpolator=True, **options) for user in (theirs, ours)
            )
            assert type(found) is type(expected) in {InterpolatedUnivariateSpline, RectBivariateSpline}
            np.testing.assert_array_equal(np.hstack(found.get_knots()), np.hstack(expected.get_knots()), strict=True)
            np.testing.assert_array_equal(found.get_coeffs(), expected.get_coeffs(), strict=True)


def test_other_objects_come_as_they_are() -> None:
    """What is neither array nor plain container is handed out itself."""
    user = Model().user("")
    thing = Model()
    user.storeObject("thing", thing)
    assert user.getStoredObject("thing") is thing


# -- storage_pers and storage_temp ------------------------------------------------------------------------------------


def test_mappings_show_what_is_stored() -> None:
    """Each shows the objects of its kind, of memory and disk, as they are now."""
    model = Model()
    user = model.user()
    kept, fleeting = user.storage_pers, user.storage_temp
    user.storeObject("a", 1)
    user.storeObject("b", 2, persistent=False)
    assert (dict(kept), dict(fleeting)) == ({"a": 1}, {"b": 2})
    assert (len(kept), len(fleeting)) == (1, 1)
    assert "a" in kept
    assert "a" not in fleeting
    assert 5 not in kept
    assert (dict(model.user().storage_pers), dict(model.user().storage_temp)) == ({"a": 1}, {})
    model.parameter = 2.0
    assert (dict(kept), dict(fleeting)) == ({}, {})
    assert repr(kept).startswith("<persistent objects")
    assert repr(fleeting).startswith("<memory-only objects")


def test_mappings_store() -> None:
    """Setting an item stores it: for good in one, in memory in the other."""
    model = Model()
    user = model.user()
    user.storage_pers["a"] = TABLE
    user.storage_temp.update(b=2, c=3)
    np.testing.assert_array_equal(user.getStoredObject("a"), TABLE)
    assert user.getStoredObject("b") == 2
    assert model.user().listObjects() == ["a"]
    with pytest.raises(KeyError, match="missing"):
        user.storage_pers["missing"]


def test_mappings_delete() -> None:
    """Deleting an item removes it, from the disk too, and leaves the other kind alone."""
    model = Model()
    user = model.user()
    user.storeObject("a", "kept")
    user.storeObject("a", "fleeting", persistent=False)  # hides the other, as long as it is there
    assert (user.storage_pers["a"], user.storage_temp["a"]) == ("kept", "fleeting")
    assert user.getStoredObject("a") == "fleeting"
    del user.storage_temp["a"]
    assert user.getStoredObject("a") == "kept"
    assert user.storage_pers.pop("a") == "kept"
    assert user.getStoredObject("a") is None
    assert model.user().getStoredObject("a") is None
    for objects in user.storage_pers, user.storage_temp:
        with pytest.raises(KeyError, match="a"):
            del objects["a"]
    user.storage_pers.update(b=1, c=2)
    user.storage_pers.clear()
    assert model.user().listObjects() == []


def test_delete_persistent_behind_a_fleeting_one() -> None:
    """Removing a persistent object that is hidden by a fleeting one leaves the latter."""
    user = Model().user()
    user.storeObject("a", "kept")
    user.storeObject("a", "fleeting", persistent=False)
    del user.storage_pers["a"]
    assert (dict(user.storage_pers), dict(user.storage_temp)) == ({}, {"a": "fleeting"})


def test_mappings_delete_without_permission() -> None:
    """What a user that only reads cannot remove is an error, also for clear(), and is still there."""
    model = Model()
    model.user().storeObject("a", 1)
    reader = model.user("r")
    with pytest.raises(PermissionError, match="'a' is on disk"):
        reader.storage_pers.clear()
    assert reader.storage_pers["a"] == 1


def test_mapping_passes_over_damaged_entries(base_dir: Path) -> None:
    """An entry that cannot be used is no item, so that all items can be had."""
    model = Model()
    model.user().storage_pers.update(a=1, b=2)
    (damaged,) = [path for path in entries(base_dir) if "-a-" in path.name]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.warns(stored.EntryWarning):
        assert dict(model.user().storage_pers) == {"b": 2}


# -- owners -----------------------------------------------------------------------------------------------------------


class Holder:
    """An owner as in Colossus, which decorates a method beside."""

    def __init__(self, parameter: float) -> None:
        self.parameter = parameter
        self.calls = 0
        self.su = drop_in.StorageUser("tests", "rw", self.getName, self.getHashableString, None)

    def getName(self) -> str:
        return "holder"

    def getHashableString(self) -> str:
        return f"holder_{self.parameter!r}"

    @stored.stored
    def twice(self) -> float:
        self.calls += 1
        return 2 * self.parameter


def test_decorated_methods_share_the_space(base_dir: Path) -> None:
    """Results of decorated methods of an owner that holds this StorageUser are in the same place, and no objects."""
    first, second = Holder(1.5), Holder(1.5)
    assert (first.twice(), second.twice()) == (3.0, 3.0)
    assert (first.calls, second.calls) == (1, 0)
    assert len(entries(base_dir)) == 1
    assert first.su.listObjects() == second.su.listObjects() == ["twice()"]
    assert dict(first.su.storage_pers) == dict(first.su.storage_temp) == {}


def test_copies_and_pickles() -> None:
    """A deep copy and an unpickled owner have a StorageUser of their own parameters, and find what is on disk."""
    holder = Holder(1.5)
    holder.su.storeObject("x", 1)
    for other in copy.deepcopy(holder), pickle.loads(pickle.dumps(holder)):
        assert other.su.getStoredObject("x") == 1
        other.parameter = 2.0
        assert other.su.getStoredObject("x") is None
        assert dict(other.su.storage_pers) == {}
    assert holder.su.getStoredObject("x") == 1
