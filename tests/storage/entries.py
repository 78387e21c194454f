"""Entries of values, good and forged ones, and a comparison of values to the last bit."""

from __future__ import annotations

import itertools
import json
import struct
from typing import Any, NamedTuple

import numpy as np
import xxhash
from hypothesis import strategies as st

from stored._keys import Key, Space
from stored._storage.format import ALIGNMENT, describe, pack
from stored._storage.native import pack_native


def entry_of(value: object, key: bytes = b"{}", values: bytes = b"{}", seconds: float = 1.5) -> bytes:
    """The entry of a native value."""
    body, buffers = pack_native(value)
    parts, size = pack(key, describe("native", {}), values, body, buffers, 1.0, seconds)
    data = b"".join(bytes(part) for part in parts)
    assert len(data) == size
    return data


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


KEY = Key(Space("module", "model", "model 1.5"), "table", "Model.table", "1", (("n", "200"),))


class Parts(NamedTuple):
    """The parts of an entry, good ones or not."""

    body: bytes
    buffers: bytes | None = None
    key: bytes = KEY.data
    described: bytes = b'{"kind":"native","writer":{}}'
    values: bytes = b""
    created: float = 1.0
    seconds: float = 1.5

    def joined(self, **numbers: int) -> bytes:
        """The entry, consistent as far as the numbers, by the names of `NUMBERS`, do not say otherwise."""
        texts = (self.key, self.described, self.values, self.body)
        right = dict(zip(NUMBERS[1:], map(len, texts), strict=True))
        end = 72 + sum(map(len, texts))
        rest = b"" if self.buffers is None else bytes(-end % ALIGNMENT) + self.buffers
        right["size"] = end + len(rest)
        size, key, described, values, body = [{**right, **numbers}[name] for name in NUMBERS]
        front = struct.pack("<IQddIIQ", key, size, self.created, self.seconds, described, values, body)
        return sealed(front + b"".join(texts) + rest)

    def change(self, **changes: Any) -> Parts:
        """With another description: with other fields in it, or without those that are given as ``...``."""
        fields = {**json.loads(self.described), **changes}
        return self._replace(described=dumped({name: each for name, each in fields.items() if each is not ...}))


NUMBERS = ("size", "key_length", "described_length", "values_length", "body_length")


def dumped(tree: object) -> bytes:
    """JSON that may hold half a surrogate pair, NaN and infinities."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def parts_of(data: bytes) -> Parts:
    """The parts of a good entry."""
    key, size, created, seconds, *lengths = struct.unpack_from("<IQddIIQ", data, 28)
    assert size == len(data)
    ends = list(itertools.accumulate((key, *lengths), initial=72))
    key, described, values, body = [data[start:end] for start, end in itertools.pairwise(ends)]
    buffers = None if ends[-1] == size else data[ends[-1] + -ends[-1] % ALIGNMENT :]
    return Parts(body, buffers, key, described, values, created, seconds)


def sealed(rest: bytes, *, magic: bytes = b"\x89STORED\n", version: int = 2) -> bytes:
    """Anything, with the right checksum."""
    return struct.pack("<8sI", magic, version) + xxhash.xxh3_128_digest(rest) + rest


def forged(tree: bytes | list[Any] | str, data: bytes | None = None) -> bytes:
    """An entry with this tree and one buffer."""
    return Parts(tree if isinstance(tree, bytes) else json.dumps(tree).encode(), data).joined()
