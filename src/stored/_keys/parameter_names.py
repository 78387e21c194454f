"""Which attributes does a class declare as its parameters, and what are their values?"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from stored._adapters import adapter_of
from stored.errors import OwnerError, error_text

__all__ = [
    "STRING_METHODS",
    "Converter",
    "checked_string",
    "converters",
    "declares_whole",
    "fields_that_may_be_unset",
    "is_keyed",
    "owner_method_caller",
    "parameter_names",
    "parameter_value",
]

Converter: TypeAlias = Callable[[Any], Any]
"""Makes the value by which a parameter is keyed."""

STRING_METHODS = ("getHashableString", "_getHashableString")
"""The methods by which an owner tells a hashable string."""


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

    All bases count: the names that `keyed_by` gave to any of them, and the fields of a frozen class; if the latest of
    them says ``only=True``, those of that one alone.
    """
    keyed = _declared(owner)
    if declares_whole(owner):
        names: tuple[str, ...] = keyed[-1].names
        return names
    fields = _frozen_field_names(owner)
    if not keyed and fields is None:
        return None
    return tuple(dict.fromkeys([*(name for each in keyed for name in each.names), *(fields or ())]))


def is_keyed(owner: type) -> bool:
    """Has `keyed_by` named parameters of a class, or of one of its bases?"""
    return bool(_declared(owner))


def declares_whole(owner: type) -> bool:
    """Do exactly the declared names count, by ``only=True`` of `keyed_by`?"""
    keyed = _declared(owner)
    return bool(keyed) and not keyed[-1].joins_reads


def converters(owner: type) -> dict[str, Converter]:
    """The functions that make the values by which parameters of a class are keyed, where they are others."""
    return {name: function for each in _declared(owner) for name, function in each.convert.items()}


def _declared(owner: type) -> list[Any]:
    return [
        vars(base)["__stored_parameters__"] for base in owner.__mro__[::-1] if "__stored_parameters__" in vars(base)
    ]


def parameter_value(owner: object, name: str, convert: Mapping[str, Converter]) -> Any:
    """The value by which a parameter of an owner is keyed.

    Raises
    ------
    OwnerError
        Naming the parameter, if its value cannot be converted.
    """
    value = getattr(owner, name)
    function = convert.get(name)
    if function is None:
        return value
    try:
        return function(value)
    except Exception as error:  # whatever the user's function raises
        raise OwnerError(
            f"parameter {name!r} of {type(owner).__qualname__} is {value!r}, of which convert={{{name!r}: ...}} of"
            f" keyed_by makes no value: {error_text(error)}"
        ) from error


def _frozen_field_names(owner: type) -> tuple[str, ...] | None:
    """The fields of a frozen dataclass, a frozen attrs class or a registered type, None for any other class."""
    adapter = adapter_of(owner)
    if adapter is not None and adapter.fields is not None:
        return adapter.fields(owner)
    found = _frozen_fields(owner)
    return None if found is None else tuple([each.name for each in found])


def fields_that_may_be_unset(owner: type) -> set[str]:
    """The fields of a frozen class that its ``__init__`` does not set."""
    return {each.name for each in _frozen_fields(owner) or () if not each.init}


def _frozen_fields(owner: type) -> tuple[Any, ...] | None:
    for base in owner.__mro__[:-1]:
        if "__dataclass_params__" in vars(base):
            return _dataclass_fields(base)
        if "__attrs_attrs__" in vars(base):
            return _attrs_fields(base)
        if not vars(base).keys().isdisjoint({"__init__", "__new__", "__setattr__"}):
            return None  # its objects may have state that is no field of the bases
    return None


def _dataclass_fields(owner: Any) -> tuple[Any, ...] | None:
    from dataclasses import fields

    return fields(owner) if owner.__dataclass_params__.frozen else None


def _attrs_fields(owner: Any) -> tuple[Any, ...] | None:
    return tuple(owner.__attrs_attrs__) if owner.__setattr__.__name__ == "_frozen_setattrs" else None
