"""Of all threads that need the same missing result, which one computes it?"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from threading import get_ident
from typing import Any

from stored.typing import ABSENT

__all__ = ["Flight", "Flights"]

_LONGEST_SLEEP = 0.25
"""Seconds after which a thread that waits with a limit looks whether the leader has begun to compute."""


class Flight:
    """A computation under way.

    Attributes
    ----------
    leader : int
        The thread that computes.
    result : object
        What it computed; `ABSENT` if it failed.
    timed_out : bool
        Did the leader wait for another thread until the time limit?
    began : float
        Since when the leader computes, by `time.monotonic`: infinite while it waits for another process, which others
        do not count as time that it takes.
    is_over : bool
        Has the leader finished?
    is_listed : bool
        Do other threads find it, or may they?
    """

    # in the class, since most flights change few of them
    result: Any = ABSENT
    timed_out = is_over = is_listed = False
    began = 0.0
    done: threading.Event | None = None  # made by the first thread that waits

    def __init__(self) -> None:
        self.leader = get_ident()


class Flights:
    """Computations under way in this process, at most one for each key.

    A thread that leads takes no lock, since single operations on a dict are atomic; those that wait hold one to change
    the table of waiting threads. Computing and waiting happen outside it.
    A thread that would wait for itself, directly or through others that wait for it, computes instead. A forked process
    starts with empty tables, because the threads that compute exist in the parent only.
    """

    def __init__(self) -> None:
        self.reset_after_fork()
        os.register_at_fork(after_in_child=self.reset_after_fork)

    def reset_after_fork(self) -> None:
        """Start with empty tables."""
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight] = {}
        self._waiting: dict[int, Flight] = {}

    def lead_or_wait(
        self,
        key: Hashable,
        own: Flight,
        limit: float | None = None,
        waiting: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> tuple[bool, Flight]:
        """Become the leader, who computes, or wait until the leader has left.

        Parameters
        ----------
        key : hashable
            The key of the result.
        own : Flight
            A new one of this thread, which calls `leave` with it, whatever happens here or later.
        limit : float or None
            Seconds to wait at most while the leader computes, None for as long as it does; then one of those who wait
            leads, with `timed_out` set, and the others, who have no result from here, may wait for that one.
        waiting : callable
            Gives a context manager, within which the thread waits; it is not called by a thread that does not wait.

        Returns
        -------
        bool, Flight
            Is this thread the leader? And the flight, in which the leader puts the result and others find it.
        """
        own.is_listed = True  # before it is so: Ctrl-C may come in between
        flight = self._flights.setdefault(key, own)
        if flight is own:
            return True, own
        own.is_listed = False
        with self._lock:
            if self._waits_for_me(flight, own.leader):
                return True, own
            self._waiting[own.leader] = flight
            if flight.done is None or flight.done.is_set():  # it is set also where another leader has ended
                flight.done = threading.Event()
            done = flight.done
        try:
            # either this thread sees here that the flight is over, or its leader sees there that somebody waits
            if not flight.is_over:
                with waiting():
                    if not _is_done(flight, done, limit):
                        own.timed_out = self._takes_over(key, own, flight)
        finally:
            with self._lock:
                self._waiting.pop(own.leader, None)
        return (True, own) if own.timed_out else (False, flight)

    def _takes_over(self, key: Hashable, own: Flight, flight: Flight) -> bool:
        """Is this thread the first of those who have waited too long for a flight? The others find its own then."""
        with self._lock:
            if self._flights.get(key) is not flight:
                return False
            own.is_listed = True
            self._flights[key] = own
            return True

    def leave(self, key: Hashable, flight: Flight) -> None:
        """The thread of a flight has finished; once more does no harm."""
        flight.is_over = True
        listed = flight
        if flight.is_listed:
            listed = self._flights.pop(key, flight)
            if listed is not flight:  # it was overtaken: what it left serves those who wait for the other one, too
                self._flights.setdefault(key, listed)
            flight.is_listed = False
        for each in (flight,) if listed is flight else (listed, flight):
            if each.done is not None:
                try:
                    each.done.set()
                except (MemoryError, RecursionError):  # a thread of its own has all the depth that there is
                    _thread.start_new_thread(each.done.set, ())

    def _waits_for_me(self, flight: Flight, me: int) -> bool:
        while flight.leader != me:
            further = self._waiting.get(flight.leader)
            if further is None or further.is_over:  # that thread waits no longer
                return False
            flight = further
        return True


def _is_done(flight: Flight, done: threading.Event, limit: float | None) -> bool:
    """Wait for a flight; is it over, or has its leader computed for too long since this thread waits?"""
    if limit is None:
        return done.wait()
    started, left = time.monotonic(), limit
    while left > 0:
        if done.wait(min(left, _LONGEST_SLEEP)):
            return True
        left = limit - (time.monotonic() - max(started, flight.began))
    return False
