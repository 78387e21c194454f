"""Which syntax tree does a function's code come from?"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import warnings
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

from stored._keys.source import check_source_matches
from stored._keys.syntax import parse

__all__ = ["FunctionNode", "FunctionTree", "function_tree"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_Trees: TypeAlias = dict[tuple[str, int], list["FunctionTree"]]


class FunctionTree(NamedTuple):
    """The syntax tree of a function, and the class in whose body it stands, after which private names are mangled."""

    node: FunctionNode
    class_name: str | None


def function_tree(code: CodeType) -> FunctionTree | None:
    """The syntax tree that a code object was compiled from; None if its source is not known, or says something else."""
    try:
        text = "".join(_lines(code))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler gave them when the code was first compiled
            check_source_matches(code, text)
            found = _trees_of_file(text)[code.co_name, code.co_firstlineno]
    except (OSError, TypeError, ValueError, SyntaxError, LookupError, RecursionError):
        return None  # no source (exec, a plain interpreter), or a file that was edited meanwhile
    return found[0] if len(found) == 1 else _tree_at_positions(code, found)


def _lines(code: CodeType) -> list[str]:
    """The lines of the file of a function; `inspect` looks through all modules for cells of a notebook."""
    linecache.checkcache(code.co_filename)
    return linecache.getlines(code.co_filename) or inspect.findsource(code)[0]


@functools.lru_cache(maxsize=4)
def _trees_of_file(text: str) -> _Trees:
    """The trees of all functions of a file, by name and first line."""
    found: _Trees = {}
    _collect(parse(text), None, found)
    return found


def _collect(node: ast.AST, class_name: str | None, found: _Trees) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode):
            found.setdefault(_place(child), []).append(FunctionTree(child, class_name))
        _collect(child, child.name if isinstance(child, ast.ClassDef) else class_name, found)


def _place(node: FunctionNode) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min(node.lineno, *(each.lineno for each in node.decorator_list), node.lineno)


def _tree_at_positions(code: CodeType, found: list[FunctionTree]) -> FunctionTree | None:
    """Of several lambdas on one line, the innermost whose body has all instructions of the code in it."""
    positions = list(_positions(code))
    around = [each for each in found if all(_contains(each.node, *position) for position in positions)]
    return min(around, key=lambda each: len(ast.unparse(each.node))) if positions and around else None


def _positions(code: CodeType) -> Iterator[tuple[int, int, int, int]]:
    for line, end_line, column, end_column in code.co_positions():
        if line is not None and end_line is not None and column is not None and end_column:
            yield line, column, end_line, end_column


def _contains(node: FunctionNode, line: int, column: int, end_line: int, end_column: int) -> bool:
    body: Any = node.body  # of a lambda: functions of one name cannot begin on one line
    end = body.end_lineno, body.end_col_offset
    return (body.lineno, body.col_offset) <= (line, column) and (end_line, end_column) <= end
