"""A part of an axis with the polynomial that approximates the function on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stored._tables.axis import Floats
from stored._tables.convergence import GENERATIONS, History
from stored._tables.leja import basis, leja_points, scale_to

__all__ = ["Part"]

_NARROWEST = 2.0**-44
"""A part narrower than this fraction of the axis is not halved."""

_FEWEST_FLOATS = 256
"""A part that contains fewer floats than this is not halved."""


@dataclass
class Part:
    """A part of an axis with the polynomial that approximates the function on it.

    Parameters
    ----------
    low, high : float
        Its limits, as coordinates.
    depth : int
        How many times the axis was halved to get it.

    Attributes
    ----------
    values : ndarray, shape (n,)
        The function at the first n Leja points of the part.
    held_out, inherited : tuple of (ndarray, ndarray)
        Coordinates and values that the polynomial was not fitted to: those that its error is measured by, and those
        that were known when the part was made.
    error : float
        The largest error that was measured last; infinite before the first.
    allowed : float
        The error that is allowed everywhere on the part.
    history : list of (int, float)
        For each number of nodes the error of the polynomial through them.
    earlier : list of list of (int, float)
        The histories of the parts that were halved to get this one, the widest first.
    """

    low: float
    high: float
    depth: int

    def __post_init__(self) -> None:
        self.values: Floats = np.empty(0)
        self.held_out: tuple[Floats, Floats] = (np.empty(0), np.empty(0))
        self.inherited: tuple[Floats, Floats] = (np.empty(0), np.empty(0))
        self.allowed = 0.0
        self.error = math.inf
        self.history: History = []
        self.earlier: list[History] = []

    def coordinates(self, s: Floats) -> Floats:
        """From [-1, 1] to coordinates; ends and middle are exactly the limits of the neighbours and of the halves."""
        return scale_to(s, self.low, self.high)

    def nodes(self) -> Floats:
        """The coordinates of the nodes."""
        return self.coordinates(leja_points(0, self.values.size))

    def __call__(self, s: Floats) -> Floats:
        """The polynomial at points of [-1, 1]."""
        return np.asarray(basis(self.values.size, s) @ self.values)

    def local(self, t: Floats) -> Floats:
        """From coordinates to [-1, 1]."""
        return np.asarray((2.0 * t - self.low - self.high) / (self.high - self.low))

    def is_too_narrow(self, span: float) -> bool:
        """Is it too narrow to be halved, compared with the axis or with the distance of floats?"""
        distinguishable = _FEWEST_FLOATS * float(np.spacing(max(abs(self.low), abs(self.high))))
        return self.high - self.low <= max(_NARROWEST * span, distinguishable)

    def halves(self) -> list[Part]:
        """The two halves; they inherit all values known there, which their polynomials are checked against."""
        middle = 0.5 * (self.low + self.high)
        t = np.concatenate([self.nodes(), self.held_out[0]])
        values = np.concatenate([self.values, self.held_out[1]])
        lower = Part(self.low, middle, self.depth + 1)
        upper = Part(middle, self.high, self.depth + 1)
        for half, chosen in ((lower, t < middle), (upper, t > middle)):
            half.inherited = t[chosen], values[chosen]
            half.error, half.allowed = self.error, self.allowed  # until its own are known
            half.earlier = [*self.earlier, self.history][-GENERATIONS:]
        return [lower, upper]
