"""Which names of a module are memos: empty at first, and filled by functions with what their arguments alone give?

As ``_CACHE = {}`` with ``_CACHE[x] = slow(x)`` in a function of ``x``, or ``_TABLE = None`` with ``global _TABLE`` and
``_TABLE = load()`` in a function without arguments. Whether such a name was filled before changes no result.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from stored._keys.syntax import parameters

__all__ = ["module_memos"]

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def module_memos(tree: ast.Module, texts: Mapping[ast.AST, str]) -> Mapping[ast.AST, frozenset[str]]:
    """The memos of a module that each of its functions fills.

    Parameters
    ----------
    tree : ast.Module
        The syntax tree of the module.
    texts : mapping
        What its functions say, by their nodes.
    """
    empty = dict(_empty_at_first(tree))
    if not empty:
        return {}
    outside = [each for each in tree.body if not isinstance(each, _Function | ast.ClassDef)]
    for node in (inner for each in outside for inner in ast.walk(each)):
        if isinstance(node, ast.Name) and node.id in empty and node is not empty[node.id]:
            empty.pop(node.id)
    found: dict[ast.AST, set[str]] = {}
    names = [ascii(name) for name in empty]  # as they stand in the texts
    for function in [each for each in texts if isinstance(each, _Function)]:
        if not any(name in texts[function] for name in names):
            continue
        for name, is_filled in _filled_by(function, empty).items():
            if is_filled:
                found.setdefault(function, set()).add(name)
            else:
                empty.pop(name, None)
    return {function: frozenset(names & empty.keys()) for function, names in found.items()}


def _empty_at_first(tree: ast.Module) -> Iterator[tuple[str, ast.Name]]:
    """The names that a module sets to None or an empty container, with the node that does so."""
    for each in tree.body:
        targets = (
            each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.AnnAssign) else []
        )
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and _is_empty(getattr(each, "value", None)):
            yield targets[0].id, targets[0]


def _is_empty(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Constant):
        return value.value is None
    if isinstance(value, ast.Call):
        name = getattr(value.func, "attr", getattr(value.func, "id", ""))
        return name in {"dict", "OrderedDict", "WeakValueDictionary"} and not value.args and not value.keywords
    return isinstance(value, ast.Dict) and not value.keys


def _filled_by(function: _Function, names: Mapping[str, object]) -> dict[str, bool]:
    """The names that a function fills; False for one that it does something else with than a memo allows."""
    found: dict[str, bool] = {}
    parents = {child: node for node in ast.walk(function) for child in ast.iter_child_nodes(node)}
    for node in parents:
        if isinstance(node, ast.Name) and node.id in names:
            use = _use(node, parents, function)
            if use == "fill":
                found.setdefault(node.id, True)
            elif use == "other":
                found[node.id] = False
    return found


def _use(node: ast.Name, parents: Mapping[ast.AST, ast.AST], function: _Function) -> str:
    """Does a function "read" a name, "fill" it by its arguments alone, or do something "other" with it?"""
    parent = parents[node]
    if isinstance(node.ctx, ast.Store):
        is_own = (
            isinstance(parent, ast.Assign) and _has_no_parameters(function) and not _is_inside(node, parents, function)
        )
        return "fill" if is_own else "other"
    if isinstance(parent, ast.Subscript) and parent.value is node:
        if isinstance(parent.ctx, ast.Load):
            return "read"
        is_plain = isinstance(parent.ctx, ast.Store) and isinstance(parents[parent], ast.Assign)
        is_told = _parameters(function) <= _names_in(parent.slice, function) and not _is_inside(node, parents, function)
        return "fill" if is_plain and is_told else "other"
    if isinstance(parent, ast.Attribute):
        return "read" if parent.attr in {"get", "keys", "values", "items"} else "other"
    if isinstance(parent, ast.Compare) or _has_no_parameters(function):
        return "read"
    return "other"


def _parameters(function: _Function) -> set[str]:
    return {each.arg for each in parameters(function.args)}


def _has_no_parameters(function: _Function) -> bool:
    return not _parameters(function)


def _is_inside(node: ast.AST, parents: Mapping[ast.AST, ast.AST], function: _Function) -> bool:
    """Is a node in a function or a comprehension that is inside the function?"""
    around = parents.get(node)
    while around is not None and around is not function:
        if isinstance(around, _Function | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return True
        around = parents.get(around)
    return False


def _names_in(key: ast.expr, function: _Function) -> set[str]:
    """The names in a key, and in what is assigned to those of them that are assigned once."""
    assigned: dict[str, list[ast.expr]] = {}
    for each in ast.walk(function):
        if isinstance(each, ast.Assign):
            for target in each.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(each.value)
    found = _loaded(key)
    for name in list(found):
        if len(assigned.get(name, ())) == 1 and name not in _parameters(function):
            found |= _loaded(assigned[name][0])
    return found if not any(name in assigned for name in _parameters(function)) else set()


def _loaded(node: ast.expr) -> set[str]:
    """The names in an expression that is a name or a tuple of names, which tells them in full."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {each.id for each in parts if isinstance(each, ast.Name)}
