"""Does a method give the same for one quantity in any unit, so that one table answers for all?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.method_values import value_in_unit
from stored._tables.table import Table
from stored._tables.tolerance import Tolerance
from stored.errors import TableError

__all__ = ["check_units"]

_FACTORS = (2.0, 1 / 1024, 0.5, 1024.0)
"""By so much other units are larger; powers of two, so that nothing is rounded."""

_TRIED = 2
"""In so many other units a value is compared."""

_LEAST_RTOL = 1e-6

_ROUNDING = 1e-9
"""By this fraction of the largest value others may differ."""


def check_units(function: Callable[..., Any], axes: tuple[Axis, ...], table: Table, label: str, unit: Any) -> int:
    """Call a method with quantities in other units, at a few of its samples, and compare.

    A method that takes the number out of a quantity, whatever its unit is (``r.value``), gives other values; one that
    refuses another unit does not.

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
    calls = 0
    with_units = [axis for axis in axes if axis.unit is not None]
    for number, at in enumerate(_chosen(table["values"]) if with_units else ()):
        pairs = zip(axes, table["nodes"], at, strict=True)
        point = {axis.name: axis.argument(float(nodes[index])) for axis, nodes, index in pairs}
        for axis in with_units:
            compared = 0
            for factor in (*_FACTORS[number % 4 :], *_FACTORS[: number % 4]):
                other = point[axis.name].to(factor * axis.unit)
                found = _value(function, {**point, axis.name: other}, label, unit)
                calls += 1
                if found is not None and not _agrees(found, float(table["values"][at]), table, axes):
                    raise _error(label, axis, point[axis.name], float(table["values"][at]), other, found)
                compared += found is not None
                if compared == _TRIED:
                    break
    return calls


def _chosen(values: Floats) -> list[tuple[int, ...]]:
    """Where the samples are largest, smallest, last, and change most."""
    flat, size = values.ravel(), np.abs(values.ravel())
    steps = np.abs(np.diff(flat)) / np.maximum(size[1:], size[:-1]).clip(min=np.finfo(float).tiny)
    found = [int(np.argmax(size)), int(np.argmin(size)), flat.size - 1, int(np.argmax(steps)) + 1]
    return [tuple(map(int, np.unravel_index(index, values.shape))) for index in dict.fromkeys(found)]


def _agrees(found: float, expected: float, table: Table, axes: tuple[Axis, ...]) -> bool:
    tolerance = Tolerance.of(axes)
    largest = float(np.max(np.abs(table["values"])))
    allowed = max(_LEAST_RTOL, tolerance.rtol) * abs(expected) + tolerance.atol + _ROUNDING * largest
    return abs(found - expected) <= allowed


def _value(function: Callable[..., Any], arguments: dict[str, Any], label: str, unit: Any) -> float | None:
    try:
        return float(value_in_unit(label, function(**arguments), unit))
    except Exception:  # whatever a method raises that does not take another unit
        return None


def _error(label: str, axis: Axis, shown: Any, expected: float, other: Any, found: float) -> TableError:
    return TableError(
        f"{label}() is {expected!r} at {axis.name} = {shown}, but {found!r} at {axis.name} = {other}, which is the"
        f" same: it depends on the unit of its argument; take numbers out of quantities by {axis.name}.to_value(unit),"
        f" not by {axis.name}.value"
    )
