"""What is missing of a grid is computed, once, on any executor; errors are told, and it goes on where it stopped."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import pickle
import shutil
import signal
import subprocess
import sys
import traceback
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, FillReport, configure, fill, keyed_by, stored
from stored._methods import fill_progress
from stored.errors import EntryWarning, OwnerError, OwnerWarning
from stored.stores import MemoryStore

COMPUTED: list[tuple[Any, ...]] = []
"""What was computed in this process."""


@keyed_by("a", "b")
class Model:
    """A model of which some results are errors."""

    computed: list[tuple[Any, ...]] = []

    def __init__(self, a: float, b: float = 1.0) -> None:
        self.a = a
        self.b = b

    @stored(ignore=("COMPUTED",))
    def product(self, k: float = 1.0) -> float:
        """Fails for k = 13."""
        COMPUTED.append(("product", self.a, self.b, k))
        if k == 13.0:
            raise _UnluckyError(self.a, k)
        return self.a * self.b * k

    @stored(interpolate=Axis("x", 0.0, 1.0, rtol=1e-6))
    def line(self, x: float, power: int = 1) -> float:
        """Along an axis."""
        return self.a + self.b * x**power

    @stored(interpolate=True)
    def spline(self) -> Any:
        """A table of its own."""
        return np.array([[0.0, 1.0, 2.0, 3.0], [self.a, 1.0, 2.0, 3.0]])

    @stored(persistent=False)
    def passing(self) -> float:
        """Kept in memory only."""
        return self.a

    def plain(self) -> float:
        """No stored method."""
        return self.a


class _UnluckyError(Exception):
    """An error that cannot be unpickled."""

    def __init__(self, a: float, k: float) -> None:
        super().__init__(f"unlucky with a={a}")


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    """No computation is counted yet."""
    COMPUTED.clear()


def grid() -> list[Model]:
    """Six models, made anew."""
    return [Model(*each) for each in itertools.product([1.0, 2.0, 3.0], [0.5, 1.5])]


class Loop(Executor):
    """An executor that computes at once, with all sent there and back as other processes get it."""

    def __init__(self) -> None:
        self.under_way = self.most_under_way = 0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The result is there at once."""
        future: Future[Any] = Future()
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(args)), **kwargs))))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(params=["none", "threads", "pickled"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    """What computes."""
    if request.param == "none":
        yield None
    elif request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
    else:
        yield Loop()


def counts(report: FillReport) -> tuple[int, int, int]:
    """How many were found, computed and failed."""
    return report.found, report.computed, report.failed


def test_what_is_missing_is_computed(executor: Executor | None) -> None:
    """Each result once, and none of them again; the results are those of the plain calls."""
    report = fill(grid(), "product", executor=executor, progress=False)
    assert counts(report) == (0, 6, 0), str(report)
    assert counts(fill(grid(), "product", executor=executor, progress=False)) == (6, 0, 0)
    report = fill([*grid(), Model(9.0)], ["product", "product"], [(), [2.0]], executor=executor, progress=False)
    assert report.found + report.computed == 28
    assert len(COMPUTED) == len(set(COMPUTED)) == 14
    assert [each.product(2.0) for each in grid()] == [each.a * each.b * 2.0 for each in grid()]
    assert len(COMPUTED) == 14


def test_tables_are_made(executor: Executor | None) -> None:
    """Of methods along axes, once for each set of the other arguments, and of those that return a table."""
    arguments = [(), (2,)]
    assert counts(fill(grid(), ["line"], arguments, executor=executor, progress=False)) == (0, 12, 0)
    assert counts(fill(grid(), ("line", "spline"), executor=executor, progress=False)) == (6, 6, 0)
    model = Model(2.0, 0.5)
    assert model.line.cached(0.3, 2)
    assert model.spline.cached()
    assert model.line(0.3, 2) == pytest.approx(2.045, rel=1e-6)


def test_errors_are_told_by_call(executor: Executor | None) -> None:
    """And the others go on; what cannot be pickled is told in words."""
    report = fill(grid(), ["product"], [(13.0,), (1.0,)], executor=executor, progress=False)
    assert counts(report) == (0, 6, 6)
    failed = sorted(report.failures)
    assert failed[0].call == "Model(a=1.0, b=0.5).product(k=13.0)"
    assert "unlucky with a=1.0" in str(failed[0].error)
    assert str(report).startswith("12 results in ")
    assert "s: 0 found, 6 computed, 6 failed; computing took " in str(report).splitlines()[0]
    assert "  Model(a=3.0, b=1.5).product(k=13.0): " in repr(report)


def test_of_many_errors_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are counted."""
    monkeypatch.setattr("stored._methods.fill_report._MOST_KEPT", 20)
    report = fill([Model(float(n)) for n in range(30)], "product", [(13.0,)], progress=False)
    assert (report.failed, len(report.failures)) == (30, 20)
    assert str(report).splitlines()[-1] == "  and 20 more"


def test_a_call_that_cannot_be_told_is_an_error_of_it() -> None:
    """Whatever the owner's own code raises: the call is told by its arguments."""

    @keyed_by("a")
    class Unreadable:
        @property
        def a(self) -> float:
            raise RuntimeError("no parameters" + "!" * 400)

        @stored
        def slow(self, k: float) -> float:
            """Never called."""
            return k

    report = fill([Unreadable(), Unreadable()], "slow", [(2.0,), ("x" * 500,)], progress=False)
    assert counts(report) == (0, 0, 4)
    assert report.failures[0].call.endswith("Unreadable.slow(2.0)")
    assert len(report.failures[1].call) < 310


@pytest.mark.parametrize("method", ["plain", "nothing", "a"])
def test_a_name_of_no_stored_method_is_refused(method: str) -> None:
    """Before anything is computed."""
    with pytest.raises(OwnerError, match=f"the method '{method}', which is no stored method of Model"):
        fill(grid(), ["product", method], progress=False)


@pytest.mark.parametrize("args", [[1.0], ["ab"], [None]])
def test_arguments_are_tuples(args: Any) -> None:
    """One of them for each call."""
    with pytest.raises(TypeError, match="give tuples of arguments, as"):
        fill(grid(), "product", args, progress=False)


# -- where results can be found ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "options", "reason"),
    [
        ("passing", {}, "persistent=False"),
        ("product", {"persistence": "r"}, "persistence='r'"),
        ("product", {"disable": True}, "disable=True"),
        ("product", {"store": MemoryStore()}, "MemoryStore object at .* cannot be sent to other processes"),
    ],
    ids=["persistent", "persistence", "disable", "store"],
)
def test_other_processes_compute_nothing_that_is_lost(method: str, options: dict[str, Any], reason: str) -> None:
    """An executor is refused with the reason; without one, or with threads, memory has the results."""
    with configure(**options):
        with pytest.raises(OwnerError, match=f"whose results other processes cannot leave to be found .*{reason}"):
            fill(grid(), method, executor=Loop(), progress=False)
        models = grid()
        assert counts(fill(models, method, progress=False)) == (0, 6, 0)
        if not options.get("disable"):
            assert counts(fill(models, method, progress=False)) == (6, 0, 0)
        with ThreadPoolExecutor(1) as threads:
            assert fill(grid(), method, executor=threads, progress=False).failed == 0


def test_private_results_are_for_one_process() -> None:
    """Those of an owner of which an attribute that the method reads has no form."""

    @keyed_by("a")
    class Locked:
        def __init__(self) -> None:
            self.a = 1.0
            self.pages = (each for each in ())

        @stored
        def slow(self) -> float:
            """Reads what nobody can compare."""
            return self.a if self.pages else 0.0

    owner = Locked()
    with pytest.warns(OwnerWarning), pytest.raises(OwnerError, match=r"cannot leave to be found .*pages"):
        fill([owner], "slow", executor=Loop(), progress=False)
    assert counts(fill([owner], "slow", progress=False)) == (0, 1, 0)
    assert counts(fill([owner], "slow", progress=False)) == (1, 0, 0)


# -- executors --------------------------------------------------------------------------------------------------------


class Slow(Executor):
    """An executor of which somebody else sees to the work."""

    def __init__(self, workers: int | None = None) -> None:
        self.futures: list[tuple[Future[Any], Any]] = []
        if workers is not None:
            self._max_workers = workers

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Work that is not done yet, until a dozen are under way."""
        future: Future[Any] = Future()
        self.futures.append((future, lambda: function(*args, **kwargs)))
        if len(self.under_way()) == 12:
            self.work(3)
        return future

    def under_way(self) -> list[tuple[Future[Any], Any]]:
        """What is not done."""
        return [each for each in self.futures if not each[0].done()]

    def work(self, count: int) -> None:
        """Do the latest of them."""
        for future, function in self.under_way()[-count:]:
            future.set_result(function())


def test_memory_holds_a_few_owners_at_a_time() -> None:
    """Of a generator of many, those under way: as many as the executor has workers, fourfold."""
    made = 0
    slow = Slow(workers=3)

    def owners() -> Iterator[Model]:
        nonlocal made
        for number in range(60):
            made += 1
            assert len(slow.under_way()) <= 12
            yield Model(float(number))
        for future, function in slow.under_way():
            future.set_result(function())

    assert counts(fill(owners(), "product", executor=slow, progress=False)) == (0, 60, 0)
    assert made == 60


def test_a_generator_of_many_takes_little_memory() -> None:
    """Those that are done are freed."""
    fill([Model(0.5)], "passing", progress=False)
    tracemalloc.start()
    try:
        report = fill((Model(float(n)) for n in range(3000)), "passing", progress=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.computed == 3000
    assert peak < 1 << 20


def test_a_call_that_cannot_be_sent_is_an_error_of_it() -> None:
    """The others go on."""
    model = Model(3.0)
    model.__dict__["open"] = lambda: None
    report = fill([model, Model(4.0)], "product", executor=Loop(), progress=False)
    assert counts(report) == (0, 1, 1)
    assert report.failures[0].call == "Model(a=3.0, b=1.0).product(k=1.0)"
    assert "local object" in str(report.failures[0].error)


class Interrupted(Slow):
    """An executor whose user presses Ctrl-C."""

    error: type[BaseException] = KeyboardInterrupt

    def work(self, count: int) -> None:
        """One is done, and then that happens."""
        self.under_way()[0][0].set_result(self.under_way()[0][1]())
        self.under_way()[0][0].set_exception(self.error())


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenProcessPool])
def test_after_an_end_it_goes_on_where_it_stopped(error: type[BaseException]) -> None:
    """By Ctrl-C, or with the workers: what waits is cancelled, a note says how far it was, and what is done is kept."""
    interrupted = Interrupted()
    interrupted.error = error
    models = [Model(float(n)) for n in range(20)]
    with pytest.raises(error) as caught:
        fill(models, "product", executor=interrupted, progress=False)
    assert "1 results in " in caught.value.__notes__[0]
    assert "Run it again to go on" in caught.value.__notes__[0]
    assert all(future.done() for future, _ in interrupted.futures)
    assert counts(fill(models, "product", progress=False)) == (1, 19, 0)
    assert issubclass(BrokenProcessPool, BrokenExecutor)


def test_an_error_of_the_owners_ends_it() -> None:
    """With what was done until then in a note."""

    def owners() -> Iterator[Model]:
        yield Model(1.0)
        raise ZeroDivisionError("of the generator")

    with pytest.raises(ZeroDivisionError) as caught:
        fill(owners(), "product", progress=False)
    assert "0 found, 1 computed, 0 failed" in caught.value.__notes__[0]


@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_a_process_pool(way: str) -> None:
    """Its workers store what this process finds, in its directory: also if they were started before that was set."""
    with ProcessPoolExecutor(2, mp_context=get_context(way)) as pool:
        pool.submit(os.getpid).result()
        report = fill(grid(), ["product", "line"], executor=pool, progress=False)
        assert counts(report) == (0, 12, 0)
        assert counts(fill(grid(), ["product", "line"], progress=False)) == (12, 0, 0)
        assert not COMPUTED


# -- what is in the store, and stays there -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_workers_follow_a_change_of_settings(way: str, tmp_path: Path) -> None:
    """Those that were started under others keep results where they are to be kept now, also after a block has ended."""

    def numbers(start: float) -> list[Model]:
        return [Model(start + n) for n in range(4)]

    with ProcessPoolExecutor(1, mp_context=get_context(way)) as pool:
        with configure(cache_dir=tmp_path / "block", min_compute_seconds=0.0):
            assert counts(fill(numbers(0.0), "product", executor=pool, progress=False)) == (0, 4, 0)
        assert counts(fill(numbers(0.0), "product", executor=pool, progress=False)) == (0, 4, 0)
        assert [each.product.cached() for each in numbers(0.0)] == [True] * 4
        with configure(cache_dir=tmp_path / "other"):
            assert counts(fill(numbers(0.0), "product", executor=pool, progress=False)) == (0, 4, 0)
            assert pool.submit(Model(9.0).product).result() == 9.0
            assert Model(9.0).product.cached()
        assert not Model(9.0).product.cached()


def test_what_the_store_has_lost_is_stored_again(cache_dir: Path) -> None:
    """What memory has is written, and a table, of which it has the interpolant, made again."""
    models = grid()
    fill(models, ["product", "line"], progress=False)
    shutil.rmtree(cache_dir)
    assert counts(fill(models, ["product", "line"], progress=False)) == (6, 6, 0)
    assert len(COMPUTED) == 6
    assert counts(fill(grid(), ["product", "line"], progress=False)) == (12, 0, 0)


def test_what_cannot_be_used_is_missing(cache_dir: Path) -> None:
    """Such as a damaged entry, and a pickle that somebody else has signed."""
    fill(grid(), "product", progress=False)
    for entry in cache_dir.rglob("*.stored"):
        entry.write_bytes(entry.read_bytes()[:-3] + b"xyz")
    with pytest.warns(EntryWarning):
        assert counts(fill(grid(), "product", progress=False)) == (0, 6, 0)
    assert counts(fill(grid(), "product", progress=False)) == (6, 0, 0)


def test_what_is_not_stored_is_told() -> None:
    """Results that took too little time, here or in a worker."""
    with configure(min_compute_seconds=100.0):
        for executor in (None, Loop()):
            report = fill(grid(), "product", executor=executor, progress=False)
            assert (report.found + report.computed, report.not_kept) == (6, 6)
            assert ", 6 not stored, 0 failed" in str(report)


def test_an_owner_that_changes_before_its_turn_is_an_error() -> None:
    """An owner that its generator goes on to change: nothing is computed for other parameters, and nothing is lost."""
    slow = Slow(workers=100)

    def owners() -> Iterator[Model]:
        model = Model(0.0)
        for number in range(5):
            model.a = float(number)
            yield model
        slow.work(5)

    report = fill(owners(), "product", executor=slow, progress=False)
    assert counts(report) == (0, 1, 4)
    assert "give each set of parameters an object of its own" in str(report.failures[0].error)
    assert COMPUTED == [("product", 4.0, 1.0, 1.0)]


def test_an_error_says_where_it_was_raised() -> None:
    """With its traceback, or that of the worker in a note; values of its frames are not kept."""
    here = fill(grid()[:1], "product", [(13.0,)], progress=False).failures[0].error
    assert type(here) is _UnluckyError
    frames = [each.name for each in traceback.extract_tb(here.__traceback__)]
    assert frames[-1] == "product"
    there = fill(grid()[:1], "product", [(13.0,)], executor=Loop(), progress=False).failures[0].error
    assert "in product" in there.__notes__[0]


def test_a_report_tells_the_time_meanwhile() -> None:
    """To whoever is told of progress."""
    seen: list[float] = []
    fill(grid(), "product", progress=lambda report: seen.append(report.seconds))
    assert seen == sorted(seen)
    assert seen[0] > 0.0


@stored
def tripled(x: float) -> float:
    return 3.0 * x


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owners": Model(1.0)}, "for owners; give an iterable of objects"),
        ({"methods": Model.product}, "among methods; give the names of methods"),
        ({"methods": 3}, "got 3 for methods; give the names of methods"),
        ({"methods": [Model.product]}, "among methods; give the names of methods"),
        ({"args": 3}, "got 3 for args; give tuples of arguments"),
        ({"executor": 4}, "got 4 for executor; give an executor"),
        ({"executor": ProcessPoolExecutor}, "for executor; give an executor"),
        ({"owners": Model(1.0).product, "methods": None}, r"of one object; say fill\(\[object\], 'product', args="),
        ({"owners": [Model(1.0).product], "methods": None}, "of one object; say fill"),
        ({"owners": [tripled], "methods": None}, r"tripled> in a list; say fill\(tripled, args="),
        ({"owners": len, "methods": None}, "which is not stored; decorate it with @stored"),
        ({"owners": [test_arguments_are_tuples]}, "which is not stored; decorate it with @stored"),
        ({"owners": [Model(1.0)], "methods": None}, "got None for methods; give the names of methods"),
        ({"progress": "yes"}, "got 'yes' for progress; give True, False, or a function"),
    ],
)
def test_mistakes_are_told(change: dict[str, Any], message: str) -> None:
    """What was found, what was expected; and nothing is computed."""
    given: dict[str, Any] = {"owners": grid(), "methods": "product", "progress": False} | change
    with pytest.raises(TypeError, match=message) as caught:
        fill(given.pop("owners"), given.pop("methods"), **given)
    assert not hasattr(caught.value, "__notes__")
    assert not COMPUTED


# -- progress ---------------------------------------------------------------------------------------------------------


def test_a_function_is_told() -> None:
    """After each result."""
    seen: list[int] = []
    fill(grid(), "product", progress=lambda report: seen.append(report.done))
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.fixture
def without_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without tqdm."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


@pytest.mark.usefixtures("without_tqdm")
def test_the_logger_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """And for how long it goes on; not more often than every few seconds."""
    with caplog.at_level(logging.INFO, logger="stored"):
        fill(grid(), "product")
        assert not caplog.records
        monkeypatch.setattr(fill_progress, "_PAUSE", 0.0)
        fill(grid()[:3], "product", [(1.0,), (7.0,)])
        fill(iter(grid()), "product", [(8.0,)])
    told = [each.getMessage() for each in caplog.records]
    assert told[0].startswith("fill() has done 1 of 6 results: 1 found, 0 computed, 0 failed, 0 s left")
    assert told[5].startswith("fill() has done 6 of 6 results: 3 found, 3 computed, 0 failed, 0 s left")
    assert told[-1] == "fill() has done 6 results: 0 found, 6 computed, 0 failed"


@pytest.mark.parametrize(("seconds", "text"), [(3.4, "3 s"), (110.0, "110 s"), (130.0, "2 min"), (7200.0, "2 h")])
def test_time_is_told_roughly(seconds: float, text: str) -> None:
    """No finer than it can be guessed: half are found, and two are computed at a time."""
    report = FillReport(found=10, computed=10, computing_seconds=0.0)
    progress = fill_progress.Progress(report, 40)
    assert progress.seconds_left() is None
    progress.note_seconds(seconds / 10.0)
    assert progress.seconds_left() == pytest.approx(seconds)
    assert progress.text().endswith(f"{text} left")


def test_a_bar_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By tqdm, if it is installed and it takes a while."""
    pytest.importorskip("tqdm")
    fill(grid(), "product")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(fill_progress, "_DELAY", 0.0)
    fill(grid(), "product", [(1.0,), (3.0,)])
    fill(iter(grid()), "product", [(4.0,)])
    shown = capsys.readouterr().err
    assert "fill: 100%" in shown
    assert "12/12" in shown
    assert "6 found, 6 computed, 0 failed, 0 s left" in shown


# -- a process that is killed -----------------------------------------------------------------------------------------

SCRIPT = """
import json, os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from stored import fill, keyed_by, stored

@keyed_by("a")
class Model:
    def __init__(self, a):
        self.a = a

    @stored
    def slow(self):
        with open(os.environ["LOG_OF_TEST"], "a") as log:
            log.write(f"{self.a}\\n")
        return [self.a] * 3

if __name__ == "__main__":
    def told(report):
        if sys.argv[1] == "kill" and report.done == 20:
            os.kill(os.getpid(), signal.SIGKILL)
    with ProcessPoolExecutor(2) as pool:
        report = fill((Model(n) for n in range(60)), "slow", executor=pool, progress=told)
    print(json.dumps([report.found, report.computed, report.failed]))
"""


def test_after_sigkill_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    """All results together are computed once, but for those that were under way."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    log = tmp_path / "log"
    environment = {**os.environ, "LOG_OF_TEST": str(log), "STORED_CACHE_DIR": str(tmp_path / "cache")}

    def run(way: str) -> Any:
        output = tmp_path / way
        with output.open("w") as file:
            command = [sys.executable, str(script), way]
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
            code = process.wait(timeout=120)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the workers of a pool outlive it
        return code if way == "kill" else json.loads(output.read_text())

    assert run("kill") == -signal.SIGKILL
    before = len(log.read_text().split())
    assert before >= 20
    found, computed, failed = run("go on")
    assert (found + computed, failed) == (60, 0)
    assert found >= 20
    assert len(log.read_text().split()) <= before + computed
    assert run("again") == [60, 0, 0]
