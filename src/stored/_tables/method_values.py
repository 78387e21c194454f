"""How is a method called with numbers along its axes, and what numbers does it give? In between may be quantities."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.axis import Axis
from stored._tables.units import is_quantity, named_unit
from stored.errors import TableError

__all__ = ["REAL_KINDS", "NumberMethod", "value_in_unit"]

REAL_KINDS = "buif"
"""The kinds of numpy dtypes that hold real numbers."""


class NumberMethod:
    """A method of numbers along its axes, whose values are numbers: all in the unit of the first one.

    Parameters
    ----------
    function : callable
        Takes the axes' arguments by name; those along an axis with a unit as quantities.
    axes : tuple of Axis
        One or two.
    label : str
        What messages call the function.

    Attributes
    ----------
    unit : Unit or None
        The unit of the first value.
    """

    def __init__(self, function: Callable[..., Any], axes: tuple[Axis, ...], label: str) -> None:
        self._function = function
        self._axes = axes
        self._label = label
        self._is_known = False
        self.unit: Any = None

    def __call__(self, **point: Any) -> Any:
        """The method's value at numbers, as one in the unit of the first value.

        Raises
        ------
        TableError
            If it has a unit that does not fit, or none where others have one, or one where others have none.
        """
        value = self._function(**{axis.name: axis.argument(point[axis.name]) for axis in self._axes})
        if not self._is_known:
            self._is_known, self.unit = True, _unit(value)
        return value_in_unit(self._label, value, self.unit)


def _unit(value: Any) -> Any:
    if is_quantity(value):
        return value.unit
    found = getattr(value, "unit", None)
    if found is not None:
        raise TableError(
            f"a method that is interpolated returned a {type(value).__name__} with the unit {found}; return a quantity,"
            " such as .quantity of it, or numbers"
        )
    return None


def value_in_unit(label: str, value: Any, unit: Any) -> Any:
    """A value of a method as a number or an array in a unit, or as a plain one if that is None; NaN where it is masked.

    Raises
    ------
    TableError
        If its unit does not fit, or it has none where one is expected, or one where none is.
    """
    found = _unit(value)
    if found is None and unit is None:
        return _filled(value)
    if found is None or unit is None:
        raise _unit_error(label, value, found, unit)
    try:
        return _filled(value).to_value(unit, None)
    except sys.modules["astropy.units"].UnitsError:
        raise _unit_error(label, value, found, unit) from None


def _unit_error(label: str, value: Any, *units: Any) -> TableError:
    found, expected = ["no unit" if each is None else f"the unit {named_unit(each)}" for each in units]
    return TableError(
        f"{label}() returned {value!s:.200}, which has {found}, and another value that has {expected}; a method that is"
        " interpolated must return all its values with units that fit, or all without"
    )


def _filled(value: Any) -> Any:
    """A value without its mask: what is masked is NaN, and so no value to interpolate."""
    if isinstance(value, np.ma.MaskedArray):
        return np.ma.filled(value.astype(float), np.nan) if value.dtype.kind in REAL_KINDS else value
    masked = getattr(sys.modules.get("astropy.utils.masked"), "Masked", None)
    return value.filled(np.nan) if masked is not None and isinstance(value, masked) else value
