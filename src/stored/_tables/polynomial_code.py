"""The text of generated code that computes with the polynomial of one piece, in plain Python floats."""

from __future__ import annotations

import functools
import math

from stored._tables.pieces import DEGREE

__all__ = ["COEFFICIENTS", "derivative_code", "horner", "mean_code", "residual_code"]

COEFFICIENTS = [f"c{power}" for power in range(DEGREE + 1)]
"""The names of the coefficients of u**0, u**1, ..."""


def horner(terms: list[str], variable: str) -> str:
    """A polynomial, from its coefficients of increasing powers."""
    return functools.reduce(lambda inner, term: f"({inner} * {variable} + {term})", reversed(terms))


def derivative_code(order: int) -> str:
    """A derivative to u, with the products in the order in which `numpy.polynomial` takes them."""
    terms = [
        " * ".join([COEFFICIENTS[power], *(f"{float(power - step)}" for step in range(order))])
        for power in range(order, DEGREE + 1)
    ]
    return horner([f"({term})" for term in terms] if order else terms, "u")


def residual_code(indent: int) -> str:
    """Statements that set `residual`, the value at u less `target`, and `slope`, the derivative there."""
    lines = [f"residual = c{DEGREE} * u + c{DEGREE - 1}", f"slope = c{DEGREE} * u + residual"]
    for power in range(DEGREE - 2, 0, -1):
        lines += [f"residual = residual * u + c{power}", "slope = slope * u + residual"]
    lines += ["residual = residual * u + c0 - target"]
    return f"\n{' ' * indent}".join(lines)


def mean_code() -> str:
    """The mean over a range of u, by its `middle` and the square of its half width, `square`.

    Of the Taylor series about the middle, the even terms are left. The mean of a short range is as accurate as that
    of a long one, which a difference of antiderivatives is not.
    """
    series = []
    for even in range(0, DEGREE + 1, 2):
        factors = [math.comb(power, even) / (even + 1) for power in range(even, DEGREE + 1)]
        terms = [f"({factor!r} * c{power})" for power, factor in enumerate(factors, even)]
        series.append(horner(terms if even else COEFFICIENTS, "middle"))
    return horner(series, "square")
