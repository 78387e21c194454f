"""Values to entries and back, and the forms in which values are kept and handed out."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stored import _format
from stored._keys import Key
from stored.errors import DamagedEntryError
from stored.typing import Buffer, HandOut

__all__ = ["NotStorableError", "decode", "encode", "frozen", "hand_out_for"]


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
        body, buffers = _format.pack_native(value)
        header["kind"] = "native"
    except _format.NotNativeError:
        body, buffers = _pickled(value), []
        header |= {"kind": "pickle", "signature": sign(key.text(), body)}
    try:
        return _format.pack(header, body, buffers)
    except ValueError as error:
        raise NotStorableError(str(error)) from None


def _pickled(value: object) -> bytes:
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # a value's own __reduce__ may raise anything
        raise NotStorableError(f"a {type(value).__qualname__} cannot be pickled ({error})") from error


def decode(key: Key, entry: _format.Entry, verify: Callable[[str, bytes, object], None]) -> Any:
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
    if Key.from_json(_mapping(entry.header.get("key"))) != key:
        raise DamagedEntryError("it belongs to another result")
    if entry.header.get("kind") == "native":
        return _format.unpack_native(entry)
    if entry.header.get("kind") != "pickle":
        raise DamagedEntryError(f"its kind is {entry.header.get('kind')!r}, neither native nor pickle")
    body = bytes(entry.body())
    verify(key.text(), body, entry.header.get("signature"))
    try:
        return frozen(pickle.loads(body))
    except Exception as error:  # ours by signature, but its class may have moved or changed
        raise DamagedEntryError(f"its pickle cannot be loaded ({type(error).__name__}: {error})") from error


def _mapping(found: object) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise DamagedEntryError("its header holds no key")
    return found


# --------------------------------------------------------------------------------------------------------------------
# Keeping and handing out
# --------------------------------------------------------------------------------------------------------------------

_CONTAINERS = (tuple, list, set, frozenset, dict)


def frozen(value: Any) -> Any:
    """A value as it is kept: arrays copied and read-only, plain containers rebuilt, anything else itself."""
    if isinstance(value, np.ndarray):
        return _frozen_array(value)
    return _rebuilt(value, frozen) if type(value) in _CONTAINERS else value


def _frozen_array(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    own = np.array(array, copy=True, order="K", subok=True)
    own.flags.writeable = False
    return own.view()  # unlike its owner, a view of read-only memory cannot be made writable again


def _rebuilt(value: Any, treat: Callable[[Any], Any]) -> Any:
    if type(value) is dict:
        return {key: treat(each) for key, each in value.items()}
    return type(value)([treat(each) for each in value])


def hand_out_for(value: object, private: bool) -> HandOut | None:
    """How a kept value reaches callers so that none can change what is kept.

    Parameters
    ----------
    value : object
        A kept value.
    private : bool
        Hand out deep copies, writable arrays among them.

    Returns
    -------
    callable or None
        None if the value itself can be handed out.
    """
    if private:
        return copy.deepcopy
    return _shared if _has_mutable_container(value) else None


def _has_mutable_container(value: Any) -> bool:
    if type(value) in {list, set, dict}:
        return True
    return type(value) is tuple and any(_has_mutable_container(each) for each in value)


def _shared(value: Any) -> Any:
    """The containers anew, what they hold as it is: it is frozen already."""
    return _rebuilt(value, _shared) if type(value) in _CONTAINERS else value
