"""The import of cache files that Colossus wrote, which are pickles."""

from __future__ import annotations

import pickle
import re
from hashlib import md5
from pathlib import Path
from typing import Any

import colossus.utils
import numpy as np
import pytest

import stored
from stored.compat import colossus as drop_in
from tests.compat.models import TABLE, Bomb, Model, entries, old_file, old_files


def test_old_files_are_never_loaded_unasked(base_dir: Path, tmp_path: Path) -> None:
    """A pickle exactly where Colossus would look runs no code: not on reading, listing, storing, or installing."""
    fired = tmp_path / "fired"
    planted = old_file(base_dir / ".colossus/cache", {"x": Bomb(fired), "colossus_version": "1.4.0"})
    content = planted.read_bytes()
    drop_in.install()
    model = Model()
    user = colossus.utils.storage.StorageUser("tests", "rw", lambda: model.name, model.string, None)
    assert user.getStoredObject("x") is None
    assert user.listObjects() == []
    assert dict(user.storage_pers) == {}
    user.storeObject("x", 1)
    user.resetStorage()
    assert user.removeObject("x")
    drop_in.uninstall()
    assert planted.read_bytes() == content
    assert not fired.exists()
    model.old_user()
    assert fired.exists(), "the original loads it, so the place was right"


def test_old_files_in_place_of_entries_are_never_loaded(base_dir: Path, tmp_path: Path) -> None:
    """Nor is a pickle that was put in the place of an entry."""
    model = Model()
    model.user().storeObject("x", 1)
    (entry,) = entries(base_dir)
    entry.write_bytes(pickle.dumps({"x": Bomb(tmp_path / "fired")}))
    with pytest.warns(stored.EntryWarning):
        assert model.user().getStoredObject("x") is None
    assert not (tmp_path / "fired").exists()


def test_import_what_the_original_wrote(base_dir: Path) -> None:
    """Every object of a file is found by a user with the same module, name and string, and by no other."""
    model = Model(name="a_model/with an_odd name".replace("/", "-"))
    old = model.old_user(module="tests/deeper")
    values = {"table": TABLE, "surface": (TABLE[0], TABLE[1], np.outer(*TABLE)), "list": [1.5, None], "fraction": 0.1}
    for name, value in values.items():
        old.storeObject(name, value)
    (file,) = old_files(base_dir)
    before = file.read_bytes()
    assert drop_in.import_cache(drop_in.getCacheDir()) == len(values)
    assert file.read_bytes() == before
    user = model.user(module="tests/deeper")
    assert user.listObjects() == sorted(values) == sorted(user.storage_pers)
    for name, value in values.items():
        assert pickle.dumps(user.getStoredObject(name)) == pickle.dumps(value)
    np.testing.assert_array_equal(
        user.getStoredObject("table", interpolator=True).get_coeffs(),
        old.getStoredObject("table", interpolator=True).get_coeffs(),
    )
    for other in (
        Model(2.0, name=model.name).user(module="tests/deeper"),
        Model(name="other").user(module="tests/deeper"),
        model.user(),
        model.user("", module="tests/deeper"),
        model.user("w", module="tests/deeper"),
    ):
        assert other.getStoredObject("table") is None
        assert other.listObjects() == []
    forged = f"md5:{md5(model.string().encode()).hexdigest()}"
    alike = drop_in.StorageUser("tests/deeper", "rw", lambda: model.name, lambda: forged, None)
    assert alike.getStoredObject("table") is None
    assert not {*values} & {*alike.listObjects()}
    assert dict(alike.storage_pers) == {}


def test_import_from_elsewhere(base_dir: Path, tmp_path: Path) -> None:
    """The directory can be any, and holds nothing new afterwards; the entries are with the others."""
    file = old_file(tmp_path / "elsewhere", {"x": 1, "colossus_version": "1.3.0"}, module="")
    assert drop_in.import_cache(tmp_path / "elsewhere") == 1
    assert [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()] == [file]
    assert len(entries(base_dir)) == 1
    assert Model().user(module="").getStoredObject("x") == 1


def test_import_by_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home directory can be written as ~."""
    monkeypatch.setenv("HOME", str(tmp_path))
    old_file(tmp_path / "cache", {"x": 1, "colossus_version": "1.3.0"})
    assert drop_in.import_cache("~/cache") == 1


def test_import_what_has_no_native_form(base_dir: Path) -> None:
    """An object that can only be pickled is signed when it is imported, and found like any other."""
    old_file(base_dir, {"x": Model(3.5), "colossus_version": "1.4.0"})
    assert drop_in.import_cache(base_dir) == 1
    assert Model().user().getStoredObject("x") == Model(3.5)


def test_import_passes_over_outdated_files(base_dir: Path) -> None:
    """Files of versions that no longer hold, or of none, are skipped."""
    for number, content in enumerate(({"colossus_version": "1.2.9"}, {"colossus_version": 7}, {})):
        old_file(base_dir, {"x": 1, **content}, Model(number))
    assert drop_in.import_cache(base_dir) == 0
    assert not entries(base_dir)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps({"x": TABLE, "colossus_version": "1.4.0"})[:-20],
        pickle.dumps([1, 2]),
        pickle.dumps({1: 2, "colossus_version": "1.4.0"}),
        b"cnosuchmodule\nthing\n.",
    ],
    ids=["empty", "text", "truncated", "list", "nameless", "unknown class"],
)
def test_import_passes_over_damaged_files(content: bytes, base_dir: Path) -> None:
    """A file that cannot be read is skipped with one warning that names it; the others are imported."""
    damaged = old_file(base_dir, content, Model(0))
    old_file(base_dir, {"x": 1, "colossus_version": "1.4.0"}, Model(1))
    with pytest.warns(stored.EntryWarning, match=re.escape(str(damaged))) as warned:
        assert drop_in.import_cache(base_dir) == 1
    assert len(warned) == 1
    assert Model(1).user().getStoredObject("x") == 1


def test_import_looks_at_cache_files_only(base_dir: Path, tmp_path: Path) -> None:
    """Files of other names, directories, and links that lead nowhere are let be, also where they hold pickles."""
    bomb = pickle.dumps(Bomb(tmp_path / "fired"))
    (base_dir / "tests").mkdir()
    for name in ("notes.pickle", "model_0123", f"model-{'0' * 32}", f"model_{'0' * 32}.bak", f"model_{'G' * 32}"):
        (base_dir / "tests" / name).write_bytes(bomb)
    (base_dir / "tests" / f"folder_{'0' * 32}").mkdir()
    (base_dir / "tests" / f"link_{'0' * 32}").symlink_to(tmp_path / "nowhere")
    assert drop_in.import_cache(base_dir) == 0
    assert not (tmp_path / "fired").exists()


def test_import_from_nowhere(tmp_path: Path) -> None:
    """A directory that does not exist is an error that names it."""
    with pytest.raises(NotADirectoryError, match="missing"):
        drop_in.import_cache(tmp_path / "missing")


@pytest.mark.parametrize("limit", [{"persistence": "r"}, {"disable": True}])
def test_import_without_permission_to_write(limit: dict[str, Any], base_dir: Path) -> None:
    """Where nothing may be written, an import is an error rather than an empty success, and loads nothing."""
    old_file(base_dir, {"x": Bomb(base_dir / "fired"), "colossus_version": "1.4.0"})
    with stored.configure(**limit), pytest.raises(stored.ConfigurationError, match="no writing"):
        drop_in.import_cache(base_dir)
    assert not (base_dir / "fired").exists()
