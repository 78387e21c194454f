"""Which variables does a function use that it does not define, and what do they have in them?"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from stored.typing import ABSENT

__all__ = ["closure_cells", "global_variable", "rebound_variables", "variable"]


def closure_cells(function: FunctionType) -> Iterator[tuple[str, CellType]]:
    """The names and cells of the variables that a function closes over."""
    return zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)


def rebound_variables(code: CodeType) -> set[str]:
    """The variables of enclosing functions that a function itself assigns to, or a function inside it."""
    return _assigned_names(code) & set(code.co_freevars) if code.co_freevars else set()


def _assigned_names(code: CodeType) -> set[str]:
    found = set()
    if not _ASSIGNING.isdisjoint(code.co_code[::2]):  # every other byte is an argument
        found = {str(step.argval) for step in dis.get_instructions(code) if step.opcode in _ASSIGNING}
    inside = [_assigned_names(each) & set(each.co_freevars) for each in code.co_consts if isinstance(each, CodeType)]
    return found.union(*inside)


_ASSIGNING = frozenset({dis.opmap["STORE_DEREF"], dis.opmap["DELETE_DEREF"]})


def global_variable(function: FunctionType, name: str) -> Any:
    """A global variable as a function finds it, or a built-in name; `ABSENT` if there is none."""
    return function.__globals__.get(name, getattr(builtins, name, ABSENT))


def variable(function: FunctionType, name: str) -> Any:
    """A variable that a function uses and does not define: one that it closes over, or a global one."""
    names = function.__code__.co_freevars
    if name not in names:
        return global_variable(function, name)
    try:
        return (function.__closure__ or ())[names.index(name)].cell_contents
    except ValueError:  # it has no value now
        return ABSENT
