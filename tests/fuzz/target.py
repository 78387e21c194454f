"""What must hold when any bytes at all are decoded as an entry."""

from __future__ import annotations

import hmac  # noqa: F401  # so that it is there, as after the first signature
import pickle
import struct
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import numpy as np

from stored._adapters import adapter_named, adapter_of, registry
from stored._keys import Key, Space
from stored._storage import codecs, listing, native, signing
from stored._storage.format import describe, pack, unpack
from stored.errors import EntryError
from tests.storage.entries import Parts

KEY = Key(Space("fuzz", "owner", "owner(1.0)"), "method", "fuzz.Owner.method", "1", (("x", "2"),))

USUAL = Parts(b"", key=KEY.data, values=b'{"parameters":{},"arguments":{"x":2}}')

repeated_bytes = 16_000
"""Of a part in which a unit is repeated; with more, the fuzzer would make few runs."""

_MEMORY_PER_BYTE = 100
"""As the specification of the format has it."""

_MEMORY_BESIDES = 1 << 16


for part in registry._LIBRARIES:  # what knows the types of other libraries is imported when an entry first names one
    adapter_named(f"{part}.Type")


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
                with suppress(EntryError):
                    listing._header_in(unpack(entry, verify=False), "name")
                value = decoded(entry)
        except EntryError:
            continue
        form = _form(value)
        assert _form(_packed_and_unpacked(value)) == form


def decoded(entry: bytes) -> Any:
    """The value of an entry, as the library decodes it for the key."""
    return codecs.decode(KEY, entry, None, _verify)[0]


def _verify(key: bytes, body: bytes, signature: object) -> None:
    """With a secret that made no signature in any corpus, and no key file."""
    signing.verify(b"of no one else, and 32 bytes long", key, body, signature)


def entry_of(content: bytes) -> bytes:
    """An entry with this content: a line of header, a line of tree, and the buffers.

    The header is description, values and key, with tabs between; what is empty or not there is as usual. A part
    ``*start*unit*end`` has the unit in it again and again, so that few bytes stand for a long one. Lengths, numbers and
    checksum are made right.
    """
    head, _, rest = content.partition(b"\n")
    tree, has_buffers, buffers = rest.partition(b"\n")
    described, values, key = (*map(_repeated, head.split(b"\t", 2)), b"", b"")[:3]
    return Parts(
        _repeated(tree),
        buffers if has_buffers else None,
        key or USUAL.key,
        described or USUAL.described,
        values or USUAL.values,
    ).joined()


def _repeated(part: bytes) -> bytes:
    if part[:1] != b"*" or part.count(b"*") < 3:
        return part
    _, start, unit, end = part.split(b"*", 3)
    return start + unit * (repeated_bytes // max(len(unit), 1)) + end


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
    parts, _ = pack(b"", describe("native", {}), b"", body, buffers)
    return native.unpack_native(unpack(b"".join(parts)))


def _form(value: Any, is_read: bool = True) -> Any:
    """What tells a native value from all others, to the last bit, and can be compared; sets have no order.

    Of a value of a registered type, that is what it is encoded as, which is not read from an entry.
    """
    kind: Any = type(value)
    if kind in (tuple, list):
        return kind, tuple(_form(each, is_read) for each in value)
    if kind is dict:
        return kind, tuple((_form(key, is_read), _form(each, is_read)) for key, each in value.items())
    if kind in (set, frozenset):
        return kind, frozenset(Counter(map(_form, value)).items())
    if kind is np.ndarray:
        assert not (is_read and value.flags.writeable)
        assert not value.dtype.hasobject
        layout = (value.flags.c_contiguous, value.flags.f_contiguous) if is_read else ()
        return (
            kind,
            repr(value.dtype),
            value.shape,
            layout,
            value.tobytes("A" if is_read else "C") if value.nbytes else b"",
        )
    if kind in (np.str_, np.bytes_):
        return kind, value[:]
    if isinstance(value, np.generic) and kind is not np.record:
        assert kind is value.dtype.type
        assert not value.dtype.hasobject
        return kind, repr(value.dtype), value.tobytes()
    if kind is float:
        return kind, struct.pack("<d", value)
    if kind is complex:
        return kind, _form(value.real), _form(value.imag)
    if kind in (type(None), bool, int, str, bytes):
        return kind, value
    adapter = adapter_of(kind)
    assert adapter is not None and adapter.encode is not None, f"{kind} is neither native nor registered"  # noqa: PT018
    return kind, adapter.name, _form(adapter.encode(value), is_read=False)
