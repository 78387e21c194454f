"""Which script, or notebook, do the classes and functions of ``__main__`` belong to?

To this process's own or, in a worker that got them by value, to that of the process which has sent them: its name and
its file stand for the module then, since the worker's own ``__main__`` is a program of somebody else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple
from weakref import ref

__all__ = [
    "MAIN",
    "SENT_CODE",
    "MainModule",
    "adopt_main",
    "found_in_sent_main",
    "is_of_sent_main",
    "main_module",
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
    global _sent
    if sent != _own("__main__"):
        _sent = sent


def note_sent_function(function: FunctionType) -> None:
    """Know a function that another process has sent: what it names is of the module of that process."""
    _functions[:] = [each for each in _functions[-_MOST_FUNCTIONS:] if each() is not None]
    _functions.append(ref(function))


_functions: list[ref[FunctionType]] = []
"""The functions that were sent, the latest last."""

_MOST_FUNCTIONS = 255


def found_in_sent_main(name: str) -> Iterator[object]:
    """What the functions that were sent know by a qualified name of their module, the latest first."""
    first, *inner = name.split(".")
    for function in filter(None, [each() for each in reversed(_functions)]):
        found: Any = function.__globals__.get(first)
        for part in inner:
            found = getattr(found, part, None)
        if getattr(found, "__module__", None) in MAIN and getattr(found, "__qualname__", None) == name:
            yield found


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
