"""At which coordinates does a piecewise polynomial have a value? All of them, increasing."""

from __future__ import annotations

import itertools
import math

import numpy as np

from stored._tables.axis import Floats
from stored._tables.bernstein import to_bernstein
from stored._tables.code_template import made_by
from stored._tables.pieces import Pieces
from stored._tables.polynomial_code import COEFFICIENTS, derivative_code
from stored._tables.solve import ROUNDING, real_roots, slope_powers, turning_pieces

__all__ = ["RootFinder"]

_TOGETHER = 1e-7
"""Roots that are closer to each other than this fraction of the axis are taken as one."""

_VALUE = f"""
def make():
    def value(u, {", ".join(COEFFICIENTS)}):
        return {derivative_code(0)}
    return value
"""

_value = made_by(_VALUE)()
"""A polynomial at one u, in plain Python floats."""


class RootFinder:
    """What finds the coordinates at which a function has values.

    Parameters
    ----------
    pieces : Pieces
        The function.
    """

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        powers = pieces.coefficients
        self._starts = powers[:, 0]
        self._largest = float(np.max(np.abs(self._starts)))
        self._next = np.append(self._starts[1:], _value(1.0, *powers[-1].tolist()))
        margins = ROUNDING * np.sum(np.abs(powers), axis=1)
        bernstein = to_bernstein(powers)
        self._lowest = np.minimum(bernstein.min(axis=1), self._next) - margins
        self._highest = np.maximum(bernstein.max(axis=1), self._next) + margins
        self._turning = set(turning_pieces(powers))

    def __call__(self, target: float, allowance: float) -> Floats:
        """The coordinates, increasing, where the function has a value; of a stretch where it stays there, the ends.

        Parameters
        ----------
        target : float
            The value.
        allowance : float
            An extreme of the function touches the value if it comes so close to it.
        """
        rounding = ROUNDING * (abs(target) + self._largest)
        reach = max(rounding, allowance)
        near = np.flatnonzero((self._lowest <= target + reach) & (self._highest >= target - reach))
        found: set[float] = set()
        flat_starts: set[float] = set()
        flat_ends: set[float] = set()
        for number in near.tolist():
            powers = [float(self._starts[number]) - target, *self._pieces.coefficients[number, 1:].tolist()]
            start, end = self._pieces.edges[number : number + 2].tolist()
            width = float(self._pieces.widths[number])
            # the next piece's start, so that no root is lost in between
            after = float(self._next[number]) - target
            u, values = _extremes(powers, after, rounding, number in self._turning)
            t = [start, *[start + width * each for each in u[1:-1]], end]
            found.update(start + width * root for root in _sign_changes(powers, u, values))
            found.update(t[index] for index, value in enumerate(values) if value == 0.0)
            found.update(t[index] for index in _touching(values, allowance))
            flat = [index for index, pair in enumerate(itertools.pairwise(values)) if pair == (0.0, 0.0)]
            flat_starts.update(t[index] for index in flat)
            flat_ends.update(t[index + 1] for index in flat)
        roots = np.array(sorted(found - (flat_starts & flat_ends)))
        width = self._pieces.high - self._pieces.low
        apart = np.diff(roots, prepend=-np.inf) > _TOGETHER * width  # beside a kink there are ripples
        return np.asarray(roots[apart])


def _sign_changes(powers: list[float], u: list[float], values: list[float]) -> list[float]:
    """The roots of a polynomial between neighbouring extremes of different sign."""
    return [
        _bisect(powers, u[index], u[index + 1], before < 0.0)
        for index, (before, after) in enumerate(itertools.pairwise(values))
        if before < 0.0 < after or after < 0.0 < before
    ]


def _extremes(powers: list[float], end: float, rounding: float, may_turn: bool) -> tuple[list[float], list[float]]:
    """The ends of [0, 1] and where a polynomial is stationary between, and its values; 0 for what is nearly that."""
    stationary = real_roots(slope_powers(np.array(powers)), 0.0, 1.0) if may_turn else []
    values = [powers[0], *[_value(u, *powers) for u in stationary], end]
    return [0.0, *stationary, 1.0], [0.0 if abs(value) <= rounding else value for value in values]


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


def _bisect(powers: list[float], low: float, high: float, rises: bool) -> float:
    """The root of a polynomial between two points, to the last digit."""
    while low < (middle := 0.5 * (low + high)) < high:
        if (_value(middle, *powers) < 0.0) is rises:
            low = middle
        else:
            high = middle
    return high
