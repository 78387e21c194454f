"""The tier in memory, and the rule that of all threads one computes."""

from __future__ import annotations

import os
import threading
from _thread import RLock  # threading.RLock is a function that makes one
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import TIMEOUT_MAX
from typing import Any, Generic, Literal, TypeVar
from weakref import WeakSet

from stored.typing import ABSENT, Absent, HandOut

__all__ = ["Flight", "Flights", "ForkSafeLock", "MemoryTier", "Record"]

T = TypeVar("T")


class ForkSafeLock(RLock):  # type: ignore[misc]  # final only to the type checker
    """A re-entrant lock that nobody holds in a forked process but the thread that forked.

    The other threads stayed behind in the parent, and would never release it. What it guards must be in order for a
    newcomer after each single step.
    """

    _all: WeakSet[ForkSafeLock] = WeakSet()

    def __init__(self) -> None:
        self._all.add(self)

    @classmethod
    def free_all(cls) -> None:
        """Take all locks from threads that are not in this process."""
        for lock in cls._all:
            if lock.acquire(blocking=False):  # it was free, or this thread's own
                lock.release()
            else:
                lock._at_fork_reinit()  # type: ignore[attr-defined]  # as the standard library itself does


os.register_at_fork(after_in_child=ForkSafeLock.free_all)


class Record:
    """A kept value.

    Parameters
    ----------
    value : object
        In frozen form.
    hand_out : callable, optional
        Makes what a caller gets; None if it gets the value itself.
    seconds : float
        What computing it took.
    persistent : bool
        Is it meant for the store too?
    source : object
        For a table read from a file: the file and its state when it was read.

    Attributes
    ----------
    made : dict
        What was made from the value (interpolators), and goes with it.
    """

    __slots__ = ("hand_out", "made", "persistent", "seconds", "source", "value")

    def __init__(
        self,
        value: Any,
        hand_out: HandOut | None = None,
        seconds: float = 0.0,
        persistent: bool = True,
        source: object = None,
    ) -> None:
        self.value = value
        self.hand_out = hand_out
        self.seconds = seconds
        self.persistent = persistent
        self.source = source
        self.made: dict[Hashable, Any] = {}

    def handed_out(self) -> Any:
        """The value for a caller."""
        return self.value if self.hand_out is None else self.hand_out(self.value)


class MemoryTier(Generic[T]):
    """Values by key; with a `maxsize`, the least recently used goes first.

    Parameters
    ----------
    maxsize : int, optional
        How many values there may be.
    lock : ForkSafeLock, optional
        What is held for each step, by default a lock of its own.
    """

    def __init__(self, maxsize: int | None = None, lock: ForkSafeLock | None = None) -> None:
        self.maxsize = maxsize
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = ForkSafeLock() if lock is None else lock

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def get(self, key: Hashable) -> T | Literal[Absent.ABSENT]:
        """A value, or `ABSENT`."""
        if self.maxsize is None:
            return self._values.get(key, ABSENT)
        with self._lock:
            value = self._values.get(key, ABSENT)
            if value is not ABSENT:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if self.maxsize is not None and len(self._values) > self.maxsize:
                self._values.popitem(last=False)

    def discard(self, key: Hashable) -> bool:
        """Forget a key; was it there?"""
        with self._lock:
            return self._values.pop(key, ABSENT) is not ABSENT

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def keys(self) -> list[Hashable]:
        """The keys now."""
        with self._lock:
            return list(self._values)


class Flight:
    """One computation under way.

    Parameters
    ----------
    leader : int
        The thread that computes.
    in_vain : bool
        Has it waited in vain for another that does?
    """

    def __init__(self, leader: int, in_vain: bool = False) -> None:
        self.leader = leader
        self.in_vain = in_vain
        self.done = threading.Event()
        self.result: Any = ABSENT


class Flights:
    """Computations under way in this process, at most one for each key.

    The lock covers the books only: computing and waiting happen outside it. A thread that would wait for itself,
    directly or through others that wait for it, computes instead. A forked process starts with empty books: the threads
    that would finish what it finds there stayed behind.
    """

    def __init__(self) -> None:
        self._open_books()
        os.register_at_fork(after_in_child=self._open_books)

    def _open_books(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight] = {}
        self._waiting: dict[int, Flight] = {}

    @contextmanager
    def lead_or_wait(self, key: Hashable, limit: float = TIMEOUT_MAX) -> Iterator[tuple[bool, Flight]]:
        """Enter as the leader, who computes within the block, or come back after having waited for it.

        Parameters
        ----------
        key : hashable
            What is to be computed.
        limit : float
            Seconds to wait at most; a thread that has waited that long computes, `in_vain` being True.

        Yields
        ------
        bool, Flight
            Is this thread to compute? And where to leave the result, or to find it.
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
            if not leads and not flight.done.wait(min(limit, TIMEOUT_MAX)):
                leads, flight = True, Flight(me, in_vain=True)
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
            if further is None or further.done.is_set():  # that thread only has to wake up
                return False
            flight = further
        return True
