"""How long does what users live with take: loops over grids, likelihoods, chains?

``python -m benchmarks.users [--quick] [ROW ...]`` prints ratios of medians, both sides timed in turns within one run.
There are no bars: above 1, the other side is faster.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

import stored
from benchmarks import engine
from benchmarks.rows import Row, Sides, Step, main, row_of
from stored import Axis

__all__ = ["ROWS"]

GRID = np.linspace(0.0, 10.0, 1000)

THETA = np.array([67.7, 0.31, -1.0, 0.96, 0.81])

SCALE, PIVOT, FLOOR, SLOPE, NORM, BREAK, WIDTH, LEVEL, TILT, SHIFT = (1.0 + number for number in range(10))


@stored.keyed_by("H0", "Om0", "w", "ns", "s8")
class Model:
    """A model with five parameters."""

    def __init__(self, H0: float = 70.0) -> None:
        self.H0 = H0
        self.Om0, self.w, self.ns, self.s8 = 0.3, -1.0, 0.96, 0.8

    @functools.lru_cache  # noqa: B019  (as users write it)
    def remembered(self, z: Any) -> Any:
        """By Python's own cache, which looks at no parameter."""
        return z

    @stored.stored(persistent=False)
    def value(self, z: Any) -> Any:
        """What it is given, in memory."""
        return z

    @stored.stored(persistent=False)
    def of_ten_names(self, z: Any) -> Any:
        """A number that depends on ten constants of its module."""
        return z * (SCALE + PIVOT + FLOOR + SLOPE + NORM + BREAK + WIDTH + LEVEL + TILT + SHIFT)

    @stored.stored(interpolate=Axis("z", 0.0, 10.0, rtol=1e-8))
    def curve(self, z: Any) -> Any:
        """A table along one axis."""
        return np.sin(z) + 2.0

    @stored.stored(persistent=False)
    def likelihood(self, theta: Any) -> float:
        """A number for an array of parameters."""
        return -0.5 * float(theta @ theta)


def _row(path: str, beside: str, sides: Callable[[Path], Sides]) -> Row:
    return row_of(path, beside, None, sides)


def _loop(method: Callable[[Any], Any]) -> Step:
    return lambda: [method(z) for z in GRID]


def _loop_of_hits(place: Path) -> Sides:
    model: Any = Model()
    return Sides(_loop(model.value), _loop(model.remembered), 20)


def _loop_through_table(place: Path) -> Sides:
    model: Any = Model()
    return Sides(_loop(model.curve), _loop(CubicSpline(GRID, np.sin(GRID) + 2.0)), 10)


def _grid_at_once(place: Path) -> Sides:
    model: Any = Model()
    spline = CubicSpline(GRID, np.sin(GRID) + 2.0)
    return Sides(lambda: model.curve(GRID), lambda: spline(GRID), 500)


def _likelihood(place: Path) -> Sides:
    model: Any = Model()
    return Sides(lambda: model.likelihood(THETA), lambda: model.remembered(tuple(THETA.tolist())), 5000)


def _likelihood_of_joblib(place: Path) -> Sides:
    import joblib

    model: Any = Model()
    remembered = joblib.Memory(place / "joblib", verbose=0).cache(_likelihood_of)
    remembered(THETA)
    return Sides(lambda: model.likelihood(THETA), lambda: remembered(THETA), 50)


def _likelihood_of(theta: Any) -> float:
    """As `Model.likelihood`, for libraries that remember functions."""
    return -0.5 * float(theta @ theta)


def _ten_names(place: Path) -> Sides:
    model: Any = Model()
    return Sides(lambda: model.of_ten_names(1.3), lambda: model.remembered(1.3), 20_000)


LRU, SPLINE = "functools.lru_cache, which verifies nothing", "scipy's CubicSpline"

ROWS: Mapping[str, Row] = {
    "loop": _row("a loop over np.linspace, results in memory", LRU, _loop_of_hits),
    "loop-table": _row("a loop over np.linspace, through a table", SPLINE, _loop_through_table),
    "grid": _row("1,000 points at once, through a table", SPLINE, _grid_at_once),
    "likelihood": _row("a likelihood of an array of five, known", f"{LRU}, of a tuple", _likelihood),
    "likelihood-joblib": _row("a likelihood of an array of five, known", "joblib.Memory", _likelihood_of_joblib),
    "ten-names": _row("a method that reaches ten names, known", LRU, _ten_names),
    "chain": Row("a chain's step that stores a small dict", "a set of diskcache", None, engine.chain_on_disk),
}


if __name__ == "__main__":  # under the name by which other processes find its functions
    users = import_module("benchmarks.users")
    sys.exit(main("benchmarks.users", (__doc__ or "").split("\n")[0], users.ROWS))
