"""Which results does a store contain? Names and headers are read for this, without verifying the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from stored._entry_form import ENTRY_MAGIC, begins_as_entry, is_entry_name
from stored._keys import Key, Space, method_folder, method_part, module_folder, owner_part
from stored._settings import settings
from stored._storage.format import Entry, header_end, unpack
from stored._storage.listed_values import ListedValues, read_values
from stored._storage.reports import is_reported, report_once, report_unreadable_layer
from stored.errors import EntryError, error_text
from stored.stores import LayerError
from stored.typing import Buffer, Store

__all__ = [
    "ADOPTED",
    "Header",
    "headers",
    "headers_of_method",
    "headers_of_space",
    "keys_of_same_method",
    "names_of_definition",
    "names_of_method",
    "read_header",
]

_USUAL_HEADER_BYTES = 4096

_MOST_COMPARED_BYTES = 16 << 20
"""Headers in which keys of one method are looked for; each counts for at least `_USUAL_HEADER_BYTES`."""


ADOPTED = "adopted"
"""Under this name, among the programs that wrote an entry, stands the version of earlier code that has computed it."""


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


def headers_of_space(store: Store, space: Space, methods: Iterable[tuple[str, str]] = ()) -> Iterator[Header]:
    """The headers of the readable entries of one owner with one set of its parameters.

    Parameters
    ----------
    store : Store
        The store.
    space : Space
        The owner and its parameters.
    methods : iterable of (str, str)
        Names and qualified names of methods whose entries are listed beside the objects that are stored by name.
    """
    prefixes = dict.fromkeys([f"{space.prefix}-", *[space.prefix_of(*each) for each in methods]])
    for prefix in prefixes:
        yield from _headers_with(store, prefix)


def _headers_with(store: Store, prefix: str) -> Iterator[Header]:
    return _headers(store, prefix.rpartition("/")[0], lambda name: name.startswith(prefix))


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
    if definition:
        return _headers(store, method_folder(module, name, definition), lambda found: True)
    part = method_part(name, definition)
    return _headers(store, module_folder(module), lambda found: part in found)


def keys_of_same_method(store: Store, key: Key, limit: int = 1000) -> Iterator[Key]:
    """Keys of stored results of the same method, of owners of the same name.

    Parameters
    ----------
    store : Store
        The store.
    key : Key
        The key of one result of the method.
    limit : int
        The most keys; they are fewer if the headers that are read take more than `_MOST_COMPARED_BYTES`.
    """
    owner, folder = owner_part(key.space.name), method_folder(key.space.module, key.object, key.definition)
    found = compared_bytes = 0
    for name in _entry_names(store, folder, lambda name: name.rpartition("/")[2].startswith(owner)):
        header, size = _header_and_size(store, name)
        if header is not None and _is_same_method(header.key, key):
            yield header.key
            found += 1
        compared_bytes += max(size, _USUAL_HEADER_BYTES)
        if found == limit or compared_bytes > _MOST_COMPARED_BYTES:
            return


def _is_same_method(one: Key, other: Key) -> bool:
    """Are these keys of the same method, of owners of the same name?"""
    first, second = ((key.space.module, key.space.name, key.object, key.definition) for key in (one, other))
    return first == second


def names_of_definition(store: Store, space: Space, name: str, definition: str) -> Iterator[str]:
    """The names of all entries of a method in one space, but not those of other classes that inherit it.

    These have the same names, and are told by their keys; a damaged entry belongs to all of them. What does not begin
    as an entry is a file of another program.
    """
    prefix = space.prefix_of(name, definition)
    for found in _entry_names(store, prefix.rpartition("/")[0], lambda each: each.startswith(prefix)):
        header = read_header(store, found)
        if _begins_as_entry(store, found) if header is None else header.key.definition == definition:
            yield found


def names_of_method(store: Store, module: str, name: str, definition: str) -> Iterator[str]:
    """The names of all entries of a method, of all owners of a module, those of subclasses included; damaged ones too.

    What does not begin as an entry is a file of another program.
    """
    for found in _entry_names(store, method_folder(module, name, definition), lambda each: True):
        if _begins_as_entry(store, found):
            yield found


def _begins_as_entry(store: Store, name: str) -> bool:
    try:
        return begins_as_entry(bytes(store.read_start(name, len(ENTRY_MAGIC)) or b""))
    except OSError:
        return True  # that it cannot be removed is warned of


def _entry_names(store: Store, folder: str, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """The names of the entries in a folder that are wanted; a store that cannot be listed is reported."""
    if settings().disable:
        return
    try:
        for name in store.names(folder):
            if is_entry_name(name) and is_wanted(name):
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
        header = read_header(store, name)
        if header is not None:
            yield header


def read_header(store: Store, name: str) -> Header | None:
    """The header of an entry; None if it is damaged or not at its place, of which only loading the value warns."""
    return _header_and_size(store, name)[0]


def _header_and_size(store: Store, name: str) -> tuple[Header | None, int]:
    """The header of an entry, and how many bytes were read for it."""
    size = 0
    try:
        start = _start(store, name)
        size = memoryview(start).nbytes
        header = _header_in(unpack(start, verify=False), name)
    except EntryError:
        return None, size
    except (OSError, MemoryError, RecursionError) as error:
        _report(store, name.rpartition("/")[0], error)
        return None, size
    return header if header.key.entry_name == name else None, size


def _start(store: Store, name: str) -> Buffer:
    """The beginning of an entry, up to the end of its header or further."""
    start = store.read_start(name, _USUAL_HEADER_BYTES) or b""
    end = header_end(start)
    return start if end <= memoryview(start).nbytes else store.read_start(name, end) or b""


def _header_in(entry: Entry, name: str) -> Header:
    key, writer = Key.from_bytes(entry.key), dict(entry.description().writer)
    return Header(name, key, read_values(entry), entry.created, entry.seconds, writer)
