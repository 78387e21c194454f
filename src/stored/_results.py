"""The results of one definition for one owner: looked up, computed once, and forgotten with their parameters."""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
import weakref
from collections import OrderedDict
from typing import Any, Literal, NamedTuple, Protocol

from stored._config import epoch, settings
from stored._engine import StorageUser, UserSnapshot
from stored._keys import Key, canonical, parameter_names
from stored._memory import Flight, Flights, ForkSafeLock, MemoryTier, Record
from stored._owners import USER_ATTRIBUTES, Describer, FieldParameters, Proof, Snapshot, find_describer
from stored._persistence import PersistentTier
from stored._shortcuts import Entrance, Hit, Shortcut
from stored.errors import (
    DamagedEntryError,
    OwnerError,
    TableError,
    UnstableKeyError,
)
from stored.typing import ABSENT, Absent

__all__ = ["CacheInfo", "Computation", "Results", "clear_everywhere", "results_of"]


class CacheInfo(NamedTuple):
    """How often a stored method was answered, and from where.

    Attributes
    ----------
    hits, misses : int
        Calls answered without computing, and calls that computed.
    maxsize, currsize : int
        How many results the memory may hold (None: any number), and holds.
    persistent_hits : int
        Those of the hits that came from the store.
    stores : int
        Results written to the store.
    seconds_saved : float
        What the hits had taken to compute, in all.
    exact_calls : int
        Values outside the axis for which an interpolated method was called itself.
    """

    hits: int
    misses: int
    maxsize: int | None
    currsize: int
    persistent_hits: int
    stores: int
    seconds_saved: float
    exact_calls: int


class Counters:
    """The moving part of `CacheInfo`."""

    __slots__ = ("exact_calls", "hits", "misses", "persistent_hits", "seconds_saved", "stores")

    def __init__(self) -> None:
        self.hits = self.misses = self.persistent_hits = self.stores = self.exact_calls = 0
        self.seconds_saved = 0.0


class Computation(Protocol):
    """One call of a stored method: its key, and how to answer it."""

    @property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """The canonical arguments."""

    def compute(self) -> Any:
        """The value in the form that is written."""

    def record(self, value: Any, seconds: float) -> Record:
        """The value in the form that is kept in memory."""

    def plain(self, record: Record) -> Any:
        """The arguments as a shortcut's table has them, or the function that answers such calls; None if neither."""


class Definition(Protocol):
    """What `Results` needs to know of a stored method."""

    name: str
    persistent: bool
    maxsize: int | None
    depends: tuple[str, ...] | None
    entrance: Entrance

    @property
    def version(self) -> str:
        """The version of the method."""

    def identity_for(self, kind: type) -> str:
        """The qualified name of the method, as objects of a class have it."""


_flights = Flights()


class Results:
    """One owner's results of one stored method, for its parameters of now.

    Parameters
    ----------
    definition : Definition
        The method.
    kind : type
        The class of the owner: what it overrides can change what an inherited method computes.
    tell : Telling
        How the owner tells its parameters, and where its results persist.
    """

    def __init__(self, definition: Definition, kind: type, tell: Telling) -> None:
        self._definition = definition
        self.kind = kind
        self._identity = definition.identity_for(kind)
        self._tell = tell
        self._counters = Counters()
        self._lock = ForkSafeLock()
        self._latest: tuple[Snapshot, MemoryTier[Record]] | None = None
        self._shortcut: Shortcut | None = None
        self._latest_seconds = math.inf  # what the latest computation took

    def _current(self, owner: object) -> tuple[Snapshot, MemoryTier[Record]]:
        """The owner's parameters, and the memory for them: an empty one if they changed."""
        latest = self._latest
        if latest is not None and latest[0].holds(owner):
            return latest
        with self._lock:  # one memory for all threads that notice a change
            latest = self._latest
            if latest is None or not latest[0].holds(owner):
                latest = self._latest = (self._tell.snapshot(owner), MemoryTier(self._definition.maxsize, self._lock))
                self._drop_shortcut()
            return latest

    def _key(self, snapshot: Snapshot, arguments: tuple[tuple[str, str], ...]) -> Key:
        definition = self._definition
        return Key(snapshot.space, definition.name, self._identity, definition.version, arguments)

    def answer(self, owner: object, call: Computation) -> Record:
        """The result of a call, from memory, from the store, from another thread, or computed."""
        snapshot, memory = self._current(owner)
        record = memory.get(call.arguments)
        if record is not ABSENT:
            self._count_hit(record)
            self._take_shortcut(owner, call, record)
            return record
        key = self._key(snapshot, call.arguments)
        record = self._loaded(memory, key, call)
        while record is ABSENT:
            with self._needing(key), _flights.lead_or_wait(key, settings().lock_timeout) as (leads, flight):
                record = self._shared(memory, key, flight)
                if record is not ABSENT:
                    break
                if flight.in_vain:
                    self._tell.persistent.report_waiting(key, "thread")
                if leads:
                    return self._led(owner, call, snapshot, memory, key, flight)
        return record

    def _needing(self, key: Key) -> contextlib.AbstractContextManager[None]:
        return self._tell.persistent.needing(key) if self._definition.persistent else contextlib.nullcontext()

    def _led(
        self, owner: object, call: Computation, snapshot: Snapshot, memory: MemoryTier[Record], key: Key, flight: Flight
    ) -> Record:
        """Of all processes too, one computes; the others find what it stored."""
        if not self._definition.persistent or self._latest_seconds < settings().min_compute_seconds:
            return self._computed(owner, call, snapshot, memory, key, flight)
        with self._tell.persistent.turn(key):
            record = self._loaded(memory, key, call)
            if record is ABSENT:
                return self._computed(owner, call, snapshot, memory, key, flight)
            flight.result = record
            return record

    def _shared(self, memory: MemoryTier[Record], key: Key, flight: Flight) -> Record | Literal[Absent.ABSENT]:
        """What another thread has left."""
        record = memory.get(key.arguments)
        if record is ABSENT and flight.result is not ABSENT:
            record = flight.result
            self._keep(memory, key, record)
        if record is not ABSENT:
            flight.result = record
            self._count_hit(record)
        return record

    def _loaded(self, memory: MemoryTier[Record], key: Key, call: Computation) -> Record | Literal[Absent.ABSENT]:
        found = self._tell.persistent.load(key) if self._definition.persistent else ABSENT
        if found is ABSENT:
            return ABSENT
        try:
            record = call.record(found.value, found.seconds)
        except (DamagedEntryError, TableError) as error:
            self._tell.persistent.report_entry(key.entry(), error)
            return ABSENT
        self._keep(memory, key, record)
        self._count_hit(record, persistent=True)
        return record

    def _computed(
        self, owner: object, call: Computation, snapshot: Snapshot, memory: MemoryTier[Record], key: Key, flight: Flight
    ) -> Record:
        started = time.perf_counter()
        value = call.compute()
        seconds = time.perf_counter() - started
        record = call.record(value, seconds)
        self._latest_seconds = seconds
        with self._lock:
            self._counters.misses += 1
        # computed while parameters changed: it may mix old and new, so the caller has it and nobody else
        if snapshot.holds(owner):
            flight.result = record
            self._keep(memory, key, record)
            if self._definition.persistent and self._tell.persistent.save_computed(key, Record(value, seconds=seconds)):
                with self._lock:
                    self._counters.stores += 1
        return record

    def refresh(self, owner: object, call: Computation) -> Record:
        """Compute anew, and replace."""
        snapshot, memory = self._current(owner)
        key = self._key(snapshot, call.arguments)
        record = self._computed(owner, call, snapshot, memory, key, Flight(threading.get_ident()))
        self.end_shortcut()
        return record

    def where(self, owner: object, call: Computation) -> str | None:
        """Where the result is at hand: in ``"memory"``, in the ``"store"``, or nowhere."""
        snapshot, memory = self._current(owner)
        if call.arguments in memory:
            return "memory"
        if (
            self._definition.persistent
            and self._tell.persistent.load(self._key(snapshot, call.arguments)) is not ABSENT
        ):
            return "store"
        return None

    def key(self, owner: object, call: Computation) -> Key:
        """The full key of a call."""
        return self._key(self._current(owner)[0], call.arguments)

    def kept_keys(self, owner: object) -> list[Key]:
        """The keys of all results in memory."""
        snapshot, memory = self._current(owner)
        return [self._key(snapshot, arguments) for arguments in memory.keys()]  # type: ignore[arg-type]

    @property
    def persistent(self) -> PersistentTier:
        """Where results persist."""
        return self._tell.persistent

    def _keep(self, memory: MemoryTier[Record], key: Key, record: Record) -> None:
        memory.put(key.arguments, record)
        if self._definition.maxsize is not None:
            self.end_shortcut()  # it leads to what was used last before

    def _take_shortcut(self, owner: object, call: Computation, record: Record) -> None:
        """Answer such calls without binding and keying, for as long as the owner's parameters are proved the same."""
        if self._definition.maxsize is not None:
            self.end_shortcut()  # where the least recently used goes, uses of all but the last pass by the memory
        now, latest, shortcut = epoch.now, self._latest, self._shortcut  # before anything is looked at that may change
        plain = call.plain(record)
        if plain is None or latest is None:
            return
        if shortcut is None or shortcut.memory is not latest[1] or not shortcut.holds(owner):
            proof = latest[0].proof(guarded=epoch.has_users) if type(owner).__weakrefoffset__ else None
            if proof is None:
                return
            shortcut = Shortcut(owner, proof, latest[1], now)
            if not shortcut.holds(owner):
                return
        with self._lock:
            if self._latest is not latest or latest[1].get(call.arguments) is not record:
                return  # forgotten meanwhile, or of other parameters
            if shortcut is not self._shortcut:
                self._drop_shortcut()
                self._shortcut = shortcut
            self._definition.entrance.add(owner, shortcut, plain, Hit(record.value, record.seconds))

    def end_shortcut(self) -> None:
        """Let the next call take the long way."""
        with self._lock:
            self._drop_shortcut()

    def _drop_shortcut(self) -> None:
        if self._shortcut is not None:
            self._definition.entrance.drop(self._shortcut)
            self._count_hits()
            self._shortcut = None

    def _count_hits(self) -> None:
        """Take over what the shortcut has counted."""
        if self._shortcut is not None:
            for hit in self._shortcut.hits:
                count, hit.count = hit.count, 0
                self._counters.hits += count
                self._counters.seconds_saved += count * hit.seconds

    def clear(self, owner: object, call: Computation | None = None) -> None:
        """Forget one call, or all and the counts too; an owner that is not at hand is taken as it was last seen."""
        latest = self._current(owner) if owner is not None else self._latest
        if latest is None:
            return
        snapshot, memory = latest
        if call is not None:
            with self._lock:
                memory.discard(call.arguments)
                self._drop_shortcut()
            self._tell.persistent.forget(self._key(snapshot, call.arguments))
            return
        with self._lock:
            memory.clear()
            self._drop_shortcut()
        self._tell.persistent.forget_all(snapshot.space, self._definition.name, self._identity)
        self._counters = Counters()

    def _count_hit(self, record: Record, persistent: bool = False) -> None:
        with self._lock:
            self._counters.hits += 1
            self._counters.persistent_hits += persistent
            self._counters.seconds_saved += record.seconds

    def count_exact(self, calls: int) -> None:
        """Count values that an interpolated method computed itself."""
        with self._lock:
            self._counters.exact_calls += calls

    def info(self, owner: object) -> CacheInfo:
        """The counts so far."""
        _, memory = self._current(owner)
        with self._lock:
            self._count_hits()
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


# --------------------------------------------------------------------------------------------------------------------
# Owners
# --------------------------------------------------------------------------------------------------------------------


class Telling(Protocol):
    """How one owner tells its parameters, and where its results persist."""

    persistent: PersistentTier

    def snapshot(self, owner: object) -> Snapshot:
        """The parameters now."""


class DescribedTelling:
    """An owner that describes itself; its results go where the settings say."""

    persistent = PersistentTier("rw")

    def __init__(self, describer: Describer) -> None:
        self.snapshot = describer.snapshot


class UserTelling:
    """An owner that holds a StorageUser: its decorated methods share that space.

    If its class names parameters too, they count as well: the StorageUser, perhaps that of a base class, may not know
    them.
    """

    def __init__(self, user: StorageUser, attribute: str | None, fields: FieldParameters | None) -> None:
        self.user = user
        self.persistent = user.persistent
        self._attribute = attribute
        self._fields = fields

    def snapshot(self, owner: object) -> Snapshot:
        """The parameters now."""
        told = UserSnapshot(self.user, type(owner), self._attribute)
        return told if self._fields is None else BothSnapshots(told, self._fields.snapshot(owner))


class BothSnapshots:
    """What a StorageUser and a class tell of an owner, together."""

    def __init__(self, user: Snapshot, fields: Snapshot) -> None:
        self._user, self._fields = user, fields
        self.space = user.space._replace(string=canonical([user.space.string, fields.space.string]))

    def holds(self, owner: object) -> bool:
        """Are both still the same?"""
        return self._user.holds(owner) and self._fields.holds(owner)

    def proof(self, guarded: bool) -> Proof | None:
        """None: such owners are few."""


class OwnerResults:
    """All that is kept for one owner, by definition.

    Parameters
    ----------
    user : StorageUser or None
        What describes the owner: the one it holds, or for a copy that still holds its original's, one of its own.
    """

    def __init__(self, user: StorageUser | None) -> None:
        self.user = user
        self.by_definition: dict[Definition, Results] = {}


_UNREFERENCED_KEPT = 256
"""Of owners that cannot be referred to weakly (slots without ``__weakref__``), so many are remembered."""


class Registry:
    """What is kept for owners, as long as they live."""

    def __init__(self) -> None:
        self.referenced: dict[int, tuple[weakref.ref[Any], OwnerResults]] = {}
        self.unreferenced: OrderedDict[object, OwnerResults] = OrderedDict()
        _registries.add(self)


_registries: weakref.WeakSet[Registry] = weakref.WeakSet()
_registry_lock = ForkSafeLock()
_registry = Registry()


def results_of(owner: object, definition: Definition) -> Results:
    """The results of a method for an owner.

    Raises
    ------
    OwnerError
        If the owner tells its parameters in none of the four ways.
    """
    kept = _kept(owner, definition)
    results = kept.by_definition.get(definition)
    if results is not None and results.kind is not type(owner):  # an assignment to __class__ can change that
        kept.by_definition.pop(definition, None)
        results.end_shortcut()
        results = None
    if results is None:
        tell = _telling(owner, kept.user, definition)
        results = kept.by_definition.setdefault(definition, Results(definition, type(owner), tell))
    return results


def _telling(owner: object, user: StorageUser | None, definition: Definition) -> Telling:
    if user is None:
        describer = find_describer(type(owner))
        return DescribedTelling(describer if definition.depends is None else describer.narrowed(definition.depends))
    if definition.depends is not None:
        raise OwnerError(
            f"depends={definition.depends!r} needs single parameters to choose from, but {type(owner).__qualname__}"
            " holds a StorageUser, which has one hashable string for all"
        )
    names = parameter_names(type(owner))
    attribute, held = _storage_user(owner)
    return UserTelling(user, attribute if held is user else None, None if names is None else FieldParameters(names))


def _storage_user(owner: object) -> tuple[str | None, StorageUser | None]:
    """The StorageUser that an owner holds, and in which attribute."""
    for name in USER_ATTRIBUTES if epoch.has_users else ():
        try:
            user = object.__getattribute__(owner, name)  # not by __getattr__, which may answer for another object
        except AttributeError:
            continue
        if isinstance(user, StorageUser):
            return name, user
    return None, None


def _kept(owner: object, definition: Definition) -> OwnerResults:
    _, held = _storage_user(owner)
    registry = _registry if held is None else held.decorated
    kept = None if registry is None else _known(registry, owner)
    if kept is not None:
        return kept
    with _registry_lock:
        if held is not None and held.decorated is None:
            # a StorageUser often refers to its owner; kept anywhere else, these results would keep both alive
            held.decorated = Registry()
        registry = _registry if held is None else held.decorated
        return _known(registry, owner) or _registered(registry, owner, held, definition)


def _known(registry: Registry, owner: object) -> OwnerResults | None:
    found = registry.referenced.get(id(owner))
    return found[1] if found is not None and found[0]() is owner else None


def _registered(registry: Registry, owner: object, held: StorageUser | None, definition: Definition) -> OwnerResults:
    kept = OwnerResults(None if held is None else _describing(owner, held))
    if kept.user is not held and not type(owner).__weakrefoffset__:
        return kept  # a copy that nothing can be kept for: its results are found in the store
    try:
        reference = weakref.ref(owner, functools.partial(_forget, registry.referenced, id(owner)))
    except TypeError:
        return _registered_by_value(registry, owner, kept, definition)
    registry.referenced[id(owner)] = (reference, kept)
    return kept


def _forget(referenced: dict[int, Any], number: int, _: object) -> None:
    referenced.pop(number, None)


def _registered_by_value(registry: Registry, owner: object, kept: OwnerResults, definition: Definition) -> OwnerResults:
    """An owner that cannot be referred to weakly is known by its parameters, which is all that results depend on."""
    space = _telling(owner, kept.user, definition).snapshot(owner).space
    key = (type(owner), space, definition.depends)
    known = registry.unreferenced.setdefault(key, kept)
    registry.unreferenced.move_to_end(key)
    if len(registry.unreferenced) > _UNREFERENCED_KEPT:
        registry.unreferenced.popitem(last=False)
    return known


def _describing(owner: object, held: StorageUser) -> StorageUser:
    """The owner's StorageUser; for a copy that still holds its original's, one that describes the copy."""
    original = held.describes_instead(owner)
    return held if original is None else held.rebound(original, owner)


def clear_everywhere(definition: Definition) -> None:
    """Forget the results of a method for every live owner that has used it."""
    for owner, results in live_results(definition):
        try:
            results.clear(owner)
        except (OwnerError, UnstableKeyError):  # parameters half set: no reason to keep the results of others
            results.clear(None)


def live_results(definition: Definition) -> list[tuple[object, Results]]:
    """Every live owner that has used a method, with its results; None for an owner known by its parameters only."""
    with _registry_lock:
        kept: list[tuple[object, OwnerResults]] = []
        for registry in list(_registries):
            # in one step, since owners die at any moment
            kept += [(reference(), each) for reference, each in list(registry.referenced.values())]
            kept += [(None, each) for each in list(registry.unreferenced.values())]
    return [(owner, each.by_definition[definition]) for owner, each in kept if definition in each.by_definition]
