"""What is missing of a grid of models? `fill` computes it, here or on an executor, and goes on where it stopped."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Sized
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias

from stored._methods.answer import bound_call
from stored._methods.bound_method import BoundMethod
from stored._methods.call import Call
from stored._methods.fill_progress import Progress, shown_progress
from stored._methods.fill_report import FillReport
from stored._methods.results import results_of
from stored._settings import SentSettings, adopt_settings, can_travel, sent_settings, settings
from stored._storage import read_header
from stored.errors import OwnerError, error_text
from stored.typing import ABSENT

__all__ = ["fill"]

_MOST_UNDER_WAY = 256
"""Calls that an executor is given at a time, if it does not say how many workers it has."""

_LONGEST_CALL = 300
"""Characters of a call that are told."""


class _Task(NamedTuple):
    """A call of one method of one owner."""

    owner: Any
    method: str
    args: tuple[Any, ...]

    def bound(self) -> BoundMethod[Any, Any]:
        """The method of the owner; an `OwnerError` if there is none."""
        found: Any = getattr(self.owner, self.method, None)
        if not issubclass(type(found), BoundMethod):
            raise OwnerError(
                f"fill() got the method {self.method!r}, which is no stored method of {type(self.owner).__qualname__};"
                " give the name of a method that is decorated with @stored"
            )
        method: BoundMethod[Any, Any] = found
        return method

    def call(self) -> Call:
        """The call as the store knows it; of an interpolated method, that which makes the table."""
        results = results_of(self.bound()._definition, self.owner)
        anywhere = {axis.name: axis.low for axis in results.definition.axes}
        if not anywhere:
            return bound_call(results, self.owner, self.args, {})
        return results.call(
            self.owner, results.definition.arguments.bind_remaining(anywhere, self.owner, self.args, {})
        )

    def __str__(self) -> str:
        try:
            key = self.call().key()
            text = f"{key.space.name}({key.space.string}).{key.label()}"
        except Exception:  # of the owner: it may be the very error that is told
            text = f"{type(self.owner).__qualname__}.{self.method}({', '.join(map(repr, self.args))})"
        return text if len(text) <= _LONGEST_CALL else f"{text[:_LONGEST_CALL]}..."


class _Outcome(NamedTuple):
    """What became of a call, as a worker tells it."""

    seconds: float
    was_found: bool = False
    error: Exception | None = None


def fill(
    owners: Iterable[Any],
    methods: str | Iterable[str],
    args: Iterable[tuple[Any, ...]] = ((),),
    *,
    executor: Executor | None = None,
    progress: bool | Callable[[FillReport], object] | None = None,
) -> FillReport:
    """Compute what is missing of the results of many owners, and keep it in the store.

    Running it again goes on where it stopped: only what is missing is computed. At any time memory has a few hundred
    owners at most, so that these may come from a generator. The workers of an executor keep results where this process
    does, whatever their own settings are.

    Parameters
    ----------
    owners : iterable
        The objects, such as ``(Model(*each) for each in itertools.product(...))``.
    methods : str or iterable of str
        The names of stored methods. A table is made for a method that is interpolated.
    args : iterable of tuple
        The arguments of the calls, for each owner and method; for interpolated methods those beside the axes. By
        default one call without arguments.
    executor : concurrent.futures.Executor, optional
        What computes: a process pool, dask's ``client.get_executor()``, one of mpi4py.futures or executorlib. By
        default this process does.
    progress : bool or callable, optional
        False tells nothing; a callable is called with the `FillReport` so far after each result. By default, a bar is
        shown if ``tqdm`` is installed, and otherwise the logger ``stored`` tells every ten seconds.

    Returns
    -------
    FillReport
        What was found, computed and failed. An error of a call is kept there, and the others go on.

    Raises
    ------
    OwnerError
        If an owner has no such stored method, or nobody could find what other processes compute.
    BrokenExecutor
        If the workers are gone. What they computed is kept.

    Examples
    --------
    >>> from stored import fill, keyed_by, stored
    >>> @keyed_by("n")
    ... class Model:
    ...     def __init__(self, n):
    ...         self.n = n
    ...
    ...     @stored
    ...     def total(self):
    ...         return sum(range(self.n))
    >>> report = fill([Model(10), Model(20)], "total", progress=False)
    >>> report.found + report.computed
    2
    """
    names = [methods] if isinstance(methods, str) else list(methods)
    calls = list(map(_checked_arguments, args))
    tasks = (_Task(owner, name, each) for owner in owners for name in names for each in calls)
    count = len(owners) * len(names) * len(calls) if isinstance(owners, Sized) else None
    report = FillReport()
    started = time.perf_counter()
    with shown_progress(report, count, progress) as shown:
        run = _Run(report, shown, executor)
        try:
            for task in tasks:
                run.take(task)
            run.finish()
        except BaseException as error:  # Ctrl-C, workers that are gone, or of the owners
            run.cancel()
            report.seconds = time.perf_counter() - started
            error.add_note(
                f"fill() was ended by this after {report}\nRun it again to go on: what was computed is stored."
            )
            raise
    report.seconds = time.perf_counter() - started
    return report


def _checked_arguments(args: object) -> tuple[Any, ...]:
    if not isinstance(args, tuple | list):
        raise TypeError(f"fill() got {args!r} among args; give tuples of arguments, as [({args!r},)]")
    return tuple(args)


_Done: TypeAlias = "tuple[_Task, Future[_Outcome]]"


class _Run:
    """The calls under way.

    Parameters
    ----------
    report : FillReport
        Where it is counted what becomes of them.
    shown : Progress
        Is told of each.
    executor : Executor or None
        What computes.
    """

    def __init__(self, report: FillReport, shown: Progress, executor: Executor | None) -> None:
        self._report = report
        self._shown = shown
        self._executor = executor
        workers = getattr(executor, "_max_workers", None)
        self._most = 4 * workers if isinstance(workers, int) else _MOST_UNDER_WAY
        self._under_way: set[Future[_Outcome]] = set()
        self._done: SimpleQueue[_Done] = SimpleQueue()
        self._sent = sent_settings()

    def take(self, task: _Task) -> None:
        """Look whether a result is there, and have it computed if it is not."""
        task.bound()  # an OwnerError is raised for a method that is none, and others are counted
        try:
            call = task.call()
        except Exception as error:  # whatever the owner's own code raises
            self._note(task, _Outcome(0.0, error=error))
            return
        if self._is_found(call):
            self._note(task, _Outcome(0.0, was_found=True))
        elif self._executor is None:
            self._note(task, _compute(None, *task))
        else:
            future = self._executor.submit(_compute, self._sent, *task)
            self._under_way.add(future)
            future.add_done_callback(partial(_put, self._done, task))
            while len(self._under_way) >= self._most or not self._done.empty():
                self._take_one()

    def _is_found(self, call: Call) -> bool:
        """Has memory, or the store, the result?"""
        slot = call.open_slot(settings())
        if slot is None or not (slot.access.reads and slot.access.writes):
            self._check_findable(call)
            return call.find() is not ABSENT
        if not can_travel(slot.store):
            self._check_findable(call)
        header = read_header(slot.store, slot.name)
        if header is None or header.key != call.key():
            return False
        self._shown.note_seconds(header.seconds)
        return True

    def _check_findable(self, call: Call) -> None:
        """Refuse other processes that compute what nobody could find."""
        if self._executor is None or isinstance(self._executor, ThreadPoolExecutor):
            return
        now = settings()
        if call.private:
            reason = call.private[0]
        elif not call.definition.persistent:
            reason = "persistent=False"
        elif now.store is not None and not can_travel(now.store):
            reason = f"{now.store!r} cannot be sent to other processes"
        else:
            reason = f"the settings have persistence={now.persistence!r} and disable={now.disable}"
        raise OwnerError(
            f"fill() was given an executor for {call.definition.label}(), whose results other processes cannot leave"
            f" to be found ({reason}); fill without an executor, or let results be stored"
        )

    def _take_one(self) -> None:
        """Wait for a call that is done."""
        task, future = self._done.get()
        self._under_way.discard(future)
        try:
            outcome = future.result()
        except BrokenExecutor:
            raise
        except Exception as error:  # it could not be sent there, or its result back
            outcome = _Outcome(0.0, error=error)
        self._note(task, outcome)

    def _note(self, task: _Task, outcome: _Outcome) -> None:
        report = self._report
        report.computing_seconds += outcome.seconds
        if outcome.error is not None:
            report.note_failure(str(task), outcome.error)
        elif outcome.was_found:
            report.found += 1
        else:
            report.computed += 1
            self._shown.note_seconds(outcome.seconds)
        self._shown.tell()

    def finish(self) -> None:
        """Wait for all that is under way."""
        while self._under_way:
            self._take_one()

    def cancel(self) -> None:
        """Let nothing begin any more."""
        for future in self._under_way:
            future.cancel()


def _put(done: SimpleQueue[_Done], task: _Task, future: Future[_Outcome]) -> None:
    done.put((task, future))


def _compute(sent: SentSettings | None, *task: Any) -> _Outcome:
    """Compute a result, in a worker or here, with the settings of who asks for it."""
    if sent is not None:
        adopt_settings(sent)
    started = time.perf_counter()
    try:
        bound = _Task(*task).bound()
        misses = bound.cache_info().misses
        call = bound.interpolant if bound._definition.axes else bound
        call(*_Task(*task).args)
        # by another worker, meanwhile; where storing is disabled, nothing is counted
        was_found = bound.cache_info().misses == misses and not settings().disable
    except Exception as error:  # of the method
        return _Outcome(time.perf_counter() - started, error=_sendable(error))
    return _Outcome(time.perf_counter() - started, was_found)


def _sendable(error: Exception) -> Exception:
    """An error that can be pickled and unpickled."""
    try:
        return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]
    except Exception:  # of its own class
        return RuntimeError(error_text(error))
