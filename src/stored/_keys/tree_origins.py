"""What can an expression of a method refer to: the object, its class, its attributes, or anything else?"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from stored._keys.tree_scopes import Binding, Scope, Scopes, Variable

__all__ = ["ARGUMENTS", "CLASS", "DICT", "OTHER", "SELF", "SUPER", "Origin", "Origins", "Through", "constant_name"]

Through: TypeAlias = Literal["self", "class", "super", "dict"]


class Origin(NamedTuple):
    """One of the things that an expression can refer to.

    Attributes
    ----------
    what : str
        The object itself ("self"), its class, ``super()``, its ``__dict__``, a tuple of arguments of which it is the
        first, an attribute, or something else ("other").
    name, through : str
        Of an attribute: its name, and whether it is looked up on the object, on its class, with ``super()``, or in the
        ``__dict__`` of the object alone.
    path : tuple of str
        The attributes that are read further on it, as in ``self.cosmo.age``.
    is_inside : bool
        Is it something inside the attribute, an item or what a method of it returned, and not the attribute itself?
    """

    what: Literal["self", "class", "super", "dict", "arguments", "attribute", "other"]
    name: str = ""
    through: Through = "self"
    path: tuple[str, ...] = ()
    is_inside: bool = False


SELF = Origin("self")
CLASS = Origin("class")
SUPER = Origin("super")
DICT = Origin("dict")
ARGUMENTS = Origin("arguments")
OTHER = Origin("other")

_Found: TypeAlias = frozenset[Origin]

_JUST_OTHER: _Found = frozenset({OTHER})

_THROUGH: dict[Origin, Through] = {SELF: "self", CLASS: "class", SUPER: "super"}

_LONGEST_PATH = 4
"""A loop like ``node = node.next`` has no longest."""

_ITEM_METHODS = frozenset({"get", "setdefault", "pop", "popitem", "values", "items", "keys", "copy", "__getitem__"})


class Origins:
    """What the variables and expressions of a function refer to.

    All assignments to a variable count alike, whatever their order.

    Parameters
    ----------
    scopes : Scopes
        The variables of the function.
    given : dict
        What arguments of the function are: the object, its class, or the tuple that begins with one of these.
    """

    def __init__(self, scopes: Scopes, given: dict[Variable, Origin]) -> None:
        self._given = given
        self._known: dict[Variable, _Found] = {}
        variables = [(scope, name) for scope in scopes.of.values() for name in scope.bindings]
        for variable in variables:
            if not any(map(_can_refer, variable[0].bindings[variable[1]])):
                self._known[variable] = self._bound(variable)
        unknown = [each for each in variables if each not in self._known]
        is_changed = True
        while is_changed:
            is_changed = False
            for variable in unknown:
                found = self._bound(variable)
                is_changed |= found != self._known.get(variable)
                self._known[variable] = found

    def _bound(self, variable: Variable) -> _Found:
        scope, name = variable
        found: set[Origin] = set()
        for number, binding in enumerate(scope.bindings[name]):
            if number == 0 and variable in self._given:
                found.add(self._given[variable])
            elif not binding.is_change:
                found.update(self._of_binding(binding))
        return frozenset(found)

    def _of_binding(self, binding: Binding) -> Iterable[Origin]:
        if binding.value is None:
            return _JUST_OTHER
        found = self.of(*binding.value)
        return found if binding.item is None else [_item(each, binding.item) for each in found]

    def of(self, node: ast.expr, scope: Scope) -> _Found:
        """What an expression can refer to; `OTHER` among it if it can be anything else."""
        match node:
            case ast.Name(name):
                owner = scope.find(name)
                return _JUST_OTHER if owner is None else self._known.get((owner, name), frozenset())
            case ast.Attribute(value, name):
                return frozenset([_attribute(each, scope.mangled(name)) for each in self.of(value, scope)])
            case ast.Subscript(value, index):
                return frozenset([_subscript(each, index) for each in self.of(value, scope)])
            case ast.Call():
                return self._of_call(node, scope)
            case ast.NamedExpr(value=value):
                return self.of(value, scope)
            case ast.IfExp(body=body, orelse=orelse):
                return self.of(body, scope) | self.of(orelse, scope)
            case ast.BoolOp(values=values):
                return frozenset[Origin]().union(*(self.of(each, scope) for each in values))
            case ast.Await(value):
                return frozenset([_item(each, "each") for each in self.of(value, scope)])
        return _JUST_OTHER

    def _of_call(self, call: ast.Call, scope: Scope) -> _Found:
        function = call.func
        if isinstance(function, ast.Name):
            return self._of_builtin(function.id, call.args, scope) if scope.find(function.id) is None else _JUST_OTHER
        if isinstance(function, ast.Attribute):
            return frozenset[Origin]().union(
                *(
                    _method_result(each, scope.mangled(function.attr), call.args)
                    for each in self.of(function.value, scope)
                )
            )
        return _JUST_OTHER

    def _of_builtin(self, name: str, arguments: list[ast.expr], scope: Scope) -> _Found:
        first = self.of(arguments[0], scope) if arguments else frozenset[Origin]()
        match name, arguments:
            case "super", []:
                return frozenset({SUPER})
            case "super", [_, second] if self.of(second, scope) & {SELF, CLASS}:
                return frozenset({SUPER})
            case "type", [_] if SELF in first:
                return frozenset([CLASS if each == SELF else OTHER for each in first])
            case "vars", [_] if SELF in first:
                return frozenset([DICT if each == SELF else OTHER for each in first])
            case "getattr", [_, key, *default]:
                attribute = constant_name(key)
                found = [OTHER if attribute is None else _attribute(each, attribute) for each in first]
                return frozenset(found).union(*(self.of(each, scope) for each in default))
        return _JUST_OTHER


def _can_refer(binding: Binding) -> bool:
    return binding.value is not None and not isinstance(binding.value.node, ast.Constant | ast.BinOp | ast.Compare)


def constant_name(node: ast.expr) -> str | None:
    """The text of a string that is written out; None if it is empty, since that stands for no name."""
    return node.value or None if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _attribute(base: Origin, name: str) -> Origin:
    if base.what == "attribute":
        is_end = base.is_inside or len(base.path) == _LONGEST_PATH
        return base if is_end else base._replace(path=(*base.path, name))
    through = _THROUGH.get(base)
    if through is None:
        return OTHER
    if through == "self" and name in {"__dict__", "__class__"}:
        return DICT if name == "__dict__" else CLASS
    return Origin("attribute", name, through)


def _item(base: Origin, item: int | str) -> Origin:
    if base.what == "attribute":
        return base._replace(is_inside=True)
    return SELF if base == ARGUMENTS and item == 0 else OTHER


def _subscript(base: Origin, index: ast.expr) -> Origin:
    name = constant_name(index)
    if base == DICT and name is not None:
        return Origin("attribute", name, "dict")
    number = index.value if isinstance(index, ast.Constant) and type(index.value) is int else "each"
    return _item(base, number)


def _method_result(base: Origin, method: str, arguments: list[ast.expr]) -> _Found:
    """What a method returns that is called on something."""
    name = constant_name(arguments[0]) if arguments else None
    if name is not None and base == DICT and method in _ITEM_METHODS:
        return frozenset({Origin("attribute", name, "dict"), OTHER})
    if name is not None and base in {SELF, SUPER} and method == "__getattribute__":
        return frozenset({Origin("attribute", name), OTHER})
    if base.what == "attribute" and method in _ITEM_METHODS:
        return frozenset({_item(base, "each"), OTHER})
    if base == SELF:
        return frozenset({Origin("attribute", method, is_inside=True), OTHER})
    return _JUST_OTHER
