"""What can be removed from a store? Leftovers of processes that died, and entries beyond the limits."""

from __future__ import annotations

from collections.abc import Iterator

from stored._settings import settings
from stored._storage.limits import trim
from stored._storage.old_entries import remove_old_entries
from stored._storage.signing import clear_drafts
from stored._storage.tier import PersistentTier, current_store
from stored.errors import ConfigurationError
from stored.stores import DirectoryStore, LayeredStore
from stored.typing import Store, Upkeep, left_out

__all__ = ["upkeep"]


def upkeep() -> Upkeep:
    """Tidy the store: remove what processes that died have left, entries of earlier layouts, and results beyond limits.

    Files are removed only if their names and first bytes are those of the library. It is safe at any time, whoever else
    uses the store. Leftovers are also removed when a process writes for the first time. Results beyond the limits,
    which `configure` sets, are also removed in the background: when there is more than `max_bytes`, and every hour
    while results are written, or after a tenth of `max_age` if that is shorter.

    Returns
    -------
    Upkeep
        What is there now, what was removed, and what is not done with this store and these settings. Its text, as
        `print` shows it, says all of it.

    Raises
    ------
    ConfigurationError
        If the settings forbid writing, which includes removing.
    OSError
        If the store cannot be read, or something cannot be removed; or if it is a directory that may not be a cache:
        a home directory, or one that holds much else, or anything else and has no marker file ``CACHEDIR.TAG``.
    """
    if not PersistentTier("w").writes:
        raise ConfigurationError(
            "upkeep removes files, and stored.configure() allows no writing; give it persistence='rw' and disable=False"
        )
    store, leftovers, old = current_store(), 0, Upkeep()
    own = store.upper if isinstance(store, LayeredStore) else store
    if isinstance(own, DirectoryStore):
        own.check_is_cache()
    try:
        clear_drafts(settings().key_file)
        leftovers = store.clear_leftovers()
        old = remove_old_entries(own)
    finally:
        done = trim(store)
    return done._replace(
        removed_entries=done.removed_entries + old.removed_entries,
        removed_bytes=done.removed_bytes + old.removed_bytes,
        leftovers=leftovers,
        not_done=tuple(_not_done(store, own)),
    )


def _not_done(store: Store, own: Store) -> Iterator[str]:
    """What upkeep does not do; of a store over others, `own` is the one that is written."""
    now, place, missing = settings(), own.location(), left_out(own)
    if "trim" in missing:
        yield f"{place} has no trim(): what is there is not counted, and nothing is removed for its size or its age"
    elif now.max_bytes is None and now.max_age is None:
        yield "no result is removed for its size or its age, since neither max_bytes nor max_age is set"
    if "count_written" in missing and now.max_bytes is not None:
        yield (
            f"{place} keeps no count (count_written), so each process counts what it writes itself, and several can"
            " exceed max_bytes until one of them trims"
        )
    if "clear_leftovers" in missing:
        yield f"leftovers of processes that died are not looked for: {place} has none, or no clear_leftovers() for them"
    if isinstance(own, DirectoryStore) and not own.has_locks():
        yield f"in {place}, files cannot be locked, so leftovers stay for a day: a living process may still need them"
    if isinstance(store, LayeredStore):
        yield f"nothing is removed from what is only read: {', '.join(each.location() for each in store.lower)}"
