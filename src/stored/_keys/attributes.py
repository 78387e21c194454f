"""Which attributes of an object count, where it stands in a key, and has the object a state beside them?"""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Iterator
from typing import Any

from stored._keys.class_functions import find_on_class
from stored._keys.unstable_values import UnstableValueError
from stored.typing import ABSENT

__all__ = [
    "attributes_of",
    "checked_names",
    "compiled_base",
    "counted_attributes",
    "gives_what_it_contains",
    "has_fields",
    "instance_dict",
    "is_filled",
    "own_value",
    "own_values",
]


def counted_attributes(value: Any, with_filled: bool = False) -> list[tuple[str, object]]:
    """The attributes by which an object of a class is told from others, sorted by name.

    All slots and what stands in ``__dict__``, but for what a `cached_property` has put there, which follows from the
    rest, unless `with_filled`; and fields of a dataclass or attrs class for which the class has the value.
    """
    kind = type(value)
    found = attributes_of(value)
    set_here = {name for name, _ in found}
    for name in _field_names(kind):
        each = ABSENT if name in set_here else getattr(value, name, ABSENT)
        found += [] if each is ABSENT else [(name, each)]
    return sorted([pair for pair in found if with_filled or not is_filled(kind, pair[0])], key=lambda pair: pair[0])


def attributes_of(value: Any) -> list[tuple[str, object]]:
    """All slots that have a value, and what stands in ``__dict__``."""
    return [*_slots(value), *checked_names(instance_dict(value)).items()]


def has_fields(kind: type) -> bool:
    """Is it a dataclass or an attrs class?"""
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__attrs_attrs__")


def _field_names(kind: Any) -> list[str]:
    declared = getattr(kind, "__dataclass_fields__", {}).values()
    names = [each.name for each in declared if each._field_type.name == "_FIELD"]
    return [*names, *(each.name for each in getattr(kind, "__attrs_attrs__", ()))]


def checked_names(attributes: dict[str, object]) -> dict[str, object]:
    """What stands in a ``__dict__``; names that are no strings, by which no attribute is found, are refused."""
    for name in attributes:
        if type(name) is not str:
            raise UnstableValueError(name).inside(f".__dict__ key {name!r}")
    return attributes


_slots_of_classes: weakref.WeakKeyDictionary[type, list[tuple[str, Any]]] = weakref.WeakKeyDictionary()


def _slots(value: Any) -> Iterator[tuple[str, object]]:
    """The slots that have a value; read past what the class may have put in their place."""
    kind = type(value)
    found = _slots_of_classes.get(kind)
    if found is None:
        found = _slots_of_classes[kind] = list(_find_slots(kind))
    for name, slot in found:
        try:
            each = slot.__get__(value)
        except AttributeError:
            continue
        # what an exception of Python's has no value for is None, and newer versions have more of it
        if each is not None or slot.__objclass__.__flags__ & _HEAP_TYPE:
            yield name, each


def _find_slots(kind: type) -> Iterator[tuple[str, Any]]:
    known: set[str] = set()
    for number, base in enumerate(kind.__mro__[:-1]):
        if base.__module__.partition(".")[0] == "pathlib":  # whose slots are memos of the text of the path
            continue
        own = dict(vars(base))
        for name in _declared_slots(base):
            if name not in own and base.__dictoffset__:  # declared after the class was made, as picklers do by value
                continue
            if not isinstance(own.get(name), types.MemberDescriptorType):  # it has a value that cannot be read
                raise UnstableValueError(own.get(name)).inside(f".{name}, in place of the slot of that name,")
        for name, slot in own.items():
            if isinstance(slot, types.MemberDescriptorType):
                yield (f"{name} of base {number}" if name in known else name), slot
                known.add(name)


def _declared_slots(base: type) -> Iterator[str]:
    names = vars(base).get("__slots__", ())
    for name in [names] if isinstance(names, str) else names:
        if name.startswith("__") and not name.endswith("__"):
            yield f"_{base.__name__.lstrip('_')}{name}"
        elif name not in {"__dict__", "__weakref__"}:
            yield name


def instance_dict(value: Any) -> dict[str, object]:
    """What stands in ``__dict__``, as a copy; empty if there is none."""
    return dict(_own(value))


def own_value(value: Any, name: str) -> object:
    """What stands in ``__dict__`` under a name; `ABSENT` if nothing does."""
    return _own(value).get(name, ABSENT)


def _own(value: Any) -> dict[str, object]:
    try:
        found: dict[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:  # objects of the class have slots only
        return {}
    return found


def own_values(value: Any, names: frozenset[str]) -> list[tuple[str, object]]:
    """What stands in ``__dict__`` under some names, sorted by name."""
    own = instance_dict(value) if names else {}
    return [] if names.isdisjoint(own) else [(name, own[name]) for name in sorted(names & own.keys())]


def is_filled(kind: type, name: str) -> bool:
    """Is an attribute one that a `cached_property` fills?"""
    return isinstance(find_on_class(kind, name).value, functools.cached_property)


def gives_what_it_contains(kind: type, name: str) -> bool:
    """Does an object that contains an attribute give that, and nothing if it does not contain it?

    Not if the class has a property, or a value, of that name.
    """
    found = find_on_class(kind, name).value
    is_plain = found is ABSENT or isinstance(found, types.MemberDescriptorType)
    is_as_usual = find_on_class(kind, "__getattribute__").value is object.__getattribute__
    return is_plain and is_as_usual and find_on_class(kind, "__getattr__").value is ABSENT


_HEAP_TYPE = 1 << 9


def compiled_base(kind: type) -> type:
    """The first compiled class among a class and its bases: its objects can have a state that is in no attribute.

    As `copyreg` finds out whether a class can be pickled by its attributes; then it is ``object``.
    """
    return next(filter(_is_compiled, kind.__mro__))


def _is_compiled(kind: type) -> bool:
    return not kind.__flags__ & _HEAP_TYPE or getattr(kind.__new__, "__self__", None) is kind
