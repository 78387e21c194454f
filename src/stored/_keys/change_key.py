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

__all__ = [
    "MOST_BYTES",
    "Same",
    "add_parts_of_objects",
    "change_key",
    "comparable",
    "copy_of_array",
    "hashable_part",
    "lasting",
    "part_of",
    "with_copies_of_arrays",
]

_MAX_DEPTH = 12

_PLAIN_KINDS = "biufc"
"""The kinds of dtypes whose bytes are the values."""

_Compare = Callable[[Any, Any], Hashable]


def change_key(values: tuple[Any, ...]) -> Hashable:
    """What stands for values when it is asked whether they are still the same as before.

    None if that takes their text: for objects of most classes, and for numbers that are not equal to themselves. The
    content of a large array stands in it as xxh3-128.
    """
    return _key(values, None)


def comparable(values: tuple[Any, ...]) -> Hashable:
    """As `change_key`, for a comparison with what `lasting` gives: types may have an equality of their own."""
    return _key(values, _compared)


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


def _compared(value: Any, adapter: Any) -> Hashable:
    return _Compared(value, adapter.same)


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
        return _array_part(value)
    if isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in _PLAIN_KINDS:
        return kind, value.tobytes()
    if depth >= _MAX_DEPTH:
        raise _NoKeyError
    if kind is tuple or kind is list:
        return kind, *[_part(each, depth + 1, compare) for each in value]
    if kind is dict or kind is OrderedDict:
        return kind, *[(_part(key, depth + 1, compare), _part(each, depth + 1, compare)) for key, each in value.items()]
    adapter = adapter_of(kind)
    if adapter is None and compare is not None:
        return _object_part(value, kind, depth, compare)
    if adapter is None or (adapter.beyond is not None and not is_library_class(kind)):
        raise _NoKeyError
    if compare is not None and not is_library_class(kind):
        return (kind, _code_of(kind), *_registered_part(value, adapter, depth, compare))
    return (kind, *_registered_part(value, adapter, depth, compare))


def _registered_part(value: Any, adapter: Any, depth: int, compare: _Compare | None) -> tuple[Hashable, ...]:
    if compare is not None and compare is not _BY_KEY and adapter.same is not None:
        return (compare(value, adapter),)
    if adapter.key is None:
        raise _NoKeyError
    beyond = [] if adapter.beyond is None else [(name, getattr(value, name)) for name in adapter.beyond(value)]
    return _part(key_of(adapter, value), depth + 1, compare), _part(beyond, depth + 1, compare)


def _object_part(value: Any, kind: type, depth: int, compare: _Compare) -> Hashable:
    """What stands for a member of an enumeration or a frozen object: the code of its class, and its parts."""
    try:
        parts = _parts_of_object(value, kind)
    except Exception as error:  # whatever its class raises: the text of the object says what is wrong
        raise _NoKeyError from error
    if parts is None:
        raise _NoKeyError
    return kind, *[each if type(each) is Same else _part(each, depth + 1, compare) for each in parts]


MOST_BYTES = 512
"""The bytes of larger arrays are replaced by their digest."""


def _array_part(value: Any) -> tuple[Hashable, ...]:
    """What stands for the content of an array of plain numbers: its dtype, shape and bytes, or the digest of these."""
    if value.nbytes <= MOST_BYTES:
        return np.ndarray, value.dtype.char, value.shape, value.tobytes()
    # read in the order in which it lies in memory, since a copy in another takes ten times as long
    is_fortran = value.flags.f_contiguous and not value.flags.c_contiguous
    content = xxhash.xxh3_128_digest(np.ascontiguousarray(value.T if is_fortran else value).data)
    return np.ndarray, value.dtype.char, value.shape, is_fortran, content


def copy_of_array(value: Any) -> Any:
    """A copy of an array that lies in memory as `_array_part` distinguishes it, and that nobody else can change."""
    return value.copy("F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C")


def with_copies_of_arrays(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values, with copies in the place of arrays of plain numbers."""
    return tuple(
        [
            copy_of_array(each) if type(each) is np.ndarray and each.dtype.kind in _PLAIN_KINDS else each
            for each in values
        ]
    )


class Same:
    """Stands for an object by identity, and keeps it alive, so that no other one gets its number."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Same and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)


def _no_parts(value: Any, kind: type) -> None:
    """Until it is known of what objects consist."""


def _no_code(kind: type) -> None:
    """Until it is known what tells of the code of a class."""


_parts_of_object: Callable[[Any, type], list[Any] | None] = _no_parts

_code_of: Callable[[type], Same | None] = _no_code


def add_parts_of_objects(
    parts: Callable[[Any, type], list[Any] | None], code_of: Callable[[type], Same | None]
) -> None:
    """Add what tells of what an object consists, and what stands for the code of a class."""
    global _parts_of_object, _code_of
    _parts_of_object, _code_of = parts, code_of


_BY_KEY: Any = object()
"""In place of a comparison: types with an equality of their own are compared by their keys, too."""


def hashable_part(value: Any) -> Hashable:
    """What stands for a value in a dictionary, and stays as it is when that changes; an error if nothing does."""
    return _part(value, 0, _BY_KEY)


def part_of(value: Any) -> Hashable:
    """As `comparable` of one value; an error if nothing stands for it."""
    return _part(value, 0, _compared)
