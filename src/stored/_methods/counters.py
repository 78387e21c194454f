"""How often a stored method was answered, and from where."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CacheInfo", "Counters"]


class CacheInfo(NamedTuple):
    """How often a stored method was answered, and from where.

    Attributes
    ----------
    hits, misses : int
        Calls answered without computing, and calls that computed.
    maxsize, currsize : int
        How many results the memory may hold (None: any number), and holds.
    persistent_hits : int
        The hits that came from the store.
    stores : int
        Results written to the store.
    seconds_saved : float
        The time that computing the hits had taken, in all.
    exact_calls : int
        Values outside the axis, for which an interpolated method itself was called.
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
    """The counts of a `CacheInfo`, as calls change them."""

    # defaults in the class, since each owner has an object of its own, and most of its counts stay zero
    hits = misses = persistent_hits = stores = exact_calls = 0
    seconds_saved = 0.0

    def reset(self) -> None:
        """Set all counts to zero."""
        vars(self).clear()
