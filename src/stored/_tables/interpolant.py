"""The callable that users hold: what interpolants of one and of two arguments have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from stored._tables.arguments import Arguments, read_arguments
from stored._tables.axis import Axis, Floats
from stored._tables.method_values import value_in_unit
from stored._tables.patches import Patches
from stored._tables.pieces import Pieces
from stored._tables.table import Table
from stored._tables.tolerance import Tolerance
from stored._tables.units import with_unit
from stored.errors import OutsideAxisError, TableError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Interpolant", "outside_error"]

_NOTHING_TO_CALL = (
    "outside='exact' calls the method, but this interpolant has no method to call: call the method itself, or choose"
    " outside='clip', 'nan' or 'extrapolate'"
)


class Interpolant(ABC):
    """A function of one or two numbers, or quantities, that approximates a sampled one.

    Attributes
    ----------
    axes : tuple of Axis
        The axes of its arguments.
    label : str
        What messages call the function.
    unit : Unit or None
        The unit of the values; None if the function returned plain numbers.
    nodes : list of (ndarray or Quantity)
        For each axis the arguments at which the function was sampled; quantities along an axis with a unit.
    values : ndarray or Quantity
        The samples, with one dimension for each axis; a quantity if the function returned quantities.
    held_out : tuple of (ndarray or Quantity)
        For each axis the arguments, and last the values, that were not fitted, and at which the error was measured.
    error : float
        The largest error there, in the unit of `rtol`: relative to the value (to ``abs(value) + atol / rtol``, if
        there is an `atol`); of a table with `rtol` 0, absolute, in the unit of the values. It is an estimate from
        samples. For a table with a given number of `points` it is the error that half of the nodes give at the others,
        relative to the largest value (of the logarithm, absolute).
    evaluations : int
        At how many points the function was evaluated, checks included.
    pieces : int
        The number of polynomials that it consists of.
    """

    def __init__(self, axes: tuple[Axis, ...], table: Table, label: str, fit: Pieces | Patches) -> None:
        self.axes = axes
        self.label = label
        self.unit: Any = table.get("unit")
        self._nodes: list[Floats] = list(table["nodes"])
        self._values: Floats = table["values"]
        self._held_out: tuple[Floats, ...] = tuple(table["held_out"])
        self.error: float = table["error"]
        self.evaluations: int = table["evaluations"]
        self.pieces = math.prod(fit.coefficients.shape[: len(axes)])
        self._fit: Any = fit
        self._log = any(axis.values == "log" for axis in axes)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what stands in a pickle; one of an earlier version, which knew no units, is a `ValueError`."""
        if "unit" not in state:
            raise ValueError("it is an interpolant of an earlier version of stored")
        vars(self).update(state)

    @property
    def nodes(self) -> list[Any]:
        """For each axis the arguments at which the function was sampled."""
        return [axis.argument(each) for axis, each in zip(self.axes, self._nodes, strict=True)]

    @property
    def values(self) -> Any:
        """The samples, with one dimension for each axis."""
        return with_unit(self._values, self.unit)

    @property
    def held_out(self) -> tuple[Any, ...]:
        """For each axis the arguments, and last the values, that were not fitted."""
        *points, values = self._held_out
        pairs = zip(self.axes, points, strict=True)
        return *(axis.argument(each) for axis, each in pairs), with_unit(values, self.unit)

    def __repr__(self) -> str:
        names = ", ".join(axis.name for axis in self.axes)
        ranges = "; ".join(_describe_range(axis) for axis in self.axes)
        values = ", logarithm of the values" if self._log else ""
        values += "" if self.unit is None else f" in {self.unit}" if self._log else f", values in {self.unit}"
        return (
            f"<interpolant of {self.label}({names}), {ranges}{values}: {_describe_accuracy(self.axes)}, measured error"
            f" {self.error:.1e} at {self._held_out[0].size} points; {self.evaluations} evaluations, {self.pieces}"
            f" piece{'s' if self.pieces > 1 else ''}>"
        )

    def read_arguments(self, *x: Any) -> Arguments:
        """The numbers of a call's arguments, in the units of the axes."""
        return read_arguments([axis.name for axis in self.axes], [axis.unit for axis in self.axes], x)

    def _evaluate_anywhere(self, given: Arguments, exact: Callable[..., Any] | None) -> Any:
        """The values at arguments, some of which may be NaN or outside the axes."""
        points = given.points
        outside = [axis.is_outside(each) for axis, each in zip(self.axes, points, strict=True)]
        self._check_outside(points, outside, exact)
        values = self.evaluate([each.ravel() for each in points]).reshape(points[0].shape)
        missing = np.any([np.isnan(each) for each in points], axis=0) | self._is_outside("nan", outside)
        called = self._is_outside("exact", outside) & ~missing
        values[missing] = math.nan
        if exact is not None and called.any():
            arguments = (each[called].tolist() for each in self._clip(points, but=("extrapolate", "exact")))
            values[called] = [self._exact_value(exact, point) for point in zip(*arguments, strict=True)]
        return given.result(values, self.unit)

    def _exact_value(self, exact: Callable[..., Any], point: tuple[float, ...]) -> Any:
        arguments = [axis.argument(each) for axis, each in zip(self.axes, point, strict=True)]
        return self._number(exact(*arguments))

    def _number(self, value: Any) -> Any:
        """A value of the function in the unit of the table; a `TableError` if it has none that fits."""
        return value_in_unit(self.label, value, self.unit)

    def _check_outside(self, points: list[Floats], outside: list[Any], exact: object) -> None:
        refused = {"raise"} if exact is not None else {"raise", "exact"}
        for axis, each, is_outside in zip(self.axes, points, outside, strict=True):
            if axis.outside in refused and is_outside.any():
                advice = None if axis.outside == "raise" else _NOTHING_TO_CALL
                raise outside_error(axis, float(each[is_outside][0]), advice)

    def _clip(self, points: list[Floats], but: tuple[str, ...]) -> list[Floats]:
        """Points clipped to the limits of their axes, but for axes whose `outside` is one of these."""
        pairs = zip(self.axes, points, strict=True)
        return [each if axis.outside in but else np.clip(each, axis.low, axis.high) for axis, each in pairs]

    def _is_outside(self, treatment: str, outside: list[Any]) -> Any:
        """Which points are outside an axis whose `outside` is this."""
        pairs = zip(self.axes, outside, strict=True)
        return np.any([is_outside & (axis.outside == treatment) for axis, is_outside in pairs], axis=0)

    def evaluate(self, points: list[Floats]) -> Floats:
        """The numbers of the values at those of points of equal shape (n,); outside an axis, along the tangent."""
        clipped = self._clip([np.nan_to_num(each) for each in points], but=())
        inside = [axis.forward(each) for axis, each in zip(self.axes, clipped, strict=True)]
        values = self.interpolated(inside, 0)
        extrapolated = self._clip(points, but=("extrapolate",))
        for number, axis in enumerate(self.axes):
            outside = axis.is_outside(extrapolated[number])
            if outside.any():
                limits = [each[outside] for each in inside]
                with np.errstate(all="ignore"):
                    step = axis.forward(extrapolated[number][outside]) - limits[number]
                    values[outside] += step * self.interpolated(limits, 1, number)
        with np.errstate(over="ignore"):  # a tangent can lead beyond all floats
            return np.exp(values) if self._log else values

    def is_value(self, found: Any, value: Any) -> bool:
        """Is an interpolated value within twice the tolerance of one of the function, with a unit that fits?"""
        try:
            return self.is_within_tolerance(self._number(found), self._number(value))
        except TableError:
            return False

    def is_within_tolerance(self, found: Any, exact: Any) -> bool:
        """Are interpolated values, as numbers, within twice the tolerance of exact ones?

        Twice, since the tolerance is measured at samples. Beside a zero of the function, values that are a millionth of
        the largest count as that large; of a table with a given number of points, the measured error is the tolerance.
        """
        largest = float(np.max(np.abs(self._values), initial=0.0))
        if self.axes[0].points is not None:
            allowed = self.error * np.maximum(np.abs(exact), largest)
        else:
            tolerance = Tolerance.of(self.axes)
            size = np.maximum(np.abs(exact), 0.0 if self._log else _ZERO_FRACTION * largest)
            allowed = tolerance.atol + tolerance.rtol * size
        return bool(np.all((np.abs(found - exact) <= 2.0 * allowed) & np.isfinite(exact)))

    def disagreement(self, other: Interpolant) -> tuple[tuple[Any, ...], Any, Any] | None:
        """Where another interpolant along the same axes differs most at its nodes, by more than twice the tolerance.

        Returns
        -------
        tuple of (tuple, float or Quantity, float or Quantity) or None
            The arguments, the value of the other one there, and that of this one; None if they agree.
        """
        nodes = [np.clip(each, axis.low, axis.high) for axis, each in zip(self.axes, other._nodes, strict=True)]
        points = [each.ravel() for each in np.meshgrid(*nodes, indexing="ij")]
        found, own = other.evaluate(points), self.evaluate(points)
        try:
            in_own_unit = self._number(with_unit(found, other.unit))
        except TableError:  # no number of the one unit is near one of the other
            in_own_unit = np.full(own.shape, np.inf)
        if self.is_within_tolerance(in_own_unit, own):
            return None
        worst = int(np.argmax(np.nan_to_num(np.abs(in_own_unit - own), nan=np.inf)))
        at = tuple([axis.argument(float(each[worst])) for axis, each in zip(self.axes, points, strict=True)])
        return at, with_unit(float(found[worst]), other.unit), with_unit(float(own[worst]), self.unit)

    @abstractmethod
    def interpolated(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        """The values, or their logarithm if that is interpolated, at coordinates within the limits.

        Parameters
        ----------
        coordinates : list of ndarray, shape (n,)
            Along each axis.
        nu : int
            The order of the derivative, to the coordinate; 0 for none.
        axis : int
            The number of the axis along which it is taken.
        """

    def plot(self) -> Figure:
        """Draw the function with its nodes above, and below the error measured where it was held out.

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig("table.png")`` writes it; a notebook shows it. It needs the extra ``plot``.
        """
        from stored._tables.plot import draw

        return draw(self)


_ZERO_FRACTION = 1e-6


def _describe_range(axis: Axis) -> str:
    spacing = axis.spacing if isinstance(axis.spacing, str) else "own"
    return f"{axis.name} from {axis.low:.12g} to {axis.high:.12g}{axis.unit_text} in {spacing} spacing"


def _describe_accuracy(axes: tuple[Axis, ...]) -> str:
    if axes[0].points is not None:
        return " x ".join(str(axis.points) for axis in axes) + " points asked for"
    tolerance = Tolerance.of(axes)
    parts = {"rtol": tolerance.rtol, "atol": tolerance.atol}
    return " and ".join(f"{name} {value:g}" for name, value in parts.items() if value) + " asked for"


def outside_error(axis: Axis, value: float, advice: str | None) -> OutsideAxisError:
    """The error of a number outside an axis."""
    others = {} if advice is None else {"advice": advice}
    return OutsideAxisError(axis.name, value, axis.low, axis.high, unit=axis.unit_text.strip(), **others)
