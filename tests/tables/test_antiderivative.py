"""Integrals of interpolants."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from stored import Axis, OutsideAxisError
from tests.tables.interpolants import MODES, ROOTS, SPACINGS, interpolant_of


def curve(function: Callable[..., Any], **options: Any) -> Any:
    return interpolant_of(function, Axis("x", **{"low": 1.0, "high": 4.0, **options}))


def wave(x: Any) -> Any:
    return 2.0 + np.sin(3 * x)


def wave_integral(a: Any, b: Any) -> Any:
    return 2.0 * (b - a) - (np.cos(3 * b) - np.cos(3 * a)) / 3


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_integrals_are_those_of_the_function(spacing: Any, values: Any) -> None:
    """The integral of an interpolant is the function's within the tolerance, over any range."""
    f = curve(wave, spacing=spacing, values=values, rtol=1e-10)
    ends = np.random.default_rng(3).uniform(1.0, 4.0, (2, 200))
    np.testing.assert_allclose(f.integral(*ends), wave_integral(*ends), atol=3e-10)
    assert f.integral(1, 4) == pytest.approx(wave_integral(1, 4), rel=1e-10)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_integrals_are_exact_for_the_interpolant(spacing: Any, values: Any) -> None:
    """They agree to rounding with quadrature of the interpolant, piece by piece."""
    f = curve(wave, spacing=spacing, values=values, rtol=1e-4)
    (axis,) = f.axes
    edges = axis.backward(np.linspace(*axis.coordinate_limits(), f.pieces + 1)).tolist()
    pieces = [quad(f, a, b, epsabs=0, epsrel=1e-13, limit=200)[0] for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose([f.integral(1.0, edge) for edge in edges[1:]], np.cumsum(pieces), rtol=1e-12)
    inner = quad(f, edges[1] - 1e-3, edges[1], epsabs=0, epsrel=1e-12)[0]
    assert f.integral(edges[1] - 1e-3, edges[1]) == pytest.approx(inner, rel=1e-10)


def test_integrals_over_kinks() -> None:
    """Over the divided cells of a kink the integral is the sum of both sides."""
    f = curve(lambda x: np.abs(x - 2.2) + 1.0)
    assert f.integral(1.0, 4.0) == pytest.approx(3.0 + 1.2**2 / 2 + 1.8**2 / 2, rel=1e-6)
    assert f.integral(2.2, 2.2 + 1e-5) == pytest.approx(1e-5 + 5e-11, rel=2e-6)
    near = np.sort(2.2 + np.random.default_rng(5).normal(0.0, 1e-4, 50))
    steps = f.integral(near[:-1], near[1:])
    assert steps.sum() == pytest.approx(f.integral(near[0], near[-1]), rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"spacing": "log"}, {"spacing": ROOTS, "values": "log"}, {"points": 9}])
@given(st.tuples(*[st.floats(1.0, 4.0)] * 3))
@settings(max_examples=50, deadline=None)
def test_integrals_add_up(options: dict[str, Any], limits: tuple[float, float, float]) -> None:
    """From a to b and on to c is from a to c, in any order of the three."""
    a, b, c = limits
    f = _adding(repr(sorted(options)), options)
    assert f.integral(a, b) + f.integral(b, c) == pytest.approx(f.integral(a, c), rel=1e-12, abs=1e-12)
    assert f.integral(a, b) == -f.integral(b, a)
    assert f.integral(a, a) == 0.0


_MADE: dict[str, Any] = {}


def _adding(name: str, options: dict[str, Any]) -> Any:
    if name not in _MADE:
        _MADE[name] = curve(wave, **options)
    return _MADE[name]


def test_limits_are_broadcast() -> None:
    """Numbers give a float and arrays the broadcast shape; NaN gives NaN; limits may be the axis's own."""
    f = curve(wave)
    assert type(f.integral(1, 4)) is float
    found = f.integral(np.array([[1.0], [2.0]]), [1.0, 3.0, 4.0])
    assert found.shape == (2, 3)
    assert found[1, 0] == -f.integral(1.0, 2.0)
    assert f.integral(np.array(1.0), 2.0).shape == ()
    assert f.integral([], 2.0).shape == (0,)
    assert math.isnan(f.integral(math.nan, 2.0))
    assert np.isnan(f.integral([1.0, math.nan, 2.0], [2.0, 2.0, math.nan])).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="broadcast"):
        f.integral(np.ones(2), np.ones(3))


@pytest.mark.parametrize("outside", MODES)
@pytest.mark.parametrize(("a", "b", "bad"), [(0.5, 2.0, 0.5), (2.0, 5.0, 5.0), ([1.0, 9.0], 2.0, 9.0)])
def test_limits_beyond_the_axis_are_refused(outside: Any, a: Any, b: Any, bad: float) -> None:
    """There is no integral over what is not tabulated, whatever a value there would be."""
    with pytest.raises(OutsideAxisError, match=rf"x = {bad} is outside the axis"):
        curve(wave, outside=outside).integral(a, b)


@pytest.mark.parametrize("power", [-3.0, -1.0, 0.0, 2.5])
def test_power_laws_over_many_decades_are_exact(power: float) -> None:
    """One piece that spans many e-folds of argument and value is integrated to rounding."""
    f = curve(lambda x: x**power, low=1e-12, high=1e12, spacing="log", values="log")
    assert f.pieces == 1
    for a, b in ((1e-12, 1e12), (1e-3, 1e5), (2.0, 3.0)):
        exact = math.log(b / a) if power == -1.0 else (b ** (power + 1) - a ** (power + 1)) / (power + 1)
        assert f.integral(a, b) == pytest.approx(exact, rel=1e-11)


def test_exponentials_over_many_decades_are_exact() -> None:
    """So is an exponential on a linear axis, and a constant on a logarithmic one."""
    f = curve(lambda x: np.exp(-100 * x), values="log")
    assert f.integral(1.0, 4.0) == pytest.approx((math.exp(-100.0) - math.exp(-400.0)) / 100, rel=1e-11)
    constant = curve(lambda x: 7.0, low=1e-30, high=1e30, spacing="log")
    assert constant.integral(1e-30, 1e30) == pytest.approx(7e30, rel=1e-12)
    assert constant.integral(1.0, 1e3) == pytest.approx(6993.0, rel=1e-12)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_integral_of_the_derivative_is_the_difference(spacing: Any, values: Any) -> None:
    """The slope of the integral is the interpolant, and a derivative integrates to the change of values."""
    f = curve(wave, spacing=spacing, values=values, rtol=1e-8)
    x = np.linspace(1.1, 3.9, 20)
    np.testing.assert_allclose(f.integral(x - 1e-4, x + 1e-4) / 2e-4, f(x), rtol=1e-6)
    (axis,) = f.axes
    edges = axis.backward(np.linspace(*axis.coordinate_limits(), f.pieces + 1))
    total = sum(quad(f.derivative, a, b, epsrel=1e-11)[0] for a, b in itertools.pairwise(edges))
    assert total == pytest.approx(f(4.0) - f(1.0), rel=1e-8)


def test_a_spacing_from_zero_is_integrated() -> None:
    """An axis whose coordinate is a square root, from 0, is integrated to the limit."""
    f = curve(lambda x: np.sqrt(x) + 1, low=0.0, spacing=ROOTS)
    assert f.integral(0.0, 4.0) == pytest.approx(4.0 + 16 / 3, rel=1e-12)


@pytest.mark.parametrize("spacing", ["log", "linear"])
def test_small_integrals_beside_large_ones_keep_their_digits(spacing: Any) -> None:
    """The tail of a steep function, over many pieces, is as accurate as its peak."""
    f = curve(lambda x: x**-6.0, low=1.0, high=1e3 if spacing == "log" else 60.0, spacing=spacing, rtol=1e-11)
    assert f.pieces > 16
    ends = np.geomspace(1.0, f.axes[0].high, 30)
    a, b = np.meshgrid(ends, ends)
    a, b = a[a < b], b[a < b]
    exact = (a**-5 - b**-5) / 5
    np.testing.assert_allclose(f.integral(a, b), exact, rtol=1e-10)
    np.testing.assert_allclose(list(map(f.integral, a.tolist(), b.tolist())), exact, rtol=1e-10)


def assert_integrals(f: Any, ends: Any, exact: Callable[[Any, Any], Any]) -> None:
    """The integrals between all of these limits, forwards, backwards, of numbers and of arrays."""
    a, b = np.meshgrid(ends, ends)
    a, b = a[a < b], b[a < b]
    expected = exact(a, b)
    np.testing.assert_allclose(f.integral(a, b), expected, rtol=2e-6)
    np.testing.assert_allclose(f.integral(b, a), -expected, rtol=2e-6)
    np.testing.assert_allclose(list(map(f.integral, a.tolist(), b.tolist())), expected, rtol=2e-6)


@pytest.mark.parametrize("rises", [False, True])
def test_tails_of_exponentials_are_integrated(rises: bool) -> None:
    """They are 300 decades smaller than the whole integral, of which no sum has so many digits."""
    sign = 1.0 if rises else -1.0
    f = curve(lambda x: np.exp(sign * x), low=0.0, high=700.0, values="log")
    ends = np.array([0.0, 0.5, 3.0, 50.0, 51.0, 310.0, 340.0, 390.0, 450.0, 699.0, 700.0])
    assert_integrals(f, ends, lambda a, b: sign * (np.exp(sign * b) - np.exp(sign * a)))


def test_tails_of_power_laws_are_integrated() -> None:
    """Over thirty decades of the argument, one piece in many parts."""
    f = curve(lambda x: x**-4.0, low=1e-20, high=1e10, spacing="log", values="log")
    assert f.pieces == 1
    assert_integrals(f, np.geomspace(1e-20, 1e10, 13), lambda a, b: (a**-3 - b**-3) / 3)


def test_integrals_that_no_float_can_hold_are_infinite() -> None:
    """Those that floats can hold are as they are elsewhere, also behind those."""
    f = curve(lambda x: x**-0.5, low=1e-10, high=1e304, spacing="log", values="log")
    assert f.integral(4.0, 9.0) == pytest.approx(2.0, rel=2e-6)
    over = curve(lambda x: np.sqrt(x), low=1e-10, high=1e300, spacing="log", values="log")
    with np.errstate(over="ignore", invalid="ignore"):
        for a, b in ((1.0, 1e300), (1e210, 1e250), (1e250, 1e251), (1e290, 1.1e290)):
            for size in (1, 100):
                np.testing.assert_array_equal(over.integral(np.full(size, a), np.full(size, b)), np.inf)
            assert (over.integral(a, b), over.integral(b, a)) == (math.inf, -math.inf)
    assert over.integral(1.0, 4.0) == pytest.approx(14 / 3, rel=2e-6)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", ["linear", "log", "log1p"])
def test_integrals_over_short_ranges_keep_their_digits(spacing: Any, values: Any) -> None:
    """Over 1e-9 of the axis the integral is the value times the distance of the limits, as an array or as numbers."""
    f = curve(wave, spacing=spacing, values=values, rtol=1e-10)
    a = np.random.default_rng(2).uniform(1.0, 3.9, 300)
    b = a + 1e-9
    expected = f(0.5 * (a + b)) * (b - a)
    # of a logarithm, the distance itself is rounded
    rtol = 1e-12 if spacing == "linear" else 1e-6
    np.testing.assert_allclose(f.integral(a, b), expected, rtol=rtol)
    np.testing.assert_allclose(list(map(f.integral, a.tolist(), b.tolist())), expected, rtol=rtol)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", ["linear", "log", "log1p"])
@given(st.lists(st.integers(1000, 4000), min_size=2, max_size=2, unique=True))
@settings(max_examples=20, deadline=None)
def test_integrals_of_numbers_are_those_of_quadrature(spacing: Any, values: Any, limits: list[int]) -> None:
    """Between any two numbers they are those of the interpolant, by adaptive quadrature."""
    a, b = (each / 1000 for each in limits)
    f = _adding(f"{spacing} {values}", {"spacing": spacing, "values": values, "rtol": 1e-10})
    expected, _ = quad(f, a, b, epsabs=1e-11, epsrel=1e-10, limit=200)
    assert f.integral(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-10)
