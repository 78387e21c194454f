"""Is a value that code reaches still the same? It is watched where it is looked up, together with what it contains."""

from __future__ import annotations

import enum
import functools
import marshal
import os
import re
import sys
import types
import weakref
from collections.abc import Callable, Collection, Hashable, Sized
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from stored._keys.canonical import UnstableValueError, Walk
from stored._keys.change_key import change_key
from stored._keys.closures import variable
from stored._keys.identity import number_text
from stored._keys.unchanged import ATOMIC_SET
from stored.typing import ABSENT

__all__ = [
    "CodeWatch",
    "EnvironmentWatch",
    "Holder",
    "MemoWatch",
    "ModuleWatch",
    "NameWatch",
    "NamespaceWatch",
    "RegistryWatch",
    "Watch",
    "content_of",
    "hold",
    "marshalled",
]

Holder: TypeAlias = Callable[[], Any]
"""Gives a value, or None if that is gone."""

_REFERENCED = (type, types.FunctionType, types.ModuleType)


def hold(value: Any) -> Holder:
    """What gives a value without keeping it alive, if Python can; None if it is gone."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


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


def _of_array(value: Any) -> Hashable:
    """The content of an array; that it is read-only, of one that nobody changes without making it writeable."""
    if not value.flags.writeable and value.base is None and not value.dtype.hasobject:
        return "read-only", value.dtype, value.shape
    return change_key((value,)) or _text(value)


class _ContentWalk(Walk):
    """The text of what a value contains, in which functions, classes and modules are told by identity."""

    __slots__ = ()

    has_names = False

    def text(self, value: Any) -> str:
        return number_text(value) if isinstance(value, _REFERENCED) else super().text(value)


def _text(value: Any) -> str:
    return _ContentWalk(is_of_code=True).text(value)


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
    return kind in _UNCHANGING or isinstance(value, (*_REFERENCED, np.generic)) or value is ABSENT or is_stored_method


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


class NameWatch:
    """A name, what it was bound to, and what that contained.

    Parameters
    ----------
    namespace : ModuleType or FunctionType
        Where it is looked up: a module, or the variables that a function closes over and its globals.
    path : tuple of str
        The name there, and the attributes that are looked up on it.
    value : object
        What it was bound to.
    has_content : bool, optional
        Does what it contains count?
    """

    __slots__ = ("content", "path", "space", "value")

    def __init__(self, namespace: Any, path: tuple[str, ...], value: Any, has_content: bool = True) -> None:
        self.space = hold(namespace)
        self.path = path
        self.value = hold(value)
        self.content = content_of(value) if has_content else None

    def is_same(self) -> bool:
        """Is it bound to the same object, with the same in it?"""
        value = self.now()
        return value is self.value() and (self.content is None or self.content.is_same(value))

    def now(self) -> Any:
        """What it is bound to now; `ABSENT` if it is not."""
        space, path = self.space(), self.path
        if isinstance(space, types.FunctionType):
            value, path = variable(space, path[0]), path[1:]
        else:
            value = ABSENT if space is None else space
        for each in path:
            try:
                value = getattr(value, each, ABSENT)
            except Exception:  # of the __getattr__ of a module
                return ABSENT
        return value

    @property
    def is_closed_over(self) -> bool:
        """Is it a variable of a function around, and not global?"""
        space = self.space()
        return isinstance(space, types.FunctionType) and self.path[0] in space.__code__.co_freevars


def _bases(holder: Any) -> tuple[type, ...]:
    return holder.__bases__ if isinstance(holder, type) else ()


class MemoWatch:
    """A memo of a module: which object it is, and how many items that has.

    What a stored method has filled is accepted after it was computed; what others fill is not.

    Parameters
    ----------
    function : FunctionType
        The function that fills it.
    name : str
        Its name.
    """

    __slots__ = ("_function", "_held", "_size", "name")

    def __init__(self, function: types.FunctionType, name: str) -> None:
        self._function = hold(function)
        self.name = name
        self.accept()

    def _now(self) -> Any:
        function = self._function()
        return ABSENT if function is None else function.__globals__.get(self.name, ABSENT)

    def accept(self) -> None:
        """Expect what it is now."""
        value = self._now()
        self._held = hold(value)
        self._size = _size(value)

    def is_empty(self) -> bool:
        """Is it None, or an empty container?"""
        return self._now() is None or self._size == 0

    def is_same(self) -> bool:
        """Is it the same object, with as many items?"""
        value = self._now()
        return value is self._held() and _size(value) == self._size


def _size(value: Any) -> int:
    return len(value) if isinstance(value, Sized) else -1


class NamespaceWatch:
    """All names of a module or a class, what they were bound to, and what that contained; and the bases of a class.

    Parameters
    ----------
    holder : ModuleType or type
        The module or the class.
    left_out : collection of str
        The names that do not count.
    """

    __slots__ = ("_bases", "_left_out", "holder", "items")

    def __init__(self, holder: Any, left_out: Collection[str]) -> None:
        self.holder = hold(holder)
        self._left_out = left_out
        self.items = [(name, hold(value), content_of(value)) for name, value in self._now()]
        self._bases = [hold(each) for each in _bases(holder)]

    def _now(self) -> list[tuple[str, Any]]:
        return [(name, each) for name, each in list(vars(self.holder()).items()) if name not in self._left_out]

    def is_same(self) -> bool:
        """Are they the same names, bound to the same objects, with the same in them?"""
        found = self._now()
        if [*map(id, _bases(self.holder()))] != [id(each()) for each in self._bases]:
            return False
        return len(found) == len(self.items) and all(
            name == known and value is held() and (content is None or content.is_same(value))
            for (name, value), (known, held, content) in zip(found, self.items, strict=True)
        )


class RegistryWatch:
    """The functions of one that `functools.singledispatch` made."""

    __slots__ = ("_function", "_items")

    def __init__(self, function: Any) -> None:
        self._function = hold(function)
        self._items = [(hold(kind), hold(each)) for kind, each in function.registry.items()]

    def is_same(self) -> bool:
        """Are they the same?"""
        function = self._function()
        found = [] if function is None else list(function.registry.items())
        return len(found) == len(self._items) and all(
            kind is held() and each is other() for (kind, each), (held, other) in zip(found, self._items, strict=True)
        )


class ModuleWatch:
    """A module that a function imports, as it is imported; or that there is none."""

    __slots__ = ("_held", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._held = hold(sys.modules.get(name))

    def is_same(self) -> bool:
        """Is it the same module?"""
        return sys.modules.get(self.name) is self._held()


class CodeWatch:
    """A function and its code, which tools such as autoreload exchange."""

    __slots__ = ("code", "function")

    def __init__(self, function: types.FunctionType) -> None:
        self.function = weakref.ref(function)
        self.code = function.__code__

    def is_same(self) -> bool:
        """Does the function still have this code?"""
        return getattr(self.function(), "__code__", None) is self.code


class EnvironmentWatch:
    """A variable of the environment."""

    __slots__ = ("name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = os.environ.get(name)

    def is_same(self) -> bool:
        """Does it have the same value, or none as before?"""
        return os.environ.get(self.name) == self.text


class Watch(Protocol):
    """What tells whether something is still the same."""

    def is_same(self) -> bool:
        """Is it the same?"""
