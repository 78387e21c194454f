"""The tier in memory forgets the least recently used, and of all threads one computes."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._storage.fork_safe_lock import ForkSafeLock
from stored._storage.memory import CachedResult, MemoryTier
from stored._storage.single_flight import Flights
from stored.typing import ABSENT

PATIENCE = 30.0

# --------------------------------------------------------------------------------------------------------------------
# The tier
# --------------------------------------------------------------------------------------------------------------------


def test_a_record_hands_out_its_value() -> None:
    """Without a way of handing out the value itself comes, with one what it makes."""
    value = [1]
    assert CachedResult(value).for_caller() is value
    assert CachedResult(value, list.copy).for_caller() is not value
    assert CachedResult(1).derived is not CachedResult(1).derived


class Model:
    """A cache of the least recently used, written plainly."""

    def __init__(self, maxsize: int | None) -> None:
        self.maxsize, self.values = maxsize, OrderedDict[int, object]()

    def get(self, key: int) -> object:
        if key in self.values:
            self.values.move_to_end(key)
        return self.values.get(key, ABSENT)

    def put(self, key: int, value: object) -> None:
        self.values.pop(key, None)
        self.values[key] = value
        while self.maxsize is not None and len(self.values) > self.maxsize:
            self.values.popitem(last=False)

    def discard(self, key: int) -> bool:
        return self.values.pop(key, ABSENT) is not ABSENT


keys = st.integers(0, 6)
operations = st.lists(
    st.tuples(st.just("get"), keys)
    | st.tuples(st.just("put"), keys, st.none() | st.integers())
    | st.tuples(st.just("discard"), keys)
    | st.tuples(st.just("clear")),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(st.none() | st.integers(0, 5), operations)
def test_the_tier_behaves_as_its_model(maxsize: int | None, steps: list[tuple[Any, ...]]) -> None:
    """Whatever is done, the tier gives, keeps and forgets what a plain ordered dict would; None is a value."""
    tier: MemoryTier[object] = MemoryTier(maxsize)
    model = Model(maxsize)
    for name, *arguments in steps:
        if name == "clear":
            tier.clear()
            model.values.clear()
        else:
            assert getattr(tier, name)(*arguments) == getattr(model, name)(*arguments)
        assert set(tier.keys()) == set(model.values)
        assert len(tier) == len(model.values)
        assert [key in tier for key in range(7)] == [key in model.values for key in range(7)]


def test_threads_share_a_tier() -> None:
    """Threads that use a bounded tier together lose no key that is in use, and never exceed the bound."""
    tier: MemoryTier[int] = MemoryTier(8)
    tier.put("in use", 1)
    trouble: list[str] = []

    def work(number: int) -> None:
        for step in range(500):
            tier.put((number, step % 5), step)
            if step % 5 == 0:
                tier.discard((number, 1))
            if len(tier) > 9:  # one over the bound while one is put
                trouble.append(f"{len(tier)} values")
            tier.keys()

    run(*[lambda number=number: work(number) for number in range(3)])
    assert not trouble
    assert len(tier) <= 8


def test_a_value_that_is_read_stays_visible() -> None:
    """While some threads read a value, others always find its key there."""
    tier: MemoryTier[int] = MemoryTier(3)
    tier.put("a", 1)
    missed: list[int] = []
    # threads take turns very often only when all have started, as they start with an error otherwise under coverage
    before = sys.getswitchinterval()
    start = threading.Barrier(3, action=lambda: sys.setswitchinterval(1e-6), timeout=PATIENCE)

    def read() -> None:
        start.wait()
        for _ in range(3000):
            if tier.get("a") != 1:
                missed.append(1)

    def look() -> None:
        start.wait()
        for _ in range(3000):
            if "a" not in tier or len(tier) != 1:
                missed.append(2)

    try:
        run(read, look, read)
    finally:
        sys.setswitchinterval(before)
    assert not missed


# --------------------------------------------------------------------------------------------------------------------
# Flights
# --------------------------------------------------------------------------------------------------------------------


def run(*functions: Callable[[], object]) -> None:
    """Run functions in threads; one that does not end fails the test rather than hanging it, and so does an error."""
    errors: list[BaseException] = []

    def guarded(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(each,), daemon=True) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    if errors:
        raise errors[0]


def until_waiting(flights: Flights, number: int) -> None:
    """Wait until so many threads wait for a flight: there is no other sign of it from outside."""
    pause = threading.Event()
    for _ in range(3000):
        if len(flights._waiting) >= number:
            return
        pause.wait(0.01)
    raise AssertionError(f"{len(flights._waiting)} threads wait, not {number}")


def meet(event: threading.Event) -> None:
    assert event.wait(PATIENCE), "nothing came"


def test_one_leads_and_the_others_get_its_result() -> None:
    """While one thread computes, the others wait for it, and find what it left."""
    flights = Flights()
    computed, found = [], []

    def leader() -> None:
        with flights.lead_or_wait("k") as (leads, flight):
            assert leads
            led.set()
            until_waiting(flights, 3)
            computed.append(1)
            flight.result = "result"

    def waiter() -> None:
        meet(led)
        with flights.lead_or_wait("k") as (leads, flight):
            found.append((leads, flight.result))

    led = threading.Event()
    run(leader, waiter, waiter, waiter)
    assert computed == [1]
    assert found == [(False, "result")] * 3


def test_keys_do_not_wait_for_one_another() -> None:
    """Different keys are computed at the same time."""
    flights = Flights()
    both = threading.Barrier(2)

    def compute(key: str) -> None:
        with flights.lead_or_wait(key) as (leads, _):
            assert leads
            both.wait(PATIENCE)

    run(lambda: compute("a"), lambda: compute("b"))


def test_a_key_can_be_led_again() -> None:
    """When a computation is over, the next one leads anew and finds no old result."""
    flights = Flights()
    for _ in range(2):
        with flights.lead_or_wait("k") as (leads, flight):
            assert leads
            assert flight.result is ABSENT
            flight.result = 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_leader_that_fails_frees_the_others(error: type[BaseException]) -> None:
    """The error reaches the leader's caller alone; a waiter finds no result, and can lead."""
    flights = Flights()
    led = threading.Event()
    found = []

    def leader() -> None:
        with flights.lead_or_wait("k") as (leads, _):
            assert leads
            led.set()
            until_waiting(flights, 1)
            raise error

    def waiter() -> None:
        meet(led)
        with flights.lead_or_wait("k") as (leads, flight):
            found.append((leads, flight.result))
        with flights.lead_or_wait("k") as (leads, flight):
            found.append((leads, flight.result))

    with pytest.raises(error):
        run(leader, waiter)
    assert found == [(False, ABSENT), (True, ABSENT)]


def test_recursion_does_not_wait_for_itself() -> None:
    """A computation that needs its own key computes it, at any depth, and still leads for the others."""
    flights = Flights()

    def compute(depth: int) -> int:
        with flights.lead_or_wait("k") as (leads, flight):
            assert leads
            flight.result = depth if depth == 0 else compute(depth - 1) + 1
            return int(flight.result)

    run(lambda: compute(20))
    with flights.lead_or_wait("k") as (leads, _):
        assert leads


def test_the_end_of_a_recursion_does_not_end_the_lead() -> None:
    """An inner computation that is over leaves the outer one leading: others still wait for that."""
    flights = Flights()
    inner = threading.Event()
    found = []

    def leader() -> None:
        with flights.lead_or_wait("k") as (_, flight):
            with flights.lead_or_wait("k") as (_, own):
                own.result = "inner"
            inner.set()
            until_waiting(flights, 1)
            flight.result = "outer"

    def waiter() -> None:
        meet(inner)
        with flights.lead_or_wait("k") as (leads, flight):
            found.append((leads, flight.result))

    run(leader, waiter)
    assert found == [(False, "outer")]


@pytest.mark.parametrize("number", [2, 3, 5])
def test_threads_that_need_each_other_do_not_wait_for_ever(number: int) -> None:
    """Threads in a ring, each of which needs what the next computes, all end; one of them computes both."""
    flights = Flights()
    all_lead = threading.Barrier(number)
    led_twice = []

    def work(mine: int) -> None:
        with flights.lead_or_wait(mine) as (leads, flight):
            assert leads
            all_lead.wait(PATIENCE)
            with flights.lead_or_wait((mine + 1) % number) as (leads_too, _):
                if leads_too:
                    led_twice.append(mine)
            flight.result = mine

    run(*[lambda mine=mine: work(mine) for mine in range(number)])
    assert led_twice


def test_a_waiter_that_leads_something_else_is_waited_for() -> None:
    """A chain of waits without a ring is waited out, in order."""
    flights = Flights()
    first_led, second_led = threading.Event(), threading.Event()
    order = []

    def first() -> None:
        with flights.lead_or_wait("first") as (_, flight):
            first_led.set()
            until_waiting(flights, 2)
            order.append("first")
            flight.result = 1

    def second() -> None:
        meet(first_led)
        with flights.lead_or_wait("second") as (_, flight):
            second_led.set()
            with flights.lead_or_wait("first") as (leads, inner):
                assert (leads, inner.result) == (False, 1)
            order.append("second")
            flight.result = 2

    def third() -> None:
        meet(second_led)
        with flights.lead_or_wait("second") as (leads, flight):
            assert (leads, flight.result) == (False, 2)
        order.append("third")

    run(first, second, third)
    assert order == ["first", "second", "third"]


def test_who_has_what_it_waited_for_waits_no_more() -> None:
    """A thread is waited for, and not computed around, once what it had waited for is there."""
    flights = Flights()
    first_led, second_led, waited = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        meet(second_led)
        with flights.lead_or_wait("first"):
            first_led.set()
            until_waiting(flights, 1)
        meet(waited)
        with flights.lead_or_wait("second") as (leads, flight):
            assert (leads, flight.result) == (False, 2)

    def second() -> None:
        with flights.lead_or_wait("second") as (_, flight):
            second_led.set()
            meet(first_led)
            with flights.lead_or_wait("first") as (leads, _):
                assert not leads
                waited.set()
                until_waiting(flights, 2)
            flight.result = 2

    run(first, second)


def test_many_threads_in_any_order_all_end() -> None:
    """Threads that compute the same keys, within each other and in different orders, never stop one another."""
    flights = Flights()

    def work(number: int) -> None:
        for step in range(60):
            one, two = (number + step) % 3, (number * step + 1) % 3
            with flights.lead_or_wait(one), flights.lead_or_wait(two):
                pass

    run(*[lambda number=number: work(number) for number in range(6)])
    assert not flights._waiting
    assert not flights._flights


FORK = """
import os, threading
from stored._storage import Flights
flights, led, over = Flights(), threading.Event(), threading.Event()

def lead():
    with flights.lead_or_wait("k"):
        led.set()
        over.wait(60)

thread = threading.Thread(target=lead)
thread.start()
led.wait(60)
child = os.fork()
if not child:
    with flights.lead_or_wait("k") as (leads, _):
        os._exit(0 if leads else 1)
status = os.waitpid(child, 0)[1]
over.set()
thread.join()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_process_does_not_wait_for_threads_it_has_not() -> None:
    """A process forked while another thread computes leads itself: that thread is not there to finish."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], timeout=PATIENCE, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


# --------------------------------------------------------------------------------------------------------------------
# Locks and forks
# --------------------------------------------------------------------------------------------------------------------


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
from stored._storage import ForkSafeLock, MemoryTier
theirs, mine, free = ForkSafeLock(), ForkSafeLock(), ForkSafeLock()
tier = MemoryTier(2)
tier.put("k", 1)
held, over = threading.Event(), threading.Event()

class Slow(str):  # compared with a key of the same hash while the tier is locked
    __hash__ = str.__hash__
    def __eq__(self, other):
        held.set()
        over.wait(60)
        return str(self) == str(other)

def hold():
    with theirs, theirs:
        tier.get(Slow("k"))

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
    os._exit(0 if taken == [True] and tier.get("k") == 1 else 1)
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
