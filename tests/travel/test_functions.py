"""A stored function of a script goes to the workers of others: each result is computed once, by anyone."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stored import configure, stored
from tests.travel.scripts import RUNS, script_with, start

FUNCTIONS = """
import json
import os
import sys
import time

from stored import Axis, fill, stored

FACTOR = 3.0
LOG = os.environ["LOG_OF_TEST"]
Model = float


def helper(x):
    return FACTOR * x


@stored
def slow(k, a=2.0):
    with open(LOG, "a") as log:
        log.write(f"{k}\\n")
    time.sleep(0.02)
    return a * helper(k)


@stored(interpolate=Axis("x", 0.0, 1.0, rtol=1e-8))
def table(x, a=2.0):
    return a + x**2


@stored
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def make(a):
    @stored
    def local(x):
        return a * helper(x)

    return local


def work(model, k):
    inner = make(model)
    return slow(k), round(table(0.5, a=model), 6), fibonacci(12), inner(k), inner.cached(k), type(slow).__name__


def computed():
    return len(open(LOG).read().split()) if os.path.exists(LOG) else 0
"""

EXPECTED = [[6.0 * k, 2.25, 144, 6.0 * k, True, "StoredMethod"] for k in [*range(20)] * 2]

NEEDS = {"dask": "distributed", "mpi": "mpi4py"}


LIKE_OTHERS = {"mpi", "futures by spawn", "futures by forkserver"}
"""In these, functions travel as methods do."""


@pytest.mark.parametrize("name", [each for each in RUNS if each not in LIKE_OTHERS])
def test_each_result_is_computed_once(name: str, tmp_path: Path) -> None:
    """By one of the workers; the parent, and a later process of the script, find them."""
    if not name.startswith("futures"):
        pytest.importorskip(NEEDS.get(name, name))
    for _ in range(2):
        told = start(script_with(RUNS[name], model=FUNCTIONS), tmp_path)
        assert told["found"] == told["mine"] == EXPECTED
        assert told["all"] == 20


MAIN = """
if __name__ == "__main__":
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        report = fill(slow, args=[(1.0,), (2.0,), (3.0,)], executor=pool, progress=False)
    print(json.dumps([report.found, report.computed, [slow(1.0), slow.cache_info().misses], computed()]))
"""


def test_fill_on_workers(tmp_path: Path) -> None:
    """The first time all are computed there, then they are found; an edit of a helper is noticed."""
    script = FUNCTIONS + MAIN
    assert start(script, tmp_path) == [0, 3, [6.0, 0], 3]
    assert start(script, tmp_path) == [3, 0, [6.0, 0], 3]
    edited = script.replace("return FACTOR * x", "return FACTOR * x + 1.0")
    assert start(edited, tmp_path) == [0, 3, [8.0, 0], 6]
    assert start(script.replace("FACTOR = 3.0", "FACTOR = 4.0"), tmp_path) == [0, 3, [8.0, 0], 9]


MODULE = """
from stored import stored

CALLS = []


@stored(ignore=("CALLS",))
def slow(k):
    CALLS.append(k)
    return [k]


class Holder:
    @staticmethod
    @stored
    def static(k):
        return 2 * k
"""

USER = """
import json, pickle, sys
import module_of_functions as module
from module_of_functions import Holder, slow

assert pickle.loads(pickle.dumps(slow)) is slow
assert pickle.loads(pickle.dumps(Holder.static)) is Holder.static
assert b"SentMethod" not in pickle.dumps([slow, Holder.static])
print(json.dumps([slow(1.0), module.CALLS, Holder.static(2.0), Holder.static.cache_info().persistent_hits]))
"""


def test_functions_of_a_module_go_by_name(tmp_path: Path) -> None:
    """And results are found by the next process."""
    (tmp_path / "module_of_functions.py").write_text(MODULE)
    environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache"), "STORED_KEY_FILE": str(tmp_path / "key")}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = [sys.executable, "-W", "error", "-c", USER]
    told = [
        json.loads(subprocess.run(run, env=environment, cwd=tmp_path, capture_output=True, check=True).stdout)
        for _ in range(2)
    ]
    assert told == [[[1.0], [1.0], 4.0, 0], [[1.0], [], 4.0, 1]]


def make(factor: float) -> Any:
    @stored
    def scaled(x: float) -> float:
        return factor * x

    return scaled


@pytest.mark.parametrize("name", ["cloudpickle", "dill"])
def test_a_function_that_is_sent_by_value(name: str) -> None:
    """To itself it is the same one; in another process, it has the same results."""
    pickler = pytest.importorskip(name)
    function = make(2.0)
    assert function(1.5) == 3.0
    data = pickler.dumps(function)
    assert pickler.loads(data) is function
    code = (
        f"import sys, {name} as pickle; f = pickle.load(sys.stdin.buffer); import pickle;"
        " known = f.cached(1.5); again = pickle.loads(sys.argv[1].encode('latin-1')) if sys.argv[1] else f;"
        " print(known, f(1.5), f(2.0), type(f).__name__, f.cache_info().persistent_hits, f)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, ""], input=data, capture_output=True, check=True)
    assert done.stdout.decode().split()[:5] == ["True", "3.0", "4.0", "StoredMethod", "1"]
    assert function.cached(2.0)


def test_a_function_that_arrives_is_one_if_its_code_is_the_same() -> None:
    """As one that comes twice."""
    cloudpickle = pytest.importorskip("cloudpickle")
    from stored._methods import sent_method

    function = make(3.0)
    sent = function.__reduce__()[1][0]
    assert sent.is_function
    assert sent.class_qualname is None
    other = sent._replace(origin=("elsewhere", 1), number="of another process")
    arrive = function.__reduce__()[0]
    one, again = arrive(other), arrive(other)
    assert one is again
    assert one is not function
    assert one(1.0) == function(1.0) == 3.0
    assert one.cache_info().persistent_hits + function.cache_info().persistent_hits == 1
    assert pickle.loads(cloudpickle.dumps(one)) is one
    assert not sent_method.is_importable(function, function.__stored_method__)


def test_where_results_are_kept_is_sent(tmp_path: Path) -> None:
    """The settings travel with a function."""
    cloudpickle = pytest.importorskip("cloudpickle")
    with configure(cache_dir=tmp_path / "other"):
        data = cloudpickle.dumps(make(4.0))
    assert pickle.loads(data)(1.0) == 4.0
