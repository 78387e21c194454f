"""In which directory are the entries, or those of a module?"""

from __future__ import annotations

import os

from stored._keys import module_folder
from stored._storage import current_store
from stored.errors import ConfigurationError
from stored.stores import DirectoryStore, LayeredStore

__all__ = ["directory_of", "getCacheDir"]


def getCacheDir(module: str | None = None) -> str:
    """The directory of the entries, or of those of a module, with a slash at its end; made if need be.

    Raises
    ------
    ConfigurationError
        If entries do not live in a directory.
    OSError
        If the directory cannot be made.
    """
    store = current_store()
    if isinstance(store, LayeredStore):
        store = store.upper
    if not isinstance(store, DirectoryStore):
        raise ConfigurationError(f"entries live in {store!r}, which has no directory")
    return directory_of(store, module)


def directory_of(store: DirectoryStore, module: str | None) -> str:
    """The directory of a module's entries, made if need be."""
    return f"{store.make_folder('' if module is None else module_folder(module))}{os.sep}"
