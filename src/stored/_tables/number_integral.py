"""Generated code for the integral of a curve between two numbers."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from stored._tables.antiderivative import Antiderivative
from stored._tables.axis import Axis
from stored._tables.code_template import made_by
from stored._tables.piece_rows import PieceRows, python_rows
from stored._tables.polynomial_code import COEFFICIENTS, derivative_code, mean_code
from stored._tables.real_numbers import number_reader, reading_code
from stored._tables.units import derived_unit, with_unit

__all__ = ["number_integral"]

_SOURCE = """
def make(read, result, low, high, forward, start, per_unit, starts, rows, sums, corrections, least, steps, pairs):
    def mean(row, middle, half):
        {coefficients}, scale, offset, width = row
        {mean}

    def integral(a, b):
        {read_a}
        {read_b}
        if low <= a <= high and low <= b <= high:
            try:
                {coordinates}
                backwards = a > b
                if backwards:
                    a, b = b, a
                v = (a - start) * per_unit
                first = bisect(starts, v)
                row = rows[first]
                u = v * row[{scale}] - row[{offset}]
                v = (b - start) * per_unit
                last = bisect(starts, v)
                last_row = rows[last]
                end = v * last_row[{scale}] - last_row[{offset}]
                {parts}
                if first == last:
                    value = (b - a) * mean(row, 0.5 * (u + end), 0.5 * (end - u))
                else:
                    first += 1
                    between = 0.0
                    if first < last:
                        between = sums[last] - sums[first] + (corrections[last] - corrections[first])
                        if not (between > least[last] or -between > least[last]):
                            return None
                    value = (
                        (edge - u) * row[{width}] * mean(row, 0.5 * (u + edge), 0.5 * (edge - u))
                        + between
                        + {after} * last_row[{width}] * mean(last_row, 0.5 * {until}, 0.5 * {after})
                    )
            except ArithmeticError:  # where arrays have infinities
                return None
            if backwards:
                value = -value
            return {result}
    return integral
"""

_PARTS = """
                part = min(max(trunc(u * steps), 0), steps - 1)
                first = first * steps + part
                edge = (part + 1) / steps
                part = min(max(trunc(end * steps), 0), steps - 1)
                last = last * steps + part
                begin = part / steps
"""

_QUADRATURE = """
        total = 0.0
        for node, weight in pairs:
            u = middle + half * node
            total += weight * {integrand}
        return 0.5 * total
"""


def number_integral(
    antiderivative: Antiderivative, rows: PieceRows, axis: Axis, log: bool, unit: Any
) -> Callable[[Any, Any], Any]:
    """A function of two numbers, or quantities, which returns None for what it does not take.

    Parameters
    ----------
    antiderivative : Antiderivative
        The integrals of the parts of pieces, and the quadrature in them.
    rows : PieceRows
        The pieces of the curve, or of its logarithm.
    axis : Axis
        The axis, whose spacing has a name.
    log : bool
        Are the pieces the logarithm of the curve?
    unit : Unit or None
        The unit of the curve.
    """
    unit_of_result = derived_unit(unit, (axis.unit, 1))
    divided = antiderivative.steps > 1
    make = made_by(
        _SOURCE.format(
            coefficients=", ".join(COEFFICIENTS),
            scale=len(COEFFICIENTS),
            offset=len(COEFFICIENTS) + 1,
            width=len(COEFFICIENTS) + 2,
            mean=_mean(antiderivative, axis, log),
            read_a=reading_code("a", axis.unit),
            read_b=reading_code("b", axis.unit),
            coordinates="pass" if axis.spacing == "linear" else "a, b = forward(a), forward(b)",
            parts=_PARTS.strip() if divided else "edge = 1.0",
            until="(begin + end)" if divided else "end",
            after="(end - begin)" if divided else "end",
            result="value" if unit_of_result is None else "result(value)",
        ),
        bisect=bisect_right,
        exp=math.exp,
        trunc=math.trunc,
    )
    ends = float(axis.low), float(axis.high), axis.scalar_forward(), rows.low, rows.per_unit
    pairs = list(zip(antiderivative.nodes.tolist(), antiderivative.weights.tolist(), strict=True))
    found: Callable[[Any, Any], Any] = make(
        number_reader(f"limit of {axis.name}", axis.unit),
        lambda value: with_unit(value, unit_of_result),
        *ends,
        rows.starts,
        rows.rows,
        python_rows(antiderivative.sums),
        python_rows(antiderivative.corrections),
        python_rows(antiderivative.least),
        antiderivative.steps,
        pairs,
    )
    return found


def _mean(antiderivative: Antiderivative, axis: Axis, log: bool) -> str:
    """What returns the mean of the curve, times the slope of the argument, over a part of a piece."""
    if antiderivative.is_exact:
        return f"square = half * half\n        return {mean_code()}"
    value = f"exp({derivative_code(0)})" if log else derivative_code(0)
    slope = "" if axis.spacing == "linear" else " * exp(start + (offset + u) * width)"
    return _QUADRATURE.format(integrand=value + slope).strip()
