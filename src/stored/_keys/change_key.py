"""Has a value in memory changed since it was looked at last? A key that is quicker to make than its canonical text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import xxhash

from stored._adapters import NoFormError, adapter_of
from stored._keys.canonical_registered import key_of
from stored._keys.class_names import is_library_class
from stored._keys.unchanged import ATOMIC_SET
from stored.typing import ABSENT

__all__ = ["change_key", "comparable", "lasting"]

_MAX_DEPTH = 12

_PLAIN_KINDS = "biufc"
"""The kinds of dtypes whose bytes are the values."""

_Compare = Callable[[Any, Any], Hashable]


def change_key(values: tuple[Any, ...]) -> Hashable:
    """What stands for values when it is asked whether they are still the same as before.

    None if that takes their text: for objects of classes, and for numbers that are not equal to themselves. The content
    of an array is read once, and stands in it as xxh3-128, which tells changes, and is no proof of equality between
    objects of others.
    """
    return _key(values, None)


def comparable(values: tuple[Any, ...]) -> Hashable:
    """As `change_key`, for a comparison with what `lasting` gives: types may have an equality of their own."""
    return _key(values, lambda value, adapter: _Compared(value, adapter.same))


def lasting(values: tuple[Any, ...]) -> Hashable:
    """As `comparable`, but it stays as it is when the values change; None also if one cannot be copied."""
    return _key(values, _compared_copy)


def _key(values: tuple[Any, ...], compare: _Compare | None) -> Hashable:
    try:
        return tuple([_part(each, 0, compare) for each in values])
    except (_NoKeyError, NoFormError):
        return None


class _NoKeyError(Exception):
    """There is no key for a value."""


class _Compared:
    """A value of a type with an equality of its own."""

    def __init__(self, value: Any, same: Callable[[Any, Any], bool]) -> None:
        self._value = value
        self._same = same

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Compared) and bool(self._same(self._value, other._value))

    __hash__ = object.__hash__


def _compared_copy(value: Any, adapter: Any) -> Hashable:
    try:
        return _Compared(value if adapter.copy is None else adapter.copy(value), adapter.same)
    except Exception as error:  # whatever its class raises
        raise _NoKeyError from error


def _part(value: Any, depth: int, compare: _Compare | None) -> Hashable:
    kind = type(value)
    if kind in ATOMIC_SET or value is ABSENT:
        if value != value:
            raise _NoKeyError
        return kind, value
    if kind is np.ndarray and value.dtype.kind in _PLAIN_KINDS and value.dtype.isnative:
        # read in the order in which it lies in memory, since a copy in another takes ten times as long
        is_fortran = value.flags.f_contiguous and not value.flags.c_contiguous
        content = xxhash.xxh3_128_digest(np.ascontiguousarray(value.T if is_fortran else value).data)
        return kind, value.dtype.char, value.shape, is_fortran, content
    if isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in _PLAIN_KINDS:
        return kind, value.tobytes()
    if depth >= _MAX_DEPTH:
        raise _NoKeyError
    if kind is tuple or kind is list:
        return kind, *[_part(each, depth + 1, compare) for each in value]
    if kind is dict or kind is OrderedDict:
        return kind, *[(_part(key, depth + 1, compare), _part(each, depth + 1, compare)) for key, each in value.items()]
    adapter = adapter_of(kind)
    if adapter is None or (adapter.beyond is not None and not is_library_class(kind)):
        raise _NoKeyError
    if compare is not None and adapter.same is not None:
        return kind, compare(value, adapter)
    if adapter.key is None:
        raise _NoKeyError
    beyond = [] if adapter.beyond is None else [(name, getattr(value, name)) for name in adapter.beyond(value)]
    return kind, _part(key_of(adapter, value), depth + 1, compare), _part(beyond, depth + 1, compare)
