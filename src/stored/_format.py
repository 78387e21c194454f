r"""The form of an entry: one value with its key, as bytes that describe and prove themselves.

All integers are little-endian.

======== ====== =========================================================================
offset   bytes  content
======== ====== =========================================================================
0        8      magic, ``b"\x89STORED\n"``
8        4      format version, now 1
12       4      length of the header in bytes, at most `MAX_HEADER_BYTES`
16       16     xxh3-128 (canonical form) of everything but these 16 bytes
32       n      header: JSON in UTF-8, an object
32 + n          zero bytes up to the next multiple of 64
...             body: JSON in UTF-8, the tree of the value (or a pickle)
...             buffers, each at a multiple of 64, with zero bytes between
======== ====== =========================================================================

The header holds ``key`` (in full: module, name, hashable string, object, definition, version, arguments), ``kind``
(``"native"`` or ``"pickle"``), ``size`` (of the whole entry), ``body`` (``[offset, length]``), ``created`` (seconds
since 1970), ``seconds`` (what computing it took), ``writer`` (versions of the programs that wrote it) and, for a
pickle, ``signature`` (HMAC-SHA-256 in hex). It is enough to list an entry and to decide whether to use it.

The tree of a native value is JSON: null, true, false, strings, integers below 2**53 and finite floats stand for
themselves, and everything else is a list headed by its tag:

=============================================== =============================================================
``["int", hex]``, ``["float", hex]``            a large integer; NaN and infinities, as 16 hex digits
``["complex", hex, hex]``                       real and imaginary part
``["bytes", offset, length]``                   a buffer
``["tuple", items...]``, ``["list", items...]`` also ``"set"`` and ``"frozenset"``
``["dict", key, value, ...]``                   in the order of the dict
``["array", descr, shape, order, offset, n]``   `descr` as in numpy's own format; order ``"C"`` or ``"F"``
``["scalar", descr, hex]``                      a numpy scalar, other than these two:
``["str_", text]``, ``["bytes_", offset, n]``   in an array they would lose NULs at their end
=============================================== =============================================================

Nothing here is ever unpickled or evaluated. Every length, dtype and shape is compared with the bytes at hand before
it is used.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import xxhash

from stored.errors import DamagedEntryError
from stored.typing import Buffer

__all__ = ["MAX_HEADER_BYTES", "Entry", "NotNativeError", "pack", "pack_native", "unpack", "unpack_native"]

MAGIC = b"\x89STORED\n"
FORMAT_VERSION = 1
MAX_HEADER_BYTES = 1 << 20
MAX_DEPTH = 64
ALIGNMENT = 64
_JSON = json.JSONDecoder()
_PREFIX = struct.Struct("<8sII16s")
_DOUBLE = struct.Struct("<d")
_SAFE_INTEGER = 2**53
_PLAIN_DTYPE = re.compile(r"[<>|]([biufcSUV][0-9]+|[mM]8(\[[0-9]*[A-Za-z]+\])?)")


class NotNativeError(Exception):
    """A value that has no native form."""


class Entry:
    """A verified entry: its header, and where its body stands.

    Parameters
    ----------
    header : dict
        As the module's docstring describes it.
    data : memoryview
        All bytes of the entry, read-only.
    """

    def __init__(self, header: dict[str, Any], data: memoryview) -> None:
        self.header = header
        self.data = data

    def body(self) -> memoryview:
        """The bytes of the tree or of the pickle."""
        span = self.header.get("body")
        if not isinstance(span, list) or len(span) != 2:
            raise DamagedEntryError("the header does not say where the body stands")
        return _slice(self.data, *span)


# --------------------------------------------------------------------------------------------------------------------
# Writing
# --------------------------------------------------------------------------------------------------------------------


def pack_native(value: object) -> tuple[bytes, list[memoryview]]:
    """The tree of a value, and the buffers it refers to.

    Offsets in the tree count from the first buffer.

    Raises
    ------
    NotNativeError
        If the value, or something inside it, has no native form.
    """
    writer = _Writer()
    tree = writer.node(value, 0)
    return _dump(tree), writer.buffers


def pack(header: Mapping[str, Any], body: Buffer, buffers: list[memoryview]) -> list[Buffer]:
    """An entry, in parts to be written one after another.

    Raises
    ------
    ValueError
        If the header is longer than `MAX_HEADER_BYTES`.
    """
    data: list[Buffer] = [body]
    end = len(body)
    for buffer in buffers:
        gap = -end % ALIGNMENT
        data += [bytes(gap), buffer]
        end += gap + buffer.nbytes
    head, start = _sized_header(header, len(body), end)
    front = [head, bytes(start - _PREFIX.size - len(head))]
    checksum = _checksum(struct.pack("<8sII", MAGIC, FORMAT_VERSION, len(head)), front + data)
    return [_PREFIX.pack(MAGIC, FORMAT_VERSION, len(head), checksum), *front, *data]


def _sized_header(header: Mapping[str, Any], body_length: int, data_length: int) -> tuple[bytes, int]:
    """The header with its sizes filled in, and the offset of the body.

    The sizes are part of the header, whose own length they depend on; the offset settles within a few rounds.
    """
    start = 0
    while True:
        head = _dump({**header, "body": [start, body_length], "size": start + data_length})
        needed = _aligned(_PREFIX.size + len(head))
        if needed <= start:
            break
        start = needed
    if len(head) > MAX_HEADER_BYTES:
        raise ValueError(
            f"the key of this result takes {len(head)} bytes, more than the {MAX_HEADER_BYTES} a header may have;"
            " shorten the hashable string"
        )
    return head, start


def _aligned(offset: int) -> int:
    return offset + -offset % ALIGNMENT


def _checksum(front: bytes, parts: list[Any]) -> bytes:
    state = xxhash.xxh3_128(front)
    for part in parts:
        state.update(part)
    return state.digest()


def _dump(tree: object) -> bytes:
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


class _Writer:
    """Turns a value into a tree, and gathers its buffers."""

    def __init__(self) -> None:
        self.buffers: list[memoryview] = []
        self._end = 0

    def node(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise NotNativeError("nested too deeply")
        kind = type(value)
        if kind in _CONTAINERS:
            return [kind.__name__, *(self.node(each, depth + 1) for each in value)]
        if kind is dict:
            return ["dict", *(self.node(each, depth + 1) for pair in value.items() for each in pair)]
        write = self._WRITERS.get(kind, _Writer._scalar if isinstance(value, np.generic) else None)
        if write is None:
            raise NotNativeError(f"{kind.__module__}.{kind.__qualname__}")
        return write(self, value)

    def _itself(self, value: Any) -> Any:
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
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        flat = np.asarray(array, order=cast(Any, order)).reshape(-1, order=cast(Any, order))
        raw = memoryview(cast(Any, flat.view(np.uint8))) if flat.nbytes else memoryview(b"")
        return ["array", descr, list(array.shape), order, *self._buffer(raw)]

    def _buffer(self, buffer: memoryview) -> tuple[int, int]:
        start = _aligned(self._end)
        self.buffers.append(buffer)
        self._end = start + buffer.nbytes
        return start, buffer.nbytes

    _WRITERS: dict[type, Callable[[_Writer, Any], Any]] = {
        type(None): _itself,
        bool: _itself,
        str: _itself,
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
    """A dtype as numpy's own file format writes it, if all of it comes back from that."""
    if dtype.kind in "biufcSUVmM" and not dtype.hasobject and np.lib.format.drop_metadata(dtype) is dtype:
        # overlapping fields have no such form, and a title may be any object
        with contextlib.suppress(DamagedEntryError, TypeError, ValueError):
            descr = json.loads(json.dumps(np.lib.format.dtype_to_descr(dtype)))
            found = _dtype(descr)
            # equal dtypes may yet differ in alignment, or be numpy.record
            if found == dtype and repr(found) == repr(dtype):
                return descr
    raise NotNativeError(f"dtype {dtype}")


# --------------------------------------------------------------------------------------------------------------------
# Reading
# --------------------------------------------------------------------------------------------------------------------


def unpack(source: Buffer, *, verify: bool = True) -> Entry:
    """Check bytes and read the header.

    Parameters
    ----------
    source : bytes-like
        The bytes of one entry, whole; or its beginning, header included, with ``verify=False``.
    verify : bool
        Compare size and checksum. Without it the header serves for listing only.

    Raises
    ------
    DamagedEntryError
        If these are not the bytes that `pack` made, in this version of the format.
    """
    # numpy sees through a read-only view of a buffer that can be written to
    data = memoryview(source)
    data = (data if data.readonly else memoryview(bytes(source))).cast("B")
    if data.nbytes < _PREFIX.size:
        raise DamagedEntryError(f"{data.nbytes} bytes are too few for an entry")
    magic, version, length, checksum = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise DamagedEntryError("it does not begin as an entry does")
    if version != FORMAT_VERSION:
        raise DamagedEntryError(f"format version {version} was found; this release reads version {FORMAT_VERSION}")
    if length > MAX_HEADER_BYTES:
        raise DamagedEntryError(f"a header of {length} bytes is longer than {MAX_HEADER_BYTES}")
    head = _slice(data, _PREFIX.size, length)
    if verify and _checksum(bytes(data[:16]), [data[_PREFIX.size :]]) != checksum:
        raise DamagedEntryError("its checksum does not match its content")
    header = _load(head)
    if not isinstance(header, dict):
        raise DamagedEntryError("its header is not an object")
    if verify and header.get("size") != data.nbytes:
        raise DamagedEntryError(f"it has {data.nbytes} bytes, and its header says {header.get('size')!r}")
    return Entry(header, data)


def unpack_native(entry: Entry) -> Any:
    """The native value of an entry; its arrays are read-only views of the entry's bytes.

    Raises
    ------
    DamagedEntryError
        If the tree does not describe a value that these bytes hold.
    """
    body = entry.body()
    start = _aligned(entry.header["body"][0] + body.nbytes)
    # offsets count from the end of the body, aligned with the entry
    reader = _Reader(entry.data[min(start, entry.data.nbytes) :])
    try:
        return reader.value(_load(body), 0)
    except DamagedEntryError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError, struct.error) as error:
        raise DamagedEntryError(f"its tree describes no value ({error})") from None


def _load(data: memoryview) -> Any:
    try:
        text = str(data, "utf-8", "surrogatepass")
        found, end = _JSON.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise DamagedEntryError(f"it holds no readable JSON ({error})") from None
    if end != len(text):
        raise DamagedEntryError(f"it holds no readable JSON (more follows after {end} characters)")
    return found


def _slice(data: memoryview, start: object, length: object) -> memoryview:
    """A part of the data, if it lies within."""
    if type(start) is not int or type(length) is not int or start < 0 or length < 0 or start + length > data.nbytes:
        raise DamagedEntryError(f"{length!r} bytes at {start!r} are not within the {data.nbytes} there are")
    return data[start : start + length]


def _dtype(descr: object) -> np.dtype[Any]:
    """The dtype that a tree describes; JSON has made lists of its tuples."""
    dtype = _plain_dtype(descr) if isinstance(descr, str) else np.lib.format.descr_to_dtype(_tuples(descr))
    if dtype.hasobject:  # its bytes would be taken for the addresses of objects
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
    """A shape; what else may stand in the place of one, numpy reads as a dtype."""
    if type(found) is list and all(type(n) is int and n >= 0 for n in found) and math.prod(found) <= sys.maxsize:
        return tuple(found)
    raise DamagedEntryError(f"{found!r} is not a shape")


class _Reader:
    """Turns a tree back into a value."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

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
        return bytes(_slice(self._data, start, length))

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
        dtype = _dtype(descr)
        if order not in {"C", "F"}:
            raise DamagedEntryError(f"{order!r} is not an order")
        if math.prod(_shape(shape)) * dtype.itemsize != length:
            raise DamagedEntryError(f"{length} bytes do not hold an array of dtype {dtype} and shape {shape}")
        # the data are read-only, and so is the array
        return np.ndarray(tuple(shape), dtype, _slice(self._data, start, length), order=cast(Any, order))

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
