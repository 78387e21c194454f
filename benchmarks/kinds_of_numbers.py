"""How long do hits and tables take for numbers of all kinds, small arrays, tuples and enumerations, beside their peers?

``python -m benchmarks.kinds_of_numbers [--quick] [ROW ...]`` prints ratios of medians, both sides timed in turns within
one run, and WRONG where one is beyond its bar. Each row is measured in a process of its own.
"""

from __future__ import annotations

import enum
import importlib
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.optimize import brentq

import stored
from benchmarks.rows import Row, Sides, Step, main, row_of
from benchmarks.timing import median_seconds
from stored import Axis

__all__ = ["ROWS"]

HIT_CALLS = 20_000
"""Hits in one round."""

POINTS = 10**6
"""The length of the longest arrays."""

INVERTED = 10**5
"""So many values are solved for at once."""

A1 = A2 = A3 = A4 = A5 = A6 = A7 = A8 = A9 = A10 = 1.0


class Kind(enum.Enum):
    """A choice that a method is given."""

    LINEAR = 1
    HALOFIT = 2


@stored.keyed_by("H0", "Om0", "w", "ns", "s8")
class Model:
    """A model with five parameters."""

    def __init__(self, first: Any = 70.0, kind: Callable[[float], Any] = float) -> None:
        self.H0 = first
        self.Om0, self.w, self.ns, self.s8 = (kind(each) for each in (0.3, -1.0, 0.96, 0.8))

    @lru_cache  # noqa: B019  (as users write it)
    def remembered(self, z: Any) -> float:
        """As `value`, by Python's own cache, which looks at no parameter."""
        return 1.0

    @stored.stored(persistent=False)
    def value(self, z: Any) -> float:
        """A number, in memory."""
        return 1.0

    @stored.stored(persistent=False)
    def of_ten_names(self, z: Any) -> float:
        """A number that depends on ten constants of its module."""
        return A1 + A2 + A3 + A4 + A5 + A6 + A7 + A8 + A9 + A10

    @stored.stored(interpolate=Axis("z", 0.0, 10.0, rtol=1e-8))
    def curve(self, z: Any) -> Any:
        """A table along one axis."""
        return np.sin(z) + 2.0

    @stored.stored(interpolate=(Axis("x", 0.0, 5.0, rtol=1e-6), Axis("y", 0.0, 5.0, rtol=1e-6)))
    def surface(self, x: Any, y: Any) -> Any:
        """A table along two axes."""
        return np.sin(x) * np.cos(y) + 3.0


# -- hits -------------------------------------------------------------------------------------------------------------


def _hit(place: Path, argument: Any, first: Any = 70.0, kind: Callable[[float], Any] = float) -> Sides:
    model: Any = Model(first, kind)
    return Sides(lambda: model.value(argument), _lru_hit(), HIT_CALLS)


def _hit_of_ten_names(place: Path) -> Sides:
    model: Any = Model()
    return Sides(lambda: model.of_ten_names(1.3), _lru_hit(), HIT_CALLS)


def _lru_hit() -> Step:
    model = Model()
    return lambda: model.remembered(1.3)


def _hits() -> dict[str, Row]:
    pair = (1.3, 2)
    arguments: dict[str, tuple[str, Any, float]] = {
        "float64": ("np.float64", np.float64(1.3), 6.5),
        "int": ("int", 1, 6.5),
        "bool": ("bool", True, 6.5),
        "float32": ("np.float32", np.float32(1.3), 6.5),
        "tuple": ("tuple", pair, 8.0),
        "enum": ("enum", Kind.LINEAR, 8.0),
        "array-2": ("array of 2", np.array([1.3, 2.0]), 12.0),
        "array-3": ("array of 3", np.array([1.3, 2.0, 3.0]), 12.0),
    }
    beside = "hits of lru_cache"
    rows = {
        "ten-names": row_of(
            "hit, float, five float parameters, ten names reached",
            beside,
            5.5,
            _hit_of_ten_names,
        ),
        "parameters-float64": row_of(
            "hit, np.float64 parameters",
            beside,
            6.5,
            partial(_hit, argument=1.3, first=np.float64(70.0), kind=np.float64),
        ),
    }
    for name, (what, value, limit) in arguments.items():
        rows[f"argument-{name}"] = row_of(f"hit, {what} as argument", beside, limit, partial(_hit, argument=value))
        if limit > 6.5:
            rows[f"parameter-{name}"] = row_of(
                f"hit, {what} as parameter", beside, limit, partial(_hit, argument=1.3, first=value)
            )
    return rows


# -- tables -----------------------------------------------------------------------------------------------------------


def _cubic() -> Any:
    x = np.linspace(0.0, 10.0, 2000)
    return CubicSpline(x, np.sin(x) + 2.0)


def _bivariate() -> Any:
    y = np.linspace(0.0, 5.0, 200)
    return RectBivariateSpline(y, y, np.sin(y)[:, None] * np.cos(y) + 3.0)


def _table_at(place: Path, value: Any) -> Sides:
    model: Any = Model()
    return Sides(lambda: model.curve(value), lambda: model.curve(1.3), HIT_CALLS)


def _array(place: Path, size: int) -> Sides:
    model: Any = Model()
    spline, points = _cubic(), np.random.default_rng(0).uniform(0.0, 10.0, size)
    return Sides(lambda: model.curve(points), lambda: spline(points), 2000)


def _baobzi(order: int, split: int) -> Any:
    middle = np.array([5.0])
    function = importlib.import_module("baobzi").Baobzi
    return function(lambda x: np.sin(x[0]) + 2.0, 1, order, middle, middle, 1e-8, split_multi_eval=split)


def _million(place: Path, orders: Sequence[int], splits: Sequence[int]) -> Sides:
    """A million points, beside the fastest of some settings of baobzi."""
    model: Any = Model()
    points = np.random.default_rng(0).uniform(0.0, 10.0, POINTS)
    made = {pair: _baobzi(*pair) for pair in itertools.product(orders, splits)}
    actions = {f"{pair}": partial(each, points) for pair, each in made.items()}
    seconds = median_seconds(actions, 3, 1)
    return Sides(lambda: model.curve(points), actions[min(seconds, key=seconds.__getitem__)], 1)


def _two_floats(place: Path) -> Sides:
    model: Any = Model()
    spline = _bivariate()
    return Sides(lambda: model.surface(1.3, 2.0), lambda: spline.ev(1.3, 2.0), 5000)


def _surface_million(place: Path) -> Sides:
    model: Any = Model()
    spline, (x, y) = _bivariate(), np.random.default_rng(0).uniform(0.0, 5.0, (2, POINTS))
    return Sides(lambda: model.surface(x, y), lambda: spline.ev(x, y), 1)


def _inverse(place: Path) -> Sides:
    model: Any = Model()
    return Sides(
        lambda: model.curve.inverse(2.5, branch=(0.0, 1.5)),
        lambda: brentq(lambda z: model.curve(z) - 2.5, 0.0, 1.5),
        2000,
    )


def _derivative(place: Path) -> Sides:
    model: Any = Model()
    spline = _cubic()
    return Sides(lambda: model.curve.derivative(1.3), lambda: spline(1.3, 1), 5000)


def _integral(place: Path) -> Sides:
    model: Any = Model()
    spline = _cubic()
    return Sides(lambda: model.curve.integral(1.0, 2.0), lambda: spline.integrate(1.0, 2.0), 5000)


def _roots(place: Path) -> Sides:
    model: Any = Model()
    spline = _cubic()
    return Sides(lambda: model.curve.roots(2.5), lambda: spline.solve(2.5), 100)


def _inverses(place: Path) -> Sides:
    model: Any = Model()
    points = np.random.default_rng(0).uniform(0.0, 1.5, INVERTED)
    values = model.curve(points)
    return Sides(lambda: model.curve.inverse(values, branch=(0.0, 1.5)), lambda: model.curve(points), 2)


def _tables() -> dict[str, Row]:
    cubic, linear = "scipy's CubicSpline", "linear axis, 1e-8"
    baobzi = f"10^6 points in random order, {linear}"
    rows = {
        f"table-{type(value).__name__}": row_of(
            f"a table at {label}", "the same at a float", 1.2, partial(_table_at, value=value)
        )
        for label, value in (("np.float64", np.float64(1.3)), ("an int", 7))
    }
    for size, limit in ((1, 1.0), (10, 1.0), (100, 2.0), (1000, 0.8)):
        rows[f"array-{size}"] = row_of(f"a table at an array of {size:,}", cubic, limit, partial(_array, size=size))
    return rows | {
        "million": row_of(baobzi, "baobzi of order 8 as it comes", 1.0, partial(_million, orders=(8,), splits=(1,))),
        "million-fastest": row_of(
            baobzi, "its fastest setting", 1.5, partial(_million, orders=(6, 8, 10, 12), splits=(0, 1))
        ),
        "surface": row_of("a surface at two floats", "RectBivariateSpline.ev", 0.75, _two_floats),
        "surface-million": row_of("a surface at 10^6 points", "RectBivariateSpline.ev", 0.5, _surface_million),
        "inverse": row_of("inverse of one value", "brentq on the table", 0.4, _inverse),
        "inverses": row_of("inverse of 10^5 values", "the table at as many points", 20.0, _inverses),
        "derivative": row_of("derivative at a float", cubic, 0.5, _derivative),
        "integral": row_of("integral between floats", cubic, 0.5, _integral),
        "roots": row_of("roots of one value", f"{cubic}, solve", 1.0, _roots),
    }


ROWS: Mapping[str, Row] = {**_hits(), **_tables()}


if __name__ == "__main__":  # under the name by which other processes find its functions
    numbers = import_module("benchmarks.kinds_of_numbers")
    sys.exit(main("benchmarks.kinds_of_numbers", (__doc__ or "").split("\n")[0], numbers.ROWS))
