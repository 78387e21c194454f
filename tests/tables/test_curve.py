"""Interpolants of one argument: their values, and their derivatives to the argument."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis, OutsideAxisError
from tests.tables.interpolants import MODES, ROOTS, SPACINGS, accurate_curve, cube, curve, never


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_quintics_are_reproduced_exactly(coefficients: list[float]) -> None:
    """A polynomial of degree 5 in the coordinate is reproduced to rounding."""
    made = curve(lambda x: np.polyval(coefficients, x), vectorized=True)
    at = np.linspace(1.0, 3.0, 37)
    np.testing.assert_allclose(made(at), np.polyval(coefficients, at), rtol=1e-9, atol=2e-9)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_tolerance_is_held(spacing: Any, values: Any) -> None:
    """At any point the error is at most rtol, in every spacing and with both kinds of values."""
    made = curve(
        lambda x: 1 / (1 + 25 * (x - 2) ** 2), spacing=spacing, values=values, atol=0.0, rtol=1e-8, outside="nan"
    )
    at = np.random.default_rng(2).uniform(1.0, 3.0, 5000)
    np.testing.assert_allclose(made(at), 1 / (1 + 25 * (at - 2) ** 2), rtol=1e-8)
    assert [made(x) for x in at[:50].tolist()] == pytest.approx(made(at[:50]).tolist(), rel=1e-13)


def test_kinks_and_steep_places_are_reproduced() -> None:
    """A function with a kink, in divided cells, is reproduced on both sides and nearly at it, by floats and arrays."""
    made = curve(lambda x: 1 + np.abs(x - 2.2), atol=0.0)
    at = np.concatenate([np.linspace(1, 3, 1000), 2.2 + np.geomspace(1e-12, 0.1, 100), 2.2 - np.geomspace(1e-12, 1, 9)])
    away = np.abs(at - 2.2) > 1e-5
    np.testing.assert_allclose(made(at[away]), 1 + np.abs(at[away] - 2.2), rtol=1e-6)
    np.testing.assert_allclose(made(at), 1 + np.abs(at - 2.2), rtol=1e-5)
    assert [made(x) for x in at.tolist()] == pytest.approx(made(at).tolist(), rel=1e-13)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_polynomials_are_polynomials_of_the_coordinate(spacing: Any) -> None:
    """A function that is cubic in the coordinate is reproduced to rounding by one piece, whatever the spacing."""
    axis = Axis("x", 1.0, 3.0, spacing=spacing)
    made = curve(lambda x: 5.0 + cube(axis.forward(x)), spacing=spacing)
    at = np.linspace(1.0, 3.0, 40)
    np.testing.assert_allclose(made(at), 5.0 + cube(axis.forward(at)), rtol=1e-13)
    assert made.pieces == 1


# -- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outside", MODES)
@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_order_of_points_does_not_matter(spacing: Any, outside: Any) -> None:
    """An array gives what its points give one by one, in any order."""
    made = curve(lambda x: np.sin(x), spacing=spacing, outside=outside)
    at = np.random.default_rng(1).permutation(np.linspace(1.0, 3.0, 23))
    assert made(at).tolist() == pytest.approx([made(each) for each in at.tolist()], rel=1e-13)
    assert made(at[::-1]).tolist() == made(at)[::-1].tolist()


def test_long_arrays_are_as_good_as_short_ones() -> None:
    """An array that is worked through in chunks gives the same, also when only its end is NaN or beyond."""
    made = curve(lambda x: np.exp(x), outside="nan")
    at = np.linspace(1.0, 3.0, 20_001)
    np.testing.assert_allclose(made(at), np.exp(at), rtol=1e-6)
    inside = made(at[:-2])
    at[-2:] = 4.0, np.nan
    found = made(at)
    assert np.isnan(found).nonzero()[0].tolist() == [19_999, 20_000]
    np.testing.assert_allclose(found[:-2], inside, rtol=1e-14)


@pytest.mark.parametrize("outside", MODES)
@pytest.mark.parametrize("spacing", SPACINGS)
@given(low=st.floats(0.01, 100.0), width=st.floats(0.01, 1e4))
@settings(max_examples=10, deadline=None)
def test_end_points_are_inside(outside: Any, spacing: Any, low: float, width: float) -> None:
    """The limits are inside in every mode, and give the sampled values."""
    made = curve(lambda x: x + 1.0, low=low, high=low + width, outside=outside, spacing=spacing)
    ends = [low, low + width]
    np.testing.assert_allclose(made(ends, exact=never), np.array(ends) + 1, rtol=1e-12)
    assert [made(each, exact=never) for each in ends] == pytest.approx([each + 1 for each in ends], rel=1e-12)


# -- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"spacing": "log", "values": "log"}, {"points": 9}])
def test_interpolants_can_be_sent_to_other_processes(options: dict[str, Any]) -> None:
    """Pickled or copied, used before or not, an interpolant gives the same to the last bit."""
    f = curve(cube_above_zero, **options)
    asked = [(f(2.0), f.inverse(f(2.0)), f.integral(1.5, 2.5), f.derivative(2.0))]
    for other in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        asked.append((other(2.0), other.inverse(other(2.0)), other.integral(1.5, 2.5), other.derivative(2.0)))
        assert repr(other) == repr(f)
    assert asked[0] == asked[1] == asked[2]


def cube_above_zero(x: Any) -> Any:
    return x**3


# -- derivatives ------------------------------------------------------------------------------------------------------


def test_an_interpolant_of_an_earlier_version_is_refused() -> None:
    """An entry with its pickle is computed again, rather than used without what it lacks."""
    state = {name: value for name, value in vars(curve(cube)).items() if name != "unit"}
    with pytest.raises(ValueError, match="of an earlier version"):
        curve(cube).__setstate__(state)


def test_derivatives_have_the_shape_of_the_argument() -> None:
    """Numbers give floats, arrays arrays of their shape, and NaN gives NaN."""
    f = accurate_curve(lambda x: np.exp(x))
    assert type(f.derivative(2)) is float
    assert math.isnan(f.derivative(math.nan))
    x = np.array([[1.0, np.nan], [3.0, 2.0], [1.5, 1.25]])
    assert f.derivative(x, 2).shape == (3, 2)
    assert np.isnan(f.derivative(x)).tolist() == np.isnan(x).tolist()
    assert f.derivative(np.array(2.0)).shape == ()
    assert type(f.derivative(np.array(2.0))) is np.ndarray
    assert f.derivative([]).shape == (0,)
    np.testing.assert_allclose(f.derivative(x[1:]), np.exp(x[1:]), rtol=1e-8)


@pytest.mark.parametrize("nu", [0, 4, -1, True, 1.0, "1", None, (1,)])
def test_only_orders_1_to_3_exist(nu: Any) -> None:
    """The error gives the order, and those that there are."""
    with pytest.raises(ValueError, match=r"nu is .*; derivatives are of order 1, 2 or 3"):
        accurate_curve(lambda x: np.exp(x)).derivative(2.0, nu)


@pytest.mark.parametrize("outside", ["raise", "exact"])
def test_beyond_the_axis_derivatives_raise(outside: Any) -> None:
    """What refuses a value refuses a derivative: there is no derivative of the function itself."""
    with pytest.raises(OutsideAxisError, match=r"x = 4\.0 is outside"):
        accurate_curve(lambda x: np.exp(x), outside=outside).derivative([2.0, 4.0])


def test_beyond_the_axis_derivatives_follow_the_values() -> None:
    """Clipped values do not change, NaN has no derivative, and a tangent has its own."""
    at = [0.5, 2.0, 4.0]
    inside = pytest.approx(math.exp(2.0), rel=1e-8)
    assert accurate_curve(lambda x: np.exp(x), outside="clip").derivative(at).tolist() == [0.0, inside, 0.0]
    assert accurate_curve(lambda x: np.exp(x), outside="nan").derivative(at).tolist() == [
        pytest.approx(math.nan, nan_ok=True),
        inside,
        pytest.approx(math.nan, nan_ok=True),
    ]
    f = accurate_curve(lambda x: np.exp(x), outside="extrapolate")
    assert f.derivative(at).tolist() == pytest.approx([math.e, math.exp(2.0), math.exp(3.0)], rel=1e-8)
    assert f.derivative(4.0, 2) == 0.0
    assert math.isnan(f.derivative(math.nan))


@pytest.mark.parametrize("nu", [1, 2, 3])
@pytest.mark.parametrize("at", [0.02, 400.0])
def test_tangents_in_logarithms_have_their_derivatives(at: float, nu: int) -> None:
    """Beyond a doubly logarithmic axis they are those of a power law, and of log1p those of the tangent there."""
    law = accurate_curve(lambda x: x**-1.5, spacing="log", values="log", outside="extrapolate")
    factor = {1: -1.5, 2: 3.75, 3: -13.125}[nu]
    assert law.derivative(at, nu) == pytest.approx(factor * at ** (-1.5 - nu), rel=1e-8)
    rising = accurate_curve(lambda x: np.log1p(x), spacing="log1p", outside="extrapolate")
    sign = {1: 1.0, 2: -1.0, 3: 2.0}[nu]
    assert rising.derivative(at, nu) == pytest.approx(sign * (1 + at) ** -nu, rel=1e-8)


@pytest.mark.parametrize("at", [0.25, 5.0])
def test_tangents_in_an_own_coordinate_have_their_derivatives(at: float) -> None:
    """What is extrapolated along a tangent in the square root has the square root's derivative."""
    f = accurate_curve(lambda x: np.sqrt(x), spacing=ROOTS, outside="extrapolate")
    assert f(at) == pytest.approx(math.sqrt(at), rel=1e-9)
    assert f.derivative(at) == pytest.approx(0.5 / math.sqrt(at), rel=1e-6)


def test_at_a_kink_the_derivative_is_the_one_to_the_right() -> None:
    """Where two pieces meet, the piece to the right counts, and at the upper limit the last."""
    f = accurate_curve(lambda x: 1 + np.abs(x - 2.0))
    assert f.derivative([1.0, 1.999, 2.0, 3.0]).tolist() == pytest.approx([-1.0, -1.0, 1.0, 1.0], rel=1e-9)
