"""A plot of an interpolant with its nodes and its measured error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from stored._tables.axis import Axis, Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_POINTS = 1000
"""A curve is drawn through so many points."""

_POINTS_ALONG = 200
"""A surface is drawn on a grid of so many points along each axis."""

_TICKS = 8

_MOST_NODES_MARKED = 400
"""More nodes than these are not drawn."""


def draw(interpolant: Any) -> Figure:
    """Draw an interpolant of one or two arguments.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "plot() draws with matplotlib, which is not installed; install it, or stored[plot]", name=error.name
        ) from error
    figure = Figure(figsize=(7.0, 6.0), layout="constrained")
    (_draw_curve if len(interpolant.axes) == 1 else _draw_surface)(interpolant, figure)
    return figure


def _draw_curve(interpolant: Any, figure: Figure) -> None:
    (axis,) = interpolant.axes
    has_tolerance = axis.points is None
    panels: Any = figure.subplots(
        1 + has_tolerance, squeeze=False, sharex=True, height_ratios=(2, 1)[: 1 + has_tolerance]
    )
    above, below = panels[0, 0], panels[-1, 0]
    x = _spread(axis, _POINTS)
    above.plot(x, interpolant.evaluate([x]), linewidth=1.0)
    (nodes,) = _numbers(interpolant.nodes)
    if nodes.size <= _MOST_NODES_MARKED:
        above.plot(nodes, *_numbers([interpolant.values]), ".", markersize=4, label=f"{nodes.size} nodes")
        above.legend(frameon=False)
    above.set_ylabel(_with_unit(f"{interpolant.label}({axis.name})", interpolant.unit))
    above.set_title(_title(interpolant), fontsize="medium")
    if axis.values == "log":
        above.set_yscale("log")
    if has_tolerance:  # in a table of given points, those held out are nodes of the spline
        _draw_error(interpolant, below, x)
    below.set_xlabel(_with_unit(axis.name, axis.unit))
    _scale_axis(below.set_xscale, below.set_xlim, below.set_xticks, axis)


def _with_unit(name: str, unit: Any) -> str:
    return name if unit is None else f"{name} [{unit}]"


def _numbers(values: Iterable[Any]) -> list[Floats]:
    return [np.asarray(each) for each in values]


def _title(interpolant: Any) -> str:
    pieces = f"{interpolant.pieces} piece{'s' if interpolant.pieces > 1 else ''}"
    return f"{interpolant.evaluations} evaluations, {pieces}, measured error {interpolant.error:.1e}"


def _draw_error(interpolant: Any, plot: Any, x: Floats) -> None:
    (axis,) = interpolant.axes
    held_out, values = _numbers(interpolant.held_out)
    error = np.abs(interpolant.evaluate([held_out]) - values)
    shown = np.maximum(error, np.finfo(float).eps * np.abs(values))  # an error is known to rounding only
    plot.plot(held_out, np.where(shown > 0.0, shown, np.nan), ".", markersize=4, label="held out")
    allowed = axis.atol + axis.rtol * np.abs(interpolant.evaluate([x]))
    plot.plot(x, np.where(allowed > 0.0, allowed, np.nan), linewidth=1.0, label="tolerance")
    plot.set_yscale("log")
    plot.set_ylabel("measured error")
    plot.legend(frameon=False)


def _spread(axis: Axis, points: int) -> Floats:
    low, high = axis.coordinate_limits()
    return axis.backward(np.linspace(low, high, points))


def _scale_axis(set_scale: Any, set_limits: Any, set_ticks: Any, axis: Axis) -> None:
    """Scale an axis of a plot as the coordinate of the interpolated axis."""

    def forward(x: Any) -> Floats:
        with np.errstate(all="ignore"):  # matplotlib also tries numbers outside the limits
            return axis.forward(x)

    if axis.spacing == "log":
        set_scale("log")
    elif axis.spacing != "linear":
        set_scale("function", functions=(forward, axis.backward))
        set_limits(axis.low, axis.high)
        # round numbers, at about equal distances in the coordinate
        ticks = sorted({float(f"{each:.1g}") for each in _spread(axis, _TICKS).tolist()})
        set_ticks([each for each in ticks if axis.low <= each <= axis.high])


def _draw_surface(interpolant: Any, figure: Figure) -> None:
    first, second = interpolant.axes
    plot = figure.subplots()
    x, y = (_spread(axis, _POINTS_ALONG) for axis in interpolant.axes)
    norm = "log" if "log" in (first.values, second.values) else "linear"
    grid = np.meshgrid(x, y)
    values = interpolant.evaluate([each.ravel() for each in grid]).reshape(grid[0].shape)
    shown = plot.pcolormesh(x, y, values, shading="gouraud", norm=norm)
    label = _with_unit(f"{interpolant.label}({first.name}, {second.name})", interpolant.unit)
    figure.colorbar(shown, ax=plot, label=label)
    held_x, held_y, _ = _numbers(interpolant.held_out)
    plot.scatter(held_x, held_y, s=10, color="white", edgecolor="black", label="held out")
    plot.set_title(_title(interpolant), fontsize="medium")
    plot.set_xlabel(_with_unit(first.name, first.unit))
    plot.set_ylabel(_with_unit(second.name, second.unit))
    _scale_axis(plot.set_xscale, plot.set_xlim, plot.set_xticks, first)
    _scale_axis(plot.set_yscale, plot.set_ylim, plot.set_yticks, second)
