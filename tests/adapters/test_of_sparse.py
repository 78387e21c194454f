"""Sparse arrays of scipy are keyed by their content, written without pickle, and never read amiss."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from stored._adapters import BY_PICKLE, adapter_of
from stored._keys import canonical
from stored._storage.freezing import copy_for_caller, freeze
from stored._storage.native import NotNativeError
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, changed, changes, comes_back, is_refused_or, parts_of, plain_trees

DENSE = np.array([[0.0, 1.5, 0.0, 0.0], [0.0, 0.0, -2.0, 3.0]])

FORMATS = ("csr", "csc", "coo", "dia", "bsr", "lil", "dok")
PICKLED = ("lil", "dok")


def with_large_indices() -> Any:
    found = sparse.csr_matrix(DENSE)
    found.indices, found.indptr = found.indices.astype(np.int64), found.indptr.astype(np.int64)
    return found


def unsorted() -> Any:
    return sparse.csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), np.array([0, 3, 3])), shape=(2, 4))


ALL: dict[str, Any] = {
    **{
        f"{form}_{kind}": functools.partial(getattr(sparse, f"{form}_{kind}"), DENSE)
        for form in FORMATS
        for kind in ("array", "matrix")
    },
    "one dimension": lambda: sparse.csr_array(np.array([1, 0, 2])),
    "one coordinate": lambda: sparse.coo_array(np.array([1j, 0, 2])),
    "three coordinates": lambda: sparse.coo_array(np.arange(8.0).reshape(2, 2, 2)),
    "empty": lambda: sparse.csr_matrix((3, 0), dtype=np.int8),
    "diagonals": lambda: sparse.diags_array([[1.0, 2, 3], [4.0, 5]], offsets=[0, -1]),
    "blocks": lambda: sparse.bsr_array(np.arange(24.0).reshape(4, 6), blocksize=(2, 3)),
    "large indices": with_large_indices,
    "unsorted": unsorted,
    "very wide": lambda: sparse.coo_array(([True], ([0], [10**12])), shape=(1, 10**13)),
}
if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15):
    for each in ("one dimension", "one coordinate", "three coordinates"):  # which it has not, or only in part
        del ALL[each]

WRITTEN = [name for name in ALL if name[:3] not in PICKLED]
round_trips.GOOD |= ALL


def plain_form(value: Any) -> Any:
    found = adapter_of(type(value))
    assert found is not None
    assert found.encode is not None
    return found.encode(value)


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one.dtype == other.dtype and (one != other).nnz == 0


@pytest.mark.parametrize("name", WRITTEN)
def test_each_comes_back_as_it_was(name: str) -> None:
    """With the dtypes of its indices, and what is not sorted stays so."""
    value = ALL[name]()
    found = comes_back(value)
    assert same(found, value)
    for each in ("indices", "indptr", "offsets"):
        if hasattr(value, each):
            assert getattr(found, each).dtype == getattr(value, each).dtype


@pytest.mark.parametrize("name", ALL)
def test_each_is_copied_for_callers(name: str) -> None:
    """Who may change them."""
    kept = freeze(ALL[name]())
    hand_out = copy_for_caller(kept)
    assert hand_out is not None
    given_out = hand_out(kept)
    before = canonical(kept)
    given_out.data = given_out.data * 0 if hasattr(given_out, "data") else given_out.clear()
    assert canonical(kept) == before == canonical(ALL[name]())


def test_content_counts_and_what_is_known_of_it_does_not() -> None:
    """Kinds, dtypes and order count, and whether indices are known to be sorted or unique does not."""
    texts = [canonical(make()) for make in ALL.values()]
    assert len(set(texts)) == len(texts)
    for name in ("csr_array", "coo_matrix"):
        value = ALL[name]()
        text = canonical(value)
        assert value.has_canonical_format
        assert canonical(value) == text
    explicit = sparse.csr_array(DENSE)
    explicit.data[0] = 0.0
    assert canonical(explicit) != canonical(sparse.csr_array(DENSE))
    for name in ("lil_array", "dok_matrix"):
        value = ALL[name]()
        value[0, 0] = 7.0
        assert canonical(value) != canonical(ALL[name]())


def test_what_has_no_plain_form_is_pickled() -> None:
    """Lists and dicts of numbers, what was changed into what scipy does not make, objects, and what somebody adds."""
    for name in set(ALL) - set(WRITTEN):
        with pytest.raises(NotNativeError):
            comes_back(ALL[name]())
    longer = sparse.csr_array(DENSE)
    longer.data = np.append(longer.data, 1.0)
    labelled = sparse.csr_array(DENSE)
    labelled.label = "mine"
    objects = sparse.csr_array(DENSE)
    objects.data = objects.data.astype(object)
    assert [plain_form(each) is BY_PICKLE for each in (longer, labelled, objects)] == [True] * 3
    assert canonical(labelled) != canonical(sparse.csr_array(DENSE))


def test_a_second_user_finds_each_that_is_written(tmp_path: Path) -> None:
    """Without computing, and without a warning."""
    for first, second in by_two_users(tmp_path, WRITTEN):
        assert same(first, second)


def test_the_arrays_of_an_entry_are_not_copied() -> None:
    """They are views of its bytes, which may be mapped from a file."""
    found = comes_back(sparse.csr_array(np.tri(100)))
    assert not found.data.flags.owndata
    assert not found.indices.flags.writeable


def csr(*parts: Any) -> Any:
    return round_trips.read_as("scipy.sparse.csr_array", parts)


def ints(*items: int) -> Any:
    return np.array(items, np.int32)


def test_no_index_of_an_entry_leads_outside() -> None:
    """Neither into the values nor into what they are multiplied with, also where scipy's own check sees none."""
    assert csr(np.ones(1), ints(0), ints(0, 1, 1), (2, 3)).shape == (2, 3)
    assert csr(np.ones(1), ints(3), ints(0, 1, 1), (2, 3)) is None
    assert csr(np.ones(1), ints(-1), ints(0, 1, 1), (2, 3)) is None
    assert csr(np.ones(0), ints(), ints(0, 100, 0), (2, 3)) is None  # the number of values is 0
    assert csr(np.ones(2), ints(0, 1), ints(0, 2, 1), (2, 3)) is None
    assert csr(np.ones(2), ints(0, 1), ints(0, -(2**31), 2), (2, 3)) is None
    assert csr(np.ones(2), ints(0), ints(0, 1, 2), (2, 3)) is None
    assert csr(np.ones(1), ints(0), ints(0, 1, 1), (2, 3, 4)) is None
    assert csr(np.ones(1), ints(0), np.array([0, 1, 1]), (2, 3)) is None
    assert round_trips.read_as("scipy.sparse.dia_array", (np.ones((1, 2)), ints(2**31 - 1), (2, 2))) is None
    assert round_trips.read_as("scipy.sparse.dia_array", (np.ones((1, 2)), ints(0, 1), (2, 2))) is None
    wrapped = np.array([2**32])
    assert round_trips.read_as("scipy.sparse.coo_array", (np.ones(1), (wrapped,), (5,))) is None
    assert round_trips.read_as("scipy.sparse.coo_array", (np.ones(2), (ints(1),), (5,))) is None
    assert round_trips.read_as("scipy.sparse.coo_array", (np.ones(1), [ints(1)], (5,))) is None
    assert round_trips.read_as("scipy.sparse.coo_matrix", (np.ones(1), (ints(1),), (5,))) is None
    for blocks in (np.ones((1, 0, 2)), np.ones((1, 3, 2))):
        assert round_trips.read_as("scipy.sparse.bsr_array", (blocks, ints(0), ints(0, 1), (2, 2))) is None


NAMES = sorted({f"scipy.sparse.{form}_{kind}" for form in FORMATS for kind in ("array", "matrix")})


@given(st.sampled_from(NAMES), plain_trees)
def test_forged_entries_are_damaged_or_sparse_arrays(name: str, plain: Any) -> None:
    """Whatever stands in them."""
    assert is_refused_or(name, plain)


@given(st.data())
def test_changed_entries_are_damaged_or_sparse_arrays_that_can_be_used(data: st.DataObject) -> None:
    """Compiled code reads nothing that is not there."""
    name = data.draw(st.sampled_from(WRITTEN))
    value = ALL[name]()
    plain = plain_form(value)
    forged = changed(plain, data.draw(st.sampled_from(list(parts_of(plain)))), data.draw(changes))
    kind = f"scipy.sparse.{type(value).__name__}"
    assert is_refused_or(kind, forged)
    found = round_trips.read_as(kind, forged)
    if found is not None and max(found.shape, default=0) < 1000:
        with round_trips.suppressed():
            found.tocoo().sum()
            found @ np.ones(found.shape[-1])


@given(
    st.data(),
    st.integers(0, 6),
    st.integers(0, 6),
    st.sampled_from(["d", "f", "D", "?", "i", "B"]),
    st.sampled_from([form for form in FORMATS if form not in PICKLED]),
)
def test_any_comes_back(data: st.DataObject, height: int, width: int, dtype: str, form: str) -> None:
    """Of any shape, dtype and content, with duplicates in any order."""
    size = data.draw(st.integers(0, 12)) if height and width else 0
    draw = np.random.default_rng(data.draw(st.integers(0, 1000)))
    places = draw.integers(0, max(height, 1), size), draw.integers(0, max(width, 1), size)
    value = sparse.coo_array((draw.integers(-3, 3, size).astype(dtype), places), shape=(height, width))
    if form == "bsr" and not (height and width):
        return
    value = value.asformat(form)
    assert same(comes_back(value), value)
