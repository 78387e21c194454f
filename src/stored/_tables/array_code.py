"""Generated code that evaluates a table (piecewise polynomials of one coordinate) at an array of floats."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from stored._tables.code_template import compiled
from stored._tables.scalar_code import number_parts

__all__ = ["array_factory"]

_SOURCE = """
def make(low, high, forward, start, per_unit, rows, columns, cells, descend, bottom, top, is_inside, are_cells):
    a, b, c, d, e, f = columns
    array_start, array_per_unit = array(start), array(per_unit)

    def at_few(x):
        @transform@
        values = []
        for x in x.tolist():
            @check@
            u = @place@
            @look_up@
            values.append(@polynomial@)
        out = array(values)
        @exp@
        return out

    def at_some(x):
        @transform@
        u = @array_place@
        out = trunc_array(u)
        @locate@
        out = f[cell]
        @horner@
        @exp@
        return out

    def at_many(x, out, u, space):
        @transform@
        @write_place@
        trunc_array(u, out)
        @locate@
        f.take(cell, None, out, "wrap")
        @write_horner@
        @exp@
        return out

    return at_few, at_some, at_many
"""

# numpy's logarithms of contiguous numbers may differ in the last bit from those of others
_TRANSFORM = """
if not is_inside(x):
    return None
x = forward(x.ravel())
"""

_CHECK = """
if not low <= x <= high:
    return None
"""

_WRITE_PLACE = """
subtract(x, array_start, u)
multiply(u, array_per_unit, u)
"""

# rounding hides on which side of a limit a point is only if its place is that of the limit
_LOCATE = """
if not (bottom < u.item(u.argmin()) and u.item(u.argmax()) < top or are_cells(u)@and_inside@):
    return None
cell = out.astype(intp)
subtract(u, out, u)
@descend_arrays@
"""

_DESCEND = "cell = descend(cells.take(cell), u)"

_HORNER = """
multiply(out, u, out)
add(out, {0}[cell], out)
"""

# numpy's fastest mode; all cells are in the range
_WRITE_HORNER = """
multiply(out, u, out)
{0}.take(cell, None, space, "wrap")
add(out, space, out)
"""

_NAMES = {
    "add": np.add,
    "array": np.array,
    "exp": np.exp,
    "intp": np.dtype(np.intp),
    "multiply": np.multiply,
    "subtract": np.subtract,
    "trunc": math.trunc,
    "trunc_array": np.trunc,
}


@functools.cache
def array_factory(has_forward: bool, from_zero: bool, divided: bool, log: bool) -> Any:
    """Compile the function that makes evaluators at arrays of shape (n,) for a kind of table.

    It makes three, which give the same values, or None if a point is outside the limits: ``at_few(x)``, one point at a
    time, fastest for a few points; ``at_some(x)``, fastest for hundreds; and ``at_many(x, out, u, space)``, which
    writes to the arrays given, of the same size: the values to the first.

    Parameters
    ----------
    has_forward, from_zero, divided, log : bool
        As for `number_factory`.
    """
    parts = {
        "transform": _TRANSFORM if has_forward else "",
        "check": "" if has_forward else _CHECK,
        "array_place": "x * array_per_unit" if from_zero else "(x - array_start) * array_per_unit",
        "write_place": "multiply(x, array_per_unit, u)" if from_zero else _WRITE_PLACE,
        "locate": _LOCATE,
        "and_inside": "" if has_forward else " and is_inside(x)",
        "descend_arrays": _DESCEND if divided else "",
        "horner": "".join(_HORNER.format(power) for power in "edcba"),
        "write_horner": "".join(_WRITE_HORNER.format(power) for power in "edcba"),
        "exp": "exp(out, out)" if log else "",
    }
    return compiled(_SOURCE, {**number_parts("x", from_zero, divided), **parts}, _NAMES)
