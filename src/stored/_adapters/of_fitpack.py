"""Splines of `scipy.interpolate` that the library FITPACK has fitted, and reads without a check of its own.

An object holds what FITPACK gave, in a tuple: x, y, w, the limits, degree, s, the number n of knots, knots,
coefficients, residual, two arrays of working space, and a code. The arrays are longer than n where FITPACK may add
knots, and have there what lay in memory; so has most of the working space.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy import interpolate

from stored._adapters.exact_parts import adapter_by_parts, array_of, items_of, knots, whole
from stored._adapters.registry import Adapter

__all__ = ["ADAPTERS"]

_KEPT_BY_CURVES = {"_data", "_eval_args", "ext", "_spline_class"}
_KEPT_BY_SURFACES = {"fp", "tck", "degrees"}

_MAX_DEGREE = 5
_NUMBERS_OF_DATA = 14
_X, _Y, _W, _LOW, _HIGH, _DEGREE, _S, _COUNT, _KNOTS, _COEFFICIENTS, _RESIDUAL, _SUMS, _POINTS, _CODE = range(14)
_FIXED_KNOTS = -1.0
"""The s of splines to which FITPACK cannot add knots."""


# -- curves -----------------------------------------------------------------------------------------------------------


def _curve_parts(value: Any) -> tuple[Any, Any]:
    """What FITPACK gave, with zeros for what lay in memory, and what a spline is outside its limits.

    A `ValueError`, if it is not as the versions of scipy have it that are known.
    """
    data = list(items_of(value._data, _NUMBERS_OF_DATA))
    degree, count = whole(data[_DEGREE], 0, _MAX_DEGREE), whole(data[_COUNT], 0, len(data[_KNOTS]))
    t, c, used_degree = items_of(value._eval_args, 3)
    size = count - degree - 1
    same = np.array_equal(t, data[_KNOTS][:count]) and np.array_equal(c[:size], data[_COEFFICIENTS][:size], True)
    if not same or used_degree != degree or len(c) != count:
        raise ValueError("what is evaluated is not what was fitted")
    data[_KNOTS], data[_COEFFICIENTS] = _only(data[_KNOTS], 0, count), _only(data[_COEFFICIENTS], 0, size)
    if data[_SUMS] is not None:
        # with as many knots as there can be, FITPACK begins anew, whatever is there
        used = 0 if count == len(data[_X]) + degree + 1 else count
        points = _only(data[_POINTS], 0, max(0, used - 2 * degree - 1))
        points[used - 1 : used] = data[_POINTS][used - 1 : used]
        data[_SUMS], data[_POINTS] = _only(data[_SUMS], max(0, used - 2), used), points
    return tuple(data), value.ext


def _only(array: Any, start: int, end: int) -> Any:
    """An array with some of its items, and zeros for the others."""
    kept = np.zeros_like(array)
    kept[start:end] = array[start:end]
    return kept


@functools.cache
def _has_known_attributes() -> bool:
    """Do splines of this version of scipy keep what they are in the attributes that are set here?"""
    curve: Any = interpolate.InterpolatedUnivariateSpline([0.0, 1.0], [0.0, 1.0], k=1)
    surface = interpolate.RectBivariateSpline([0.0, 1.0], [0.0, 1.0], np.zeros((2, 2)), kx=1, ky=1)
    is_known = vars(curve).keys() | {"_spline_class"} == _KEPT_BY_CURVES and len(curve._data) == _NUMBERS_OF_DATA
    return is_known and vars(surface).keys() == _KEPT_BY_SURFACES


@functools.cache
def _needs_working_space() -> bool:
    """Does this version of scipy keep the working space of FITPACK to go on with?"""
    numbers = np.arange(4.0)
    curve: Any = interpolate.UnivariateSpline(numbers, numbers, s=1.0)
    return curve._data[_SUMS] is not None


def _new(kind: Any) -> Any:
    """An object without attributes; a `ValueError` if others than are set here would be needed."""
    if not _has_known_attributes():
        raise ValueError(f"splines of this version of scipy are not known to {__name__}")
    return kind.__new__(kind)


def _curve(kind: Any, parts: Any) -> Any:
    data, outside = items_of(parts, 2)
    items_of(data, _NUMBERS_OF_DATA)
    degree, count = whole(data[_DEGREE], 0, _MAX_DEGREE), whole(data[_COUNT], 0, 2**31 - 1)
    size = array_of(data[_KNOTS], "d", 1).size
    t, c = knots(data[_KNOTS][:count], degree), array_of(data[_COEFFICIENTS], "d", 1)
    if not count == t.size <= size == c.size:
        raise ValueError("the numbers of knots and of coefficients do not fit")
    if data[_X] is not None:
        _check_fitted(data, degree, count, size)
    elif count != size or any(data[each] is not None for each in (*range(_DEGREE), _S, *range(_RESIDUAL, 14))):
        raise ValueError("a spline that was not fitted has no data")
    made = _new(kind)
    made._data, made._eval_args, made.ext = data, (t, c[:count], degree), whole(outside, 0, 3)
    return made


def _check_fitted(data: tuple[Any, ...], degree: int, count: int, size: int) -> None:
    """A `ValueError` if FITPACK could not go on with these data without reading what is not in them."""
    x, *others = [array_of(data[each], "d", 1) for each in (_X, _Y, _W)]
    most = x.size + degree + 1
    if any(each.size != x.size for each in others) or not np.isfinite(x).all() or not count <= size <= most:
        raise ValueError("the numbers of points and of knots do not fit")
    if degree < 1 or not (x[1:] >= x[:-1]).all():
        raise ValueError("the points are not sorted")
    if any(type(data[each]) not in {float, int} for each in (_LOW, _HIGH, _S, _RESIDUAL)):
        raise ValueError("limits, s and residual are numbers")
    if not data[_LOW] <= x[0] <= x[-1] <= data[_HIGH]:
        raise ValueError("points are outside the limits")
    whole(data[_CODE], -3, 10)
    if data[_SUMS] is None and data[_POINTS] is None:
        if data[_S] != _FIXED_KNOTS and _needs_working_space():
            raise ValueError("there is no working space")
        return
    points = array_of(data[_POINTS], "i", 1)
    if array_of(data[_SUMS], "d", 1).size != size or points.size != size:
        raise ValueError("the working space has a wrong size")
    _check_points_between_knots(points, x.size, degree, count)


def _check_points_between_knots(points: Any, number: int, degree: int, count: int) -> None:
    """A `ValueError` if the numbers of points between knots are not those of all points."""
    intervals = count - 2 * degree - 1
    counted = points[:intervals].astype(np.int64)
    whole(int(points[count - 1]), 0, number)
    if count < number + degree + 1 and ((counted < 0).any() or counted.sum() + intervals + 1 != number):
        raise ValueError("the numbers of points between knots do not fit")


# -- surfaces ---------------------------------------------------------------------------------------------------------


def _surface_parts(value: Any) -> Any:
    return tuple(value.tck), tuple(value.degrees), value.fp


def _surface(kind: Any, parts: Any) -> Any:
    tck, degrees, residual = items_of(parts, 3)
    *both, c = items_of(tck, 3)
    pairs = zip(both, items_of(degrees, 2), strict=True)
    first, second = [knots(t, whole(degree, 1, _MAX_DEGREE)).size - degree - 1 for t, degree in pairs]
    if array_of(c, "d", 1).size != first * second or type(residual) is not float:
        raise ValueError("the numbers of knots and of coefficients do not fit")
    made = _new(kind)
    made.tck, made.degrees, made.fp = tck, degrees, residual
    return made


# -- adapters ---------------------------------------------------------------------------------------------------------


def _curve_adapter(kind: Any) -> Adapter:
    return adapter_by_parts(kind, f"scipy.interpolate.{kind.__name__}", _curve_parts, _curve, _KEPT_BY_CURVES)


def _surface_adapter(kind: Any) -> Adapter:
    return adapter_by_parts(kind, f"scipy.interpolate.{kind.__name__}", _surface_parts, _surface, _KEPT_BY_SURFACES)


_CURVES = (
    interpolate.UnivariateSpline,
    interpolate.InterpolatedUnivariateSpline,
    interpolate.LSQUnivariateSpline,
)

_SURFACES = (interpolate.RectBivariateSpline, interpolate.SmoothBivariateSpline, interpolate.LSQBivariateSpline)

ADAPTERS = [*map(_curve_adapter, _CURVES), *map(_surface_adapter, _SURFACES)]
