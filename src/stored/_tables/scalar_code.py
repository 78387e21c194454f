"""Generated code that evaluates a table (piecewise polynomials of one coordinate) at one float."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats

__all__ = ["SUBCELLS", "RowsOnDemand", "Scalar", "scalar_factory"]

SUBCELLS = 16
"""A cell that is divided has so many cells in it."""

Scalar: TypeAlias = Callable[[float], float | None]
"""A function of one number, which returns None where it cannot be evaluated."""

_SCALAR = """
def make(low, high, forward, start, per_unit, rows):
    def evaluate(x):
        if type(x) is float and low <= x <= high:
            u = ({coordinate} - start) * per_unit
            cell = trunc(u)
            row = rows[cell]
            u -= cell
            {descend}
            a, b, c, d, e, f = row
            return {exp}(((((f * u + e) * u + d) * u + c) * u + b) * u + a)
    return evaluate
"""

_DESCEND = """
            while len(row) == {cells}:
                u *= {cells}
                cell = trunc(u)
                row = row[cell]
                u -= cell
"""


@functools.cache
def scalar_factory(has_forward: bool, divided: bool, log: bool) -> Any:
    """Compile the function that makes evaluators for one kind of table, without tests for other kinds.

    Parameters
    ----------
    has_forward : bool
        Must the argument be transformed to the coordinate?
    divided : bool
        Are cells divided?
    log : bool
        Are the pieces the logarithm of the function?
    """
    source = _SCALAR.format(
        coordinate="forward(x)" if has_forward else "x",
        descend=_DESCEND.format(cells=SUBCELLS).strip() if divided else "",
        exp="exp" if log else "",
    )
    scope: dict[str, Any] = {"trunc": math.trunc, "exp": math.exp}
    exec(source, scope)  # noqa: S102  # of the text above
    return scope["make"]


class RowsOnDemand:
    """Rows of coefficients by cell, each converted to Python floats when it is asked for.

    Parameters
    ----------
    coefficients : ndarray, shape (pieces, 6)
        As `Pieces` has them.
    cells : ndarray of int, or None
        For each cell the index of its piece or, if it is divided, minus the index of its first subcell; None if each
        cell is a piece.
    number : int
        The number of cells that the range is divided into.
    end : list of float
        The row after that of the last cell.
    """

    def __init__(self, coefficients: Floats, cells: NDArray[np.intp] | None, number: int, end: list[float]) -> None:
        self._coefficients = coefficients
        self._cells = cells
        self._number = number
        self._end = end

    def __getitem__(self, cell: int) -> Any:
        return self._end if cell == self._number else self.row_or_subcells(cell)

    def row_or_subcells(self, cell: int) -> Any:
        """The row of a cell, or the subcells of one that is divided."""
        piece = cell if self._cells is None else int(self._cells[cell])
        return self._coefficients[piece].tolist() if piece >= 0 else _SubcellsOnDemand(self, -piece)


class _SubcellsOnDemand:
    """Rows of coefficients by subcell of a divided cell."""

    def __init__(self, rows: RowsOnDemand, first: int) -> None:
        self._rows, self._first = rows, first

    def __len__(self) -> int:
        return SUBCELLS

    def __getitem__(self, cell: int) -> Any:
        return self._rows.row_or_subcells(self._first + cell)
