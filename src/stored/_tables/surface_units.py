"""The fast way of quantities along several axes, and to values with a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stored._tables.axis import Axis
from stored._tables.surface_code import SurfaceFunction
from stored._tables.units import number_in_unit, quantity_class, with_unit

__all__ = ["surface_with_units"]


def surface_with_units(evaluate: SurfaceFunction, axes: Sequence[Axis], unit: Any) -> SurfaceFunction:
    """The fast function of numbers, as one of quantities along axes with a unit, or with a quantity as its result.

    Parameters
    ----------
    evaluate : callable
        The function, which returns None where it cannot be evaluated.
    axes : sequence of Axis
        The axes.
    unit : Unit or None
        The unit of the values.
    """
    if unit is None and all(axis.unit is None for axis in axes):
        return evaluate
    quantity = quantity_class()

    def number(axis: Axis, x: Any) -> Any:
        """The number of a quantity; None if it has to be looked at with care."""
        if axis.unit is None:
            return x
        if type(x) is not quantity or not x.isscalar or x.dtype.kind != "f":
            return None
        return float(number_in_unit(axis.name, x, axis.unit))

    def evaluate_with_units(*x: Any) -> Any:
        try:
            value = evaluate(*map(number, axes, x))
        except TypeError:  # a unit that does not fit
            return None
        return None if value is None else with_unit(value, unit)

    return evaluate_with_units
