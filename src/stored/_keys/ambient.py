"""What code can ask for that no name tells: the environment, what is set for a whole process, and random numbers."""

from __future__ import annotations

import builtins
import functools
import importlib
import os
import pkgutil
import sys
import types
from collections.abc import Callable
from typing import Any

from stored._keys.closures import variable
from stored._keys.code_object import nested_code
from stored._keys.used_names import MAKING_GENERATORS, MEMBER, NAMED

__all__ = ["ambient_state", "draws_from_global", "gives_modules", "is_environment", "makes_generator", "variable_named"]


def is_environment(value: Any) -> bool:
    """Does it give environment variables?"""
    if isinstance(value, types.MethodType):
        value = value.__self__
    return type(value) is type(os.environ) or any(value is each for each in _ASKING_ENVIRONMENT)


_ASKING_ENVIRONMENT = (os.getenv, os.getenvb, os.path.expandvars, os.path.expanduser)


def variable_named(item: str | None, function: types.FunctionType) -> str | None:
    """The environment variable that a function asks for, by the item of a name; None if its name is computed."""
    item = item and item.removeprefix(MEMBER)
    if item is None or not item.startswith(NAMED):
        return item
    name = item.removeprefix(NAMED)
    value = None if name in _local_names(function.__code__) else variable(function, name)
    return value if isinstance(value, str) else None


def _local_names(code: types.CodeType) -> set[str]:
    """The variables of a function, and of those in it."""
    return {name for each in nested_code(code) for name in (*each.co_varnames, *each.co_cellvars)}


def gives_modules(value: Any) -> bool:
    """Does it give a module that is asked for by its name?"""
    if isinstance(value, types.BuiltinMethodType) and value.__self__ is sys.modules:
        return True
    return value is sys.modules or any(value is each for each in _GIVING_MODULES)


_GIVING_MODULES = (importlib.import_module, importlib.__import__, builtins.__import__, pkgutil.resolve_name)


def ambient_state(value: Any, attribute: str, item: str = "") -> Callable[[], Any] | None:
    """What gives something that is set for the whole process; None if this does not.

    Parameters
    ----------
    value : object
        What code looks up: Colossus's ``getCurrent``, one of the states of astropy, such as ``default_cosmology``, or
        the modules that are imported.
    attribute : str
        The attribute of it that is used.
    item : str, optional
        What it is asked for: as `UsedName.item`.
    """
    if value is sys.modules and item.startswith(MEMBER):
        return functools.partial(sys.modules.__contains__, item.removeprefix(MEMBER))
    if isinstance(value, types.FunctionType) and (value.__module__, value.__name__) == _CURRENT:
        return functools.partial(_value_or_error, value)
    is_state = isinstance(value, type) and any(each.__name__ == "ScienceState" for each in value.__mro__)
    return functools.partial(_value_or_error, value.get) if is_state and attribute == "get" else None


_CURRENT = "colossus.cosmology.cosmology", "getCurrent"


def _value_or_error(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:  # nothing is set
        return type(error).__qualname__


def draws_from_global(value: Any) -> bool:
    """Is it a function that draws from a random generator which others draw from too, or from the system?"""
    owner = getattr(value, "__self__", None) if isinstance(value, types.MethodType | types.BuiltinMethodType) else None
    if owner is not None and not isinstance(owner, types.ModuleType):
        return any(owner is each for each in _generators()) and value.__name__ not in _NO_DRAWS
    if not _is_code(value):
        return False
    home, name = getattr(value, "__module__", None), getattr(value, "__name__", "")
    return home == "secrets" or (home, name) in _DRAWING or value is os.urandom


_NO_DRAWS = frozenset({"seed", "getstate", "setstate", "get_state", "set_state"})

_DRAWING = frozenset({("uuid", "uuid1"), ("uuid", "uuid4"), ("numpy.random", "random")})


def _generators() -> list[object]:
    """The generators of modules that are imported."""
    modules = [(sys.modules.get("random"), "random"), (sys.modules.get("numpy.random"), "normal")]
    owners = [getattr(getattr(module, name, None), "__self__", None) for module, name in modules]
    return [each for each in owners if each is not None]


def makes_generator(value: Any) -> bool:
    """Does it make a random generator?"""
    home = (getattr(value, "__module__", None) or "") if _is_code(value) else ""
    return (home == "random" or home.startswith("numpy.random")) and value.__name__ in MAKING_GENERATORS


def _is_code(value: Any) -> bool:
    """Is it a function or a class, of which attributes can be asked without running code of users?"""
    is_of_cython = type(value).__name__ == "cython_function_or_method"
    return is_of_cython or isinstance(value, type | types.FunctionType | types.BuiltinFunctionType)
