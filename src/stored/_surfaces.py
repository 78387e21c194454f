"""A function of two numbers, sampled on a grid that is refined along each axis until a polynomial meets it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from stored._axes import Axis, Floats
from stored._leja import MOST_NODES, basis, leja_points, scaled
from stored._pieces import BETWEEN, DEGREE, LOBATTO, powers_from_values
from stored._tolerance import NO_VALUE, Tolerance
from stored.errors import ToleranceError

__all__ = ["MOST_PATCHES", "Patches", "SampledSurface", "resampled_surface", "sample_surface"]

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
_RESAMPLING = 0.1
_MOST_PIECES = 2048
MOST_PATCHES = 1 << 18
"""75 MiB of them."""
_CHUNK = 1024


class SampledSurface(NamedTuple):
    """What sampling gave.

    Attributes
    ----------
    nodes : list of ndarray
        The coordinates of the grid, for each axis.
    values : ndarray, shape (n, m)
        There, in the form in which they are interpolated.
    held_out : tuple of (ndarray, ndarray, ndarray)
        Coordinates and values that the polynomial was not fitted to.
    allowed : float
        The error allowed anywhere.
    """

    nodes: list[Floats]
    values: Floats
    held_out: tuple[Floats, Floats, Floats]
    allowed: float


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


# --------------------------------------------------------------------------------------------------------------------
# Patches
# --------------------------------------------------------------------------------------------------------------------


class Patches:
    """A piecewise polynomial of two coordinates, on equal rectangles.

    Parameters
    ----------
    limits : list of (float, float)
        The ranges of the coordinates.
    coefficients : ndarray, shape (n, m, p, q)
        Of u**i * v**j in each rectangle, where u and v run from 0 to 1.
    """

    def __init__(self, limits: list[tuple[float, float]], coefficients: Floats) -> None:
        self.limits = limits
        self.coefficients = coefficients

    def locate(self, coordinates: list[Floats]) -> tuple[tuple[np.ndarray, ...], list[Floats]]:
        """The rectangles of points within the ranges, and the places in them."""
        cells, places = [], []
        for (low, high), number, t in zip(self.limits, self.coefficients.shape[:2], coordinates, strict=True):
            u = (t - low) * (number / (high - low))
            cell = np.minimum(u.astype(np.intp), number - 1)
            cells.append(cell)
            places.append(u - cell)
        return tuple(cells), places

    def __call__(self, coordinates: list[Floats], nu: tuple[int, int] = (0, 0)) -> Floats:
        """The values, or derivatives to the coordinates, at points within the ranges, each of shape (n,)."""
        values = np.empty(coordinates[0].size)
        powers = self.coefficients
        for axis, order in enumerate(nu):
            low, high = self.limits[axis]
            per_unit = self.coefficients.shape[axis] / (high - low)
            powers = np.polynomial.polynomial.polyder(powers, order, scl=per_unit, axis=2 + axis)
        for start in range(0, values.size, _CHUNK):
            chunk = [each[start : start + _CHUNK] for each in coordinates]
            cells, (u, v) = self.locate(chunk)
            found = _horner([_horner(list(row.T), v) for row in powers[cells].swapaxes(0, 1)], u)
            values[start : start + _CHUNK] = found
        return values


def _horner(powers: list[Floats], u: Floats) -> Floats:
    value = powers[-1].copy()
    for power in powers[-2::-1]:
        value *= u
        value += power
    return value


def resampled_surface(sampled: SampledSurface, limits: list[tuple[float, float]]) -> Patches:
    """The polynomial of a grid, on patches."""
    wanted = max(_RESAMPLING * sampled.allowed, 8.0 * np.finfo(float).eps * float(np.max(np.abs(sampled.values))))
    numbers = [_number(values, wanted) for values in (sampled.values, sampled.values.T)]
    while math.prod(numbers) > MOST_PATCHES:
        numbers[int(np.argmax(numbers))] //= 2
    along = [_resampling(number, size) for number, size in zip(numbers, sampled.values.shape, strict=True)]
    values = along[0] @ sampled.values @ along[1].T
    values = values.reshape(numbers[0], DEGREE + 1, numbers[1], DEGREE + 1).transpose(0, 2, 1, 3)
    powers = powers_from_values(powers_from_values(values).swapaxes(2, 3)).swapaxes(2, 3)
    return Patches(limits, np.ascontiguousarray(powers))


def _resampling(number: int, size: int, at: Floats = LOBATTO) -> Floats:
    """From the values at Leja points to those at so many pieces' points."""
    s = 2.0 * (np.arange(number)[:, None] + at) / number - 1.0
    return basis(size, s.ravel())


def _number(values: Floats, wanted: float) -> int:
    """The number of pieces along the first axis that meet the polynomial, or as many as there may be."""
    number = 1
    while number < _MOST_PIECES and _resampling_error(number, values) > wanted:
        number *= 2
    return number


def _resampling_error(number: int, values: Floats) -> float:
    known = (_resampling(number, len(values)) @ values).reshape(number, DEGREE + 1, -1)
    powers = powers_from_values(known.swapaxes(1, 2))
    found = np.polynomial.polynomial.polyval(BETWEEN, np.moveaxis(powers, 2, 0))
    exact = (_resampling(number, len(values), BETWEEN) @ values).reshape(number, BETWEEN.size, -1)
    return float(np.max(np.abs(found.swapaxes(1, 2) - exact)))
