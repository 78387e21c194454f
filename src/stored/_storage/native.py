"""Which tree stands for a value? JSON that refers to buffers, as `stored._storage.format` specifies it."""

from __future__ import annotations

import functools
import itertools
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

import numpy as np

from stored._adapters import BY_PICKLE, Adapter, adapter_named, adapter_of
from stored._storage.dtypes import NotNativeError, describe_dtype, described_dtype, described_shape, exceeds_bytes
from stored._storage.format import ALIGNMENT, Entry, dump_json, excerpt, load_json
from stored._storage.hashes import takes_long
from stored._storage.registered import Codes, NotEncodedError, encoded
from stored.errors import DamagedEntryError, error_text

__all__ = ["MAX_DEPTH", "NotNativeError", "located", "pack_native", "unpack_native"]

MAX_DEPTH = 64

_DOUBLE = struct.Struct("<d")

_SAFE_INTEGER = 2**53


def pack_native(value: object) -> tuple[bytes, list[memoryview]]:
    """The tree of a value, and the buffers it refers to.

    Offsets in the tree count from the start of the first buffer.

    Raises
    ------
    NotNativeError
        If the value, or something inside it, has no native form.
    NotEncodedError
        If the function that encodes a registered type raises an error.
    """
    writer = _Writer()
    tree = writer.node(value, 0)
    return dump_json(tree), writer.buffers


class _Writer:
    """Turns a value into a tree, and collects its buffers."""

    def __init__(self) -> None:
        self.buffers: list[memoryview] = []
        self._end = 0
        self._codes = Codes()

    def node(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise NotNativeError("nested too deeply")
        kind = type(value)
        if kind in _CONTAINERS or kind is dict:
            return self._container(kind, value, depth + 1)
        is_scalar = isinstance(value, np.generic) and kind is not np.record
        write = self._WRITERS.get(kind, _Writer._scalar if is_scalar else None)
        return self._registered(kind, value, depth + 1) if write is None else write(self, value)

    def _registered(self, kind: type, value: Any, depth: int) -> Any:
        adapter = adapter_of(kind)
        plain = BY_PICKLE if adapter is None else encoded(adapter, value)
        if adapter is None or plain is BY_PICKLE:
            is_builtin = kind.__module__ == "builtins"
            raise NotNativeError(f"{kind.__module__}.{kind.__qualname__}", None if is_builtin or adapter else kind)
        try:
            return ["registered", adapter.name, self._codes[adapter], self.node(plain, depth)]
        except NotNativeError as error:
            raise error.of_part() from None

    def _container(self, kind: type, value: Any, depth: int) -> Any:
        tree: list[Any] = [kind.__name__]
        for each in itertools.chain.from_iterable(value.items()) if kind is dict else value:
            # most are texts and floats, which need no call
            is_plain = type(each) is str or (type(each) is float and math.isfinite(each))
            try:
                tree.append(each if is_plain and depth <= MAX_DEPTH else self.node(each, depth))
            except NotNativeError as error:
                raise error.inside(_step(kind, value, len(tree) - 1)) from None
        if kind in _HASHED and takes_long(value):
            raise NotNativeError("too many elements or keys whose hashes can be chosen")
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
        descr = describe_dtype(value.dtype)
        if type(value) is not value.dtype.type:
            raise NotNativeError(f"a subclass of {value.dtype.type}")
        if exceeds_bytes(value.dtype, ()):
            raise NotNativeError(f"{value.dtype} takes too few bytes")
        return ["scalar", descr, value.tobytes().hex()]

    def _array(self, array: np.ndarray[Any, Any]) -> Any:
        descr = describe_dtype(array.dtype)
        if exceeds_bytes(array.dtype, array.shape):
            raise NotNativeError(f"an array of {array.size} items in {array.nbytes} bytes")
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


def located(value: object, error: NotNativeError) -> NotNativeError:
    """The error that `pack_native` has raised for a value, with the place by which users know what has no form."""
    try:
        _Search().node(value, 0)
    except NotNativeError as found:
        return found
    except NotEncodedError:  # of what comes before it
        pass
    return error


class _Search(_Writer):
    """Looks through a value by the parts that users know before it looks at what stands for it in entries."""

    def _registered(self, kind: type, value: Any, depth: int) -> Any:
        adapter = adapter_of(kind)
        parts = () if adapter is None or adapter.parts is None else adapter.parts(value)
        for step, part in itertools.chain.from_iterable(itertools.starmap(_with_items, parts)):
            try:
                self.node(part, depth)
            except NotNativeError as error:
                raise error.inside(step) from None
        return super()._registered(kind, value, depth)


def _with_items(step: str, part: Any) -> Iterator[tuple[str, Any]]:
    """The items of an array of objects, each after what gives it; anything else itself."""
    if type(part) is np.ndarray and part.dtype == np.dtype(object):
        for at, each in np.ndenumerate(part):
            yield f"{step}[{', '.join(map(str, at))}]", each
    else:
        yield step, part


def _step(kind: type, container: Any, number: int) -> str:
    """Where in a container the part is that follows so many others."""
    if kind is dict:
        key = next(itertools.islice(container, number // 2, None))
        return f"[{excerpt(repr(key))}]" if number % 2 else f".keys()[{number // 2}]"
    return f"[{number}]" if kind in (tuple, list) else ".pop()"


_CONTAINERS: dict[type, type] = {each: each for each in (tuple, list, set, frozenset)}

_HASHED = frozenset((set, frozenset, dict))


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
            return _Reader(entry).whole(load_json(body))
        # parts of a tree never become parts of a value, so values can have one tree
        tree, array = _parsed_once(body)
        return _Reader(entry).whole(tree) if array is None else _array_alone(entry, *array)
    except DamagedEntryError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError, struct.error) as error:
        raise DamagedEntryError(f"its tree describes no value ({excerpt(str(error))})") from None


_PARSED_ONCE = 1024
"""A tree of this many bytes or fewer is parsed once, as long as it is in use."""


@functools.lru_cache(maxsize=128)
def _parsed_once(body: bytes) -> tuple[Any, _ArrayForm | None]:
    """A tree and, if it is that of one array and of nothing else, the form of that."""
    tree = load_json(body)
    if not (isinstance(tree, list) and tree[:1] == ["array"]):
        return tree, None
    form, start, _ = _array_form(*tree[1:])
    # a dtype with fields is for one array alone: whoever has the array can rename them
    return tree, form if type(start) is int and start == 0 and form[1].names is None else None


_ArrayForm: TypeAlias = tuple[tuple[int, ...], np.dtype[Any], Any, int]
"""The shape, dtype and order of an array, and how many bytes it has."""


def _array_form(descr: object, shape: list[int], order: str, start: object, length: int) -> tuple[_ArrayForm, Any, Any]:
    dtype = described_dtype(descr)
    if order not in {"C", "F"}:
        raise DamagedEntryError(f"{excerpt(repr(order))} is not an order")
    lengths = described_shape(shape)
    size = math.prod(lengths) * dtype.itemsize
    if type(length) is not int or size != length or exceeds_bytes(dtype, lengths):
        what = f"an array of dtype {excerpt(str(dtype))} and shape {excerpt(str(lengths))}"
        raise DamagedEntryError(f"{excerpt(repr(length))} bytes do not hold {what}")
    return (lengths, dtype, order, length), start, length


def _array_alone(
    entry: Entry, shape: tuple[int, ...], dtype: np.dtype[Any], order: Any, length: int
) -> np.ndarray[Any, Any]:
    """The array of which the buffers of an entry consist."""
    start = entry.buffers_start
    if start + length != len(entry.data):
        raise DamagedEntryError(f"an array of {length} bytes at {start} does not end with the entry")
    # the data are read-only, and so is the array
    return np.ndarray(shape, dtype, entry.data, start, None, order)


class _Reader:
    """Turns a tree back into a value, for which it goes through the buffers once, from the first to the last."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._codes = Codes()
        self._end: int | None = None  # of the buffers so far

    def whole(self, tree: Any) -> Any:
        """The value of the whole entry; a `DamagedEntryError` if there is more in it."""
        value = self.value(tree, 0)
        end = self._end
        if not self._entry.ends_with_body() if end is None else end != len(self._entry.data):
            raise DamagedEntryError("more follows after what its tree describes")
        return value

    def _buffer(self, start: object, length: object) -> int:
        """Where in the entry its next buffer begins, if these are the offset and the length of that."""
        first, size = self._entry.buffers_start, len(self._entry.data)
        end = first if self._end is None else self._end
        begin = end + -end % ALIGNMENT
        if type(start) is not int or type(length) is not int or length < 0 or first + start != begin:
            place = f"{excerpt(repr(length))} bytes at {excerpt(repr(start))}"
            raise DamagedEntryError(f"{place} are not the next buffer, which begins at {begin - first}")
        if begin + length > size:
            raise DamagedEntryError(f"{excerpt(repr(length))} bytes at {start} of the buffers are not within the entry")
        self._end = begin + length
        return begin

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
            elements = [self.value(each, depth + 1) for each in rest]
            return _hashed(container, elements, elements) if container in _HASHED else container(elements)
        if tag == "dict":
            elements = [self.value(each, depth + 1) for each in rest]
            each = iter(elements)
            return _hashed(dict, zip(each, each, strict=True), elements[::2])
        if tag == "registered":
            return self._registered(depth + 1, *rest)
        return self._READERS[tag](self, *rest)

    def _registered(self, depth: int, name: object, code: object, node: Any) -> Any:
        adapter = adapter_named(name) if isinstance(name, str) else None
        if adapter is None or adapter.decode is None:
            raise DamagedEntryError(
                f"it holds a value of type {excerpt(str(name))}, which is not registered here; import what registers it"
            )
        if code != self._code_of(adapter):
            raise DamagedEntryError(
                f"its {adapter.name} was written by other functions than those that the type is registered with"
            )
        plain = self.value(node, depth)
        try:
            made = adapter.decode(plain)
            if adapter.home and not isinstance(made, adapter.kind):
                raise TypeError(f"its decode made a {type(made).__qualname__}")
            return made
        except Exception as error:  # the functions of a type may raise anything
            raise DamagedEntryError(
                f"it holds no value of type {adapter.name} ({excerpt(error_text(error))})"
            ) from None

    def _code_of(self, adapter: Adapter) -> str:
        try:
            return self._codes[adapter]
        except NotNativeError as error:
            raise DamagedEntryError(f"it holds a value of type {error}") from None

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
        begin = self._buffer(start, length)
        return bytes(self._entry.data[begin : begin + length])

    def _numpy_string(self, text: object) -> np.str_:
        if not isinstance(text, str):
            raise DamagedEntryError(f"{excerpt(repr(text))} is not a text")
        return np.str_(text)

    def _numpy_bytes(self, start: int, length: int) -> np.bytes_:
        return np.bytes_(self._bytes(start, length))

    def _scalar(self, descr: object, text: str) -> Any:
        dtype = described_dtype(descr)
        content = bytes.fromhex(text)
        if len(content) != dtype.itemsize or dtype.kind in "SU" or exceeds_bytes(dtype, ()):
            raise DamagedEntryError(f"{len(content)} bytes are not one scalar of dtype {excerpt(str(dtype))}")
        return np.ndarray((), dtype, content)[()]

    def _array(self, *parts: Any) -> np.ndarray[Any, Any]:
        (shape, dtype, order, _), *place = _array_form(*parts)
        return np.ndarray(shape, dtype, self._entry.data, self._buffer(*place), None, order)

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


def _hashed(kind: Callable[[Any], Any], content: Any, elements: list[Any]) -> Any:
    """A set or a dict of this content, of whose elements or keys the hashes are used."""
    try:
        if not takes_long(elements):
            return kind(content)
    except Exception as error:  # classes of registered types may raise anything
        raise DamagedEntryError(f"a set or a dict in it cannot be made ({excerpt(error_text(error))})") from None
    raise DamagedEntryError("a set or a dict in it has too many elements or keys whose hashes can be chosen")
