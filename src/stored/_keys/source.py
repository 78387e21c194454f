"""What does a function's code say, and what are the names of functions, classes and modules?

The version of a stored method is the digest of its source without all that cannot change a result: comments,
formatting, docstrings, annotations and the `stored` decorator itself.
"""

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

from stored._keys.syntax import parse

__all__ = ["code_text", "module_name", "qualified_name"]


def module_name(module: str) -> str:
    """A name for a module that no other module has; scripts and interactive sessions are all called ``__main__``.

    A module run with ``python -m`` keeps its importable name; a script is named after its file, an interactive session
    after its notebook or, without one, its working directory.
    """
    if module not in {"__main__", "__mp_main__"}:
        return module
    main = sys.modules.get(module)
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":  # an application in a folder or zip has no better name
        return str(spec.name)
    path = getattr(main, "__file__", None) or _session_path(main)
    return f"__main__:{_real_path(os.path.abspath(path))}"


@functools.lru_cache(maxsize=16)
def _real_path(path: str) -> str:
    return os.path.realpath(path)


def _session_path(main: Any) -> str:
    return getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME") or os.getcwd()


def qualified_name(thing: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{module_name(str(thing.__module__))}.{thing.__qualname__}"


_texts: dict[int, tuple[weakref.ref[CodeType], str]] = {}
"""By the id of the code object: equal code objects can come from different sources, and a file can be edited."""


def code_text(function: FunctionType) -> str:
    """A function's code as text that is the same in every process: normalised source or, without one, bytecode."""
    code = function.__code__
    found = _texts.get(id(code))
    if found is None:
        found = _texts[id(code)] = (weakref.ref(code, functools.partial(_discard_text, id(code))), _code_text(code))
    return found[1]


def _discard_text(code_id: int, _: object) -> None:
    _texts.pop(code_id, None)


def _code_text(code: CodeType) -> str:
    try:
        # of the code, not of the function: for a wrapper, inspect would find the source of what it wraps
        lines, first = inspect.findsource(code)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler gave them when the code was first compiled
            text = _normalise("".join(inspect.getblock(lines[first:])), code.co_name)
            check_source_matches(code, "".join(lines))
        return text
    except (OSError, TypeError, ValueError, SyntaxError, LookupError, RecursionError, tokenize.TokenError):
        # no source (exec, a plain interpreter), a lambda inside an expression, or a file that was edited meanwhile
        return f"python{sys.version_info.major}.{sys.version_info.minor} {_code_object_text(code)}"


def check_source_matches(code: CodeType, text: str) -> None:
    """Refuse the text of a file that does not compile to this code, because it was edited since it was imported."""
    compiled = _compile_file(text, code.co_filename, code.co_flags & __future__.annotations.compiler_flag)
    expected = _code_object_text(code)
    if not any(_code_object_text(each) == expected for each in compiled[_position(code)]):
        raise LookupError(code.co_qualname)


@functools.lru_cache(maxsize=4)
def _compile_file(text: str, filename: str, flags: int) -> dict[tuple[str, int], list[CodeType]]:
    """All code objects of a file, by position."""
    found: dict[tuple[str, int], list[CodeType]] = {}
    for code in _nested_code(compile(text, filename, "exec", flags=flags, dont_inherit=True)):
        found.setdefault(_position(code), []).append(code)
    return found


def _nested_code(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _nested_code(each)


def _position(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _normalise(source: str, name: str) -> str:
    # not dedented, which would change the text of multi-line strings
    tree: Any = parse(f"if True:\n{source}").body[0] if source[:1].isspace() else parse(source)
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != name:
        raise LookupError(name)
    return ast.unparse(_Normaliser().visit(node))


class _Normaliser(ast.NodeTransformer):
    """Removes what cannot change a result: docstrings, annotations and @stored itself."""

    _in_class = False

    def _visit_inside(self, node: ast.AST, in_class: bool) -> ast.AST:
        outside, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = outside
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = [each for each in node.decorator_list if not _is_stored(each)]
        node.returns = None
        node.body = _without_docstring(node.body)
        return self._visit_inside(node, in_class=False)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _without_docstring(node.body)
        return self._visit_inside(node, in_class=True)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if self._in_class:
            return node  # in a class, the annotation can count: it declares a field of a dataclass
        if node.value is None:
            node.annotation = ast.Constant(...)  # even without a value, the statement makes the name a local variable
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
        return f"{{{', '.join(sorted(map(_constant_text, value)))}}}"  # its order depends on the hash seed
    return hex(value) if type(value) is int else repr(value)  # Python limits how many decimal digits it writes
