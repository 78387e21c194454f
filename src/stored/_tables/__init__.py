"""Functions as tables, which are computed once to a given accuracy, and evaluated from then on.

An `Axis` says along which argument and how accurately; `tabulate` samples a function into a table, which is plain data;
`make_interpolant` makes the interpolant of it, which users call. `spline` is for tables that a method returns itself.
Nothing here knows of caching. Most modules are imported when the first table is made.
"""

from typing import TYPE_CHECKING

from stored._lazy import lazy_attributes
from stored._tables.splines import Spline, copy_of_spline, numbers_of_spline, spline

if TYPE_CHECKING:
    from stored._tables.axis import Axis
    from stored._tables.curve import CurveInterpolant
    from stored._tables.exact_values import values_of_method
    from stored._tables.interpolant import Interpolant
    from stored._tables.load_table import make_interpolant
    from stored._tables.make_table import tabulate

__all__ = [
    "Axis",
    "CurveInterpolant",
    "Interpolant",
    "Spline",
    "copy_of_spline",
    "make_interpolant",
    "numbers_of_spline",
    "spline",
    "tabulate",
    "values_of_method",
]

if not TYPE_CHECKING:  # type checkers would take every name for one of these
    __getattr__ = lazy_attributes(
        __name__,
        {
            "Axis": "axis",
            "CurveInterpolant": "curve",
            "Interpolant": "interpolant",
            "make_interpolant": "load_table",
            "tabulate": "make_table",
            "values_of_method": "exact_values",
        },
    )
