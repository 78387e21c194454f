"""Evaluation of piecewise polynomials of two coordinates, on equal rectangles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.surface_code import SurfaceFunction, surface_factory

__all__ = ["CHUNK", "Patches"]

Integers: TypeAlias = NDArray[np.intp]

Orders: TypeAlias = tuple[int, int]

CHUNK = 8192
"""So many points are evaluated at once."""

_MOST_COLUMNS = 1 << 20
"""Up to so many coefficients (8 MiB) are kept a second time, by power, to be gathered faster."""

_MOST_FLOATS = 1 << 18
"""Up to so many coefficients are converted to Python floats at once."""

_NONE = (0, 0)


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
        self._numbers: tuple[int, ...] = coefficients.shape[:2]
        self._sizes: tuple[int, ...] = coefficients.shape[2:]
        self._per_unit = [n / (high - low) for n, (low, high) in zip(self._numbers, limits, strict=True)]
        self._starts, self._per_coordinate, self._last = (
            np.array(each, dtype=float)[:, None]
            for each in ([low for low, _ in limits], self._per_unit, [number - 1 for number in self._numbers])
        )
        self._columns: Floats | None = None
        self._float_rows: list[list[list[float]]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What it was made of, without what is made on demand."""
        return {"limits": self.limits, "coefficients": self.coefficients}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Patches.__init__(self, state["limits"], state["coefficients"])

    def __call__(self, coordinates: list[Floats], nu: Orders = _NONE) -> Floats:
        """The values, or derivatives to the coordinates, at points within the ranges, each of shape (n,)."""
        values = np.empty(coordinates[0].size)
        t = np.empty((len(coordinates), min(CHUNK, values.size)))
        space = self.work_space(values.size)
        for start in range(0, values.size, CHUNK):
            out = values[start : start + CHUNK]
            chunk = t[:, : out.size]
            for row, each in zip(chunk, coordinates, strict=True):
                row[...] = each[start : start + CHUNK]
            self.evaluate(chunk, out, space, nu)
        return values

    def work_space(self, size: int) -> Floats:
        """Memory that `evaluate` needs for chunks of so many points."""
        return np.empty(math.prod(self._sizes) * min(CHUNK, size))

    def evaluate(self, t: Floats, out: Floats, space: Floats, nu: Orders = _NONE) -> None:
        """The values, or derivatives to the coordinates, at points within the ranges, at most `CHUNK` of them.

        Parameters
        ----------
        t : ndarray, shape (2, n)
            The coordinates; they are overwritten.
        out : ndarray, shape (n,)
            Where to write the values.
        space : ndarray
            What `work_space` gave for n points or more.
        nu : tuple of (int, int)
            The orders of the derivative, less than the numbers of coefficients.
        """
        powers = self._gather(self._locate(t), space)
        along_u = _horner(powers, t[1], nu[1])
        out[...] = _horner(along_u, t[0], nu[0])
        if nu != _NONE:
            out *= self._scale(nu)

    def _locate(self, t: Floats) -> Integers:
        """The numbers of the rectangles of points, of which t becomes u and v."""
        t -= self._starts
        t *= self._per_coordinate
        cells = np.trunc(t)
        np.minimum(cells, self._last, out=cells)
        t -= cells
        cells[0] *= self._numbers[1]
        cells[0] += cells[1]
        return cast(Integers, cells[0].astype(np.intp))

    def _gather(self, rectangles: Integers, space: Floats) -> Floats:
        """The coefficients of points, of shape (q, p, n)."""
        size, (p, q) = rectangles.size, self._sizes
        space = space[: p * q * size]
        if self.coefficients.size > _MOST_COLUMNS:
            rows = self.coefficients.reshape(-1, p, q)
            return rows.take(rectangles, axis=0, out=space.reshape(size, p, q), mode="clip").T
        if self._columns is None:
            self._columns = np.ascontiguousarray(self.coefficients.reshape(-1, p, q).T)
        return self._columns.take(rectangles, axis=2, out=space.reshape(q, p, size), mode="clip")

    def _scale(self, nu: Orders) -> float:
        """The factor from a derivative to u and v to that to the coordinates."""
        return math.prod(per_unit**order for per_unit, order in zip(self._per_unit, nu, strict=True))

    def functions(
        self,
        limits: Sequence[tuple[float, float]],
        forward: Sequence[Callable[[float], float] | None],
        log: bool,
        numbers: frozenset[type],
        other: SurfaceFunction,
        nu: Orders = _NONE,
    ) -> tuple[SurfaceFunction, SurfaceFunction]:
        """Fast functions of two numbers, and of sequences of floats, all between the limits of the axes.

        Both return None where a number is elsewhere; the second one returns a list.

        Parameters
        ----------
        limits : sequence of (float, float)
            The limits of the axes.
        forward : sequence of callable
            For each axis, from the argument to the coordinate; None if they are the same.
        log : bool
            Are the patches the logarithm of the function?
        numbers : frozenset of type
            The types of numbers that the first one takes.
        other : callable
            What that calls with arguments of which one is of another type.
        nu : tuple of (int, int)
            The orders of the derivative to the coordinates.
        """
        on_demand = self.coefficients.size > _MOST_FLOATS
        make = surface_factory(self._sizes, nu, tuple(each is not None for each in forward), on_demand, log)
        parameters: list[Any] = []
        for axis, limit in enumerate(limits):
            start, number = self.limits[axis][0], self._numbers[axis]
            parameters += [*limit, forward[axis], start, self._per_unit[axis], float(number), number - 1]
        rows = self.coefficients if on_demand else self._rows()
        return cast(tuple[SurfaceFunction, SurfaceFunction], make(numbers, other, rows, self._scale(nu), *parameters))

    def _rows(self) -> list[list[list[float]]]:
        """The coefficients of each rectangle, as Python floats."""
        if self._float_rows is None:
            self._float_rows = self.coefficients.reshape(*self._numbers, -1).tolist()
        return self._float_rows


def _horner(powers: Floats, u: Floats, nu: int) -> Floats:
    """A derivative of polynomials, from their coefficients in increasing order, which are overwritten."""
    if nu:
        for power in range(nu, len(powers)):
            powers[power] *= math.perm(power, nu)
    value: Floats = powers[-1]
    for power in range(len(powers) - 2, nu - 1, -1):
        value *= u
        value += powers[power]
    return value
