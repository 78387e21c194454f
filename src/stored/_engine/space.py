"""What is one storage space? The results of one owner for one set of its parameters, in memory and in the store."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol, TypeAlias
from weakref import WeakSet, ref

from stored._fork_safe_lock import ForkSafeLock
from stored._keys import Described, Key, Pairs, Space
from stored._storage import BoundedMemory, CachedResult, PersistentTier
from stored.typing import ABSENT

__all__ = ["Endable", "Memory", "Method", "Source", "StorageSpace", "UserSpace", "own_arguments", "user_spaces"]


Method: TypeAlias = tuple[str, str, str]
"""A method, as keys contain it: the name of its results, its qualified name and its version."""


Source: TypeAlias = tuple[Described, type, tuple[Any, ...]]
"""What describes the parameters of a space, the class of its owner, and the values of the parameters."""

Memory: TypeAlias = dict[Hashable, CachedResult]
"""Results of one method in memory, by their arguments."""


def own_arguments(arguments: Pairs, owner: object) -> Pairs:
    """The arguments of a result that only one object may get, or one code; no argument has an empty name."""
    return (*arguments, ("", str(id(owner))))


def shared_arguments(arguments: Any) -> Pairs:
    """The arguments of a result, without the number of its object."""
    found: Pairs = arguments
    return found[:-1] if found and not found[-1][0] else found


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
    address : Space or None
        The owner's name and parameters as keys contain them; None if they are described when they are needed.
    source : tuple or None
        What describes the parameters, the class of the owner, and the values; not needed with an address.
    tier : PersistentTier
        Where results persist.
    lock : ForkSafeLock
        The lock that is held while what is in memory changes.

    Attributes
    ----------
    endables : list or None
        The shortcuts to results.
    seen : dict of str to object
        What attributes held, by their change keys, that the parameters do not tell.
    is_plain : bool
        Are all parameters numbers and texts, or tuples of these? Then the key is made of them.
    own : list or None
        The results that only one object may get: their methods and arguments, which end with the object's number.
    """

    __slots__ = (
        "__weakref__",
        "_address",
        "endables",
        "is_plain",
        "key",
        "lock",
        "memories",
        "own",
        "seen",
        "source",
        "tier",
    )

    def __init__(
        self,
        key: Hashable,
        address: Space | None,
        source: Source | None,
        tier: PersistentTier,
        lock: ForkSafeLock,
    ) -> None:
        self.key = key
        self.is_plain = address is None
        self.tier = tier
        self.lock = lock
        self.memories: dict[Method, Memory] = {}
        self._address: Any = address
        self.source = source
        self.endables: list[tuple[Method, ref[Endable]]] | None = None
        self.seen: dict[str, Hashable] = {}
        self.own: list[tuple[Method, Pairs]] | None = None

    @property
    def address(self) -> Space:
        """The owner's name and parameters, as keys contain them."""
        if self._address is None and self.source is not None:
            described, owner_class, values = self.source
            self._address = described.space(owner_class, values)
        found: Space = self._address
        return found

    @property
    def owner_class(self) -> type:
        """The class of the owners; functions of the same name share one."""
        source: Any = self.source
        found: type = source[1]
        return found

    @property
    def private(self) -> tuple[str, ...]:
        """The attributes of which the values have no text, so that results are for one object only."""
        return () if self._address is None else self._address.private

    def memory(self, method: Method, maxsize: int | None = None) -> Memory:
        """The results of one method in memory, at most `maxsize` of them."""
        memory = self.memories.get(method)
        if memory is None:
            new: Memory = {} if maxsize is None else BoundedMemory(maxsize, self.lock)
            memory = self.memories.setdefault(method, new)
        return memory

    def keep_own(self, method: Method, arguments: Pairs, result: CachedResult) -> None:
        """Keep a result that only one object may get, until that is freed."""
        with self.lock:
            known = self.own or []
            if not len(known) & (len(known) - 1):
                known = [each for each in known if self._is_of_use(*each)]
            known.append((method, arguments))
            self.own = known
            self.memory(method)[arguments] = result

    def _is_of_use(self, method: Method, arguments: Pairs) -> bool:
        memory = self.memories.get(method, {})
        result = memory.get(arguments)
        if result is None or result.holder is not ABSENT:
            return result is not None
        memory.pop(arguments, None)
        return False

    def watch(self, method: Method, endable: Endable) -> None:
        """End a shortcut to results of a method as soon as memory may have others, or none; with the lock held."""
        known = self.endables or []
        if not len(known) & (len(known) - 1):  # at powers of two, so that it takes no longer the more there are
            known = [each for each in known if each[1]() is not None]
        known.append((method, ref(endable)))
        self.endables = known

    def end_shortcuts(self, method: Method) -> None:
        """End all shortcuts to results of a method."""
        with self.lock:
            before, self.endables = self.endables or [], []
            for each in before:
                endable = each[1]()
                if each[0] != method:
                    self.endables.append(each)
                elif endable is not None:
                    endable.end()

    def end_all_shortcuts(self) -> None:
        """End all shortcuts to results."""
        with self.lock:
            before, self.endables = self.endables or [], None
            for _, reference in before:
                endable = reference()
                if endable is not None:
                    endable.end()

    def forget(self, method: Method, arguments: Hashable = None) -> None:
        """Forget what memory has of a method: the result of one call, or all of them."""
        with self.lock:
            if arguments is None:
                self.memories.get(method, {}).clear()
            else:
                memory = self.memories.get(method, {})
                memory.pop(arguments, None)
                for each_method, each in self.own or ():
                    if each_method == method and each[:-1] == arguments:
                        memory.pop(each, None)
            self.end_shortcuts(method)

    def keys(self) -> list[Key]:
        """The keys of all results of methods in memory."""
        memories = list(self.memories.items())
        keys = [
            Key(self.address, *method, shared_arguments(each)) for method, memory in memories for each in list(memory)
        ]
        return keys if self.own is None else list(dict.fromkeys(keys))

    def empty(self) -> None:
        """Forget all that memory has."""
        with self.lock:
            for method in list(self.memories):
                self.forget(method)


_user_spaces: WeakSet[UserSpace] = WeakSet()
_user_spaces_lock = ForkSafeLock()


def user_spaces() -> list[UserSpace]:
    """All that StorageUsers have in memory."""
    with _user_spaces_lock:
        return list(_user_spaces)


class UserSpace(StorageSpace):
    """What a StorageUser has for one hashable string: its objects by name.

    Attributes
    ----------
    string : str
        The hashable string.
    objects : dict
        The objects by name.
    shortcuts : dict
        What was found for a name, by the form in which it was asked for: interpolator, inverse and linear.
    """

    __slots__ = ("_shortcut_lock", "objects", "shortcuts", "string")

    def __init__(self, address: Space, tier: PersistentTier) -> None:
        # the lock is held while memory and store change together; reading memory needs none
        super().__init__(address, address, None, tier, ForkSafeLock())
        self.string = address.string
        self.objects = self.memory(("", "", ""))
        self.shortcuts: dict[str, dict[tuple[bool, bool, bool], Any]] = {}
        self._shortcut_lock = ForkSafeLock()  # never held for long, as the other is while an object is written
        with _user_spaces_lock:
            _user_spaces.add(self)

    def empty(self) -> None:
        """Forget all that memory has, and what was found in it."""
        super().empty()
        with self._shortcut_lock:
            self.shortcuts.clear()

    def put(self, name: str, result: CachedResult) -> None:
        """Keep an object, and discard the shortcuts to the one before."""
        self.objects[name] = result
        self._discard_shortcuts(name)

    def discard(self, name: str) -> bool:
        """Discard an object; was there one?"""
        was_there = self.objects.pop(name, None) is not None
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
