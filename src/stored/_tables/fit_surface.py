"""Where must a function of two numbers be sampled, so that a polynomial approximates it to a tolerance?

The function is sampled at Leja points along both axes, a few more in each round along the axis whose last points differ
too much from the polynomial through those before, until the polynomial agrees with values that it was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.leja import MOST_NODES, basis, leja_points, scale_to
from stored._tables.tolerance import ZERO_LEVEL, Tolerance
from stored.errors import ToleranceError

__all__ = ["SampledSurface", "sample_surface"]

Evaluate: TypeAlias = Callable[[Floats, Floats, bool], Floats]
"""From pairs of coordinates to interpolated values; True asks for calls with single numbers."""

_STEP = 4
"""The grid grows by at least so many rows or columns, and its error is measured at the last so many."""

_FIRST = 9 + _STEP
"""The number of rows and columns to begin with."""

_SAFETY = 3.0
"""The error at points held out is multiplied by this, as it may be larger elsewhere."""

_CELLS = 48
"""The tolerance is evaluated at the corners of so many cells along each axis."""

_R2 = np.modf(np.arange(1, 17)[:, None] * np.array([0.7548776662466927, 0.5698402909980532]))[0]
_HELD_OUT_X, _HELD_OUT_Y = (2.0 * _R2 - 1.0).T
"""Where in [-1, 1] the function is held out from the fit.

The R2 sequence of M. Roberts, even in two dimensions: multiples of the powers of the plastic number's inverse.
"""

_ZERO_CELL_VALUE = 1e-4
"""In a cell that contains a zero, the relative tolerance is taken of this fraction of its largest value."""


class SampledSurface(NamedTuple):
    """The grid whose polynomial approximates a function, and its error.

    Attributes
    ----------
    nodes : list of ndarray
        The coordinates of the grid, for each axis.
    values : ndarray, shape (n, m)
        The interpolated values there.
    held_out : tuple of (ndarray, ndarray, ndarray)
        Coordinates and values that the polynomial was not fitted to.
    allowed : float
        The error that is allowed everywhere.
    """

    nodes: list[Floats]
    values: Floats
    held_out: tuple[Floats, Floats, Floats]
    allowed: float


def sample_surface(
    evaluate: Evaluate, limits: list[tuple[float, float]], axes: tuple[Axis, Axis], label: str
) -> SampledSurface:
    """Sample a function of two numbers to the tolerance of its axes.

    Parameters
    ----------
    evaluate : callable
        From coordinates along both axes to interpolated values; its third argument is True where it must be called
        with single numbers.
    limits : list of (float, float)
        The coordinates of the axes' limits.
    axes : tuple of (Axis, Axis)
        The axes.
    label : str
        What messages call the function.

    Raises
    ------
    ToleranceError
        If the tolerance is not met with `max_points` points.
    """
    grid = _Grid(evaluate, limits, axes, label)
    sizes = [_FIRST, _FIRST]
    grid.grow(*sizes)
    while True:
        errors, allowed = grid.errors(), grid.allowed()
        grid.error = max(errors)
        must_grow = [error > allowed for error in errors]
        if not any(must_grow):
            grid.error = grid.error_held_out()
            if _SAFETY * grid.error <= allowed:
                return SampledSurface(grid.nodes(), grid.values, grid.held_out(), allowed)
            must_grow = [True, True]
        sizes = [size + max(_STEP, size // 6) * grows for size, grows in zip(sizes, must_grow, strict=True)]
        if max(sizes) > MOST_NODES:
            raise grid.failure()
        grid.grow(*sizes)


class _Grid:
    """Values on a grid of Leja points that grows along either axis."""

    def __init__(
        self, evaluate: Evaluate, limits: list[tuple[float, float]], axes: tuple[Axis, Axis], label: str
    ) -> None:
        self._evaluate = evaluate
        self._limits = limits
        self._most = max(axis.max_points for axis in axes)
        self._axes = axes
        self._label = label
        self._evaluations = 0
        self._held_out: Floats | None = None
        self.values = np.empty((0, 0))
        self.error = math.inf
        self.tolerance = Tolerance.of(axes)

    def coordinates(self, axis: int, s: Floats) -> Floats:
        """From [-1, 1] to an axis."""
        return scale_to(s, *self._limits[axis])

    def evaluate(self, x: Floats, y: Floats, singly: bool) -> Floats:
        """The values at pairs of points of [-1, 1]."""
        if self._evaluations + x.size > self._most:
            raise self.failure()
        self._evaluations += x.size
        return self._evaluate(self.coordinates(0, x), self.coordinates(1, y), singly)

    def grow(self, rows: int, columns: int) -> None:
        """Sample what is missing of so many rows and columns."""
        had_rows, had_columns = self.values.shape
        values = np.empty((rows, columns))
        values[:had_rows, :had_columns] = self.values
        missing = np.ones((rows, columns), dtype=bool)
        missing[:had_rows, :had_columns] = False
        x, y = np.nonzero(missing)
        values[missing] = self.evaluate(leja_points(0, rows)[x], leja_points(0, columns)[y], False)
        self.values = values

    def nodes(self) -> list[Floats]:
        """The coordinates of the grid, for each axis."""
        return [self.coordinates(axis, leja_points(0, size)) for axis, size in enumerate(self.values.shape)]

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """The polynomial at pairs of points of [-1, 1]."""
        rows, columns = self.values.shape
        return np.asarray(np.einsum("ij,ij->i", basis(rows, x) @ self.values, basis(columns, y)))

    def errors(self) -> tuple[float, float]:
        """For each axis, the error at its last nodes of the polynomial through the nodes before them."""
        return _error_at_last(self.values), _error_at_last(self.values.T)

    def held_out(self) -> tuple[Floats, Floats, Floats]:
        """Coordinates and values that the polynomial is not fitted to."""
        if self._held_out is None:
            self._held_out = self.evaluate(_HELD_OUT_X, _HELD_OUT_Y, True)
        return self.coordinates(0, _HELD_OUT_X), self.coordinates(1, _HELD_OUT_Y), self._held_out

    def error_held_out(self) -> float:
        """The error of the polynomial at the points that are held out."""
        *_, values = self.held_out()
        return float(np.max(np.abs(self(_HELD_OUT_X, _HELD_OUT_Y) - values)))

    def allowed(self) -> float:
        """The error that is allowed everywhere."""
        s = np.linspace(-1.0, 1.0, _CELLS + 1)
        rows, columns = self.values.shape
        grid = basis(rows, s) @ self.values @ basis(columns, s).T
        if self.tolerance.log:
            return float(np.min(self.tolerance.at(grid)))
        return float(self.tolerance.atol + self.tolerance.rtol * _least_sizes(grid).min())

    def failure(self) -> ToleranceError:
        """The error to raise when the tolerance is not met."""
        scale = 1.0 if self.tolerance.log else float(np.max(np.abs(self.values), initial=0.0))
        is_relative = not self.tolerance.log and not self.tolerance.atol and bool(self.values.size)
        passes_zero = is_relative and bool(self.values.min() <= 0.0 <= self.values.max())
        return ToleranceError(
            self._label,
            " and ".join(axis.name for axis in self._axes),
            self.error / scale if scale else self.error,
            self.tolerance.asked,
            None,
            self._evaluations,
            "zero" if passes_zero else "surface",
        )


def _error_at_last(values: Floats) -> float:
    """The error at the last nodes of the first axis of the polynomial through the nodes before them."""
    before = len(values) - _STEP
    predicted = basis(before, leja_points(before, len(values))) @ values[:before]
    return float(np.max(np.abs(predicted - values[before:])))


def _least_sizes(grid: Floats) -> Floats:
    """In each cell of a grid of values, the size of value of which the relative tolerance is taken."""
    corners = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]])
    size = np.abs(corners)
    crosses = (corners.min(axis=0) <= 0.0) & (corners.max(axis=0) >= 0.0)
    has_zero = crosses | (size.min(axis=0) <= ZERO_LEVEL * size.max())
    return np.asarray(np.where(has_zero, _ZERO_CELL_VALUE * size.max(axis=0), size.min(axis=0)))
