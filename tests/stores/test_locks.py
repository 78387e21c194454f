"""Of all processes one has its turn for a name, the others wait for it, and nobody waits for nothing."""

from __future__ import annotations

import contextlib
import copy
import errno
import fcntl
import gc
import multiprocessing
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest

from stored.stores import DirectoryStore, _holders, _locks
from stored.stores._locks import FileLocks, TurnBlock
from stored.stores._notes import Note
from stored.typing import Turn, Waiting
from tests.faults.processes import (
    METHODS,
    PATIENCE,
    Process,
    in_processes,
    in_threads,
    sleep_for_ever,
    started,
    until,
    until_waiting,
)
from tests.stores.test_files import fail, without_handles


class NoNotes:
    """In place of the notes of who computes."""

    def begin(self, *_: object) -> None: ...

    def end(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def no_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow computer too, no test takes so long that notes of who computes are made, unless it asks for them."""
    monkeypatch.setattr(_locks, "_notes", NoNotes())


@pytest.fixture
def quick_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes of who computes are made at once, and renewed all the time."""
    monkeypatch.setattr(_locks, "_notes", _holders.HolderNotes())
    monkeypatch.setattr(_holders, "_PAUSE", 0.01)
    monkeypatch.setattr(_holders, "_BETWEEN_SIGNS", 0.0)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "root")


def turn_of(store: DirectoryStore, name: str, limit: float = 0.0) -> Turn:
    with store.compute_turn(name, limit) as turn:
        return turn


def turn_of_another_thread(store: DirectoryStore, name: str) -> Turn:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(turn_of, store, name).result(PATIENCE)


def turn_of_a_stranger(store: DirectoryStore, name: str) -> Turn:
    """The turn of a process that was not forked within a turn of this thread."""
    [turn] = in_threads((in_processes, (turn_of, store, name)))
    return turn[0]


def work_files(store: DirectoryStore) -> list[str]:
    """What is in the folder of locks, but for the lock file, and marks by which waiters hear of failures."""
    return sorted(set(os.listdir(store.root / ".work")) - {"locks"} - set(marks(store)))


def marks(store: DirectoryStore) -> list[str]:
    """Marks by which waiters hear of failures."""
    return [name for name in os.listdir(store.root / ".work") if name.endswith(".failed")]


def digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=16).hexdigest()


@contextlib.contextmanager
def elsewhere(function: Callable[..., Any], *arguments: Any) -> Iterator[tuple[Process, Connection]]:
    """A function in another process, which is given the end of a pipe too; it is killed after the block."""
    ours, theirs = multiprocessing.Pipe()
    with ours, started((function, *arguments, theirs)) as [process]:
        theirs.close()
        yield process, ours


def received(end: Connection) -> Any:
    assert end.poll(PATIENCE), "the other process says nothing"
    return end.recv()


def hold(store: DirectoryStore, name: str, end: Connection, error: BaseException | None = None) -> None:
    """Say what turn it is, and keep it until asked to write or not, or until an error."""
    with store.compute_turn(name, PATIENCE) as turn:
        end.send(turn)
        if end.recv() == "write":
            store.write(name, [b"content"])
        if error is not None:
            raise error


def hold_and_fail(store: DirectoryStore, name: str, error: BaseException, end: Connection) -> None:
    hold(store, name, end, error)


@contextlib.contextmanager
def held(store: DirectoryStore, name: str) -> Iterator[tuple[Process, Connection]]:
    """A block while another process has its turn."""
    with elsewhere(hold, store, name) as (process, end):
        assert received(end) is Turn.MINE
        yield process, end


def when_waiting(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Have something done once, as soon as this process has found a lock taken."""

    def sleep(seconds: float) -> None:
        monkeypatch.undo()
        action()

    monkeypatch.setattr(time, "sleep", sleep)


# -- one at a time ----------------------------------------------------------------------------------------------------


def enter_often(store: DirectoryStore, marker: Path, times: int) -> int:
    entered = 0
    while entered < times:
        with store.compute_turn("a/b", PATIENCE) as turn:
            if turn is Turn.MINE:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))  # an error if somebody else is in the block
                os.sched_yield()
                marker.unlink()
                entered += 1
    return entered


@pytest.mark.parametrize("method", METHODS)
def test_one_process_at_a_time_has_its_turn(store: DirectoryStore, tmp_path: Path, method: str) -> None:
    """Processes, however they are started, are never in the block together, and all come to their turns."""
    jobs = [(enter_often, store, tmp_path / "marker", 100)] * 4
    assert in_processes(*jobs, method=method) == [100] * 4
    assert work_files(store) == []


@pytest.mark.parametrize("error", [None, ValueError(), MemoryError()])
def test_all_who_wait_go_on_when_the_holder_leaves_nothing(store: DirectoryStore, error: BaseException | None) -> None:
    """After a block without an entry nobody waits, not even for another who waited; then the turn is free."""
    with contextlib.ExitStack() as stack:
        _, end = stack.enter_context(elsewhere(hold_and_fail, store, "a/b", error))
        assert received(end) is Turn.MINE
        for number in range(2):  # the second time there is a mark already
            waiters = [stack.enter_context(elsewhere(hold, store, "a/b")) for _ in range(4)]
            until_waiting(*(process for process, _ in waiters))
            end.send("end")
            turns = [received(its) for _, its in waiters]  # one may have had the lock before it looked
            assert turns.count(Turn.DONE_ELSEWHERE) >= 3
            assert set(turns) <= {Turn.DONE_ELSEWHERE, Turn.MINE}
            for process, _ in waiters:
                process.kill()
            assert turn_of(store, "a/b") is Turn.MINE
            assert marks(store) == [f"{digest('a/b')}.failed"]
            if not number:
                _, end = stack.enter_context(elsewhere(hold_and_fail, store, "a/b", error))
                assert received(end) is Turn.MINE


def test_a_holder_that_changes_nothing_is_succeeded(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits has the lock when the holder's block ends with the entry of before, as if it had found it there."""
    store.write("a/b", [b"before"])
    with held(store, "a/b") as (_, end):
        when_waiting(monkeypatch, lambda: end.send("end"))
        with store.compute_turn("a/b", PATIENCE) as turn:
            assert turn is Turn.MINE
            assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
            assert marks(store) == [f"{digest('a/b')}.failed"]
    assert marks(store) == work_files(store) == []


@pytest.mark.parametrize("is_there_before", [False, True])
def test_all_who_wait_go_on_when_the_entry_is_there(store: DirectoryStore, is_there_before: bool) -> None:
    """A new file of the entry ends all waits at once, though its writer still has the lock."""
    if is_there_before:
        store.write("a/b", [b"before"])
    with held(store, "a/b"), contextlib.ExitStack() as stack:
        waiters = [stack.enter_context(elsewhere(hold, store, "a/b")) for _ in range(4)]
        until_waiting(*(process for process, _ in waiters))
        store.delete("a/b")  # which is not what they wait for
        assert not any(its.poll(0.02) for _, its in waiters)
        store.write("a/b", [b"content"])
        assert [received(its) for _, its in waiters] == [Turn.DONE_ELSEWHERE] * 4
        assert marks(store) == work_files(store) == []


@pytest.mark.parametrize("limit", [0.0, 0.02])
def test_waiting_has_a_limit(store: DirectoryStore, limit: float) -> None:
    """After that time a waiter does without; the holder keeps its turn, and nobody else is concerned."""
    with held(store, "a/b"):
        for _ in range(2):
            assert turn_of(store, "a/b", limit) is Turn.EXPIRED
        assert turn_of(store, "a/c") is Turn.MINE


def test_one_waiter_succeeds_a_holder_that_is_killed(store: DirectoryStore) -> None:
    """A lock dies with its process: of those who wait one has its turn, and the others wait for that one."""
    with contextlib.ExitStack() as stack:
        holder, _ = stack.enter_context(held(store, "a/b"))
        waiters = [stack.enter_context(elsewhere(hold, store, "a/b")) for _ in range(3)]
        until_waiting(*(process for process, _ in waiters))
        holder.kill()
        ends = [end for _, end in waiters]
        first: Any = wait(ends, PATIENCE)[0]
        assert received(first) is Turn.MINE
        first.send("write")
        assert [received(end) for end in ends if end is not first] == [Turn.DONE_ELSEWHERE] * 2


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_made_for_what_nobody_else_wants(store: DirectoryStore, error: type[BaseException] | None) -> None:
    """A turn that nobody waits for makes and removes no file, and leaves no handle open, whatever ends it."""
    assert turn_of(store, "a/first") is Turn.MINE
    handles, before = os.listdir("/proc/self/fd"), os.stat(store.root / ".work")
    with contextlib.suppress(BaseException), store.compute_turn("a/b", 0.0), store.compute_turn("a/c", 0.0):
        assert os.listdir("/proc/self/fd") == handles
        if error is not None:
            raise error
    assert os.listdir(store.root / ".work") == ["locks"]
    assert os.stat(store.root / ".work").st_mtime_ns == before.st_mtime_ns
    assert os.listdir("/proc/self/fd") == handles


def test_stores_of_one_directory_have_its_locks_in_common(store: DirectoryStore) -> None:
    """Two stores of one process, copies and pickles too, do not wait for each other."""
    others = [DirectoryStore(store.root), copy.deepcopy(store), pickle.loads(pickle.dumps(store))]
    with store.compute_turn("a/b", 0.0):
        assert [turn_of(other, "a/b", PATIENCE) for other in others] == [Turn.MINE] * 3
    assert in_processes((turn_of, others[-1], "a/b")) == [Turn.MINE]


# -- long waits -------------------------------------------------------------------------------------------------------


def hold_or_take_over(store: DirectoryStore, name: str, limit: float | None, end: Connection) -> None:
    """When asked to, say what turn it is, and keep it until asked to write or not."""
    end.send("ready")
    end.recv()
    with store.compute_turn(name, limit) as turn:
        end.send(turn)
        if end.recv() == "write":
            store.write(name, [b"content"])


@contextlib.contextmanager
def waiting(
    store: DirectoryStore, limit: float | None, number: int, name: str = "a/b"
) -> Iterator[dict[Connection, Process]]:
    """Processes that wait, or have waited, by the pipes to them."""
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(elsewhere(hold_or_take_over, store, name, limit)) for _ in range(number)]
        assert {received(end) for _, end in pairs} == {"ready"}
        for _, end in pairs:
            end.send("begin")
        yield {end: process for process, end in pairs}


def first_of(ends: dict[Connection, Process]) -> Connection:
    """Of those who wait, the first one that waits no longer, and computes now."""
    first: Any = wait(list(ends), PATIENCE)[0]
    assert received(first) is Turn.EXPIRED
    return first


def test_one_of_those_who_wait_takes_over_at_the_limit(store: DirectoryStore) -> None:
    """The others wait on; if it dies another one takes over; and when one writes all go on."""
    with held(store, "a/b"), waiting(store, 1.5, 4) as ends:
        first = first_of(ends)
        assert not wait([end for end in ends if end is not first], 0.25)
        ends.pop(first).kill()
        second = first_of(ends)
        ends.pop(second)
        assert not wait(list(ends), 0.25)
        second.send("write")
        assert [received(end) for end in ends] == [Turn.DONE_ELSEWHERE] * 2


def test_each_time_the_limit_has_passed_twice_over_another_one_takes_over(store: DirectoryStore) -> None:
    """So nobody waits for ever for those who took over and are stopped; in the end without a lock."""
    with held(store, "a/b"), waiting(store, 0.005, 10) as ends:
        for _ in range(9):
            ends.pop(first_of(ends))
        with store.compute_turn("a/b", 0.01) as turn:
            assert turn is Turn.EXPIRED
    with held(store, "a/c"), waiting(store, 0.01, 1, "a/c") as ends:
        first_of(ends)
        with store.compute_turn("a/c", 0.01) as turn:
            assert turn is Turn.EXPIRED


def test_the_first_one_may_be_done_before(store: DirectoryStore) -> None:
    """What the overtaken process writes serves those who wait, too."""
    with held(store, "a/b") as (_, end), waiting(store, 1.0, 3) as ends:
        ends.pop(first_of(ends))
        end.send("write")
        assert [received(end) for end in ends] == [Turn.DONE_ELSEWHERE] * 2


def test_who_took_over_and_ends_leaves_the_turn_of_the_first(store: DirectoryStore) -> None:
    """It has released its own lock only: newcomers wait, and at the limit one of them takes over again."""
    with held(store, "a/b"):
        for _ in range(3):
            with store.compute_turn("a/b", 0.01) as turn:
                assert turn is Turn.EXPIRED
                assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
        assert turn_of(store, "a/b") is Turn.EXPIRED
    assert turn_of(store, "a/b") is Turn.MINE


@pytest.mark.usefixtures("quick_notes")
def test_who_shows_life_is_not_overtaken(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of the user's, only for one that is stopped others do not wait for ever; one takes over."""
    monkeypatch.setattr(_locks, "PATIENCE", 1.0)
    with held(store, "a/b") as (process, _), waiting(store, None, 2) as ends:
        assert not wait(list(ends), 1.5)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            ends.pop(first_of(ends))
            assert not wait(list(ends), 1.5)  # it shows life, too
        finally:
            os.kill(process.pid, signal.SIGCONT)


def test_who_shows_no_life_is_overtaken(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder whose signs nobody sees is waited for with patience."""
    monkeypatch.setattr(_locks, "PATIENCE", 0.05)
    with held(store, "a/b"), store.compute_turn("a/b", None) as turn:
        assert turn is Turn.EXPIRED


@pytest.mark.usefixtures("quick_notes")
@pytest.mark.parametrize("limit", [0.3, None])
def test_who_waits_is_told_of_it(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, limit: float | None) -> None:
    """By whom it is computed and since when, and how long one has waited, each time after twice as long."""
    monkeypatch.setattr(_locks, "PATIENCE", 0.3)
    monkeypatch.setattr(_holders, "_BETWEEN_SIGNS", 100.0)
    monkeypatch.setattr(_locks, "_FIRST_TOLD", 0.05)
    told: list[Waiting] = []
    before = time.time()
    with held(store, "a/b") as (process, _):
        until(lambda: (store.root / ".work" / f"{digest('a/b')}.holder").exists())
        with store.compute_turn("a/b", limit, told.append) as turn:
            assert turn is Turn.EXPIRED
    assert len(told) >= 2
    assert all(later.seconds >= 2 * earlier.seconds >= 0.1 for earlier, later in pairwise(told))
    holders = [each.holder for each in told]
    assert holders[0] is not None
    assert holders[0][:2] == (os.uname().nodename, process.pid)
    assert before - 1 <= holders[0].since <= time.time()


def test_who_need_not_wait_is_told_nothing(store: DirectoryStore) -> None:
    """Nor who may not."""
    with store.compute_turn("a/b", None, lambda waiting: pytest.fail("told")) as turn:
        assert turn is Turn.MINE
    with held(store, "a/b"), store.compute_turn("a/b", 0.0, lambda waiting: pytest.fail("told")) as turn:
        assert turn is Turn.EXPIRED


def test_taking_over_can_be_interrupted(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C right after the lock of those who take over was had leaves it to others."""
    real = FileLocks.acquire

    def interrupted(locks: FileLocks, block: TurnBlock) -> bool:
        if block.has_waited and real(locks, block):
            raise KeyboardInterrupt
        return block.has_waited and real(locks, block)

    with held(store, "a/b"):
        monkeypatch.setattr(FileLocks, "acquire", interrupted)
        with pytest.raises(KeyboardInterrupt):
            turn_of(store, "a/b", 0.01)
        monkeypatch.undo()
        assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
        assert in_processes((takes_over, store)) == [True]


def takes_over(store: DirectoryStore) -> bool:
    with store.compute_turn("a/b", 0.01) as turn:
        return turn is Turn.EXPIRED


# -- nobody waits for itself ------------------------------------------------------------------------------------------


def test_a_process_does_not_wait_for_itself(store: DirectoryStore) -> None:
    """Within its turn a process has that turn again, in any thread; others have it only after the outermost block."""
    with store.compute_turn("a/b", 0.0):
        for _ in range(2):
            with (
                store.compute_turn("a/c", 0.0),
                store.compute_turn("a/b", PATIENCE) as again,
                store.compute_turn("a/c", PATIENCE) as other,
            ):
                assert (again, other) == (Turn.MINE, Turn.MINE)
                assert turn_of_another_thread(store, "a/c") is Turn.MINE
                assert in_processes((turn_of, store, "a/c")) == [Turn.MINE]  # it was forked in this turn
                assert turn_of_a_stranger(store, "a/c") is Turn.EXPIRED
        assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
        assert turn_of_a_stranger(store, "a/c") is Turn.MINE
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def hold_and_need(store: DirectoryStore, name: str, needed: str, end: Connection) -> None:
    """Have one turn, and when asked want another; say what that is."""
    with store.compute_turn(name, PATIENCE):
        end.send("holding")
        end.recv()
        with store.declare_wait(needed), store.compute_turn(needed, PATIENCE) as turn:
            end.send(turn)


def in_need(store: DirectoryStore, stack: contextlib.ExitStack, pairs: Any) -> list[Connection]:
    """The pipes to processes that each hold one name, and will need another."""
    ends = [stack.enter_context(elsewhere(hold_and_need, store, *pair))[1] for pair in pairs]
    assert [received(end) for end in ends] == ["holding"] * len(ends)
    return ends


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_circle_is_seen_by_whoever_closes_it(store: DirectoryStore, length: int) -> None:
    """A thread does not wait for a process that needs, directly or through others, what it holds; the others go on."""
    names = [f"a/{number}" for number in range(length)]
    with contextlib.ExitStack() as stack:
        ends = in_need(store, stack, pairwise(names))
        with store.compute_turn(names[-1], 0.0):
            for end in ends:
                end.send("need")
            mine = turn_of(store, names[0], PATIENCE)  # one of the others may have seen it first
        assert Turn.EXPIRED not in [mine, *(received(end) for end in ends)]


@pytest.mark.parametrize("length", [2, 3, 5])
def test_no_circle_of_processes_waits_for_ever(store: DirectoryStore, length: int) -> None:
    """Where all want what the next one has, at the same time, one at least goes on, and then the others do."""
    names = [f"a/{number}" for number in range(length)]
    with contextlib.ExitStack() as stack:
        ends = in_need(store, stack, zip(names, names[1:] + names[:1], strict=True))
        for end in ends:
            end.send("need")
        turns = {received(end) for end in ends}
    assert Turn.MINE in turns <= {Turn.MINE, Turn.DONE_ELSEWHERE}


def hold_while_a_thread_needs(store: DirectoryStore, name: str, needed: str, end: Connection) -> None:
    """Have one turn while another thread, that this one waits for, wants another."""
    with store.compute_turn(name, PATIENCE), ThreadPoolExecutor(1) as pool:
        end.send("holding")
        end.recv()
        with store.declare_wait(needed):
            end.send(pool.submit(turn_of, store, needed, PATIENCE).result())


def test_a_circle_may_lead_through_a_thread(store: DirectoryStore) -> None:
    """A process is known to wait also where another of its threads does so, for the one that has the lock."""
    with elsewhere(hold_while_a_thread_needs, store, "a/0", "a/1") as (_, end):
        assert received(end) == "holding"
        with store.compute_turn("a/1", 0.0):
            end.send("need")
            mine = turn_of(store, "a/0", PATIENCE)
        assert Turn.EXPIRED not in [mine, received(end)]


def need_while_a_thread_holds(store: DirectoryStore, name: str, needed: str, end: Connection) -> None:
    """Have one turn in a thread that waits for this one, which wants another turn; say what that is."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold_and_wait() -> None:
        with store.compute_turn(name, PATIENCE), store.declare_wait(needed):
            is_held.set()
            may_end.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold_and_wait)
        is_held.wait(PATIENCE)
        end.send("holding")
        end.recv()
        end.send(turn_of(store, needed, PATIENCE))
        may_end.set()


@pytest.mark.parametrize("function", [hold_and_need, hold_while_a_thread_needs, need_while_a_thread_holds])
def test_a_circle_of_two_processes_through_threads(store: DirectoryStore, function: Callable[..., None]) -> None:
    """Where each of two processes needs what the other has, in one thread or in two, neither waits for ever."""
    pairs = [("a/0", "a/1"), ("a/1", "a/0")]
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(elsewhere(function, store, *pair))[1] for pair in pairs]
        assert [received(end) for end in ends] == ["holding"] * 2
        for end in ends:
            end.send("need")
        turns = {received(end) for end in ends}
        assert Turn.MINE in turns <= {Turn.MINE, Turn.DONE_ELSEWHERE}
    assert [each for each in work_files(store) if not each.endswith(".draft")] == []


@contextlib.contextmanager
def needing(store: DirectoryStore, *chain: str) -> Iterator[list[Process]]:
    """Processes of which each has one name and waits for the next, within the block; the last name is held too."""
    with contextlib.ExitStack() as stack:
        if chain[-1] not in chain[:-1]:
            stack.enter_context(held(store, chain[-1]))
        pairs = [stack.enter_context(elsewhere(hold_and_need, store, *pair)) for pair in pairwise(chain)]
        for _, end in pairs:
            assert received(end) == "holding"
        for _, end in pairs:
            end.send("need")
        until(lambda: all((store.root / ".work" / f"{digest(name)}.waits").exists() for name in chain[:-1]))
        yield [process for process, _ in pairs]


def test_a_wait_ends(store: DirectoryStore) -> None:
    """A note of who waits for what is there for as long as the wait, and is of no meaning after its process's death."""
    with needing(store, "a/0", "a/1") as [process]:
        note = store.root / ".work" / f"{digest('a/0')}.waits"
        kept = note.with_name("kept")
        os.link(note, kept)
        assert turn_of(store, "a/0") is Turn.EXPIRED
        assert note.read_bytes() == digest("a/1").encode()
        process.kill()
        assert note.exists()
        with store.compute_turn("a/0", 0.0) as turn:
            assert turn is Turn.MINE
        with held(store, "a/0") as (_, end):
            with store.compute_turn("a/x", 0.0):
                note.write_bytes(digest("a/x").encode())
                assert turn_of(store, "a/0") is Turn.EXPIRED
            end.send("end")
        assert store.clear_leftovers() >= 1
        assert not note.exists()


def test_a_note_of_a_dead_process_makes_room(store: DirectoryStore) -> None:
    """Whoever has the lock after a process that died while it waited puts its own note in the place of the old one."""
    with needing(store, "a/0", "a/1") as [process]:
        process.kill()
    with needing(store, "a/0", "a/2"):
        note = store.root / ".work" / f"{digest('a/0')}.waits"
        until(lambda: note.exists() and note.read_bytes() == digest("a/2").encode())


def test_waits_of_others_do_not_matter(store: DirectoryStore) -> None:
    """Who waits for what somebody else has is waited for, also by those that have a turn."""
    with needing(store, "a/0", "a/1", "a/2"), store.compute_turn("a/mine", 0.0):
        assert [turn_of(store, name) for name in ("a/0", "a/1", "a/2")] == [Turn.EXPIRED] * 3


def test_a_circle_of_others_does_not_matter(store: DirectoryStore) -> None:
    """Notes that lead in a circle without this thread, as no library writes them, are followed once."""
    names = ["a/0", "a/1", "a/2"]
    (store.root / ".work").mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        for name, needed in zip(names, names[1:] + names[:1], strict=True):
            stack.enter_context(held(store, name))
            stack.enter_context(locked_note(store, name, digest(needed).encode()))
        with store.compute_turn("a/mine", 0.0):
            assert [turn_of(store, name) for name in names] == [Turn.EXPIRED] * 3


@contextlib.contextmanager
def locked_note(store: DirectoryStore, name: str, words: bytes) -> Iterator[None]:
    """A note as of a living process."""
    with open(store.root / ".work" / f"{digest(name)}.waits", "wb") as file:
        file.write(words)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("words", [b"../../../file", b"\xff" * 32, b"\0" * 32, b"", b"over", b"x" * 5000])
def test_what_others_say_is_not_trusted(store: DirectoryStore, words: bytes) -> None:
    """A note with anything else in it is that of a holder that needs nothing."""
    with held(store, "a/b"), store.compute_turn("a/mine", 0.0), locked_note(store, "a/b", words):
        assert turn_of(store, "a/b") is Turn.EXPIRED


def test_a_note_that_cannot_be_looked_at_says_nothing(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses the look at its lock, a note is not followed."""
    with held(store, "a/b"), store.compute_turn("a/mine", 0.0), locked_note(store, "a/b", digest("a/mine").encode()):
        assert turn_of(store, "a/b") is Turn.MINE
        fail(monkeypatch, fcntl, "flock", errno.ENOLCK)
        assert turn_of(store, "a/b") is Turn.EXPIRED


def test_declaring_a_wait_makes_nothing(store: DirectoryStore) -> None:
    """A thread can say what it needs, with a lock or without; nothing is made for it."""
    with store.declare_wait("a/b"):
        assert not store.root.exists()
        with store.compute_turn("a/b", 0.0) as turn, store.declare_wait("a/c"):
            assert turn is Turn.MINE
            assert work_files(store) == []


def test_notes_follow_those_who_are_kept_waiting(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a thread waits, a note is under the names of the threads that wait for it then, and no longer."""
    note = store.root / ".work" / f"{digest('a/mine')}.waits"
    seen = []

    def look(seconds: float) -> None:
        seen.append(note.exists())
        if len(seen) == 1:
            stack.enter_context(in_another_thread(store.compute_turn("a/mine", 0.0), store.declare_wait("a/b")))
        if len(seen) == 2:
            stack.close()

    with held(store, "a/b"), store.compute_turn("a/own", 0.0), contextlib.ExitStack() as stack:
        monkeypatch.setattr(time, "sleep", look)
        assert turn_of(store, "a/b", 0.05) is Turn.EXPIRED
        monkeypatch.undo()
    assert seen[:2] == [False, True]
    assert not any(seen[2:])


@contextlib.contextmanager
def in_another_thread(*blocks: contextlib.AbstractContextManager[Any]) -> Iterator[None]:
    """A thread that is within blocks of its own."""
    is_within, may_end = threading.Event(), threading.Event()

    def enter() -> None:
        with contextlib.ExitStack() as stack:
            for block in blocks:
                stack.enter_context(block)
            is_within.set()
            may_end.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(enter)
        assert is_within.wait(PATIENCE)
        yield
        may_end.set()


def test_a_deep_recursion_takes_no_handles(store: DirectoryStore) -> None:
    """However many turns a process has at once, they take one handle."""
    assert turn_of(store, "a/b") is Turn.MINE
    gc.collect()  # what other tests have left may hold handles
    handles = os.listdir("/proc/self/fd")
    with contextlib.ExitStack() as stack:
        for number in range(2000):
            assert stack.enter_context(store.compute_turn(f"a/{number}", 0.0)) is Turn.MINE
        assert os.listdir("/proc/self/fd") == handles
        assert turn_of_a_stranger(store, "a/1999") is Turn.EXPIRED
    assert turn_of_a_stranger(store, "a/1999") is Turn.MINE


# -- forks ------------------------------------------------------------------------------------------------------------

FORK = """
import contextlib, os, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from stored.stores import DirectoryStore
from stored.stores._locks import FileLocks
from stored.stores._notes import Note

store = DirectoryStore(sys.argv[1])

def turn_of(name, limit=0.0):
    with store.compute_turn(name, limit) as turn:
        return turn.name

def stranger(name):
    command = [sys.executable, "-W", "ignore", "-c", TURN, sys.argv[1], name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

TURN = '''
import sys
from stored.stores import DirectoryStore
with DirectoryStore(sys.argv[1]).compute_turn(sys.argv[2], 0.0) as turn:
    print(turn.name)
'''

def in_a_thread(*call):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(*call).result()

with store.compute_turn("a/outer", 0.0), store.compute_turn("a/inner", 0.0):
    with contextlib.ExitStack() as many:
        for number in range(100):
            many.enter_context(store.compute_turn(f"a/{number}", 0.0))
        child = os.fork()
        if child:
            status = os.waitpid(child, 0)[1]
        else:
            print(*[turn_of(name, 30.0) for name in ("a/outer", "a/inner", "a/50")])
            with store.compute_turn("a/free", 0.0):
                print(in_a_thread(turn_of, "a/free"), stranger("a/free"))
            print(stranger("a/free"))
    if child:
        print(*[stranger(name) for name in ("a/outer", "a/inner", "a/50")])
if child:
    print(stranger("a/outer"))
    sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_process_leaves_the_turns_of_its_parent_alone(store: DirectoryStore) -> None:
    """A child does not wait for a lock under which it was forked, nor release it, and has locks of its own."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(store.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "MINE MINE MINE\nMINE EXPIRED\nMINE\nEXPIRED EXPIRED MINE\nMINE\n"
    assert work_files(store) == []


def hold_and_fork(store: DirectoryStore, name: str, end: Connection) -> None:
    with store.compute_turn(name, PATIENCE), started((sleep_for_ever,)) as [child]:
        end.send(child.pid)
        end.recv()


def test_a_forked_process_does_not_keep_the_lock_of_its_parent(store: DirectoryStore) -> None:
    """When the parent is killed its lock is free, though a child that was forked under it lives on."""
    with elsewhere(hold_and_fork, store, "a/b") as (parent, end):
        child = received(end)
        try:
            assert turn_of(store, "a/b") is Turn.EXPIRED
            parent.kill()
            assert turn_of(store, "a/b", PATIENCE) is Turn.MINE
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_forked_process_does_not_prolong_a_turn(store: DirectoryStore) -> None:
    """When the parent's block ends the lock is free, though a child that was forked under it lives on."""
    with contextlib.ExitStack() as stack:
        with store.compute_turn("a/b", 0.0):
            stack.enter_context(started((sleep_for_ever,)))
            assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
        assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def test_a_circle_through_a_forked_process_is_seen(store: DirectoryStore) -> None:
    """A child does not wait for who waits for the lock under which the child was forked."""
    with elsewhere(hold_and_need, store, "a/1", "a/0") as (_, end):
        assert received(end) == "holding"
        with store.compute_turn("a/0", 0.0):
            end.send("need")
            assert in_processes((turn_of, store, "a/1", PATIENCE)) == [Turn.MINE]
        assert received(end) is not Turn.EXPIRED


# -- trouble ----------------------------------------------------------------------------------------------------------


def test_a_waiter_is_told_although_the_directory_was_cleared(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If somebody removes everything meanwhile, newcomers do not wait, and those who did notice when it has ended."""
    with held(store, "a/b") as (_, end):

        def clear() -> None:
            shutil.rmtree(store.root)
            assert turn_of_another_thread(store, "a/b") is Turn.EXPIRED  # its process has the old file open
            with elsewhere(hold, store, "a/b") as (_, its):
                assert received(its) is Turn.MINE
            end.send("write")

        when_waiting(monkeypatch, clear)
        assert turn_of(store, "a/b", PATIENCE) in (Turn.DONE_ELSEWHERE, Turn.MINE)


def test_a_lock_file_that_was_removed_is_made_anew(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a lock in a file that is removed while its holder dies has one in a new file then."""
    with held(store, "a/b") as (holder, _):

        def remove() -> None:
            (store.root / ".work" / "locks").unlink()
            holder.kill()

        when_waiting(monkeypatch, remove)
        with store.compute_turn("a/b", PATIENCE) as turn:
            assert turn is Turn.MINE
            assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED


def test_a_directory_that_is_cleared_while_locks_are_held(store: DirectoryStore) -> None:
    """Turns of before and after end each in its own file, which is closed with the last of them."""
    assert turn_of(store, "a/b") is Turn.MINE
    gc.collect()  # what other tests have left may hold handles
    handles = os.listdir("/proc/self/fd")
    with store.compute_turn("a/b", 0.0):
        shutil.rmtree(store.root)
        with store.compute_turn("a/c", 0.0):
            assert turn_of(store, "a/b") is Turn.MINE
            assert turn_of_a_stranger(store, "a/b") is Turn.MINE
            assert turn_of_a_stranger(store, "a/c") is Turn.EXPIRED
    assert turn_of_a_stranger(store, "a/c") is Turn.MINE
    assert len(os.listdir("/proc/self/fd")) <= len(handles)


def test_a_lock_file_that_another_process_has_replaced(store: DirectoryStore) -> None:
    """Whoever has the old one open takes a lock in the new one."""
    assert turn_of(store, "a/b") is Turn.MINE
    (store.root / ".work" / "locks").unlink()
    with held(store, "a/b"):
        assert turn_of(store, "a/b") is Turn.EXPIRED
    with store.compute_turn("a/b", 0.0):
        assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED


def test_a_lock_file_that_the_program_has_closed_is_opened_again(store: DirectoryStore) -> None:
    """A program that closes all descriptors, as daemons do, has turns as before."""
    assert turn_of(store, "a/b") is Turn.MINE
    [number] = [
        each
        for each in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{each}")
        and os.path.samefile(f"/proc/self/fd/{each}", store.root / ".work" / "locks")
    ]
    with store.compute_turn("a/c", 0.0):
        os.close(int(number))
        with store.compute_turn("a/b", 0.0) as turn:
            assert turn is Turn.MINE
            assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
    with store.compute_turn("a/b", 0.0):
        assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED


def test_a_lock_that_cannot_be_released_is_no_trouble(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server of the lock file is gone at the end of a turn, the turn ends all the same."""
    with store.compute_turn("a/b", 0.0) as turn:
        fail(monkeypatch, fcntl, "fcntl", errno.EIO)
    assert turn is Turn.MINE


def test_a_directory_that_is_closed_lets_nobody_wait(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lock file cannot be looked at any longer, a lock is not taken for one that another process has."""
    assert turn_of(store, "a/b") is Turn.MINE
    real = os.lstat

    def lstat(path: Any) -> os.stat_result:
        if str(path).endswith("/locks"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path)

    monkeypatch.setattr(os, "lstat", lstat)
    with store.compute_turn("a/b", PATIENCE) as turn:
        assert turn is Turn.MINE


def test_a_lock_file_that_others_keep_removing(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lock file never stays, nobody waits."""
    real = os.lstat

    def lstat(path: Any) -> os.stat_result:
        if str(path).endswith("/locks"):
            os.unlink(path)
        return real(path)

    monkeypatch.setattr(os, "lstat", lstat)
    with store.compute_turn("a/b", PATIENCE) as turn:
        assert turn is Turn.MINE


def hold_on_a_full_disk(store: DirectoryStore, name: str, end: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    with store.compute_turn(name, PATIENCE) as turn:
        end.send(turn)
        end.recv()
        end.send(turn_of(store, "a/needed", PATIENCE))


def test_a_full_disk_costs_words_only(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that cannot write what it waits for is waited for as any other."""
    with held(store, "a/needed"), elsewhere(hold_on_a_full_disk, store, "a/b") as (process, end):
        assert received(end) is Turn.MINE
        end.send("need")
        until_waiting(process)
        with store.compute_turn("a/mine", 0.0):
            assert turn_of(store, "a/b") is Turn.EXPIRED
        process.kill()  # at any moment: it may leave a draft
    store.clear_leftovers()
    assert work_files(store) == []


def test_notes_are_left_to_the_parent(store: DirectoryStore) -> None:
    """What a forked process does first: it closes its copy of a note, and removes none."""
    note, unwritten = Note(store._folders, digest("a/b")), Note(store._folders, digest("a/c"))
    note.put_under({digest("a/mine")})
    Note.close_in_child()
    for each in (note, unwritten):
        each.remove()
    file = store.root / ".work" / f"{digest('a/mine')}.waits"
    assert file.read_bytes() == digest("a/b").encode()
    assert store.clear_leftovers() == 2  # its draft too, since nobody has it open


def test_a_note_that_cannot_be_written_leaves_nothing(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for a note, whoever would write it waits without."""
    with held(store, "a/b"), store.compute_turn("a/mine", 0.0):
        fail(monkeypatch, os, "writev", errno.ENOSPC)
        assert turn_of(store, "a/b") is Turn.EXPIRED
        assert work_files(store) == []


def test_the_note_of_another_is_left_alone(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the directory was cleared another holder may have a note of the same name, which is not removed."""
    note = store.root / ".work" / f"{digest('a/mine')}.waits"
    with held(store, "a/b"), store.compute_turn("a/mine", 0.0):

        def replace(seconds: float) -> None:
            note.unlink()
            note.write_bytes(b"another's")
            monkeypatch.undo()

        monkeypatch.setattr(time, "sleep", replace)
        assert turn_of(store, "a/b", 0.05) is Turn.EXPIRED
    assert note.read_bytes() == b"another's"


def test_where_files_have_one_name_only_nobody_sees_notes(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that makes no links costs the notes."""
    fail(monkeypatch, os, "link", errno.EPERM)
    with held(store, "a/b"), store.compute_turn("a/mine", 0.0):
        assert turn_of(store, "a/b") is Turn.EXPIRED
        assert work_files(store) == []


def file_in_place_of_the_root(root: Path) -> None:
    root.touch()


def file_in_place_of_the_folder(root: Path) -> None:
    root.mkdir()
    (root / ".work").touch()


def looping_root(root: Path) -> None:
    root.symlink_to(root)


@pytest.mark.parametrize("spoil", [file_in_place_of_the_root, file_in_place_of_the_folder, looping_root])
def test_where_no_lock_can_be_made_nobody_waits(store: DirectoryStore, spoil: Callable[[Path], None]) -> None:
    """Without a folder for locks it is everybody's turn, within a turn too."""
    spoil(store.root)
    with (
        store.compute_turn("a/b", PATIENCE) as turn,
        store.declare_wait("a/c"),
        store.compute_turn("a/c", PATIENCE) as other,
    ):
        assert (turn, other) == (Turn.MINE, Turn.MINE)


def test_a_file_system_without_locks_lets_nobody_wait(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses locks it is everybody's turn, and an error within the block is not mistaken for that."""
    with held(store, "a/b"):
        fail(monkeypatch, fcntl, "fcntl", errno.ENOLCK)
        assert turn_of(store, "a/b", PATIENCE) is Turn.MINE
    with pytest.raises(OSError, match="mine"), store.compute_turn("a/b", PATIENCE):
        raise OSError("mine")
    assert work_files(store) == []


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_a_lock_may_be_refused_in_two_ways(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """POSIX has two errors for a lock that another has."""
    fail(monkeypatch, fcntl, "fcntl", number)
    assert turn_of(store, "a/b") is Turn.EXPIRED


def test_a_mark_that_cannot_be_made_is_no_trouble(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a block is raised as it is, also where its failure cannot be noted."""
    fail(monkeypatch, os, "utime", errno.EROFS)
    with pytest.raises(ValueError, match="mine"), store.compute_turn("a/b", PATIENCE):
        raise ValueError("mine")
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def test_a_wait_that_is_interrupted_keeps_no_lock(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C during a wait, or right after the lock was had, leaves it to others."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with held(store, "a/b"):
        when_waiting(monkeypatch, lambda: interrupted())
        with pytest.raises(KeyboardInterrupt):
            turn_of(store, "a/b", PATIENCE)
    real = FileLocks.acquire
    monkeypatch.setattr(FileLocks, "acquire", lambda *arguments: (real(*arguments), interrupted()))
    with pytest.raises(KeyboardInterrupt):
        turn_of(store, "a/b")
    monkeypatch.undo()
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def test_without_file_handles_nobody_waits(store: DirectoryStore) -> None:
    """A process that can open no more files has its turn without a lock."""
    with held(store, "a/b"), without_handles(), store.compute_turn("a/b", PATIENCE) as turn:
        assert turn is Turn.MINE


def test_a_stale_handle_is_another_attempt(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """On NFS a lock file that was removed from another computer is ESTALE (here it is made so): it is opened again."""
    fail(monkeypatch, fcntl, "fcntl", errno.ESTALE, times=1)
    with store.compute_turn("a/b", 0.0) as turn:
        assert turn is Turn.MINE
        assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED


def test_a_lock_whose_release_fails_is_not_held_for_good(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file is opened again, and closed as soon as nobody else holds a lock in it, which releases all."""
    with store.compute_turn("a/other", 0.0):
        with store.compute_turn("a/b", 0.0):
            fail(monkeypatch, fcntl, "fcntl", errno.EIO, times=1)
        assert turn_of_a_stranger(store, "a/b") is Turn.EXPIRED
        assert turn_of_a_stranger(store, "a/other") is Turn.EXPIRED
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE
    assert turn_of_a_stranger(store, "a/other") is Turn.MINE
    assert turn_of(store, "a/b") is Turn.MINE


def test_a_lock_whose_release_fails_does_not_last_as_long_as_its_block(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that makes notes may know the block for a while, and a traceback for as long as it is kept."""
    block = store.compute_turn("a/b", 0.0)
    with block:
        fail(monkeypatch, fcntl, "fcntl", errno.EIO, times=1)
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_a_lock_is_released_also_where_no_waiter_can_be_told(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Near the limit of recursion, or of memory, a turn that fails ends all the same."""

    def exhausted(*_: object) -> None:
        raise error

    monkeypatch.setattr(_locks, "tell_failure", exhausted)
    with pytest.raises(ValueError, match="of the method"), store.compute_turn("a/b", 0.0):
        raise ValueError("of the method")
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE
    assert turn_of(store, "a/b") is Turn.MINE


@pytest.mark.parametrize("target", ["file", "folder", "nowhere", "root"])
def test_a_link_in_place_of_the_lock_file_leads_nowhere(store: DirectoryStore, tmp_path: Path, target: str) -> None:
    """A symbolic link is not followed: nobody waits, and what it points to is neither written to nor made."""
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    link = store.root / ".work" / "locks"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / target)
    assert turn_of(store, "a/b", PATIENCE) is Turn.MINE
    assert (tmp_path / "file").read_text() == "precious"
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "root"]


def test_another_name_of_a_file_is_no_lock_file(store: DirectoryStore, tmp_path: Path) -> None:
    """A hard link in the place of the lock file is not locked."""
    (tmp_path / "file").write_text("precious")
    (store.root / ".work").mkdir(parents=True)
    (store.root / ".work" / "locks").hardlink_to(tmp_path / "file")
    store._folders.work()
    handles = os.listdir("/proc/self/fd")
    with store.compute_turn("a/b", PATIENCE):
        assert turn_of_a_stranger(store, "a/b") is Turn.MINE
    assert (tmp_path / "file").read_text() == "precious"
    assert os.listdir("/proc/self/fd") == handles


def test_a_link_in_place_of_the_folder_leads_nowhere(store: DirectoryStore, tmp_path: Path) -> None:
    """No lock is made where a link leads, nor looked for: nobody waits."""
    (tmp_path / "folder").mkdir()
    store.root.mkdir()
    (store.root / ".work").symlink_to(tmp_path / "folder")
    with (
        store.compute_turn("a/b", PATIENCE) as turn,
        store.declare_wait("a/c"),
        store.compute_turn("a/c", PATIENCE) as other,
    ):
        assert (turn, other) == (Turn.MINE, Turn.MINE)
        assert os.listdir(tmp_path / "folder") == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("name", ["locks", f"{digest('a/0')}.waits", f"{digest('a/b')}.failed"])
def test_what_is_no_file_does_not_block(store: DirectoryStore, make: Callable[[Path], None], name: str) -> None:
    """A pipe or a folder in the place of the lock file, a note or a mark keeps nobody."""
    (store.root / ".work").mkdir(parents=True)
    make(store.root / ".work" / name)
    with elsewhere(hold_and_need, store, "a/0", "a/1") as (_, end), store.compute_turn("a/1", 0.0):
        assert received(end) == "holding"
        end.send("need")
        assert turn_of(store, "a/0") in (Turn.MINE, Turn.EXPIRED)
        with contextlib.suppress(ValueError), store.compute_turn("a/b", PATIENCE) as turn:
            assert turn is Turn.MINE
            raise ValueError


def test_a_process_forked_while_its_parent_waits_keeps_nothing(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that was forked while its parent waited has neither its lock, when it has it, nor its note."""
    note = store.root / ".work" / f"{digest('a/mine')}.waits"
    store.write("a/b", [b"before"])
    with held(store, "a/b") as (_, end), contextlib.ExitStack() as stack, store.compute_turn("a/mine", 0.0):

        def fork() -> None:
            stack.enter_context(started((sleep_for_ever,)))
            assert in_processes((turn_of, store, "a/c")) == [Turn.MINE]
            with open(note, "rb") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            stack.enter_context(open(note, "rb"))
            end.send("end")

        when_waiting(monkeypatch, fork)
        assert turn_of(store, "a/b", PATIENCE) is Turn.MINE
        assert turn_of_a_stranger(store, "a/b") is Turn.MINE
        assert not note.exists()


def hold_and_interrupt(store: DirectoryStore, name: str, end: Connection) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        hold(store, name, end, KeyboardInterrupt())


def test_a_lock_is_released_though_its_release_is_interrupted(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C as a turn ends leaves the lock to others."""
    release = FileLocks.release

    def interrupted(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(FileLocks, "release", release)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.compute_turn("a/b", 0.0):
        monkeypatch.setattr(FileLocks, "release", interrupted)
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def test_one_waiter_succeeds_a_holder_that_is_interrupted(store: DirectoryStore) -> None:
    """After a Ctrl-C of the holder it is the turn of one of those who wait, and the other goes on waiting."""
    with elsewhere(hold_and_interrupt, store, "a/b") as (_, end):
        assert received(end) is Turn.MINE
        with elsewhere(hold, store, "a/b") as (one, its), elsewhere(hold, store, "a/b") as (other, others):
            until_waiting(one, other)
            end.send("end")
            (first,) = wait([its, others], PATIENCE)
            assert received(first) is Turn.MINE
            second = others if first is its else its
            assert not second.poll(0.05)
            first.send("write")
            assert received(second) is Turn.DONE_ELSEWHERE


def test_an_entry_is_seen_that_is_written_just_before_the_lock_is_free(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A waiter that looks for the entry, and then gets the lock, computes nothing if it was written in between."""
    with held(store, "a/b") as (process, end):
        acquire = FileLocks.acquire

        def write_first(locks: FileLocks, block: TurnBlock) -> bool:
            if block.has_waited:
                monkeypatch.undo()
                end.send("write")
                process.result()
            return acquire(locks, block)

        monkeypatch.setattr(FileLocks, "acquire", write_first)
        assert turn_of(store, "a/b", PATIENCE) is Turn.DONE_ELSEWHERE
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE


def test_a_fork_during_a_release_leaves_no_lock(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is forked by another thread, at any call of a release, starts in order and keeps no lock."""
    children = []
    real = fcntl.fcntl

    def fork_and_lock(*arguments: Any) -> Any:
        fcntl.fcntl = real  # for the child too, or it would fork in its turn
        child = os.fork()
        if not child:
            os._exit(0 if turn_of(store, "a/c") is Turn.MINE else 1)
        children.append(child)
        return real(*arguments)

    with store.compute_turn("a/b", 0.0):
        monkeypatch.setattr(fcntl, "fcntl", fork_and_lock)
    monkeypatch.undo()
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0]
    assert turn_of_a_stranger(store, "a/b") is Turn.MINE
