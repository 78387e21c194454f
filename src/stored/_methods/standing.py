"""Is a stored function called as a method, or as a plain function? Where it stands in classes tells."""

from __future__ import annotations

from typing import Any

from stored._keys import find_by_name
from stored._methods.decoratable import class_part

__all__ = ["is_method_of", "is_static"]


def is_method_of(stored: Any, function: Any, first: object) -> bool:
    """Is a stored function, called with an object first, a method of that object, or a class method?

    Parameters
    ----------
    stored : StoredMethod
        The stored function.
    function : callable
        The plain one.
    first : object
        The first argument of the call.
    """
    if isinstance(first, type) and any(_is_class_method(stored, base) for base in first.__mro__):
        return True
    for base in type(first).__mro__:
        found = _standing_in(base, stored)
        if found is not None:
            return found is not staticmethod
        if base.__qualname__ == class_part(function.__qualname__) and base.__module__ == function.__module__:
            return True  # below another decorator
    return False


def _is_class_method(stored: Any, base: type) -> bool:
    return any(type(each) is classmethod and each.__func__ is stored for each in list(vars(base).values()))


def _standing_in(base: type, stored: Any) -> type | None:
    """What stands for a stored function in the dictionary of a class: itself, a property or a static method."""
    for each in list(vars(base).values()):
        kind = type(each)
        inner = each.__func__ if kind is staticmethod else each.fget if issubclass(kind, property) else each
        if inner is stored:
            return kind
    return None


def is_static(stored: Any, function: Any) -> bool:
    """Is it a static method of the class that its name says, as far as that is found under its own?"""
    found = find_by_name(function.__module__, class_part(function.__qualname__))
    return isinstance(found, type) and _standing_in(found, stored) is staticmethod
