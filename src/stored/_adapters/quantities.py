"""Which plain values stand for a quantity of astropy, and how is one copied?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from stored._adapters.added_attributes import rest_of
from stored._adapters.column_info import add_info, info_parts, with_info_of
from stored._adapters.exact_parts import items_of
from stored._adapters.own_dtypes import own_dtype
from stored._adapters.registry import BY_PICKLE, Adapter
from stored._adapters.unit_forms import unit_form, unit_of_form, unit_text

__all__ = ["decoded_content", "kept_quantity", "quantity_adapter", "quantity_for_caller", "quantity_key"]

_DOUBLE = np.dtype(float)

_UNIT = "_unit"
"""Where a quantity has its unit; its other attributes stand beside it."""

_TOLD = frozenset({_UNIT, "info"})


def quantity_key(value: Any) -> Any:
    """Numbers, unit, and what else the quantity has: a name and a description, as a column of a table, and so on."""
    content, unit = _content(value), unit_text(value.unit)
    if len(vars(value)) == 1:
        return content, unit
    return content, unit, info_parts(value), rest_of(value, _TOLD)


def _content(value: Any) -> Any:
    """A number, if the quantity is one in double precision; else an array."""
    if value.ndim == 0 and value.dtype == _DOUBLE:
        return np.ndarray.item(value)
    return value.view(np.ndarray)


def decoded_content(content: Any) -> Any:
    """The numbers of a quantity in an entry; a `ValueError` if they are none."""
    if type(content) not in {float, np.ndarray}:
        raise ValueError("these are no numbers")
    return content


def quantity_adapter(
    kind: Any,
    name: str,
    make: Callable[..., Any] | None = None,
    extras: tuple[str, ...] = (),
    is_checked: bool = False,
) -> Adapter:
    """What is known of a class of quantities.

    Parameters
    ----------
    kind : type
        The class.
    name : str
        Its name in entries.
    make : callable, optional
        Takes numbers, unit and extras, and returns a quantity; by default the class itself.
    extras : tuple of str
        The names of the attributes by which it is made beside numbers and unit.
    is_checked : bool
        Can its class change or refuse numbers?
    """
    make = make or _maker(kind)

    def encode(value: Any) -> Any:
        unit = BY_PICKLE if value.unit is None else unit_form(value.unit)
        if unit is BY_PICKLE or rest_of(value, {*_TOLD, *(f"_{each}" for each in extras)}):
            return BY_PICKLE
        form = (_content(value), unit, info_parts(value), *[getattr(value, each) for each in extras])
        return BY_PICKLE if is_checked and not _gives(decode, form, value) else form

    def decode(form: Any) -> Any:
        content, unit, info, *rest = items_of(form, 3 + len(extras))
        with np.errstate(all="ignore"):
            made = make(decoded_content(content), unit_of_form(unit), *rest)
        return add_info(made, info)

    return Adapter(
        kind,
        name,
        key=quantity_key,
        encode=encode,
        decode=decode,
        copy=kept_quantity,
        hand_out=quantity_for_caller,
        private=lambda value: _like(value, _own_numbers(value)),
    )


def _maker(kind: Any) -> Callable[[Any, Any], Any]:
    return lambda content, unit: kind(content, unit, dtype=None, copy=None)


def _gives(decode: Callable[[Any], Any], form: Any, value: Any) -> bool:
    """Are the numbers of what is made of a form those of a quantity?"""
    try:
        made = decode(form)
    except Exception:  # whatever its class raises
        return False
    numbers = made.view(np.ndarray), value.view(np.ndarray)
    return numbers[0].shape == numbers[1].shape and bool(numbers[0].tobytes() == numbers[1].tobytes())


def kept_quantity(value: Any) -> Any:
    """A copy of a quantity that nobody can write to."""
    own = _own_numbers(value)
    own.flags.writeable = False
    return _like(value, own)


def quantity_for_caller(kept: Any) -> Any:
    """A single quantity is copied; of an array the caller gets a view that is read-only, as of other arrays."""
    if kept.ndim == 0 or kept.dtype.hasobject:
        return kept.copy() if len(vars(kept)) == 1 and kept.dtype.isbuiltin else _like(kept, _own_numbers(kept))
    return _like(kept, kept.view(np.ndarray))


def _own_numbers(value: Any) -> Any:
    numbers = value.view(np.ndarray)
    return copy.deepcopy(numbers) if numbers.dtype.hasobject else np.array(numbers, order="K")


def _like(value: Any, numbers: Any) -> Any:
    """A quantity with the memory of these numbers, and all else of another."""
    numbers = numbers if numbers.dtype.names is None else numbers.view(own_dtype(numbers.dtype))
    made = numbers.view(type(value))
    vars(made).update(copy.deepcopy(rest_of(value, _TOLD)))
    vars(made)[_UNIT] = value.unit
    return with_info_of(value, made)
