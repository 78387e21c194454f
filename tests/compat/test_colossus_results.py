"""Colossus computes the same on the drop-in, and its own tests pass."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.compat.models import INSTALL, entries, old_files, run
from tests.faults.scale import FULL, LONG

# -- quantities -------------------------------------------------------------------------------------------------------


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


# -- the tests of Colossus --------------------------------------------------------------------------------------------


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
    outcome: list[int]
    tables: dict[Path, int]


def run_suite(home: Path, part: str) -> SuiteRun:
    done = run(home, f"import sys; sys.argv[1:] = [{part!r}]\n{SUITE}")
    assert done.returncode == 0, done.stderr
    outcome = [int(number) for number in done.stdout.splitlines()[-1].split()]
    # its storage tests store their own object in every run
    tables = {path: path.stat().st_mtime_ns for path in entries(home) if "unit_test" not in path.parts}
    return SuiteRun(outcome, tables)


WARM = PARTS if LONG else [""]
"""The parts that are run a second time; that the next process finds the tables of a cosmology is tested above."""


@pytest.mark.parametrize("part", PARTS if FULL else [""], ids=lambda part: part or "others")
def test_suite_of_colossus_passes(part: str, tmp_path: Path) -> None:
    """All 178 tests of Colossus 1.4 run and pass on the drop-in, with a cold cache and with a warm one.

    Its tables are entries and no pickles, and the second run finds them: it writes none of them again. A part takes
    some five seconds each time: it cannot be shorter than the tests of one class.
    """
    cold = run_suite(tmp_path, part)
    assert cold.outcome == [178, PARTS[part][0], 0, 0, 0]
    assert {path.parts[-3] for path in cold.tables} == PARTS[part][1]
    if part in WARM:
        assert run_suite(tmp_path, part) == cold
    files = {path for path in tmp_path.rglob("*") if path.is_file() and path.name != "CACHEDIR.TAG"}
    assert sorted(files) == entries(tmp_path)


def test_suite_of_colossus_is_whole() -> None:
    """The parts are 178 tests together."""
    assert sum(number for number, _ in PARTS.values()) == 178
