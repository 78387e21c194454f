"""Piecewise polynomials that are evaluated at constant cost: in plain Python for a float, in one pass for an array.

The range of the coordinate is divided into equal cells, so that the cell of a point is found by a multiplication. A
cell in which the function is difficult is divided into 16 again, and so on; every piece is a cell that is not divided.
Within a piece the polynomial is one in u, which runs from 0 to 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.scalar_code import CELLS_IN_A_CELL, RowsOnDemand, Scalar, scalar_factory

__all__ = ["BETWEEN", "CHUNK", "DEGREE", "LOBATTO", "Pieces", "powers_from_values", "work_space"]

Integers: TypeAlias = NDArray[np.intp]

DEGREE = 5

CHUNK = 8192
"""So many points at once: what is computed of them stays in the second-level cache."""

_ROWS_AT_HAND = 1 << 16
"""Up to so many pieces are kept as Python floats too."""

LOBATTO = 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, DEGREE + 1))
"""Where a piece is the function's own value: both ends among them, so that pieces join."""

BETWEEN = 0.5 * (LOBATTO[1:] + LOBATTO[:-1])
"""Where a piece can differ most from what it was resampled from."""

_TO_POWERS = np.linalg.inv(np.vander(LOBATTO, increasing=True)[1:, 1:])


def powers_from_values(values: Floats) -> Floats:
    """Polynomials in u from their values at `LOBATTO`.

    Parameters
    ----------
    values : ndarray, shape (..., 6)

    Returns
    -------
    ndarray, shape (..., 6)
        The coefficients of u**0 to u**5.
    """
    first = values[..., :1]
    # of differences, which are small, so that the solution's rounding is
    return np.concatenate([first, (values[..., 1:] - first) @ _TO_POWERS.T], axis=-1)


class Pieces:
    """A piecewise polynomial.

    Parameters
    ----------
    low, high : float
        The range of the coordinate.
    coefficients : ndarray, shape (pieces, 6)
        Of u**0 to u**5 in each piece, in order.
    depths : ndarray of uint8, shape (pieces,)
        How often a cell was divided to get the piece.

    Raises
    ------
    ValueError
        If the depths do not make whole cells.
    """

    def __init__(self, low: float, high: float, coefficients: Floats, depths: NDArray[np.uint8]) -> None:
        self.low, self.high = low, high
        self.coefficients = coefficients
        self.depths = depths
        self._cells: Integers | None = None
        number = len(coefficients)
        if depths.any():
            tree = _tree(depths.tolist())
            number = len(tree)
            self._cells = _flattened(tree)
        self._number = number
        self._per_unit = number / (high - low)

    @functools.cached_property
    def edges(self) -> Floats:
        """The coordinates of the limits of all pieces."""
        edges = self.low + np.concatenate([[0.0], np.cumsum(self.widths)])
        edges[-1] = self.high
        return edges

    @functools.cached_property
    def widths(self) -> Floats:
        """The widths of the pieces, in the coordinate."""
        return (self.high - self.low) / self._number / np.power(float(CELLS_IN_A_CELL), self.depths)

    def locate(self, t: Floats) -> tuple[Integers, Floats]:
        """The piece of each coordinate within the range, and u in it."""
        u = (t - self.low) * self._per_unit
        cell = u.astype(np.intp)
        np.minimum(cell, self._number - 1, out=cell)
        u -= cell
        if self._cells is None:
            return cell, u
        piece = self._cells[cell]
        while (divided := np.flatnonzero(piece < 0)).size:
            within = u[divided] * CELLS_IN_A_CELL
            cell = np.minimum(within.astype(np.intp), CELLS_IN_A_CELL - 1)
            u[divided] = within - cell
            piece[divided] = self._cells[cell - piece[divided]]
        return piece, u

    def evaluate(self, t: Floats, out: Floats, space: Floats) -> None:
        """The values at coordinates within the range, at most `CHUNK` of them.

        Parameters
        ----------
        t, out : ndarray, shape (n,)
            The coordinates, and where to write the values.
        space : ndarray, shape (n or more, 6)
            What `work_space` gave.
        """
        piece, u = self.locate(t)
        rows = space[: t.size]
        self.coefficients.take(piece, axis=0, out=rows, mode="clip")
        np.multiply(rows[:, DEGREE], u, out=out)
        for power in range(DEGREE - 1, 0, -1):
            out += rows[:, power]
            out *= u
        out += rows[:, 0]

    def derivative(self, t: Floats, nu: int) -> Floats:
        """The derivative of order `nu` to the coordinate."""
        piece, u = self.locate(t)
        powers = np.polynomial.polynomial.polyder(self.coefficients[piece].T, nu)
        return np.asarray(np.polynomial.polynomial.polyval(u, powers, tensor=False) / self.widths[piece] ** nu)

    def scalar(self, low: float, high: float, forward: Callable[[float], float] | None, log: bool) -> Scalar:
        """A function of a float between the limits of the axis; it returns None for anything else.

        Parameters
        ----------
        low, high : float
            The limits of the axis.
        forward : callable, optional
            To the coordinate.
        log : bool
            Are the pieces the logarithm of the function?
        """
        make = scalar_factory(forward is not None, self._cells is not None, log)
        return cast(Scalar, make(low, high, forward, self.low, self._per_unit, self._rows()))

    def _rows(self) -> Any:
        """The coefficients by cell, as Python floats; a divided cell is the list of its cells.

        One more cell follows for the end, so that no call need look whether it has reached it.
        """
        end = [float(np.sum(self.coefficients[-1])), *[0.0] * DEGREE]
        if len(self.coefficients) > _ROWS_AT_HAND:
            return RowsOnDemand(self.coefficients, self._cells, self._number, end)
        rows = self.coefficients.tolist()
        cells = rows if self._cells is None else _nested(self._cells.tolist(), rows)[: self._number]
        return [*cells, end]


def _tree(depths: list[int]) -> list[Any]:
    """Cells from the depths of the pieces in them: the number of the piece, or the list of cells in a divided cell."""
    pieces = iter(enumerate(depths))

    def cell(depth: int, first: tuple[int, int]) -> Any:
        if first[1] <= depth:
            if first[1] < depth:
                raise ValueError("the pieces do not make whole cells")
            return first[0]
        cells = [cell(depth + 1, first)]
        while len(cells) < CELLS_IN_A_CELL:
            following = next(pieces, None)
            if following is None:
                raise ValueError("the pieces do not make whole cells")
            cells.append(cell(depth + 1, following))
        return cells

    return [cell(0, first) for first in pieces]


def _flattened(tree: list[Any]) -> Integers:
    """The tree as one array: pieces by number, and for a divided cell less than 0 the place of the first cell in it."""
    flat: list[Any] = list(tree)
    for place, cell in enumerate(flat):  # grows while it is read
        if isinstance(cell, list):
            flat[place] = -len(flat)
            flat.extend(cell)
    return np.array(flat, dtype=np.intp)


def _nested(cells: list[int], rows: list[list[float]]) -> list[Any]:
    made: list[Any] = [rows[piece] if piece >= 0 else None for piece in cells]
    for place in range(len(cells) - 1, -1, -1):
        if cells[place] < 0:
            made[place] = made[-cells[place] : -cells[place] + CELLS_IN_A_CELL]
    return made


def work_space(size: int) -> Floats:
    """Memory in which `Pieces.evaluate` works on so many points, a chunk at a time."""
    return np.empty((min(CHUNK, size), DEGREE + 1))
