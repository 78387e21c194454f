"""All places where an interpolant has a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables import make_interpolant, tabulate
from tests.tables.interpolants import SPACINGS, interpolant_of


def curve(function: Callable[..., Any], **options: Any) -> Any:
    return interpolant_of(function, Axis("x", **{"low": 0.5, "high": 5.0, "rtol": 1e-8, **options}))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_all_roots_are_found(spacing: Any) -> None:
    """The zeros of a sine, in order, and where it has another value."""
    f = curve(lambda x: np.sin(5 * x), spacing=spacing, atol=1e-10)
    np.testing.assert_allclose(f.roots(), np.arange(1, 8) * math.pi / 5, atol=1e-9)
    half = f.roots(value=0.5)
    np.testing.assert_allclose(np.sin(5 * half), 0.5, atol=1e-8)
    assert half.size == 7
    np.testing.assert_allclose(f(half), 0.5, atol=1e-13)
    assert f.roots(1.5).shape == (0,)
    assert type(half) is np.ndarray


def test_roots_at_kinks_and_ends() -> None:
    """A zero at either limit counts, and so does each side of a kink."""
    line = curve(lambda x: x - 0.5, atol=1e-9)
    assert line.roots().tolist() == [0.5]
    assert line.roots(line(5.0)).tolist() == [5.0]
    found = curve(lambda x: np.abs(x - 2.2), atol=1e-8).roots(0.5)
    np.testing.assert_allclose(found, [1.7, 2.7], atol=1e-6)


def test_roots_of_constants() -> None:
    """A constant has a value nowhere or everywhere; then the ends are given."""
    assert curve(lambda x: 3.0).roots(2.0).shape == (0,)
    assert curve(lambda x: 0.0).roots().tolist() == [0.5, 5.0]


@pytest.mark.parametrize("at", [2.0, 1.25, 3.5])
def test_touching_is_found(at: float) -> None:
    """A parabola that touches its least value does so once, where the arithmetic is exact."""
    quadratic = np.array([[at**2, -2 * at * 4.0, 16.0, 0.0, 0.0, 0.0]])
    table = {**tabulate(lambda x: x, (Axis("x", 0.0, 4.0, atol=1.0),), "f"), "coefficients": quadratic}
    f = make_interpolant((Axis("x", 0.0, 4.0, atol=1.0),), {**table, "depths": np.zeros(1, np.uint8)}, "f")
    assert f.roots().tolist() == pytest.approx([at], abs=1e-7)


def test_touching_is_found_once() -> None:
    """A sampled parabola touches zero to rounding: that is one root, or two close together."""
    found = [curve(lambda x, at=at: (x - at) ** 2, low=0.0, atol=1e-9).roots().size for at in np.linspace(0.6, 4.0, 21)]
    assert set(found) <= {1, 2}


def test_a_root_where_pieces_meet_is_found_once() -> None:
    """Zero in the middle of a symmetrical axis is one root, whatever the limits are."""
    for limit in np.linspace(0.1, 1.3, 25).tolist():
        f = curve(lambda x: np.sin(20 * x) + x**9, low=-limit, high=limit, atol=1e-9)
        assert np.sum(np.abs(f.roots()) < 1e-6) == 1


def test_of_a_stretch_the_ends_are_found() -> None:
    """Where the function stays at a value, the ends of the stretch are given."""
    f = curve(lambda x: np.maximum(x - 0.3, 0.0), low=-1.0, high=1.0, atol=1e-9)
    first, *others = f.roots().tolist()
    assert first == -1.0
    assert others == pytest.approx([0.3] * len(others), abs=1e-6)
    assert len(others) == 1
    assert curve(lambda x: 3.0).roots(3.0).tolist() == [0.5, 5.0]


def test_roots_of_small_functions_are_found() -> None:
    """A function of tiny values has the zeros that it has in other units."""
    f = curve(lambda x: 1e-200 * np.sin(5 * x), atol=1e-210)
    np.testing.assert_allclose(f.roots(), np.arange(1, 8) * math.pi / 5, atol=1e-9)


@given(st.lists(st.floats(-0.95, 0.95), min_size=1, max_size=6, unique_by=lambda x: round(x, 1)))
@settings(max_examples=40, deadline=None)
def test_roots_of_products_are_their_zeros(zeros: list[float]) -> None:
    """A product of distances has its zeros where it was given them, and no others."""
    zeros = [round(each, 9) for each in zeros]
    f = curve(lambda x: np.prod([x - each for each in zeros], axis=0), low=-1.0, high=1.0, rtol=0.0, atol=1e-12)
    found = f.roots()
    signs = np.sign(f(np.sort(np.concatenate([[-1.0, 1.0], 0.5 * (found[1:] + found[:-1])]))))
    apart = np.diff(np.sort(zeros)).min(initial=1.0)
    if apart > 1e-3:
        np.testing.assert_allclose(found, np.sort(zeros), atol=1e-6)
        assert np.all(signs[1:] * signs[:-1] < 0)
    np.testing.assert_allclose(f(found), 0.0, atol=2e-12)


def test_crossings_within_the_tolerance_are_roots() -> None:
    """A loose tolerance drops no sign change of the interpolant."""
    f = curve(lambda x: x**3 - 0.03 * x, low=-0.5, high=0.5, atol=1e-2)
    np.testing.assert_allclose(f.roots(), [-(0.03**0.5), 0.0, 0.03**0.5], atol=1e-6)


@given(st.floats(-1.2, 1.2), st.sampled_from(["linear", "log1p"]))
@settings(max_examples=100, deadline=None)
def test_roots_are_where_samples_change_their_side(value: float, spacing: Any) -> None:
    """Between any two roots the function stays on one side, and it changes the side at each."""
    f = _waves(spacing)
    found = f.roots(value)
    assert np.all(np.diff(found) > 0.0)
    np.testing.assert_allclose(f(found), value, atol=1e-12)
    x = np.linspace(0.0, 5.0, 4001)
    above = f(x) > value
    changes = x[1:][above[1:] != above[:-1]]
    assert found.size >= changes.size
    assert all(np.min(np.abs(found - change)) < 2e-3 for change in changes)
    if found.size > changes.size:  # two of them lie between two samples, or at an end
        assert np.min(np.abs(f.derivative(found))) < 1.0 or found[0] < 1e-3 or found[-1] > 5.0 - 1e-3


_MADE: dict[str, Any] = {}


def _waves(spacing: str) -> Any:
    if spacing not in _MADE:
        _MADE[spacing] = curve(lambda x: np.sin(7 * x) * np.exp(-x / 9), low=0.0, spacing=spacing, atol=1e-9)
    return _MADE[spacing]
