"""Which memo, or item of one, does an expression of a method name, and does a condition ask for?"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from stored._keys.assigned_names import stored_names
from stored._keys.function_tree import FunctionTree
from stored._keys.syntax import mangled
from stored._keys.tree_origins import constant_name

__all__ = ["Memos", "MethodText", "Probe", "Slot"]

_NEVER_STORED = 0


class Memos(NamedTuple):
    """The memos of a class that are followed, by how they are filled.

    Attributes
    ----------
    whole : frozenset of str
        Those that are set.
    items : frozenset of str
        Containers that are filled item by item.
    kept : frozenset of str
        What ``cached_property`` and its like fill.
    """

    whole: frozenset[str]
    items: frozenset[str]
    kept: frozenset[str]


class Slot(NamedTuple):
    """What is filled at once: a memo, or one item of it.

    Attributes
    ----------
    memo : str
        The attribute.
    key : str
        The text of the key of the item; empty for the memo itself.
    names : frozenset of str
        The variables in the key.
    label : str
        What tells the key from those with another label, a string in it; empty if nothing does.
    """

    memo: str
    key: str = ""
    names: frozenset[str] = frozenset()
    label: str = ""


class Probe(NamedTuple):
    """A condition that asks whether something is filled.

    Attributes
    ----------
    slot : Slot
        What.
    variable : str
        The variable that has what was found there; empty if none has.
    is_filled : bool
        Is the condition true if it is filled?
    is_of_existence : bool
        Does a memo count as filled that is None?
    """

    slot: Slot
    variable: str
    is_filled: bool
    is_of_existence: bool = False


class MethodText:
    """What a function's text says of memos.

    Parameters
    ----------
    tree : FunctionTree
        The function.
    owner : str
        The argument that is the object; empty if none is.
    memos : Memos
        What is looked for.
    """

    def __init__(self, tree: FunctionTree, owner: str, memos: Memos) -> None:
        self.node, self._class_name = tree
        self.memos = memos
        self.body: list[ast.stmt] = self.node.body if isinstance(self.node.body, list) else [ast.Return(self.node.body)]
        arguments = self.node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        self.arguments = {each.arg for each in every if each is not None}
        self.stores = Counter(stored_names(self.body))
        self.owner = owner if owner and owner not in self.stores else ""
        self.locals = (self.arguments | set(self.stores)) - {self.owner}
        once = {name: value for target, value in self._assigned() for name in self._once(target)}
        self.containers = {name: memo for name, value in once.items() for memo in self._container_memo(value)}
        self._tuples = {name: value for name, value in once.items() if self._is_tuple_of_arguments(value)}

    def _assigned(self) -> Iterator[tuple[ast.expr, ast.expr]]:
        for node in ast.walk(self.node):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                yield node.targets[0], node.value

    def _once(self, target: ast.expr) -> list[str]:
        is_once = isinstance(target, ast.Name) and self.stores[target.id] == 1 and target.id not in self.arguments
        return [target.id] if is_once else []  # type: ignore[attr-defined]

    def _container_memo(self, node: ast.expr) -> list[str]:
        memo = self._memo(node)
        return [memo] if memo in self.memos.items else []

    def _is_tuple_of_arguments(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Tuple) and all(
            isinstance(each, ast.Constant) or (isinstance(each, ast.Name) and self.stores[each.id] == _NEVER_STORED)
            for each in node.elts
        )

    # -- expressions --------------------------------------------------------------------------------------------------

    def _memo(self, node: ast.AST) -> str:
        """The memo that an expression is; empty if it is none."""
        match node:
            case ast.Attribute(ast.Name(self.owner), name) if self.mangled(name) in self.memos.whole | self.memos.items:
                return self.mangled(name)
            case ast.Subscript(base, ast.Constant(str(name))) if self._is_dict(base):
                return name if name in self.memos.whole | self.memos.items else ""
        return ""

    def mangled(self, name: str) -> str:
        """A name as Python knows it in this class."""
        return mangled(name, self._class_name)

    def _is_dict(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(ast.Name(self.owner), "__dict__"):
                return True
            case ast.Call(ast.Name("vars"), [ast.Name(self.owner)], []):
                return True
        return False

    def container(self, node: ast.AST) -> str:
        """The memo with items that an expression is; empty if it is none."""
        memo = self.containers.get(node.id, "") if isinstance(node, ast.Name) else self._memo(node)
        return memo if memo in self.memos.items else ""

    def slot(self, node: ast.AST) -> Slot | None:
        """What an expression reads or a target fills; None if it is nothing of that kind."""
        memo = self._memo(node)
        if memo:
            return Slot(memo)
        return self._item(node.value, node.slice) if isinstance(node, ast.Subscript) else None

    def _item(self, container: ast.expr, key: ast.expr) -> Slot | None:
        memo, names = self.container(container), self._key_names(key)
        return None if not memo or names is None else Slot(memo, ast.unparse(key), names, self._label(key))

    def _key_names(self, key: ast.expr) -> frozenset[str] | None:
        """The variables in a key, with the arguments that it surely tells apart; None if it is no plain key."""
        match key:
            case ast.Constant():
                return frozenset()
            case ast.Name(name) if name in self.locals and name not in self.containers:
                inner = self._key_names(self._tuples[name]) if name in self._tuples else None
                return frozenset({name}) | (inner or frozenset())
            case ast.Attribute(ast.Name(self.owner)) if not self.mentions(key):
                return frozenset()
            case ast.Tuple(parts):
                found = [self._key_names(each) for each in parts]
                return None if None in found else frozenset[str]().union(*filter(None, found))
        return None

    def _label(self, key: ast.expr) -> str:
        if isinstance(key, ast.Name):
            key = self._tuples.get(key.id, key)
        if isinstance(key, ast.Tuple) and key.elts:
            first = constant_name(key.elts[0])
            return "" if first is None else f"{len(key.elts)}, {first!r}"
        return "" if constant_name(key) is None else repr(constant_name(key))

    def lookup(self, node: ast.AST) -> Slot | None:
        """What an expression reads that gives None where there is nothing, or fails."""
        match node:
            case ast.Call(ast.Name("getattr"), [ast.Name(self.owner), ast.Constant(str(name)), ast.Constant(None)], []):
                return Slot(name) if name in self.memos.whole | self.memos.items else None
            case ast.Call(ast.Attribute(base, "get"), [key] | [key, ast.Constant(None)], []) if self._is_dict(base):
                return self.slot(ast.Subscript(base, key, ast.Load()))
            case ast.Call(ast.Attribute(base, "get"), [key] | [key, ast.Constant(None)], []):
                return self._item(base, key)
        return self.slot(node) if isinstance(node, ast.Attribute) else None

    def probe(self, test: ast.expr, variables: dict[str, Slot]) -> Probe | None:
        """What a condition asks for; `variables` have what was found in a slot, or None."""
        match test:
            case ast.UnaryOp(ast.Not(), inner):
                found = self.probe(inner, variables)
                return found and found._replace(is_filled=not found.is_filled)
            case ast.Compare(left, [ast.Is() | ast.IsNot() as by], [ast.Constant(None)]):
                name = left.id if isinstance(left, ast.Name) else ""
                slot = variables.get(name) or self.lookup(left)
                return slot and Probe(slot, name if name in variables else "", isinstance(by, ast.IsNot))
            case ast.Compare(left, [ast.In() | ast.NotIn() as by], [right]):
                slot = self.slot(ast.Subscript(right, left, ast.Load()))
                return slot and Probe(slot, "", isinstance(by, ast.In), not slot.key)
            case ast.Call(ast.Name("hasattr"), [ast.Name(self.owner), ast.Constant(str(name))], []):
                return Probe(Slot(name), "", True, True) if name in self.memos.whole | self.memos.items else None
        return None

    def mentions(self, node: ast.AST) -> bool:
        """Does a node name a memo, in whatever way?"""
        match node:
            case ast.Attribute(ast.Name(self.owner), name, ast.Load()) if self.mangled(name) in self.memos.kept:
                return False
            case ast.Attribute(attr=name):
                return self.mangled(name) in frozenset().union(*self.memos)
            case ast.Constant(str(name)) | ast.keyword(arg=str(name)):
                return name in frozenset().union(*self.memos)
            case ast.MatchClass(kwd_attrs=names):
                return not frozenset(names).isdisjoint(frozenset().union(*self.memos))
            case ast.Name(name, ast.Load()):
                return name in self.containers
        return False
