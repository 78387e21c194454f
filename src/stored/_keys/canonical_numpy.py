"""Which text stands for a value in a key? Arrays, scalars and dtypes of numpy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stored._keys.canonical import Walk, add_forms
from stored._keys.canonical_plain import (
    INLINE_BYTES,
    bytes_text,
    complex_text,
    float_text,
    integer_text,
    items_text,
    size_and_digest,
    string_text,
)
from stored._keys.unstable_values import refuse

__all__ = ["array_text", "dtype_text", "dtype_value_text"]


def array_text(array: Any, walk: Walk) -> str:
    """The text of an array: dtype, shape and content."""
    dtype = array.dtype
    text = dtype_text(dtype)
    if text is None:
        refuse(array)
    if dtype.hasobject and dtype.names is not None:
        fields = ", ".join([f"{name!a}: {walk.part(array[name], f'[{name!r}]')}" for name in dtype.names])
        return f"array({text}, {array.shape!r}, {{{fields}}})"
    if dtype.hasobject:
        items = items_text(array.ravel().tolist(), walk, functools.partial(_place, array.shape))
        return f"array({text}, {array.shape!r}, [{items}])"
    data = _array_data(array)
    content = data.tobytes().hex() if array.nbytes <= INLINE_BYTES else size_and_digest(data)
    return f"array({text}, {array.shape!r}, {content})"


def _place(shape: tuple[int, ...], number: int) -> str:
    """The index of an item, by its number."""
    return f"[{', '.join([str(each) for each in np.unravel_index(number, shape)]) or '()'}]"


def dtype_text(dtype: Any) -> str | None:
    """The text of a dtype, None for one that numpy does not know."""
    if dtype.subdtype is not None:
        base = dtype_text(dtype.subdtype[0])
        return None if base is None else f"({base}, {dtype.shape})"
    if dtype.names is not None:
        return _fields_text(dtype)
    if dtype.char == "T":  # strings of any length
        missing = getattr(dtype, "na_object", ...)
        known = missing is None or missing is ... or isinstance(missing, float | str)
        return f"StringDType({missing!r}, {dtype.coerce})" if known else None
    return ascii(dtype.str) if dtype.type.__module__ == "numpy" else None


def _fields_text(dtype: Any) -> str | None:
    texts = [dtype_text(dtype.fields[name][0]) for name in dtype.names]
    if None in texts:
        return None
    fields = [f"{name!a}: {text}, {dtype.fields[name][1:]!a}" for name, text in zip(dtype.names, texts, strict=True)]
    name = "record" if dtype.type is np.record else ""
    return f"{name}{{{'; '.join(fields)}; {dtype.itemsize}}}"


def _array_data(array: Any) -> Any:
    """The content of an array as a flat array of bytes, without padding, whose bytes are arbitrary."""
    if array.dtype.names is not None:
        return np.concatenate([np.zeros(0, np.uint8), *(_array_data(array[name]) for name in array.dtype.names)])
    data = np.ascontiguousarray(array).reshape(-1)
    if data.dtype.char not in "gG" or np.dtype("g").itemsize == _LONG_DOUBLE_BYTES:
        return data.view(np.uint8)
    parts = data.astype(data.dtype.newbyteorder("=")).view(np.uint8).reshape(-1, np.dtype("g").itemsize)
    return np.ascontiguousarray(parts[:, :_LONG_DOUBLE_BYTES]).reshape(-1)


_LONG_DOUBLE_BYTES = 10 if np.finfo(np.longdouble).nmant == 63 else np.dtype("g").itemsize
"""How many bytes of a long double have a meaning: x86 pads ten to sixteen."""


def _scalar_text(value: Any, walk: Walk) -> str:
    """The text of a scalar: the name of its dtype, and its value."""
    name = type(value).__name__ if value.dtype.kind in "US" else value.dtype.name
    return f"{name}({_SCALARS[value.dtype.kind](value)})"


def _real_text(value: Any) -> str:
    """The shortest decimal digits that tell the value from others of its dtype; 0.0 and -0.0 are one."""
    if not np.isfinite(value):
        return float_text(float(value))
    digits = np.format_float_scientific(value + type(value)(0))
    return repr(float(digits)) if value.dtype.itemsize <= 8 else digits


def _parts_text(value: Any) -> str:
    return f"{_real_text(value.real)}, {_real_text(value.imag)}"


_SCALARS: dict[str, Any] = {
    "b": lambda value: repr(bool(value)),
    "i": lambda value: integer_text(int(value)),
    "u": lambda value: integer_text(int(value)),
    "f": _real_text,
    "c": _parts_text,
    "U": lambda value: string_text(str(value)),
    "S": lambda value: bytes_text(value),
    "M": lambda value: integer_text(int(value.view(np.int64))),
    "m": lambda value: integer_text(int(value.view(np.int64))),
}


def _record_text(value: Any, walk: Walk) -> str:
    """The text of a record: that of the array that holds it alone."""
    return f"void({array_text(np.array(value), walk)})"


def dtype_value_text(dtype: Any, walk: Walk) -> str:
    """The text of a dtype that is a value itself."""
    text = dtype_text(dtype)
    if text is None:
        refuse(dtype)
    return f"dtype({text})"


add_forms(
    leaves={
        np.float64: lambda value: float_text(float(value)),
        np.complex128: lambda value: complex_text(complex(value)),
    },
    exact={
        np.ndarray: array_text,
        np.memmap: array_text,
        np.void: _record_text,
        np.record: _record_text,
    },
    kinds=[
        (lambda value: isinstance(value, np.generic) and type(value).__module__ == "numpy", _scalar_text),
        (lambda value: isinstance(value, np.dtype), dtype_value_text),
    ],
)
