"""Other packages offer adapters by entry points, which are loaded when a type of theirs is first met."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stored import StoredWarning, register
from stored._adapters import adapter_named, adapter_of, offered, registry
from tests.adapters.round_trips import comes_back

LIBRARY = """
class Spectrum:
    def __init__(self, flux):
        self.flux = flux
"""

ADAPTERS = """
import spectra
from stored import register

loaded = []

def offer():
    loaded.append(True)
    register(
        spectra.Spectrum,
        encode=lambda spectrum: spectrum.flux,
        decode=lambda flux: spectra.Spectrum(flux),
    )
"""

PROGRAM = """
import json, sys, warnings

warnings.simplefilter("error")
import stored
from stored._storage.format import describe, pack, unpack
from stored._storage.native import pack_native, unpack_native

told = ["spectra_adapters" in sys.modules]

@stored.keyed_by("H0")
class Model:
    H0 = 70.0

    @stored.stored(version="1")
    def spectrum(self):
        import spectra

        computed.append(1)
        return spectra.Spectrum([1.0, 2.0])

computed = []
model = Model()
told.append("spectra_adapters" in sys.modules)
flux = model.spectrum().flux
told += [flux, "spectra_adapters" in sys.modules, len(computed)]
print(json.dumps(told))
"""


def package(folder: Path, offers: str) -> Path:
    """A folder with an installed package, as pip leaves it, that offers adapters for the types of another one."""
    (folder / "spectra.py").write_text(LIBRARY)
    (folder / "spectra_adapters.py").write_text(ADAPTERS)
    info = folder / "spectra_adapters-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spectra-adapters\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[stored.adapters]\n{offers}\n")
    (info / "RECORD").write_text("")
    return folder


def run(folder: Path, key: str) -> Any:
    """What the program prints, for a user with a key of his own."""
    environment = {
        **{name: str(folder / name.lower()) for name in ("STORED_CACHE_DIR", "HOME")},
        "STORED_KEY_FILE": str(folder / key / "key"),
        "PYTHONPATH": ":".join([str(folder), *sys.path]),
    }
    (folder / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(folder / "program.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_package_offers_adapters(tmp_path: Path) -> None:
    """They are loaded neither at import nor before such a type is met, also in an entry; results are shared."""
    package(tmp_path, "spectra = spectra_adapters:offer")
    assert run(tmp_path, "one") == [False, False, [1.0, 2.0], True, 1]
    assert run(tmp_path, "two") == [False, False, [1.0, 2.0], True, 0]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that puts a package into this process."""

    def install(offers: str) -> Any:
        monkeypatch.syspath_prepend(str(package(tmp_path, offers)))
        for name in ("spectra", "spectra_adapters"):
            monkeypatch.delitem(sys.modules, name, raising=False)
            registry._asked.discard(name)
        offered._offers.cache_clear()
        import spectra  # type: ignore[import-not-found]

        return spectra

    yield install
    offered._offers.cache_clear()
    registry._asked.discard("spectra")


def test_offers_are_functions_or_modules(installed: Any) -> None:
    """A function is called; the import of a module is all there is of one."""
    spectra = installed("spectra = spectra_adapters:offer\nother = spectra_adapters")
    assert adapter_of(spectra.Spectrum) is not None
    assert comes_back(spectra.Spectrum([1.0])).flux == [1.0]
    assert sys.modules["spectra_adapters"].loaded == [True]
    offered.load_offered("other")
    assert sys.modules["spectra_adapters"].loaded == [True]


def test_offers_are_found_by_the_name_in_an_entry(installed: Any) -> None:
    """As where a result is read before such a type was met."""
    spectra = installed("spectra = spectra_adapters:offer")
    registry._by_name.pop("spectra.Spectrum", None)
    found = adapter_named("spectra.Spectrum")
    assert found is not None
    assert found.kind is spectra.Spectrum


def test_an_offer_that_fails_is_warned_of(installed: Any) -> None:
    """Its types are treated as unknown ones, and are asked for once."""
    spectra = installed("spectra = no_such_module:offer")
    registry._by_name.pop("spectra.Spectrum", None)
    with pytest.warns(
        StoredWarning, match=r"the adapters for spectra that no_such_module:offer offers cannot be loaded"
    ):
        assert adapter_of(spectra.Spectrum) is None
    assert adapter_of(spectra.Spectrum) is None
    register(spectra.Spectrum)
    assert adapter_of(spectra.Spectrum) is not None


def test_a_library_that_is_not_installed_has_no_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that names one of its types is damaged, and no error comes."""
    monkeypatch.setitem(registry._LIBRARIES, "no_such_library", "of_no_such_library")
    assert adapter_named("no_such_library.Type") is None


def test_what_cannot_be_loaded_now_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without file handles, say, a type is an unknown one, and the next call finds what is known of it."""
    kind = type("Lens", (), {"__module__": "telescopes"})
    tries = []

    def load(package: str) -> None:
        tries.append(package)
        if len(tries) == 1:
            raise OSError("no file handles")
        register(kind, key=lambda lens: 1)

    monkeypatch.setattr("stored._adapters.offered.load_offered", load)
    assert adapter_of(kind) is None
    found = adapter_of(kind)
    assert found is not None
    assert found.kind is kind
    assert tries == ["telescopes"] * 2


def test_a_library_that_is_not_as_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its types are unknown ones, with one warning, and calls go on."""
    kind = type("Frame", (), {"__module__": "newer.frames"})

    def load(name: str) -> None:
        raise AttributeError("module 'newer' has no attribute 'Block'")

    monkeypatch.setitem(registry._LIBRARIES, "newer", "of_newer")
    monkeypatch.setattr(registry, "import_module", load)
    with pytest.warns(StoredWarning, match=r"newer, of version unknown, is not as it is known here .*Block"):
        assert adapter_of(kind) is None
    assert adapter_of(kind) is None


def test_a_library_that_cannot_be_looked_into_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is warned of, and it is looked into again."""
    kind = type("Frame", (), {"__module__": "busy.frames"})
    tries = []

    def load(name: str) -> None:
        tries.append(name)
        raise OSError("too many open files")

    monkeypatch.setitem(registry._LIBRARIES, "busy", "of_busy")
    monkeypatch.setattr(registry, "import_module", load)
    assert [adapter_of(kind), adapter_of(kind)] == [None, None]
    assert len(tries) == 2
