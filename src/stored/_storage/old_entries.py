"""Which entries of a store were written by releases with another layout? Nobody reads them, and upkeep removes them.

Their names are ``<module>/<owner>-<32 hex>/<object>-<32 hex>.stored``, or these with ``.removed`` for a mark that hid
an entry of a shared directory.
"""

from __future__ import annotations

import re

from stored._entry_form import ENTRY_MAGIC, begins_as_entry
from stored.typing import Store, Upkeep

__all__ = ["remove_old_entries"]

_OLD_NAME = re.compile(r"[^/]+/[^/]+-[0-9a-f]{32}/[^/]+-[0-9a-f]{32}\.stored(\.removed)?")


def remove_old_entries(store: Store) -> Upkeep:
    """Remove the entries of the old layout.

    Raises
    ------
    OSError
        If the store cannot be read, or an entry cannot be removed.
    """
    entries = size = 0
    for name in store.names():
        if _OLD_NAME.fullmatch(name):
            start = store.read_start(name, len(ENTRY_MAGIC))
            if start is not None and begins_as_entry(bytes(start)):  # else it may be any file, of any size
                data = store.read(name)
                if store.delete(name):
                    entries += 1
                    size += 0 if data is None else memoryview(data).nbytes
    return Upkeep(removed_entries=entries, removed_bytes=size)
