"""Derivatives of interpolants: analytic ones to the tolerance, and those of their own polynomials to rounding."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from stored import Axis, OutsideAxisError
from stored._tables.load_table import make_interpolant
from stored._tables.make_table import tabulate

ROOTS = (np.sqrt, np.square)
SPACINGS = ["linear", "log", "log1p", ROOTS]
COORDINATES: list[Callable[[Decimal], Decimal]] = [
    lambda x: x,
    lambda x: x.ln(),
    lambda x: (1 + x).ln(),
    lambda x: x.sqrt(),
]


def made(function: Callable[..., Any], *axes: Axis) -> Any:
    return make_interpolant(axes, tabulate(function, axes, "f"), "f")


def curve(function: Callable[..., Any], **options: Any) -> Any:
    return made(function, Axis("x", **{"low": 1.0, "high": 3.0, "rtol": 1e-11, **options}))


def damped(x: Any) -> Any:
    return 2.0 + np.exp(-x) * np.sin(2 * x)


def damped_derivative(x: Any, nu: int) -> Any:
    return np.imag((2j - 1) ** nu * np.exp((2j - 1) * x))


# -- curves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("nu", [1, 2, 3])
def test_derivatives_are_those_of_the_function(nu: int, spacing: Any, values: Any) -> None:
    """The derivatives of a smooth function are met, each order with fewer digits, through spacing and logarithm."""
    x = np.linspace(1.0, 3.0, 301)
    found = curve(damped, spacing=spacing, values=values).derivative(x, nu)
    np.testing.assert_allclose(found, damped_derivative(x, nu), atol=10.0 ** (-11 + 2.5 * nu))


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize(("spacing", "coordinate"), list(zip(SPACINGS, COORDINATES, strict=True)))
@pytest.mark.parametrize("nu", [1, 2, 3])
def test_derivatives_are_exact_for_the_interpolant(
    nu: int, spacing: Any, coordinate: Callable[[Decimal], Decimal], values: Any
) -> None:
    """They are the derivatives of the interpolant's own polynomials, computed with 90 digits, to rounding."""
    axis = Axis("x", 1.0, 3.0, spacing=spacing, values=values, rtol=1e-7)
    table = tabulate(damped, (axis,), "f")
    assert not table["depths"].any()
    low, high = map(Decimal, table["limits"][0].tolist())
    rows = table["coefficients"].tolist()

    def exact(x: Decimal, piece: int) -> Decimal:
        u = (coordinate(x) - low) / (high - low) * len(rows) - piece
        value = Decimal(0)
        for power in reversed(rows[piece]):
            value = value * u + Decimal(power)
        return value.exp() if values == "log" else value

    def differentiated(at: float, piece: int) -> float:
        x, h = Decimal(at), Decimal("1e-18")
        terms = {1: {1: 1, -1: -1}, 2: {1: 1, 0: -2, -1: 1}, 3: {2: 1, 1: -2, -1: 2, -2: -1}}[nu]
        total = sum((number * exact(x + step * h, piece) for step, number in terms.items()), Decimal(0))
        return float(total / h**nu / (1 if nu == 2 else 2))

    # not in the middle of pieces, where less is left to be wrong, and not where two of them meet
    points = axis.backward(
        np.linspace(float(low), float(high), len(rows) + 1)[:-1] + 0.3 * float(high - low) / len(rows)
    )
    with decimal.localcontext(prec=90):
        expected = [differentiated(at, piece) for piece, at in enumerate(points.tolist())]
    found = make_interpolant((axis,), table, "f").derivative(points, nu)
    own = {1: 1e-11, 2: 1e-9, 3: 1e-6}[nu]  # the derivatives of an own spacing are those of a fit
    np.testing.assert_allclose(found, expected, rtol=0, atol=(1e-11 if isinstance(spacing, str) else own) * 4.0**nu)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_derivative_is_the_slope(spacing: Any) -> None:
    """The default order is 1, and between close points the interpolant changes by it."""
    f = curve(damped, spacing=spacing)
    step = 1e-5
    assert f.derivative(2.0) == pytest.approx((f(2.0 + step) - f(2.0 - step)) / (2 * step), rel=1e-5)


def test_at_a_kink_the_derivative_is_the_one_to_the_right() -> None:
    """Where two pieces meet, the piece to the right counts, and at the upper limit the last."""
    f = curve(lambda x: 1 + np.abs(x - 2.0))
    assert f.derivative([1.0, 1.999, 2.0, 3.0]).tolist() == pytest.approx([-1.0, -1.0, 1.0, 1.0], rel=1e-9)


def test_derivatives_have_the_shape_of_the_argument() -> None:
    """Numbers give floats, arrays arrays of their shape, and NaN gives NaN."""
    f = curve(lambda x: np.exp(x))
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
    """The error tells the order, and which there are."""
    with pytest.raises(ValueError, match=r"nu is .*; derivatives are of order 1, 2 or 3"):
        curve(lambda x: np.exp(x)).derivative(2.0, nu)


@pytest.mark.parametrize("outside", ["raise", "exact"])
def test_beyond_the_axis_derivatives_raise(outside: Any) -> None:
    """What refuses a value refuses a derivative: there is no derivative of the function itself."""
    with pytest.raises(OutsideAxisError, match=r"x = 4\.0 is outside"):
        curve(lambda x: np.exp(x), outside=outside).derivative([2.0, 4.0])


def test_beyond_the_axis_derivatives_follow_the_values() -> None:
    """Clipped values do not change, NaN has no derivative, and a tangent has its own."""
    at = [0.5, 2.0, 4.0]
    inside = pytest.approx(math.exp(2.0), rel=1e-8)
    assert curve(lambda x: np.exp(x), outside="clip").derivative(at).tolist() == [0.0, inside, 0.0]
    assert curve(lambda x: np.exp(x), outside="nan").derivative(at).tolist() == [
        pytest.approx(math.nan, nan_ok=True),
        inside,
        pytest.approx(math.nan, nan_ok=True),
    ]
    f = curve(lambda x: np.exp(x), outside="extrapolate")
    assert f.derivative(at).tolist() == pytest.approx([math.e, math.exp(2.0), math.exp(3.0)], rel=1e-8)
    assert f.derivative(4.0, 2) == 0.0
    assert math.isnan(f.derivative(math.nan))


@pytest.mark.parametrize("nu", [1, 2, 3])
@pytest.mark.parametrize("at", [0.02, 400.0])
def test_tangents_in_logarithms_have_their_derivatives(at: float, nu: int) -> None:
    """Beyond a doubly logarithmic axis they are those of a power law, and of log1p those of the tangent there."""
    law = curve(lambda x: x**-1.5, spacing="log", values="log", outside="extrapolate")
    factor = {1: -1.5, 2: 3.75, 3: -13.125}[nu]
    assert law.derivative(at, nu) == pytest.approx(factor * at ** (-1.5 - nu), rel=1e-8)
    rising = curve(lambda x: np.log1p(x), spacing="log1p", outside="extrapolate")
    sign = {1: 1.0, 2: -1.0, 3: 2.0}[nu]
    assert rising.derivative(at, nu) == pytest.approx(sign * (1 + at) ** -nu, rel=1e-8)


@pytest.mark.parametrize("at", [0.25, 5.0])
def test_tangents_in_an_own_coordinate_have_their_derivatives(at: float) -> None:
    """What is extrapolated along a tangent in the square root has the square root's derivative."""
    f = curve(lambda x: np.sqrt(x), spacing=ROOTS, outside="extrapolate")
    assert f(at) == pytest.approx(math.sqrt(at), rel=1e-9)
    assert f.derivative(at) == pytest.approx(0.5 / math.sqrt(at), rel=1e-6)


def test_limits_may_be_where_the_coordinate_is_steep() -> None:
    """A square root has an axis from 0: its derivative near 0 is that of the square root."""
    f = curve(lambda x: 1 + np.sqrt(x), low=0.0, spacing=ROOTS)
    at = np.geomspace(1e-4, 3.0, 20)
    np.testing.assert_allclose(f.derivative(at), 0.5 / np.sqrt(at), rtol=1e-8)


# -- surfaces ---------------------------------------------------------------------------------------------------------

ORDERS = [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3)]


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("nu", ORDERS)
def test_partial_derivatives_are_those_of_the_function(nu: tuple[int, int], spacing: Any, values: Any) -> None:
    """All partial derivatives up to third order are met, through spacing and logarithm."""
    f = made(
        lambda x, y: np.exp(-0.5 * x + 0.3 * y),
        Axis("x", 1.0, 3.0, spacing=spacing, values=values, rtol=1e-11),
        Axis("y", 0.5, 2.0, spacing="log1p", rtol=1e-11),
    )
    x, y = np.linspace(1.0, 3.0, 21)[:, None], np.linspace(0.5, 2.0, 17)
    expected = (-0.5) ** nu[0] * 0.3 ** nu[1] * np.exp(-0.5 * x + 0.3 * y)
    np.testing.assert_allclose(f.derivative(x, y, nu), expected, atol=10.0 ** (-11 + 2.5 * sum(nu)))


def polynomial(t: Any, s: Any, nu: tuple[int, int] = (0, 0)) -> Any:
    return np.polyval(np.polyder([0.3, -1.0, 0.5, 2.0], nu[0]), t) * np.polyval(
        np.polyder([0.2, 0.1, -0.4, 3], nu[1]), s
    )


@pytest.mark.parametrize("nu", ORDERS)
def test_partial_derivatives_are_exact(nu: tuple[int, int]) -> None:
    """Those of a polynomial surface, and of its exponential, are met to rounding."""
    axes = Axis("x", -1.0, 1.0, atol=1e-9), Axis("y", -1.5, 1.0, atol=1e-9)
    x, y = np.linspace(-1.0, 1.0, 11)[:, None], np.linspace(-1.5, 1.0, 9)
    np.testing.assert_allclose(
        made(lambda x, y: polynomial(x, y), *axes).derivative(x, y, nu), polynomial(x, y, nu), atol=1e-9
    )


def test_mixed_derivatives_of_an_exponential_are_exact() -> None:
    """Of exp(g), whose logarithm is a polynomial, the derivatives are those of the chain rule written out."""
    axes = Axis("x", -1.0, 1.0, values="log"), Axis("y", -1.5, 1.0)
    f = made(lambda x, y: np.exp(polynomial(x, y)), *axes)
    x, y = np.linspace(-1.0, 1.0, 11)[:, None], np.linspace(-1.5, 1.0, 9)

    def g(i: int, j: int) -> Any:
        return polynomial(x, y, (i, j))

    value = np.exp(g(0, 0))
    mixed = g(1, 1) + g(1, 0) * g(0, 1)
    higher = g(2, 1) + 2 * g(1, 0) * g(1, 1) + g(0, 1) * (g(2, 0) + g(1, 0) ** 2)
    np.testing.assert_allclose(f.derivative(x, y) / value, g(1, 0), atol=1e-9)
    np.testing.assert_allclose(f.derivative(x, y, (1, 1)) / value, mixed, atol=1e-9)
    np.testing.assert_allclose(f.derivative(x, y, (2, 1)) / value, higher, atol=1e-8)
    np.testing.assert_allclose(f.derivative(x, y, (0, 2)) / value, g(0, 2) + g(0, 1) ** 2, atol=1e-8)


@pytest.mark.parametrize("nu", [1, (1,), (0, 0), (2, 2), (4, 0), (-1, 2), (1.0, 0), (True, 0), [1, 0], (1, 0, 0), None])
def test_only_orders_up_to_3_together_exist(nu: Any) -> None:
    """The error tells the orders, and which there are."""
    f = made(lambda x, y: x + y, Axis("x", 1.0, 2.0), Axis("y", 1.0, 2.0))
    with pytest.raises(ValueError, match=r"nu is .*; give the orders along both axes"):
        f.derivative(1.5, 1.5, nu)


def test_partial_derivatives_have_the_broadcast_shape() -> None:
    """Numbers give a float, arrays are broadcast, and NaN gives NaN."""
    f = made(lambda x, y: x * y, Axis("x", 1.0, 2.0), Axis("y", 1.0, 2.0))
    assert type(f.derivative(1.5, 1)) is float
    assert f.derivative(1.5, 1.25) == pytest.approx(1.25)
    assert f.derivative(np.ones((4, 1)), [1.0, 1.5, 2.0], (0, 1)).shape == (4, 3)
    assert np.isnan(f.derivative([1.0, math.nan, 1.0], [1.0, 1.0, math.nan])).tolist() == [False, True, True]


@pytest.mark.parametrize("outside", ["raise", "clip", "exact", "extrapolate", "nan"])
def test_beyond_a_surface_there_are_no_derivatives(outside: Any) -> None:
    """They are NaN with outside='nan', and refused otherwise."""
    f = made(lambda x, y: x * y, Axis("x", 1.0, 2.0), Axis("y", 1.0, 2.0, outside=outside))
    if outside == "nan":
        assert np.isnan(f.derivative(1.5, [0.0, 1.5, 3.0])).tolist() == [True, False, True]
    else:
        with pytest.raises(OutsideAxisError, match=r"y = 3\.0 is outside"):
            f.derivative(1.5, [1.5, 3.0])
    with pytest.raises(OutsideAxisError, match=r"x = 0\.5 is outside"):
        f.derivative(0.5, 1.5)
