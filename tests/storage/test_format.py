"""An entry comes back with its header, and bytes that are not what was written are refused."""

from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stored._storage.format import ALIGNMENT, MAX_HEADER_BYTES, unpack
from stored._storage.native import unpack_native
from stored.errors import DamagedEntryError
from tests.storage.entries import entry_of, forged, identical, sealed, texts

headers = st.dictionaries(
    texts.filter(lambda name: name not in {"body", "size"}),
    texts | st.integers(-(2**60), 2**60) | st.none(),
    max_size=5,
)


@settings(max_examples=50, deadline=None)
@given(headers, st.integers(0, 200))
@example({"k": "x" * 9900}, 0)
def test_headers_come_back(header: dict[str, Any], padding: int) -> None:
    """The header comes back whole, with the sizes of the entry, whatever its own length; its beginning suffices."""
    header = {"pad": "p" * padding, **header}
    data = entry_of(np.arange(3.0), **header)
    found = unpack(data).header
    start, length = found["body"]
    assert {**found, **header} == found
    assert found["size"] == len(data)
    assert start % ALIGNMENT == 0
    assert json.loads(data[start : start + length])[0] == "array"
    assert unpack(data[:start], verify=False).header == found
    assert identical(unpack_native(unpack(data)), np.arange(3.0))


def test_a_header_has_a_limit() -> None:
    """A header up to the limit is written and read; a longer one is a ValueError that names the remedy."""
    frame = len(json.dumps({"k": "", "body": [1 << 20, 4], "size": 1 << 20}, separators=(",", ":")))
    longest = "x" * (MAX_HEADER_BYTES - frame - 16)
    assert unpack(entry_of(None, k=longest)).header["k"] == longest
    with pytest.raises(ValueError, match="shorten the hashable string"):
        entry_of(None, k="x" * MAX_HEADER_BYTES)


def test_buffers_that_can_change_are_copied() -> None:
    """An array out of a buffer that others can write to does not change with it, and cannot be written to."""
    data = bytearray(entry_of(np.arange(3)))
    found = unpack_native(unpack(data))
    data[-24:] = bytes(24)
    assert found.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        found.flags.writeable = True


def test_any_buffer_can_be_unpacked() -> None:
    """Entries are read from bytes, bytearrays and memory views of any item."""
    data = entry_of([1, 2])
    views = [data, bytearray(data), memoryview(data), memoryview(data + bytes(-len(data) % 4)).cast("i").cast("B")]
    assert [unpack_native(unpack(view[: len(data)])) for view in views] == [[1, 2]] * 4


SMALL = [
    {"a": 1.5, "b": (None, "é")},
    np.arange(3, dtype=">i2"),
    [b"xy", np.float32(2), 2**70],
]


@pytest.mark.parametrize("value", SMALL, ids=["dict", "array", "mixed"])
def test_every_damage_is_found(value: Any) -> None:
    """No change of a byte and no cut gives anything but a DamagedEntryError."""
    data = entry_of(value)
    for position in range(len(data)):
        for change in (1, 0x80, 0xFF):
            altered = bytearray(data)
            altered[position] ^= change
            with pytest.raises(DamagedEntryError):
                unpack(altered)
        with pytest.raises(DamagedEntryError):
            unpack(data[:position])
    for longer in (data + b"\0", data + data, b"\0" + data):
        with pytest.raises(DamagedEntryError):
            unpack(longer)


def test_listing_a_damaged_beginning() -> None:
    """Without verification too, cut and altered headers give a header or a DamagedEntryError."""
    data = entry_of(1, key="k")
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 0xFF
        for source in (altered, data[:position]):
            with contextlib.suppress(DamagedEntryError):
                assert isinstance(unpack(source, verify=False).header, dict)


# -- forgeries: the checksum is right, the content is not -------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too few"),
        (b"\x89STORED\n", "too few"),
        (sealed(b"{}", magic=b"notmagic"), "does not begin"),
        (struct.pack("<8sII", b"\x89STORED\n", 2, 2) + bytes(18), "format version 2 was found"),
        (sealed(b"{}", length=MAX_HEADER_BYTES + 1), "is longer than"),
        (sealed(b"{}", length=2**32 - 1), "is longer than"),
        (sealed(b"{}", length=3), "are not within"),
        (sealed(b""), "no readable JSON"),
        (sealed(b"{"), "no readable JSON"),
        (sealed(b"\xff\xfe"), "no readable JSON"),
        (sealed(b"[" * 500_000), "no readable JSON"),
        (sealed(b"9" * 10_000), "no readable JSON"),
        (sealed(b"[]"), "not an object"),
        (sealed(b"null"), "not an object"),
        (sealed(b"{}"), "its header says None"),
        (sealed(b'{"size":-1}'), "its header says -1"),
        (sealed(b'{"size":1e999}'), "its header says inf"),
        (sealed(b'{"size":[]}'), "its header says"),
    ],
)
def test_forged_fronts_are_refused(data: bytes, message: str) -> None:
    """A front or a header that does not fit the bytes is a DamagedEntryError that says what was found."""
    with pytest.raises(DamagedEntryError, match=message):
        unpack(data)


BODIES: list[Any] = [None, 3, "ab", {}, [], [256], [256, 4, 0], [256, -1], [-1, 4], [True, 4], [256, True], [256.0, 4]]
BODIES += [["256", 4], [256, 2**70], [2**70, 4], [10**9, 0], [256, None], [[], []], [257, 3], [260, 60]]


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_forged_bodies_are_refused(body: Any) -> None:
    """A body that is not said to stand within the entry, or is no tree, is a DamagedEntryError."""
    entry = unpack(forged(b"[1]]", body=body))
    with pytest.raises(DamagedEntryError):
        unpack_native(entry)
