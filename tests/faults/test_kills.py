"""Whenever a process that stores is killed, every value that can be read is right, and nobody waits for the dead."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from stored import StorageUser, configure, keyed_by, stored, upkeep
from tests.faults.memory import forget_memory
from tests.faults.processes import FEW_METHODS, sleep_for_ever, started, until_waiting
from tests.faults.scale import rounds
from tests.faults.values import KINDS, check, made, note, noted, whole_entries

KEYS = [(kind, x) for kind in KINDS for x in range(2)]


HOOK: list[Callable[[], object]] = [lambda: None]
"""What is called while a result is computed; no attribute of the class, whose code would count."""


@keyed_by("n")
class Model:
    """An owner whose results tell what they are."""

    def __init__(self, n: int = 1) -> None:
        self.n = n

    @stored(ignore=("HOOK",))
    def value(self, kind: str, x: int) -> Any:
        HOOK[0]()
        note("computed", kind, x)
        return made(kind, self.n, x)


def user() -> StorageUser:
    """A new user of the same space."""
    return StorageUser("kills", "rw", lambda: "user", lambda: "user", None)


def store(kind: str, x: int, edition: int) -> None:
    """Store an object, in some editions a new one, and a result that has to be computed."""
    if edition % 2:
        user().removeObject(f"{kind} {x}")
    user().storeObject(f"{kind} {x}", made(kind, x, edition=edition))
    Model.value.cache_clear(Model(), kind, x)
    Model().value(kind, x)


def store_for_ever(end: Any, seed: int) -> None:
    keys = random.Random(seed).sample(KEYS, len(KEYS))
    end.send("begun")
    for edition in itertools.count(1):
        for kind, x in keys:
            store(kind, x, edition)


def check_all() -> int:
    """All values are right, none that is listed is missing, and what is missing is computed without waiting."""
    names = user().listObjects()
    forget_memory(Model)
    with configure(lock_timeout=0.0):  # to wait at all would be a warning, and so an error
        for kind, x in KEYS:
            found = user().getStoredObject(f"{kind} {x}")
            assert (found is None) == (f"{kind} {x}" not in names)
            if found is not None:
                check(found, kind, x)
            check(Model().value(kind, x), kind, 1, x)
            store(kind, x, edition=0)
    return len(names)


def test_kills_at_random_moments(cache_dir: Path) -> None:
    """Whenever processes that store the same entries are killed, all that is left is right, and is tidied up."""
    chance, kills, entries, started_at = random.Random(4), 0, 0, time.perf_counter()
    while kills < rounds(60, 1000):
        mine, theirs = get_context("fork").Pipe(duplex=False)
        with started(*[(store_for_ever, theirs, chance.random())] * 2) as victims:
            assert mine.recv() == mine.recv() == "begun"
            for victim in victims:
                time.sleep(chance.uniform(0.0, 0.02))
                victim.kill()
                kills += 1
        mine.close()
        theirs.close()
        entries += check_all()
        upkeep()
        assert whole_entries(cache_dir) == 2 * len(KEYS)
    seconds = time.perf_counter() - started_at
    print(f"{kills} kills, {entries} objects were left and looked at, 0 wrong values, {seconds:.0f} s")


def store_until(step: int, kind: str) -> int:
    """Store, and die by SIGKILL before a call into the operating system; or return how many there are."""
    calls = 0

    def before_call(frame: Any, event: str, called: Any) -> None:
        nonlocal calls
        if event == "c_call" and frame.f_globals["__name__"].startswith("stored.stores"):
            calls += 1
            if calls == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(before_call)
    store(kind, 0, edition=1)
    sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_every_step(kind: str, cache_dir: Path) -> None:
    """Before whichever call of a store a process is killed, all that is left is right, and is tidied up."""
    check_all()
    with started((store_until, 0, kind)) as [process]:
        steps = process.result()
    assert steps > 50
    for step in range(1, steps + 1, rounds(8, 1)):
        with started((store_until, step, kind)) as [process]:
            assert process.ended() == -signal.SIGKILL
        check_all()
        upkeep()
        assert whole_entries(cache_dir) == 2 * len(KEYS)


def compute(end: Any = None, forks: bool = False) -> None:
    """Need a result; if an end is given, be there for ever before it is computed, perhaps with a child."""

    def hook() -> None:
        child = os.fork() if forks else None
        if child != 0:  # in the child itself, which has nothing to say
            end.send(child)
        sleep_for_ever()

    if end is not None:
        HOOK[0] = hook
    check(Model().value("small", 1), "small", 1, 1)


@pytest.mark.parametrize(("method", "forks"), [("fork", True), *[(method, False) for method in FEW_METHODS]])
def test_one_of_those_who_wait_computes_when_the_holder_dies(method: str, forks: bool) -> None:
    """Three processes wait for one that is killed: exactly one of them computes, even if a child of the dead lives."""
    mine, theirs = get_context(method).Pipe(duplex=False)
    with contextlib.ExitStack() as ended, started((compute, theirs, forks), method=method) as [holder]:
        child = mine.recv()
        if child is not None:
            ended.callback(os.kill, child, signal.SIGKILL)
        with started(*[(compute,)] * 3, method=method) as waiters:
            until_waiting(*waiters)
            assert noted() == []
            holder.kill()
            for waiter in waiters:
                waiter.result()
    assert noted() == ["computed small 1"]
