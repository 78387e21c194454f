"""On which arguments of a function, and on which attributes of the object, does the value of an expression depend?"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stored._keys.tree_origins import Origins
from stored._keys.tree_scopes import Scope, Scopes, Variable

__all__ = ["ArgumentFlow"]


class _Sources(NamedTuple):
    """What a value is computed from, and what decides whether it is computed."""

    values: set[Variable]
    attributes: frozenset[str]
    control: set[Variable]


class ArgumentFlow:
    """What reaches the variables of a function, through assignments, conditions and changes of content.

    Arguments are called by their names, attributes ``self.<name>``. An attribute does not depend on itself where it
    is only given another name, as in ``table = self._table``; conditions count for arguments, not for attributes.

    Parameters
    ----------
    scopes : Scopes
        The variables of the function.
    origins : Origins
        What they refer to.
    ignored : collection of (Scope, str)
        The arguments that are the object itself.
    """

    def __init__(self, scopes: Scopes, origins: Origins, ignored: Iterable[Variable]) -> None:
        self._origins = origins
        left_out = set(ignored)
        variables = [(scope, name) for scope in scopes.of.values() for name in scope.bindings]
        self._known: dict[Variable, frozenset[str]] = {
            (scope, name): frozenset({name} if name in scope.arguments and (scope, name) not in left_out else ())
            for scope, name in variables
        }
        sources = {each: self._sources(each) for each in variables if each not in left_out}
        is_changed = True
        while is_changed:
            is_changed = False
            for variable, its_sources in sources.items():
                found = self._known[variable] | self._reaching(its_sources)
                is_changed |= found != self._known[variable]
                self._known[variable] = found

    def _sources(self, variable: Variable) -> _Sources:
        scope, name = variable
        found = _Sources(set(), frozenset(), set())
        for binding in scope.bindings[name]:
            found.values.update(each for source in binding.sources for each in _variables(*source))
            found.control.update(each for source in binding.control for each in _variables(*source))
            attributes = found.attributes.union(*(self._attributes(*source) for source in binding.sources))
            found = found._replace(attributes=attributes)
        return found

    def _reaching(self, sources: _Sources) -> frozenset[str]:
        control = {each for variable in sources.control for each in self._known[variable] if "." not in each}
        return sources.attributes.union(control, *(self._known[each] for each in sources.values))

    def _attributes(self, node: ast.AST, scope: Scope) -> frozenset[str]:
        """The attributes that a value is computed from; the test of a condition counts as little as that of an if."""
        match node:
            case ast.IfExp(body=body, orelse=orelse):
                return self._attributes(body, scope) | self._attributes(orelse, scope)
            case ast.BoolOp(values=values):
                return frozenset[str]().union(*(self._attributes(each, scope) for each in values))
            case ast.NamedExpr(value=value):
                return self._attributes(value, scope)
        if isinstance(node, ast.expr) and any(origin.name for origin in self._origins.of(node, scope)):
            # the attribute itself, or an item of it, by another name; what a method of the object gets counts
            return frozenset[str]().union(*(self._inside(each, scope) for each in _given_to_calls(node)))
        return self._inside(node, scope)

    def _inside(self, node: ast.AST, scope: Scope) -> frozenset[str]:
        return frozenset(
            [
                f"self.{origin.name}"
                for each in ast.walk(node)
                if isinstance(each, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
                for origin in self._origins.of(each, scope)
                if origin.name
            ]
        )

    def of(self, *expressions: tuple[ast.AST, Scope]) -> frozenset[str]:
        """What reaches the value of expressions."""
        found = {variable for each in expressions for variable in _variables(*each)}
        known = frozenset[str]().union(*(self._known[each] for each in found))
        return known.union(*(self._attributes(*each) for each in expressions))

    def arguments_of(self, *expressions: tuple[ast.AST, Scope]) -> frozenset[str]:
        """The arguments that reach the value of expressions."""
        return frozenset([each for each in self.of(*expressions) if "." not in each])


def _variables(node: ast.AST, scope: Scope) -> Iterator[Variable]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            owner = scope.find(each.id)
            if owner is not None:
                yield owner, each.id


def _given_to_calls(node: ast.AST) -> Iterator[ast.expr]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            yield from each.args
            yield from (keyword.value for keyword in each.keywords)
