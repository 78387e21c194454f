"""Where piecewise polynomials have a value: branches, and roots."""

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
from stored._tables.pieces import Pieces
from stored._tables.solve import Branch, monotonic_branch
from tests.tables.interpolants import SPACINGS, interpolant_of


def curve(function: Callable[..., Any], **options: Any) -> Any:
    return interpolant_of(function, Axis("x", **{"low": 0.5, "high": 5.0, "rtol": 1e-8, **options}))


def test_pieces_that_do_not_join_are_no_branch() -> None:
    """A jump down between two rising pieces is a turn; a jump up is not."""
    down = np.array([[0.0, 1.0, 0, 0, 0, 0], [-0.2, 2.0, 0, 0, 0, 0]])
    found = monotonic_branch(Pieces(0.0, 1.0, down, np.zeros(2, np.uint8)), 0.0, 1.0, np.zeros_like)
    assert isinstance(found, float)
    up = np.array([[0.0, 1.0, 0, 0, 0, 0], [1.2, 2.0, 0, 0, 0, 0]])
    branch = monotonic_branch(Pieces(0.0, 1.0, up, np.zeros(2, np.uint8)), 0.0, 1.0, np.zeros_like)
    assert isinstance(branch, Branch)
    assert branch.solve(np.array([0.5, 1.2, 2.2])).tolist() == pytest.approx([0.25, 0.5, 0.75])


# -- roots ------------------------------------------------------------------------------------------------------------


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
