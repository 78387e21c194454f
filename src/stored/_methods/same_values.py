"""Are two values the same, but for rounding?"""

from __future__ import annotations

import collections
import dataclasses
import enum
import numbers
import pickle
import reprlib
from typing import Any

import numpy as np

from stored._keys import ATOMIC_SET, instance_dict, text_or_none

__all__ = ["same_values", "shown"]


def same_values(one: Any, other: Any, rtol: float) -> bool:
    """Are two values the same, with floating-point numbers in them within a relative tolerance?

    Types, shapes, dtypes and the order of lists count. Objects are compared by the equality of their class, if it has
    one, else by their attributes or by what pickle says of them.

    Parameters
    ----------
    one, other : object
        The values.
    rtol : float
        The tolerance, relative to the larger of two numbers. NaN is equal to itself.
    """
    return _Comparison(rtol).same(one, other)


class _Comparison:
    def __init__(self, rtol: float) -> None:
        self.rtol = rtol
        self.seen: set[tuple[int, int]] = set()

    def same(self, one: Any, other: Any) -> bool:
        kind = type(one)
        if one is other:
            return True
        if kind is not type(other):
            return False
        if isinstance(one, np.ndarray):
            return self._same_arrays(one, other)
        if isinstance(one, float | complex | np.inexact):
            return bool(self._same_numbers(np.asarray(one), np.asarray(other)))
        if kind in ATOMIC_SET or isinstance(one, numbers.Number | str | bytes | enum.Enum | np.generic):
            return bool(one == other)
        if (id(one), id(other)) in self.seen:  # it is compared already, further out
            return True
        self.seen.add((id(one), id(other)))
        return self._same_parts(one, other)

    def _same_numbers(self, one: Any, other: Any) -> Any:
        with np.errstate(all="ignore"):
            largest = np.maximum(np.abs(one), np.abs(other))
            close = (np.abs(one - other) <= self.rtol * largest) & np.isfinite(largest)
        return np.all(close | (one == other) | (np.isnan(one) & np.isnan(other)))

    def _same_arrays(self, one: Any, other: Any) -> bool:
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype.names:
            return all(self._same_arrays(one[name], other[name]) for name in one.dtype.names)
        if one.dtype.hasobject:
            return all(map(self.same, one.ravel().tolist(), other.ravel().tolist()))
        if not np.issubdtype(one.dtype, np.inexact):
            return np.asarray(one).tobytes() == np.asarray(other).tobytes() and self._same_attributes(one, other)
        plain = np.asarray(one), np.asarray(other)
        return bool(self._same_numbers(*plain)) and self._same_attributes(one, other)

    def _same_attributes(self, one: Any, other: Any) -> bool:
        """Those of subclasses of numpy's arrays, such as units and masks."""
        return self._same_items(instance_dict(one), instance_dict(other))

    def _same_items(self, one: Any, other: Any) -> bool:
        return one.keys() == other.keys() and all(self.same(each, other[key]) for key, each in one.items())

    def _same_parts(self, one: Any, other: Any) -> bool:
        if isinstance(one, list | tuple | collections.deque):
            return len(one) == len(other) and all(map(self.same, one, other))
        if isinstance(one, dict):
            return self._same_items(one, other)
        if dataclasses.is_dataclass(one):
            names = [each.name for each in dataclasses.fields(one)]
            return all(self.same(getattr(one, name, None), getattr(other, name, None)) for name in names)
        if getattr(type(one), "__eq__", None) is not _IDENTITY:
            return _are_equal(one, other) or _pickled(one) == _pickled(other) != b""  # NaN is not equal to itself
        attributes = instance_dict(one), instance_dict(other)
        if any(attributes):
            return self._same_items(*attributes)
        text = text_or_none(one)
        return text == text_or_none(other) if text is not None else _pickled(one) == _pickled(other)


_IDENTITY: Any = object.__eq__


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return bool(np.all(one == other))
    except Exception:  # whatever the class raises
        return False


def _pickled(value: Any) -> bytes:
    """A pickle; empty if there is none, so that it cannot be told."""
    try:
        return pickle.dumps(value)
    except Exception:  # whatever the class raises
        return b""


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 200


def shown(value: Any) -> str:
    """A value in a message, in one line."""
    value = value.item() if isinstance(value, np.generic) else value
    text = np.array2string(value, threshold=6) if isinstance(value, np.ndarray) else _repr.repr(value)
    return " ".join(text.split())
