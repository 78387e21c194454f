"""Which attributes does a class declare as its parameters?"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from stored.errors import OwnerError

__all__ = ["checked_string", "owner_method_caller", "parameter_names"]


def owner_method_caller(owner: type, *names: str) -> Callable[[Any], Any] | None:
    """A function that calls the first of these methods which a class has; None if it has none."""
    found = next((name for name in names if callable(getattr(owner, name, None))), None)
    return None if found is None else operator.methodcaller(found)


def checked_string(found: object, source: str) -> str:
    """A string that an owner's function returned; anything else is an `OwnerError` that names the function."""
    if not isinstance(found, str):
        raise OwnerError(f"{source} returned {found!r} of type {type(found).__name__}; it must return a str")
    return str.__str__(found)  # the characters, whatever __str__ of a subclass returns


def parameter_names(owner: type) -> tuple[str, ...] | None:
    """The attributes that are the parameters of a class's objects, None if it names none.

    All bases count: the names that `keyed_by` gave to any of them, and the compared fields of a frozen class.
    """
    keyed = [
        vars(base)["__stored_parameters__"] for base in owner.__mro__[::-1] if "__stored_parameters__" in vars(base)
    ]
    fields = _frozen_field_names(owner)
    if not keyed and fields is None:
        return None
    return tuple(dict.fromkeys([*(name for each in keyed for name in each.names), *(fields or ())]))


def _frozen_field_names(owner: type) -> tuple[str, ...] | None:
    """The compared fields of a frozen dataclass or frozen attrs class, None for any other class."""
    for base in owner.__mro__[:-1]:
        if "__dataclass_params__" in vars(base):
            return _dataclass_names(base)
        if "__attrs_attrs__" in vars(base):
            return _attrs_names(base)
        if not vars(base).keys().isdisjoint({"__init__", "__new__", "__setattr__"}):
            return None  # its objects may have state that is no field of the bases
    return None


def _dataclass_names(owner: Any) -> tuple[str, ...] | None:
    from dataclasses import fields

    return tuple(each.name for each in fields(owner) if each.compare) if owner.__dataclass_params__.frozen else None


def _attrs_names(owner: Any) -> tuple[str, ...] | None:
    frozen = owner.__setattr__.__name__ == "_frozen_setattrs"
    return tuple(attribute.name for attribute in owner.__attrs_attrs__ if attribute.eq) if frozen else None
