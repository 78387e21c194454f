"""How does a value become an entry, and an entry a value?"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from stored._keys import Key
from stored._storage.format import MAX_PART_BYTES, describe, dump_json, pack, unpack
from stored._storage.freezing import freeze
from stored._storage.listed_values import Values, list_values
from stored._storage.native import NotNativeError, located, pack_native, unpack_native
from stored._storage.pickles import dump_pickle, load_pickle
from stored._storage.registered import NotEncodedError
from stored.errors import DamagedEntryError, error_text, shortened
from stored.typing import Buffer

__all__ = ["NotStorableError", "decode", "encode"]


class NotStorableError(Exception):
    """A value that has no entry: it has no native form and cannot be pickled, or it is too large."""


def encode(
    key: Key,
    value: object,
    writer: Mapping[str, str],
    sign: Callable[[bytes, bytes], str],
    seconds: float = 0.0,
    values: Values | None = None,
) -> tuple[list[Buffer], int]:
    """The entry of a value, in parts, and its size in bytes.

    Parameters
    ----------
    key : Key
        The full key of the result.
    value : object
        The value, as `freeze` returns it; it is pickled only if it has no native form.
    writer : mapping
        The programs that write it, with their versions.
    sign : callable
        Takes the key's bytes and the pickle, and returns the signature.
    seconds : float
        How long computing it took.
    values : Values, optional
        The values of parameters and arguments, for listings.

    Raises
    ------
    NotStorableError
        If the value has no native form and cannot be pickled, or the key is too long.
    """
    listed = None if values is None else list_values(key, values)
    try:
        body, buffers = pack_native(value)
        described = _native_description(*writer.items())
    except NotEncodedError as error:
        raise NotStorableError(str(error)) from error
    except NotNativeError as error:
        body, buffers = _pickle(value, error), []
        described = describe("pickle", writer, sign(key.data, body))
    listed_data = b"" if listed is None else dump_json(listed)
    if len(listed_data) > MAX_PART_BYTES:  # then none is listed
        listed_data = b""
    try:
        return pack(key.data, described, listed_data, body, buffers, time.time(), seconds)
    except ValueError as error:
        raise NotStorableError(str(error)) from None


@functools.lru_cache(maxsize=16)
def _native_description(*writer: tuple[str, str]) -> bytes:
    return describe("native", dict(writer))


def _pickle(value: object, not_native: NotNativeError) -> bytes:
    try:
        return dump_pickle(value)
    except Exception as error:  # __reduce__ of the value's class may raise anything
        message = f"a {type(value).__qualname__} cannot be pickled ({error_text(error)})"
        raise NotStorableError(message + _remedy(located(value, not_native))) from error


def _remedy(not_native: NotNativeError) -> str:
    """What is in a value that takes a pickle, and how it could be written without."""
    place, kind = shortened(not_native.place(), _LONGEST_PLACE), not_native.kind
    found = f"; {place} of it is of type {not_native}" if place else ""
    if kind is None:
        return found
    name = kind.__qualname__
    return f"{found}; stored.register({name}, encode=..., decode=...) has each {name} written without pickle"


_LONGEST_PLACE = 200


def decode(
    key: Key,
    data: Buffer,
    check_writer: Callable[[Mapping[str, Any]], None] | None,
    verify: Callable[[bytes, bytes, object], None],
) -> tuple[Any, float]:
    """The value of an entry, and how many seconds computing it took.

    Parameters
    ----------
    key : Key
        The key that was asked for.
    data : bytes-like
        All bytes of the entry.
    check_writer : callable, optional
        Takes the versions of the programs that wrote it, and raises a `DamagedEntryError` if they are outdated.
    verify : callable
        Takes the key's bytes, the pickle and its signature, and raises `UntrustedEntryError` if they do not match.

    Raises
    ------
    EntryError
        If it is damaged, belongs to another key, or does not hold a value that may be loaded.
    """
    entry = unpack(data)
    if entry.key != key.data:
        Key.from_bytes(entry.key)  # raises an error of its own if it is no key
        raise DamagedEntryError("it belongs to another result")
    kind, writer, signature = entry.description()
    if check_writer is not None:
        check_writer(writer)
    if kind == "native":
        return unpack_native(entry), entry.seconds
    if not entry.ends_with_body():
        raise DamagedEntryError("more follows after its pickle")
    verify(key.data, entry.body, signature)
    try:
        return freeze(load_pickle(key, entry.body)), entry.seconds
    except Exception as error:  # it was written by this user, but its class may have moved or changed
        raise DamagedEntryError(f"its pickle cannot be loaded ({error_text(error)})") from error
