"""Which attributes of an object count, where it stands in a key, and has the object a state beside them?"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

from stored._keys.class_names import is_library_class
from stored.typing import ABSENT

__all__ = ["counted_attributes", "has_fields", "has_hidden_state"]


def counted_attributes(value: Any) -> list[tuple[str, object]]:
    """The attributes by which an object of a class is told from others, sorted by name.

    All fields of a dataclass or attrs class, whether they compare or not; all slots; and what stands in ``__dict__``,
    but for what a `cached_property` has put there, which follows from the rest.
    """
    kind = type(value)
    found = {name: getattr(value, name, ABSENT) for name in _field_names(kind)}
    found.update(_slots(value))
    found.update(_instance_dict(value))
    return sorted([(name, each) for name, each in found.items() if each is not ABSENT and not _is_filled(kind, name)])


def has_fields(kind: type) -> bool:
    """Is it a dataclass or an attrs class?"""
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__attrs_attrs__")


def _field_names(kind: Any) -> list[str]:
    declared = getattr(kind, "__dataclass_fields__", {}).values()
    names = [each.name for each in declared if each._field_type.name == "_FIELD"]
    return [*names, *(each.name for each in getattr(kind, "__attrs_attrs__", ()))]


def _slots(value: Any) -> Iterator[tuple[str, object]]:
    for base in reversed(type(value).__mro__):
        for name, slot in [] if is_library_class(base) else list(vars(base).items()):
            if isinstance(slot, types.MemberDescriptorType):
                yield name, getattr(value, name, ABSENT)


def _instance_dict(value: Any) -> dict[str, object]:
    try:
        found: dict[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return dict(found)


def _is_filled(kind: type, name: str) -> bool:
    """Is an attribute one that a `cached_property` fills?"""
    found = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
    return isinstance(found, functools.cached_property)


_HEAP_TYPE = 1 << 9


def has_hidden_state(kind: type) -> bool:
    """Can the objects of a class have a state that is in no attribute, since a base is compiled?

    As `copyreg` finds out whether a class can be pickled by its attributes.
    """
    return next(filter(_is_compiled, kind.__mro__)) is not object


def _is_compiled(kind: type) -> bool:
    return not kind.__flags__ & _HEAP_TYPE or getattr(kind.__new__, "__self__", None) is kind
