"""Which variables of enclosing functions are memos: None at first, and filled with what is always the same?

As ``if table is None: table = load()``, where no argument has a part in it and nothing has used the variable before.
Whether such a variable was filled before changes no result. All others that a function rebinds count by their values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from stored._keys.assigned_names import stored_inside, stored_names
from stored._keys.syntax import parameters

__all__ = ["closure_memos"]

_INNER = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_LEAVING = ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom


def closure_memos(texts: Mapping[ast.AST, str]) -> Mapping[ast.AST, frozenset[str]]:
    """The variables of enclosing functions that each function of a module fills as memos.

    Parameters
    ----------
    texts : mapping
        What its functions say, by their nodes.
    """
    rebinding = [each for each, text in texts.items() if "Nonlocal(" in text]
    inside = {inner for each in rebinding for inner in ast.walk(each) if inner is not each}
    found: dict[ast.AST, frozenset[str]] = {}
    for outermost in [each for each in rebinding if each not in inside]:
        functions = [(each, _rebound(each)) for each in ast.walk(outermost) if isinstance(each, ast.FunctionDef)]
        for function, names in functions:
            others = [(each, theirs) for each, theirs in functions if each is not function]
            memos = [name for name in names if _is_filled(function, name) and all(_only_empty(others, name))]
            if memos:
                found[function] = frozenset(memos)
    return found


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes and all in them, without what is in functions inside."""
    for node in nodes:
        yield node
        if not isinstance(node, _INNER):
            yield from _own_nodes(ast.iter_child_nodes(node))


def _rebound(function: ast.FunctionDef) -> set[str]:
    """The variables of enclosing functions that a function declares to rebind."""
    return {name for each in _own_nodes(function.body) if isinstance(each, ast.Nonlocal) for name in each.names}


def _only_empty(functions: Iterable[tuple[ast.FunctionDef, set[str]]], name: str) -> Iterator[bool]:
    """Do other functions that rebind a variable only set it to None?"""
    for function, names in functions:
        nodes = [] if name not in names else list(_own_nodes(function.body))
        empty = [each for each in nodes if isinstance(each, ast.Assign) and _is_none(each.value)]
        set_to_none = [each for statement in empty for each in statement.targets if _is_name(each, name)]
        yield list(stored_names(function.body)).count(name) == len(set_to_none) if nodes else True


def _is_filled(function: ast.FunctionDef, name: str) -> bool:
    """Does a function fill a variable at one place, before it uses it, with what depends on nothing of its own?"""
    number = next((n for n, each in enumerate(function.body) if _is_guard(each, name)), None)
    if number is None:
        return False
    guard = function.body[number]
    before, after = function.body[:number], function.body[number + 1 :]
    is_changed = any(_changes(each, name) for each in _all_nodes(after))
    if name in _names(before) or is_changed or name in _stored([*before, *after]):
        return False
    own = {each.arg for each in parameters(function.args)}.union(stored_names(function.body))
    return isinstance(guard, ast.If) and _is_steady(guard.body, own, name)


def _is_guard(node: ast.stmt, name: str) -> bool:
    """Is it ``if name is None:`` without an else?"""
    match node:
        case ast.If(ast.Compare(ast.Name(found), [ast.Is()], [ast.Constant(None)]), _, []):
            return found == name
    return False


def _is_steady(body: list[ast.stmt], own: set[str], name: str) -> bool:
    """Do statements assign variables, the memo too, and use none of the function's own but those?"""
    assigned: set[str] = set()
    for each in body:
        if not isinstance(each, ast.Assign) or any(isinstance(inner, _LEAVING) for inner in ast.walk(each)):
            return False
        if not (own - assigned).isdisjoint(_names([each.value])):
            return False
        if not all(isinstance(target, ast.Name) for target in each.targets):
            return False
        assigned.update(stored_inside(each))
    return name in assigned


def _changes(node: ast.AST, name: str) -> bool:
    """Is it a place where an item or an attribute of a variable is set?"""
    is_part = isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load)
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return is_part and _is_name(node, name)


def _all_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    return (inner for each in nodes for inner in ast.walk(each))


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {each.id for each in _all_nodes(nodes) if isinstance(each, ast.Name)}


def _stored(nodes: Iterable[ast.stmt]) -> set[str]:
    return {name for each in nodes for name in (*stored_names([each]), *stored_inside(each))}


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
