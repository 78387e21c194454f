r"""Which bytes are an entry? The specification of the format: one value with its key, described and checksummed.

All integers are little-endian and unsigned, all texts UTF-8, in which half a surrogate pair is a character like others.

======== ====== =========================================================================
offset   bytes  content
======== ====== =========================================================================
0        8      magic, ``b"\x89STORED\n"``
8        4      format version, now 2
12       16     xxh3-128 (canonical form) of all that follows
28       4      length of the key
32       8      size of the whole entry
40       8      when it was written: seconds since 1970, a double
48       8      how many seconds computing the value took, a double
56       4      length of the description
60       4      length of the values
64       8      length of the body
72              key: the bytes of the full key, `stored._keys.Key.data`
...             description: JSON, an object
...             values: JSON, an object
...             body: JSON, the tree of a native value (or a pickle)
...             buffers, each at a multiple of 64, with zero bytes between
======== ====== =========================================================================

Key, description and values together take at most `MAX_HEADER_BYTES` (1 MiB), and of these the description and the
values at most `MAX_PART_BYTES` (64 KiB) each; with the numbers before them they suffice to list an entry and to decide
whether to use it.

- Equal keys have equal bytes, so a comparison of bytes compares the key in full.
- The description decides how the value is loaded: ``kind`` (``"native"`` or ``"pickle"``), ``writer`` (versions of the
  programs that wrote it, and as ``adopted`` that of earlier code whose result was taken over) and, for a pickle,
  ``signature`` (HMAC-SHA-256 in hex). Nothing in it differs between the native values that one program writes.
- The values, ``{"parameters": {name: value}, "arguments": {name: value}}``, are for listings alone. A value is a
  number, a text, null, true, false or a short list of these, and ``{"text": canonical text}`` if it is anything else.

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
``["registered", name, code, tree]``            a value of a registered type, and what it is encoded as
=============================================== =============================================================

An offset in the tree counts from the end of the body, rounded up to a multiple of 64.

A registered type has a name: its module and its own for one that somebody has registered, a name that stays the same
for one that is known here (``"pandas.DataFrame"``). The code is the digest of the functions that encode and decode its
values, in hex, and empty for those that are known here; what other functions have written is not read. The tree is that
of the plain values and arrays that `encode` has returned; such a node counts as a container.

Nothing of a native value is ever unpickled or evaluated, and nothing in it says what is imported or called: the name of
a type is looked up among those that are registered, whose `decode` is all that runs. Every length, dtype and shape is
compared with the bytes at hand before it is used, the size of the whole even before the checksum is computed. An entry
from anybody may cost time and memory in proportion to its size (that of its file, with the holes in it), and no more:

- Each buffer begins where the one before it in the tree ends, rounded up to a multiple of 64, the first at 0. The entry
  ends with the last buffer, or with the body if there is none.
- No node is inside more than 64 containers, and no dtype inside more than `dtypes.MAX_DTYPE_DEPTH` (16) others. JSON is
  nested at most `MAX_NESTING` (128) deep, and an integer in it has at most `MAX_DIGITS` (4300) digits.
- A dtype of times has one of numpy's units, after a multiple that is not 0, or none.
- The items of an array, with those of fields and subarrays counted one by one, are at most
  `dtypes.MAX_ITEMS_WITHOUT_BYTES` (2**20) more than its bytes; for this, a dimension of length 0 counts as one of 1.
- Of the elements of a set, or the keys of a dict, at most `hashes.MAX_SAME_HASH` (100) have the same hash, and at most
  `hashes.MAX_CHOSEN` (2**14) are neither texts nor bytes. (Without the second rule, 2**17 of them could take 20 s.)
  Frozen sets are in at most `hashes.MAX_SET_DEPTH` (3) others, and of elements that hold some at most
  `hashes.MAX_SETS_OF_SAME_HASH` (4) have the same hash.
- The functions that decode types known here check types, lengths and shapes before they make a value, and take time and
  memory in proportion to what they are given. For those that somebody else has registered, that is up to him.

A value that would break one of these rules has no native form, and is pickled. To read an entry of N bytes takes at
most 100 N bytes of memory beside it, and 64 KiB: JSON of three bytes, ``[],``, becomes a list of 64.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from xxhash import xxh3_128, xxh3_128_digest

from stored._bounded_json import parse_json
from stored._entry_form import ENTRY_MAGIC
from stored.errors import DamagedEntryError, shortened
from stored.typing import Buffer

__all__ = [
    "ALIGNMENT",
    "MAX_HEADER_BYTES",
    "MAX_PART_BYTES",
    "Description",
    "Entry",
    "describe",
    "dump_json",
    "excerpt",
    "header_end",
    "load_json",
    "pack",
    "unpack",
]

FORMAT_VERSION = 2

MAX_HEADER_BYTES = 1 << 20

MAX_PART_BYTES = 1 << 16

MAX_SECONDS = 1e12
"""An entry that says that computing took longer is damaged."""

ALIGNMENT = 64

_START = struct.Struct("<8sI16s")  # what the checksum does not cover

_NUMBERS = struct.Struct("<IQddIIQ")  # key length, size, created, seconds, lengths of description, values and body

_FRONT = struct.Struct(_START.format + _NUMBERS.format[1:])

# what is written has no cycles: `native` and `listed_values` bound the depth


def _prepared_encoder() -> Callable[[object, int], Iterable[str]]:
    """A function that makes parts of JSON, for which `JSONEncoder.encode` would make a new encoder for each text.

    It takes a tree, and a number that counts only where texts are indented.
    """
    plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # as in other implementations of Python
        return lambda tree, _: [plain.encode(tree)]
    encode: Callable[[object, int], Iterable[str]]
    encode = make(None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return encode


_ENCODE = _prepared_encoder()

_PARSED_ONCE = 4096
"""The description of this many bytes or fewer is parsed once, as long as it is in use."""


class Description(NamedTuple):
    """What decides how the value of an entry is loaded.

    Parameters
    ----------
    kind : {"native", "pickle"}
        How the value is written.
    writer : mapping
        The programs that wrote it, with their versions.
    signature : object
        Of a pickle, what should be its HMAC.
    """

    kind: str
    writer: Mapping[str, Any]
    signature: object


class Entry:
    """The parts of an entry.

    Parameters
    ----------
    data : bytes or memoryview
        All bytes of the entry, read-only.
    created, seconds : float
        When it was written, and how long computing the value took.
    key_end, described_end, values_end, body_end : int
        Where key, description, values and body end.

    Attributes
    ----------
    key : bytes
        The bytes of the key.
    body : bytes
        The tree or the pickle.
    buffers_start : int
        Where the bytes begin from which offsets in the tree count: after the body, at a multiple of 64.
    """

    __slots__ = ("_described", "_ends", "body", "buffers_start", "created", "data", "key", "seconds")

    def __init__(
        self,
        data: bytes | memoryview,
        created: float,
        seconds: float,
        key_end: int,
        described_end: int,
        values_end: int,
        body_end: int,
    ) -> None:
        self.created = created
        self.seconds = seconds
        self.key = bytes(data[_FRONT.size : key_end])
        self.body = bytes(data[values_end:body_end])
        self.buffers_start = body_end + -body_end % ALIGNMENT
        self.data = data
        self._described = bytes(data[key_end:described_end])
        self._ends = described_end, values_end

    def description(self) -> Description:
        """The description; a `DamagedEntryError` if there is none."""
        found = self._described
        return _parsed_once(found) if len(found) <= _PARSED_ONCE else _description(found)

    def values(self) -> Any:
        """The JSON of the values; a `DamagedEntryError` if it is none."""
        return load_json(bytes(self.data[slice(*self._ends)]))

    def ends_with_body(self) -> bool:
        """Does nothing follow the body?"""
        return self._ends[1] + len(self.body) == len(self.data)


def _description(data: bytes) -> Description:
    found = load_json(data)
    if not isinstance(found, dict):
        raise DamagedEntryError("its description is not an object")
    kind, writer = found.get("kind"), found.get("writer")
    if kind != "native" and kind != "pickle":
        raise DamagedEntryError(f"its kind is {excerpt(repr(kind))}, neither native nor pickle")
    if not isinstance(writer, dict):
        raise DamagedEntryError("it does not say who wrote it")
    return Description(kind, writer, found.get("signature"))


_parsed_once = functools.lru_cache(maxsize=64)(_description)


def describe(kind: str, writer: Mapping[str, str], signature: str | None = None) -> bytes:
    """The bytes of a description."""
    found = {"kind": kind, "writer": writer}
    return dump_json(found if signature is None else {**found, "signature": signature})


def pack(
    key: bytes,
    described: bytes,
    values: bytes,
    body: bytes,
    buffers: list[memoryview],
    created: float = 0.0,
    seconds: float = 0.0,
) -> tuple[list[Buffer], int]:
    """The bytes of an entry, in parts to be written one after another, and their number.

    Parameters
    ----------
    key, described, values : bytes
        What the module's docstring says of them; for the values, an object or nothing.
    body : bytes
        The tree of a native value, or a pickle.
    buffers : list of memoryview
        The buffers that the tree refers to.
    created, seconds : float
        When it is written, and how long computing the value took.

    Raises
    ------
    ValueError
        If key, description and values are longer than `MAX_HEADER_BYTES`.
    """
    length = len(key) + len(described) + len(values)
    if length > MAX_HEADER_BYTES:
        raise ValueError(
            f"the key of this result takes {length} bytes, more than the {MAX_HEADER_BYTES} a header may have;"
            " shorten the hashable string"
        )
    parts: list[Buffer] = [body]
    size = _FRONT.size + length + len(body)
    for buffer in buffers:
        gap = -size % ALIGNMENT
        if gap:
            parts.append(bytes(gap))
        parts.append(buffer)
        size += gap + buffer.nbytes
    numbers = _NUMBERS.pack(len(key), size, created, seconds, len(described), len(values), len(body))
    head = b"".join((numbers, key, described, values))
    checksum = xxh3_128(head)
    for part in parts:
        checksum.update(part)
    return [_START.pack(ENTRY_MAGIC, FORMAT_VERSION, checksum.digest()) + head, *parts], size


def dump_json(tree: object) -> bytes:
    """JSON as entries contain it: compact, in UTF-8; half a surrogate pair is kept as it is."""
    return "".join(_ENCODE(tree, 0)).encode("utf-8", "surrogatepass")


def unpack(source: Buffer, *, verify: bool = True) -> Entry:
    """Check bytes, and find the parts of the entry.

    Parameters
    ----------
    source : bytes-like
        The bytes of a whole entry; with ``verify=False``, its beginning up to the end of the values is enough.
    verify : bool
        Check size and checksum. Without this, the entry may be used for listing only.

    Raises
    ------
    DamagedEntryError
        If these are not bytes that `pack` made in this version of the format.
    """
    data: bytes | memoryview
    if type(source) is bytes:
        data = source
    else:
        data = memoryview(source)
        # numpy could make an array on a read-only view of a writable buffer writable again
        data = data.cast("B") if data.readonly else bytes(data)
    size = len(data)
    if size < _FRONT.size:
        raise _front_error(data)
    front = _FRONT.unpack_from(data)
    magic, version, checksum, key_length, said_size, created, seconds, described_length, values_length, length = front
    if magic != ENTRY_MAGIC or version != FORMAT_VERSION:
        raise _front_error(data)
    key_end = _FRONT.size + key_length
    described_end = key_end + described_length
    values_end = described_end + values_length
    body_end = values_end + length
    if values_end > _LONGEST_START or described_length > MAX_PART_BYTES or values_length > MAX_PART_BYTES:
        raise _header_error(key_length, described_length, values_length)
    if said_size != size if verify else values_end > size:
        raise DamagedEntryError(f"it has {size} bytes, and says that they are {said_size}")
    if body_end > said_size:
        raise DamagedEntryError(f"it has {said_size} bytes, and says that its body ends after {body_end}")
    if verify and xxh3_128_digest(memoryview(data)[_START.size :]) != checksum:
        raise DamagedEntryError("its checksum does not match its content")
    if not 0 <= seconds <= MAX_SECONDS:
        raise DamagedEntryError(f"it says that computing took {seconds} s")
    return Entry(data, created, seconds, key_end, described_end, values_end, body_end)


_LONGEST_START = _FRONT.size + MAX_HEADER_BYTES


def header_end(start: Buffer) -> int:
    """How many of an entry's first bytes suffice for a listing.

    Raises
    ------
    DamagedEntryError
        If it does not begin as an entry does.
    """
    data = bytes(memoryview(start)[: _FRONT.size])
    if len(data) < _FRONT.size or _START.unpack_from(data)[:2] != (ENTRY_MAGIC, FORMAT_VERSION):
        raise _front_error(data)
    key_length, _, _, _, described_length, values_length, _ = _NUMBERS.unpack_from(data, _START.size)
    end: int = _FRONT.size + key_length + described_length + values_length
    return min(end, _LONGEST_START)


def _header_error(key: int, described: int, values: int) -> DamagedEntryError:
    return DamagedEntryError(
        f"a header with a key of {key} bytes, a description of {described} and values of {values} is longer than"
        f" {MAX_HEADER_BYTES}, or than {MAX_PART_BYTES} for one of the last two"
    )


def _front_error(data: bytes | memoryview) -> DamagedEntryError:
    """What is wrong with the first bytes."""
    if len(data) < len(ENTRY_MAGIC) + 4:
        return DamagedEntryError(f"{len(data)} bytes are too few for an entry")
    if data[: len(ENTRY_MAGIC)] != ENTRY_MAGIC:
        return DamagedEntryError("it does not begin as an entry does")
    version = int.from_bytes(data[len(ENTRY_MAGIC) : len(ENTRY_MAGIC) + 4], "little")
    if version != FORMAT_VERSION:
        return DamagedEntryError(f"format version {version} was found; this release reads version {FORMAT_VERSION}")
    return DamagedEntryError(f"{len(data)} bytes are too few for an entry")


def load_json(data: bytes) -> Any:
    """What `dump_json` wrote; anything else is a `DamagedEntryError`."""
    try:
        return parse_json(data)
    except (ValueError, RecursionError) as error:
        raise DamagedEntryError(f"it holds no readable JSON ({error})") from None


def excerpt(text: str) -> str:
    """A text out of an entry as messages contain it: its beginning, if it is long."""
    return shortened(text, _LONGEST_EXCERPT)


_LONGEST_EXCERPT = 100
