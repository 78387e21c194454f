"""Generated code that evaluates a table (piecewise polynomials of one coordinate) at one number."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.code_template import compiled

__all__ = ["SUBCELLS", "RowsOnDemand", "number_factory", "number_parts"]

SUBCELLS = 16
"""A cell that is divided has so many cells in it."""

_NUMBER = """
def make(low, high, forward, start, per_unit, rows, kinds, evaluate_other):
    def evaluate(x):
        kind = type(x)
        if kind is not float:
            if kind not in kinds:
                return evaluate_other(x)
            try:
                x = float(x)
            except OverflowError:
                return None
        if low <= x <= high:
            u = @place@
            @look_up@
            return @exp@(@polynomial@)
    return evaluate
"""

_LOOK_UP = """
cell = trunc(u)
row = rows[cell]
u -= cell
@descend@
a, b, c, d, e, f = row
"""

_DESCEND = f"""
while len(row) == {SUBCELLS}:
    u *= {SUBCELLS}
    cell = trunc(u)
    row = row[cell]
    u -= cell
"""

_POLYNOMIAL = "((((f * u + e) * u + d) * u + c) * u + b) * u + a"


def number_parts(coordinate: str, from_zero: bool, divided: bool) -> dict[str, str]:
    """The parts of a template that evaluate at one number: ``place``, ``look_up`` and ``polynomial``.

    Parameters
    ----------
    coordinate : str
        The expression of the coordinate.
    from_zero : bool
        Does the coordinate start at zero?
    divided : bool
        Are cells divided?
    """
    return {
        "place": f"{coordinate} * per_unit" if from_zero else f"({coordinate} - start) * per_unit",
        "look_up": _LOOK_UP,
        "descend": _DESCEND if divided else "",
        "polynomial": _POLYNOMIAL,
    }


@functools.cache
def number_factory(has_forward: bool, from_zero: bool, divided: bool, log: bool) -> Any:
    """Compile the function that makes evaluators at one number for a kind of table.

    An evaluator takes anything. What is of none of `kinds`, the types of numbers, goes to `evaluate_other`; for a
    number outside the limits the value is None.

    Parameters
    ----------
    has_forward : bool
        Must the argument be transformed to the coordinate?
    from_zero, divided : bool
        As for `number_parts`.
    log : bool
        Are the pieces the logarithm of the function?
    """
    parts = number_parts("forward(x)" if has_forward else "x", from_zero, divided)
    return compiled(_NUMBER, {**parts, "exp": "exp" if log else ""}, {"trunc": math.trunc, "exp": math.exp})


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
