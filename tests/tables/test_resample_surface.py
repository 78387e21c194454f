"""From the polynomial of a sampled surface to patches of degree 5."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from tests.tables.interpolants import assert_within_tolerance, interpolant_of, random_points


@given(st.lists(st.floats(-5, 5), min_size=16, max_size=16))
@settings(max_examples=30, deadline=None)
def test_bicubics_are_reproduced_exactly(coefficients: list[float]) -> None:
    """A polynomial that is cubic along both axes is one patch, and reproduced to rounding."""
    matrix = np.reshape(coefficients, (4, 4))
    x, y = Axis("x", -1.0, 1.0, atol=1e-8), Axis("y", 0.0, 1.0, atol=1e-8)
    f = interpolant_of(lambda x, y: np.polynomial.polynomial.polyval2d(x, y, matrix), x, y)
    at = random_points(x, y, 200)
    np.testing.assert_allclose(f(*at), np.polynomial.polynomial.polyval2d(*at, matrix), atol=1e-11)
    assert f.pieces == 1


def test_waves_are_reproduced_closely() -> None:
    """A wave that the grid resolves is within the tolerance on the patches too."""
    f = interpolant_of(
        lambda x, y: np.sin(60 * x) + 2 + 0.1 * y, Axis("x", 0.0, 1.0, rtol=1e-10), Axis("y", 0.0, 1.0, rtol=1e-10)
    )
    assert_within_tolerance(f, lambda x, y: np.sin(60 * x) + 2 + 0.1 * y)


def test_patches_join() -> None:
    """Where rectangles meet, both give the same value to rounding."""
    f = interpolant_of(lambda x, y: np.sin(3 * x) * np.cos(4 * y) + 2, Axis("x", 0.0, 2.0), Axis("y", 0.0, 2.0))
    assert f.pieces > 16
    edges = np.linspace(0.0, 2.0, 257)[1:-1]
    y = np.linspace(0.0, 2.0, 63)[:, None]
    np.testing.assert_allclose(f(np.nextafter(edges, 0.0), y), f(edges, y), rtol=1e-12)
    np.testing.assert_allclose(f(y, np.nextafter(edges, 0.0)), f(y, edges), rtol=1e-12)
