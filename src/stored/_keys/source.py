"""What identifies a piece of code: where it stands, and what it says."""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import os
import sys
import tokenize
import warnings
import weakref
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

__all__ = ["code_text", "module_name", "qualified_name"]


def module_name(module: str) -> str:
    """The importable name of a module, also for a script, so that two scripts are never taken for one.

    A module run with ``python -m`` keeps its real name; a script is named after its file, and an interactive session
    after the notebook it belongs to, or else its working directory.
    """
    if module not in {"__main__", "__mp_main__"}:
        return module
    main = sys.modules.get(module)
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":  # which is all that an application in a folder or zip is called
        return str(spec.name)
    place = getattr(main, "__file__", None) or _interactive_place(main)
    return f"__main__:{_real_path(os.path.abspath(place))}"


@functools.lru_cache(maxsize=16)
def _real_path(place: str) -> str:
    return os.path.realpath(place)


def _interactive_place(main: Any) -> str:
    return getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME") or os.getcwd()


def qualified_name(thing: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{module_name(str(thing.__module__))}.{thing.__qualname__}"


_texts: dict[int, tuple[weakref.ref[CodeType], str]] = {}
"""By the identity of the code: equal code can come from different sources, and a source can change under its code."""


def code_text(function: FunctionType) -> str:
    """What a function does, as text that is the same in every process: normalised source, or else its bytecode."""
    code = function.__code__
    known = _texts.get(id(code))
    if known is None:
        known = _texts[id(code)] = (weakref.ref(code, functools.partial(_forget, id(code))), _code_text(code))
    return known[1]


def _forget(number: int, _: object) -> None:
    _texts.pop(number, None)


def _code_text(code: CodeType) -> str:
    try:
        # of the code, not of the function: a wrapper would show the source of what it wraps
        lines, first = inspect.findsource(code)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of the compiler were given when the code was first compiled
            text = _normalised("".join(inspect.getblock(lines[first:])), code.co_name)
            check_source_matches(code, "".join(lines))
        return text
    except (OSError, TypeError, ValueError, SyntaxError, LookupError, RecursionError, tokenize.TokenError):
        # no source (exec, a bare interpreter), a lambda amid an expression, or a file that is not what runs
        return f"python{sys.version_info.major}.{sys.version_info.minor} {_code_object_text(code)}"


def check_source_matches(code: CodeType, text: str) -> None:
    """Refuse the text of a file that does not compile to this very code, such as one edited since it was imported."""
    compiled = _compiled(text, code.co_filename, code.co_flags & __future__.annotations.compiler_flag)
    said = _code_object_text(code)
    if not any(_code_object_text(each) == said for each in compiled[_place(code)]):
        raise LookupError(code.co_qualname)


@functools.lru_cache(maxsize=4)
def _compiled(text: str, filename: str, flags: int) -> dict[tuple[str, int], list[CodeType]]:
    """All code of a file, by place."""
    found: dict[tuple[str, int], list[CodeType]] = {}
    for code in _inside(compile(text, filename, "exec", flags=flags, dont_inherit=True)):
        found.setdefault(_place(code), []).append(code)
    return found


def _inside(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _inside(each)


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _normalised(source: str, name: str) -> str:
    # dedented, the text in strings of many lines would change
    tree: Any = ast.parse(f"if True:\n{source}").body[0] if source[:1].isspace() else ast.parse(source)
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != name:
        raise LookupError(name)
    return ast.unparse(_Normaliser().visit(node))


class _Normaliser(ast.NodeTransformer):
    """Takes out what cannot change a result."""

    _in_class = False

    def _visited(self, node: ast.AST, in_class: bool) -> ast.AST:
        outside, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = outside
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = [each for each in node.decorator_list if not _is_stored(each)]
        node.returns = None
        node.body = _without_docstring(node.body)
        return self._visited(node, in_class=False)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _without_docstring(node.body)
        return self._visited(node, in_class=True)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if self._in_class:
            return node  # there the annotation can be the point: a field of a dataclass
        if node.value is None:
            node.annotation = ast.Constant(...)  # without a value, it still makes the name a local one
            return node
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)


def _is_stored(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(call, "attr", getattr(call, "id", None)) == "stored"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:] or [ast.Pass()]
    return body


def _code_object_text(code: CodeType) -> str:
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"{code.co_code.hex()} {code.co_exceptiontable.hex()} {counts} {names} {_constant_text(code.co_consts)}"


def _constant_text(value: object) -> str:
    if isinstance(value, CodeType):
        return _code_object_text(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant_text, value))})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_constant_text, value)))}}}"  # whose own order is that of the hash seed
    return hex(value) if type(value) is int else repr(value)  # the decimal digits that Python will write are limited
