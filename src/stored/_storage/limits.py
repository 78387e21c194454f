"""How large may an entry be, and when must a store be trimmed?"""

from __future__ import annotations

import time

from stored._keys import ENTRY_ENDING
from stored._settings import settings
from stored._storage.codecs import NotStorableError
from stored._storage.reports import report_once
from stored.typing import SupportsStore, Upkeep

__all__ = ["check_size", "tidy_after_write", "trim"]


class TrimSchedule:
    """When to trim a store, by its size at the last trim and by what this process has written since."""

    def __init__(self) -> None:
        self._size = 0
        self._written = 0
        self._trimmed_at = float("-inf")

    def is_due(self, size: int) -> bool:
        """Count a write of `size` bytes; is it time to trim?"""
        self._written += size
        limit, age = settings().max_bytes, settings().max_age
        if limit is not None and (self._size + self._written > limit or self._written > _SHARE_BETWEEN_TRIMS * limit):
            return True
        pause = _SECONDS_BETWEEN_TRIMS if age is None else min(_SECONDS_BETWEEN_TRIMS, _SHARE_BETWEEN_TRIMS * age)
        return time.monotonic() - self._trimmed_at > pause

    def trim(self, store: SupportsStore) -> Upkeep:
        """Remove entries that are beyond the limits of the settings."""
        now = settings()
        self._written, self._trimmed_at = 0, time.monotonic()  # before it may fail: the next write need not try again
        done = store.trim(ENTRY_ENDING, now.max_bytes, now.max_age)
        self._size = done.bytes
        return done


_SHARE_BETWEEN_TRIMS = 0.1
"""The store is trimmed after this share of `max_bytes` was written, or this share of `max_age` has passed."""

_SECONDS_BETWEEN_TRIMS = 3600.0
"""The store is trimmed at least this often, while it is written to."""

_schedules: dict[str, TrimSchedule] = {}
"""The schedules of stores, by location."""


def trim(store: SupportsStore) -> Upkeep:
    """Remove now the entries of a store that are beyond the limits of the settings."""
    return _schedules.setdefault(store.location(), TrimSchedule()).trim(store)


def tidy_after_write(store: SupportsStore, size: int) -> None:
    """Trim a store if that is due after a write of `size` bytes; after the first write, also clear leftovers."""
    place = store.location()
    try:
        is_first = place not in _schedules
        schedule = _schedules.setdefault(place, TrimSchedule())
        try:
            if is_first:
                store.clear_leftovers()
        finally:
            if settings().are_limited and schedule.is_due(size):
                schedule.trim(store)
    except OSError as error:
        report_once("upkeep", place, f"upkeep of {place} failed ({error}); some files that are not needed remain")


def check_size(size: int) -> None:
    """Refuse an entry that is larger than the whole store may be.

    Raises
    ------
    NotStorableError
        If it takes more than `max_bytes`.
    """
    limit = settings().max_bytes
    if limit is not None and size > limit:
        raise NotStorableError(f"it takes {size} bytes, and max_bytes is {limit}")
