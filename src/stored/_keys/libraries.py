"""Does code belong to the user, or to the standard library or an installed package?"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig

from stored._keys.sent_main import MAIN, SENT_CODE, functions_in, is_of_sent_main, main_module

__all__ = ["find_by_name", "has_known_name", "is_library_module", "is_of_main"]


def is_library_module(name: str | None, file: str | None = None) -> bool:
    """Is a module part of Python, of an installed package, or of this library?

    A package that is installed as editable is the user's own, and so is a module that is in no file.

    Parameters
    ----------
    name : str or None
        Its name.
    file : str, optional
        Its file, for one that is not imported.
    """
    if name is None:
        return False
    file = file or _file_of(name)
    known = _known.get((name, file))
    if known is None:
        is_ours = name.partition(".")[0] == "stored" and not name.startswith("stored.demo")  # a model as any other
        known = _known[name, file] = is_ours or _is_in_library(name, file)
    return known


_known: dict[tuple[str, str | None], bool] = {}


def _file_of(name: str) -> str | None:
    if is_of_sent_main(name):
        return main_module().file
    module = sys.modules.get(name)
    if module is None:  # a part of a package that is not imported by this name, or one that hides where it is defined
        module = sys.modules.get(name.partition(".")[0])
    return getattr(module, "__file__", None)


def _is_in_library(name: str, file: str | None) -> bool:
    if file is None:
        return name.partition(".")[0] in sys.builtin_module_names
    parts = os.path.abspath(file).split(os.sep)
    if not {"site-packages", "dist-packages"}.isdisjoint(parts):
        return True
    return any(os.path.abspath(file).startswith(folder + os.sep) for folder in _standard_folders())


@functools.cache
def _standard_folders() -> tuple[str, ...]:
    return tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib")} | {os.path.dirname(os.__file__)})


def find_by_name(module: str | None, name: str) -> object:
    """What a module that is imported has under a qualified name; None if there is nothing."""
    first, *rest = name.split(".")
    # not by getattr: a module may warn of names that it has no longer, as numpy does
    found: object = vars(sys.modules[module]).get(first) if module in sys.modules else None
    for part in rest:
        found = getattr(found, part, None)
    return found


def has_known_name(kind: type) -> bool:
    """Is a class the one that its module has under its name? Of the module of another process, by its name."""
    if find_by_name(kind.__module__, kind.__qualname__) is kind:
        return True
    return is_of_main(kind) and "<locals>" not in kind.__qualname__ and _was_sent(kind)


def _was_sent(kind: type) -> bool:
    """Did a class come from another process, by value?"""
    if is_of_sent_main(kind.__module__):
        return True
    codes = [each.__code__ for each in functions_in(kind)]
    return "__stored_sent__" in vars(kind) or any(each.co_filename == SENT_CODE for each in codes)


def is_of_main(kind: type) -> bool:
    """Does a class belong to a script or an interactive session?"""
    return kind.__module__ in MAIN
