"""Tables of values, and scipy's splines over them."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stored.errors import TableError, TableWarning, warn_caller

if TYPE_CHECKING:
    from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

__all__ = ["Spline", "load_text_table", "spline"]

Floats: TypeAlias = NDArray[np.float64]
Degree: TypeAlias = Literal[1, 3]
Spline: TypeAlias = "InterpolatedUnivariateSpline | RectBivariateSpline"


def spline(table: object, name: str, *, inverse: bool = False, linear: bool = False) -> Spline:
    """Interpolate a table.

    Parameters
    ----------
    table : ndarray, shape (2, n), or tuple of (ndarray, shape (n,)), (ndarray, shape (m,)), (ndarray, shape (n, m))
        y(x) as ``[x, y]``, or z(x, y) as ``(x, y, z)``. The coordinates are finite and strictly increasing.
    name : str
        What messages call the table.
    inverse : bool
        Interpolate x(y) in place of y(x). A decreasing table is reversed; flat stretches are reduced to their first
        point, with a `TableWarning`.
    linear : bool
        Join the points by straight lines rather than a cubic spline.

    Returns
    -------
    InterpolatedUnivariateSpline or RectBivariateSpline

    Raises
    ------
    TableError
        If this is not such a table, has too few points, or is to be inverted and is not monotonic.
    """
    degree: Degree = 1 if linear else 3
    if isinstance(table, tuple) and len(table) == 3:
        if inverse:
            raise TableError(f"table {name!r} has two coordinates; only tables of one, y(x), have an inverse")
        return _surface(table, name, degree)
    if not (isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[0] == 2):
        raise TableError(
            f"object {name!r} is not a table: found {_described(table)}; an interpolator needs an array of shape"
            " (2, n), or a tuple (x, y, z) with z of shape (len(x), len(y))"
        )
    x, y = _invertible(table, name) if inverse else table
    return _curve(x, y, name, degree)


def _described(table: object) -> str:
    shape = getattr(table, "shape", None)
    size = f" with {len(table)} items" if isinstance(table, tuple | list) else ""
    return f"{type(table).__name__}{size if shape is None else f' of shape {shape}'}"


def _curve(x: Floats, y: Floats, name: str, degree: Degree) -> InterpolatedUnivariateSpline:
    from scipy.interpolate import InterpolatedUnivariateSpline

    _check_coordinate(x, name, degree)
    _check_finite(y, name)
    return InterpolatedUnivariateSpline(x, y, k=degree)


def _surface(table: tuple[Any, ...], name: str, degree: Degree) -> RectBivariateSpline:
    from scipy.interpolate import RectBivariateSpline

    x, y, z = (np.asarray(each) for each in table)
    if x.ndim != 1 or y.ndim != 1 or z.shape != (x.size, y.size):
        raise TableError(
            f"table {name!r} has x of shape {x.shape}, y of shape {y.shape} and z of shape {z.shape}; x and y must"
            f" have one dimension and z the shape (len(x), len(y)), here {(x.size, y.size)}"
        )
    for each in (x, y):
        _check_coordinate(each, name, degree)
    _check_finite(z, name)
    return RectBivariateSpline(x, y, z, kx=degree, ky=degree)


def _check_coordinate(x: Floats, name: str, degree: Degree) -> None:
    if x.size <= degree:
        raise TableError(
            f"table {name!r} has {x.size} points; a spline of degree {degree} needs at least {degree + 1}"
            + ("; linear_interp=True needs 2" if degree > 1 else "")
        )
    _check_finite(x, name)
    steps = np.diff(x)
    if not np.all(steps > 0):
        first = int(np.argmin(steps > 0))
        raise TableError(
            f"the coordinate of table {name!r} does not increase from point {first} ({x[first]!r}) to the next"
            f" ({x[first + 1]!r}); sort the table and drop repeated points"
        )


def _check_finite(values: Floats, name: str) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        where = tuple(int(each) for each in bad[0])
        raise TableError(f"table {name!r} holds {values[where]!r} at {where}; every value must be finite")


def _invertible(table: Floats, name: str) -> tuple[Floats, Floats]:
    """A table with its rows exchanged, increasing in what is now the coordinate."""
    _check_finite(table, name)
    x, y = table[:, ::-1] if table[1][-1] < table[1][0] else table
    steps = np.diff(y)
    if np.any(steps < 0):
        raise TableError(
            f"table {name!r} has no inverse: its values rise and fall (first against the trend near x ="
            f" {x[int(np.argmax(steps < 0))]!r}); store the monotonic branches as tables of their own"
        )
    kept = np.concatenate([[True], steps > 0])
    flat = int(kept.size - np.count_nonzero(kept))
    if flat:
        warn_caller(
            f"inverting table {name!r}: {flat} points on flat stretches were left out; the inverse gives one x of each"
            " stretch",
            TableWarning,
        )
    return y[kept], x[kept]


def load_text_table(path: str | os.PathLike[str], name: str) -> Floats:
    """Read two columns from a text file; ``#`` begins a comment.

    Returns
    -------
    ndarray, shape (2, n)

    Raises
    ------
    FileNotFoundError
        Naming the file.
    TableError
        If it has not two columns of numbers.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"file {os.fspath(path)!r} for object {name!r} was not found")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # numpy only warns of an empty file
            table = np.loadtxt(file, usecols=(0, 1), comments="#", unpack=True, ndmin=2)
    except (ValueError, UserWarning) as error:
        raise TableError(f"file {os.fspath(path)!r} is not a table of two columns of numbers: {error}") from None
    return table
