"""By which name does a library have a value, where that counts by its name?"""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import numpy as np

from stored._keys.libraries import is_library_module
from stored._keys.unchanged import ATOMIC_SET
from stored.typing import ABSENT

__all__ = ["has_text_of_its_own", "is_foreign", "name_in_library"]


def is_foreign(value: Any) -> bool:
    """Has somebody put it in the place of something that a library has: a mock, or something of the user's own?"""
    home = value.__module__ if isinstance(value, type | types.FunctionType) else type(value).__module__
    return str(home).startswith("unittest.mock") or not _is_of_library(home)


def has_text_of_its_own(value: Any) -> bool:
    """Does what a library's module has under a name count by more than this name?

    What somebody has put there counts: functions and classes tell where they are from, plain values are told.
    """
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | np.ufunc | functools.partial):
        return True
    return type(value) in ATOMIC_SET or type(value) in {type(np.mean), types.MethodType} or is_foreign(value)


def _is_of_library(module: str) -> bool:
    """As `is_library_module`, also of a compiled part of a package that calls itself by another name."""
    return is_library_module(module) or module not in sys.modules


_BOUND = (types.MethodType, types.BuiltinMethodType)


def name_in_library(value: Any, name: str) -> str:
    """The name of an object without a form that the modules of its library have; empty if they have it not."""
    home = value.__self__ if isinstance(value, _BOUND) else value
    top = type(home).__module__.partition(".")[0]
    if not _is_of_library(top) or top == "unittest":
        return ""
    for module in [each for each in sorted(sys.modules) if is_library_module(each)]:
        if vars(sys.modules[module]).get(name, ABSENT) is value:
            return f"{module}.{name}"
    for module in [each for each in sorted(sys.modules) if each == top or each.startswith(f"{top}.")]:
        for other, each in list(vars(sys.modules[module]).items()):
            if each is value:
                return f"{module}.{other}"
    return ""
