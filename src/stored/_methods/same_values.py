"""Are two values the same, but for rounding?"""

from __future__ import annotations

import collections
import dataclasses
import pickle
import reprlib
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np

from stored._adapters import NoFormError, adapter_of
from stored._keys import ATOMIC_SET, UnstableValueError, attributes_of, instance_dict, text_or_none
from stored._tables import numbers_of_spline

__all__ = ["difference", "same_values", "shown", "shown_at"]


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


def difference(before: Any, after: Any, rtol: float, are_splines: bool) -> tuple[str, str] | None:
    """Two values as messages show them, if they are not the same; None if they are."""
    if are_splines:
        before, after = numbers_of_spline(before), numbers_of_spline(after)
    return None if same_values(before, after, rtol) else _shown_apart(before, after)


def _shown_apart(before: Any, after: Any) -> tuple[str, str]:
    """Two values in messages; of long ones that look alike, the part where they differ."""
    texts = shown(before), shown(after)
    if texts[0] != texts[1]:
        return texts
    whole = [_at_length(each) for each in (before, after)]
    start = next((number for number, pair in enumerate(zip(*whole, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return texts
    one, other = [f"{text}, of which {_excerpt(each, start)}" for text, each in zip(texts, whole, strict=True)]
    return one, other


def _at_length(value: Any) -> str:
    with np.printoptions(threshold=sys.maxsize, precision=17):
        return " ".join(repr(value.tolist() if isinstance(value, np.ndarray) else value).split())


def _excerpt(text: str, start: int) -> str:
    first = max(start - 20, 0)
    return f"{'...' if first else ''}{text[first : start + 40]}{'...' if len(text) > start + 40 else ''}"


class _Comparison:
    def __init__(self, rtol: float) -> None:
        self.rtol = rtol
        self.seen: set[tuple[int, int]] = set()
        self.keys: list[tuple[Any, Any]] = []

    def same(self, one: Any, other: Any) -> bool:
        kind = type(one)
        if one is other:
            return True
        if kind is not type(other):
            return False
        if kind in ATOMIC_SET and kind not in {float, complex}:
            return bool(one == other)
        if isinstance(one, np.datetime64 | np.timedelta64 | Decimal):
            return bool(one == other or (one != one and other != other))  # not a time, or no number
        if (id(one), id(other)) in self.seen:  # it is compared already, further out
            return True
        self.seen.add((id(one), id(other)))
        keys = None if isinstance(one, np.ndarray | np.generic) else _keys(one, other)
        if keys is not None:
            self.keys.append(keys)  # so that no other values get their ids
            return self.same(*keys)
        return self._same_content(one, other) and (kind in _PLAIN or self._same_attributes(one, other))

    def _same_content(self, one: Any, other: Any) -> bool:
        if isinstance(one, np.ma.MaskedArray):
            return self._same_masked(one, other)
        if isinstance(one, np.ndarray | np.void):
            return self._same_arrays(np.asarray(one), np.asarray(other))
        if isinstance(one, float | complex | np.inexact):
            return self._same_numbers(np.asarray(one), np.asarray(other))
        if isinstance(one, list | tuple | collections.deque):
            return len(one) == len(other) and all(map(self.same, one, other))
        if isinstance(one, dict):
            return self.same([*one], [*other]) and all(map(self.same, one.values(), other.values()))
        if isinstance(one, set | frozenset):
            return {(type(each), each) for each in one} == {(type(each), each) for each in other}
        return self._same_objects(one, other)

    def _same_numbers(self, one: Any, other: Any) -> bool:
        if np.iscomplexobj(one):
            return self._same_numbers(one.real, other.real) and self._same_numbers(one.imag, other.imag)
        with np.errstate(all="ignore"):
            largest = np.maximum(np.abs(one), np.abs(other))
            close = (np.abs(one - other) <= self.rtol * largest) & np.isfinite(largest)
        return bool(np.all(close | (one == other) | (np.isnan(one) & np.isnan(other))))

    def _same_arrays(self, one: Any, other: Any) -> bool:
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype.names:
            return all(self._same_arrays(one[name], other[name]) for name in one.dtype.names)
        if one.dtype.hasobject:
            return all(map(self.same, one.ravel().tolist(), other.ravel().tolist()))
        if np.issubdtype(one.dtype, np.inexact):
            return self._same_numbers(one, other)
        return bool(one.tobytes() == other.tobytes())

    def _same_masked(self, one: Any, other: Any) -> bool:
        """What is masked does not count."""
        masks = np.ma.getmaskarray(one), np.ma.getmaskarray(other)
        if one.shape != other.shape or not np.array_equal(*masks):
            return False
        return self._same_arrays(one.compressed(), other.compressed())

    def _same_attributes(self, one: Any, other: Any) -> bool:
        """Those of subclasses of types of Python's and numpy's, such as units, and of objects without an equality."""
        if isinstance(one, np.ma.MaskedArray) or _has_equality(one):
            return True
        own, others = _attributes(one), _attributes(other)
        return own.keys() == others.keys() and all(self.same(each, others[name]) for name, each in own.items())

    def _same_objects(self, one: Any, other: Any) -> bool:
        if _has_equality(one):
            if _are_equal(one, other) or _pickled(one) == _pickled(other) != b"":  # NaN is not equal to itself
                return True
            return self._same_fields(one, other)
        if _attributes(one) or _attributes(other):
            return True  # these tell
        text = text_or_none(one)
        return text == text_or_none(other) if text is not None else _pickled(one) == _pickled(other)

    def _same_fields(self, one: Any, other: Any) -> bool:
        """Those of a dataclass by which it compares, with numbers within the tolerance."""
        if not dataclasses.is_dataclass(one):
            return False
        names = [each.name for each in dataclasses.fields(one) if each.compare]
        return all(self.same(getattr(one, name, None), getattr(other, name, None)) for name in names)


def _keys(one: Any, other: Any) -> tuple[Any, Any] | None:
    """What stands in keys for two values of a registered type; None if that does not tell all of them."""
    adapter = adapter_of(type(one))
    if adapter is None or adapter.key is None or adapter.beyond is not None:
        return None
    try:
        return adapter.key(one), adapter.key(other)
    except NoFormError:
        return None


def _attributes(value: Any) -> dict[str, object]:
    """What stands in slots and in ``__dict__``; of a class whose slots cannot be read, what can."""
    try:
        return dict(attributes_of(value))
    except UnstableValueError:
        return instance_dict(value)


_PLAIN = frozenset({float, complex, list, tuple, dict, np.ndarray, np.float64, np.complex128, np.float32})


def _has_equality(value: Any) -> bool:
    """Has a class of objects an equality of its own, beside that of types of Python's and numpy's?"""
    kind = type(value)
    found = getattr(kind, "__eq__", None)
    return not any(found is each for each in _EQUALITIES)


_EQUALITIES: list[Any] = [
    *[each.__eq__ for each in (object, list, tuple, dict, float, complex, collections.deque, np.ndarray, np.generic)],
    *[each.__eq__ for each in (np.ma.MaskedArray, collections.OrderedDict, np.float64, np.complex128)],
]


def _are_equal(one: Any, other: Any) -> bool:
    try:
        found = one == other
        return bool(np.all(found)) and np.size(found) > 0
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

_MOST_SHOWN = 8
"""Attributes of an object that are shown."""


def shown(value: Any) -> str:
    """A value in a message, in one line."""
    value = value.item() if isinstance(value, np.generic) else value
    text = np.array2string(value, threshold=6) if isinstance(value, np.ndarray) else _repr.repr(value)
    told: Any = type(value).__repr__
    if told is object.__repr__:  # which tells nothing of it
        inside = [f"{name}={_repr.repr(each)}" for name, each in _attributes(value).items()]
        text = f"{type(value).__qualname__}({', '.join(inside[:_MOST_SHOWN])}{', ...' * (len(inside) > _MOST_SHOWN)})"
    return " ".join(text.split())


def shown_at(value: Any, names: Iterable[str], point: Iterable[float]) -> str:
    """A value in a message, with the arguments at which it is taken."""
    at = ", ".join([f"{name}={each!r}" for name, each in zip(names, point, strict=True)])
    return f"{shown(value)} at {at}"
