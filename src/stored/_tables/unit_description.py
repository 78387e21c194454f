"""Which plain data stand for a unit of astropy, and which unit do they stand for?

The description of a unit is a list: its scale, the names of its bases with their powers as fractions, and the same of
its decomposition into units that have no definition. So two units have one description only if they are equal, also
where a name has another meaning. A logarithmic unit is the name of its class, its physical unit, and its function's.
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import Any

__all__ = ["describe_unit", "rebuildable_description", "unit_from"]

_LOGARITHMIC = ("DecibelUnit", "DexUnit", "MagUnit")

_MOST_BASES = 32

_LARGEST_POWER, _LARGEST_TERM = 100, 2**64

_LONGEST_NAME = 100


def describe_unit(unit: Any) -> list[Any]:
    """The description of a unit that is not logarithmic, and may be of the user's own.

    Raises
    ------
    ValueError
        If it is no product of units, or has a scale that is no float.
    """
    import astropy.units

    if not isinstance(unit, astropy.units.UnitBase):
        raise ValueError(f"{unit} is neither a product of units nor a magnitude, a decibel or a dex")
    try:
        return [*_terms(unit), *_terms(unit.decompose())]
    except OverflowError:
        raise ValueError(f"{unit} is too large for floats") from None


def _terms(unit: Any) -> tuple[float, list[list[Any]]]:
    if isinstance(unit.scale, complex):
        raise ValueError(f"{unit} has a complex scale")
    powers = [Fraction(each) for each in unit.powers]
    bases = [[str(base.name), *each.as_integer_ratio()] for base, each in zip(unit.bases, powers, strict=True)]
    return float(unit.scale), bases


def rebuildable_description(unit: Any) -> list[Any]:
    """A description of a unit, of which every process can make an equal one.

    A unit of the user's own that is defined by others is described by its decomposition.

    Raises
    ------
    ValueError
        If there is none.
    """
    kind = type(unit).__name__
    if kind in _LOGARITHMIC:
        parts = (unit.physical_unit, unit.function_unit)
        return [kind, *(rebuildable_description(each) for each in parts)]
    described = describe_unit(unit)
    for each in (described, [*described[2:], *described[2:]]):
        if _stands_for(each, unit):
            return each
    raise ValueError(f"{unit} is a unit that astropy does not know")


def _stands_for(described: list[Any], unit: Any) -> bool:
    try:
        return bool(unit_from(described) == unit)
    except ValueError:
        return False


def unit_from(described: object) -> Any:
    """The unit that a description stands for. What it names is looked up among the units of astropy, and never run.

    Raises
    ------
    ValueError
        If it is no description, or describes no unit that is known here, or one that has another meaning here.
    """
    import astropy.units

    if not isinstance(described, list):
        raise ValueError("it is not a list")
    if len(described) == 3 and described[0] in _LOGARITHMIC:
        physical, function = map(_product_from, described[1:])
        try:
            return getattr(astropy.units, described[0])(physical, function)
        except (TypeError, ValueError) as error:  # the function's unit is no logarithmic one
            raise ValueError(str(error)) from None
    return _product_from(described)


def _product_from(described: object) -> Any:
    if not (isinstance(described, list) and len(described) == 4):
        raise ValueError("it has no scale, bases and decomposition")
    try:
        unit = _unit_of_terms(*described[:2])
        found = [*_terms(unit.decompose())]
    except (OverflowError, ZeroDivisionError, TypeError) as error:
        raise ValueError(f"its scale is no number ({error})") from None
    if found != described[2:]:
        raise ValueError(f"{unit} is another unit here")
    return unit


def _unit_of_terms(scale: object, bases: object) -> Any:
    import astropy.units

    if not (type(scale) is float and math.isfinite(scale) and scale > 0.0):
        raise ValueError("its scale is no positive number")
    if not (isinstance(bases, list) and len(bases) <= _MOST_BASES):
        raise ValueError("its bases are not a short list")
    pairs = [_base_and_power(each) for each in bases]
    if len(pairs) == 1 and scale == pairs[0][1] == 1:
        return pairs[0][0]
    return astropy.units.CompositeUnit(scale, [base for base, _ in pairs], [power for _, power in pairs])


def _base_and_power(described: object) -> tuple[Any, int | Fraction]:
    if not (isinstance(described, list) and len(described) == 3):
        raise ValueError("a base is not a name with its power")
    name, *ratio = described
    if not all(type(each) is int and abs(each) < _LARGEST_TERM for each in ratio) or ratio[1] < 1:
        raise ValueError("a power is no fraction")
    if abs(ratio[0]) > _LARGEST_POWER * ratio[1]:
        raise ValueError("a power is too large")
    return _known_unit(name), ratio[0] if ratio[1] == 1 else Fraction(*ratio)


def _known_unit(name: object) -> Any:
    """A unit by its name: one that is enabled, or one of a module of units."""
    from astropy import units
    from astropy.units import cds, imperial  # which are not imported with the rest

    if not (type(name) is str and len(name) <= _LONGEST_NAME):
        raise ValueError("the name of a base is no short text")
    modules = (units, imperial, cds, sys.modules.get("astropy.cosmology.units"))
    enabled = units.get_current_unit_registry().registry.get(name)
    for found in (enabled, *(vars(each).get(name) for each in modules if each is not None)):
        if isinstance(found, units.UnitBase):
            return found
    raise ValueError(f"astropy does not know the unit {name[:_LONGEST_NAME]!r}")
