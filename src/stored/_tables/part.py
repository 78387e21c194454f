"""A part of an axis, and the polynomial that stands for the function there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from stored._tables.axis import Floats
from stored._tables.leja import basis, leja_points, scaled

__all__ = ["GENERATIONS", "History", "Part"]

GENERATIONS = 2

_NARROWEST = 2.0**-44

_FLOATS_APART = 256
"""A part of fewer floats than this is not divided."""

History: TypeAlias = list[tuple[int, float]]
"""Numbers of nodes, and the errors of the polynomials through them."""


@dataclass
class Part:
    """A part of the axis, and the polynomial that stands for the function there.

    Parameters
    ----------
    low, high : float
        Its limits, coordinates.
    depth : int
        How often the axis was halved to get it.
    number : int
        Its place among the parts of that depth.
    """

    low: float
    high: float
    depth: int
    number: int

    def __post_init__(self) -> None:
        self.values: Floats = np.empty(0)
        self.held_out: tuple[Floats, Floats] = (np.empty(0), np.empty(0))
        self.inherited: tuple[Floats, Floats] = (np.empty(0), np.empty(0))
        self.allowed = 0.0
        self.error = math.inf  # until the first values beyond the nodes
        self.history: History = []
        self.above: list[History] = []  # the histories of the parts that this one is half of

    def coordinates(self, s: Floats) -> Floats:
        """From [-1, 1] to the part; the ends and the middle are exactly those of the parts beside and below."""
        return scaled(s, self.low, self.high)

    def nodes(self) -> Floats:
        """The coordinates of the nodes."""
        return self.coordinates(leja_points(0, self.values.size))

    def __call__(self, s: Floats) -> Floats:
        """The polynomial at points of [-1, 1]."""
        return np.asarray(basis(self.values.size, s) @ self.values)

    def local(self, t: Floats) -> Floats:
        """From coordinates to [-1, 1]."""
        return np.asarray((2.0 * t - self.low - self.high) / (self.high - self.low))

    def is_narrow(self, span: float) -> bool:
        """Is there no use in halving it, because of its width or of what floats can tell apart?"""
        told_apart = _FLOATS_APART * float(np.spacing(max(abs(self.low), abs(self.high))))
        return self.high - self.low <= max(_NARROWEST * span, told_apart)

    def halves(self) -> list[Part]:
        """The two halves; they inherit all values known there, to be checked against."""
        middle = 0.5 * (self.low + self.high)
        known_t = np.concatenate([self.nodes(), self.held_out[0]])
        known = np.concatenate([self.values, self.held_out[1]])
        below = Part(self.low, middle, self.depth + 1, 2 * self.number)
        above = Part(middle, self.high, self.depth + 1, 2 * self.number + 1)
        for half, chosen in ((below, known_t < middle), (above, known_t > middle)):
            half.inherited = known_t[chosen], known[chosen]
            half.error, half.allowed = self.error, self.allowed  # until its own are known
            half.above = [*self.above, self.history][-GENERATIONS:]
        return [below, above]
