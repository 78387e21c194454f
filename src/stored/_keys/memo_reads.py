"""Does an expression read only memos that have surely been filled, and is what fills one the same in each call?"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from stored._keys.assigned_names import INNER, LATER, loaded_names, root_name, stored_names
from stored._keys.memo_facts import Filling, ProofContext, State, UnprovenError
from stored._keys.memo_slots import MethodText, Slot
from stored._keys.self_calls import CHANGING

__all__ = ["MemoReads"]


class MemoReads:
    """Checks expressions of one function.

    Parameters
    ----------
    text : MethodText
        The function.
    place : object
        The file in which it is.
    context : ProofContext
        The rest.
    """

    def __init__(self, text: MethodText, place: object, context: ProofContext) -> None:
        self.text = text
        self._place = place
        self._context = context
        self._fillings: list[Filling] = []
        self._loops = 0

    def _check(self, node: ast.AST, state: State, is_deferred: bool = False) -> None:
        """Raise unless an expression reads only what is surely filled."""
        slot = self.text.slot(node) if isinstance(getattr(node, "ctx", None), ast.Load) else None
        if slot is not None and self._is_proven(slot, state, is_deferred):
            return
        is_read = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if self.text.mentions(node) or (is_read and node.id in state.doubtful):  # type: ignore[attr-defined]
            raise UnprovenError
        if isinstance(node, ast.NamedExpr):  # what is known changes inside the expression
            raise UnprovenError
        if isinstance(node, INNER):
            self._check_inner(node, state, is_deferred)
        else:
            self._check_all(ast.iter_child_nodes(node), state, is_deferred)

    def _check_all(self, nodes: Iterable[ast.AST], state: State, is_deferred: bool = False) -> None:
        for each in nodes:
            self._check(each, state, is_deferred)

    def _is_proven(self, slot: Slot, state: State, is_deferred: bool) -> bool:
        is_item = bool(slot.key)
        is_fixed = not is_deferred or all(self.text.stores[name] == 0 for name in slot.names)
        is_clear = is_item or slot.memo in self.text.memos.whole
        return state.has_filled(slot) and is_fixed and is_clear and state.doubtful.isdisjoint(slot.names)

    def _check_inner(self, node: ast.AST, state: State, is_deferred: bool) -> None:
        """What has variables of its own hides those around it; its defaults and its first iterable are outside."""
        is_function = isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef)
        arguments: Any = getattr(node, "args", None)
        own = set(stored_names(ast.iter_child_nodes(node)))
        own |= {each.arg for each in ast.walk(arguments) if isinstance(each, ast.arg)} if is_function else set()
        if self.text.owner in own:
            raise UnprovenError
        generators: Any = getattr(node, "generators", ())
        outside = [*arguments.defaults, *arguments.kw_defaults] if is_function else [generators[0].iter]
        outside += getattr(node, "decorator_list", [])
        self._check_all(filter(None, outside), state, is_deferred)
        is_later = is_deferred or is_function or isinstance(node, ast.GeneratorExp)
        inside = [each for each in ast.iter_child_nodes(node) if each is not arguments]
        self._check_all(inside, state.after_storing(own), is_later)

    def _use(self, nodes: Iterable[ast.AST | None], state: State) -> State:
        """Check expressions, after which their variables may have changed inside."""
        given = [each for each in nodes if each is not None]
        self._check_all(given, state)
        if not self._fillings:
            return state.without_steady(loaded_names(given))
        if self._changed_by_calls(given) - self._fillings[-1].own:
            raise UnprovenError
        return state

    def _changed_by_calls(self, nodes: Iterable[ast.AST]) -> set[str]:
        """The variables whose content calls may change."""
        changed = [
            each.func.value
            for node in nodes
            for each in ast.walk(node)
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in CHANGING
        ]
        return set(filter(self.text.locals.__contains__, map(root_name, changed)))

    def _check_target(self, target: ast.expr, state: State) -> None:
        self._check(target, state)
        is_part = bool(self._fillings) and not isinstance(target, ast.Name)
        if is_part and root_name(target) not in {self.text.owner} | self._fillings[-1].own:
            raise UnprovenError  # something changes that is used elsewhere

    def _check_key(self, slot: Slot, state: State) -> None:
        if not state.doubtful.isdisjoint(slot.names):
            raise UnprovenError
        if slot.key:
            self._use_container(slot.memo, state)

    def _use_container(self, memo: str, state: State) -> None:
        if not state.has_filled(Slot(memo)):
            self._context.note_bare_use(memo)

    def _foreign(self, slot: Slot, state: State) -> State:
        """In what is filled, variables may not be used that can differ from call to call."""
        steady = {each.variable for each in state.facts if each.kind == "steady"}
        foreign = self.text.locals - slot.names - steady
        return state._replace(doubtful=state.doubtful | foreign)

    def _captured_outside(self, body: list[ast.stmt]) -> frozenset[str]:
        """The variables of functions that stand elsewhere: when these run is not known."""
        inside = {id(each) for node in body for each in ast.walk(node)}
        inner = [each for each in ast.walk(self.text.node) if isinstance(each, LATER) and id(each) not in inside]
        return frozenset(loaded_names([each for each in inner if each is not self.text.node]))
