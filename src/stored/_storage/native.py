"""Which tree stands for a value? JSON that refers to buffers, as `stored._storage.format` specifies it."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import re
import struct
import sys
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np

from stored._storage.format import ALIGNMENT, Entry, checked_slice, dump_json, load_json
from stored.errors import DamagedEntryError

__all__ = ["MAX_DEPTH", "NotNativeError", "pack_native", "unpack_native"]

MAX_DEPTH = 64

_DOUBLE = struct.Struct("<d")

_SAFE_INTEGER = 2**53

_PLAIN_DTYPE = re.compile(r"[<>|]([biufcSUV][0-9]+|[mM]8(\[[0-9]*[A-Za-z]+\])?)")


class NotNativeError(Exception):
    """A value that has no native form."""


def pack_native(value: object) -> tuple[bytes, list[memoryview]]:
    """The tree of a value, and the buffers it refers to.

    Offsets in the tree count from the start of the first buffer.

    Raises
    ------
    NotNativeError
        If the value, or something inside it, has no native form.
    """
    writer = _Writer()
    tree = writer.node(value, 0)
    return dump_json(tree), writer.buffers


class _Writer:
    """Turns a value into a tree, and collects its buffers."""

    def __init__(self) -> None:
        self.buffers: list[memoryview] = []
        self._end = 0

    def node(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise NotNativeError("nested too deeply")
        kind = type(value)
        if kind in _CONTAINERS or kind is dict:
            return self._container(kind, value, depth + 1)
        write = self._WRITERS.get(kind, _Writer._scalar if isinstance(value, np.generic) else None)
        if write is None:
            raise NotNativeError(f"{kind.__module__}.{kind.__qualname__}")
        return write(self, value)

    def _container(self, kind: type, value: Any, depth: int) -> Any:
        tree: list[Any] = [kind.__name__]
        for each in itertools.chain.from_iterable(value.items()) if kind is dict else value:
            # most are texts and floats, which need no call
            is_plain = type(each) is str or (type(each) is float and math.isfinite(each))
            tree.append(each if is_plain and depth <= MAX_DEPTH else self.node(each, depth))
        return tree

    def _unchanged(self, value: Any) -> Any:
        return value

    def _integer(self, value: int) -> Any:
        return value if abs(value) < _SAFE_INTEGER else ["int", hex(value)]

    def _float(self, value: float) -> Any:
        return value if math.isfinite(value) else ["float", _DOUBLE.pack(value).hex()]

    def _complex(self, value: complex) -> Any:
        return ["complex", _DOUBLE.pack(value.real).hex(), _DOUBLE.pack(value.imag).hex()]

    def _bytes(self, value: bytes) -> Any:
        return ["bytes", *self._buffer(memoryview(value))]

    def _numpy_string(self, value: np.str_) -> Any:
        return ["str_", value[:]]

    def _numpy_bytes(self, value: np.bytes_) -> Any:
        return ["bytes_", *self._buffer(memoryview(value))]

    def _scalar(self, value: np.generic) -> Any:
        descr = _descr(value.dtype)
        if type(value) is not value.dtype.type:
            raise NotNativeError(f"a subclass of {value.dtype.type}")
        return ["scalar", descr, value.tobytes().hex()]

    def _array(self, array: np.ndarray[Any, Any]) -> Any:
        descr = _descr(array.dtype)
        flags = array.flags
        order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
        if not (flags.c_contiguous or flags.f_contiguous):
            array = np.ascontiguousarray(array)
        flat = array.reshape(-1, order=cast(Any, order))
        raw = memoryview(cast(Any, flat.view(np.uint8))) if flat.nbytes else memoryview(b"")
        return ["array", descr, list(array.shape), order, *self._buffer(raw)]

    def _buffer(self, buffer: memoryview) -> tuple[int, int]:
        start = self._end + -self._end % ALIGNMENT
        self.buffers.append(buffer)
        self._end = start + buffer.nbytes
        return start, buffer.nbytes

    _WRITERS: dict[type, Callable[[_Writer, Any], Any]] = {
        type(None): _unchanged,
        bool: _unchanged,
        str: _unchanged,
        int: _integer,
        float: _float,
        complex: _complex,
        bytes: _bytes,
        np.str_: _numpy_string,
        np.bytes_: _numpy_bytes,
        np.ndarray: _array,
        np.memmap: _array,
    }


_CONTAINERS: dict[type, type] = {each: each for each in (tuple, list, set, frozenset)}


def _descr(dtype: np.dtype[Any]) -> Any:
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
            found = _dtype(descr)
            # dtypes that compare equal may differ in alignment, or be numpy.record
            if found == dtype and repr(found) == repr(dtype):
                return descr
    raise NotNativeError(f"dtype {dtype}")


def unpack_native(entry: Entry) -> Any:
    """The native value of an entry; its arrays are read-only views of the entry's bytes.

    Raises
    ------
    DamagedEntryError
        If the tree does not describe a value that these bytes hold.
    """
    body = entry.body
    try:
        if len(body) > _PARSED_ONCE:
            return _Reader(entry).value(load_json(body), 0)
        # parts of a tree never become parts of a value, so values can have one tree
        tree, array = _parsed_once(body)
        return _Reader(entry).value(tree, 0) if array is None else _array_in(entry, *array)
    except DamagedEntryError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError, struct.error) as error:
        raise DamagedEntryError(f"its tree describes no value ({error})") from None


_PARSED_ONCE = 1024
"""A tree of this many bytes or fewer is parsed once, as long as it is in use."""


@functools.lru_cache(maxsize=128)
def _parsed_once(body: bytes) -> tuple[Any, _ArrayPlace | None]:
    """A tree and, if it is that of one array and of nothing else, where that is."""
    tree = load_json(body)
    place = _array_place(*tree[1:]) if isinstance(tree, list) and tree[:1] == ["array"] else None
    # a dtype with fields is for one array alone: whoever has the array can rename them
    return tree, place if place is not None and place[1].names is None else None


def _dtype(descr: object) -> np.dtype[Any]:
    """The dtype that a tree describes; JSON has made lists of its tuples."""
    dtype = _plain_dtype(descr) if isinstance(descr, str) else np.lib.format.descr_to_dtype(_tuples(descr))
    if dtype.hasobject:  # numpy would take its bytes for addresses of objects
        raise DamagedEntryError(f"{descr!r} is not the dtype of plain data")
    return dtype


@functools.lru_cache(maxsize=64)
def _plain_dtype(descr: str) -> np.dtype[Any]:
    if not _PLAIN_DTYPE.fullmatch(descr):
        raise DamagedEntryError(f"{descr!r} is not the dtype of plain data")
    return np.dtype(descr)


def _tuples(descr: object) -> Any:
    """A list of fields stays a list; the fields in it are tuples."""
    if isinstance(descr, list):
        return [_field(*each) for each in descr]
    if isinstance(descr, str):
        _plain_dtype(descr)
        return descr
    raise DamagedEntryError(f"{descr!r} is not the dtype of plain data")


def _field(name: Any, kind: object, *shape: Any) -> tuple[Any, ...]:
    name = tuple(name) if isinstance(name, list) else name
    return (name, _tuples(kind), *map(_shape, shape))


def _shape(found: object) -> tuple[int, ...]:
    """A shape; anything else in its place, numpy would read as a dtype."""
    if type(found) is list:
        for length in found:
            if type(length) is not int or length < 0:
                break
        else:
            if math.prod(found) <= sys.maxsize:
                return tuple(found)
    raise DamagedEntryError(f"{found!r} is not a shape")


_ArrayPlace: TypeAlias = tuple[tuple[int, ...], np.dtype[Any], Any, int, int]
"""The shape, dtype and order of an array, where its bytes begin, and how many there are."""


def _array_place(descr: object, shape: list[int], order: str, start: int, length: int) -> _ArrayPlace:
    dtype = _dtype(descr)
    if order not in {"C", "F"}:
        raise DamagedEntryError(f"{order!r} is not an order")
    lengths = _shape(shape)
    if math.prod(lengths) * dtype.itemsize != length:
        raise DamagedEntryError(f"{length} bytes do not hold an array of dtype {dtype} and shape {shape}")
    if type(length) is not int or type(start) is not int or start < 0:
        raise DamagedEntryError(f"{length!r} bytes at {start!r} are none of an entry")
    return lengths, dtype, order, start, length


def _array_in(
    entry: Entry, shape: tuple[int, ...], dtype: np.dtype[Any], order: Any, start: int, length: int
) -> np.ndarray[Any, Any]:
    data, begin = entry.data, entry.buffers_start + start
    if begin + length > len(data):
        if length or start:
            raise DamagedEntryError(f"{length} bytes at {start} of the buffers are not within the entry")
        data, begin = b"", 0  # an entry without buffers may end before they would begin
    # the data are read-only, and so is the array
    return np.ndarray(shape, dtype, data, begin, None, order)


class _Reader:
    """Turns a tree back into a value."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def value(self, node: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise DamagedEntryError("its tree is nested too deeply")
        if not isinstance(node, list):
            return self._plain(node)
        if not node or not isinstance(node[0], str):
            raise DamagedEntryError("its tree has a node without a tag")
        tag, *rest = node
        container = _CONTAINERS_BY_NAME.get(tag)
        if container is not None:
            return container([self.value(each, depth + 1) for each in rest])
        if tag == "dict":
            each = iter([self.value(each, depth + 1) for each in rest])
            return dict(zip(each, each, strict=True))
        return self._READERS[tag](self, *rest)

    def _plain(self, node: Any) -> Any:
        if isinstance(node, dict) or (isinstance(node, float) and not math.isfinite(node)):
            raise DamagedEntryError("its tree has a node of an unknown kind")
        return node

    def _integer(self, text: str) -> int:
        return int(text, 16)

    def _float(self, text: str) -> float:
        return cast(float, _DOUBLE.unpack(bytes.fromhex(text))[0])

    def _complex(self, real: str, imaginary: str) -> complex:
        return complex(self._float(real), self._float(imaginary))

    def _bytes(self, start: int, length: int) -> bytes:
        buffers = memoryview(self._entry.data)[self._entry.buffers_start :]
        return bytes(checked_slice(buffers, start, length))

    def _numpy_string(self, text: object) -> np.str_:
        if not isinstance(text, str):
            raise DamagedEntryError(f"{text!r} is not a text")
        return np.str_(text)

    def _numpy_bytes(self, start: int, length: int) -> np.bytes_:
        return np.bytes_(self._bytes(start, length))

    def _scalar(self, descr: object, text: str) -> Any:
        dtype = _dtype(descr)
        content = bytes.fromhex(text)
        if len(content) != dtype.itemsize or dtype.kind in "SU":
            raise DamagedEntryError(f"{len(content)} bytes are not one scalar of dtype {dtype}")
        return np.ndarray((), dtype, content)[()]

    def _array(self, descr: object, shape: list[int], order: str, start: int, length: int) -> np.ndarray[Any, Any]:
        return _array_in(self._entry, *_array_place(descr, shape, order, start, length))

    _READERS: dict[str, Callable[..., Any]] = {
        "int": _integer,
        "float": _float,
        "complex": _complex,
        "bytes": _bytes,
        "str_": _numpy_string,
        "bytes_": _numpy_bytes,
        "scalar": _scalar,
        "array": _array,
    }


_CONTAINERS_BY_NAME: dict[str, Callable[[list[Any]], Any]] = {each.__name__: each for each in _CONTAINERS}
