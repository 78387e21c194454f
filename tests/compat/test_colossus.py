"""The drop-in for the storage module of Colossus."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from types import ModuleType
from typing import Any

import colossus.utils
import numpy as np
import pytest
from colossus import settings as colossus_settings
from colossus import version as colossus_version
from colossus.utils import storage as original
from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

import stored
from stored.compat import colossus as drop_in

TABLE = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 8.0, 16.0]])


@pytest.fixture(autouse=True)
def base_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of the test's own for Colossus, which is itself again when the test ends."""
    directory = tmp_path / "base"
    directory.mkdir()
    monkeypatch.setattr(colossus_settings, "BASE_DIR", str(directory))
    yield directory
    drop_in.uninstall()


@dataclass
class Model:
    """An owner whose parameter can be changed."""

    parameter: float = 1.5
    name: str = "model"
    changes: list[float] = field(default_factory=list)

    def string(self) -> str:
        return f"{self.name}_{self.parameter:.4f}"

    def user(self, persistence: str | None = "rw", module: str = "tests") -> drop_in.StorageUser:
        return drop_in.StorageUser(
            module, persistence, lambda: self.name, self.string, lambda: self.changes.append(self.parameter)
        )

    def old_user(self, module: str = "tests") -> Any:
        """The original's, which reads and writes pickles."""
        return original.StorageUser(module, "rw", lambda: self.name, self.string, None)


def entries(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.stored"))


def old_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if re.search("_[0-9a-f]{32}$", path.name))


# --------------------------------------------------------------------------------------------------------------------
# Processes
# --------------------------------------------------------------------------------------------------------------------


def run(home: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, whose home directory is empty but for what earlier ones left there."""
    home.mkdir(exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STORED_", "XDG_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "HOME": str(home), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


INSTALL = """
import warnings
import stored.compat.colossus
warnings.simplefilter("error", stored.StoredWarning)
stored.compat.colossus.install()
"""

# prints the bits of many results, and how many tables had to be computed for them
QUANTITIES = """
import contextlib, io, json, sys
import numpy as np
H0 = float(sys.argv[1]) if len(sys.argv) > 1 else 67.66
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    from colossus.cosmology import cosmology
    from colossus.halo import concentration
    cosmo = cosmology.setCosmology("planck18", H0=H0, print_info=True)
    z, R, k = np.array([0.0, 0.5, 2.0, 7.0]), np.array([0.1, 2.0, 8.0, 40.0]), np.array([1e-3, 0.05, 1.0])
    values = {
        "age": cosmo.age(z),
        "z of age": cosmo.age(np.array([2.0, 8.0]), inverse=True),
        "age'": cosmo.age(z, derivative=1),
        "distance": cosmo.comovingDistance(0.0, z),
        "luminosity": cosmo.luminosityDistance(z),
        "growth": cosmo.growthFactor(z),
        "z of growth": cosmo.growthFactor(np.array([0.3, 0.8]), inverse=True),
        "power": cosmo.matterPowerSpectrum(k, 0.5),
        "slope": cosmo.matterPowerSpectrum(k, derivative=True),
        "sigma": cosmo.sigma(R, 1.0),
        "R of sigma": cosmo.sigma(np.array([0.5, 1.5]), 0.0, inverse=True),
        "linear R of sigma": cosmo.sigma(np.array([0.5, 1.5]), 0.0, kmin=1e-3, inverse=True, linear_inverse=True),
        "c": concentration.concentration(np.array([1e11, 1e14]), "200c", 0.5, model="diemer19"),
    }
    # a power spectrum from a file, which Colossus normalizes by writing into the array that it was given
    k_table = 10 ** np.linspace(-4.0, 3.0, 300)
    np.savetxt("power.txt", np.log10([k_table, 3.0 * cosmo.matterPowerSpectrum(k_table)]).T, header="log k, log P")
    from_file = {"model": "mine", "path": "power.txt"}
    for turn in "first", "second":
        values["power from file, " + turn] = cosmo.matterPowerSpectrum(k, **from_file)
    values["norm"] = np.atleast_1d(cosmo.matterPowerSpectrumNorm(**from_file))
    splines = [cosmo._zInterpolator("lnzp1_age", None), cosmo._sigmaInterpolator(0, "tophat", False, None, None, False,
        {"model": "eisenstein98"}), concentration.storageUser.getStoredObject("diemer19_Gc", interpolator=True)]
    parts = [np.ravel(np.hstack(part)) for spline in splines for part in (spline.get_knots(), spline.get_coeffs())]
    nodes = [[float(x).hex() for x in part] for part in parts]
print(json.dumps({
    "values": {name: [float(x).hex() for x in value] for name, value in values.items()},
    "nodes": nodes,
    "splines": [type(spline).__name__ for spline in splines],
    "computed": printed.getvalue().count("Computing"),
    "user": type(cosmo.storageUser).__module__,
}))
"""


def quantities(home: Path, prelude: str, H0: float = 67.66) -> dict[str, Any]:
    done = run(home, f"import sys; sys.argv[1:] = ['{H0}']\n{prelude}\n{QUANTITIES}")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def by_original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """What Colossus computes by itself, and the home with the cache files that it wrote."""
    home = tmp_path_factory.mktemp("original")
    return home, quantities(home, "")


@pytest.fixture(scope="module")
def by_drop_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """What Colossus computes on the drop-in, and the home with the entries."""
    home = tmp_path_factory.mktemp("drop_in")
    return home, quantities(home, INSTALL)


def test_results_equal_the_originals(by_original: Any, by_drop_in: Any) -> None:
    """In every bit: values, inverses and derivatives, the splines' knots and coefficients, and their classes."""
    expected, found = by_original[1], by_drop_in[1]
    assert (expected["user"], found["user"]) == ("colossus.utils.storage", "stored.compat.colossus")
    assert found["values"] == expected["values"]
    assert found["nodes"] == expected["nodes"]
    assert found["splines"] == expected["splines"]
    assert set(found["splines"]) == {"InterpolatedUnivariateSpline", "RectBivariateSpline"}
    assert found["computed"] == expected["computed"] > 0


def test_entries_in_place_of_pickles(by_original: Any, by_drop_in: Any) -> None:
    """The drop-in's tables are entries, beside where the original would have its pickles, of which it writes none."""
    cache = by_drop_in[0] / ".colossus" / "cache"
    assert {path.relative_to(cache).parts[0] for path in entries(cache)} == {"cosmology", "halo.concentration"}
    assert not old_files(by_drop_in[0])
    assert old_files(by_original[0])
    assert not (by_drop_in[0] / ".config").exists(), "tables need no key"


def test_second_process_computes_nothing(by_drop_in: Any) -> None:
    """Every table of one process is found by the next."""
    home, first = by_drop_in
    again = quantities(home, INSTALL)
    assert again["computed"] == 0
    assert again["values"] == first["values"]


def test_process_with_a_changed_parameter_computes_all(by_drop_in: Any) -> None:
    """No table of one process is found by the next with a changed parameter; all are when it is changed back."""
    home, first = by_drop_in
    other = quantities(home, INSTALL, H0=70.0)
    # the table of diemer19 does not depend on the cosmology, and is not announced when it is computed
    assert other["computed"] == first["computed"]
    assert other["values"]["age"] != first["values"]["age"]
    back = quantities(home, INSTALL)
    assert back["computed"] == 0
    assert back["values"] == first["values"]


def test_imported_cache_serves_colossus(by_original: Any, tmp_path: Path) -> None:
    """After an import, Colossus computes none of the tables that the old files hold, and has the same results."""
    old_home, expected = by_original
    load = f"{INSTALL}\nprint(stored.compat.colossus.import_cache({str(old_home / '.colossus/cache')!r}))"
    done = run(tmp_path / "home", load)
    assert done.returncode == 0, done.stderr
    held = [pickle.loads(path.read_bytes()) for path in old_files(old_home)]
    assert int(done.stdout) == sum(len(each) - 1 for each in held) > 5  # each file names its version too
    found = quantities(tmp_path / "home", INSTALL)
    assert found["computed"] == 0
    assert found["values"] == expected["values"]
    assert found["nodes"] == expected["nodes"]


# --------------------------------------------------------------------------------------------------------------------
# The test suite of Colossus
# --------------------------------------------------------------------------------------------------------------------

PARTS = {
    "halo_profile.TCCreation": (2, {"cosmology"}),
    "halo_profile": (5, {"halo.concentration"}),
    "halo_accretion_history": (73, {"halo.concentration"}),
    "": (98, {"halo.concentration"}),
}
"""How the names of tests begin, how many these are but for those before, and the modules whose tables they store.

They are run in parts, as all of them in one process, twice, would be one test of half a minute.
"""

SUITE = f"""
{INSTALL}
import sys, unittest
import colossus

def tests_of(suite):
    for each in suite:
        yield from tests_of(each) if isinstance(each, unittest.TestSuite) else [each]

def part_of(test):
    return next(part for part in {list(PARTS)} if test.id().startswith("colossus.tests.test_" + part))

root = colossus.__path__[0]
suite = unittest.TestLoader().discover(root + "/tests", pattern="test_*.py", top_level_dir=root + "/..")
part = unittest.TestSuite(each for each in tests_of(suite) if part_of(each) == sys.argv[1])
result = unittest.TextTestRunner(verbosity=0).run(part)
print(suite.countTestCases(), result.testsRun, len(result.failures), len(result.errors), len(result.skipped))
"""


@dataclass
class SuiteRun:
    home: Path
    outcome: list[int]
    tables: dict[Path, int]


def run_suite(home: Path, part: str) -> SuiteRun:
    done = run(home, f"import sys; sys.argv[1:] = [{part!r}]\n{SUITE}")
    assert done.returncode == 0, done.stderr
    outcome = [int(number) for number in done.stdout.splitlines()[-1].split()]
    # its storage tests store their own object in every run
    tables = {path: path.stat().st_mtime_ns for path in entries(home) if "unit_test" not in path.parts}
    return SuiteRun(home, outcome, tables)


@pytest.fixture(scope="module", params=PARTS, ids=lambda part: part or "others")
def part(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cold(part: str, tmp_path_factory: pytest.TempPathFactory) -> SuiteRun:
    """A part of the suite with a cold cache."""
    return run_suite(tmp_path_factory.mktemp("suite"), part)


@pytest.fixture(scope="module")
def warm(part: str, cold: SuiteRun) -> SuiteRun:
    """The same part with the cache that its first run has left, in a fresh process."""
    return run_suite(cold.home, part)


@pytest.mark.parametrize("turn", ["cold", "warm"])
def test_suite_of_colossus_passes(part: str, turn: str, request: pytest.FixtureRequest) -> None:
    """All 178 tests of Colossus 1.4 run and pass on the drop-in."""
    assert request.getfixturevalue(turn).outcome == [178, PARTS[part][0], 0, 0, 0]


def test_suite_of_colossus_is_whole() -> None:
    """The parts are 178 tests together."""
    assert sum(number for number, _ in PARTS.values()) == 178


def test_suite_of_colossus_fills_the_cache_once(part: str, cold: SuiteRun, warm: SuiteRun) -> None:
    """Its tables are entries and no pickles, and the second run finds them: it writes none of them again."""
    assert {path.parts[-3] for path in cold.tables} == PARTS[part][1]
    assert warm.tables == cold.tables
    files = [path for path in cold.home.rglob("*") if path.is_file()]
    assert sorted(files) == entries(cold.home)


# --------------------------------------------------------------------------------------------------------------------
# The module
# --------------------------------------------------------------------------------------------------------------------


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


# --------------------------------------------------------------------------------------------------------------------
# Settings
# --------------------------------------------------------------------------------------------------------------------


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


def header_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return dict(json.loads(data[32 : 32 + int.from_bytes(data[12:16], "little")]))


def test_entries_tell_the_version_of_colossus(base_dir: Path) -> None:
    """An entry says which Colossus it was made with."""
    Model().user().storeObject("x", 1)
    (entry,) = entries(base_dir)
    assert header_of(entry)["writer"] == {"stored": stored.__version__, "colossus": colossus_version.__version__}


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


# --------------------------------------------------------------------------------------------------------------------
# Objects
# --------------------------------------------------------------------------------------------------------------------


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


# --------------------------------------------------------------------------------------------------------------------
# storage_pers and storage_temp
# --------------------------------------------------------------------------------------------------------------------


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


def test_mappings_delete_without_leave() -> None:
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
    (damaged,) = [path for path in entries(base_dir) if path.name.startswith("a-")]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.warns(stored.EntryWarning):
        assert dict(model.user().storage_pers) == {"b": 2}


# --------------------------------------------------------------------------------------------------------------------
# Owners
# --------------------------------------------------------------------------------------------------------------------


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
    """Results of decorated methods of an owner that holds this StorageUser are in the same place."""
    first, second = Holder(1.5), Holder(1.5)
    assert (first.twice(), second.twice()) == (3.0, 3.0)
    assert (first.calls, second.calls) == (1, 0)
    assert len(entries(base_dir)) == 1
    assert first.su.listObjects() == []


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


# --------------------------------------------------------------------------------------------------------------------
# Cache files of Colossus
# --------------------------------------------------------------------------------------------------------------------


def old_file(cache: Path, content: object, model: Model | None = None, module: str = "tests") -> Path:
    """A cache file as Colossus writes it, or bytes in its place."""
    model = model or Model()
    file = cache / module / f"{model.name}_{md5(model.string().encode()).hexdigest()}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
    return file


class Bomb:
    """Its pickle leaves a file behind wherever it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


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
    assert alike.listObjects() == []


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
    """An object that is imported with the user's leave is signed, and found like any other."""
    old_file(base_dir, {"x": Model(3.5), "colossus_version": "1.4.0"})
    assert drop_in.import_cache(base_dir) == 1
    assert Model().user().getStoredObject("x") == Model(3.5)


def test_import_passes_over_outdated_files(base_dir: Path) -> None:
    """Files of versions that no longer hold, or of none, are skipped."""
    for number, content in enumerate(({"colossus_version": "1.2.9"}, {"colossus_version": 7}, {})):
        old_file(base_dir, {"x": 1, **content}, Model(number))
    assert drop_in.import_cache(base_dir) == 0
    assert not entries(base_dir)


def test_imported_objects_become_outdated(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An imported object is as old as the file it came from, and a miss with a warning when that no longer holds."""
    old_file(base_dir, {"x": 1, "colossus_version": "1.2.10"})
    drop_in.import_cache(base_dir)
    assert Model().user().getStoredObject("x") == 1
    monkeypatch.setattr(colossus_settings, "PERSISTENCE_OLDEST_VERSION", "1.3.0")
    with pytest.warns(stored.EntryWarning, match=r"Colossus 1\.2\.10"):
        assert Model().user().getStoredObject("x") is None


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
def test_import_without_leave_to_write(limit: dict[str, Any], base_dir: Path) -> None:
    """Where nothing may be written, an import is an error rather than an empty success, and loads nothing."""
    old_file(base_dir, {"x": Bomb(base_dir / "fired"), "colossus_version": "1.4.0"})
    with stored.configure(**limit), pytest.raises(stored.ConfigurationError, match="no writing"):
        drop_in.import_cache(base_dir)
    assert not (base_dir / "fired").exists()


def imported(base_dir: Path) -> Model:
    old_file(base_dir, {"x": "imported", "y": "also", "colossus_version": "1.4.0"})
    assert drop_in.import_cache(base_dir) == 2
    return Model()


def test_stored_objects_replace_imported_ones(base_dir: Path) -> None:
    """What is stored after an import replaces the imported object for good, even if its own entry is lost."""
    model = imported(base_dir)
    model.user().storeObject("x", "new")
    assert model.user().getStoredObject("x") == "new"
    assert model.user().listObjects() == ["x", "y"]
    for path in entries(base_dir):
        if header_of(path)["key"]["string"] == model.string():
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


# --------------------------------------------------------------------------------------------------------------------
# In the place of the original
# --------------------------------------------------------------------------------------------------------------------


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
    """A StorageUser whose owner does not want to be told of changes is exchanged after a change as well."""
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


def test_unusable_home_leaves_colossus_whole(tmp_path: Path) -> None:
    """Where the original could not even make a StorageUser, Colossus works on the drop-in, without a cache."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".colossus").write_text("a file where the directory should be")
    code = f"""{INSTALL}
warnings.simplefilter("ignore")
from colossus.cosmology import cosmology
print(cosmology.setCosmology("planck18").age(0.0) > 13.0)
"""
    done = run(home, code)
    assert done.stdout == "True\n", done.stderr
