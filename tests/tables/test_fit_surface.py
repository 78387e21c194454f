"""Functions of two numbers, sampled to a tolerance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import Axis, ToleranceError
from tests.tables.interpolants import ROOTS, assert_within_tolerance, interpolant_of, random_points

Function = Callable[[Any, Any], Any]


@pytest.mark.parametrize(
    ("function", "x", "y"),
    [
        (lambda x, y: np.sin(x * y) + 2, Axis("x", 0.0, 3.0), Axis("y", 0.0, 2.0)),
        (lambda x, y: np.sin(x * y) + 2, Axis("x", 0.0, 3.0, rtol=1e-10), Axis("y", 0.0, 2.0)),
        (lambda x, y: 1 / (1 + 5 * x**2 + 9 * y**2), Axis("x", -1.0, 1.0), Axis("y", -1.0, 1.0)),
        (
            lambda x, y: 3 * x**-2.5 * y**1.5,
            Axis("x", 1e-3, 1e3, spacing="log", values="log", rtol=1e-10),
            Axis("y", 0.1, 50.0, spacing="log"),
        ),
        (
            lambda x, y: np.exp(-x * y) / (1 + x),
            Axis("x", 0.0, 100.0, spacing="log1p", rtol=1e-5),
            Axis("y", 0.1, 0.5, values="log"),
        ),
        (lambda x, y: np.sqrt(x) * y + 1, Axis("x", 0.0, 9.0, spacing=ROOTS), Axis("y", 1.0, 2.0, rtol=1e-9)),
        (lambda x, y: np.sin(x * y), Axis("x", -2.0, 3.0, atol=1e-7), Axis("y", -1.0, 2.0, atol=1e-7)),
        (lambda x, y: x - y, Axis("x", -2.0, 3.0, rtol=0.0, atol=1e-9), Axis("y", -1.0, 2.0, rtol=0.0, atol=1e-8)),
        (lambda x, y: 5.0 + 0 * x * y, Axis("x", -2.0, 3.0), Axis("y", -1.0, 2.0)),
        (lambda x, y: 0.0 * x * y, Axis("x", -2.0, 3.0, atol=1e-15), Axis("y", -1.0, 2.0)),
        (lambda x, y: np.cos(9 * y) + 2 + 0 * x, Axis("x", -2.0, 3.0), Axis("y", -1.0, 2.0)),
    ],
)
def test_the_tolerance_is_held(function: Function, x: Axis, y: Axis) -> None:
    """At 5,000 random points the error is at most the smaller of the axes' tolerances."""
    f = interpolant_of(function, x, y)
    assert_within_tolerance(f, function)
    assert f.error <= (min(x.rtol, y.rtol) or min(x.atol, y.atol))
    assert f.evaluations < 5000


def test_a_relative_tolerance_across_zero_is_held_away_from_it() -> None:
    """Without atol, a function that passes zero is within its relative tolerance, except close to the zero."""
    x, y = Axis("x", -2.0, 3.0), Axis("y", -1.0, 2.0)
    f = interpolant_of(lambda x, y: np.sin(x * y), x, y)
    at = random_points(x, y)
    exact = np.sin(at[0] * at[1])
    away = np.abs(exact) > 1e-4
    np.testing.assert_allclose(f(*at)[away], exact[away], rtol=1e-6)


def test_scalar_and_vectorized_functions_give_the_same() -> None:
    """A function of single numbers is sampled at the same points as one of arrays, and one that says it takes them."""
    calls = []

    def single(x: float, y: float) -> float:
        assert type(x) is type(y) is float
        calls.append((x, y))
        return float(np.exp(x * y))

    axes = Axis("x", 0.0, 1.0, vectorized=False), Axis("y", 0.0, 1.0, vectorized=False)
    one = interpolant_of(single, *axes)
    assert one.evaluations == len(calls) == len(set(calls))
    for option in (None, True):
        axes = Axis("x", 0.0, 1.0, vectorized=option), Axis("y", 0.0, 1.0, vectorized=option)
        other = interpolant_of(lambda x, y: np.exp(x * y), *axes)
        np.testing.assert_allclose(other.values, one.values, rtol=1e-14)
        np.testing.assert_allclose(other(*random_points(*axes, 50)), one(*random_points(*axes, 50)), rtol=1e-13)


def test_what_was_sampled_is_kept() -> None:
    """Nodes increase from limit to limit on both axes, and values, pieces and error are those of the function."""
    f = interpolant_of(lambda x, y: np.exp(x - 2 * y), Axis("x", 0.0, 1.0), Axis("y", 0.5, 2.0))
    for nodes, axis in zip(f.nodes, f.axes, strict=True):
        assert (nodes[0], nodes[-1]) == (axis.low, axis.high)
        assert np.all(np.diff(nodes) > 0)
    np.testing.assert_allclose(f.values, np.exp(f.nodes[0][:, None] - 2 * f.nodes[1]), rtol=1e-14)
    x, y, values = f.held_out
    np.testing.assert_allclose(values, np.exp(x - 2 * y), rtol=1e-14)
    assert f.error == pytest.approx(np.max(np.abs(f(x, y) / values - 1)), rel=1e-6)
    assert f.evaluations >= f.values.size + x.size


@pytest.mark.parametrize("function", [lambda x, y: np.abs(x - 0.3) + y + 1, lambda x, y: x + np.abs(y - 0.4) + 1])
def test_a_kink_along_one_axis_is_refused(function: Function) -> None:
    """The error says what was reached, what was asked for, and that a surface cannot have kinks."""
    with pytest.raises(ToleranceError, match="a surface cannot have kinks") as caught:
        interpolant_of(function, Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0, rtol=1e-5))
    error = caught.value
    assert (error.label, error.axis, error.asked, error.where, error.why) == ("f", "x and y", 1e-6, None, "surface")
    assert 1e-6 < error.error < 1e-3
    assert error.evaluations <= 10_000


def test_a_peak_between_the_nodes_is_noticed() -> None:
    """Points held out see what the grid does not: a peak off its nodes is refused, not left out."""
    at = 0.7548776662466927, 0.5698402909980532
    with pytest.raises(ToleranceError, match="a surface cannot have kinks") as caught:
        interpolant_of(
            lambda x, y: 1 + 0.1 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 1e-7),
            *(Axis(name, 0.0, 1.0, max_points=10_000) for name in "xy"),
        )
    assert caught.value.error > 1e-3


def test_no_more_points_than_allowed_are_used() -> None:
    """A function that needs more points than max_points is refused before they are computed."""
    calls = []

    def kinked(x: float, y: float) -> float:
        calls.append(1)
        return abs(x - 0.3) * abs(y - 0.4) + 1

    with pytest.raises(ToleranceError, match=r"after \d+ evaluations the error is .* of the largest value there"):
        interpolant_of(kinked, *(Axis(name, 0.0, 1.0, max_points=700, vectorized=False) for name in "xy"))
    assert len(calls) <= 700


@pytest.mark.parametrize(
    ("options", "why"), [({}, "zero"), ({"atol": 1e-9}, "surface"), ({"rtol": 0.0, "atol": 1e-6}, "surface")]
)
def test_a_zero_is_given_as_the_reason(options: dict[str, float], why: str) -> None:
    """Where no absolute error is allowed and the function passes zero, the error says so."""
    with pytest.raises(ToleranceError) as caught:
        interpolant_of(lambda x, y: np.abs(x + y - 0.7) - 0.1, *(Axis(name, 0.0, 1.0, **options) for name in "xy"))
    assert caught.value.why == why


def test_the_error_of_logarithms_is_that_of_the_logarithm() -> None:
    """With values='log' what was reached is the error of the logarithm, a relative error of the value."""
    with pytest.raises(ToleranceError) as caught:
        interpolant_of(lambda x, y: np.exp(np.abs(x + y - 0.7)), Axis("x", 0.0, 1.0, values="log"), Axis("y", 0.0, 1.0))
    assert caught.value.why == "surface"
    assert 1e-6 < caught.value.error < 0.1


def test_too_few_points_to_begin_with_are_an_error() -> None:
    """A max_points below what sampling begins with is a ToleranceError too."""
    with pytest.raises(ToleranceError) as caught:
        interpolant_of(lambda x, y: x + y, *(Axis(name, 1.0, 2.0, max_points=100) for name in "xy"))
    assert caught.value.evaluations == 0
