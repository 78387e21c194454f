"""Does a method give the same for one quantity in any unit, so that one table answers for all?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.axis import Axis
from stored._tables.method_values import value_in_unit
from stored._tables.table import Table
from stored._tables.tolerance import Tolerance
from stored.errors import TableError

__all__ = ["check_units"]

_FACTOR = 1024
"""By so much the other unit is larger; a power of two, so that nothing is rounded."""

_LEAST_RTOL = 1e-6


def check_units(function: Callable[..., Any], axes: tuple[Axis, ...], table: Table, label: str, unit: Any) -> int:
    """Call a method with quantities in other units, where its largest value was sampled, and compare.

    A method that takes the number out of a quantity, whatever its unit is (``r.value``), gives another value; one that
    refuses the other unit does not.

    Parameters
    ----------
    function : callable
        The method, of the axes' arguments by name.
    axes : tuple of Axis
        One or two.
    table : Table
        Its samples.
    label : str
        What messages call it.
    unit : Unit or None
        The unit of the samples.

    Returns
    -------
    int
        How often it was called.

    Raises
    ------
    TableError
        If it gives another value.
    """
    values, tolerance = table["values"], max(_LEAST_RTOL, Tolerance.of(axes).rtol)
    at = np.unravel_index(int(np.argmax(np.abs(values))), values.shape)
    expected = float(values[at])
    point = [axis.argument(float(nodes[index])) for axis, nodes, index in zip(axes, table["nodes"], at, strict=True)]
    with_units = [axis for axis in axes if axis.unit is not None]
    for axis in with_units:
        arguments = {each.name: argument for each, argument in zip(axes, point, strict=True)}
        shown = arguments[axis.name]
        arguments[axis.name] = other = shown.to(_FACTOR * axis.unit)
        found = _value(function, arguments, label, unit)
        if found is not None and abs(found - expected) > tolerance * abs(expected):
            raise TableError(
                f"{label}() is {expected!r} at {axis.name} = {shown}, but {found!r} at {axis.name} = {other}, which is"
                f" the same: it depends on the unit of its argument; take numbers out of quantities by"
                f" {axis.name}.to_value(unit), not by {axis.name}.value"
            )
    return len(with_units)


def _value(function: Callable[..., Any], arguments: dict[str, Any], label: str, unit: Any) -> float | None:
    try:
        return float(value_in_unit(label, function(**arguments), unit))
    except Exception:  # whatever a method raises that does not take another unit
        return None
