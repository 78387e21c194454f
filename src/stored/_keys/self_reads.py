"""What does a function do with the object that it is called on, as its syntax tree tells?"""

from __future__ import annotations

import ast
import functools
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from stored._keys.access_recorder import ALIAS, NOTHING, PART, WHOLE, escape, operator, passed
from stored._keys.class_functions import generated_accesses
from stored._keys.function_tree import function_tree
from stored._keys.self_accesses import SelfAccesses
from stored._keys.self_calls import ITERATION
from stored._keys.self_expressions import OPERATORS, TRUTH, ExpressionRecorder
from stored._keys.tree_origins import CLASS, DICT, SELF
from stored._keys.tree_scopes import Scoped

__all__ = ["function_accesses", "self_accesses"]

_known: dict[int, tuple[weakref.ref[CodeType], dict[tuple[int | None, bool], SelfAccesses | None]]] = {}
"""By the id of the code object: equal code objects can come from different sources."""


def self_accesses(code: CodeType, position: int | None = 0, is_class: bool = False) -> SelfAccesses | None:
    """What a function does with one of its arguments.

    Parameters
    ----------
    code : CodeType
        The function's code.
    position : int or None
        The position of the argument: 0 for the ``self`` of a method; None if no argument is the object.
    is_class : bool
        Is the argument the class of the object, as in class methods?

    Returns
    -------
    SelfAccesses or None
        None if the source of the code is not known: then the function may do anything.
    """
    reference, found = _known.get(id(code)) or (None, {})
    if reference is None:
        _known[id(code)] = weakref.ref(code, functools.partial(_forget, id(code))), found
    key = position, is_class
    if key not in found:
        tree = function_tree(code)
        found[key] = None if tree is None else _Visitor(tree, position, is_class).run()
    return found[key]


def function_accesses(function: FunctionType, kind: type, position: int | None, is_class: bool) -> SelfAccesses | None:
    """As `self_accesses`, of a function of a class, also of one that a dataclass or attrs class has generated."""
    generated = generated_accesses(function, kind)
    return self_accesses(function.__code__, position, is_class) if generated is None else generated


def _forget(code_id: int, _: object) -> None:
    _known.pop(code_id, None)


class _Visitor(ExpressionRecorder):
    """Goes through a function."""

    def run(self) -> SelfAccesses:
        """Record all that the function does."""
        node = self.tree.node
        if isinstance(node, ast.Lambda):
            self.record_return(node.body)
        else:
            self.statements(node.body)
        for value in self.scopes.shared:
            if self.origins.of(*value) & {SELF, CLASS, DICT}:
                self.unknown_read(value.node, "it is kept in a variable outside the function")
        return self.accesses()

    # -- statements ---------------------------------------------------------------------------------------------------

    def statements(self, nodes: list[ast.stmt]) -> None:
        """Record statements."""
        for node in nodes:
            before, self.statement = self.statement, node
            visit = _STATEMENTS.get(type(node))
            if visit is None:
                self._other_statement(node)
            else:
                visit(self, node)
            self.statement = before

    def _other_statement(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, escape(f"used by {type(node).__name__.lower()}"))
            elif isinstance(child, ast.stmt):
                self.statements([child])
            else:
                self._other_statement(child)

    def _function_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.expressions(node.decorator_list, passed((), 0))
        self.record_defaults(node)
        with_scope, self.scope = self.scope, self.scopes.of[node]
        self.statements(node.body)
        self.scope = with_scope

    def _class_definition(self, node: ast.ClassDef) -> None:
        self.expressions([*node.decorator_list, *node.bases, *(each.value for each in node.keywords)], passed((), 0))
        around, self.scope = self.scope, self.scopes.of[node]
        self.statements(node.body)
        self.scope = around

    def _return_statement(self, node: ast.Return) -> None:
        self.record_return(node.value)

    def _expression_statement(self, node: ast.Expr) -> None:
        self.expression(node.value, NOTHING)

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(node.value, ast.BinOp) and _feeds_itself(target, node.value):
            self._grow(target, node.value.right, node.value.op)
            return
        self._assigned_value(node.value, node.targets)
        for each in node.targets:
            self.store(each, Scoped(node.value, self.scope))

    def _assigned_value(self, value: ast.expr, targets: list[ast.expr]) -> None:
        """Record a value that is assigned; the elements of a tuple can go each to a target of its own."""
        if isinstance(value, ast.Tuple | ast.List) and all(_matches(each, value) for each in targets):
            for number, part in enumerate(value.elts):
                self._assigned_value(part, [each.elts[number] for each in targets])  # type: ignore[attr-defined]
        else:
            if any(isinstance(each, ast.Tuple | ast.List) for each in targets):
                self.use(value, operator(*ITERATION))
            is_variable = all(map(_is_variable, targets))
            self.expression(value, ALIAS if is_variable else escape("kept where it cannot be followed"))

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assigned_value(node.value, [node.target])
            self.store(node.target, Scoped(node.value, self.scope))

    def _augmented(self, node: ast.AugAssign) -> None:
        self._grow(node.target, node.value, node.op)

    def _grow(self, target: ast.expr, value: ast.expr, by: ast.operator) -> None:
        """Record what adds to what is there; that alone is no read of it."""
        name = OPERATORS[type(by)]
        self.expression(value, operator(f"__r{name}__", f"__{name}__"))
        if isinstance(target, ast.Name):
            self.use(target, operator(f"__i{name}__", f"__{name}__"))
            self.write_inside(target, target, how="grow", is_certain=False)
        else:
            self.store(target, Scoped(value, self.scope), how="grow")

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.store(target, None, how="remove")

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.expression(node.iter, operator(*ITERATION))
        self.store(node.target, Scoped(node.iter, self.scope), is_item=True)
        self.statements([*node.body, *node.orelse])

    def _condition(self, node: ast.If | ast.While) -> None:
        self.expression(node.test, TRUTH)
        self.statements([*node.body, *node.orelse])

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for each in node.items:
            self.expression(each.context_expr, operator("__enter__", "__exit__", "__aenter__", "__aexit__"))
            if each.optional_vars is not None:
                self.store(each.optional_vars, Scoped(each.context_expr, self.scope), is_item=True)
        self.statements(node.body)

    def _assert(self, node: ast.Assert) -> None:
        self.expression(node.test, TRUTH)
        if node.msg is not None:
            self.expression(node.msg, escape("raised"))

    def _match(self, node: ast.Match) -> None:
        self.expression(node.subject, WHOLE)
        if DICT in self.of(node.subject):
            self.whole_dict(node.subject, WHOLE)
        for case in node.cases:
            self._pattern(case.pattern, node.subject)
            if case.guard is not None:
                self.expression(case.guard, TRUTH)
            self.statements(case.body)

    def _pattern(self, pattern: ast.pattern, subject: ast.expr | None) -> None:
        is_self = subject is not None and SELF in self.of(subject)
        if isinstance(pattern, ast.MatchClass) and is_self and subject is not None:
            for name in pattern.kwd_attrs:
                self.use(ast.copy_location(ast.Attribute(subject, name, ast.Load()), pattern), PART)
            if pattern.patterns:
                self.unknown_read(pattern.cls, "a pattern reads it by position")
        elif not isinstance(pattern, ast.MatchAs | ast.MatchOr) and is_self and subject is not None:
            self.use(ast.copy_location(subject, pattern), operator(*ITERATION, "__eq__", "keys", "get"))
        children: Iterator[Any] = ast.iter_child_nodes(pattern)
        for child in children:
            if isinstance(child, ast.pattern):
                self._pattern(child, subject if isinstance(pattern, ast.MatchAs | ast.MatchOr) else None)
            else:
                self.expression(child, PART)


def _is_variable(target: ast.expr) -> bool:
    """Is it assigned to variables only?"""
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_variable, target.elts))
    return isinstance(target, ast.Name)


def _matches(target: ast.expr, value: ast.Tuple | ast.List) -> bool:
    """Does each element of a tuple go to a target of its own?"""
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else []
    is_starred = any(isinstance(each, ast.Starred) for each in (*parts, *value.elts))
    return len(parts) == len(value.elts) > 0 and not is_starred


def _feeds_itself(target: ast.expr, value: ast.BinOp) -> bool:
    """Is it ``self.n = self.n + 1``, which is like ``self.n += 1``?"""
    is_attribute = isinstance(target, ast.Attribute | ast.Subscript)
    return is_attribute and ast.unparse(target) == ast.unparse(value.left)


_STATEMENTS: dict[type[ast.stmt], Callable[..., None]] = {
    ast.FunctionDef: _Visitor._function_definition,
    ast.AsyncFunctionDef: _Visitor._function_definition,
    ast.ClassDef: _Visitor._class_definition,
    ast.Return: _Visitor._return_statement,
    ast.Expr: _Visitor._expression_statement,
    ast.Assign: _Visitor._assign,
    ast.AnnAssign: _Visitor._annotated,
    ast.AugAssign: _Visitor._augmented,
    ast.Delete: _Visitor._delete,
    ast.For: _Visitor._loop,
    ast.AsyncFor: _Visitor._loop,
    ast.If: _Visitor._condition,
    ast.While: _Visitor._condition,
    ast.With: _Visitor._with,
    ast.AsyncWith: _Visitor._with,
    ast.Assert: _Visitor._assert,
    ast.Match: _Visitor._match,
}
