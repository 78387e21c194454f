"""Derivatives to the argument by the chain rule, through the coordinate of an axis and the logarithm of the values."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.pieces import LOBATTO, Pieces, powers_from_values

__all__ = ["MOST_ORDER", "argument_slopes", "composite_derivative", "coordinate_derivatives", "exponential_derivative"]

MOST_ORDER = 3

_PIECES = 512
"""A spacing that is a pair of functions is interpolated by so many pieces."""

_FLAT = 1e-9
"""Where the argument's slope is less than this fraction of its mean, the coordinate's is taken to be infinite."""


def composite_derivative(derivatives: list[Floats], coordinate: tuple[Floats, Floats, Floats], order: int) -> Floats:
    """The derivative of p(t(x)) to x, by the formula of Faa di Bruno.

    Parameters
    ----------
    derivatives : list of ndarray
        p and its derivatives to t, up to `order`.
    coordinate : tuple of ndarray
        The derivatives of t to x, of orders 1 to 3.
    order : int
        0 to 3.
    """
    t1, t2, t3 = coordinate
    if order == 0:
        return derivatives[0]
    if order == 1:
        return np.asarray(derivatives[1] * t1)
    if order == 2:
        return np.asarray(derivatives[2] * t1**2 + derivatives[1] * t2)
    return np.asarray(derivatives[3] * (t1 * t1 * t1) + 3.0 * derivatives[2] * t1 * t2 + derivatives[1] * t3)


def exponential_derivative(derivative: Callable[[int, int], Floats], first: int, second: int) -> Floats:
    """A partial derivative of exp(g(x, y)), by the rule of Leibniz for its derivative times that of g.

    Parameters
    ----------
    derivative : callable
        From two orders to the derivative of g.
    first, second : int
        The orders along x and y.
    """
    if first == second == 0:
        return np.exp(derivative(0, 0))
    along_x = first > 0  # take the first derivative along an axis along which there is one
    rest_x, rest_y = (first - 1, second) if along_x else (first, second - 1)
    total = np.zeros_like(derivative(0, 0))
    for i in range(rest_x + 1):
        for j in range(rest_y + 1):
            inner = derivative(i + 1, j) if along_x else derivative(i, j + 1)
            number = math.comb(rest_x, i) * math.comb(rest_y, j)
            total += number * inner * exponential_derivative(derivative, rest_x - i, rest_y - j)
    return total


def coordinate_derivatives(axis: Axis, x: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
    """The derivatives of an axis's coordinate to the argument, of orders 1 to 3.

    Parameters
    ----------
    axis : Axis
        The axis.
    x, t : ndarray, shape (n,)
        Arguments, and their coordinates.
    """
    if axis.spacing == "linear":
        return np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
    if isinstance(axis.spacing, str):
        base = x if axis.spacing == "log" else 1.0 + x
        return 1.0 / base, -1.0 / base**2, 2.0 / (base * base * base)
    low, high = axis.coordinate_limits()
    first, last = float(np.min(t, initial=low)), float(np.max(t, initial=high))
    arguments = _argument_pieces(axis, min(low, first), max(high, last))
    d1, d2, d3 = (arguments.derivative(t, order) for order in (1, 2, 3))
    mean = (float(axis.high) - float(axis.low)) / (high - low)
    d1 = np.where(np.abs(d1) < _FLAT * mean, np.nan, d1)
    return 1.0 / d1, -d2 / d1**3, (3.0 * d2**2 - d1 * d3) / d1**5


def argument_slopes(axis: Axis, t: Floats) -> Floats:
    """The derivative of an axis's argument to the coordinate."""
    if axis.spacing == "linear":
        return np.ones_like(t)
    if isinstance(axis.spacing, str):
        return np.asarray(np.exp(t))  # for ln x it is x, and for ln(1 + x) it is 1 + x
    return _argument_pieces(axis, *axis.coordinate_limits()).derivative(t, 1)


@functools.lru_cache(maxsize=64)
def _argument_pieces(axis: Axis, low: float, high: float) -> Pieces:
    """The argument as a function of the coordinate, for a spacing whose derivatives are not known."""
    edges = np.linspace(low, high, _PIECES + 1)
    t = edges[:-1, None] + LOBATTO * np.diff(edges)[:, None]
    coefficients = powers_from_values(axis.unclipped_backward(t.ravel()).reshape(t.shape))
    return Pieces(low, high, coefficients, np.zeros(_PIECES, dtype=np.uint8))
