"""Units and quantities of astropy, and its physical constants."""

from __future__ import annotations

from typing import Any

import astropy.units as units
from astropy.constants import Constant

from stored._adapters.quantities import quantity_adapter, quantity_key
from stored._adapters.registry import Adapter, add
from stored._adapters.unit_forms import UNIT_KINDS, unit_form, unit_of_form, unit_text


def _constant_parts(value: Any) -> Any:
    told = value.abbrev, value.name, value.uncertainty, value.reference, value.system
    return *quantity_key(value)[:2], *told


add(
    *[Adapter(each, "astropy.units.Unit", key=unit_text, encode=unit_form, decode=unit_of_form) for each in UNIT_KINDS],
    quantity_adapter(units.Quantity, "astropy.units.Quantity"),
    *[
        quantity_adapter(each, f"astropy.units.{each.__name__}", is_checked=True)
        for each in (units.Magnitude, units.Dex, units.Decibel)
    ],
    Adapter(Constant, "astropy.constants.Constant", subclasses=True, key=_constant_parts),
)
