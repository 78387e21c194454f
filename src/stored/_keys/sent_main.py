"""Which script, or notebook, do the classes and functions of ``__main__`` belong to?

To this process's own or, in a worker that got them by value, to that of the process which has sent them: its name and
its file stand for the module then, since the worker's own ``__main__`` is a program of somebody else.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NamedTuple
from weakref import ref

__all__ = [
    "MAIN",
    "SENT_CODE",
    "MainModule",
    "adopt_main",
    "found_in_sent_main",
    "functions_in",
    "has_sent_functions",
    "is_of_sent_main",
    "main_module",
    "main_of",
    "names_token",
    "note_sent_function",
]

MAIN = frozenset({"__main__", "__mp_main__"})
"""The names of the module of a script; `multiprocessing` runs it under the second one in workers."""


class MainModule(NamedTuple):
    """The module of a script, or of an interactive session.

    Attributes
    ----------
    name : str
        What stands for it in keys.
    file : str or None
        Its file.
    """

    name: str
    file: str | None


SENT_CODE = "<dynamic-code>"
"""What cloudpickle gives out as the file of code that it sends."""

_sent: MainModule | None = None


def adopt_main(sent: MainModule) -> None:
    """Take over the module of the process that has sent an object, if this one has another."""
    global _sent, _names_token
    if sent != _own("__main__"):
        _sent = sent
        _names_token = object()


def note_sent_function(function: FunctionType, main: MainModule) -> None:
    """Know a function that the process of a module has sent: so what has its global names is of that module.

    Parameters
    ----------
    function : FunctionType
        The function.
    main : MainModule
        What its module is called where it comes from.
    """
    global _names_token
    if not _is_of_own_main(function):
        function.__globals__[_MARK] = main
        _names_token = object()
        _functions[:] = [each for each in _functions[-_MOST_FUNCTIONS:] if each() is not None]
        _functions.append(ref(function))


_names_token = object()


def names_token() -> object:
    """Another object after anything has come from another process by which names may be others."""
    return _names_token


_MARK = "__stored_main__"

_functions: list[ref[FunctionType]] = []
"""The functions that were sent, the latest last."""

_MOST_FUNCTIONS = 255


def has_sent_functions() -> bool:
    """Has another process sent functions of its ``__main__``?"""
    return bool(_functions)


def found_in_sent_main(name: str, is_meant: Callable[[str], bool] = bool) -> Iterator[object]:
    """What the functions that were sent know by a qualified name of their module, the latest first.

    Parameters
    ----------
    name : str
        The name.
    is_meant : callable, optional
        Tells whether a module of this name is meant; by default any.
    """
    first, *inner = name.split(".")
    for function in filter(None, [each() for each in reversed(_functions)]):
        if not is_meant(function.__globals__[_MARK].name):
            continue
        found: Any = function.__globals__.get(first)
        for part in inner:
            found = getattr(found, part, None)
        if getattr(found, "__module__", None) in MAIN and getattr(found, "__qualname__", None) == name:
            yield found


def main_of(thing: Any) -> MainModule:
    """The module of a class or function that says it is of ``__main__``.

    Parameters
    ----------
    thing : type or callable
        The class or the function.
    """
    if not isinstance(thing, type):
        plain = thing if isinstance(thing, FunctionType) else inspect.unwrap(thing)  # as below functools.cache
        functions = [plain] if isinstance(plain, FunctionType) else []
    else:  # in its bases, too, if they say that they are of the same module
        functions = [each for base in thing.__mro__ if base.__module__ in MAIN for each in functions_in(base)]
    for each in functions:
        sent: MainModule | None = each.__globals__.get(_MARK)
        if sent is not None:
            return sent
    return _own(thing.__module__) if any(map(_is_of_own_main, functions)) else main_module(thing.__module__)


def functions_in(kind: type) -> list[FunctionType]:
    """The functions that stand in a class."""
    return [each for each in list(vars(kind).values()) if isinstance(each, FunctionType)]


def _is_of_own_main(function: FunctionType) -> bool:
    return any(function.__globals__ is vars(sys.modules[name]) for name in MAIN if name in sys.modules)


def main_module(module: str = "__main__") -> MainModule:
    """What stands for ``__main__`` here."""
    return _own(module) if _sent is None else _sent


def is_of_sent_main(module: str | None) -> bool:
    """Is something that says it is of this module one that another process has sent?"""
    return _sent is not None and module in MAIN


def _own(module: str) -> MainModule:
    main = sys.modules.get(module)
    spec = getattr(main, "__spec__", None)
    file = getattr(main, "__file__", None)
    if spec is not None and spec.name != "__main__":  # an application in a folder or zip has no better name
        return MainModule(str(spec.name), file)
    path = file or _notebook(main)
    return MainModule(f"__main__:{os.path.basename(path)}" if path else "__main__", file)


def _notebook(main: Any) -> str:
    return getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME") or ""
