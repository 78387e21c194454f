"""How far is `fill`? A bar of ``tqdm`` shows it, or the logger ``stored`` tells it."""

from __future__ import annotations

import contextlib
import importlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Progress", "shown_progress"]

_logger = logging.getLogger("stored")

_PAUSE = 10.0
"""Seconds between two messages of the logger."""


class Progress:
    """What is told of calls that are done.

    Parameters
    ----------
    report : FillReport
        What was done so far.
    count : int or None
        How many calls there are, if that is known.
    """

    def __init__(self, report: Any, count: int | None) -> None:
        self._report = report
        self._count = count
        self._seconds = 0.0
        self._known = 0
        self._started = time.monotonic()

    def note_seconds(self, seconds: float) -> None:
        """A result took so long to compute, now or before."""
        self._seconds += seconds
        self._known += 1

    def seconds_left(self) -> float | None:
        """For how long computing goes on, by the recorded times and the share that was missing; None if unknown."""
        report, count = self._report, self._count
        if count is None or not self._known or not report.done:
            return None
        missing = (count - report.done) * (report.done - report.found) / report.done
        elapsed = time.monotonic() - self._started
        at_a_time = max(report.computing_seconds / elapsed, 1.0) if elapsed > 0 else 1.0
        return float(missing * self._seconds / self._known / at_a_time)

    def text(self) -> str:
        """How far it is."""
        report = self._report
        of = "" if self._count is None else f" of {self._count}"
        left = self.seconds_left()
        time_left = "" if left is None else f", some {left:.0f} s left"
        return f"{report.done}{of}: {report.found} found, {report.computed} computed, {report.failed} failed{time_left}"

    def tell(self) -> None:
        """Another call is done."""


class _Logged(Progress):
    """Told by the logger, every ten seconds."""

    _told = 0.0

    def tell(self) -> None:
        now = time.monotonic()
        if now - max(self._told, self._started) >= _PAUSE:
            self._told = now
            _logger.info("fill() has done %s", self.text())


class _Called(Progress):
    """Told to a function of the user."""

    def __init__(self, report: Any, count: int | None, function: Callable[[Any], object]) -> None:
        super().__init__(report, count)
        self._function = function

    def tell(self) -> None:
        self._function(self._report)


class _Bar(Progress):
    """Shown as a bar of tqdm."""

    def __init__(self, report: Any, count: int | None, bar: Any) -> None:
        super().__init__(report, count)
        self._bar = bar

    def tell(self) -> None:
        report = self._report
        left = self.seconds_left()
        self._bar.set_postfix(
            {"found": report.found, "computed": report.computed, "failed": report.failed}
            | ({} if left is None else {"left": f"{left:.0f}s"}),
            refresh=False,
        )
        self._bar.update()


@contextlib.contextmanager
def shown_progress(
    report: Any, count: int | None, progress: bool | Callable[[Any], object] | None
) -> Iterator[Progress]:
    """A block in which progress is told as it is asked for."""
    if callable(progress):
        yield _Called(report, count, progress)
        return
    bar = _bar(count) if progress is not False else None
    if bar is None:
        yield Progress(report, count) if progress is False else _Logged(report, count)
        return
    with bar:
        yield _Bar(report, count, bar)


def _bar(count: int | None) -> Any:
    """A bar of tqdm; None if that is not installed."""
    try:
        tqdm: Any = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return None
    return tqdm(total=count, unit="result")
