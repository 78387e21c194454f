"""A version that the user gives stands for code, and not for what a function closes over."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from stored._keys.closed_over import closed_over
from stored._keys.ignored_names import Ignored
from stored.errors import OwnerWarning


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Functions and objects share what is in memory."""
    with configure(memory_sets=8):
        yield


def power(x: float) -> float:
    return x**2


def doubled(x: float) -> float:
    return 2 * x


def texts(function: Any, *ignored: str) -> tuple[str, ...]:
    return closed_over(function, Ignored(frozenset(ignored), set())).texts


def factory(k: Any, calls: list[Any] | None = None) -> Any:
    noted = [] if calls is None else calls

    @stored(version="1", ignore=("noted",))
    def times(x: float) -> Any:
        noted.append(x)
        return k(x) if callable(k) else k * x

    return times


def test_functions_of_one_factory_do_not_share_results() -> None:
    """Values, arrays, and functions, with or without a name; those that agree do."""
    values = [1.0, 2.0, np.float32(3.0), power, doubled, lambda x: x + 1.0, lambda x: x + 2.0]
    calls: list[Any] = []
    for _ in range(2):
        assert [float(factory(k, calls)(3.0)) for k in values] == [3.0, 6.0, 9.0, 9.0, 6.0, 4.0, 5.0]
    assert len(calls) == len(values)


def test_what_is_rebound_is_noticed() -> None:
    """Also in what a function inside closes over."""
    k = inner = 2.0

    def helper() -> float:
        return inner

    @stored(version="1")
    def times(x: float) -> float:
        return k * helper() * x

    assert times(1.0) == times(1.0) == 4.0
    k = 3.0
    assert times(1.0) == times(1.0) == 6.0
    inner = 5.0
    assert times(1.0) == times(1.0) == 15.0


def test_methods_of_classes_that_a_function_makes() -> None:
    """And a method that is attached again."""

    def made(k: float) -> Any:
        @keyed_by("a")
        class Model:
            a = 1.0

            @stored(version="1")
            def times(self, x: float) -> float:
                return k * x if super() else 0.0

        return Model

    assert [made(k)().times(3.0) for k in (1.0, 2.0, 1.0, 2.0)] == [3.0, 6.0, 3.0, 6.0]

    def method(k: float) -> Any:
        @stored(version="1")
        def times(self: Any, x: float) -> float:
            return k * x

        return times

    values = []
    for k in (1.0, 2.0):
        Attached.times = method(k)  # type: ignore[attr-defined]
        values.append(Attached().times(3.0))  # type: ignore[attr-defined]
    assert values == [3.0, 6.0]


@keyed_by("a")
class Attached:
    a = 1.0


def noting(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def test_what_the_code_is_made_of_does_not_count() -> None:
    """The functions that are wrapped, by code, and what counts nothing; but what these close over."""

    def plain(k: float, is_new: bool) -> Any:
        if is_new:
            return noting(lambda x: k * x + 0.0)
        return noting(lambda x: k * x)

    assert texts(plain(1.0, True)) == texts(plain(1.0, False)) != texts(plain(2.0, False))
    assert texts(power) == texts(abs) == ()


def test_ignored_names_do_not_count() -> None:
    """Nor do counters, and memos that are empty."""

    def made(k: float) -> Any:
        calls, table = k, None

        def function(x: float) -> float:
            nonlocal calls, table
            calls += 1
            if table is None:
                table = 2.0
            return k * table * x

        return function

    assert texts(made(1.0), "k") == texts(made(2.0), "k") != texts(made(1.0))
    times = stored(version="1")(made(3.0))
    assert [times(x) for x in (1.0, 2.0, 1.0)] == [6.0, 12.0, 6.0]
    assert times.cache_info()[:2] == (1, 2)


def test_what_has_no_form_is_told_once() -> None:
    """The version stands for it."""
    open_files = [threading.Thread(), iter([])]
    with pytest.warns(OwnerWarning, match=r"times\(\) closes over 'k', whose value has no form .* ignore=\('k',\)"):
        assert str(factory(open_files)(0)) == "[]"
    with warnings.catch_warnings():
        warnings.simplefilter("error", OwnerWarning)
        times = stored(version="1", ignore=("open_files",))(lambda x: len(open_files) * x)
        assert times(2.0) == 4.0


SCRIPT = """
import sys
from stored import stored

def around(k):
    @stored(version="1")
    def value(x):
        print("computed", end=" ")
        return k * x
    return value

print(around(float(sys.argv[1]))(3.0))
"""


def test_in_later_processes(tmp_path: Path) -> None:
    """On disk, functions of one factory have results of their own, which an edit of the code leaves."""
    file = tmp_path / "script.py"

    def run(*arguments: str) -> str:
        command = [sys.executable, "-W", "error", str(file), *arguments]
        environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    file.write_text(SCRIPT)
    assert [run("10"), run("100")] == ["computed 30.0", "computed 300.0"]
    file.write_text(SCRIPT.replace("k * x", "k * x + 0"))
    assert [run("10"), run("100")] == ["30.0", "300.0"]
