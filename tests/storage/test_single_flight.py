"""Of all threads that need a result one computes it, and the others wait for it unless they would wait for ever."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import threading
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import stored
from stored import PersistenceWarning, configure, keyed_by
from stored._storage import Flight, Flights
from stored.typing import ABSENT
from tests.faults.processes import until
from tests.storage.threads import PATIENCE, run


@contextlib.contextmanager
def flight_of(flights: Flights, key: Hashable, *options: Any) -> Iterator[tuple[bool, Flight]]:
    """Lead within the block and leave after it, or wait before it."""
    leads, flight = flights.lead_or_wait(key, Flight(), *options)
    try:
        yield leads, flight
    finally:
        if leads:
            flights.leave(key, flight)


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
        with flight_of(flights, "k") as (leads, flight):
            assert leads
            led.set()
            until_waiting(flights, 3)
            computed.append(1)
            flight.result = "result"

    def waiter() -> None:
        meet(led)
        with flight_of(flights, "k") as (leads, flight):
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
        with flight_of(flights, key) as (leads, _):
            assert leads
            both.wait(PATIENCE)

    run(lambda: compute("a"), lambda: compute("b"))


def test_a_key_can_be_led_again() -> None:
    """When a computation is over, the next one leads anew and finds no old result."""
    flights = Flights()
    for _ in range(2):
        with flight_of(flights, "k") as (leads, flight):
            assert leads
            assert flight.result is ABSENT
            flight.result = 1


def test_a_flight_that_was_interrupted_takes_no_other_away() -> None:
    """If Ctrl-C comes just before a thread knows that another one leads, that one goes on leading."""
    flights, own = Flights(), Flight()
    with flight_of(flights, "k") as (leads, leading):
        assert leads
        own.is_listed = True  # as it is at that moment
        flights.leave("k", own)
        assert flights._flights == {"k": leading}
    assert flights._flights == {}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_leader_that_fails_frees_the_others(error: type[BaseException]) -> None:
    """The error reaches the leader's caller alone; a waiter finds no result, and can lead."""
    flights = Flights()
    led = threading.Event()
    found = []

    def leader() -> None:
        with flight_of(flights, "k") as (leads, _):
            assert leads
            led.set()
            until_waiting(flights, 1)
            raise error

    def waiter() -> None:
        meet(led)
        with flight_of(flights, "k") as (leads, flight):
            found.append((leads, flight.result))
        with flight_of(flights, "k") as (leads, flight):
            found.append((leads, flight.result))

    with pytest.raises(error):
        run(leader, waiter)
    assert found == [(False, ABSENT), (True, ABSENT)]


def test_recursion_does_not_wait_for_itself() -> None:
    """A computation that needs its own key computes it, at any depth, and still leads for the others."""
    flights = Flights()

    def compute(depth: int) -> int:
        with flight_of(flights, "k") as (leads, flight):
            assert leads
            flight.result = depth if depth == 0 else compute(depth - 1) + 1
            return int(flight.result)

    run(lambda: compute(20))
    with flight_of(flights, "k") as (leads, _):
        assert leads


def test_the_end_of_a_recursion_does_not_end_the_lead() -> None:
    """An inner computation that is over leaves the outer one leading: others still wait for that."""
    flights = Flights()
    inner = threading.Event()
    found = []

    def leader() -> None:
        with flight_of(flights, "k") as (_, flight):
            with flight_of(flights, "k") as (_, own):
                own.result = "inner"
            inner.set()
            until_waiting(flights, 1)
            flight.result = "outer"

    def waiter() -> None:
        meet(inner)
        with flight_of(flights, "k") as (leads, flight):
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
        with flight_of(flights, mine) as (leads, flight):
            assert leads
            all_lead.wait(PATIENCE)
            with flight_of(flights, (mine + 1) % number) as (leads_too, _):
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
        with flight_of(flights, "first") as (_, flight):
            first_led.set()
            until_waiting(flights, 2)
            order.append("first")
            flight.result = 1

    def second() -> None:
        meet(first_led)
        with flight_of(flights, "second") as (_, flight):
            second_led.set()
            with flight_of(flights, "first") as (leads, inner):
                assert (leads, inner.result) == (False, 1)
            order.append("second")
            flight.result = 2

    def third() -> None:
        meet(second_led)
        with flight_of(flights, "second") as (leads, flight):
            assert (leads, flight.result) == (False, 2)
        order.append("third")

    run(first, second, third)
    assert order == ["first", "second", "third"]


def test_a_thread_that_has_its_result_no_longer_waits() -> None:
    """A thread is waited for, and not computed around, once what it had waited for is there."""
    flights = Flights()
    first_led, second_led, waited = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        meet(second_led)
        with flight_of(flights, "first"):
            first_led.set()
            until_waiting(flights, 1)
        meet(waited)
        with flight_of(flights, "second") as (leads, flight):
            assert (leads, flight.result) == (False, 2)

    def second() -> None:
        with flight_of(flights, "second") as (_, flight):
            second_led.set()
            meet(first_led)
            with flight_of(flights, "first") as (leads, _):
                assert not leads
                waited.set()
                until_waiting(flights, 1)
            flight.result = 2

    run(first, second)


def test_many_threads_in_any_order_all_end() -> None:
    """Threads that compute the same keys, within each other and in different orders, never stop one another."""
    flights = Flights()

    def work(number: int) -> None:
        for step in range(60):
            one, two = (number + step) % 3, (number * step + 1) % 3
            with flight_of(flights, one), flight_of(flights, two):
                pass

    run(*[lambda number=number: work(number) for number in range(6)])
    assert not flights._waiting
    assert not flights._flights


def test_threads_that_wait_for_each_other_by_other_means_end(cache_dir: Path) -> None:
    """A call that waits for a thread which needs the very same result: the thread computes at the limit, and warns."""

    @keyed_by("n")
    class Recursive:
        n = 1

        @stored.stored(ignore=("depth", "pool"), version="1")
        def value(self, depth: int, pool: ThreadPoolExecutor) -> int:
            return pool.submit(self.value, depth - 1, pool).result(60) + 1 if depth else 0

    message = "is still being computed by another thread after 0.01 s"
    with ThreadPoolExecutor(1) as pool, configure(lock_timeout=0.01), pytest.warns(PersistenceWarning, match=message):
        assert Recursive().value(1, pool) == 1


def test_one_of_the_threads_takes_over_at_the_limit() -> None:
    """The others wait for that one, and have its result."""
    flights, led, over = Flights(), threading.Event(), threading.Event()
    found: list[Any] = []

    def leader() -> None:
        with flight_of(flights, "k"):
            led.set()
            meet(over)

    def waiter() -> None:
        meet(led)
        result: Any = ABSENT
        limit = 0.02
        while result is ABSENT:
            with flight_of(flights, "k", limit) as (leads, flight):
                if leads:
                    until(lambda: [*flights._waiting.values()].count(flight) == 2)
                    flight.result = "result"
                limit = 1000.0
                result = flight.result
            found.append((leads, flight.timed_out, result))
        if len([each for each in found if each[2] is not ABSENT]) == 3:
            over.set()

    run(leader, waiter, waiter, waiter)
    assert found.count((True, True, "result")) == 1
    assert found.count((False, True, "result")) == 2
    assert flights._flights == {}


def test_what_an_overtaken_thread_leaves_serves_all() -> None:
    """Who waits for the thread that took over goes on when the first one ends, and waits again if it left nothing."""
    flights, led, may_end, ended, woken = Flights(), *[threading.Event() for _ in range(4)]

    def overtaken() -> None:
        first = Flight()
        assert flights.lead_or_wait("k", first) == (True, first)
        led.set()
        meet(may_end)
        flights.leave("k", first)
        ended.set()

    def taker() -> None:
        second = Flight()
        meet(led)
        assert flights.lead_or_wait("k", second, 0.01) == (True, second)
        assert second.timed_out
        taken.append(second)
        until_waiting(flights, 1)
        may_end.set()
        meet(ended)
        meet(woken)
        until_waiting(flights, 1)
        second.result = "result"
        flights.leave("k", second)

    def waiter() -> None:
        while not taken:
            threading.Event().wait(0.001)
        (second,) = taken
        assert flights.lead_or_wait("k", Flight()) == (False, second)
        assert second.result is ABSENT
        woken.set()
        assert flights.lead_or_wait("k", Flight()) == (False, second)
        assert second.result == "result"

    taken: list[Flight] = []
    run(overtaken, taker, waiter)
    assert flights._flights == {}


@pytest.mark.parametrize("limit", [None, 0.02])
def test_a_thread_that_waits_for_another_process_is_waited_for(limit: float | None) -> None:
    """Only the time counts during which it computes; and without a limit, none."""
    flights, led, begun = Flights(), threading.Event(), threading.Event()

    def leader() -> None:
        with flight_of(flights, "k") as (_, flight):
            if limit is not None:
                flight.began = math.inf
            led.set()
            until_waiting(flights, 1)
            threading.Event().wait(0.2)
            assert waited == []
            if limit is not None:
                flight.began = 0.0
                meet(begun)
            flight.result = "result"

    def waiter() -> None:
        meet(led)
        with flight_of(flights, "k", limit) as (leads, _):
            waited.append(leads)
            begun.set()

    waited: list[bool] = []
    run(leader, waiter)
    assert waited == [limit is not None]


FORK = """
import os, threading
from stored._storage import Flight, Flights
flights, led, over = Flights(), threading.Event(), threading.Event()

def lead():
    key, flight = "k", flights.lead_or_wait("k", Flight())[1]
    led.set()
    over.wait(60)
    flights.leave(key, flight)

thread = threading.Thread(target=lead)
thread.start()
led.wait(60)
child = os.fork()
if not child:
    os._exit(0 if flights.lead_or_wait("k", Flight())[0] else 1)
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


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_a_leader_that_cannot_tell_that_it_has_left(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is no memory or depth of recursion left to wake the others, another thread does so."""
    flights = Flights()
    real, led, leader_thread = threading.Event.set, threading.Event(), list[int]()

    def fail(event: threading.Event) -> None:
        if threading.get_ident() in leader_thread:
            raise error
        real(event)

    def leader() -> None:
        with flight_of(flights, "k"):
            led.set()
            until_waiting(flights, 1)
            leader_thread.append(threading.get_ident())
        leader_thread.clear()

    def waiter() -> None:
        meet(led)
        with flight_of(flights, "k", PATIENCE) as (leads, _):
            assert not leads

    monkeypatch.setattr(threading.Event, "set", fail)
    run(leader, waiter)


def test_a_leader_that_is_just_leaving_is_not_waited_for() -> None:
    """Its flight is still listed then, but it may have looked already for those whom it must wake."""
    flights, found = Flights(), list[tuple[bool, Flight]]()
    leads, flight = flights.lead_or_wait("k", Flight())
    assert leads
    flight.is_over = True
    run(lambda: found.append(flights.lead_or_wait("k", Flight(), PATIENCE)))
    assert found == [(False, flight)]
    assert not flights._waiting
