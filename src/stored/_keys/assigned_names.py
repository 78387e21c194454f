"""Which variables do statements assign and use, and can they be left before their end?"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from stored._keys.tree_origins import constant_name

__all__ = [
    "INNER",
    "LATER",
    "assigned",
    "can_be_left",
    "is_lock",
    "loaded_names",
    "root_name",
    "stored_inside",
    "stored_names",
]

INNER = (
    ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
)
"""What has variables of its own."""

LATER = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.GeneratorExp
"""What runs at another time than where it stands."""

_PARTS = ast.stmt | ast.ExceptHandler | ast.match_case


def stored_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The variables that statements assign, without those of functions and comprehensions in them."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler):
            yield from [node.name] if node.name else []
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.MatchMapping):
            name = node.rest if isinstance(node, ast.MatchMapping) else node.name
            yield from [name] if name else []
        if isinstance(node, INNER):
            yield from (each.target.id for each in ast.walk(node) if isinstance(each, ast.NamedExpr))
        else:
            yield from stored_names(ast.iter_child_nodes(node))


def stored_inside(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)]


def loaded_names(nodes: Iterable[ast.AST]) -> list[str]:
    return [each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)]


def root_name(node: ast.expr) -> str:
    """The variable in which, or in a part of whose value, something is."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def assigned(node: ast.stmt) -> list[tuple[ast.expr, ast.expr]]:
    """The targets of a statement, each with the value that it gets; ``setattr`` is an assignment, too."""
    match node:
        case ast.Assign(targets, value):
            return [pair for target in targets for pair in _pairs(target, value)]
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return [(target, value)]
        case ast.Expr(
            ast.Call(ast.Name("setattr") | ast.Attribute(ast.Name("object"), "__setattr__"), [owner, name, value], [])
        ) if constant_name(name):
            items = ast.Subscript(ast.Attribute(owner, "__dict__", ast.Load()), name, ast.Store())
            return [(ast.copy_location(items, node), value)]
    return []


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    if not isinstance(target, ast.Tuple | ast.List):
        return [(target, value)]
    values: list[ast.expr] = [
        ast.copy_location(ast.Subscript(value, ast.Constant(number), ast.Load()), value)
        for number in range(len(target.elts))
    ]
    if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        values = value.elts if not any(isinstance(each, ast.Starred) for each in value.elts) else values
    return [pair for part, its_value in zip(target.elts, values, strict=True) for pair in _pairs(part, its_value)]


def can_be_left(nodes: Iterable[ast.stmt], is_in_loop: bool = False) -> bool:
    """Can statements be left before their end, other than by an exception?"""
    for node in nodes:
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not is_in_loop):
            return True
        inside = is_in_loop or isinstance(node, ast.For | ast.AsyncFor | ast.While)
        parts = [each for each in ast.iter_child_nodes(node) if isinstance(each, _PARTS)]
        if not isinstance(node, INNER) and can_be_left(parts, inside):  # type: ignore[arg-type]
            return True
    return False


def is_lock(item: ast.withitem) -> bool:
    """Is it a lock, by its name, as in ``with self._lock``?"""
    context = item.context_expr
    name = context.attr if isinstance(context, ast.Attribute) else root_name(context)
    return not {"lock", "rlock", "mutex"}.isdisjoint(name.lower().split("_")) and item.optional_vars is None
