"""Of many processes and threads that need the same missing result one computes, and the others get what it stored."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from stored import PersistenceWarning, StorageUser, configure, keyed_by, stored
from stored._storage.reports import clear_reports
from tests.faults.memory import forget_memory
from tests.faults.processes import (
    FEW_METHODS,
    METHODS,
    PATIENCE,
    begin,
    here,
    in_processes,
    in_threads,
    started,
    until_waiting,
)
from tests.faults.scale import LONG, rounds
from tests.faults.values import check, made, note, noted, whole_entries

KEYS = [("large" if x % 7 == 0 else "small", x) for x in range(20)]
FIBONACCI = [0, 1]
while len(FIBONACCI) < 151:
    FIBONACCI.append(FIBONACCI[-2] + FIBONACCI[-1])


HOOK: list[Callable[[Any], Any]] = [lambda argument: argument]
"""What is called while a result is computed; no attribute of the class, whose code would count."""


@keyed_by("n")
class Model:
    """An owner whose computations are noted."""

    next: Model

    def __init__(self, n: int = 1) -> None:
        self.n = n

    @stored
    def value(self, kind: str, x: int) -> Any:
        note("value", kind, x)
        time.sleep(0.002)  # so that the others come
        return made(kind, self.n, x)

    @stored
    def fibonacci(self, k: int) -> int:
        note("fibonacci", k)
        return k if k < 2 else self.fibonacci(k - 1) + self.fibonacci(k - 2)

    @stored(ignore=("depth", "HOOK"))
    def f(self, depth: int) -> str:
        HOOK[0](depth)
        assert depth == 0 or self.next.g(depth - 1) == f"g{self.next.n}"
        return f"f{self.n}"

    @stored(ignore=("depth", "HOOK"))
    def g(self, depth: int) -> str:
        HOOK[0](depth)
        assert depth == 0 or self.next.f(depth - 1) == f"f{self.next.n}"
        return f"g{self.n}"

    @stored
    def part(self, k: int) -> int:
        note("part", k)
        return k * k

    @stored
    def whole(self, method: str) -> int:
        note("whole")
        with get_context(method).Pool(2, begin, (here(),)) as pool:
            return sum(pool.map(self.part, range(6)))

    @stored(ignore=("depth",))
    def again(self, depth: int) -> str:
        note("again", depth)
        return "done" if depth == 0 else str(in_processes((self.again, depth - 1))[0])

    @stored(ignore=("HOOK",))
    def special(self, x: int) -> Any:
        note("special", x)
        return HOOK[0](x)

    @stored(persistent=False, ignore=("HOOK",))
    def fleeting(self, x: int) -> Any:
        return HOOK[0](x)


def need_all(barrier: Any, threads: int) -> None:
    """Need all values, in threads that begin together with those of all other processes."""

    def need(number: int) -> None:
        owner = Model()  # of its own, which by default has what other threads have in memory
        barrier.wait(PATIENCE)
        for kind, x in KEYS[number:] + KEYS[:number]:
            check(owner.value(kind, x), kind, 1, x)

    in_threads(*[(need, number) for number in range(threads)])


ONCE = [(*each, *size) for each in itertools.product([0, 8], METHODS) for size in ((8, 1), (4, 4))]
FEW_ONCE = [each for each in ONCE if each[1] == "fork"] + [(0, "spawn", 4, 4), (8, "forkserver", 8, 1)]


@pytest.mark.parametrize(
    ("memory_sets", "method", "processes", "threads"), ONCE if LONG else FEW_ONCE, indirect=["memory_sets"]
)
def test_each_value_is_computed_once(method: str, processes: int, threads: int) -> None:
    """Processes and threads that need the same 20 entries at once compute 20 values in all, and lose none."""
    barrier = get_context(method).Barrier(processes * threads)
    in_processes(*[(need_all, barrier, threads)] * processes, method=method)
    expected = sorted(f"value {kind} {x}" for kind, x in KEYS)
    assert sorted(noted()) == expected
    for kind, x in KEYS:
        check(Model().value(kind, x), kind, 1, x)
    assert sorted(noted()) == expected


# --------------------------------------------------------------------------------------------------------------------
# Recursion
# --------------------------------------------------------------------------------------------------------------------


def need_fibonacci(barrier: Any, *starts: int) -> None:
    """Need Fibonacci numbers, each in a thread."""

    def need(k: int) -> None:
        owner = Model()
        barrier.wait(PATIENCE)
        assert owner.fibonacci(k) == FIBONACCI[k]

    in_threads(*[(need, k) for k in starts])


@pytest.mark.parametrize("method", FEW_METHODS)
def test_recursion_from_different_ends(method: str) -> None:
    """Each of the values that call one another is computed once, wherever processes and threads begin."""
    barrier = get_context(method).Barrier(9)
    starts = [(30, 2, 17), (30, 9, 29), (16, 23, 30)]
    in_processes(*[(need_fibonacci, barrier, *each) for each in starts], method=method)
    assert sorted(noted()) == sorted(f"fibonacci {k}" for k in range(31))


def need_deep(barrier: Any, k: int) -> None:
    sys.setrecursionlimit(10_000)
    most = 100 + len(os.listdir("/proc/self/fd"))  # those that other tests have left open
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    need_fibonacci(barrier, k)


def test_recursion_deeper_than_there_are_handles() -> None:
    """A recursion that would need more locks than there are handles for files ends, and is right."""
    barrier = get_context("fork").Barrier(2)
    in_processes((need_deep, barrier, 150), (need_deep, barrier, 149))
    assert set(noted()) == {f"fibonacci {k}" for k in range(151)}


SIZE, DEPTH = 4, 9
"""So many owners stand in a ring, and so often a call is handed on."""


def go_round(barrier: Any, *starts: int) -> None:
    """Begin with different owners of a ring, each in a thread, and meet when all have begun to compute."""
    HOOK[0] = lambda depth: barrier.wait(PATIENCE) if depth == DEPTH else None

    def need(start: int) -> None:
        ring = [Model(n) for n in range(SIZE)]
        for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
            one.next = other
        name = "fg"[start % 2]
        assert getattr(ring[start], name)(DEPTH) == f"{name}{start}"

    in_threads(*[(need, start) for start in starts])


STARTS = [[(0, 2), (1, 3)], [(0, 1), (2, 3)], [(0, 1, 2, 3)], [(0,), (1,), (2,), (3,)]]


@pytest.mark.parametrize(
    ("method", "starts"),
    [(method, each) for method in METHODS for each in STARTS[: 4 if method == "fork" else rounds(1, 4)]],
)
def test_owners_that_need_each_other(method: str, starts: list[tuple[int, ...]]) -> None:
    """f of one owner needs g of the next, and so on in a ring; processes and threads that begin everywhere all end."""
    barrier = get_context(method).Barrier(SIZE)
    in_processes(*[(go_round, barrier, *each) for each in starts], method=method)


def need_whole(method: str) -> None:
    assert Model().whole(method) == 55


@pytest.mark.parametrize("method", FEW_METHODS)
def test_a_pool_within_a_stored_method(method: str) -> None:
    """Workers of a pool that a stored method makes call the owner's other stored methods: all is computed once."""
    in_processes(*[(need_whole, method)] * 3, method="fork" if method == "fork" else "spawn")
    assert sorted(noted()) == [f"part {k}" for k in range(6)] + ["whole"]


def need_again() -> None:
    assert Model().again(2) == "done"


def test_a_worker_that_needs_what_its_parent_computes() -> None:
    """A forked process that needs the result that its parent is computing computes it: waiting would never end."""
    in_processes((need_again,))
    assert noted() == ["again 2", "again 1", "again 0"]


# --------------------------------------------------------------------------------------------------------------------
# Holders that leave nothing, or too late
# --------------------------------------------------------------------------------------------------------------------


def compute_specially(then: str, before: Any, *arguments: Any) -> str:
    """Need a result that raises, or that cannot be pickled, after something else has been done."""

    def hook(x: int) -> Any:
        before(*arguments)
        if then == "raise":
            raise ValueError("raised")
        return lambda: x

    HOOK[0] = hook
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            assert Model().special(1)() == 1
        except ValueError as error:
            return str(error)
    return str(caught[0].message)


def tell_and_wait(end: Any, may_end: Any) -> None:
    end.send("computing")
    assert may_end.wait(PATIENCE)


def meet(barrier: Any) -> None:
    barrier.wait(PATIENCE)


@pytest.mark.parametrize(("then", "outcome"), [("raise", "raised"), ("return a function", "cannot be pickled")])
@pytest.mark.parametrize("method", FEW_METHODS)
def test_a_holder_that_leaves_nothing(method: str, then: str, outcome: str) -> None:
    """If nothing comes of a computation, all who waited for it compute at the same time, and not in a row."""
    context = get_context(method)
    mine, theirs = context.Pipe(duplex=False)
    may_end, barrier = context.Event(), context.Barrier(3)
    with started((compute_specially, then, tell_and_wait, theirs, may_end), method=method) as [holder]:
        assert mine.recv() == "computing"
        with started(*[(compute_specially, then, meet, barrier)] * 3, method=method) as waiters:
            until_waiting(*waiters)
            assert noted() == ["special 1"]
            may_end.set()
            assert all(outcome in each.result() for each in [holder, *waiters])
    assert noted() == ["special 1"] * 4


def compute_slowly(end: Any, may_end: Any) -> None:
    HOOK[0] = lambda x: (tell_and_wait(end, may_end), x)[1]
    assert Model().special(1) == 1


def test_a_limit_to_waiting(cache_dir: Path) -> None:
    """Whoever has waited to the limit computes too, and is warned once; afterwards the result is there."""
    mine, theirs = get_context("fork").Pipe(duplex=False)
    may_end = get_context("fork").Event()
    with started((compute_slowly, theirs, may_end)) as [holder]:
        assert mine.recv() == "computing"
        for limit in (0.0, 0.05):
            message = f"is still being computed by another process after {limit:g} s"
            with configure(lock_timeout=limit), pytest.warns(PersistenceWarning, match=message) as caught:
                Model().special.cache_clear(1)
                assert Model().special(1) == 1
            assert len(caught) == 1
            clear_reports()
        may_end.set()
        holder.result()
    assert noted() == ["special 1"] * 3
    forget_memory(Model)
    assert Model().special(1) == 1
    assert noted() == ["special 1"] * 3
    assert whole_entries(cache_dir) == 1


def test_a_directory_that_is_removed_while_one_computes(cache_dir: Path) -> None:
    """Who begins to compute after the directory was removed is still waited for when the first has come to its end."""
    context = get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    events = [context.Event(), context.Event()]
    with started((compute_slowly, theirs, events[0])) as [first]:
        assert mine.recv() == "computing"
        shutil.rmtree(cache_dir)
        with started((compute_slowly, theirs, events[1])) as [second]:
            assert mine.recv() == "computing"
            events[0].set()
            first.result()
            Model().special.cache_clear(1)
            with started((compute_slowly, theirs, events[1])) as [third]:
                until_waiting(third)
                events[1].set()
                assert [second.result(), third.result()] == [None, None]
    assert noted() == ["special 1"] * 2


# --------------------------------------------------------------------------------------------------------------------
# No locks where none are needed
# --------------------------------------------------------------------------------------------------------------------


@keyed_by("n")
class Holder:
    """An owner with a StorageUser."""

    def __init__(self, persistence: str) -> None:
        self.n = 1
        self.su = StorageUser("flight", persistence, lambda: "holder", lambda: "holder", None)

    @stored(ignore=("HOOK",))
    def result(self, x: int) -> int:
        HOOK[0](x)
        return x


UNLOCKED: dict[str, Callable[[], Any]] = {
    "persistent=False": lambda: Model().fleeting(1),
    "a user that reads": lambda: Holder("r").result(1),
    "a user that writes": lambda: Holder("w").result(1),
    "a user of memory": lambda: Holder("").result(1),
    "settings that read": lambda: within({"persistence": "r"}),
    "settings that write": lambda: within({"persistence": "w"}),
    "settings that disable": lambda: within({"disable": True}),
}


def within(settings: dict[str, Any]) -> Any:
    with configure(**settings):
        return Model().special(1)


def compute_with_others(how: str, barrier: Any, directory: Path) -> None:
    locks: list[Path] = []

    def hook(x: int) -> int:
        barrier.wait(PATIENCE)
        locks.extend(directory.rglob("locks"))
        barrier.wait(PATIENCE)
        return x

    HOOK[0] = hook
    assert UNLOCKED[how]() == 1
    assert locks == []


@pytest.mark.parametrize("how", UNLOCKED)
def test_no_locks_where_none_are_needed(how: str, cache_dir: Path) -> None:
    """Where results are not both read and written, processes compute them at the same time, without a lock file."""
    barrier = get_context("fork").Barrier(3)
    in_processes(*[(compute_with_others, how, barrier, cache_dir)] * 3)
