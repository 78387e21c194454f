"""What does an expression of a method do with the object, and what does a target of an assignment?"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TypeAlias

from stored._keys.access_recorder import ALIAS, PART, WHOLE, Use, escape, operator
from stored._keys.self_calls import ITERATION, CallRecorder, item_of
from stored._keys.syntax import FunctionNode
from stored._keys.tree_origins import CLASS, DICT, SELF, constant_name
from stored._keys.tree_scopes import Scoped, matched_parts

__all__ = ["OPERATORS", "TRUTH", "ExpressionRecorder"]

OPERATORS: dict[type[ast.AST], str] = {
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

TRUTH = operator("__bool__", "__len__")

_KEY = operator("__hash__", "__eq__", "__index__")

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class ExpressionRecorder(CallRecorder):
    """Records expressions and targets."""

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
        name = OPERATORS[type(node.op)]
        text = ("__str__", "__repr__", "__getitem__", "__format__") if name == "mod" else ()
        repeats = ("__index__",) if name == "mul" else ()
        self.expression(node.left, operator(f"__{name}__", *repeats))
        self.expression(node.right, operator(f"__r{name}__", *text, *repeats))

    def _unary(self, node: ast.UnaryOp, use: Use) -> None:
        is_not = isinstance(node.op, ast.Not)
        self.expression(node.operand, TRUTH if is_not else operator(f"__{OPERATORS[type(node.op)]}__"))

    def _compare(self, node: ast.Compare, use: Use) -> None:
        left = node.left
        for by, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(by, ast.Is | ast.IsNot):
                uses = PART, PART
            elif isinstance(by, ast.In | ast.NotIn):
                uses = operator("__eq__", "__hash__"), operator("__contains__", "__eq__", *ITERATION)
                name = constant_name(left)
                if name is not None and DICT in self.of(right):
                    self.use(item_of(right, name, node), PART)
                    uses = PART, ALIAS
            else:
                name = OPERATORS[type(by)]
                uses = operator(f"__{name}__", "__eq__"), operator(f"__{_REFLECTED[name]}__", "__eq__")
            self.expression(left, uses[0])
            self.expression(right, uses[1])
            left = right

    def _boolean(self, node: ast.BoolOp, use: Use) -> None:
        before = self.conditions
        for each in node.values:
            self.expression(each, use)
            if SELF in self.of(each):
                self.use(each, TRUTH)
            self.conditions = (*self.conditions, Scoped(each, self.scope))
        self.conditions = before

    def _if_expression(self, node: ast.IfExp, use: Use) -> None:
        self.expression(node.test, TRUTH)
        before, self.conditions = self.conditions, (*self.conditions, Scoped(node.test, self.scope))
        self.expressions([node.body, node.orelse], use)
        self.conditions = before

    def _walrus(self, node: ast.NamedExpr, use: Use) -> None:
        self.expression(node.value, use)

    def _lambda(self, node: ast.Lambda, use: Use) -> None:
        self.record_defaults(node)
        around, self.scope = self.scope, self.scopes.of[node]
        self.record_return(node.body)
        self.scope = around

    def _comprehension(self, node: _Comprehension, use: Use) -> None:
        around, before = self.scope, self.conditions
        for each in node.generators:
            self.expression(each.iter, operator(*ITERATION))
            self.conditions = (*self.conditions, Scoped(each.iter, self.scope))
            self.scope = self.scopes.of[node]  # all but the first are evaluated in it
            self.store(each.target, Scoped(each.iter, self.scope), is_item=True)
            self.expressions(each.ifs, TRUTH)
            self.conditions = (*self.conditions, *(Scoped(test, self.scope) for test in each.ifs))
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.expressions(parts, escape("put into a container"))
        self.scope, self.conditions = around, before

    def _await(self, node: ast.Await, use: Use) -> None:
        self.expression(node.value, operator("__await__"))

    def _yield(self, node: ast.Yield, use: Use) -> None:
        self.record_return(node.value)

    def _yield_from(self, node: ast.YieldFrom, use: Use) -> None:
        self.expression(node.value, operator(*ITERATION))

    def _formatted(self, node: ast.FormattedValue, use: Use) -> None:
        self.expression(node.value, operator("__format__", "__str__", "__repr__"))
        if node.format_spec is not None:
            self.expression(node.format_spec, PART)

    def record_defaults(self, node: FunctionNode) -> None:
        """Record the defaults of a function inside, whose arguments are other names for them."""
        self.expressions([each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None], ALIAS)

    def record_return(self, value: ast.expr | None) -> None:
        """Record what a function returns or yields."""
        if value is None:
            return
        if self.scope is not self.scopes.of[self.tree.node]:
            self.expression(value, escape("returned by a function inside"))
            return
        origins = self.of(value)
        self.returns_self |= SELF in origins
        self.returned.update(each.name for each in origins if each.name)
        self.expression(value, escape("returned") if DICT in origins else WHOLE)

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
        self.note_set_elsewhere(name, origins)
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


def _is_nested(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute)


def _as_value(parts: dict[str, object]) -> dict[str, object]:
    """What is written inside an attribute leaves it with something in it, were it None."""
    return {**parts, "leaves": "value"}


def _keys(target: ast.expr) -> Iterator[ast.expr]:
    while isinstance(target, ast.Subscript):
        yield target.slice
        target = target.value


_EXPRESSIONS: dict[type[ast.expr], Callable[..., None]] = {
    ast.Name: ExpressionRecorder._name,
    ast.Attribute: ExpressionRecorder._attribute,
    ast.Subscript: ExpressionRecorder._subscript,
    ast.Call: ExpressionRecorder.call,
    ast.Tuple: ExpressionRecorder._container,
    ast.List: ExpressionRecorder._container,
    ast.Set: ExpressionRecorder._container,
    ast.Slice: ExpressionRecorder._slice,
    ast.BinOp: ExpressionRecorder._binary,
    ast.UnaryOp: ExpressionRecorder._unary,
    ast.Compare: ExpressionRecorder._compare,
    ast.BoolOp: ExpressionRecorder._boolean,
    ast.IfExp: ExpressionRecorder._if_expression,
    ast.NamedExpr: ExpressionRecorder._walrus,
    ast.Lambda: ExpressionRecorder._lambda,
    ast.ListComp: ExpressionRecorder._comprehension,
    ast.SetComp: ExpressionRecorder._comprehension,
    ast.DictComp: ExpressionRecorder._comprehension,
    ast.GeneratorExp: ExpressionRecorder._comprehension,
    ast.Await: ExpressionRecorder._await,
    ast.Yield: ExpressionRecorder._yield,
    ast.YieldFrom: ExpressionRecorder._yield_from,
    ast.FormattedValue: ExpressionRecorder._formatted,
}
