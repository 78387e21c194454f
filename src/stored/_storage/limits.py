"""Limits to what a store holds: how large may an entry be, and when is the store to be trimmed?"""

from __future__ import annotations

import time

from stored._keys import ENTRY_ENDING
from stored._settings import settings
from stored._storage.codecs import NotStorableError
from stored._storage.reports import report
from stored.typing import SupportsStore, Upkeep

__all__ = ["checked_size", "trim", "trim_if_due"]


class TrimSchedule:
    """What this process knows of the size of a store: at the last trim, and what it has written since."""

    def __init__(self) -> None:
        self._bytes = 0
        self._written = 0
        self._trimmed = float("-inf")

    def is_due(self, size: int) -> bool:
        """After another write of so many bytes, is it time to trim?"""
        self._written += size
        limit, age = settings().max_bytes, settings().max_age
        if limit is not None and (self._bytes + self._written > limit or self._written > _UNSEEN * limit):
            return True
        pause = _TRIMMED_EVERY if age is None else min(_TRIMMED_EVERY, _UNSEEN * age)
        return time.monotonic() - self._trimmed > pause

    def trim(self, store: SupportsStore) -> Upkeep:
        """Remove what is too old or too much."""
        now = settings()
        self._written, self._trimmed = 0, time.monotonic()  # also if it fails: the next store need not try again
        done = store.trim(ENTRY_ENDING, now.max_bytes, now.max_age)
        self._bytes = done.bytes
        return done


_UNSEEN = 0.1
"""Of the bytes or the age allowed so much passes before it is looked again what is there."""

_TRIMMED_EVERY = 3600.0
"""Seconds."""

_schedules: dict[str, TrimSchedule] = {}
"""By the location of the store."""


def trim(store: SupportsStore) -> Upkeep:
    """Remove from a store what is beyond the limits, now."""
    return _schedules.setdefault(store.location(), TrimSchedule()).trim(store)


def trim_if_due(store: SupportsStore, size: int) -> None:
    """After a write of so many bytes, trim the store if it is time to; first of all, clear what others have left."""
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
        report("upkeep", place, f"upkeep of {place} failed ({error}); some files stay that are not needed")


def checked_size(size: int) -> int:
    """The size of an entry, if the settings allow so much.

    Raises
    ------
    NotStorableError
        If it is more than `max_bytes`.
    """
    limit = settings().max_bytes
    if limit is not None and size > limit:
        raise NotStorableError(f"it takes {size} bytes, and max_bytes is {limit}")
    return size
