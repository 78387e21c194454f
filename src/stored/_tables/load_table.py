"""From a table, perhaps a damaged one, to its interpolant: is it a table of these axes?"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import cast

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.bernstein import to_bernstein
from stored._tables.curve import CurveInterpolant
from stored._tables.even_points import CUBIC
from stored._tables.interpolant import Interpolant
from stored._tables.pieces import DEGREE
from stored._tables.surface import SurfaceInterpolant
from stored._tables.table import Table
from stored._tables.units import is_unit
from stored.errors import DamagedEntryError

__all__ = ["make_interpolant"]


def make_interpolant(axes: tuple[Axis, ...], table: object, label: str) -> Interpolant:
    """The interpolant of a table.

    Parameters
    ----------
    axes : tuple of Axis
        One or two.
    table : object
        What `tabulate` returned, or what was found in a store.
    label : str
        What messages call the function.

    Raises
    ------
    DamagedEntryError
        If it is not what `tabulate` returns for these axes, saying what is wrong.
    """
    _check(axes, table)
    found = cast(Table, table)
    if len(axes) > 1:
        return SurfaceInterpolant(axes, found, label)
    try:
        return CurveInterpolant(axes[0], found, label)
    except ValueError:  # the depths do not make whole cells
        raise DamagedEntryError(_NO_PIECES) from None


_KEYS = {"nodes", "values", "held_out", "limits", "coefficients", "error", "evaluations"}

_MOST_DEPTH = 16
"""In no table is a cell divided more often."""

_LARGEST, _LARGEST_LOG = 1e304, math.log(sys.float_info.max)
"""No value of a table is as large, nor its logarithm; that of the smallest float is -745."""

_NO_PIECES = "its coefficients do not make pieces of the axis"


def _check(axes: tuple[Axis, ...], table: object) -> None:
    keys = _KEYS | {"depths"} if len(axes) == 1 else _KEYS
    if not (isinstance(table, dict) and table.keys() - {"unit"} == keys):
        raise DamagedEntryError("it holds no table of nodes, values and coefficients")
    if not is_unit(table.get("unit")):
        raise DamagedEntryError("its unit is no unit of astropy")
    names = " and ".join(axis.name for axis in axes)
    nodes, values, limits = table["nodes"], table["values"], table["limits"]
    if not (isinstance(nodes, list) and len(nodes) == len(axes) and all(map(_are_nodes, axes, nodes))):
        raise DamagedEntryError(f"its nodes are not those of the axis {names}")
    if not _are_floats(values, tuple(each.size for each in nodes)):
        raise DamagedEntryError("its values are not one finite number for each node")
    if any(axis.values == "log" for axis in axes) and not np.all(values > 0):
        raise DamagedEntryError("its values are not positive, and their logarithm is to be interpolated")
    if not (isinstance(limits, list) and len(limits) == len(axes) and all(map(_are_limits, axes, limits))):
        raise DamagedEntryError(f"its limits are not those of the axis {names}")
    if not _are_held_out(table["held_out"], len(axes)):
        raise DamagedEntryError("its held-out values are not one finite number for each point")
    if not (_are_coefficients(axes, table) and _are_bounded(axes, cast(Floats, table["coefficients"]))):
        raise DamagedEntryError(_NO_PIECES)
    if not _are_counts(table["error"], table["evaluations"]):
        raise DamagedEntryError("its error and evaluations are not numbers of that kind")


def _are_floats(found: object, shape: tuple[int | None, ...]) -> bool:
    if type(found) is not np.ndarray or found.dtype != np.float64 or found.ndim != len(shape):
        return False
    fits = all(wanted is None or size == wanted for size, wanted in zip(found.shape, shape, strict=True))
    return fits and bool(found.size) and bool(np.all(np.isfinite(found)))


def _are_nodes(axis: Axis, found: object) -> bool:
    if not _are_floats(found, (axis.points,)):
        return False
    nodes = cast(Floats, found)
    # other nodes than the limits may be rounded differently on another machine
    return bool(nodes[0] == float(axis.low) and nodes[-1] == float(axis.high) and np.all(np.diff(nodes) > 0))


def _are_limits(axis: Axis, found: object) -> bool:
    if not _are_floats(found, (2,)):
        return False
    low, high = axis.coordinate_limits()
    return bool(np.all(np.abs(cast(Floats, found) - [low, high]) <= 1e-12 * (high - low)))


def _are_held_out(found: object, dimensions: int) -> bool:
    if not (isinstance(found, list) and len(found) == dimensions + 1):
        return False
    return all(_are_floats(each, (None,)) for each in found) and len({each.size for each in found}) == 1


def _are_coefficients(axes: tuple[Axis, ...], table: Mapping[str, object]) -> bool:
    found = table["coefficients"]
    cells = [None if axis.points is None else axis.points - 1 for axis in axes]
    if len(axes) > 1:
        sizes = (DEGREE + 1 if axes[0].points is None else CUBIC + 1,) * len(axes)
        return _are_floats(found, (*cells, *sizes))
    depths = table["depths"]
    if not _are_floats(found, (*cells, DEGREE + 1)) or type(depths) is not np.ndarray or depths.dtype != np.uint8:
        return False
    return depths.shape == (len(cast(Floats, found)),) and bool(depths.max() <= _MOST_DEPTH)


def _are_bounded(axes: tuple[Axis, ...], coefficients: Floats) -> bool:
    """Are the values of all pieces, or their exponentials, such that nothing overflows that is made of them?"""
    hull = coefficients
    with np.errstate(over="ignore", invalid="ignore"):
        for axis in range(-len(axes), 0):
            hull = to_bernstein(hull, axis)
    if any(axis.values == "log" for axis in axes):
        return bool(np.max(hull) <= _LARGEST_LOG and np.min(hull) >= -2.0 * _LARGEST_LOG)
    return bool(np.max(np.abs(hull)) <= _LARGEST)


def _are_counts(error: object, evaluations: object) -> bool:
    return type(error) is float and 0.0 <= error < math.inf and type(evaluations) is int and evaluations > 0
