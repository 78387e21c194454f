"""The tier in memory forgets the least recently used results, and threads can share it."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stored._storage import CachedResult, MemoryTier
from stored.typing import ABSENT
from tests.storage.threads import PATIENCE, run


def test_a_cached_result_gives_its_value() -> None:
    """Without a function that copies it callers get the value itself, with one what that returns."""
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
