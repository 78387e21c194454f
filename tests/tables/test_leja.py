"""Interpolation at Leja points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._tables.leja import MOST_NODES, basis, leja_points

BETWEEN = np.linspace(-1.0, 1.0, 333)
NUMBERS = [1, 2, 3, 4, 7, 17, 33, 64, MOST_NODES]


def test_points_are_different_points_of_the_interval() -> None:
    """There are as many as promised, no two alike, none outside, and the ends come first."""
    points = leja_points(0, MOST_NODES)
    assert points.size == np.unique(points).size == MOST_NODES
    assert np.all(np.abs(points) <= 1.0)
    assert set(points[:2].tolist()) == {-1.0, 1.0}


@given(first=st.integers(0, MOST_NODES), more=st.integers(0, MOST_NODES))
@settings(max_examples=50, deadline=None)
def test_points_are_nested(first: int, more: int) -> None:
    """More points are the same points and others after them."""
    last = min(MOST_NODES, first + more)
    both = np.concatenate([leja_points(0, first), leja_points(first, last)])
    assert np.array_equal(both, leja_points(0, last))


def test_points_cannot_be_written_to() -> None:
    """They are computed once for all, so nobody may change them."""
    with pytest.raises(ValueError, match="read-only"):
        leja_points(0, 5)[0] = 0.5


def test_each_point_is_far_from_those_before() -> None:
    """Its product of distances is the largest anywhere, to the fineness of the candidates."""
    points = leja_points(0, 40)
    fine = np.cos(np.linspace(0.0, np.pi, 20_001))
    for number in range(3, 40):
        largest = np.max(np.prod(np.abs(fine[:, None] - points[:number]), axis=1))
        assert np.prod(np.abs(points[number] - points[:number])) >= 0.99 * largest


@pytest.mark.parametrize("number", NUMBERS)
def test_the_basis_sums_to_one(number: int) -> None:
    """A constant is interpolated by itself."""
    np.testing.assert_allclose(basis(number, BETWEEN).sum(axis=1), 1.0, rtol=1e-11)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_basis_is_exact_at_nodes(number: int) -> None:
    """At a node its own polynomial is 1 and the others are 0, to the last bit."""
    assert np.array_equal(basis(number, leja_points(0, number)), np.eye(number))


@pytest.mark.parametrize("number", NUMBERS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_polynomials_are_reproduced(number: int, seed: int) -> None:
    """A polynomial of a degree less than the number of nodes is reproduced to rounding."""
    series = np.polynomial.chebyshev.Chebyshev(np.random.default_rng(seed).normal(size=number))
    found = basis(number, BETWEEN) @ series(leja_points(0, number))
    np.testing.assert_allclose(found, series(BETWEEN), atol=1e-11 * number)


def test_smooth_functions_are_approximated_at_any_number_of_nodes() -> None:
    """Errors fall geometrically, with no number of nodes at which interpolation fails."""
    for number in range(10, MOST_NODES):
        nodes = leja_points(0, number)
        error = np.max(np.abs(basis(number, BETWEEN) @ (1 / (1 + 4 * nodes**2)) - 1 / (1 + 4 * BETWEEN**2)))
        assert error <= 20 * 1.618 ** -float(number) + 1e-12
