"""Does a result refer to the owner that it was computed for, or to what its code has by name?

Then no other object may get it, and nobody once the names are bound to others.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from stored._keys import ATOMIC_SET

__all__ = ["refers_to", "refers_to_values"]

_SHARED = (type, ModuleType)
"""What all objects refer to, and no result is about."""

_MOST_OBJECTS = 100_000
"""Objects that are looked at; what has more is taken to refer to anything."""


class _TooManyError(Exception):
    """There are more objects than are looked at."""


def refers_to(value: Any, owner: object) -> bool:
    """Does a value lead to an object, or to anything that can change and that the object itself refers to?"""
    return _leads_to(value, {id(owner), *(id(each) for each in _held_by(owner))})


def refers_to_values(value: Any, values: Iterable[Any]) -> bool:
    """Does a value lead to any of some others, or to anything in them, that can change?"""
    try:
        goals = {id(each) for each in _all_behind(values) if _can_change(each)}
    except _TooManyError:
        return True
    return bool(goals) and _leads_to(value, goals)


def _leads_to(value: Any, goals: set[int]) -> bool:
    try:
        return any(id(each) in goals for each in _all_behind([value]))
    except _TooManyError:
        return True


def _all_behind(values: Iterable[Any]) -> Iterator[Any]:
    """Values, and all that they lead to."""
    seen: set[int] = set()
    found = list(values)
    while found:
        each = found.pop()
        yield each
        if id(each) in seen or not _can_refer(each):
            continue
        if len(seen) >= _MOST_OBJECTS:
            raise _TooManyError
        seen.add(id(each))
        found.extend(_referents(each))


def _held_by(owner: object) -> list[Any]:
    """What an owner refers to and can change: the values of its attributes."""
    found = [each for each in gc.get_referents(owner) if not isinstance(each, _SHARED)]
    for each in list(found):
        if type(each) is dict:  # its __dict__, or an attribute
            found.extend(each.values())
    return [each for each in found if _can_change(each)]


def _can_change(value: Any) -> bool:
    return _can_refer(value) and not isinstance(value, (tuple, frozenset, FunctionType, BuiltinFunctionType))


def _can_refer(value: Any) -> bool:
    if type(value) in ATOMIC_SET or isinstance(value, _SHARED):
        return False
    return gc.is_tracked(value) or isinstance(value, np.ndarray | weakref.ReferenceType)


def _referents(value: Any) -> Iterable[Any]:
    if hasattr(type(value), "__stored_method__"):  # without what is known of its results
        value = value.__wrapped__
    if isinstance(value, FunctionType):  # without its global names
        return (*(value.__closure__ or ()), *(value.__defaults__ or ()), value.__kwdefaults__, value.__dict__)
    if isinstance(value, weakref.ReferenceType):
        return (value(),)
    if isinstance(value, np.ndarray):
        attributes = getattr(value, "__dict__", None)
        return (value.base, attributes, *(value.flat if value.dtype.hasobject else ()))
    return gc.get_referents(value)
