"""Which values can never change, so that the same object is the same value? What stands for them in dictionaries?"""

from __future__ import annotations

import operator
from collections.abc import Collection
from typing import Any

import numpy as np

from stored._keys.unchanged import ATOMIC_SET

__all__ = ["NUMBERS_AND_TEXTS", "PLAIN_TYPES", "has_nan", "immutable_key", "is_immutable"]

PLAIN_TYPES: dict[type, Any] = {np.float64: float, np.complex128: complex}
"""The numbers of numpy that are, in keys, those of Python, and these."""

NUMBERS_AND_TEXTS: frozenset[Any] = ATOMIC_SET | {np.bool} | {np.dtype(char).type for char in "bBhHiIlLqQefdgFDG"}
"""Types of which equal objects, but for NaN, have equal keys, and none can change: Python's, and numpy's numbers."""

_MAX_DEPTH = 12


def is_immutable(value: Any, depth: int = 0) -> bool:
    """Is it a number, a text, or a tuple of such?"""
    kind = type(value)
    if kind is tuple:
        return depth < _MAX_DEPTH and all(is_immutable(each, depth + 1) for each in value)
    return kind in NUMBERS_AND_TEXTS


def has_nan(values: Collection[Any]) -> bool:
    """Is one of some numbers and texts not equal to itself?"""
    return any(map(operator.ne, values, values))


def immutable_key(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What stands for values that cannot change: their types, and they, as Python's own; those of tuples likewise.

    None if one can change, or is not equal to itself. Values with equal keys have equal texts. The types come first, so
    that only values of the same types are compared: a number of numpy and a tuple give an array.
    """
    plain = []
    for each in values:
        kind = type(each)
        if kind is tuple:
            each = immutable_key(each) if is_immutable(each) else None
            if each is None:
                return None
        elif kind in PLAIN_TYPES:
            each = PLAIN_TYPES[kind](each)
        elif kind not in NUMBERS_AND_TEXTS:
            return None
        if each != each:
            return None
        plain.append(each)
    return tuple(map(type, plain)), tuple(plain)
