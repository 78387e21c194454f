"""The generated code that evaluates pieces at one number."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats

__all__ = ["CELLS_IN_A_CELL", "RowsOnDemand", "Scalar", "scalar_factory"]

CELLS_IN_A_CELL = 16

Scalar: TypeAlias = Callable[[float], float | None]

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
    """Compile the function for one kind of table: what it need not ask, it need not wait for."""
    source = _SCALAR.format(
        coordinate="forward(x)" if has_forward else "x",
        descend=_DESCEND.format(cells=CELLS_IN_A_CELL).strip() if divided else "",
        exp="exp" if log else "",
    )
    scope: dict[str, Any] = {"trunc": math.trunc, "exp": math.exp}
    exec(source, scope)  # noqa: S102  # of the text above
    return scope["make"]


class RowsOnDemand:
    """The coefficients of many pieces, of which a single call needs one.

    Parameters
    ----------
    coefficients : ndarray, shape (pieces, 6)
        As `Pieces` has them.
    cells : ndarray of int, or None
        The piece in each cell, or less than 0 the place of the first cell in a divided one; None if cells are pieces.
    number : int
        Of cells that the range is divided into.
    end : list of float
        The coefficients beyond the last cell.
    """

    def __init__(self, coefficients: Floats, cells: NDArray[np.intp] | None, number: int, end: list[float]) -> None:
        self._coefficients = coefficients
        self._cells = cells
        self._number = number
        self._end = end

    def __getitem__(self, cell: int) -> Any:
        return self._end if cell == self._number else self.within(cell)

    def within(self, cell: int) -> Any:
        """The row of a cell, or the cells of a divided one."""
        piece = cell if self._cells is None else int(self._cells[cell])
        return self._coefficients[piece].tolist() if piece >= 0 else _DividedOnDemand(self, -piece)


class _DividedOnDemand:
    """The cells of a divided cell, on demand."""

    def __init__(self, rows: RowsOnDemand, first: int) -> None:
        self._rows, self._first = rows, first

    def __len__(self) -> int:
        return CELLS_IN_A_CELL

    def __getitem__(self, cell: int) -> Any:
        return self._rows.within(self._first + cell)
