"""What identifies a piece of code: where it stands, and what it says.

The version of a stored method is the digest of its source with everything removed that cannot change a result:
comments, formatting, docstrings, annotations and the `stored` decorator itself.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
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
    if spec is not None:
        return str(spec.name)
    place = getattr(main, "__file__", None) or _interactive_place(main)
    return f"__main__:{os.path.realpath(place)}"


def _interactive_place(main: Any) -> str:
    return getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME") or os.getcwd()


def qualified_name(thing: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{module_name(str(thing.__module__))}.{thing.__qualname__}"


def code_text(function: FunctionType) -> str:
    """What a function does, as text that is the same in every process: normalised source, or else its bytecode."""
    try:
        return _normalised(inspect.getsource(function), function.__name__)
    except (OSError, TypeError, SyntaxError, LookupError):
        # no source (exec, a bare interpreter), or a lambda amid an expression
        return f"python{sys.version_info.major}.{sys.version_info.minor} {_code_object_text(function.__code__)}"


def _normalised(source: str, name: str) -> str:
    tree = ast.parse(textwrap.dedent(source))
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != name:
        raise LookupError(name)
    return ast.unparse(_Normaliser().visit(node))


class _Normaliser(ast.NodeTransformer):
    """Takes out what cannot change a result."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = [each for each in node.decorator_list if not _is_stored(each)]
        node.returns = None
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        # inside a class the annotation can be the point (a dataclass), so only its value is sure to count there too
        if node.value is None:
            return node
        return self.generic_visit(ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node))


def _is_stored(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(call, "attr", getattr(call, "id", None)) == "stored"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:] or [ast.Pass()]
    return body


def _code_object_text(code: CodeType) -> str:
    constants = [_code_object_text(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    if _has_docstring(code):
        constants = constants[1:]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames} {code.co_freevars}"


def _has_docstring(code: CodeType) -> bool:
    named = not code.co_name.startswith("<")
    return named and bool(code.co_consts) and isinstance(code.co_consts[0], str)


def static_closure(function: FunctionType) -> dict[str, object]:
    """The plain constants that a function takes from the function around it.

    A class made by a factory keeps one source for many meanings; these tell them apart. Names that the function
    rebinds (counters, say) and mutable values are left out.
    """
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    rebound = _rebound_names(function.__code__)
    values = {name: _contents(cell) for name, cell in cells if name not in rebound}
    return {name: value for name, value in values.items() if type(value) in _UNCHANGING}


def _contents(cell: Any) -> object:
    try:
        return cast(object, cell.cell_contents)
    except ValueError:  # not bound yet
        return ...


def _rebound_names(code: CodeType) -> set[str]:
    import dis

    return {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"STORE_DEREF", "DELETE_DEREF"}}
