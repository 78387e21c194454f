"""From the polynomials of a sampled curve, of any degree, to pieces of degree 5."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.part import Part
from stored._tables.pieces import BETWEEN, LOBATTO, Pieces, powers_from_values
from stored._tables.scalar_code import SUBCELLS

__all__ = ["resample_curve"]

_LEVELS_PER_DIVISION = int(math.log2(SUBCELLS))
"""A cell that is divided once is halved so many times."""

_MOST_HALVINGS = 16

_MOST_CELL_LEVELS = 12
"""The axis is halved at most so many times to get its equal cells."""

_DIVIDED = 0.02
"""At most this fraction of the axis is left to divided cells."""

_RESAMPLING = 0.1
"""The share of the tolerance that resampling may use."""

_ROUNDING = 1e-12
"""Below this fraction of the largest value, an error that falls no more is rounding."""


def resample_curve(parts: list[Part], low: float, high: float) -> Pieces:
    """Pieces that agree with the polynomials of the parts of an axis.

    Parameters
    ----------
    parts : list of Part
        In order; they cover the axis.
    low, high : float
        The coordinates of the axis's limits.
    """
    levels = [_level(part) for part in parts]
    cell_level = _cell_level(parts, levels)
    coefficients: list[Floats] = []
    depths: list[NDArray[np.uint8]] = []
    for part, level in zip(parts, levels, strict=True):
        divisions = max(0, -(-(level - cell_level) // _LEVELS_PER_DIVISION))
        rows = _coefficients(part, cell_level + _LEVELS_PER_DIVISION * divisions - part.depth)
        coefficients.append(rows)
        depths.append(np.full(len(rows), divisions, dtype=np.uint8))
    return Pieces(low, high, np.concatenate(coefficients), np.concatenate(depths))


def _level(part: Part) -> int:
    """How many times the axis is halved to get pieces that agree with the part's polynomial."""
    rounding = _ROUNDING * float(np.max(np.abs(part.values)))
    before = math.inf
    for halvings in range(_MOST_HALVINGS):
        error = _resampling_error(part, halvings)
        if error <= _RESAMPLING * part.allowed or 0.5 * before <= error <= rounding:
            break
        before = error
    return part.depth + halvings


def _resampling_error(part: Part, halvings: int) -> float:
    pieces = 2**halvings
    s = (2.0 * (np.arange(pieces)[:, None] + BETWEEN) / pieces - 1.0).ravel()
    resampled = np.polynomial.polynomial.polyval(BETWEEN, _coefficients(part, halvings).T)
    return float(np.max(np.abs(part(s) - resampled.ravel())))


def _cell_level(parts: list[Part], levels: list[int]) -> int:
    """How many times the axis is halved to get cells, of which all but a small fraction are not divided."""

    def divided(level: int) -> float:
        return sum(2.0**-part.depth for part, each in zip(parts, levels, strict=True) if each > level)

    return min(next(level for level in sorted(levels) if divided(level) <= _DIVIDED), _MOST_CELL_LEVELS)


def _coefficients(part: Part, halvings: int) -> Floats:
    pieces = 2**halvings
    starts = np.arange(pieces)[:, None] / pieces
    s = 2.0 * (starts + LOBATTO / pieces) - 1.0
    s[:, -1] = 2.0 * np.arange(1, pieces + 1) / pieces - 1.0  # exactly where the next piece starts
    return powers_from_values(part(s.ravel()).reshape(s.shape))
