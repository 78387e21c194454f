"""Interpolants: callables that stand for a sampled function, with its inverse, derivatives, integral and roots."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stored._axes import Axis, Floats
from stored._calculus import MOST_ORDER, argument_slopes, coordinate_derivatives, exponential, through_coordinate
from stored._monotone import Branch, crossings, turning_free
from stored._pieces import CHUNK, Pieces, work_space
from stored._quadrature import Antiderivative
from stored._sampling import REAL_KINDS
from stored._surfaces import Patches
from stored._tolerance import Tolerance
from stored.errors import OutsideAxisError, OutsideValuesError, TableError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CurveInterpolant", "Interpolant", "SurfaceInterpolant"]

_NOTHING_TO_CALL = (
    "outside='exact' calls the method, which this interpolant cannot: call that itself, or choose outside='clip',"
    " 'nan' or 'extrapolate'"
)
_FOR_DERIVATIVES = "widen the axis, or choose outside='clip', 'nan' or 'extrapolate'"
_DOUBT, _LEAST_DOUBT = 4.0, 0.5
"""The interpolant may turn back by so many times its measured error, or by this fraction of the tolerance."""


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
        points = np.broadcast_arrays(*map(_real_numbers, self.axes, x))
        outside = [axis.is_beyond(each) for axis, each in zip(self.axes, points, strict=True)]
        self._refuse_outside(points, outside, exact)
        values = self._at([each.ravel() for each in points]).reshape(points[0].shape)
        missing = np.any([np.isnan(each) for each in points], axis=0) | self._beyond("nan", outside)
        called = self._beyond("exact", outside) & ~missing
        values[missing] = math.nan
        if exact is not None and called.any():
            wanted = (each[called].tolist() for each in self._clipped(points, keep=("extrapolate", "exact")))
            values[called] = [exact(*point) for point in zip(*wanted, strict=True)]
        return _as_given(values, x)

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
        values = self._form(inside, 0)
        for number, axis in enumerate(self.axes):
            beyond = axis.is_beyond(kept[number])
            if beyond.any():
                there = [each[beyond] for each in inside]
                with np.errstate(all="ignore"):
                    step = axis.forward(kept[number][beyond]) - there[number]
                    values[beyond] += step * self._form(there, 1, number)
        with np.errstate(over="ignore"):  # a tangent can lead beyond all floats
            return np.exp(values) if self._log else values

    @abstractmethod
    def _form(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        """What is interpolated, or its derivative along one axis, at coordinates within the limits."""

    def plot(self) -> Figure:
        """Draw the function with its nodes above, and below the error measured where it was held out.

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig("table.png")`` writes it; a notebook shows it. It needs the extra ``plot``.
        """
        from stored._plots import draw

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


def _as_given(values: Floats, x: tuple[Any, ...]) -> Any:
    return float(values) if all(np.ndim(each) == 0 and not isinstance(each, np.ndarray) for each in x) else values


def _real_numbers(axis: Axis | str, x: Any) -> Floats:
    found = np.asarray(x)
    if found.dtype.kind not in REAL_KINDS:
        name = axis if isinstance(axis, str) else axis.name
        raise TypeError(f"{name} is {x!r} ({type(x).__name__}); it must be a real number or an array of them")
    return found.astype(float, copy=False)


class CurveInterpolant(Interpolant):
    """A function of one number, of polynomials of degree 5 in the coordinate of its axis.

    Parameters
    ----------
    axis : Axis
        Its argument.
    table : mapping
        What was sampled.
    label : str
        What messages call the function.
    """

    def __init__(self, axis: Axis, table: Mapping[str, Any], label: str) -> None:
        (low, high) = table["limits"][0].tolist()
        pieces = Pieces(low, high, table["coefficients"], table["depths"])
        super().__init__((axis,), table, label, pieces)
        self._axis = axis
        self._branches: dict[tuple[float, float], Branch] = {}
        self._integrated: Antiderivative | None = None
        self._scalar: Callable[[float], float | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made on demand: functions made here cannot be pickled."""
        return {**vars(self), "_branches": {}, "_integrated": None, "_scalar": None}

    @property
    def scalar(self) -> Callable[[float], float | None]:
        """The function of a Python float within the limits; for anything else it returns None."""
        if self._scalar is None:
            axis = self._axis
            self._scalar = self._fit.scalar(float(axis.low), float(axis.high), axis.scalar_forward(), self._log)
        return self._scalar

    def __call__(self, x: Any, *, exact: Callable[..., Any] | None = None) -> Any:
        """Evaluate.

        Parameters
        ----------
        x : array_like
            The argument.
        exact : callable, optional
            What ``outside="exact"`` calls, one point at a time.

        Returns
        -------
        float or ndarray
            A float for a number, otherwise an array of the same shape. NaN where the argument is NaN, or beyond an
            axis with ``outside="nan"``.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis with ``outside="raise"``, or ``"exact"`` when there is nothing to call.
        TypeError
            If the argument is not a real number or an array of them.
        """
        value = self.scalar(x) if type(x) is float else None  # which is made for the first float, not for arrays
        if value is not None:
            return value
        points = _real_numbers(self._axis, x)
        flat = points.ravel()
        values = self._inside(flat)
        return self._general((x,), exact) if values is None else _as_given(values.reshape(points.shape), (x,))

    def _inside(self, x: Floats) -> Floats | None:
        """The values at points of shape (n,), in chunks that stay in the cache; None if one is beyond the limits."""
        values = np.empty(x.size)
        low, high = self._axis.low, self._axis.high
        space = work_space(x.size)
        for start in range(0, x.size, CHUNK):
            chunk, out = x[start : start + CHUNK], values[start : start + CHUNK]
            if not (low <= chunk.min() and chunk.max() <= high):
                return None
            self._fit.evaluate(self._axis.forward(chunk), out, space)
            if self._log:
                np.exp(out, out=out)
        return values

    def _form(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        return cast(Floats, self._fit.derivative(coordinates[0], nu))

    # -- derivatives --------------------------------------------------------------------------------------------------

    def derivative(self, x: Any, nu: int = 1) -> Any:
        """The derivative of the interpolant, exact for it, by the chain rule through spacing and logarithm.

        Of a spacing that is a pair of functions nobody has told the derivatives: they are taken from an interpolation
        of it, which costs some digits, and are NaN where the coordinate's slope is infinite.

        Parameters
        ----------
        x : array_like
            The argument.
        nu : {1, 2, 3}
            The order.

        Returns
        -------
        float or ndarray
            As for a call. Where two pieces meet, the one to the right. Beyond the axis: 0 with ``outside="clip"``,
            the tangent's with ``"extrapolate"``, NaN with ``"nan"``.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis with ``outside="raise"`` or ``"exact"``.
        ValueError
            If there is no such order.
        """
        _check_order(nu)
        points = _real_numbers(self._axis, x)
        beyond = self._axis.is_beyond(points)
        if beyond.any() and self._axis.outside in {"raise", "exact"}:
            raise self._outside(float(points[beyond][0]), _FOR_DERIVATIVES)
        inside = np.clip(points.ravel(), self._axis.low, self._axis.high)
        missing = np.isnan(inside)
        inside[missing] = self._axis.low
        values = self._derived(inside, nu)
        values[missing] = math.nan
        values = values.reshape(points.shape)
        if beyond.any():
            values[beyond] = self._derived_beyond(points[beyond], nu)
        return _as_given(values, (x,))

    def _outside(self, value: float, advice: str) -> OutsideAxisError:
        return OutsideAxisError(self._axis.name, value, self._axis.low, self._axis.high, advice)

    def _derived(self, x: Floats, nu: int) -> Floats:
        t = self._axis.forward(x)
        with np.errstate(over="ignore"):
            return self._chained([self._fit.derivative(t, order) for order in range(nu + 1)], x, t, nu)

    def _derived_beyond(self, x: Floats, nu: int) -> Floats:
        outside = self._axis.outside
        if outside != "extrapolate":
            return np.full(x.shape, 0.0 if outside == "clip" else math.nan)
        limit = self._axis.forward(np.clip(x, self._axis.low, self._axis.high))
        with np.errstate(all="ignore"):  # a tangent can lead beyond all floats
            t = self._axis.forward(x)
            slope = self._fit.derivative(limit, 1)
            value = self._fit.derivative(limit, 0) + slope * (t - limit)
            return self._chained([value, slope, np.zeros_like(t), np.zeros_like(t)], x, t, nu)

    def _chained(self, form: list[Floats], x: Floats, t: Floats, nu: int) -> Floats:
        """From derivatives of what is interpolated, to the coordinate, to one of the function to its argument."""
        coordinate = coordinate_derivatives(self._axis, x, t)
        if self._log:
            return exponential(lambda order, _: through_coordinate(form, coordinate, order), nu, 0)
        return through_coordinate(form, coordinate, nu)

    # -- integral -----------------------------------------------------------------------------------------------------

    def integral(self, a: Any, b: Any) -> Any:
        """The integral of the interpolant from `a` to `b`, to rounding.

        Parameters
        ----------
        a, b : array_like
            Limits of integration, both within the axis; they are broadcast against each other. With ``a > b`` the
            result has the other sign.

        Returns
        -------
        float or ndarray
            In the function's unit times the argument's. NaN where a limit is NaN.

        Raises
        ------
        OutsideAxisError
            If a limit lies outside the axis, whatever `outside` says.
        """
        points = np.broadcast_arrays(*(_real_numbers(self._axis, each) for each in (a, b)))
        for each in points:
            beyond = self._axis.is_beyond(each)
            if beyond.any():
                raise self._outside(float(each[beyond][0]), "integrate within it, or widen it")
        if self._integrated is None:
            slopes = functools.partial(argument_slopes, self._axis)
            self._integrated = Antiderivative(self._fit, slopes, self._log, self._axis.spacing != "linear")
        missing = np.isnan(points[0]) | np.isnan(points[1])
        t = [self._axis.forward(np.where(missing, self._axis.low, each)).ravel() for each in points]
        values = self._integrated(*t).reshape(missing.shape)
        values[missing] = math.nan
        return _as_given(values, (a, b))

    # -- inverse and roots --------------------------------------------------------------------------------------------

    def inverse(self, y: Any, branch: tuple[float, float] | None = None) -> Any:
        """The argument at which the interpolant has a value, solved on it: ``f(f.inverse(y))`` is y to rounding.

        Parameters
        ----------
        y : array_like
            Values. One that is beyond the table's by no more than the tolerance gives the limit.
        branch : tuple of (float, float), optional
            The range of the argument in which to look, by default the whole axis. There the function must rise, or
            fall, throughout, but for what the table's own error may have done (half the tolerance).

        Returns
        -------
        float or ndarray
            As for a call; NaN for NaN, and beyond the values with ``outside="nan"``; with ``"clip"`` the limit there.

        Raises
        ------
        TableError
            If the interpolant is not monotonic in that range; it says where it turns.
        OutsideValuesError
            If a value is beyond those that it takes there.
        """
        wanted = _real_numbers(f"value of {self.label}", y)
        found = self._branch(branch)
        flat = wanted.ravel()
        if self._log:
            with np.errstate(divide="ignore", invalid="ignore"):
                flat = np.log(flat)
        margin = 2.0 * self._margin(np.array([found.lowest, found.highest]))
        beyond = (
            (flat < found.lowest - margin[0])
            | (flat > found.highest + margin[1])
            | (np.isnan(flat) & ~np.isnan(wanted.ravel()))
        )
        if beyond.any() and self._axis.outside not in {"nan", "clip"}:
            raise OutsideValuesError(self.label, float(wanted.ravel()[beyond][0]), *self._value_range(found))
        missing = np.isnan(wanted.ravel()) | (beyond & (self._axis.outside == "nan"))
        target = np.clip(np.nan_to_num(flat, nan=found.lowest), found.lowest, found.highest)
        x = self._polished(np.clip(self._axis.backward(found.solve(target)), *found.limits), target, found)
        x[missing] = math.nan
        return _as_given(x.reshape(wanted.shape), (y,))

    def _value_range(self, branch: Branch) -> tuple[float, float]:
        ends = np.array([branch.lowest, branch.highest])
        low, high = (np.exp(ends) if self._log else ends).tolist()
        return low, high

    def _margin(self, values: Floats) -> Floats:
        """The error that values may have, in the form in which they are interpolated."""
        if self._axis.points is not None:
            scale = 1.0 if self._log else float(np.max(np.abs(self.values)))
            return np.full(values.shape, self.error * scale)
        return Tolerance.of(self.axes).at(values)

    def _doubt(self, values: Floats) -> Floats:
        """By how much the interpolant may turn back beside a kink; a spline may not."""
        if self._axis.points is not None:
            return np.zeros(values.shape)
        share = min(1.0, max(_DOUBT * self.error / Tolerance.of(self.axes).asked, _LEAST_DOUBT))
        return np.asarray(share * self._margin(values))

    def _polished(self, x: Floats, target: Floats, branch: Branch) -> Floats:
        """Newton's method on the argument itself: going through the coordinate and back has rounded it."""
        for _ in range(2):
            t = self._axis.forward(x)
            off = self._fit.derivative(t, 0) - target
            slope = self._fit.derivative(t, 1) * coordinate_derivatives(self._axis, x, t)[0]
            with np.errstate(divide="ignore", invalid="ignore"):
                better = np.clip(x - off / slope, *branch.limits)
            better = np.where(np.isfinite(better), better, x)
            improved = np.abs(self._fit.derivative(self._axis.forward(better), 0) - target) < np.abs(off)
            x = np.where(improved, better, x)
        return x

    def _branch(self, limits: tuple[float, float] | None) -> Branch:
        low, high = (self._axis.low, self._axis.high) if limits is None else _limits(limits, self._axis)
        key = (float(low), float(high))
        found = self._branches.get(key)
        if found is None:
            t = self._axis.forward(np.array(key))
            turn = turning_free(self._fit, float(t[0]), float(t[1]), self._doubt)
            if not isinstance(turn, Branch):
                raise self._not_monotonic(key, turn)
            turn.limits = key
            found = self._branches[key] = turn
        return found

    def _not_monotonic(self, limits: tuple[float, float], turn: float | None) -> TableError:
        where = f"between {self._axis.name} = {limits[0]!r} and {limits[1]!r}"
        if turn is None:
            return TableError(f"{self.label}() has no inverse {where}: it has the same value throughout")
        at = float(self._axis.backward(np.array(turn)))
        return TableError(
            f"{self.label}() has no inverse {where}: it turns near {self._axis.name} = {at!r}; choose a range in which"
            f" it only rises or only falls, such as branch=({limits[0]!r}, {at!r})"
        )

    def roots(self, value: float = 0.0) -> Floats:
        """All arguments at which the interpolant has a value.

        Parameters
        ----------
        value : float
            The value.

        Returns
        -------
        ndarray, shape (n,)
            Increasing; of a stretch on which the function equals `value`, the ends. Where the function only touches
            `value` there may be two close together, or one, or none: that is for rounding to decide.
        """
        target = _real_numbers("value", value)
        if target.ndim:
            raise TypeError(f"value is {value!r}; roots are asked for one number at a time")
        if not np.isfinite(target) or (self._log and target <= 0.0):
            return np.empty(0)
        form = np.log(target) if self._log else target
        return self._axis.backward(crossings(self._fit, float(form), float(self._doubt(np.asarray(form)))))


class SurfaceInterpolant(Interpolant):
    """A function of two numbers, of polynomials in the coordinates of its axes.

    Parameters
    ----------
    axes : tuple of (Axis, Axis)
        Its arguments.
    table : mapping
        What was sampled.
    label : str
        What messages call the function.
    """

    def __init__(self, axes: tuple[Axis, ...], table: Mapping[str, Any], label: str) -> None:
        limits = [(low, high) for low, high in (each.tolist() for each in table["limits"])]
        super().__init__(axes, table, label, Patches(limits, table["coefficients"]))

    def __call__(self, x: Any, y: Any, *, exact: Callable[..., Any] | None = None) -> Any:
        """Evaluate.

        Parameters
        ----------
        x, y : array_like
            The arguments; they are broadcast against each other.
        exact : callable, optional
            What ``outside="exact"`` calls, one point at a time. It gets a coordinate beyond another axis with
            ``outside="clip"`` as that axis's limit.

        Returns
        -------
        float or ndarray
            A float for numbers, otherwise an array of the broadcast shape. Where a coordinate is NaN, or is beyond an
            axis with ``outside="nan"``, it is NaN.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis with ``outside="raise"``, or ``"exact"`` when there is nothing to call.
        TypeError
            If a coordinate is not a real number or an array of them.
        """
        return self._general((x, y), exact)

    def _form(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        return cast(Floats, self._fit(coordinates, (nu, 0) if axis == 0 else (0, nu)))

    def derivative(self, x: Any, y: Any, nu: tuple[int, int] = (1, 0)) -> Any:
        """A partial derivative of the interpolant, exact for it, within the limits of both axes.

        Parameters
        ----------
        x, y : array_like
            The arguments; they are broadcast against each other.
        nu : tuple of (int, int)
            The orders along x and y, not negative and together 1 to 3.

        Returns
        -------
        float or ndarray
            As for a call.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis, unless that says ``outside="nan"``.
        ValueError
            If there are no such orders.
        """
        orders = _checked_orders(nu)
        points = np.broadcast_arrays(*map(_real_numbers, self.axes, (x, y)))
        outside = [axis.is_beyond(each) for axis, each in zip(self.axes, points, strict=True)]
        for axis, each, beyond in zip(self.axes, points, outside, strict=True):
            if beyond.any() and axis.outside != "nan":
                advice = "widen the axis, or choose outside='nan'"
                raise OutsideAxisError(axis.name, float(each[beyond][0]), axis.low, axis.high, advice)
        missing = outside[0] | outside[1] | np.isnan(points[0]) | np.isnan(points[1])
        inside = [np.where(missing, axis.low, each).ravel() for axis, each in zip(self.axes, points, strict=True)]
        values = self._derived(inside, orders).reshape(missing.shape)
        values[missing] = math.nan
        return _as_given(values, (x, y))

    def _derived(self, points: list[Floats], orders: tuple[int, int]) -> Floats:
        t = [axis.forward(each) for axis, each in zip(self.axes, points, strict=True)]
        along = [coordinate_derivatives(axis, *each) for axis, *each in zip(self.axes, points, t, strict=True)]

        def form(first: int, second: int) -> Floats:
            """A derivative, to the arguments, of what is interpolated."""
            columns = [[self._fit(t, (a, b)) for a in range(first + 1)] for b in range(second + 1)]
            along_first = [through_coordinate(column, along[0], first) for column in columns]
            return through_coordinate(along_first, along[1], second)

        return exponential(form, *orders) if self._log else form(*orders)


def _check_order(nu: object) -> None:
    if isinstance(nu, bool) or not isinstance(nu, int | np.integer) or not 1 <= nu <= MOST_ORDER:
        raise ValueError(f"nu is {nu!r}; derivatives are of order 1, 2 or 3")


def _checked_orders(nu: object) -> tuple[int, int]:
    orders: tuple[int, ...] = nu if isinstance(nu, tuple) else ()
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in orders)
    if not whole or len(orders) != 2 or min(orders) < 0 or not 1 <= sum(orders) <= MOST_ORDER:
        raise ValueError(f"nu is {nu!r}; give the orders along both axes, not negative and together 1, 2 or 3")
    return orders[0], orders[1]


def _limits(branch: object, axis: Axis) -> tuple[float, float]:
    if not (isinstance(branch, tuple) and len(branch) == 2):
        raise TypeError(f"branch is {branch!r}; give the limits of {axis.name} as a pair of numbers")
    low, high = (float(_real_numbers(axis, each)) for each in branch)
    if not low < high:
        raise ValueError(f"branch runs from {low!r} to {high!r}; its first limit must be the smaller")
    for each in (low, high):
        if not axis.low <= each <= axis.high:
            raise OutsideAxisError(axis.name, each, axis.low, axis.high, "choose a branch within it")
    return low, high
