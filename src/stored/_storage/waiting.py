"""What is told while a thread waits for a result that another process computes? The logger ``stored`` says it."""

from __future__ import annotations

import itertools
import logging
import time

import numpy as np

from stored._keys import Key
from stored._storage.listing import keys_of_same_method, read_header
from stored._storage.reports import short_call
from stored.typing import Holder, Store, Waiting

__all__ = ["WaitingMessages"]

_logger = logging.getLogger("stored")

_MOST_LOOKED_AT = 20
"""Results whose times are looked at."""


class WaitingMessages:
    """What is said of one wait: the first time as a warning, which is seen where nothing is configured; then as info.

    Parameters
    ----------
    store : Store
        Where the result will be.
    key : Key
        Its key.
    """

    __slots__ = ("_key", "_store", "_was_told")

    def __init__(self, store: Store, key: Key) -> None:
        self._store = store
        self._key = key
        self._was_told = False

    def __call__(self, waiting: Waiting) -> None:
        """Say what is waited for, who computes it, and how long such results took before."""
        level = logging.INFO if self._was_told else logging.WARNING
        self._was_told = True
        try:
            if _logger.isEnabledFor(level):
                before = _time_before(self._store, self._key)
                words = short_call(self._key), waiting.seconds, _who_computes(waiting.holder), before
                _logger.log(level, "waiting for %s, %.0f s so far: %s%s", *words)
        except (OSError, MemoryError, RecursionError):  # the wait goes on without a word
            pass


def _who_computes(holder: Holder | None) -> str:
    if holder is None:
        return "another process computes it"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.since))
    seconds = max(time.time() - holder.since, 0.0)
    return f"process {holder.process} on {holder.host} has been computing it since {since} ({seconds:.0f} s)"


def _time_before(store: Store, key: Key) -> str:
    """What is known of the time that such results took."""
    names = [each.entry_name for each in itertools.islice(keys_of_same_method(store, key), _MOST_LOOKED_AT)]
    headers = filter(None, [read_header(store, name) for name in names])
    seconds = [each.seconds for each in headers if each.seconds]
    return f"; such results took {np.median(seconds):.3g} s before" if seconds else ""
