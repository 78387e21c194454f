"""What is wrong with a store? Each trouble is warned of once."""

from __future__ import annotations

import contextlib
from pathlib import Path

from stored._keys import Key
from stored._settings import settings
from stored._storage.signing import KeyFileError
from stored.errors import EntryWarning, PersistenceWarning, UntrustedEntryError, error_text, shortened, warn_caller
from stored.stores import LayerError
from stored.typing import PATIENCE, Store

__all__ = [
    "check_privacy",
    "clear_reports",
    "is_reported",
    "note_key_usable",
    "note_written",
    "report_kept_in_memory",
    "report_once",
    "report_unreadable",
    "report_unreadable_layer",
    "report_unusable_entry",
    "report_wait_timeout",
]

_RECOMPUTED = "the result is computed anew"

_LONGEST_CALL = 200
"""Characters of a call in a message; arguments may be tables."""

_reported: set[tuple[str, str]] = set()
"""Kinds of trouble, and what has them (an entry, a store, a method, a key file): a lasting trouble is reported once."""

_OF_ENTRIES = ("entry", "untrusted", "verifying")
"""The kinds of trouble of which an `EntryWarning` is given."""


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
        warn_caller(message, EntryWarning if trouble in _OF_ENTRIES else PersistenceWarning)


def is_reported(trouble: str, subject: str) -> bool:
    """Has a trouble been reported, and not ended since?"""
    return (trouble, subject) in _reported


def note_written(store: Store, name: str) -> None:
    """Forget what was reported of an entry and of its store, since it was written: if it returns, it is reported again.

    At the first write, warn of a store to which other users can write.
    """
    if _reported:
        _reported.difference_update((("entry", name), ("store", store.location())))
    if store is not checked_store:
        check_privacy(store)


def note_key_usable(file: Path) -> None:
    """Forget what was reported of a key file, since it serves: if it returns, it is reported again."""
    if _reported:
        _reported.difference_update((("verifying", str(file)), ("signing", str(file))))


def clear_reports() -> None:
    """Forget all reports."""
    global checked_store
    checked_store = None
    _reported.clear()
    _checked_places.clear()


def short_call(key: Key) -> str:
    """A call for a message, shortened if it is long."""
    return shortened(key.call(), _LONGEST_CALL)


def report_unreadable(store: Store, name: str, error: Exception) -> None:
    """Warn that reading an entry, or loading what it holds, has failed."""
    if isinstance(error, LayerError):
        report_unreadable_layer(error)
    elif isinstance(error, KeyFileError):
        message = f"{store.location(name)} was not used: {error}; {_RECOMPUTED}, as is every other that is a pickle"
        report_once("verifying", str(error.file), message)
    elif not isinstance(error, OSError):
        report_unusable_entry(store, name, error)
    elif not isinstance(error, NotADirectoryError):
        # else the directory, or one above it, is a file: there are no entries, and writing warns of it
        report_once("store", store.location(), f"{store.location(name)} cannot be read ({error}); {_RECOMPUTED}")


def report_kept_in_memory(store: Store, key: Key, error: Exception) -> None:
    """Warn that a result cannot be written, because of the store or because of what it is."""
    message = f"{short_call(key)} is kept in memory only: "
    if isinstance(error, OSError):
        place = store.location()
        report_once("store", place, f"{message}writing to {place} failed ({error})")
    elif isinstance(error, KeyFileError):
        report_once("signing", str(error.file), f"{message}{error}; so is every other result that has to be pickled")
    else:
        report_once("value", f"{key.space.name}.{key.object}", f"{message}{_reason(error)}")


def report_unusable_entry(store: Store, name: str, error: Exception) -> None:
    """Warn that an entry must not be used; of those that others have pickled, once for each directory."""
    place = store.location(name)
    message = f"{place} was not used: {_reason(error)}; {_RECOMPUTED}"
    if isinstance(error, UntrustedEntryError):
        message += (
            ", as is every other in this directory that somebody else has pickled. Arrays and plain values (numbers,"
            " text, and tuples, lists and dicts of them) are shared: return these"
        )
        report_once("untrusted", place.removesuffix(name), message)
    else:
        report_once("entry", name, message)


def _reason(error: Exception) -> str:
    """What an error says; one of Python itself says too little."""
    return error_text(error) if isinstance(error, MemoryError | RecursionError) else str(error)


def report_wait_timeout(key: Key, computed_by: str) -> None:
    """Warn that a result did not come within the time limit; another ``"thread"`` or ``"process"`` computes it."""
    limit = settings().lock_timeout
    if limit is None:
        message = (
            f"another {computed_by} has begun to compute {short_call(key)}, but has shown no sign of life for"
            f" {PATIENCE:g} s; it is computed here too. To wait longer, use stored.configure(lock_timeout=...)"
        )
    else:
        message = (
            f"{short_call(key)} is still being computed by another {computed_by} after {limit:g} s, and is computed"
            " here too; to wait longer, use stored.configure(lock_timeout=...)"
        )
    report_once("turn", key.entry_name, message)


def report_unreadable_layer(error: LayerError) -> None:
    """Warn that a shared directory cannot be read."""
    message = (
        f"shared directory {error.layer} cannot be read ({error}), so results in it are not found; ask its"
        " owner for the permission to read (chmod -R go+rX), or take it out of shared_dirs"
    )
    report_once("layer", error.layer, message)


checked_store: Store | None = None
"""The store that was checked last, so that it is not checked with every read and write."""

_checked_places: set[str] = set()


def check_privacy(store: Store) -> None:
    """Warn of a store to which other users can write; each location is checked once."""
    global checked_store
    place, exposed = store.location(), ""
    if place not in _checked_places:
        with contextlib.suppress(OSError):  # reading or writing warns of this
            exposed = store.writable_by_others()
        if exposed:
            message = (
                f"{exposed}: whoever puts an entry there decides what you compute with. Take the permission away"
                " (chmod o-w), or choose another directory"
            )
            report_once("privacy", place, message)
        _checked_places.add(place)
    checked_store = store
