"""`LayeredStore` keeps the contract of a store in its upper layer, and leaves those below as they are."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from stored.stores import DirectoryStore, LayeredStore, LayerError, MemoryStore, Store
from stored.testing import StoreContract
from stored.typing import Turn, Upkeep, Usage
from tests.faults.processes import PATIENCE
from tests.stores.entries import content as entry
from tests.stores.entries import label_of, named
from tests.stores.test_locks import elsewhere, hold_and_need, in_another_thread, received, turn_of, turn_of_a_stranger


class TestLayeredDirectories(StoreContract):
    def make_store(self, directory: Path) -> LayeredStore:
        return LayeredStore(*(DirectoryStore(directory / name) for name in ("own", "group", "site")))


class TestLayeredMemory(StoreContract):
    is_shared = False

    def make_store(self, directory: Path) -> LayeredStore:
        return LayeredStore(MemoryStore(), MemoryStore())


class TestOneLayer(StoreContract):
    is_shared = False

    def make_store(self, directory: Path) -> LayeredStore:
        return LayeredStore(MemoryStore())


class ReadOnly(MemoryStore):
    """A store in which nothing is changed, and nobody waits."""

    def __init__(self, **content: bytes) -> None:
        super().__init__()
        self._data = {f"a/{name}": value for name, value in content.items()}

    def refuse(self, *_: object) -> Any:
        raise AssertionError("a lower store is only read")

    write = delete = touch = declare_wait = compute_turn = clear_leftovers = trim = refuse


@pytest.fixture
def own() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def store(own: MemoryStore) -> LayeredStore:
    """Two layers below an empty one: both have b."""
    return LayeredStore(own, ReadOnly(b=b"group b", c=b"group c"), ReadOnly(b=b"site b", d=b"site d"))


def content(store: Store) -> dict[str, bytes]:
    return {name: bytes(store.read(name) or b"") for name in store.names()}


BELOW = {"a/b": b"group b", "a/c": b"group c", "a/d": b"site d"}


def test_layers_are_read_from_the_top(store: LayeredStore, own: MemoryStore) -> None:
    """A name is found in the first layer that has it, whole or its beginning, and listed once."""
    assert content(store) == BELOW
    assert sorted(store.names("a")) == sorted(BELOW)
    assert store.read_start("a/d", 4) == b"site"
    own.write("a/c", [b"own c"])
    assert content(store) == {**BELOW, "a/c": b"own c"}
    assert store.read_start("a/c", 3) == b"own"
    assert sorted(store.names("a")) == sorted(BELOW)
    assert store.read("a/e") is None
    assert store.read_start("a/e", 1) is None


def test_an_empty_value_is_a_value(own: MemoryStore) -> None:
    """A name without bytes hides what is below it."""
    store = LayeredStore(own, ReadOnly(b=b"group b"))
    store.write("a/b", [])
    assert store.read("a/b") == store.read_start("a/b", 5) == b""
    assert LayeredStore(own, ReadOnly(c=b""), ReadOnly(c=b"site c")).read("a/c") == b""


def test_writes_go_to_the_upper_layer(store: LayeredStore, own: MemoryStore) -> None:
    """What is written is in one's own store, in the place of what is below; uses are noted there too."""
    store.write("a/b", [b"own", b" b"])
    store.touch("a/b")
    store.touch("a/c")
    assert content(own) == {"a/b": b"own b"}
    assert content(store) == {**BELOW, "a/b": b"own b"}


def test_what_is_deleted_stays_away(store: LayeredStore, own: MemoryStore) -> None:
    """A name that is deleted is gone from all layers, once; it can be written again, and deleted again."""
    for name in ("a/b", "a/d"):
        assert [store.delete(name), store.delete(name)] == [True, False]
        assert store.read(name) is None
        assert store.read_start(name, 1) is None
    assert content(store) == {"a/c": b"group c"}
    store.write("a/b", [b"own b"])
    assert content(store) == {"a/b": b"own b", "a/c": b"group c"}
    assert [store.delete("a/b"), store.delete("a/b")] == [True, False]
    assert content(store) == {"a/c": b"group c"}


def test_an_own_name_over_another_is_deleted_with_it(store: LayeredStore, own: MemoryStore) -> None:
    """Deleting what is above does not bring back what was below, and leaves nothing for what is nowhere below."""
    for name in ("a/b", "a/new"):
        own.write(name, [b"own"])
        assert store.delete(name) is True
    assert content(store) == {"a/c": b"group c", "a/d": b"site d"}
    assert len(content(own)) == 1


@pytest.mark.parametrize("max_bytes", [0, None])
def test_what_is_deleted_stays_away_after_upkeep(tmp_path: Path, max_bytes: int | None) -> None:
    """Trimming takes entries from one's own layer only, and never the marks that hide those below."""
    own, group = DirectoryStore(tmp_path / "own"), DirectoryStore(tmp_path / "group")
    b, c, d = map(named, "bcd")
    for name in (b, c):
        group.write(name, [b"group"])
    store = LayeredStore(own, group)
    store.delete(b)
    store.write(b, [entry(10)])
    store.write(d, [entry(20)])
    assert store.clear_leftovers() == 0
    assert store.trim(".stored", max_bytes, 0.0) == Upkeep(0, 0, 2, 30)
    assert content(store) == {c: b"group"}
    assert content(group) == {b: b"group", c: b"group"}


def test_marks_go_that_hide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upkeep removes the mark of a name that no layer below has any more, unless one of them cannot be read."""
    own, group = DirectoryStore(tmp_path / "own"), DirectoryStore(tmp_path / "group")
    store = LayeredStore(own, group)
    for label in "abc":
        group.write(named(label), [entry()])
        store.delete(named(label))
    own.write(f"{named('d')}.removed", [b"not a mark"])
    others = ["docs/chapter.removed", "todo.removed", f"{named('e')}x.removed"]
    for name in others:
        own.write(name, [])
    group.delete(named("a"))
    with monkeypatch.context() as patch:
        patch.setattr(group, "read_start", fail_to_read)
        store.trim(".stored", None, None)
    assert {label_of(name) for name in set(own.names()) - {*others}} == {*"abcd"}
    store.trim(".stored", None, None)
    assert {label_of(name) for name in set(own.names()) - {*others}} == {*"bcd"}
    assert list(store.names()) == []
    assert set(own.names()) > {*others}


def test_a_huge_file_is_not_read_for_a_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what has the name of a mark, no more is read than tells whether it is one."""
    own = DirectoryStore(tmp_path / "own", maps=False)
    own.write(f"{named('a')}.removed", [b"x"])
    monkeypatch.setattr(own, "read", None)
    LayeredStore(own, MemoryStore()).trim(".stored", None, None)
    assert list(own.names()) == [f"{named('a')}.removed"]


def fail_to_read(name: str, length: int) -> None:
    raise PermissionError(name)


def test_deleting_while_listing(store: LayeredStore) -> None:
    """What a listing gives can be deleted as it comes."""
    assert [store.delete(name) for name in store.names()] == [True] * 3
    assert list(store.names()) == []


def test_locations_tell_the_layer(tmp_path: Path) -> None:
    """A name is where it is found, else where it would be written; the store itself is where it writes."""
    own, group = DirectoryStore(tmp_path / "own"), DirectoryStore(tmp_path / "group")
    store = LayeredStore(own, group)
    group.write("a/b", [b"group"])
    assert store.location() == str(tmp_path / "own")
    assert store.location("a/b") == str(tmp_path / "group" / "a" / "b")
    assert store.location("a/c") == str(tmp_path / "own" / "a" / "c")
    assert store.location("a") == str(tmp_path / "own" / "a")  # in the group's there is a folder of that name
    store.write("a/b", [b"own"])
    assert store.location("a/b") == str(tmp_path / "own" / "a" / "b")
    assert repr(store) == f"LayeredStore(DirectoryStore('{tmp_path / 'own'}'), DirectoryStore('{tmp_path / 'group'}'))"


def test_turns_are_those_of_the_upper_layer(tmp_path: Path) -> None:
    """Whoever shares one's own store waits; nothing is made, or waited for, in the layers below."""
    own, group = DirectoryStore(tmp_path / "own"), DirectoryStore(tmp_path / "group")
    store = LayeredStore(own, group)
    with group.compute_turn("a/b", 0.0), store.declare_wait("a/c"), store.compute_turn("a/c", 0.0) as turn:
        assert turn is Turn.MINE
        assert turn_of_a_stranger(own, "a/c") is Turn.EXPIRED
        assert turn_of_a_stranger(store, "a/c") is Turn.EXPIRED
        assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def test_needs_are_told_in_the_upper_layer(tmp_path: Path) -> None:
    """What a thread needs, with the turn of an upper layer, is seen by those who wait there."""
    own = DirectoryStore(tmp_path / "own")
    store = LayeredStore(own, MemoryStore())
    with elsewhere(hold_and_need, own, "a/c", "a/b") as (_, end):
        assert received(end) == "holding"
        with in_another_thread(store.compute_turn("a/b", 0.0), store.declare_wait("a/c")):
            end.send("need")
            assert turn_of(store, "a/c", PATIENCE) is not Turn.EXPIRED


@dataclass
class Duck:
    """A store that inherits from nothing, of the time before stores counted."""

    content: MemoryStore

    def __getattr__(self, name: str) -> Any:
        if name == "count_written":
            raise AttributeError(name)
        return getattr(self.content, name)


def test_the_upper_layer_counts(tmp_path: Path, own: MemoryStore) -> None:
    """What is written is counted where it is, if that store counts."""
    store = LayeredStore(DirectoryStore(tmp_path / "own"), own)
    store.write("a/b", [b"x"])
    assert [store.count_written(3), store.count_written(4)] == [Usage(3, 0.0), Usage(7, 0.0)]
    assert LayeredStore(own).count_written(3) == Usage(3, 0.0)
    assert LayeredStore(cast("Store", Duck(own))).count_written(3) is None


def test_the_upper_layer_tells_what_is_left_out(tmp_path: Path, own: MemoryStore) -> None:
    """Whether limits can be kept, and who waits, is as in the store that is written."""
    assert LayeredStore(DirectoryStore(tmp_path), own).left_out() == frozenset()
    assert LayeredStore(own, DirectoryStore(tmp_path)).left_out() == {"declare_wait", "compute_turn", "clear_leftovers"}


def test_leftovers_are_cleared_in_the_upper_layer(tmp_path: Path) -> None:
    """What dead processes have left below is not one's own business."""
    stores = [DirectoryStore(tmp_path / name) for name in ("own", "group")]
    drafts = [store.root / ".work" / f"1-{'0' * 16}.draft" for store in stores]
    for store, draft in zip(stores, drafts, strict=True):
        store.write("a/b", [b"x"])
        draft.touch()
    assert LayeredStore(*stores).clear_leftovers() == 1
    assert [draft.exists() for draft in drafts] == [False, True]


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_whoever_can_write_into_a_layer_is_told(tmp_path: Path, layer: int) -> None:
    """A layer that is open to others makes the whole so, since it is read; none is by itself."""
    stores = [DirectoryStore(tmp_path / str(number)) for number in range(3)]
    store = LayeredStore(*stores)
    for each in stores:
        each.write("a", [b"x"])
    assert store.writable_by_others() == ""
    stores[layer].root.chmod(0o777)
    assert store.writable_by_others() == stores[layer].writable_by_others() != ""


class Failing(ReadOnly):
    """A store that cannot be read."""

    def read(self, name: str) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", name)

    def names(self, folder: str = "") -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", folder)

    def location(self, name: str = "") -> str:
        return "the failing one"


def test_a_layer_that_fails_hides_no_other(own: MemoryStore) -> None:
    """What another layer has is found; what none has is an error that names the layer, as is a listing."""
    store = LayeredStore(own, Failing(), ReadOnly(b=b"site b"))
    assert store.read("a/b") == b"site b"
    own.write("a/c", [b"own c"])
    assert store.read("a/c") == b"own c"
    for use in (lambda: store.read("a/x"), lambda: store.read_start("a/x", 1), lambda: list(store.names())):
        with pytest.raises(LayerError, match="Permission denied") as caught:
            use()
        assert caught.value.layer == "the failing one"


def test_a_file_in_the_place_of_the_upper_store_hides_nothing(tmp_path: Path) -> None:
    """If the upper directory cannot be, what is below is found."""
    (tmp_path / "own").touch()
    store = LayeredStore(DirectoryStore(tmp_path / "own"), ReadOnly(b=b"site b"))
    assert store.read("a/b") == b"site b"
    assert store.read("a/c") is None
