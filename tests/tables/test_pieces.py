"""Piecewise polynomials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from stored import Axis
from stored._tables import pieces as pieces_module
from stored._tables import resample_curve as resample_module
from stored._tables.fit_curve import sample_curve
from stored._tables.leja import leja_points
from stored._tables.part import Part
from stored._tables.pieces import CHUNK, DEGREE, LOBATTO, Pieces, powers_from_values, work_space
from stored._tables.resample_curve import resample_curve

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda t: np.exp(-t) * np.sin(7.0 * t),
    "divided": lambda t: 1.0 + np.abs(t - 0.3),
    "one piece": lambda t: 1.0 + t,
    "deep": lambda t: 1.0 + np.sqrt(t),
}


def _resampled(function: Callable[[Any], Any], low: float = 0.0, high: float = 1.0) -> Pieces:
    axis = Axis("x", low, high, rtol=1e-6, atol=1e-7)
    return resample_curve(sample_curve(lambda t, singly: function(t), (low, high), axis, "f").parts, low, high)


def _values(pieces: Pieces, t: Any) -> Any:
    out = np.empty(t.size)
    for first in range(0, t.size, CHUNK):
        chunk = slice(first, first + CHUNK)
        pieces.evaluate(t[chunk], out[chunk], work_space(t.size))
    return out


def _divided(seed: int, low: float = -1.0, high: float = 2.5) -> Pieces:
    """Random polynomials in five cells, one of which is divided, and again in the middle of it."""
    depths = np.array([0, 0, *[1] * 7, *[2] * 16, *[1] * 8, 0, *[1] * 16], dtype=np.uint8)
    coefficients = np.random.default_rng(seed).normal(size=(depths.size, DEGREE + 1))
    return Pieces(low, high, coefficients, depths)


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


# -- the pieces of a table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pieces_join(name: str) -> None:
    """At every edge the piece before ends where the next begins, to rounding."""
    pieces = _resampled(FUNCTIONS[name])
    starts, ends = pieces.coefficients[1:, 0], pieces.coefficients[:-1].sum(axis=1)
    np.testing.assert_allclose(starts, ends, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_edges_run_from_limit_to_limit(name: str) -> None:
    """They increase from one limit to the other, to the bit, by the widths."""
    pieces = _resampled(FUNCTIONS[name])
    assert (pieces.edges[0], pieces.edges[-1]) == (0.0, 1.0)
    np.testing.assert_allclose(np.diff(pieces.edges), pieces.widths, rtol=1e-9)
    np.testing.assert_allclose(pieces.widths.sum(), 1.0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pieces_meet_the_function(name: str) -> None:
    """Resampling keeps within the tolerance."""
    pieces = _resampled(FUNCTIONS[name])
    t = np.random.default_rng(1).uniform(0.0, 1.0, 5000)
    truth = FUNCTIONS[name](t)
    assert np.all(np.abs(_values(pieces, t) - truth) <= 2e-6 * np.abs(truth) + 2e-7)


def test_difficult_places_are_divided_and_the_rest_is_not() -> None:
    """The narrowest pieces are at the kink, and easy functions have pieces of one width."""
    kink = _resampled(FUNCTIONS["divided"])
    assert kink.depths.any()
    narrow = np.flatnonzero(kink.widths == kink.widths.min())
    assert kink.edges[narrow[0]] <= 0.3 <= kink.edges[narrow[-1] + 1]
    assert not _resampled(FUNCTIONS["plain"]).depths.any()
    assert len(_resampled(FUNCTIONS["one piece"]).depths) == 1


def test_resampling_ends_where_rounding_is_all_that_is_left() -> None:
    """A part that allows no error at all is not divided for ever."""
    part = Part(0.0, 1.0, 0)
    part.values = np.exp(leja_points(0, 20))
    part.allowed = 1e-17
    pieces = resample_curve([part], 0.0, 1.0)
    assert len(pieces.coefficients) <= 2**16
    t = np.linspace(0.0, 1.0, 99)
    np.testing.assert_allclose(_values(pieces, t), np.exp(2.0 * t - 1.0), rtol=1e-12)


def test_resampling_ends_at_the_finest_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """A polynomial too steep for the pieces there can be gets the finest ones."""
    monkeypatch.setattr(resample_module, "_MOST_HALVINGS", 3)
    part = Part(0.0, 1.0, 0)
    part.values = np.sin(40.0 * leja_points(0, 90))
    part.allowed = 1e-12
    assert len(resample_curve([part], 0.0, 1.0).coefficients) == 4


# -- divided cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "depths",
    [[1], [1] * 15, [0, *[1] * 17], [*[1] * 15, 0], [2], [*[2] * 16], [*[1] * 8, *[2] * 15, *[1] * 7], [255], [0, 3]],
)
def test_pieces_make_whole_cells(depths: list[int]) -> None:
    """Depths that leave a cell unfinished, or end it in a wider piece, are refused."""
    with pytest.raises(ValueError, match="the pieces do not make whole cells"):
        Pieces(0.0, 1.0, np.zeros((len(depths), DEGREE + 1)), np.array(depths, dtype=np.uint8))


def test_points_are_found_in_their_pieces() -> None:
    """Each piece, of whatever depth, is found from points in it, with the right place in it."""
    pieces = _divided(0)
    share = np.linspace(0.01, 0.99, 11)
    for number, (edge, width) in enumerate(zip(pieces.edges.tolist(), pieces.widths.tolist(), strict=False)):
        piece, u = pieces.locate(edge + width * share)
        assert set(piece.tolist()) == {number}
        np.testing.assert_allclose(u, share, atol=1e-9)


@given(seed=st.integers(0, 2**32), share=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_divided_pieces_are_evaluated(seed: int, share: list[float]) -> None:
    """The value is that of the piece between whose edges the point lies."""
    pieces = _divided(seed)
    t = pieces.low + (pieces.high - pieces.low) * np.array(share)
    distance = np.abs(t[:, None] - pieces.edges[1:-1]).min(axis=1)
    t = t[distance > 1e-9]  # random pieces do not join
    np.testing.assert_allclose(_values(pieces, t), [_looked_up(pieces, each) for each in t.tolist()], atol=1e-9)


def test_the_order_of_points_does_not_matter() -> None:
    """More points than a chunk holds give, in any order, the same values to the bit."""
    pieces = _resampled(FUNCTIONS["divided"])
    t = np.linspace(0.0, 1.0, 2 * CHUNK + 77)
    order = np.random.default_rng(4).permutation(t.size)
    assert np.array_equal(_values(pieces, t)[order], _values(pieces, t[order]))
    assert np.array_equal(_values(pieces, t)[:10], _values(pieces, t[:10]))


def test_the_work_space_is_no_larger_than_a_chunk() -> None:
    """Memory does not grow with the number of points."""
    assert work_space(10).shape == (10, DEGREE + 1)
    assert work_space(10**9).shape == (CHUNK, DEGREE + 1)


@pytest.mark.parametrize("nu", [0, 1, 2, 3, 5])
def test_derivatives_are_those_of_the_polynomials(nu: int) -> None:
    """In each piece the derivative to the coordinate is the polynomial's."""
    pieces = _divided(8)
    share = np.linspace(0.05, 0.95, 7)
    for row, edge, width in zip(pieces.coefficients, pieces.edges.tolist(), pieces.widths.tolist(), strict=False):
        polynomial = Polynomial(row, domain=[edge, edge + width], window=[0.0, 1.0])
        expected = (polynomial.deriv(nu) if nu else polynomial)(edge + width * share)
        found = pieces.derivative(edge + width * share, nu)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


# -- one number at a time ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["at hand", "on demand"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coefficients all kept as floats, or made floats when they are needed."""
    if request.param == "on demand":
        monkeypatch.setattr(pieces_module, "_MOST_FLOAT_ROWS", 0)


def _scalar(pieces: Pieces, axis: Axis, log: bool) -> Callable[[Any], float | None]:
    return pieces.scalar(float(axis.low), float(axis.high), axis.scalar_forward(), log)


SPACINGS = ["linear", "log", "log1p", (np.sqrt, np.square)]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_number_gives_what_an_array_gives(name: str, spacing: Any, log: bool) -> None:
    """At ends, edges and random points, and a bit beside them, both agree to a few units in the last place."""
    axis = Axis("x", 0.2, 3.0, spacing=spacing)
    low, high = axis.coordinate_limits()
    pieces = _resampled(lambda t: FUNCTIONS[name]((t - low) / (high - low)), low, high)
    scalar = _scalar(pieces, axis, log)
    some = pieces.edges[:: max(1, pieces.edges.size // 200)]
    x = axis.backward(np.concatenate([some, np.random.default_rng(6).uniform(low, high, 300), [low, high]]))
    x = np.clip(np.concatenate([x, np.nextafter(x, 0.0), np.nextafter(x, 9.0)]), axis.low, axis.high)
    found = [scalar(each) for each in x.tolist()]
    assert {type(each) for each in found} == {float}
    forward = axis.scalar_forward() or float
    # steep pieces show the last bit in which the coordinates of numbers and arrays may differ
    for t, rtol in ((np.array([forward(each) for each in x.tolist()]), 1e-14), (axis.forward(x), 1e-10)):
        expected = np.exp(_values(pieces, t)) if log else _values(pieces, t)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.usefixtures("rows")
@given(seed=st.integers(0, 2**32), share=st.floats(0.0, 1.0))
@settings(max_examples=50, deadline=None)
def test_random_divided_pieces_are_looked_up(seed: int, share: float) -> None:
    """For pieces that do not join, the one of a number is the one that an array finds."""
    pieces = _divided(seed % 5)
    axis = Axis("x", pieces.low, pieces.high)
    x = min(max(pieces.low + share * (pieces.high - pieces.low), pieces.low), pieces.high)
    expected = float(_values(pieces, np.array([x]))[0])
    assert _scalar(pieces, axis, False)(x) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_ends_are_inside(name: str) -> None:
    """Both limits give the function's own values there."""
    scalar = _scalar(_resampled(FUNCTIONS[name]), Axis("x", 0.0, 1.0), False)
    ends = [float(FUNCTIONS[name](np.array(each))) for each in (0.0, 1.0)]
    assert [scalar(0.0), scalar(1.0)] == pytest.approx(ends, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("other", [1, True, "1.0", None, np.float64(0.5), np.array(0.5), math.nan, -0.1, 1.1, math.inf])
def test_anything_but_a_float_inside_gives_none(other: Any) -> None:
    """What needs care is left to the caller, and never evaluated."""
    assert _scalar(_resampled(FUNCTIONS["plain"]), Axis("x", 0.0, 1.0), False)(other) is None
