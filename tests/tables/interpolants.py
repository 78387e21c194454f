"""Interpolants of functions, for the tests of several modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stored import Axis
from stored._tables import CurveInterpolant, make_interpolant, tabulate

ROOTS = (np.sqrt, np.square)
SPACINGS = ["linear", "log", "log1p", ROOTS]
MODES = ("raise", "nan", "clip", "exact", "extrapolate")


def interpolant_of(function: Callable[..., Any], *axes: Axis, label: str = "f") -> Any:
    """A function, which takes the axes' arguments by name, as a table and the interpolant of it."""
    return make_interpolant(axes, tabulate(function, axes, label), label)


def curve(function: Callable[..., Any], **options: Any) -> Any:
    """A function of x from 1 to 3."""
    made = interpolant_of(function, Axis("x", **{"low": 1.0, "high": 3.0, "atol": 1e-9, **options}), label="curve")
    assert isinstance(made, CurveInterpolant)
    return made


def accurate_curve(function: Callable[..., Any], **options: Any) -> Any:
    """A function of x from 1 to 3, to eleven digits."""
    return interpolant_of(function, Axis("x", **{"low": 1.0, "high": 3.0, "rtol": 1e-11, **options}))


def surface(function: Callable[..., Any], outside: tuple[str, str] = ("raise", "raise"), **options: Any) -> Any:
    """A function of x from 1 to 3 and y from -1 to 2."""
    x = Axis("x", 1.0, 3.0, atol=1e-9, outside=outside[0], **options)  # type: ignore[arg-type]
    y = Axis("y", -1.0, 2.0, atol=1e-9, outside=outside[1])  # type: ignore[arg-type]
    return interpolant_of(function, x, y, label="surface")


def cube(x: Any) -> Any:
    return x**3 - x


def bicubic(x: Any, y: Any) -> Any:
    return (x**3 - 2 * x) * (y**3 + y**2 + 1)


def bicubic_x(x: Any, y: Any) -> Any:
    return (3 * x**2 - 2) * (y**3 + y**2 + 1)


def bicubic_y(x: Any, y: Any) -> Any:
    return (x**3 - 2 * x) * (3 * y**2 + 2 * y)


def measured(made: Any) -> list[str]:
    """What an interpolant says of its error."""
    return [f"measured error {made.error:.1e} at {made.held_out[0].size} points", f"{made.evaluations} evaluations"]


def never(*point: float) -> float:
    """What must not be called in place of an interpolant."""
    raise AssertionError(f"called at {point}")


def random_points(x: Axis, y: Axis, number: int = 5000) -> list[Any]:
    """Random points, evenly distributed in the coordinates."""
    random = np.random.default_rng(7)
    return [axis.backward(random.uniform(*axis.coordinate_limits(), number)) for axis in (x, y)]


def assert_within_tolerance(f: Any, function: Callable[[Any, Any], Any]) -> None:
    """The tolerance holds at 5,000 random points and at the corners."""
    x, y = (np.append(at, [axis.low, axis.high]) for at, axis in zip(random_points(*f.axes), f.axes, strict=True))
    rtol, atol = (min(getattr(axis, option) for axis in f.axes) for option in ("rtol", "atol"))
    np.testing.assert_allclose(f(x, y), function(x, y), rtol=rtol, atol=atol)
