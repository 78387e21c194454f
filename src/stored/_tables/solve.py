"""On which ranges does a piecewise polynomial only rise or only fall, and where has it a value there?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stored._tables.axis import Floats
from stored._tables.bernstein import to_bernstein
from stored._tables.pieces import DEGREE, Pieces

__all__ = ["ROUNDING", "Branch", "monotonic_branch", "real_roots", "slope_powers", "turning_pieces"]

ROUNDING = 16.0 * np.finfo(float).eps
"""Differences below this fraction of the values are rounding."""

_MOST_STEPS = 100
"""Newton's method takes at most so many steps."""


class Branch:
    """A range of the coordinate in which the function only rises or only falls, but for what its error may have done.

    Parameters
    ----------
    pieces : Pieces
        The function.
    t : ndarray, shape (n,)
        Coordinates, increasing: the edges of its pieces, and where the function is stationary.
    values : ndarray, shape (n,)
        The function there.

    Attributes
    ----------
    lowest, highest : float
        The range of values.
    limits : tuple of (float, float)
        The arguments between which the function takes all of them; coordinates, until they are set.
    sign : float
        1 if it rises, and -1 if it falls.
    values : ndarray, shape (m,)
        `sign` times the function at those of `t` between its smallest and its largest value, increasing.
    piece : ndarray of int, shape (m - 1,)
        The piece that lies between two of them.
    lower, upper : ndarray, shape (m - 1,)
        The range of u there.
    """

    def __init__(self, pieces: Pieces, t: Floats, values: Floats) -> None:
        # the function takes every value between its smallest and its largest
        first, last = sorted([int(np.argmin(values)), int(np.argmax(values))])
        t, values = t[first : last + 1], values[first : last + 1]
        self._pieces = pieces
        self.sign = 1.0 if values[-1] > values[0] else -1.0
        self.values = np.maximum.accumulate(self.sign * values)  # where it turns, it has taken the values before
        self.lowest, self.highest = sorted([float(values[0]), float(values[-1])])
        self.limits = (float(t[0]), float(t[-1]))
        self.piece, _ = pieces.locate(0.5 * (t[:-1] + t[1:]))
        start, width = pieces.edges[self.piece], pieces.widths[self.piece]
        self.lower, self.upper = (t[:-1] - start) / width, (t[1:] - start) / width

    def solve(self, targets: Floats) -> Floats:
        """The coordinates at which the function has values between the lowest and the highest.

        Newton's method, in a bracket that shrinks with every step; where a step would leave the bracket, bisection.
        """
        targets = self.sign * targets
        place = np.searchsorted(self.values[1:-1], targets, side="right")
        piece, lower, upper = self.piece[place], self.lower[place], self.upper[place]
        start, width = self._pieces.edges[piece], self._pieces.widths[piece]
        powers = self.sign * self._pieces.coefficients[piece].T
        slopes = np.polynomial.polynomial.polyder(powers)
        u = 0.5 * (lower + upper)
        for _ in range(_MOST_STEPS):
            residual = np.polynomial.polynomial.polyval(u, powers, tensor=False) - targets
            lower, upper = np.where(residual <= 0.0, u, lower), np.where(residual >= 0.0, u, upper)
            with np.errstate(divide="ignore", invalid="ignore"):
                better = u - residual / np.polynomial.polynomial.polyval(u, slopes, tensor=False)
            better = np.where((better >= lower) & (better <= upper), better, 0.5 * (lower + upper))
            if np.array_equal(better, u):
                break
            u = better
        return np.asarray(start + u * width)


def monotonic_branch(
    pieces: Pieces, low: float, high: float, turn_allowance: Callable[[Floats], Floats]
) -> Branch | float | None:
    """The branch between two coordinates; if there is none, the coordinate where it turns, or None if it is constant.

    Parameters
    ----------
    pieces : Pieces
        The function.
    low, high : float
        Coordinates.
    turn_allowance : callable
        From values to how far the function may turn back there, as its error may have made it.
    """
    numbers, places = pieces.locate(np.array([low, high]))
    first, last = numbers.tolist()
    begin, end = places.tolist()
    if last > first and end == 0.0:
        last, end = last - 1, 1.0
    edges = np.concatenate([[low], pieces.edges[first + 1 : last + 1], [high]])
    powers = pieces.coefficients[first : last + 1]
    values = np.append(powers[:, 0], _value(powers[-1], end))
    values[0] = _value(powers[0], begin)
    t, extremes = _with_stationary_points(pieces, first, edges, values, (begin, end))
    rounding = ROUNDING * float(np.max(np.abs(extremes)))
    if np.ptp(extremes) <= rounding:
        return None
    turn = _first_turn(extremes, np.maximum(turn_allowance(extremes), rounding))
    return Branch(pieces, t, extremes) if turn is None else float(t[turn])


def _value(powers: Floats, u: float) -> float:
    return float(np.polynomial.polynomial.polyval(u, powers))


def _with_stationary_points(
    pieces: Pieces, first: int, edges: Floats, values: Floats, ends: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Coordinates and values at the edges of pieces, and where a piece is stationary between them.

    Parameters
    ----------
    pieces : Pieces
        The function.
    first : int
        The first of the pieces.
    edges, values : ndarray, shape (n,)
        The coordinates of the edges, and the values there.
    ends : tuple of (float, float)
        Where u begins in the first piece, and ends in the last.
    """
    t, found = [edges], [values]
    powers = pieces.coefficients[first : first + len(edges) - 1]
    for number in turning_pieces(powers):
        begin = ends[0] if number == 0 else 0.0
        end = ends[1] if number == len(powers) - 1 else 1.0
        u = np.array(real_roots(slope_powers(powers[number]), begin, end))
        t.append(pieces.edges[first + number] + pieces.widths[first + number] * u)
        found.append(np.polynomial.polynomial.polyval(u, powers[number]))
    together = np.concatenate(t)
    order = np.argsort(together, kind="stable")
    return together[order], np.concatenate(found)[order]


def _first_turn(values: Floats, allowance: Floats) -> int | None:
    """Where a sequence first turns back by more than is allowed; None if it does not."""
    up = np.flatnonzero(np.maximum.accumulate(values) - values > allowance)
    down = np.flatnonzero(values - np.minimum.accumulate(values) > allowance)
    if not (up.size and down.size):
        return None
    # when it has gone both up and down it has turned, at the extreme before that
    back = int(max(up[0], down[0]))
    return int(np.argmax(values[: back + 1]) if up[0] > down[0] else np.argmin(values[: back + 1]))


def turning_pieces(powers: Floats) -> list[int]:
    """The pieces whose derivative may change its sign: its Bernstein coefficients, whose hull contains it, do."""
    bernstein = to_bernstein(powers[:, 1:] * np.arange(1, DEGREE + 1))
    return [int(each) for each in np.flatnonzero((bernstein.min(axis=1) < 0.0) & (bernstein.max(axis=1) > 0.0))]


def slope_powers(powers: Floats) -> Floats:
    """The derivative of a polynomial."""
    return np.asarray(np.polynomial.polynomial.polyder(powers), dtype=float)


def real_roots(powers: Floats, begin: float, end: float) -> list[float]:
    """The real roots of a polynomial, which is not zero throughout, between two points."""
    scale = float(np.max(np.abs(powers)))
    kept = powers[: int(np.flatnonzero(np.abs(powers) > np.finfo(float).eps * scale)[-1]) + 1] / scale
    roots = np.polynomial.polynomial.polyroots(kept) if kept.size > 1 else np.empty(0)
    real = roots.real[np.abs(roots.imag) <= 1e-7]
    return sorted(float(each) for each in real if begin < each < end)
