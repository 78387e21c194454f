"""What follows from the code of a class is found once for each class, and kept until the class changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

__all__ = ["forget_class", "known_of_class", "replace_known"]

T = TypeVar("T")


def known_of_class(kind: type, key: object, find: Callable[[], T]) -> T:
    """What is found for a class, kept in an attribute of it, so that it is freed with it."""
    known = _known(kind)
    if key in known:
        return known[key]  # type: ignore[no-any-return]
    return known.setdefault(key, find())  # type: ignore[no-any-return]


def replace_known(kind: type, key: object, value: T) -> T:
    """Keep something else for a class."""
    _known(kind)[key] = value
    return value


def forget_class(kind: type) -> None:
    """Find all anew that follows from the code of a class: the class has changed."""
    _known(kind).clear()


class _Known:
    """What was found for a class."""

    def __init__(self, kind: type) -> None:
        self.of = ref(kind)
        self.found: dict[object, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _Known, (type(None),)  # a class that is pickled by value takes nothing along


_of_compiled: WeakKeyDictionary[type, Any] = WeakKeyDictionary()


def _known(kind: type) -> dict[object, Any]:
    known: Any = vars(kind).get("__stored_reached__")
    if known is None or known.of() is not kind:  # else it was copied from another class
        known = _Known(kind)
        try:
            type.__setattr__(kind, "__stored_reached__", known)
        except TypeError:  # a compiled class
            known = _of_compiled.setdefault(kind, known)
    found: dict[object, Any] = known.found
    return found
