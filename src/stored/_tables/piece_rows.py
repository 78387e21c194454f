"""In which piece does one number lie, and with which polynomial? Plain Python floats for generated code."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from stored._tables.axis import Floats
from stored._tables.pieces import Pieces
from stored._tables.scalar_code import SUBCELLS

__all__ = ["PieceRows", "python_rows"]

_MOST_FLOAT_ROWS = 1 << 16
"""Up to so many rows are converted to Python floats at once."""

_LARGEST_EXACT = 2.0**53
"""All whole numbers up to this are floats."""


class PieceRows:
    """The places of pieces, in units of cells, and their polynomials.

    In the piece with number ``bisect_right(starts, v)``, where ``v = (t - low) * per_unit``, u is
    ``v * scale - offset``: but for nothing, as scale is a power of two and the difference is exact, what
    `Pieces.locate` gives. Where pieces are narrower than the distance of floats, any of those there may be found.

    Parameters
    ----------
    pieces : Pieces
        A piecewise polynomial.

    Attributes
    ----------
    low, per_unit : float
        The lower limit of the coordinate, and the number of cells per unit of it.
    scales, offsets : ndarray, shape (n,)
        Of each piece.
    """

    def __init__(self, pieces: Pieces) -> None:
        scales: Floats = np.power(float(SUBCELLS), pieces.depths)
        finest = float(scales.max())
        sizes: Any = finest / scales  # whole numbers, and so are their sums
        if finest * pieces.number > _LARGEST_EXACT:
            sizes = np.array([int(size) for size in sizes.tolist()], dtype=object)
        firsts = np.cumsum(sizes) - sizes
        self.low = pieces.low
        self.per_unit = pieces.per_unit
        self.scales = scales
        self.offsets: Floats = (firsts // sizes).astype(float)
        self._firsts: Floats = (firsts / int(finest)).astype(float)
        self._pieces = pieces

    @functools.cached_property
    def starts(self) -> Sequence[float]:
        """Where each piece but the first begins."""
        return cast("Sequence[float]", python_rows(self._firsts[1:]))

    @functools.cached_property
    def rows(self) -> Sequence[Sequence[float]]:
        """For each piece its coefficients, its scale, its offset and its width."""
        pieces = self._pieces
        table = np.column_stack([pieces.coefficients, self.scales, self.offsets, pieces.widths])
        return cast("Sequence[Sequence[float]]", python_rows(table))


def python_rows(table: Floats) -> Any:
    """The rows of a table as lists of Python floats, or its numbers; of a large one only those that are asked for."""
    return table.tolist() if len(table) <= _MOST_FLOAT_ROWS else _RowsOnDemand(table)


class _RowsOnDemand:
    def __init__(self, table: Floats) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, number: int) -> Any:
        return self._table[number].tolist()
