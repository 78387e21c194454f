"""Numbers that are taken as floats."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import astropy.units as u
import numpy as np
import pytest

from stored._tables.real_numbers import number_reader, real_number


@pytest.mark.parametrize("code", "?bhilqBHILQefdg")
def test_numpys_real_numbers_are_floats(code: str) -> None:
    """Each has the float that an array of it is converted to."""
    number = np.dtype(code).type(1.3)
    assert type(real_number(number)) is float
    assert real_number(number) == np.asarray(number).astype(float)


@pytest.mark.parametrize("number", [0, -7, 2**63 - 1, -(2**63), 2**64 - 1, 2**53 + 1, True, 1.5, math.inf])
def test_numbers_of_python_are_floats(number: Any) -> None:
    """Ints as arrays have them, rounded in the same way."""
    assert real_number(number) == np.asarray(number).astype(float)


@pytest.mark.parametrize(
    "other",
    [2**64, -(2**63) - 1, 10**400, "1", None, 1j, Fraction(1), np.array(1.0), [1.0], np.timedelta64(1), 1 * u.m],
)
def test_nothing_else_is_a_number(other: Any) -> None:
    """It is NaN, which lies on no axis."""
    assert math.isnan(real_number(other))
    assert number_reader("x", None) is real_number


def test_quantities_are_read_in_a_unit() -> None:
    """Single ones are converted; arrays, numbers and whole quantities are left to the caller."""
    read = number_reader("x", u.km)
    assert read(1500.0 * u.m) == 1.5
    assert read(np.float32(2.0) * u.km) == 2.0
    for other in (1.5, [1.0] * u.km, u.Quantity(1, u.km, dtype=int), u.Magnitude(1.0), "x"):
        assert math.isnan(read(other))
    with pytest.raises(u.UnitTypeError, match=r"x is 1\.0 kg"):
        read(1.0 * u.kg)
