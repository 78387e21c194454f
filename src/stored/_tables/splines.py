"""Scipy's splines through tables that users' methods return or store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from stored._tables.units import is_quantity, named_unit
from stored.errors import TableError, TableWarning, warn_caller

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

__all__ = ["Floats", "Spline", "copy_of_spline", "spline"]

Floats: TypeAlias = "NDArray[np.float64]"

Degree: TypeAlias = Literal[1, 3]

Spline: TypeAlias = "InterpolatedUnivariateSpline | RectBivariateSpline"


def spline(table: object, name: str, *, inverse: bool = False, linear: bool = False) -> Spline:
    """Interpolate a table.

    Parameters
    ----------
    table : ndarray, shape (2, n), or tuple of (ndarray, shape (n,)), (ndarray, shape (m,)), (ndarray, shape (n, m))
        y(x) as ``[x, y]``, or z(x, y) as ``(x, y, z)``, of real numbers. All are finite, and the coordinates strictly
        increasing.
    name : str
        What messages call the table.
    inverse : bool
        Interpolate x(y) in place of y(x). A decreasing table is reversed; of a flat stretch one point is kept, with
        a `TableWarning`.
    linear : bool
        Join the points by straight lines rather than a cubic spline.

    Returns
    -------
    InterpolatedUnivariateSpline or RectBivariateSpline
        Its arrays are read-only, those of a copy are not. Callers get it through `copy_of_spline`.

    Raises
    ------
    TableError
        If this is not such a table, has too few points, or is to be inverted and is not monotonic.
    """
    degree: Degree = 1 if linear else 3
    if isinstance(table, tuple) and len(table) == 3:
        if inverse:
            raise TableError(f"table {name!r} has two coordinates; only tables of one, y(x), have an inverse")
        return _spline_of_surface(table, name, degree)
    if not (isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[0] == 2):
        raise TableError(
            f"object {name!r} is not a table: found {_describe(table)}; an interpolator needs an array of shape"
            " (2, n), or a tuple (x, y, z) with z of shape (len(x), len(y))"
        )
    x, y = _real_numbers(table, name)
    if inverse:
        x, y = _invert(x, y, name)
    return _spline_of_curve(x, y, name, degree)


def copy_of_spline(made: Any) -> Any:
    """A spline for one caller alone, who may do with it whatever scipy allows.

    Its arrays are copies, which takes the longer the larger the table is: FITPACK writes into those of a spline that is
    smoothed, read-only or not, and whoever has an array can reach the memory of which it is a view.
    """
    copied = object.__new__(type(made))
    copied.__dict__ = {name: _own_arrays(each) for name, each in made.__dict__.items()}
    return copied


def numbers_of_spline(made: Any) -> tuple[Any, ...]:
    """The knots, coefficients and degrees of a spline, which tell it in full."""
    is_surface = hasattr(made, "degrees")
    return (*made.tck, *made.degrees) if is_surface else tuple(made._eval_args)


def _own_arrays(value: Any) -> Any:
    """A value that a spline holds, with copies of the arrays in it."""
    if isinstance(value, tuple):
        return tuple([each.copy() if isinstance(each, np.ndarray) else each for each in value])
    return value


def _describe(table: object) -> str:
    shape = getattr(table, "shape", None)
    size = f" with {len(table)} items" if isinstance(table, tuple | list) else ""
    return f"{type(table).__name__}{size if shape is None else f' of shape {shape}'}"


def _real_numbers(values: object, name: str) -> Floats:
    """Values as floats; differences of unsigned integers would wrap, imaginary parts and masks would be dropped."""
    if is_quantity(values):
        raise TableError(
            f"table {name!r} holds quantities in {named_unit(cast(Any, values).unit)}, and an interpolator of scipy's"
            " knows no units; give .to_value(unit), or sample the method along interpolate=Axis(...), which keeps them"
        )
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise TableError(f"table {name!r} holds no regular array: {error}") from None
    if found.dtype.kind not in "buif" or np.ma.is_masked(values):
        kind = "masked values" if found.dtype.kind in "buif" else f"values of dtype {found.dtype}"
        raise TableError(f"table {name!r} holds {kind}; an interpolator needs real numbers")
    return found.astype(float)


def _spline_of_curve(x: Floats, y: Floats, name: str, degree: Degree) -> InterpolatedUnivariateSpline:
    from scipy.interpolate import InterpolatedUnivariateSpline

    _check_coordinate(x, name, degree)
    _check_finite(y, name)
    made = InterpolatedUnivariateSpline(x, y, k=degree)
    _make_read_only(*vars(made)["_data"], *vars(made)["_eval_args"])
    return made


def _spline_of_surface(table: tuple[Any, ...], name: str, degree: Degree) -> RectBivariateSpline:
    from scipy.interpolate import RectBivariateSpline

    x, y, z = (_real_numbers(each, name) for each in table)
    if x.ndim != 1 or y.ndim != 1 or z.shape != (x.size, y.size):
        raise TableError(
            f"table {name!r} has x of shape {x.shape}, y of shape {y.shape} and z of shape {z.shape}; x and y must"
            f" have one dimension and z the shape (len(x), len(y)), here {(x.size, y.size)}"
        )
    for each in (x, y):
        _check_coordinate(each, name, degree)
    _check_finite(z, name)
    made = RectBivariateSpline(x, y, z, kx=degree, ky=degree)
    _make_read_only(*made.tck)
    return made


def _make_read_only(*parts: object) -> None:
    """Protect the spline's own arrays, of which get_knots(), get_coeffs() and the like return views."""
    for each in parts:
        if isinstance(each, np.ndarray):
            each.flags.writeable = False


def _check_coordinate(x: Floats, name: str, degree: Degree) -> None:
    if x.size <= degree:
        raise TableError(
            f"table {name!r} has {x.size} points; a spline of degree {degree} needs at least {degree + 1}"
            + ("; linear interpolation needs 2" if degree > 1 else "")
        )
    _check_finite(x, name)
    rises = x[1:] > x[:-1]
    if not rises.all():
        first = int(np.argmin(rises))
        raise TableError(
            f"the coordinate of table {name!r} does not increase from point {first} ({float(x[first])!r}) to the next"
            f" ({float(x[first + 1])!r}); sort the table and drop repeated points"
        )


def _check_finite(values: Floats, name: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        where = tuple(int(each) for each in np.argwhere(~finite)[0])
        raise TableError(f"table {name!r} holds {float(values[where])!r} at {where}; every value must be finite")


def _invert(x: Floats, y: Floats, name: str) -> tuple[Floats, Floats]:
    """The values as increasing coordinates, and what were the coordinates."""
    _check_finite(x, name)
    _check_finite(y, name)
    if y.size and y[0] > y[-1]:
        x, y = x[::-1], y[::-1]
    steps = np.diff(y)
    if np.any(steps < 0):
        where = float(x[int(np.argmax(steps < 0))])
        raise TableError(
            f"table {name!r} has no inverse: its values rise and fall (first against the trend near x = {where!r});"
            " store the monotonic branches as tables of their own"
        )
    kept = np.diff(y, prepend=-np.inf) > 0
    flat = int(np.count_nonzero(~kept))
    if flat:
        warn_caller(
            f"inverting table {name!r}: {flat} points on flat stretches were left out; the inverse gives one x of each"
            " stretch",
            TableWarning,
        )
    return y[kept], x[kept]
