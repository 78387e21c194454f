"""How is an object taken apart and made of its parts, if compiled code reads these without a look at them?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from stored._adapters.registry import BY_PICKLE, Adapter

__all__ = ["adapter_by_parts", "array_of", "breakpoints", "items_of", "knots", "lengths", "whole"]


def adapter_by_parts(
    kind: Any,
    name: str,
    parts_of: Callable[[Any], Any],
    make: Callable[[Any, Any], Any] | None,
    kept: Collection[str],
) -> Adapter:
    """What is known of a type whose objects are made of parts.

    Objects can be changed into what the functions of their library never make, and other versions of it may keep other
    attributes: if no object could be made of the parts of one, or it has attributes beside them, it is pickled.

    Parameters
    ----------
    kind : type
        The type.
    name : str
        What stands for it in keys and entries.
    parts_of : callable
        The parts of a value, plain values and arrays; one of `_WRONG_PARTS` if it has others than those that are known.
    make : callable or None
        Makes an object of a type and its parts, or raises one of `_WRONG_PARTS`; None if all are pickled.
    kept : collection of str
        The attributes of an object that the parts tell.
    """

    def decode(parts: Any) -> Any:
        return make(kind, parts)  # type: ignore[misc]  # it is None where this is not used

    def encode(value: Any) -> Any:
        if _attributes_beyond(value, kept):
            return BY_PICKLE
        try:
            parts = parts_of(value)
            decode(parts)
        except _WRONG_PARTS:
            return BY_PICKLE
        return parts

    def key(value: Any) -> Any:
        try:
            return parts_of(value), _attributes_beyond(value, kept)
        except _WRONG_PARTS:
            return value.__getstate__()  # all that it has

    is_made = make is not None
    return Adapter(
        kind,
        name,
        key=key,
        encode=encode if is_made else None,
        decode=decode if is_made else None,
        copy=copy.deepcopy,
    )


_WRONG_PARTS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


def _attributes_beyond(value: Any, kept: Collection[str]) -> dict[str, Any]:
    """The attributes that somebody has added to an object."""
    return {name: each for name, each in getattr(value, "__dict__", {}).items() if name not in kept}


def items_of(value: Any, count: int) -> tuple[Any, ...]:
    """A tuple of so many items; a `ValueError` if it is none."""
    if type(value) is not tuple or len(value) != count:
        raise ValueError(f"{count} parts are needed")
    return value


def array_of(value: Any, dtypes: str, dimensions: int | None = None) -> np.ndarray[Any, Any]:
    """An array of one of these dtypes, by their characters; a `ValueError` if it is none."""
    if type(value) is not np.ndarray or value.dtype.char not in dtypes or not value.dtype.isnative:
        raise ValueError("a part is no array, or one of a wrong dtype")
    if dimensions is not None and value.ndim != dimensions:
        raise ValueError(f"an array has {value.ndim} dimensions instead of {dimensions}")
    return value


def whole(value: Any, low: int, high: int) -> int:
    """An integer within limits; a `ValueError` if it is none."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"a part is no integer from {low} to {high}")
    return value


def lengths(value: Any, dimensions: int) -> tuple[int, ...]:
    """The lengths of so many dimensions."""
    return tuple(whole(each, 0, 2**63 - 1) for each in items_of(value, dimensions))


def breakpoints(value: Any, may_fall: bool = False) -> np.ndarray[Any, Any]:
    """Two or more numbers in order."""
    array = array_of(value, "d", 1)
    is_sorted = (array[1:] >= array[:-1]).all() or (may_fall and (array[1:] <= array[:-1]).all())
    if array.size < 2 or not is_sorted:
        raise ValueError("breakpoints are not sorted")
    return array


def knots(value: Any, degree: int) -> np.ndarray[Any, Any]:
    """Finite numbers that nowhere fall, enough for splines of a degree."""
    array = array_of(value, "d", 1)
    if array.size < 2 * (degree + 1) or not (array[1:] >= array[:-1]).all() or not np.isfinite(array).all():
        raise ValueError(f"these are no knots of a spline of degree {degree}")
    return array
