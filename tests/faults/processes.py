"""Functions in processes and threads of their own, which end in time or fail the test."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import stored
from tests.faults.scale import rounds

PATIENCE = 300.0
METHODS = ("fork", "spawn", "forkserver")
FEW_METHODS = METHODS[: rounds(2, 3)]
multiprocessing.set_forkserver_preload(["stored", "pytest"])


def here() -> dict[str, Any]:
    """The settings of this process, as `begin` takes them."""
    with stored.configure() as now:
        return now._asdict()


def begin(where: dict[str, Any]) -> None:
    """Take over the settings of another process, and make every warning an error."""
    warnings.simplefilter("error")
    _permit_forks()
    stored.configure(**where)


class Process:
    """A function in a process with the settings of this one, where every warning is an error."""

    def __init__(self, method: str, function: Callable[..., Any], *arguments: Any) -> None:
        context: Any = multiprocessing.get_context(method)
        self._end, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(theirs, here(), function, arguments))
        with warnings.catch_warnings():
            _permit_forks()
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def result(self) -> Any:
        """What the function returns; what it raises fails the test."""
        if not self._end.poll(PATIENCE):
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(1)  # for what it writes
            raise AssertionError("a process does not end; where its threads are stands in its stderr")
        try:
            value, error = self._end.recv()
        except EOFError:
            value, error = None, "the process died"
        assert not error, error
        return value

    def ended(self) -> int:
        """Wait for its end, and say how it came."""
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, "a process does not end"
        return int(self._process.exitcode)

    def kill(self) -> None:
        """End it, dead or alive, and wait until it is gone."""
        self._process.kill()
        self._process.join()
        self._end.close()


def _permit_forks() -> None:
    # numerical libraries have threads of their own, which a child does without
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)


def _run(end: Any, where: dict[str, Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    faulthandler.register(signal.SIGUSR1, file=2)
    begin(where)
    try:
        end.send((function(*arguments), None))
    except BaseException:
        end.send((None, traceback.format_exc()))


@contextlib.contextmanager
def started(*jobs: tuple[Any, ...], method: str = "fork") -> Iterator[list[Process]]:
    """Processes, each of a function and its arguments, that live within a block."""
    processes: list[Process] = []
    try:
        for job in jobs:
            processes.append(Process(method, *job))
        yield processes
    finally:
        for process in processes:
            process.kill()


def in_processes(*jobs: tuple[Any, ...], method: str = "fork") -> list[Any]:
    """What functions return that run at the same time, each in a process."""
    with started(*jobs, method=method) as processes:
        return [process.result() for process in processes]


def in_threads(*jobs: tuple[Any, ...]) -> list[Any]:
    """What functions return that run at the same time, each in a thread."""
    results: list[Any] = [None] * len(jobs)
    errors: list[str] = []

    def work(number: int, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            results[number] = function(*arguments)
        except BaseException:
            errors.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=(number, *job), daemon=True) for number, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not errors, errors[0]
    assert not any(thread.is_alive() for thread in threads), "a thread does not end"
    return results


def until(condition: Callable[[], object]) -> None:
    """Wait for what there is no sign of but itself."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.002)


def until_waiting(*processes: Process) -> None:
    """Wait until processes sleep with a lock file open: they wait for the holder of a name."""
    until(lambda: all(map(_sleeps_with_locks, processes)))


def _sleeps_with_locks(process: Process) -> bool:
    names = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            names.append(os.readlink(link))
    state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "S" and any(name.endswith("/.work/locks") for name in names)


def sleep_for_ever() -> None:
    """Wait to be killed."""
    while True:
        signal.pause()
