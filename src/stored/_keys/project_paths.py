"""What stands for a path of a project, whose folder is another one in another checkout?"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

__all__ = ["without_folder"]


def without_folder(value: Any, node: Any) -> Any:
    """A path without the folder of the module of a node: another checkout has another one."""
    module = node if isinstance(node, types.ModuleType) else sys.modules.get(getattr(node, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return value
    folder = os.path.dirname(os.path.abspath(file))
    text = str(value)
    return type(value)(f"<folder>{text[len(folder) :]}") if f"{text}{os.sep}".startswith(folder + os.sep) else value
