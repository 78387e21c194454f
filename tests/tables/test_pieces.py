"""Piecewise polynomials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from stored._tables.pieces import DEGREE, LOBATTO, Pieces, powers_from_values
from tests.tables.piecewise import FUNCTIONS, divided_pieces, resampled, values_at


def _looked_up(pieces: Pieces, t: float) -> float:
    """The value by looking for the piece among the edges."""
    piece = min(int(np.searchsorted(pieces.edges, t, side="right")) - 1, len(pieces.depths) - 1)
    u = (t - pieces.edges[piece]) / pieces.widths[piece]
    return float(np.polynomial.polynomial.polyval(u, pieces.coefficients[piece]))


# -- polynomials ------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_values_make_the_polynomial_through_them(seed: int) -> None:
    """From its values at the six points a polynomial of degree 5 comes back."""
    powers = np.random.default_rng(seed).normal(size=(3, DEGREE + 1))
    values = np.polynomial.polynomial.polyval(LOBATTO, powers.T)
    np.testing.assert_allclose(powers_from_values(values), powers, atol=1e-12)


def test_a_constant_has_no_higher_powers() -> None:
    """Equal values make a constant to the last bit."""
    assert powers_from_values(np.full(6, 0.1)).tolist() == [0.1, 0.0, 0.0, 0.0, 0.0, 0.0]


# -- pieces and cells -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_edges_run_from_limit_to_limit(name: str) -> None:
    """They increase from one limit to the other, to the bit, by the widths."""
    pieces = resampled(FUNCTIONS[name])
    assert (pieces.edges[0], pieces.edges[-1]) == (0.0, 1.0)
    np.testing.assert_allclose(np.diff(pieces.edges), pieces.widths, rtol=1e-9)
    np.testing.assert_allclose(pieces.widths.sum(), 1.0)


@pytest.mark.parametrize(
    "depths",
    [[1], [1] * 15, [0, *[1] * 17], [*[1] * 15, 0], [2], [*[2] * 16], [*[1] * 8, *[2] * 15, *[1] * 7], [255], [0, 3]],
)
def test_pieces_make_whole_cells(depths: list[int]) -> None:
    """Depths that leave a cell unfinished, or end it in a wider piece, are refused."""
    with pytest.raises(ValueError, match="the pieces do not make whole cells"):
        Pieces(0.0, 1.0, np.zeros((len(depths), DEGREE + 1)), np.array(depths, dtype=np.uint8))


# -- evaluation -------------------------------------------------------------------------------------------------------


def test_points_are_found_in_their_pieces() -> None:
    """Each piece, of whatever depth, is found from points in it, with the right place in it."""
    pieces = divided_pieces(0)
    share = np.linspace(0.01, 0.99, 11)
    for number, (edge, width) in enumerate(zip(pieces.edges.tolist(), pieces.widths.tolist(), strict=False)):
        piece, u = pieces.locate(edge + width * share)
        assert set(piece.tolist()) == {number}
        np.testing.assert_allclose(u, share, atol=1e-9)


@given(seed=st.integers(0, 2**32), share=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_divided_pieces_are_evaluated(seed: int, share: list[float]) -> None:
    """The value is that of the piece between whose edges the point lies."""
    pieces = divided_pieces(seed)
    t = pieces.low + (pieces.high - pieces.low) * np.array(share)
    distance = np.abs(t[:, None] - pieces.edges[1:-1]).min(axis=1)
    t = t[distance > 1e-9]  # random pieces do not join
    np.testing.assert_allclose(values_at(pieces, t), [_looked_up(pieces, each) for each in t.tolist()], atol=1e-9)


@pytest.mark.parametrize("limits", [(0.0, 0.7), (0.1, 0.3), (-0.995, 499.0), (1e-3, 1.1)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_last_cell_ends_at_the_upper_limit(name: str, limits: tuple[float, float]) -> None:
    """However the number of cells is rounded, all ways to the value at the limit give the last piece's at its end."""
    pieces = resampled(lambda t: FUNCTIONS[name]((t - limits[0]) / (limits[1] - limits[0])), *limits)
    end = np.array([pieces.high])
    piece, u = pieces.locate(end)
    assert piece.tolist() == [len(pieces.coefficients) - 1]
    assert u[0] <= 1.0
    assert values_at(pieces, end).tolist() == pieces.derivative(end, 0).tolist() == [values_at(pieces, pieces.high)]


@pytest.mark.parametrize("nu", [0, 1, 2, 3, 5])
def test_derivatives_are_those_of_the_polynomials(nu: int) -> None:
    """In each piece the derivative to the coordinate is the polynomial's."""
    pieces = divided_pieces(8)
    share = np.linspace(0.05, 0.95, 7)
    for row, edge, width in zip(pieces.coefficients, pieces.edges.tolist(), pieces.widths.tolist(), strict=False):
        polynomial = Polynomial(row, domain=[edge, edge + width], window=[0.0, 1.0])
        expected = (polynomial.deriv(nu) if nu else polynomial)(edge + width * share)
        found = pieces.derivative(edge + width * share, nu)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
