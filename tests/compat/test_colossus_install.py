"""install() and uninstall(): the drop-in in the place of the original."""

from __future__ import annotations

import copy
import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from colossus.utils import storage as original

from stored.compat import colossus as drop_in
from tests.compat.models import entries, old_files


@pytest.fixture
def cosmology_module() -> Iterator[ModuleType]:
    """The cosmology module of Colossus, left with no cosmology."""
    module = importlib.import_module("colossus.cosmology.cosmology")
    yield module
    module.current_cosmo = None


@pytest.fixture
def concentration_module() -> Iterator[ModuleType]:
    """The concentration module of Colossus, left with no StorageUser."""
    module = importlib.import_module("colossus.halo.concentration")
    module.storageUser = None
    yield module
    module.storageUser = None


SURFACE = {
    "original": (original, original.StorageUser, original.getCacheDir),
    "drop-in": (drop_in, drop_in.StorageUser, drop_in.getCacheDir),
}


def references() -> dict[tuple[str, str], tuple[str, object]]:
    """Whatever refers, anywhere in Colossus, to one of the storage modules or to what is made of it, and to which."""
    found: dict[tuple[str, str], tuple[str, object]] = {}
    for name, module in sys.modules.items():
        if name.split(".")[0] == "colossus" and name != "colossus.utils.storage":
            for attribute, value in vars(module).items():
                for side, public in SURFACE.items():
                    if type(value) is public[1] or any(value is each for each in public):
                        found[name, attribute] = side, value
    return found


def test_install_and_uninstall(cosmology_module: ModuleType, concentration_module: ModuleType) -> None:
    """install() leaves no reference to the original in Colossus, uninstall() none to the drop-in; twice is once."""
    cosmology = cosmology_module.setCosmology("planck18")
    user = cosmology.storageUser
    concentration_module._getStorageUser()
    content, before = dict(vars(original)), references()
    expected = {("colossus.utils", "storage"), ("colossus.cosmology.cosmology", "storage")}
    expected |= {("colossus.halo.concentration", "storage"), ("colossus.halo.concentration", "storageUser")}
    assert expected <= before.keys()
    assert {side for side, _ in before.values()} == {"original"}

    drop_in.install()
    during, our_user = references(), cosmology.storageUser
    assert during.keys() == before.keys()
    assert {side for side, _ in during.values()} == {"drop-in"}
    assert type(our_user) is drop_in.StorageUser
    assert importlib.import_module("colossus.utils.storage") is sys.modules["colossus.utils.storage"] is drop_in
    drop_in.install()
    assert references() == during
    assert cosmology.storageUser is our_user

    for _ in range(2):
        drop_in.uninstall()
        assert references() == before
        assert importlib.import_module("colossus.utils.storage") is sys.modules["colossus.utils.storage"] is original
        assert cosmology.storageUser is user
        assert vars(original) == content


def test_uninstall_before_install() -> None:
    """uninstall() without install() changes nothing."""
    before = references()
    drop_in.uninstall()
    assert references() == before
    assert sys.modules["colossus.utils.storage"] is original


def test_names_imported_from_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that a module of Colossus took from the original, and a StorageUser it made, are exchanged and restored."""
    module = ModuleType("colossus.addition")
    code = (
        "from colossus.utils import storage as disk\n"
        "from colossus.utils.storage import StorageUser as User, getCacheDir\n"
        "user = User('tests', 'r', lambda: 'addition', lambda: 'addition 1', None)\n"
        "numbers = [1, 2]\n"
    )
    exec(code, vars(module))
    monkeypatch.setitem(sys.modules, "colossus.addition", module)
    before = dict(vars(module))
    drop_in.install()
    assert (module.disk, module.User, module.getCacheDir) == (drop_in, drop_in.StorageUser, drop_in.getCacheDir)
    assert type(module.user) is drop_in.StorageUser
    assert (module.user.module, module.user.persistence_read, module.user.persistence_write) == ("tests", True, False)
    assert module.user.func_hashstring is before["user"].func_hashstring
    drop_in.uninstall()
    assert vars(module) == before


def test_modules_imported_while_installed(monkeypatch: pytest.MonkeyPatch, base_dir: Path) -> None:
    """What a module took from the drop-in while it was installed is the original's after uninstall()."""
    drop_in.install()
    module = ModuleType("colossus.addition")
    code = (
        "from colossus.utils import storage\n"
        "from colossus.utils.storage import StorageUser\n"
        "user = StorageUser('tests', 'rw', lambda: 'addition', lambda: 'addition 1', None)\n"
    )
    exec(code, vars(module))
    monkeypatch.setitem(sys.modules, "colossus.addition", module)
    module.user.storeObject("x", 1)
    assert len(entries(base_dir)) == 1
    drop_in.uninstall()
    assert (module.storage, module.StorageUser) == (original, original.StorageUser)
    assert type(module.user) is original.StorageUser
    assert (module.user.module, module.user.persistence_read, module.user.persistence_write) == ("tests", True, True)
    module.user.storeObject("x", 2)
    assert len(old_files(base_dir)) == 1


def test_cosmologies_of_before_and_since(cosmology_module: ModuleType) -> None:
    """uninstall() gives a cosmology that is no longer current its StorageUser back, and the current one an original."""
    before = cosmology_module.setCosmology("planck18", persistence="")
    theirs = before.storageUser
    drop_in.install()
    ours = before.storageUser
    since = cosmology_module.setCosmology("WMAP9", persistence="r")
    assert type(since.storageUser) is drop_in.StorageUser
    drop_in.install()
    assert before.storageUser is ours
    drop_in.uninstall()
    assert before.storageUser is theirs
    assert type(since.storageUser) is original.StorageUser
    assert since.storageUser.persistence_read
    assert not since.storageUser.persistence_write


def test_changes_after_install_are_noticed(cosmology_module: ModuleType) -> None:
    """The StorageUser that a cosmology is given notices a change of parameters and tells the cosmology."""
    cosmology = cosmology_module.setCosmology("planck18", print_warnings=False)
    drop_in.install()
    before = cosmology.age(1.0)
    cosmology.Om0 = 0.4
    assert cosmology.storageUser.checkForChangedHash()
    assert cosmology.age(1.0) < before
    assert not cosmology.storageUser.checkForChangedHash()
    assert cosmology.Ode0 == pytest.approx(0.6, rel=1e-3)


@pytest.mark.parametrize("exchange", [drop_in.install, drop_in.uninstall])
def test_changes_before_an_exchange_are_noticed(exchange: Any, cosmology_module: ModuleType) -> None:
    """A change of parameters that came before install() or uninstall(), and no use between, is not lost."""
    if exchange is drop_in.uninstall:
        drop_in.install()
    cosmology = cosmology_module.setCosmology("planck18", print_warnings=False, persistence="")
    before = cosmology.age(1.0)
    cosmology.Om0 = 0.4
    exchange()
    assert cosmology.age(1.0) < before
    assert cosmology.Ode0 == pytest.approx(0.6, rel=1e-3)


def test_exchange_without_callback(concentration_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A StorageUser without a callback is exchanged after a change as well."""
    user = concentration_module._getStorageUser()
    monkeypatch.setattr(user, "func_hashstring", lambda: "changed")
    drop_in.install()
    assert concentration_module.storageUser.func_changed is None
    drop_in.uninstall()
    assert concentration_module.storageUser is user


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda owner: pickle.loads(pickle.dumps(owner))], ids=["copy", "pickle"]
)
def test_copied_cosmologies(copied: Any, cosmology_module: ModuleType) -> None:
    """A copy of a cosmology answers for itself, and derives its parameters anew when one is changed before its use."""
    cosmology = cosmology_module.setCosmology("planck18", persistence="", print_warnings=False)
    drop_in.install()
    before = cosmology.age(1.0)
    twin = copied(cosmology)
    twin.Om0 = 0.4
    other = cosmology_module.Cosmology(
        **{**cosmology_module.cosmologies["planck18"], "name": "planck18", "Om0": 0.4, "persistence": ""}
    )
    assert twin.age(1.0) == other.age(1.0)
    assert twin.Ode0 == other.Ode0
    assert cosmology.age(1.0) == before
    drop_in.uninstall()
    assert type(cosmology.storageUser) is original.StorageUser
    assert type(twin.storageUser) is drop_in.StorageUser
