"""The integral of a function that is a piecewise polynomial of a coordinate, or the exponential of one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stored._tables.axis import Floats
from stored._tables.bernstein import to_bernstein
from stored._tables.pieces import Pieces

__all__ = ["Antiderivative"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
"""Exact to degree 23."""

_MOST_VALUES = 2**18
"""So many values of the function are in memory at once."""

_EFOLDS = 2.0
"""Over so many e-folds, the quadrature of an exponential is exact to rounding."""


class Antiderivative:
    """The integral over the argument, by Gauss-Legendre quadrature in each piece.

    Parameters
    ----------
    pieces : Pieces
        The function, or its logarithm, over the coordinate.
    slopes : callable
        The derivative of the argument to the coordinate.
    log : bool
        Are the pieces the logarithm of the function?
    curved : bool
        Is the argument other than linear in the coordinate?
    """

    def __init__(self, pieces: Pieces, slopes: Callable[[Floats], Floats], log: bool, curved: bool) -> None:
        self._pieces = pieces
        self._slopes = slopes
        self._log = log
        efolds = float(np.max(pieces.widths)) * curved
        if log:
            efolds += float(np.max(np.ptp(to_bernstein(pieces.coefficients), axis=1)))
        self._steps = max(1, math.ceil(efolds / _EFOLDS))
        whole = self._within(pieces.edges[:-1], pieces.edges[1:])
        self._from_start = np.concatenate([[0.0], np.cumsum(whole)])

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """The integral between coordinates, shape (n,)."""
        sign = np.where(a <= b, 1.0, -1.0)
        a, b = np.minimum(a, b), np.maximum(a, b)
        (first, _), (last, _) = self._pieces.locate(a), self._pieces.locate(b)
        edges = self._pieces.edges
        same_piece = first == last
        in_first = self._within(a, np.where(same_piece, b, edges[first + 1]))
        in_last = np.where(same_piece, 0.0, self._within(edges[last], b))
        between = np.where(same_piece, 0.0, self._from_start[last] - self._from_start[np.minimum(first + 1, last)])
        return np.asarray(sign * (in_first + between + in_last))

    def _within(self, a: Floats, b: Floats) -> Floats:
        """The integral between two coordinates in the same piece, shape (n,)."""
        together = max(1, _MOST_VALUES // (self._steps * _NODES.size))
        parts = [slice(start, start + together) for start in range(0, a.size, together)]
        return np.concatenate([np.empty(0), *(self._by_quadrature(a[part], b[part]) for part in parts)])

    def _by_quadrature(self, a: Floats, b: Floats) -> Floats:
        half = 0.5 * (b - a) / self._steps
        middles = a + half * (2.0 * np.arange(self._steps)[:, None] + 1.0)
        t = np.clip(middles[..., None] + half[:, None] * _NODES, self._pieces.low, self._pieces.high)
        values = self._pieces.derivative(t.ravel(), 0)
        integrand = (np.exp(values) if self._log else values) * self._slopes(t.ravel())
        return np.asarray(np.sum(integrand.reshape(t.shape) @ _WEIGHTS, axis=0) * half)
