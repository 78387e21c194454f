"""Piecewise polynomials, splines and interpolators of `scipy.interpolate`; those of FITPACK are in `of_fitpack`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from stored._adapters import of_fitpack
from stored._adapters.exact_parts import adapter_by_parts, array_of, breakpoints, items_of, knots, whole
from stored._adapters.registry import Adapter, add

_KEPT = {"_c", "_x", "c", "x", "_t", "t", "k", "extrapolate", "axis", "_asarray", "_delegate_to", "_xp", "_xp_internal"}
_KEPT_BY_TENSORS = {*_KEPT, "_k", "_indices_k1d", "_len_t"}
_KEPT_BY_GRIDS = {
    *("_asarray", "method", "_spline", "bounds_error", "fill_value", "_descending_dimensions"),
    *("_grid", "_values", "grid", "values"),
}
"""The attributes of objects that are a part of their form, or follow from it, in all versions of scipy."""

_METHODS_OF_GRIDS = frozenset(
    ("linear", "nearest", "pchip", "slinear", "cubic", "quintic", "slinear_legacy", "cubic_legacy", "quintic_legacy")
)
_MAX_DIMENSIONS = 16
"""The tables that scipy makes for a spline take this many times the memory of its coefficients, and more."""

_METHODS_OF_SPLINES = frozenset(("slinear", "cubic", "quintic"))


def _extrapolation(value: Any) -> Any:
    if type(value) is not bool and value != "periodic":
        raise ValueError(f"{value!r} is no way to extrapolate")
    return value


# -- piecewise polynomials --------------------------------------------------------------------------------------------


def _polynomial_parts(value: Any) -> Any:
    return value.c, value.x, value.extrapolate, value.axis


def _bernstein_parts(value: Any) -> Any:
    evaluated_by = getattr(value, "_delegate_to", value)
    if "BPoly" not in type(evaluated_by).__name__:  # as scipy 1.18 makes them of others: evaluated as a `PPoly`
        raise ValueError("this is not evaluated as what it says")
    return _polynomial_parts(value)


def _bernstein_polynomial(kind: Any, parts: Any) -> Any:
    coefficients, points, extrapolate, axis = items_of(parts, 4)
    _check_coefficients(coefficients, (breakpoints(points, may_fall=True),))
    made = kind(coefficients, points, _extrapolation(extrapolate))
    made.axis = whole(axis, 0, coefficients.ndim - 2)  # along which they have been moved to the front already
    return made


def _polynomial(kind: Any, parts: Any) -> Any:
    coefficients, points, extrapolate, axis = items_of(parts, 4)
    _check_coefficients(coefficients, (breakpoints(points, may_fall=True),))
    whole(axis, 0, coefficients.ndim - 2)
    return kind.construct_fast(coefficients, points, _extrapolation(extrapolate), axis)


def _check_coefficients(coefficients: Any, points: tuple[Any, ...]) -> None:
    dimensions, counts = len(points), tuple(each.size - 1 for each in points)
    if array_of(coefficients, "dD").ndim < 2 * dimensions or 0 in coefficients.shape[:dimensions]:
        raise ValueError("a polynomial has no coefficients")
    if coefficients.shape[dimensions : 2 * dimensions] != counts:
        raise ValueError("the numbers of breakpoints and of coefficients do not fit")


def _tensor_polynomial_parts(value: Any) -> Any:
    return value.c, value.x, value.extrapolate


def _tensor_polynomial(kind: Any, parts: Any) -> Any:
    coefficients, points, extrapolate = items_of(parts, 3)
    if type(points) is not tuple or not points or type(extrapolate) is not bool:
        raise ValueError("the breakpoints of each dimension are in a tuple")
    _check_coefficients(coefficients, tuple(map(breakpoints, points)))
    # its compiled code takes no arrays that cannot be written to, as those of an entry are
    return kind.construct_fast(coefficients.copy(), tuple(each.copy() for each in points), extrapolate)


# -- B-splines --------------------------------------------------------------------------------------------------------


def _spline_parts(value: Any) -> Any:
    return value.t, value.c, value.k, value.extrapolate, value.axis


def _spline(kind: Any, parts: Any) -> Any:
    t, c, degree, extrapolate, axis = items_of(parts, 5)
    array_of(c, "dD")
    count = knots(t, whole(degree, 0, 2**31)).size - degree - 1
    if c.ndim < 1 or c.shape[0] < count:
        raise ValueError("the numbers of knots and of coefficients do not fit")
    whole(axis, 0, c.ndim - 1)
    return kind.construct_fast(t, c, degree, _extrapolation(extrapolate), axis)


def _tensor_spline_parts(value: Any) -> Any:
    return tuple(value.t), value.c, tuple(map(int, value.k)), bool(value.extrapolate)


def _tensor_spline(kind: Any, parts: Any) -> Any:
    t, c, degrees, extrapolate = items_of(parts, 4)
    array_of(c, "dD")
    if type(t) is not tuple or not 1 <= len(t) <= _MAX_DIMENSIONS or type(extrapolate) is not bool:
        raise ValueError("the knots of each dimension are in a tuple")
    pairs = zip(t, items_of(degrees, len(t)), strict=True)
    counts = tuple(knots(each, whole(degree, 0, 2**31)).size - degree - 1 for each, degree in pairs)
    if c.size == 0 or c.shape[: len(t)] != counts:  # without coefficients, its tables could be of any size
        raise ValueError("the numbers of knots and of coefficients do not fit")
    return kind(t, c, degrees, extrapolate=extrapolate)


# -- interpolation on grids -------------------------------------------------------------------------------------------


def _grid_parts(value: Any) -> Any:
    return value.grid, value.values, value.method, value.bounds_error, value.fill_value, getattr(value, "_spline", None)


def _grid_interpolator(kind: Any, parts: Any) -> Any:
    grid, values, method, bounds_error, fill_value, spline = items_of(parts, 6)
    array_of(values, "fdFD")
    if type(grid) is not tuple or any(array_of(each, "d", 1).size == 0 for each in grid):
        raise ValueError("the points of each dimension are in a tuple")
    if method not in _METHODS_OF_GRIDS or type(bounds_error) is not bool:
        raise ValueError("there is no such method")
    if fill_value is not None and not isinstance(fill_value, int | float | complex | np.number):
        raise ValueError("what is outside is no number")
    if method in _METHODS_OF_SPLINES:
        _check_spline_of_grid(spline, grid, values)
    elif spline is not None:
        raise ValueError("this method needs no spline")
    made = kind(grid, values, "linear", bounds_error, fill_value)  # which computes nothing
    made.method, made._spline = method, spline
    return made


def _check_spline_of_grid(spline: Any, grid: tuple[Any, ...], values: Any) -> None:
    if type(spline) is not interpolate.NdBSpline or spline.c.shape != values.shape or len(spline.t) != len(grid):
        raise ValueError("the spline does not fit to the grid")


# -- registration -----------------------------------------------------------------------------------------------------


def _adapter(kind: Any, parts_of: Any, make: Any, kept: Any) -> Adapter:
    return adapter_by_parts(kind, f"scipy.interpolate.{kind.__name__}", parts_of, make, kept)


_POLYNOMIALS = (
    interpolate.PPoly,
    interpolate.CubicSpline,
    interpolate.CubicHermiteSpline,
    interpolate.PchipInterpolator,
    interpolate.Akima1DInterpolator,
)

add(
    *[_adapter(each, _polynomial_parts, _polynomial, _KEPT) for each in _POLYNOMIALS],
    _adapter(interpolate.BPoly, _bernstein_parts, _bernstein_polynomial, _KEPT),
    _adapter(interpolate.NdPPoly, _tensor_polynomial_parts, _tensor_polynomial, _KEPT),
    _adapter(interpolate.BSpline, _spline_parts, _spline, _KEPT),
    _adapter(interpolate.NdBSpline, _tensor_spline_parts, _tensor_spline, _KEPT_BY_TENSORS),
    _adapter(interpolate.RegularGridInterpolator, _grid_parts, _grid_interpolator, _KEPT_BY_GRIDS),
    *of_fitpack.ADAPTERS,
)
