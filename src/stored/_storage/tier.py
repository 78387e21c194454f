"""Where do results persist, and may they be read and written? As the settings and the tier say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from stored._keys import Key, Space
from stored._settings import Settings, check_persistence, settings
from stored._storage.disk import Access, Slot, delete_entry
from stored._storage.listed_values import Values
from stored._storage.listing import names_of_definition, names_of_method
from stored._version import __version__
from stored.stores import DirectoryStore, LayeredStore
from stored.typing import Store

__all__ = ["PersistentTier", "current_store"]


@lru_cache(maxsize=8)
def _directory_store(
    root: Path, group: str | None, shared: tuple[Path, ...], maps_shared: bool
) -> DirectoryStore | LayeredStore:
    own = DirectoryStore(root, group=group)
    return LayeredStore(own, *[DirectoryStore(each, maps=maps_shared) for each in shared]) if shared else own


def current_store(now: Settings | None = None) -> Store:
    """The store that settings name, by default those in force."""
    if now is None:
        now = settings()
    if now.store is not None:
        return now.store
    return _directory_store(now.cache_dir, now.group, now.shared_dirs, now.map_shared_dirs)


class PersistentTier:
    """Results in a store.

    Parameters
    ----------
    persistence : str
        ``"r"`` to read, ``"w"`` to write, ``"rw"`` for both, ``""`` for neither; the settings can forbid either.

    Attributes
    ----------
    writer : mapping
        Names and versions of the programs that compute the results, for the entries.
    check_writer : callable or None
        Takes the versions of the programs that wrote an entry, and raises a `DamagedEntryError` if they are outdated.
    """

    writer: Mapping[str, str] = {
        "stored": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "numpy": np.__version__,
    }
    check_writer: Callable[[Mapping[str, Any]], None] | None = None
    _access: Access | None = None

    def __init__(self, persistence: str) -> None:
        self.persistence = check_persistence(persistence)

    def __getstate__(self) -> dict[str, Any]:
        """A tier in another process has the settings of that process."""
        return {**vars(self), "_access": None}

    @property
    def reads(self) -> bool:
        """Are results read?"""
        return "r" in self.persistence and "r" in settings().persistence

    @property
    def writes(self) -> bool:
        """Are results written?"""
        now = settings()
        return "w" in self.persistence and "w" in now.persistence and not now.disable

    def store(self) -> Store:
        """Where results are now."""
        return current_store()

    def slot(self, key: Key, values: Values | None = None, now: Settings | None = None) -> Slot:
        """The place of one result, with the settings and the store as they are now.

        Parameters
        ----------
        key : Key
            The full key of the result.
        values : Values, optional
            The values of parameters and arguments, for listings.
        now : Settings, optional
            The settings, by default those in force.
        """
        if now is None:
            now = settings()
        access = self._access
        if access is None or access.settings is not now:
            access = self._access = self.access(now, current_store(now))
        return Slot(access, key, values)

    def access(self, now: Settings, store: Store) -> Access:
        """What all slots have in common under these settings."""
        letters = set(self.persistence) & set(now.persistence) if not now.disable else ()
        reads, writes = "r" in letters, "w" in letters
        touches = writes and (now.max_age is not None or now.max_bytes is not None)
        return Access(now, store, reads, writes, touches, self.writer, self.check_writer)

    def forget_all(self, space: Space, name: str, definition: str) -> None:
        """Remove all entries of one method in one space, of all versions and arguments; damaged ones too."""
        if not self.writes:
            return
        store = self.store()
        for entry in names_of_definition(store, space, name, definition):
            delete_entry(store, entry)

    def forget_method(self, modules: Iterable[str], name: str, definition: str) -> None:
        """Remove all entries of a method, of all owners of some modules, of all versions and arguments."""
        if not self.writes:
            return
        store = self.store()
        for module in modules:
            for entry in names_of_method(store, module, name, definition):
                delete_entry(store, entry)
