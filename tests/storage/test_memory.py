"""Bounded memory forgets the least recently used results, and threads can share it."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stored._fork_safe_lock import ForkSafeLock
from stored._storage import BoundedMemory, CachedResult
from stored.typing import ABSENT
from tests.storage.threads import PATIENCE, run


def test_a_cached_result_gives_its_value() -> None:
    """Without a function that copies it callers get the value itself, with one what that returns."""
    value = [1]
    assert CachedResult(value).for_caller() is value
    assert CachedResult(value, list.copy).for_caller() is not value


class Model:
    """A cache of the least recently used, written plainly."""

    def __init__(self, maxsize: int) -> None:
        self.maxsize, self.values = maxsize, OrderedDict[int, object]()

    def get(self, key: int) -> object:
        if key in self.values:
            self.values.move_to_end(key)
        return self.values.get(key, ABSENT)

    def put(self, key: int, value: object) -> None:
        self.values.pop(key, None)
        self.values[key] = value
        while len(self.values) > self.maxsize:
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
@given(st.integers(1, 5), operations)
def test_the_memory_behaves_as_its_model(maxsize: int, steps: list[tuple[Any, ...]]) -> None:
    """Whatever is done, the memory gives, keeps and forgets what a plain ordered dict would; None is a value."""
    memory: BoundedMemory[object] = BoundedMemory(maxsize, ForkSafeLock())
    model = Model(maxsize)
    for name, *arguments in steps:
        if name == "clear":
            memory.clear()
            model.values.clear()
        elif name == "put":
            memory[arguments[0]] = arguments[1]
            model.put(*arguments)
        elif name == "get":
            assert memory.get(arguments[0], ABSENT) == model.get(*arguments)
        else:
            assert (memory.pop(arguments[0], ABSENT) is not ABSENT) == model.discard(*arguments)
        assert list(memory.items()) == list(model.values.items())


def test_threads_share_a_memory() -> None:
    """Threads that use a bounded memory together lose no key that is in use, and never exceed the bound."""
    memory: BoundedMemory[int] = BoundedMemory(8, ForkSafeLock())
    memory["in use"] = 1
    trouble: list[str] = []

    def work(number: int) -> None:
        for step in range(500):
            memory[number, step % 5] = step
            if step % 5 == 0:
                memory.pop((number, 1))
            if len(memory) > 9:  # one over the bound while one is put
                trouble.append(f"{len(memory)} values")
            list(memory)

    run(*[lambda number=number: work(number) for number in range(3)])
    assert not trouble
    assert len(memory) <= 8


def test_a_value_that_is_read_stays_visible() -> None:
    """While some threads read a value, others always find its key there."""
    memory: BoundedMemory[int] = BoundedMemory(3, ForkSafeLock())
    memory["a"] = 1
    missed: list[int] = []
    # threads take turns very often only when all have started, as they start with an error otherwise under coverage
    before = sys.getswitchinterval()
    start = threading.Barrier(3, action=lambda: sys.setswitchinterval(1e-6), timeout=PATIENCE)

    def read() -> None:
        start.wait()
        for _ in range(3000):
            if memory.get("a") != 1:
                missed.append(1)

    def look() -> None:
        start.wait()
        for _ in range(3000):
            if "a" not in memory or len(memory) != 1:
                missed.append(2)

    try:
        run(read, look, read)
    finally:
        sys.setswitchinterval(before)
    assert not missed
