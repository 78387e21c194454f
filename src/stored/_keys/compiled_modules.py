"""Which compiled code of the user's own does a value come from? It counts by the content of its file."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from types import ModuleType
from typing import Any

from stored._keys.canonical import digest
from stored._keys.libraries import is_library_module

__all__ = ["compiled_text", "name_in_compiled"]


def compiled_text(name: str) -> str:
    """The digest of the file of a compiled module of the user's own; empty for any other module.

    Parameters
    ----------
    name : str
        The name of the module.
    """
    file = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(file, str) or not file.endswith(tuple(EXTENSION_SUFFIXES)) or is_library_module(name):
        return ""
    return _file_digest(name, file)


@functools.cache
def _file_digest(name: str, file: str) -> str:
    """Once for each process: what was imported does not change with the file."""
    try:
        with open(file, "rb") as stream:
            return f"{name} {digest(stream.read().decode('latin-1'))}"
    except OSError:  # which is gone by now
        return f"{name} {os.path.basename(file)}"


def name_in_compiled(value: Any, name: str) -> tuple[str, str] | None:
    """The compiled module of the user's own that has a value, and its name there; None if there is none.

    Functions that f2py makes, for one, do not tell from where they are.

    Parameters
    ----------
    value : object
        The value.
    name : str
        The name to look for first.
    """
    for module in _compiled_modules():
        names = vars(module)
        found = name if names.get(name) is value else next((key for key, each in names.items() if each is value), None)
        if found is not None:
            return module.__name__, found
    return None


def _compiled_modules() -> Iterator[ModuleType]:
    for key, module in sorted(sys.modules.items()):
        if isinstance(module, ModuleType) and module.__name__ == key and compiled_text(key):
            yield module
