"""Where a piecewise polynomial has a value: on a branch that is proved to be monotonic, or anywhere."""

from __future__ import annotations

import math

import numpy as np

from stored._axes import Floats
from stored._pieces import DEGREE, Pieces

__all__ = ["Branch", "crossings", "turning_free"]

_ROUNDING = 16.0 * np.finfo(float).eps
_MOST_STEPS = 100
_TO_BERNSTEIN = np.array(
    [[math.comb(row, power) / math.comb(DEGREE - 1, power) for power in range(DEGREE)] for row in range(DEGREE)]
)
"""From powers to Bernstein coefficients, of the degree that a piece's derivative has."""


class Branch:
    """A stretch of pieces along which the function rises or falls throughout.

    Parameters
    ----------
    pieces : Pieces
        The function.
    first : int
        The number of the first piece.
    edges : ndarray, shape (n + 1,)
        The coordinates of the limits of its pieces, the first and last of them cut off.
    values : ndarray, shape (n + 1,)
        There.
    """

    def __init__(self, pieces: Pieces, first: int, edges: Floats, values: Floats) -> None:
        self._pieces = pieces
        self._first = first
        self._edges = edges
        self._sign = 1.0 if values[-1] > values[0] else -1.0
        self._values = np.maximum.accumulate(self._sign * values)  # between two pieces rounding may turn
        self.lowest, self.highest = sorted([float(values[0]), float(values[-1])])
        self.limits = (float(edges[0]), float(edges[-1]))

    def solve(self, targets: Floats) -> Floats:
        """The coordinates at which the function has values, each between the lowest and the highest.

        Newton's method in a bracket that shrinks with every step; where it would leave the bracket, the middle.
        """
        wanted = self._sign * targets
        place = np.clip(np.searchsorted(self._values, wanted, side="right") - 1, 0, len(self._edges) - 2)
        piece = self._first + place
        start, width = self._pieces.edges[piece], self._pieces.widths[piece]
        below = (self._edges[place] - start) / width
        above = (self._edges[place + 1] - start) / width
        powers = self._sign * self._pieces.coefficients[piece].T
        slopes = np.polynomial.polynomial.polyder(powers)
        u = 0.5 * (below + above)
        for _ in range(_MOST_STEPS):
            off = np.polynomial.polynomial.polyval(u, powers, tensor=False) - wanted
            below, above = np.where(off <= 0.0, u, below), np.where(off >= 0.0, u, above)
            with np.errstate(divide="ignore", invalid="ignore"):
                better = u - off / np.polynomial.polynomial.polyval(u, slopes, tensor=False)
            better = np.where((better >= below) & (better <= above), better, 0.5 * (below + above))
            if np.array_equal(better, u):
                break
            u = better
        return np.asarray(start + u * width)


def turning_free(pieces: Pieces, low: float, high: float) -> Branch | float | None:
    """The branch between two coordinates, the coordinate at which it turns, or None if the function is constant."""
    numbers, places = pieces.locate(np.array([low, high]))
    first, last = numbers.tolist()
    if last > first and places[1] == 0.0:
        last -= 1
        places[1] = 1.0
    edges = np.concatenate([[low], pieces.edges[first + 1 : last + 1], [high]])
    powers = pieces.coefficients[first : last + 1]
    at = np.concatenate([[places[0]], np.zeros(last - first)])
    values = np.polynomial.polynomial.polyval(at, powers.T, tensor=False)
    values = np.append(values, np.polynomial.polynomial.polyval(places[1], powers[-1]))
    if np.ptp(values) == 0.0:
        return None
    slack = _ROUNDING * float(np.max(np.abs(values)))
    sign = 1.0 if values[-1] > values[0] else -1.0
    for number in _undecided(powers, sign):
        begin = places[0] if number == 0 else 0.0
        end = places[1] if number == last - first else 1.0
        turn = _turn(sign * powers[number], float(begin), float(end), slack)
        if turn is not None:
            return float(pieces.edges[first + number] + turn * pieces.widths[first + number])
    falls = np.flatnonzero(np.diff(sign * values) < -slack)
    return float(edges[falls[0]]) if falls.size else Branch(pieces, first, edges, values)


def _undecided(powers: Floats, sign: float) -> list[int]:
    """The pieces whose derivative has not one sign by its Bernstein coefficients, whose hull contains it."""
    slopes = sign * powers[:, 1:] * np.arange(1, DEGREE + 1)
    bernstein = slopes @ _TO_BERNSTEIN.T
    return [int(each) for each in np.flatnonzero(bernstein.min(axis=1) < 0.0)]


def _turn(powers: Floats, begin: float, end: float, slack: float) -> float | None:
    """Where a polynomial first falls by more than rounding, if it does."""
    stationary = _real_roots(np.asarray(np.polynomial.polynomial.polyder(powers), dtype=float), begin, end)
    at = np.array([begin, *stationary, end])
    falls = np.flatnonzero(np.diff(np.polynomial.polynomial.polyval(at, powers)) < -slack)
    if not falls.size:
        return None
    first = int(falls[0])
    return float(at[first] if first else at[1])


def _real_roots(powers: Floats, begin: float, end: float) -> list[float]:
    scale = float(np.max(np.abs(powers)))
    if scale == 0.0:
        return []
    kept = powers[: int(np.flatnonzero(np.abs(powers) > np.finfo(float).eps * scale)[-1]) + 1]
    roots = np.polynomial.polynomial.polyroots(kept) if kept.size > 1 else np.empty(0)
    near = roots.real[np.abs(roots.imag) <= 1e-7]
    return sorted(float(each) for each in near if begin < each < end)


def crossings(pieces: Pieces, target: float) -> Floats:
    """The coordinates, increasing, at which a function has a value; of a stretch where it stays there, some."""
    shifted = pieces.coefficients.copy()
    shifted[:, 0] -= target
    reach = np.sum(np.abs(shifted[:, 1:]), axis=1)
    ends = np.append(shifted[1:, 0], np.sum(shifted[-1]))  # what the next piece begins with, so that no root is between
    slack = _ROUNDING * (abs(target) + float(np.max(np.abs(pieces.coefficients[:, 0]))))
    found: list[float] = []
    for number in np.flatnonzero(np.abs(shifted[:, 0]) <= reach + slack):
        start, width = pieces.edges[number], pieces.widths[number]
        found += [start + width * u for u in _zeros(shifted[number], float(ends[number]), slack)]
    return np.unique(np.minimum(found, pieces.high))


def _zeros(powers: Floats, end: float, slack: float) -> list[float]:
    """The zeros of a polynomial on [0, 1], of which it has `end` at 1; where it only touches zero, to rounding."""
    stationary = _real_roots(np.asarray(np.polynomial.polynomial.polyder(powers), dtype=float), 0.0, 1.0)
    at = [0.0, *stationary, 1.0]
    values = [powers[0], *np.polynomial.polynomial.polyval(np.array(stationary), powers).tolist(), end]
    found = [u for u, value in zip(stationary, values[1:-1], strict=True) if abs(value) <= slack]
    found += [u for u, value in ((0.0, values[0]), (1.0, end)) if value == 0.0]
    for u, v, before, after in zip(at[:-1], at[1:], values[:-1], values[1:], strict=True):
        if before * after < 0.0 and min(abs(before), abs(after)) > 0.0:
            found.append(_bisected(powers, u, v, before))
    return found


def _bisected(powers: Floats, low: float, high: float, before: float) -> float:
    while low < (middle := 0.5 * (low + high)) < high:
        if float(np.polynomial.polynomial.polyval(middle, powers)) * before > 0.0:
            low = middle
        else:
            high = middle
    return high
