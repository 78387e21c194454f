"""The fast way of quantities along two axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from stored import Axis
from tests.tables.interpolants import interpolant_of

u: Any = pytest.importorskip("astropy.units")

Z = Axis("z", 0.0, 3.0)
R = Axis("r", 0.1 * u.kpc, 2.0 * u.kpc)
T = Axis("t", 1.0 * u.s, 3.0 * u.s, spacing="log")


def _value(a: Any, b: Any) -> Any:
    return np.sin(a) + b**2 + 2


def _value_of_quantities(r: Any, t: Any) -> Any:
    return _value((r / u.kpc).to_value(""), (t / u.s).to_value(""))


TABLES = {
    "units along both": interpolant_of(
        lambda r, t: _value((r / u.kpc).to_value(""), (t / u.s).to_value("")) * u.K, R, T
    ),
    "units along both, none of the values": interpolant_of(_value_of_quantities, R, T),
    "one along one": interpolant_of(lambda z, r: _value(z, (r / u.kpc).to_value("")) * u.m, Z, R),
    "one of the values": interpolant_of(lambda z, y: _value(z, y) * u.mag, Z, Axis("y", 0.0, 3.0)),
}

ARGUMENTS: list[Any] = [
    *(1.5, 2, np.float64(0.5), math.nan, -1.0, "1", None, np.array([0.5, 1.5]), np.full(90, 1.25), [1.0]),
    *(0.5 * u.kpc, 500 * u.pc, np.float32(1.5) * u.kpc, u.Quantity(1, u.kpc, dtype=int), 9 * u.kpc, math.nan * u.kpc),
    *(1.5 * u.s, 1500 * u.ms, 2 * u.m, 2 * u.dimensionless_unscaled, 3 * u.mag, [1.0, 1.5] * u.s, [1, 1.5] * u.kpc),
    *([1.0] * u.kpc, [1.5] * u.s, (1 + 0j) * u.kpc, np.float16(0.5) * u.kpc),
]


def _full(f: Any, *x: Any) -> Any:
    return f._evaluate_anywhere(f.read_arguments(*x), None)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("x", ARGUMENTS, ids=repr)
def test_quantities_and_numbers_give_what_the_full_way_gives(name: str, x: Any) -> None:
    """The fast way gives the same quantity or number, or nothing; it raises no error of its own."""
    f = TABLES[name]
    for y in ARGUMENTS:
        found = f.quick(x, y)
        if found is None:
            continue
        expected = _full(f, x, y)
        assert np.shape(found) == np.shape(expected)
        assert type(found) is type(expected)
        assert getattr(found, "unit", None) == getattr(expected, "unit", None)
        np.testing.assert_allclose(u.Quantity(found).value, u.Quantity(expected).value, rtol=1e-14)


def test_single_quantities_take_the_fast_way() -> None:
    """Those inside, in any unit that fits, and numbers along an axis without one."""
    f = TABLES["units along both"]
    assert f.quick(0.5 * u.kpc, 1.5 * u.s) == f.quick(500 * u.pc, 1500 * u.ms) == _full(f, 0.5 * u.kpc, 1.5 * u.s)
    assert TABLES["one along one"].quick(2, 0.5 * u.kpc).unit == u.m
    assert TABLES["one of the values"].quick(2, np.ones(50)).unit == u.mag
    assert type(TABLES["units along both, none of the values"].quick(0.5 * u.kpc, 1.5 * u.s)) is float


def test_derivatives_at_quantities_have_their_units() -> None:
    """In the unit of the values over those of the axes, as for arrays."""
    f = TABLES["one along one"]
    found = f.derivative(1.5, 500 * u.pc, (1, 1))
    assert found.unit == u.m / u.kpc
    assert found == f.derivative([1.5], [0.5] * u.kpc, (1, 1))[0]
    with pytest.raises(u.UnitTypeError):
        f.derivative(1.5, 2 * u.s)
