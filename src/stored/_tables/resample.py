"""From polynomials of any degree to pieces of one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.part import Part
from stored._tables.pieces import BETWEEN, LOBATTO, Pieces, powers_from_values
from stored._tables.scalar_code import CELLS_IN_A_CELL

__all__ = ["resampled"]

_MOST_LEVELS = 16

_MOST_ROOT_LEVELS = 12

_REFINED = 0.02
"""Up to this fraction of the axis is left to divided cells."""

_RESAMPLING = 0.1
"""The share of the tolerance that resampling may use."""

_ROUNDING = 1e-12
"""Below this fraction of the largest value, an error that falls no more is rounding."""


def resampled(parts: list[Part], low: float, high: float) -> Pieces:
    """The polynomials of the parts of an axis, on pieces."""
    levels = [_level(part) for part in parts]
    root = _root_level(parts, levels)
    coefficients: list[Floats] = []
    depths: list[NDArray[np.uint8]] = []
    for part, level in zip(parts, levels, strict=True):
        deeper = max(0, -(-(level - root) // _LEVELS_OF_A_CELL))
        made = _coefficients(part, root + _LEVELS_OF_A_CELL * deeper - part.depth)
        coefficients.append(made)
        depths.append(np.full(len(made), deeper, dtype=np.uint8))
    return Pieces(low, high, np.concatenate(coefficients), np.concatenate(depths))


_LEVELS_OF_A_CELL = int(math.log2(CELLS_IN_A_CELL))


def _level(part: Part) -> int:
    """How often the axis is halved for pieces that meet the part's polynomial."""
    rounding = _ROUNDING * float(np.max(np.abs(part.values)))
    before = math.inf
    for halvings in range(_MOST_LEVELS):
        error = _resampling_error(part, halvings)
        if error <= _RESAMPLING * part.allowed or 0.5 * before <= error <= rounding:
            break  # it meets the polynomial, or rounding is all that is left
        before = error
    return part.depth + halvings


def _resampling_error(part: Part, halvings: int) -> float:
    pieces = 2**halvings
    at = (2.0 * (np.arange(pieces)[:, None] + BETWEEN) / pieces - 1.0).ravel()
    found = np.polynomial.polynomial.polyval(BETWEEN, _coefficients(part, halvings).T)
    return float(np.max(np.abs(part(at) - found.ravel())))


def _root_level(parts: list[Part], levels: list[int]) -> int:
    """The level of cells that are not divided, for all but a small fraction of the axis."""

    def beyond(level: int) -> float:
        return sum(2.0**-part.depth for part, each in zip(parts, levels, strict=True) if each > level)

    return min(next(level for level in sorted(levels) if beyond(level) <= _REFINED), _MOST_ROOT_LEVELS)


def _coefficients(part: Part, halvings: int) -> Floats:
    pieces = 2**halvings
    edges = np.arange(pieces)[:, None] / pieces
    s = 2.0 * (edges + LOBATTO / pieces) - 1.0
    s[:, -1] = 2.0 * np.arange(1, pieces + 1) / pieces - 1.0  # to the bit where the next piece begins
    return powers_from_values(part(s.ravel()).reshape(s.shape))
