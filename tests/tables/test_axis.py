"""Axes: what makes one, and its coordinate."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis

SQUARES = (np.square, np.sqrt)
SPACINGS = ["linear", "log", "log1p", SQUARES]


def _refused(**options: Any) -> str:
    with pytest.raises(ValueError, match="axis") as caught:
        Axis(**{"name": "x", "low": 1.0, "high": 3.0, **options})
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "not a name"}, "name of an axis is 'not a name'; it must be the name of an argument"),
        ({"name": 5}, "name of an axis is 5; it must be the name of an argument"),
        ({"low": 3.0, "high": 3.0}, "axis 'x' runs from 3.0 to 3.0; low must be less than high"),
        ({"low": 4.0}, "axis 'x' runs from 4.0 to 3.0; low must be less than high"),
        ({"low": math.nan}, "axis 'x' runs from nan to 3.0; low must be less than high, and both finite real numbers"),
        ({"high": math.inf}, "axis 'x' runs from 1.0 to inf; low must be less than high, and both finite"),
        ({"low": "a"}, "axis 'x' runs from 'a' to 3.0; low must be less than high, and both finite real numbers"),
        ({"low": None}, "axis 'x' runs from None to 3.0"),
        ({"high": 3 + 0j}, "axis 'x' runs from 1.0 to (3+0j)"),
        ({"low": True}, "axis 'x' runs from True to 3.0"),
        ({"high": np.True_}, "axis 'x' runs from 1.0 to "),
        ({"high": 10**400}, "both finite real numbers"),
        ({"spacing": "cubic"}, "spacing of axis 'x' is 'cubic'; choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": None}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": [np.log, np.exp]}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": (np.log, "exp")}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": (np.log,)}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"values": "sqrt"}, "values of axis 'x' is 'sqrt'; choose one of 'linear', 'log'"),
        ({"outside": "wrap"}, "outside of axis 'x' is 'wrap'; choose one of 'raise', 'nan', 'clip', 'exact', 'extra"),
        ({"vectorized": 1}, "vectorized of axis 'x' is 1; choose one of None, True, False"),
        ({"vectorized": 0}, "vectorized of axis 'x' is 0; choose one of None, True, False"),
        ({"vectorized": "yes"}, "vectorized of axis 'x' is 'yes'; choose one of None, True, False"),
    ],
)
def test_what_makes_no_axis_is_refused(options: dict[str, Any], message: str) -> None:
    """The error says what was found, and what an axis needs."""
    assert message in _refused(**options)


@pytest.mark.parametrize("found", [-1e-6, math.nan, math.inf, True, False, 1e-14, "1e-6", None, 1j])
def test_a_relative_tolerance_is_a_number_that_doubles_can_meet(found: Any) -> None:
    """Negative, non-finite, boolean or smaller than rounding allows, it is refused with the least that is allowed."""
    message = f"rtol of axis 'x' is {found!r}; it must be 0 or a finite number of at least 1e-13"
    assert message in _refused(rtol=found, atol=1.0)


@pytest.mark.parametrize("found", [-1e-300, math.nan, -math.inf, True, False, "0", None, 10**400])
def test_an_absolute_tolerance_is_a_finite_number(found: Any) -> None:
    """Negative, non-finite or boolean, it is refused."""
    assert f"atol of axis 'x' is {found!r}; it must be 0 or a finite number above it" in _refused(atol=found)


def test_one_tolerance_is_given() -> None:
    """No table is exact, so an axis that asks for it is refused; either tolerance alone is enough."""
    assert "has rtol and atol of 0; no table is exact, so give one of them" in _refused(rtol=0)
    assert Axis("x", 0, 1, rtol=0, atol=1e-300).atol == 1e-300
    assert Axis("x", 0, 1, rtol=1e-13).rtol == 1e-13


@pytest.mark.parametrize("option", ["points", "max_points"])
@pytest.mark.parametrize("found", [3, 0, -5, 12.0, True, "12", 10**6 + 1, np.array([5])])
def test_numbers_of_points_are_integers_in_a_range(option: str, found: Any) -> None:
    """Anything but an integer from 4 to one million is refused with that range."""
    wanted = f"axis 'x' has {option}={found!r}; give a number of nodes, at least 4 and at most 1000000"
    assert wanted in _refused(**{option: found})


def test_only_the_number_of_points_may_be_left_open() -> None:
    """Without points the tolerance decides; without a limit nothing would end."""
    assert Axis("x", 0, 1, points=None).points is None
    assert "has max_points=None" in _refused(max_points=None)
    assert Axis("x", 0, 1, points=4, max_points=10**6).points == 4


@pytest.mark.parametrize(
    "options",
    [
        {"spacing": "log", "low": 0.0},
        {"spacing": "log", "low": -1.0},
        {"spacing": "log1p", "low": -1.0},
        {"spacing": (np.negative, np.negative)},
        {"spacing": (lambda x: 0 * x, lambda t: t)},
    ],
)
def test_the_limits_have_finite_and_increasing_coordinates(options: dict[str, Any]) -> None:
    """A spacing in which the limits have no coordinates, or the wrong way round, is refused; they are shown."""
    message = _refused(**options)
    assert "spacing: its limits become [" in message
    assert message.endswith("they must be finite and increasing")


@pytest.mark.parametrize(
    "spacing",
    [
        (np.square, np.zeros_like),
        (np.square, lambda u: 2.0),
        (np.square, lambda u: u),
        (np.square, lambda u: np.sqrt(u) * (1 + 1e-6 * np.sin(u))),
        (lambda x: x + 4 * np.sin(4 * x), lambda u: u),
        (np.square, lambda u: np.sqrt(u)[:-1]),
        (np.square, lambda u: np.sqrt(u)[:, None]),
        (lambda x: x[..., :2], lambda u: u),
    ],
)
def test_the_functions_of_a_spacing_are_each_others_inverse(spacing: Any) -> None:
    """Two functions that do not undo each other, for arrays, would lend one place the values of another."""
    assert "an increasing one and its inverse, both for arrays" in _refused(spacing=spacing)


def test_limits_are_far_enough_apart_for_their_nodes() -> None:
    """Where floats are too few for so many different nodes, the error gives the number."""
    message = _refused(high=1.0 + 1e-14, points=100)
    assert "has no 100 different nodes with spacing 'linear'; choose limits further apart or fewer points" in message
    assert "has no 129 different nodes" in _refused(high=1.0 + 1e-14)
    assert Axis("x", 1.0, 1.0 + 1e-14, points=4).points == 4


def test_all_but_the_limits_is_named() -> None:
    """Options are never taken for each other, as they would be by place."""
    with pytest.raises(TypeError):
        Axis("x", 0, 1, "log")  # type: ignore[misc]


def test_a_pickle_of_an_earlier_version_is_refused() -> None:
    """An entry with one is computed again, rather than used without what it lacks."""
    axis, other = Axis("x", 1.0, 2.0), Axis("y", 3.0, 4.0)
    state: Any = axis.__getstate__()
    other.__setstate__(state)
    assert other == axis
    with pytest.raises(ValueError, match="shorter"):
        other.__setstate__(state[:-1])


def test_an_axis_does_not_change() -> None:
    """Once checked, it stays what it is."""
    with pytest.raises(AttributeError):
        Axis("x", 0, 1).low = -1.0  # type: ignore[misc]


@pytest.mark.parametrize("limits", [(1, 3), (np.float32(1), np.float64(3)), (Fraction(1), Fraction(3)), (1.0, 3)])
def test_limits_may_be_real_numbers_of_any_kind(limits: tuple[Any, Any]) -> None:
    """Their coordinates are floats."""
    found = Axis("x", *limits, spacing="log").coordinate_limits()
    assert found == (0.0, pytest.approx(math.log(3.0), rel=1e-15))
    assert [type(each) for each in found] == [float, float]
    assert [type(each) in {int, float} for each in (Axis("x", *limits).low, Axis("x", *limits).high)] == [True, True]


def test_a_limit_with_more_digits_than_a_float_is_the_float_next_to_it() -> None:
    """What is inside is decided by the same numbers everywhere."""
    third = np.longdouble(1) / 3
    assert (Axis("x", third, 3).low, Axis("x", Fraction(1, 3), 3).low) == (float(third), 1 / 3)


PLAIN: dict[str, Any] = {"name": "x", "low": 1.0, "high": 3.0}


@pytest.mark.parametrize(
    "other",
    [
        {"name": "y"},
        {"low": 0.5},
        {"high": 4.0},
        {"spacing": "log"},
        {"spacing": SQUARES},
        {"values": "log"},
        {"rtol": 1e-5},
        {"atol": 1e-9},
        {"points": 12},
        {"vectorized": True},
        {"vectorized": False},
    ],
)
def test_the_definition_changes_with_what_decides_the_table(other: dict[str, Any]) -> None:
    """Two axes whose tables differ have different definitions."""
    assert Axis(**{**PLAIN, **other}).definition() != Axis(**PLAIN).definition()


@pytest.mark.parametrize("other", [{"outside": "nan"}, {"outside": "exact"}, {"max_points": 50}])
def test_the_definition_does_not_change_with_the_rest(other: dict[str, Any]) -> None:
    """What happens outside, and how much work is allowed, make no other table."""
    assert Axis(**PLAIN, **other).definition() == Axis(**PLAIN).definition()


def test_a_given_number_of_points_stands_for_the_tolerance() -> None:
    """With points= the tolerance decides nothing, and is not in the definition."""
    assert Axis(**PLAIN, points=9, rtol=1e-3).definition() == Axis(**PLAIN, points=9).definition()
    assert Axis(**PLAIN, points=9).definition() != Axis(**PLAIN, points=10).definition()


@pytest.mark.parametrize("spacing", SPACINGS)
@given(low=st.floats(0.01, 1e3), width=st.floats(1e-3, 1e6), share=st.lists(st.floats(0, 1), min_size=1, max_size=9))
@settings(max_examples=50, deadline=None)
def test_coordinates_lead_back_into_the_limits(spacing: Any, low: float, width: float, share: list[float]) -> None:
    """The limits come back to the last bit, and nothing from between them, or beyond, lies outside."""
    axis = Axis("x", low, low + width, spacing=spacing)
    start, end = axis.coordinate_limits()
    assert axis.backward(np.array([start, end])).tolist() == [axis.low, axis.high]
    t = start + (end - start) * np.array(share)
    x = axis.backward(t)
    assert np.all((axis.low <= x) & (x <= axis.high))
    np.testing.assert_allclose(axis.forward(x), t, rtol=1e-8, atol=1e-8 * (end - start))
    beyond = axis.backward(np.array([np.nextafter(start, -np.inf), np.nextafter(end, np.inf)]))
    assert beyond.tolist() == [axis.low, axis.high]


@pytest.mark.parametrize("spacing", SPACINGS)
@given(x=st.floats(0.01, 1e3))
@settings(max_examples=50, deadline=None)
def test_a_number_has_the_coordinate_that_it_has_in_an_array(spacing: Any, x: float) -> None:
    """Both ways of getting a coordinate agree to rounding; of a linear axis the coordinate is the argument."""
    axis = Axis("x", 0.01, 1e3, spacing=spacing)
    scalar = axis.scalar_forward()
    assert (scalar is None) == (spacing == "linear")
    found = x if scalar is None else scalar(x)
    assert type(found) is float
    assert found == pytest.approx(float(axis.forward(np.array([x]))[0]), rel=1e-14, abs=1e-14)


def test_a_coordinate_is_that_of_the_pair() -> None:
    """A pair of functions is the coordinate and the way back."""
    axis = Axis("x", 0.0, 3.0, spacing=SQUARES)
    assert axis.coordinate_limits() == (0.0, 9.0)
    assert axis.forward([1.0, 2.0]).tolist() == [1.0, 4.0]
    assert axis.backward(np.array([4.0])).tolist() == [2.0]


def test_an_axis_can_be_too_narrow() -> None:
    """An axis whose limits are all but equal says so."""
    with pytest.raises(ValueError, match=r"axis 'x' from 0\.0 to 1e-310 is too narrow; choose a larger unit"):
        Axis("x", 0.0, 1e-310)
