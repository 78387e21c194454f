"""What can be decorated, and does its name say that it stands in a class?"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import Any

__all__ = ["CLASS_METHOD_REASON", "class_part", "first_parameter", "names_class", "plain_function"]

CLASS_METHOD_REASON = (
    "results of a class method would belong to a class, whose attributes can change at any time; store a plain function"
    " that takes what it needs as arguments, or one below @staticmethod, and let the class method call it"
)
"""Why class methods are refused, and what to do."""


def names_class(function: Any) -> bool:
    """Does the qualified name of a function say that it is defined in the body of a class?"""
    return class_part(getattr(function, "__qualname__", None)) != ""


def class_part(qualname: Any) -> str:
    """The qualified name of the class in whose body a function is defined; empty for one that is in none."""
    outer = qualname.rpartition(".")[0] if isinstance(qualname, str) else ""
    return "" if outer.endswith("<locals>") else outer


def first_parameter(function: Any) -> str | None:
    """The name of its first parameter, if it has any."""
    return next(iter(inspect.signature(function).parameters), None)


def plain_function(function: Any, version: str | None) -> Any:
    """The function whose source counts.

    Raises
    ------
    TypeError
        If it cannot be decorated.
    """
    if isinstance(function, staticmethod | classmethod | property | type) or not callable(function):
        raise TypeError(f"@stored decorates plain methods and functions, and got {function!r}; {_remedy(function)}")
    if inspect.ismethod(function):
        raise TypeError(
            f"@stored decorates plain methods and functions, and got {function!r}, the method of one object, whose"
            " state would not count; decorate the method in its class, or a function that takes the object"
        )
    if isinstance(inspect.unwrap(function, stop=_is_partial), functools.partial):
        raise TypeError(
            f"{function!r} has a partial function in it, so that its calls cannot be told apart; wrap it in a"
            " def that takes what is to be given, and decorate that"
        )
    for part in ("__name__", "__qualname__"):
        if not isinstance(getattr(function, part, None), str):
            raise TypeError(f"{function!r} has no {part}, so its results have no name; wrap it in a def")
    for kind, reason in _USED_ONCE.items():
        if kind(function):
            raise TypeError(f"{function.__qualname__}() is {reason}")
    plain = inspect.unwrap(function)
    if version is None and not isinstance(plain, FunctionType):
        raise TypeError(f"{function!r} has no Python source to tell its version by; give one: @stored(version='1')")
    return plain


def _remedy(function: object) -> str:
    if isinstance(function, classmethod):
        return CLASS_METHOD_REASON
    if isinstance(function, type):
        return "decorate its methods, or a function that makes an object of it"
    if isinstance(function, staticmethod | property):
        return "put @stored below @property and @staticmethod, just above the def"
    return "put it above a def; the name of results is a string, as in @stored('name')"


def _is_partial(function: object) -> bool:
    return isinstance(function, functools.partial)


_GENERATOR = "a generator, whose values can be used only once; return a list or an array to have it stored"

_COROUTINE = (
    "a coroutine, whose result can be used only once: it cannot be awaited again; store a plain method or function that"
    " computes the value, and let the coroutine call it"
)

_USED_ONCE = {
    inspect.isgeneratorfunction: _GENERATOR,
    inspect.isasyncgenfunction: _GENERATOR,
    inspect.iscoroutinefunction: _COROUTINE,
}
"""What is refused since its result can be used only once."""
