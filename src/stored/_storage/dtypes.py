"""Which description stands for a dtype? Numpy's own, as far as `stored._storage.format` allows it."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
import sys
from typing import Any

import numpy as np

from stored._storage.format import excerpt
from stored.errors import DamagedEntryError

__all__ = ["MAX_DTYPE_DEPTH", "MAX_ITEMS_WITHOUT_BYTES", "NotNativeError", "describe_dtype", "described_dtype"]
__all__ += ["described_shape", "exceeds_bytes"]

MAX_DTYPE_DEPTH = 16

MAX_ITEMS_WITHOUT_BYTES = 1 << 20

_TIME_UNIT = r"\[(?!1[A-Za-z])([1-9][0-9]{0,9})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]"
"""As numpy writes it; numpy takes a multiple of 0 too, and some of its functions then end the process."""

_PLAIN_DTYPE = re.compile(rf"[<>|]([biufcSUV][0-9]{{1,10}}|[mM]8({_TIME_UNIT})?)")


class NotNativeError(Exception):
    """A value has no native form; on its way up, the error takes the place of the value inside others.

    Attributes
    ----------
    kind : type or None
        The type of the value, if it would have a form if that were registered.
    """

    def __init__(self, what: str, kind: type | None = None) -> None:
        super().__init__(what)
        self.kind = kind
        self._steps: list[str] = []
        self._is_of_part = False

    def inside(self, step: str) -> NotNativeError:
        """The same error, of a value that is there in another: ``[2]``, ``['flux']``."""
        self._steps.append(step)
        return self

    def of_part(self) -> NotNativeError:
        """The same error, of a value that is somewhere in another."""
        self._steps, self._is_of_part = [], True
        return self

    def place(self) -> str:
        """Where the value is in the whole; empty if it is the whole."""
        place = "".join(reversed(self._steps))
        return " of ".join(filter(None, ["a part" * self._is_of_part, place]))


_MOST_DIMENSIONS = 64
"""That numpy can have; the product of more lengths takes long."""


def describe_dtype(dtype: np.dtype[Any]) -> Any:
    """A dtype as numpy's own file format writes it; a `NotNativeError` if this loses something of it."""
    return _builtin_descr(dtype.char) if dtype.isbuiltin == 1 else _exact_descr(dtype)


@functools.lru_cache(maxsize=64)
def _builtin_descr(char: str) -> Any:
    return _exact_descr(np.dtype(char))


def _exact_descr(dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "biufcSUVmM" and not dtype.hasobject and np.lib.format.drop_metadata(dtype) is dtype:
        # overlapping fields have no such form, and a title may be any object
        with contextlib.suppress(DamagedEntryError, TypeError, ValueError):
            descr = json.loads(json.dumps(np.lib.format.dtype_to_descr(dtype)))
            found = described_dtype(descr)
            # dtypes that compare equal may differ in alignment, or be numpy.record
            if found == dtype and repr(found) == repr(dtype):
                return descr
    raise NotNativeError(f"dtype {dtype}")


def described_dtype(descr: object) -> np.dtype[Any]:
    """The dtype that a tree describes; JSON has made lists of its tuples."""
    dtype = _plain_dtype(descr) if isinstance(descr, str) else np.lib.format.descr_to_dtype(_tuples(descr, 0))
    if dtype.hasobject:  # numpy would take its bytes for addresses of objects
        raise _not_plain(descr)
    return dtype


def _not_plain(descr: object) -> DamagedEntryError:
    return DamagedEntryError(f"{excerpt(repr(descr))} is not the dtype of plain data")


@functools.lru_cache(maxsize=64)
def _plain_dtype(descr: str) -> np.dtype[Any]:
    if not _PLAIN_DTYPE.fullmatch(descr):
        raise _not_plain(descr)
    return np.dtype(descr)


def _tuples(descr: object, depth: int) -> Any:
    """A list of fields stays a list; the fields in it are tuples."""
    if isinstance(descr, list) and depth <= MAX_DTYPE_DEPTH:
        return [_field(depth, *each) for each in descr]
    if isinstance(descr, str):
        _plain_dtype(descr)
        return descr
    raise _not_plain(descr)


def _field(depth: int, name: Any, kind: object, *shape: Any) -> tuple[Any, ...]:
    name = tuple(name) if isinstance(name, list) else name
    return (name, _tuples(kind, depth + 1), *map(described_shape, shape))


def described_shape(found: object) -> tuple[int, ...]:
    """A shape; anything else in its place, numpy would read as a dtype."""
    if type(found) is list and len(found) <= _MOST_DIMENSIONS:
        for length in found:
            if type(length) is not int or length < 0:
                break
        else:
            if math.prod(found) <= sys.maxsize:
                return tuple(found)
    raise DamagedEntryError(f"{excerpt(repr(found))} is not a shape")


def exceeds_bytes(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """Has an array many more items than bytes, with those in each of its items counted one by one?

    A few bytes could else stand for a huge array. A dimension of length 0 counts as one of length 1: numpy goes through
    the others all the same.
    """
    if dtype.itemsize and dtype.names is None and 0 not in shape:
        return False
    return _items_in_shape(shape) * _items_in(dtype) > math.prod(shape) * dtype.itemsize + MAX_ITEMS_WITHOUT_BYTES


def _items_in(dtype: np.dtype[Any]) -> int:
    """How many items are in one of these, those of fields and subarrays counted one by one; at least 1."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return _items_in_shape(shape) * _items_in(base)
    if dtype.fields:
        return sum([_items_in(dtype.fields[name][0]) for name in dtype.names or ()])
    return 1


def _items_in_shape(shape: tuple[int, ...]) -> int:
    return math.prod([max(length, 1) for length in shape])
