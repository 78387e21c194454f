"""Different keys have different bytes and entry names, which tell owner and method and lead nowhere else."""

from __future__ import annotations

import itertools
import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._keys import ENTRY_ENDING, Key, Space, method_part, module_folder, owner_part
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

PAIRS = st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=2).map(tuple)

KEYS = st.builds(Key, st.builds(Space, ANY_TEXT, ANY_TEXT, ANY_TEXT | PAIRS), ANY_TEXT, ANY_TEXT, ANY_TEXT, PAIRS)


@settings(max_examples=150, deadline=None)
@given(KEYS)
def test_entry_names_are_safe(key: Key) -> None:
    """Whatever module, owner and object are called, the name stays inside the store, and is of plain characters."""
    name = key.entry_name()
    assert MemoryStore().read(name) is None  # a name that a store does not accept is a ValueError
    module, start, file = name.split("/")
    assert module == module_folder(key.space.module)
    assert f"{module}/{start}" == key.space.folder()
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", file)
    assert len(f"{file}.removed") <= 143  # the least that a file system allows, with the mark of a layered store
    assert len(module) <= 40
    assert not module.startswith(".")


@settings(max_examples=150, deadline=None)
@given(KEYS)
def test_entry_names_tell_owner_and_method(key: Key) -> None:
    """The five parts of a file name tell owner, space, object, method and key, without reading anything."""
    name = key.entry_name()
    owner, space, _, tag, digest = name.rpartition("/")[2].removesuffix(ENTRY_ENDING).split("-")
    assert name.startswith(f"{key.space.prefix()}{method_part(key.object, key.definition)}")
    assert f"{owner}-" == owner_part(key.space.name)
    assert space == key.space.digest()
    assert key.space.folder().endswith(f"/{space[:2]}")
    assert method_part(key.object, key.definition).endswith(f"-{tag}-")
    assert (len(space), len(tag), len(digest)) == (32, 8, 32)


def test_a_method_has_one_tag_in_all_classes_that_inherit_it() -> None:
    """The class that inherits a method does not change its tag; another name or definition does."""
    assert method_part("f", "m.C.f of m.D") == method_part("f", "m.C.f")
    tags = {method_part(name, definition)[-9:] for name in ("f", "g") for definition in ("m.C.f", "m.C.g", "")}
    assert len(tags) == 6


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_keys_survive_the_entry(key: Key) -> None:
    """A key read back is the key that was written, with all its parts, however its space was made."""
    found = Key.from_bytes(key.as_bytes())
    assert found == key
    assert hash(found) == hash(key)
    assert found.space == key.space
    assert hash(found.space) == hash(key.space)
    assert (found.space.parameters, found.arguments) == (key.space.parameters, key.arguments)
    assert pickle.loads(pickle.dumps(key)) == key


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, min_size=2, max_size=4))
def test_different_keys_have_different_bytes_and_entries(keys: list[Key]) -> None:
    """Keys are equal if their parts are; equal keys share bytes and entry, different keys never do."""
    for one, other in itertools.combinations(keys, 2):
        same = all_parts(one) == all_parts(other)
        assert (one == other) is same
        assert (one.as_bytes() == other.as_bytes()) is same
        assert (one.entry_name() == other.entry_name()) is same
        assert (one.space == other.space) is (all_parts(one)[:3] == all_parts(other)[:3])


def all_parts(key: Key) -> tuple[object, ...]:
    space = key.space
    return space.module, space.name, space.parameters, key.object, key.definition, key.version, key.arguments


SPACE = Space("m", "n", "s")


def test_text_moved_between_the_parts_of_a_key_changes_it() -> None:
    """No part can be continued in the next one, and two surrogates are not the character that they encode."""
    keys = [
        Key(Space("a", "b", "c"), "d"),
        Key(Space("a", "b, c", ""), "d"),
        Key(Space('a", "b', "c", ""), "d"),
        Key(Space("a", "b", (("", "c"),)), "d"),
        Key(Space("a", "b", (("c", ""),)), "d"),
        Key(Space("a", "b", ()), "d"),
        Key(SPACE, "f", "d", "v", (("a", "1, b=2"),)),
        Key(SPACE, "f", "d", "v", (("a", "1"), ("b", "2"))),
        Key(SPACE, "f", "d", "v", (("a", "1"),)),
        Key(SPACE, "f", "d", "v"),
        Key(SPACE, "f", "", "v"),
        Key(SPACE, "f", "v", ""),
        Key(SPACE, "\ud83d\ude00"),
        Key(SPACE, "\U0001f600"),
    ]
    assert len({key.as_bytes() for key in keys}) == len({key.entry_name() for key in keys}) == len(keys)
    assert len({key.space.digest() for key in keys[:7]}) == 7


@pytest.mark.parametrize("same", [SPACE, Key(SPACE, "f")])
def test_keys_and_spaces_are_no_texts(same: object) -> None:
    """They differ from all else, and show their parts."""
    assert same != "m"
    assert "'m'" in repr(same) or '"m"' in repr(same)


def test_parameters_in_one_text() -> None:
    """Named parameters read as assignments, and a hashable string as itself, alone and beside them."""
    named = (("H0", "70"), ("name", "'a, b'"))
    assert Space("m", "n", named).string == "H0=70, name='a, b'"
    assert Space("m", "n", named).pairs() == named
    assert SPACE.string == "s"
    assert Space("m", "n", SPACE.pairs() + named).string == "s, H0=70, name='a, b'"


KEY = Key(Space("m", "n", (("p", "1"),)), "f", "d", "v", (("a", "1"),))


@pytest.mark.parametrize("name", ["module", "name", "parameters", "object", "definition", "version", "arguments"])
@pytest.mark.parametrize("change", [..., 1, None, ["x"], [["a"]], [["a", 1]], [[1, "a"]], [["a", "b", "c"]], {}, 1.5])
def test_what_is_no_key_is_refused(name: str, change: Any) -> None:
    """A key that was tampered with is an error of its own kind, never a wrong key."""
    found = json.loads(KEY.as_bytes())
    found[name] = change
    if change is ...:
        del found[name]
    with pytest.raises(DamagedEntryError, match="no full key"):
        Key.from_bytes(json.dumps(found, separators=(",", ":")).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"1", b"\xff", b"[" * 100_000, b'"text"'])
def test_what_is_no_json_is_no_key(data: bytes) -> None:
    """Neither is anything but the object that a key is."""
    with pytest.raises(DamagedEntryError, match="no full key"):
        Key.from_bytes(data)


def test_a_key_has_one_form() -> None:
    """Bytes that mean the same key, but are not those that are written, are not taken for it."""
    for found in (
        b" " + KEY.as_bytes(),
        KEY.as_bytes().replace(b'"m"', b'"\\u006d"'),
        KEY.as_bytes()[:-1] + b',"x":1}',
    ):
        assert isinstance(json.loads(found), dict)
        with pytest.raises(DamagedEntryError, match="no full key"):
            Key.from_bytes(found)


def test_messages_name_a_call() -> None:
    """A call shows its arguments, an object stored by name its name."""
    assert Key(SPACE, "age", "m.C.age", "v", (("z", "1"), ("k", "'a'"))).call() == "n.age(z=1, k='a')"
    assert Key(SPACE, "limits").call() == "object 'limits'"
