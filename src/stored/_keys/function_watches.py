"""What is watched of a function itself, beside the names that its code uses?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import FunctionType

from stored._keys.canonical_code import is_library_function, is_single_dispatch
from stored._keys.closures import closure_cells
from stored._keys.contents import content_of
from stored._keys.watched import CodeWatch, DefaultsWatch, NameWatch, RegistryWatch, Watch, can_exchange_code

__all__ = ["function_watches"]


def function_watches(function: FunctionType) -> Iterator[Watch]:
    """Its registry, what it closes over if it is a wrapper of a library, its code and its default values."""
    if is_single_dispatch(function):
        yield RegistryWatch(function)
    elif is_library_function(function):  # which wraps something of the user's, and whose names are not looked up
        for name, cell in closure_cells(function):
            with contextlib.suppress(ValueError):  # it has no value yet
                yield NameWatch(function, (name,), cell.cell_contents)
    if can_exchange_code():
        yield CodeWatch(function)
    if content_of((function.__defaults__, *(function.__kwdefaults__ or {}).values())) is not None:
        yield DefaultsWatch(function)
