"""Which results does a store contain? Names and headers are read for this, without verifying the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from stored._keys import ENTRY_ENDING, Key, Space, method_part, module_folder, owner_part
from stored._settings import settings
from stored._storage.format import Entry, unpack
from stored._storage.listed_values import ListedValues, read_values
from stored._storage.reports import is_reported, report_once, report_unreadable_layer
from stored.errors import DamagedEntryError, EntryError, error_text
from stored.stores import LayerError
from stored.typing import Store

__all__ = [
    "Header",
    "headers",
    "headers_of_method",
    "headers_of_space",
    "keys_of_same_method",
    "names_of_definition",
]

_USUAL_HEADER_BYTES = 4096


class Header(NamedTuple):
    """What an entry says of itself; it is not verified, and serves to list results, not to load them.

    Parameters
    ----------
    name : str
        The name of the entry in the store.
    key : Key
        Its full key.
    values : dict
        The values of ``"parameters"`` and ``"arguments"`` by name: numbers, texts, None, lists of them, and
        ``{"text": canonical text}``.
    created, seconds : float
        When it was written, in seconds since 1970, and how long computing the value took.
    writer : dict
        The programs that wrote it, with their versions.
    """

    name: str
    key: Key
    values: ListedValues
    created: float
    seconds: float
    writer: dict[str, Any]


def headers(store: Store) -> Iterator[Header]:
    """The headers of all readable entries of a store."""
    return _headers(store, "", lambda name: True)


def headers_of_space(store: Store, space: Space) -> Iterator[Header]:
    """The headers of the readable entries of one owner with one set of its parameters."""
    prefix = f"{space.prefix}-"
    return _headers(store, space.folder(), lambda name: name.startswith(prefix))


def headers_of_method(store: Store, module: str, name: str, definition: str) -> Iterator[Header]:
    """The headers of the readable entries of a method, for all owners and parameters.

    Parameters
    ----------
    store : Store
        The store.
    module : str
        The module of the owners.
    name : str
        The name of the object.
    definition : str
        The qualified name of the method, with or without the class that inherits it.
    """
    part = method_part(name, definition)
    return _headers(store, module_folder(module), lambda found: part in found)


def keys_of_same_method(store: Store, key: Key, limit: int = 1000) -> list[Key]:
    """Keys of stored results of the same method, of owners of the same name; at most `limit`."""
    owner, part = owner_part(key.space.name), method_part(key.object, key.definition)
    found: list[Key] = []
    for header in _headers(
        store, module_folder(key.space.module), lambda name: name.rpartition("/")[2].startswith(owner) and part in name
    ):
        if _is_same_method(header.key, key):
            found.append(header.key)
        if len(found) == limit:
            break
    return found


def _is_same_method(one: Key, other: Key) -> bool:
    """Are these keys of the same method, of owners of the same name?"""
    first, second = ((key.space.module, key.space.name, key.object, key.definition) for key in (one, other))
    return first == second


def names_of_definition(store: Store, space: Space, name: str, definition: str) -> Iterator[str]:
    """The names of all entries of a method in one space, but not those of other classes that inherit it.

    These have the same names, and are told by their keys; a damaged entry belongs to all of them.
    """
    prefix = f"{space.prefix}{method_part(name, definition)}"
    for found in _entry_names(store, space.folder(), lambda each: each.startswith(prefix)):
        header = _header(store, found)
        if header is None or header.key.definition == definition:
            yield found


def _entry_names(store: Store, folder: str, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """The names of the entries in a folder that are wanted; a store that cannot be listed is reported."""
    if settings().disable:
        return
    try:
        for name in store.names(folder):
            if name.endswith(ENTRY_ENDING) and is_wanted(name):
                yield name
    except OSError as error:
        _report(store, folder, error)


def _report(store: Store, folder: str, error: Exception) -> None:
    if isinstance(error, LayerError):
        report_unreadable_layer(error)
    elif not is_reported("store", store.location()):  # else this is known already
        place = store.location(folder)
        report_once("listing", place, f"{place} cannot be listed ({error_text(error)}); not all is shown or removed")


def _headers(store: Store, folder: str, is_wanted: Callable[[str], bool]) -> Iterator[Header]:
    for name in _entry_names(store, folder, is_wanted):
        header = _header(store, name)
        if header is not None:
            yield header


def _header(store: Store, name: str) -> Header | None:
    """The header of an entry; None if it is damaged or not at its place, of which only loading the value warns."""
    try:
        header = _header_in(_entry(store, name), name)
    except EntryError:
        return None
    except (OSError, MemoryError, RecursionError) as error:
        _report(store, name.rpartition("/")[0], error)
        return None
    return header if header.key.entry_name == name else None


def _header_in(entry: Entry, name: str) -> Header:
    key, writer = Key.from_bytes(entry.key), dict(entry.description().writer)
    return Header(name, key, read_values(entry), entry.created, entry.seconds, writer)


def _entry(store: Store, name: str) -> Entry:
    """The beginning of an entry, or all of it if that is not enough."""
    start = store.read_start(name, _USUAL_HEADER_BYTES) or b""
    try:
        return unpack(start, verify=False)
    except DamagedEntryError:
        return unpack(store.read(name) or b"", verify=False)
