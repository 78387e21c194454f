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
def make(low, high, start, per_unit, rows, columns, number, cells, descend, forward):
    a, b, c, d, e, f = columns
    array_start, array_per_unit = array(start), array(per_unit)

    def at_few(x):
        @transform_few@
        values = []
        for x in x.tolist():
            @check_one@
            u = @place@
            @look_up@
            values.append(@polynomial@)
        out = array(values)
        @exp@
        return out

    def at_some(x):
        @check@
        @transform@
        u = @array_place@
        out = trunc_array(u)
        @locate@
        out = f[cell]
        @horner@
        @exp@
        return out

    def at_many(x, out, u, space):
        @check@
        @transform@
        @write_place@
        @check_places@
        trunc_array(u, out)
        @locate@
        f.take(cell, None, out, "wrap")
        @write_horner@
        @exp@
        return out

    return at_few, at_some, at_many
"""

_CHECK = """
if not (low <= x.item(x.argmin()) and x.item(x.argmax()) <= high):
    return None
"""

_CHECK_ONE = """
if not low <= x <= high:
    return None
"""

# numpy's logarithms of contiguous numbers may differ in the last bit from those of others
_TRANSFORM = "x = forward(x.ravel())"

_WRITE_PLACE = """
subtract(x, array_start, u)
multiply(u, array_per_unit, u)
"""

# numpy's fastest mode never ends with some wrong indices, which another thread that writes to x might make
_CHECK_PLACES = """
if not (-1.0 < u.item(u.argmin()) and u.item(u.argmax()) < number + 1):
    return None
"""

_LOCATE = """
cell = out.astype(intp)
subtract(u, out, u)
@descend_arrays@
"""

_DESCEND = "cell = descend(cells.take(cell), u)"

_HORNER = """
multiply(out, u, out)
add(out, {0}[cell], out)
"""

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
        "transform_few": _CHECK + _TRANSFORM if has_forward else "",
        "check_one": "" if has_forward else _CHECK_ONE,
        "check_places": _CHECK_PLACES,
        "check": _CHECK,
        "transform": _TRANSFORM if has_forward else "",
        "array_place": "x * array_per_unit" if from_zero else "(x - array_start) * array_per_unit",
        "write_place": "multiply(x, array_per_unit, u)" if from_zero else _WRITE_PLACE,
        "locate": _LOCATE,
        "descend_arrays": _DESCEND if divided else "",
        "horner": "".join(_HORNER.format(power) for power in "edcba"),
        "write_horner": "".join(_WRITE_HORNER.format(power) for power in "edcba"),
        "exp": "exp(out, out)" if log else "",
    }
    return compiled(_SOURCE, {**number_parts("x", from_zero, divided), **parts}, _NAMES)
