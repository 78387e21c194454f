"""Parts of an axis."""

from __future__ import annotations

import numpy as np

from stored._tables.part import Part


def test_parts_know_their_coordinates() -> None:
    """Ends and middle are exact, and coordinates lead there and back."""
    part = Part(0.25, 0.75, 0)
    assert part.coordinates(np.array([-1.0, 0.0, 1.0])).tolist() == [0.25, 0.5, 0.75]
    s = np.linspace(-1.0, 1.0, 21)
    np.testing.assert_allclose(part.local(part.coordinates(s)), s, atol=1e-15)
    below, above = part.halves()
    assert (below.low, below.high, above.low, above.high) == (0.25, 0.5, 0.5, 0.75)
    assert (below.depth, above.depth) == (1, 1)
