"""What stands for a path of a project, whose folder is another one in another checkout?"""

from __future__ import annotations

import functools
import os
import sys
import types
from typing import Any

from stored._keys.sent_main import is_of_sent_main, main_of

__all__ = ["without_folder"]


def without_folder(value: Any, node: Any) -> Any:
    """A path without the folder of the module of a node, or that of its project."""
    module = node if isinstance(node, types.ModuleType) else sys.modules.get(getattr(node, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if is_of_sent_main(getattr(node, "__module__", None)):
        file = main_of(node).file
    if module is None or not isinstance(file, str):
        return value
    text = str(value)
    own = os.path.dirname(os.path.abspath(file))
    for name, folder in (("<folder>", own), ("<project>", _project_of(own, module.__name__))):
        if f"{text}{os.sep}".startswith(folder + os.sep):
            return type(value)(f"{name}{text[len(folder) :]}")
    return value


_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")

_MOST_LEVELS = 2
"""So far above its packages a project can begin."""


@functools.lru_cache(maxsize=1024)
def _project_of(folder: str, module: str) -> str:
    """The folder of the project of a module: the one with its packages, or one above that says that it is a project."""
    for _ in range(module.count(".")):
        folder = os.path.dirname(folder)
    above = folder
    for _ in range(_MOST_LEVELS + 1):
        if any(os.path.exists(os.path.join(above, each)) for each in _MARKS):
            return above
        above = os.path.dirname(above)
    return folder
