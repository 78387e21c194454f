"""Which attributes of a user's class has the class of a library set there, of which all parameters are told?"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any

from stored._adapters import adapter_of
from stored._keys.libraries import is_library_module

__all__ = ["codes_in", "names_set_in", "set_on_subclasses"]

_NOTHING = frozenset[str]()


def set_on_subclasses(kind: type) -> frozenset[str]:
    """The names of attributes that ``__init_subclass__`` of bases in a library sets: they follow from the class."""
    adapter = adapter_of(kind)
    if adapter is None or adapter.fields is None:
        return _NOTHING
    found: set[str] = set()
    for base in kind.__mro__[1:-1]:
        hook: Any = vars(base).get("__init_subclass__")
        if hook is not None and is_library_module(base.__module__):
            found.update(names_set_in(hook.__func__.__code__))
    return frozenset(found)


def names_set_in(code: CodeType) -> Iterator[str]:
    """The names of attributes that a function sets by a statement."""
    for each in codes_in(code):
        yield from [str(step.argval) for step in dis.get_instructions(each) if step.opname in _SETTING]


_SETTING = frozenset({"STORE_ATTR", "DELETE_ATTR"})


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those inside it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from codes_in(each)
