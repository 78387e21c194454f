"""Values through entries, and users who share a directory."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stored import configure
from stored._keys import canonical
from stored._storage import copy_for_caller, freeze
from stored._storage.format import describe, pack, unpack
from stored._storage.native import pack_native, unpack_native
from stored.errors import DamagedEntryError
from tests.storage.entries import entry_of, texts


def from_entry(value: object) -> Any:
    """What is read from the entry of a value that has a native form."""
    return unpack_native(unpack(entry_of(value)))


def check_that_forms_agree(value: object) -> Any:
    """A value, as it comes from its entry, as it is kept and as it is handed out, are the same to every key."""
    text = canonical(value)
    found = from_entry(value)
    for kept in (found, freeze(value)):
        hand_out = copy_for_caller(kept)
        given = kept if hand_out is None else hand_out(kept)
        assert [type(each) for each in (kept, given)] == [type(value)] * 2
        assert [canonical(each) for each in (kept, given)] == [text] * 2
    return found


def read_forged(name: str, plain: object) -> Any:
    """What comes of an entry that says to hold a value of a type, and holds anything; None if it is damaged."""
    body, buffers = pack_native(plain)
    tree = ["registered", name, "", json.loads(body)]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            found = unpack_native(unpack(forged_entry(tree, buffers)))
        except DamagedEntryError:
            found = None
    assert not warned
    return found


def forged_entry(tree: object, buffers: list[memoryview]) -> bytes:
    """An entry of a tree and its buffers."""
    parts, _ = pack(b"{}", describe("native", {}), b"{}", json.dumps(tree).encode(), buffers, 1.0, 1.5)
    return b"".join(bytes(part) for part in parts)


plain_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | texts
    | st.sampled_from(["ns", "s", "D", "UTC", "Europe/Berlin", "M", "ME", "python", "left", "right", "one", "levels"])
    | st.binary(max_size=20)
    | npst.arrays(
        npst.integer_dtypes() | npst.floating_dtypes() | npst.boolean_dtypes() | npst.datetime64_dtypes(),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)

plain_trees = st.recursive(
    plain_leaves,
    lambda inner: (
        st.lists(inner, max_size=5) | st.lists(inner, max_size=6).map(tuple) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=12,
)


def as_two_users(place: Path, use: Callable[[], Any]) -> list[Any]:
    """What two users get, who have keys of their own and share a directory."""
    found = []
    for name in ("first", "second"):
        with configure(cache_dir=place / "shared", key_file=place / name / "key"):
            found.append(use())
    return found
