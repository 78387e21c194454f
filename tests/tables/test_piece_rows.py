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
