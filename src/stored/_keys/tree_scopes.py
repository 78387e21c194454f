"""Which variables has a function, those of functions and comprehensions in it included, and what is bound to them?"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from stored._keys.syntax import FunctionNode, mangled

__all__ = ["Binding", "Scope", "Scoped", "Scopes", "Variable", "collect_scopes", "matched_parts"]

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_Loop: TypeAlias = ast.For | ast.AsyncFor


class Scoped(NamedTuple):
    """An expression, and the scope in which it is evaluated."""

    node: ast.expr
    scope: Scope


class Binding(NamedTuple):
    """One of the places where a variable gets a value.

    Attributes
    ----------
    value : Scoped or None
        The expression whose value it gets, None if it is no expression.
    item : int, str or None
        If it gets one item of that value: its index; "each" for any.
    sources : sequence of (ast.AST, Scope)
        All that the value is computed from.
    control : sequence of Scoped
        The expressions that decide whether it is.
    is_change : bool
        Does the variable keep its value, and does this change the value's content?
    """

    value: Scoped | None
    item: int | str | None
    sources: Sequence[tuple[ast.AST, Scope]] = ()
    control: tuple[Scoped, ...] = ()
    is_change: bool = False


class Scope:
    """The variables of a function, lambda, comprehension or class body."""

    __slots__ = ("arguments", "bindings", "class_name", "foreign", "kind", "parent")

    def __init__(self, kind: str, parent: Scope | None, class_name: str | None) -> None:
        self.kind = kind
        self.parent = parent
        self.class_name = class_name
        self.bindings: dict[str, list[Binding]] = {}
        self.arguments: set[str] = set()
        self.foreign: dict[str, str] = {}  # names that are declared global or nonlocal

    def find(self, name: str) -> Scope | None:
        """The scope that a variable belongs to; None if it is global, built in, or one of an enclosing function."""
        scope: Scope | None = self
        while scope is not None:
            if scope is self or scope.kind != "class":
                declared = scope.foreign.get(name)
                if declared == "global":
                    return None
                if declared is None and name in scope.bindings:
                    return scope
            scope = scope.parent
        return None

    def mangled(self, name: str) -> str:
        """A name as Python knows it, in the class in whose body this is."""
        return mangled(name, self.class_name)


Variable: TypeAlias = tuple[Scope, str]


class Scopes(NamedTuple):
    """The scopes of a function and of all in it, by their nodes; and what is assigned to variables that it shares.

    Attributes
    ----------
    of : dict
        The scope of each function, lambda, comprehension and class body.
    control : dict
        By statement: the expressions that decide whether it runs.
    shared : list of Scoped
        The values given to global variables, and to those of enclosing functions.
    """

    of: dict[ast.AST, Scope]
    control: dict[ast.AST, tuple[Scoped, ...]]
    shared: list[Scoped]


def collect_scopes(node: FunctionNode, class_name: str | None) -> Scopes:
    """The scopes of a function."""
    collector = _Collector(class_name)
    collector.enter_function(node)
    return collector.scopes


class _Collector(ast.NodeVisitor):
    def __init__(self, class_name: str | None) -> None:
        self.scopes = Scopes({}, {}, [])
        self.class_name = class_name
        self.scope = Scope("outside", None, class_name)
        self.control: tuple[Scoped, ...] = ()

    def visit(self, node: ast.AST) -> None:
        """Visit a node, and note under which conditions a statement runs."""
        if isinstance(node, ast.stmt):
            self.scopes.control[node] = self.control
        super().visit(node)

    # -- scopes -------------------------------------------------------------------------------------------------------

    def enter_function(self, node: FunctionNode) -> None:
        """Collect the variables of a function; its defaults and decorators belong to the scope around it."""
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(named) - len(arguments.defaults)) + [*arguments.defaults]
        named += arguments.kwonlyargs
        around, scope = self.scope, self._enter(node, "function", self.class_name)
        for argument, default in zip(named, [*defaults, *arguments.kw_defaults], strict=True):
            value = None if default is None else Scoped(default, around)
            scope.bindings[argument.arg] = [Binding(None, None), *([] if value is None else [Binding(value, None)])]
        for variadic in filter(None, (arguments.vararg, arguments.kwarg)):
            scope.bindings[variadic.arg] = [Binding(None, None)]
        scope.arguments |= set(scope.bindings)
        for each in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(each)
        self.scope = around

    def _enter(self, node: ast.AST, kind: str, class_name: str | None) -> Scope:
        parent = None if self.scope.kind == "outside" else self.scope
        self.scope = self.scopes.of[node] = Scope(kind, parent, class_name)
        return self.scope

    def _visit_function(self, node: FunctionNode) -> None:
        if not isinstance(node, ast.Lambda):
            self._bind(node.name, None, code=node)
            for each in node.decorator_list:
                self.visit(each)
        for default in filter(None, (*node.args.defaults, *node.args.kw_defaults)):
            self.visit(default)
        self.enter_function(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, None, code=node)
        for each in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(each)
        around, outside = self.scope, self.class_name
        self.class_name = node.name
        self._enter(node, "class", node.name)
        for statement in node.body:
            self.visit(statement)
        self.scope, self.class_name = around, outside

    def _visit_comprehension(self, node: _Comprehension) -> None:
        around = self.scope
        self.visit(node.generators[0].iter)  # which alone is evaluated in the scope around
        inner = self._enter(node, "comprehension", self.class_name)
        for number, each in enumerate(node.generators):
            self._bind_target(each.target, Scoped(each.iter, inner if number else around), "each")
        for number, each in enumerate(node.generators):
            for part in (*each.ifs, *([each.iter] * bool(number))):
                self.visit(part)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.scope = around

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._visit_comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._visit_comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._visit_comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._visit_comprehension(node)

    # -- bindings -----------------------------------------------------------------------------------------------------

    def _bind(
        self, name: str, value: Scoped | None, item: int | str | None = None, code: ast.AST | None = None
    ) -> None:
        scope: Scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None and not self._is_target(scope, name):
            scope = scope.parent  # of a walrus
        owner = self._declared(scope, name)
        if owner is None:
            self.scopes.shared.extend([] if value is None else [value])
            return
        sources = [*([] if value is None else [value]), *([] if code is None else [(code, self.scope)])]
        owner.bindings.setdefault(name, []).append(Binding(value, item, sources, self.control))

    def _is_target(self, scope: Scope, name: str) -> bool:
        return self._binds_targets and scope is self.scope

    _binds_targets = False

    def _declared(self, scope: Scope, name: str) -> Scope | None:
        """The scope to which an assignment in another one goes."""
        if name not in scope.foreign:
            return scope
        return scope.find(name)

    def _bind_target(self, target: ast.expr, value: Scoped | None, item: int | str | None = None) -> None:
        if isinstance(target, ast.Name):
            before, self._binds_targets = self._binds_targets, self.scope.kind == "comprehension"
            self._bind(target.id, value, item)
            self._binds_targets = before
        elif isinstance(target, ast.Starred):
            self._bind_target(target.value, value, "each")
        elif isinstance(target, ast.Tuple | ast.List):
            for part, its_value, its_item in matched_parts(target, value, item):
                self._bind_target(part, its_value, its_item)
        else:
            self.change(target, [] if value is None else [value])
            self.visit(target)

    def change(self, target: ast.expr, sources: list[Scoped]) -> None:
        """The content of what a variable holds changes: the variable depends on more from there on."""
        inner: list[Scoped] = []
        while isinstance(target, ast.Attribute | ast.Subscript):
            if isinstance(target, ast.Subscript):
                inner.append(Scoped(target.slice, self.scope))
            target = target.value
        if isinstance(target, ast.Name):
            owner = self.scope.find(target.id)
            if owner is not None:
                change = Binding(None, None, [*sources, *inner], self.control, is_change=True)
                owner.bindings[target.id].append(change)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind_target(target, Scoped(node.value, self.scope))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        value = None if node.value is None else Scoped(node.value, self.scope)
        if node.value is not None:
            self.visit(node.value)
        if value is not None or isinstance(node.target, ast.Name):
            self._bind_target(node.target, value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            owner = self._declared(self.scope, node.target.id)
            if owner is not None:
                own = Scoped(ast.Name(node.target.id, ast.Load()), self.scope)
                binding = Binding(None, None, [Scoped(node.value, self.scope), own], self.control)
                owner.bindings.setdefault(node.target.id, []).append(binding)
        else:
            self._bind_target(node.target, Scoped(node.value, self.scope))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._bind(node.target.id, Scoped(node.value, self.scope))

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Call):  # its result is not used, so it is there to change something
            given = [*call.args, *(each.value for each in call.keywords)]
            sources = [Scoped(each, self.scope) for each in given]
            for changed in (*([call.func] * isinstance(call.func, ast.Attribute)), *given):
                self.change(changed, sources)
        self.visit(call)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._bind(target.id, None)
            else:
                self.visit(target)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for each in node.names:
            self._bind(each.asname or each.name.partition(".")[0], None)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.foreign.update(dict.fromkeys(node.names, "global"))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.foreign.update(dict.fromkeys(node.names, "nonlocal"))

    # -- statements that decide what runs -----------------------------------------------------------------------------

    def _under(self, condition: ast.expr, nodes: Iterator[ast.AST]) -> None:
        before = self.control
        self.control = (*before, Scoped(condition, self.scope))
        for each in nodes:
            self.visit(each)
        self.control = before

    def _visit_condition(self, node: ast.If | ast.While) -> None:
        self.visit(node.test)
        self._under(node.test, iter([*node.body, *node.orelse]))

    def visit_If(self, node: ast.If) -> None:
        self._visit_condition(node)

    def visit_While(self, node: ast.While) -> None:
        self._visit_condition(node)

    def _visit_loop(self, node: _Loop) -> None:
        self.visit(node.iter)
        self._bind_target(node.target, Scoped(node.iter, self.scope), "each")
        self._under(node.iter, iter([*node.body, *node.orelse]))

    def visit_For(self, node: ast.For) -> None:
        self._visit_loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self._visit_loop(node)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            self._bind_pattern(case.pattern, Scoped(node.subject, self.scope), None)
            parts = [*([] if case.guard is None else [case.guard]), *case.body]
            self._under(node.subject, iter(parts))

    def _bind_pattern(self, pattern: ast.pattern, subject: Scoped, item: str | None) -> None:
        name = getattr(pattern, "rest" if isinstance(pattern, ast.MatchMapping) else "name", None)
        if name is not None:
            self._bind(name, subject, item)
        for child in ast.iter_child_nodes(pattern):
            if isinstance(child, ast.pattern):
                is_same = isinstance(pattern, ast.MatchAs | ast.MatchOr)
                self._bind_pattern(child, subject, item if is_same else "each")

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self._bind_target(node.optional_vars, Scoped(node.context_expr, self.scope))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self._bind(node.name, None)
        self.generic_visit(node)


def matched_parts(
    target: ast.Tuple | ast.List, value: Scoped | None, item: int | str | None
) -> Iterator[tuple[ast.expr, Scoped | None, int | str | None]]:
    """The parts of a target with what each gets: an element of a tuple that is written out, or an item of a value."""
    parts = value.node.elts if value is not None and isinstance(value.node, ast.Tuple | ast.List) else []
    is_starred = any(isinstance(each, ast.Starred) for each in (*parts, *target.elts))
    if value is not None and item is None and len(parts) == len(target.elts) and not is_starred:
        for part, each in zip(target.elts, parts, strict=True):
            yield part, Scoped(each, value.scope), None
    else:
        for number, part in enumerate(target.elts):
            yield part, value, number if item is None else "each"
