"""The fast way of quantities along several axes, and to values with a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stored._tables.axis import Axis
from stored._tables.real_numbers import number_reader
from stored._tables.surface_code import SurfaceFunction
from stored._tables.units import with_unit

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
    readers = [_as_it_is if axis.unit is None else number_reader(axis.name, axis.unit) for axis in axes]

    def evaluate_with_units(*x: Any) -> Any:
        value = evaluate(*[read(each) for read, each in zip(readers, x, strict=True)])
        return None if value is None else with_unit(value, unit)

    return evaluate_with_units


def _as_it_is(x: Any) -> Any:
    """The argument along an axis without a unit, of which the function takes numbers of all kinds."""
    return x
