"""On which arguments of a function can the value of an expression in it depend?"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from stored._keys.tree_scopes import Scoped, Scopes, Variable

__all__ = ["ArgumentFlow"]


class ArgumentFlow:
    """The arguments that reach the variables of a function, through assignments, conditions and changes of content.

    What is read from the object itself depends on no argument.

    Parameters
    ----------
    scopes : Scopes
        The variables of the function.
    ignored : collection of (Scope, str)
        The arguments that are the object itself.
    """

    def __init__(self, scopes: Scopes, ignored: Iterable[Variable]) -> None:
        left_out = set(ignored)
        variables = [(scope, name) for scope in scopes.of.values() for name in scope.bindings]
        self._known: dict[Variable, frozenset[str]] = {
            (scope, name): frozenset({name} if name in scope.arguments and (scope, name) not in left_out else ())
            for scope, name in variables
        }
        if any(self._known.values()):
            self._spread({each: self._sources(each) for each in variables if each not in left_out})

    def _sources(self, variable: Variable) -> set[Variable]:
        scope, name = variable
        return {found for binding in scope.bindings[name] for each in binding.sources for found in _variables(each)}

    def _spread(self, sources: dict[Variable, set[Variable]]) -> None:
        is_changed = True
        while is_changed:
            is_changed = False
            for variable, its_sources in sources.items():
                known = self._known[variable]
                found = known.union(*(self._known[each] for each in its_sources))
                is_changed |= found != known
                self._known[variable] = found

    def of(self, *expressions: Scoped) -> frozenset[str]:
        """The names of the arguments."""
        found = {variable for each in expressions for variable in _variables(each)}
        return frozenset[str]().union(*(self._known[each] for each in found))


def _variables(expression: Scoped) -> Iterable[Variable]:
    node, scope = expression
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            owner = scope.find(each.id)
            if owner is not None:
                yield owner, each.id
