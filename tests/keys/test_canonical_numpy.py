"""Arrays and scalars of numpy have equal text if and only if they are equal, whatever their layout in memory."""

from __future__ import annotations

import hashlib
import types
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored._keys import canonical
from stored._keys.canonical import Walk
from stored._keys.canonical_numpy import array_text, dtype_text, dtype_value_text
from stored._keys.unstable_values import UnstableValueError
from stored.errors import UnstableKeyError


def test_float32_is_not_the_float_it_was_rounded_from() -> None:
    """The nearest float32 to 0.1 is another number than 0.1, though numpy compares them after rounding."""
    assert canonical(np.float32(0.1)) != canonical(0.1)
    assert canonical(np.float32(0.1)) == "float32(0.1)" != canonical(np.nextafter(np.float32(0.1), np.float32(1)))
    third = np.longdouble(1) / 3
    assert (
        len({canonical(each) for each in (third, np.nextafter(third, np.longdouble(1)), 1 / 3, np.longdouble(1 / 3))})
        >= 3
    )
    assert canonical(Decimal("0.1")) != canonical(0.1)
    assert canonical(Fraction(1, 10**400)) != canonical(Fraction(1, 10**401))


@pytest.mark.parametrize("size", [2, 5000])
def test_an_array_is_its_dtype_shape_and_content(size: int) -> None:
    """Whatever its layout: C, Fortran, strided, reversed or mapped from a file."""
    plain = np.arange(6.0 * size).reshape(2, 3, size)
    strided = np.zeros((4, 3, 2 * size))[::2, :, ::2]
    strided[...] = plain
    texts = {canonical(each) for each in (plain, np.asfortranarray(plain), strided, plain[::-1].copy()[::-1])}
    assert len(texts) == 1
    others = [
        plain.astype(">f8"),
        plain.astype("f4"),
        plain.reshape(3, 2, size),
        plain.reshape(-1),
        plain[:, ::-1],
        plain + 1,
    ]
    assert len({canonical(each) for each in others} | texts) == len(others) + 1
    assert len(texts.pop()) < 1000


def test_a_memory_mapped_array_is_an_array(tmp_path: Path) -> None:
    """Where its content lies does not count."""
    np.save(tmp_path / "a.npy", np.arange(5.0))
    assert canonical(np.load(tmp_path / "a.npy", mmap_mode="r")) == canonical(np.arange(5.0))


def test_the_digest_of_a_large_array_is_cryptographic() -> None:
    """Two arrays of one xxh3 can be made by hand."""
    array = np.arange(1000.0)
    assert hashlib.blake2b(array.tobytes(), digest_size=16).hexdigest() in canonical(array)
    assert hashlib.blake2b(b"x" * 1000, digest_size=16).hexdigest() in canonical(b"x" * 1000)


def test_digests_of_content_are_cryptographic() -> None:
    """Two arrays, or bytes, of one xxh3 can be made by hand."""
    array = np.arange(1000.0)
    assert hashlib.blake2b(array.tobytes(), digest_size=16).hexdigest() in canonical(array)
    assert hashlib.blake2b(b"x" * 1000, digest_size=16).hexdigest() in canonical(b"x" * 1000)


@pytest.mark.parametrize("code", ["g", "G", ">g"])
def test_padding_of_long_doubles_does_not_count(code: str) -> None:
    """The bytes of an array that belong to no number are never set, and so must not make equal arrays differ."""
    one, other = np.zeros(3, code), np.zeros(3, code)
    other.view(np.uint8)[...] = 255
    other[...] = one
    one[...] = other[...] = [1, 2, np.sqrt(np.longdouble(2))]
    assert canonical(one) == canonical(other)
    other[2] = np.nextafter(one[2].real, np.longdouble(3))
    assert canonical(one) != canonical(other)


def test_structured_arrays() -> None:
    """Fields count by name, form, place and content; the padding between them does not."""
    form = np.dtype([("a", "i1"), ("b", "f8", (2,))], align=True)
    one, other = np.zeros(2, form), np.frombuffer(b"\xff" * 2 * form.itemsize, form).copy()
    other["a"], other["b"] = 0, 0
    assert canonical(one) == canonical(other)
    other["b"][1, 1] = 1e-9
    assert canonical(one) != canonical(other)
    forms = [form, np.dtype([("a", "i1"), ("b", "f8", (2,))]), np.dtype([("a", "i1"), ("c", "f8", (2,))], align=True)]
    overlapping = np.dtype({"names": ["a", "b"], "formats": ["f8", "f4"], "offsets": [0, 4]})
    assert len({canonical(np.zeros(2, each)) for each in [*forms, overlapping, [("a", "f8"), ("b", "f4")]]}) == 5
    assert canonical(np.zeros(2, [])) != canonical(np.zeros(3, []))


def test_empty_dates_and_missing_dates_are_arrays_like_others() -> None:
    """Dates differ by unit and value; an array without bytes still has a shape."""
    days = np.array(["2020-01-01", "NaT"], "M8[D]")
    assert canonical(days) == canonical(days.copy())
    assert canonical(days) != canonical(days.astype("M8[s]"))
    for form in ("S0", "U0", "V0"):
        one, other = (np.zeros(size, [("a", form), ("b", "i4")])["a"] for size in (2, 300))
        assert one.dtype.itemsize == 0
        assert canonical(one) != canonical(other)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_is_no_plain_array() -> None:
    """A subclass of array computes by its own rules; that of records has fields as attributes."""
    plain = np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])
    arrays = [
        np.matrix([[1.0]]),
        np.array([[1.0]]),
        plain,
        plain.view(np.recarray),
        plain[0],
        plain.view(np.recarray)[0],
    ]
    assert len({canonical(each) for each in arrays}) == len(arrays)


def test_arrays_of_objects_are_described_by_these() -> None:
    """One by one, in fields too, and strings of any length by their characters."""
    fields = [("a", "f8"), ("b", "O")]
    arrays = [np.array(each, dtype=object) for each in ([1, "x"], [1.0, "x"], [1, None], [[1, "x"]])]
    for content in ([1], [2]):
        records = np.zeros(2, fields)
        records["b"][0] = content
        arrays += [records, records[0], np.array([(content,)], [("b", "O", (1,))])]
    strings = np.dtypes.StringDType
    arrays += [np.array(each, strings()) for each in (["a", "b"], ["a", "c"])]
    arrays += [np.array(["a", "b"], strings(na_object=None)), np.array(["a", "b"], strings(coerce=False))]
    assert len({canonical(each) for each in arrays}) == len(arrays)
    missing = [np.array(["a"], strings(na_object=each)) for each in (None, np.nan, "?")]
    assert len({canonical(each) for each in missing}) == len(missing)
    with pytest.raises(UnstableKeyError):  # whose representation has an address
        canonical(np.array(["a"], strings(na_object=object())))
    assert canonical(np.array([[1], "x"], dtype=object)) == canonical(np.array([[1], "x"], dtype=object))


def test_an_unstable_array_is_refused_with_the_place() -> None:
    """Of a field by its name, and what has a dtype that numpy does not know with that."""
    records = np.zeros(2, [("b", "O")])
    records["b"][1] = object()
    with pytest.raises(UnstableKeyError, match=r"it\['b'\]\[1\] is a value of type builtins.object"):
        canonical(records)


class Foreign:
    """Stands for a dtype of another library: its bytes have a meaning there only."""

    subdtype = names = None
    char, type, hasobject = "E", int, False

    def __str__(self) -> str:
        return "foreign"


def test_a_dtype_that_numpy_does_not_know_has_no_text() -> None:
    """Nor has one with a field of it."""
    foreign: Any = Foreign()
    assert dtype_text(foreign) is None
    inside: Any = types.SimpleNamespace(subdtype=None, names=("a",), fields={"a": (foreign, 0)}, itemsize=8)
    assert dtype_text(inside) is None
    assert dtype_text(types.SimpleNamespace(subdtype=(foreign, (2,)), shape=(2,))) is None
    for refused in (
        lambda: array_text(types.SimpleNamespace(dtype=foreign), Walk()),
        lambda: dtype_value_text(foreign, Walk()),
    ):
        with pytest.raises(UnstableValueError):
            refused()
