"""How are results kept in memory?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, Literal, TypeVar

from stored._fork_safe_lock import ForkSafeLock
from stored.typing import ABSENT, Absent, HandOut

__all__ = ["CachedResult", "MemoryTier"]

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
    derived : dict or None
        What was computed from the value (interpolators), if anything was; it is discarded with the value.
    """

    __slots__ = ("__weakref__", "copy", "derived", "persistent", "seconds", "source", "value")

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

    def for_caller(self) -> Any:
        """The value, or a copy of it, for a caller."""
        return self.value if self.copy is None else self.copy(self.value)


class MemoryTier(Generic[T]):
    """Values by key; if there are more than `maxsize`, the least recently used is discarded.

    Parameters
    ----------
    maxsize : int, optional
        The largest number of values; any number by default.
    lock : ForkSafeLock, optional
        The lock that is held during each operation; by default a new one.
    """

    __slots__ = ("_lock", "_values", "maxsize")

    def __init__(self, maxsize: int | None = None, lock: ForkSafeLock | None = None) -> None:
        self.maxsize = maxsize
        self._values: dict[Hashable, T] = {} if maxsize is None else OrderedDict()
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
                self._values[key] = self._values.pop(key)
            return value

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value."""
        with self._lock:
            self._values.pop(key, None)  # a new value goes to the end
            self._values[key] = value
            if self.maxsize is not None and len(self._values) > self.maxsize:
                self._values.popitem(last=False)  # type: ignore[call-arg]  # an OrderedDict

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

    def items(self) -> list[tuple[Hashable, T]]:
        """The keys and values now."""
        with self._lock:
            return list(self._values.items())
