"""Which text, and which plain form, stand for a unit of astropy?

Units that compare equal, as ``km`` and ``1000 m``, are different values: a unit is told by its structure. The plain
form of one of astropy's own is its name, so that later versions read it; one that a user has derived of these is told
as a whole.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from typing import Any

import astropy.units as units

from stored._adapters.registry import BY_PICKLE

__all__ = ["UNIT_KINDS", "unit_form", "unit_of_form", "unit_text"]

_FUNCTION_UNITS = {each.__name__: each for each in (units.MagUnit, units.DexUnit, units.DecibelUnit)}

_DERIVED = {each.__name__: each for each in (units.Unit, units.PrefixUnit)}
"""The classes of units with a name that are made of others, and that a user can define."""

_NAMED_UNITS = (*_DERIVED.values(), units.IrreducibleUnit, type(units.mag), type(units.dex))
"""The classes of units with a name."""

_HOMES = {
    "": "astropy.units",
    "cds": "astropy.units.cds",
    "cgs": "astropy.units.cgs",
    "imperial": "astropy.units.imperial",
    "cosmology": "astropy.cosmology.units",
}
"""The modules in which units of astropy's own are looked up, by what stands for them in entries."""

_MOST_PARTS = 100
"""Names of a unit, and units of which one is made; those with more are pickled."""

_LARGEST_POWER = 2**53


class _MemoByIdentity:
    """Keeps what a function returns for an object as long as the object lives; equal objects do not share it.

    Parameters
    ----------
    function : callable
        The function.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._kept: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def __call__(self, value: Any) -> Any:
        number = id(value)
        found = self._kept.get(number)
        if found is not None and found[0]() is value:
            return found[1]
        kept = self._function(value)
        self._kept[number] = weakref.ref(value, lambda _: self._kept.pop(number, None)), kept
        return kept


@_MemoByIdentity
def _text_of(unit: Any) -> str:
    kind = type(unit)
    if kind is units.CompositeUnit:
        bases = [f"{unit_text(base)}**{power!r}" for base, power in zip(unit.bases, unit.powers, strict=True)]
        return f"product({unit.scale!r}, {', '.join(bases)})"
    if kind in _FUNCTION_UNITS.values():
        return f"{kind.__name__}({unit_text(unit.physical_unit)}, {unit_text(unit.function_unit)})"
    if kind is units.StructuredUnit:
        fields = [f"{name!r}: {unit_text(each)}" for name, each in zip(unit.keys(), unit.values(), strict=True)]
        return f"structure({', '.join(fields)})"
    names = f"{unit.short_names!r}, {unit.long_names!r}, {_formats_of(unit)!r}"
    if unit.represents is unit:
        return f"{kind.__name__}({names}, {_home_of(unit)!r})"
    return f"{kind.__name__}({names}, {unit_text(unit.represents)})"


def unit_text(unit: Any) -> str:
    """The text that stands for a unit in keys: all of its structure; of None, an empty one."""
    return "" if unit is None else str(_text_of(unit))


def _formats_of(unit: Any) -> list[tuple[str, str]]:
    """How a unit is written in formats in which that is not its name."""
    return sorted(unit._format.items())


@_MemoByIdentity
def _form_of(unit: Any) -> Any:
    try:
        form = _form(unit)
        return form if unit_text(unit_of_form(form)) == unit_text(unit) else BY_PICKLE
    except (TypeError, ValueError, units.UnitsError, RecursionError):
        return BY_PICKLE


def unit_form(unit: Any) -> Any:
    """A unit as plain values, of which `unit_of_form` makes the same; `BY_PICKLE` if there are none."""
    return _form_of(unit)


def _form(unit: Any) -> Any:
    kind = type(unit)
    if kind is units.CompositeUnit:
        parts = [(_form(base), _power_form(power)) for base, power in zip(unit.bases, unit.powers, strict=True)]
        return ("product", _power_form(unit.scale), *itertools.chain.from_iterable(parts))
    if kind in _FUNCTION_UNITS.values():
        return ("function", kind.__name__, _form(unit.physical_unit), _form(unit.function_unit))
    if kind is units.StructuredUnit:
        fields = zip(unit.keys(), map(_form, unit.values()), strict=True)
        return ("structure", *itertools.chain.from_iterable(fields))
    if kind is units.UnrecognizedUnit:
        return ("unrecognized", unit.name)
    home = _home_of(unit)
    if home is not None:
        return ("known", home, unit.name)
    if _DERIVED.get(kind.__name__) is not kind:
        raise ValueError(f"{unit} is made of no others, and no unit of astropy's")
    formats = tuple(itertools.chain.from_iterable(_formats_of(unit)))
    names = (*unit.short_names,), (*unit.long_names,)
    return ("derived", kind.__name__, *names, formats, _form(unit.represents))


def _power_form(power: Any) -> Any:
    return (power.numerator, power.denominator) if isinstance(power, Fraction) else power


def _home_of(unit: Any) -> str | None:
    """Where astropy has a unit; None if it is none of its own. Those that are made of no others can have namesakes."""
    for home in _HOMES:
        known = _units_of(home).get(unit.name)
        if known is unit or (known is not None and known.represents is not known and _are_alike(known, unit)):
            return home
    return None


def _are_alike(known: Any, unit: Any) -> bool:
    return unit.represents is not unit and unit_text(known) == unit_text(unit)


@functools.cache
def _units_of(home: str) -> dict[str, Any]:
    """The units that a module of astropy's defines, by their names; units that users enable are not among them."""
    found = [each for each in vars(import_module(_HOMES[home])).values() if type(each) in _NAMED_UNITS]
    return {each.name: each for each in found}


def unit_of_form(form: Any) -> Any:
    """The unit that a plain form stands for.

    Raises
    ------
    Exception
        If there is none.
    """
    if type(form) is not tuple or not form or len(form) > 2 * _MOST_PARTS:
        raise ValueError("this is no form of a unit")
    return _MAKERS[form[0]](*form[1:])


def _known(home: str, name: str) -> Any:
    return _units_of(home)[name]


def _product(scale: Any, *parts: Any) -> Any:
    bases = [unit_of_form(each) for each in parts[::2]]
    if not all(type(each) in _BASES for each in bases):
        raise ValueError("a product of units has units with names")
    powers = [_power(each) for each in parts[1::2]]
    if len(bases) != len(powers):
        raise ValueError("each unit of a product has a power")
    return units.CompositeUnit(_power(scale), bases, powers)


_BASES = (*_NAMED_UNITS, units.UnrecognizedUnit)


def _power(found: Any) -> Any:
    """A power, or a scale."""
    if type(found) is tuple:
        numerator, denominator = map(_bounded, found)
        return Fraction(numerator, denominator)
    return found if type(found) in {float, complex} else _bounded(found)


def _bounded(number: Any) -> int:
    if type(number) is not int or abs(number) > _LARGEST_POWER:
        raise ValueError("this is no power of a unit")
    return number


def _function(name: str, physical_unit: Any, function_unit: Any) -> Any:
    return _FUNCTION_UNITS[name](unit_of_form(physical_unit), unit_of_form(function_unit))


def _structure(*fields: Any) -> Any:
    names = _texts(fields[::2])
    return units.StructuredUnit(tuple(map(unit_of_form, fields[1::2])), names)


def _unrecognized(name: Any) -> Any:
    return units.UnrecognizedUnit(*_texts((name,)))


def _derived(kind: str, short_names: Any, long_names: Any, formats: Any, represents: Any) -> Any:
    names = list(_texts(short_names)), list(_texts(long_names))
    pairs = iter(_texts(formats))
    return _DERIVED[kind](names, unit_of_form(represents), format=dict(zip(pairs, pairs, strict=True)))


def _texts(found: Any) -> tuple[str, ...]:
    if type(found) is not tuple or len(found) > _MOST_PARTS or not all(type(each) is str for each in found):
        raise ValueError("these are no names")
    return found


_MAKERS: dict[str, Callable[..., Any]] = {
    "known": _known,
    "product": _product,
    "function": _function,
    "structure": _structure,
    "unrecognized": _unrecognized,
    "derived": _derived,
}


UNIT_KINDS = (*_BASES, units.CompositeUnit, units.StructuredUnit, *_FUNCTION_UNITS.values())
"""The classes of units."""
