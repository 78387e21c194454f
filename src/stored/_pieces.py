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

from stored._axes import Floats
from stored._curves import Part

__all__ = ["BETWEEN", "CHUNK", "DEGREE", "LOBATTO", "Pieces", "powers_from_values", "resampled", "work_space"]

Integers: TypeAlias = NDArray[np.intp]

DEGREE = 5
CELLS_IN_A_CELL = 16
CHUNK = 8192
"""So many points at once: what is computed of them stays in the second-level cache."""
_ROWS_AT_HAND = 1 << 16
"""Up to so many pieces are kept as Python floats too."""

LOBATTO = 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, DEGREE + 1))
"""Where a piece is the function's own value: both ends among them, so that pieces join."""
BETWEEN = 0.5 * (LOBATTO[1:] + LOBATTO[:-1])
"""Where a piece can differ most from what it was resampled from."""
_TO_POWERS = np.linalg.inv(np.vander(LOBATTO, increasing=True)[1:, 1:])
_MOST_LEVELS = 16
_MOST_ROOT_LEVELS = 12
_REFINED = 0.02
"""Up to this fraction of the axis is left to divided cells."""
_RESAMPLING = 0.1
"""The share of the tolerance that resampling may use."""
_ROUNDING = 1e-12
"""Below this fraction of the largest value, an error that falls no more is rounding."""


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
        make = _scalar_factory(forward is not None, self._cells is not None, log)
        return cast(Scalar, make(low, high, forward, self.low, self._per_unit, self._rows()))

    def _rows(self) -> Any:
        """The coefficients by cell, as Python floats; a divided cell is the list of its cells.

        One more cell follows for the end, so that no call need look whether it has reached it.
        """
        end = [float(np.sum(self.coefficients[-1])), *[0.0] * DEGREE]
        if len(self.coefficients) > _ROWS_AT_HAND:
            return _RowsOnDemand(self, end)
        rows = self.coefficients.tolist()
        cells = rows if self._cells is None else _nested(self._cells.tolist(), rows)[: self._number]
        return [*cells, end]


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
def _scalar_factory(has_forward: bool, divided: bool, log: bool) -> Any:
    """Compile the function for one kind of table: what it need not ask, it need not wait for."""
    source = _SCALAR.format(
        coordinate="forward(x)" if has_forward else "x",
        descend=_DESCEND.format(cells=CELLS_IN_A_CELL).strip() if divided else "",
        exp="exp" if log else "",
    )
    scope: dict[str, Any] = {"trunc": math.trunc, "exp": math.exp}
    exec(source, scope)  # noqa: S102  # of the text above
    return scope["make"]


class _RowsOnDemand:
    """The coefficients of many pieces, of which a single call needs one."""

    def __init__(self, pieces: Pieces, end: list[float]) -> None:
        self._coefficients = pieces.coefficients
        self._cells = pieces._cells
        self._number = pieces._number
        self._end = end

    def __getitem__(self, cell: int) -> Any:
        return self._end if cell == self._number else self.within(cell)

    def within(self, cell: int) -> Any:
        """The row of a cell, or the cells of a divided one."""
        piece = cell if self._cells is None else int(self._cells[cell])
        return self._coefficients[piece].tolist() if piece >= 0 else _DividedOnDemand(self, -piece)


class _DividedOnDemand:
    """The cells of a divided cell, on demand."""

    def __init__(self, rows: _RowsOnDemand, first: int) -> None:
        self._rows, self._first = rows, first

    def __len__(self) -> int:
        return CELLS_IN_A_CELL

    def __getitem__(self, cell: int) -> Any:
        return self._rows.within(self._first + cell)


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


# --------------------------------------------------------------------------------------------------------------------
# Resampling
# --------------------------------------------------------------------------------------------------------------------


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
