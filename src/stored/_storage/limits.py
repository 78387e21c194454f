"""How large may an entry be, and when is a store trimmed? After a write that makes it too large, in the background."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import threading
import time

from stored._entry_form import ENTRY_ENDING
from stored._fork_safe_lock import ForkSafeLock
from stored._settings import Settings, settings
from stored._storage.codecs import NotStorableError
from stored._storage.reports import report_once
from stored.typing import Store, Turn, Upkeep, Usage, count_written

__all__ = ["check_size", "finish_trims", "tidy_after_write", "trim"]

_SHARE_BETWEEN_TRIMS = 0.1
"""A store is trimmed after this share of `max_age` has passed; one that keeps no count, also after this process has
written this share of `max_bytes`."""

_SECONDS_BETWEEN_TRIMS = 3600.0
"""A store is trimmed at least this often, while it is written to."""

_SECONDS_BETWEEN_ATTEMPTS = 1.0
"""How long to wait where another process trims."""

_SECONDS_TO_GATHER = 0.02
"""How long a trim waits before it begins, so that the call that made it due returns first."""

_SECONDS_AT_EXIT = 5.0
"""How long a process waits at its end for trims under way; one that is cut short is done by the next process."""

_TURN = "upkeep"
"""The name whose turn the one process has that trims."""


class TrimSchedule:
    """When to trim a store, by its size and by the time since it was trimmed.

    Where the store keeps no count, the size is that at this process's last trim, with what it has written since.
    """

    def __init__(self) -> None:
        self._size = 0
        self._written = 0
        self._trimmed_at = 0.0
        self._may_begin = float("-inf")
        self._lock = ForkSafeLock()
        self._error: OSError | None = None
        self._run_now: _Run | None = None

    def is_due(self, usage: Usage | None, size: int) -> bool:
        """Count a write of `size` bytes; is it time to trim?"""
        self._written += size
        limit = settings().max_bytes
        is_large = False
        if limit is not None:
            is_large = (
                usage.bytes > limit
                if usage is not None
                else self._size + self._written > limit or self._written > _SHARE_BETWEEN_TRIMS * limit
            )
        return is_large or self._is_long_ago(self._trimmed_at if usage is None else usage.trimmed_at)

    def _is_long_ago(self, trimmed_at: float) -> bool:
        age = settings().max_age
        pause = _SECONDS_BETWEEN_TRIMS if age is None else min(_SECONDS_BETWEEN_TRIMS, _SHARE_BETWEEN_TRIMS * age)
        return not 0 <= time.time() - trimmed_at <= pause  # a time in the future is by a clock that was set back

    def trim(self, store: Store, limits: Settings) -> Upkeep:
        """Remove entries that are beyond the limits."""
        self._written, self._trimmed_at = 0, time.time()  # before it may fail: the next write need not try again
        done = store.trim(ENTRY_ENDING, limits.max_bytes, limits.max_age)
        self._size = done.bytes
        return done

    def begin(self, store: Store) -> None:
        """Trim in the background, unless this process is at it, or another was a moment ago."""
        with self._lock:
            if (self._run_now is None or self._run_now.has_ended()) and time.monotonic() >= self._may_begin:
                run = _Run()
                with contextlib.suppress(RuntimeError):  # no more threads, as while the process ends
                    # a threading.Thread would keep the caller waiting until it runs
                    _thread.start_new_thread(self._run, (store, settings(), run))
                    self._run_now = run

    def _run(self, store: Store, limits: Settings, run: _Run) -> None:
        try:
            run.hurry.wait(_SECONDS_TO_GATHER)
            with store.compute_turn(_TURN, 0.0) as turn:
                if turn is Turn.MINE:
                    self.trim(store, limits)
                else:
                    self._may_begin = time.monotonic() + _SECONDS_BETWEEN_ATTEMPTS
        except OSError as error:
            self._may_begin = time.monotonic() + _SECONDS_BETWEEN_TRIMS
            self._error = error
        finally:
            run.ended.set()

    def raise_error(self) -> None:
        """Raise what ended a trim in the background, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def join(self, until: float) -> None:
        """Wait for the trim under way, if there is one, until a time of the monotonic clock."""
        run = self._run_now
        if run is not None and not run.has_ended():
            run.hurry.set()
            run.ended.wait(max(0.0, until - time.monotonic()))


class _Run:
    """A trim in the background."""

    def __init__(self) -> None:
        self.hurry = threading.Event()  # set to let it begin at once
        self.ended = threading.Event()
        self._process = os.getpid()

    def has_ended(self) -> bool:
        """Has it ended? In a forked process it has never begun."""
        return self._process != os.getpid() or self.ended.is_set()


_schedules: dict[str, TrimSchedule] = {}
"""The schedules of stores, by location."""

_latest: tuple[Store | None, TrimSchedule] = (None, TrimSchedule())
"""The store that was written to last, and its schedule; one object, since several threads may replace it."""


def finish_trims(limit: float = threading.TIMEOUT_MAX) -> None:
    """Wait until the trims that this process has under way have ended, for so many seconds at most."""
    until = time.monotonic() + min(limit, threading.TIMEOUT_MAX / 2)
    for schedule in list(_schedules.values()):
        schedule.join(until)


@atexit.register
def _finish_at_exit() -> None:
    with contextlib.suppress(KeyboardInterrupt):  # whoever has no patience need not wait
        finish_trims(_SECONDS_AT_EXIT)


def trim(store: Store) -> Upkeep:
    """Remove now the entries of a store that are beyond the limits of the settings."""
    return _schedules.setdefault(store.location(), TrimSchedule()).trim(store, settings())


def tidy_after_write(store: Store, size: int, now: Settings) -> None:
    """See to it that a store is trimmed if that is due after a write of `size` bytes; nothing is listed for it here.

    After the first write of the process, also clear leftovers.
    """
    latest, schedule = _latest
    is_first = False
    if store is not latest:
        schedule, is_first = _prepare(store)
    try:
        try:
            if is_first:
                store.clear_leftovers()
        finally:
            if now.max_bytes is not None or now.max_age is not None:
                if schedule.is_due(count_written(store, size), size):
                    schedule.begin(store)
                schedule.raise_error()
    except OSError as error:
        place = store.location()
        report_once("upkeep", place, f"upkeep of {place} failed ({error}); some files that are not needed remain")


def _prepare(store: Store) -> tuple[TrimSchedule, bool]:
    """The schedule of a store that another was written to before; is this the first write to it?"""
    global _latest
    place = store.location()
    is_first = place not in _schedules
    schedule = _schedules.setdefault(place, TrimSchedule())
    _latest = store, schedule
    return schedule, is_first


def check_size(size: int, limit: int) -> None:
    """Refuse an entry that is larger than the whole store may be.

    Raises
    ------
    NotStorableError
        If it takes more than `max_bytes`.
    """
    if size > limit:
        raise NotStorableError(f"it takes {size} bytes, and max_bytes is {limit}")
