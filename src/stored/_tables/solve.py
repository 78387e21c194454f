"""Where a piecewise polynomial has a value: on a branch that is proved to be monotonic, or anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stored._tables.axis import Floats
from stored._tables.pieces import DEGREE, Pieces

__all__ = ["Branch", "crossings", "monotonic_branch"]

_ROUNDING = 16.0 * np.finfo(float).eps

_MOST_STEPS = 100

_TOGETHER = 1e-7
"""Roots that are closer than this fraction of the axis are one."""

_TO_BERNSTEIN = np.array(
    [[math.comb(row, power) / math.comb(DEGREE - 1, power) for power in range(DEGREE)] for row in range(DEGREE)]
)
"""From powers to Bernstein coefficients, of the degree that a piece's derivative has."""


class Branch:
    """A stretch of pieces along which the function rises or falls throughout, but for what its error may have done.

    Parameters
    ----------
    pieces : Pieces
        The function.
    t : ndarray, shape (n,)
        Coordinates, increasing: the edges of its pieces, and where the function is stationary.
    values : ndarray, shape (n,)
        There.
    """

    def __init__(self, pieces: Pieces, t: Floats, values: Floats) -> None:
        first, last = sorted([int(np.argmin(values)), int(np.argmax(values))])  # in between it takes every value
        t, values = t[first : last + 1], values[first : last + 1]
        self._pieces = pieces
        self._t = t
        self._sign = 1.0 if values[-1] > values[0] else -1.0
        self._values = np.maximum.accumulate(self._sign * values)  # where it turns, the values are taken already
        self.lowest, self.highest = sorted([float(values[0]), float(values[-1])])
        self.limits = (float(t[0]), float(t[-1]))

    def solve(self, targets: Floats) -> Floats:
        """The coordinates at which the function has values, each between the lowest and the highest.

        Newton's method in a bracket that shrinks with every step; where it would leave the bracket, the middle.
        """
        wanted = self._sign * targets
        place = np.clip(np.searchsorted(self._values, wanted, side="right") - 1, 0, len(self._t) - 2)
        piece, _ = self._pieces.locate(0.5 * (self._t[place] + self._t[place + 1]))
        start, width = self._pieces.edges[piece], self._pieces.widths[piece]
        below = (self._t[place] - start) / width
        above = (self._t[place + 1] - start) / width
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


def monotonic_branch(
    pieces: Pieces, low: float, high: float, slack: Callable[[Floats], Floats]
) -> Branch | float | None:
    """The branch between two coordinates, the coordinate at which it turns, or None if the function is constant.

    Parameters
    ----------
    pieces : Pieces
        The function.
    low, high : float
        Coordinates.
    slack : callable
        From values to how far the function may turn back there: what its error could have done.
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
    t, extremes = _with_stationary(pieces, first, edges, values, (begin, end))
    rounding = _ROUNDING * float(np.max(np.abs(extremes)))
    if np.ptp(extremes) <= rounding:
        return None
    turn = _first_turn(extremes, np.maximum(slack(extremes), rounding))
    return Branch(pieces, t, extremes) if turn is None else float(t[turn])


def _value(powers: Floats, u: float) -> float:
    return float(np.polynomial.polynomial.polyval(u, powers))


def _with_stationary(
    pieces: Pieces, first: int, edges: Floats, values: Floats, ends: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Coordinates and values at the edges of pieces, and where a piece is stationary in between."""
    t, found = [edges], [values]
    powers = pieces.coefficients[first : first + len(edges) - 1]
    for number in maybe_turning(powers):
        begin = ends[0] if number == 0 else 0.0
        end = ends[1] if number == len(powers) - 1 else 1.0
        u = np.array(_real_roots(_slope(powers[number]), begin, end))
        t.append(pieces.edges[first + number] + pieces.widths[first + number] * u)
        found.append(np.polynomial.polynomial.polyval(u, powers[number]))
    together = np.concatenate(t)
    order = np.argsort(together, kind="stable")
    return together[order], np.concatenate(found)[order]


def _first_turn(values: Floats, slack: Floats) -> int | None:
    """Where a sequence first turns back by more than it may."""
    up = np.flatnonzero(np.maximum.accumulate(values) - values > slack)
    down = np.flatnonzero(values - np.minimum.accumulate(values) > slack)
    if not (up.size and down.size):
        return None
    # it has turned when both have happened: the extreme before that is where
    back = int(max(up[0], down[0]))
    return int(np.argmax(values[: back + 1]) if up[0] > down[0] else np.argmin(values[: back + 1]))


def maybe_turning(powers: Floats) -> list[int]:
    """The pieces whose derivative has not one sign by its Bernstein coefficients, whose hull contains it."""
    bernstein = (powers[:, 1:] * np.arange(1, DEGREE + 1)) @ _TO_BERNSTEIN.T
    return [int(each) for each in np.flatnonzero((bernstein.min(axis=1) < 0.0) & (bernstein.max(axis=1) > 0.0))]


def _slope(powers: Floats) -> Floats:
    return np.asarray(np.polynomial.polynomial.polyder(powers), dtype=float)


def _real_roots(powers: Floats, begin: float, end: float) -> list[float]:
    scale = float(np.max(np.abs(powers)))
    if scale == 0.0:
        return []
    kept = powers[: int(np.flatnonzero(np.abs(powers) > np.finfo(float).eps * scale)[-1]) + 1] / scale
    roots = np.polynomial.polynomial.polyroots(kept) if kept.size > 1 else np.empty(0)
    near = roots.real[np.abs(roots.imag) <= 1e-7]
    return sorted(float(each) for each in near if begin < each < end)


def crossings(pieces: Pieces, target: float, slack: float) -> Floats:
    """The coordinates, increasing, at which a function has a value; of a stretch where it stays there, the ends.

    Parameters
    ----------
    pieces : Pieces
        The function.
    target : float
        The value.
    slack : float
        An extreme that comes so close touches the value.
    """
    shifted = pieces.coefficients.copy()
    shifted[:, 0] -= target
    ends = np.append(shifted[1:, 0], np.sum(shifted[-1]))  # what the next piece begins with, so that no root is between
    rounding = _ROUNDING * (abs(target) + float(np.max(np.abs(pieces.coefficients[:, 0]))))
    reach = np.sum(np.abs(shifted[:, 1:]), axis=1) + max(rounding, slack)
    found: list[float] = []
    begins: set[float] = set()
    stops: set[float] = set()
    for number in np.flatnonzero(np.abs(shifted[:, 0]) <= reach):
        edges = pieces.edges[number : number + 2].tolist()
        u, values = _critical(shifted[number], float(ends[number]), rounding)
        t = [edges[0], *(edges[0] + pieces.widths[number] * np.array(u[1:-1])).tolist(), edges[1]]
        for index in range(len(u) - 1):
            before, after = values[index], values[index + 1]
            if before == 0.0 == after:
                begins.add(t[index])
                stops.add(t[index + 1])
            elif (before < 0.0 < after) or (after < 0.0 < before):
                root = _bisected(shifted[number], u[index], u[index + 1], before < 0.0)
                found.append(edges[0] + pieces.widths[number] * root)
        found += [at for at, value in zip(t, values, strict=True) if value == 0.0]
        found += [t[index] for index in _touching(values, slack)]
    roots = np.array(sorted(set(found) - (begins & stops)))
    apart = np.diff(roots, prepend=-np.inf) > _TOGETHER * (pieces.high - pieces.low)  # beside a kink there are ripples
    return np.asarray(roots[apart])


def _critical(powers: Floats, end: float, rounding: float) -> tuple[list[float], list[float]]:
    """The ends of [0, 1] and where a polynomial is stationary between, and its values; 0 for what is nearly that."""
    stationary = _real_roots(_slope(powers), 0.0, 1.0)
    values = np.array([powers[0], *np.polynomial.polynomial.polyval(np.array(stationary), powers), end])
    return [0.0, *stationary, 1.0], np.where(np.abs(values) <= rounding, 0.0, values).tolist()


def _touching(values: list[float], slack: float) -> list[int]:
    """Which extremes between the ends come so close to zero, from one side, without crossing it."""
    inner = range(1, len(values) - 1)
    return [
        each
        for each in inner
        if 0.0 < abs(values[each]) <= slack
        and all(
            other * math.copysign(1.0, values[each]) > abs(values[each])
            for other in (values[each - 1], values[each + 1])
        )
    ]


def _bisected(powers: Floats, low: float, high: float, rises: bool) -> float:
    while low < (middle := 0.5 * (low + high)) < high:
        if (_value(powers, middle) < 0.0) is rises:
            low = middle
        else:
            high = middle
    return high
