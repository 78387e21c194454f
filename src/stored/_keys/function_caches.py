"""Does what functions keep in caches hold for the code, and for the objects, of now?

A function of `functools.lru_cache` gives what it has kept to every call with equal arguments, and so does one that
fills a memo of its module: also where its code or a constant is another one since then, where an argument that is told
apart by identity has changed, or where what it gave was changed in place. A result that is made of such a value is what
the plain call gives in this process, and in no other one.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import gc
import itertools
import os
import re
import threading
import weakref
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from types import FunctionType
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import numpy as np

from stored._fork_safe_lock import ForkSafeLock
from stored._keys.attributes import attributes_of
from stored._keys.canonical import text_or_none
from stored._keys.class_functions import CACHED_FUNCTION, CODE
from stored._keys.class_names import is_library_class
from stored._keys.closures import variable
from stored._keys.code_graph import CodeState, state_of
from stored._keys.filled_memos import are_same, is_fixed, is_frozen, weak_snapshot
from stored._keys.node import is_node
from stored._keys.unchanged import ATOMIC_SET
from stored._keys.watched import MemoWatch, hold
from stored.typing import ABSENT

__all__ = [
    "CachesInUse",
    "FunctionCache",
    "Setting",
    "caches_behind",
    "function_cache",
    "states_behind",
]


class _Filled(NamedTuple):
    """How full is a cache, and how often was it used? Nothing tells how often a memo of a module was."""

    size: int
    fills: int
    hits: int | None


class Setting(enum.Enum):
    """What does a computation set, so that a cache may be filled of values that are there for a moment only?"""

    NOTHING = enum.auto()
    ATTRIBUTES = enum.auto()
    GLOBALS = enum.auto()


class FunctionCache:
    """The cache of one function, and what is known of the values in it.

    Parameters
    ----------
    function : callable
        The function: of `functools.lru_cache`, or one that fills a memo of its module.
    name : str
        The name of that memo; empty for a function of `functools.lru_cache`.
    """

    __slots__ = ("_classes", "_code", "_fills", "_known", "_memos", "_name", "_users", "_uses", "function")

    def __init__(self, function: Any, name: str) -> None:
        self.function = hold(function)
        self._name = name
        self._memos: list[MemoWatch] = []  # in its code
        self._forget()
        self.forget_users()

    def _forget(self) -> None:
        """Know nothing of it: it is empty, or was not looked at."""
        self._code: str | None = None  # with which all of it was computed
        self._uses: dict[str, str] = {}
        self._classes: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()  # of keys, with their code
        self._fills = 0  # those that were looked at
        self._known: dict[Hashable, list[Any] | None] = {}  # what entries held; None if nothing tells

    def forget_users(self) -> None:
        """The computations of other threads are none of a process that was forked."""
        self._users: list[tuple[int, Setting]] = []  # the threads of computations under way, and what these set

    def begin(self, setting: Setting, uses: Mapping[str, str]) -> _Filled:
        """Look at what it has before a computation.

        Parameters
        ----------
        setting : Setting
            What the computation sets.
        uses : mapping of str to str
            What tells of the files, and of the values of functions, that it uses.
        """
        now = self._filled()
        if not now.size or now.fills < self._fills:
            self._forget()
        self._memos = list(self._memos_in_code())
        if self._code is None:
            self._code = self._code_now()
        if any(self._uses.setdefault(name, text) != text for name, text in uses.items()):
            self._code = _MIXED
        if not any(thread == threading.get_ident() for thread, _ in self._users) or not self._is_steady():
            self._note(now, is_own=False)
        self._users.append((threading.get_ident(), setting))
        return now

    def end(self, before: _Filled, setting: Setting, has_finished: bool) -> str:
        """Look at what it has after a computation: why that may have used what no longer holds; empty if it has not.

        Parameters
        ----------
        before : _Filled
            What it had before.
        setting : Setting
            As it was told before.
        has_finished : bool
            Was there no error?
        """
        is_own = has_finished and self._is_steady()
        for each in self._memos:
            each.accept()
        with contextlib.suppress(ValueError):  # the process was forked meanwhile
            self._users.remove((threading.get_ident(), setting))
        now = self._filled()
        was_emptied = now.fills < before.fills
        is_used = bool(before.size) and (now.hits is None or now.hits != before.hits or was_emptied)
        is_same_code = self._is_same_code()
        why = self._why_not(is_same_code, was_emptied) if is_used else ""
        if now.fills != before.fills and (not is_same_code or setting is Setting.GLOBALS):
            self._code = _MIXED
        if not why:
            self._note(now, is_own)
        return why

    def _is_steady(self) -> bool:
        """Do the computations under way set nothing?"""
        return all(setting is Setting.NOTHING for _, setting in self._users)

    def _is_same_code(self) -> bool:
        if self._code != self._code_now():
            return False
        return all(state_of(kind).digest == code for kind, code in list(self._classes.items()))

    def _why_not(self, is_same_code: bool, was_emptied: bool) -> str:
        remedy = f"empty it when that happens, or name {self._label!r} in ignore=(...) if it does not matter"
        if not is_same_code:
            return f"it has used what {self._label} has kept of earlier code, constants or files; {remedy}"
        entries = self._entries() if self._known else ()
        if (was_emptied and self._known) or not all(self._holds(*each) for each in entries):
            return (
                f"it may have used what {self._label} has kept for, or as, an object that could have changed since;"
                f" let arguments be plain values or frozen dataclasses, and arrays read-only; or {remedy}"
            )
        return ""

    def _holds(self, number: Hashable, parts: list[Any]) -> bool:
        """Does an entry hold what it did, or is it a new one?"""
        held = self._known.get(number, ABSENT)
        return held is ABSENT or (held is not None and are_same(held, parts))

    def _note(self, now: _Filled, is_own: bool) -> None:
        """Note what new entries hold; of those that others have filled, it may have changed before."""
        new = None if now.fills <= _FEW else now.fills - self._fills  # a few may be others that are as many
        for number, parts in self._entries(new):
            if number not in self._known:
                self._known[number] = _snapshots(parts) if is_own else None
        self._fills = now.fills
        if len(self._known) > 2 * now.size:  # some are no longer there
            there = {number for number, _ in self._entries()}
            self._known = {number: each for number, each in self._known.items() if number in there}

    @property
    def _label(self) -> str:
        return self._name or getattr(self.function(), "__qualname__", "")

    def _code_now(self) -> str:
        function = self.function()
        wrapped = getattr(function, "__wrapped__", function)
        if type(wrapped) is FunctionType:
            return state_of(wrapped).digest
        return text_or_none(wrapped) or uuid4().hex  # of which nothing tells that it is the same

    def _memos_in_code(self) -> Iterator[MemoWatch]:
        """What the computation may fill: so it is for all who read the code, whatever names these leave out."""
        wrapped = getattr(self.function(), "__wrapped__", self.function())
        nodes = state_of(wrapped).nodes if type(wrapped) is FunctionType else ()
        return (watch for each in nodes for watch in each.watches if isinstance(watch, MemoWatch))

    def _memo(self) -> Any:
        found = variable(self.function(), self._name)
        return None if found is ABSENT else found

    def _filled(self) -> _Filled:
        if self._name:
            value = self._memo()
            size = 0 if value is None else len(value) if isinstance(value, dict) else 1
            return _Filled(size, size, None)
        info = self.function().cache_info()
        return _Filled(info.currsize, info.misses, info.hits)

    def _entries(self, newest: int | None = None) -> Iterator[tuple[Hashable, list[Any]]]:
        """The entries that can change, with what in them can; by what tells them apart, and keeps none of it alive.

        Parameters
        ----------
        newest : int, optional
            So many of the latest ones, if they have an order; all by default.
        """
        if self._name:
            value, is_typed = self._memo(), True
            pairs = _latest(value, newest) if isinstance(value, dict) else [(None, value)]
        else:
            function = self.function()
            pairs, is_typed = _pairs_of(function, newest), function.cache_parameters()["typed"]
        for key, value in pairs:
            arguments = key if type(key) is tuple else (key,)
            if is_typed:
                arguments = tuple([each for each in arguments if not _is_type(each, arguments)])
            changing = [each for each in arguments if not self._is_fixed(each)]
            if not is_typed:  # numbers of other types are equal to these, and get what was kept for them
                changing += [_NEVER_SAME for each in arguments if _is_other_number(each)]
            parts = changing if self._is_fixed(value) else [*changing, value]
            if parts:
                fixed = [each for each in arguments if not any(each is other for other in changing)]
                kept = value if type(value) in ATOMIC_SET else id(value)
                yield (*fixed, *map(id, changing), kept), parts

    def _is_fixed(self, value: Any) -> bool:
        """Can a value never change, as far as arguments and results go? The code of its class is noted."""
        kind = type(value)
        if kind in ATOMIC_SET or kind is object or isinstance(value, _IMMUTABLE):
            return True
        if kind in {tuple, frozenset}:
            return all(map(self._is_fixed, value))
        if isinstance(value, np.generic):
            return not isinstance(value, np.void)
        if is_library_class(kind):
            return is_library_class(value) if kind is type else is_fixed(value)
        parts = tuple(value) if isinstance(value, tuple) else ()
        if not (parts or isinstance(value, enum.Enum) or is_frozen(kind)):
            return False
        self._classes.setdefault(kind, state_of(kind).digest)
        attributes = [value.value] if isinstance(value, enum.Enum) else [each for _, each in attributes_of(value)]
        return all(map(self._is_fixed, (*parts, *attributes)))


_FEW = 100

_PLAIN = frozenset({np.float64, np.complex128})

_IMMUTABLE = (Decimal, Fraction, datetime.date, datetime.time, datetime.timedelta, PurePath, UUID, range, re.Pattern)

_NEVER_SAME = iter(())
"""Stands for what nothing can be told of."""


_MIXED = "mixed"
"""Stands for the code where some was computed by earlier, and some by later code."""


def _pairs_of(function: Any, newest: int | None) -> list[tuple[Any, Any]]:
    """What is in the cache of a function; of one without a limit, Python has a dictionary, else a list of links."""
    behind = gc.get_referents(function)
    if function.cache_parameters()["maxsize"] is None:
        return _latest(behind[1], newest)
    links = behind[: 3 * function.cache_info().currsize]  # each has its type, the key and the value
    return list(zip(links[1::3], links[2::3], strict=False))


def _latest(items: dict[Any, Any], number: int | None) -> list[tuple[Any, Any]]:
    return list(itertools.islice(reversed(items.items()), number))


def _is_type(value: Any, key: Any) -> bool:
    """Is it the type of an argument, which a key has where types count?"""
    return isinstance(value, type) and any(type(each) is value for each in key)


def _is_other_number(value: Any) -> bool:
    return isinstance(value, np.number) and type(value) not in _PLAIN


def _snapshots(parts: Sequence[Any]) -> list[Any] | None:
    found = [weak_snapshot(each) for each in parts]
    return None if None in found else found


_caches: weakref.WeakKeyDictionary[Any, dict[str, FunctionCache]] = weakref.WeakKeyDictionary()

_lock = ForkSafeLock()


def _forget_users() -> None:
    for each in [cache for caches in list(_caches.values()) for cache in caches.values()]:
        each.forget_users()


os.register_at_fork(after_in_child=_forget_users)


def function_cache(function: Any, name: str = "") -> FunctionCache:
    """What is known of the cache of a function of `functools.lru_cache`, or of a memo that a function fills."""
    with _lock:
        return _caches.setdefault(function, {}).setdefault(name, FunctionCache(function, name))


def states_behind(parts: Iterable[Any]) -> Iterator[CodeState]:
    """What the classes of objects reach, and the functions and classes among these.

    Parameters
    ----------
    parts : iterable of object
        Objects of the user's own classes, functions and classes.
    """
    code: list[Any] = [each if isinstance(each, CODE) else type(each) for each in parts]
    for each in {id(each): each for each in code}.values():
        function = each.__wrapped__ if type(each) is CACHED_FUNCTION else each
        if is_node(function):
            yield state_of(function)


def caches_behind(parts: Iterable[Any], states: Iterable[CodeState]) -> Iterator[FunctionCache]:
    """The caches of functions that objects reach through their classes, or that are among them.

    Parameters
    ----------
    parts : iterable of object
        The objects, functions and classes.
    states : iterable of CodeState
        What `states_behind` gives for them.
    """
    yield from [function_cache(each) for each in parts if type(each) is CACHED_FUNCTION]
    for state in states:
        yield from itertools.starmap(function_cache, state.caches)


class CachesInUse:
    """The caches that a computation may use, from before it until after it.

    Parameters
    ----------
    caches : collection of FunctionCache
        The caches.
    setting : callable
        Tells what the computation sets. Asked only if there are caches, as is the next.
    uses : callable
        Gives what tells of the files, and of the values of functions, that it uses.
    """

    def __init__(
        self,
        caches: Collection[FunctionCache],
        setting: Callable[[], Setting],
        uses: Callable[[], Mapping[str, str]],
    ) -> None:
        self._before: list[tuple[FunctionCache, _Filled, Any]] = []
        if not caches:
            return
        found = [(each, each.function()) for each in dict.fromkeys(caches)]  # held, so that none is freed
        live = [each for each in found if not isinstance(each[1], type)]
        self._setting, texts = setting(), uses()
        with _lock:
            self._before = [(each, each.begin(self._setting, texts), function) for each, function in live]

    def end(self, has_finished: bool) -> list[str]:
        """Why the computation may have used what no longer holds; to be called once, also if it has failed.

        Parameters
        ----------
        has_finished : bool
            Has it not failed?
        """
        if not self._before:
            return []
        with _lock:
            ended = [each.end(before, self._setting, has_finished) for each, before, _ in self._before]
        return list(filter(None, ended))
