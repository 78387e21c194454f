"""What must hold when any bytes at all are decoded as an entry."""

from __future__ import annotations

import hmac  # noqa: F401  # so that it is there, as after the first signature
import json
import pickle
import struct
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import xxhash

from stored._keys import Key, Space
from stored._storage import PersistentTier, listing, native, signing
from stored._storage.format import ALIGNMENT, FORMAT_VERSION, MAGIC, pack, unpack
from stored.errors import EntryError

KEY = Key(Space("fuzz", "owner", "owner(1.0)"), "method", "fuzz.Owner.method", "1", (("x", "2"),))

USUAL_HEADER = b'{"key":"KEY","kind":"native","body":["START","LENGTH"],"size":"SIZE","seconds":0.5,"writer":{}}'

_MEMORY_PER_BYTE = 200
"""Of JSON: two bytes of it, as in ``[{},{}]``, can make an object of 64, which is then copied."""

_MEMORY_BESIDES = 1 << 16


class _Tier(PersistentTier):
    """With a secret that made no signature in any corpus, and no key file."""

    def _verify(self, text: str, body: bytes, signature: object) -> None:
        signing.verify(b"of no one else, and 32 bytes long", text, body, signature)


_tier = _Tier("rw")


def check(data: bytes) -> None:
    """Decode bytes as an entry, and as the content of one, and require that nothing else happens than may.

    Raises
    ------
    Exception
        Whatever the decoder raises that is no `EntryError`; an `AssertionError` if it does, returns or uses what it
        must not.
    """
    for entry in (data, entry_of(data)):
        try:
            with _guarded(len(entry)):
                listing.key_in_header({"key": {}, **unpack(entry, verify=False).header})
                value = decoded(entry)
        except EntryError:
            continue
        form = _form(value)
        assert _form(_packed_and_unpacked(value)) == form


def decoded(entry: bytes) -> Any:
    """The value of an entry, as the library decodes it for the key."""
    return _tier._result(KEY, unpack(entry)).value


def entry_of(content: bytes) -> bytes:
    """An entry with this content: a line of header, a line of tree, and the buffers.

    All that depends on lengths or on the key is made right: the prefix, and in the header the values ``"KEY"``,
    ``"START"``, ``"LENGTH"`` and ``"SIZE"``. An empty line of header stands for the usual one.
    """
    head, _, rest = content.partition(b"\n")
    tree, _, buffers = rest.partition(b"\n")
    head = (head or USUAL_HEADER).replace(b'"KEY"', json.dumps(KEY.as_json()).encode())
    for name in (b'"START"', b'"LENGTH"', b'"SIZE"'):
        head = head.replace(name, name.center(12))  # room for any number
    body = tree + bytes(-len(tree) % ALIGNMENT) + buffers if buffers else tree
    start = 32 + len(head) + -(32 + len(head)) % ALIGNMENT
    for name, number in ((b'"START"', start), (b'"LENGTH"', len(tree)), (b'"SIZE"', start + len(body))):
        head = head.replace(name.center(12), b"%12d" % number)
    front = struct.pack("<8sII", MAGIC, FORMAT_VERSION, len(head))
    rest = head.ljust(start - 32, b"\0") + body
    return front + xxhash.xxh3_128_digest(front + rest) + rest


@contextmanager
def _guarded(size: int) -> Iterator[None]:
    """No file is opened, no pickle loaded, nothing imported or run, and memory is bounded by the size of the entry."""
    global _seen
    _seen, traced = [], tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        with mock.patch.object(pickle, "loads", _loads):
            yield
    finally:
        taken = tracemalloc.get_traced_memory()[1] - before
        seen, _seen = _seen, None
        if not traced:
            tracemalloc.stop()
        assert not seen, seen
        assert taken <= _MEMORY_PER_BYTE * size + _MEMORY_BESIDES, f"{taken} bytes for an entry of {size}"


_seen: list[str] | None = None
_FORBIDDEN = ("open", "os.", "pickle.", "import", "exec", "compile", "subprocess.", "socket.", "ctypes.", "mmap.")


def _audit(event: str, _: Any = ()) -> None:
    if _seen is not None and event.startswith(_FORBIDDEN):
        _seen.append(event)


sys.addaudithook(_audit)


def _loads(_: bytes) -> None:
    _audit("pickle.loads")


def _packed_and_unpacked(value: Any) -> Any:
    body, buffers = native.pack_native(value)
    return native.unpack_native(unpack(b"".join(pack({}, body, buffers))))


def _form(value: Any) -> Any:
    """What tells a native value from all others, to the last bit, and can be compared; sets have no order."""
    kind: Any = type(value)
    if kind in (tuple, list):
        return kind, tuple(map(_form, value))
    if kind is dict:
        return kind, tuple((_form(key), _form(each)) for key, each in value.items())
    if kind in (set, frozenset):
        return kind, frozenset(Counter(map(_form, value)).items())
    if kind is np.ndarray:
        assert not value.flags.writeable
        assert not value.dtype.hasobject
        layout = (value.flags.c_contiguous, value.flags.f_contiguous)
        return kind, repr(value.dtype), value.shape, layout, value.tobytes("A") if value.nbytes else b""
    if kind in (np.str_, np.bytes_):
        return kind, value[:]
    if isinstance(value, np.generic):
        assert kind is value.dtype.type
        assert not value.dtype.hasobject
        return kind, repr(value.dtype), value.tobytes()
    if kind is float:
        return kind, struct.pack("<d", value)
    if kind is complex:
        return kind, _form(value.real), _form(value.imag)
    assert kind in (type(None), bool, int, str, bytes), f"{kind} is not native"
    return kind, value
