"""Piecewise polynomials of two coordinates, on equal rectangles."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stored._tables.axis import Floats
from stored._tables.leja import basis
from stored._tables.pieces import BETWEEN, DEGREE, LOBATTO, powers_from_values

__all__ = ["MOST_PATCHES", "Patches", "SampledSurface", "resampled_surface"]

_RESAMPLING = 0.1

_MOST_PIECES = 2048

MOST_PATCHES = 1 << 18
"""75 MiB of them."""

_CHUNK = 1024


class SampledSurface(NamedTuple):
    """What sampling gave.

    Attributes
    ----------
    nodes : list of ndarray
        The coordinates of the grid, for each axis.
    values : ndarray, shape (n, m)
        There, in the form in which they are interpolated.
    held_out : tuple of (ndarray, ndarray, ndarray)
        Coordinates and values that the polynomial was not fitted to.
    allowed : float
        The error allowed anywhere.
    """

    nodes: list[Floats]
    values: Floats
    held_out: tuple[Floats, Floats, Floats]
    allowed: float


class Patches:
    """A piecewise polynomial of two coordinates, on equal rectangles.

    Parameters
    ----------
    limits : list of (float, float)
        The ranges of the coordinates.
    coefficients : ndarray, shape (n, m, p, q)
        Of u**i * v**j in each rectangle, where u and v run from 0 to 1.
    """

    def __init__(self, limits: list[tuple[float, float]], coefficients: Floats) -> None:
        self.limits = limits
        self.coefficients = coefficients

    def locate(self, coordinates: list[Floats]) -> tuple[tuple[np.ndarray, ...], list[Floats]]:
        """The rectangles of points within the ranges, and the places in them."""
        cells, places = [], []
        for (low, high), number, t in zip(self.limits, self.coefficients.shape[:2], coordinates, strict=True):
            u = (t - low) * (number / (high - low))
            cell = np.minimum(u.astype(np.intp), number - 1)
            cells.append(cell)
            places.append(u - cell)
        return tuple(cells), places

    def __call__(self, coordinates: list[Floats], nu: tuple[int, int] = (0, 0)) -> Floats:
        """The values, or derivatives to the coordinates, at points within the ranges, each of shape (n,)."""
        values = np.empty(coordinates[0].size)
        powers = self.coefficients
        for axis, order in enumerate(nu):
            low, high = self.limits[axis]
            per_unit = self.coefficients.shape[axis] / (high - low)
            powers = np.polynomial.polynomial.polyder(powers, order, scl=per_unit, axis=2 + axis)
        for start in range(0, values.size, _CHUNK):
            chunk = [each[start : start + _CHUNK] for each in coordinates]
            cells, (u, v) = self.locate(chunk)
            found = _horner([_horner(list(row.T), v) for row in powers[cells].swapaxes(0, 1)], u)
            values[start : start + _CHUNK] = found
        return values


def _horner(powers: list[Floats], u: Floats) -> Floats:
    value = powers[-1].copy()
    for power in powers[-2::-1]:
        value *= u
        value += power
    return value


def resampled_surface(sampled: SampledSurface, limits: list[tuple[float, float]]) -> Patches:
    """The polynomial of a grid, on patches."""
    wanted = max(_RESAMPLING * sampled.allowed, 8.0 * np.finfo(float).eps * float(np.max(np.abs(sampled.values))))
    numbers = [_number(values, wanted) for values in (sampled.values, sampled.values.T)]
    while math.prod(numbers) > MOST_PATCHES:
        numbers[int(np.argmax(numbers))] //= 2
    along = [_resampling(number, size) for number, size in zip(numbers, sampled.values.shape, strict=True)]
    values = along[0] @ sampled.values @ along[1].T
    values = values.reshape(numbers[0], DEGREE + 1, numbers[1], DEGREE + 1).transpose(0, 2, 1, 3)
    powers = powers_from_values(powers_from_values(values).swapaxes(2, 3)).swapaxes(2, 3)
    return Patches(limits, np.ascontiguousarray(powers))


def _resampling(number: int, size: int, at: Floats = LOBATTO) -> Floats:
    """From the values at Leja points to those at so many pieces' points."""
    s = 2.0 * (np.arange(number)[:, None] + at) / number - 1.0
    return basis(size, s.ravel())


def _number(values: Floats, wanted: float) -> int:
    """The number of pieces along the first axis that meet the polynomial, or as many as there may be."""
    number = 1
    while number < _MOST_PIECES and _resampling_error(number, values) > wanted:
        number *= 2
    return number


def _resampling_error(number: int, values: Floats) -> float:
    known = (_resampling(number, len(values)) @ values).reshape(number, DEGREE + 1, -1)
    powers = powers_from_values(known.swapaxes(1, 2))
    found = np.polynomial.polynomial.polyval(BETWEEN, np.moveaxis(powers, 2, 0))
    exact = (_resampling(number, len(values), BETWEEN) @ values).reshape(number, BETWEEN.size, -1)
    return float(np.max(np.abs(found.swapaxes(1, 2) - exact)))
