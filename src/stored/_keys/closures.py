"""Which variables of enclosing functions does a function use?"""

from __future__ import annotations

from collections.abc import Iterator
from types import CellType, CodeType, FunctionType

__all__ = ["closure_cells"]


def closure_cells(function: FunctionType, with_rebound: bool) -> Iterator[tuple[str, CellType]]:
    """The names and cells of the variables that a function closes over.

    Parameters
    ----------
    function : FunctionType
        The function.
    with_rebound : bool
        Are those among them that the function itself assigns to, or a function inside it, such as counters?
    """
    rebound = set() if with_rebound or not function.__closure__ else _assigned_names(function.__code__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name not in rebound:
            yield name, cell


def _assigned_names(code: CodeType) -> set[str]:
    import dis

    found = {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"STORE_DEREF", "DELETE_DEREF"}}
    inside = [_assigned_names(each) & set(each.co_freevars) for each in code.co_consts if isinstance(each, CodeType)]
    return found.union(*inside)
