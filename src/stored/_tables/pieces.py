"""Evaluation of piecewise polynomials of one coordinate at a cost that does not depend on the number of pieces.

The range of the coordinate is divided into equal cells, so that the cell of a point is found by a multiplication. A
cell in which the function is not smooth is divided into 16 subcells, these again, and so on; every cell that is not
divided is a piece. Within a piece the polynomial is one in u, which runs from 0 to 1.
"""

from __future__ import annotations

import functools
import math
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.scalar_code import SUBCELLS, RowsOnDemand

__all__ = ["BETWEEN", "DEGREE", "LOBATTO", "Pieces", "powers_from_values"]

Integers: TypeAlias = NDArray[np.intp]

DEGREE = 5
"""The degree of the polynomials."""

_MOST_FLOAT_ROWS = 1 << 16
"""The coefficients of up to so many pieces are converted to Python floats at once."""

LOBATTO = 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, DEGREE + 1))
"""The u at which a piece has the value of the function: both ends are among them, so that pieces join."""

BETWEEN = 0.5 * (LOBATTO[1:] + LOBATTO[:-1])
"""The u at which a piece can differ most from the polynomial that it was resampled from."""

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
    # differences are small, so that rounding is small, too
    return np.concatenate([first, (values[..., 1:] - first) @ _TO_POWERS.T], axis=-1)


class Pieces:
    """A piecewise polynomial of one coordinate.

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
            tree = _build_tree(depths.tolist())
            number = len(tree)
            self._cells = _flatten(tree)
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
        return (self.high - self.low) / self._number / np.power(float(SUBCELLS), self.depths)

    @property
    def number(self) -> int:
        """The number of cells."""
        return self._number

    @property
    def per_unit(self) -> float:
        """So many cells make a unit of the coordinate."""
        return self._per_unit

    @property
    def is_divided(self) -> bool:
        """Are there divided cells?"""
        return self._cells is not None

    def locate(self, t: Floats) -> tuple[Integers, Floats]:
        """The piece of each coordinate within the range, and u in it."""
        u = (t - self.low) * self._per_unit
        np.minimum(u, self._number, out=u)  # rounding may exceed it
        cell = u.astype(np.intp)
        np.minimum(cell, self._number - 1, out=cell)
        u -= cell
        return (cell, u) if self._cells is None else (self.descend(self._cells[cell], u), u)

    def descend(self, piece: Integers, u: Floats) -> Integers:
        """Replace cells that are divided by their pieces, and change u from that in the cell to that in the piece.

        Parameters
        ----------
        piece : ndarray of int, shape (n,)
            Indices of pieces or, for divided cells, minus the indices of their first subcells.
        u : ndarray, shape (n,)
            The places in them.
        """
        divided = (piece < 0).nonzero()[0]
        cells = cast(Integers, self._cells)
        within, place = u[divided], piece[divided]
        while divided.size:
            within *= SUBCELLS
            cell = within.astype(np.intp)
            np.minimum(cell, SUBCELLS - 1, out=cell)
            within -= cell
            place = cells[cell - place]
            u[divided], piece[divided] = within, place
            deeper = place < 0
            divided, within, place = divided[deeper], within[deeper], place[deeper]
        return piece

    def derivative(self, t: Floats, nu: int) -> Floats:
        """The derivative of order `nu` to the coordinate."""
        piece, u = self.locate(t)
        powers = np.polynomial.polynomial.polyder(self.coefficients[piece].T, nu)
        return np.asarray(np.polynomial.polynomial.polyval(u, powers, tensor=False) / self.widths[piece] ** nu)

    def rows(self) -> Any:
        """The coefficients by cell, as Python floats; for a divided cell the list of those of its subcells.

        A constant cell follows at the end, so that calls need not treat the upper limit separately.
        """
        end = self._end()
        if len(self.coefficients) > _MOST_FLOAT_ROWS:
            return RowsOnDemand(self.coefficients, self._cells, self._number, end)
        rows = self.coefficients.tolist()
        cells = rows if self._cells is None else _nest(self._cells.tolist(), rows)[: self._number]
        return [*cells, end]

    def columns(self) -> list[Floats]:
        """For each power of u, from the lowest, the coefficients by piece; the constant cell follows at the end."""
        return [np.ascontiguousarray(each) for each in np.vstack([self.coefficients, self._end()]).T]

    def cells(self) -> Integers | None:
        """What `descend` takes, by cell, the constant one at the end included; None if each cell is a piece."""
        return None if self._cells is None else np.append(self._cells[: self._number], len(self.coefficients))

    def _end(self) -> list[float]:
        """The constant that the last piece is at u = 1, to the bit."""
        value = 0.0
        for each in reversed(self.coefficients[-1].tolist()):
            value += each
        return [value, *[0.0] * DEGREE]


def _build_tree(depths: list[int]) -> list[Any]:
    """The cells from the depths of their pieces: the index of a piece, or the list of subcells of a divided cell."""
    pieces = iter(enumerate(depths))

    def cell(depth: int, first: tuple[int, int]) -> Any:
        if first[1] <= depth:
            if first[1] < depth:
                raise ValueError("the pieces do not make whole cells")
            return first[0]
        cells = [cell(depth + 1, first)]
        while len(cells) < SUBCELLS:
            following = next(pieces, None)
            if following is None:
                raise ValueError("the pieces do not make whole cells")
            cells.append(cell(depth + 1, following))
        return cells

    return [cell(0, first) for first in pieces]


def _flatten(tree: list[Any]) -> Integers:
    """The tree as one array: the index of a piece, or for a divided cell minus the place of its first subcell."""
    flat: list[Any] = list(tree)
    for place, cell in enumerate(flat):  # grows while it is read
        if isinstance(cell, list):
            flat[place] = -len(flat)
            flat.extend(cell)
    return np.array(flat, dtype=np.intp)


def _nest(cells: list[int], rows: list[list[float]]) -> list[Any]:
    """The opposite of `_flatten`, with the row of coefficients in place of the index of a piece."""
    nested: list[Any] = [rows[piece] if piece >= 0 else None for piece in cells]
    for place in range(len(cells) - 1, -1, -1):
        if cells[place] < 0:
            nested[place] = nested[-cells[place] : -cells[place] + SUBCELLS]
    return nested
