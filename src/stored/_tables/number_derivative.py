"""Generated code for the derivative of a curve at one number."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from stored._tables.axis import Axis
from stored._tables.code_template import made_by
from stored._tables.piece_rows import PieceRows
from stored._tables.polynomial_code import COEFFICIENTS, derivative_code
from stored._tables.real_numbers import number_reader, reading_code
from stored._tables.units import derived_unit, with_unit

__all__ = ["number_derivative"]

_SOURCE = """
def make(read, result, low, high, forward, start, per_unit, starts, rows):
    def derivative(x):
        {read}
        if low <= x <= high:
            try:
                v = ({coordinate} - start) * per_unit
                {coefficients}, scale, offset, width = rows[bisect(starts, v)]
                u = v * scale - offset
                {statements}
            except ArithmeticError:  # where arrays have infinities
                return None
            return {result}
    return derivative
"""

_WIDTHS = ("", "width", "(width * width)", "width ** 3")

_COMPOSITE = ("", "d1 * t1", "d2 * (t1 * t1) + d1 * t2", "d3 * (t1 * t1 * t1) + 3.0 * d2 * t1 * t2 + d1 * t3")
"""`composite_derivative`, written out."""

_EXPONENTIAL = ("", "g1 * e", "g1 * e1 + g2 * e", "g1 * e2 + 2.0 * g2 * e1 + g3 * e")
"""`exponential_derivative`, written out."""


def number_derivative(rows: PieceRows, axis: Axis, log: bool, unit: Any, nu: int) -> Callable[[Any], Any]:
    """A function of one number, or quantity, which returns None for what it does not take.

    Parameters
    ----------
    rows : PieceRows
        The pieces of the curve, or of its logarithm.
    axis : Axis
        The axis, whose spacing has a name.
    log : bool
        Are the pieces the logarithm of the curve?
    unit : Unit or None
        The unit of the curve.
    nu : int
        The order of the derivative.
    """
    unit_of_result = derived_unit(unit, (axis.unit, -nu))
    make = made_by(
        _SOURCE.format(
            read=reading_code("x", axis.unit),
            coordinate="x" if axis.spacing == "linear" else "forward(x)",
            coefficients=", ".join(COEFFICIENTS),
            statements=f"\n{' ' * 16}".join(_statements(str(axis.spacing), log, nu)),
            result="value" if unit_of_result is None else "result(value)",
        ),
        bisect=bisect_right,
        exp=math.exp,
    )
    ends = float(axis.low), float(axis.high), axis.scalar_forward(), rows.low, rows.per_unit
    read = number_reader(axis.name, axis.unit)
    found: Callable[[Any], Any] = make(
        read, lambda value: with_unit(value, unit_of_result), *ends, rows.starts, rows.rows
    )
    return found


def _statements(spacing: str, log: bool, nu: int) -> list[str]:
    """What computes `value`."""
    orders = range(1, nu + 1)
    needed = orders if log or spacing != "linear" else [nu]
    lines = [f"d{order} = {derivative_code(order)} / {_WIDTHS[order]}" for order in needed]
    if spacing == "linear":
        composite = [f"d{order}" for order in range(nu + 1)]
    else:
        lines.append(f"base = {'x' if spacing == 'log' else '1.0 + x'}")
        powers = ("1.0 / base", "-1.0 / (base * base)", "2.0 / (base * base * base)")
        lines += [f"t{order} = {powers[order - 1]}" for order in orders]
        composite = list(_COMPOSITE)
    if not log:
        return [*lines, f"value = {composite[nu]}"]
    lines.append(f"e = exp({derivative_code(0)})")
    for order in orders:
        lines += [f"g{order} = {composite[order]}", f"e{order} = {_EXPONENTIAL[order]}"]
    return [*lines, f"value = e{nu}"]
