"""Values to entries and back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any

from stored._keys import Key
from stored._storage.format import Entry, pack
from stored._storage.freezing import freeze
from stored._storage.native import NotNativeError, pack_native, unpack_native
from stored.errors import DamagedEntryError
from stored.typing import Buffer

__all__ = ["NotStorableError", "decode", "encode"]


class NotStorableError(Exception):
    """A value that can neither be written natively nor pickled."""


def encode(key: Key, value: object, details: Mapping[str, Any], sign: Callable[[str, bytes], str]) -> list[Buffer]:
    """The entry of a value.

    Parameters
    ----------
    key : Key
        Its full key.
    value : object
        Any value; it is pickled only if it has no native form.
    details : mapping
        More of the header: when, how long, written by what.
    sign : callable
        Takes the key's text and the pickle, and returns the signature.

    Raises
    ------
    NotStorableError
        If the value cannot be pickled either, or its key is too long.
    """
    header = {"key": key.as_json(), **details}
    try:
        body, buffers = pack_native(value)
        header["kind"] = "native"
    except NotNativeError:
        body, buffers = _pickled(value), []
        header |= {"kind": "pickle", "signature": sign(key.text(), body)}
    try:
        return pack(header, body, buffers)
    except ValueError as error:
        raise NotStorableError(str(error)) from None


def _pickled(value: object) -> bytes:
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # a value's own __reduce__ may raise anything
        raise NotStorableError(f"a {type(value).__qualname__} cannot be pickled ({error})") from error


def decode(key: Key, entry: Entry, verify: Callable[[str, bytes, object], None]) -> Any:
    """The value of a verified entry.

    Parameters
    ----------
    key : Key
        The key that was asked for.
    entry : Entry
        What was found.
    verify : callable
        Takes the key's text, the pickle and its signature, and raises unless they belong together.

    Raises
    ------
    EntryError
        If the entry belongs to another key, or does not hold a value that may be loaded.
    """
    if entry.header.get("key") != key.as_json():
        Key.from_json(_mapping(entry.header.get("key")))  # which says it if that is no key at all
        raise DamagedEntryError("it belongs to another result")
    if entry.header.get("kind") == "native":
        return unpack_native(entry)
    if entry.header.get("kind") != "pickle":
        raise DamagedEntryError(f"its kind is {entry.header.get('kind')!r}, neither native nor pickle")
    body = bytes(entry.body())
    verify(key.text(), body, entry.header.get("signature"))
    try:
        return freeze(pickle.loads(body))
    except Exception as error:  # ours by signature, but its class may have moved or changed
        raise DamagedEntryError(f"its pickle cannot be loaded ({type(error).__name__}: {error})") from error


def _mapping(found: object) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise DamagedEntryError("its header holds no key")
    return found
