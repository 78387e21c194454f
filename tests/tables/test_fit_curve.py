"""Functions of one number, sampled to a tolerance."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis, ToleranceError
from stored._tables import tabulate
from stored._tables.fit_curve import SampledCurve, sample_curve
from stored.demo._physics import age, radiation_density
from tests.tables.interpolants import interpolant_of

_CHECKS = 1.5
"""Evaluations that check vectorised calls come on top of the nodes; so many times the nodes are never reached."""


def _worst(function: Callable[..., Any], axis: Axis, points: int = 10_000) -> float:
    """The largest true error at random points of the axis, in units of what is allowed."""
    made = interpolant_of(function, axis)
    low, high = axis.coordinate_limits()
    x = axis.backward(np.random.default_rng(5).uniform(low, high, points))
    y = function(x)
    return float(np.max(np.abs(made(x) - y) / (axis.atol + axis.rtol * np.abs(y) + 1e-300)))


def _wiggles(x: Any) -> Any:
    return 1.0 + 0.1 * np.sin(105.0 * x) * np.exp(-((8.0 * x) ** 1.4))


# -- what is met ------------------------------------------------------------------------------------------------------

MET: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "runge": (lambda x: 1.0 / (1.0 + 25.0 * x**2), {"low": -1.0}),
    "waves": (lambda x: np.sin(50.0 * x), {}),
    "waves, absolutely": (lambda x: np.sin(50.0 * x), {"rtol": 0.0, "atol": 1e-8}),
    "wiggles": (_wiggles, {"low": 1e-3}),
    "wiggles over a logarithm": (_wiggles, {"low": 1e-3, "spacing": "log"}),
    "kink": (lambda x: 1.0 + np.abs(x - 0.3), {}),
    "steep": (lambda x: np.tanh(300.0 * (x - 0.6)), {}),
    "steep, absolutely": (lambda x: np.tanh(300.0 * (x - 0.6)), {"atol": 1e-7}),
    "root": (lambda x: 1.0 + np.sqrt(x), {}),
    "root in its coordinate": (lambda x: 1.0 + np.sqrt(x), {"spacing": (np.sqrt, np.square)}),
    "decay": (lambda x: np.exp(-50.0 * x), {}),
    "decay, as logarithm": (lambda x: np.exp(-50.0 * x), {"values": "log"}),
    "wave, as logarithm": (lambda x: 2.0 + np.sin(9.0 * x), {"values": "log", "atol": 1e-4}),
    "constant": (lambda x: 3.5 + 0.0 * x, {}),
    "zero": (lambda x: 0.0 * x, {}),
    "quartic": (lambda x: x**4, {}),
    "quartic through zero": (lambda x: x**4, {"low": -1.0, "high": 1.1}),
    "square": (lambda x: (x - 0.3) ** 2, {}),
    "square, absolutely": (lambda x: (x - 0.3) ** 2, {"atol": 1e-9}),
    "power law": (lambda x: x**-2.5, {"low": 1e-4, "spacing": "log", "values": "log"}),
    "tiny": (lambda x: 1e-200 * np.cos(x), {}),
    "huge": (lambda x: 1e200 * np.cos(x), {}),
}


@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
@pytest.mark.parametrize("name", MET)
def test_the_tolerance_is_met_where_nothing_was_sampled(name: str, rtol: float) -> None:
    """At random points the true error is what was asked for, within a factor of two."""
    function, options = MET[name]
    axis = Axis("x", **{"low": 0.0, "high": 1.0, "rtol": rtol, **options})
    assert _worst(function, axis) <= 2.0


@pytest.mark.parametrize("name", ["runge", "waves", "wiggles", "kink", "steep", "decay", "constant", "quartic", "zero"])
def test_close_tolerances_are_met_too(name: str) -> None:
    """Of functions that rounding does not blur, nine digits can be had."""
    function, options = MET[name]
    assert _worst(function, Axis("x", **{"low": 0.0, "high": 1.0, "rtol": 1e-9, **options})) <= 2.0


@given(seed=st.integers(0, 2**32), terms=st.integers(1, 12), rtol=st.sampled_from([1e-3, 1e-6, 1e-10]))
@settings(max_examples=25, deadline=None)
def test_smooth_functions_are_approximated(seed: int, terms: int, rtol: float) -> None:
    """Sums of waves of random height and phase, kept from zero, are approximated to any tolerance."""
    random = np.random.default_rng(seed)
    height, phase = random.normal(size=terms), random.uniform(0.0, 6.0, terms)

    def function(x: Any) -> Any:
        waves = np.sin(np.multiply.outer(x, 3.0 * np.arange(1, terms + 1)) + phase) @ height
        return 1.0 + np.abs(height).sum() + waves

    assert _worst(function, Axis("x", 0.0, 1.0, rtol=rtol), 2000) <= 2.0


@given(root=st.floats(0.0, 1.0), slope=st.floats(0.01, 100.0))
@settings(max_examples=25, deadline=None)
def test_kinks_are_found_anywhere(root: float, slope: float) -> None:
    """Wherever a function has its kink, what was asked for is met beside it too, within a factor of two."""
    axis = Axis("x", 0.0, 1.0, rtol=1e-4)
    assert _worst(lambda x: 1.0 + slope * np.abs(x - root), axis, 2000) <= 2.0


@pytest.mark.parametrize("center", [0.1, 1 / 3, 0.5, 0.7123])
def test_a_narrow_feature_that_nodes_see_is_resolved(center: float) -> None:
    """A bump a hundredth of the axis wide is within the tolerance, wherever it is."""
    axis = Axis("x", 0.0, 1.0, rtol=1e-6)
    assert _worst(lambda x: 1.0 + np.exp(-(((x - center) / 0.03) ** 2)), axis) <= 2.0


@pytest.mark.parametrize("options", [{"rtol": np.float64(1e-4)}, {"rtol": 0, "atol": np.float64(1e-4)}, {"rtol": 1}])
def test_tolerances_may_be_numbers_of_any_kind(options: dict[str, Any]) -> None:
    """A tolerance from numpy, or an integer, makes a table that is one."""
    assert _worst(lambda x: np.exp(x), Axis("x", 0.0, 1.0, vectorized=False, **options)) <= 2.0


def test_scalar_functions_are_evaluated_once_at_a_point() -> None:
    """No point is asked for twice, nor one beyond the limits, and the count is that of the calls."""
    calls: list[float] = []

    def function(x: float) -> float:
        calls.append(x)
        return 1.0 + abs(x - 0.3) + math.sin(9.0 * x)

    axis = Axis("x", 0.0, 1.0, atol=1e-6, vectorized=False)
    table = tabulate(function, (axis,), "f")
    assert len(calls) == len(set(calls)) == table["evaluations"]
    assert (min(calls), max(calls)) == (0.0, 1.0)
    points = np.concatenate([table["nodes"][0], table["held_out"][0]])
    assert set(points.tolist()) <= set(calls)


def test_points_held_out_are_no_nodes() -> None:
    """What the error is measured by was not fitted, and is in no polynomial."""
    table = tabulate(lambda x: math.exp(x), (Axis("x", 0.0, 1.0),), "f")
    x, values = table["held_out"]
    assert not np.isin(x, table["nodes"][0]).any()
    assert values.tolist() == [math.exp(each) for each in x.tolist()]
    assert x.size >= 6


def test_the_age_of_the_universe_takes_few_evaluations() -> None:
    """The table this was made for is accurate from the far future to the dark ages, for 150 evaluations at most."""
    radiation = radiation_density(67.66, 2.7255, 3.046)

    def function(z: float) -> float:
        return age(z, 67.66, 0.3111, Or0=radiation)

    axis = Axis("z", -0.995, 499.0, spacing="log1p", values="log", rtol=1e-9)
    made = interpolant_of(function, axis)
    assert made.evaluations <= 150
    z = np.expm1(np.random.default_rng(2).uniform(*axis.coordinate_limits(), 200))
    np.testing.assert_allclose(made(z), [function(each) for each in z.tolist()], rtol=2e-9)


def test_smooth_functions_take_few_evaluations() -> None:
    """What is smooth on the whole axis is not divided, and takes tens of evaluations, not hundreds."""
    axis = Axis("x", 0.0, 1.0, rtol=1e-9, vectorized=False)
    assert tabulate(lambda x: math.exp(x), (axis,), "f")["evaluations"] <= 60


# -- what cannot be met -----------------------------------------------------------------------------------------------

HOPELESS: dict[str, tuple[Callable[..., Any], dict[str, Any], str, str]] = {
    "step": (lambda x: np.where(np.asarray(x) < 0.3, 1.0, 2.0), {}, "jump", "seems to jump or to be singular there"),
    "corner at zero": (lambda x: np.abs(x - 0.3), {}, "zero", "passes zero.*give atol="),
    "root at zero": (lambda x: np.sqrt(x), {}, "zero", "passes zero.*give atol="),
    "noise": (lambda x: 1.0 + 1e-3 * np.sin(1e9 * x), {}, "hard", "allow more with max_points=.*noisy itself"),
    "fast waves": (lambda x: 2.0 + np.sin(1e5 * x), {}, "hard", "allow more with max_points="),
    "step, as logarithm": (lambda x: np.where(np.asarray(x) < 0.3, 1.0, 9.0), {"values": "log"}, "jump", "jump"),
    "few points": (_wiggles, {"max_points": 60}, "hard", "allow more with max_points="),
    "four points": (_wiggles, {"max_points": 4}, "hard", "allow more with max_points="),
    "twenty points": (_wiggles, {"max_points": 20}, "hard", "allow more with max_points="),
}


def _failure(name: str) -> tuple[ToleranceError, int, Axis]:
    function, options, _, _ = HOPELESS[name]
    count = 0

    def counted(x: Any) -> Any:
        nonlocal count
        count += np.size(x)
        return function(x)

    axis = Axis("x", 0.0, 1.0, **options)
    with pytest.raises(ToleranceError) as caught:
        tabulate(counted, (axis,), "model.f")
    return caught.value, count, axis


@pytest.mark.parametrize("name", HOPELESS)
def test_what_cannot_be_met_is_an_error_that_says_so(name: str) -> None:
    """The error names function, axis, place, evaluations and a remedy."""
    error, _, axis = _failure(name)
    _, _, why, remedy = HOPELESS[name]
    assert error.why == why
    assert error.where is not None
    low, high = error.where
    assert axis.low <= low < high <= axis.high
    reached = "not known yet" if math.isinf(error.error) else f"{error.error:.1e} of the largest value there"
    message = (
        rf"model\.f\(\) was not interpolated to 1e-06 along x: after {error.evaluations} evaluations the error from"
        rf" {low!r} to {high!r} is {reached}; .*{remedy}"
    )
    with pytest.raises(ToleranceError, match=message):
        raise error
    assert (error.label, error.axis, error.asked) == ("model.f", "x", 1e-6)
    assert error.error > 0.0


@pytest.mark.parametrize("name", HOPELESS)
def test_giving_up_keeps_within_the_points_allowed(name: str) -> None:
    """No more points are evaluated than the axis allows, but for checks of vectorised calls."""
    error, count, axis = _failure(name)
    assert error.evaluations <= axis.max_points
    assert count <= _CHECKS * axis.max_points


@pytest.mark.parametrize("name", ["step", "corner at zero"])
def test_the_place_is_where_the_trouble_is(name: str) -> None:
    """The part of the axis in the error is at the jump, and narrow."""
    error, _, _ = _failure(name)
    assert error.where is not None
    low, high = error.where
    assert abs(low - 0.3) < 1e-6
    assert high - low < 1e-6


def test_the_error_survives_copies() -> None:
    """Through pickle and copy it keeps message and attributes."""
    error, _, _ = _failure("step")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is ToleranceError
        assert str(other) == str(error)
        assert vars(other) == vars(error)


def test_a_jump_ends_early() -> None:
    """A jump is given up when nothing can be narrower, long before the points are used up."""
    error, _, axis = _failure("step")
    assert error.evaluations < axis.max_points / 2


def test_an_absolute_tolerance_is_the_remedy_at_a_zero() -> None:
    """What the error advises helps."""
    for name in ("corner at zero", "root at zero"):
        function, _, _, _ = HOPELESS[name]
        assert _worst(function, Axis("x", 0.0, 1.0, atol=1e-6)) <= 2.0


def test_noise_far_below_the_values_is_still_noise() -> None:
    """A tolerance below what the function itself can give is an error, however small the noise."""
    noise = HOPELESS["noise"][0]
    with pytest.raises(ToleranceError, match="noisy itself"):
        tabulate(lambda x: 2.0 + 1e-7 * noise(x), (Axis("x", 0.0, 1.0, rtol=1e-12),), "f")


# -- in coordinates ---------------------------------------------------------------------------------------------------


def _sampled(function: Callable[[Any], Any], **options: Any) -> SampledCurve:
    axis = Axis("x", 0.0, 1.0, **options)
    return sample_curve(lambda t, singly: np.asarray(function(t)), axis.coordinate_limits(), axis, "f")


@pytest.mark.parametrize("name", ["kink", "root", "steep, absolutely", "runge"])
def test_parts_cover_the_axis(name: str) -> None:
    """In order, each begins to the bit where the one before ends, and they agree there with the function."""
    function, _ = MET[name]
    parts = _sampled(function, atol=1e-6).parts
    assert (parts[0].low, parts[-1].high) == (0.0, 1.0)
    for one, following in itertools.pairwise(parts):
        assert one.high == following.low
        ends = one(np.array([1.0])), following(np.array([-1.0]))
        assert ends[0] == ends[1] == function(np.array([one.high]))
    assert sum(2.0**-part.depth for part in parts) == 1.0


# -- noise and rounding -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "rtol"),
    [
        (lambda x: 1.0 + np.sin(x) + 1e-8 * np.sin(1e9 * x), 1e-6),
        (lambda x: float(np.float32(1.0 + np.sin(x))), 1e-5),
    ],
)
def test_noise_far_below_the_tolerance_is_accepted(function: Callable[..., Any], rtol: float) -> None:
    """A quadrature or a float32 that is good enough can be sampled, though its errors fall no further."""
    made = tabulate(lambda x: function(x), (Axis("x", 0.0, 1.0, rtol=rtol),), "f")
    assert made["evaluations"] < 1000


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize(
    "function", [lambda x: np.where(x < 2459000.3, 1.0, 2.0), lambda x: 2.0 + np.sin(3e7 * (x - 2459000.0))]
)
def test_far_from_zero_the_axis_is_not_divided_without_end(function: Callable[..., Any], values: Any) -> None:
    """On an axis of Julian dates neither a jump nor waves that floats cannot follow end otherwise than by an error."""
    axis = Axis("x", 2459000.0, 2459001.0, values=values, max_points=20_000)
    with pytest.raises(ToleranceError):
        tabulate(lambda x: function(x), (axis,), "f")


def test_smooth_functions_of_dates_are_approximated() -> None:
    """Far from zero, too, a smooth function is approximated as closely as floats resolve dates."""
    axis = Axis("x", 2459000.0, 2459001.0, rtol=1e-7)
    assert _worst(lambda x: 2.0 + np.sin(6.0 * (x - 2459000.0)), axis) <= 2.0
