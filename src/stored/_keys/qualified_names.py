"""What are the names of functions, classes and modules, the same in every process?"""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["module_name", "qualified_name"]


def module_name(module: str) -> str:
    """The name of a module, the same wherever it lies; scripts and interactive sessions are all called ``__main__``.

    A module run with ``python -m`` keeps its importable name; a script has the name of its file beside it, without the
    folder, and an interactive session that of its notebook, if there is one.
    """
    if module not in {"__main__", "__mp_main__"}:
        return module
    main = sys.modules.get(module)
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":  # an application in a folder or zip has no better name
        return str(spec.name)
    path = getattr(main, "__file__", None) or _notebook(main)
    return f"__main__:{os.path.basename(path)}" if path else "__main__"


def _notebook(main: Any) -> str:
    return getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME") or ""


def qualified_name(thing: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{module_name(str(thing.__module__))}.{thing.__qualname__}"
