"""Numbers that are taken as floats."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stored import Axis
from stored._tables.real_numbers import number_reader, number_types, real_number


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
    [2**64, -(2**63) - 1, 10**400, "1", None, 1j, Fraction(1), np.array(1.0), [1.0], np.timedelta64(1, "s")],
)
def test_nothing_else_is_a_number(other: Any) -> None:
    """It is NaN, which lies on no axis."""
    assert math.isnan(real_number(other))
    assert number_reader("x", None) is real_number


def test_integers_count_as_numbers_where_numpy_takes_them() -> None:
    """Those along an axis within 64 bits fit; beyond that numpy makes objects of them."""
    short, below, above = Axis("x", -9e18, 1.8e19), Axis("x", -(2**63), 0), Axis("x", 0, 2**64 - 1)
    assert {int, float, bool, np.int8, np.float32, np.longdouble, np.bool_} <= number_types([short, short])
    assert int not in number_types([short, below])
    assert int not in number_types([above, short])
    assert not {complex, np.complex128, str, np.datetime64, np.timedelta64} & number_types([short])
