"""An entry comes back with all its parts, and bytes that are not what was written are refused."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._storage import format as entry_format
from stored._storage.format import ALIGNMENT, MAX_HEADER_BYTES, MAX_PART_BYTES, describe, header_end, pack, unpack
from stored._storage.native import pack_native, unpack_native
from stored.errors import DamagedEntryError
from tests.storage.entries import Parts, entry_of, identical, parts_of, sealed

raw = st.binary(max_size=200)


@settings(max_examples=50, deadline=None)
@given(raw, raw, st.floats(0, 1e12), st.floats())
def test_parts_come_back(key: bytes, values: bytes, seconds: float, created: float) -> None:
    """All parts come back whole, whatever their lengths; for a listing the beginning suffices."""
    body, buffers = pack_native(np.arange(3.0))
    parts, size = pack(key, describe("native", {"x": "1"}), values, body, buffers, created, seconds)
    data = b"".join(map(bytes, parts))
    end = 72 + len(key) + len(describe("native", {"x": "1"})) + len(values)
    assert size == len(data)
    assert len(data) % 8 == (size - 24) % ALIGNMENT == 0
    for entry in (unpack(data), unpack(data[:end], verify=False)):
        assert (entry.key, entry.seconds) == (key, seconds)
        assert identical(entry.created, created)
        assert entry.description() == ("native", {"x": "1"}, None)
        assert bytes(data[end - len(values) : end]) == values
    assert json.loads(bytes(unpack(data).body))[0] == "array"
    assert identical(unpack_native(unpack(data)), np.arange(3.0))
    with pytest.raises(DamagedEntryError):
        unpack(data[: end - 1], verify=False)


def test_the_front_has_a_limit() -> None:
    """A key up to the limit is written and read; a longer one is a ValueError that names the remedy."""
    frame = len(describe("native", {})) + 2
    longest = b"x" * (MAX_HEADER_BYTES - frame)
    assert unpack(entry_of(None, longest)).key == longest
    with pytest.raises(ValueError, match="shorten the hashable string"):
        entry_of(None, longest + b"x")


@pytest.mark.parametrize("pad", [0, 10_000])
def test_descriptions_are_parsed_once(pad: int) -> None:
    """What decides how to load is parsed once for all entries that have the same; a long one is not kept."""
    data = Parts(b"1").change(pad="p" * pad).joined()
    one, other = (unpack(data).description() for _ in range(2))
    assert one == other == ("native", {}, None)
    assert (one is other) is (pad == 0)


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
    """Without verification too, cut and altered beginnings give an entry or a DamagedEntryError."""
    data = entry_of(1, b"k")
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 0xFF
        for source in (altered, data[:position]):
            with contextlib.suppress(DamagedEntryError):
                entry = unpack(source, verify=False)
                assert len(entry.key) < len(data)
                assert entry.description().kind == "native"


# -- forgeries: the checksum is right, the content is not -------------------------------------------------------------

GOOD = Parts(b"[1]]", bytes(64))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too few"),
        (b"\x89STORED\n", "too few"),
        (b"\x89STORED\n\2\0\0\0", "too few"),
        (sealed(bytes(43)), "71 bytes are too few"),
        (sealed(bytes(44), magic=b"notmagic"), "does not begin"),
        (sealed(b"", magic=b"notmagic"), "does not begin"),
        (sealed(bytes(44), version=3), r"format version 3 was found; this release reads version 2"),
        (sealed(b"", version=1), "format version 1 was found"),
        (GOOD.joined(key_length=MAX_HEADER_BYTES + 1), "is longer than"),
        (GOOD.joined(described_length=2**32 - 1), "is longer than"),
        (GOOD.joined(values_length=MAX_HEADER_BYTES), "is longer than"),
        (GOOD.joined(described_length=MAX_PART_BYTES + 1), "is longer than"),
        (GOOD.joined(values_length=MAX_PART_BYTES + 1), "is longer than"),
        (GOOD.joined(values_length=60_000), "it has 320 bytes, and says that its body ends"),
        (GOOD.joined(body_length=2**64 - 1), "it has 320 bytes, and says that its body ends"),
        (GOOD.joined(size=0), "says that they are 0"),
        (GOOD.joined(size=319), "says that they are 319"),
        (GOOD.joined(size=2**64 - 1), "says that they are"),
        *[(GOOD._replace(seconds=n).joined(), "computing took") for n in (-1.0, 1e13, math.inf, -math.inf, math.nan)],
    ],
)
def test_forged_fronts_are_refused(data: bytes, message: str) -> None:
    """Numbers that do not fit the bytes are a DamagedEntryError that says what was found."""
    with pytest.raises(DamagedEntryError, match=message):
        unpack(data)


def test_sizes_are_compared_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of bytes with another size than the header says, no checksum is computed, and both sizes are named."""
    monkeypatch.setattr(entry_format, "xxh3_128_digest", None)
    for data in (GOOD.joined(size=16 << 30), GOOD.joined(size=319), GOOD.joined(body_length=16 << 30)):
        with pytest.raises(DamagedEntryError, match=r"it has 320 bytes, and says that"):
            unpack(data)


def test_the_beginning_of_an_entry_says_how_long_it_is() -> None:
    """So many of an entry's bytes suffice for a listing; they are at most as many as a header may have."""
    data = entry_of([1], b"k" * 5000, b"{}")
    end = header_end(data[:72])
    assert unpack(data[:end], verify=False).key == b"k" * 5000
    with pytest.raises(DamagedEntryError):
        unpack(data[: end - 1], verify=False)
    assert header_end(memoryview(GOOD.joined(key_length=2**32 - 1))) == 72 + MAX_HEADER_BYTES
    for other in (b"", data[:71], b"x" + data, sealed(bytes(44), version=1)):
        with pytest.raises(DamagedEntryError, match=r"too few|does not begin|version 1"):
            header_end(other)


def test_the_forger_knows_the_format() -> None:
    """What is forged in these tests is a good entry but for the part that is wrong."""
    assert unpack_native(unpack(Parts(b'["list",1]').joined())) == [1]
    data = entry_of(np.arange(3.0), b"k", b"v")
    assert parts_of(data).joined() == data


@pytest.mark.parametrize("lengths", [(values, body) for values in (0, 1, 60) for body in (0, 3, 5, 8)], ids=repr)
def test_forged_lengths_give_no_value(lengths: tuple[int, int]) -> None:
    """Parts that are said to stand elsewhere within the entry hold no tree, and what is read is a DamagedEntryError."""
    values, body = lengths
    entry = unpack(GOOD.joined(values_length=values, body_length=body))
    with pytest.raises(DamagedEntryError):
        unpack_native(entry)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (b"", "no readable JSON"),
        (b"{", "no readable JSON"),
        (b"\xff\xfe", "no readable JSON"),
        (b"[" * 60_000, "no readable JSON"),
        (b'{"kind":"%s"}' % (b"x" * 60_000), "x{99}[.]{3}, neither native nor pickle$"),
        (b"9" * 10_000, "no readable JSON"),
        (b"{} {}", "no readable JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b"{}", "its kind is None"),
        (b'{"kind":["native"]}', "neither native nor pickle"),
        (b'{"kind":"native"}', "does not say who wrote it"),
        (b'{"kind":"pickle","writer":[]}', "does not say who wrote it"),
    ],
)
def test_forged_descriptions_are_refused(described: bytes, message: str) -> None:
    """A description that is none is a DamagedEntryError, and is so again."""
    entry = unpack(GOOD._replace(described=described).joined())
    for _ in range(2):
        with pytest.raises(DamagedEntryError, match=message):
            entry.description()


def test_json_is_the_same_without_the_prepared_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the standard library has no encoder in C, its plain one makes the same text, and refuses the same."""
    tree = ["dict", 'é\ud800"', 1.5, None, True, -3, {"a": [], "b": "\n"}]
    prepared = entry_format._prepared_encoder()
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    plain = entry_format._prepared_encoder()
    expected = '["dict","é\ud800\\"",1.5,null,true,-3,{"a":[],"b":"\\n"}]'
    assert ["".join(encode(tree, 0)) for encode in (prepared, plain)] == [expected] * 2
    for encode in (prepared, plain):
        with pytest.raises(ValueError, match="Out of range"):
            "".join(encode([float("nan")], 0))
