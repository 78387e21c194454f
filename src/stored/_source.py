"""What identifies a piece of code: where it stands, and what it says.

The version of a stored method is the digest of its source with everything removed that cannot change a result:
comments, formatting, docstrings, annotations and the `stored` decorator itself.
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
import sys
import tokenize
import weakref
from types import CodeType, FunctionType
from typing import Any, cast

__all__ = ["code_text", "module_name", "qualified_name", "static_closure"]

_UNCHANGING = (type(None), bool, int, float, complex, str, bytes)


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
    return f"__main__:{os.path.realpath(place)}"


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
        known = _texts[id(code)] = (weakref.ref(code, functools.partial(_forget, id(code))), _text(code))
    return known[1]


def _forget(number: int, _: object) -> None:
    _texts.pop(number, None)


def _text(code: CodeType) -> str:
    try:
        # of the code, not of the function: a wrapper would show the source of what it wraps
        return _normalised(inspect.getsource(code), code.co_name)
    except (OSError, TypeError, SyntaxError, LookupError, tokenize.TokenError):
        # no source (exec, a bare interpreter), or a lambda amid an expression
        return f"python{sys.version_info.major}.{sys.version_info.minor} {_code_object_text(code)}"


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


def static_closure(function: FunctionType) -> dict[str, object]:
    """What a function takes from the function around it and cannot change: plain constants, and other functions.

    A class made by a factory keeps one source for many meanings; these tell them apart. Names that the function
    rebinds (counters, say) and mutable values are left out.
    """
    return _static_closure(function, (function,))


def _static_closure(function: FunctionType, around: tuple[FunctionType, ...]) -> dict[str, object]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    rebound = _rebound_names(function.__code__)
    values = {name: _contents(cell) for name, cell in cells if name not in rebound}
    told: dict[str, object] = {name: value for name, value in values.items() if type(value) in _UNCHANGING}
    for name, value in values.items():
        if isinstance(value, FunctionType) and value not in around:
            told[name] = (code_text(value), _static_closure(value, (*around, value)))
    return told


def _contents(cell: Any) -> object:
    try:
        return cast(object, cell.cell_contents)
    except ValueError:  # not bound yet
        return ...


def _rebound_names(code: CodeType) -> set[str]:
    import dis

    return {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"STORE_DEREF", "DELETE_DEREF"}}
