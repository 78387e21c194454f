"""The results of one stored method for one owner: looked up, computed once, and forgotten with their parameters."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import Literal

from stored._keys import Key, Snapshot
from stored._methods.call import Call
from stored._methods.counters import CacheInfo, Counters
from stored._methods.definition import Definition
from stored._methods.owner_parameters import OwnerParameters
from stored._methods.owner_shortcut import OwnerShortcut
from stored._methods.shortcuts import Hit
from stored._settings import settings, validity
from stored._storage import (
    CachedResult,
    Flight,
    Flights,
    ForkSafeLock,
    MemoryTier,
    report_unusable_entry,
    report_wait_timeout,
)
from stored.errors import DamagedEntryError, TableError
from stored.typing import ABSENT, Absent, SupportsStore

__all__ = ["Results"]

_flights = Flights()


class Results:
    """One owner's results of one stored method, for its parameters of now.

    Parameters
    ----------
    definition : Definition
        The method.
    kind : type
        The class of the owner: what it overrides can change what an inherited method computes.
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
        self._latest: tuple[Snapshot, MemoryTier[CachedResult]] | None = None
        self._shortcut = OwnerShortcut(definition.call_code, self._counters)
        self._latest_seconds = math.inf  # what the latest computation took

    def _current(self, owner: object) -> tuple[Snapshot, MemoryTier[CachedResult]]:
        """The owner's parameters, and the memory for them: an empty one if they changed."""
        latest = self._latest
        if latest is not None and latest[0].holds(owner):
            return latest
        with self._lock:  # one memory for all threads that notice a change
            latest = self._latest
            if latest is None or not latest[0].holds(owner):
                latest = self._latest = (
                    self._parameters.snapshot(owner),
                    MemoryTier(self._definition.maxsize, self._lock),
                )
                self._shortcut.drop()
            return latest

    def _key(self, snapshot: Snapshot, arguments: tuple[tuple[str, str], ...]) -> Key:
        definition = self._definition
        return Key(snapshot.space, definition.name, self._identity, definition.version, arguments)

    def answer(self, owner: object, call: Call) -> CachedResult:
        """The result of a call, from memory, from the store, from another thread, or computed."""
        snapshot, memory = self._current(owner)
        result = memory.get(call.arguments)
        if result is not ABSENT:
            self._count_hit(result)
            self._take_shortcut(owner, call, result)
            return result
        key = self._key(snapshot, call.arguments)
        result = self._from_disk(memory, key, call)
        while result is ABSENT:
            with self._declare_wait(key), _flights.lead_or_wait(key, settings().lock_timeout) as (leads, flight):
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
        """Of all processes too, one computes; the others find what it stored."""
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
        """What another thread has left."""
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
        # computed while parameters changed: it may mix old and new, so the caller has it and nobody else
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
        """Compute anew, and replace."""
        snapshot, memory = self._current(owner)
        key = self._key(snapshot, call.arguments)
        result = self._compute_and_keep(owner, call, snapshot, memory, key, Flight(threading.get_ident()))
        self.end_shortcut()
        return result

    def tier_holding(self, owner: object, call: Call) -> str | None:
        """Where the result is at hand: in ``"memory"``, in the ``"store"``, or nowhere."""
        snapshot, memory = self._current(owner)
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
        return self._key(self._current(owner)[0], call.arguments)

    def kept_keys(self, owner: object) -> list[Key]:
        """The keys of all results in memory."""
        snapshot, memory = self._current(owner)
        return [self._key(snapshot, arguments) for arguments in memory.keys()]  # type: ignore[arg-type]

    def store(self) -> SupportsStore:
        """Where results persist now."""
        return self._parameters.persistent.store()

    def _keep(self, memory: MemoryTier[CachedResult], key: Key, result: CachedResult) -> None:
        memory.put(key.arguments, result)
        if self._definition.maxsize is not None:
            self.end_shortcut()  # it leads to what was used last before

    def _take_shortcut(self, owner: object, call: Call, result: CachedResult) -> None:
        """Answer such calls without binding and keying, for as long as the owner's parameters are proved the same."""
        if self._definition.maxsize is not None:
            self.end_shortcut()  # where the least recently used goes, uses of all but the last pass by the memory
        token, latest = validity.token, self._latest  # before anything is looked at that may change
        key = call.shortcut_key(result)
        if key is None or latest is None:
            return
        shortcut = self._shortcut.prepare(owner, *latest, token)
        if shortcut is None:
            return
        with self._lock:
            if self._latest is latest and latest[1].get(call.arguments) is result:  # else forgotten meanwhile
                self._shortcut.add(owner, shortcut, key, Hit(result.value, result.seconds))

    def end_shortcut(self) -> None:
        """Let the next call take the long way."""
        with self._lock:
            self._shortcut.drop()

    def clear(self, owner: object, call: Call | None = None) -> None:
        """Forget one call, or all and the counts too; an owner that is not at hand is taken as it was last seen."""
        latest = self._current(owner) if owner is not None else self._latest
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
        _, memory = self._current(owner)
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
