"""Calling a function at many points: all at once if it can take them, one by one otherwise, and never wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from stored._tables.axis import Axis, Floats
from stored.errors import TableError

__all__ = ["REAL_KINDS", "CoordinateFunction", "NotVectorizedError", "Sampler", "Table"]

REAL_KINDS = "buif"
"""The kinds of numpy dtypes that hold real numbers."""

_LEAST_TOLD = 4
"""Arrays of fewer items do not tell whether a function can take arrays: many take one item for a number."""

_CHECKED_ONCE_IN = 16
"""One value in so many is held against a call with a single number."""

_AGREEMENT = 1e-11


class NotVectorizedError(Exception):
    """A function that seemed to take arrays gave other values for them: nothing sampled so far can be used."""


class Sampler:
    """A function of one or two arguments, and how to call it.

    Parameters
    ----------
    function : callable
        Takes the axes' arguments by name.
    axes : tuple of Axis
        One or two.
    label : str
        What messages call the function.

    Attributes
    ----------
    evaluations : int
        At how many points the function was evaluated, checks included.
    """

    def __init__(self, function: Callable[..., Any], axes: tuple[Axis, ...], label: str) -> None:
        self._function = function
        self._axes = axes
        self._label = label
        self._names = [axis.name for axis in axes]
        self._log = any(axis.values == "log" for axis in axes)
        said = {axis.vectorized for axis in axes}
        self._settled = False if False in said else True if said == {True} else None
        self._takes_arrays = self._settled
        self._random = np.random.default_rng(0)
        self.evaluations = 0

    def take_numbers_only(self) -> None:
        """Call the function with single numbers from now on."""
        self._takes_arrays = False

    def __call__(self, *points: Floats) -> Floats:
        """The function's values.

        Parameters
        ----------
        *points : ndarray, shape (n,)
            For each axis.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        TableError
            If a value is not a finite real number, or not positive where its logarithm is to be interpolated.
        NotVectorizedError
            If the function treated arrays otherwise than numbers.
        """
        if self._takes_arrays is None and points[0].size < _LEAST_TOLD:
            return self.singly(*points)
        if self._settled:
            return self._checked(self._at_once(*points), points)
        first = self._takes_arrays is None
        values = self._tried(*points) if self._takes_arrays is not False else None
        if values is None:
            if first or self._takes_arrays is False:
                self._takes_arrays = False
                return self.singly(*points)
            raise NotVectorizedError
        self._takes_arrays = True
        self._compare(values, points, values.size // _CHECKED_ONCE_IN + (3 if first else 0))
        return self._checked(values, points)

    def singly(self, *points: Floats) -> Floats:
        """The function's values, from calls with single numbers unless it is settled that it takes arrays."""
        if self._settled:
            return self._checked(self._at_once(*points), points)
        values = [self._number(*point) for point in zip(*(each.tolist() for each in points), strict=True)]
        return self._checked(np.array(values), points)

    def _number(self, *point: float) -> float:
        self.evaluations += 1
        value = self._function(**dict(zip(self._names, point, strict=True)))
        # float() would read text, take the one item of an array, and drop a numpy number's imaginary part
        if not (isinstance(value, str | bytes) or np.ndim(value) or np.iscomplexobj(value)):
            with contextlib.suppress(TypeError):
                return float(value)
        raise TableError(
            f"{self._label}() returned {value!r} of type {type(value).__name__}; a method interpolated along an axis"
            " must return one real number"
        )

    def _called(self, points: tuple[Floats, ...]) -> Any:
        copies = (each.copy() for each in points)  # the function may write into what it is given
        return np.asarray(self._function(**dict(zip(self._names, copies, strict=True))))

    def _at_once(self, *points: Floats) -> Floats:
        found = self._called(points)
        shape = points[0].shape
        if found.shape != shape or found.dtype.kind not in REAL_KINDS:
            raise TableError(
                f"{self._label}() was called with arrays of shape {shape}, as vectorized=True says it can be, and"
                f" returned shape {found.shape} of dtype {found.dtype}; it must return real numbers of the same shape"
                " (leave vectorized out if it takes one number at a time)"
            )
        self.evaluations += found.size
        return np.asarray(found, dtype=float)

    def _tried(self, *points: Floats) -> Floats | None:
        try:
            found = self._called(points)
        except Exception:  # whatever it is that a function of one number does with an array
            return None
        if found.shape != points[0].shape or found.dtype.kind not in REAL_KINDS:
            return None
        self.evaluations += found.size
        return np.asarray(found, dtype=float)

    def _compare(self, values: Floats, points: tuple[Floats, ...], checks: int) -> None:
        """Hold some of the values, and the first bad one, against what single numbers give."""
        bad = np.flatnonzero(self._bad(values))[:1]
        chosen = np.concatenate([self._random.choice(values.size, min(checks, values.size), replace=False), bad])
        single = np.array([self._number(*(float(each[index]) for each in points)) for index in chosen])
        scale = np.max(np.abs(values), initial=0.0, where=np.isfinite(values))
        if not np.allclose(values[chosen], single, rtol=_AGREEMENT, atol=1e-2 * _AGREEMENT * scale, equal_nan=True):
            raise NotVectorizedError

    def _bad(self, values: Floats) -> Any:
        return ~np.isfinite(values) | (values <= 0) if self._log else ~np.isfinite(values)

    def _checked(self, values: Floats, points: tuple[Floats, ...]) -> Floats:
        bad = np.flatnonzero(self._bad(values))
        if bad.size:
            first = int(bad[np.argmin(np.isfinite(values[bad]))])
            value = float(values[first])
            where = ", ".join(f"{name} = {float(x[first])!r}" for name, x in zip(self._names, points, strict=True))
            wanted = "positive, because values='log' interpolates their logarithm" if np.isfinite(value) else "finite"
            raise TableError(f"{self._label}() is {value!r} at {where}; every sampled value must be {wanted}")
        return values


Table: TypeAlias = dict[str, Any]


class CoordinateFunction:
    """A function of coordinates, in the form in which it is interpolated."""

    def __init__(self, sampler: Sampler, axes: tuple[Axis, ...]) -> None:
        self._sampler = sampler
        self._axes = axes
        self.log = any(axis.values == "log" for axis in axes)
        self.limits = [axis.coordinate_limits() for axis in axes]

    def __call__(self, *arguments: Any) -> Floats:
        *coordinates, singly = arguments
        points = [axis.backward(t) for axis, t in zip(self._axes, coordinates, strict=True)]
        values = (self._sampler.singly if singly else self._sampler)(*points)
        return np.log(values) if self.log else values

    def values(self, form: Floats) -> Floats:
        """The values themselves."""
        return np.exp(form) if self.log else form
