"""Which numbers are taken as Python floats, without a look at arrays?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from stored._tables.axis import Axis
from stored._tables.units import number_in_unit, quantity_class

__all__ = ["REAL_DTYPES", "NumberReader", "number_reader", "number_types", "reading_code", "real_number"]

NumberReader: TypeAlias = Callable[[Any], float]
"""From an argument to its number; NaN for what needs more care than a single real number does."""

REAL_DTYPES = [np.dtype(code) for code in "?" + np.typecodes["AllInteger"] + np.typecodes["Float"]]
"""The dtypes of numpy's real numbers, of which those of one size are equal, though their types are not."""

_REAL_TYPES: frozenset[type] = frozenset([float, bool, *[each.type for each in REAL_DTYPES]])
"""The types of real numbers, but for int."""

_LEAST_INT, _MOST_INT = -(2**63), 2**64 - 1
"""Beyond these an int is no number of an array."""


def real_number(x: Any) -> float:
    """A real number as a float, as arrays convert it; NaN for anything else."""
    kind = x.__class__
    if kind in _REAL_TYPES or (kind is int and _LEAST_INT <= x <= _MOST_INT):
        return float(x)
    return math.nan


def number_types(axes: Sequence[Axis]) -> frozenset[type]:
    """The types of real numbers along axes: int too, if no integer beyond those of arrays is rounded into an axis."""
    has_integers = all(axis.low > _LEAST_INT and float(axis.high) <= _MOST_INT for axis in axes)
    return _REAL_TYPES | {int} if has_integers else _REAL_TYPES


def number_reader(what: str, unit: Any) -> NumberReader:
    """What reads single numbers, or quantities that can be converted to a unit.

    Parameters
    ----------
    what : str
        What messages call the number.
    unit : Unit or None
        The unit; None for plain numbers.
    """
    if unit is None:
        return real_number
    quantity = quantity_class()

    def read(x: Any) -> float:
        if x.__class__ is not quantity or not x.isscalar or x.dtype.kind != "f":
            return math.nan
        try:
            return float(number_in_unit(what, x, unit))
        except TypeError:  # what is wrong with which argument is told in the order of all checks
            return math.nan

    return read


def reading_code(name: str, unit: Any) -> str:
    """The statement of generated code that has ``read``, what `number_reader` gives, read the number of this name."""
    reads = f"{name} = read({name})"
    return reads if unit is not None else f"if {name}.__class__ is not float: {reads}"
