"""The inverse of an interpolant, on the whole axis or on a branch, and the errors of its roots."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis, OutsideAxisError, OutsideValuesError, TableError
from tests.tables.interpolants import SPACINGS, interpolant_of

RISING: dict[str, Callable[[Any], Any]] = {
    "exponential": lambda x: np.exp(x / 3) + 0.1 * np.sin(x),
    "kink": lambda x: np.where(x < 2.0, x, 2 * x - 2.0),
    "kinks": lambda x: 1 + np.abs(x - 1.7) + 6 * x + np.abs(x - 3.3),
    "step": lambda x: np.tanh(3 * (x - 2)) + 2 + x / 100,
    "fast": lambda x: x**6,
}


def curve(function: Callable[..., Any], **options: Any) -> Any:
    return interpolant_of(function, Axis("x", **{"low": 0.5, "high": 5.0, "rtol": 1e-8, **options}))


def assert_undone(f: Any, y: Any, branch: tuple[float, float] | None = None) -> None:
    """f(f.inverse(y)) is y, but for the rounding of the argument and of the polynomials."""
    x = f.inverse(y, branch)
    rounding = np.spacing(np.abs(y)) + np.abs(f.derivative(x)) * np.spacing(np.abs(x))
    scale = np.finfo(float).eps * np.max(np.abs(f.values))
    assert np.all(np.abs(f(x) - y) <= 8 * rounding + 16 * scale)


# -- inverse ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("name", RISING)
def test_the_inverse_undoes_the_interpolant(name: str, spacing: Any, values: Any, falling: bool) -> None:
    """f(f.inverse(y)) is y to rounding, rising or falling, over kinks too, in every spacing and values' logarithm."""
    f = curve(lambda x: 1 / RISING[name](x) if falling else RISING[name](x), spacing=spacing, values=values)
    low, high = sorted(f([0.5, 5.0]))
    random = np.random.default_rng(4)
    assert_undone(f, np.concatenate([np.linspace(low, high, 201), np.exp(random.uniform(*np.log([low, high]), 200))]))
    x = random.uniform(0.5, 5.0, 200)
    assert_undone(f, np.clip(f(x), low, high))
    np.testing.assert_allclose(f.inverse(f(x)), x, rtol=1e-9)


def test_the_inverse_is_that_of_the_function() -> None:
    """Of an exponential it is the logarithm, within the tolerance."""
    y = np.geomspace(math.exp(0.5), math.exp(5.0), 50)
    found = curve(lambda x: np.exp(x)).inverse(y)
    np.testing.assert_allclose(found, np.log(y), rtol=1e-7)
    assert np.all(np.diff(found) > 0)


def test_a_flat_place_is_no_turn() -> None:
    """A function that stands still at one place only still has an inverse."""
    cubic = curve(lambda x: (x - 2.0) ** 3 + 5.0)
    assert_undone(cubic, np.linspace(*cubic([0.5, 5.0]), 400))
    assert cubic.inverse(5.0) == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize("ratio", [10.0, 50.0, math.inf])
def test_steep_kinks_are_no_turns(ratio: float) -> None:
    """A function that rises throughout has an inverse, however much its slope changes at a kink."""
    before, after = (1.0, ratio) if math.isfinite(ratio) else (0.0, 1.0)
    for kink in np.linspace(1.2, 4.3, 12).tolist():
        f = curve(lambda x, at=kink: 9.0 + np.where(x < at, before, after) * (x - at), rtol=1e-6)
        assert_undone(f, np.linspace(*f([0.5, 5.0]), 50))


@given(
    st.lists(st.floats(0.01, 5.0), min_size=2, max_size=5),
    st.lists(st.floats(0.0, 3.0), min_size=5, max_size=5),
    st.sampled_from(SPACINGS),
    st.sampled_from(["linear", "log"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_monotonic_function_has_an_inverse(
    slopes: list[float], bends: list[float], spacing: Any, values: Any, falling: bool
) -> None:
    """Sums of rising functions, with a mild kink, are undone to rounding, and so are their reciprocals."""

    def function(x: float) -> float:
        total = 1.0 + sum(slope * x**power for power, slope in enumerate(slopes, 1))
        total += bends[0] * math.tanh(bends[1] * (x - 2.0)) + min(bends[2], slopes[0]) * max(x - 3.0, 0.0) + bends[0]
        total += bends[3] * math.sqrt(x) + bends[4] * math.log1p(x)
        return 1.0 / total if falling else total

    f = curve(function, spacing=spacing, values=values, rtol=1e-6)
    assert_undone(f, np.linspace(*sorted(f([0.5, 5.0])), 50))


def test_the_inverse_has_the_shape_of_the_values() -> None:
    """Numbers give floats, arrays and lists arrays of their shape, and NaN gives NaN."""
    f = curve(lambda x: x**2)
    assert type(f.inverse(4)) is float
    assert f.inverse(4) == pytest.approx(2.0)
    assert math.isnan(f.inverse(math.nan))
    y = np.array([[1.0, 4.0], [math.nan, 9.0], [16.0, 25.0]])
    found = f.inverse(y)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found, np.sqrt(y), rtol=1e-8)
    assert f.inverse(np.array(4.0)).shape == ()
    assert type(f.inverse(np.array(4.0))) is np.ndarray
    assert f.inverse([4.0]).shape == (1,)
    assert f.inverse([]).shape == (0,)


@pytest.mark.parametrize("function", [np.square, lambda x: 1 / x])
@pytest.mark.parametrize("values", ["linear", "log"])
def test_values_at_the_ends_give_the_limits(function: Callable[[Any], Any], values: Any) -> None:
    """The values at the limits, and those beyond them by less than the tolerance, give the limits."""
    f = curve(lambda x: function(x), values=values, rtol=1e-6)
    ends = f([0.5, 5.0])
    np.testing.assert_allclose(f.inverse(ends), [0.5, 5.0], rtol=1e-15)
    outwards = ends * np.where(ends == ends.max(), 1 + 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(f.inverse(outwards), [0.5, 5.0], rtol=1e-15)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("outside", ["raise", "exact", "extrapolate"])
@pytest.mark.parametrize("beyond", [0.2, 26.0, -1.0, 0.0, math.inf, -math.inf])
def test_values_that_are_not_taken_are_refused(beyond: float, outside: Any, values: Any) -> None:
    """The error names the function, the value and the range of values, and it can be pickled."""
    f = curve(lambda x: x**2, outside=outside, values=values)
    with pytest.raises(OutsideValuesError, match=re.escape(f"f() does not take the value {beyond!r}")) as caught:
        f.inverse([4.0, beyond])
    error = caught.value
    assert (error.axis, error.value) == ("f", beyond)
    assert (error.low, error.high) == pytest.approx((0.25, 25.0))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is OutsideValuesError
    assert (str(copy), copy.args) == (str(error), error.args)
    assert isinstance(error, OutsideAxisError)


@pytest.mark.parametrize("values", ["linear", "log"])
def test_values_that_are_not_taken_may_be_nan_or_clipped(values: Any) -> None:
    """With outside='nan' they have no argument, and with 'clip' that of the limit on their side."""
    y = [-1.0, 0.0, 0.2, 4.0, 26.0, math.inf, math.nan]
    absent = curve(lambda x: x**2, outside="nan", values=values).inverse(y)
    assert np.isnan(absent).tolist() == [True, True, True, False, True, True, True]
    assert absent[3] == pytest.approx(2.0)
    rising = curve(lambda x: x**2, outside="clip", values=values).inverse(y)
    np.testing.assert_allclose(rising, [0.5, 0.5, 0.5, 2.0, 5.0, 5.0, math.nan], rtol=1e-8)
    falling = curve(lambda x: 1 / x, outside="clip", values=values).inverse(y)
    np.testing.assert_allclose(falling, [5.0, 5.0, 5.0, 0.5, 0.5, 0.5, math.nan])


@pytest.mark.parametrize("values", ["linear", "log"])
def test_tables_of_given_points_have_inverses(values: Any) -> None:
    """Their splines are undone to rounding, and values within their measured error of the end give the limit."""
    f = curve(lambda x: np.exp(x), points=20, values=values)
    low, high = f([0.5, 5.0])
    assert_undone(f, np.linspace(low, high, 100))
    assert f.error > 0.0
    assert f.inverse(high * (1 + 0.1 * f.error)) == 5.0
    with pytest.raises(OutsideValuesError):
        f.inverse(high * 1.5)


# -- branches ---------------------------------------------------------------------------------------------------------


def parabola(x: Any) -> Any:
    return 1.0 + (x - 2.0) ** 2


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(("branch", "sign"), [((0.5, 2.0), -1.0), ((2.0, 5.0), 1.0), ((0.6, 1.9), -1.0), ((3, 4), 1.0)])
def test_a_branch_has_an_inverse(branch: tuple[float, float], sign: float, spacing: Any) -> None:
    """On a range in which it only rises, or falls, a function that turns elsewhere has an inverse."""
    f = curve(parabola, spacing=spacing, rtol=1e-9)
    y = np.linspace(*sorted(f(list(branch))), 50)
    found = f.inverse(y, branch=branch)
    np.testing.assert_allclose(found, 2.0 + sign * np.sqrt(np.maximum(y - 1.0, 0.0)), atol=1e-4)
    np.testing.assert_allclose(f(found), y, rtol=1e-12)
    assert np.all((found >= branch[0]) & (found <= branch[1]))
    for beyond in (y[0] - 0.01, y[-1] + 0.01):
        with pytest.raises(OutsideValuesError, match="choose another branch"):
            f.inverse(beyond, branch=branch)


def test_a_branch_may_end_where_pieces_meet() -> None:
    """A range whose limits are those of pieces has an inverse up to both of them."""
    f = curve(lambda x: 1.0 + np.abs(x - 0.5), low=0.0, high=1.0)
    assert f.pieces == 2
    assert f.inverse([1.0, 1.25, 1.5], branch=(0.0, 0.5)).tolist() == pytest.approx([0.5, 0.25, 0.0])
    assert f.inverse([1.0, 1.25, 1.5], branch=(0.5, 1.0)).tolist() == pytest.approx([0.5, 0.75, 1.0])


@pytest.mark.parametrize("turn", [0.9, 2.0, 2.71, 4.9])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_error_suggests_a_branch_that_works(turn: float, spacing: Any, sign: float) -> None:
    """What it suggests is a range in which the function has an inverse."""
    f = curve(lambda x: 30.0 + sign * (x - turn) ** 2, spacing=spacing)
    with pytest.raises(TableError, match=r"f\(\) has no inverse between x = 0\.5 and 5\.0: it turns near") as caught:
        f.inverse(30.0)
    low, high = _suggested(str(caught.value))
    assert_undone(f, np.linspace(*sorted(f([low, high])), 20), (low, high))


def _suggested(message: str) -> tuple[float, float]:
    found = re.search(r"branch=\((\S+), (\S+)\)", message)
    assert found
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("turn", [0.9, 2.0, 2.71])
@pytest.mark.parametrize("width", [1.0, 0.1])
def test_the_error_says_where_it_turns(turn: float, width: float) -> None:
    """A function that falls and then rises, of many pieces, turns at its minimum."""
    f = curve(lambda x: 3.0 - 2.0 / (1.0 + ((x - turn) / width) ** 2))
    with pytest.raises(TableError, match="it turns near x = ") as caught:
        f.inverse(2.0)
    assert _suggested(str(caught.value)) == pytest.approx((0.5, turn), abs=1e-3)


def test_the_error_suggests_a_branch_up_to_a_turn_between_two_pieces() -> None:
    """The suggestion works where the function turns where two pieces meet, too."""
    f = curve(lambda x: 1.0 - np.abs(x - 0.5), low=0.0, high=1.0)
    assert f.pieces == 2
    with pytest.raises(TableError, match="it turns near x = ") as caught:
        f.inverse(0.9)
    assert _suggested(str(caught.value)) == (0.0, 0.5)


def test_a_constant_has_no_inverse() -> None:
    """The error says that there is one value only, on the axis or on a branch."""
    with pytest.raises(TableError, match=r"f\(\) has no inverse between x = 0\.5 and 5\.0: it has the same value"):
        curve(lambda x: 3.0).inverse(3.0)


def test_a_constant_branch_has_no_inverse() -> None:
    """A function that is constant but for rounding has no inverse there, and one elsewhere."""
    flat = curve(lambda x: np.maximum(x, 2.75))
    assert flat.inverse(4.0, branch=(3.0, 5.0)) == pytest.approx(4.0)
    with pytest.raises(TableError, match=r"between x = 1\.0 and 1\.5: it has the same value"):
        flat.inverse(2.75, branch=(1.0, 1.5))


@pytest.mark.parametrize("branch", [(1.0,), [1.0, 2.0], 1.0, "ab", (1.0, 2.0, 3.0), ("1", "2"), (1.0, 2j), (None, 2.0)])
def test_a_branch_is_a_pair_of_numbers(branch: Any) -> None:
    """The error says what was found."""
    with pytest.raises(TypeError, match=r"branch is .*; give the limits of x|x is .*; it must be a real number"):
        curve(parabola).inverse(2.0, branch=branch)


@pytest.mark.parametrize("branch", [(2.0, 1.0), (2.0, 2.0), (math.nan, 2.0), (1.0, math.nan)])
def test_a_branch_runs_upwards(branch: tuple[float, float]) -> None:
    """The first limit is the smaller."""
    with pytest.raises(ValueError, match=r"branch runs from .* to .*; its first limit must be the smaller"):
        curve(parabola).inverse(2.0, branch=branch)


@pytest.mark.parametrize(("branch", "bad"), [((0.4, 2.0), "0.4"), ((1.0, 5.1), "5.1"), ((-math.inf, 1.0), "-inf")])
def test_a_branch_lies_on_the_axis(branch: tuple[float, float], bad: str) -> None:
    """A limit beyond the axis is refused, whatever a value there would be."""
    with pytest.raises(OutsideAxisError, match=f"x = {bad} is outside the axis"):
        curve(parabola, outside="clip").inverse(2.0, branch=branch)


@pytest.mark.parametrize(("low", "rtol", "turn"), [(0.0, 1e-3, 0.05), (0.0, 1e-6, 0.01)])
def test_small_turns_are_turns(low: float, rtol: float, turn: float) -> None:
    """A function that turns by more than the table may err has no inverse, however little that is."""
    f = curve(lambda x: 1.0 + (x - turn) ** 2, low=low, high=1.0, rtol=rtol)
    with pytest.raises(TableError, match=r"it turns near x = 0\.0[15]|it turns near x = 0\.0[04]9"):
        f.inverse(1.0)
    y = f(np.linspace(turn, 1.0, 50))
    np.testing.assert_allclose(f(f.inverse(y, (turn, 1.0))), y, rtol=1e-15)


def test_a_turn_that_the_error_may_have_made_is_undone_all_the_same() -> None:
    """Where the interpolant turns by less than its error, every value is found, and gives itself again."""
    f = curve(lambda x: 1.0 + (x - 0.05) ** 2, low=0.0, high=1.0, rtol=2e-2)
    x = np.linspace(0.0, 1.0, 101)
    np.testing.assert_allclose(f(f.inverse(f(x))), f(x), rtol=1e-15)


# -- roots ------------------------------------------------------------------------------------------------------------


def test_roots_of_values_in_logarithm() -> None:
    """A value is compared with the function, not with its logarithm; what is not positive is never taken."""
    f = curve(lambda x: np.exp(np.sin(2 * x)), values="log")
    np.testing.assert_allclose(f.roots(1.0), np.arange(1, 4) * math.pi / 2, rtol=1e-7)
    assert f.roots().shape == f.roots(-1.0).shape == (0,)


def test_infinity_is_not_taken() -> None:
    """No function has an infinite value."""
    f = curve(lambda x: np.sin(5 * x), atol=1e-9)
    for value in (math.inf, -math.inf, math.nan):
        assert f.roots(value).shape == (0,)


@pytest.mark.parametrize("value", ["0", 1j, None])
def test_only_real_values_are_sought(value: Any) -> None:
    """The error says what was given."""
    with pytest.raises(TypeError, match=r"value is .*; it must be a real number"):
        curve(parabola).roots(value)


def test_roots_are_asked_for_one_value_at_a_time() -> None:
    """The error says so."""
    f = curve(lambda x: np.sin(x), low=0.0, high=1.0, atol=1e-9)
    with pytest.raises(TypeError, match=r"value is \[0\.1, 0\.2\]; roots\(\) takes one number at a time"):
        f.roots([0.1, 0.2])  # type: ignore[arg-type]
