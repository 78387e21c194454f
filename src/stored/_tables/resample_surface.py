"""From the polynomial of a sampled surface, of any degree, to patches of degree 5."""

from __future__ import annotations

import math

import numpy as np

from stored._tables.axis import Floats
from stored._tables.fit_surface import SampledSurface
from stored._tables.leja import basis
from stored._tables.patches import Patches
from stored._tables.pieces import BETWEEN, DEGREE, LOBATTO, powers_from_values

__all__ = ["MOST_PATCHES", "resample_surface"]

MOST_PATCHES = 1 << 18
"""So many take 75 MiB."""

_MOST_CELLS = 2048
"""An axis is divided into at most so many cells."""

_RESAMPLING = 0.1
"""The share of the tolerance that resampling may use."""


def resample_surface(sampled: SampledSurface, limits: list[tuple[float, float]]) -> Patches:
    """Patches that agree with the polynomial of a grid.

    Parameters
    ----------
    sampled : SampledSurface
        The grid.
    limits : list of (float, float)
        The coordinates of the axes' limits.
    """
    rounding = 8.0 * np.finfo(float).eps * float(np.max(np.abs(sampled.values)))
    wanted = max(_RESAMPLING * sampled.allowed, rounding)
    numbers = [_number_of_cells(values, wanted) for values in (sampled.values, sampled.values.T)]
    while math.prod(numbers) > MOST_PATCHES:
        numbers[int(np.argmax(numbers))] //= 2
    along = [_to_cells(number, size) for number, size in zip(numbers, sampled.values.shape, strict=True)]
    values = along[0] @ sampled.values @ along[1].T
    values = values.reshape(numbers[0], DEGREE + 1, numbers[1], DEGREE + 1).transpose(0, 2, 1, 3)
    powers = powers_from_values(powers_from_values(values).swapaxes(2, 3)).swapaxes(2, 3)
    return Patches(limits, np.ascontiguousarray(powers))


def _to_cells(number: int, size: int, places: Floats = LOBATTO) -> Floats:
    """The matrix from values at the first Leja points to values at these places in each of a number of cells."""
    s = 2.0 * (np.arange(number)[:, None] + places) / number - 1.0
    return basis(size, s.ravel())


def _number_of_cells(values: Floats, wanted: float) -> int:
    """The number of cells along the first axis that keeps the error to what is wanted, or the most there may be."""
    number = 1
    while number < _MOST_CELLS and _resampling_error(number, values) > wanted:
        number *= 2
    return number


def _resampling_error(number: int, values: Floats) -> float:
    sampled = (_to_cells(number, len(values)) @ values).reshape(number, DEGREE + 1, -1)
    powers = powers_from_values(sampled.swapaxes(1, 2))
    resampled = np.polynomial.polynomial.polyval(BETWEEN, np.moveaxis(powers, 2, 0))
    exact = (_to_cells(number, len(values), BETWEEN) @ values).reshape(number, BETWEEN.size, -1)
    return float(np.max(np.abs(resampled.swapaxes(1, 2) - exact)))
