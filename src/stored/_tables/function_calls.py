"""How is a function called at many points: once with arrays, or with one number after the other?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.method_values import REAL_KINDS, NumberMethod
from stored.errors import TableError

__all__ = ["CoordinateFunction", "FunctionCaller", "NotVectorizedError"]

_SMALLEST_TRIAL = 4
"""Smaller arrays cannot show whether a function takes arrays: many functions take one item for a number."""

_CHECKED_ONCE_IN = 16
"""One value in so many is compared with a call with a single number."""

_AGREEMENT = 1e-11
"""The relative difference that values from arrays and from single numbers may have."""


class NotVectorizedError(Exception):
    """A function that seemed to take arrays gave other values for them, so that no value so far can be used."""


class FunctionCaller:
    """Evaluates a function of one or two arguments at many points.

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
        self._function = NumberMethod(function, axes, label)
        self._axes = axes
        self._label = label
        self._names = [axis.name for axis in axes]
        self._log = any(axis.values == "log" for axis in axes)
        declared = {axis.vectorized for axis in axes}
        self._is_declared_vectorized = declared == {True}
        self._takes_arrays = False if False in declared else True if declared == {True} else None  # None: not known
        self._random = np.random.default_rng(0)
        self.evaluations = 0

    @property
    def unit(self) -> Any:
        """The unit of the function's values; None if they are plain numbers."""
        return self._function.unit

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
            If the function gave other values for arrays than for numbers.
        """
        is_trial = self._takes_arrays is None
        too_small = is_trial and points[0].size < _SMALLEST_TRIAL
        if self._is_declared_vectorized or self._takes_arrays is False or too_small:
            return self.evaluate_singly(*points)
        values = self._try_arrays(points)
        if values is None:
            if not is_trial:
                raise NotVectorizedError
            self._takes_arrays = False
            return self.evaluate_singly(*points)
        self._takes_arrays = True
        self._compare(values, points, values.size // _CHECKED_ONCE_IN + (3 if is_trial else 0))
        return self._checked(values, points)

    def evaluate_singly(self, *points: Floats) -> Floats:
        """The function's values, from calls with single numbers unless the axes say that it takes arrays."""
        if self._is_declared_vectorized:
            return self._checked(self._call_with_arrays(points), points)
        values = [self._call_with_numbers(*point) for point in zip(*(each.tolist() for each in points), strict=True)]
        return self._checked(np.array(values), points)

    def _call_with_numbers(self, *point: float) -> float:
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

    def _call(self, points: tuple[Floats, ...]) -> Any:
        copies = (each.copy() for each in points)  # the function may write into what it is given
        return np.asarray(self._function(**dict(zip(self._names, copies, strict=True))))

    def _call_with_arrays(self, points: tuple[Floats, ...]) -> Floats:
        found = self._call(points)
        shape = points[0].shape
        if found.shape != shape or found.dtype.kind not in REAL_KINDS:
            raise TableError(
                f"{self._label}() was called with arrays of shape {shape}, as vectorized=True says it can be, and"
                f" returned shape {found.shape} of dtype {found.dtype}; it must return real numbers of the same shape"
                " (leave vectorized out if it takes one number at a time)"
            )
        self.evaluations += found.size
        return np.asarray(found, dtype=float)

    def _try_arrays(self, points: tuple[Floats, ...]) -> Floats | None:
        """The function's values from one call with arrays; None if it does not take them."""
        try:
            found = self._call(points)
        except Exception:  # a function of numbers may raise anything when it gets an array
            return None
        if found.shape != points[0].shape or found.dtype.kind not in REAL_KINDS:
            return None
        self.evaluations += found.size
        return np.asarray(found, dtype=float)

    def _compare(self, values: Floats, points: tuple[Floats, ...], checks: int) -> None:
        """Compare some of the values, and the first that cannot be used, with those from calls with single numbers."""
        bad = np.flatnonzero(self._is_bad(values))[:1]
        chosen = np.concatenate([self._random.choice(values.size, min(checks, values.size), replace=False), bad])
        single = np.array([self._call_with_numbers(*(float(each[index]) for each in points)) for index in chosen])
        scale = np.max(np.abs(values), initial=0.0, where=np.isfinite(values))
        if not np.allclose(values[chosen], single, rtol=_AGREEMENT, atol=1e-2 * _AGREEMENT * scale, equal_nan=True):
            raise NotVectorizedError

    def _is_bad(self, values: Floats) -> Any:
        return ~np.isfinite(values) | (values <= 0) if self._log else ~np.isfinite(values)

    def _checked(self, values: Floats, points: tuple[Floats, ...]) -> Floats:
        bad = np.flatnonzero(self._is_bad(values))
        if bad.size:
            first = int(bad[np.argmin(np.isfinite(values[bad]))])
            value = float(values[first])
            pairs = zip(self._axes, points, strict=True)
            where = ", ".join(f"{axis.name} = {axis.shown(float(x[first]))}" for axis, x in pairs)
            wanted = "positive, because values='log' interpolates their logarithm" if np.isfinite(value) else "finite"
            raise TableError(f"{self._label}() is {value!r} at {where}; every sampled value must be {wanted}")
        return values


class CoordinateFunction:
    """What is interpolated: a function's values, or their logarithm, as a function of the coordinates of its axes.

    Parameters
    ----------
    caller : FunctionCaller
        The function.
    axes : tuple of Axis
        One or two.

    Attributes
    ----------
    log : bool
        Is the logarithm of the values interpolated?
    limits : list of (float, float)
        The coordinates of the axes' limits.
    """

    def __init__(self, caller: FunctionCaller, axes: tuple[Axis, ...]) -> None:
        self._caller = caller
        self._axes = axes
        self.log = any(axis.values == "log" for axis in axes)
        self.limits = [axis.coordinate_limits() for axis in axes]

    @property
    def evaluations(self) -> int:
        """At how many points the function was evaluated, checks included."""
        return self._caller.evaluations

    def __call__(self, *arguments: Any) -> Floats:
        """The interpolated values.

        Parameters
        ----------
        *arguments
            The coordinates along each axis, each of shape (n,), and last a bool: must the function be called with
            single numbers?
        """
        *coordinates, singly = arguments
        points = [axis.backward(t) for axis, t in zip(self._axes, coordinates, strict=True)]
        values = (self._caller.evaluate_singly if singly else self._caller)(*points)
        return np.log(values) if self.log else values

    def values(self, interpolated: Floats) -> Floats:
        """The function's values from the interpolated ones."""
        return np.exp(interpolated) if self.log else interpolated
