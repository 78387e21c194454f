"""The value of a curve at a number or a plain array, in as few steps as possible."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.array_code import array_factory
from stored._tables.axis import Axis, Floats
from stored._tables.pieces import Pieces
from stored._tables.real_numbers import REAL_DTYPES, number_types
from stored._tables.scalar_code import number_factory

__all__ = ["CHUNK", "quick_values"]

CHUNK = 16_384
"""So many points are evaluated at once: what is computed of them stays in the second-level cache."""

_FEW, _FEW_IF_DIVIDED = 28, 50
"""At no more points a loop in Python is faster than numpy, which has more to do where cells are divided."""

_SOME = 1000
"""At no more points numpy is faster if it makes new arrays for its results."""

_DTYPES = frozenset(REAL_DTYPES)

_CONVERTED = _DTYPES - {np.dtype(np.longdouble)}
"""Arrays of these are converted to floats; longer numbers may exceed those, of which numpy warns."""

_FLOAT = np.dtype(float)


def quick_values(pieces: Pieces, axis: Axis, log: bool) -> Callable[[Any], Any]:
    """A fast function of one argument, which may be anything.

    Parameters
    ----------
    pieces : Pieces
        The function, or its logarithm, over the coordinate.
    axis : Axis
        The axis.
    log : bool
        Are the pieces the logarithm of the function?

    Returns
    -------
    callable
        For a number of Python's or numpy's it gives a float, and for an array of these a new array of the same shape,
        in which a point has the same value, to the bit, whatever the others are. It gives None for anything else, for
        NaN and for what is outside the axis. Calls share nothing that they write to.
    """
    low, high, rows = float(axis.low), float(axis.high), pieces.rows()
    forward, from_zero = axis.scalar_forward(), pieces.low == 0.0
    kind = forward is not None, from_zero, pieces.is_divided, log
    make = functools.partial(
        number_factory(*kind), low, high, forward, pieces.low, pieces.per_unit, rows, number_types([axis])
    )
    number_only = make(_nothing)  # in a function that refers to itself, only garbage collection would free the table
    values_at: Callable[[Floats], Floats | None] | None = None

    def evaluate_other(x: Any) -> Any:
        nonlocal values_at
        if type(x) is not np.ndarray:
            return None
        if values_at is None:
            values_at = _array_values(pieces, axis, rows, kind)
        if x.dtype is _FLOAT and x.ndim == 1:
            return values_at(x)
        if x.ndim == 0:
            value = number_only(float(x)) if x.dtype in _DTYPES else None
            return None if value is None else np.array(value)
        if x.dtype not in _CONVERTED:
            return None
        values = values_at(x.astype(float, copy=False).ravel())
        return None if values is None else values.reshape(x.shape)

    made: Callable[[Any], Any] = make(evaluate_other)
    return made


def _nothing(_: Any) -> None:
    """The value at what is no number."""


def _array_values(
    pieces: Pieces, axis: Axis, rows: Any, kind: tuple[bool, bool, bool, bool]
) -> Callable[[Floats], Floats | None]:
    """The function of floats of shape (n,), which returns None if one of them is not within the limits."""
    limits = float(axis.low), float(axis.high)
    cells = pieces.columns(), pieces.number, pieces.cells(), pieces.descend
    make = array_factory(*kind)
    at_few, at_some, at_many = make(*limits, pieces.low, pieces.per_unit, rows, *cells, axis.array_forward())
    few, some = (_FEW_IF_DIVIDED if pieces.is_divided else _FEW), _SOME
    if not isinstance(axis.spacing, str):
        few = some = 0  # only `at_many` looks at the coordinates, which a user's function may give as it likes

    def values_at(x: Floats) -> Any:
        size = x.size
        if not size:
            return np.empty(0)
        if size <= few:
            return at_few(x)
        if size <= some:
            return at_some(x)
        values = np.empty(size)
        u, space = np.empty((2, min(size, CHUNK)))
        for start in range(0, size, CHUNK):
            chunk = x[start : start + CHUNK]
            here = chunk.size
            if at_many(chunk, values[start : start + here], u[:here], space[:here]) is None:
                return None
        return values

    return values_at
