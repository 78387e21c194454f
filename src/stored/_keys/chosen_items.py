"""Which tables are functions asked for one item only, chosen by an attribute of their first argument?

As ``PROFILES[self.profile](r)`` in a method: then no other profile can change its result.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from stored._keys.syntax import parameters

__all__ = ["chosen_items"]

_CHOICE = re.compile(r"Subscript\('[^']+',[.\w]*'[^']+',\.")  # as it stands in the text of a function


def chosen_items(texts: Mapping[ast.AST, str]) -> Mapping[ast.AST, frozenset[tuple[str, str]]]:
    """The tables of which functions use one item only, with the attributes by which it is chosen.

    Parameters
    ----------
    texts : mapping
        What the functions of a module say, by their nodes.

    Returns
    -------
    mapping of AST to frozenset of (str, str)
        By functions: names of tables, as they stand there, and of attributes of the first argument.
    """
    with_items = [each for each, text in texts.items() if _CHOICE.search(text) and not isinstance(each, ast.Lambda)]
    return {each: frozenset(_of_function(each)) for each in with_items}


def _of_function(function: Any) -> Iterator[tuple[str, str]]:
    first = next((each.arg for each in parameters(function.args)), None)
    inside = [each for statement in function.body for each in ast.walk(statement)]
    if first is None or any(first in _bound_names(each) for each in inside):
        return
    uses = Counter([each.id for each in inside if isinstance(each, ast.Name)])
    choices = Counter(filter(None, [_choice(each, first) for each in inside]))
    for (table, attribute), count in choices.items():
        if uses[table.partition(".")[0]] == count and not attribute.startswith("__"):
            yield table, attribute


def _choice(node: ast.AST, first: str) -> tuple[str, str] | None:
    """The table and the attribute of an item that is chosen; None if it is none."""
    match node:
        case ast.Subscript(ast.Name() | ast.Attribute(), ast.Attribute(ast.Name(name), attribute), ast.Load()):
            table = ast.unparse(node.value)
            return (table, attribute) if name == first and table.replace(".", "").isidentifier() else None
    return None


def _bound_names(node: ast.AST) -> list[str | None]:
    """The names that a node binds, or declares as those of a scope around."""
    match node:
        case ast.Name(name, ast.Store() | ast.Del()) | ast.arg(name):
            return [name]
        case ast.Global(names) | ast.Nonlocal(names):
            return [*names]
        case ast.alias(name, other):
            return [other or name.partition(".")[0]]
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return [name]
        case ast.MatchMapping(rest=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
    return []
