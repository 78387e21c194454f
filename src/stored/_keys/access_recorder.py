"""How is it written down what a function does with the object? For each use of an expression, by what it refers to."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any, Literal, NamedTuple

from stored._keys.argument_flow import ArgumentFlow
from stored._keys.function_tree import FunctionTree
from stored._keys.self_accesses import Finding, Passed, Read, SelfAccesses, Write
from stored._keys.tree_origins import ARGUMENTS, CLASS, DICT, OTHER, SELF, SUPER, Origin, Origins
from stored._keys.tree_scopes import Scope, Scoped, Variable, collect_scopes

__all__ = ["ALIAS", "NOTHING", "PART", "WHOLE", "Recorder", "Use", "escape", "operator", "passed"]


class Use(NamedTuple):
    """What becomes of the value of an expression.

    Attributes
    ----------
    kind : str
        Nothing; a variable gets it; a part of it is read or its identity is looked at; an operator or a built-in
        function calls special methods of it; a function gets it; it goes where it cannot be followed.
    names : tuple of str
        The special methods, or the names of the function.
    position : int
        The position of the argument.
    reason : str
        Where it goes.
    """

    kind: Literal["nothing", "alias", "part", "operator", "passed", "escape"]
    names: tuple[str, ...] = ()
    position: int = 0
    reason: str = ""


NOTHING = Use("nothing")
ALIAS = Use("alias")
PART = Use("part")
WHOLE = Use("part", reason="returned")


def operator(*names: str) -> Use:
    """Special methods are called."""
    return Use("operator", names)


def passed(function: tuple[str, ...], position: int) -> Use:
    """A function gets it."""
    return Use("passed", function, position)


def escape(reason: str) -> Use:
    """It goes where it cannot be followed."""
    return Use("escape", reason=reason)


class Recorder:
    """What is found in one function.

    Parameters
    ----------
    tree : FunctionTree
        The function.
    position : int or None
        Which of its arguments is the object; None if none is.
    is_class : bool
        Is it the class, and not the object?
    """

    def __init__(self, tree: FunctionTree, position: int | None, is_class: bool) -> None:
        self.tree = tree
        self.scopes = collect_scopes(*tree)
        self.scope: Scope = self.scopes.of[tree.node]
        self.given = self._given(position, CLASS if is_class else SELF)
        self.origins = Origins(self.scopes, self.given)
        self.statement: ast.stmt | None = None
        self.conditions: tuple[Scoped, ...] = ()  # of the expression
        self.reads: dict[Read, None] = {}
        self.writes: dict[Write, None] = {}
        self.passed: dict[Passed, None] = {}
        self.implicit: dict[tuple[tuple[str, ...], int], None] = {}
        self.unknown_reads: dict[Finding, None] = {}
        self.unknown_writes: dict[Finding, None] = {}
        self.returned: set[str] = set()
        self.set_elsewhere: set[str] = set()
        self.builtins_used: set[str] = set()
        self.constructs = False
        self.returns_self = False

    def _given(self, position: int | None, origin: Origin) -> dict[Variable, Origin]:
        arguments = self.tree.node.args
        named = [*arguments.posonlyargs, *arguments.args]
        if position is None:
            return {}
        if position < len(named):
            return {(self.scope, named[position].arg): origin}
        if arguments.vararg is None:
            return {}  # such a call is an error
        is_first = position == len(named) and origin == SELF
        return {(self.scope, arguments.vararg.arg): ARGUMENTS if is_first else DICT}  # any use of which is noted

    @cached_property
    def flow(self) -> ArgumentFlow:
        """On what values depend; most functions write nothing, and need it not."""
        return ArgumentFlow(self.scopes, self.origins, self.given)

    def accesses(self) -> SelfAccesses:
        """All that was found."""
        return SelfAccesses(
            tuple(self.reads),
            tuple(self.writes),
            tuple(self.passed),
            tuple(self.implicit),
            self.constructs,
            tuple(self.unknown_reads),
            tuple(self.unknown_writes),
            frozenset(self.returned),
            self.returns_self,
            frozenset(self.set_elsewhere),
            frozenset(self.builtins_used),
        )

    # -- what an expression refers to ---------------------------------------------------------------------------------

    def of(self, node: ast.expr) -> frozenset[Origin]:
        """What an expression can refer to."""
        return self.origins.of(node, self.scope)

    def is_global(self, node: ast.expr) -> bool:
        """Is it the name of a built-in function, or of a variable of the module or of an enclosing function?"""
        return isinstance(node, ast.Name) and self.scope.find(node.id) is None

    # -- uses ---------------------------------------------------------------------------------------------------------

    def use(self, node: ast.expr, use: Use) -> None:
        """Record what becomes of an expression, if it refers to the object or to something of it."""
        for origin in sorted(self.of(node) - {OTHER}):
            if origin.name:
                self.read(node, origin, use)
            elif origin == SELF:
                self._use_of_self(node, use)
            elif origin == CLASS:
                self._use_of_class(node, use)
            elif origin == DICT and use.kind in {"operator", "passed", "escape"}:
                self.whole_dict(node, use)
            elif origin in {SUPER, ARGUMENTS} and use.kind in {"passed", "escape"}:
                self.unknown_read(node, f"{_text(node)} is passed on")

    def _use_of_self(self, node: ast.expr, use: Use) -> None:
        if use.kind == "operator":
            self.implicit[use.names, node.lineno] = None
        elif use.kind == "passed":
            self.passed[Passed(use.names, use.position, node.lineno)] = None
        elif use.kind == "escape":
            self.unknown_read(node, f"{_text(node)} is {use.reason}")

    def _use_of_class(self, node: ast.expr, use: Use) -> None:
        if use.kind == "passed":
            self.passed[Passed(use.names, use.position, node.lineno, is_class=True)] = None
        elif use.kind == "escape":
            self.unknown_read(node, f"the class is {use.reason}")

    def whole_dict(self, node: ast.expr, use: Use) -> None:
        """All attributes are used at once."""
        self.unknown_read(node, f"{_text(node)} is used as a whole")
        if use.kind in {"passed", "escape"}:
            self.unknown_write(node, f"{_text(node)} is {use.reason or 'passed to a function'}")

    def read(self, node: ast.expr, origin: Origin, use: Use, is_called: bool = False, is_used: bool = True) -> None:
        """Record that an attribute is read."""
        self.reads[
            Read(
                origin.name,
                node.lineno,
                origin.through,
                None if use.kind == "alias" else origin.path,
                is_called and not origin.path and not origin.is_inside,
                is_used and use.kind != "nothing",
                is_called and bool(self._control()),
                is_used and not _is_of_item(origin, use),
            )
        ] = None

    def unknown_read(self, node: ast.expr, reason: str) -> None:
        """Record that any attribute may be read."""
        self.unknown_reads[Finding(reason, node.lineno)] = None

    def unknown_write(self, node: ast.expr, reason: str) -> None:
        """Record that any attribute may be written."""
        self.unknown_writes[Finding(reason, node.lineno)] = None

    # -- writes -------------------------------------------------------------------------------------------------------

    def write(self, node: ast.expr, name: str, base: Any, **parts: Any) -> None:
        """Record that an attribute is written.

        Parameters
        ----------
        node : ast.expr
            Where.
        name : str
            The attribute.
        base : Origin
            Whose attribute it is.
        **parts
            Those of `Write`: how, leaves, is_certain; and the expressions that the value and its place are computed
            from: sources, keys.
        """
        nodes = parts.pop("keys", ())
        keys = [Scoped(each, self.scope) for each in nodes]
        if nodes:
            parts["label"] = _label(nodes[-1])
        sources = parts.pop("sources", ())
        parts.setdefault("how", "set")
        if parts.setdefault("leaves", "value") == "value":
            parts["depends"] = self.flow.of(*sources) - self.flow.arguments_of(*keys)
            parts["control"] = self._control() - self.flow.arguments_of(*keys)
        through: Literal["self", "class", "other"] = "self" if base == SELF else "class" if base == CLASS else "other"
        self.writes[Write(name, node.lineno, through, **parts)] = None

    def write_inside(self, node: ast.expr, holder: ast.expr, **parts: Any) -> None:
        """Record that something changes inside what an expression refers to, if that is an attribute."""
        origins = self.of(holder)
        is_certain = parts.pop("is_certain", True) and len(origins) == 1
        for origin in sorted(origins):
            if origin.name:
                base = CLASS if origin.through == "class" else SELF
                self.write(node, origin.name, base, is_certain=is_certain, **parts)
            elif origin == OTHER and isinstance(holder, ast.Attribute):
                self.write(node, self.scope.mangled(holder.attr), OTHER, is_certain=False, **parts)

    def note_set_elsewhere(self, name: str | None, origins: frozenset[Origin]) -> None:
        """Note the name of an attribute that may be set on another object than this one."""
        if name is not None and any(origin.name or origin == OTHER for origin in origins):
            self.set_elsewhere.add(name)

    def _control(self) -> frozenset[str]:
        """The arguments that decide whether the present expression is evaluated."""
        of_statement = () if self.statement is None else self.scopes.control[self.statement]
        conditions = (*of_statement, *self.conditions)
        return self.flow.arguments_of(*conditions) if conditions else frozenset()


def _label(key: ast.expr) -> str:
    """A string that stands in a key, alone or first in a tuple; empty if there is none."""
    match key:
        case ast.Constant(str(text)):
            return repr(text)
        case ast.Tuple([ast.Constant(str(text)), _, *_]):
            return f"({text!r}, ...)"
    return ""


def _is_of_item(origin: Origin, use: Use) -> bool:
    """Does a use depend on one item of a container only, or on whether there is one?"""
    if origin.path or origin.is_inside:  # how the item was found is a read of its own
        return origin.is_inside or origin.path[-1] == "get"
    return use.kind == "alias" or use == PART or use.names[:1] in {("__getitem__",), ("__contains__",)}


def _text(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) < 40 else f"{text[:36]} ..."
