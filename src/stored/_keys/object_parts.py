"""Of what does an object consist that may be the same as before? Members of enumerations, and frozen objects."""

from __future__ import annotations

import enum
from typing import Any

from stored._keys.attributes import attributes_of, compiled_base, instance_dict
from stored._keys.change_key import Same, add_parts_of_objects
from stored._keys.class_fields import frozen_fields
from stored._keys.class_watch import class_watch, may_tell_more
from stored._keys.described_values import described_values
from stored._keys.immutable_values import is_immutable
from stored._keys.known_of_class import known_of_class

__all__ = ["is_plain_member", "parts_of_object"]

_OF_MEMBERS = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_", "_hashable_values_"})


def parts_of_object(value: Any, kind: Any) -> list[Any] | None:
    """What tells of the code of the class of an object, and what it consists of.

    None for an object that is no member of an enumeration, named tuple, or frozen object with nothing but its fields.
    """
    if issubclass(kind, enum.Enum):
        others = [pair for pair in instance_dict(value).items() if pair[0] not in _OF_MEMBERS]
        return [_code_of(kind), Same(value), value._name_, value._value_, *others]
    parts = _items_or_fields(value, kind)
    if parts is None:
        return None
    watch = class_watch(kind)
    code = None if watch is None else Same(watch.state)
    if may_tell_more(kind) if watch is None else watch.may_tell_more:
        return [code, *parts, tuple(described_values(value) or ())]
    return [code, *parts]


def _items_or_fields(value: Any, kind: Any) -> list[Any] | None:
    if issubclass(kind, tuple) and type(getattr(kind, "_fields", None)) is tuple and kind.__iter__ is tuple.__iter__:
        return [*value] if not instance_dict(value) else None
    names: frozenset[str] | None = known_of_class(kind, "frozen fields", lambda: _frozen_names(kind))
    if names is None:
        return None
    found = attributes_of(value)
    return [each for pair in sorted(found) for each in pair] if names == {name for name, _ in found} else None


def is_plain_member(value: enum.Enum) -> bool:
    """Has a member of an enumeration a value that cannot change, and nothing else?"""
    return vars(value).keys() <= _OF_MEMBERS and is_immutable(value._value_)


def _frozen_names(kind: type) -> frozenset[str] | None:
    fields = frozen_fields(kind)
    # else its objects have in them what no attribute tells, as a float its number
    return None if fields is None or compiled_base(kind) is not object else frozenset([each.name for each in fields])


def _code_of(kind: type) -> Same | None:
    watch = class_watch(kind)
    return None if watch is None else Same(watch.state)


add_parts_of_objects(parts_of_object, _code_of)
