"""Who waits for a result of another process is told for whom, since when, and how long such results took before."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from stored import PersistenceWarning, configure
from stored._keys import Key, Space
from stored._storage import PersistentTier, waiting
from stored._storage.waiting import WaitingMessages
from stored.stores import DirectoryStore, MemoryStore, _holders, _locks
from stored.typing import Holder, Waiting
from tests.storage.models import CALLS, GATE, Model
from tests.stores.test_locks import NoNotes, elsewhere, held, received

KEY = Key(Space("waiting", "owner", (("n", "1"),)), "f", "mod.f", "1", (("x", "2"),))


class Listener(logging.Handler):
    """Keeps what is logged, and does something at each message."""

    def __init__(self, action: Callable[[int], object] = lambda number: None) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._action = action

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self._action(len(self.records))

    @property
    def messages(self) -> list[str]:
        return [each.getMessage() for each in self.records]


@contextlib.contextmanager
def listening(listener: Listener, level: int = logging.INFO) -> Iterator[None]:
    logger = logging.getLogger("stored")
    logger.addHandler(listener)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are made at once, and it is told soon."""
    monkeypatch.setattr(_locks, "_notes", _holders.HolderNotes())
    monkeypatch.setattr(_holders, "_PAUSE", 0.01)
    monkeypatch.setattr(_locks, "_FIRST_TOLD", 0.2)


def compute_gated(end: Connection) -> None:
    GATE.append(end)
    end.send(Model().gated())


def test_a_wait_is_told_of() -> None:
    """The first time as a warning, then as information; the result is that of the other process."""
    Model(2.0).gated()
    CALLS.clear()
    with elsewhere(compute_gated) as (process, end):
        assert received(end) == "begun"
        listener = Listener(lambda number: end.send("go on") if number == 2 else None)
        with listening(listener):
            assert Model().gated() == 1.0
    assert CALLS == []
    assert [each.levelname for each in listener.records] == ["WARNING", "INFO"]
    form = (
        rf"waiting for Model\.gated\(\), 0 s so far: process {process.pid} on {re.escape(os.uname().nodename)} has been"
        r" computing it since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d+ s\); such results took \S+ s before"
    )
    assert all(re.fullmatch(form, each) for each in listener.messages), listener.messages


def test_a_wait_that_has_a_limit_is_told_of(cache_dir: Path) -> None:
    """Of what was never computed before, and of a holder that leaves no notes, less is known."""
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = [each for each in place.names() if each.endswith(".stored")]
    listener = Listener()
    with held(place, name), configure(lock_timeout=0.3), listening(listener):
        place.delete(name)
        with pytest.warns(PersistenceWarning, match=r"still being computed by another process after 0.3 s"):
            assert Model().power(2.0) == 4.0
    assert len(listener.messages) == 1
    assert "such results" not in listener.messages[0]


def test_who_shows_no_life_is_overtaken(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of the user's, the warning says why."""
    monkeypatch.setattr(_locks, "_notes", NoNotes())
    monkeypatch.setattr(_locks, "PATIENCE", 0.1)
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = [each for each in place.names() if each.endswith(".stored")]
    with held(place, name):
        place.delete(name)
        message = r"another process has begun to compute .*power\(x=2.0\), but has shown no sign of life for 600 s"
        with pytest.warns(PersistenceWarning, match=message):
            assert Model().power(2.0) == 4.0
    assert len(CALLS) >= 2


def said(store: MemoryStore, holder: Holder | None, level: int = logging.INFO) -> list[str]:
    listener = Listener()
    with listening(listener, level):
        WaitingMessages(store, KEY)(Waiting(12.4, holder))
    return listener.messages


def test_what_is_not_known_is_not_said() -> None:
    """Nor how long it took, where that was too short to be recorded."""
    store = MemoryStore()
    assert said(store, None) == ["waiting for owner.f(x=2), 12 s so far: another process computes it"]
    with configure(store=store):
        PersistentTier("rw").slot(KEY).save(1.0, seconds=0.0)
    assert said(store, None) == ["waiting for owner.f(x=2), 12 s so far: another process computes it"]
    with configure(store=store):
        PersistentTier("rw").slot(KEY).save(1.0, seconds=123.456)
    assert said(store, None) == [
        "waiting for owner.f(x=2), 12 s so far: another process computes it; such results took 123 s before"
    ]


def test_the_clock_of_the_holder_may_be_ahead() -> None:
    """It has computed for no less than nothing."""
    (message,) = said(MemoryStore(), Holder("far", 7, time.time() + 100.0))
    assert message.endswith("(0 s)")
    assert "process 7 on far has been computing it since 2" in message


def test_nothing_is_looked_up_for_what_nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the logger is silent a wait costs nothing."""
    monkeypatch.setattr(waiting, "_time_before", lambda *_: pytest.fail("looked up"))
    assert said(MemoryStore(), None, logging.CRITICAL) == []


@pytest.mark.parametrize("error", [OSError, MemoryError, RecursionError])
def test_a_wait_goes_on_without_words(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """Trouble with what is told reaches no caller."""

    def fail(*_: object) -> str:
        raise error

    monkeypatch.setattr(waiting, "_time_before", fail)
    assert said(MemoryStore(), None) == []
