"""A dtype has one description, and a description that could do harm has no dtype."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from stored._storage import dtypes
from stored._storage.dtypes import (
    MAX_DTYPE_DEPTH,
    MAX_ITEMS_WITHOUT_BYTES,
    NotNativeError,
    describe_dtype,
    described_dtype,
    described_shape,
    exceeds_bytes,
)
from stored.errors import DamagedEntryError

UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("multiple", [1, 2, 10, 25, 1_000_000_007, 2**31 - 1])
def test_all_units_of_time_are_described(unit: str, multiple: int) -> None:
    """Dates and durations in each unit that numpy has, and in multiples of it, are described and come back."""
    for kind in "mM":
        dtype = np.dtype(f"{kind}8[{multiple}{unit}]")
        assert described_dtype(describe_dtype(dtype)) == dtype


@pytest.mark.parametrize("unit", ["0s", "00s", "01s", "1s", "-1s", "0Y", "10", "", "s/10", "generic", "μs", "B", "2x"])
def test_other_units_are_refused(unit: str) -> None:
    """A multiple of 0, with which numpy divides, is refused like any other that numpy does not write."""
    for descr in (f"<M8[{unit}]", f">m8[{unit}]", [["a", f"<M8[{unit}]"]]):
        with pytest.raises(DamagedEntryError, match="not the dtype of plain data"):
            described_dtype(descr)


def test_multiples_beyond_those_of_numpy_are_refused() -> None:
    """Numpy itself refuses them."""
    with pytest.raises(TypeError, match="metadata"):
        described_dtype(f"<M8[{2**31}s]")


def nested(depth: int) -> np.dtype[Any]:
    """A dtype inside so many others."""
    dtype = np.dtype("f8")
    for _ in range(depth):
        dtype = np.dtype([("a", dtype, (1,))])
    return dtype


def test_dtypes_are_nested_up_to_a_depth() -> None:
    """A dtype inside more others has no description, and one that is forged is refused."""
    dtype = nested(MAX_DTYPE_DEPTH)
    assert described_dtype(describe_dtype(dtype)) == dtype
    with pytest.raises(NotNativeError):
        describe_dtype(nested(MAX_DTYPE_DEPTH + 2))
    with pytest.raises(DamagedEntryError):
        described_dtype([["a", nested(MAX_DTYPE_DEPTH + 1).descr]])


LIMIT = MAX_ITEMS_WITHOUT_BYTES

WITHOUT_BYTES: list[tuple[Any, tuple[int, ...]]] = [
    ("V0", (LIMIT,)),
    ("f8", (0, LIMIT)),
    ("f8", (LIMIT, 0)),
    ([("a", [], (LIMIT // 4,))], (4,)),
    ([("a", "V0"), ("b", "S0")], (LIMIT // 2,)),
    ([("a", [("b", [], (LIMIT // 16,))], (4,))], (4,)),
    ([("a", "f8", (0, LIMIT // 4))], (4,)),
    ([], (LIMIT,)),
]


@pytest.mark.parametrize(("dtype", "shape"), WITHOUT_BYTES, ids=repr)
def test_items_without_bytes_have_a_limit(dtype: Any, shape: tuple[int, ...]) -> None:
    """Items of no bytes are counted, also those in fields and subarrays, and dimensions beside one of length 0."""
    assert not exceeds_bytes(np.dtype(dtype), shape)
    assert exceeds_bytes(np.dtype(dtype), (*shape, 2))


@pytest.mark.parametrize("dtype", ["f8", "u1", "S3", [("a", "f8"), ("b", "i1")], [("a", "u1", (7,))]], ids=repr)
def test_arrays_with_bytes_have_no_limit(dtype: Any) -> None:
    """An array whose items take bytes may have any number of them."""
    assert not exceeds_bytes(np.dtype(dtype), (1 << 20, 1 << 20))


def test_shapes_have_as_many_lengths_as_numpy_takes() -> None:
    """A list of more lengths, whose product would take long, is none."""
    assert described_shape([1] * 64) == (1,) * 64
    for shape in ([1] * 65, [2**53 - 1] * 200_000):
        with pytest.raises(DamagedEntryError, match="is not a shape") as caught:
            described_shape(shape)
        assert len(str(caught.value)) < 200


def test_no_dtype_of_objects_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if one came through the pattern, bytes are never taken for addresses."""
    monkeypatch.setattr(dtypes, "_PLAIN_DTYPE", re.compile(".*"))
    with pytest.raises(DamagedEntryError, match="not the dtype of plain data"):
        described_dtype("|O")


def test_a_long_description_is_not_repeated() -> None:
    """A message has the beginning of it."""
    for descr in ("<" * 10**6, [["a", "x" * 10**6]], [1] * 10**6, ["x" * 10**6]):
        with pytest.raises((DamagedEntryError, TypeError)) as caught:
            described_dtype(descr)
        assert len(str(caught.value)) < 200
