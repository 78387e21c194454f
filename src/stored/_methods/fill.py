"""What is missing of a grid of models? `fill` computes it, here or on an executor, and goes on where it stopped."""

from __future__ import annotations

import logging
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Sized
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stored._methods.answer import bound_call
from stored._methods.bound_method import BoundMethod
from stored._methods.fill_progress import Progress, shown_progress
from stored._methods.results import results_of
from stored._settings import settings
from stored._storage import read_header
from stored.errors import OwnerError, error_text
from stored.typing import ABSENT

__all__ = ["Failure", "FillReport", "fill"]

_logger = logging.getLogger("stored")

_MOST_WAITING = 256
"""Calls that an executor is given at a time, if it does not say how many workers it has."""

_MOST_FAILURES = 1000
"""Failures that are told one by one; of a grid of which all fail, memory need not hold all."""


class Failure(NamedTuple):
    """A call that raised an error.

    Attributes
    ----------
    call : str
        The call.
    error : Exception
        What it raised.
    """

    call: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.call}: {error_text(self.error)}"


@dataclass
class FillReport:
    """What `fill` found and did.

    Attributes
    ----------
    found : int
        How many results were there.
    computed : int
        How many were computed.
    failed : int
        How many calls raised an error.
    failures : list of Failure
        The first thousand of these.
    seconds : float
        How long it took.
    computing_seconds : float
        How long the computations took, all workers together.
    """

    found: int = 0
    computed: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    computing_seconds: float = 0.0

    @property
    def done(self) -> int:
        """How many calls are done."""
        return self.found + self.computed + self.failed

    def __str__(self) -> str:
        lines = [
            f"{self.done} results in {self.seconds:.3g} s: {self.found} found, {self.computed} computed in"
            f" {self.computing_seconds:.3g} s, {self.failed} failed"
        ]
        lines += [f"  {each}" for each in self.failures[:_MOST_SHOWN]]
        more = self.failed - _MOST_SHOWN
        return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)

    __repr__ = __str__


_MOST_SHOWN = 10


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

    def __str__(self) -> str:
        arguments = ", ".join([*map(repr, self.args)])
        return f"{self.owner!r}.{self.method}({arguments})"


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
    owners at most, so that these may come from a generator.

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
        except BaseException:  # Ctrl-C, or an executor that is broken
            run.cancel()
            report.seconds = time.perf_counter() - started
            _logger.warning("fill() was interrupted: %s", report)
            raise
        report.seconds = time.perf_counter() - started
    return report


def _checked_arguments(args: object) -> tuple[Any, ...]:
    if not isinstance(args, tuple | list):
        raise TypeError(f"fill() got {args!r} among args; give tuples of arguments, as [({args!r},)]")
    return tuple(args)


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
        self._most = 4 * workers if isinstance(workers, int) else _MOST_WAITING
        self._waiting: deque[tuple[_Task, Future[tuple[float, Exception | None]]]] = deque()

    def take(self, task: _Task) -> None:
        """Look whether a result is there, and have it computed if it is not."""
        bound = task.bound()
        try:
            is_found = self._is_found(task, bound)
        except OwnerError:
            raise
        except Exception as error:  # whatever the owner's own code raises
            self._note(task, 0.0, error)
            return
        if is_found:
            self._report.found += 1
            self._shown.tell()
        elif self._executor is None:
            self._note(task, *_compute(*task))
        else:
            self._waiting.append((task, self._executor.submit(_compute, *task)))
            while len(self._waiting) >= self._most or (self._waiting and self._waiting[0][1].done()):
                self._take_first()

    def _is_found(self, task: _Task, bound: BoundMethod[Any, Any]) -> bool:
        """Has memory, or the store, the result? An `OwnerError` if nobody could find it later."""
        results = results_of(bound._definition, task.owner)
        anywhere = {axis.name: axis.low for axis in results.definition.axes}
        arguments = results.definition.arguments
        named = arguments.bind_remaining(anywhere, task.owner, task.args, {}) if anywhere else None
        call = bound_call(results, task.owner, task.args, {}) if named is None else results.call(task.owner, named)
        slot = call.open_slot(settings())
        if slot is None or not (slot.access.reads and slot.access.writes):
            self._check_shared(task, results.definition.persistent, call.private)
            return call.find() is not ABSENT
        header = read_header(slot.store, slot.name)
        if header is None or header.key != call.key():
            return False
        self._shown.note_seconds(header.seconds)
        return True

    def _check_shared(self, task: _Task, persistent: bool, private: list[str]) -> None:
        if self._executor is None or isinstance(self._executor, ThreadPoolExecutor):
            return
        reason = private[0] if private else "the settings keep nothing on disk" if persistent else "persistent=False"
        raise OwnerError(
            f"fill() was given an executor for {type(task.owner).__qualname__}.{task.method}(), of which results are"
            f" not stored ({reason}), so that what its workers compute could not be found; fill without an executor,"
            " or let results be stored"
        )

    def _take_first(self) -> None:
        task, future = self._waiting.popleft()
        self._note(task, *future.result())

    def _note(self, task: _Task, seconds: float, error: Exception | None) -> None:
        report = self._report
        report.computing_seconds += seconds
        if error is None:
            report.computed += 1
            self._shown.note_seconds(seconds)
        else:
            report.failed += 1
            if len(report.failures) < _MOST_FAILURES:
                report.failures.append(Failure(str(task), error))
        self._shown.tell()

    def finish(self) -> None:
        """Wait for all that is under way."""
        while self._waiting:
            self._take_first()

    def cancel(self) -> None:
        """Let nothing begin any more."""
        for _, future in self._waiting:
            future.cancel()


def _compute(owner: Any, method: str, args: tuple[Any, ...]) -> tuple[float, Exception | None]:
    """Compute a result, in a worker: how long it took, and the error if there was one."""
    started = time.perf_counter()
    error = None
    try:
        bound: BoundMethod[Any, Any] = getattr(owner, method)
        if bound._definition.axes:
            bound.interpolant(*args)
        else:
            bound(*args)
    except Exception as raised:  # of the method
        error = _sendable(raised)
    return time.perf_counter() - started, error


def _sendable(error: Exception) -> Exception:
    """An error that can be pickled and unpickled."""
    try:
        return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]
    except Exception:  # of its own class
        return RuntimeError(error_text(error))
