"""Tables of a given number of points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline, RectBivariateSpline

from stored import Axis
from tests.tables.interpolants import SPACINGS, interpolant_of


@pytest.mark.parametrize("points", [4, 5, 6, 9, 30])
def test_a_curve_of_points_is_the_not_a_knot_spline(points: int) -> None:
    """The interpolant is the cubic spline that scipy makes of the same nodes, with its derivatives."""
    f = interpolant_of(lambda x: np.sin(3 * x), Axis("x", 1.0, 3.0, points=points))
    spline = CubicSpline(f.nodes[0], f.values)
    at = np.linspace(1.0, 3.0, 50)
    np.testing.assert_allclose(f.nodes[0], np.linspace(1.0, 3.0, points), rtol=1e-15)
    np.testing.assert_allclose(f(at), spline(at), atol=1e-13)
    np.testing.assert_allclose(f(f.nodes[0]), f.values, atol=1e-14)
    for nu in (1, 2):
        np.testing.assert_allclose(f.derivative(at, nu), spline(at, nu), atol=1e-10)
    assert f.integral(1.0, 3.0) == pytest.approx(float(spline.integrate(1.0, 3.0)), abs=1e-14)
    assert [f(x) for x in at.tolist()] == pytest.approx(f(at).tolist(), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_curve_of_points_is_even_in_the_coordinate(spacing: Any, values: Any) -> None:
    """Nodes are even in the coordinate, and the spline is in it, of the values or their logarithm."""
    axis = Axis("x", 1.0, 3.0, spacing=spacing, values=values, points=8)
    f = interpolant_of(lambda x: 3 + np.sin(3 * x), axis)
    t = np.linspace(*axis.coordinate_limits(), 8)
    np.testing.assert_allclose(axis.forward(f.nodes[0]), t, atol=1e-13)
    at = np.linspace(1.0, 3.0, 50)
    spline = CubicSpline(t, np.log(f.values) if values == "log" else f.values)(axis.forward(at))
    np.testing.assert_allclose(f(at), np.exp(spline) if values == "log" else spline, rtol=1e-12)


@pytest.mark.parametrize("shape", [(4, 4), (5, 9), (12, 7)])
@pytest.mark.parametrize("values", ["linear", "log"])
def test_a_surface_of_points_is_scipys(shape: tuple[int, int], values: Any) -> None:
    """The interpolant is the bicubic spline that RectBivariateSpline makes of the same nodes."""
    f = interpolant_of(
        lambda x, y: 2 + np.sin(x * y),
        Axis("x", 1.0, 3.0, points=shape[0], values=values),
        Axis("y", 0, 2, points=shape[1]),
    )
    assert f.values.shape == shape
    x, y = np.meshgrid(np.linspace(1, 3, 13), np.linspace(0, 2, 17))
    form = np.log if values == "log" else np.asarray
    spline = RectBivariateSpline(*f.nodes, form(f.values), s=0).ev(x, y)
    np.testing.assert_allclose(f(x, y), np.exp(spline) if values == "log" else spline, atol=1e-12)


def test_as_many_points_are_computed_as_asked_for() -> None:
    """The function of numbers is called once for each node, with floats."""
    calls = []

    def function(x: float, y: float = 0.0) -> float:
        assert type(x) is type(y) is float
        calls.append((x, y))
        return x + y

    f = interpolant_of(function, Axis("x", 1, 3, points=7, vectorized=False))
    assert len(calls) == len(set(calls)) == f.evaluations == 7
    calls.clear()
    f = interpolant_of(
        function, Axis("x", 1, 3, points=7, vectorized=False), Axis("y", 0, 1, points=5, vectorized=False)
    )
    assert len(calls) == len(set(calls)) == f.evaluations == 35


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("points", [6, 11, 40])
def test_the_error_of_given_points_is_an_estimate_from_above(points: int, values: Any) -> None:
    """It is finite, and not smaller than the error that the table has, relative to the largest value."""
    at, x = np.linspace(1.0, 4.0, 2000), Axis("x", 1.0, 4.0, points=points, values=values)
    f = interpolant_of(lambda x: 3 + np.sin(3 * x), x)
    relative = np.abs(f(at) - 3 - np.sin(3 * at)) / (4.0 if values == "linear" else 3 + np.sin(3 * at))
    assert 0.5 * relative.max() <= f.error < math.inf
    both = interpolant_of(lambda x, y: 3 + np.sin(3 * x) * y, x, Axis("y", 0.0, 1.0, points=points))
    error = np.abs(both(at, at / 4) - 3 - np.sin(3 * at) * at / 4)
    assert 0.5 * error.max() / 4.0 <= both.error < math.inf


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_of_points_has_no_error(value: float) -> None:
    """The error of a constant is 0, also of zero, to which nothing is relative."""
    assert interpolant_of(lambda x: value, Axis("x", 0.0, 1.0, points=9)).error == pytest.approx(0.0, abs=1e-15)
    f = interpolant_of(lambda x, y: value, Axis("x", 0.0, 1.0, points=9), Axis("y", 0.0, 1.0, points=9))
    assert f.error == pytest.approx(0.0, abs=1e-15)


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4), st.integers(4, 25))
@settings(max_examples=40, deadline=None)
def test_cubics_are_reproduced_exactly_by_points(coefficients: list[float], points: int) -> None:
    """A cubic in the coordinate is reproduced to rounding, by any number of points."""
    f = interpolant_of(lambda x: np.polyval(coefficients, x), Axis("x", 1.0, 3.0, points=points))
    at = np.linspace(1.0, 3.0, 37)
    np.testing.assert_allclose(f(at), np.polyval(coefficients, at), rtol=1e-9, atol=1e-10)
