"""Functions sampled along axes, and their interpolants."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline, RectBivariateSpline

from stored import Axis, OutsideAxisError, TableError
from stored._axes import CurveInterpolant, Interpolant, SurfaceInterpolant, check_table, sample
from stored.errors import DamagedEntryError

MODES = ("raise", "nan", "clip", "exact", "extrapolate")
SQUARES = (np.square, np.sqrt)


def curve(function: Callable[..., Any], **options: Any) -> Interpolant:
    axis = Axis("x", **{"low": 1.0, "high": 3.0, "points": 12, **options})
    return CurveInterpolant((axis,), sample(function, (axis,), "curve"))


def surface(function: Callable[..., Any], outside: tuple[str, str] = ("raise", "raise"), **options: Any) -> Interpolant:
    x = Axis("x", 1.0, 3.0, points=9, outside=outside[0], **options)  # type: ignore[arg-type]
    y = Axis("y", -1.0, 2.0, points=11, outside=outside[1])  # type: ignore[arg-type]
    return SurfaceInterpolant((x, y), sample(function, (x, y), "surface"))


def cube(x: Any) -> Any:
    return x**3 - x


def bicubic(x: Any, y: Any) -> Any:
    return (x**3 - 2 * x) * (y**3 + y**2 + 1)


# -- the axis ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "not a name"}, "an axis is named after an argument, and 'not a name' cannot be one"),
        ({"name": 5}, "an axis is named after an argument, and 5 cannot be one"),
        ({"low": 3.0, "high": 3.0}, "axis 'x' runs from 3.0 to 3.0; low must be less than high"),
        ({"low": math.nan}, "low must be less than high"),
        ({"high": math.inf}, "low must be less than high"),
        ({"low": "a"}, "axis 'x' runs from 'a' to 3.0; low must be less than high, and both finite real numbers"),
        ({"low": None}, "axis 'x' runs from None to 3.0"),
        ({"high": 3 + 0j}, "axis 'x' runs from 1.0 to (3+0j)"),
        ({"low": True}, "axis 'x' runs from True to 3.0"),
        ({"high": np.True_}, "axis 'x' runs from 1.0 to "),
        ({"high": 10**400}, "both finite real numbers"),
        ({"points": 10**12}, "axis 'x' has points=1000000000000; give the number of nodes, at least 4 and at most 100"),
        ({"points": None}, "axis 'x' has points=None; give the number of nodes, at least 4"),
        ({"points": 3}, "axis 'x' has points=3; give the number of nodes, at least 4"),
        ({"points": 12.0}, "axis 'x' has points=12.0; give the number of nodes, at least 4"),
        ({"spacing": "cubic"}, "spacing of axis 'x' is 'cubic'; choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": [np.log, np.exp]}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": (np.log, "exp")}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"spacing": (np.log,)}, "choose 'linear', 'log', 'log1p' or a pair"),
        ({"values": "sqrt"}, "values of axis 'x' is 'sqrt'; choose one of 'linear', 'log'"),
        ({"outside": "wrap"}, "outside of axis 'x' is 'wrap'; choose one of 'raise', 'nan', 'clip', 'exact', 'extra"),
        ({"spacing": "log", "low": 0.0}, "has no 'log' spacing: its limits become [-inf, "),
        ({"spacing": "log", "low": -1.0}, "they must be finite and increasing"),
        ({"spacing": "log1p", "low": -1.0}, "has no 'log1p' spacing"),
        ({"spacing": (np.negative, np.negative)}, "they must be finite and increasing"),
        ({"spacing": (np.square, np.zeros_like)}, "an increasing one and its inverse, both for arrays"),
        ({"spacing": (np.square, lambda u: 2.0)}, "an increasing one and its inverse, both for arrays"),
        ({"low": 1.0, "high": 1.0 + 1e-15}, "has no 12 different nodes with spacing 'linear'; choose fewer points"),
    ],
)
def test_what_makes_no_axis_is_refused(options: dict[str, Any], message: str) -> None:
    """The error says what was found, and what an axis needs."""
    with pytest.raises(ValueError, match="axis") as caught:
        Axis(**{"name": "x", "low": 1.0, "high": 3.0, "points": 12, **options})
    assert message in str(caught.value)


def test_a_spacing_that_turns_back_is_refused() -> None:
    """A coordinate that is not monotonic between the limits would lend one place the values of another."""
    with pytest.raises(ValueError, match="an increasing one and its inverse"):
        Axis("x", 0.0, 8.0, spacing=(lambda x: x + 4 * np.sin(2 * x), lambda u: u), points=50)


@pytest.mark.parametrize("spacing", ["linear", "log", "log1p", SQUARES])
@given(low=st.floats(0.01, 1e3), width=st.floats(1e-3, 1e6), points=st.integers(4, 50))
@settings(max_examples=50, deadline=None)
def test_nodes_run_from_limit_to_limit(spacing: Any, low: float, width: float, points: int) -> None:
    """The nodes increase, the limits are nodes to the last bit, and none lies beyond them."""
    axis = Axis("x", low, low + width, spacing=spacing, points=points)
    nodes = axis.nodes()
    assert nodes.size == points
    assert (nodes[0], nodes[-1]) == (axis.low, axis.high)
    assert np.all(np.diff(nodes) > 0)
    steps = np.diff(axis.forward(nodes))
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)


def test_limits_may_be_integers() -> None:
    """An axis from 1 to 3 samples floats."""
    seen = []

    def function(x: float) -> float:
        seen.append(type(x))
        return x

    assert curve(function, low=1, high=3)(2) == pytest.approx(2.0)
    assert set(seen) == {float}


def test_the_definition_is_what_decides_the_table() -> None:
    """It changes with limits, spacing, values and points, and not with what happens outside."""
    plain = {"name": "x", "low": 1.0, "high": 3.0, "points": 12}
    definition = Axis(**plain).definition()
    assert Axis(**plain, outside="nan", vectorized=True).definition() == definition
    for other in ({"low": 0.5}, {"high": 4.0}, {"spacing": "log"}, {"values": "log"}, {"points": 13}, {"name": "y"}):
        assert Axis(**{**plain, **other}).definition() != definition


# -- sampling ---------------------------------------------------------------------------------------------------------


def test_a_function_is_called_once_for_each_node_with_floats() -> None:
    """Without vectorized=True the function gets one Python float at a time, by name."""
    calls = []

    def function(x: float, y: float) -> float:
        calls.append((x, y))
        return x + y

    surface(function)
    assert len(calls) == len(set(calls)) == 9 * 11
    assert {type(each) for call in calls for each in call} == {float}


def test_a_vectorized_function_is_called_once() -> None:
    """With vectorized=True the function gets all nodes at once, and gives the table that single calls give."""
    calls = []

    def function(x: Any) -> Any:
        calls.append(np.shape(x))
        result = cube(x)
        x[...] = 0  # the nodes are not its to change, and not reached by this
        return result

    made = curve(function, vectorized=True)
    assert calls == [(12,)]
    assert np.array_equal(made.values, curve(cube).values)
    assert np.array_equal(made.nodes[0], made.axes[0].nodes())


def test_two_vectorized_axes_get_a_grid() -> None:
    """The function of two arguments gets two arrays of the shape of the table."""
    x = Axis("x", 1.0, 3.0, points=5, vectorized=True)
    y = Axis("y", 0.0, 1.0, points=7, vectorized=True)
    table = sample(bicubic, (x, y), "bicubic")
    assert table["values"].shape == (5, 7)
    assert table["values"][2, 3] == bicubic(x.nodes()[2], y.nodes()[3])


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (lambda x: 1.0, r"shape \(\) of dtype float64"),
        (lambda x: x[:-1], r"shape \(11,\) of dtype float64"),
        (lambda x: x * 1j, r"shape \(12,\) of dtype complex128"),
        (lambda x: x.astype(str), r"shape \(12,\) of dtype <U32"),
        (lambda x: None, r"shape \(\) of dtype object"),
    ],
)
def test_a_function_that_is_not_vectorized_after_all(function: Any, shown: str) -> None:
    """The error gives the shape asked for and what was returned instead, and says what to leave out."""
    with pytest.raises(TableError, match=rf"arrays of shape \(12,\),.* returned {shown};.*leave vectorized out"):
        curve(function, vectorized=True)


@pytest.mark.parametrize(
    "value", ["1.5", b"1.5", None, 1j, np.complex128(1.5), np.array([1.5]), [1.5], np.array(["a"]), object()]
)
def test_a_function_must_return_one_real_number(value: Any) -> None:
    """Text, arrays of one item and complex numbers are refused rather than made into some number."""
    with pytest.raises(TableError, match=r"curve\(\) returned .* of type .*; .* must return one real number"):
        curve(lambda x: value)


@pytest.mark.parametrize("value", [2, True, np.float32(2), np.int8(2), np.array(2.0), Fraction(3, 2)])
def test_any_real_number_will_do(value: Any) -> None:
    """Whatever converts to a float without loss of its nature is a value."""
    assert curve(lambda x: value)(2.0) == pytest.approx(float(value))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("vectorized", [None, True])
def test_samples_must_be_finite(bad: float, vectorized: bool | None) -> None:
    """The error names the function, the place and the value."""
    with pytest.raises(TableError, match=rf"curve\(\) is {bad} at x = 3\.0; every sampled value must be finite"):
        curve(lambda x: x + np.where(x == 3.0, bad, 0.0), vectorized=vectorized)
    with pytest.raises(TableError, match=rf"surface\(\) is {bad} at x = 3\.0, y = -1\.0; every"):
        surface(lambda x, y: bad if x == 3.0 else 1.0)


def test_an_exception_of_the_function_is_its_own() -> None:
    """What the function raises reaches the caller."""
    with pytest.raises(ZeroDivisionError):
        curve(lambda x: 1 / (x - 1.0))


# -- interpolants -----------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4), st.integers(4, 25))
@settings(max_examples=60, deadline=None)
def test_cubics_are_met_exactly(coefficients: list[float], points: int) -> None:
    """A cubic in the axis's coordinate is reproduced to rounding, beyond the limits too."""
    made = curve(lambda x: np.polyval(coefficients, x), points=points, outside="extrapolate", vectorized=True)
    at = np.linspace(0.0, 4.0, 37)
    np.testing.assert_allclose(made(at), np.polyval(coefficients, at), rtol=1e-9, atol=1e-7)


def test_a_curve_is_the_not_a_knot_spline() -> None:
    """The interpolant is the cubic spline that scipy calls not-a-knot."""
    made = curve(lambda x: math.sin(x))
    at = np.linspace(1.0, 3.0, 50)
    np.testing.assert_allclose(made(at), CubicSpline(made.nodes[0], made.values)(at), rtol=1e-13)


def test_a_surface_is_scipys_within_its_limits() -> None:
    """The interpolant is the bicubic spline that RectBivariateSpline makes of the same nodes."""
    made = surface(lambda x, y: math.sin(x * y))
    x, y = np.meshgrid(np.linspace(1, 3, 13), np.linspace(-1, 2, 17))
    np.testing.assert_allclose(made(x, y), RectBivariateSpline(*made.nodes, made.values).ev(x, y), atol=1e-13)


@pytest.mark.parametrize("spacing", ["linear", "log", "log1p", SQUARES])
def test_the_spline_lives_in_the_coordinate(spacing: Any) -> None:
    """A function that is cubic in the coordinate is met to rounding, whatever the spacing."""
    axis = Axis("x", 1.0, 3.0, spacing=spacing, points=8)
    made = CurveInterpolant((axis,), sample(lambda x: float(cube(axis.forward(x))), (axis,), "f"))
    at = np.linspace(1.0, 3.0, 40)
    np.testing.assert_allclose(made(at), cube(axis.forward(at)), rtol=1e-11, atol=1e-12)


def test_values_in_logarithm() -> None:
    """With values='log' the exponential of a cubic is met to rounding, and stays positive."""
    made = curve(lambda x: math.exp(-10 * cube(x)), values="log", points=8, outside="extrapolate")
    at = np.linspace(0.8, 3.2, 40)
    np.testing.assert_allclose(made(at), np.exp(-10 * cube(at)), rtol=1e-9)
    both = surface(lambda x, y: math.exp(bicubic(x, y) / 10), values="log")
    assert both(2.2, 0.3) == pytest.approx(math.exp(bicubic(2.2, 0.3) / 10), rel=1e-12)


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_values_in_logarithm_must_be_positive(bad: float) -> None:
    """The error says what value stands where, and why it must be positive."""
    with pytest.raises(TableError, match=rf"is {bad} at x = 3\.0; .* must be positive, because values='log'"):
        curve(lambda x: bad if x == 3.0 else 1.0, values="log")


@pytest.mark.parametrize("options", [{}, {"spacing": "log"}, {"spacing": SQUARES}, {"values": "log"}])
def test_what_goes_in_comes_out(options: dict[str, Any]) -> None:
    """Numbers give Python floats; arrays and lists give arrays of their shape; the input may be read-only."""
    made = curve(lambda x: 6.0, **options)
    for number in (2.0, 2, True + 1, np.float64(2.0), np.float32(2.0), np.int64(2)):
        found = made(number)
        assert type(found) is float
        assert found == pytest.approx(6.0)
    fixed = np.full((2, 3), 2.0)
    fixed.flags.writeable = False
    for values in ([2.0, 2], (2,), np.array(2.0), np.array([2]), fixed, fixed.T, np.full((2, 1, 2), 2, np.int8), []):
        found = made(values)
        assert type(found) is np.ndarray
        assert found.dtype == np.float64
        assert found.shape == np.shape(values)
        np.testing.assert_allclose(found, 6.0)
        found[...] = 0.0  # the caller's own


def test_surfaces_broadcast() -> None:
    """Two numbers give a float, and arrays are broadcast against each other."""
    made = surface(bicubic)
    assert type(made(2, 0.5)) is float
    assert made(2, 0.5) == pytest.approx(bicubic(2, 0.5))
    x, y = np.linspace(1, 3, 4)[:, None], np.linspace(-1, 2, 5)
    np.testing.assert_allclose(made(x, y), bicubic(x, y), atol=1e-11)
    assert made(x, 0.5).shape == (4, 1)
    assert made(np.array(2.0), 0.5).shape == ()
    assert type(made(np.array(2.0), 0.5)) is np.ndarray
    assert made(np.empty((0, 3)), 0.5).shape == (0, 3)
    with pytest.raises(ValueError, match="broadcast"):
        made(np.ones(2), np.ones(3))


@pytest.mark.parametrize("outside", MODES)
def test_the_order_of_points_does_not_matter(outside: Any) -> None:
    """An array gives what its points give one by one, in any order."""
    made = curve(lambda x: math.sin(x), outside=outside)
    at = np.random.default_rng(1).permutation(np.linspace(1.0, 3.0, 23))
    assert made(at).tolist() == pytest.approx([made(each) for each in at.tolist()], rel=1e-15)


@pytest.mark.parametrize("outside", MODES)
@pytest.mark.parametrize("spacing", ["linear", "log", "log1p", SQUARES])
@given(low=st.floats(0.01, 100.0), width=st.floats(0.01, 1e4))
@settings(max_examples=20, deadline=None)
def test_end_points_are_inside(outside: Any, spacing: Any, low: float, width: float) -> None:
    """The limits are inside in every mode, and give the sampled values."""
    made = curve(lambda x: x + 1.0, low=low, high=low + width, outside=outside, spacing=spacing)
    ends = [low, low + width]
    np.testing.assert_allclose(made(ends, exact=_never), np.array(ends) + 1, rtol=1e-12)
    assert [made(each, exact=_never) for each in ends] == pytest.approx([each + 1 for each in ends], rel=1e-12)


def _never(*point: float) -> float:
    raise AssertionError(f"called at {point}")


@pytest.mark.parametrize("outside", MODES)
def test_nan_gives_nan(outside: Any) -> None:
    """NaN is neither inside nor outside: it gives NaN in every mode and calls nothing."""
    made = curve(cube, outside=outside)
    assert type(made(math.nan, exact=_never)) is float
    assert math.isnan(made(math.nan, exact=_never))
    found = made([math.nan, 2.0, math.nan], exact=_never)
    assert np.isnan(found).tolist() == [True, False, True]
    both = surface(bicubic, (outside, outside))
    for point in ((math.nan, 0.0), (2.0, math.nan), (math.nan, math.nan)):
        assert math.isnan(both(*point, exact=_never))


def test_nan_beside_a_value_outside_gives_nan() -> None:
    """Where one coordinate is NaN, the function is not called for the other."""
    assert math.isnan(surface(bicubic, ("exact", "exact"))(math.nan, 50.0, exact=_never))
    assert math.isnan(surface(bicubic, ("clip", "clip"))(math.nan, 50.0))


@pytest.mark.parametrize("beyond", [0.999, 3.001, math.inf, -math.inf])
def test_outside_raises(beyond: float) -> None:
    """The error holds and tells the argument, the value and the limits."""
    with pytest.raises(OutsideAxisError, match=r"x = .* is outside the axis, which runs from 1\.0 to 3\.0") as caught:
        curve(cube)([2.0, beyond, 7.0])
    error = caught.value
    assert (error.axis, error.value, error.low, error.high) == ("x", beyond, 1.0, 3.0)
    with pytest.raises(OutsideAxisError, match=f"y = {beyond * 9!r}"):
        surface(bicubic)(2.0, beyond * 9)


@pytest.mark.parametrize("spacing", ["linear", "log"])
def test_outside_gives_nan(spacing: Any) -> None:
    """With outside='nan' what is beyond is NaN, and the rest is not."""
    found = curve(cube, outside="nan", spacing=spacing)([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, math.inf])
    assert np.isnan(found).tolist() == [True, True, False, False, False, True, True]
    assert math.isnan(curve(cube, outside="nan")(5))


def test_outside_clips() -> None:
    """With outside='clip' what is beyond gives the value at the limit, infinities of both signs included."""
    made = curve(cube, outside="clip", spacing="log")
    np.testing.assert_allclose(made([-5.0, 0.0, 9.0, math.inf, -math.inf]), [0.0, 0.0, 24.0, 24.0, 0.0], atol=1e-13)
    both = surface(bicubic, ("clip", "clip"))
    assert both(math.inf, -math.inf) == pytest.approx(bicubic(3.0, -1.0))
    assert both(0.0, 5.0) == pytest.approx(bicubic(1.0, 2.0))


def test_outside_calls_the_function_itself() -> None:
    """With outside='exact' each point beyond is computed once, with floats, and no point inside is."""
    calls = []

    def exact(x: float) -> float:
        calls.append(x)
        return 100 * x

    made = curve(cube, outside="exact")
    np.testing.assert_allclose(made([0.5, 2.0, 4.0], exact=exact), [50.0, 6.0, 400.0])
    assert made(5, exact=exact) == 500.0
    assert type(made(5, exact=exact)) is float
    assert made(np.array(5), exact=exact).shape == ()
    assert calls == [0.5, 4.0, 5.0, 5.0, 5.0]
    assert set(map(type, calls)) == {float}


def test_without_a_function_exact_raises() -> None:
    """An interpolant with outside='exact' that has nothing to call refuses what is beyond."""
    made = curve(cube, outside="exact")
    assert made(2.0) == pytest.approx(6.0)
    with pytest.raises(OutsideAxisError):
        made(4.0)


def test_outside_extrapolates() -> None:
    """With outside='extrapolate' the last pieces are continued, of surfaces too."""
    assert curve(cube, outside="extrapolate")(4.0) == pytest.approx(60.0)
    both = surface(bicubic, ("extrapolate", "extrapolate"))
    for point in ((4.0, 0.0), (0.0, 3.0), (3.5, -1.5)):
        assert both(*point) == pytest.approx(bicubic(*point), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("nan", "exact", "nan"),
        ("exact", "nan", "nan"),
        ("clip", "exact", "exact at the limit"),
        ("extrapolate", "exact", "exact"),
        ("exact", "exact", "exact"),
        ("nan", "clip", "nan"),
        ("clip", "nan", "nan"),
        ("raise", "exact", "raise"),
        ("exact", "raise", "raise"),
        ("clip", "extrapolate", "continued from the limit"),
    ],
)
def test_beyond_both_axes(first: str, second: str, expected: str) -> None:
    """Beyond both axes each is treated in its own way: an error comes first, then NaN, then the function itself."""
    calls = []

    def exact(x: float, y: float) -> float:
        calls.append((x, y))
        return 1000 * x + y

    made = surface(bicubic, (first, second))
    if expected == "raise":
        with pytest.raises(OutsideAxisError):
            made(4.0, 3.0, exact=exact)
        assert not calls
        return
    results = {
        "nan": math.nan,
        "exact": 4003.0,
        "exact at the limit": 3003.0,
        "continued from the limit": bicubic(3.0, 3.0),
    }
    assert made(4.0, 3.0, exact=exact) == pytest.approx(results[expected], rel=1e-9, nan_ok=True)
    assert len(calls) == expected.startswith("exact")


@pytest.mark.parametrize("x", ["2.0", b"2", None, 2j, [2j], [None], {}, np.array(["2"]), np.datetime64(0, "s")])
def test_only_real_coordinates_are_evaluated(x: Any) -> None:
    """The error names the argument and what it was; no text is read and no imaginary part dropped."""
    for made, point in ((curve(cube), (x,)), (surface(bicubic), (x, 0.0))):
        with pytest.raises(TypeError, match=r"x is .*; it must be a real number or an array of them"):
            made(*point)


# -- tables that were stored ------------------------------------------------------------------------------------------

LINE = (Axis("x", 1, 3, "log", points=5),)
PLANE = (Axis("x", 1, 3, points=5), Axis("y", 0.0, 1.0, values="log", points=4))
GOOD_LINE = sample(lambda x: x - 2, LINE, "f")
GOOD_PLANE = sample(lambda x, y: x + y, PLANE, "f")
N, V = GOOD_LINE["nodes"][0], GOOD_LINE["values"]


@pytest.mark.parametrize(("axes", "table"), [(LINE, GOOD_LINE), (PLANE, GOOD_PLANE)])
def test_what_was_sampled_is_a_table(axes: Any, table: Any) -> None:
    """What sample returns passes."""
    check_table(axes, table)


@pytest.mark.parametrize(
    ("axes", "table", "message"),
    [
        *[
            (LINE, each, "no table of nodes and values")
            for each in (None, 1, [N, V], {"foo": 1}, {"nodes": [N]}, {**GOOD_LINE, "more": 1})
        ],
        *[
            (LINE, {"nodes": each, "values": V}, "nodes are not those of the axis x")
            for each in (
                (N,),
                N,
                [],
                [N, N],
                [N.tolist()],
                [N.astype("f4")],
                [N[:-1]],
                [N[:, None]],
                [np.where(N[2] == N, np.nan, N)],
                [N[[0, 2, 1, 3, 4]]],
                [N[[0, 1, 1, 3, 4]]],
                [np.linspace(1.1, 3, 5)],
                [np.linspace(1, 2.9, 5)],
                [np.ma.masked_array(N, N[1] == N)],
            )
        ],
        *[
            (LINE, {"nodes": [N], "values": each}, "values are not one finite number for each node")
            for each in (
                None,
                V.tolist(),
                V[:-1],
                V[None],
                V.astype(int),
                V + 0j,
                V.astype(object),
                V * np.nan,
                V + np.inf,
            )
        ],
        (PLANE, {**GOOD_PLANE, "nodes": GOOD_PLANE["nodes"][::-1]}, "axis x and y"),
        (PLANE, {**GOOD_PLANE, "values": GOOD_PLANE["values"].T.copy()}, "one finite number for each node"),
        (PLANE, {**GOOD_PLANE, "values": GOOD_PLANE["values"] - 1.0}, "its values are not positive"),
    ],
)
def test_what_is_no_table_of_these_axes_is_damaged(axes: Any, table: Any, message: str) -> None:
    """Anything that sample would not have returned for these axes is refused, and the error says why."""
    with pytest.raises(DamagedEntryError, match=message):
        check_table(axes, table)


def test_nodes_must_increase_in_the_coordinate_of_now() -> None:
    """Different nodes that the axis cannot tell from each other make no spline."""
    rounded = Axis("x", 0.0, 4.0, (np.round, np.asarray), points=5)
    with pytest.raises(DamagedEntryError, match="nodes are not those of the axis x"):
        check_table((rounded,), {"nodes": [np.array([0.0, 1.0, 1.2, 3.0, 4.0])], "values": np.ones(5)})
