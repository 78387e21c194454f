"""Of which values have the methods of an owner made its memos? Attributes that are computed once, and kept."""

from __future__ import annotations

import collections
import weakref
from collections.abc import Hashable
from typing import Any, Literal

import numpy as np

from stored._keys import change_key, text_or_none
from stored.typing import ABSENT

__all__ = ["FilledMemos", "is_filled", "weak_snapshot"]


def is_filled(value: object) -> bool:
    """Has a memo anything in it? None, an empty container and an attribute that is not there have nothing."""
    if value is None or value is ABSENT:
        return False
    return not (isinstance(value, _CONTAINERS) and not len(value))


_CONTAINERS = (dict, list, set, frozenset, tuple, str, bytes, collections.deque)


class FilledMemos:
    """Of which values the memos of one owner were made; it keeps neither these nor what the memos hold alive."""

    __slots__ = ("_filled",)

    def __init__(self) -> None:
        self._filled: dict[str, tuple[Any, Hashable]] = {}

    def state(self, name: str, value: object, sources: Hashable) -> Literal["holds", "stale", "unknown"]:
        """Was a memo made of what there is now, of other values, or is that not known?

        Parameters
        ----------
        name : str
            The attribute.
        value : object
            What it holds.
        sources : hashable
            What tells of which values it would be made now; None if nothing does.
        """
        snapshot, made_of = self._filled.get(name, (None, None))
        if snapshot is None or sources is None or not _is_same(snapshot, value):
            return "unknown"
        return "holds" if made_of == sources else "stale"

    def note(self, name: str, value: object, sources: Hashable) -> None:
        """A method has filled a memo."""
        snapshot = weak_snapshot(value)
        if snapshot is not None and sources is not None:
            self._filled[name] = snapshot, sources


def is_fixed(value: object) -> bool:
    """Is a memo what it was for as long as it holds the same object?

    An array may be changed in place, and so may all else that has a text; of what has none, nothing else can be told.
    """
    if type(value) is np.ndarray:
        return not value.flags.writeable and value.base is None
    return bool(type(value).__weakrefoffset__) and text_or_none(value) is None


_MAX_DEPTH = 4


def weak_snapshot(value: Any, depth: int = 0) -> Any:
    """What tells later whether a value holds the same, without keeping it alive; None if nothing does.

    That is its content or, where there is no form of it, the object.
    """
    kind = type(value)
    found = change_key((value,))
    if found is not None:
        return kind, found
    if kind in _PARTS and depth <= _MAX_DEPTH:
        parts = [weak_snapshot(each, depth + 1) for each in _PARTS[kind](value)]
        return None if None in parts else (kind, parts)
    text = text_or_none(value)
    if text is not None:
        return kind, text
    try:
        return weakref.ref, weakref.ref(value)
    except TypeError:
        return None


_PARTS: dict[type, Any] = {tuple: list, list: list, dict: lambda value: [*value.keys(), *value.values()]}


def _is_same(snapshot: Any, value: Any) -> bool:
    kind, content = snapshot
    if kind is weakref.ref:
        return content() is value
    if type(value) is not kind:
        return False
    if type(content) is list:
        parts = _PARTS[kind](value)
        return len(parts) == len(content) and all(map(_is_same, content, parts))
    now = change_key((value,)) if type(content) is tuple else text_or_none(value)
    return bool(now == content)
