"""Results are read from a store and written to it, one process computes for all, and troubles cost persistence only."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from stored import PersistenceWarning, configure
from stored._keys import Key, Space
from stored._storage import PersistentTier, headers
from stored.stores import DirectoryStore, MemoryStore
from stored.typing import ABSENT, Turn
from tests.storage.models import CALLS, GATE, Model, entry_files, kept, new_user, set_ages, store
from tests.stores.test_locks import elsewhere, held, received, when_waiting


@pytest.mark.parametrize(
    ("settings", "noted"),
    [
        ({}, False),
        ({"max_bytes": 10**9}, True),
        ({"max_age": 1e9}, True),
        ({"max_age": 1e9, "persistence": "r"}, False),
    ],
)
def test_uses_are_noted_where_they_matter(cache_dir: Path, settings: dict[str, Any], noted: bool) -> None:
    """Reading an entry sets its time if there are limits and writing is allowed; without limits it costs nothing."""
    store("a")
    set_ages(cache_dir, a=500)
    (file,) = entry_files(cache_dir)
    before = file.stat().st_mtime
    with configure(**settings):
        assert new_user().getStoredObject("a") is not None
        assert new_user().getStoredObject("b") is None
    assert (file.stat().st_mtime > before) is noted


def test_what_cannot_be_noted_is_read(cache_dir: Path) -> None:
    """An entry is found though its use cannot be noted."""

    class Untouchable(MemoryStore):
        def touch(self, name: str) -> None:
            raise OSError("read-only")

    with configure(store=Untouchable(), max_age=1e9):
        store("a")
        assert new_user().getStoredObject("a") is not None


@pytest.mark.parametrize("method", ["writable_by_others", "compute_turn", "declare_wait"])
def test_a_store_that_fails_costs_persistence_only(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OSError of the least of a store's methods reaches no caller."""

    def fail(*arguments: object) -> None:
        raise OSError("connection lost")

    store = MemoryStore()
    monkeypatch.setattr(store, method, fail)
    with configure(store=store):
        assert Model().power(3.0) == Model().power(3.0) == 9.0


@pytest.mark.parametrize("method", ["read", "write"])
def test_what_cannot_even_be_warned_of_reaches_no_caller(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning needs more depth of recursion, or memory, than there is where these run out."""

    def exhausted(*_: object, **__: object) -> None:
        raise RecursionError

    store = MemoryStore()
    monkeypatch.setattr(store, method, exhausted)
    monkeypatch.setattr(warnings, "warn_explicit", exhausted)
    monkeypatch.setattr(warnings, "warn", exhausted)
    with configure(store=store):
        assert Model().power(3.0) == Model().power(3.0) == 9.0


# -- quick results ----------------------------------------------------------------------------------------------------


def test_quick_results_are_kept_in_memory(cache_dir: Path) -> None:
    """What took less than min_compute_seconds to compute is not written, and found in memory; by default all is."""
    with configure(min_compute_seconds=3600.0):
        model = Model()
        assert [model.power(2.0), model.power(2.0), Model().power(2.0)] == [4.0] * 3
        assert model.power.cache_info().stores == 0
        store("a")  # nobody knows what that took
    assert kept(cache_dir) == "a"
    assert len(CALLS) == 2
    assert [Model().power(2.0), Model().power(2.0)] == [4.0, 4.0]
    assert len(CALLS) == 3


@pytest.mark.parametrize(("persistence", "left"), [("rw", 0), ("w", 0), ("r", 1)])
def test_a_quick_result_leaves_no_older_one(cache_dir: Path, persistence: str, left: int) -> None:
    """A result that is not written takes the entry that it replaces away, if writing is allowed."""
    Model().power(2.0)
    with configure(min_compute_seconds=3600.0, persistence=persistence):
        Model().power.refresh(2.0)
    assert len(entry_files(cache_dir)) == left


def test_quick_methods_take_no_locks(cache_dir: Path) -> None:
    """A method whose results are not worth storing waits for nobody, and keeps nobody waiting, from then on."""
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = [each for each in place.names() if each.endswith(".stored")]
    place.delete(name)
    CALLS.clear()
    model = Model()
    with configure(min_compute_seconds=1e6):
        model.power(1.0)
        with held(place, name), configure(lock_timeout=0.0):
            assert model.power(2.0) == 4.0
    assert CALLS == [1.0, 2.0]


# -- turns ------------------------------------------------------------------------------------------------------------


def compute_gated(end: Connection) -> None:
    GATE.append(end)
    end.send(Model().gated())


def test_what_another_process_computes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that needs what another computes waits for it, and finds it."""
    with elsewhere(compute_gated) as (_, end):
        assert received(end) == "begun"
        when_waiting(monkeypatch, lambda: end.send("go on"))
        model = Model()
        assert model.gated() == received(end) == 1.0
        assert model.gated.cache_info()[:2] == (1, 0)
    assert CALLS == []


def test_waiting_for_another_process_has_a_limit(cache_dir: Path) -> None:
    """After lock_timeout a result is computed here too, and stored, with one warning at the caller's line."""
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = [each for each in place.names() if each.endswith(".stored")]
    with held(place, name), configure(lock_timeout=0.0):
        place.delete(name)
        with pytest.warns(
            PersistenceWarning, match=r"power\(x=2.0\) is still being computed .* 0 s.*lock_timeout"
        ) as caught:
            assert Model().power(2.0) == 4.0
        assert [each.filename for each in caught] == [__file__]
        place.delete(name)
        assert Model().power(2.0) == 4.0
        assert Model().power(2.0) == 4.0
    assert len(CALLS) == 3


@pytest.mark.parametrize("persistence", ["r", "w", ""])
def test_nobody_waits_for_what_it_could_not_find(cache_dir: Path, persistence: str) -> None:
    """Where results are not read, or not written, nobody waits, and no lock is made."""
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = [each for each in place.names() if each.endswith(".stored")]
    with held(place, name), configure(persistence=persistence):
        place.delete(name)
        files = list((cache_dir / ".work").iterdir())
        assert Model().power(2.0) == 4.0
        assert list((cache_dir / ".work").iterdir()) == files


# -- slots ------------------------------------------------------------------------------------------------------------

KEY = Key(Space("disk", "owner", (("n", "1"),)), "f", "mod.f", "1", (("x", "2"),))


def test_a_slot_keeps_the_store_and_the_settings_of_its_making() -> None:
    """What is configured meanwhile does not count: what a call began with is what it ends with."""
    one, other = MemoryStore(), MemoryStore()
    with configure(store=one):
        slot = PersistentTier("rw").slot(KEY)
        reader = PersistentTier("r").slot(KEY)
    with configure(store=other, persistence=""):
        assert slot.save(3)
        assert [each.load().value for each in (slot, reader)] == [3, 3]
        assert (slot.access[2:4], reader.access[2:4]) == ((True, True), (True, False))
    assert list(one.names()) == [slot.name] == [KEY.entry_name]
    assert list(other.names()) == []
    assert slot.store is one


def test_a_slot_while_disabled() -> None:
    """It neither finds, writes nor removes anything."""
    tier = PersistentTier("rw")
    assert tier.slot(KEY).save(3)
    with configure(disable=True):
        slot = tier.slot(KEY)
        assert (slot.load(), slot.save(4), slot.forget()) == (ABSENT, False, False)
    assert tier.slot(KEY).forget()
    assert not tier.slot(KEY).forget()


def test_an_entry_lists_the_values_that_the_slot_was_given() -> None:
    """They stand in its header."""
    tier = PersistentTier("rw")
    tier.slot(KEY, (("n",), (1.0,), {"x": 2})).save(1)
    (header,) = headers(tier.store())
    assert header.values == {"parameters": {"n": 1.0}, "arguments": {"x": 2}}


class Expiring(MemoryStore):
    """A store in which waiting always ends at the time limit; it notes what ends."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[object] = []

    @contextlib.contextmanager
    def compute_turn(self, name: str, limit: float | None, tell: object = None) -> Iterator[Turn]:
        try:
            yield Turn.EXPIRED
        finally:
            self.ended.append(sys.exc_info()[0])


def test_a_turn_ends_whatever_happens_in_it() -> None:
    """The block of the store ends with the block, with an error in it, and where the warning of a timeout is one."""
    store = Expiring()
    with configure(store=store):
        slot = PersistentTier("rw").slot(KEY)
        with pytest.raises(PersistenceWarning), slot.wait_for_turn():  # warnings are errors in all tests
            pytest.fail("the block was entered")
        with slot.wait_for_turn():
            assert store.ended == [PersistenceWarning]
        with pytest.raises(KeyError), slot.wait_for_turn():
            raise KeyError
    assert store.ended == [PersistenceWarning, None, KeyError]


@contextlib.contextmanager
def not_entered(*arguments: object) -> Iterator[None]:
    raise OSError("no locks left")
    yield


@contextlib.contextmanager
def not_left(*arguments: object) -> Iterator[None]:
    yield
    raise OSError("the file of locks is gone")


@pytest.mark.parametrize("fail", [not_entered, not_left])
@pytest.mark.parametrize("block", ["declare_wait", "wait_for_turn"])
def test_a_block_that_cannot_be_entered_or_left_is_passed_over(
    block: str, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes may compute the same then, and what was done is done; that is all."""
    store = MemoryStore()
    for name in ("declare_wait", "compute_turn"):
        monkeypatch.setattr(store, name, fail)
    entered = []
    with configure(store=store), getattr(PersistentTier("rw").slot(KEY), block)():
        entered.append(block)
    assert entered == [block]
