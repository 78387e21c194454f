"""Functions sampled along an axis, and the interpolants that stand for them."""

from __future__ import annotations

import contextlib
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stored.errors import DamagedEntryError, OutsideAxisError, TableError

if TYPE_CHECKING:
    from scipy.interpolate import BSpline, NdBSpline

__all__ = ["Axis", "CurveInterpolant", "Interpolant", "SurfaceInterpolant", "check_table", "sample"]

Floats: TypeAlias = NDArray[np.float64]
Transform: TypeAlias = Callable[[Any], Any]
Spacing: TypeAlias = Literal["linear", "log", "log1p"] | tuple[Transform, Transform]
Outside: TypeAlias = Literal["raise", "nan", "clip", "exact", "extrapolate"]

_SPACINGS: dict[str, tuple[Transform, Transform]] = {
    "linear": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
}
_OUTSIDE = ("raise", "nan", "clip", "exact", "extrapolate")
_LEAST_POINTS = 4
_MOST_POINTS = 10**7
_REAL = "buif"
"""The kinds of numpy dtypes that hold real numbers."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The range of an argument over which a method is interpolated.

    Parameters
    ----------
    name : str
        The argument.
    low, high : float
        The limits, in the argument's own unit; both are inside.
    spacing : {"linear", "log", "log1p"} or (callable, callable)
        The coordinate in which the function is smooth, and in which the nodes are evenly spaced; or a pair of
        vectorised functions, to the coordinate and back.
    values : {"linear", "log"}
        Interpolate the values, or their logarithm (then they must be positive).
    points : int
        How many nodes to sample, at least 4 and at most ten million.
    outside : {"raise", "nan", "clip", "exact", "extrapolate"}
        What a value beyond the limits gives: an `OutsideAxisError`, NaN, the value at the limit, a call of the method
        itself, or the spline continued.
    vectorized : bool, optional
        True if the method takes an array of this argument and returns an array of the same shape; it is then sampled
        in one call. By default it is called with one float at a time.

    Raises
    ------
    ValueError
        If the limits, the spacing or another choice make no axis.
    """

    name: str
    low: float
    high: float
    spacing: Spacing = "linear"
    values: Literal["linear", "log"] = "linear"
    points: int | None = None
    outside: Outside = "raise"
    vectorized: bool | None = None

    def __post_init__(self) -> None:
        self._check_choices()
        if not (_is_finite(self.low) and _is_finite(self.high)):
            raise ValueError(
                f"axis {self.name!r} runs from {self.low!r} to {self.high!r}; low must be less than high, and"
                " both finite real numbers"
            )
        if not self.low < self.high:
            raise ValueError(f"axis {self.name!r} runs from {self.low!r} to {self.high!r}; low must be less than high")
        if not isinstance(self.points, int) or not _LEAST_POINTS <= self.points <= _MOST_POINTS:
            raise ValueError(
                f"axis {self.name!r} has points={self.points!r}; give the number of nodes, at least {_LEAST_POINTS} and"
                f" at most {_MOST_POINTS}"
            )
        with np.errstate(all="ignore"):
            self._check_spacing()

    def _check_spacing(self) -> None:
        ends = self.forward(np.array([self.low, self.high], dtype=float))
        if not (np.all(np.isfinite(ends)) and ends[0] < ends[1]):
            raise ValueError(
                f"axis {self.name!r} from {self.low!r} to {self.high!r} has no {self.spacing!r} spacing: its limits"
                f" become {ends.tolist()}; they must be finite and increasing"
            )
        nodes = self.nodes()
        if nodes.shape != (self.points,) or not (_increases(nodes) and _increases(self.forward(nodes))):
            raise ValueError(
                f"axis {self.name!r} from {self.low!r} to {self.high!r} has no {self.points} different nodes with"
                f" spacing {self.spacing!r}; choose fewer points or, if the spacing is a pair of functions, an"
                " increasing one and its inverse, both for arrays"
            )

    def _check_choices(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise ValueError(f"an axis is named after an argument, and {self.name!r} cannot be one")
        pair = isinstance(self.spacing, tuple) and len(self.spacing) == 2 and all(map(callable, self.spacing))
        if not pair and not (isinstance(self.spacing, str) and self.spacing in _SPACINGS):
            raise ValueError(
                f"spacing of axis {self.name!r} is {self.spacing!r}; choose 'linear', 'log', 'log1p' or a pair of"
                " functions"
            )
        for option, choices in (("values", ("linear", "log")), ("outside", _OUTSIDE)):
            found = getattr(self, option)
            if found not in choices:
                raise ValueError(
                    f"{option} of axis {self.name!r} is {found!r}; choose one of {', '.join(map(repr, choices))}"
                )

    def forward(self, x: Any) -> Floats:
        """From the argument to the coordinate."""
        forward, _ = self._transforms()
        return cast(Floats, np.asarray(forward(x), dtype=float))

    def nodes(self) -> Floats:
        """The arguments at which the method is sampled, the limits themselves included."""
        _, backward = self._transforms()
        low, high = self.forward(np.array([self.low, self.high], dtype=float))
        nodes = np.array(backward(np.linspace(low, high, cast(int, self.points))), dtype=float, ndmin=1)
        nodes[[0, -1]] = self.low, self.high  # exact in spite of rounding there and back
        return cast(Floats, np.clip(nodes, self.low, self.high))

    def _transforms(self) -> tuple[Transform, Transform]:
        return _SPACINGS[self.spacing] if isinstance(self.spacing, str) else self.spacing

    def definition(self) -> tuple[object, ...]:
        """What makes another table of the same function."""
        return (self.name, self.low, self.high, self.spacing, self.values, self.points)


def _is_finite(limit: object) -> bool:
    try:
        return not isinstance(limit, bool) and isinstance(limit, numbers.Real) and math.isfinite(limit)
    except OverflowError:  # an integer beyond all floats
        return False


def _increases(values: Floats) -> bool:
    return bool(np.all(np.diff(values) > 0))


def sample(function: Callable[..., Any], axes: tuple[Axis, ...], label: str) -> dict[str, Any]:
    """Call a function at the nodes of its axes.

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
        ``"nodes"``, a list of arrays, and ``"values"``, an array with one dimension for each axis.

    Raises
    ------
    TableError
        If a value is not a finite number, or cannot be interpolated as the axis asks.
    """
    nodes = [axis.nodes() for axis in axes]
    values = _sampled(function, axes, nodes, label)
    _check_values(values, nodes, axes, label)
    return {"nodes": nodes, "values": values}


def _sampled(function: Callable[..., Any], axes: tuple[Axis, ...], nodes: list[Floats], label: str) -> Floats:
    shape = tuple(each.size for each in nodes)
    names = [axis.name for axis in axes]
    grid = np.meshgrid(*nodes, indexing="ij")
    if all(axis.vectorized for axis in axes):
        values = np.asarray(function(**dict(zip(names, grid, strict=True))))
        if values.shape != shape or values.dtype.kind not in _REAL:
            raise TableError(
                f"{label}() was called with arrays of shape {shape}, as vectorized=True says it can be, and returned"
                f" shape {values.shape} of dtype {values.dtype}; it must return real numbers of the same shape (leave"
                " vectorized out if it takes one number at a time)"
            )
        return values.astype(float)
    points = zip(*(each.ravel().tolist() for each in grid), strict=True)
    flat = [_number(function(**dict(zip(names, point, strict=True))), label) for point in points]
    return np.array(flat).reshape(shape)


def _number(value: Any, label: str) -> float:
    # float() would read text, take the one item of an array, and drop a numpy number's imaginary part
    if not (isinstance(value, str | bytes) or np.ndim(value) or np.iscomplexobj(value)):
        with contextlib.suppress(TypeError):
            return float(value)
    raise TableError(
        f"{label}() returned {value!r} of type {type(value).__name__}; a method interpolated along an axis must return"
        " one real number"
    )


def _check_values(values: Floats, nodes: list[Floats], axes: tuple[Axis, ...], label: str) -> None:
    bad = ~np.isfinite(values)
    wanted = "finite"
    if not bad.any() and any(axis.values == "log" for axis in axes):
        bad = values <= 0
        wanted = "positive, because values='log' interpolates their logarithm"
    if bad.any():
        where = tuple(np.argwhere(bad)[0])
        point = ", ".join(
            f"{axis.name} = {float(each[index])!r}" for axis, each, index in zip(axes, nodes, where, strict=True)
        )
        raise TableError(f"{label}() is {float(values[where])!r} at {point}; every sampled value must be {wanted}")


def check_table(axes: tuple[Axis, ...], table: object) -> None:
    """Refuse what `sample` does not return for these axes.

    Parameters
    ----------
    axes : tuple of Axis
        One or two.
    table : object
        What was found in a store.

    Raises
    ------
    DamagedEntryError
        Saying what is wrong.
    """
    if not (isinstance(table, dict) and table.keys() == {"nodes", "values"}):
        raise DamagedEntryError("it holds no table of nodes and values")
    nodes, values = table["nodes"], table["values"]
    if not (isinstance(nodes, list) and len(nodes) == len(axes) and all(map(_are_nodes, axes, nodes))):
        raise DamagedEntryError(f"its nodes are not those of the axis {' and '.join(axis.name for axis in axes)}")
    if not _is_finite_array(values, tuple(axis.points for axis in axes)):
        raise DamagedEntryError("its values are not one finite number for each node")
    if any(axis.values == "log" for axis in axes) and not np.all(values > 0):
        raise DamagedEntryError("its values are not positive, and their logarithm is to be interpolated")


def _are_nodes(axis: Axis, found: object) -> bool:
    if not _is_finite_array(found, (axis.points,)):
        return False
    nodes = cast(Floats, found)
    # in between, another machine may round otherwise
    return bool(nodes[0] == float(axis.low) and nodes[-1] == float(axis.high)) and _increases_on(axis, nodes)


def _increases_on(axis: Axis, nodes: Floats) -> bool:
    with np.errstate(all="ignore"):
        return _increases(nodes) and _increases(axis.forward(nodes))


def _is_finite_array(found: object, shape: tuple[int | None, ...]) -> bool:
    if type(found) is not np.ndarray or found.dtype != np.float64 or found.shape != shape:
        return False
    return bool(np.all(np.isfinite(found)))


class Interpolant(ABC):
    """A function of one or two numbers that stands for a sampled one.

    Parameters
    ----------
    axes : tuple of Axis
        Its arguments.
    table : mapping
        What `sample` returned.
    """

    def __init__(self, axes: tuple[Axis, ...], table: Mapping[str, Any]) -> None:
        self.axes = axes
        self.nodes: list[Floats] = list(table["nodes"])
        self.values: Floats = table["values"]
        coordinates = [axis.forward(each) for axis, each in zip(axes, self.nodes, strict=True)]
        self._log = any(axis.values == "log" for axis in axes)
        self._spline = self._fit(coordinates, np.log(self.values) if self._log else self.values)

    @abstractmethod
    def _fit(self, coordinates: list[Floats], values: Floats) -> Any:
        """The spline through the values."""

    @abstractmethod
    def _evaluate(self, coordinates: list[Floats]) -> Floats:
        """The spline at points of equal shape."""

    def __call__(self, *x: Any, exact: Callable[..., Any] | None = None) -> Any:
        """Evaluate.

        Parameters
        ----------
        *x : array_like
            One for each axis; they are broadcast against each other.
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
        points = np.broadcast_arrays(*map(_real_numbers, self.axes, x))
        outside = [(each < axis.low) | (each > axis.high) for axis, each in zip(self.axes, points, strict=True)]
        self._refuse_outside(points, outside, exact)
        values = self._at(self._clipped(points, keep=("extrapolate",)))
        missing = np.any([np.isnan(each) for each in points], axis=0) | self._beyond("nan", outside)
        called = self._beyond("exact", outside) & ~missing
        values[missing] = math.nan
        if exact is not None and called.any():
            wanted = (each[called].tolist() for each in self._clipped(points, keep=("extrapolate", "exact")))
            values[called] = [exact(*point) for point in zip(*wanted, strict=True)]
        return float(values) if all(np.ndim(each) == 0 and not isinstance(each, np.ndarray) for each in x) else values

    def _refuse_outside(self, points: tuple[Floats, ...], outside: list[Any], exact: object) -> None:
        refusing = {"raise"} if exact is not None else {"raise", "exact"}
        for axis, each, beyond in zip(self.axes, points, outside, strict=True):
            if axis.outside in refusing and beyond.any():
                raise OutsideAxisError(axis.name, float(each[beyond][0]), axis.low, axis.high)

    def _clipped(self, points: tuple[Floats, ...], keep: tuple[str, ...]) -> list[Floats]:
        """Points drawn in to the limits of their axes, but for axes that treat what is outside in these ways."""
        pairs = zip(self.axes, points, strict=True)
        return [each if axis.outside in keep else np.clip(each, axis.low, axis.high) for axis, each in pairs]

    def _beyond(self, treatment: str, outside: list[Any]) -> Any:
        """Where a point is outside an axis that treats it so."""
        pairs = zip(self.axes, outside, strict=True)
        return np.any([beyond & (axis.outside == treatment) for axis, beyond in pairs], axis=0)

    def _at(self, points: list[Floats]) -> Floats:
        coordinates = [axis.forward(each) for axis, each in zip(self.axes, points, strict=True)]
        values = np.array(self._evaluate(coordinates), dtype=float)
        return np.asarray(np.exp(values)) if self._log else values


def _real_numbers(axis: Axis, x: Any) -> Floats:
    found = np.asarray(x)
    if found.dtype.kind not in _REAL:
        raise TypeError(f"{axis.name} is {x!r} ({type(x).__name__}); it must be a real number or an array of them")
    return found.astype(float)


class CurveInterpolant(Interpolant):
    """A cubic spline (not-a-knot) over one axis, in the axis's coordinate."""

    def _fit(self, coordinates: list[Floats], values: Floats) -> BSpline:
        from scipy.interpolate import make_interp_spline

        return make_interp_spline(coordinates[0], values, k=3)

    def _evaluate(self, coordinates: list[Floats]) -> Floats:
        return cast(Floats, self._spline(coordinates[0]))


class SurfaceInterpolant(Interpolant):
    """A bicubic spline (not-a-knot) over two axes, in their coordinates."""

    def _fit(self, coordinates: list[Floats], values: Floats) -> NdBSpline:
        from scipy.interpolate import NdBSpline, make_interp_spline

        x, y = coordinates
        # unlike RectBivariateSpline, which stops at the edges, this continues beyond them
        along_x = make_interp_spline(x, values, k=3)
        along_y = make_interp_spline(y, along_x.c.T, k=3)
        return NdBSpline((along_x.t, along_y.t), np.ascontiguousarray(along_y.c.T), 3)

    def _evaluate(self, coordinates: list[Floats]) -> Floats:
        return cast(Floats, self._spline(np.stack(coordinates, axis=-1)))
