"""A function of two numbers, sampled on a grid that is refined along each axis until a polynomial meets it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.leja import MOST_NODES, basis, leja_points, scaled
from stored._tables.patches import SampledSurface
from stored._tables.tolerance import NO_VALUE, Tolerance
from stored.errors import ToleranceError

__all__ = ["sample_surface"]

Evaluate: TypeAlias = Callable[[Floats, Floats, bool], Floats]
"""From pairs of coordinates to values, in the form in which they are interpolated; True asks for single calls."""

_FIRST = 9

_BLOCK = 4

_SAFETY = 3.0

_GRID = 48

_HELD_OUT = np.modf(np.arange(1, 17)[:, None] * np.array([0.7548776662466927, 0.5698402909980532]))[0]
"""The R2 sequence of M. Roberts, even in two dimensions: multiples of the powers of the plastic number's inverse."""

_ZERO_VALUE = 1e-4
"""In a grid's cell that holds a zero, so much of its largest value must be met."""


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
        self.values = np.empty((0, 0))
        self.error = math.inf
        self.tolerance = Tolerance.of(axes)

    def coordinates(self, axis: int, s: Floats) -> Floats:
        """From [-1, 1] to an axis."""
        return scaled(s, *self._limits[axis])

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
        """The coordinates of the grid."""
        return [self.coordinates(axis, leja_points(0, size)) for axis, size in enumerate(self.values.shape)]

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """The polynomial at pairs of points of [-1, 1]."""
        rows, columns = self.values.shape
        return np.asarray(np.einsum("ij,ij->i", basis(rows, x) @ self.values, basis(columns, y)))

    def errors(self) -> tuple[float, float]:
        """For each axis, the error at the last nodes of the polynomial through those before."""
        found = []
        for values in (self.values, self.values.T):
            known = len(values) - _BLOCK
            predicted = basis(known, leja_points(known, len(values))) @ values[:known]
            found.append(float(np.max(np.abs(predicted - values[known:]))))
        return found[0], found[1]

    def allowed(self) -> float:
        """The error allowed everywhere."""
        s = np.linspace(-1.0, 1.0, _GRID + 1)
        rows, columns = self.values.shape
        grid = basis(rows, s) @ self.values @ basis(columns, s).T
        if self.tolerance.log:
            return float(np.min(self.tolerance.at(grid)))
        corners = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]])
        size = np.abs(corners)
        zero = (corners.min(axis=0) <= 0.0) & (corners.max(axis=0) >= 0.0) | (size.min(axis=0) <= NO_VALUE * size.max())
        least = np.where(zero, _ZERO_VALUE * size.max(axis=0), size.min(axis=0))
        return float(self.tolerance.atol + self.tolerance.rtol * least.min())

    def failure(self) -> ToleranceError:
        """What to raise when the tolerance is not met."""
        scale = 1.0 if self.tolerance.log else float(np.max(np.abs(self.values), initial=0.0))
        relative = not self.tolerance.log and not self.tolerance.atol and bool(self.values.size)
        zero = relative and bool(self.values.min() <= 0.0 <= self.values.max())
        return ToleranceError(
            self._label,
            " and ".join(axis.name for axis in self._axes),
            self.error / scale if scale else self.error,
            self.tolerance.asked,
            None,
            self._evaluations,
            "zero" if zero else "surface",
        )


def sample_surface(
    evaluate: Evaluate, limits: list[tuple[float, float]], axes: tuple[Axis, Axis], label: str
) -> SampledSurface:
    """Sample a function of two numbers to the tolerance of its axes.

    Raises
    ------
    ToleranceError
        If the tolerance is not met with `max_points` points.
    """
    grid = _Grid(evaluate, limits, axes, label)
    sizes = [_FIRST + _BLOCK, _FIRST + _BLOCK]
    grid.grow(*sizes)
    held_x, held_y = (2.0 * _HELD_OUT - 1.0).T
    held: Floats | None = None
    while True:
        errors, allowed = grid.errors(), grid.allowed()
        grid.error = max(errors)
        larger = [error > allowed for error in errors]
        if not any(larger):
            if held is None:
                held = grid.evaluate(held_x, held_y, True)
            differences = np.abs(grid(held_x, held_y) - held)
            grid.error = float(np.max(differences))
            if _SAFETY * grid.error <= allowed:
                held_out = (grid.coordinates(0, held_x), grid.coordinates(1, held_y), held)
                return SampledSurface(grid.nodes(), grid.values, held_out, allowed)
            larger = [True, True]
        sizes = [size + max(_BLOCK, size // 6) * grows for size, grows in zip(sizes, larger, strict=True)]
        if max(sizes) > MOST_NODES:
            raise grid.failure()
        grid.grow(*sizes)
