"""What interpolants of one argument and of two have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.patches import Patches
from stored._tables.pieces import Pieces
from stored._tables.sampler import REAL_KINDS
from stored._tables.tolerance import Tolerance
from stored.errors import OutsideAxisError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Interpolant", "as_given", "real_numbers"]

_NOTHING_TO_CALL = (
    "outside='exact' calls the method, which this interpolant cannot: call that itself, or choose outside='clip',"
    " 'nan' or 'extrapolate'"
)


class Interpolant(ABC):
    """A function of one or two numbers that stands for a sampled one.

    Attributes
    ----------
    axes : tuple of Axis
        Its arguments.
    label : str
        The function.
    nodes : list of ndarray
        For each axis the arguments at which the function was sampled.
    values : ndarray
        The samples, with one dimension for each axis.
    held_out : tuple of ndarray
        For each axis the arguments, and last the values, that were not fitted, and at which the error was measured.
    error : float
        The largest error there, in the unit of `rtol`: relative to the value (to ``abs(value) + atol / rtol``, if
        there is an `atol`); of a table with `rtol` 0, absolute. It is an estimate from samples. For a table with a
        given number of `points` it is the error that half of the nodes give at the others, relative to the largest
        value (of the logarithm, absolute).
    evaluations : int
        At how many points the function was evaluated, checks included.
    pieces : int
        Of how many polynomials it consists.
    """

    def __init__(self, axes: tuple[Axis, ...], table: Mapping[str, Any], label: str, fit: Pieces | Patches) -> None:
        self.axes = axes
        self.label = label
        self.nodes: list[Floats] = list(table["nodes"])
        self.values: Floats = table["values"]
        self.held_out: tuple[Floats, ...] = tuple(table["held_out"])
        self.error: float = table["error"]
        self.evaluations: int = table["evaluations"]
        self.pieces = math.prod(fit.coefficients.shape[: len(axes)])
        self._fit: Any = fit
        self._log = any(axis.values == "log" for axis in axes)

    def __repr__(self) -> str:
        names = ", ".join(axis.name for axis in self.axes)
        ranges = "; ".join(_described(axis) for axis in self.axes)
        values = ", logarithm of the values" if self._log else ""
        return (
            f"<interpolant of {self.label}({names}), {ranges}{values}: {_asked(self.axes)}, measured error"
            f" {self.error:.1e} at {self.held_out[0].size} points; {self.evaluations} evaluations, {self.pieces}"
            f" piece{'s' if self.pieces > 1 else ''}>"
        )

    def _general(self, x: tuple[Any, ...], exact: Callable[..., Any] | None) -> Any:
        """Evaluate at anything that may be asked for."""
        points = np.broadcast_arrays(*map(real_numbers, self.axes, x))
        outside = [axis.is_beyond(each) for axis, each in zip(self.axes, points, strict=True)]
        self._refuse_outside(points, outside, exact)
        values = self._at([each.ravel() for each in points]).reshape(points[0].shape)
        missing = np.any([np.isnan(each) for each in points], axis=0) | self._beyond("nan", outside)
        called = self._beyond("exact", outside) & ~missing
        values[missing] = math.nan
        if exact is not None and called.any():
            wanted = (each[called].tolist() for each in self._clipped(points, keep=("extrapolate", "exact")))
            values[called] = [exact(*point) for point in zip(*wanted, strict=True)]
        return as_given(values, x)

    def _refuse_outside(self, points: tuple[Floats, ...], outside: list[Any], exact: object) -> None:
        refusing = {"raise"} if exact is not None else {"raise", "exact"}
        for axis, each, beyond in zip(self.axes, points, outside, strict=True):
            if axis.outside in refusing and beyond.any():
                advice = {} if axis.outside == "raise" else {"advice": _NOTHING_TO_CALL}
                raise OutsideAxisError(axis.name, float(each[beyond][0]), axis.low, axis.high, **advice)

    def _clipped(self, points: tuple[Floats, ...] | list[Floats], keep: tuple[str, ...]) -> list[Floats]:
        """Points drawn in to the limits of their axes, but for axes that treat what is outside in these ways."""
        pairs = zip(self.axes, points, strict=True)
        return [each if axis.outside in keep else np.clip(each, axis.low, axis.high) for axis, each in pairs]

    def _beyond(self, treatment: str, outside: list[Any]) -> Any:
        """Where a point is outside an axis that treats it so."""
        pairs = zip(self.axes, outside, strict=True)
        return np.any([beyond & (axis.outside == treatment) for axis, beyond in pairs], axis=0)

    def _at(self, points: list[Floats]) -> Floats:
        """The values at points of equal shape (n,); beyond an axis that is extrapolated, along the tangent."""
        kept = self._clipped(points, keep=("extrapolate",))
        drawn = [
            np.clip(np.nan_to_num(each), axis.low, axis.high) for axis, each in zip(self.axes, points, strict=True)
        ]
        inside = [axis.forward(each) for axis, each in zip(self.axes, drawn, strict=True)]
        values = self.interpolated(inside, 0)
        for number, axis in enumerate(self.axes):
            beyond = axis.is_beyond(kept[number])
            if beyond.any():
                there = [each[beyond] for each in inside]
                with np.errstate(all="ignore"):
                    step = axis.forward(kept[number][beyond]) - there[number]
                    values[beyond] += step * self.interpolated(there, 1, number)
        with np.errstate(over="ignore"):  # a tangent can lead beyond all floats
            return np.exp(values) if self._log else values

    @abstractmethod
    def interpolated(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        """What is interpolated, or its derivative along one axis, at coordinates within the limits."""

    def plot(self) -> Figure:
        """Draw the function with its nodes above, and below the error measured where it was held out.

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig("table.png")`` writes it; a notebook shows it. It needs the extra ``plot``.
        """
        from stored._tables.plot import draw

        return draw(self)


def _described(axis: Axis) -> str:
    spacing = axis.spacing if isinstance(axis.spacing, str) else "own"
    return f"{axis.name} from {axis.low:.12g} to {axis.high:.12g} in {spacing} spacing"


def _asked(axes: tuple[Axis, ...]) -> str:
    if axes[0].points is not None:
        return " x ".join(str(axis.points) for axis in axes) + " points asked for"
    tolerance = Tolerance.of(axes)
    parts = {"rtol": tolerance.rtol, "atol": tolerance.atol}
    return " and ".join(f"{name} {value:g}" for name, value in parts.items() if value) + " asked for"


def as_given(values: Floats, x: tuple[Any, ...]) -> Any:
    return float(values) if all(np.ndim(each) == 0 and not isinstance(each, np.ndarray) for each in x) else values


def real_numbers(axis: Axis | str, x: Any) -> Floats:
    found = np.asarray(x)
    if found.dtype.kind not in REAL_KINDS:
        name = axis if isinstance(axis, str) else axis.name
        raise TypeError(f"{name} is {x!r} ({type(x).__name__}); it must be a real number or an array of them")
    return found.astype(float, copy=False)
