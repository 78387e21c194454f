"""Variables of enclosing functions that functions rebind count by value, but for counters and memos that are empty."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from stored.errors import OwnerWarning

FACTOR = 2.0


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Functions and objects share what is in memory."""
    with configure(memory_sets=8):
        yield


def profile(table: Any = None) -> Any:
    calls = 0

    @stored
    def density(r: float) -> float:
        nonlocal calls, table
        calls += 1
        if table is None:
            table = np.array([1.0, 2.0, 3.0])
        return float(np.interp(r, [0.0, 1.0, 2.0], table))

    return density, lambda: calls


def test_a_memo_that_was_given_counts_by_value() -> None:
    """Functions of one factory get no results of each other; those that agree do."""
    tables = [np.array([10.0, 20.0, 30.0]), np.array([100.0, 200.0, 300.0]), None]
    made = [profile(each) for each in (*tables, *tables)]
    assert [density(1.0) for density, _ in made] == [20.0, 200.0, 2.0] * 2
    assert [count() for _, count in made] == [1, 1, 1, 0, 0, 0]


def test_a_memo_that_is_filled_makes_no_call_a_miss() -> None:
    """Neither does a counter; results are found by a later function whose memo is empty."""
    density, count = profile()
    assert [density(r) for r in (0.0, 1.0, 2.0, 0.0, 1.0, 2.0)] == [1.0, 2.0, 3.0] * 2
    assert count() == 3
    other, others = profile()
    assert [other(r) for r in (0.0, 1.0, 2.0)] == [1.0, 2.0, 3.0]
    assert others() == 0


def scaled() -> Any:
    table = None

    def load() -> list[float]:
        return [FACTOR]

    @stored
    def times(x: float) -> float:
        nonlocal table
        if table is None:
            table = load()
        return table[0] * x

    def fill(value: Any) -> None:
        nonlocal table
        table = value

    return times, fill


def test_a_memo_of_earlier_code_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was filled with is no longer what the code would fill it with: the result is not kept."""

    def made() -> Any:
        table = None

        def load() -> list[float]:
            return [FACTOR]

        @stored
        def times(x: float) -> float:
            nonlocal table
            if table is None:
                table = load()
            return table[0] * x

        return times

    times = made()
    assert times(3.0) == 6.0
    monkeypatch.setattr(f"{__name__}.FACTOR", 5.0)
    with pytest.warns(OwnerWarning, match="what table has kept of earlier code"):
        assert times(3.0) == 6.0
    assert made()(3.0) == 15.0


def test_a_variable_that_another_function_sets_is_no_memo() -> None:
    """What it was set to counts; what is filled while a result is computed lets that not be kept."""
    times, fill = scaled()
    with pytest.warns(OwnerWarning, match="table, which it uses, has changed while it was computed"):
        assert times(3.0) == 6.0
    assert times(3.0) == times(3.0) == 6.0
    assert times.cache_info()[:2] == (1, 2)
    fill([7.0])
    assert times(3.0) == 21.0
    other, fill_other = scaled()
    fill_other([9.0])
    assert other(3.0) == 27.0


def stepping(k: int) -> Any:
    n = k

    def step() -> int:
        nonlocal n
        n += 1
        return n

    @stored
    def value(x: int) -> int:
        return step() * x

    return value


def counting_on(k: int) -> Any:
    @stored
    def value(x: int) -> int:
        nonlocal k
        k += 1
        return k * x

    return value


def counting_inside(k: int) -> Any:
    @stored
    def value(x: int) -> int:
        def step() -> None:
            nonlocal k
            k += 1

        step()
        return k * x

    return value


@pytest.mark.parametrize("made", [stepping, counting_on, counting_inside])
@pytest.mark.filterwarnings("ignore:a result of:stored.errors.OwnerWarning")
def test_a_state_that_each_call_changes_is_followed(made: Any) -> None:
    """Such a function gives what the plain one gives, and is computed each time."""
    one, other = made(1), made(10)
    assert [one(3), one(3), other(3), other(3), one(3)] == [6, 9, 33, 36, 12]


def owner_class(k: Any) -> Any:
    calls = 0

    @keyed_by("a")
    class Model:
        a = 1

        @stored
        def value(self, x: int) -> int:
            nonlocal k, calls
            calls += 1
            if k is None:
                k = 5
            return int(k * x)

    return Model, lambda: calls


def test_methods_of_classes_that_a_function_makes() -> None:
    """What is given to the factory counts for them, too."""
    made = [owner_class(k) for k in (1, 2, None, 1, 2, None)]
    assert [kind().value(3) for kind, _ in made] == [3, 6, 15] * 2
    assert [kind().value(3) for kind, _ in made] == [3, 6, 15] * 2
    assert all(count() <= 1 for _, count in made)


SCRIPT = """
import sys
from stored import stored

def around(table=None):
    @stored
    def value(x):
        nonlocal table
        print("computed", end=" ")
        if table is None:
            table = 2.0
        return table * x
    return value

print(around(float(sys.argv[1]) if sys.argv[1:] else None)(3.0))
"""


def test_in_later_processes(tmp_path: Path) -> None:
    """On disk, functions of one factory have results of their own, and find them with a memo that is empty."""
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)

    def run(*arguments: str) -> str:
        command = [sys.executable, "-W", "error", str(file), *arguments]
        environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    assert [run("10"), run("100"), run()] == ["computed 30.0", "computed 300.0", "computed 6.0"]
    assert [run("10"), run("100"), run()] == ["30.0", "300.0", "6.0"]


def tripled(calls: list[float]) -> Any:
    table = None

    @stored(ignore=("calls",))
    def times(x: float) -> float:
        nonlocal table
        calls.append(x)
        if table is None:
            table = [3.0]
        return table[0] * x

    return times


def test_a_memo_beside_names_that_do_not_count() -> None:
    """What is read of the code without these is another text, in which the memo is one, too."""
    calls: list[float] = []
    times = tripled(calls)
    assert [times(x) for x in (1.0, 2.0, 1.0, 2.0)] == [3.0, 6.0] * 2
    assert calls == [1.0, 2.0]


def test_a_variable_that_is_bound_for_a_moment() -> None:
    """What a function has kept meanwhile is told to be mixed, as for names of modules."""
    scale = 2.0

    @functools.lru_cache
    def kept(x: float) -> float:
        return scale * x

    @stored
    def changing(x: float) -> float:
        nonlocal scale
        scale = 5.0
        value = kept(x)
        scale = 2.0
        return value

    @stored
    def using(x: float) -> float:
        return kept(x)

    assert using(1.0) == 2.0
    assert changing(3.0) == 15.0
    with pytest.warns(OwnerWarning, match="kept of earlier code"):
        assert using(3.0) == 15.0
    kept.cache_clear()
    assert using(3.0) == 6.0
