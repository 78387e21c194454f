"""Units as plain data."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import Axis, DamagedEntryError, TableError
from stored._tables import make_interpolant, tabulate
from stored._tables.unit_description import describe_unit, rebuildable_description, unit_from

u: Any = pytest.importorskip("astropy.units")

METRE = [1.0, [["m", 1, 1]], 1.0, [["m", 1, 1]]]
AXIS = (Axis("x", 1.0, 2.0),)

UNITS = [
    u.kpc,
    u.Msun / u.pc**3,
    u.m ** Fraction(3, 10),
    u.m**0.123456,
    u.ABmag,
    u.mag(u.Jy),
    u.dex(u.K),
    u.dB(u.W),
    u.MagUnit(u.AB, 2 * u.mag),
    u.percent,
    u.one,
    u.imperial.ft,
    u.erg / u.s / u.cm**2 / u.AA,
    u.Unit(10 * u.km / u.s),
    u.def_unit("code_mass", 1e10 * u.Msun),
    u.def_unit("kpc", 5 * u.m),
    u.mag(u.def_unit("code_flux", 3 * u.Jy)),
]


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_every_unit_comes_back(unit: Any) -> None:
    """An equal one is made of its description, also of one of the user's own."""
    described = rebuildable_description(unit)
    assert unit_from(described) == unit
    assert rebuildable_description(unit_from(described)) == described


@given(
    st.dictionaries(
        st.sampled_from([u.kpc, u.Msun, u.s, u.K, u.rad, u.Jy]), st.fractions(-3, 3, max_denominator=5), max_size=4
    ),
    st.floats(1e-5, 1e5),
)
def test_products_come_back(terms: dict[Any, Fraction], scale: float) -> None:
    """Any product of powers of units, with a scale."""
    unit = u.CompositeUnit(scale, list(terms), list(terms.values()))
    assert unit_from(rebuildable_description(unit)) == unit


def test_a_unit_that_only_this_process_knows_is_refused() -> None:
    """Unless it is enabled, no other process could tell what it is."""
    weird = u.def_unit("weird")
    with pytest.raises(TableError, match=r"the unit weird, which cannot be stored: .*add_enabled_units"):
        tabulate(lambda x: x * weird, AXIS, "f")
    with u.add_enabled_units([weird]):
        table = tabulate(lambda x: x * weird, AXIS, "f")
        assert make_interpolant(AXIS, table, "f").unit == weird
    with pytest.raises(DamagedEntryError, match=r"does not know the unit 'weird'"):
        make_interpolant(AXIS, table, "f")


def test_a_name_with_another_meaning_is_no_unit_of_an_entry() -> None:
    """A unit of a program's own that is enabled there must mean the same here."""
    with u.add_enabled_units([u.def_unit("code_length", 5 * u.m)]):
        table = tabulate(lambda x: x * u.Unit("code_length"), AXIS, "f")
        assert table["unit"][1] == [["code_length", 1, 1]]
    with (
        u.add_enabled_units([u.def_unit("code_length", 6 * u.m)]),
        pytest.raises(DamagedEntryError, match=r"code_length is another unit here"),
    ):
        make_interpolant(AXIS, table, "f")


DAMAGED: list[Any] = [
    None,
    "m",
    [],
    METRE[:3],
    [*METRE, 1],
    ["LogUnit", METRE, METRE],
    ["MagUnit", METRE, METRE],
    ["MagUnit", METRE, ["MagUnit", METRE, METRE]],
    [{}, METRE, METRE],
    [1, *METRE[1:]],
    [0.0, *METRE[1:]],
    [float("nan"), *METRE[1:]],
    [2.0, *METRE[1:]],
    [1.0, {}, *METRE[2:]],
    [1.0, [["m", 1, 1]] * 1000, *METRE[2:]],
    [1.0, ["m"], *METRE[2:]],
    [1.0, [["m", 1]], *METRE[2:]],
    [1.0, [[1, 1, 1]], *METRE[2:]],
    [1.0, [["m" * 1000, 1, 1]], *METRE[2:]],
    [1.0, [["Quantity", 1, 1]], *METRE[2:]],
    [1.0, [["ABmag", 1, 1]], *METRE[2:]],
    [1.0, [["__name__", 1, 1]], *METRE[2:]],
    [1.0, [["m", 1.0, 1]], *METRE[2:]],
    [1.0, [["m", True, 1]], *METRE[2:]],
    [1.0, [["m", 1, 0]], *METRE[2:]],
    [1.0, [["m", 10**30, 1]], *METRE[2:]],
    [1.0, [["m", 101, 1]], *METRE[2:]],
    [1.0, [["kpc", 100, 1]], *METRE[2:]],
    [*METRE[:3], [["s", 1, 1]]],
    [*METRE[:2], 2.0, METRE[3]],
]


@pytest.mark.parametrize("described", DAMAGED, ids=lambda each: repr(each)[:60])
def test_what_describes_no_unit_is_a_damaged_entry(described: Any) -> None:
    """Whatever stands in a foreign entry is looked at, and never run."""
    table = {**tabulate(lambda x: x, AXIS, "f"), "unit": described}
    with pytest.raises(DamagedEntryError, match=r"its unit cannot be used"):
        make_interpolant(AXIS, table, "f")


def test_without_astropy_an_entry_with_a_unit_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the entry, so a miss."""
    table = {**tabulate(lambda x: x, AXIS, "f"), "unit": METRE}
    monkeypatch.setitem(sys.modules, "astropy.units", None)
    with pytest.raises(DamagedEntryError, match=r"astropy cannot be imported"):
        make_interpolant(AXIS, table, "f")


@pytest.mark.parametrize("unit", [u.Unit("kpc,kpc"), u.CompositeUnit(1j, [u.m], [1]), u.kpc**50, u.kpc**-50], ids=str)
def test_other_units_have_no_description(unit: Any) -> None:
    """A unit of several fields, of a complex scale, or beyond the range of floats."""
    with pytest.raises(ValueError, match=r"neither a product|complex scale|too large|scale of 0"):
        describe_unit(unit)
