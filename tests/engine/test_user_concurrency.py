"""A StorageUser in several threads and processes."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import StorageUser, configure
from stored.stores import MemoryStore
from tests.engine.models import CURVE, Model, found, in_another_process

# -- processes --------------------------------------------------------------------------------------------------------


def test_a_second_process_finds_everything_of_the_first() -> None:
    """Equal parameters find every persistent result, one changed parameter none, and changed back all again."""
    in_another_process(
        Model,
        """
        model.su.storeObject("list", [2.6, 9.5])
        model.su.storeObject("table", np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 8.0, 27.0]]))
        model.su.storeObject("large", np.arange(300000.0))
        model.su.storeObject("text", "é")
        model.su.storeObject("memory", 1, persistent=False)
        """,
        Path(),
    )
    model = Model()
    names = ["large", "list", "table", "text"]
    assert model.su.listObjects() == names
    assert model.su.getStoredObject("list") == [2.6, 9.5]
    assert model.su.getStoredObject("table", interpolator=True)(2.0) == pytest.approx(8.0)
    assert np.array_equal(model.su.getStoredObject("large"), np.arange(300000.0))
    model.n = 1.0000000000000002
    assert [model.su.getStoredObject(name) for name in names] == [None] * 4
    assert model.su.listObjects() == []
    model.n = 1.0
    assert model.su.listObjects() == names
    assert model.su.getStoredObject("text") == "é"


def test_two_processes_at_once_keep_everything() -> None:
    """Processes that store different objects at the same time lose none."""
    ours = Model().su
    ours.storeObject("before", 0)
    code = "for i in range(20): Model().su.storeObject({!r} + str(i), i)"
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(in_another_process, Model, code.format(name), Path()) for name in "ab"]
    assert [each.result() for each in others] == ["", ""]
    fresh = Model().su
    assert fresh.listObjects() == sorted(["before", *(f"{name}{i}" for name in "ab" for i in range(20))])
    assert [fresh.getStoredObject(f"{name}{i}") for name in "ab" for i in range(20)] == [*range(20), *range(20)]


FORK = """
import os, signal, sys, threading
import stored
from stored.stores import MemoryStore

class Slow(MemoryStore):
    def write(self, name, buffers):
        if "slow" in name:
            wait()
        return super().write(name, buffers)

held, over = threading.Event(), threading.Event()
def wait():
    if os.getpid() == parent:
        held.set()
        over.wait(60)

parent, n, announced = os.getpid(), 1, []
def changed():
    announced.append(n)
    wait()

stored.configure(store=Slow())
user = stored.StorageUser("m", "rw", lambda: "m", lambda: str(n), changed)
user.storeObject("a", 1)
def busy():
    if sys.argv[1] == "store":
        user.storeObject("slow", 2)
    else:
        user.getStoredObject("a")
if sys.argv[1] == "change":
    n = 2
thread = threading.Thread(target=busy)
thread.start()
held.wait(60)
child = os.fork()
if not child:
    signal.alarm(20)  # a deadlock ends too
    announced.clear()
    user.storeObject("b", 3)
    good = user.getStoredObject("b") == 3 and user.getStoredObject("slow2") is None
    os._exit(0 if good and announced == ([2] if n == 2 else []) else 1)
status = os.waitpid(child, 0)[1]
over.set()
thread.join()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("busy", ["store", "change"])
def test_a_forked_process_goes_on_without_the_threads_it_has_not(busy: str) -> None:
    """Forked while another thread writes or is in the callback, the child stores, and hears of the change itself."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, busy]
    done = subprocess.run(command, timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# -- threads ----------------------------------------------------------------------------------------------------------


def run_all(*functions: Callable[[], object]) -> None:
    """Run functions at the same time; the first exception of any is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(functions))

    def guarded(function: Callable[[], object]) -> None:
        try:
            start.wait()
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("persistent", [True, False])
def test_threads_with_parameters_of_their_own(persistent: bool) -> None:
    """Where each thread has its own parameters, none ever gets the value of another."""
    local = threading.local()
    local.n = 0
    user = StorageUser("engine", "rw", lambda: "n", lambda: f"{local.n}", None)

    def work(n: int) -> None:
        local.n = n
        for count in range(40):
            user.storeObject("x", (n, count), persistent=persistent)
            value = user.getStoredObject("x")
            assert value == (n, count) or (value is None and not persistent)

    run_all(*(functools.partial(work, n) for n in range(1, 5)))


def test_threads_never_see_a_value_of_other_parameters() -> None:
    """While one thread changes the parameters, others store and read values that tell their parameters."""
    model = Model(0)
    storing = [threading.Lock(), threading.Lock()]  # a value goes with the parameters that it is made of
    changes = 0
    done = threading.Event()

    def change() -> None:
        nonlocal changes
        for n in range(300):
            with storing[0], storing[1]:
                changes += 1
                model.n = n % 3
                changes += 1
        done.set()

    def store(lock: threading.Lock) -> None:
        while not done.is_set():
            with lock:
                model.su.storeObject("x", {"n": model.n}, persistent=False)

    def read() -> None:
        while not done.is_set():
            before, n = changes, model.n
            value = model.su.getStoredObject("x")
            if before == changes and not before % 2:  # no change began or went on meanwhile
                assert value in (None, {"n": n})

    run_all(change, functools.partial(store, storing[0]), functools.partial(store, storing[1]), read, read)


def test_a_change_is_announced_once_to_all_threads() -> None:
    """Threads that notice a change together have one callback among them, and wait for its end."""
    model = Model(1.0)
    noticed: set[int] = set()
    together, finished = threading.Event(), threading.Event()
    describe = model.getHashableString

    def noticing() -> str:
        noticed.add(threading.get_ident())
        if len(noticed) == 4:
            together.set()
        return describe()

    def on_change() -> None:
        together.wait(10)  # until every thread has seen the new string
        finished.set()

    def access() -> None:
        model.su.getStoredObject("a")
        assert finished.is_set()

    model.su.func_hashstring = noticing
    model.on_change = on_change
    model.n = 2.0
    run_all(*[access] * 4)
    assert model.announced == [2.0]


class Distant(MemoryStore):
    """Bytes take their way: a read ends when another thread has stored something, or not."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.stored = threading.Event(), threading.Event()

    def read(self, name: str) -> Any:
        data = super().read(name)
        self.reading.set()
        self.stored.wait(0.2)
        return data


@pytest.mark.parametrize("change", ["store", "remove"])
def test_a_value_that_was_replaced_does_not_come_back(change: str) -> None:
    """A thread that reads the old entry while another stores or removes does not bring the old value back."""
    store = Distant()
    with configure(store=store):
        Model().su.storeObject("x", "old")
        user = Model().su

        def replace() -> None:
            store.reading.wait(10)
            user.storeObject("x", "new") if change == "store" else user.removeObject("x")
            store.stored.set()

        run_all(lambda: user.getStoredObject("x"), replace)
        assert user.getStoredObject("x") == ("new" if change == "store" else None)
        assert found("x") == ("new" if change == "store" else None)


def test_what_another_thread_has_just_read_is_taken(while_waiting: Any) -> None:
    """A thread that waited for another to read an object does not read it again."""
    Model().su.storeObject("x", CURVE)
    user = Model().su
    first = while_waiting(user.current_space(), "lock", lambda: user.getStoredObject("x"))
    assert user.getStoredObject("x").base is first[0].base


def test_threads_that_miss_together_read_once() -> None:
    """Of threads that ask for an entry at the same time one reads it, and all get the same array."""
    Model().su.storeObject("x", CURVE)
    user = Model().su
    results: list[Any] = []
    run_all(*[lambda: results.append(user.getStoredObject("x"))] * 6)
    assert len({id(each.base) for each in results}) == 1


def test_what_another_thread_has_stored_meanwhile_is_found() -> None:
    """A thread that finds nothing, and then waits for one that stores, has what that stored."""
    asked = threading.Event()

    class Signalling(dict[Any, Any]):
        def get(self, key: Hashable, default: Any = None) -> Any:
            value = super().get(key, default)
            asked.set()
            return value

    user = Model().su
    space = user.current_space()
    space.objects = Signalling()
    with ThreadPoolExecutor(1) as pool:
        with space.lock:
            found = pool.submit(user.getStoredObject, "x")
            assert asked.wait(10)
            user.storeObject("x", 1, persistent=False)
        assert found.result(10) == 1


class Slow:
    """Is being pickled until another thread ends that."""

    def __init__(self, begun: threading.Event | None = None, may_end: threading.Event | None = None) -> None:
        self.begun, self.may_end = begun, may_end

    def __reduce__(self) -> Any:
        if self.begun is not None and self.may_end is not None:
            self.begun.set()
            assert self.may_end.wait(20), "the other thread waits for this one"
        return Slow, ()


def test_reading_from_memory_does_not_wait_for_a_write() -> None:
    """While one thread writes a large object, another reads what is in memory."""
    user = Model().su
    user.storeObject("a", 1)
    begun, may_end = threading.Event(), threading.Event()
    writer = threading.Thread(target=user.storeObject, args=("slow", Slow(begun, may_end)))
    writer.start()
    assert begun.wait(20)
    for _ in range(3):
        assert user.getStoredObject("a") == 1
        assert isinstance(user.getStoredObject("slow"), Slow)
    may_end.set()
    writer.join()
    assert isinstance(found("slow"), Slow)
