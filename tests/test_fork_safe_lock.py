"""A lock is of use after a fork, whichever thread held it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref

from stored._fork_safe_lock import ForkSafeLock
from tests.storage.threads import PATIENCE


def test_a_lock_keeps_other_threads_out_and_lets_its_own_in_again() -> None:
    """The thread that holds the lock can take it once more, another one cannot until all is released."""
    lock, results = ForkSafeLock(), list[bool]()

    def take() -> None:
        results.append(lock.acquire(blocking=False))
        if results[-1]:
            lock.release()

    def elsewhere() -> None:
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    with lock:
        with lock:
            elsewhere()
        elsewhere()
    elsewhere()
    assert results == [False, False, True]


def test_a_lock_is_freed() -> None:
    """Knowing all locks keeps none alive."""
    lock = ForkSafeLock()
    gone = weakref.ref(lock)
    del lock
    gc.collect()
    assert gone() is None


def test_locks_are_taken_from_threads_that_are_gone_only() -> None:
    """What a child does with its locks frees those of others, and leaves this thread its own."""
    theirs, mine = ForkSafeLock(), ForkSafeLock()
    thread = threading.Thread(target=theirs.acquire)
    thread.start()
    thread.join()
    with mine:
        assert not theirs.acquire(blocking=False)
        ForkSafeLock.reset_after_fork()
        assert theirs.acquire(blocking=False)
    theirs.release()


LOCKED_FORK = """
import os, signal, threading
from stored._fork_safe_lock import ForkSafeLock
from stored._storage import BoundedMemory
theirs, mine, free = ForkSafeLock(), ForkSafeLock(), ForkSafeLock()
memory = BoundedMemory(2, ForkSafeLock())
memory["k"] = 1
held, over = threading.Event(), threading.Event()

class Slow(str):  # compared with a key of the same hash while the memory is locked
    __hash__ = str.__hash__
    def __eq__(self, other):
        held.set()
        over.wait(60)
        return str(self) == str(other)

def hold():
    with theirs, theirs:
        memory.get(Slow("k"))

thread = threading.Thread(target=hold)
thread.start()
held.wait(60)
with mine:
    child = os.fork()
    if not child:
        signal.alarm(20)  # a deadlock ends too
if not child:
    taken = []
    take = lambda: taken.append(all(each.acquire(timeout=5) for each in (theirs, mine, free)))
    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    os._exit(0 if taken == [True] and memory.get("k") == 1 else 1)
status = os.waitpid(child, 0)[1]
still_held = not theirs.acquire(blocking=False)
over.set()
raise SystemExit(os.waitstatus_to_exitcode(status) or not still_held)
"""


def test_a_forked_process_does_not_wait_for_locks_of_threads_it_has_not() -> None:
    """What another thread held is free in the child, what the forking thread held it holds; the parent keeps all."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOCKED_FORK], timeout=PATIENCE, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
