"""The range of an argument over which a method is interpolated, with its coordinate and tolerance."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stored._tables.units import check_axis_unit, is_quantity, limit_in_unit, with_unit

__all__ = ["Axis", "Floats", "Transform"]

Floats: TypeAlias = NDArray[np.float64]

Transform: TypeAlias = Callable[[Any], Any]

Spacing: TypeAlias = Literal["linear", "log", "log1p"] | tuple[Transform, Transform]

Outside: TypeAlias = Literal["raise", "nan", "clip", "exact", "extrapolate"]

Limit: TypeAlias = float | Any
"""A number or a quantity."""

_SPACINGS: dict[str, tuple[Transform, Transform]] = {
    "linear": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
}

_SCALAR_FORWARD: dict[str, Callable[[float], float] | None] = {"linear": None, "log": math.log, "log1p": math.log1p}

_OUTSIDE = ("raise", "nan", "clip", "exact", "extrapolate")

_LEAST_POINTS = 4

_MOST_POINTS = 10**6

_LEAST_RTOL = 1e-13

_LEAST_SPAN = 1e-280

_PROBES = 129
"""At so many points a spacing is checked."""

_INVERSE_TOLERANCE = 1e-8
"""By at most this fraction of the axis a coordinate may change on the way to the argument and back."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The range of an argument over which a method is interpolated.

    Parameters
    ----------
    name : str
        The argument.
    low, high : float or Quantity
        The limits; both are inside. With quantities of astropy, the axis has the unit of `low`: calls take quantities
        of any unit that can be converted to it, the method gets quantities in it, and a result with a unit makes a
        table with that unit. The attributes are ints or floats, in the unit.
    spacing : {"linear", "log", "log1p"} or (callable, callable)
        The coordinate in which the function is smooth: the argument, its logarithm, the logarithm of 1 + argument, or
        a pair of vectorised functions, to the coordinate and back, which take and return numbers.
    values : {"linear", "log"}
        Interpolate the values, or their logarithm (then they must be positive).
    rtol, atol : float
        The error that an interpolated value may have: at most ``atol + rtol * abs(value)``. `rtol` is 0 or at least
        1e-13, and one of the two is not 0. `atol` is a number, in the unit of the method's first value. With
        ``atol=0`` the function should not pass zero: near it, a relative error can be small only if the function is
        computed to the last digit.
    points : int, optional
        Sample so many nodes, evenly spaced in the coordinate, rather than as many as the tolerance needs; at least 4,
        at most one million. The error is then measured, but not bounded.
    max_points : int
        Give up, with a `ToleranceError`, rather than evaluate the method at more points than this.
    outside : {"raise", "nan", "clip", "exact", "extrapolate"}
        The value outside the limits: an `OutsideAxisError`, NaN, the value at the limit, a call of the method itself,
        or the tangent at the limit, in the coordinate (a power law, if spacing and values are logarithmic).
    vectorized : bool, optional
        True if the method takes an array of this argument and returns an array of the same shape; False if it takes
        one number at a time. By default arrays are tried, and some of their values compared with those of calls with
        single numbers.
    unit : Unit, optional
        The unit of limits that are given as numbers; those that are quantities are converted to it. It is None for an
        axis of plain numbers, which takes no quantities.

    Raises
    ------
    ValueError
        If limits, spacing, unit or another option cannot be used.
    """

    name: str
    low: Limit
    high: Limit
    _: KW_ONLY
    spacing: Spacing = "linear"
    values: Literal["linear", "log"] = "linear"
    rtol: float = 1e-6
    atol: float = 0.0
    points: int | None = None
    max_points: int = 10_000
    outside: Outside = "raise"
    vectorized: bool | None = None
    unit: Any = None

    def __post_init__(self) -> None:
        self._check_choices()
        self._take_unit()
        self._check_limits()
        self._check_numbers()
        with np.errstate(all="ignore"):
            self._check_spacing()

    def __setstate__(self, state: list[Any]) -> None:
        """Take the fields of a pickle; one of an earlier version, which has fewer, is a `ValueError`."""
        for field, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, field.name, value)

    def _check_choices(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise ValueError(f"name of an axis is {self.name!r}; it must be the name of an argument")
        pair = isinstance(self.spacing, tuple) and len(self.spacing) == 2 and all(map(callable, self.spacing))
        if not pair and not (isinstance(self.spacing, str) and self.spacing in _SPACINGS):
            raise ValueError(
                f"spacing of axis {self.name!r} is {self.spacing!r}; choose 'linear', 'log', 'log1p' or a pair of"
                " functions"
            )
        choices = {"values": ("linear", "log"), "outside": _OUTSIDE, "vectorized": (None, True, False)}
        for option, allowed in choices.items():
            found = getattr(self, option)
            if not any(found is each or (isinstance(each, str) and found == each) for each in allowed):
                raise ValueError(
                    f"{option} of axis {self.name!r} is {found!r}; choose one of {', '.join(map(repr, allowed))}"
                )

    def _take_unit(self) -> None:
        """Make limits that are quantities numbers, in the unit of the axis."""
        have_units = is_quantity(self.low), is_quantity(self.high)
        if self.unit is None and not any(have_units):
            return
        if self.unit is None and not all(have_units):
            raise ValueError(
                f"axis {self.name!r} runs from {self.low!r} to {self.high!r}, of which one has a unit and one has none;"
                " give both limits as quantities, or both as numbers"
            )
        unit = cast(Any, self.low).unit if self.unit is None else self.unit
        check_axis_unit(self.name, unit)
        limits = [limit_in_unit(self.name, each, unit) for each in (self.low, self.high)]
        for field, value in zip(("unit", "low", "high"), (unit, *limits), strict=True):
            object.__setattr__(self, field, value)

    def _check_limits(self) -> None:
        if not (_is_finite(self.low) and _is_finite(self.high)):
            raise ValueError(
                f"axis {self.name!r} runs {self._range()}; low must be less than high, and both finite real numbers"
            )
        for field in ("low", "high"):  # a float32, say, would have numbers that it is compared with rounded to it
            object.__setattr__(self, field, _python_number(getattr(self, field)))
        if not self.low < self.high:
            raise ValueError(f"axis {self.name!r} runs {self._range()}; low must be less than high")

    def _range(self) -> str:
        return f"from {self.shown(self.low)} to {self.shown(self.high)}"

    def shown(self, value: object) -> str:
        """A number along the axis as messages show it, with the unit if there is one."""
        return f"{value!r}{self.unit_text}"

    @property
    def unit_text(self) -> str:
        """The unit behind a space, for messages; empty without one."""
        return "" if self.unit is None else f" {self.unit}".rstrip()

    def argument(self, number: Any) -> Any:
        """A number or an array along the axis as the method gets it: a quantity, if the axis has a unit."""
        return with_unit(number, self.unit)

    def _check_numbers(self) -> None:
        for option, least in (("rtol", _LEAST_RTOL), ("atol", 0.0)):
            found = getattr(self, option)
            if not (_is_finite(found) and (found == 0 or found >= least)):
                raise ValueError(
                    f"{option} of axis {self.name!r} is {found!r}; it must be 0 or a finite number"
                    + (f" of at least {least:g}, near the limit of double precision" if least else " above it")
                    + (", in the unit of the method's values" if is_quantity(found) else "")
                )
        if self.rtol == self.atol == 0:
            raise ValueError(f"axis {self.name!r} has rtol and atol of 0; no table is exact, so give one of them")
        for option, found in (("points", self.points), ("max_points", self.max_points)):
            if option == "points" and found is None:
                continue
            is_int = isinstance(found, int) and not isinstance(found, bool)
            if not is_int or not _LEAST_POINTS <= cast(int, found) <= _MOST_POINTS:
                raise ValueError(
                    f"axis {self.name!r} has {option}={found!r}; give a number of nodes, at least {_LEAST_POINTS} and"
                    f" at most {_MOST_POINTS}"
                )

    def _check_spacing(self) -> None:
        low, high = self.coordinate_limits()
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(
                f"axis {self.name!r} {self._range()} has no {self.spacing!r} spacing: its limits"
                f" become {[low, high]}; they must be finite and increasing"
            )
        if high - low < _LEAST_SPAN:
            raise ValueError(f"axis {self.name!r} {self._range()} is too narrow; choose a larger unit")
        probes = np.linspace(low, high, self.points or _PROBES)
        nodes = self.backward(probes)
        coordinates = self.forward(nodes) if nodes.shape == probes.shape else nodes
        # nodes must stay different numbers, as arguments and as coordinates
        fits = nodes.shape == coordinates.shape == probes.shape and _increases(nodes) and _increases(coordinates)
        if not fits or not np.all(np.abs(coordinates - probes) <= _INVERSE_TOLERANCE * (high - low)):
            raise ValueError(
                f"axis {self.name!r} {self._range()} has no {probes.size} different nodes with"
                f" spacing {self.spacing!r}; choose limits further apart or fewer points or, if the spacing is a pair"
                " of functions, an increasing one and its inverse, both for arrays"
            )

    def forward(self, x: Any) -> Floats:
        """From the argument to the coordinate."""
        forward, _ = self._transforms()
        return cast(Floats, np.asarray(forward(self._copy_for_user(x)), dtype=float))

    def _copy_for_user(self, x: Any) -> Any:
        """An array as functions of the user may take it: they may write to it."""
        return x.copy() if isinstance(x, np.ndarray) and not isinstance(self.spacing, str) else x

    def backward(self, t: Floats) -> Floats:
        """From the coordinate to the argument, clipped to the limits; these are exact at their coordinates."""
        _, backward = self._transforms()
        low, high = self.coordinate_limits()
        x: Floats = np.clip(np.asarray(backward(self._copy_for_user(t)), dtype=float), self.low, self.high)
        if x.shape != np.shape(t):
            return x
        return np.asarray(np.where(t <= low, self.low, np.where(t >= high, self.high, x)), dtype=float)

    def is_outside(self, x: Floats) -> NDArray[np.bool]:
        """Which arguments lie outside the limits; NaN does not."""
        return np.asarray((x < self.low) | (x > self.high))

    def unclipped_backward(self, t: Floats) -> Floats:
        """From the coordinate to the argument, also outside the limits."""
        _, backward = self._transforms()
        return np.asarray(backward(self._copy_for_user(t)), dtype=float)

    def coordinate_limits(self) -> tuple[float, float]:
        """The coordinates of the limits."""
        low, high = self.forward(np.array([self.low, self.high], dtype=float)).tolist()
        return low, high

    def scalar_forward(self) -> Callable[[float], float] | None:
        """From a Python float to its coordinate; None if they are the same."""
        if isinstance(self.spacing, str):
            return _SCALAR_FORWARD[self.spacing]
        return lambda x: float(self.forward(np.array([x])).item())  # their functions need not take numbers

    def array_forward(self) -> Callable[[Floats], Floats] | None:
        """From an array to its coordinates; None if they are the same."""
        if isinstance(self.spacing, str):
            return None if self.spacing == "linear" else _SPACINGS[self.spacing][0]
        return self.forward

    def _transforms(self) -> tuple[Transform, Transform]:
        return _SPACINGS[self.spacing] if isinstance(self.spacing, str) else self.spacing

    def definition(self) -> tuple[object, ...]:
        """All options that determine the table of a function."""
        accuracy = (self.rtol, self.atol) if self.points is None else self.points
        unit = () if self.unit is None else (self.unit,)
        return (self.name, self.low, self.high, self.spacing, self.values, accuracy, self.vectorized, *unit)


def _is_finite(number: object) -> bool:
    try:
        return not isinstance(number, bool) and isinstance(number, numbers.Real) and math.isfinite(number)
    except OverflowError:  # an integer beyond all floats
        return False


def _python_number(number: Any) -> float:
    """An int or a float for any real number; one with more digits is rounded."""
    return int(number) if isinstance(number, numbers.Integral) else float(number)


def _increases(values: Floats) -> bool:
    return bool(np.all(np.diff(values) > 0))
