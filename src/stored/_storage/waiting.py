"""What is told while somebody waits for a result that another process computes? The logger ``stored`` says it."""

from __future__ import annotations

import itertools
import logging
import statistics
import time

from stored._keys import Key
from stored._storage.listing import keys_of_same_method, read_header
from stored._storage.reports import short_call
from stored.typing import Store, Waiting

__all__ = ["tell_waiting"]

_logger = logging.getLogger("stored")

_MOST_LOOKED_AT = 20
"""Results whose times are looked at."""


def tell_waiting(store: Store, key: Key, waiting: Waiting) -> None:
    """Say what is waited for, who computes it, and how long such a result took before.

    The first time as a warning, which is seen where nothing is configured, and then as information.

    Parameters
    ----------
    store : Store
        Where the result will be.
    key : Key
        Its key.
    waiting : Waiting
        What is known.
    """
    holder = waiting.holder
    who = "another process computes it"
    if holder is not None:
        since = time.strftime("%H:%M:%S", time.localtime(holder.since))
        seconds = max(time.time() - holder.since, 0.0)
        who = f"process {holder.process} on {holder.host} has computed it since {since} ({seconds:.0f} s)"
    _logger.log(
        logging.WARNING if waiting.seconds < _FIRST else logging.INFO,
        "waiting for %s since %.0f s: %s%s",
        short_call(key),
        waiting.seconds,
        who,
        _time_before(store, key),
    )


_FIRST = 6.0
"""Until so many seconds, it is told for the first time."""


def _time_before(store: Store, key: Key) -> str:
    """What is known of the time that such results took."""
    names = [each.entry_name for each in itertools.islice(keys_of_same_method(store, key), _MOST_LOOKED_AT)]
    headers = filter(None, [read_header(store, name) for name in names])
    seconds = [each.seconds for each in headers if each.seconds]
    return f"; such results took {statistics.median(seconds):.3g} s before" if seconds else ""
