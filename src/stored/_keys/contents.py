"""What does a value that code uses contain, so that it is seen when that changes?"""

from __future__ import annotations

import contextlib
import enum
import functools
import marshal
import re
import threading
import types
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

import numpy as np

from stored._keys.canonical import Encoder, Walk
from stored._keys.change_key import change_key
from stored._keys.identity import number_text
from stored._keys.unchanged import ATOMIC_SET
from stored._keys.unstable_values import UnstableValueError
from stored.typing import ABSENT

__all__ = ["Content", "at_one_moment", "content_key", "content_of", "marshalled"]

_REFERENCED = (type, types.FunctionType, types.ModuleType)


class Content(NamedTuple):
    """What a value contained when it was looked at.

    Attributes
    ----------
    key : Hashable
        What stands for it.
    of : callable
        Makes that of a value.
    """

    key: Hashable
    of: Callable[[Any], Hashable]

    def is_same(self, value: Any) -> bool:
        """Does a value still contain the same?"""
        try:
            return bool(self.of(value) == self.key)
        except (ValueError, RuntimeError, RecursionError, UnstableValueError):  # it changes at this moment
            return False


def content_of(value: Any) -> Content | None:
    """What a value contains that can change; None for one that never changes, or of which nothing can be told."""
    if _is_unchanging(value, 0):
        return None
    for make in (_of_array,) if type(value) is np.ndarray else (marshalled, _parts):
        try:
            return Content(make(value), make)
        except (ValueError, RuntimeError, RecursionError, UnstableValueError):
            continue
    return None


def content_key(value: Any) -> Hashable:
    """What stands for a value and what it contains; for one without a form, its number."""
    try:
        return _parts(value)
    except (UnstableValueError, RecursionError):
        return number_text(value)


def _of_array(value: Any) -> Hashable:
    """The content of an array: also of one that is read-only, which a view made before can change."""
    return change_key((value,)) or _text(value)


class _ContentWalk(Walk):
    """The text of what values contain, one by one, in which functions, classes and modules are told by identity.

    What refers back to what it is in has a text that depends on where one comes from: that is kept no longer than for
    the value that is asked for.
    """

    __slots__ = ("_back_references", "_lasting", "_whole")

    has_names = False

    def __init__(self) -> None:
        super().__init__(is_of_code=True)
        self._lasting: dict[int, tuple[object, str]] = {}
        self._whole: dict[int, tuple[object, str]] = {}
        self._back_references = 0

    def text(self, value: Any) -> str:
        return number_text(value) if isinstance(value, _REFERENCED) else super().text(value)

    def entered(self, value: object, encode: Encoder) -> str:
        """The text of a value that may be inside itself."""
        number = id(value)
        if number in self._lasting:
            return self._lasting[number][1]
        before = self._back_references
        if number in self._positions or number in self._complete:
            self._back_references += 1
        text = super().entered(value, encode)
        if self._back_references == before:
            self._lasting[number] = value, text
        return text

    def whole_text(self, value: Any) -> str:
        """The text of a value that is not looked at as a part of another one."""
        if self._open:  # code that another value needs looks into this one
            return _ContentWalk().whole_text(value)
        if id(value) not in self._whole:
            try:
                self._whole[id(value)] = value, self.text(value)
            finally:
                self._close(0)
                self._lowest = 0
                self._complete.clear()
        return self._whole[id(value)][1]


def _text(value: Any) -> str:
    walk = _moment.walk
    return (_ContentWalk() if walk is None else walk).whole_text(value)


class _Moment(threading.local):
    """What has been looked at in this moment, of this thread: objects that are in many others, once."""

    walk: _ContentWalk | None = None


_moment = _Moment()


@contextlib.contextmanager
def at_one_moment(is_new: bool = False) -> Iterator[None]:
    """Look into each object once in the block, in which none changes.

    Parameters
    ----------
    is_new : bool, optional
        Is it a moment of its own inside of another one? Code of users may have run since that began.
    """
    before = _moment.walk
    if before is None or is_new:
        _moment.walk = _ContentWalk()
    try:
        yield
    finally:
        _moment.walk = before


_UNCHANGING = ATOMIC_SET | {
    *(range, slice, re.Pattern, np.ufunc, types.BuiltinFunctionType, types.MethodDescriptorType),
    *(property, classmethod, staticmethod, functools.cached_property, types.MemberDescriptorType),
    *(types.GetSetDescriptorType, types.WrapperDescriptorType),
}

_OF_MEMBERS = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_"})


def _is_unchanging(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind in {tuple, frozenset}:
        return depth < _MAX_DEPTH and all(_is_unchanging(each, depth + 1) for each in value)
    if isinstance(value, enum.Enum) and value is not ABSENT:
        return depth < _MAX_DEPTH and vars(value).keys() <= _OF_MEMBERS and _is_unchanging(value._value_, depth + 1)
    is_stored_method = hasattr(kind, "__stored_method__")
    is_number = isinstance(value, np.generic) and not isinstance(value, np.void)  # which is a part of an array
    return kind in _UNCHANGING or is_number or isinstance(value, _REFERENCED) or value is ABSENT or is_stored_method


_MAX_DEPTH = 20

_PLAIN = ATOMIC_SET - {bytes}  # of which marshal does not tell whether they can be changed


def marshalled(value: Any) -> bytes:
    """The bytes of a container of plain values, by which also 1, 1.0 and True differ."""
    if not _is_plain(value, 0):
        raise ValueError(value)
    return marshal.dumps(value, 2)  # later versions note which parts are one object


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is dict:
        return depth < _MAX_DEPTH and all(_is_plain(each, depth + 1) for pair in value.items() for each in pair)
    if kind in {list, tuple, set, frozenset}:
        return depth < _MAX_DEPTH and all(_is_plain(each, depth + 1) for each in value)
    return kind in _PLAIN


def _parts(value: Any) -> Hashable:
    """The parts of a container, or the attributes of an object of the user's own, one in another."""
    return _part(value, 0)


def _part(value: Any, depth: int) -> Hashable:
    kind = type(value)
    if kind in ATOMIC_SET:
        return kind, repr(value)
    if isinstance(value, _REFERENCED):
        return weakref.ref(value)
    if depth < _MAX_DEPTH and kind in {list, tuple}:
        return kind, *[_part(each, depth + 1) for each in value]
    if depth < _MAX_DEPTH and kind in {set, frozenset}:
        return kind, frozenset([_part(each, depth + 1) for each in value])
    if depth < _MAX_DEPTH and kind is dict:
        return kind, *[(_part(key, depth + 1), _part(each, depth + 1)) for key, each in value.items()]
    try:
        return _text(value)
    except UnstableValueError:
        if not depth:
            raise  # of what is in it, nothing can be told
        return number_text(value) if kind.__weakrefoffset__ else (kind, id(value))
