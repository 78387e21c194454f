"""Different keys have different texts and entry names, and no name leads out of the store."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._keys import Key, Space, entry_prefix, module_folder
from stored.errors import DamagedEntryError
from stored.stores import MemoryStore
from tests.keys.values import TEXTS

ANY_TEXT = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "C:\\x",
            "~",
            "\0",
            "-",
            "_",
            "a" * 500,
            "é",
            ".hidden",
            "a\n",
        ]
    ),
)

KEYS = st.builds(
    Key,
    st.builds(Space, ANY_TEXT, ANY_TEXT, ANY_TEXT),
    ANY_TEXT,
    ANY_TEXT,
    ANY_TEXT,
    st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(KEYS)
def test_entry_names_are_safe(key: Key) -> None:
    """Whatever the module, the owner and the object are called, the name stays inside the store, two folders deep."""
    name = key.entry_name()
    assert MemoryStore().read(name) is None  # a name that a store does not accept is a ValueError
    assert name.startswith(f"{module_folder(key.space.module)}/")
    assert name.startswith(f"{key.space.folder()}/{entry_prefix(key.object)}")
    assert name.count("/") == 2
    assert all(len(part) < 120 and not part.startswith(".") for part in name.split("/"))


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_keys_survive_the_header(key: Key) -> None:
    """A key read back is the key that was written."""
    assert Key.from_json(key.as_json()) == key
    assert Key.from_json(json.loads(json.dumps(key.as_json(), ensure_ascii=False))) == key


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, min_size=2, max_size=4))
def test_different_keys_have_different_texts_and_entries(keys: list[Key]) -> None:
    """Equal keys share them, different keys never do."""
    for one, other in itertools.combinations(keys, 2):
        assert (one.text() == other.text()) is (one == other)
        assert (one.entry_name() == other.entry_name()) is (one == other)


SPACE = Space("m", "n", "s")


def test_text_moved_between_the_parts_of_a_key_changes_it() -> None:
    """No part can be continued in the next one."""
    keys = [
        Key(Space("a", "b", "c"), "d"),
        Key(Space("a", "b, c", ""), "d"),
        Key(Space('a", "b', "c", ""), "d"),
        Key(SPACE, "f", "d", "v", (("a", "1, b=2"),)),
        Key(SPACE, "f", "d", "v", (("a", "1"), ("b", "2"))),
        Key(SPACE, "f", "d", "v", (("a", "1"),)),
        Key(SPACE, "f", "d", "v"),
        Key(SPACE, "f", "", "v"),
        Key(SPACE, "f", "v", ""),
    ]
    assert len({key.text() for key in keys}) == len({key.entry_name() for key in keys}) == len(keys)
    assert len({key.space.digest() for key in keys[:4]}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"module": 1},
        {"string": None},
        {"object": ["x"]},
        {"arguments": None},
        {"arguments": [["a"]]},
        {"arguments": [["a", 1]]},
        {"arguments": [[1, "a"]]},
        {"arguments": 3},
    ],
)
def test_what_is_no_key_is_refused(change: dict[str, Any]) -> None:
    """A header that was tampered with is an error of its own kind, never a wrong key."""
    header = Key(SPACE, "f", "d", "v", (("a", "1"),)).as_json()
    with pytest.raises(DamagedEntryError, match="no full key"):
        Key.from_json({**header, **change})
    for name in change:
        with pytest.raises(DamagedEntryError):
            Key.from_json({key: value for key, value in header.items() if key != name})


def test_messages_name_a_call() -> None:
    """A call shows its arguments, an object stored by name its name."""
    assert Key(SPACE, "age", "m.C.age", "v", (("z", "1"), ("k", "'a'"))).call() == "n.age(z=1, k='a')"
    assert Key(SPACE, "limits").call() == "object 'limits'"
