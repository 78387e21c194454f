"""Which owner has which space? Its present one, and the last few that objects of its class have had."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Hashable
from typing import Any

from stored._engine.memory_limit import memory_limit
from stored._engine.space import Method, StorageSpace, user_spaces
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import (
    ATOMIC_SET,
    OwnerParameters,
    Space,
    UnchangedCheck,
    comparable,
    lasting,
    steady_values,
    with_copies_of_arrays,
)
from stored._settings import settings, validity
from stored._storage import PersistentTier
from stored.errors import OwnerError, UnstableKeyError

__all__ = [
    "OwnersOfClass",
    "PresentSpace",
    "SpacesOfClass",
    "empty_memory",
    "spaces_of_class",
    "spaces_told_by",
    "spaces_with_method",
]


class SpacesOfClass:
    """The spaces of the objects of one class that tell their parameters in one way.

    The objects keep those that they have now; the last few are kept here too, whether objects have them or not.
    """

    memory_sets = settings().memory_sets
    """How many are kept here: that of the settings, which are asked when they change."""

    def __init__(self) -> None:
        self.lock = ForkSafeLock()  # held to find a space and to add one
        self.methods: dict[Hashable, dict[Method, None]] = {}  # how keys contain the methods of the class, by version
        # a garbage collection may remove some at any moment, also while a dict is copied (CPython 3.11): only a list of
        # keys or of values is made in one step
        self.known: dict[Hashable, weakref.ref[StorageSpace]] = {}
        self._recent: dict[StorageSpace, None] = {}  # the latest last
        _all.add(self)

    def note_use(self, before: StorageSpace | None, space: StorageSpace) -> None:
        """An owner has the parameters of a space now, in place of those of another; with the lock held."""
        recent = self._recent
        if before is not None:
            recent.pop(before, None)
            recent[before] = None
        recent.pop(space, None)
        recent[space] = None
        if len(recent) > self.memory_sets:
            self.drop_beyond_limit()

    def drop_beyond_limit(self) -> None:
        """Keep no more spaces than the settings allow; with the lock held."""
        recent = self._recent
        # kept until all have been dropped: code of users that runs when one is freed adds others
        spaces = list(recent)[: max(len(recent) - self.memory_sets, 0)]
        for space in spaces:
            recent.pop(space, None)
            if space.endables:  # which would keep the space
                space.end_all_shortcuts()

    def shared(self) -> list[StorageSpace]:
        """The spaces in memory that any object with their parameters takes."""
        with self.lock:
            keys = [key for key in list(self.known) if type(key) is not int]  # else one object's own
            return _alive([self.known.get(key) for key in keys])

    def spaces(self) -> list[StorageSpace]:
        """All spaces in memory."""
        with self.lock:
            return _alive(list(self.known.values()))


def _alive(references: list[weakref.ref[StorageSpace] | None]) -> list[StorageSpace]:
    return [*filter(None, [reference() for reference in references if reference is not None])]


def _remove(known: dict[Hashable, Any], key: Hashable, reference: object) -> None:
    if known.get(key) is reference:  # not a new space, if a garbage collection took the old one first
        known.pop(key, None)


_all: weakref.WeakSet[SpacesOfClass] = weakref.WeakSet()


_ways_lock = ForkSafeLock()


class _Ways:
    """The spaces of the objects of one class, by the way in which they tell their parameters."""

    def __init__(self, owner_class: type) -> None:
        self.owner_class = weakref.ref(owner_class)
        self.spaces: dict[Hashable, SpacesOfClass] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _Ways, (type(None),)  # a class that is pickled by value takes no results along


def spaces_of_class(owner_class: type, way: Hashable) -> SpacesOfClass:
    """The spaces of the objects of a class that tell their parameters in one way.

    They stand in an attribute of the class, so that they are freed with it: in a dictionary by class, results that
    refer to the class would keep it.
    """
    ways: _Ways | None = vars(owner_class).get("__stored_spaces__")
    if ways is not None and ways.owner_class() is owner_class:  # else it was copied from another class
        spaces = ways.spaces.get(way)
        if spaces is not None:
            return spaces
    with _ways_lock:
        ways = vars(owner_class).get("__stored_spaces__")
        if ways is None or ways.owner_class() is not owner_class:
            ways = _Ways(owner_class)
            type.__setattr__(owner_class, "__stored_spaces__", ways)
        return ways.spaces.setdefault(way, SpacesOfClass())


def _all_spaces() -> list[SpacesOfClass]:
    with _ways_lock:  # under which they are made
        return list(_all)


def spaces_with_method(definition: Hashable) -> list[tuple[StorageSpace, Method]]:
    """All spaces of objects that have used a method, also of those that have been freed, and how keys contain it."""
    found = [(each, list(each.methods.get(definition, ()))) for each in _all_spaces()]
    return [(space, method) for each, methods in found for method in methods for space in each.spaces()]


def _in_memory() -> list[StorageSpace]:
    return [space for spaces in _all_spaces() for space in spaces.spaces()]


def empty_memory() -> None:
    """Forget all that memory has: results of stored methods, and objects that StorageUsers store by name."""
    for space in (*_in_memory(), *user_spaces()):
        space.empty()


def spaces_told_by(address: Space) -> list[StorageSpace]:
    """The shared spaces whose parameters a StorageUser tells by this address, alone or beside fields of a class."""
    found = [space for spaces in _all_spaces() for space in spaces.shared()]
    return [space for space in found if space.source is not None and space.source[2][:1] == (address,)]


class _SettingsWatcher:
    """Applies limits of memory as soon as they are set."""

    def __init__(self) -> None:
        validity.watch(self)

    def invalidate(self) -> None:
        """Apply the limits to what is in memory."""
        limit_before, memory_limit.limit = memory_limit.limit, settings().max_memory_bytes
        SpacesOfClass.memory_sets = settings().memory_sets
        for spaces in _all_spaces():
            with spaces.lock:
                spaces.drop_beyond_limit()
        if memory_limit.limit is not None and memory_limit.limit != limit_before:
            _count_all()


def _count_all() -> None:
    """Count what is in memory, since a limit was set."""
    for space in _in_memory():
        for method, memory in list(space.memories.items()):
            for arguments, result in list(memory.items()):
                memory_limit.add(space, method, arguments, result)


_watcher = _SettingsWatcher()


class OwnersOfClass:
    """What owners have in common that tell their parameters in one way.

    Parameters
    ----------
    owner_class : type
        The class of the owners.
    parameters : OwnerParameters
        How they tell their parameters.
    way : hashable
        What distinguishes this way of telling them from others.
    tier : PersistentTier
        Where their results persist.
    """

    __slots__ = ("class_of_spaces", "owner_class", "parameters", "spaces", "tier")

    def __init__(self, owner_class: type, parameters: OwnerParameters, way: Hashable, tier: PersistentTier) -> None:
        self.owner_class = owner_class
        self.class_of_spaces: type = vars(owner_class).get("__stored_spaces_of__", owner_class)
        self.spaces = spaces_of_class(self.class_of_spaces, way)
        self.parameters = parameters
        self.tier = tier


class PresentSpace:
    """The space that one owner has now.

    Parameters
    ----------
    owners : OwnersOfClass
        What it has in common with others.
    """

    __slots__ = ("__weakref__", "_changing", "_latest", "_owners", "_visited", "quick_values", "spaces")

    def __init__(self, owners: OwnersOfClass) -> None:
        self._owners = owners
        self.spaces = owners.spaces
        self.quick_values = owners.parameters.quick_values
        # one object, since several threads may read and replace it: the values, if they cannot change, and the space
        self._latest: tuple[tuple[Any, ...] | None, StorageSpace | None] = (None, None)
        # of values that can change: what stands for all of them, the space, and what is known of each
        self._changing: tuple[Any, StorageSpace | None, tuple[Any, ...]] = (None, None, ())
        self._visited: list[weakref.ref[StorageSpace]] = []  # the latest last

    def values(self, owner: object) -> tuple[Any, ...]:
        """The values of the owner's parameters now."""
        try:
            return self.quick_values(owner)
        except AttributeError:
            return self._owners.parameters.values(owner)  # which says what is missing

    def of(self, owner: object) -> StorageSpace:
        """The space for the owner's parameters now.

        Raises
        ------
        OwnerError, UnstableKeyError
            If it does not tell them, or not in a stable form.
        """
        values = self.values(owner)
        known, space = self._latest
        if known is not None and space is not None and all(map(operator.is_, values, known)):
            return space
        types = tuple(map(type, values))
        if ATOMIC_SET.issuperset(types) and not any(map(operator.ne, values, values)):
            return self._enter((types, values), values)  # one NaN is like another, by its text only
        key = self._owners.parameters.quick_key(values)
        if key is not None:
            return self._enter(key, values)
        return self._of_changing(owner, values)

    def _of_changing(self, owner: object, values: tuple[Any, ...]) -> StorageSpace:
        """The space for values that can change, which have to be read in full each time."""
        found = comparable(values)
        before, space, _ = self._changing
        if found is not None and found == before and space is not None and space is self._latest[1]:
            return space
        self._owners.parameters.check(owner, values)
        values = with_copies_of_arrays(values)  # another thread may write to them at any moment
        found = comparable(values)
        space = self._enter(self._owners.parameters.described.space(self._owners.owner_class, values), None, values)
        seen = None if found is None else lasting(values)
        if seen is not None and seen == found:  # else another thread changes them meanwhile
            self._changing = seen, space, steady_values(values, seen)
        return space

    def _enter(self, key: Any, fixed: tuple[Any, ...] | None, changing: tuple[Any, ...] | None = None) -> StorageSpace:
        """The space for a key of values; if these can change, the key is their address."""
        spaces = self.spaces
        with spaces.lock:  # one space for all threads that notice a change
            before = self._latest[1]
            if before is not None and before.key == key:
                self._latest = (fixed, before)  # other objects of equal value
                return before
            reference: Any = spaces.known.get(key)
            space = None if reference is None else reference()
            if space is None:
                address = None if changing is None else key
                values = (fixed or ()) if changing is None else steady_values(changing, None)
                source = self._owners.parameters.described, self._owners.class_of_spaces, values
                space = StorageSpace(key, address, source, self._owners.tier, spaces.lock)
                name = key if spaces.memory_sets else id(space)  # else objects share nothing
                reference = spaces.known[name] = weakref.ref(space, functools.partial(_remove, spaces.known, name))
            spaces.note_use(before, space)
            self._latest = (fixed, space)
            if before is not None and self._visited[-1]() is not before:  # a shortcut has led there meanwhile
                self._visited.append(weakref.ref(before))
            self._visited.append(reference)
            if len(self._visited) > 2 * spaces.memory_sets + 1:
                # each once, by its latest visit: an owner may have gone to and fro between a few
                latest_first = {each(): each for each in reversed(self._visited)}
                self._visited = [*latest_first.values()][spaces.memory_sets :: -1]
            return space

    def note_switch(self, values: tuple[Any, ...] | None, space: StorageSpace) -> None:
        """Note that the owner has a space again, with its values if none can change; so it keeps that in memory."""
        self._latest = (values, space)

    def visited(self) -> list[StorageSpace]:
        """The last spaces that the owner has had, as far as they are in memory, each once."""
        latest = self.latest()
        found = [*(reference() for reference in list(self._visited)), latest]
        return list({id(space): space for space in found if space is not None}.values())

    def latest(self) -> StorageSpace | None:
        """The space that the owner had when it was last asked, if it ever was."""
        return self._latest[1]

    def holds(self, owner: object, space: StorageSpace) -> bool:
        """Has the owner the parameters of a space?"""
        known, latest = self._latest
        if known is not None and latest is space and type(owner) is self._owners.owner_class:
            try:
                if all(map(operator.is_, self.quick_values(owner), known)):
                    return True
            except AttributeError:  # `of` says what is missing
                pass
        try:
            return type(owner) is self._owners.owner_class and self.of(owner) is space
        except (OwnerError, UnstableKeyError):
            return False  # changed; whoever asks for the new parameters gets the error

    def key_of(self, values: tuple[Any, ...]) -> Hashable:
        """What stands for values in a dictionary, also for those that can change; None if nothing does."""
        return self._owners.parameters.quick_key(values) or comparable(values)

    def unchanged_check(self, space: StorageSpace, may_hold_user: bool) -> tuple[UnchangedCheck, Hashable] | None:
        """A quick check that the owner has a space, and what `key_of` gives for its values.

        None if there is none, or the owner has another space by now.
        """
        values, latest = self._latest
        key: Hashable = space.key
        if latest is not space:
            return None
        if values is None:
            key, changing, values = self._changing
            if changing is not space:
                return None
        check = self._owners.parameters.unchanged_check(self._owners.owner_class, values, may_hold_user)
        return None if check is None else (check, key)
