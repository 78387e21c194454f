"""What does a function do with the object that it is called on, as its syntax tree tells?"""

from __future__ import annotations

import ast
import functools
import weakref
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, TypeAlias

from stored._keys.access_recorder import ALIAS, NOTHING, PART, WHOLE, Use, escape, operator, passed
from stored._keys.function_tree import FunctionNode, function_tree
from stored._keys.self_accesses import SelfAccesses
from stored._keys.self_calls import ITERATION, CallRecorder
from stored._keys.tree_origins import CLASS, DICT, SELF, constant_name
from stored._keys.tree_scopes import Scoped, matched_parts

__all__ = ["self_accesses"]

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


def _forget(code_id: int, _: object) -> None:
    _known.pop(code_id, None)


_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.BitAnd: "and",
    ast.MatMult: "matmul",
    ast.UAdd: "pos",
    ast.USub: "neg",
    ast.Invert: "invert",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}

_REFLECTED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "eq"}

_TRUTH = operator("__bool__", "__len__")

_KEY = operator("__hash__", "__eq__", "__index__")

_FUNCTION_NODES = ast.FunctionDef | ast.AsyncFunctionDef

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class _Visitor(CallRecorder):
    """Goes through a function."""

    def run(self) -> SelfAccesses:
        """Record all that the function does."""
        node = self.tree.node
        if isinstance(node, ast.Lambda):
            self._return(node.body)
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
        self._defaults(node)
        with_scope, self.scope = self.scope, self.scopes.of[node]
        self.statements(node.body)
        self.scope = with_scope

    def _defaults(self, node: FunctionNode) -> None:
        self.expressions([each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None], ALIAS)

    def _class_definition(self, node: ast.ClassDef) -> None:
        self.expressions([*node.decorator_list, *node.bases, *(each.value for each in node.keywords)], passed((), 0))
        around, self.scope = self.scope, self.scopes.of[node]
        self.statements(node.body)
        self.scope = around

    def _return(self, value: ast.expr | None) -> None:
        if value is None:
            return
        if self.scope is not self.scopes.of[self.tree.node]:
            self.expression(value, escape("returned by a function inside"))
            return
        origins = self.of(value)
        self.returns_self |= SELF in origins
        self.returned.update(each.name for each in origins if each.name)
        self.expression(value, escape("returned") if DICT in origins else WHOLE)

    def _return_statement(self, node: ast.Return) -> None:
        self._return(node.value)

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
        name = _OPERATORS[type(by)]
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
        self.expression(node.test, _TRUTH)
        self.statements([*node.body, *node.orelse])

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for each in node.items:
            self.expression(each.context_expr, operator("__enter__", "__exit__", "__aenter__", "__aexit__"))
            if each.optional_vars is not None:
                self.store(each.optional_vars, Scoped(each.context_expr, self.scope), is_item=True)
        self.statements(node.body)

    def _assert(self, node: ast.Assert) -> None:
        self.expression(node.test, _TRUTH)
        if node.msg is not None:
            self.expression(node.msg, escape("raised"))

    def _match(self, node: ast.Match) -> None:
        self.expression(node.subject, WHOLE)
        for case in node.cases:
            self._pattern(case.pattern, node.subject)
            if case.guard is not None:
                self.expression(case.guard, _TRUTH)
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

    # -- targets ------------------------------------------------------------------------------------------------------

    def store(self, target: ast.expr, value: Scoped | None, how: str = "set", is_item: bool = False) -> None:
        """Record a target of an assignment or deletion.

        Parameters
        ----------
        target : ast.expr
            The target.
        value : Scoped or None
            The expression that it gets, None for a deletion.
        how : str
            Is it set, added to ("grow") or removed?
        is_item : bool
            Does it get an item of that value only?
        """
        if isinstance(target, ast.Tuple | ast.List):
            for part, its_value, item in matched_parts(target, value, 0 if is_item else None):
                self.store(part, its_value, how, item is not None)
        elif isinstance(target, ast.Starred):
            self.store(target.value, value, how, is_item=True)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self.target_base(target.value)
            parts = self._parts(value, how, is_item)
            if isinstance(target, ast.Attribute):
                self._store_attribute(target, how, parts)
            else:
                self.expression(target.slice, _KEY)
                self._store_item(target, how, parts)

    def _parts(self, value: Scoped | None, how: str, is_item: bool) -> dict[str, object]:
        if value is None:
            return {"leaves": "nothing"}
        left = "value" if is_item or how == "grow" else self.leaves(value.node)
        return {"leaves": left, "sources": [value]}

    def _store_attribute(self, target: ast.Attribute, how: str, parts: dict[str, object]) -> None:
        origins = self.of(target.value)
        name = self.scope.mangled(target.attr)
        for origin in sorted(origins):
            if not origin.name and origin != DICT:
                is_certain = len(origins) == 1 and origin in {SELF, CLASS}
                what = "grow" if how == "grow" else "set"
                self.write(target, name, origin, how=what, is_certain=is_certain, **parts)
        if any(origin.name for origin in origins) or _is_nested(target.value):
            self.write_inside(target, target.value, how="grow" if how == "grow" else "into", **_as_value(parts))

    def _store_item(self, target: ast.Subscript, how: str, parts: dict[str, object]) -> None:
        for origin in sorted(self.of(target.value)):
            key = constant_name(target.slice)
            if origin == SELF:
                names = ("__delitem__",) if how == "remove" else ("__setitem__", "__getitem__")
                self.implicit[names, target.lineno] = None
            elif origin == DICT and key is not None:
                what = "grow" if how == "grow" else "set"
                self.write(target, key, SELF, how=what, is_certain=True, is_direct=True, **parts)
            elif origin == DICT:
                self.unknown_write(target, "an attribute is set by a name that is computed")
        if how == "remove":
            self.write_inside(target, target.value, how="remove", leaves="empty")
        else:
            how = "grow" if how == "grow" else "into"
            self.write_inside(target, target.value, how=how, keys=[*_keys(target)], **_as_value(parts))

    # -- expressions --------------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr, use: Use) -> None:
        """Record an expression, of whose value this becomes."""
        visit = _EXPRESSIONS.get(type(node))
        if visit is None:
            self._other_expression(node)
        else:
            visit(self, node, use)

    def _other_expression(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, escape(f"used in a {type(node).__name__.lower()}"))
            else:
                self._other_expression(child)

    def _name(self, node: ast.Name, use: Use) -> None:
        self.use(node, use)

    def _attribute(self, node: ast.Attribute, use: Use) -> None:
        self.base(node.value)
        if DICT in self.of(node.value):
            self.whole_dict(node.value, PART)
        self.use(node, use)

    def _subscript(self, node: ast.Subscript, use: Use) -> None:
        origins = self.of(node.value)
        self.expression(node.slice, _KEY)
        if DICT in origins and constant_name(node.slice) is not None:
            self.base(node.value)
            self.use(node, use)
            return
        self.expression(node.value, operator("__getitem__"))
        if SELF in self.of(node):  # the first of all arguments
            self.use(node, use)

    def _container(self, node: ast.Tuple | ast.List | ast.Set, use: Use) -> None:
        self.expressions(node.elts, escape("put into a container"))

    def _slice(self, node: ast.Slice, use: Use) -> None:
        self.expressions([each for each in (node.lower, node.upper, node.step) if each is not None], _KEY)

    def _binary(self, node: ast.BinOp, use: Use) -> None:
        name = _OPERATORS[type(node.op)]
        text = ("__str__", "__repr__", "__getitem__", "__format__") if name == "mod" else ()
        self.expression(node.left, operator(f"__{name}__"))
        self.expression(node.right, operator(f"__r{name}__", *text))

    def _unary(self, node: ast.UnaryOp, use: Use) -> None:
        is_not = isinstance(node.op, ast.Not)
        self.expression(node.operand, _TRUTH if is_not else operator(f"__{_OPERATORS[type(node.op)]}__"))

    def _compare(self, node: ast.Compare, use: Use) -> None:
        left = node.left
        for by, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(by, ast.Is | ast.IsNot):
                uses = PART, PART
            elif isinstance(by, ast.In | ast.NotIn):
                uses = operator("__eq__", "__hash__"), operator("__contains__", "__eq__", *ITERATION)
                name = constant_name(left)
                if name is not None and DICT in self.of(right):
                    found = ast.Subscript(right, ast.Constant(name), ast.Load())
                    self.use(ast.copy_location(found, node), PART)
                    uses = PART, ALIAS
            else:
                name = _OPERATORS[type(by)]
                uses = operator(f"__{name}__", "__eq__"), operator(f"__{_REFLECTED[name]}__", "__eq__")
            self.expression(left, uses[0])
            self.expression(right, uses[1])
            left = right

    def _boolean(self, node: ast.BoolOp, use: Use) -> None:
        before = self.conditions
        for each in node.values:
            self.expression(each, use)
            if SELF in self.of(each):
                self.use(each, _TRUTH)
            self.conditions = (*self.conditions, Scoped(each, self.scope))
        self.conditions = before

    def _if_expression(self, node: ast.IfExp, use: Use) -> None:
        self.expression(node.test, _TRUTH)
        before, self.conditions = self.conditions, (*self.conditions, Scoped(node.test, self.scope))
        self.expressions([node.body, node.orelse], use)
        self.conditions = before

    def _walrus(self, node: ast.NamedExpr, use: Use) -> None:
        self.expression(node.value, use)

    def _lambda(self, node: ast.Lambda, use: Use) -> None:
        self._defaults(node)
        around, self.scope = self.scope, self.scopes.of[node]
        self._return(node.body)
        self.scope = around

    def _comprehension(self, node: _Comprehension, use: Use) -> None:
        around, before = self.scope, self.conditions
        for each in node.generators:
            self.expression(each.iter, operator(*ITERATION))
            self.conditions = (*self.conditions, Scoped(each.iter, self.scope))
            self.scope = self.scopes.of[node]  # all but the first are evaluated in it
            self.store(each.target, Scoped(each.iter, self.scope), is_item=True)
            self.expressions(each.ifs, _TRUTH)
            self.conditions = (*self.conditions, *(Scoped(test, self.scope) for test in each.ifs))
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.expressions(parts, escape("put into a container"))
        self.scope, self.conditions = around, before

    def _await(self, node: ast.Await, use: Use) -> None:
        self.expression(node.value, operator("__await__"))

    def _yield(self, node: ast.Yield, use: Use) -> None:
        self._return(node.value)

    def _yield_from(self, node: ast.YieldFrom, use: Use) -> None:
        self.expression(node.value, operator(*ITERATION))

    def _formatted(self, node: ast.FormattedValue, use: Use) -> None:
        self.expression(node.value, operator("__format__", "__str__", "__repr__"))
        if node.format_spec is not None:
            self.expression(node.format_spec, PART)


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


def _is_nested(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute)


def _feeds_itself(target: ast.expr, value: ast.BinOp) -> bool:
    """Is it ``self.n = self.n + 1``, which is like ``self.n += 1``?"""
    is_attribute = isinstance(target, ast.Attribute | ast.Subscript)
    return is_attribute and ast.unparse(target) == ast.unparse(value.left)


def _as_value(parts: dict[str, object]) -> dict[str, object]:
    """What is written inside an attribute leaves it with something in it, were it None."""
    return {**parts, "leaves": "value"}


def _keys(target: ast.expr) -> Iterator[ast.expr]:
    while isinstance(target, ast.Subscript):
        yield target.slice
        target = target.value


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

_EXPRESSIONS: dict[type[ast.expr], Callable[..., None]] = {
    ast.Name: _Visitor._name,
    ast.Attribute: _Visitor._attribute,
    ast.Subscript: _Visitor._subscript,
    ast.Call: _Visitor.call,
    ast.Tuple: _Visitor._container,
    ast.List: _Visitor._container,
    ast.Set: _Visitor._container,
    ast.Slice: _Visitor._slice,
    ast.BinOp: _Visitor._binary,
    ast.UnaryOp: _Visitor._unary,
    ast.Compare: _Visitor._compare,
    ast.BoolOp: _Visitor._boolean,
    ast.IfExp: _Visitor._if_expression,
    ast.NamedExpr: _Visitor._walrus,
    ast.Lambda: _Visitor._lambda,
    ast.ListComp: _Visitor._comprehension,
    ast.SetComp: _Visitor._comprehension,
    ast.DictComp: _Visitor._comprehension,
    ast.GeneratorExp: _Visitor._comprehension,
    ast.Await: _Visitor._await,
    ast.Yield: _Visitor._yield,
    ast.YieldFrom: _Visitor._yield_from,
    ast.FormattedValue: _Visitor._formatted,
}
