"""Interpolants: what goes in and comes out, what happens beyond the limits, and how they describe themselves."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import OutsideAxisError
from tests.tables.interpolants import MODES, ROOTS, bicubic, cube, curve, measured, never, surface


def cube_tangent(x: Any) -> Any:
    """`cube` from 1 to 3, and its tangents beyond."""
    return np.where(x < 1.0, 2.0 * (x - 1.0), np.where(x > 3.0, 24.0 + 26.0 * (x - 3.0), cube(x)))


# -- values -----------------------------------------------------------------------------------------------------------


def test_values_in_logarithm() -> None:
    """With values='log' the exponential of a cubic is reproduced to rounding over many decades, and stays positive."""
    made = curve(lambda x: np.exp(-10 * cube(x)), values="log", atol=0.0)
    at = np.linspace(1.0, 3.0, 40)
    np.testing.assert_allclose(made(at), np.exp(-10 * cube(at)), rtol=1e-11)
    assert made(2.2) == pytest.approx(math.exp(-10 * cube(2.2)), rel=1e-11)
    both = surface(lambda x, y: np.exp(bicubic(x, y) / 10), values="log")
    assert both(2.2, 0.3) == pytest.approx(math.exp(bicubic(2.2, 0.3) / 10), rel=1e-12)


def test_nodes_and_samples_are_what_was_computed() -> None:
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


# -- NaN and beyond ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outside", MODES)
def test_nan_gives_nan(outside: Any) -> None:
    """NaN is neither inside nor outside: it gives NaN in every mode and calls nothing."""
    made = curve(cube, outside=outside)
    assert type(made(math.nan, exact=never)) is float
    assert math.isnan(made(math.nan, exact=never))
    found = made([math.nan, 2.0, math.nan], exact=never)
    assert np.isnan(found).tolist() == [True, False, True]
    both = surface(bicubic, (outside, outside))
    for point in ((math.nan, 0.0), (2.0, math.nan), (math.nan, math.nan)):
        assert math.isnan(both(*point, exact=never))


@pytest.mark.parametrize("beyond", [0.999, 3.001, math.inf, -math.inf])
def test_outside_raises(beyond: float) -> None:
    """The error has, and its message names, the argument, the value and the limits."""
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


def test_what_is_extrapolated_may_overflow() -> None:
    """A value that is too large for a float is infinite, without a warning."""
    made = curve(lambda x: np.exp(10 * x), values="log", outside="extrapolate")
    assert made(1e5) == math.inf
    assert made.derivative(1e5) == math.inf


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


def test_a_curve_describes_itself() -> None:
    """The repr names function, axis, spacing, tolerance, error, evaluations and pieces."""
    made = curve(lambda x: np.exp(x), rtol=1e-8, spacing="log", values="log")
    parts = ["interpolant of curve(x)", "x from 1 to 3 in log spacing", "logarithm of the values", "rtol 1e-08"]
    for part in [*parts, "atol 1e-09 asked for", *measured(made), f"{made.pieces} pieces>"]:
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
def test_the_description_gives_what_was_asked_for(options: dict[str, Any], part: str) -> None:
    """Of rtol and atol the one that is not 0 is given, or the number of points."""
    made = curve(lambda x: x + 2.0, **options)
    assert part in repr(made)
    assert ("1 piece>" in repr(made)) == (made.pieces == 1)


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
