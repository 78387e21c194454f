r"""Which bytes are an entry? The specification of the format: one value with its key, described and checksummed.

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
since 1970), ``seconds`` (how long computing it took), ``writer`` (versions of the programs that wrote it) and, for a
pickle, ``signature`` (HMAC-SHA-256 in hex). It suffices to list an entry and to decide whether to use it.

The tree of a native value, which `stored._storage.native` writes and reads, is JSON: null, true, false, strings,
integers below 2**53 and finite floats stand for themselves, and everything else is a list that begins with a tag:

=============================================== =============================================================
``["int", hex]``, ``["float", hex]``            a large integer; NaN and infinities, as 16 hex digits
``["complex", hex, hex]``                       real and imaginary part
``["bytes", offset, length]``                   a buffer
``["tuple", items...]``, ``["list", items...]`` also ``"set"`` and ``"frozenset"``
``["dict", key, value, ...]``                   in the order of the dict
``["array", descr, shape, order, offset, n]``   `descr` as in numpy's own format; order ``"C"`` or ``"F"``
``["scalar", descr, hex]``                      a numpy scalar, except these two:
``["str_", text]``, ``["bytes_", offset, n]``   in an array they would lose NULs at their end
=============================================== =============================================================

An offset in the tree counts from the end of the body, rounded up to a multiple of 64. No node
is inside more than 64 containers.

Nothing of a native value is ever unpickled or evaluated. Every length, dtype and shape is compared with the bytes at
hand before it is used.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import xxhash

from stored.errors import DamagedEntryError
from stored.typing import Buffer

__all__ = ["MAX_HEADER_BYTES", "Entry", "align", "checked_slice", "dump_json", "load_json", "pack", "unpack"]

MAGIC = b"\x89STORED\n"

FORMAT_VERSION = 1

MAX_HEADER_BYTES = 1 << 20

ALIGNMENT = 64

_JSON = json.JSONDecoder()

_PREFIX = struct.Struct("<8sII16s")


class Entry:
    """The header and the bytes of an entry.

    Parameters
    ----------
    header : dict
        The fields that the module's docstring describes.
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
        return checked_slice(self.data, *span)

    def buffers_after(self, body: memoryview) -> memoryview:
        """The bytes from which offsets in the tree count: those after the body, from a multiple of 64 on."""
        start = align(self.header["body"][0] + body.nbytes)
        return self.data[min(start, self.data.nbytes) :]


def pack(header: Mapping[str, Any], body: Buffer, buffers: list[memoryview]) -> list[Buffer]:
    """The bytes of an entry, in parts to be written one after another.

    Parameters
    ----------
    header : mapping
        All fields of the header, except ``body`` and ``size``.
    body : bytes-like
        The tree of a native value, or a pickle.
    buffers : list of memoryview
        The buffers that the tree refers to.

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

    The sizes stand in the header, and depend on its length; after a few rounds they agree.
    """
    start = 0
    while True:
        head = dump_json({**header, "body": [start, body_length], "size": start + data_length})
        needed = align(_PREFIX.size + len(head))
        if needed <= start:
            break
        start = needed
    if len(head) > MAX_HEADER_BYTES:
        raise ValueError(
            f"the key of this result takes {len(head)} bytes, more than the {MAX_HEADER_BYTES} a header may have;"
            " shorten the hashable string"
        )
    return head, start


def align(offset: int) -> int:
    """The next multiple of `ALIGNMENT`, or the offset itself if it is one."""
    return offset + -offset % ALIGNMENT


def _checksum(front: bytes, parts: list[Any]) -> bytes:
    state = xxhash.xxh3_128(front)
    for part in parts:
        state.update(part)
    return state.digest()


def dump_json(tree: object) -> bytes:
    """JSON as entries contain it: compact, in UTF-8; half a surrogate pair is kept as it is."""
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def unpack(source: Buffer, *, verify: bool = True) -> Entry:
    """Check bytes and read the header.

    Parameters
    ----------
    source : bytes-like
        The bytes of a whole entry; with ``verify=False``, its beginning up to the end of the header is enough.
    verify : bool
        Check size and checksum. Without this, the header may be used for listing only.

    Raises
    ------
    DamagedEntryError
        If these are not bytes that `pack` made in this version of the format.
    """
    # numpy could make an array on a read-only view of a writable buffer writable again
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
    head = checked_slice(data, _PREFIX.size, length)
    if verify and _checksum(bytes(data[:16]), [data[_PREFIX.size :]]) != checksum:
        raise DamagedEntryError("its checksum does not match its content")
    header = load_json(head)
    if not isinstance(header, dict):
        raise DamagedEntryError("its header is not an object")
    if verify and header.get("size") != data.nbytes:
        raise DamagedEntryError(f"it has {data.nbytes} bytes, and its header says {header.get('size')!r}")
    return Entry(header, data)


def load_json(data: memoryview) -> Any:
    """What `dump_json` wrote; anything else is a `DamagedEntryError`."""
    try:
        text = str(data, "utf-8", "surrogatepass")
        found, end = _JSON.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise DamagedEntryError(f"it holds no readable JSON ({error})") from None
    if end != len(text):
        raise DamagedEntryError(f"it holds no readable JSON (more follows after {end} characters)")
    return found


def checked_slice(data: memoryview, start: object, length: object) -> memoryview:
    """A part of the data; one that is not within the data is a `DamagedEntryError`."""
    if type(start) is not int or type(length) is not int or start < 0 or length < 0 or start + length > data.nbytes:
        raise DamagedEntryError(f"{length!r} bytes at {start!r} are not within the {data.nbytes} there are")
    return data[start : start + length]
