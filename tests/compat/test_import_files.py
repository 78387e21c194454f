"""The import of cache files that Colossus wrote, which are pickles."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import socket
import tempfile
import warnings
from contextlib import nullcontext
from hashlib import md5
from pathlib import Path
from typing import Any

import colossus.utils
import numpy as np
import pytest
from colossus import settings as colossus_settings

import stored
from stored.compat import colossus as drop_in
from tests.compat.models import TABLE, Bomb, Model, entries, old_file, old_files
from tests.compat.odd import ERRORS, Lock, Masked, Name, Raising, Recursive, Stubborn
from tests.faults.processes import in_processes
from tests.faults.test_places import NOBODY, drop_privileges


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
        pickle.dumps({"x": TABLE, "colossus_version": "1.4.0"}, protocol=0)[:-20],
        b"0.",
        b"I1x\n.",
        b"(dp0\nS'x'\n",
        b"\x82\x01.",
        b"Pan id\n.",
        b"\x80\xff.",
        b"\x8e" + b"\xff" * 8 + b".",
        pickle.dumps(Masked()),
        *(pickle.dumps({"x": Raising(name)}) for name in ERRORS),
        pickle.dumps({"x": Recursive()}),
    ],
    ids=[
        *("empty", "text", "truncated", "list", "nameless", "unknown class", "truncated text", "no stack", "no number"),
        *("unclosed", "extension", "persistent", "protocol", "too long", "masked", *ERRORS, "recursive"),
    ],
)
def test_import_passes_over_damaged_files(content: bytes, base_dir: Path) -> None:
    """A file that cannot be read is skipped with one warning that names it; the others are imported."""
    damaged = old_file(base_dir, content, Model(0))
    old_file(base_dir, {"x": 1, "colossus_version": "1.4.0"}, Model(1))
    with pytest.warns(stored.EntryWarning, match=re.escape(str(damaged))) as warned:
        assert drop_in.import_cache(base_dir) == 1
    assert len(warned) == 1
    assert Model(1).user().getStoredObject("x") == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (iter([1, 2]), "list_iterator was to be kept, which can be used only once"),
        ([iter((1, 2))], "tuple_iterator was to be kept"),
        (Lock(), "a lock cannot be pickled"),
        (Masked(), "RuntimeError: no class"),
    ],
    ids=["iterator", "iterator inside", "lock", "masked"],
)
def test_import_passes_over_objects_that_cannot_be_stored(value: object, reason: str, base_dir: Path) -> None:
    """Such an object is skipped with a warning that names it, the file and the reason; all others are imported."""
    odd = old_file(base_dir, {"a": 1, "odd": value, "z": 2, "colossus_version": "1.4.0"}, Model(0))
    old_file(base_dir, {"x": 3, "colossus_version": "1.4.0"}, Model(1))
    with pytest.warns(stored.EntryWarning, match=f"object 'odd' of {re.escape(str(odd))} .*{reason}") as warned:
        assert drop_in.import_cache(base_dir) == 3
    assert len(warned) == 1
    assert [Model(0).user().getStoredObject(name) for name in ("a", "odd", "z")] == [1, None, 2]
    assert Model(1).user().getStoredObject("x") == 3


def test_import_passes_over_objects_without_names(base_dir: Path) -> None:
    """What has a number for a name is skipped, and the rest of the file is imported."""
    old_file(base_dir, {5: 1, None: 2, "z": 3, "colossus_version": "1.4.0"}, Model(0))
    with pytest.warns(stored.EntryWarning, match="2 of the objects in .* passed over, since their names are no texts"):
        assert drop_in.import_cache(base_dir) == 1
    assert Model(0).user().getStoredObject("z") == 3


def test_import_from_dicts_and_texts_of_other_classes(base_dir: Path) -> None:
    """What their own methods do does not matter."""
    found = Stubborn({Name("x"): 1, "y": 2, np.str_("z"): 3, "colossus_version": "1.4.0"})
    old_file(base_dir, found)
    assert drop_in.import_cache(base_dir) == 3
    user = Model().user()
    assert [user.getStoredObject(name) for name in ("x", "y", "z")] == [1, 2, 3]


def test_import_of_odd_names(base_dir: Path) -> None:
    """Whatever objects are called, all are imported."""
    names = ["", "\ud800", "a/b", "..", "\0", "x" * 10_000]
    old_file(base_dir, {**dict.fromkeys(names, 1), "colossus_version": "1.4.0"})
    assert drop_in.import_cache(base_dir) == len(names)
    assert Model().user().listObjects() == sorted(names)


@pytest.mark.parametrize("kind", ["pipe", "loop", "link to a pipe", "socket"])
def test_import_passes_over_what_is_no_file(kind: str, base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for, and costs one warning that names it; the others are imported."""
    place = old_file(base_dir, b"", Model(0))
    place.unlink()
    monkeypatch.chdir(place.parent)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    else:
        os.mkfifo("pipe")
        place.symlink_to(place.name if kind == "loop" else "pipe")
    old_file(base_dir, {"x": 1, "colossus_version": "1.4.0"}, Model(1))
    imported = []
    with nullcontext() if kind == "loop" else pytest.warns(stored.EntryWarning, match=re.escape(str(place))) as warned:
        imported.append(drop_in.import_cache(base_dir))
    assert imported == [1]
    assert warned is None or len(warned) == 1


def test_import_follows_links_to_files(base_dir: Path) -> None:
    """A cache file may be elsewhere."""
    file = old_file(base_dir, {"x": 1, "colossus_version": "1.4.0"})
    file.rename(base_dir / "elsewhere")
    file.symlink_to(base_dir / "elsewhere")
    assert drop_in.import_cache(base_dir) == 1


def import_unprivileged(base_dir: Path) -> list[str]:
    drop_privileges()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert drop_in.import_cache(base_dir / "old") == 1
    return [str(each.message) for each in caught]


def test_import_passes_over_what_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, and a folder, that this user may not read cost one warning each."""
    base_dir = Path(tempfile.mkdtemp())
    base_dir.chmod(0o777)
    monkeypatch.setattr(colossus_settings, "BASE_DIR", str(base_dir))
    content = {"x": 1, "colossus_version": "1.4.0"}
    closed = old_file(base_dir / "old", content, Model(0))
    folder = old_file(base_dir / "old", content, Model(1), "closed").parent
    old_file(base_dir / "old", content, Model(2))
    for each in (closed, folder):
        os.chown(each, NOBODY, NOBODY) if os.geteuid() == 0 else None
        each.chmod(0)
    (messages,) = in_processes((import_unprivileged, base_dir))
    folder.chmod(0o700)
    shutil.rmtree(base_dir)
    assert [each.split(" was passed over")[0] for each in messages] == [str(folder), str(closed)]


def test_import_passes_over_a_folder_that_is_gone(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others remove while the import is under way costs one warning."""
    real, gone = os.scandir, base_dir / "gone"

    def scandir(path: Any) -> Any:
        if path == str(gone) or path == gone:  # it may also be a descriptor
            gone.rmdir()
        return real(path)

    gone.mkdir()
    old_file(base_dir, {"x": 1, "colossus_version": "1.4.0"})
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.warns(stored.EntryWarning, match=f"{gone} was passed over, since it cannot be listed"):
        assert drop_in.import_cache(base_dir) == 1


def test_import_to_where_nothing_can_be_written(base_dir: Path, tmp_path: Path) -> None:
    """However many files there are, there is one warning."""
    for number in range(3):
        old_file(tmp_path / "old", {"x": 1, "y": 2, "colossus_version": "1.4.0"}, Model(number))
    (base_dir / ".colossus").touch()
    with pytest.warns(stored.PersistenceWarning, match="writing to .* failed") as warned:
        assert drop_in.import_cache(tmp_path / "old") == 0
    assert len(warned) == 1


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
