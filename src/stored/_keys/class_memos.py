"""Which attributes of an object in a value are memos, so that they need not count there?"""

from __future__ import annotations

import collections
import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any

import numpy as np

from stored._keys.attributes import attributes_of, own_values
from stored._keys.canonical import reached_digest
from stored._keys.class_functions import CODE, class_functions, find_on_class
from stored._keys.filled_memos import filled_memos, is_frozen
from stored._keys.first_values import MAKING
from stored._keys.known_of_class import known_of_class
from stored._keys.libraries import is_library_module
from stored._keys.method_reads import Memo, kept_memo, memos_in
from stored._keys.reach_report import Reached
from stored._keys.reached_of_class import reached_of
from stored._keys.self_reads import self_accesses
from stored._keys.unchanged import ATOMIC_SET
from stored._keys.unstable_values import UnstableValueError

__all__ = ["PartMemos", "class_memos", "does_memo_count", "parts_of"]


def class_memos(kind: type) -> Mapping[str, Memo]:
    """The memos of a class, by name: its own, or what a `cached_property` keeps.

    Each is filled by one piece of code alone, of which the present values of attributes tell what it gives, and no
    function of the class gives something else if it was filled before. Public ones are none, but for those of a
    `cached_property`: others may read them, too.
    """
    if is_library_module(kind.__module__):
        return {}
    return known_of_class(kind, "memos", lambda: _find_memos(kind))


def _find_memos(kind: type) -> dict[str, Memo]:
    functions = [(name, each) for name, each, position, _ in class_functions(kind) if position == 0]
    functions = [(name, each) for name, each in functions if name not in MAKING]
    kept = dict(_kept_by_python(kind))
    if not kept and not any(_writes_something(each) for _, each in functions):
        return {}
    reports = [reached_of(kind, each) for _, each in functions]
    found: dict[str, Memo] = {}
    others = {name for report in reports for name in _other_names(report)}
    for memo in [memo for report in reports for memo in memos_in(kind, report)]:
        known = found.setdefault(memo.name, memo)
        if not memo.is_determined or not known.is_filled_as(memo) or (memo.is_read and not memo.is_transparent):
            others.add(memo.name)
        if memo.is_read and not known.is_read:
            found[memo.name] = memo
    for name, each in kept.items():
        found.setdefault(name, kept_memo(kind, name, each))
    is_own = {name for name, memo in found.items() if name.startswith("_") or memo.is_computed}
    is_own -= {name for name, memo in found.items() if any(each.name in found for each in memo.made_of or ())}
    return {name: memo._replace(labels=None) for name, memo in found.items() if name in is_own - others}


def _writes_something(function: FunctionType) -> bool:
    accesses = self_accesses(function.__code__)
    return accesses is None or bool(accesses.writes)


def _kept_by_python(kind: type) -> Iterator[tuple[str, functools.cached_property[Any]]]:
    """The cached properties of a class whose functions are written in Python."""
    for name in {name: None for base in kind.__mro__ for name in list(vars(base))}:
        found = find_on_class(kind, name).value
        if isinstance(found, functools.cached_property) and isinstance(found.func, FunctionType):
            yield name, found


def _other_names(report: Reached) -> Iterator[str]:
    """The attributes that a function reads or writes, and that are no memos of it."""
    for name in (*(each.name for each in report.reads), *report.written_here):
        if report.rule_of(name).rule != "memo":
            yield name


def does_memo_count(value: object, memo: Memo, content: object) -> bool:
    """Does what a memo of an object holds count where the object stands? Not if it would be made so now."""
    if not memo.is_read:
        return False
    state = filled_memos(value).state(value, memo, content)
    if state in {"empty", "holds"}:
        return False
    return not (memo.is_computed and is_frozen(type(value)) and _has_fixed_sources(value, memo))


def _has_fixed_sources(value: object, memo: Memo) -> bool:
    if memo.made_of is None or own_values(value, memo.methods):
        return False
    return all(type(each.value(value)) in ATOMIC_SET for each in memo.made_of)


class PartMemos:
    """The memos of objects, before something is computed that may fill them.

    Parameters
    ----------
    parts : collection of object
        The objects; classes have none.
    """

    def __init__(self, parts: Collection[object]) -> None:
        self._before: list[Any] = []
        if not parts:
            return
        objects = [each for each in parts if not isinstance(each, type)]
        found = [(part, memo) for part in objects for memo in class_memos(type(part)).values()]
        states = [(part, memo, filled_memos(part).state(part, memo, memo.value(part))) for part, memo in found]
        self._before = [
            (*each, each[1].sources(each[0]), _code_of(type(each[0])))
            for each in states
            if each[2] in {"empty", "holds"}
        ]

    def note_filled(self, set_elsewhere: Callable[[], frozenset[str]]) -> None:
        """Note those that were filled since then, by the same code and of the same values.

        Parameters
        ----------
        set_elsewhere : callable
            Gives the names of attributes that the method sets on other objects: what is filled may be its own, or made
            of values that it has put there for a moment.
        """
        for part, memo, state, sources, code in self._before:
            value = memo.value(part)
            after = filled_memos(part).state(part, memo, value)
            if after != "unknown" or memo.sources(part) != sources or _code_of(type(part)) != code:
                continue
            names = set_elsewhere()
            if memo.name not in names and not memo.is_made_of(names):
                filled_memos(part).note(part, memo, value, state == "holds", _code_of)


class _ClassesBeingRead(threading.local):
    """The classes whose code is being read, of this thread."""

    def __init__(self) -> None:
        self.kinds: set[type] = set()


_being_read = _ClassesBeingRead()


def _code_of(kind: type) -> str | None:
    """What tells of the code of a class; None while it is being read, since objects of it may stand in it."""
    if kind in _being_read.kinds:
        return None
    _being_read.kinds.add(kind)
    try:
        return reached_digest(kind)
    finally:
        _being_read.kinds.discard(kind)


_MOST_ITEMS = 1000
"""Containers with more are taken for data."""


def parts_of(values: Iterable[object]) -> Iterator[object]:
    """The objects of the user's own classes in values, and functions and classes."""
    seen: set[int] = set()
    pending = [each for each in values if type(each) not in ATOMIC_SET]
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        inside = _inside(value)
        if inside is None and isinstance(value, CODE):
            yield value
        elif inside is None and not is_library_module(type(value).__module__):
            yield value
            with contextlib.suppress(UnstableValueError):  # it has no form, wherever it stands
                inside = [each for _, each in attributes_of(value)]
        if inside is not None and len(inside) <= _MOST_ITEMS:
            pending += [each for each in inside if type(each) not in ATOMIC_SET]


def _inside(value: Any) -> list[Any] | None:
    """What a container, or something else that holds others, has in it; None if it is none."""
    if isinstance(value, Mapping):
        return list(value.values())
    if type(value) in _HOLDING:
        return _HOLDING[type(value)](value)
    return value.ravel().tolist() if type(value) is np.ndarray and value.dtype.hasobject else None


_HOLDING: dict[type, Callable[[Any], list[Any]]] = {
    **dict.fromkeys((tuple, list, set, frozenset, collections.deque), list),
    functools.partial: lambda value: [value.func, *value.args, *value.keywords.values()],
    MethodType: lambda value: [value.__self__, value.__func__],
    SimpleNamespace: lambda value: list(vars(value).values()),
}
