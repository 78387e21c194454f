"""Different keys have different texts and entry names, and no name leads out of the store."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._entry_form import ENTRY_ENDING, is_entry_name
from stored._keys import Key, Space, method_folder, method_part, module_folder, owner_part
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

PARAMETERS = st.one_of(ANY_TEXT, st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=2).map(tuple))
SPACES = st.builds(Space, ANY_TEXT, ANY_TEXT, PARAMETERS)
KEYS = st.builds(
    Key, SPACES, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=2).map(tuple)
)


def test_names_hold_cryptographic_digests() -> None:
    """Of the space, as keys begin, and of what the call adds to that."""
    space = Space("module", "Owner", (("H0", "70.0"),))
    key = Key(space, "age", "module.Owner.age", "version", (("z", "1.0"),))
    digests = [blake2b(data, digest_size=16).hexdigest() for data in (space.data, key.data[len(space.data) : -2])]
    assert [key.entry_name.rpartition("/")[2].split("-")[1], key.entry_name[-39:-7]] == digests


@settings(max_examples=150, deadline=None)
@given(KEYS)
def test_entry_names_are_safe(key: Key) -> None:
    """Whatever module, owner and object are called, the name stays inside the store, two or three folders deep."""
    name = key.entry_name
    assert MemoryStore().read(name) is None  # a name that a store does not accept is a ValueError
    assert name.startswith(f"{module_folder(key.space.module)}/")
    assert name.count("/") == (3 if key.definition else 2)
    assert is_entry_name(name)
    assert name.endswith(ENTRY_ENDING)
    assert all(len(part) < 180 and not part.startswith(".") for part in name.split("/"))


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_entry_names_show_what_they_are_of(key: Key) -> None:
    """All entries of an owner's space, and all of a method, are found by their names alone."""
    name = key.entry_name
    if key.definition:
        assert name.startswith(f"{method_folder(key.space.module, key.object, key.definition)}/")
        assert name.startswith(key.space.prefix_of(key.object, key.definition))
    else:
        folder = key.space.prefix.rpartition("/")[0]
        assert name.startswith(f"{folder}/{owner_part(key.space.name)}{key.space.digest()}")
        assert name.startswith(key.space.prefix)
    assert method_part(key.object, key.definition) in name
    own = Key(key.space, key.object, f"{key.definition} of m.Sub", "other version")
    assert method_part(own.object, own.definition) == method_part(key.object, key.definition)


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_keys_survive_the_header(key: Key) -> None:
    """A key read back is the key that was written."""
    found = Key.from_bytes(key.data)
    assert found == key
    assert (found.space, found.object, found.definition, found.version, found.arguments) == (
        *(key.space, key.object, key.definition, key.version, key.arguments),
    )
    assert found.space.parameters == key.space.parameters
    assert hash(found) == hash(key)
    assert repr(found) == repr(key)


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, min_size=2, max_size=4))
def test_different_keys_have_different_texts_and_entries(keys: list[Key]) -> None:
    """Equal keys share them, different keys never do."""
    for one, other in itertools.combinations(keys, 2):
        assert (one.data == other.data) is (one == other)
        assert (one.entry_name == other.entry_name) is (one == other)


@settings(max_examples=100, deadline=None)
@given(st.lists(SPACES, min_size=2, max_size=4))
def test_different_spaces_have_different_texts_and_prefixes(spaces: list[Space]) -> None:
    """Spaces are equal if all their parts are, and none has a prefix that begins the names of another's entries."""
    for one, other in itertools.combinations(spaces, 2):
        is_same = (one.module, one.name, one.parameters) == (other.module, other.name, other.parameters)
        assert (one == other) is is_same
        assert (one.data == other.data) is is_same
        assert one.prefix.startswith(other.prefix) is is_same
    assert len({*spaces}) == len({(each.module, each.name, each.parameters) for each in spaces})


SPACE = Space("m", "n", "s")


def test_a_string_is_not_a_list_of_parameters() -> None:
    """An owner that spells the parameters of another in its string has a space of its own."""
    spaces = [Space("m", "n", "H0=1, Om0=2"), Space("m", "n", (("H0", "1"), ("Om0", "2")))]
    spaces += [Space("m", "n", (("H0", "1, Om0=2"),)), Space("m", "n", ()), Space("m", "n", "")]
    assert len({each.digest() for each in spaces}) == len(set(spaces)) == len(spaces)
    assert [each.string for each in spaces] == ["H0=1, Om0=2"] * 3 + ["", ""]
    assert spaces[0].pairs() == (("", "H0=1, Om0=2"),)
    assert spaces[1] != "H0=1, Om0=2"
    assert repr(spaces[0]) == "Space('m', 'n', 'H0=1, Om0=2')"


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
    assert len({key.data for key in keys}) == len({key.entry_name for key in keys}) == len(keys)
    assert len({key.space.digest() for key in keys[:4]}) == 4
    assert keys[0] != keys[0].data


@pytest.mark.parametrize(
    "change",
    [
        {"module": 1},
        {"parameters": None},
        {"parameters": [["a"]]},
        {"parameters": [["a", 1]]},
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
    header = json.loads(Key(SPACE, "f", "d", "v", (("a", "1"),)).data)
    with pytest.raises(DamagedEntryError, match="no full key"):
        Key.from_bytes(as_bytes({**header, **change}))
    for name in change:
        with pytest.raises(DamagedEntryError):
            Key.from_bytes(as_bytes({key: value for key, value in header.items() if key != name}))


def as_bytes(header: object) -> bytes:
    """A header as keys are written."""
    return json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"3", b"{", b"[" * 100_000])
def test_what_is_no_text_of_a_key_is_refused(data: bytes) -> None:
    """Bytes of any kind are an error of its own kind."""
    with pytest.raises(DamagedEntryError, match="no full key"):
        Key.from_bytes(data)


def test_a_key_has_one_form() -> None:
    """A key that is written in another way, with more in it or in another order, is not taken for one."""
    header = json.loads(Key(SPACE, "f").data)
    assert Key.from_bytes(as_bytes(header)) == Key(SPACE, "f")
    for other in ({**header, "more": 1}, dict(reversed(header.items()))):
        with pytest.raises(DamagedEntryError):
            Key.from_bytes(as_bytes(other))
    with pytest.raises(DamagedEntryError):
        Key.from_bytes(json.dumps(header).encode())


def test_messages_name_a_call() -> None:
    """A call shows its arguments, an object stored by name its name."""
    assert Key(SPACE, "age", "m.C.age", "v", (("z", "1"), ("k", "'a'"))).call() == "n.age(z=1, k='a')"
    assert Key(SPACE, "limits").call() == "object 'limits'"


@pytest.mark.parametrize("is_key", [True, False])
def test_long_keys_out_of_entries_are_not_remembered(is_key: bool) -> None:
    """Whatever names and arguments they have, and whether or not they are keys, nothing of them stays in memory."""
    texts = [str(number) * 10_000 for number in range(100)]
    keys = [Key(Space(each, each, ((each, each),)), each, each, each, ((each, each),)).data for each in texts]
    tracemalloc.start()
    try:
        for data in keys:
            if is_key:
                assert Key.from_bytes(data).data == data
            else:
                with pytest.raises(DamagedEntryError):
                    Key.from_bytes(data.replace(b'"arguments":', b'"arguments": '))
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()
