"""What are the names of functions, classes and modules, the same in every process?"""

from __future__ import annotations

from typing import Any

from stored._keys.sent_main import MAIN, main_module, main_of

__all__ = ["module_name", "qualified_name"]


def module_name(module: str, thing: Any = None) -> str:
    """The name of a module, the same wherever it lies; scripts and interactive sessions are all called ``__main__``.

    A module run with ``python -m`` keeps its importable name; a script has the name of its file beside it, without the
    folder, and an interactive session that of its notebook, if there is one.
    """
    if module not in MAIN:
        return module
    return main_module(module).name if thing is None else main_of(thing).name


def qualified_name(thing: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{module_name(str(thing.__module__), thing)}.{thing.__qualname__}"
