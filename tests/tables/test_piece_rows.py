"""The places of pieces for single numbers."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._tables import piece_rows
from stored._tables.piece_rows import PieceRows
from stored._tables.pieces import Pieces
from tests.tables.piecewise import FUNCTIONS, divided_pieces, resampled


def assert_located(pieces: Pieces, t: float) -> None:
    """A number is found in the piece, and at the u, that an array finds, to the last bit."""
    rows = PieceRows(pieces)
    v = (t - rows.low) * rows.per_unit
    piece = bisect_right(rows.starts, v)
    *coefficients, scale, offset, width = rows.rows[piece]
    (expected,), (u,) = pieces.locate(np.array([t]))
    assert (piece, v * scale - offset) == (expected, u)
    assert coefficients == pieces.coefficients[piece].tolist()
    assert width == pieces.widths[piece]
    assert {type(each) for each in (*coefficients, scale, offset, width)} == {float}
    assert (rows.offsets[piece], rows.scales[piece]) == (offset, scale)


@pytest.mark.parametrize("most", [0, 1 << 16])
@given(seed=st.integers(0, 4), share=st.floats(0.0, 1.0), low=st.floats(-1e3, 1e3), width=st.floats(1e-3, 1e3))
@settings(max_examples=100, deadline=None)
def test_numbers_lie_where_arrays_lie(most: int, seed: int, share: float, low: float, width: float) -> None:
    """Among divided cells, wherever the range begins, with rows at hand or converted on demand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piece_rows, "_MOST_FLOAT_ROWS", most)
        pieces = divided_pieces(seed, low, low + width)
        assert_located(pieces, min(low + share * width, pieces.high))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers_at_edges_lie_where_arrays_lie(name: str) -> None:
    """At, before and behind the edges of pieces, up to eleven times divided."""
    pieces = resampled(FUNCTIONS[name])
    some = pieces.edges[:: max(1, pieces.edges.size // 50)]
    for t in np.clip(np.concatenate([some, np.nextafter(some, 0.0), np.nextafter(some, 1.0)]), 0.0, 1.0).tolist():
        assert_located(pieces, t)


@pytest.mark.parametrize("deepest", [13, 14, 16])
@pytest.mark.parametrize("at_end", [False, True])
def test_places_are_exact_however_often_cells_are_divided(deepest: int, at_end: bool) -> None:
    """A line in pieces is that line, also behind a cell whose smallest pieces are narrower than floats are apart."""
    pieces = _line(deepest, at_end)
    rows = PieceRows(pieces)
    for t in np.linspace(0.0, 3.0, 301).tolist():
        first, slope, *_, scale, offset, _ = rows.rows[bisect_right(rows.starts, t)]
        assert first + slope * (t * scale - offset) == pytest.approx(t, abs=1e-15)


def _line(deepest: int, at_end: bool) -> Pieces:
    """The coordinate itself from 0 to 3, in three cells, of which the second is divided towards an end."""
    shallower = [[depth] * 15 for depth in range(deepest - 1, 0, -1)]
    divided = [*[deepest] * 16, *(depth for each in shallower for depth in each)]
    depths = np.array([0, *(divided[::-1] if at_end else divided), 0], dtype=np.uint8)
    widths = 16.0 ** -depths.astype(float)
    coefficients = np.column_stack([np.cumsum(widths) - widths, widths, *np.zeros((4, depths.size))])
    return Pieces(0.0, 3.0, coefficients, depths)
