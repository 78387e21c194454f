"""Evaluation of piecewise polynomials of two coordinates, on equal rectangles."""

from __future__ import annotations

import numpy as np

from stored._tables.axis import Floats

__all__ = ["Patches"]

_CHUNK = 1024
"""So many points are evaluated at once."""


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
        """The rectangles of points within the ranges, and u and v in them."""
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
            along_v = [_horner(list(row.T), v) for row in powers[cells].swapaxes(0, 1)]
            values[start : start + _CHUNK] = _horner(along_v, u)
        return values


def _horner(powers: list[Floats], u: Floats) -> Floats:
    """A polynomial, from its coefficients in increasing order, by Horner's method."""
    value = powers[-1].copy()
    for power in powers[-2::-1]:
        value *= u
        value += power
    return value
