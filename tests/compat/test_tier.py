"""The directory of the drop-in's entries, and which of them are still valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colossus import settings as colossus_settings
from colossus import version as colossus_version
from colossus.utils import storage as original

import stored
from stored._storage.limits import finish_trims
from stored.compat import colossus as drop_in
from tests.compat.models import Model, entries, key_of, old_file, writer_of

# -- the directory ----------------------------------------------------------------------------------------------------


def test_cache_dir_is_that_of_colossus(base_dir: Path) -> None:
    """The directory is made when it is asked for, is the one that Colossus would use, and holds the entries."""
    assert not (base_dir / ".colossus").exists()
    root = drop_in.getCacheDir()
    assert root == f"{base_dir}/.colossus/cache/" == original.getCacheDir()
    assert drop_in.getCacheDir(module="halo.concentration") == original.getCacheDir(module="halo.concentration")
    user = Model().user(module="halo.concentration")
    user.storeObject("x", 1)
    assert entries(Path(drop_in.getCacheDir("halo.concentration"))) == entries(base_dir) != []
    assert user.getUniqueFilename().startswith(drop_in.getCacheDir("halo.concentration"))


def test_cache_dir_in_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without BASE_DIR it is in the home directory."""
    monkeypatch.setattr(colossus_settings, "BASE_DIR", None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert drop_in.getCacheDir() == f"{tmp_path}/home/.colossus/cache/" == original.getCacheDir()


def test_base_dir_counts_when_used(base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A BASE_DIR that is set after a user was made is where that user's entries go."""
    user = Model().user()
    monkeypatch.setattr(colossus_settings, "BASE_DIR", tmp_path / "other")
    user.storeObject("x", 1)
    assert entries(tmp_path / "other")
    assert not entries(base_dir)


def test_a_limit_holds_beside_files_of_colossus(base_dir: Path) -> None:
    """In the cache of Colossus its own files stay, and entries are removed."""
    folder = base_dir / ".colossus" / "cache" / "cosmology"
    folder.mkdir(parents=True)
    own = [folder / f"planck18_{number}" for number in range(30)]
    for file in own:
        file.write_bytes(b"a pickle")
    with stored.configure(max_bytes=2000):
        for number in range(12):
            Model().user().storeObject(f"array {number}", np.arange(50.0))
            finish_trims()
    entries = list(base_dir.rglob("*.stored"))
    assert 0 < sum(file.stat().st_size for file in entries) <= 2000
    assert all(file.exists() for file in own)


def test_unusable_base_dir(base_dir: Path) -> None:
    """Where nothing can be written, objects are kept in memory, with one warning."""
    (base_dir / ".colossus").write_text("a file where the directory should be")
    user = Model().user()

    def use() -> None:
        user.storeObject("x", 1)
        user.storeObject("x", 2)
        assert user.getStoredObject("x") == 2
        assert user.getStoredObject("y") is None

    with pytest.warns(stored.PersistenceWarning, match="kept in memory only") as warned:
        use()
    assert len(warned) == 1


# -- versions ---------------------------------------------------------------------------------------------------------


def test_entries_tell_the_version_of_colossus(base_dir: Path) -> None:
    """An entry says which Colossus it was made with."""
    Model().user().storeObject("x", 1)
    (entry,) = entries(base_dir)
    writer = writer_of(entry)
    assert (writer["stored"], writer["colossus"]) == (stored.__version__, colossus_version.__version__)


def test_outdated_entries(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older Colossus made than is allowed is a miss with one warning, and is replaced."""
    with monkeypatch.context() as older:
        older.setattr(colossus_version, "__version__", "1.2.9")
        Model().user().storeObject("x", "old")
    user = Model().user()
    with pytest.warns(stored.EntryWarning, match=r"made by Colossus 1\.2\.9.*OLDEST_VERSION is 1\.2\.10"):
        assert user.getStoredObject("x") is None
    assert user.getStoredObject("x") is None
    user.storeObject("x", "new")
    assert len(entries(base_dir)) == 1
    assert Model().user().getStoredObject("x") == "new"


@pytest.mark.parametrize(
    ("oldest", "found"), [("1.3.9", True), ("1.4.0", True), ("1.4", True), ("1.4.1", False), ("1.10.0", False)]
)
def test_versions_compare_as_numbers(oldest: str, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of Colossus 1.4.0 holds up to PERSISTENCE_OLDEST_VERSION 1.4.0, which is older than 1.10.0."""
    monkeypatch.setattr(colossus_version, "__version__", "1.4.0")
    Model().user().storeObject("x", 1)
    monkeypatch.setattr(colossus_settings, "PERSISTENCE_OLDEST_VERSION", oldest)
    if found:
        assert Model().user().getStoredObject("x") == 1
    else:
        with pytest.warns(stored.EntryWarning, match=re.escape(oldest)):
            assert Model().user().getStoredObject("x") is None


def test_entry_of_no_version(base_dir: Path) -> None:
    """An entry that stored alone has put there does not say what Colossus it stands for, and is not used."""
    model = Model()
    with stored.configure(cache_dir=drop_in.getCacheDir()):
        stored.StorageUser("tests", "rw", lambda: model.name, model.string, None).storeObject("x", 1)
    with pytest.warns(stored.EntryWarning, match="unknown version"):
        assert model.user().getStoredObject("x") is None


@pytest.mark.parametrize("oldest", ["newest", None, ""])
def test_wrong_oldest_version(oldest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PERSISTENCE_OLDEST_VERSION that is none is an error that says so, and not taken for all or nothing."""
    Model().user().storeObject("x", 1)
    monkeypatch.setattr(colossus_settings, "PERSISTENCE_OLDEST_VERSION", oldest)
    with pytest.raises(stored.ConfigurationError, match="PERSISTENCE_OLDEST_VERSION"):
        Model().user().getStoredObject("x")


# -- imported objects -------------------------------------------------------------------------------------------------


def imported(base_dir: Path) -> Model:
    old_file(base_dir, {"x": "imported", "y": "also", "colossus_version": "1.4.0"})
    assert drop_in.import_cache(base_dir) == 2
    return Model()


def test_imported_objects_become_outdated(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An imported object is as old as the file it came from, and a miss with a warning when that no longer holds."""
    old_file(base_dir, {"x": 1, "colossus_version": "1.2.10"})
    drop_in.import_cache(base_dir)
    assert Model().user().getStoredObject("x") == 1
    monkeypatch.setattr(colossus_settings, "PERSISTENCE_OLDEST_VERSION", "1.3.0")
    with pytest.warns(stored.EntryWarning, match=r"Colossus 1\.2\.10"):
        assert Model().user().getStoredObject("x") is None


def test_stored_objects_replace_imported_ones(base_dir: Path) -> None:
    """What is stored after an import replaces the imported object for good, even if its own entry is lost."""
    model = imported(base_dir)
    model.user().storeObject("x", "new")
    assert model.user().getStoredObject("x") == "new"
    assert model.user().listObjects() == ["x", "y"]
    for path in entries(base_dir):
        if key_of(path).space.string == model.string():
            path.unlink()
    assert model.user().getStoredObject("x") is None
    assert model.user().getStoredObject("y") == "also"


def test_import_after_storing(base_dir: Path) -> None:
    """An object that was stored before an import stands, and a damaged entry does not bring back the imported one."""
    model = Model()
    model.user().storeObject("x", "new")
    (entry,) = entries(base_dir)
    imported(base_dir)
    assert model.user().getStoredObject("x") == "new"
    entry.write_bytes(entry.read_bytes()[:-1])
    with pytest.warns(stored.EntryWarning):
        assert model.user().getStoredObject("x") is None


def test_unreadable_entry_does_not_bring_back_the_imported_one(base_dir: Path) -> None:
    """Where the store cannot tell whether there is an entry, an imported object is not taken for it."""
    model = Model()
    model.user().storeObject("x", "new")
    (entry,) = entries(base_dir)
    imported(base_dir)
    entry.unlink()
    entry.symlink_to(entry)  # stops root too, whom no mode would stop
    with pytest.warns(stored.PersistenceWarning, match="cannot be read"):
        assert model.user().getStoredObject("x") is None


def test_remove_imported_objects(base_dir: Path) -> None:
    """Removing an imported object removes it for good, alone."""
    model = imported(base_dir)
    user = model.user()
    assert user.removeObject("x")
    assert not user.removeObject("x")
    assert user.getStoredObject("x") is None
    del user.storage_pers["y"]
    assert model.user().listObjects() == []
    assert not entries(base_dir)


def test_imported_objects_while_disabled(base_dir: Path) -> None:
    """While stored is disabled, imported objects are neither found nor listed nor removed."""
    model = imported(base_dir)
    with stored.configure(disable=True):
        assert model.user().getStoredObject("x") is None
        assert model.user().listObjects() == []
        assert not model.user().removeObject("x")
    assert model.user().getStoredObject("x") == "imported"


def test_imported_objects_for_readers(base_dir: Path) -> None:
    """A user that only reads finds imported objects, and removes none."""
    reader = imported(base_dir).user("r")
    assert reader.getStoredObject("x") == "imported"
    assert not reader.storage_pers.keys() - {"x", "y"}
    reader.removeObject("x")
    assert reader.getStoredObject("x") == "imported"
