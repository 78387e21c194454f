"""Entries of values, good and forged ones, and a comparison of values to the last bit."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import xxhash
from hypothesis import strategies as st

from stored._storage.format import ALIGNMENT, pack
from stored._storage.native import pack_native


def entry_of(value: object, **header: Any) -> bytes:
    """The entry of a native value."""
    body, buffers = pack_native(value)
    return b"".join(bytes(part) for part in pack(header, body, buffers))


def identical(one: Any, other: Any) -> bool:
    """The same type and value to the last bit, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        layouts = [(a.flags.c_contiguous, a.flags.f_contiguous) for a in (one, other)]
        if one.shape != other.shape or repr(one.dtype) != repr(other.dtype):
            return False
        same = not one.nbytes or (False, False) in layouts or layouts[0] == layouts[1]
        if one.dtype.names is not None:  # what stands between fields is of no account
            return same and all(identical(one[name], other[name]) for name in one.dtype.names)
        return same and one.tobytes() == other.tobytes()
    if isinstance(one, np.str_ | np.bytes_):
        return one[:] == other[:]
    if isinstance(one, np.generic):
        return repr(one.dtype) == repr(other.dtype) and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    if isinstance(one, complex):
        return identical(one.real, other.real) and identical(one.imag, other.imag)
    if isinstance(one, dict):
        return identical(list(one.items()), list(other.items()))
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, set | frozenset):
        return sorted(map(bits, one)) == sorted(map(bits, other))
    return bool(one == other)


def bits(value: Any) -> str:
    """A text that differs between values of different types or bits."""
    return struct.pack("<d", value).hex() if type(value) is float else f"{type(value)} {value!r}"


texts = st.text(st.characters(exclude_categories=()), max_size=20)


def sealed(head: bytes, rest: bytes = b"", *, length: int | None = None, magic: bytes = b"\x89STORED\n") -> bytes:
    front = struct.pack("<8sII", magic, 1, len(head) if length is None else length)
    return front + xxhash.xxh3_128_digest(front + head + rest) + head + rest


def forged(tree: bytes | list[Any] | str, data: bytes = b"", **header: Any) -> bytes:
    """An entry with this tree and one buffer, consistent as far as the arguments do not say otherwise."""
    raw = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    start, rest = 256, raw + bytes(-len(raw) % ALIGNMENT) + data
    head = {"body": [start, len(raw)], "size": start + len(rest), **header}
    text = json.dumps(head).encode()
    return sealed(text, bytes(start - 32 - len(text)) + rest)
