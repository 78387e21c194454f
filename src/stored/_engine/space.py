"""What is one storage space? The results of one owner for one set of its parameters, in memory and in the store."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol, TypeAlias, cast
from weakref import ref

from stored._engine.memory_limit import memory_limit
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import Key, Space
from stored._storage import CachedResult, MemoryTier, PersistentTier

__all__ = ["Endable", "Method", "StorageSpace", "UserSpace"]


Method: TypeAlias = tuple[str, str, str]
"""A method, as keys contain it: the name of its results, its qualified name and its version."""


class Endable(Protocol):
    """What leads to results of one method in a space without asking the space for them: a shortcut."""

    def end(self) -> None:
        """Lead to no results any more."""


class StorageSpace:
    """The results of one owner for one set of its parameters.

    Parameters
    ----------
    key : hashable
        What stands for the parameters in memory.
    describe : callable
        Returns the owner's name and parameters as keys contain them; called once, and only when they are needed.
    tier : PersistentTier
        Where results persist.
    lock : ForkSafeLock
        The lock that is held while what is in memory changes.
    listed_values : callable, optional
        Returns the values of the parameters by name, for listings.

    Attributes
    ----------
    owners : int
        How many owners have these parameters now.
    """

    __slots__ = (
        "__weakref__",
        "_address",
        "_describe",
        "_endables",
        "key",
        "listed_values",
        "lock",
        "memories",
        "owners",
        "tier",
    )

    def __init__(
        self,
        key: Hashable,
        describe: Callable[[], Space],
        tier: PersistentTier,
        lock: ForkSafeLock,
        listed_values: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self.key = key
        self.tier = tier
        self.lock = lock
        self.owners = 0
        self.memories: dict[Method, MemoryTier[CachedResult]] = {}
        self.listed_values = listed_values
        self._describe = describe
        self._address: Space | None = None
        self._endables: list[tuple[Method, ref[Endable]]] = []

    @property
    def address(self) -> Space:
        """The owner's name and parameters, as keys contain them."""
        if self._address is None:
            self._address = self._describe()
        return self._address

    def memory(self, method: Method, maxsize: int | None = None) -> MemoryTier[CachedResult]:
        """The results of one method in memory, at most `maxsize` of them."""
        memory = self.memories.get(method)
        return memory if memory is not None else self.memories.setdefault(method, MemoryTier(maxsize, self.lock))

    def keep(self, method: Method, arguments: Hashable, result: CachedResult) -> None:
        """Keep a result of a method in memory, within the limits of the settings."""
        memory = self.memory(method)
        memory.put(arguments, result)
        if memory_limit.is_set():
            memory_limit.add(self, method, arguments, result)

    def watch(self, method: Method, endable: Endable) -> None:
        """End a shortcut to results of a method as soon as memory may have others, or none; with the lock held."""
        self._endables = [each for each in self._endables if each[1]() is not None]
        self._endables.append((method, ref(endable)))

    def end_shortcuts(self, method: Method) -> None:
        """End all shortcuts to results of a method."""
        with self.lock:
            left, self._endables = self._endables, []
            for each in left:
                endable = each[1]()
                if each[0] != method:
                    self._endables.append(each)
                elif endable is not None:
                    endable.end()

    def forget(self, method: Method, arguments: Hashable = None) -> None:
        """Forget what memory has of a method: the result of one call, or all of them."""
        with self.lock:
            memory = self.memories.get(method)  # not a new one, which would lack the maxsize of the method
            if memory is not None and arguments is None:
                memory.clear()
            elif memory is not None:
                memory.discard(arguments)
            self.end_shortcuts(method)

    def keys(self) -> list[Key]:
        """The keys of all results of methods in memory."""
        memories = list(self.memories.items())
        return [Key(self.address, *method, cast(Any, each)) for method, memory in memories for each in memory.keys()]

    def empty(self) -> None:
        """Forget all that memory has."""
        with self.lock:
            for method in list(self.memories):
                self.forget(method)


class UserSpace(StorageSpace):
    """What a StorageUser has for one hashable string: its objects by name.

    Attributes
    ----------
    string : str
        The hashable string.
    objects : MemoryTier
        The objects by name.
    shortcuts : dict
        What was found for a name, by the form in which it was asked for: interpolator, inverse and linear.
    """

    __slots__ = ("_shortcut_lock", "objects", "shortcuts", "string")

    def __init__(self, address: Space, tier: PersistentTier) -> None:
        # the lock is held while memory and store change together; reading memory needs none
        super().__init__(address, lambda: address, tier, ForkSafeLock())
        self.string = address.string
        self.objects = self.memory(("", "", ""))
        self.shortcuts: dict[str, dict[tuple[bool, bool, bool], Any]] = {}
        self._shortcut_lock = ForkSafeLock()  # never held for long, as the other is while an object is written

    def put(self, name: str, result: CachedResult) -> None:
        """Keep an object, and discard the shortcuts to the one before."""
        self.objects.put(name, result)
        self._discard_shortcuts(name)

    def discard(self, name: str) -> bool:
        """Discard an object; was there one?"""
        was_there = self.objects.discard(name)
        self._discard_shortcuts(name)
        return was_there

    def _discard_shortcuts(self, name: str) -> None:
        # after the object has changed: a shortcut to the old one is added before this, or not at all
        with self._shortcut_lock:
            self.shortcuts.pop(name, None)

    def add_shortcut(self, name: str, result: CachedResult, form: tuple[bool, bool, bool], found: Any) -> None:
        """Let later calls find at once what was found for this one; its form is interpolator, inverse and linear."""
        with self._shortcut_lock:
            if self.objects.get(name) is result:  # and not replaced meanwhile
                self.shortcuts.setdefault(name, {})[form] = found
