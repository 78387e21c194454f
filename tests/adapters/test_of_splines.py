"""Splines and interpolators of scipy are keyed by what they are, written without pickle, and never read amiss."""

from __future__ import annotations

import functools
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import interpolate

from stored import UnstableKeyError
from stored._adapters import BY_PICKLE, adapter_of, of_fitpack
from stored._keys import canonical
from stored._storage.freezing import copy_for_caller, freeze
from stored._storage.native import NotNativeError
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, changed, changes, comes_back, is_refused_or, parts_of, plain_trees

X = np.linspace(0.0, 5.0, 19)
Y = np.sin(X)
POINTS = np.array([-0.3, 0.1, 0.5, 2.9, 4.99, 5.4])
GRID = np.outer(Y, Y + 2)
SCATTERED = np.random.default_rng(3).random((3, 60))

KEEPS_SPACE = of_fitpack._needs_working_space()
"""Does this scipy keep the working space of FITPACK? Else splines that are smoothed are pickled."""

SMOOTHED = (None, 0, 1e-2, 1e-4, 1e-6) if KEEPS_SPACE else (0,)

CURVES: dict[str, Any] = {
    "from_spline": lambda: interpolate.PPoly.from_spline(interpolate.splrep(X, Y)),
    "falling": lambda: interpolate.PPoly(np.arange(6.0).reshape(2, 3), [3.0, 2.0, 1.0, 0.0], extrapolate=False),
    "BPoly": lambda: interpolate.BPoly(np.ones((2, 3)) * 1j, [0, 1, 2, 3]),
    "BSpline": lambda: interpolate.make_interp_spline(X, Y),
    "quintic": lambda: interpolate.make_interp_spline(X, np.outer(Y, [1, 2, 3]), k=5),
    "second axis": lambda: interpolate.make_interp_spline(X, np.outer([1, 2, 3], Y), axis=1),
    "step": lambda: interpolate.BSpline([0.0, 1.0, 2.0], [1.0, 2.0], 0),
    "CubicSpline": lambda: interpolate.CubicSpline(X, Y),
    "cubic along axis 1": lambda: interpolate.CubicSpline(X, np.ones((2, 19, 3)), axis=1),
    "periodic": lambda: interpolate.CubicSpline(X, X * 0 + 1, bc_type="periodic"),
    "Pchip": lambda: interpolate.PchipInterpolator(X, Y, extrapolate=False),
    "Akima": lambda: interpolate.Akima1DInterpolator(X, Y),
    "Hermite": lambda: interpolate.CubicHermiteSpline(X, Y, np.cos(X)),
    **{
        f"interpolated {degree}": functools.partial(interpolate.InterpolatedUnivariateSpline, X, Y, k=degree)
        for degree in range(1, 6)
    },
    "zeros outside": lambda: interpolate.InterpolatedUnivariateSpline(X, Y, ext="zeros"),
    **{f"smooth {s}": functools.partial(interpolate.UnivariateSpline, X, Y, s=s) for s in SMOOTHED},
    "fixed knots": lambda: interpolate.LSQUnivariateSpline(X, Y, [1.0, 2.0, 3.0]),
    "derivative": lambda: interpolate.InterpolatedUnivariateSpline(X, Y).derivative(),
    "antiderivative": lambda: interpolate.InterpolatedUnivariateSpline(X, Y).antiderivative(),
}

SURFACES: dict[str, Any] = {
    "Rect": lambda: interpolate.RectBivariateSpline(X, X, GRID, kx=2),
    "Smooth": lambda: interpolate.SmoothBivariateSpline(*SCATTERED),
    "LSQ": lambda: interpolate.LSQBivariateSpline(*SCATTERED, [0.5], [0.4, 0.6]),
}

IN_SPACE: dict[str, Any] = {
    "grid": lambda: interpolate.RegularGridInterpolator((X, X), GRID),
    "complex grid": lambda: interpolate.RegularGridInterpolator((X, X), GRID * 1j, method="nearest"),
    "falling grid": lambda: interpolate.RegularGridInterpolator(
        (X, X[::-1]), GRID, method="cubic", bounds_error=False, fill_value=None
    ),
    "NdPPoly": lambda: interpolate.NdPPoly(np.arange(36.0).reshape(2, 2, 3, 3), ([0, 1, 2, 3.0], [0, 1, 2, 3.0])),
    "NdBSpline": lambda: interpolate.NdBSpline((np.arange(10.0), np.arange(8.0)), np.ones((6, 5, 2)), (3, 2)),
}

ALL = CURVES | SURFACES | IN_SPACE
round_trips.GOOD |= ALL


def values_of(value: Any, name: str) -> Any:
    """What a spline gives at some points."""
    if name in CURVES:
        return value(POINTS)
    return value(POINTS[1:5], POINTS[1:5]) if name in SURFACES else value(np.stack([POINTS[1:3], POINTS[2:4]]))


def plain_form(value: Any) -> Any:
    found = adapter_of(type(value))
    assert found is not None
    assert found.encode is not None
    return found.encode(value)


@pytest.mark.parametrize("name", ALL)
def test_each_comes_back_as_it_was(name: str) -> None:
    """As a value, and as a caller gets it, who can change it."""
    value = ALL[name]()
    found = comes_back(value)
    np.testing.assert_array_equal(values_of(found, name), values_of(value, name))
    kept = freeze(found)
    hand_out = copy_for_caller(kept)
    assert hand_out is not None
    given_out = hand_out(kept)
    before = canonical(kept)
    for each in vars(given_out).values():
        if isinstance(each, np.ndarray):
            each[...] = 0
    given_out.extrapolate = given_out.ext = None
    assert canonical(kept) == before == canonical(value)


@pytest.mark.parametrize("name", ALL)
def test_each_has_one_key_in_every_process_and_another_one_than_others(name: str) -> None:
    """What FITPACK leaves uninitialised does not count."""
    text = canonical(ALL[name]())
    [np.full(40, number) for number in range(100)]  # other content in memory
    assert text == canonical(ALL[name]())
    same = {"smooth 0": "interpolated 3"}  # scipy makes the one into the other
    assert [other for other in ALL if canonical(ALL[other]()) == text and same.get(other, other) == other] == [
        same.get(name, name)
    ]


def test_what_somebody_adds_to_a_spline_counts_and_is_not_lost() -> None:
    """It stands in keys, and the spline is pickled."""
    for name in ("CubicSpline", "interpolated 3", "Rect", "grid"):
        value = ALL[name]()
        plain = canonical(value)
        value.label = "mine"
        assert canonical(value) != plain
        with pytest.raises(NotNativeError):
            comes_back(value)


@pytest.mark.skipif(not KEEPS_SPACE, reason="this scipy begins anew")
def test_smoothing_goes_on_where_it_was() -> None:
    """A spline that was read takes another smoothing factor as the one that was written."""
    for first in (None, 0, 1e-2, 1e-4):
        for then in (1e-1, 1e-3, 1e-5):
            value = interpolate.UnivariateSpline(X, Y, s=first)
            found = freeze(comes_back(value))  # a copy that is writable
            value.set_smoothing_factor(then)
            found.set_smoothing_factor(then)
            np.testing.assert_allclose(found(POINTS), value(POINTS), rtol=1e-9)
            assert found.get_residual() == pytest.approx(value.get_residual(), abs=1e-12)


def test_what_scipy_never_makes_is_pickled_and_keyed_by_all_that_it_is() -> None:
    """Splines of other versions, and those that somebody has changed."""
    strange = {name: ALL[name]() for name in ("interpolated 3", "interpolated 4", "antiderivative", "Rect", "grid")}
    strange["interpolated 3"]._eval_args = (X, Y, 3)
    strange["interpolated 4"]._data = (1, 2)
    strange["antiderivative"] = strange["antiderivative"].antiderivative(2)  # of degree 6
    strange["Rect"].tck = (*strange["Rect"].tck[:2], Y)
    strange["grid"].method = "unknown"
    assert {plain_form(each) is BY_PICKLE for each in strange.values()} == {True}
    texts = {canonical(each) for each in strange.values()}
    assert len(texts) == len(strange)
    strange["interpolated 4"]._data = (1, 3)
    assert canonical(strange["interpolated 4"]) not in texts


@pytest.mark.parametrize("name", ["interpolated 3", "Rect"])
def test_splines_of_other_versions_of_scipy_are_not_made(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which may keep their state elsewhere: they are pickled, and what is in entries is computed anew."""
    value = ALL[name]()
    plain = plain_form(value)
    monkeypatch.setattr(of_fitpack, "_has_known_attributes", lambda: False)
    assert plain_form(value) is BY_PICKLE
    assert round_trips.read_as(f"scipy.interpolate.{type(value).__name__}", plain) is None


def test_a_subclass_is_no_spline_of_scipy() -> None:
    """It has no form without a registration of its own."""
    kind: Any = types.new_class("Mine", (interpolate.CubicSpline,))
    with pytest.raises(NotNativeError):
        comes_back(kind(X, Y))


def test_a_spline_with_coefficients_of_no_form_is_refused_with_its_place() -> None:
    """As an array of objects is."""
    value = interpolate.CubicSpline(X, Y)
    value.c = np.array([[object()]])
    with pytest.raises(UnstableKeyError):
        canonical(value)


def test_a_second_user_finds_each(tmp_path: Path) -> None:
    """Alone, and without a warning; inside containers they come back too."""
    for (first, second), name in zip(by_two_users(tmp_path, list(ALL)), ALL, strict=True):
        np.testing.assert_array_equal(values_of(first, name), values_of(second, name))
    inside = comes_back({"splines": [(ALL["CubicSpline"](), 1)], "x": X})
    assert type(inside["splines"][0][0]) is interpolate.CubicSpline


NAMES = sorted({f"scipy.interpolate.{type(make()).__name__}" for make in ALL.values()})


@given(st.sampled_from(NAMES), plain_trees)
def test_forged_entries_are_damaged_or_splines(name: str, plain: Any) -> None:
    """Whatever stands in them."""
    assert is_refused_or(name, plain)


@given(st.data())
def test_changed_entries_are_damaged_or_splines_that_can_be_used(data: st.DataObject) -> None:
    """Compiled code reads nothing that is not there."""
    name = data.draw(st.sampled_from(sorted(ALL)))
    value = ALL[name]()
    plain = plain_form(value)
    place = data.draw(st.sampled_from(list(parts_of(plain))))
    forged = changed(plain, place, data.draw(changes))
    kind = f"scipy.interpolate.{type(value).__name__}"
    assert is_refused_or(kind, forged)
    found = round_trips.read_as(kind, forged)
    if found is not None:
        with np.errstate(all="ignore"), round_trips.suppressed():
            values_of(freeze(found), name)
            if hasattr(found, "set_smoothing_factor"):
                freeze(found).set_smoothing_factor(1e-5)


def forged(name: str, place: tuple[int, ...], new: Any) -> Any:
    """What is read from an entry of a spline in which one part is another; None if it is damaged."""
    value = ALL[name]()
    return round_trips.read_as(f"scipy.interpolate.{type(value).__name__}", changed(plain_form(value), place, new))


KNOTS = np.concatenate([np.zeros(4), np.ones(4)])

FORGED: dict[str, tuple[str, tuple[int, ...], Any]] = {
    "no coefficients": ("CubicSpline", (0,), np.ones((0, 18))),
    "fewer coefficients than breakpoints": ("CubicSpline", (0,), np.ones((4, 17))),
    "breakpoints in no order": ("CubicSpline", (1,), np.sin(3 * X)),
    "one breakpoint": ("CubicSpline", (1,), X[:1]),
    "no such axis": ("CubicSpline", (3,), 1),
    "no such way to extrapolate": ("CubicSpline", (2,), "often"),
    "fewer coefficients than knots": ("BSpline", (1,), np.ones(3)),
    "coefficients without dimensions": ("BSpline", (1,), np.array(1.0)),
    "knots of two dimensions": ("BSpline", (0,), np.ones((4, 4))),
    "knots of another dtype": ("BSpline", (0,), np.arange(23)),
    "infinite knots": ("BSpline", (0,), np.concatenate([KNOTS, [np.inf]])),
    "too few knots": ("BSpline", (0,), KNOTS[:7]),
    "breakpoints that are no tuple": ("NdPPoly", (1,), [X]),
    "knots that are no tuple": ("NdBSpline", (0,), [X]),
    "fewer coefficients in a dimension": ("NdBSpline", (1,), np.ones((5, 5))),
    "no coefficients in a dimension": ("NdBSpline", (1,), np.ones((6, 5, 0))),
    "points that are no tuple": ("grid", (0,), [X]),
    "no such method": ("grid", (2,), "best"),
    "a method without its spline": ("grid", (2,), "cubic"),
    "a spline without its method": ("grid", (5,), lambda _: ALL["NdBSpline"]()),
    "a spline of another grid": ("falling grid", (5,), lambda _: ALL["NdBSpline"]()),
    "a value outside that is no number": ("grid", (4,), "0"),
    "more knots than there are": ("interpolated 3", (0, 7), 24),
    "fewer coefficients than knots of a curve": ("interpolated 3", (0, 9), X),
    "data of a spline without data": ("derivative", (0, 6), 1.0),
    "fewer values than points": ("interpolated 3", (0, 1), X[:-1]),
    "a limit that is no number": ("interpolated 3", (0, 3), None),
    "points outside the limits": ("interpolated 3", (0, 4), 1.0),
    "fewer coefficients of a surface": ("Rect", (0, 2), X),
    "a residual that is no number": ("Rect", (2,), None),
    "a surface of degree 0": ("Rect", (1, 0), 0),
}
if KEEPS_SPACE:
    FORGED |= {
        "points in no order": ("smooth None", (0, 0), np.sin(3 * X)),
        "no working space": ("smooth 0.01", (0,), lambda data: (*data[:11], None, None, data[13])),
        "short working space": ("smooth 0.01", (0, 11), X[:2]),
        "more points between knots than there are": ("smooth 0.01", (0, 12), lambda points: points + np.int32(1)),
        "a negative number of points": ("smooth 0.01", (0, 12), lambda points: points - np.int32(7)),
    }


@pytest.mark.parametrize("case", FORGED)
def test_parts_that_do_not_fit_make_no_spline(case: str) -> None:
    """What compiled code would read beyond its end, or never finish with, is a damaged entry."""
    name, place, new = FORGED[case]
    assert forged(name, (), lambda plain: plain) is not None
    assert forged(name, place, new) is None


def test_no_tables_beyond_the_size_of_an_entry_are_made() -> None:
    """Of a spline in many dimensions, whose tables scipy makes when it is made."""
    knots = tuple(np.array([0.0, 0.0, 1.0, 1.0]) for _ in range(30))
    empty = np.zeros((2, 2, 0))
    assert round_trips.read_as("scipy.interpolate.NdBSpline", (knots[:2], empty, (1, 1), True)) is None
    assert round_trips.read_as("scipy.interpolate.NdBSpline", (knots, np.zeros((2, 2)), (1,) * 30, True)) is None


def test_importing_the_library_imports_no_splines() -> None:
    """Nor what is known of them."""
    code = "import sys, stored; print([name for name in sys.modules if 'of_s' in name or name == 'scipy.sparse'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_polynomial_that_is_evaluated_as_another_is_pickled() -> None:
    """As scipy 1.18 makes them by `construct_fast`, and so of derivatives: its coefficients do not tell its values."""
    value: Any = interpolate.BPoly(np.ones((2, 3)), [0, 1, 2, 3])
    assert comes_back(value)(0.5) == 1.0
    vars(value)["_delegate_to"] = interpolate.PPoly(np.ones((2, 3)), [0, 1, 2, 3])
    assert plain_form(value) is BY_PICKLE
