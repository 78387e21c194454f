"""What error may an interpolated value have, also where a function passes zero?"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Axis, Floats

__all__ = ["ZERO_LEVEL", "Tolerance"]

ZERO_LEVEL = 1e-12
"""A value below this fraction of the largest may be zero but for rounding."""

_ZERO_WIDTH = 1e-6
"""In this fraction of the axis around a zero the relative error may be larger."""

_SIMPLE = 3.2
"""Values that grow by at most this factor from one cell to the next belong to a simple zero."""

_HIGHEST_ORDER = 16.0


class Tolerance(NamedTuple):
    """The error that interpolated values may have.

    Parameters
    ----------
    rtol, atol : float
        As `Axis` has them.
    log : bool
        Are the logarithms of the values interpolated?
    """

    rtol: float
    atol: float
    log: bool

    @classmethod
    def of(cls, axes: tuple[Axis, ...]) -> Tolerance:
        """The smallest tolerances of the axes."""
        log = any(axis.values == "log" for axis in axes)
        return cls(min(axis.rtol for axis in axes), min(axis.atol for axis in axes), log)

    @property
    def asked(self) -> float:
        """The tolerance that errors are compared with in messages: `rtol`, or `atol` if `rtol` is 0."""
        return self.rtol or self.atol

    def at(self, values: Floats) -> Floats:
        """The error allowed at each of these interpolated values."""
        if self.log:
            with np.errstate(over="ignore"):  # relative to tiny values an atol is infinite
                return np.asarray(self.rtol + self.atol * np.exp(-values))
        return np.asarray(self.atol + self.rtol * np.abs(values))

    def allowed(self, grid: Floats, cell: float) -> float:
        """The error allowed everywhere on a part of the axis.

        Parameters
        ----------
        grid : ndarray, shape (n,)
            Interpolated values on an even grid.
        cell : float
            The distance of the grid's points, in units of the axis.
        """
        if self.log:
            return float(np.min(self.at(grid)))
        scale = float(np.max(np.abs(grid))) or 1.0
        grid = grid / scale  # so that no product overflows
        size = np.abs(grid)
        least, most = np.minimum(size[:-1], size[1:]), np.maximum(size[:-1], size[1:])
        crosses = (grid[:-1] * grid[1:] <= 0.0) | (least <= ZERO_LEVEL * size.max())
        zero = crosses | _dips(grid)
        near = min(1.0, _ZERO_WIDTH / cell)
        least[zero] = most[zero] * near ** _orders(size, crosses)[zero]
        left_out = min(int(_ZERO_WIDTH / cell), least.size - 1)
        return float(self.atol + self.rtol * scale * np.partition(least, left_out)[left_out])


def _dips(grid: Floats) -> NDArray[np.bool]:
    """In which cells of a grid a parabola through three values shows that the function may come close to zero."""
    low, mid, high = grid[:-2], grid[1:-1], grid[2:]
    bend, slope = (low - 2.0 * mid + high) / 2.0, (high - low) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = mid - slope**2 / (4.0 * bend)
        close = 2.0 * vertex * np.sign(mid) < np.abs(mid)
    nearest = (np.abs(mid) <= np.abs(low)) & (np.abs(mid) <= np.abs(high)) & (low * mid > 0.0) & (mid * high > 0.0)
    cells = np.zeros(grid.size - 1, dtype=bool)
    cells[:-1] |= nearest & close
    cells[1:] |= nearest & close
    return cells


def _orders(size: Floats, crosses: NDArray[np.bool]) -> Floats:
    """The order of a zero in each cell, if there is one, by how values grow from the cell to the next.

    The values (distance to the zero)**order grow by 2**order to 3**order on the side on which they grow less; beside a
    dip, whose zero is in one of two cells, by (5/3)**order or more. An order that is too high does no harm: near such
    zeros the axis is divided further.
    """
    growth = np.full((2, size.size - 1), np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth[0, 1:] = size[:-2] / size[1:-1]
        growth[1, :-1] = size[2:] / size[1:-1]
        growth = np.nan_to_num(np.min(growth, axis=0), nan=np.inf, posinf=2.0**_HIGHEST_ORDER)
        orders = np.log(growth) / np.where(crosses, math.log(2.0), math.log(5.0 / 3.0))
    simple = crosses & (growth <= _SIMPLE)
    return np.where(simple, 1.0, np.clip(np.ceil(orders), 1.0, _HIGHEST_ORDER))
