"""Interpolants: what goes in and comes out, what happens beyond the limits, and how they describe themselves."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis, OutsideAxisError
from stored._tables.curve import CurveInterpolant
from stored._tables.interpolant import Interpolant
from stored._tables.load_table import make_interpolant
from stored._tables.make_table import tabulate

MODES = ("raise", "nan", "clip", "exact", "extrapolate")
ROOTS = (np.sqrt, np.square)
SPACINGS = ["linear", "log", "log1p", ROOTS]


def curve(function: Callable[..., Any], **options: Any) -> CurveInterpolant:
    axes = (Axis("x", **{"low": 1.0, "high": 3.0, "atol": 1e-9, **options}),)
    made = make_interpolant(axes, tabulate(function, axes, "curve"), "curve")
    assert isinstance(made, CurveInterpolant)
    return made


def surface(function: Callable[..., Any], outside: tuple[str, str] = ("raise", "raise"), **options: Any) -> Any:
    x = Axis("x", 1.0, 3.0, atol=1e-9, outside=outside[0], **options)  # type: ignore[arg-type]
    y = Axis("y", -1.0, 2.0, atol=1e-9, outside=outside[1])  # type: ignore[arg-type]
    return make_interpolant((x, y), tabulate(function, (x, y), "surface"), "surface")


def cube(x: Any) -> Any:
    return x**3 - x


def cube_tangent(x: Any) -> Any:
    """`cube` from 1 to 3, and its tangents beyond."""
    return np.where(x < 1.0, 2.0 * (x - 1.0), np.where(x > 3.0, 24.0 + 26.0 * (x - 3.0), cube(x)))


def bicubic(x: Any, y: Any) -> Any:
    return (x**3 - 2 * x) * (y**3 + y**2 + 1)


def bicubic_x(x: Any, y: Any) -> Any:
    return (3 * x**2 - 2) * (y**3 + y**2 + 1)


def bicubic_y(x: Any, y: Any) -> Any:
    return (x**3 - 2 * x) * (3 * y**2 + 2 * y)


def _never(*point: float) -> float:
    raise AssertionError(f"called at {point}")


# -- values -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_quintics_are_met_exactly(coefficients: list[float]) -> None:
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


def test_kinks_and_steep_places_are_met() -> None:
    """A function with a kink, whose cells are divided, is met on both sides and nearly at it, by floats and arrays."""
    made = curve(lambda x: 1 + np.abs(x - 2.2), atol=0.0)
    at = np.concatenate([np.linspace(1, 3, 1000), 2.2 + np.geomspace(1e-12, 0.1, 100), 2.2 - np.geomspace(1e-12, 1, 9)])
    away = np.abs(at - 2.2) > 1e-5
    np.testing.assert_allclose(made(at[away]), 1 + np.abs(at[away] - 2.2), rtol=1e-6)
    np.testing.assert_allclose(made(at), 1 + np.abs(at - 2.2), rtol=1e-5)
    assert [made(x) for x in at.tolist()] == pytest.approx(made(at).tolist(), rel=1e-13)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_polynomials_live_in_the_coordinate(spacing: Any) -> None:
    """A function that is cubic in the coordinate is met to rounding by one piece, whatever the spacing."""
    axis = Axis("x", 1.0, 3.0, spacing=spacing)
    made = curve(lambda x: 5.0 + cube(axis.forward(x)), spacing=spacing)
    at = np.linspace(1.0, 3.0, 40)
    np.testing.assert_allclose(made(at), 5.0 + cube(axis.forward(at)), rtol=1e-13)
    assert made.pieces == 1


def test_values_in_logarithm() -> None:
    """With values='log' the exponential of a cubic is met to rounding over many decades, and stays positive."""
    made = curve(lambda x: np.exp(-10 * cube(x)), values="log", atol=0.0)
    at = np.linspace(1.0, 3.0, 40)
    np.testing.assert_allclose(made(at), np.exp(-10 * cube(at)), rtol=1e-11)
    assert made(2.2) == pytest.approx(math.exp(-10 * cube(2.2)), rel=1e-11)
    both = surface(lambda x, y: np.exp(bicubic(x, y) / 10), values="log")
    assert both(2.2, 0.3) == pytest.approx(math.exp(bicubic(2.2, 0.3) / 10), rel=1e-12)


def test_nodes_and_samples_tell_what_was_computed() -> None:
    """The nodes run from limit to limit, values and held-out values are the function's, and the error is of those."""
    made = curve(lambda x: np.exp(x), rtol=1e-7, atol=0.0)
    (nodes,) = made.nodes
    held_out, values = made.held_out
    assert (nodes[0], nodes[-1]) == (1.0, 3.0)
    np.testing.assert_allclose(made.values, np.exp(nodes), rtol=1e-14)
    np.testing.assert_allclose(values, np.exp(held_out), rtol=1e-14)
    assert not np.intersect1d(nodes, held_out).size
    assert made.error == pytest.approx(np.max(np.abs(made(held_out) / values - 1)), rel=1e-3)
    assert made.evaluations >= nodes.size + held_out.size


# -- shapes and types -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"spacing": "log"}, {"spacing": ROOTS}, {"values": "log"}, {"outside": "clip"}, {"points": 5}]
)
def test_what_goes_in_comes_out(options: dict[str, Any]) -> None:
    """Numbers give Python floats; arrays and lists give arrays of their shape; the input may be read-only."""
    made = curve(lambda x: 6.0, **options)
    for number in (2.0, 2, True + 1, True, np.float64(2.0), np.float32(2.0), np.int64(2)):
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
    np.testing.assert_allclose(made(fixed), 6.0)


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
    np.testing.assert_allclose(made(ends, exact=_never), np.array(ends) + 1, rtol=1e-12)
    assert [made(each, exact=_never) for each in ends] == pytest.approx([each + 1 for each in ends], rel=1e-12)


# -- NaN and beyond ---------------------------------------------------------------------------------------------------


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
    assert math.isnan(surface(bicubic, ("extrapolate", "extrapolate"))(math.nan, 50.0))


@pytest.mark.parametrize("beyond", [0.999, 3.001, math.inf, -math.inf])
def test_outside_raises(beyond: float) -> None:
    """The error holds and tells the argument, the value and the limits."""
    made = curve(cube)
    with pytest.raises(OutsideAxisError, match=r"x = .* is outside the axis, which runs from 1\.0 to 3\.0") as caught:
        made([2.0, beyond, 7.0])
    error = caught.value
    assert (error.axis, error.value, error.low, error.high) == ("x", beyond, 1.0, 3.0)
    with pytest.raises(OutsideAxisError, match="x = "):
        made(beyond)
    with pytest.raises(OutsideAxisError, match=f"y = {beyond * 9!r}"):
        surface(bicubic)(2.0, beyond * 9)


@pytest.mark.parametrize("spacing", ["linear", "log"])
def test_outside_gives_nan(spacing: Any) -> None:
    """With outside='nan' what is beyond is NaN, and the rest is not."""
    made = curve(cube, outside="nan", spacing=spacing)
    found = made([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, math.inf])
    assert np.isnan(found).tolist() == [True, True, False, False, False, True, True]
    assert math.isnan(made(5))


def test_outside_clips() -> None:
    """With outside='clip' what is beyond gives the value at the limit, infinities of both signs included."""
    made = curve(cube, outside="clip", spacing="log")
    np.testing.assert_allclose(made([-5.0, 0.0, 9.0, math.inf, -math.inf]), [0.0, 0.0, 24.0, 24.0, 0.0], atol=1e-9)
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


def test_outside_continues_along_the_tangent() -> None:
    """With outside='extrapolate' the tangent at the limit is continued, in the coordinate."""
    at = np.array([-4.0, 0.0, 0.9, 1.0, 2.0, 3.0, 3.1, 50.0])
    made = curve(cube, outside="extrapolate")
    np.testing.assert_allclose(made(at), cube_tangent(at), rtol=1e-11, atol=1e-11)
    assert made(4) == pytest.approx(50.0)
    logarithmic = curve(lambda x: 2.0 + np.log(x), outside="extrapolate", spacing="log")
    assert logarithmic(math.e**5) == pytest.approx(7.0, rel=1e-11)
    own = curve(lambda x: 2.0 + np.sqrt(x), outside="extrapolate", spacing=ROOTS)
    assert own([0.25, 25.0]).tolist() == pytest.approx([2.5, 7.0], rel=1e-11)


def test_power_laws_are_continued() -> None:
    """With logarithms of both, extrapolation is a power law."""
    made = curve(lambda x: 3 * x**-2.5, spacing="log", values="log", outside="extrapolate")
    at = np.geomspace(1e-9, 1e9, 30)
    np.testing.assert_allclose(made(at), 3 * at**-2.5, rtol=1e-9)


@pytest.mark.parametrize("spacing", ["log", "log1p", ROOTS])
def test_where_there_is_no_coordinate_extrapolation_gives_nan(spacing: Any) -> None:
    """Of an argument that has no coordinate there is no tangent, and no warning either."""
    made = curve(lambda x: 2.0 + x, spacing=spacing, outside="extrapolate")
    assert math.isnan(made(-2.0))
    assert np.isnan(made([-2.0, 2.0])).tolist() == [True, False]


def test_surfaces_continue_along_their_tangents() -> None:
    """Beyond one axis along its tangent; beyond both along the plane that touches the corner."""
    both = surface(bicubic, ("extrapolate", "extrapolate"))
    assert both(4.0, 0.5) == pytest.approx(bicubic(3.0, 0.5) + bicubic_x(3.0, 0.5), rel=1e-9)
    assert both(2.0, -3.0) == pytest.approx(bicubic(2.0, -1.0) - 2 * bicubic_y(2.0, -1.0), rel=1e-9)
    plane = bicubic(3.0, 2.0) + bicubic_x(3.0, 2.0) + 2 * bicubic_y(3.0, 2.0)
    assert both([4.0, 2.0], [4.0, 0.5]).tolist() == pytest.approx([plane, bicubic(2.0, 0.5)], rel=1e-9)
    law = surface(lambda x, y: x**-2.0 * np.exp(y), ("extrapolate", "extrapolate"), spacing="log", values="log")
    assert law(30.0, 7.0) == pytest.approx(math.exp(7.0) / 900, rel=1e-9)


def test_what_is_extrapolated_may_overflow() -> None:
    """A value that is too large for a float is infinite, without a warning."""
    made = curve(lambda x: np.exp(10 * x), values="log", outside="extrapolate")
    assert made(1e5) == math.inf
    assert made.derivative(1e5) == math.inf


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
        "continued from the limit": bicubic(3.0, 2.0) + bicubic_y(3.0, 2.0),
    }
    assert made(4.0, 3.0, exact=exact) == pytest.approx(results[expected], rel=1e-9, nan_ok=True)
    assert len(calls) == expected.startswith("exact")


@pytest.mark.parametrize("x", ["2.0", b"2", None, 2j, [2j], [None], {}, np.array(["2"]), np.datetime64(0, "s")])
def test_only_real_coordinates_are_taken(x: Any) -> None:
    """The error names the argument and what it was; no text is read and no imaginary part dropped."""
    line, plane = curve(cube), surface(bicubic)
    calls: list[Callable[[], object]] = [
        lambda: line(x),
        lambda: line.derivative(x),
        lambda: line.integral(x, 2.0),
        lambda: plane(x, 0.0),
        lambda: plane.derivative(x, 0.0),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"x is .*; it must be a real number or an array of them"):
            call()
    with pytest.raises(TypeError, match=r"value of curve is .*; it must be a real number"):
        line.inverse(x)


# -- descriptions -----------------------------------------------------------------------------------------------------


def _told(made: Interpolant) -> list[str]:
    return [f"measured error {made.error:.1e} at {made.held_out[0].size} points", f"{made.evaluations} evaluations"]


def test_a_curve_describes_itself() -> None:
    """The repr names function, axis, spacing, tolerance, error, evaluations and pieces."""
    made = curve(lambda x: np.exp(x), rtol=1e-8, spacing="log", values="log")
    parts = ["interpolant of curve(x)", "x from 1 to 3 in log spacing", "logarithm of the values", "rtol 1e-08"]
    for part in [*parts, "atol 1e-09 asked for", *_told(made), f"{made.pieces} pieces>"]:
        assert part in repr(made)
    assert made.pieces > 1


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"atol": 0.0}, ": rtol 1e-06 asked for,"),
        ({"rtol": 0.0}, ": atol 1e-09 asked for,"),
        ({"points": 7}, ": 7 points asked for,"),
        ({"spacing": ROOTS}, "x from 1 to 3 in own spacing"),
    ],
)
def test_the_description_tells_what_was_asked_for(options: dict[str, Any], part: str) -> None:
    """Of rtol and atol the one that is not 0 is told, or the number of points."""
    made = curve(lambda x: x + 2.0, **options)
    assert part in repr(made)
    assert ("1 piece>" in repr(made)) == (made.pieces == 1)


def test_a_surface_describes_itself() -> None:
    """The repr tells both axes."""
    made = surface(bicubic)
    parts = ["interpolant of surface(x, y)", "x from 1 to 3 in linear spacing; y from -1 to 2 in linear spacing"]
    for part in [*parts, "rtol 1e-06 and atol 1e-09 asked for", *_told(made), "1 piece>"]:
        assert part in repr(made)
    axes = (Axis("x", 1.0, 3.0, points=5), Axis("y", 0.0, 1.0, points=8))
    assert ": 5 x 8 points asked for" in repr(make_interpolant(axes, tabulate(bicubic, axes, "f"), "f"))


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


def test_what_to_do_about_a_value_outside_depends_on_what_was_asked() -> None:
    """The advice of the error is one that can be followed, and survives pickling."""
    f, g = curve(lambda x: x, low=1.0, high=3.0), curve(lambda x: x, low=1.0, high=3.0, outside="exact")
    asked = {
        "choose outside='exact', 'clip', 'nan' or 'extrapolate'": lambda: f(4.0),
        "call the method itself, or choose outside='clip'": lambda: g(4.0),
        "widen the axis, or choose outside='clip', 'nan' or 'extrapolate'": lambda: g.derivative(4.0),
        "integrate within it, or widen it": lambda: f.integral(1.0, 4.0),
        "choose a branch within it": lambda: f.inverse(2.0, (1.0, 4.0)),
    }
    for advice, call in asked.items():
        with pytest.raises(OutsideAxisError) as caught:
            call()
        assert advice in str(caught.value)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
