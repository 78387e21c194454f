"""Piecewise polynomials of two coordinates."""

from __future__ import annotations

import numpy as np

from stored._tables.patches import Patches


def test_long_arrays_are_worked_through() -> None:
    """Patches evaluate any number of points, inside and at all limits, and none."""
    patches = Patches([(0.0, 2.0), (-1.0, 1.0)], np.ones((2, 3, 1, 1)) * np.arange(6.0).reshape(2, 3, 1, 1))
    x, y = np.meshgrid(np.linspace(0.0, 2.0, 61), np.linspace(-1.0, 1.0, 71), indexing="ij")
    found = patches([x.ravel(), y.ravel()]).reshape(x.shape)
    assert (found[0, 0], found[0, -1], found[-1, 0], found[-1, -1]) == (0.0, 2.0, 3.0, 5.0)
    assert patches([np.empty(0), np.empty(0)]).shape == (0,)
