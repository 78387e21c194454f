"""Where does a result come from: memory (new when a change is noticed), store, another thread, or a computation?"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
from typing import Literal

from stored._fork_safe_lock import ForkSafeLock
from stored._keys import Key, Snapshot
from stored._methods.call import Call
from stored._methods.counters import CacheInfo, Counters
from stored._methods.definition import Definition
from stored._methods.owner_shortcut import OwnerShortcut
from stored._methods.parameter_sources import OwnerParameters
from stored._methods.shortcuts import Hit
from stored._settings import settings, validity
from stored._storage import CachedResult, Flight, Flights, MemoryTier, report_unusable_entry, report_wait_timeout
from stored.errors import DamagedEntryError, TableError
from stored.typing import ABSENT, Absent, SupportsStore

__all__ = ["Results"]

_flights = Flights()


class Results:
    """One owner's results of one stored method, for its present parameters.

    Parameters
    ----------
    definition : Definition
        The method.
    kind : type
        The class of the owner, whose overrides can change what an inherited method computes.
    parameters : OwnerParameters
        How the owner tells its parameters, and where its results persist.
    """

    def __init__(self, definition: Definition, kind: type, parameters: OwnerParameters) -> None:
        self._definition = definition
        self.kind = kind
        self._identity = definition.identity_for(kind)
        self._parameters = parameters
        self._counters = Counters()
        self._lock = ForkSafeLock()
        self._latest: tuple[Snapshot, MemoryTier[CachedResult]] | None = None  # the parameters last seen, and results
        self._shortcut = OwnerShortcut(definition.call_code, self._counters)
        self._latest_seconds = math.inf  # the time of the latest computation

    def _current_memory(self, owner: object) -> tuple[Snapshot, MemoryTier[CachedResult]]:
        """The owner's parameters now, and the memory for them, which is empty if they changed."""
        latest = self._latest
        if latest is not None and latest[0].holds(owner):
            return latest
        with self._lock:  # one memory for all threads that notice a change
            latest = self._latest
            if latest is None or not latest[0].holds(owner):
                memory: MemoryTier[CachedResult] = MemoryTier(self._definition.maxsize, self._lock)
                latest = self._latest = self._parameters.snapshot(owner), memory
                self._shortcut.drop()
            return latest

    def _key(self, snapshot: Snapshot, arguments: tuple[tuple[str, str], ...]) -> Key:
        definition = self._definition
        return Key(snapshot.space, definition.name, self._identity, definition.version, arguments)

    def answer(self, owner: object, call: Call) -> CachedResult:
        """The result of a call, from memory, from the store, from another thread, or computed."""
        snapshot, memory = self._current_memory(owner)
        result = memory.get(call.arguments)
        if result is not ABSENT:
            self._count_hit(result)
            self._add_shortcut(owner, call, result)
            return result
        key = self._key(snapshot, call.arguments)
        result = self._from_disk(memory, key, call)
        while result is ABSENT:
            waiting = functools.partial(self._declare_wait, key)
            with _flights.lead_or_wait(key, settings().lock_timeout, waiting) as (leads, flight):
                result = self._from_other_thread(memory, key, flight)
                if result is not ABSENT:
                    break
                if flight.timed_out:
                    report_wait_timeout(key, "thread")
                if leads:
                    return self._compute_as_leader(owner, call, snapshot, memory, key, flight)
        return result

    def _declare_wait(self, key: Key) -> contextlib.AbstractContextManager[None]:
        return (
            self._parameters.persistent.declare_wait(key) if self._definition.persistent else contextlib.nullcontext()
        )

    def _compute_as_leader(
        self,
        owner: object,
        call: Call,
        snapshot: Snapshot,
        memory: MemoryTier[CachedResult],
        key: Key,
        flight: Flight,
    ) -> CachedResult:
        """Compute, unless another process has: one computes, and the others find what it stored."""
        if not self._definition.persistent or self._latest_seconds < settings().min_compute_seconds:
            return self._compute_and_keep(owner, call, snapshot, memory, key, flight)
        with self._parameters.persistent.compute_turn(key):
            result = self._from_disk(memory, key, call)
            if result is ABSENT:
                return self._compute_and_keep(owner, call, snapshot, memory, key, flight)
            flight.result = result
            return result

    def _from_other_thread(
        self, memory: MemoryTier[CachedResult], key: Key, flight: Flight
    ) -> CachedResult | Literal[Absent.ABSENT]:
        """A result that another thread has computed or loaded meanwhile."""
        result = memory.get(key.arguments)
        if result is ABSENT and flight.result is not ABSENT:
            result = flight.result
            self._keep(memory, key, result)
        if result is not ABSENT:
            flight.result = result
            self._count_hit(result)
        return result

    def _from_disk(
        self, memory: MemoryTier[CachedResult], key: Key, call: Call
    ) -> CachedResult | Literal[Absent.ABSENT]:
        found = self._parameters.persistent.load(key) if self._definition.persistent else ABSENT
        if found is ABSENT:
            return ABSENT
        try:
            result = call.cached_result(found.value, found.seconds)
        except (DamagedEntryError, TableError) as error:
            report_unusable_entry(self.store(), key.entry_name(), error)
            return ABSENT
        self._keep(memory, key, result)
        self._count_hit(result, persistent=True)
        return result

    def _compute_and_keep(
        self,
        owner: object,
        call: Call,
        snapshot: Snapshot,
        memory: MemoryTier[CachedResult],
        key: Key,
        flight: Flight,
    ) -> CachedResult:
        started = time.perf_counter()
        value = call.compute()
        seconds = time.perf_counter() - started
        result = call.cached_result(value, seconds)
        self._latest_seconds = seconds
        with self._lock:
            self._counters.misses += 1
        # if the parameters changed meanwhile, the result may mix old and new: only this caller gets it
        if snapshot.holds(owner):
            flight.result = result
            self._keep(memory, key, result)
            if self._definition.persistent and self._parameters.persistent.save_computed(
                key, CachedResult(value, seconds=seconds)
            ):
                with self._lock:
                    self._counters.stores += 1
        return result

    def refresh(self, owner: object, call: Call) -> CachedResult:
        """Compute a result again, and replace the stored one."""
        snapshot, memory = self._current_memory(owner)
        key = self._key(snapshot, call.arguments)
        result = self._compute_and_keep(owner, call, snapshot, memory, key, Flight(threading.get_ident()))
        self.end_shortcut()
        return result

    def tier_holding(self, owner: object, call: Call) -> str | None:
        """The tier that has the result, ``"memory"`` or ``"store"``, or None."""
        snapshot, memory = self._current_memory(owner)
        if call.arguments in memory:
            return "memory"
        if (
            self._definition.persistent
            and self._parameters.persistent.load(self._key(snapshot, call.arguments)) is not ABSENT
        ):
            return "store"
        return None

    def key(self, owner: object, call: Call) -> Key:
        """The full key of a call."""
        return self._key(self._current_memory(owner)[0], call.arguments)

    def keys_in_memory(self, owner: object) -> list[Key]:
        """The keys of all results in memory."""
        snapshot, memory = self._current_memory(owner)
        return [self._key(snapshot, arguments) for arguments in memory.keys()]  # type: ignore[arg-type]

    def store(self) -> SupportsStore:
        """The store in which results persist now."""
        return self._parameters.persistent.store()

    def _keep(self, memory: MemoryTier[CachedResult], key: Key, result: CachedResult) -> None:
        memory.put(key.arguments, result)
        if self._definition.maxsize is not None:
            self.end_shortcut()  # its result is no longer the most recently used

    def _add_shortcut(self, owner: object, call: Call, result: CachedResult) -> None:
        """Answer such calls by a shortcut from now on, for as long as the owner's parameters stay the same."""
        if self._definition.maxsize is not None:
            self.end_shortcut()  # memory must see each use of another result, since the least recently used goes first
        token, latest = validity.token, self._latest  # first, so that any change from here on is noticed
        key = call.shortcut_key(result)
        if key is None or latest is None:
            return
        shortcut = self._shortcut.prepare(owner, *latest, token)
        if shortcut is None:
            return
        with self._lock:
            if self._latest is latest and latest[1].get(call.arguments) is result:  # else discarded meanwhile
                self._shortcut.add(owner, shortcut, key, Hit(result.value, result.seconds))

    def end_shortcut(self) -> None:
        """Make the next call a full call."""
        with self._lock:
            self._shortcut.drop()

    def clear(self, owner: object, call: Call | None = None) -> None:
        """Forget the result of one call, or all results and counts; without an owner, for its parameters last seen."""
        latest = self._current_memory(owner) if owner is not None else self._latest
        if latest is None:
            return
        snapshot, memory = latest
        if call is not None:
            with self._lock:
                memory.discard(call.arguments)
                self._shortcut.drop()
            self._parameters.persistent.forget(self._key(snapshot, call.arguments))
            return
        with self._lock:
            memory.clear()
            self._shortcut.drop()
        self._parameters.persistent.forget_all(snapshot.space, self._definition.name, self._identity)
        with self._lock:
            self._counters.reset()

    def _count_hit(self, result: CachedResult, persistent: bool = False) -> None:
        with self._lock:
            self._counters.hits += 1
            self._counters.persistent_hits += persistent
            self._counters.seconds_saved += result.seconds

    def count_exact(self, calls: int) -> None:
        """Count values that an interpolated method computed itself."""
        with self._lock:
            self._counters.exact_calls += calls

    def info(self, owner: object) -> CacheInfo:
        """The counts so far."""
        _, memory = self._current_memory(owner)
        with self._lock:
            self._shortcut.count_hits()
            counted = self._counters
            return CacheInfo(
                counted.hits,
                counted.misses,
                memory.maxsize,
                len(memory),
                counted.persistent_hits,
                counted.stores,
                counted.seconds_saved,
                counted.exact_calls,
            )
