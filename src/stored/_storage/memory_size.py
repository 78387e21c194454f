"""How much does a value take in memory?"""

from __future__ import annotations

import gc
import itertools
import mmap
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from stored._adapters import adapter_of

__all__ = ["array_bytes", "is_mapped", "memory_size"]

_NOT_OWNED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
"""What values refer to, and would be in memory without them."""

_MOST_OBJECTS = 100_000
"""Objects that are looked at; what has more is estimated by those."""


def memory_size(value: Any) -> int:
    """The bytes that a value takes in memory, with all that it refers to; an estimate.

    What is mapped from a file does not count: the system takes it out of memory when it needs room.
    """
    seen: set[int] = set()
    found, size = [value], 0
    while found and len(seen) < _MOST_OBJECTS:
        each = found.pop()
        if id(each) in seen or isinstance(each, _NOT_OWNED):
            continue
        seen.add(id(each))
        if isinstance(each, np.ndarray):
            size += _array_size(each, seen)
            found.extend(each.flat if each.dtype.hasobject else ())
        else:
            size += sys.getsizeof(each, 0)
            found.extend(gc.get_referents(each))
    return size * (len(seen) + len(found)) // max(len(seen), 1)


def array_bytes(value: Any) -> int:
    """How many bytes the arrays take of which a value consists: itself, or those that it is written as."""
    return sum(each.nbytes for each in _arrays_of(value, 0))


def is_mapped(value: Any) -> bool:
    """Does an array of which a value consists lie in a mapped file?"""
    return any(isinstance(_memory_of(each), mmap.mmap) for each in _arrays_of(value, 0))


def _arrays_of(value: Any, depth: int) -> Iterator[np.ndarray[Any, Any]]:
    if type(value) in {np.ndarray, np.memmap}:
        yield value
    elif depth and isinstance(value, tuple | list | dict):
        parts = value.values() if isinstance(value, dict) else value
        yield from itertools.chain.from_iterable(_arrays_of(each, depth + 1) for each in parts if depth < _MAX_DEPTH)
    else:
        adapter = adapter_of(type(value))
        if adapter is not None and adapter.encode is not None and depth < _MAX_DEPTH:
            yield from _arrays_of(adapter.encode(value), depth + 1)


_MAX_DEPTH = 64


def _memory_of(array: np.ndarray[Any, Any]) -> Any:
    """The object whose memory an array shows."""
    base: Any = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return base.obj if isinstance(base, memoryview) else base


def _array_size(array: np.ndarray[Any, Any], seen: set[int]) -> int:
    """The bytes of an array, unless another of those seen has them."""
    base = _memory_of(array)
    if isinstance(base, mmap.mmap) or (id(base) in seen and base is not array):
        return 0
    seen.add(id(base))
    return base.nbytes if isinstance(base, np.ndarray) else array.nbytes
