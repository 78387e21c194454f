"""What do the functions of a class reach, and which attributes do they fill? Found once for each class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import ref

from stored._keys.class_functions import class_functions
from stored._keys.reach_report import Reached
from stored._keys.reached import reached

__all__ = ["lazy_names", "reached_of"]

T = TypeVar("T")

_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__"})
"""Functions that write all attributes of a new object."""


def reached_of(kind: type, function: Any) -> Reached:
    """What a function of a class reaches."""
    return _known(kind, id(function), lambda: (function, reached(kind, function)))[1]


def lazy_names(kind: type) -> frozenset[str]:
    """The attributes that functions of a class fill when they need them, in ways that nobody can tell."""

    def find() -> frozenset[str]:
        functions = [each for name, each, position, _ in class_functions(kind) if position == 0 and name not in _MAKING]
        reports = [reached_of(kind, each) for each in functions]
        return frozenset([each.name for report in reports for each in report.lazy if each.is_transparent])

    return _known(kind, "lazy names", find)


def _known(kind: type, key: object, find: Callable[[], T]) -> T:
    """What is found for a class, kept in an attribute of it, so that it is freed with it."""
    known: Any = vars(kind).get("__stored_reached__")
    if known is None or known[0]() is not kind:  # else it was copied from another class
        known = ref(kind), {}
        type.__setattr__(kind, "__stored_reached__", known)
    found: T = known[1].get(key)
    return known[1].setdefault(key, find()) if found is None else found
