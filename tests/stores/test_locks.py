"""Of all processes one has its turn for a name, the others wait for it, and nobody waits for nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest

from stored.stores import DirectoryStore
from stored.typing import Turn
from tests.faults.processes import (
    METHODS,
    PATIENCE,
    Process,
    in_processes,
    in_threads,
    sleep_for_ever,
    started,
    until_waiting,
)
from tests.stores.test_files import fail, without_handles


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "root")


def turn_of(store: DirectoryStore, name: str, limit: float = 0.0) -> Turn:
    with store.compute_turn(name, limit) as turn:
        return turn


def turn_of_another_thread(store: DirectoryStore, name: str) -> Turn:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(turn_of, store, name).result(PATIENCE)


def locks(store: DirectoryStore) -> list[Path]:
    return list(store.root.rglob("*.lock"))


def lock_of(store: DirectoryStore, name: str) -> Path:
    """The lock file of a name, which is not there yet."""
    others = locks(store)
    with store.compute_turn(name, 0.0):
        (file,) = set(locks(store)).difference(others)
    return file


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
    """Say what turn it is, and keep it until asked, or until an error."""
    with store.compute_turn(name, PATIENCE) as turn:
        end.send(turn)
        end.recv()
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
    assert locks(store) == []


@pytest.mark.parametrize("error", [None, ValueError(), MemoryError()])
def test_whoever_waits_is_told_that_it_is_over(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, error: BaseException | None
) -> None:
    """A waiter goes on when the holder's block ends, in whatever way, and then the turn is free."""
    with elsewhere(hold_and_fail, store, "a/b", error) as (_, end):
        assert received(end) is Turn.MINE
        when_waiting(monkeypatch, lambda: end.send("end"))
        assert turn_of(store, "a/b", PATIENCE) is Turn.DONE_ELSEWHERE
        assert turn_of(store, "a/b") is Turn.MINE


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
        first.send("end")
        assert [received(end) for end in ends if end is not first] == [Turn.DONE_ELSEWHERE] * 2


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_no_lock_remains(store: DirectoryStore, error: type[BaseException] | None) -> None:
    """A lock is a file for as long as the block lasts, and no file or handle is left, whatever ends it."""
    handles = os.listdir("/proc/self/fd")
    with contextlib.suppress(BaseException), store.compute_turn("a/b", 0.0):
        assert len(locks(store)) == 1
        if error is not None:
            raise error
    assert locks(store) == []
    assert os.listdir("/proc/self/fd") == handles


# -- nobody waits for itself ------------------------------------------------------------------------------------------


def test_a_thread_does_not_wait_for_itself(store: DirectoryStore) -> None:
    """Within its turn a thread has that turn again, and others have it only after the outermost block."""
    with store.compute_turn("a/b", 0.0):
        for _ in range(2):
            with (
                store.compute_turn("a/c", 0.0),
                store.compute_turn("a/b", PATIENCE) as again,
                store.compute_turn("a/c", PATIENCE) as other,
            ):
                assert (again, other) == (Turn.MINE, Turn.MINE)
        assert turn_of_another_thread(store, "a/b") is Turn.EXPIRED
        assert turn_of_another_thread(store, "a/c") is Turn.MINE
    assert turn_of_another_thread(store, "a/b") is Turn.MINE


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
            assert turn_of(store, names[0], PATIENCE) is Turn.MINE
        assert Turn.EXPIRED not in [received(end) for end in ends]


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
            assert turn_of(store, "a/0", PATIENCE) is Turn.MINE
        assert received(end) is not Turn.EXPIRED


def hold_needing(store: DirectoryStore, name: str, needed: str, end: Connection) -> None:
    """Have a turn, and until asked need another name; then need it no more."""
    with store.compute_turn(name, PATIENCE):
        with store.declare_wait(needed):
            end.send("needing")
            end.recv()
        end.send("content")
        end.recv()


def test_a_need_ends(store: DirectoryStore) -> None:
    """A circle is seen, however short the limit; who needed something before, and has it now, is waited for."""
    with elsewhere(hold_needing, store, "a/0", "a/1") as (_, end):
        assert received(end) == "needing"
        with store.compute_turn("a/1", 0.0):
            assert turn_of(store, "a/0") is Turn.MINE
            end.send("have it")
            assert received(end) == "content"
            assert turn_of(store, "a/0") is Turn.EXPIRED


def test_every_lock_tells_what_is_needed_within_it(store: DirectoryStore) -> None:
    """Of a thread with several turns, each of its locks leads to what it needs last."""

    def closing(name: str) -> Turn:
        with store.compute_turn("a/2", 0.0):
            return turn_of(store, name)

    with (
        store.compute_turn("a/0", 0.0),
        store.declare_wait("a/1"),
        store.compute_turn("a/1", 0.0),
        store.declare_wait("a/2"),
    ):
        for name in ("a/0", "a/1"):
            assert in_threads((closing, name)) == [Turn.MINE]


def test_needs_of_others_do_not_matter(store: DirectoryStore) -> None:
    """Who needs what nobody has, or is in a circle of others, is waited for, also by those that have a turn."""
    pairs = [("a/0", "a/free"), ("a/1", "a/2"), ("a/2", "a/1")]
    with contextlib.ExitStack() as stack:
        for pair in pairs:
            _, end = stack.enter_context(elsewhere(hold_needing, store, *pair))
            assert received(end) == "needing"
        with store.compute_turn("a/mine", 0.0):
            assert [turn_of(store, name) for name, _ in pairs] == [Turn.EXPIRED] * 3


@pytest.mark.parametrize("words", [b"../../../file", b"\xff" * 32, b"\0" * 32, b"", b"over", b"x" * 5000])
def test_what_others_say_is_not_trusted(store: DirectoryStore, words: bytes) -> None:
    """A lock file with anything else in it is that of a holder that needs nothing."""
    with held(store, "a/b"), store.compute_turn("a/mine", 0.0):
        for file in locks(store):
            file.write_bytes(words)
        assert turn_of(store, "a/b") is Turn.EXPIRED


def test_a_need_without_a_turn_is_nobodys_concern(store: DirectoryStore) -> None:
    """A thread without a lock can say what it needs; nothing is made for it."""
    with store.declare_wait("a/b"):
        assert not store.root.exists()
        assert turn_of(store, "a/b") is Turn.MINE


@pytest.mark.parametrize(("handles", "most"), [(64, 16), (100, 25), (resource.RLIM_INFINITY, 200)])
def test_a_deep_recursion_holds_few_locks(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, handles: int, most: int
) -> None:
    """However many turns a process has at once, locks take a quarter of its file handles; the rest are free to all."""
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (handles, resource.RLIM_INFINITY))
    with contextlib.ExitStack() as stack:
        for number in range(most if handles == resource.RLIM_INFINITY else most + 10):
            assert stack.enter_context(store.compute_turn(f"a/{number}", 0.0)) is Turn.MINE
        assert len(locks(store)) == most
        if handles == resource.RLIM_INFINITY:
            return
        assert turn_of_another_thread(store, "a/b") is Turn.MINE
        assert turn_of_another_thread(store, "a/0") is Turn.MINE
    assert locks(store) == []
    with store.compute_turn("a/b", 0.0):
        assert len(locks(store)) == 1


# -- forks ------------------------------------------------------------------------------------------------------------

FORK = """
import contextlib, os, sys
from concurrent.futures import ThreadPoolExecutor
from stored.stores import DirectoryStore

store = DirectoryStore(sys.argv[1])

def turn_of(name, limit=0.0):
    with store.compute_turn(name, limit) as turn:
        return turn.name

def circle():
    with store.compute_turn("a/needed", 0.0):
        return turn_of("a/outer", 30.0)

def in_a_thread(*call):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(*call).result()

with store.compute_turn("a/outer", 0.0), store.declare_wait("a/needed"), store.compute_turn("a/inner", 0.0):
    with contextlib.ExitStack() as many:
        for number in range(100):
            many.enter_context(store.compute_turn(f"a/{number}", 0.0))
        child = os.fork()
        if child:
            status = os.waitpid(child, 0)[1]
        else:
            print(*[turn_of(name, 30.0) for name in ("a/outer", "a/inner", "a/50")])
            with store.compute_turn("a/free", 0.0):
                print(in_a_thread(turn_of, "a/free"))
    if child:
        print(*[in_a_thread(turn_of, name) for name in ("a/outer", "a/inner")], in_a_thread(circle))
if child:
    print(in_a_thread(turn_of, "a/outer"))
    sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_process_leaves_the_turns_of_its_parent_alone(store: DirectoryStore) -> None:
    """A child does not wait for a lock under which it was forked, nor release it, and has locks of its own."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(store.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "MINE MINE MINE\nEXPIRED\nEXPIRED EXPIRED MINE\nMINE\n"
    assert locks(store) == []


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


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"over", b"over".ljust(32), b"needed", b"\xff" * 40, b"x" * 5000])
def test_what_a_dead_holder_has_left_is_taken_over(store: DirectoryStore, content: bytes) -> None:
    """A lock file of a dead process is used and removed; what it says of its holder does not count for the next one."""
    needed, file = lock_of(store, "a/needed"), lock_of(store, "a/b")
    file.write_bytes(needed.stem.encode() if content == b"needed" else content)
    with held(store, "a/b") as (holder, _), store.compute_turn("a/needed", 0.0):
        assert turn_of(store, "a/b") is Turn.EXPIRED
        holder.kill()
        assert file.exists()
        assert turn_of(store, "a/b") is Turn.MINE
    assert locks(store) == []


def test_a_waiter_is_told_although_the_directory_was_cleared(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If somebody removes everything meanwhile, newcomers do not wait, and those who did notice when it has ended."""
    with held(store, "a/b") as (_, end):

        def clear() -> None:
            shutil.rmtree(store.root)
            assert turn_of_another_thread(store, "a/b") is Turn.MINE
            end.send("end")

        when_waiting(monkeypatch, clear)
        assert turn_of(store, "a/b", PATIENCE) is Turn.DONE_ELSEWHERE


def test_a_lock_that_was_removed_is_made_anew(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a lock that is removed while its holder dies has a new one then."""
    with held(store, "a/b") as (holder, _):

        def remove() -> None:
            locks(store)[0].unlink()
            holder.kill()

        when_waiting(monkeypatch, remove)
        with store.compute_turn("a/b", PATIENCE) as turn:
            assert turn is Turn.MINE
            assert turn_of_another_thread(store, "a/b") is Turn.EXPIRED


def hold_on_a_full_disk(store: DirectoryStore, name: str, end: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    with store.compute_turn(name, PATIENCE) as turn, store.declare_wait("a/needed"):
        end.send(turn)
        end.recv()


def test_a_full_disk_costs_words_only(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that cannot write what it has to say is waited for as any other; its end is not taken for success."""
    with elsewhere(hold_on_a_full_disk, store, "a/b") as (_, end):
        assert received(end) is Turn.MINE
        with store.compute_turn("a/needed", 0.0):
            assert turn_of(store, "a/b") is Turn.EXPIRED
        when_waiting(monkeypatch, lambda: end.send("end"))
        assert turn_of(store, "a/b", PATIENCE) is Turn.MINE


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
    handles = os.listdir("/proc/self/fd")
    with held(store, "a/b"):
        fail(monkeypatch, fcntl, "flock", errno.ENOLCK)
        assert turn_of(store, "a/b", PATIENCE) is Turn.MINE
    with pytest.raises(OSError, match="mine"), store.compute_turn("a/b", PATIENCE):
        raise OSError("mine")
    assert os.listdir("/proc/self/fd") == handles
    assert locks(store) == []


def test_without_file_handles_nobody_waits(store: DirectoryStore) -> None:
    """A process that can open no more files has its turn without a lock."""
    with held(store, "a/b"), without_handles(), store.compute_turn("a/b", PATIENCE) as turn:
        assert turn is Turn.MINE


def test_a_stale_handle_is_another_attempt(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """On NFS a lock file that was removed from another computer is ESTALE (here it is made so): a new one is made."""
    fail(monkeypatch, fcntl, "flock", errno.ESTALE, times=1)
    with store.compute_turn("a/b", 0.0) as turn:
        assert turn is Turn.MINE
        assert turn_of_another_thread(store, "a/b") is Turn.EXPIRED


@pytest.mark.parametrize("target", ["file", "folder", "nowhere", "root"])
def test_a_link_in_place_of_a_lock_leads_nowhere(store: DirectoryStore, tmp_path: Path, target: str) -> None:
    """A symbolic link is not followed: nobody waits, and what it points to is neither written to nor made."""
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    link = lock_of(store, "a/b")
    link.symlink_to(tmp_path / target)
    assert turn_of(store, "a/b", PATIENCE) is Turn.MINE
    assert (tmp_path / "file").read_text() == "precious"
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "root"]


def test_another_name_of_a_file_is_no_lock(store: DirectoryStore, tmp_path: Path) -> None:
    """A hard link in the place of a lock is not written to."""
    (tmp_path / "file").write_text("precious")
    lock_of(store, "a/b").hardlink_to(tmp_path / "file")
    with store.compute_turn("a/b", PATIENCE) as turn, store.declare_wait("a/c"):
        assert turn is Turn.MINE
    assert (tmp_path / "file").read_text() == "precious"


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
def test_what_is_no_file_does_not_block(store: DirectoryStore, make: Callable[[Path], None]) -> None:
    """A pipe or a folder in the place of a lock, one's own or one that others need, keeps nobody."""
    make(lock_of(store, "a/b"))
    with elsewhere(hold_needing, store, "a/0", "a/b") as (_, end), store.compute_turn("a/1", 0.0):
        assert received(end) == "needing"
        assert turn_of(store, "a/0") in (Turn.MINE, Turn.EXPIRED)
        assert turn_of(store, "a/b", PATIENCE) is Turn.MINE


def test_a_process_forked_while_its_parent_waits_keeps_no_lock(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that was forked while its parent waited for a lock does not hold it when the parent has had it."""
    with (
        held(store, "a/b") as (_, end),
        contextlib.ExitStack() as stack,
        elsewhere(hold, store, "a/b") as (waiter, other),
    ):
        until_waiting(waiter)
        os.kill(waiter.pid, signal.SIGSTOP)  # so that this process is first

        def fork() -> None:
            stack.enter_context(started((sleep_for_ever,)))
            end.send("end")

        when_waiting(monkeypatch, fork)
        assert turn_of(store, "a/b", PATIENCE) is Turn.DONE_ELSEWHERE
        os.kill(waiter.pid, signal.SIGCONT)
        assert received(other) is Turn.DONE_ELSEWHERE


def test_a_release_leaves_the_lock_of_others(store: DirectoryStore) -> None:
    """After the directory was cleared, another has a new file of that name, which the end of the old turn leaves."""
    begun, end = threading.Event(), threading.Event()

    def newcomer() -> None:
        with store.compute_turn("a/b", 0.0):
            begun.set()
            end.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as stack:
        stack.callback(end.set)
        with store.compute_turn("a/b", 0.0):
            shutil.rmtree(store.root)
            pool.submit(newcomer)
            assert begun.wait(PATIENCE)
        assert len(locks(store)) == 1
        assert turn_of(store, "a/b") is Turn.EXPIRED


def hold_and_interrupt(store: DirectoryStore, name: str, end: Connection) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        hold(store, name, end, KeyboardInterrupt())


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
            first.send("end")
            assert received(second) is Turn.DONE_ELSEWHERE


def test_a_fork_during_a_release_leaves_no_lock(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is forked by another thread, at any call of a release, starts in order and keeps no lock."""
    children = []
    real = fcntl.flock

    def fork_and_flock(descriptor: int, how: int) -> None:
        fcntl.flock = real  # for the child too, or it would fork in its turn
        child = os.fork()
        if not child:
            os._exit(0 if turn_of(store, "a/c") is Turn.MINE else 1)
        children.append(child)
        real(descriptor, how)

    with store.compute_turn("a/b", 0.0):
        monkeypatch.setattr(fcntl, "flock", fork_and_flock)
    monkeypatch.undo()
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0]
    assert turn_of_another_thread(store, "a/b") is Turn.MINE
