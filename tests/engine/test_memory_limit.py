"""What results take in memory stays within max_memory_bytes, and the least recently used go first."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from stored._engine import memory_limit
from stored._engine.memory_limit import MemoryLimit
from stored._storage import CachedResult
from tests.engine.changing import KINDS, set_parameter

CALLS: list[Any] = []


@pytest.fixture(autouse=True)
def memory_sets(cache_dir: object) -> Iterator[None]:
    """Any number of sets, so that only the bytes limit what is in memory."""
    CALLS.clear()
    with configure(memory_sets=10**6):
        yield


def model() -> Any:
    """A class whose results take 8,000 bytes and a few more each."""

    @keyed_by("n")
    class Model:
        def __init__(self, n: float) -> None:
            self.n = n

        @stored(persistent=False)
        def array(self, x: float = 0.0) -> Any:
            CALLS.append((self.n, x))
            return np.full(1000, self.n + x)

        @stored(persistent=False)
        def other(self) -> Any:
            CALLS.append((self.n, "other"))
            return [np.full(500, self.n), {"a": np.full(500, self.n)}]

        @stored
        def large(self) -> Any:
            return np.full(2**18, self.n)

    return Model


def alive(references: list[weakref.ref[Any]]) -> list[bool]:
    gc.collect()
    return [reference() is not None for reference in references]


def test_the_total_is_bounded() -> None:
    """Of all sets of parameters, objects, methods and classes together."""
    with configure(max_memory_bytes=50_000):
        references = []
        for kind in (model(), model()):
            for n in range(10):
                owner = kind(float(n))
                for m in range(3):
                    owner.n = float(n + m)
                    references.append(weakref.ref(owner.array(float(m)).base))
                    owner.other()
        assert 2 <= sum(alive(references)) <= 6
        assert memory_limit.total <= 50_000


def test_the_least_recently_used_goes_first() -> None:
    """By when each result was last asked for, whichever parameters it is of."""
    owner = model()(0.0)
    with configure(max_memory_bytes=25_500):
        for n in (0.0, 1.0, 2.0, 0.0, 3.0):
            owner.n = n
            owner.array()
        CALLS.clear()
        for n in (0.0, 2.0, 3.0):
            owner.n = n
            owner.array()
        assert CALLS == []
        owner.n = 1.0
        owner.array()
        assert CALLS == [(1.0, 0.0)]


def test_a_limit_that_is_set_late_holds_at_once() -> None:
    """What was kept without a limit is counted, and dropped as far as it is too much."""
    owner, references = model()(0.0), []
    for n in range(10):
        owner.n = float(n)
        references.append(weakref.ref(owner.array().base))
        owner.array()
    assert all(alive(references))
    with configure(max_memory_bytes=25_500):
        assert sum(alive(references)) <= 3
        assert memory_limit.total <= 25_500
        owner.n = 20.0
        assert owner.array()[0] == 20.0
        with configure(max_memory_bytes=9_000):
            assert sum(alive(references)) <= 1
            assert memory_limit.total <= 9_000
    for n in range(10):
        owner.n = float(n)
        assert owner.array()[0] == n


def test_a_result_that_is_larger_than_the_limit_is_not_kept() -> None:
    """It is returned, and computed again; one that was written is kept as the mapped file."""
    owner = model()(1.0)
    with configure(max_memory_bytes=1000):
        for _ in range(3):
            assert owner.array()[0] == 1.0
        assert len(CALLS) == 3
        owner.large()  # who computed it has an array of its own
        assert owner.large().base is owner.large().base
    with configure(max_memory_bytes=0):
        assert owner.array(2.0)[0] == 3.0
        assert not owner.array.cached(2.0)


def test_what_is_gone_does_not_count() -> None:
    """Cleared results, and those of dropped parameters and classes, make room."""
    with configure(max_memory_bytes=10**6):
        kind = model()
        owner = kind(0.0)
        for n in range(5):
            owner.n = float(n)
            owner.array()
            owner.other()
        assert memory_limit.total > 5 * 16_000
        owner.array.cache_clear()
        owner.other.cache_clear()
        assert kind(0.0).array()[0] == 0.0
        kind(7.0).other()
        assert memory_limit.total < 6 * 17_000
        del kind, owner
        gc.collect()
        model()(1.0).array()
        assert memory_limit.total < 17_000


def test_a_refreshed_result_counts_once() -> None:
    """The one before makes room for it."""
    owner = model()(0.0)
    with configure(max_memory_bytes=25_500):
        owner.array(1.0)
        for _ in range(10):
            owner.array.refresh()
        assert owner.array.cached(1.0)


@pytest.mark.parametrize("make", KINDS)
def test_numbers_are_right_however_little_is_kept(make: Any) -> None:
    """With all kinds of owners, and whatever goes."""
    kind = make()
    owners = [kind(n) for n in (0.0, 1.0, 0.0)]
    with configure(max_memory_bytes=2500):
        for step in range(60):
            owner, n = owners[step % 3], float(step * 7 % 5)
            set_parameter(owner, n)
            for _ in range(2):
                assert owner.array()[0] == n
                assert owner.value(3.0) == n * 3
                assert owner.items() == [n]
                assert owner.few(2.0) == n * 2
                assert owner.kept()[5] == n


def test_the_limit_can_be_taken_away() -> None:
    """Then everything is kept again."""
    owner = model()(0.0)
    with configure(max_memory_bytes=9_000):
        owner.array(1.0)
        owner.array(2.0)
    for x in range(5):
        owner.array(float(x))
    assert all(owner.array.cached(float(x)) for x in range(5))


class Place:
    """Has results in memory."""

    def __init__(self) -> None:
        self.forgotten: list[Any] = []

    def forget(self, method: Any, arguments: Any) -> None:
        """Note what is to be forgotten."""
        self.forgotten.append(arguments)


def test_results_whose_place_is_gone_are_passed_over() -> None:
    """The others are forgotten, until the rest is within the limit."""
    limit, gone, place = MemoryLimit(), Place(), Place()
    results = [CachedResult(np.zeros(1000)) for _ in range(4)]
    limit.limit = 17_000
    limit.add(gone, "method", 0, results[0])
    limit.add(place, "method", 1, results[1])
    del gone
    limit.add(place, "method", 2, results[2])
    assert place.forgotten == []
    limit.add(place, "method", 3, results[3])
    assert place.forgotten == [1]


def test_a_result_that_is_freed_meanwhile_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is freed between two looks needs not be forgotten."""
    limit, place = MemoryLimit(), Place()
    results = [CachedResult(np.zeros(1000)) for _ in range(2)]
    with configure(max_memory_bytes=9_000):
        limit.add(place, "method", 0, results[0])
        monkeypatch.setattr(limit, "_take_out_freed", results.clear)
        limit.add(place, "method", 1, results[1])
    assert place.forgotten == []


def test_what_shortcuts_lead_to_is_in_use() -> None:
    """A result that repeated calls ask for stays, although only their shortcut sees them; others go first."""

    class Model(model()):  # type: ignore[misc]
        @stored(persistent=False)
        def constant(self) -> Any:
            CALLS.append("constant")
            return np.zeros(1000)

    owner = Model(1.0)
    with configure(max_memory_bytes=25_500):
        for k in range(12):
            for _ in range(3):
                owner.constant()
            owner.array(float(k))
    assert CALLS.count("constant") == 1


def test_results_that_are_freed_unnoticed_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of them, one after the other; what was never counted can be used."""
    limit, place = MemoryLimit(), Place()
    limit.limit = 9_000
    results = [CachedResult(np.zeros(500)) for _ in range(2)]
    for number, each in enumerate(results):
        limit.add(place, "method", number, each)
    monkeypatch.setattr(limit, "_take_out_freed", lambda: None)
    del each
    results.clear()
    kept = CachedResult(np.zeros(1000))
    limit.add(place, "method", 2, kept)
    assert place.forgotten == []
    limit.use(kept)
    limit.use(CachedResult(1))
