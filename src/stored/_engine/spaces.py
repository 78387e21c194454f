"""Which owner has which space? Its present one, and the last few that objects of its class have had."""

from __future__ import annotations

import functools
import operator
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any, cast

from stored._engine.memory_limit import memory_limit
from stored._engine.space import StorageSpace
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import OwnerParameters, Space, UnchangedCheck
from stored._settings import settings, validity
from stored._storage import PersistentTier
from stored.errors import OwnerError, UnstableKeyError

__all__ = ["PresentSpace", "SpacesOfClass", "spaces_in_memory", "spaces_of_class"]


class SpacesOfClass:
    """The spaces of the objects of one class that tell their parameters in one way.

    Those that objects have now are kept by these objects; of the others, the last few are kept here.
    """

    def __init__(self) -> None:
        self.lock = ForkSafeLock()
        self._present: dict[Hashable, weakref.ref[StorageSpace]] = {}
        self._recent: OrderedDict[Hashable, StorageSpace] = OrderedDict()
        self._left: deque[StorageSpace] = deque()  # an owner is freed at any moment, and any thread may have the lock
        _all.add(self)

    def enter(self, key: Hashable, make: Callable[[ForkSafeLock], StorageSpace]) -> StorageSpace:
        """The space for the parameters of an owner, a new one if there is none."""
        with self.lock:
            self._settle()
            reference = self._present.get(key)
            space = None if reference is None else reference()
            if space is None:
                space = self._recent.pop(key, None)
                if space is None:
                    space = make(self.lock)
                self._present[self._place(space)] = weakref.ref(space)
            space.owners += 1
            return space

    @staticmethod
    def _place(space: StorageSpace) -> Hashable:
        return space.key if settings().memory_sets else id(space)  # objects that share nothing have places of their own

    def leave(self, space: StorageSpace) -> None:
        """An owner has other parameters now."""
        self._left.append(space)
        with self.lock:
            self._settle()

    def note_freed(self, space: StorageSpace) -> None:
        """An owner was freed; this waits for no lock."""
        if not settings().memory_sets and self._present.pop(id(space), None) is not None:
            return
        self._left.append(space)
        # not within what this thread does under the lock: whoever comes next then settles what is left
        if not self.lock.is_held() and self.lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self.lock.release()

    def _settle(self) -> None:
        """Keep those spaces that no owner has any more, and drop the least recently used ones if they are too many."""
        while self._left:
            space = self._left.popleft()
            space.owners -= 1
            if not space.owners:
                for place in filter(functools.partial(self._stands_at, space), (space.key, id(space))):
                    del self._present[place]
                    self._recent[place] = space
        self.drop_beyond_limit()

    def _stands_at(self, space: StorageSpace, place: Hashable) -> bool:
        """Is this the place of a space among those that owners have?"""
        reference = self._present.get(place)
        # a garbage collection that frees the owner ends the weak reference first
        return reference is not None and (reference() is space or reference() is None)

    def drop_beyond_limit(self) -> None:
        """Drop the least recently used spaces that no owner has, as far as they are too many."""
        while len(self._recent) > settings().memory_sets:
            self._recent.popitem(last=False)[1].empty()

    def spaces(self) -> Iterator[StorageSpace]:
        """All spaces that have results in memory."""
        with self.lock:
            self._settle()
            present = [reference() for reference in self._present.values()]
            return iter([*filter(None, present), *self._recent.values()])


_all: weakref.WeakSet[SpacesOfClass] = weakref.WeakSet()

_ways_lock = ForkSafeLock()


class _Ways:
    """The spaces of the objects of one class, by the way in which they tell their parameters."""

    def __init__(self, owner_class: type) -> None:
        self.owner_class = weakref.ref(owner_class)
        self.spaces: dict[Hashable, SpacesOfClass] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _Ways, (type(None),)  # a class that is pickled by value takes no results along


def _ways(owner_class: type) -> _Ways | None:
    """The spaces of a class; they stand in an attribute of the class, so that they are freed with it."""
    # not in a dictionary by class: results may refer to the class, which would then never be freed
    found: _Ways | None = vars(owner_class).get("__stored_spaces__")
    return found if found is not None and found.owner_class() is owner_class else None  # else copied from a class


def spaces_of_class(owner_class: type, way: Hashable) -> SpacesOfClass:
    """The spaces of the objects of a class that tell their parameters in one way."""
    with _ways_lock:
        ways = _ways(owner_class)
        if ways is None:
            ways = _Ways(owner_class)
            type.__setattr__(owner_class, "__stored_spaces__", ways)
        spaces = ways.spaces.get(way)
        if spaces is None:
            spaces = ways.spaces[way] = SpacesOfClass()
        return spaces


def spaces_in_memory(owner_class: type) -> list[StorageSpace]:
    """All spaces of the objects of a class, also of those that have been freed."""
    ways = _ways(owner_class)
    return [] if ways is None else [space for spaces in list(ways.spaces.values()) for space in spaces.spaces()]


class _SettingsWatcher:
    """Applies limits of memory as soon as they are set."""

    def __init__(self) -> None:
        self._limit = settings().max_memory_bytes
        validity.watch(self)

    def invalidate(self) -> None:
        """Apply the limits to what is in memory."""
        limit_before, self._limit = self._limit, settings().max_memory_bytes
        for spaces in list(_all):
            with spaces.lock:
                spaces.drop_beyond_limit()
        if self._limit is not None and self._limit != limit_before:
            _count_all()


def _count_all() -> None:
    """Count what is in memory, since a limit was set."""
    for space in [space for spaces in list(_all) for space in spaces.spaces()]:
        for method, memory in list(space.memories.items()):
            for arguments, result in memory.items():
                memory_limit.add(space, method, arguments, result)


_watcher = _SettingsWatcher()


class PresentSpace:
    """The space that one owner has now.

    Parameters
    ----------
    owner : object
        The owner, to which no reference is kept.
    parameters : OwnerParameters
        How it tells its parameters.
    way : hashable
        What distinguishes this way of telling them from others.
    tier : PersistentTier
        Where its results persist.
    """

    __slots__ = ("__weakref__", "_latest", "_parameters", "_tier", "owner_class", "spaces")

    def __init__(self, owner: object, parameters: OwnerParameters, way: Hashable, tier: PersistentTier) -> None:
        self.owner_class = type(owner)
        self.spaces = spaces_of_class(self.owner_class, way)
        self._parameters = parameters
        self._tier = tier
        # one object, since several threads may read and replace it: the values, if they cannot change, and the space
        self._latest: tuple[tuple[Any, ...] | None, StorageSpace | None] = (None, None)
        self.of(owner)

    def __del__(self) -> None:
        space = self._latest[1]
        if space is not None:  # else the owner did not tell its parameters
            self.spaces.note_freed(space)

    def of(self, owner: object) -> StorageSpace:
        """The space for the owner's parameters now.

        Raises
        ------
        OwnerError, UnstableKeyError
            If it does not tell them, or not in a stable form.
        """
        values = self._parameters.values(owner)
        known, space = self._latest
        if known is not None and space is not None and all(map(operator.is_, values, known)):
            return space
        key = self._parameters.quick_key(values)
        known = None if key is None else values  # else they can change
        if key is not None and not any(each != each for each in values):
            return self._enter(key, values, known, None)
        address = self._parameters.space(self.owner_class, values)  # one NaN is like another, by its text only
        return self._enter(address, values, known, address)

    def _enter(
        self, key: Hashable, values: tuple[Any, ...], known: tuple[Any, ...] | None, address: Space | None
    ) -> StorageSpace:
        """The space for a key; the values are known if they cannot change."""
        with self.spaces.lock:  # one space for all threads that notice a change
            before = self._latest[1]
            if before is not None and before.key == key:
                self._latest = (known, before)  # other objects of equal value
                return before
            space = self.spaces.enter(key, lambda lock: self._new_space(key, values, address, lock))
            self._latest = (known, space)
            if before is not None:
                self.spaces.leave(before)
            return space

    def _new_space(
        self, key: Hashable, values: tuple[Any, ...], address: Space | None, lock: ForkSafeLock
    ) -> StorageSpace:
        parameters = self._parameters
        listed = parameters.listed(values)
        if address is not None:
            return StorageSpace(key, lambda: address, self._tier, lock, listed)
        describe = functools.partial(parameters.space, self.owner_class, values)
        return StorageSpace(key, describe, self._tier, lock, listed)

    def latest(self) -> StorageSpace:
        """The space that the owner had when it was last asked."""
        return cast(StorageSpace, self._latest[1])

    def holds(self, owner: object, space: StorageSpace) -> bool:
        """Has the owner the parameters of a space?"""
        try:
            return type(owner) is self.owner_class and self.of(owner) is space
        except (OwnerError, UnstableKeyError):
            return False  # changed; whoever asks for the new parameters gets the error

    def unchanged_check(self, space: StorageSpace, may_hold_user: bool) -> UnchangedCheck | None:
        """A quick check that the owner has a space; None if there is none, or the owner has another space by now."""
        values, latest = self._latest
        if values is None or latest is not space:
            return None
        return self._parameters.unchanged_check(self.owner_class, values, may_hold_user)

    def key_now(self, owner: object) -> tuple[Hashable, tuple[Any, ...]]:
        """What stands for the owner's parameters now, and their values."""
        values = self._parameters.values(owner)
        return self._parameters.quick_key(values), values
