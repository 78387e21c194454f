"""Which text stands for a value in a key? Arrays, scalars and dtypes of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from stored._keys.canonical import (
    INLINE_BYTES,
    add_encoders,
    bytes_text,
    complex_text,
    exact_number_text,
    float_text,
    integer_text,
    size_and_digest,
    string_text,
    unstable_key_error,
)


def _array_text(array: Any) -> str:
    if type(array) not in {np.ndarray, np.memmap}:
        raise unstable_key_error(array)
    dtype = _dtype_text(array.dtype)
    if dtype is None:
        raise unstable_key_error(array)
    data = _array_data(array)
    content = data.tobytes().hex() if array.nbytes <= INLINE_BYTES else size_and_digest(data)
    return f"array({dtype}, {array.shape!r}, {content})"


def _dtype_text(dtype: Any) -> str | None:
    """The text of a dtype, None if its bytes have a meaning in this process only, or one that numpy does not know."""
    if dtype.subdtype is not None:
        base = _dtype_text(dtype.subdtype[0])
        return None if base is None else f"({base}, {dtype.shape})"
    if dtype.names is None:
        return None if dtype.hasobject or dtype.type.__module__ != "numpy" else ascii(dtype.str)
    texts = [_dtype_text(dtype.fields[name][0]) for name in dtype.names]
    if None in texts:
        return None
    fields = [f"{name!a}: {text}, {dtype.fields[name][1:]!a}" for name, text in zip(dtype.names, texts, strict=True)]
    return f"{{{'; '.join(fields)}; {dtype.itemsize}}}"


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


def _scalar_text(value: Any) -> str:
    """The text of a numpy scalar: that of the equal Python number or string; dates and records have none."""
    if value.dtype.kind in "biu":
        return integer_text(value.item())
    for kinds, encode in (
        ("c", complex_text),
        ("U", string_text),
        ("S", bytes_text),
    ):
        if value.dtype.kind in kinds:
            return encode(value)
    if value.dtype.kind != "f":
        raise unstable_key_error(value)
    return exact_number_text(value) if value.dtype.itemsize > 8 else float_text(value.item())


def _dtype_value_text(dtype: Any) -> str:
    text = _dtype_text(dtype)
    if text is None:
        raise unstable_key_error(dtype)
    return f"dtype({text})"


add_encoders(
    exact={np.ndarray: _array_text},
    kinds={np.ndarray: _array_text, np.generic: _scalar_text, np.dtype: _dtype_value_text},
    constants=(np.generic, np.dtype),
)
