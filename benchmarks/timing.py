"""How are libraries timed side by side? In a process each, in turns, by medians of ratios."""

from __future__ import annotations

import importlib
import multiprocessing
import random
import signal
import statistics
import timeit
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

__all__ = ["Action", "Times", "alone", "median_seconds", "timed"]

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Action:
    """A statement that is timed; a statement, since the call of a function would add to the time.

    Parameters
    ----------
    statement : str
        The statement.
    names : mapping of str to object
        What it uses.
    calls : int
        How many calls of the path it makes.
    is_long : bool
        Run it once at a time, without warming up: it does the same work each time, and much of it.
    """

    statement: str
    names: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 1
    is_long: bool = False


WARM = 3
"""The number of runs before any that is timed."""

Actions = Mapping[str, Action]


class MissingError(Exception):
    """A library cannot be imported here."""


class PeerError(Exception):
    """The actions of a library do not run."""


class Worker:
    """A process that times the actions of one library when it is told to.

    Parameters
    ----------
    make : callable
        Makes the actions by path, given a folder of its own; a function of a module, so that another process finds it.
    place : Path
        The folder.
    least : float
        Seconds that one measurement takes at least, if it is not a single run.
    """

    def __init__(self, make: Callable[[Path], Actions], place: Path, least: float) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(make.__module__, make.__name__, place, least, theirs))
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for this process, which ends the others
        try:
            self._process.start()
        finally:
            signal.signal(signal.SIGINT, handler)
        theirs.close()

    def paths(self) -> list[str]:
        """The paths that there are actions for, once all is prepared."""
        return cast(list[str], self._answer())

    def seconds(self, path: str) -> float:
        """Time one call of a path, by the mean of as many as take a moment."""
        self._connection.send(path)
        return cast(float, self._answer())

    def _answer(self) -> Any:
        answer = self._connection.recv()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join()
        self._connection.close()


def _serve(module: str, name: str, place: Path, least: float, connection: Connection) -> None:
    try:
        actions = getattr(importlib.import_module(module), name)(place)
        timers = {path: _Timer(action, least) for path, action in actions.items()}
        connection.send(list(timers))
        while True:
            connection.send(timers[connection.recv()].seconds())
    except (ImportError, OSError) as error:
        connection.send(MissingError(str(error)))
    except Exception as error:  # whatever a library raises is for the report's reader
        connection.send(PeerError(f"{name} in {module} failed: {error!r}"))


class _Timer:
    def __init__(self, action: Action, least: float) -> None:
        self._least = least
        self._timer = timeit.Timer(action.statement, globals={**action.names})
        self._calls = action.calls
        self._runs = 1 if action.is_long else 0

    def seconds(self) -> float:
        if not self._runs:
            self._timer.timeit(WARM)  # the first run stores a result, the second adds the shortcut to it
            self._runs = 1
            while self._timer.timeit(self._runs) < self._least:
                self._runs *= 2
        return self._timer.timeit(self._runs) / (self._runs * self._calls)


@contextmanager
def _workers(peers: Mapping[str, Callable[[Path], Actions]], place: Path, least: float) -> Iterator[dict[str, Worker]]:
    """The processes of all libraries that can be imported."""
    started = {}
    for name, make in peers.items():
        own = place / name.replace(" ", "_")
        own.mkdir(parents=True)
        started[name] = Worker(make, own, least)
    try:
        yield started
    finally:
        for worker in started.values():
            worker.close()


@dataclass
class Times:
    """Seconds of one call, by path and library, one for each round."""

    rounds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def of(self, path: str, name: str) -> list[float]:
        """The seconds of one path of one library."""
        return self.rounds[path][name]

    def ratios(self, ratio: Callable[..., float], *of: tuple[str, str]) -> list[float]:
        """A ratio of what was measured in the same round, of paths with their libraries; empty if one is missing."""
        if any(name not in self.rounds.get(path, {}) for path, name in of):
            return []
        return [ratio(*each) for each in zip(*(self.of(*each) for each in of), strict=True)]

    def median(self, path: str, name: str) -> float:
        """The median of one path of one library."""
        return statistics.median(self.of(path, name))

    def add(self, path: str, name: str, seconds: float) -> None:
        """Add one measurement."""
        self.rounds.setdefault(path, {}).setdefault(name, []).append(seconds)


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
        return pool.submit(function, *arguments).result()


def timed(
    peers: Mapping[str, Callable[[Path], Actions]],
    place: Path,
    rounds: int,
    least: float = 0.02,
    wanted: Callable[[str], bool] = bool,
) -> Times:
    """Time all paths of all libraries in turns.

    Parameters
    ----------
    peers : mapping of str to callable
        What makes the actions of each library.
    place : Path
        A folder to work in.
    rounds : int
        How often each path is timed.
    least : float
        Seconds that one measurement takes at least, if it is not a single run.
    wanted : callable
        Tells which paths are timed.
    """
    times, order = Times(), random.Random(0)  # noqa: S311  # in each round another order, in each run the same ones
    with _workers(peers, place, least) as running:
        by_path: dict[str, list[str]] = {}
        for name, worker in running.items():
            try:
                for path in filter(wanted, worker.paths()):
                    by_path.setdefault(path, []).append(name)
            except MissingError as error:
                times.missing[name] = str(error)
        for _ in range(rounds):
            for path, names in by_path.items():  # all of one path at about the same time
                for name in order.sample(names, len(names)):
                    times.add(path, name, running[name].seconds(path))
    return times


def median_seconds(actions: Mapping[str, Callable[[], object]], rounds: int, repeats: int) -> dict[str, float]:
    """The median time of each function, taken in turns within this process."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(timeit.timeit(action, number=repeats) / repeats)
    return {name: statistics.median(each) for name, each in times.items()}
