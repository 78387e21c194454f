"""Evaluation of piecewise polynomials of one coordinate at a cost that does not depend on the number of pieces.

The range of the coordinate is divided into equal cells, so that the cell of a point is found by a multiplication. A
cell in which the function is not smooth is divided into 16 subcells, these again, and so on; every cell that is not
divided is a piece. Within a piece the polynomial is one in u, which runs from 0 to 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.scalar_code import SUBCELLS, RowsOnDemand, Scalar, scalar_factory

__all__ = ["BETWEEN", "CHUNK", "DEGREE", "LOBATTO", "Pieces", "powers_from_values", "work_space"]

Integers: TypeAlias = NDArray[np.intp]

DEGREE = 5
"""The degree of the polynomials."""

CHUNK = 8192
"""So many points are evaluated at once: what is computed of them stays in the second-level cache."""

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
            within = u[divided] * SUBCELLS
            cell = np.minimum(within.astype(np.intp), SUBCELLS - 1)
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
        """A fast function of a Python float between the limits of the axis, which returns None for any other argument.

        Parameters
        ----------
        low, high : float
            The limits of the axis.
        forward : callable, optional
            From the argument to the coordinate; None if they are the same.
        log : bool
            Are the pieces the logarithm of the function?
        """
        make = scalar_factory(forward is not None, self._cells is not None, log)
        return cast(Scalar, make(low, high, forward, self.low, self._per_unit, self._rows()))

    def _rows(self) -> Any:
        """The coefficients by cell, as Python floats; for a divided cell the list of those of its subcells.

        A constant cell follows at the end, so that calls need not treat the upper limit separately.
        """
        end = [float(np.sum(self.coefficients[-1])), *[0.0] * DEGREE]
        if len(self.coefficients) > _MOST_FLOAT_ROWS:
            return RowsOnDemand(self.coefficients, self._cells, self._number, end)
        rows = self.coefficients.tolist()
        cells = rows if self._cells is None else _nest(self._cells.tolist(), rows)[: self._number]
        return [*cells, end]


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


def work_space(size: int) -> Floats:
    """Memory that `Pieces.evaluate` needs for chunks of so many points."""
    return np.empty((min(CHUNK, size), DEGREE + 1))
