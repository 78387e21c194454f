"""Which arguments does the ``__init__`` of a class take, and which of them does it keep as attributes?"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from stored._keys.class_fields import declares_fields
from stored._keys.class_functions import find_on_class, is_data
from stored.errors import OwnerError
from stored.typing import ABSENT

__all__ = ["init_arguments", "kept_arguments", "shadowed_arguments", "tells_params"]

_names: WeakKeyDictionary[Any, tuple[str, ...]] = WeakKeyDictionary()
"""The arguments of functions."""


def init_arguments(owner: type) -> tuple[str, ...]:
    """The names of the arguments of which objects of a class are made; none where its fields say that.

    Raises
    ------
    OwnerError
        If they have no names.
    """
    function = _maker(owner)
    if function is None:
        return ()
    found = _names.get(function) if type(function) is FunctionType else None
    if found is None:
        found = _argument_names(owner, function)
        if type(function) is FunctionType:
            _names[function] = found
    return found


def _maker(owner: type) -> Any:
    """The ``__init__`` or ``__new__`` of a class that comes before all fields that it declares; None if none does."""
    for base in owner.__mro__[:-1]:
        if declares_fields(base):
            return None
        if vars(base).get("_is_protocol"):
            continue  # whose __init__ only refuses to make objects of it
        for name in ("__init__", "__new__"):
            function = vars(base).get(name, ABSENT)
            if function is not ABSENT and function is not getattr(object, name):
                return getattr(function, "__func__", function)  # __new__ is a static method
    return None


def _argument_names(owner: type, function: Any) -> tuple[str, ...]:
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (ValueError, TypeError):  # of compiled classes
        parameters = []
        unnamed = "arguments whose names are not known"
    else:
        parameters = parameters[not (parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL) :]
        starred = [str(each) for each in parameters if each.kind in {each.VAR_POSITIONAL, each.VAR_KEYWORD}]
        unnamed = " and ".join([each.partition(":")[0] for each in starred])
    if unnamed:
        named = [each.name for each in parameters if not each.kind.name.startswith("VAR_")]
        line = ", ".join([f'"{each}"' for each in named] or ['"H0"', '"Om0"'])
        raise OwnerError(
            f"{getattr(function, '__qualname__', owner.__name__)}() takes {unnamed}, and bare @keyed_by takes the"
            " arguments that are kept as attributes of the same names; name the attributes on which results of"
            f" {owner.__name__} depend, as in @keyed_by({line})"
        )
    return tuple([each.name for each in parameters])


def tells_params(owner: type) -> bool:
    """Has a class ``get_params()`` and ``set_params()``, as the estimators of scikit-learn do?

    These give and set the attributes that have the names of the arguments of ``__init__``.
    """
    return all(callable(getattr(owner, name, None)) for name in ("get_params", "set_params"))


def shadowed_arguments(owner: type) -> list[str]:
    """The arguments of ``__init__`` of which the class alone has an attribute: no code of it sets one."""
    data = []
    for name in init_arguments(owner):
        on_class = find_on_class(owner, name).value
        if on_class is not ABSENT and is_data(on_class):
            data.append(name)
    return [name for name in data if name not in _assigned(owner)]


def kept_arguments(owner: type) -> dict[str, str]:
    """The attributes in which a class is seen to keep arguments of its ``__init__``, by the names of these.

    Those of the same names, or of the same with an underscore.
    """
    assigned = _assigned(owner)
    spellings = [(name, each) for name in init_arguments(owner) for each in (f"_{name}", name)]
    return {name: each for name, each in spellings if each in assigned}


def _assigned(owner: type) -> set[str]:
    """The attributes that functions of a class set, and those that it has as properties or slots."""
    found: set[str] = set()
    for base in owner.__mro__[:-1]:
        for name, value in list(vars(base).items()):
            if isinstance(value, FunctionType):
                found.update(_attributes_set(value))
            elif hasattr(type(value), "__set__"):
                found.add(name)
    return found


def _attributes_set(function: FunctionType) -> Iterator[str]:
    for each in dis.get_instructions(inspect.unwrap(function)):
        if each.opname == "STORE_ATTR":
            yield each.argval
