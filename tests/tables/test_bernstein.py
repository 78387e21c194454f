"""A polynomial lies between its Bernstein coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stored._tables.bernstein import to_bernstein

POWERS = arrays.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 6)), elements=st.floats(-1e6, 1e6))


@given(POWERS, st.integers(-2, -1))
def test_the_polynomial_lies_in_the_hull(powers: Any, axis: int) -> None:
    """At every point, and its ends are the first and the last coefficient."""
    hull = np.moveaxis(to_bernstein(powers, axis), axis, 0)
    values = np.polynomial.polynomial.polyval(np.linspace(0.0, 1.0, 101), np.moveaxis(powers, axis, 0))
    slack = 1e-9 * np.abs(powers).max()
    assert np.all(hull.min(axis=0) - slack <= values.T)
    assert np.all(hull.max(axis=0) + slack >= values.T)
    np.testing.assert_allclose(values[:, [0, -1]], hull[[0, -1]].T, rtol=0, atol=slack)
