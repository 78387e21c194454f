"""How do quantities of astropy become numbers along an axis, and numbers quantities again?

Nothing of astropy is imported here: who has a quantity has imported it.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "check_axis_unit",
    "derived_unit",
    "is_quantity",
    "is_unit",
    "limit_in_unit",
    "named_unit",
    "number_in_unit",
    "quantity_class",
    "quick_with_units",
    "with_unit",
]


def quantity_class() -> Any:
    """The class of quantities; None if astropy's units are not imported."""
    return getattr(sys.modules.get("astropy.units"), "Quantity", None)


def is_quantity(value: object) -> bool:
    """Is it a quantity of astropy?"""
    kind = quantity_class()
    return kind is not None and isinstance(value, kind)


def is_unit(value: object) -> bool:
    """Is it a unit that values of a table can have, or None?"""
    units = sys.modules.get("astropy.units")
    return value is None or (units is not None and isinstance(value, (units.UnitBase, units.FunctionUnitBase)))


def with_unit(numbers: Any, unit: Any) -> Any:
    """Numbers as a quantity, or as they are if the unit is None."""
    return numbers if unit is None else quantity_class()(numbers, unit, copy=None, subok=True)


def number_in_unit(what: str, value: Any, unit: Any) -> Any:
    """The numbers of a quantity in a unit.

    Parameters
    ----------
    what : str
        What messages call it.
    value : Quantity
        The quantity.
    unit : Unit
        The unit.

    Raises
    ------
    TypeError
        If it has a mask, or a logarithmic unit where none is expected.
    astropy.units.UnitTypeError
        If its unit does not fit, which is a `TypeError` too. Equivalencies are never applied.
    """
    units = sys.modules["astropy.units"]
    if hasattr(value, "unmasked"):
        raise TypeError(f"{what} is a {type(value).__name__}; give it without a mask: .filled(np.nan)")
    if isinstance(unit, units.UnitBase) and not isinstance(value.unit, units.UnitBase):
        raise TypeError(f"{what} is {value}, in {value.unit}, and must be in {unit}; give its .physical")
    try:
        return value.to_value(unit, None)
    except units.UnitsError:
        raise units.UnitTypeError(
            f"{what} is {value!s:.200}, which has the unit {named_unit(value.unit)}; it must be in {named_unit(unit)},"
            " or a unit that can be converted to it"
        ) from None


def named_unit(unit: Any) -> str:
    """A unit in a message."""
    return str(unit) or "1 (dimensionless)"


def check_axis_unit(name: str, unit: Any) -> None:
    """Refuse a unit that an axis cannot have.

    Raises
    ------
    ValueError
        If it is not a product of astropy's units.
    """
    kind = getattr(sys.modules.get("astropy.units"), "UnitBase", None)
    if kind is not None and isinstance(unit, kind):
        _check_scale(unit)
        return
    if hasattr(unit, "physical_unit"):
        raise ValueError(
            f"axis {name!r} has the logarithmic unit {unit}; give its limits in {unit.physical_unit}, with"
            " spacing='log'"
        )
    raise ValueError(f"unit of axis {name!r} is {unit!r}; it must be a unit of astropy, such as u.kpc")


def _check_scale(unit: Any) -> None:
    try:
        scale = unit.decompose().scale
    except (OverflowError, sys.modules["astropy.units"].UnitScaleError):
        scale = math.inf
    if isinstance(scale, complex):
        raise ValueError(f"{unit} has a complex scale")
    if not 0.0 < abs(scale) < math.inf:  # that of a magnitude is negative
        raise ValueError(f"{unit} is too large or too small for floats")


def limit_in_unit(name: str, limit: Any, unit: Any) -> Any:
    """A limit of an axis as a number in the unit of the axis; a number is taken to be one."""
    if not is_quantity(limit):
        return limit
    found = np.asarray(number_in_unit(f"limit of axis {name!r}", limit, unit))
    return found.item() if found.ndim == 0 else found


def derived_unit(unit: Any, *powers: tuple[Any, int]) -> Any:
    """The unit of a derivative or an integral.

    Parameters
    ----------
    unit : Unit or None
        That of the values; of a logarithmic one, its function's counts: a difference of magnitudes is in mag.
    *powers : tuple of (Unit or None, int)
        The units of the axes, with the powers by which they are multiplied.
    """
    factors = [each**power for each, power in powers if each is not None]
    if unit is not None:
        factors.insert(0, getattr(unit, "function_unit", unit))
    return functools.reduce(operator.mul, factors) if factors else None


def quick_with_units(evaluate: Callable[[Any], Any], name: str, argument_unit: Any, unit: Any) -> Callable[[Any], Any]:
    """A function of numbers and arrays as one of quantities, or with quantities as its results.

    Parameters
    ----------
    evaluate : callable
        The function, which returns None where it cannot be evaluated.
    name : str
        The argument.
    argument_unit, unit : Unit or None
        The units of the argument and of the result.
    """
    quantity = quantity_class()

    def evaluate_with_units(x: Any) -> Any:
        if argument_unit is not None:
            if type(x) is not quantity:
                return None
            try:
                x = number_in_unit(name, x, argument_unit)
            except TypeError:
                return None
        value = evaluate(x)
        return None if value is None else with_unit(value, unit)

    return evaluate_with_units
