"""What can be removed from a store? Leftovers of processes that died, and entries beyond the limits."""

from __future__ import annotations

from stored._settings import settings
from stored._storage.limits import trim
from stored._storage.old_entries import remove_old_entries
from stored._storage.signing import clear_drafts
from stored._storage.tier import PersistentTier, current_store
from stored.errors import ConfigurationError
from stored.stores import DirectoryStore, LayeredStore
from stored.typing import Upkeep

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
        What is there now, and what was removed.

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
    )
