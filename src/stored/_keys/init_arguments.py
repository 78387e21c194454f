"""Which arguments does the ``__init__`` of a class take, and which of them does it keep as attributes?"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from stored._keys.attributes import compiled_base
from stored._keys.class_fields import declares_fields
from stored._keys.class_functions import find_on_class, is_data
from stored.errors import OwnerError
from stored.typing import ABSENT

__all__ = ["content_line", "init_arguments", "kept_arguments", "named_arguments", "shadowed_arguments"]
__all__ += ["takes_unnamed"]


class _Taken(NamedTuple):
    """The arguments of a function.

    Attributes
    ----------
    names : tuple of str
        Those that have a name.
    starred : dict of str to str
        What collects the others, by how it is written.
    are_known : bool
        Is its signature known?
    """

    names: tuple[str, ...] = ()
    starred: dict[str, str] = {}  # it is never changed
    are_known: bool = True


_taken: WeakKeyDictionary[Any, _Taken] = WeakKeyDictionary()
"""The arguments of functions."""


def init_arguments(owner: type) -> tuple[str, ...]:
    """The names of the arguments of which objects of a class are made; none where its fields say that.

    Raises
    ------
    OwnerError
        If they have no names.
    """
    found = _arguments_taken(owner)
    if takes_unnamed(owner):
        raise OwnerError(_unnamed_text(owner, found))
    return found.names


def named_arguments(owner: type) -> tuple[str, ...]:
    """Those arguments of which objects of a class are made that have names."""
    return _arguments_taken(owner).names


def takes_unnamed(owner: type) -> bool:
    """Are objects of a class made of arguments that have no names, too?"""
    found = _arguments_taken(owner)
    return bool(found.starred) or not found.are_known


def _arguments_taken(owner: type) -> _Taken:
    function = _maker(owner)
    if function is None:
        return _Taken()
    found = _taken.get(function) if type(function) is FunctionType else None
    if found is None:
        found = _read_arguments(function)
        if type(function) is FunctionType:
            _taken[function] = found
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


def _read_arguments(function: Any) -> _Taken:
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (ValueError, TypeError):  # of compiled classes
        return _Taken(are_known=False)
    parameters = parameters[not (parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL) :]
    starred = {str(each).partition(":")[0]: each.name for each in parameters if each.kind.name.startswith("VAR_")}
    return _Taken(tuple([each.name for each in parameters if each.name not in starred.values()]), starred)


def _unnamed_text(owner: type, taken: _Taken) -> str:
    """What an error says of arguments that have no names."""
    line = content_line(owner)
    if line:
        base = compiled_base(owner).__name__
        return f"{owner.__qualname__} inherits from {base}, whose content is no attribute; {line}"
    function = getattr(_maker(owner), "__qualname__", owner.__name__)
    unnamed = " and ".join(taken.starred) or "arguments whose names are not known"
    named = [*taken.names, *[each for each in taken.starred.values() if each in _assigned(owner)]]
    names = ", ".join([f'"{each}"' for each in named] or ['"H0"', '"Om0"'])
    return (
        f"{function}() takes {unnamed}, and bare @keyed_by takes the arguments that are kept as attributes of the same"
        f" names; name the attributes on which results of {owner.__name__} depend, as in @keyed_by({names})"
    )


def content_line(owner: type) -> str:
    """The lines that name what objects contain, as lists and floats do; empty for a class without such a content."""
    base = compiled_base(owner)
    if base not in _WITH_CONTENT:
        return ""
    function = "np.asarray" if base is np.ndarray else base.__name__
    return f'write content = property({function}) in the class, and @keyed_by("content", only=True) above it'


_WITH_CONTENT = frozenset({dict, list, set, frozenset, tuple, str, bytes, bytearray, int, float, complex, np.ndarray})
"""Types whose objects have something in them that is no attribute, and that they themselves make of it again."""


def shadowed_arguments(owner: type) -> list[str]:
    """The arguments of ``__init__`` of which the class alone has an attribute: no code of it sets one."""
    data = []
    for name in named_arguments(owner):
        on_class = find_on_class(owner, name).value
        if on_class is not ABSENT and is_data(on_class):
            data.append(name)
    return [name for name in data if name not in _assigned(owner)]


def kept_arguments(owner: type) -> dict[str, str]:
    """The attributes in which a class is seen to keep arguments of its ``__init__``, by the names of these.

    Those of the same names, or of the same with an underscore.
    """
    assigned = _assigned(owner)
    spellings = [(name, each) for name in named_arguments(owner) for each in (f"_{name}", name)]
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
