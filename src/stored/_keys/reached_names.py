"""What are the names bound to that a function uses: in its module, in others, and on their classes?"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from stored._keys.class_functions import find_on_class, is_data
from stored._keys.closures import global_variable, variable
from stored._keys.libraries import is_library_module
from stored._keys.used_names import UsedName
from stored.typing import ABSENT

__all__ = ["ReachedName", "reached_name"]


class ReachedName(NamedTuple):
    """What a name is bound to.

    Attributes
    ----------
    label : str
        The name with the attributes that were followed.
    value : object
        Its value; `ABSENT` if it has none, or is not imported.
    namespace : ModuleType or FunctionType or None
        Where it is looked up: a module, or the variables that a function closes over and its globals; None for a name
        of a module that is not imported.
    path : tuple of str
        The name there, and the attributes that are looked up on it.
    is_of_library : bool
        Is it a part of a module of the standard library or of an installed package?
    imported : str
        The module from which the function itself imports it; empty if it does not.
    module : str
        The last module that was followed; empty if there was none.
    """

    label: str
    value: Any
    namespace: Any
    path: tuple[str, ...]
    is_of_library: bool = False
    imported: str = ""
    module: str = ""

    @property
    def home(self) -> str:
        """The name of the module in which it is looked up."""
        return str(getattr(self.namespace, "__module__", None) or getattr(self.namespace, "__name__", ""))


def reached_name(used: UsedName, function: FunctionType) -> ReachedName:
    """What a name is bound to that a function uses."""
    if used.origin is not None and used.origin.module + "." * used.origin.level:
        return _imported(used, function)
    value = (variable if used.origin is None else global_variable)(function, used.root)
    return _followed(used.root, value, function, (used.root,), used.path)


def _imported(used: UsedName, function: FunctionType) -> ReachedName:
    """What a function imports itself: user's modules are imported for it, those of libraries when it runs."""
    origin: Any = used.origin
    name = origin.module
    if origin.level:
        package = function.__globals__.get("__package__") or ""
        parts = package.split(".")
        name = ".".join(filter(None, (*parts[: max(len(parts) - origin.level + 1, 0)], name)))
    module = imported_module(name)
    label = ".".join(filter(None, (name, origin.name, *used.path)))
    if module is None:
        return ReachedName(label, ABSENT, None, (), not _is_users(name), name)
    path = (origin.name, *used.path) if origin.name else used.path
    return _followed(used.root, module, module, (), path)._replace(imported=name)


def imported_module(name: str) -> ModuleType | None:
    """A module, which is imported if it is the user's own; None if it is not imported, or there is none."""
    found = sys.modules.get(name)
    if found is None and _is_users(name):
        try:
            found = importlib.import_module(name)
        except (Exception, SystemExit):  # whatever it does when it is imported: the function has not come there yet
            return None
    return found if isinstance(found, ModuleType) else None


def _is_users(name: str) -> bool:
    """Is a module the user's own, or is there none of this name?"""
    top = name.partition(".")[0]
    if top in sys.modules:
        return not is_library_module(top)
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return True
    return spec is None or (spec.origin is not None and not is_library_module(top, spec.origin))


def _followed(root: str, value: Any, namespace: Any, start: tuple[str, ...], path: tuple[str, ...]) -> ReachedName:
    """Follow attributes of modules, and plain values and functions of classes."""
    done = 0
    is_of_library = False
    module = ""
    label = ".".join((root, *path))
    for name in path:
        if isinstance(value, ModuleType):
            module = value.__name__
            is_of_library = is_library_module(module)
            label = ".".join((value.__name__, *path[done:]))
            found = _of_module(value, name, is_of_library)
        else:
            found = _of_class(value, name)
        if found is ABSENT:
            break
        value = found
        done += 1
    if not is_of_library:
        label = ".".join((root, *path[:done]))
    return ReachedName(label, value, namespace, (*start, *path[:done]), is_of_library, module=module)


def _of_module(module: ModuleType, name: str, is_of_library: bool) -> Any:
    found = vars(module).get(name, ABSENT)
    if found is not ABSENT:
        return found
    if not is_of_library and imported_module(f"{module.__name__}.{name}") is not None:
        return vars(module).get(name, ABSENT)
    try:
        is_plain = type(module) is ModuleType and "__getattr__" not in vars(module)
        return ABSENT if is_plain else getattr(module, name, ABSENT)
    except Exception:  # of its own code, or a warning
        return ABSENT


def _of_class(value: Any, name: str) -> Any:
    """A plain value of a class, or a function that needs nothing else of it; `ABSENT` for all else."""
    if not isinstance(value, type) or type(value).__getattribute__ is not type.__getattribute__:
        return ABSENT
    if is_library_module(value.__module__) or hasattr(type(value), name):
        return ABSENT
    found = find_on_class(value, name).value
    if type(found) is staticmethod:
        found = found.__func__
    if type(found) is FunctionType:
        return ABSENT if "__class__" in found.__code__.co_freevars else found
    return found if found is not ABSENT and is_data(found) else ABSENT
