"""Of what has been warned? Functions that one function makes, one after another, share it: they have the same code."""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

__all__ = ["Warned", "warned_of"]

Warned: TypeAlias = "set[tuple[str, str]]"
"""Of what was warned, by the class that it is about."""

_by_code: WeakKeyDictionary[CodeType, Warned] = WeakKeyDictionary()


def warned_of(function: Any) -> Warned:
    """Of what has been warned for a plain function; nothing yet, unless another function has made it."""
    if not isinstance(function, FunctionType) or "<locals>" not in function.__qualname__:
        return set()
    return _by_code.setdefault(function.__code__, set())
