"""To which owner do the results of a plain function belong? To one of its own, which is freed with the function."""

from __future__ import annotations

from typing import Any

from stored._engine.owners import Registry
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import FunctionParameters, module_name

__all__ = ["function_owner"]


def function_owner(function: Any, *limits: object) -> Any:
    """The owner of the results of a plain function.

    It has a class of its own, since what is known of code is kept in classes; the results in memory are in the spaces
    of another class, which all functions of the same name share: one that is made with each call of another function
    finds what the one before has computed, if their code and what they close over are the same.

    Parameters
    ----------
    function : callable
        The function.
    *limits : hashable
        The options by which memory holds other results than for other functions of this name.

    Returns
    -------
    object
        The owner. Its ``code_version`` is to be set before it is asked for its parameters.
    """
    shared = _shared_class(module_name(str(function.__module__), function), function.__qualname__, limits)
    names = {"__module__": function.__module__, "__qualname__": function.__qualname__}
    content = {
        "__slots__": ("__weakref__", "code_version"),
        "__stored_parameters__": vars(shared)["__stored_parameters__"],
        "__stored_spaces_of__": shared,
        # what is known of its calls: it refers to the function, which may close over itself
        "__stored_registry__": Registry(),
    }
    owner: Any = type(function.__name__, (), {**names, **content})()
    owner.code_version = ""
    return owner


_shared_classes: dict[tuple[str, str, tuple[object, ...]], type] = {}

_shared_lock = ForkSafeLock()


def _shared_class(module: str, qualname: str, limits: tuple[object, ...]) -> type:
    """The class in whose spaces memory has the results of all functions of a name."""
    with _shared_lock:
        found = _shared_classes.get((module, qualname, limits))
        if found is None:
            parameters = FunctionParameters(module, qualname)
            found = type("SpacesOfFunctions", (), {"__stored_parameters__": parameters})
            _shared_classes[module, qualname, limits] = found
        return found
