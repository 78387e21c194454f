"""Of which values, and by which code, were the memos of an object made? Attributes that are computed once, and kept."""

from __future__ import annotations

import collections
import functools
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from stored._keys.attributes import attributes_of
from stored._keys.canonical import text_or_none
from stored._keys.change_key import change_key
from stored._keys.libraries import is_library_module
from stored._keys.method_reads import Memo
from stored._keys.unstable_values import UnstableValueError
from stored.typing import ABSENT

__all__ = [
    "CodeOf",
    "FilledMemos",
    "are_same",
    "filled_memos",
    "holds_something",
    "is_fixed",
    "is_frozen",
    "weak_snapshot",
]


def holds_something(value: object) -> bool:
    """Has a memo anything in it? None, an empty container and an attribute that is not there have nothing."""
    if value is None or value is ABSENT:
        return False
    return not (isinstance(value, _CONTAINERS) and not len(value))


_CONTAINERS = (dict, list, set, frozenset, tuple, str, bytes, collections.deque)


CodeOf: TypeAlias = "Callable[[type], str | None]"


class _Filling(NamedTuple):
    """One way in which a memo, or items of it, were filled.

    Attributes
    ----------
    memo : Memo
        As the method that has filled it describes it.
    sources : hashable
        What tells of which values it was made.
    code_of : callable
        Takes the class of the object, and gives what tells of the code that fills it; None if nothing does.
    code : str or None
        What it gave then.
    """

    memo: Memo
    sources: Hashable
    code_of: CodeOf
    code: str | None

    def is_as_now(self, owner: object) -> bool:
        """Would the same code fill it with what is made of the same values?"""
        return self.memo.sources(owner) == self.sources and self.code_of(type(owner)) in {self.code, None}


class FilledMemos:
    """Of which values the memos of one object were made; it keeps neither these nor what the memos hold alive."""

    __slots__ = ("_filled",)

    def __init__(self) -> None:
        self._filled: dict[str, tuple[Any, tuple[_Filling, ...]]] = {}

    def state(self, owner: object, memo: Memo, value: object) -> Literal["empty", "holds", "stale", "unknown"]:
        """What is in a memo: nothing, what would be made now, what was made of other values, or is that not known?

        Parameters
        ----------
        owner : object
            The object.
        memo : Memo
            The memo, as the method describes it that asks.
        value : object
            What it holds.
        """
        if value is ABSENT:
            return "empty"
        snapshot, fillings = self._filled.get(memo.name, (None, ()))
        if snapshot is None or not _is_same(snapshot, value):
            is_empty = value is None or (memo.is_container and not holds_something(value))
            return "empty" if is_empty and not memo.is_computed else "unknown"
        read = [each for each in fillings if not memo.has_other_items(each.memo)]
        if any(not memo.is_filled_as(each.memo) for each in read):
            return "unknown"
        return "holds" if all(each.is_as_now(owner) for each in read) else "stale"

    def note(self, owner: object, memo: Memo, value: object, is_more: bool, code_of: CodeOf) -> None:
        """A method has filled a memo, or put more into it."""
        snapshot, sources = weak_snapshot(value), memo.sources(owner)
        if snapshot is None or sources is None:
            return
        before = self._filled.get(memo.name, (None, ()))[1] if is_more else ()
        others = [each for each in before if not memo.is_filled_as(each.memo)]
        self._filled[memo.name] = snapshot, (*others, _Filling(memo, sources, code_of, code_of(type(owner))))


_known: dict[int, tuple[weakref.ref[Any], FilledMemos]] = {}


def filled_memos(owner: object) -> FilledMemos:
    """What is known of the memos of an object; nothing at all of one without weak references."""
    known = _known.get(id(owner))
    if known is not None and known[0]() is owner:
        return known[1]
    made = FilledMemos()
    if type(owner).__weakrefoffset__:
        # `pop` gets the reference as its default: a callback without a function of Python's
        _known[id(owner)] = weakref.ref(owner, functools.partial(_known.pop, id(owner))), made
    return made


def is_fixed(value: object) -> bool:
    """Is a memo what it was for as long as it holds the same object?

    An array may be changed in place, and so may all else that has a text, or attributes that the user's classes have
    given it; of what else has none, nothing can be told but that it is the same object.
    """
    if type(value) is np.ndarray:
        return not value.flags.writeable and value.base is None
    return bool(type(value).__weakrefoffset__) and not _has_parts(value) and text_or_none(value) is None


def is_frozen(kind: Any) -> bool:
    """Is it a frozen dataclass or attrs class, of which no attribute changes?"""
    options = getattr(kind, "__dataclass_params__", None)
    is_frozen_attrs = getattr(kind.__setattr__, "__name__", "") == "_frozen_setattrs"
    return is_frozen_attrs if options is None else bool(options.frozen)


_MAX_DEPTH = 4


def weak_snapshot(value: Any, depth: int = 0) -> Any:
    """What tells later whether a value holds the same, without keeping it alive; None if nothing does.

    That is its content or, where there is no form of it, that of its parts, and which object it is.
    """
    kind = type(value)
    found = change_key((value,))
    if found is not None:
        return weakref.ref(kind), found
    text = text_or_none(value)
    if text is not None:
        return weakref.ref(kind), text
    parts: list[Any] = []
    if _has_parts(value) and depth <= _MAX_DEPTH:
        try:
            parts = [weak_snapshot(each, depth + 1) for each in _parts(value)]
        except UnstableValueError:  # there are attributes that cannot be read
            return None
        if None in parts:
            return None
    if kind in _PARTS:
        return (weakref.ref(kind), parts) if parts else None
    try:
        return None, (weakref.ref(value), parts)
    except TypeError:
        return None


_PARTS: dict[type, Any] = {tuple: list, list: list, dict: lambda value: [*value.keys(), *value.values()]}


def _has_parts(value: object) -> bool:
    """Is it a container, or an object of a class of the user's own?"""
    return type(value) in _PARTS or not is_library_module(type(value).__module__)


def _parts(value: Any) -> list[Any]:
    if type(value) in _PARTS:
        return list(_PARTS[type(value)](value))
    return [part for pair in attributes_of(value) for part in pair]


def _is_same(snapshot: Any, value: Any) -> bool:
    kind, content = snapshot
    if kind is None:
        reference, parts = content
        return reference() is value and are_same(parts, _parts(value) if parts else [])
    if type(value) is not kind():
        return False
    if type(content) is list:
        return are_same(content, _parts(value))
    now = change_key((value,)) if type(content) is tuple else text_or_none(value)
    return bool(now == content)


def are_same(snapshots: list[Any], values: list[Any]) -> bool:
    """Do values hold what `weak_snapshot` has seen in them?"""
    return len(snapshots) == len(values) and all(map(_is_same, snapshots, values))
