"""How far is `fill`? A bar of ``tqdm`` shows it, or the logger ``stored`` tells it."""

from __future__ import annotations

import contextlib
import importlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from stored._methods.fill_report import FillReport

__all__ = ["Progress", "shown_progress"]

_logger = logging.getLogger("stored")

_PAUSE = 10.0
"""Seconds between two messages of the logger."""

_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
"""A bar without tqdm's own guess of the time left, which takes found results for computed ones."""

_DELAY = 1.0
"""Seconds before a bar is shown, so that nothing is for what is quickly done."""


class Progress:
    """What is told of calls that are done: nothing.

    Parameters
    ----------
    report : FillReport
        What was done so far.
    count : int or None
        How many calls there are, if that is known.
    """

    def __init__(self, report: FillReport, count: int | None) -> None:
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
        return missing * self._seconds / self._known / at_a_time

    def text(self) -> str:
        """How far it is."""
        of = "" if self._count is None else f" of {self._count}"
        left = self.seconds_left()
        return f"{self._report.done}{of} results: {self._report.counts()}" + (
            "" if left is None else f", {_rough(left)} left"
        )

    def tell(self) -> None:
        """Another call is done."""


def _rough(seconds: float) -> str:
    """A time, no finer than it can be guessed."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


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

    def __init__(self, report: FillReport, count: int | None, function: Callable[[FillReport], object]) -> None:
        super().__init__(report, count)
        self._function = function

    def tell(self) -> None:
        self._function(self._report)


class _Bar(Progress):
    """Shown as a bar of tqdm."""

    def __init__(self, report: FillReport, count: int | None, bar: Any) -> None:
        super().__init__(report, count)
        self._bar = bar

    def tell(self) -> None:
        left = self.seconds_left()
        shown = self._report.counts() + ("" if left is None else f", {_rough(left)} left")
        self._bar.set_postfix_str(shown, refresh=False)
        self._bar.update()


@contextlib.contextmanager
def shown_progress(
    report: FillReport, count: int | None, progress: bool | Callable[[FillReport], object] | None
) -> Iterator[Progress]:
    """A block in which progress is told as it is asked for.

    Raises
    ------
    TypeError
        If it is asked for by something else.
    """
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise TypeError(f"fill() got {progress!r} for progress; give True, False, or a function of the report")
    if callable(progress):
        yield _Called(report, count, progress)
    elif progress is False:
        yield Progress(report, count)
    elif (bar_class := _bar_class()) is None:
        yield _Logged(report, count)
    else:
        options = {} if count is None else {"bar_format": _BAR}
        with bar_class(total=count, desc="fill", delay=_DELAY, **options) as bar:
            yield _Bar(report, count, bar)


def _bar_class() -> Any:
    """The bar of tqdm for a terminal or a notebook; None if tqdm is not installed."""
    try:
        return importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return None
