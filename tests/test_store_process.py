"""The threads of another process do what they are told, and say what came of it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from stored._store_process import RemoteThread, StoreProcess, answering, serve_threads
from stored.stores import DirectoryStore, MemoryStore
from stored.typing import Turn

PATIENCE = 60.0


@pytest.fixture
def connections() -> Iterator[list[Connection]]:
    """To what is served in a thread of this process."""
    pairs = [multiprocessing.Pipe() for _ in range(3)]
    thread = threading.Thread(target=serve_threads, args=([there for _, there in pairs],), daemon=True)
    thread.start()
    yield [here for here, _ in pairs]
    for here, _ in pairs:
        here.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_threads_use_one_store(connections: list[Connection]) -> None:
    """What one writes the other reads, whichever kind of buffer the store gives."""
    first, second = (RemoteThread(each, PATIENCE) for each in connections[:2])
    first.begin("use", MemoryStore())
    assert first.answer() is None
    first.call("write", "a/b", [b"12"])
    assert (second.call("read", "a/b"), second.call("read_start", "a/b", 1)) == (b"12", b"1")
    assert second.enter("compute_turn", "a/b", 0.0) is Turn.MINE
    assert answering([first, second], 0.0) == []
    second.begin("has_left_all")
    assert answering([first, second], PATIENCE) == [second]
    assert second.answer() is False
    second.leave(ValueError("of a test"))
    second.begin("has_left_all")
    assert second.answer() is True


def test_an_error_comes_back_as_text(connections: list[Connection], tmp_path: Path) -> None:
    """Errors need not be such that they can be pickled; a block of contextlib raises that of the block again."""
    first = RemoteThread(connections[0], PATIENCE)
    with pytest.raises(AssertionError, match="in the other process: IndexError: list index"):
        first.call("read", "a/b")
    first.begin("use", DirectoryStore(tmp_path / "root"))
    first.answer()
    first.enter("declare_wait", "a/b")
    first.leave(ValueError("of a test"))


def test_what_hangs_is_an_error() -> None:
    """A thread that does not answer in time is told of, instead of waiting for ever."""
    here, there = multiprocessing.Pipe()
    with here, there, pytest.raises(AssertionError, match=r"still at it after 0.01 s"):
        RemoteThread(here, 0.01).call("read", "a/b")


def test_a_forked_process_does_what_it_is_told(connections: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a connection of its own, and ends with it; the other one tells its number."""
    first, _, forked = (RemoteThread(each, PATIENCE) for each in connections)
    first.begin("use", MemoryStore())
    first.answer()
    monkeypatch.setattr(os, "fork", lambda: 7)
    first.begin("fork")
    assert first.answer() == 7
    ended = threading.Event()
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "_exit", lambda status: ended.set())
    first.begin("fork")
    forked.call("write", "a/b", [b"1"])
    forked.connection.close()
    assert ended.wait(PATIENCE)


def test_processes_are_used_again_if_they_are_as_new(tmp_path: Path) -> None:
    """One that lives, has not forked and holds nothing serves another test; all end with what was forked from them."""
    process, store = StoreProcess(PATIENCE), DirectoryStore(tmp_path / "root")
    try:
        process.use(store)
        assert process.first.enter("compute_turn", "a/b", 0.0) is Turn.MINE
        assert not process.is_as_new()
        process.first.leave()
        assert process.is_as_new()
        child = process.fork()
        child.call("write", "a/b", [b"1"])
        assert store.read("a/b") == b"1"
        assert not process.is_as_new()
    finally:
        process.kill()
    assert child.connection.poll(PATIENCE)  # it was closed
    assert not process.is_as_new()
    process.kill()
