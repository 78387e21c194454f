"""Values to entries and back, and the forms in which values are kept and handed out."""

from __future__ import annotations

import array
import collections
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
    if entry.header.get("key") != key.as_json():
        Key.from_json(_mapping(entry.header.get("key")))  # which says it if that is no key at all
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
_CHANGEABLE = (*_CONTAINERS, bytearray, array.array, collections.deque, np.ndarray)


class _TooDeepError(Exception):
    """Containers nested more deeply than is looked into; those that hold themselves are."""


def frozen(value: Any) -> Any:
    """A value as it is kept, out of reach of whoever has the original.

    Arrays are copied and read-only. Plain containers and namedtuples are rebuilt. What cannot be made read-only (other
    containers, arrays of objects, subclasses of arrays with attributes of their own, such as a mask) is copied as a
    whole. Anything else is kept as it is.

    Raises
    ------
    TypeError
        If it is, or holds, an iterator or an open file: the first caller would leave nothing to the next.
    """
    return _treated(value, _frozen_leaf)


def _frozen_leaf(value: Any) -> Any:
    if hasattr(type(value), "__next__"):
        raise TypeError(
            f"a {type(value).__qualname__} was to be kept, which can be used only once; return list(...) or an array"
        )
    if _is_copied(value):
        return _private(value)
    if isinstance(value, np.ndarray):
        own = np.array(value, order="K")
        own.flags.writeable = False
        return own.view()  # unlike its owner, a view of read-only memory cannot be made writable again
    if isinstance(value, np.void):  # a record is a window on the array it was taken from
        return np.ndarray((), value.dtype, value.tobytes())[()]
    return value


def _is_copied(value: Any) -> bool:
    """Can this be changed by whoever has it, with nothing to be done about that?"""
    if type(value) in {np.ndarray, np.memmap} or isinstance(value, np.void):
        return bool(value.dtype.hasobject)
    return isinstance(value, _CHANGEABLE)


def _private(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # what is inside may refuse in any way; then it is as safe as any other object, and no safer
        return value


def _treated(value: Any, leaf: Callable[[Any], Any]) -> Any:
    try:
        return _rebuilt(value, leaf, 0)
    except _TooDeepError:
        return _private(value)


def _rebuilt(value: Any, leaf: Callable[[Any], Any], depth: int) -> Any:
    if not _is_container(value):
        return leaf(value)
    if depth > _format.MAX_DEPTH:
        raise _TooDeepError
    if type(value) is dict:
        return {key: _rebuilt(each, leaf, depth + 1) for key, each in value.items()}
    items = [_rebuilt(each, leaf, depth + 1) for each in value]
    return type(value)(items) if type(value) in _CONTAINERS else type(value)._make(items)


def _is_container(value: Any) -> bool:
    """Is it a plain container, or a namedtuple without attributes besides?"""
    if type(value) in _CONTAINERS:
        return True
    return isinstance(value, tuple) and hasattr(value, "_make") and not hasattr(value, "__dict__")


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
    return _shared if _is_changeable(value, 0) else None


def _is_changeable(value: Any, depth: int) -> bool:
    if isinstance(value, tuple | frozenset) and _is_container(value):
        return depth > _format.MAX_DEPTH or any(_is_changeable(each, depth + 1) for each in value)
    return _is_copied(value)


def _shared(value: Any) -> Any:
    """What can be changed anew, what it holds as it is: that is frozen already."""
    return _treated(value, lambda leaf: _private(leaf) if _is_copied(leaf) else leaf)
