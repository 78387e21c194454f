"""Which entries of a store were written by releases with another layout? Nobody reads them, and upkeep removes them.

Their names are ``<module>/<owner>-<32 hex>/<object>-<32 hex>.stored``, or these with ``.removed`` for a mark that hid
an entry of a shared directory; and those of results of methods that lie where objects do that are stored by name.
"""

from __future__ import annotations

import re

from stored._entry_form import ENTRY_MAGIC, begins_as_entry
from stored._keys import Key
from stored._storage.format import header_end, unpack
from stored.errors import EntryError
from stored.typing import Store, Upkeep

__all__ = ["remove_old_entries"]

_OLD_NAME = re.compile(r"[^/]+/[^/]+-[0-9a-f]{32}/[^/]+-[0-9a-f]{32}\.stored(\.removed)?")

_NAME_BESIDE_OBJECTS = re.compile(r"[^/]+/[0-9a-f]{2}/[^/]+-[0-9a-f]{8}-[0-9a-f]{32}\.stored")


def remove_old_entries(store: Store) -> Upkeep:
    """Remove the entries of the old layout.

    Raises
    ------
    OSError
        If the store cannot be read, or an entry cannot be removed.
    """
    entries = size = 0
    for name in store.names():
        if _is_old(store, name):
            data = store.read(name)
            if store.delete(name):
                entries += 1
                size += 0 if data is None else memoryview(data).nbytes
    return Upkeep(removed_entries=entries, removed_bytes=size)


def _is_old(store: Store, name: str) -> bool:
    if _OLD_NAME.fullmatch(name):
        start = store.read_start(name, len(ENTRY_MAGIC))
        return start is not None and begins_as_entry(bytes(start))  # else it may be any file, of any size
    return _NAME_BESIDE_OBJECTS.fullmatch(name) is not None and _is_of_method(store, name)


def _is_of_method(store: Store, name: str) -> bool:
    try:
        end = header_end(store.read_start(name, _FIRST_BYTES) or b"")
        return bool(Key.from_bytes(unpack(store.read_start(name, end) or b"", verify=False).key).definition)
    except EntryError:
        return False


_FIRST_BYTES = 4096
