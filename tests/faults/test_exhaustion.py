"""Where memory or depth of recursion runs out, results are right or there is the error; nothing stays held."""

from __future__ import annotations

import _thread
import contextlib
import datetime
import gc
import re
import resource
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, StorageUser, StoredWarning, configure, keyed_by, stored
from stored._methods.answer import _flights
from stored._methods.call import Call
from stored._storage.reports import clear_reports
from stored.stores._locks import FileLocks
from tests.faults.memory import forget_memory
from tests.faults.processes import PATIENCE, in_processes
from tests.faults.test_places import only_ours
from tests.storage.entries import identical

DISTANCES = range(1, 60)
"""How many levels of recursion are left; with the last of these, every call has enough."""


class Big:
    """What can only be pickled, and is large."""

    def __init__(self, size: int) -> None:
        self.content = bytearray(size)


class Day(datetime.date):
    """A date of a class of its own, which is pickled."""


@keyed_by("n")
class Model:
    n = 1
    fails = False

    @stored
    def native(self, x: int) -> dict[str, Any]:
        return {"list": [x, (1, 2)], "array": np.arange(4.0)}

    @stored
    def pickled(self, x: int) -> datetime.date:
        return Day(2000, 1, x)

    @stored
    def plain(self, x: int) -> float:
        return x + 1.0

    @stored
    def failing(self, x: int) -> int:
        if self.fails:
            raise ValueError("its own")
        return x

    @stored
    def recursive(self, x: int) -> int:
        return self.recursive.__wrapped__(x) if self.fails else x

    @stored
    def greedy(self, x: int) -> int:
        if self.fails:
            raise MemoryError("its own")
        return x

    @stored(interpolate=Axis("x", 0.0, 1.0))
    def table(self, x: float) -> float:
        return x * x

    @stored
    def big(self, size: int) -> Big:
        return Big(size)


METHODS: dict[str, Any] = {
    "native": {"list": [3, (1, 2)], "array": np.arange(4.0)},
    "pickled": Day(2000, 1, 3),
    "plain": 4.0,
    "failing": 3,
    "recursive": 3,
}


def levels_left() -> int:
    try:
        return levels_left() + 1
    except RecursionError:
        return 0


def with_levels_left(distance: int, function: Callable[[], Any]) -> Any:
    """Call a function so many levels below the limit of recursion.

    No garbage is collected there: callbacks of what earlier tests have left would meet the limit, too.
    """

    def descend(levels: int) -> Any:
        return function() if levels <= 0 else descend(levels - 1)

    gc.disable()
    try:
        return descend(levels_left() - distance)
    finally:
        gc.enable()


def assert_nothing_is_held() -> None:
    """No lock is held, nobody waits, and nobody computes."""
    assert [name for locks in FileLocks._all for name in (*locks.held, *locks._needs)] == []
    assert (_flights._flights, _flights._waiting) == ({}, {})


def begin(before: str, method: str) -> Model:
    """An object whose result is missing, on disk or in memory; the files that calls need are open."""
    forget_memory(Model)
    model = Model()
    getattr(model, method)(4)
    if before != "missing":
        getattr(model, method)(3)
    if before == "on disk":
        forget_memory(Model)
        model = Model()
        getattr(model, method)(4)
    return model


@pytest.mark.parametrize("before", ["missing", "on disk", "in memory"])
@pytest.mark.parametrize("method", METHODS)
def test_a_call_near_the_limit_of_recursion(method: str, before: str, cache_dir: Path) -> None:
    """It gives the right value or a RecursionError; it holds nothing afterwards, and later calls are as ever."""
    outcomes = []
    for distance in DISTANCES:
        clear_reports()
        with configure(cache_dir=cache_dir / str(distance)):
            model = begin(before, method)
            with only_ours():
                try:
                    found = with_levels_left(distance, lambda model=model: getattr(model, method)(3))
                    assert identical(found, METHODS[method])
                    outcomes.append("right")
                except RecursionError:
                    outcomes.append("error")
            assert_nothing_is_held()
            assert identical(getattr(model, method)(3), METHODS[method])
            forget_memory(Model)
            assert identical(getattr(Model(), method)(3), METHODS[method])
    assert outcomes[0] == "error"
    assert outcomes[-1] == "right"


@pytest.mark.parametrize(("method", "error"), [("failing", ValueError), ("recursive", RecursionError)])
def test_an_error_near_the_limit_of_recursion(method: str, error: type[Exception], cache_dir: Path) -> None:
    """The method's own error reaches the caller, if there was room for the call, and holds nothing."""
    raised: list[type[BaseException]] = []
    for distance in DISTANCES:
        with configure(cache_dir=cache_dir / str(distance)):
            model = begin("missing", method)
            model.fails = True
            with only_ours(), pytest.raises((error, RecursionError)) as caught:
                with_levels_left(distance, lambda model=model: getattr(model, method)(3))
            raised.append(caught.type)
            assert_nothing_is_held()
            model.fails = False
            assert getattr(model, method)(3) == 3
    assert raised[-1] is error


def test_what_takes_too_much_recursion_to_read_or_write_is_computed(cache_dir: Path) -> None:
    """Where the plain method has room, but reading or writing its result has not, the caller is warned, and served."""
    reading, writing = [], []
    for distance in DISTANCES:
        for before, messages in (("on disk", reading), ("missing", writing)):
            clear_reports()
            with configure(cache_dir=cache_dir / before / str(distance)):
                model = begin(before, "pickled")
                with only_ours() as found, contextlib.suppress(RecursionError):
                    with_levels_left(distance, lambda model=model: model.pickled(3))
                messages += found
    assert any("was not used: " in each and "the result is computed anew" in each for each in reading)
    assert any("is kept in memory only: " in each for each in writing)
    assert all("recursion" in each for each in reading + writing)


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("persistent", [True, False])
def test_who_waits_for_a_call_near_the_limit_of_recursion_goes_on(
    persistent: bool, fails: bool, cache_dir: Path
) -> None:
    """Whether the call that it waits for succeeds, fails or runs out of levels, another thread does not wait longer."""

    @keyed_by("n")
    class Gated:
        n = 1

        @stored(persistent=persistent)
        def value(self, x: float) -> float:
            begun.release()
            with gate:
                return 1.0 / x

    def lead() -> None:
        with contextlib.suppress(ZeroDivisionError, RecursionError):
            with_levels_left(distance, lambda: model.value(0.0 if fails else 1.0))

    def follow() -> None:
        with contextlib.suppress(ZeroDivisionError):
            model.value(0.0 if fails else 1.0)

    for distance in range(6, 30):
        forget_memory(Gated)
        with configure(cache_dir=cache_dir / str(distance), lock_timeout=PATIENCE), only_ours():
            begun, gate, model = _thread.allocate_lock(), _thread.allocate_lock(), Gated()
            begun.acquire()
            gate.acquire()
            threads = [threading.Thread(target=each, daemon=True) for each in (lead, follow)]
            threads[0].start()
            while threads[0].is_alive() and not begun.acquire(timeout=0.01):
                pass
            is_led = threads[0].is_alive()
            threads[1].start()
            while is_led and not _flights._waiting:
                time.sleep(0.001)
            gate.release()
            for each in threads:
                each.join(60.0)
                assert not each.is_alive(), distance
            assert_nothing_is_held()


# -- memory -----------------------------------------------------------------------------------------------------------

SIZE = 1 << 26


def call_with_little_memory(directory: Path) -> list[str]:
    """Call a method whose result fits in memory, but neither reading nor pickling it does."""
    model = Model()
    model.big(SIZE)
    forget_memory(Model)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    model = Model()
    with only_ours() as messages:
        resource.setrlimit(resource.RLIMIT_AS, (used + SIZE * 7 // 4, before[1]))
        try:
            found = model.big(SIZE)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
    assert len(found.content) == SIZE
    assert_nothing_is_held()
    with warnings.catch_warnings():
        forget_memory(Model)
        found = None
        assert len(Model().big(SIZE).content) == SIZE
    return messages


def test_a_result_for_which_there_is_too_little_memory(cache_dir: Path) -> None:
    """It is computed and kept in memory, with a warning for reading and one for writing."""
    (messages,) = in_processes((call_with_little_memory, cache_dir))
    assert ["was not used" in each for each in messages] == [True, False]
    assert ["is kept in memory only" in each for each in messages] == [False, True]
    assert all("MemoryError" in each for each in messages)


def test_a_memory_error_of_the_method_reaches_the_caller(cache_dir: Path) -> None:
    """It is not taken for one of the cache, and a later call works."""
    model = Model()
    model.fails = True
    for _ in range(2):
        with pytest.raises(MemoryError, match="its own"):
            model.greedy(3)
        assert_nothing_is_held()
    model.fails = False
    assert model.greedy(3) == 3


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("stored._storage.disk.decode", "was not used: .*Error; the result is computed anew"),
        ("stored._storage.disk.copy_for_caller", "was not used: .*Error; the result is computed anew"),
        ("stored._storage.disk.encode", "is kept in memory only: .*Error"),
        ("stored._storage.disk.check_size", "is kept in memory only: .*Error"),
    ],
)
def test_where_it_runs_out(place: str, message: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in reading and writing that is, there is one warning, and the result is right."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    Model().plain(3)
    forget_memory(Model)
    with configure(max_bytes=10**9), only_ours() as messages, monkeypatch.context() as patch:
        patch.setattr(place, fail)
        model = Model()
        assert [model.plain(3), model.plain(3), model.plain(5)] == [4.0, 4.0, 6.0]
    (found,) = messages
    assert re.search(message, found)


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_where_not_even_a_warning_can_be_given(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none, and the result is right."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    Model().plain(3)
    forget_memory(Model)
    with only_ours() as messages, monkeypatch.context() as patch:
        for each in ("decode", "encode", "report_unreadable", "report_kept_in_memory"):
            patch.setattr(f"stored._storage.disk.{each}", fail)
        assert [Model().plain(3), Model().plain(5)] == [4.0, 6.0]
    assert messages == []


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_a_table_of_which_no_interpolant_can_be_made(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a miss with one warning, and the method is sampled again."""
    expected = Model().table(0.5)
    forget_memory(Model)
    real, calls = Call.cached_result, []

    def fail(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise error
        return real(*arguments)

    monkeypatch.setattr(Call, "cached_result", fail)
    with only_ours() as messages:
        assert Model().table(0.5) == expected
    assert len(messages) == 1
    assert f"was not used: {error.__name__}; the result is computed anew" in messages[0]
    assert_nothing_is_held()


def test_objects_by_name(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing says that not all is shown; reading is a miss with a warning."""
    user = StorageUser("module", "rw", lambda: "name", lambda: "string", None)
    user.storeObject("a", 1)

    def fail(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    user.resetStorage()
    with monkeypatch.context() as patch, pytest.warns(StoredWarning, match="cannot be listed .MemoryError.; not all"):
        patch.setattr("stored._storage.listing.unpack", fail)
        assert StorageUser("module", "rw", lambda: "name", lambda: "string", None).listObjects() == []
