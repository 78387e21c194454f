"""Does a store keep the contract? The tests of one process, which need no other, and with them all tests."""

# ruff: noqa: S101  (assertions are what a test consists of)

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from stored._entry_form import ENTRY_ENDING, ENTRY_MAGIC
from stored._keys import Key, Space
from stored.testing._processes import ProcessContract
from stored.typing import Buffer, Store, Turn, Upkeep, left_out

__all__ = ["BAD_NAMES", "StoreContract"]

BAD_NAMES = ("", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", ".a", "a/.b", "a\\b", "a\0", "a\n", "é")
"""Names that every store refuses."""

_LARGE = 3 << 20  # so large that a store which maps large files maps this one

_CLOCK_STEP = 0.05
"""Seconds after which the clock of a store shows a later time."""


class StoreContract(ProcessContract):
    """Tests that every store passes.

    A subclass whose name begins with ``Test`` overrides `make_store`; pytest then runs the inherited tests on it.

    What a store need not do, it tells by `Store.left_out`, by default from the methods that it does not override. A
    subclass sets ``is_shared = False`` for a store that other processes cannot use, and may set `patience`.

    Examples
    --------
    >>> from stored.stores import MemoryStore
    >>> class TestMemoryStore(StoreContract):
    ...     is_shared = False
    ...
    ...     def make_store(self, directory):
    ...         return MemoryStore()
    """

    def make_store(self, directory: Path) -> Store:
        """Make an empty store.

        Parameters
        ----------
        directory : Path
            A directory of the test's own, for stores that need one.
        """
        raise NotImplementedError(f"{type(self).__qualname__} must override make_store")

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """An empty store."""
        return self.make_store(tmp_path)

    def test_nothing_is_there_at_first(self, store: Store) -> None:
        """An absent name reads as None, cannot be deleted, and is not listed."""
        assert store.read("a/b") is None
        assert store.read_start("a/b", 10) is None
        assert store.delete("a/b") is False
        assert list(store.names()) == list(store.names("a")) == []

    @pytest.mark.parametrize(
        "parts",
        [
            [],
            [b""],
            [b"one"],
            [b"", b"one", b"", bytearray(b"two"), memoryview(b"xthreex")[1:-1], b""],
            [memoryview(bytearray(range(24))).cast("i"), memoryview(b"")],
            [bytes(range(256)) * (_LARGE >> 8), b"end"],
        ],
        ids=["none", "empty", "one", "several", "integers", "large"],
    )
    def test_what_was_written_is_read(self, store: Store, parts: list[Buffer]) -> None:
        """Parts of any kind of buffer are read as one sequence of bytes."""
        store.write("a/b", parts)
        expected = b"".join(parts)
        assert _content(store.read("a/b")) == expected
        assert [_content(store.read_start("a/b", n)) for n in (1, 5)] == [expected[:1], expected[:5]]
        assert _content(store.read_start("a/b", len(expected) + 10)) == expected

    def test_names_may_be_of_any_depth(self, store: Store) -> None:
        """A name has one part or several, of letters, digits, underscores, dots and dashes."""
        names = {"top", "a/b", "a/b2/c.d-e_f/0", "a/" + "n" * 120}
        for name in names:
            store.write(name, [name.encode()])
        assert {name: _content(store.read(name)) for name in store.names()} == {n: n.encode() for n in names}

    def test_a_write_replaces(self, store: Store) -> None:
        """The last write counts, shorter or longer, and leaves one name."""
        for content in (b"first", b"2", b"the third"):
            store.write("a/b", [content])
            assert _content(store.read("a/b")) == content
        assert list(store.names()) == ["a/b"]

    @pytest.mark.parametrize("size", [5, _LARGE])
    def test_a_reader_keeps_its_bytes(self, store: Store, size: int) -> None:
        """Bytes that were read do not change when their name is written again or deleted."""
        store.write("a/b", [b"1" * size])
        first = store.read("a/b")
        store.write("a/b", [b"2" * size])
        second = store.read("a/b")
        store.delete("a/b")
        assert (_content(first), _content(second)) == (b"1" * size, b"2" * size)

    def test_delete_says_whether_it_was_there(self, store: Store) -> None:
        """Deleting says whether the name was there, and deletes no other name."""
        store.write("a/b", [b"1"])
        store.write("a/c", [b"2"])
        assert store.delete("a/b") is True
        assert store.delete("a/b") is False
        assert store.read("a/b") is None
        assert _content(store.read("a/c")) == b"2"
        assert store.delete("a/c") is True
        store.write("a/c", [b"3"])
        assert _content(store.read("a/c")) == b"3"

    def test_names_lists_a_folder_and_below(self, store: Store) -> None:
        """A listing has the names in a folder and the folders below it, and no others with the same beginning."""
        for name in ("a/b", "a/c/d", "a/c/e/f", "ab/c", "b"):
            store.write(name, [b"x"])
        assert sorted(store.names()) == ["a/b", "a/c/d", "a/c/e/f", "ab/c", "b"]
        assert sorted(store.names("a")) == ["a/b", "a/c/d", "a/c/e/f"]
        assert sorted(store.names("a/c")) == ["a/c/d", "a/c/e/f"]
        assert list(store.names("absent")) == []

    def test_names_can_be_deleted_while_listed(self, store: Store) -> None:
        """A listing is complete even if each name is deleted as soon as it is listed."""
        names = {f"a/{number}" for number in range(20)}
        for name in names:
            store.write(name, [b"x"])
        seen = []
        for name in store.names("a"):
            seen.append(name)
            store.delete(name)
        assert set(seen) == names
        assert list(store.names()) == []

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_names_are_checked(self, store: Store, name: str) -> None:
        """A name that leads outside, is absolute, hidden or empty is a ValueError in every method."""
        with pytest.raises(ValueError, match="is not a name"):
            store.read(name)
        with pytest.raises(ValueError, match="is not a name"):
            store.read_start(name, 1)
        with pytest.raises(ValueError, match="is not a name"):
            store.write(name, [b"x"])
        with pytest.raises(ValueError, match="is not a name"):
            store.delete(name)
        with pytest.raises(ValueError, match="is not a name"):
            store.touch(name)
        with pytest.raises(ValueError, match="is not a name"):
            store.declare_wait(name).__enter__()
        with pytest.raises(ValueError, match="is not a name"):
            store.compute_turn(name, 0.0).__enter__()
        if name:
            with pytest.raises(ValueError, match="is not a name"):
                list(store.names(name))
        assert list(store.names()) == []

    @pytest.mark.parametrize("error", [TypeError, KeyboardInterrupt])
    def test_a_failed_write_changes_nothing(self, store: Store, error: type[BaseException]) -> None:
        """If the parts fail midway, the old bytes stay, a new name stays absent, and no other name appears."""

        class Failing(list[Buffer]):
            def __iter__(self) -> Iterator[Buffer]:
                yield b"begun"
                raise error

        store.write("a/old", [b"old"])
        for name in ("a/old", "a/new"):
            with pytest.raises(error):
                store.write(name, Failing([b""]))
        with pytest.raises(TypeError):
            store.write("a/new", [b"begun", cast(Any, "text")])
        assert _content(store.read("a/old")) == b"old"
        assert list(store.names()) == ["a/old"]

    def test_a_reader_sees_one_write_whole(self, store: Store) -> None:
        """While threads write, a reader gets all parts of one write, and none of another."""
        size, rounds = 5000, 40
        store.write("a/b", [b"0" * size, b"0" * size])

        def write(letter: bytes) -> None:
            for _ in range(rounds):
                store.write("a/b", [letter * size, letter * size])

        writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"1", b"2")]
        for writer in writers:
            writer.start()
        seen = [_content(store.read("a/b")) for _ in range(rounds)]
        for writer in writers:
            writer.join(60)
        assert not any(writer.is_alive() for writer in writers)
        assert {(len(each), len(set(each))) for each in seen} == {(2 * size, 1)}

    def test_nobody_waits_for_a_free_name(self, store: Store) -> None:
        """A thread gets the turn for every name for which no other has it: for several at once, and for one twice."""
        with store.declare_wait("a/b"), store.compute_turn("a/b", 0.0) as first:
            with (
                store.declare_wait("a/c"),
                store.compute_turn("a/c", 0.0) as second,
                store.compute_turn("a/b", 0.0) as again,
            ):
                assert (first, second, again) == (Turn.MINE,) * 3
            assert _turn_of_another_thread(store, "a/c") is Turn.MINE
        assert list(store.names()) == []

    def test_a_turn_ends_with_its_block(self, store: Store) -> None:
        """Others get the turn after the block, also if an error ends it; the error is raised unchanged."""
        with pytest.raises(KeyboardInterrupt), store.declare_wait("a/b"), store.compute_turn("a/b", 0.0):
            raise KeyboardInterrupt
        assert _turn_of_another_thread(store, "a/b") is Turn.MINE
        assert list(store.names()) == []

    def test_names_can_be_used_within_their_turn(self, store: Store) -> None:
        """Whoever has the turn for a name can write, read and remove it."""
        with store.compute_turn("a/b", 0.0):
            store.write("a/b", [b"1"])
            assert _content(store.read("a/b")) == b"1"
            assert store.delete("a/b")
            store.write("a/b", [b"2"])
        assert _content(store.read("a/b")) == b"2"

    def test_upkeep_keeps_what_is_allowed(self, store: Store) -> None:
        """Noting a use, clearing leftovers, and trimming without limits or within them remove no name."""
        contents = {_entry_name(f"{number}"): _entry(number) for number in range(5)}
        for name, content in contents.items():
            store.write(name, [content])
        for name in (_entry_name("0"), "a/absent"):
            store.touch(name)
        assert store.clear_leftovers() == 0
        for max_bytes, max_age in ((None, None), (5 * len(_entry(0)), None), (None, 1e6), (10**12, 1e6)):
            done = store.trim(ENTRY_ENDING, max_bytes, max_age)
            assert (done.removed_entries, done.removed_bytes) == (0, 0)
        assert {name: _content(store.read(name)) for name in store.names()} == contents

    def test_who_waits_can_be_told_of_it(self, store: Store) -> None:
        """A function that is told of waiting can be given, by its name or not; who does not wait is told nothing."""
        told: list[object] = []
        with store.compute_turn("a/b", None, told.append) as first, store.compute_turn("a/c", 0.0, tell=None) as second:
            assert (first, second, told) == (Turn.MINE, Turn.MINE, [])

    def test_trimming_takes_the_least_recently_used(self, store: Store) -> None:
        """Of what is too much the least recently used goes, until a tenth is free; of what is too old, all."""
        names, size = [_entry_name(f"{number}") for number in range(5)], len(_entry(0))
        for number, name in enumerate(names):
            store.write(name, [_entry(number)])
            time.sleep(_CLOCK_STEP)
        if "trim" in left_out(store):
            assert store.trim(ENTRY_ENDING, 0, 0.0) == Upkeep()
            assert sorted(store.names()) == sorted(names)
            return
        store.touch(names[0])
        kept = {names[4], names[3] if "touch" in left_out(store) else names[0]}
        assert store.trim(ENTRY_ENDING, 3 * size, None)[:4] == (2, 2 * size, 3, 3 * size)
        assert set(store.names()) == kept
        time.sleep(_CLOCK_STEP)
        assert store.trim(ENTRY_ENDING, None, _CLOCK_STEP / 2)[:4] == (0, 0, 2, 2 * size)
        assert list(store.names()) == []

    def test_trimming_takes_one_ending_only(self, store: Store) -> None:
        """Names of another ending are not removed, whatever the limits; what is removed is counted."""
        others = {f"{_entry_name('1')}.y", "a/x", "b/c/2.xy"}
        for name in (*map(_entry_name, "123"), *others):
            store.write(name, [_entry(0)])
        done = store.trim(ENTRY_ENDING, 0, 0.0)
        left = set(store.names())
        assert others <= left
        assert (done.removed_entries, done.removed_bytes) == (6 - len(left), len(_entry(0)) * (6 - len(left)))

    def test_what_is_written_is_counted(self, store: Store) -> None:
        """A store adds up what it is told of until a trim counts what is there, or says that it keeps no count."""
        before = store.count_written(0)
        store.write(_entry_name("1"), [_entry(0)])
        counted = store.count_written(7)
        assert (before is None) == (counted is None)
        if before is not None and counted is not None:
            assert counted.bytes == before.bytes + 7
            done = store.trim(ENTRY_ENDING, None, None)
            after = store.count_written(1)
            assert after is not None
            assert after.bytes == done.bytes + 1 == len(_entry(0)) + 1
            assert after.trimmed_at > 0

    def test_location_is_text(self, store: Store) -> None:
        """A store says where it and its names are, whether anything is there or not, and who else can write there."""
        assert isinstance(store.location(), str)
        assert isinstance(store.writable_by_others(), str)
        assert "a/b" in store.location("a/b")


def _entry_name(name: str) -> str:
    """A name like those that results get."""
    return Key(Space("tests", "Owner", ""), name).entry_name


def _entry(number: int) -> bytes:
    """Bytes that begin as those of a result do."""
    return b"%s%d" % (ENTRY_MAGIC, number)


def _content(data: Buffer | None) -> bytes:
    assert data is not None, "nothing was found"
    return bytes(data)


def _turn_of_another_thread(store: Store, name: str) -> Turn | None:
    turns = []

    def take() -> None:
        with store.compute_turn(name, 0.0) as turn:
            turns.append(turn)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(60)
    return turns[0] if turns else None
