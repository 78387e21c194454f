"""At which coordinates does a piecewise polynomial have a value? The Newton steps of `inverse`, and all roots."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from stored._tables.axis import Floats
from stored._tables.bernstein import to_bernstein
from stored._tables.pieces import DEGREE, Pieces

__all__ = ["Branch", "find_roots", "monotonic_branch"]

_ROUNDING = 16.0 * np.finfo(float).eps
"""Differences below this fraction of the values are rounding."""

_MOST_STEPS = 100
"""Newton's method takes at most so many steps."""

_TOGETHER = 1e-7
"""Roots that are closer to each other than this fraction of the axis are taken as one."""


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
    rounding = _ROUNDING * float(np.max(np.abs(extremes)))
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
    for number in _maybe_turning(powers):
        begin = ends[0] if number == 0 else 0.0
        end = ends[1] if number == len(powers) - 1 else 1.0
        u = np.array(_real_roots(_slope(powers[number]), begin, end))
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


def _maybe_turning(powers: Floats) -> list[int]:
    """The pieces whose derivative may change its sign: its Bernstein coefficients, whose hull contains it, do."""
    bernstein = to_bernstein(powers[:, 1:] * np.arange(1, DEGREE + 1))
    return [int(each) for each in np.flatnonzero((bernstein.min(axis=1) < 0.0) & (bernstein.max(axis=1) > 0.0))]


def _slope(powers: Floats) -> Floats:
    return np.asarray(np.polynomial.polynomial.polyder(powers), dtype=float)


def _real_roots(powers: Floats, begin: float, end: float) -> list[float]:
    """The real roots of a polynomial between two points."""
    scale = float(np.max(np.abs(powers)))
    if scale == 0.0:
        return []
    kept = powers[: int(np.flatnonzero(np.abs(powers) > np.finfo(float).eps * scale)[-1]) + 1] / scale
    roots = np.polynomial.polynomial.polyroots(kept) if kept.size > 1 else np.empty(0)
    real = roots.real[np.abs(roots.imag) <= 1e-7]
    return sorted(float(each) for each in real if begin < each < end)


def find_roots(pieces: Pieces, target: float, allowance: float) -> Floats:
    """The coordinates, increasing, at which a function has a value; of a stretch where it stays there, the ends.

    Parameters
    ----------
    pieces : Pieces
        The function.
    target : float
        The value.
    allowance : float
        An extreme of the function touches the value if it comes so close to it.
    """
    shifted = pieces.coefficients.copy()
    shifted[:, 0] -= target
    ends = np.append(shifted[1:, 0], np.sum(shifted[-1]))  # the next piece's start, so that no root is lost in between
    rounding = _ROUNDING * (abs(target) + float(np.max(np.abs(pieces.coefficients[:, 0]))))
    reach = np.sum(np.abs(shifted[:, 1:]), axis=1) + max(rounding, allowance)
    found: set[float] = set()
    flat_starts: set[float] = set()
    flat_ends: set[float] = set()
    for number in np.flatnonzero(np.abs(shifted[:, 0]) <= reach):
        start, end = pieces.edges[number : number + 2].tolist()
        width = pieces.widths[number]
        u, values = _extremes(shifted[number], float(ends[number]), rounding)
        t = [start, *(start + width * np.array(u[1:-1])).tolist(), end]
        found.update(start + width * root for root in _sign_changes(shifted[number], u, values))
        found.update(t[index] for index, value in enumerate(values) if value == 0.0)
        found.update(t[index] for index in _touching(values, allowance))
        flat = [index for index, pair in enumerate(itertools.pairwise(values)) if pair == (0.0, 0.0)]
        flat_starts.update(t[index] for index in flat)
        flat_ends.update(t[index + 1] for index in flat)
    roots = np.array(sorted(found - (flat_starts & flat_ends)))
    apart = np.diff(roots, prepend=-np.inf) > _TOGETHER * (pieces.high - pieces.low)  # beside a kink there are ripples
    return np.asarray(roots[apart])


def _sign_changes(powers: Floats, u: list[float], values: list[float]) -> list[float]:
    """The roots of a polynomial between neighbouring extremes of different sign."""
    return [
        _bisect(powers, u[index], u[index + 1], before < 0.0)
        for index, (before, after) in enumerate(itertools.pairwise(values))
        if before < 0.0 < after or after < 0.0 < before
    ]


def _extremes(powers: Floats, end: float, rounding: float) -> tuple[list[float], list[float]]:
    """The ends of [0, 1] and where a polynomial is stationary between, and its values; 0 for what is nearly that."""
    stationary = _real_roots(_slope(powers), 0.0, 1.0)
    values = np.array([powers[0], *np.polynomial.polynomial.polyval(np.array(stationary), powers), end])
    return [0.0, *stationary, 1.0], np.where(np.abs(values) <= rounding, 0.0, values).tolist()


def _touching(values: list[float], allowance: float) -> list[int]:
    """Which extremes, other than the ends, come so close to zero without crossing it."""
    inner = range(1, len(values) - 1)
    return [
        each
        for each in inner
        if 0.0 < abs(values[each]) <= allowance
        and all(
            other * math.copysign(1.0, values[each]) > abs(values[each])
            for other in (values[each - 1], values[each + 1])
        )
    ]


def _bisect(powers: Floats, low: float, high: float, rises: bool) -> float:
    """The root of a polynomial between two points, to the last digit."""
    while low < (middle := 0.5 * (low + high)) < high:
        if (_value(powers, middle) < 0.0) is rises:
            low = middle
        else:
            high = middle
    return high
