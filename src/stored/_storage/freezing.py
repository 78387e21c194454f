"""The forms in which values are kept and handed out, so that no caller can change what is kept."""

from __future__ import annotations

import array
import collections
import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from stored._storage.native import MAX_DEPTH
from stored.typing import HandOut

__all__ = ["copy_for_caller", "freeze"]

_CONTAINERS = (tuple, list, set, frozenset, dict)

_CHANGEABLE = (*_CONTAINERS, bytearray, array.array, collections.deque, np.ndarray)


class _TooDeepError(Exception):
    """Containers nested more deeply than is looked into; those that hold themselves are."""


def freeze(value: Any) -> Any:
    """A value as it is kept, out of reach of whoever has the original.

    Arrays are copied and read-only. Plain containers and namedtuples are rebuilt. What cannot be made read-only (other
    containers, arrays of objects, subclasses of arrays with attributes of their own, such as a mask) is copied as a
    whole. Anything else is kept as it is.

    Raises
    ------
    TypeError
        If it is, or holds, an iterator or an open file: the first caller would leave nothing to the next.
    """
    return map_leaves(value, _freeze_leaf)


def _freeze_leaf(value: Any) -> Any:
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


def map_leaves(value: Any, leaf: Callable[[Any], Any]) -> Any:
    try:
        return _rebuilt(value, leaf, 0)
    except _TooDeepError:
        return _private(value)


def _rebuilt(value: Any, leaf: Callable[[Any], Any], depth: int) -> Any:
    if not _is_container(value):
        return leaf(value)
    if depth > MAX_DEPTH:
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


def copy_for_caller(value: object, private: bool) -> HandOut | None:
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
        return depth > MAX_DEPTH or any(_is_changeable(each, depth + 1) for each in value)
    return _is_copied(value)


def _shared(value: Any) -> Any:
    """What can be changed anew, what it holds as it is: that is frozen already."""
    return map_leaves(value, lambda leaf: _private(leaf) if _is_copied(leaf) else leaf)
