"""What is asked for by a constant in code, and of what?"""

from __future__ import annotations

import ast
from typing import Any

from stored._keys.used_names import NAMED, OWN_NAME, SEEDED_BY

__all__ = [
    "ASKING",
    "asked_for",
    "constant_item",
    "dotted",
    "environment_asked",
    "has_no_arguments",
    "last_name",
    "seeded_by",
    "variable_asked_for",
]


def dotted(node: ast.expr) -> tuple[ast.expr, tuple[str, ...]]:
    """What attributes are looked up on, and the attributes, in their order."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    return node, tuple(reversed(path))


def last_name(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


ASKING = frozenset({"import_module", "__import__"})
"""Functions that are asked for something by their first argument."""


def constant_item(node: ast.expr) -> str | None:
    """The constant string that something is asked for, or the name of the module; None if it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return OWN_NAME if isinstance(node, ast.Name) and node.id == "__name__" else None


def environment_asked(node: ast.Call, name: str) -> ast.expr | None:
    """What is called, or of what the method is called, to ask the environment for a variable; None by other calls."""
    if name == "getenv":
        return node.func
    of = node.func.value if name == "get" and isinstance(node.func, ast.Attribute) else None
    return of if of is not None and last_name(of) == "environ" else None


def variable_asked_for(node: ast.expr | None) -> str | None:
    """The variable that the environment is asked for: by a constant, or by a name that may be bound to one."""
    item = None if node is None else constant_item(node)
    return f"{NAMED}{node.id}" if item is None and isinstance(node, ast.Name) else item


def asked_for(item: str | None, others: list[Any]) -> str | None:
    """What a function is asked for; None for a module relative to a package other than that of the function."""
    is_own = all(isinstance(each, ast.Name) and each.id in {"__name__", "__package__"} for each in others)
    return None if item is not None and item.startswith(".") and not is_own else item


def has_no_arguments(node: ast.Call) -> bool:
    """Has a call no arguments other than None?"""
    values = [*node.args, *[each.value for each in node.keywords]]
    return all(isinstance(each, ast.Constant) and each.value is None for each in values)


def seeded_by(node: ast.Call) -> str:
    """The names in the seed of a call that makes a random generator, with their attributes, if it can be None."""
    names: set[str] = set()
    rest: list[ast.AST] = [*node.args, *[each.value for each in node.keywords]]
    while rest:
        each = rest.pop()
        base, path = dotted(each) if isinstance(each, ast.Attribute | ast.Name) else (each, ())
        if isinstance(base, ast.Name):
            names.add(".".join((base.id, *path)))
        elif not isinstance(each, _NEVER_NONE):
            rest += ast.iter_child_nodes(each)
    return f"{SEEDED_BY}{' '.join(sorted(names))}"


_NEVER_NONE = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.JoinedStr, ast.Tuple, ast.List)
