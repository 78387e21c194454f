"""The integral of a function that is a piecewise polynomial of a coordinate, or the exponential of one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stored._tables.axis import Floats
from stored._tables.bernstein import to_bernstein
from stored._tables.code_template import made_by
from stored._tables.piece_rows import PieceRows
from stored._tables.pieces import Integers, Pieces
from stored._tables.polynomial_code import COEFFICIENTS, mean_code

__all__ = ["Antiderivative"]

_FEWEST_NODES, _MOST_NODES = 4, 12
"""Gauss-Legendre quadrature is exact to degree 7 and 23."""

_MOST_VALUES = 2**18
"""So many values of the function are in memory at once."""

_MOST_TRIED = 2**15
"""For more parts, the fewest nodes are not searched for."""

_EFOLDS = 2.0
"""Over so many e-folds, the quadrature of an exponential with the most nodes is exact to rounding."""

_ROUNDING = 4.0 * float(np.finfo(float).eps)

_LEAST_DIFFERENCE = 2.0**-40
"""Sums with corrections have twice the digits of floats; a difference of less than this fraction keeps too few."""

_MEAN = f"""
def make():
    def mean(middle, square, {", ".join(COEFFICIENTS)}):
        return {mean_code()}
    return mean
"""


class Antiderivative:
    """The integral over the argument, of each piece in equal parts.

    Over a polynomial of the argument it is that of the polynomial; over any other function it is Gauss-Legendre
    quadrature in each part.

    Parameters
    ----------
    pieces : Pieces
        The function, or its logarithm, over the coordinate.
    rows : PieceRows
        The places of the pieces.
    slopes : callable
        The derivative of the argument to the coordinate.
    log : bool
        Are the pieces the logarithm of the function?
    curved : bool
        Is the argument other than linear in the coordinate?

    Attributes
    ----------
    is_exact : bool
        Is the function a polynomial of the argument in each piece?
    steps : int
        The number of parts of a piece.
    nodes, weights : ndarray, shape (m,)
        Of the quadrature, on [-1, 1].
    sums, corrections : ndarray, shape (pieces * steps + 1,)
        The integral from the lower limit to the start of each part, and to the upper limit, and what was rounded off.
    least : ndarray, shape (pieces * steps + 1,)
        A difference of sums up to here has lost digits, even with the corrections, if it is not larger than this.
    """

    def __init__(
        self, pieces: Pieces, rows: PieceRows, slopes: Callable[[Floats], Floats], log: bool, curved: bool
    ) -> None:
        self._pieces = pieces
        self._rows = rows
        self._slopes = slopes
        self._log = log
        self.is_exact = not (log or curved)
        efolds = float(np.max(pieces.widths)) * curved
        if log:
            efolds += float(np.max(np.ptp(to_bernstein(pieces.coefficients), axis=1)))
        self.steps = max(1, math.ceil(efolds / _EFOLDS))
        self.nodes, self.weights = np.polynomial.legendre.leggauss(_MOST_NODES)
        with np.errstate(over="ignore", invalid="ignore"):  # of parts that need not be asked for
            if not self.is_exact and len(pieces.coefficients) * self.steps <= _MOST_TRIED:
                self.nodes, self.weights = self._fewest_nodes()
            self._parts = self._of_parts()
            self.sums, self.corrections = _exact_sums(self._parts)
        self.least: Floats = _LEAST_DIFFERENCE * np.maximum.accumulate(np.abs(self.sums))

    @property
    def most_one_by_one(self) -> int:
        """Up to so many integrals cost less time as single numbers than as arrays."""
        return 64 if self.is_exact else 24

    def _fewest_nodes(self) -> tuple[Floats, Floats]:
        """The quadrature with the fewest nodes that gives the same as that with the most, in all parts and halves."""
        best = self.nodes, self.weights
        exact = self._of_parts(), self._of_parts(0.5)
        for number in range(_FEWEST_NODES, _MOST_NODES, 2):
            self.nodes, self.weights = np.polynomial.legendre.leggauss(number)
            found = self._of_parts(), self._of_parts(0.5)
            if all(np.all(np.abs(f - e) <= _ROUNDING * np.abs(e)) for f, e in zip(found, exact, strict=True)):
                return self.nodes, self.weights
        return best

    def _of_parts(self, share: float = 1.0) -> Floats:
        """The integral over each part, or over this share of it from its start."""
        number = len(self._pieces.coefficients)
        together = max(1, _MOST_VALUES // (self.steps * self.nodes.size))
        firsts = range(0, number, together)
        return np.concatenate(
            [self._of_pieces(np.arange(first, min(first + together, number)), share) for first in firsts]
        )

    def _of_pieces(self, pieces: Integers, share: float) -> Floats:
        piece = np.repeat(pieces, self.steps)
        start = np.tile(np.arange(self.steps) / self.steps, pieces.size)
        return self._over(piece, start, start + share / self.steps, share * self._pieces.widths[piece] / self.steps)

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """The integral between coordinates, shape (n,)."""
        sign = np.where(a <= b, 1.0, -1.0)
        a, b = np.minimum(a, b), np.maximum(a, b)
        (piece_a, u_a), (piece_b, u_b) = self._pieces.locate(a), self._pieces.locate(b)
        part_a, part_b = self._part(u_a), self._part(u_b)
        first, last = piece_a * self.steps + part_a, piece_b * self.steps + part_b
        same = first == last
        edge_a, edge_b = (part_a + 1) / self.steps, part_b / self.steps
        widths = self._pieces.widths
        upper = np.where(same, u_b, edge_a)
        in_first = self._over(piece_a, u_a, upper, np.where(same, b - a, (edge_a - u_a) * widths[piece_a]))
        in_last = self._over(piece_b, edge_b, u_b, (u_b - edge_b) * widths[piece_b])
        between = self._between(np.minimum(first + 1, last), last)
        return np.asarray(sign * (in_first + between + np.where(same, 0.0, in_last)))

    def _between(self, first: Integers, last: Integers) -> Floats:
        """The integrals over the parts from a first one to that before a last one."""
        with np.errstate(invalid="ignore"):  # differences of infinite sums
            found = self.sums[last] - self.sums[first] + (self.corrections[last] - self.corrections[first])
        between = np.where(first < last, found, 0.0)
        inexact = np.flatnonzero((first < last) & ~(np.abs(between) > self.least[last]))
        if inexact.size:
            ranges = np.column_stack([first[inexact], last[inexact]]).ravel()
            between[inexact] = np.add.reduceat(self._parts, ranges)[::2]
        return between

    def _part(self, u: Floats) -> Integers:
        """In which part of its piece is each u?"""
        return np.clip((u * self.steps).astype(np.intp), 0, self.steps - 1)

    def _over(self, piece: Integers, start: Floats, end: Floats, length: Floats) -> Floats:
        """The integrals from one u to another in a part of a piece, with the length in the coordinate; shape (n,)."""
        middle, half = 0.5 * (start + end), 0.5 * (end - start)
        if self.is_exact:
            mean = made_by(_MEAN)()
            return np.asarray(length * mean(middle, half * half, *self._pieces.coefficients[piece].T))
        together = max(1, _MOST_VALUES // self.nodes.size)
        parts = [slice(start, start + together) for start in range(0, middle.size, together)]
        means = [self._mean(piece[part], middle[part], half[part]) for part in parts]
        return np.asarray(length * np.concatenate([np.empty(0), *means]))

    def _mean(self, piece: Integers, middle: Floats, half: Floats) -> Floats:
        """The mean of the function times the slope of the argument, by quadrature; shape (n,)."""
        u = middle + half * self.nodes[:, None]
        values = np.polynomial.polynomial.polyval(u, self._pieces.coefficients[piece].T, tensor=False)
        t = self._rows.low + (self._rows.offsets[piece] + u) * self._pieces.widths[piece]
        slopes = self._slopes(np.clip(t, self._pieces.low, self._pieces.high).ravel()).reshape(t.shape)
        integrand = (np.exp(values) if self._log else values) * slopes
        return np.asarray(0.5 * (self.weights @ integrand))


def _exact_sums(terms: Floats) -> tuple[Floats, Floats]:
    """The sums of the first terms, none to all, and what was rounded off, so that small sums are differences of large.

    The error of each addition is exactly that of D. E. Knuth, The Art of Computer Programming, vol. 2, section 4.2.2.
    """
    sums = np.concatenate([[0.0], np.cumsum(terms)])
    before, after = sums[:-1], sums[1:]
    added = after - before
    errors = (before - (after - added)) + (terms - added)
    errors[~np.isfinite(errors)] = 0.0  # where a sum is infinite
    return sums, np.concatenate([[0.0], np.cumsum(errors)])
