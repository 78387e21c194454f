"""What is wrong with a store? Each trouble is warned of once."""

from __future__ import annotations

import contextlib

from stored._keys import Key
from stored._settings import settings
from stored.errors import EntryWarning, PersistenceWarning, warn_caller
from stored.stores import LayerError
from stored.typing import Store

__all__ = [
    "RECOMPUTED",
    "check_privacy",
    "clear_reports",
    "forget_reports",
    "is_reported",
    "report_once",
    "report_unreadable_layer",
    "report_unusable_entry",
    "report_wait_timeout",
    "short_call",
]

RECOMPUTED = "the result is computed anew"

_LONGEST_CALL = 200
"""Characters of a call in a message; arguments may be tables."""

_reported: set[tuple[str, str]] = set()
"""Kinds of trouble, and what has them (an entry, a store, a method): a lasting trouble is reported once."""


def report_once(trouble: str, subject: str, message: str) -> None:
    """Warn of a trouble, unless it was reported already.

    Parameters
    ----------
    trouble : str
        The kind of trouble.
    subject : str
        What has it: the name of an entry, the location of a store.
    message : str
        The warning.
    """
    if not is_reported(trouble, subject):
        _reported.add((trouble, subject))
        warn_caller(message, EntryWarning if trouble == "entry" else PersistenceWarning)


def is_reported(trouble: str, subject: str) -> bool:
    """Has a trouble been reported, and not ended since?"""
    return (trouble, subject) in _reported


def forget_reports(*troubles: tuple[str, str]) -> None:
    """Forget that these troubles were reported, since they have ended: if they return, they are reported again."""
    _reported.difference_update(troubles)


def clear_reports() -> None:
    """Forget all reports."""
    _reported.clear()


def short_call(key: Key) -> str:
    """A call for a message, shortened if it is long."""
    call = key.call()
    return call if len(call) <= _LONGEST_CALL else f"{call[:_LONGEST_CALL]}..."


def report_unusable_entry(store: Store, name: str, error: Exception) -> None:
    """Warn that an entry must not be used."""
    report_once("entry", name, f"{store.location(name)} was not used: {error}; {RECOMPUTED}")


def report_wait_timeout(key: Key, computed_by: str) -> None:
    """Warn that a result did not come within the time limit; another ``"thread"`` or ``"process"`` computes it."""
    limit = settings().lock_timeout
    message = (
        f"{short_call(key)} is still being computed by another {computed_by} after {limit:g} s, and is computed here"
        " too; to wait longer, use stored.configure(lock_timeout=...)"
    )
    report_once("turn", key.entry_name(), message)


def report_unreadable_layer(error: LayerError) -> None:
    """Warn that a shared directory cannot be read."""
    message = (
        f"shared directory {error.layer} cannot be read ({error}), so results in it are not found; ask its"
        " owner for the permission to read (chmod -R go+rX), or take it out of shared_dirs"
    )
    report_once("layer", error.layer, message)


def check_privacy(store: Store) -> None:
    """Warn of a store to which other users can write; each store is checked once."""
    place = store.location()
    if ("privacy", place) in _reported:  # with every read and write, so without a call
        return
    exposed = ""
    with contextlib.suppress(OSError):  # reading or writing warns of this
        exposed = store.writable_by_others()
    if exposed:
        message = (
            f"{exposed}: whoever puts an entry there decides what you compute with. Take the permission away"
            " (chmod o-w), or choose another directory"
        )
        report_once("privacy", place, message)
    _reported.add(("privacy", place))
