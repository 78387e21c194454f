"""What does an owner tell, where it stands in a key as a value?"""

from __future__ import annotations

from types import MethodType
from typing import Any

from stored._keys.class_fields import fields_that_may_be_unset
from stored._keys.parameter_names import (
    STRING_METHODS,
    checked_string,
    converters,
    declares_whole,
    is_keyed,
    parameter_names,
    parameter_value,
)
from stored._keys.unchanged import USER_ATTRIBUTES
from stored._keys.unstable_values import UnsetParameterError

__all__ = ["described_values", "may_read_more"]


def described_values(value: Any) -> list[tuple[str, object]] | None:
    """All that an owner tells, with the names under which it does; None for an object that is no owner.

    What the `StorageUser` tells that it holds: module, name and hashable string; its own hashable string and name; and
    the parameters that its class names by `keyed_by`. A frozen dataclass tells no less than all its attributes.
    """
    kind = type(value)
    described = [*_described_by_user(value), *_described_by_methods(value)]
    if is_keyed(kind):
        described += _described_by_keyed_by(value)
    return described or None


def _described_by_keyed_by(value: Any) -> list[tuple[str, object]]:
    kind = type(value)
    convert, unset = converters(kind), fields_that_may_be_unset(kind)
    names = [name for name in parameter_names(kind) or () if name not in unset or hasattr(value, name)]
    try:
        return [(name, parameter_value(value, name, convert)) for name in names]
    except AttributeError as error:
        raise UnsetParameterError(value, error) from None


def may_read_more(value: object) -> bool:
    """May methods of an owner read more than it tells? Not if it has a string of its own, or says ``only=True``."""
    kind = type(value)
    return (
        is_keyed(kind) and not declares_whole(kind) and not (_described_by_user(value) or _described_by_methods(value))
    )


def _described_by_user(value: Any) -> list[tuple[str, object]]:
    for name in USER_ATTRIBUTES:
        try:
            user: Any = object.__getattribute__(value, name)
            describes_class = user.describes_class  # by what it can do: the engine that makes it is not known here
        except AttributeError:
            continue
        if not describes_class(type(value)):  # else it was made for the owner, and asks it
            source = f"{type(value).__qualname__}.{name}"
            strings = (user.module, _called(user.func_name, value), _called(user.func_hashstring, value))
            return [(name, tuple([checked_string(each, source) for each in strings]))]
    return []


def _called(function: Any, owner: object) -> Any:
    """What a function of a `StorageUser` returns; a method of the object from which the owner was copied, on that."""
    if isinstance(function, MethodType) and type(function.__self__) is type(owner):
        return function.__func__(owner)
    return function()


def _described_by_methods(value: Any) -> list[tuple[str, object]]:
    kind = type(value)
    method = next((name for name in STRING_METHODS if callable(getattr(kind, name, None))), None)
    if method is None:
        return []
    described = [
        ("getHashableString", checked_string(getattr(value, method)(), f"{kind.__qualname__}.getHashableString()"))
    ]
    if callable(getattr(kind, "getName", None)):
        described.append(("getName", checked_string(value.getName(), f"{kind.__qualname__}.getName()")))
    return list(described)
