"""What is missing of a grid of models? `fill` computes it, here or on an executor, and goes on where it stopped."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sized
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, TypeAlias

from stored._methods.bound_method import BoundMethod
from stored._methods.call import Call
from stored._methods.fill_progress import Progress, shown_progress
from stored._methods.fill_report import FillReport
from stored._methods.fill_task import FillTask, Outcome, compute_task, kept_slot
from stored._settings import can_travel, sent_settings, settings
from stored.errors import OwnerError
from stored.typing import ABSENT

__all__ = ["fill"]

_MOST_UNDER_WAY = 1024
"""Calls that an executor is given at a time, if it does not say how many workers it has."""


def fill(
    owners: Iterable[Any] | Callable[..., Any],
    methods: str | Iterable[str] | None = None,
    args: Iterable[tuple[Any, ...]] = ((),),
    *,
    executor: Executor | None = None,
    progress: bool | Callable[[FillReport], object] | None = None,
) -> FillReport:
    """Compute what is missing of the results of many owners, and keep it in the store.

    Running it again goes on where it stopped: only what is missing is computed. At any time memory has four owners for
    each worker at most, or a thousand if it is not known how many workers there are, so that they may come from a
    generator: of objects of their own, since they are looked at again where they are computed. The workers of an
    executor keep results where this process does, unless they call `configure` themselves.

    Parameters
    ----------
    owners : iterable or stored function
        The objects, such as ``(Model(*each) for each in itertools.product(...))``; or a stored function, of which the
        calls are computed.
    methods : str or iterable of str, optional
        The names of stored methods; none for a function. A table is made for what is interpolated.
    args : iterable of tuple
        The arguments of the calls, for each owner and method; for interpolated methods those beside the axes. By
        default one call without arguments.
    executor : concurrent.futures.Executor, optional
        What computes: a process pool, dask's ``client.get_executor()``, one of mpi4py.futures or executorlib. By
        default this process does.
    progress : bool or callable, optional
        False tells nothing; a callable is called with the `FillReport` so far after each result. By default, a bar is
        shown if ``tqdm`` is installed, and otherwise the logger ``stored`` tells every ten seconds, at level INFO.

    Returns
    -------
    FillReport
        What was found, computed and failed. An error of a call is kept there, with where it was raised, and the others
        go on.

    Raises
    ------
    TypeError
        If one of these is something else.
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
    names: list[str | None] = [None]
    given: Any = owners
    if _is_stored(owners):
        _check_no_names(owners, methods)
        given = [owners]
    else:
        _check_no_function(owners)
        names = [methods] if isinstance(methods, str) else _checked_names(methods)
    calls = list(map(_checked_arguments, _checked_iterable(args, "args", "tuples of arguments, as [(1.0,), (2.0,)]")))
    _checked_iterable(given, "owners", "an iterable of objects, as [owner]")
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        raise TypeError(f"fill() got {executor!r} for executor; give an executor of concurrent.futures, or None")
    tasks = (FillTask(owner, name, each) for owner in given for name in names for each in calls)
    count = len(given) * len(names) * len(calls) if isinstance(given, Sized) else None
    report = FillReport()
    with shown_progress(report, count, progress) as shown:
        run = _Run(report, shown, executor)
        try:
            for task in tasks:
                run.take(task)
            run.finish()
        except BaseException as error:  # Ctrl-C, workers that are gone, or of the owners
            run.cancel()
            if report.done:
                error.add_note(f"fill() was ended by this after {report}\nRun it again to go on where it stopped.")
            raise
    return report


def _checked_iterable(value: Any, name: str, remedy: str) -> Any:
    if not isinstance(value, Iterable):
        raise TypeError(f"fill() got {value!r} for {name}; give {remedy}")
    return value


def _check_no_names(function: Any, methods: object) -> None:
    if methods is not None:
        raise TypeError(f"fill() got {methods!r} for methods; {function!r} has none: say fill(function, args=[(1.0,)])")
    try:
        function.__stored_bound__  # noqa: B018
    except OwnerError:
        raise OwnerError(
            f"fill() got {function!r}, a method without objects; give these, and the name of the method"
        ) from None


def _check_no_function(owners: Any) -> None:
    """Refuse functions in place of objects, with what to say."""
    for each in owners if type(owners) in {list, tuple} else [owners]:
        if issubclass(type(each), BoundMethod):
            raise TypeError(f"fill() got {each!r}, of one object; say fill([object], {each.__name__!r}, args=[(1.0,)])")
        if _is_stored(each):
            raise TypeError(f"fill() got {each!r} in a list; say fill({each.__name__}, args=[(1.0,)])")
        if isinstance(each, FunctionType | MethodType | BuiltinFunctionType):
            raise TypeError(
                f"fill() got {each!r}, which is not stored; decorate it with @stored, and say fill(function,"
                " args=[(1.0,)])"
            )


def _is_stored(value: object) -> bool:
    return isinstance(getattr(type(value), "__stored_method__", None), property)


def _checked_names(methods: Any) -> list[Any]:
    remedy = "the names of methods, as 'age' or ['age', 'distance']"
    # a stored method says of itself that it can be iterated
    names = list(_checked_iterable(methods, "methods", remedy)) if not callable(methods) else [methods]
    for each in names:
        if not isinstance(each, str):
            raise TypeError(f"fill() got {each!r} among methods; give {remedy}")
    return names


def _checked_arguments(args: object) -> tuple[Any, ...]:
    if not isinstance(args, tuple | list):
        raise TypeError(f"fill() got {args!r} among args; give tuples of arguments, as [({args!r},)]")
    return tuple(args)


_Done: TypeAlias = "tuple[FillTask, Future[Outcome]]"


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
        self._under_way: set[Future[Outcome]] = set()
        self._done: SimpleQueue[_Done] = SimpleQueue()
        self._sent = sent_settings()
        self._store_travels = can_travel(settings().store)
        self._started = time.perf_counter()

    def take(self, task: FillTask) -> None:
        """Look whether a result is there, and have it computed if it is not."""
        task.bound()  # an OwnerError is raised for a method that is none, and others are counted
        try:
            call = task.call()
        except Exception as error:  # whatever the owner's own code raises
            self._note(task, Outcome(0.0, error=error))
            return
        if self._is_found(call):
            self._note(task, Outcome(0.0, was_found=True))
        elif self._executor is None:
            self._note(task, compute_task(task))
        else:
            future = self._executor.submit(compute_task, task, call.key().data, self._sent)
            self._under_way.add(future)
            future.add_done_callback(partial(_put, self._done, task))
            while len(self._under_way) >= self._most or not self._done.empty():
                self._take_one()

    def _is_found(self, call: Call) -> bool:
        """Has the store the result, or memory one that is not to be stored?"""
        slot = kept_slot(call)
        if slot is None or not self._store_travels:
            self._check_findable(call)
        if slot is None:
            return call.find() is not ABSENT
        found = slot.load_quietly()  # all of it: it may be damaged, or a pickle of somebody else
        if found is ABSENT:
            return False
        self._shown.note_seconds(found.seconds)
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
        elif now.disable:
            reason = "the settings have disable=True"
        elif now.persistence != "rw":
            reason = f"the settings have persistence={now.persistence!r}"
        else:
            reason = f"{now.store!r} cannot be sent to other processes"
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
            outcome = Outcome(0.0, error=error)
        self._note(task, outcome)

    def _note(self, task: FillTask, outcome: Outcome) -> None:
        report = self._report
        report.computing_seconds += outcome.seconds
        report.not_kept += not outcome.is_kept
        if outcome.error is not None:
            traceback.clear_frames(outcome.error.__traceback__)  # of many errors, values would fill memory
            report.note_failure(str(task), outcome.error)
        elif outcome.was_found:
            report.found += 1
        else:
            report.computed += 1
            self._shown.note_seconds(outcome.seconds)
        report.seconds = time.perf_counter() - self._started
        self._shown.tell()

    def finish(self) -> None:
        """Wait for all that is under way."""
        while self._under_way:
            self._take_one()
        self._report.seconds = time.perf_counter() - self._started

    def cancel(self) -> None:
        """Let nothing begin any more."""
        for future in self._under_way:
            future.cancel()


def _put(done: SimpleQueue[_Done], task: FillTask, future: Future[Outcome]) -> None:
    done.put((task, future))
