"""Does a result refer to the owner that it was computed for? Then no other object may get it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from stored._keys import ATOMIC_SET

__all__ = ["refers_to"]

_SHARED = (type, ModuleType)
"""What all objects refer to, and no result is about."""

_MOST_OBJECTS = 100_000
"""Objects that are looked at; what has more is taken to refer to its owner."""


def refers_to(value: Any, owner: object) -> bool:
    """Does a value lead to an object, or to anything that can change and that the object itself refers to?"""
    goals = {id(owner), *(id(each) for each in _held_by(owner))}
    seen: set[int] = set()
    found = [value]
    while found:
        each = found.pop()
        if id(each) in goals:
            return True
        if id(each) in seen or not _can_refer(each):
            continue
        if len(seen) >= _MOST_OBJECTS:
            return True
        seen.add(id(each))
        found.extend(_referents(each))
    return False


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
    if isinstance(value, FunctionType):  # without its global names
        return (*(value.__closure__ or ()), *(value.__defaults__ or ()), value.__kwdefaults__, value.__dict__)
    if isinstance(value, weakref.ReferenceType):
        return (value(),)
    if isinstance(value, np.ndarray):
        attributes = getattr(value, "__dict__", None)
        return (value.base, attributes, *(value.flat if value.dtype.hasobject else ()))
    return gc.get_referents(value)
