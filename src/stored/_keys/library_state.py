"""Which attributes of an owner does the class of a library make, of which all parameters are told?

An owner of a user's class that inherits from one of astropy's cosmologies has attributes that the cosmology has
computed of its parameters, or computes when they are asked for. They follow from the parameters, unless the user's
class sets them, too.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType

from stored._adapters import adapter_of
from stored._keys.class_functions import class_parts
from stored._keys.known_of_class import known_of_class
from stored._keys.libraries import is_library_module

__all__ = ["made_by_library"]

_NOTHING = frozenset[str]()


def made_by_library(kind: type) -> frozenset[str]:
    """The names of attributes that follow from the parameters of a class, since its base in a library makes them."""
    adapter = adapter_of(kind)
    if adapter is None or adapter.fields is None:
        return _NOTHING
    return known_of_class(kind, "made by library", lambda: _find_made(kind))


def _find_made(kind: type) -> frozenset[str]:
    made, own, given = set[str](), set[str](), {"_abc_impl"}
    for base in kind.__mro__[:-1]:
        (made if is_library_module(base.__module__) else own).update(vars(base))
    for function, base in class_parts(kind).homes.items():
        if not is_library_module(base.__module__):
            own.update(_set_in(function.__code__))
            continue
        made.update(_names_in(function))
        if function.__name__ == "__init_subclass__":  # which sets attributes of the user's class
            given.update(_set_in(function.__code__))
    return frozenset((made - own) | given)


def _names_in(function: FunctionType) -> Iterator[str]:
    """All names that a function may read or set."""
    for code in _codes(function.__code__):
        yield from code.co_names
        yield from _texts(code)


def _set_in(code: CodeType) -> Iterator[str]:
    """The names of attributes that a function may set, by a statement or by a text."""
    for each in _codes(code):
        yield from [str(step.argval) for step in dis.get_instructions(each) if step.opname in _SETTING]
        yield from _texts(each)


_SETTING = frozenset({"STORE_ATTR", "DELETE_ATTR"})


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those inside it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _texts(code: CodeType) -> list[str]:
    return [each for each in code.co_consts if isinstance(each, str) and each.isidentifier()]
