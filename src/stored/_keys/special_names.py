"""Which names in code, and in modules and classes, have a meaning of their own?"""

from __future__ import annotations

import builtins

from stored._keys.reached_names import ReachedName
from stored.typing import ABSENT

__all__ = ["FILLED_BY_PYTHON", "LOOKING_EVERYWHERE", "NAMES_OF_MODULES", "NOT_OF_MODULES", "is_builtin"]

FILLED_BY_PYTHON = frozenset({"_value2member_map_", "_member_map_", "_unhashable_values_"})
"""Attributes of enumerations, to which members that are combined of others are added when they are first made."""

NOT_OF_MODULES = frozenset(
    {
        "__name__",
        "__file__",
        "__doc__",
        "__spec__",
        "__package__",
        "__loader__",
        "__builtins__",
        "__cached__",
        "__path__",
    }
    | {"__annotations__", "__annotate__", "__conditional_annotations__", "__warningregistry__"}
)

NAMES_OF_MODULES = frozenset({"__name__", "__package__"})
"""They count where code uses them."""

LOOKING_EVERYWHERE = (globals, eval, exec)

_BUILTINS = dict(vars(builtins))
"""Before anybody has replaced some of them."""


def is_builtin(found: ReachedName) -> bool:
    """Is a name bound to the built-in function of that name, or to IPython's ``open``, which only refuses 0 to 2?"""
    if len(found.path) != 1:
        return False
    value = _BUILTINS.get(found.path[0], ABSENT)
    wrapped = getattr(found.value, "__wrapped__", None) if value is open else None
    return found.value is value or (wrapped is open and getattr(found.value, "__module__", "") == open.__module__)
