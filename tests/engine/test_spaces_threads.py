"""Threads that change parameters of one object, and of equal ones, while others call."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from stored import Axis, StorageUser, configure, keyed_by, stored
from tests.engine.changing import COMPUTED, KINDS, REFERENCED, Methods, set_parameter

ROUNDS = 150


@pytest.fixture(autouse=True)
def memory_sets(cache_dir: object) -> Iterator[None]:
    """The default number of sets in memory."""
    COMPUTED.clear()
    interval = sys.getswitchinterval()
    with configure(memory_sets=8):
        yield
    sys.setswitchinterval(interval)


def until_done(act: Callable[[int], None], *calls: Callable[[], None]) -> None:
    """Act again and again, in a thread of its own, until all calls have ended."""
    ended: list[int] = []

    def acting() -> None:
        step = 0
        while len(ended) < len(calls):
            act(step)
            step += 1

    def called(call: Callable[[], None]) -> None:
        try:
            call()
        finally:
            ended.append(1)

    run_all(acting, *[functools.partial(called, call) for call in calls])


def run_all(*tasks: Callable[[], None]) -> None:
    """Run tasks in threads that begin together; raise what any of them raises."""
    # threads take turns very often only when all have started, as they start with an error otherwise under coverage
    barrier = threading.Barrier(len(tasks), action=lambda: sys.setswitchinterval(1e-5), timeout=60)
    sys.setswitchinterval(5e-3)

    def begin(task: Callable[[], None]) -> None:
        barrier.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(begin, task) for task in tasks]:
            done.result()


def check_all(owner: Any, n: float) -> None:
    """All methods give the numbers of a parameter, or raise an assertion."""
    assert owner.value(2.0) == n * 2
    assert owner.array()[99] == n
    assert owner.items() == [n]
    assert owner.few(3.0) == n * 3
    assert owner.curve(1.0) == pytest.approx(n)
    assert owner.kept()[0] == n


@pytest.mark.parametrize("make", KINDS)
def test_objects_of_one_class_in_threads_of_their_own(make: Any) -> None:
    """Each thread changes its own object, to parameters that others have too, and always has its own numbers."""
    kind = make()

    def work(offset: int) -> None:
        owner = kind(0.0)
        for step in range(ROUNDS // 3):
            n = float((step * 7 + offset) % 11)
            set_parameter(owner, n)
            check_all(owner, n)
            if step % 17 == offset:
                owner.value.cache_clear()
            if step % 23 == offset:
                assert owner.few.refresh(1.0) == n

    run_all(*[lambda offset=offset: work(offset) for offset in range(4)])  # type: ignore[misc]


@keyed_by("n")
class Shared(Methods):
    """Its parameter names a pair, so that a mixture of two of them shows."""

    def __init__(self, n: float) -> None:
        self.n = n

    @stored(persistent=False)
    def one(self) -> float:
        return self.n

    @stored(persistent=False)
    def plus(self, x: float) -> float:
        return self.n + x

    @stored(persistent=False, interpolate=Axis("x", 0.0, 1.0, points=8, vectorized=True))
    def line(self, x: Any) -> Any:
        n = self.n
        return n + np.zeros_like(x)


class SharedHolder(Shared):
    """The same with a StorageUser."""

    def __init__(self, n: float) -> None:
        super().__init__(n)
        self.announced = 0
        self.su = StorageUser("shared", "rw", lambda: "shared", lambda: f"shared {self.n!r}", self.announce)

    def announce(self) -> None:
        self.announced += 1


@pytest.mark.parametrize("kind", [Shared, SharedHolder])
def test_values_are_those_of_a_parameter_that_the_object_had(kind: Any) -> None:
    """While one thread changes the parameter, each call of others gives a value of one that it had meanwhile."""
    owner, values, over = kind(0.0), (0.0, 10.0, 20.0), threading.Event()

    def change() -> None:
        for step in range(ROUNDS * 10):
            owner.n = values[step % 3]
        over.set()

    def call() -> None:
        while not over.is_set():
            assert owner.one() in values
            assert owner.plus(1.0) in (1.0, 11.0, 21.0)

    run_all(change, call, call, call)


@pytest.mark.parametrize("kind", [Shared, SharedHolder])
def test_a_table_is_of_one_parameter(kind: Any) -> None:
    """While a parameter grows, no table is sampled for one and for another: each value is that of a parameter."""
    owner, over = kind(0.0), threading.Event()

    def change() -> None:
        for step in range(ROUNDS * 10):
            owner.n = 10.0 * step
        over.set()

    def call() -> None:
        while not over.is_set():
            for value in (owner.line(0.5), owner.line.interpolant()(0.5), owner.line.refresh(0.5)):
                assert value / 10 == pytest.approx(round(value / 10), abs=1e-9)

    run_all(change, call, call, call)


@pytest.mark.parametrize("kind", [Shared, SharedHolder])
def test_calls_between_changes_are_right(kind: Any) -> None:
    """Several threads call between two changes of one: each has the number of the parameter of that time."""
    owner, values = kind(0.0), [float(step * 5 % 4) for step in range(ROUNDS)]
    barrier = threading.Barrier(4)

    def work(index: int) -> None:
        for n in values:
            barrier.wait()
            if index == 0:
                owner.n = n
            barrier.wait()
            assert owner.one() == n
            assert owner.plus(1.0) == n + 1
            assert owner.line(0.5) == pytest.approx(n)
            assert owner.one() == n

    run_all(*[lambda index=index: work(index) for index in range(4)])  # type: ignore[misc]
    if kind is SharedHolder:
        assert owner.announced == sum(one != other for one, other in zip([0.0, *values], values, strict=False))


def test_equal_objects_compute_once() -> None:
    """Of threads with equal objects one computes, and the others have what it computed."""
    calls: list[int] = []

    @keyed_by("n")
    class Model:
        def __init__(self, n: int) -> None:
            self.n = n

        @stored(persistent=False)
        def slow(self) -> Any:
            calls.append(self.n)
            time.sleep(0.01)
            return np.full(3, self.n)

    def work(found: list[Any]) -> None:
        owners = [Model(n) for n in range(5)]
        found += [owner.slow() for owner in owners]

    found: list[list[Any]] = [[] for _ in range(4)]
    run_all(*[lambda each=each: work(each) for each in found])  # type: ignore[misc]
    assert sorted(calls) == list(range(5))
    assert [len({id(each[n].base) for each in found}) for n in range(5)] == [1] * 5


def test_the_first_objects_of_a_class_share_at_once() -> None:
    """Also if they come in several threads at the same moment."""
    for _ in range(50):

        @keyed_by("n")
        class Model:
            def __init__(self, n: int) -> None:
                self.n = n

            @stored(persistent=False)
            def array(self) -> Any:
                return np.full(3, self.n)

        owners = [Model(1) for _ in range(4)]
        run_all(*[owner.array for owner in owners])
        assert len({id(owner.array().base) for owner in owners}) == 1


@pytest.mark.parametrize("make", REFERENCED)
def test_objects_come_and_go_in_threads(make: Any) -> None:
    """Nothing of them stays beyond the last few sets, and all numbers are right."""
    kind, references = make(), []

    def work(offset: int) -> None:
        for step in range(ROUNDS):
            n = float((step + offset) % 50)
            owner = kind(n)
            assert owner.value() == n
            set_parameter(owner, n + 1)
            result = owner.array()
            assert result[0] == n + 1
            references.append(weakref.ref(result.base))
            if not step % 100:
                gc.collect()

    run_all(*[lambda offset=offset: work(offset * 10) for offset in range(4)])  # type: ignore[misc]
    gc.collect()
    assert len({id(each()) for each in references if each() is not None}) <= 9


def test_clearing_while_others_call() -> None:
    """After a clear that nobody overlaps, nothing of before is found; meanwhile every number is right."""
    kind = type("Own", (Shared,), {})
    owners = [kind(float(n % 2)) for n in range(4)]

    def clear(step: int) -> None:
        if step % 3:
            owners[step % 4].one.cache_clear()
        else:
            kind.one.cache_clear()

    def call(owner: Any) -> None:
        for _ in range(ROUNDS):
            assert owner.one() == owner.n

    until_done(clear, *[functools.partial(call, owner) for owner in owners])
    kind.one.cache_clear()
    assert not any(owner.one.cached() for owner in owners)


def test_limits_change_while_others_call() -> None:
    """Numbers are right whatever is dropped."""
    kind = type("Own", (Shared,), {})

    def change(step: int) -> None:
        with configure(memory_sets=step % 4, max_memory_bytes=[None, 100, 10_000][step % 3]):
            pass

    def call(offset: int) -> None:
        owner = kind(0.0)
        for step in range(ROUNDS):
            owner.n = float((step + offset) % 5)
            assert owner.one() == owner.n
            assert owner.array()[0] == owner.n

    until_done(change, *[functools.partial(call, offset) for offset in range(3)])
