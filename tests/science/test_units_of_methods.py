"""Stored methods along axes with units."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored as library
from stored import Axis, StaleResultWarning, TableError, keyed_by, stored
from tests.science.test_units import assert_same

u: Any = pytest.importorskip("astropy.units")

KPC = Axis("r", 0.1 * u.kpc, 100 * u.kpc, spacing="log", rtol=1e-8)
calls: list[Any] = []


@keyed_by("slope")
class Profile:
    def __init__(self, slope: float = 2.0) -> None:
        self.slope = slope

    @stored(interpolate=KPC)
    def density(self, r: Any) -> Any:
        calls.append(r)
        return (r / u.kpc).to_value("") ** -self.slope * u.Msun / u.pc**3

    @stored(interpolate=KPC)
    def number(self, r: Any) -> Any:
        return (r / u.kpc).to_value("") ** -self.slope

    @stored(interpolate=Axis("x", 1.0, 10.0, outside="exact", rtol=1e-8))
    def heat(self, x: Any) -> Any:
        return x**self.slope * u.K

    @stored(interpolate=Axis("x", 1.0, 10.0, rtol=1e-8))
    def bare(self, x: Any) -> Any:
        return x**self.slope

    @stored(interpolate=(KPC, Axis("x", 1.0, 10.0)))
    def both(self, r: Any, x: Any) -> Any:
        return r.to(u.kpc) * x


ROOT = Path(__file__).parents[2]

SHARE = u.Msun / u.pc**3


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """No density has been computed yet."""
    calls.clear()


def test_calls_take_any_unit_and_hit() -> None:
    """One table answers for all units, by the shortcut too, and never without a unit."""
    p = Profile()
    for _ in range(3):
        assert_same(p.density(2 * u.kpc), 0.25 * SHARE, 1e-7)
        assert_same(p.density(2000 * u.pc), 0.25 * SHARE, 1e-7)
        assert_same(p.density([1.0, 2.0] * u.kpc), [1.0, 0.25] * SHARE, 1e-7)
        assert_same(p.heat(2.0), 4.0 * u.K, 1e-7)
        assert_same(p.both(2 * u.kpc, 3.0), 6 * u.kpc, 1e-6)
        assert type(p.number(2 * u.kpc)) is float
        for wrong in (2.0, 2 * u.s, np.ones(3)):
            with pytest.raises(TypeError, match=r"unit"):
                p.density(wrong)
        with pytest.raises(TypeError, match=r"no unit|without a unit"):
            p.heat(2 * u.kpc)
        with pytest.raises(TypeError, match=r"to_value\(unit\)"):
            p.bare(2 * u.kpc)
    assert p.density.cache_info().misses == 1
    assert {each.unit for each in calls} > {u.kpc, u.Unit(1024 * u.kpc)}
    assert p.density.cached(3 * u.Mpc)
    p.slope = 1.0
    assert_same(p.density(2 * u.kpc), 0.5 * SHARE, 1e-7)


def test_controls_keep_units() -> None:
    """refresh, exact, inverse, roots, derivative, integral, explain, interpolant."""
    p = Profile()
    assert_same(p.density.refresh(2000 * u.pc), 0.25 * SHARE, 1e-7)
    assert_same(p.density.exact(2000 * u.pc), 0.25 * SHARE)
    assert_same(p.density.exact([1e3, 2e3] * u.pc), [1.0, 0.25] * SHARE)
    assert_same(p.density.inverse(0.25 * SHARE), 2 * u.kpc, 1e-7)
    assert_same(p.density.inverse(0.25 * SHARE, branch=(1 * u.kpc, 5e3 * u.pc)), 2 * u.kpc, 1e-7)
    assert_same(p.density.roots(0.25 * SHARE), [2.0] * u.kpc, 1e-7)
    assert_same(p.density.derivative(2 * u.kpc), -0.25 * SHARE / u.kpc, 1e-5)
    assert_same(p.density.integral(1 * u.kpc, 2 * u.kpc), 0.5 * SHARE * u.kpc, 1e-7)
    assert "hit" in str(p.density.explain(2 * u.Mpc)).lower() or p.density.explain(2 * u.Mpc)
    assert p.density.interpolant().unit == SHARE
    assert_same(p.heat(20.0), 400.0 * u.K)
    with pytest.raises(TypeError, match=r"unit"):
        p.density.exact(1.0)
    with pytest.raises(TypeError, match=r"unit"):
        p.bare.exact(1 * u.kpc)


def test_without_the_cache_the_method_gets_what_was_given() -> None:
    """A disabled cache is the plain call; the interpolant is there all the same."""
    with library.configure(disable=True):
        assert Profile().density(2000 * u.pc) == 0.25 * SHARE
        assert_same(Profile().density.interpolant()(2 * u.kpc), 0.25 * SHARE, 1e-7)


def test_parameters_that_change_while_sampling() -> None:
    """The plain method's own values are given, with their unit, also for arrays."""

    @keyed_by("n")
    class Unsteady:
        n = 0

        @stored(interpolate=Axis("r", 1 * u.kpc, 2 * u.kpc))
        def line(self, r: Any) -> Any:
            self.n += 1
            return r.to(u.pc)

    owner = Unsteady()
    assert_same(owner.line(1.5 * u.kpc), 1500 * u.pc)
    assert_same(owner.line([1.0, 1.5] * u.kpc), [1000.0, 1500.0] * u.pc)
    assert owner.line.cache_info().exact_calls == 3


def test_tables_with_units_are_found_by_other_objects() -> None:
    """The entry has the unit, and no pickle."""
    Profile().density(1 * u.kpc)
    calls.clear()
    assert_same(Profile().density(2 * u.kpc), 0.25 * SHARE, 1e-7)
    assert not calls


SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
import stored
from tests.science import test_units_of_methods as module
import astropy.units as u
value = module.Profile().density(2000 * u.pc)
print(len(module.calls), repr(value.unit), round(value.value, 6))
"""


def test_a_second_process_finds_a_table_with_a_unit(cache_dir: Path, tmp_path: Path) -> None:
    """It computes nothing."""
    Profile().density(1 * u.kpc)
    environment = {**os.environ, "STORED_CACHE_DIR": str(cache_dir), "STORED_KEY_FILE": str(tmp_path / "other" / "key")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ('0 Unit("solMass / pc3") 0.25\n', "")


def test_a_table_in_a_unit_of_the_users_own() -> None:
    """It is in memory, and stored as a pickle."""
    mine = u.def_unit("mine")

    @keyed_by("n")
    class Own:
        n = 1

        @stored(interpolate=Axis("x", 1.0, 2.0))
        def line(self, x: Any) -> Any:
            return x * mine

    own = Own()
    assert own.line(1.5).unit is mine
    assert own.line.inverse(1.5 * mine) == pytest.approx(1.5)
    assert own.line.cache_info().stores == 1


class Clock:
    """What the method reads without a key that says so."""

    unit: Any = u.K
    factor = 1.0


def test_stored_tables_are_verified_with_units() -> None:
    """Another number, or another unit, is noticed; points outside and in other units are compared as they are."""

    @keyed_by("n")
    class Timed:
        n = 1

        @stored(interpolate=Axis("r", 1 * u.kpc, 2 * u.kpc), ignore=("Clock",))
        def line(self, r: Any) -> Any:
            value = r.to_value(u.kpc) * Clock.factor
            return value if Clock.unit is None else value * Clock.unit

    owner = Timed()
    owner.line(1.5 * u.kpc)
    with library.configure(verify=1.0):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_same(owner.line([1200.0, 1500.0] * u.pc), [1.2, 1.5] * u.K, 1e-6)
        for unit, factor in ((u.K, 2.0), (u.s, 2.0), (None, 2.0), (u.K, 2.0)):
            Clock.unit, Clock.factor = unit, factor
            with pytest.warns(StaleResultWarning, match=r"is stale: it was .* at r=.* kpc"):
                assert getattr(owner.line(1500 * u.pc), "unit", None) == unit


def test_rounding_along_an_axis_with_a_unit_is_refused() -> None:
    """What is rounded would depend on the unit in which it is given."""
    with pytest.raises(TypeError, match=r"round of .* names 'r', which is a quantity"):

        @stored(interpolate=KPC, round={"r": 3})
        def density(self: Any, r: Any) -> Any:
            return r


PLAIN = """
import sys
import numpy as np
from stored import Axis, keyed_by, stored

@keyed_by("n")
class Model:
    n = 1

    @stored(interpolate=Axis("x", 1.0, 2.0, outside="nan"))
    def line(self, x):
        return x

model = Model()
model.line(1.5), model.line(1.5), model.line([1.0, 3.0]), model.line(np.ma.array([1.0], mask=[True]))
model.line.inverse(1.5), model.line.integral(1.0, 2.0), model.line.exact(1.5), repr(model.line.interpolant())
print([name for name in ("astropy", "pandas", "xarray") if name in sys.modules])
"""


def test_nothing_of_other_libraries_is_imported(tmp_path: Path) -> None:
    """Who uses none of them does not wait for them."""
    environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "plain"), "STORED_KEY_FILE": str(tmp_path / "key")}
    done = subprocess.run(
        [sys.executable, "-c", PLAIN], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_tables_of_scipys_splines_have_no_units() -> None:
    """They would be lost."""

    @stored(interpolate=True)
    def table() -> Any:
        return np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 9.0, 16.0]]) * u.kpc

    with pytest.raises(TableError, match=r"holds quantities in kpc, .*to_value\(unit\)"):
        table()
