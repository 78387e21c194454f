"""Is it the same object as before? Numbers for objects that have no text, which no two objects of a process share."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

__all__ = ["object_number"]

_numbers: dict[int, tuple[weakref.ref[Any], int]] = {}

_count = itertools.count(1)


def object_number(value: object) -> int:
    """The number of an object, for as long as it lives; a new one each time if it has no weak references."""
    known = _numbers.get(id(value))
    if known is not None and known[0]() is value:
        return known[1]
    number = next(_count)
    try:
        reference = weakref.ref(value, _forget(id(value)))
    except TypeError:
        return number
    _numbers[id(value)] = reference, number
    return number


def _forget(address: int) -> Any:
    def forget(reference: object) -> None:
        known = _numbers.get(address)
        if known is not None and known[0] is reference:  # not that of a new object in its place
            _numbers.pop(address, None)

    return forget
