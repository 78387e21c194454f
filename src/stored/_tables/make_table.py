"""From a slow function to a table of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.even_points import even_curve, even_surface
from stored._tables.fit_curve import sample_curve
from stored._tables.fit_surface import sample_surface
from stored._tables.function_calls import CoordinateFunction, FunctionCaller, NotVectorizedError
from stored._tables.resample_curve import resample_curve
from stored._tables.resample_surface import MOST_PATCHES, resample_surface
from stored._tables.table import Table
from stored._tables.tolerance import Tolerance
from stored._tables.unit_check import check_units
from stored.errors import ToleranceError

__all__ = ["tabulate"]


def tabulate(function: Callable[..., Any], axes: tuple[Axis, ...], label: str) -> Table:
    """Sample a function along its axes.

    Parameters
    ----------
    function : callable
        Takes the axes' arguments by name.
    axes : tuple of Axis
        One or two.
    label : str
        What messages call the function.

    Returns
    -------
    Table
        A dict of plain data; `Table` says what it holds.

    Raises
    ------
    TableError
        If a value is not a finite number, or cannot be interpolated as the axis asks; if units do not fit.
    ToleranceError
        If the tolerance is not met at as many points as the axis allows.
    """
    caller = FunctionCaller(function, axes, label)
    tabulate_axes = _tabulate_curve if len(axes) == 1 else _tabulate_surface
    try:
        table = tabulate_axes(caller, axes, label)
    except NotVectorizedError:
        caller.take_numbers_only()
        table = tabulate_axes(caller, axes, label)
    if caller.unit is not None:
        table["unit"] = caller.unit
    table["evaluations"] += check_units(function, axes, table, label, caller.unit)
    return table


def _tabulate_curve(caller: FunctionCaller, axes: tuple[Axis, ...], label: str) -> Table:
    (axis,) = axes
    function = CoordinateFunction(caller, axes)
    (limits,) = function.limits
    if axis.points is not None:
        return even_curve(function, axis)
    sampled = sample_curve(function, limits, axis, label)
    pieces = resample_curve(sampled.parts, *limits)
    nodes, first = np.unique(np.concatenate([part.nodes() for part in sampled.parts]), return_index=True)
    values = np.concatenate([part.values for part in sampled.parts])[first]
    t, held_out = sampled.held_out
    return {
        "nodes": [axis.backward(nodes)],
        "values": function.values(values),
        "held_out": [axis.backward(t), function.values(held_out)],
        "limits": [np.array(limits)],
        "coefficients": pieces.coefficients,
        "depths": pieces.depths,
        "error": _checked_error(pieces.derivative(t, 0) - held_out, sampled.allowed, axes, label, caller.evaluations),
        "evaluations": caller.evaluations,
    }


def _tabulate_surface(caller: FunctionCaller, axes: tuple[Axis, ...], label: str) -> Table:
    both = cast(tuple[Axis, Axis], axes)
    function = CoordinateFunction(caller, axes)
    if axes[0].points is not None:
        return even_surface(function, both)
    sampled = sample_surface(function, function.limits, both, label)
    patches = resample_surface(sampled, function.limits)
    has_most_patches = 4 * math.prod(patches.coefficients.shape[:2]) > MOST_PATCHES
    why = "patches" if has_most_patches else "rounding"
    orders = [np.argsort(nodes) for nodes in sampled.nodes]
    x, y, values = sampled.held_out
    allowed = np.maximum(Tolerance.of(axes).at(values), sampled.allowed)
    return {
        "nodes": [axis.backward(nodes[order]) for axis, nodes, order in zip(axes, sampled.nodes, orders, strict=True)],
        "values": function.values(sampled.values[np.ix_(*orders)]),
        "held_out": [axes[0].backward(x), axes[1].backward(y), function.values(values)],
        "limits": [np.array(each) for each in function.limits],
        "coefficients": patches.coefficients,
        "error": _checked_error(patches([x, y]) - values, allowed, axes, label, caller.evaluations, why),
        "evaluations": caller.evaluations,
    }


def _checked_error(
    errors: Floats, allowed: Floats, axes: tuple[Axis, ...], label: str, evaluations: int, why: str = "rounding"
) -> float:
    """The largest of the errors where the function was held out; if one is more than allowed, say why it may be."""
    worst = float(np.max(np.abs(errors) / np.where(errors == 0.0, 1.0, allowed), initial=0.0))
    asked = Tolerance.of(axes).asked
    if worst > 1.0:
        names = " and ".join(axis.name for axis in axes)
        raise ToleranceError(label, names, worst * asked, asked, None, evaluations, why)
    return float(worst * asked)
