"""The error that interpolated values may have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables.tolerance import Tolerance


@given(value=st.floats(-1e3, 1e3), rtol=st.floats(1e-13, 1.0), atol=st.floats(0.0, 1.0))
@settings(max_examples=50, deadline=None)
def test_the_tolerance_is_absolute_and_relative(value: float, rtol: float, atol: float) -> None:
    """The error allowed is that of the axis; of a logarithm, what becomes that error of the value."""
    values = np.array([value])
    assert Tolerance(rtol, atol, False).at(values)[0] == pytest.approx(atol + rtol * abs(value), rel=1e-14)
    logarithm = Tolerance(rtol, atol, True).at(values / 100)[0] * math.exp(value / 100)
    assert logarithm == pytest.approx(atol + rtol * math.exp(value / 100), rel=1e-12)


def test_of_two_axes_the_smaller_tolerance_counts() -> None:
    """A function of two arguments is as accurate as the stricter one asks, and logarithmic if one says so."""
    axes = (Axis("x", 1, 2, rtol=1e-3, atol=1e-9), Axis("y", 1, 2, rtol=1e-5, atol=1e-3, values="log"))
    assert Tolerance.of(axes) == Tolerance(1e-5, 1e-9, True)
