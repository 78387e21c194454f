"""Of all threads that need the same missing result, which one computes it?"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import TIMEOUT_MAX
from typing import Any

from stored.typing import ABSENT

__all__ = ["Flight", "Flights"]


class Flight:
    """A computation under way.

    Parameters
    ----------
    leader : int
        The thread that computes.
    timed_out : bool
        Did it wait for another thread until the time limit?

    Attributes
    ----------
    done : threading.Event
        Set when the leader has finished.
    result : object
        What it computed; `ABSENT` if it failed.
    """

    def __init__(self, leader: int, timed_out: bool = False) -> None:
        self.leader = leader
        self.timed_out = timed_out
        self.done = threading.Event()
        self.result: Any = ABSENT


class Flights:
    """Computations under way in this process, at most one for each key.

    The lock is held only to change the tables of flights and waiting threads: computing and waiting happen outside it.
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

    @contextmanager
    def lead_or_wait(
        self,
        key: Hashable,
        limit: float = TIMEOUT_MAX,
        waiting: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Iterator[tuple[bool, Flight]]:
        """Become the leader, who computes within the block, or wait for the leader before the block.

        Parameters
        ----------
        key : hashable
            The key of the result.
        limit : float
            Seconds to wait at most; a thread that has waited that long computes, with `timed_out` set.
        waiting : callable
            Gives a context manager, within which the thread waits; it is not called by a thread that does not wait.

        Yields
        ------
        bool, Flight
            Is this thread the leader? And the flight, in which the leader puts the result and others find it.
        """
        me = threading.get_ident()
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Flight(me)
            elif self._waits_for_me(flight, me):
                leads, flight = True, Flight(me)
            else:
                self._waiting[me] = flight
        try:
            if not leads:
                with waiting():
                    ended = flight.done.wait(min(limit, TIMEOUT_MAX))
                if not ended:
                    leads, flight = True, Flight(me, timed_out=True)
            yield leads, flight
        finally:
            self._leave(key, flight, me)

    def _leave(self, key: Hashable, flight: Flight, me: int) -> None:
        with self._lock:
            self._waiting.pop(me, None)
            if self._flights.get(key) is flight and flight.leader == me:
                del self._flights[key]
        if flight.leader == me:
            flight.done.set()

    def _waits_for_me(self, flight: Flight, me: int) -> bool:
        while flight.leader != me:
            further = self._waiting.get(flight.leader)
            if further is None or further.done.is_set():  # that thread waits no longer
                return False
            flight = further
        return True
