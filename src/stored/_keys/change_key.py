"""Has a value in memory changed since it was looked at last? A key that is quicker to make than its canonical text."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xxhash

from stored._keys.unchanged import ATOMIC_SET
from stored.typing import ABSENT

__all__ = ["change_key"]

_MAX_DEPTH = 8

_PLAIN_KINDS = "biufc"
"""The kinds of dtypes whose bytes are the values."""


def change_key(values: tuple[Any, ...]) -> Hashable:
    """What stands for values when it is asked whether they are still the same as before.

    None if that takes their text: for objects of classes, and for numbers that are not equal to themselves. The content
    of an array is read once, and stands in it as xxh3-128, which tells changes, and is no proof of equality between
    objects of others.
    """
    try:
        return tuple([_part(each, 0) for each in values])
    except _NoKeyError:
        return None


class _NoKeyError(Exception):
    """There is no key for a value."""


def _part(value: Any, depth: int) -> Hashable:
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
    if depth < _MAX_DEPTH and (kind is tuple or kind is list):
        return kind, *[_part(each, depth + 1) for each in value]
    if depth < _MAX_DEPTH and kind is dict:
        return kind, *[(_part(key, depth + 1), _part(each, depth + 1)) for key, each in value.items()]
    raise _NoKeyError
