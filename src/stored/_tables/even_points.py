"""Tables of a given number of evenly spaced points, by cubic splines."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.function_calls import CoordinateFunction
from stored._tables.pieces import DEGREE
from stored._tables.table import Table

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

__all__ = ["CUBIC", "even_curve", "even_surface"]

CUBIC = 3
"""The degree of the splines."""


def even_curve(function: CoordinateFunction, axis: Axis) -> Table:
    """A table of as many points as the axis says."""
    (t,) = _even_nodes(function, (axis,))
    values = function(t, False)
    coefficients = np.zeros((t.size - 1, DEGREE + 1))
    coefficients[:, : CUBIC + 1] = _spline_powers(t, values).T
    coarse = _spline(t[::2], values[::2])(t[1::2])
    return {
        "nodes": [axis.backward(t)],
        "values": function.values(values),
        "held_out": [axis.backward(t[1::2]), function.values(values[1::2])],
        "limits": [np.array(function.limits[0])],
        "coefficients": coefficients,
        "depths": np.zeros(t.size - 1, dtype=np.uint8),
        "error": _relative_to_largest(coarse - values[1::2], values, function.log),
        "evaluations": function.evaluations,
    }


def even_surface(function: CoordinateFunction, axes: tuple[Axis, Axis]) -> Table:
    """A table of as many points along each axis as it says."""
    t = _even_nodes(function, axes)
    grid = np.meshgrid(*t, indexing="ij")
    values = function(*(each.ravel() for each in grid), False).reshape(grid[0].shape)
    held_out = values[1::2, 1::2]
    coarse = _spline(t[1][::2], _spline(t[0][::2], values[::2, ::2])(t[0][1::2]).T)(t[1][1::2]).T
    return {
        "nodes": [axis.backward(each) for axis, each in zip(axes, t, strict=True)],
        "values": function.values(values),
        "held_out": [
            *(axis.backward(each[1::2, 1::2].ravel()) for axis, each in zip(axes, grid, strict=True)),
            function.values(held_out.ravel()),
        ],
        "limits": [np.array(each) for each in function.limits],
        "coefficients": _surface_powers(t, values),
        "error": _relative_to_largest(coarse - held_out, values, function.log),
        "evaluations": function.evaluations,
    }


def _even_nodes(function: CoordinateFunction, axes: tuple[Axis, ...]) -> list[Floats]:
    return [np.linspace(*limits, cast(int, axis.points)) for limits, axis in zip(function.limits, axes, strict=True)]


def _relative_to_largest(errors: Floats, values: Floats, log: bool) -> float:
    largest = 1.0 if log else float(np.max(np.abs(values)))
    error = float(np.max(np.abs(errors)))
    return error / largest if largest else error


def _spline(t: Floats, values: Floats) -> CubicSpline:
    """The cubic spline (not-a-knot) along the first axis of the values; through 2 or 3 points a polynomial."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(t, values)


def _spline_powers(t: Floats, values: Floats) -> Floats:
    """The spline's coefficients of u**0 to u**3, where u runs from 0 to 1 between neighbours."""
    powers = _spline(t, values).c[::-1]
    width = (t[-1] - t[0]) / (t.size - 1)
    return np.asarray(powers * (width ** np.arange(CUBIC + 1)).reshape(-1, *[1] * (powers.ndim - 1)))


def _surface_powers(t: list[Floats], values: Floats) -> Floats:
    """The coefficients of u**i * v**j in each cell of a grid, by a spline along each axis."""
    along_x = _spline_powers(t[0], values)  # power, cell, y
    along_both = _spline_powers(t[1], np.moveaxis(along_x, 2, 0))  # power of y, cell in y, power of x, cell in x
    return np.ascontiguousarray(along_both.transpose(3, 1, 2, 0))
