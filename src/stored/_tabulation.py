"""From a slow function to a table of it, and from a table, made here or found in a store, to an interpolant."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from stored._axes import Axis, Floats
from stored._curves import sample_curve
from stored._interpolants import CurveInterpolant, Interpolant, SurfaceInterpolant
from stored._pieces import DEGREE, resampled
from stored._sampling import NotVectorizedError, Sampler
from stored._surfaces import MOST_PATCHES, resampled_surface, sample_surface
from stored._tolerance import Tolerance
from stored.errors import DamagedEntryError, ToleranceError

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

__all__ = ["interpolant", "tabulate"]

Table: TypeAlias = dict[str, Any]
_CUBIC = 3


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


class _Form:
    """A function of coordinates, in the form in which it is interpolated."""

    def __init__(self, sampler: Sampler, axes: tuple[Axis, ...]) -> None:
        self._sampler = sampler
        self._axes = axes
        self.log = any(axis.values == "log" for axis in axes)
        self.limits = [axis.coordinate_limits() for axis in axes]

    def __call__(self, *arguments: Any) -> Floats:
        *coordinates, singly = arguments
        points = [axis.backward(t) for axis, t in zip(self._axes, coordinates, strict=True)]
        values = (self._sampler.singly if singly else self._sampler)(*points)
        return np.log(values) if self.log else values

    def values(self, form: Floats) -> Floats:
        """The values themselves."""
        return np.exp(form) if self.log else form


def _curve(sampler: Sampler, axes: tuple[Axis, ...], label: str) -> Table:
    (axis,) = axes
    form = _Form(sampler, axes)
    if axis.points is not None:
        return _even_curve(form, axis)
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
    form = _Form(sampler, axes)
    if axes[0].points is not None:
        return _even_surface(form, both)
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


# --------------------------------------------------------------------------------------------------------------------
# A given number of points
# --------------------------------------------------------------------------------------------------------------------


def _even_nodes(form: _Form, axes: tuple[Axis, ...]) -> list[Floats]:
    return [np.linspace(*limits, cast(int, axis.points)) for limits, axis in zip(form.limits, axes, strict=True)]


def _even_curve(form: _Form, axis: Axis) -> Table:
    (t,) = _even_nodes(form, (axis,))
    values = form(t, False)
    coefficients = np.zeros((t.size - 1, DEGREE + 1))
    coefficients[:, : _CUBIC + 1] = _spline_powers(t, values).T
    coarse = _spline(t[::2], values[::2])(t[1::2])
    return {
        "nodes": [axis.backward(t)],
        "values": form.values(values),
        "held_out": [axis.backward(t[1::2]), form.values(values[1::2])],
        "limits": [np.array(form.limits[0])],
        "coefficients": coefficients,
        "depths": np.zeros(t.size - 1, dtype=np.uint8),
        "error": _relative_to_largest(coarse - values[1::2], values, form.log),
    }


def _even_surface(form: _Form, axes: tuple[Axis, Axis]) -> Table:
    t = _even_nodes(form, axes)
    grid = np.meshgrid(*t, indexing="ij")
    values = form(*(each.ravel() for each in grid), False).reshape(grid[0].shape)
    along_x = _spline_powers(t[0], values)  # power, cell, y
    along_both = _spline_powers(t[1], np.moveaxis(along_x, 2, 0))  # power of y, cell in y, power of x, cell in x
    coarse = _spline(t[1][::2], _spline(t[0][::2], values[::2, ::2])(t[0][1::2]).T)(t[1][1::2]).T
    held_out = values[1::2, 1::2]
    return {
        "nodes": [axis.backward(each) for axis, each in zip(axes, t, strict=True)],
        "values": form.values(values),
        "held_out": [
            *(axis.backward(each[1::2, 1::2].ravel()) for axis, each in zip(axes, grid, strict=True)),
            form.values(held_out.ravel()),
        ],
        "limits": [np.array(each) for each in form.limits],
        "coefficients": np.ascontiguousarray(along_both.transpose(3, 1, 2, 0)),
        "error": _relative_to_largest(coarse - held_out, values, form.log),
    }


def _relative_to_largest(errors: Floats, values: Floats, log: bool) -> float:
    largest = 1.0 if log else float(np.max(np.abs(values)))
    error = float(np.max(np.abs(errors)))
    return error / largest if largest else error


def _spline(t: Floats, values: Floats) -> CubicSpline:
    """The cubic spline (not-a-knot) along the first axis of the values; through three points or two, what there is."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(t, values)


def _spline_powers(t: Floats, values: Floats) -> Floats:
    """The spline's coefficients of u**0 to u**3, where u runs from 0 to 1 between neighbours."""
    powers = _spline(t, values).c[::-1]
    width = (t[-1] - t[0]) / (t.size - 1)
    return np.asarray(powers * (width ** np.arange(_CUBIC + 1)).reshape(-1, *[1] * (powers.ndim - 1)))


# --------------------------------------------------------------------------------------------------------------------
# Interpolants of tables
# --------------------------------------------------------------------------------------------------------------------


def interpolant(axes: tuple[Axis, ...], table: object, label: str) -> Interpolant:
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
    except ValueError:  # of depths that make no whole cells
        raise DamagedEntryError(_NO_PIECES) from None


_KEYS = {"nodes", "values", "held_out", "limits", "coefficients", "error", "evaluations"}
_MOST_DEPTH = 16
_NO_PIECES = "its coefficients do not make pieces of the axis"


def _check(axes: tuple[Axis, ...], table: object) -> None:
    keys = _KEYS | {"depths"} if len(axes) == 1 else _KEYS
    if not (isinstance(table, dict) and table.keys() == keys):
        raise DamagedEntryError("it holds no table of nodes, values and coefficients")
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
    if not _are_coefficients(axes, table):
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
    # in between, another machine may round otherwise
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


def _are_coefficients(axes: tuple[Axis, ...], table: Table) -> bool:
    found = table["coefficients"]
    cells = [None if axis.points is None else axis.points - 1 for axis in axes]
    if len(axes) > 1:
        sizes = (DEGREE + 1 if axes[0].points is None else _CUBIC + 1,) * len(axes)
        return _are_floats(found, (*cells, *sizes))
    depths = table["depths"]
    if not _are_floats(found, (*cells, DEGREE + 1)) or type(depths) is not np.ndarray or depths.dtype != np.uint8:
        return False
    return depths.shape == (len(found),) and bool(depths.max() <= _MOST_DEPTH)


def _are_counts(error: object, evaluations: object) -> bool:
    return type(error) is float and 0.0 <= error < math.inf and type(evaluations) is int and evaluations > 0
