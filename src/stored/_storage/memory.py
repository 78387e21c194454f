"""How are results kept in memory?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from stored._fork_safe_lock import ForkSafeLock
from stored.typing import ABSENT, HandOut

__all__ = ["BoundedMemory", "CachedResult"]

T = TypeVar("T")


class CachedResult:
    """A value that is kept in memory.

    Parameters
    ----------
    value : object
        The value, as `freeze` returns it.
    copy : callable, optional
        Copies the value for a caller; None if callers get the value itself.
    seconds : float
        How long computing it took.
    persistent : bool
        Is it to be written to the store too?
    source : object
        For a table read from a file: the file and its state when it was read.

    Attributes
    ----------
    hit : object
        Has in `count` how often a shortcut has led to the result; None if there is no shortcut to it.
    derived : dict or None
        What was computed from the value (interpolators), if anything was; it is discarded with the value.
    owner : callable or None
        A weak reference to the one object that may get the value, which refers to it; None if all may.
    code : callable or None
        A weak reference to the code, as it was looked up, that may give the value, which refers to what names of it are
        bound to; None if all code of the same version may.
    """

    __slots__ = ("__weakref__", "code", "copy", "derived", "hit", "owner", "persistent", "seconds", "source", "value")

    def __init__(
        self,
        value: Any,
        copy: HandOut | None = None,
        seconds: float = 0.0,
        persistent: bool = True,
        source: object = None,
    ) -> None:
        self.value = value
        self.copy = copy
        self.seconds = seconds
        self.persistent = persistent
        self.source = source
        self.derived: dict[Hashable, Any] | None = None
        self.hit: Any = None
        self.owner: Callable[[], object] | None = None
        self.code: Callable[[], object] | None = None

    def is_for(self, owner: object, code: object) -> bool:
        """May this object get the value, from this code?"""
        return (self.owner is None or self.owner() is owner) and (self.code is None or self.code() is code)

    @property
    def holder(self) -> object:
        """The one object that may get the value, or the code that may give it; `ABSENT` if that is gone, else None."""
        for each in (self.owner, self.code):
            if each is not None:
                found = each()
                return ABSENT if found is None else found
        return None

    def for_caller(self) -> Any:
        """The value, or a copy of it, for a caller."""
        return self.value if self.copy is None else self.copy(self.value)


class BoundedMemory(OrderedDict[Hashable, T]):
    """Values by key, of which at most `maxsize` are kept: the least recently used is discarded.

    What memory holds without such a bound is in a plain dict, whose single operations need no lock.

    Parameters
    ----------
    maxsize : int
        The largest number of values.
    lock : ForkSafeLock
        The lock that is held during each operation.
    """

    def __init__(self, maxsize: int, lock: ForkSafeLock) -> None:
        super().__init__()
        self.maxsize = maxsize
        self._lock = lock

    def get(self, key: Hashable, default: Any = None) -> Any:
        """A value, which is the most recently used from now on, or the default."""
        with self._lock:
            value = super().get(key, default)
            if key in self:
                self.move_to_end(key)
            return value

    def __setitem__(self, key: Hashable, value: T) -> None:
        with self._lock:
            super().__setitem__(key, value)
            self.move_to_end(key)
            if len(self) > self.maxsize:
                self.popitem(last=False)

    def pop(self, key: Hashable, default: Any = None) -> Any:
        """Take out a value, or return the default."""
        with self._lock:
            return super().pop(key, default)

    def clear(self) -> None:
        """Take out all values."""
        with self._lock:
            super().clear()
