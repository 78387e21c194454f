"""Is it the same object as before? Numbers for objects that have no text, which no two objects of a process share."""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import Any

__all__ = ["number_text", "object_number"]

_numbers: dict[int, tuple[weakref.ref[Any], int]] = {}

_count = itertools.count(1)


def object_number(value: object) -> int:
    """The number of an object, for as long as it lives; a new one each time if it has no weak references."""
    known = _numbers.get(id(value))
    if known is not None and known[0]() is value:
        return known[1]
    number = next(_count)
    try:
        # `pop` gets the reference as its default: a callback without a function of Python's
        reference = weakref.ref(value, functools.partial(_numbers.pop, id(value)))
    except TypeError:
        return number
    _numbers[id(value)] = reference, number
    return number


def number_text(value: object) -> str:
    """What stands for an object that has no text, in this process."""
    return f"<object {object_number(value)} of type {type(value).__module__}.{type(value).__qualname__}>"
