"""Derivatives, integrals and inverses of single quantities: what arrays of them give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

u: Any = pytest.importorskip("astropy.units")

from stored import Axis
from stored._tables.real_numbers import number_reader, real_number
from tests.tables.interpolants import interpolant_of

LARGE = 500
"""So many quantities are computed as an array."""


@pytest.mark.parametrize("unit", [None, u.s, u.mag, u.ABmag])
@pytest.mark.parametrize("axis_unit", [None, u.km])
def test_quantities_give_quantities(axis_unit: Any, unit: Any) -> None:
    """With a unit of the axis, of the values or of both, a number has the value, the unit and the class of an array."""

    def function(x: Any) -> Any:
        values = np.exp((x if axis_unit is None else x.to_value(u.km)) / 3)
        return values if unit is None else u.Quantity(values, unit, subok=True)

    f = interpolant_of(function, Axis("x", 0.5, 5.0, rtol=1e-8, unit=axis_unit))

    def along(x: float, other: bool = False) -> Any:
        return x if axis_unit is None else (1000 * x * u.m if other else x * axis_unit)

    twos = np.full(LARGE, 2.0) if axis_unit is None else np.full(LARGE, 2.0) * axis_unit
    for _ in range(3):
        for x in (along(2.0), along(2.0, other=True)):
            value = f(x)
            for found, expected in (
                (f.derivative(x), f.derivative(twos)),
                (f.integral(along(1.0), x), f.integral(along(1.0), twos)),
                (f.inverse(value), f.inverse(_repeated(value, unit))),
            ):
                assert type(found) is (float if type(expected) is np.ndarray else type(expected))
                assert getattr(found, "unit", None) == getattr(expected, "unit", None)
                np.testing.assert_allclose(
                    getattr(found, "value", found), np.asarray(getattr(expected, "value", expected))[0], rtol=1e-14
                )
    for wrong in (2.0 * u.kg, 2.0) if axis_unit is not None else (2.0 * u.kg, 2.0 * u.km):
        for call in (f.derivative, lambda x: f.integral(x, x)):
            with pytest.raises(TypeError, match=r"x is|limit of x is"):
                call(wrong)
    with pytest.raises(TypeError, match="value of f is"):
        f.inverse(2.0 * u.kg)


def _repeated(value: Any, unit: Any) -> Any:
    if unit is None:
        return np.full(LARGE, value)
    return u.Quantity(np.full(LARGE, value.value), unit, subok=True)


def test_a_table_without_units_refuses_quantities_again_and_again() -> None:
    """Also when it has computed single numbers before, and when the quantity has no dimension."""
    f = interpolant_of(lambda x: np.exp(x / 3), Axis("x", 0.5, 5.0, rtol=1e-8))
    for _ in range(3):
        assert [f.derivative(2.0), f.integral(1.0, 2.0), f.inverse(1.5)] != []
        for wrong in (2.0 * u.m, 2.0 * u.dimensionless_unscaled):
            for call in (f.derivative, f.inverse, lambda x: f.integral(x, 2.0), lambda x: f.integral(2.0, x)):
                with pytest.raises(TypeError, match="must be a number without a unit"):
                    call(wrong)
            with pytest.raises(TypeError, match="must be a number without a unit"):
                f.inverse(1.5, (wrong, 4.0))


def test_quantities_are_read_in_a_unit() -> None:
    """Single ones are converted; arrays, numbers and whole quantities are left to the caller."""
    read = number_reader("x", u.km)
    assert read(1500.0 * u.m) == 1.5
    assert read(np.float32(2.0) * u.km) == 2.0
    assert math.isnan(real_number(1.0 * u.m))
    for other in (1.5, [1.0] * u.km, u.Quantity(1, u.km, dtype=int), u.Magnitude(1.0), "x", 1.0 * u.kg):
        assert math.isnan(read(other))


def test_of_two_wrong_limits_the_same_is_told_as_ever() -> None:
    """A limit without a unit is named before one whose unit does not fit, also when short ways are at hand."""
    f = interpolant_of(lambda x: np.exp(x / (3 * u.km)), Axis("x", 0.5 * u.km, 5.0 * u.km, rtol=1e-8))
    for _ in range(3):
        assert f.integral(1.0 * u.km, 2.0 * u.km).unit == u.km
        for limits in ((2.0, 2.0 * u.kg), (2.0 * u.kg, 2.0)):
            with pytest.raises(TypeError, match=r"limit of x is 2\.0, which has no unit"):
                f.integral(*limits)
