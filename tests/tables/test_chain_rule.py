"""Derivatives of interpolants: analytic ones to the tolerance, and those of their own polynomials to rounding."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from stored import Axis
from stored._tables import make_interpolant, tabulate
from tests.tables.interpolants import ROOTS, SPACINGS, accurate_curve, interpolant_of

COORDINATES: list[Callable[[Decimal], Decimal]] = [
    lambda x: x,
    lambda x: x.ln(),
    lambda x: (1 + x).ln(),
    lambda x: x.sqrt(),
]


def damped(x: Any) -> Any:
    return 2.0 + np.exp(-x) * np.sin(2 * x)


def damped_derivative(x: Any, nu: int) -> Any:
    return np.imag((2j - 1) ** nu * np.exp((2j - 1) * x))


# -- curves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("nu", [1, 2, 3])
def test_derivatives_are_those_of_the_function(nu: int, spacing: Any, values: Any) -> None:
    """The derivatives are those of a smooth function, each order with fewer digits, through spacing and logarithm."""
    x = np.linspace(1.0, 3.0, 301)
    found = accurate_curve(damped, spacing=spacing, values=values).derivative(x, nu)
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
    f = accurate_curve(damped, spacing=spacing)
    step = 1e-5
    assert f.derivative(2.0) == pytest.approx((f(2.0 + step) - f(2.0 - step)) / (2 * step), rel=1e-5)


def test_limits_may_be_where_the_coordinate_is_steep() -> None:
    """A square root has an axis from 0: its derivative near 0 is that of the square root."""
    f = accurate_curve(lambda x: 1 + np.sqrt(x), low=0.0, spacing=ROOTS)
    at = np.geomspace(1e-4, 3.0, 20)
    np.testing.assert_allclose(f.derivative(at), 0.5 / np.sqrt(at), rtol=1e-8)


# -- surfaces ---------------------------------------------------------------------------------------------------------


ORDERS = [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3)]


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("nu", ORDERS)
def test_partial_derivatives_are_those_of_the_function(nu: tuple[int, int], spacing: Any, values: Any) -> None:
    """All partial derivatives up to third order are the function's, through spacing and logarithm."""
    f = interpolant_of(
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
    """Those of a polynomial surface are reproduced to rounding."""
    axes = Axis("x", -1.0, 1.0, atol=1e-9), Axis("y", -1.5, 1.0, atol=1e-9)
    x, y = np.linspace(-1.0, 1.0, 11)[:, None], np.linspace(-1.5, 1.0, 9)
    np.testing.assert_allclose(
        interpolant_of(lambda x, y: polynomial(x, y), *axes).derivative(x, y, nu), polynomial(x, y, nu), atol=1e-9
    )


def test_mixed_derivatives_of_an_exponential_are_exact() -> None:
    """Of exp(g), whose logarithm is a polynomial, the derivatives are those of the chain rule written out."""
    axes = Axis("x", -1.0, 1.0, values="log"), Axis("y", -1.5, 1.0)
    f = interpolant_of(lambda x, y: np.exp(polynomial(x, y)), *axes)
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
