"""Generated code that evaluates a table (polynomials of several coordinates on equal rectangles) at plain numbers."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

from stored._tables.code_template import made_by

__all__ = ["SurfaceFunction", "nothing", "surface_factory"]

SurfaceFunction: TypeAlias = Callable[..., Any]
"""A function of one number for each axis, which returns None where it cannot be evaluated."""

_MAKE = """
def make(numbers, other, rows, scale, {parameters}):
    def evaluate({arguments}):
        try:
            {convert}
        except OverflowError:
            return None
        if {is_inside}:
            {locate}
            {names} = {row}
            return {value}
        return None

    def evaluate_several({sequences}):
        values = []
        append = values.append
        for {arguments} in zip({sequences}):
            if not ({is_inside}):
                return None
            {locate}
            {names} = {row}
            append({value})
        return values

    return evaluate, evaluate_several
"""

_CONVERT = """
            if type(x{k}) is not float:
                if type(x{k}) not in numbers:
                    return other({arguments})
                x{k} = float(x{k})
"""

_LOCATE = """
            u{k} = ({coordinate} - start{k}) * per_unit{k}
            i{k} = trunc(u{k}) if u{k} < number{k} else last{k}
            u{k} -= i{k}
"""

_PARAMETERS = "low{k}, high{k}, forward{k}, start{k}, per_unit{k}, number{k}, last{k}"


def nothing(*_: Any) -> None:
    """The function that evaluates nothing."""


@functools.cache
def surface_factory(
    sizes: tuple[int, ...], nu: tuple[int, ...], has_forward: tuple[bool, ...], on_demand: bool, log: bool
) -> Any:
    """Compile the function that makes evaluators for one kind of table, without tests for other kinds.

    Parameters
    ----------
    sizes : tuple of int
        For each axis, how many coefficients a polynomial has.
    nu : tuple of int
        For each axis the order of the derivative to the coordinate, less than its size; 0 for none.
    has_forward : tuple of bool
        For each axis, must the argument be transformed to the coordinate?
    on_demand : bool
        Are the coefficients an array, of which those of a rectangle are converted when they are needed? Otherwise they
        are floats in nested lists.
    log : bool
        Are the polynomials the logarithm of the function?
    """
    axes = range(len(sizes))
    value = _polynomial("c", sizes, nu) + (" * scale" if any(nu) else "")
    cell = [f"i{k}" for k in axes]
    arguments = ", ".join(f"x{k}" for k in axes)
    source = _MAKE.format(
        parameters=", ".join(_PARAMETERS.format(k=k) for k in axes),
        arguments=arguments,
        sequences=", ".join(f"points{k}" for k in axes),
        convert="".join(_CONVERT.format(k=k, arguments=arguments) for k in axes).strip(),
        is_inside=" and ".join(f"low{k} <= x{k} <= high{k}" for k in axes),
        locate="".join(
            _LOCATE.format(k=k, coordinate=f"forward{k}(x{k})" if transformed else f"x{k}")
            for k, transformed in enumerate(has_forward)
        ).strip(),
        names=", ".join("c" + "_".join(map(str, each)) for each in itertools.product(*map(range, sizes))) + ",",
        row=f"rows[{', '.join(cell)}].ravel().tolist()" if on_demand else f"rows[{']['.join(cell)}]",
        value=f"exp({value})" if log else value,
    )
    return made_by(source, trunc=math.trunc, exp=math.exp)


def _polynomial(name: str, sizes: tuple[int, ...], nu: tuple[int, ...], axis: int = 0) -> str:
    """A derivative of a polynomial by Horner's method, that in the last coordinate first."""
    if axis == len(sizes):
        return name
    separator = "_" if axis else ""
    value = ""
    for power in reversed(range(nu[axis], sizes[axis])):
        term = _polynomial(f"{name}{separator}{power}", sizes, nu, axis + 1)
        factor = math.perm(power, nu[axis])
        term = f"{term} * {float(factor)}" if factor > 1 else term
        value = f"({value} * u{axis} + {term})" if value else f"({term})"
    return value
