"""How does a value become an entry, and an entry a value?"""

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
    """A value that has no entry: it has no native form and cannot be pickled, or it is too large."""


def encode(key: Key, value: object, details: Mapping[str, Any], sign: Callable[[str, bytes], str]) -> list[Buffer]:
    """The entry of a value.

    Parameters
    ----------
    key : Key
        The full key of the result.
    value : object
        The value, as `freeze` returns it; it is pickled only if it has no native form.
    details : mapping
        The other fields of the header: ``created``, ``seconds`` and ``writer``.
    sign : callable
        Takes the key's text and the pickle, and returns the signature.

    Raises
    ------
    NotStorableError
        If the value has no native form and cannot be pickled, or the key is too long.
    """
    header = {"key": key.as_json(), **details}
    try:
        body, buffers = pack_native(value)
        header["kind"] = "native"
    except NotNativeError:
        body, buffers = _pickle(value), []
        header |= {"kind": "pickle", "signature": sign(key.text(), body)}
    try:
        return pack(header, body, buffers)
    except ValueError as error:
        raise NotStorableError(str(error)) from None


def _pickle(value: object) -> bytes:
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # __reduce__ of the value's class may raise anything
        raise NotStorableError(f"a {type(value).__qualname__} cannot be pickled ({error})") from error


def decode(key: Key, entry: Entry, verify: Callable[[str, bytes, object], None]) -> Any:
    """The value of a verified entry.

    Parameters
    ----------
    key : Key
        The key that was asked for.
    entry : Entry
        An entry whose checksum was verified.
    verify : callable
        Takes the key's text, the pickle and its signature, and raises `UntrustedEntryError` if they do not match.

    Raises
    ------
    EntryError
        If the entry belongs to another key, or does not hold a value that may be loaded.
    """
    if entry.header.get("key") != key.as_json():
        Key.from_json(_checked_mapping(entry.header.get("key")))  # raises an error of its own if it is no key
        raise DamagedEntryError("it belongs to another result")
    if entry.header.get("kind") == "native":
        return unpack_native(entry)
    if entry.header.get("kind") != "pickle":
        raise DamagedEntryError(f"its kind is {entry.header.get('kind')!r}, neither native nor pickle")
    body = bytes(entry.body())
    verify(key.text(), body, entry.header.get("signature"))
    try:
        return freeze(pickle.loads(body))
    except Exception as error:  # it was written by this user, but its class may have moved or changed
        raise DamagedEntryError(f"its pickle cannot be loaded ({type(error).__name__}: {error})") from error


def _checked_mapping(found: object) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise DamagedEntryError("its header holds no key")
    return found
