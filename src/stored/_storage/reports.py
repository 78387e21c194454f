"""Warnings of trouble with a store, each given once."""

from __future__ import annotations

import contextlib

from stored._keys import Key
from stored._settings import settings
from stored.errors import EntryWarning, PersistenceWarning, warn_caller
from stored.stores import LayerError
from stored.typing import SupportsStore

__all__ = [
    "RECOMPUTED",
    "allow_reports_again",
    "check_privacy",
    "clear_reports",
    "is_reported",
    "report",
    "report_unreadable_layer",
    "report_unusable_entry",
    "report_wait_timeout",
    "short_call",
]

RECOMPUTED = "the result is computed anew"

_LONGEST_CALL = 200
"""Characters of a call in a message; arguments may be tables."""

_reported: set[tuple[str, str]] = set()
"""Kinds of trouble and their subjects: a lasting trouble is reported once."""


def report(trouble: str, subject: str, message: str) -> None:
    """Warn of a trouble, unless it was reported already."""
    if not is_reported(trouble, subject):
        _reported.add((trouble, subject))
        warn_caller(message, EntryWarning if trouble == "entry" else PersistenceWarning)


def is_reported(trouble: str, subject: str) -> bool:
    """Has a trouble been reported, and not ended since?"""
    return (trouble, subject) in _reported


def allow_reports_again(*troubles: tuple[str, str]) -> None:
    """Report these again, should they come back."""
    _reported.difference_update(troubles)


def clear_reports() -> None:
    """Report everything again."""
    _reported.clear()


def short_call(key: Key) -> str:
    """A call as messages show it."""
    call = key.call()
    return call if len(call) <= _LONGEST_CALL else f"{call[:_LONGEST_CALL]}..."


def report_unusable_entry(store: SupportsStore, name: str, error: Exception) -> None:
    """Warn that an entry must not be used."""
    report("entry", name, f"{store.location(name)} was passed over: {error}; {RECOMPUTED}")


def report_wait_timeout(key: Key, whom: str) -> None:
    """Warn that a result was waited for in vain."""
    limit = settings().lock_timeout
    message = (
        f"{short_call(key)} is still being computed by another {whom} after {limit:g} s, and is computed here too;"
        " to wait longer, use stored.configure(lock_timeout=...)"
    )
    report("turn", key.entry_name(), message)


def report_unreadable_layer(error: LayerError) -> None:
    """Warn that a shared directory cannot be read."""
    message = (
        f"shared directory {error.layer} cannot be read ({error}), so results in it are not found; have the right"
        " to read given to you (chmod -R go+rX), or take it out of shared_dirs"
    )
    report("layer", error.layer, message)


def check_privacy(store: SupportsStore) -> None:
    """Warn of a store into which others can put entries; each store is looked at once."""
    place = store.location()
    if is_reported("privacy", place):
        return
    exposed = ""
    with contextlib.suppress(OSError):  # who reads or writes is told of the trouble
        exposed = store.writable_by_others()
    if exposed:
        message = (
            f"{exposed}: whoever puts an entry there decides what you compute with. Take the permission away"
            " (chmod o-w), or choose another directory"
        )
        report("privacy", place, message)
    _reported.add(("privacy", place))
