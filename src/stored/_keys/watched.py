"""Is a value that code reaches still the same? It is watched where it is looked up, together with what it contains."""

from __future__ import annotations

import os
import sys
import types
import weakref
from collections.abc import Callable, Collection, Sized
from typing import Any, Protocol, TypeAlias

from stored._keys.closures import variable
from stored._keys.contents import content_key, content_of
from stored.typing import ABSENT

__all__ = [
    "NEVER_SAME",
    "BasesWatch",
    "CodeWatch",
    "DefaultsWatch",
    "EnvironmentWatch",
    "Holder",
    "MemoWatch",
    "ModuleWatch",
    "NameWatch",
    "NamespaceWatch",
    "RegistryWatch",
    "StateWatch",
    "Watch",
    "can_exchange_code",
    "hold",
]

Holder: TypeAlias = Callable[[], Any]
"""Gives a value, or something else if that is gone."""


class _Gone:
    """Stands for what was there before."""


class _Reference(weakref.ref[Any]):
    __slots__ = ()

    def __call__(self) -> Any:
        value = super().__call__()
        return _Gone if value is None else value


def hold(value: Any) -> Holder:
    """What gives a value without keeping it alive, if Python can; something that is no value if it is gone."""
    try:
        return _Reference(value)
    except TypeError:
        return lambda: value


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
            value = space
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
    """A memo of a module, or of an enclosing function: which object it is, and how many items that has.

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
        return variable(function, self.name) if isinstance(function, types.FunctionType) else ABSENT

    def accept(self) -> None:
        """Expect what it is now."""
        value = self._now()
        self._held = hold(value)
        self._size = _size(value)

    def is_empty(self) -> bool:
        """Is it None, or an empty container of a module?"""
        if self.name in self._function().__code__.co_freevars:
            return self._now() is None
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


class BasesWatch:
    """The bases of a class, and of these."""

    __slots__ = ("_bases", "kind")

    def __init__(self, kind: type) -> None:
        self.kind = weakref.ref(kind)
        self._bases = [hold(each) for each in kind.__mro__]

    def is_same(self) -> bool:
        """Are they the same?"""
        now = getattr(self.kind(), "__mro__", ())
        return len(now) == len(self._bases) and all(each is held() for each, held in zip(now, self._bases, strict=True))


class RegistryWatch:
    """The functions of one that `functools.singledispatch` made, or of the dispatcher of a method."""

    __slots__ = ("_function", "_items")

    def __init__(self, function: Any) -> None:
        self._function = hold(getattr(function, "dispatcher", function))
        function = self._function()
        self._items = [(hold(kind), hold(each)) for kind, each in function.registry.items()]

    def is_same(self) -> bool:
        """Are they the same?"""
        found = list(getattr(self._function(), "registry", {}).items())
        return len(found) == len(self._items) and all(
            kind is held() and each is other() for (kind, each), (held, other) in zip(found, self._items, strict=True)
        )


class ModuleWatch:
    """A module that a function imports, as it is imported; or that there is none."""

    __slots__ = ("_held", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._held = hold(sys.modules.get(name))

    @property
    def was_missing(self) -> bool:
        """Was it not imported?"""
        return self._held() is None

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


def can_exchange_code() -> bool:
    """Is something loaded that exchanges the code of functions, as autoreload of IPython does?"""
    return "IPython" in sys.modules or "jurigged" in sys.modules or "limeade" in sys.modules


class DefaultsWatch:
    """What the default values of a function contain."""

    __slots__ = ("_content", "_function")

    def __init__(self, function: types.FunctionType) -> None:
        self._function = weakref.ref(function)
        self._content = content_of(self._now())

    def _now(self) -> tuple[Any, ...]:
        function: Any = self._function()
        return getattr(function, "__defaults__", None), *(getattr(function, "__kwdefaults__", None) or {}).values()

    def is_same(self) -> bool:
        """Is it the same?"""
        return self._content is None or self._content.is_same(self._now())


class EnvironmentWatch:
    """A variable of the environment, or all of it.

    Parameters
    ----------
    name : str or None
        The name of the variable; None for all.
    """

    __slots__ = ("name", "value")

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.value = self._now()

    def _now(self) -> str | dict[str, str] | None:
        return dict(os.environ) if self.name is None else os.environ.get(self.name)

    def is_same(self) -> bool:
        """Does it have the same value, or none as before?"""
        return self._now() == self.value


class StateWatch:
    """What is set for the whole process.

    Parameters
    ----------
    ask : callable
        Gives it.
    """

    __slots__ = ("_ask", "_content")

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._content = content_key(ask())

    def is_same(self) -> bool:
        """Is the same set, with the same in it?"""
        return content_key(self._ask()) == self._content


class _NeverSame:
    """What nothing can be told of."""

    def is_same(self) -> bool:
        """Nobody knows."""
        return False


NEVER_SAME = _NeverSame()


class Watch(Protocol):
    """What tells whether something is still the same."""

    def is_same(self) -> bool:
        """Is it the same?"""
