"""Which results does a store contain? Headers are read for this, without verifying the entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stored._keys import ENTRY_ENDING, Key, entry_prefix, module_folder
from stored._settings import settings
from stored._storage.format import unpack
from stored._storage.reports import is_reported, report_once, report_unreadable_layer
from stored.errors import DamagedEntryError, EntryError
from stored.stores import LayerError
from stored.typing import SupportsStore

__all__ = ["headers", "key_in_header", "keys_of_same_method"]

_USUAL_HEADER_BYTES = 4096


def headers(store: SupportsStore, folder: str, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and headers of the readable entries in a folder.

    The entries are not verified: headers serve to list results, not to load them.
    """
    if settings().disable:
        return
    try:
        for name in store.names(folder):
            if name.endswith(ENTRY_ENDING) and name.rpartition("/")[2].startswith(prefix):
                header = _header(store, name)
                if isinstance(header.get("key"), dict):
                    yield name, header
    except LayerError as error:
        report_unreadable_layer(error)
    except OSError as error:
        if not is_reported("store", store.location()):  # then this is known already
            place = store.location(folder)
            report_once("listing", place, f"{place} cannot be listed ({error}); not all is shown or removed")


def _header(store: SupportsStore, name: str) -> dict[str, Any]:
    """The header of an entry; empty if it is damaged, of which only loading the value warns."""
    try:
        start = store.read_start(name, _USUAL_HEADER_BYTES) or b""
        try:
            return unpack(start, verify=False).header
        except DamagedEntryError:
            return unpack(store.read(name) or b"", verify=False).header
    except EntryError:
        return {}


def keys_of_same_method(store: SupportsStore, key: Key, limit: int = 1000) -> list[Key]:
    """Keys of stored results of the same method, of owners of the same name; at most `limit`."""
    found = []
    for _, header in headers(store, module_folder(key.space.module), entry_prefix(key.object)):
        other = key_in_header(header)
        if other is not None and _is_same_method(other, key):
            found.append(other)
        if len(found) == limit:
            break
    return found


def key_in_header(header: Mapping[str, Any]) -> Key | None:
    """The key in a header; None if it is damaged."""
    try:
        return Key.from_json(header["key"])
    except DamagedEntryError:
        return None


def _is_same_method(one: Key, other: Key) -> bool:
    """Are these keys of the same method, of owners of the same name?"""
    first, second = ((key.space.module, key.space.name, key.object, key.definition) for key in (one, other))
    return first == second
