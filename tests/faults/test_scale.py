"""What storing, listing, clearing and dropping cost grows with what they touch, counted in calls of the system."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stored import StorageUser, configure, keyed_by, stored, upkeep
from stored._storage.limits import finish_trims
from tests.faults.memory import forget_memory
from tests.faults.scale import LONG
from tests.faults.values import whole_entries

MANY = 10_000 if LONG else 2_000
CALLS = ("open", "stat", "lstat", "utime", "mkdir", "rmdir", "unlink", "replace", "scandir")


class Calls(Counter[str]):
    """How often each function of the system was called; what a listing gave counts as ``listed``."""

    def counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self[name] += 1
            result = function(*args, **kwargs)
            return self.listing(result) if name == "scandir" else result

        return counted

    @contextlib.contextmanager
    def listing(self, entries: Any) -> Iterator[Iterator[os.DirEntry[str]]]:
        with entries:
            found = list(entries)
            self["listed"] += len(found)
            yield iter(found)


@contextlib.contextmanager
def counted() -> Iterator[Calls]:
    """Count the calls within a block."""
    calls = Calls()
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, calls.counting(name, getattr(os, name)))
        yield calls


def user(n: int) -> StorageUser:
    return StorageUser("scale", "rw", lambda: "user", lambda: f"user {n}", None)


@keyed_by("n")
class Model:
    """An owner of two methods."""

    def __init__(self, n: int) -> None:
        self.n = n

    @stored
    def one(self, x: int) -> int:
        return x

    @stored
    def other(self, x: int) -> int:
        return x


def store(names: range, each: int) -> None:
    """Store objects of owners that have so many each."""
    for k in names:
        user(k // each).storeObject(f"object {k}", k)
        finish_trims()


def cost(function: Callable[[], object]) -> Calls:
    """The calls that a function makes."""
    with counted() as calls:
        function()
    return calls


def neighbours(own: set[Path]) -> int:
    """How many entries of others are in the folders of these: all entries of a module share 256."""
    folders = {path.parent for path in own}
    return len([path for folder in folders for path in folder.glob("*.stored") if path not in own])


@pytest.mark.parametrize("each", [3, 30, MANY + 1])
def test_one_more_costs_the_same_at_any_size(each: int, cache_dir: Path) -> None:
    """Whether few entries are there or many, in one folder or many, to write or read one more takes as many calls."""
    writing, reading = [], []
    begun = time.perf_counter()
    for first, last in ((0, 10), (11, MANY)):
        store(range(first, last), each)
        writing.append(cost(lambda last=last: store(range(last, last + 1), each)))
        reading.append(cost(lambda last=last: user(last // each).getStoredObject(f"object {last}")))
    print(f"{whole_entries(cache_dir)} entries, {each} in each folder, {time.perf_counter() - begun:.1f} s")
    assert writing[0] == writing[1]
    assert reading[0] == reading[1]
    assert writing[0].total() < 40 > reading[0].total() > 0


def test_storing_within_limits_costs_the_same_at_any_size(cache_dir: Path) -> None:
    """With limits too the mean number of calls for one entry does not depend on how many are kept."""
    store(range(1), 1)
    size = sum(path.stat().st_size for path in cache_dir.rglob("*.stored"))
    means = []
    for number in (MANY // 10, MANY):
        with configure(cache_dir=cache_dir.parent / f"{number}", max_bytes=number // 4 * size):
            means.append(cost(lambda number=number: store(range(number), 20)).total() / number)
            assert 0.8 * number // 4 < upkeep().entries <= number // 4
    assert means[1] <= 1.2 * means[0]


def test_listing_touches_what_it_lists(cache_dir: Path) -> None:
    """Listing an owner's objects takes calls in proportion to their number, whatever else is stored."""
    costs = []
    for number in (50, 100, 200):
        with configure(cache_dir=cache_dir.parent / f"{number}"):
            store(range(number), number)
            costs.append(cost(lambda: user(0).listObjects()).total())
    assert costs[2] - costs[1] == 2 * (costs[1] - costs[0]) > 0
    store(range(50), 50)
    own = set(cache_dir.rglob("*.stored"))
    store(range(50, MANY), 50)
    assert cost(lambda: user(0).listObjects()).total() == costs[0] + neighbours(own)
    assert len(user(0).listObjects()) == 50


def compute(owners: int) -> None:
    forget_memory(Model)
    for n in range(owners):
        for x in range(10):
            Model(n).one(x)
            Model(n).other(x)


def test_clearing_touches_what_it_clears(cache_dir: Path) -> None:
    """Clearing a method of one owner among many opens and removes its entries, and looks at no others."""
    costs = []
    for owners in (1, MANY // 20):
        with configure(cache_dir=cache_dir.parent / f"{owners}"):
            compute(1)
            own = set((cache_dir.parent / f"{owners}").rglob("*.stored"))
            compute(owners)
            near = neighbours(own)
            costs.append(cost(Model(0).one.cache_clear))
            costs[-1]["listed"] -= near
            forget_memory(Model)
            assert whole_entries(cache_dir.parent / f"{owners}") == 20 * owners - 10
            assert not Model(0).one.cached(1)
            assert Model(0).other.cached(1)
    assert costs[0] == costs[1]
    assert (costs[0]["open"], costs[0]["unlink"]) == (10, 10)


def test_dropping_by_size_touches_what_it_drops(cache_dir: Path) -> None:
    """To drop by size takes one look at each entry, and opens and removes only what is dropped."""
    costs, folders = [], []
    for number in (MANY // 2, MANY):
        with configure(cache_dir=cache_dir.parent / f"{number}"):
            store(range(number), 20)
            before = upkeep()
            with configure(max_bytes=before.bytes // 2):
                costs.append(cost(upkeep))
                after = upkeep()
        dropped = before.entries - after.entries
        folders.append(len([path for path in (cache_dir.parent / f"{number}").rglob("*") if path.is_dir()]))
        assert before.entries == number
        assert costs[-1]["unlink"] == dropped
        # each folder is opened to look and to remove; the rest is of the size and of the locks
        assert 0 <= costs[-1]["open"] - dropped <= 2 * folders[-1] + 11
    # each folder is opened, read and named twice, and there are at most 256 for the entries
    of_entries = [calls.total() - 6 * number for calls, number in zip(costs, folders, strict=True)]
    assert of_entries[1] == pytest.approx(2 * of_entries[0], rel=0.02)
