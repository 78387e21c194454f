"""A picture of an interpolant: the function with its nodes above, the measured error below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stored._axes import Axis, Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_POINTS = 1000
_POINTS_ALONG = 200
_TICKS = 8
_MOST_NODES_MARKED = 400


def draw(interpolant: Any) -> Figure:
    """Draw an interpolant of one argument or two.

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
    (nodes,) = interpolant.nodes
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    x = _spread(axis, _POINTS)
    above.plot(x, interpolant(x), linewidth=1.0)
    if nodes.size <= _MOST_NODES_MARKED:
        above.plot(nodes, interpolant.values, ".", markersize=4, label=f"{nodes.size} nodes")
        above.legend(frameon=False)
    above.set_ylabel(f"{interpolant.label}({axis.name})")
    above.set_title(f"{interpolant.evaluations} evaluations, {interpolant.pieces} pieces", fontsize="medium")
    held_out, values = interpolant.held_out
    error = np.abs(interpolant(held_out) - values)
    seen = np.maximum(error, np.finfo(float).eps * np.abs(values))  # less than rounding is no error
    below.plot(held_out, np.where(seen > 0.0, seen, np.nan), ".", markersize=4, label="held out")
    _draw_tolerance(below, axis, x, interpolant(x))
    below.set_yscale("log")
    below.set_xlabel(axis.name)
    below.set_ylabel("measured error")
    below.legend(frameon=False)
    if axis.values == "log":
        above.set_yscale("log")
    _scale(below, axis)


def _spread(axis: Axis, points: int) -> Floats:
    low, high = axis.coordinate_limits()
    return axis.backward(np.linspace(low, high, points))


def _draw_tolerance(below: Any, axis: Axis, x: Any, values: Any) -> None:
    if axis.points is None:
        allowed = axis.atol + axis.rtol * np.abs(values)
        below.plot(x, np.where(allowed > 0.0, allowed, np.nan), linewidth=1.0, label="tolerance")


def _scale(plot: Any, axis: Axis) -> None:
    """Draw the argument in the axis's own coordinate."""

    def forward(x: Any) -> Floats:
        with np.errstate(all="ignore"):  # matplotlib tries places beyond the limits, too
            return axis.forward(x)

    if axis.spacing == "log":
        plot.set_xscale("log")
    elif axis.spacing != "linear":
        plot.set_xscale("function", functions=(forward, axis.backward))
        plot.set_xlim(axis.low, axis.high)
        # round numbers, about as far from each other in the coordinate
        ticks = sorted({float(f"{each:.1g}") for each in _spread(axis, _TICKS).tolist()})
        plot.set_xticks([each for each in ticks if axis.low <= each <= axis.high])


def _draw_surface(interpolant: Any, figure: Figure) -> None:
    first, second = interpolant.axes
    plot = figure.subplots()
    x, y = (_spread(axis, _POINTS_ALONG) for axis in interpolant.axes)
    shown = plot.pcolormesh(x, y, interpolant(x[:, None], y).T, shading="gouraud")
    figure.colorbar(shown, ax=plot, label=f"{interpolant.label}({first.name}, {second.name})")
    held_x, held_y, values = interpolant.held_out
    error = np.abs(interpolant(held_x, held_y) - values)
    plot.scatter(held_x, held_y, s=10, color="white", edgecolor="black")
    plot.set_title(f"held out at {error.size} points, largest error {error.max():.1e}", fontsize="medium")
    plot.set_xlabel(first.name)
    plot.set_ylabel(second.name)
