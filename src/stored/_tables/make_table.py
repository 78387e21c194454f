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
from stored._tables.patches import MOST_PATCHES, resampled_surface
from stored._tables.resample import resampled
from stored._tables.sampler import CoordinateFunction, NotVectorizedError, Sampler, Table
from stored._tables.tolerance import Tolerance
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
    dict
        ``"nodes"`` (for each axis, the arguments sampled), ``"values"``, ``"held_out"`` (arguments and values that
        were not fitted), ``"limits"`` (for each axis, those of the coordinate), ``"coefficients"`` and, for one axis,
        ``"depths"`` (see `Pieces` and `Patches`), ``"error"`` and ``"evaluations"``.

    Raises
    ------
    TableError
        If a value is not a finite number, or cannot be interpolated as the axis asks.
    ToleranceError
        If the tolerance is not met at as many points as the axis allows.
    """
    sampler = Sampler(function, axes, label)
    make = _curve if len(axes) == 1 else _surface
    try:
        table = make(sampler, axes, label)
    except NotVectorizedError:
        sampler.take_numbers_only()
        table = make(sampler, axes, label)
    return {**table, "evaluations": sampler.evaluations}


def _curve(sampler: Sampler, axes: tuple[Axis, ...], label: str) -> Table:
    (axis,) = axes
    form = CoordinateFunction(sampler, axes)
    if axis.points is not None:
        return even_curve(form, axis)
    sampled = sample_curve(form, form.limits[0], axis, label)
    pieces = resampled(sampled.parts, *form.limits[0])
    nodes, first = np.unique(np.concatenate([part.nodes() for part in sampled.parts]), return_index=True)
    known = np.concatenate([part.values for part in sampled.parts])[first]
    t, values = sampled.held_out
    return {
        "nodes": [axis.backward(nodes)],
        "values": form.values(known),
        "held_out": [axis.backward(t), form.values(values)],
        "limits": [np.array(form.limits[0])],
        "coefficients": pieces.coefficients,
        "depths": pieces.depths,
        "error": _measured(pieces.derivative(t, 0) - values, sampled.allowed, axes, label, sampler.evaluations),
    }


def _measured(
    errors: Floats, allowed: Floats, axes: tuple[Axis, ...], label: str, evaluations: int, why: str = "rounding"
) -> float:
    """The error of what was made, where it was held out; there must be a reason for it to be more than allowed."""
    worst = float(np.max(np.abs(errors) / np.where(errors == 0.0, 1.0, allowed), initial=0.0))
    asked = Tolerance.of(axes).asked
    if worst > 1.0:
        names = " and ".join(axis.name for axis in axes)
        raise ToleranceError(label, names, worst * asked, asked, None, evaluations, why)
    return float(worst * asked)


def _surface(sampler: Sampler, axes: tuple[Axis, ...], label: str) -> Table:
    both = cast(tuple[Axis, Axis], axes)
    form = CoordinateFunction(sampler, axes)
    if axes[0].points is not None:
        return even_surface(form, both)
    sampled = sample_surface(form, form.limits, both, label)
    patches = resampled_surface(sampled, form.limits)
    crowded = 4 * math.prod(patches.coefficients.shape[:2]) > MOST_PATCHES
    why = "patches" if crowded else "rounding"
    orders = [np.argsort(nodes) for nodes in sampled.nodes]
    x, y, values = sampled.held_out
    allowed = np.maximum(Tolerance.of(axes).at(values), sampled.allowed)
    return {
        "nodes": [axis.backward(nodes[order]) for axis, nodes, order in zip(axes, sampled.nodes, orders, strict=True)],
        "values": form.values(sampled.values[np.ix_(*orders)]),
        "held_out": [axes[0].backward(x), axes[1].backward(y), form.values(values)],
        "limits": [np.array(each) for each in form.limits],
        "coefficients": patches.coefficients,
        "error": _measured(patches([x, y]) - values, allowed, axes, label, sampler.evaluations, why),
    }
