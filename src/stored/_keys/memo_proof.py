"""Does a function give the same, whether memos were filled before or not?

It does if it reads none before it has surely been filled, by the function or before it: as in
``if self._t is None: self._t = ...``, after which there is no difference. The same holds for variables that are
assigned where a memo is filled. Whatever has another form counts as no proof.
"""

from __future__ import annotations

import ast
from typing import Any

from stored._keys.assigned_names import assigned, is_lock, loaded_names, stored_inside, stored_names
from stored._keys.memo_facts import Fact, ProofContext, State, UnprovenError, joined
from stored._keys.memo_fills import MemoFills
from stored._keys.memo_slots import MethodText, Probe, Slot
from stored._keys.syntax import parse

__all__ = ["MemoProof"]

_UNFOLLOWED = (
    ast.Yield | ast.YieldFrom | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Global | ast.Nonlocal
)


class MemoProof(MemoFills):
    """The proof for one function; making it raises `UnprovenError` if there is none.

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
        super().__init__(text, place, context)
        self._exits: list[frozenset[Fact]] = []
        if any(isinstance(each, _UNFOLLOWED) for each in ast.walk(text.node)):
            raise UnprovenError
        end = self._block(text.body, State())
        self._exits += [] if end is None else [end.facts]
        facts = frozenset.intersection(*self._exits) if self._exits else frozenset()
        self.filled = frozenset([each.slot for each in facts if each.kind == "filled" and not each.slot.names])

    # -- statements ---------------------------------------------------------------------------------------------------

    def _block(self, nodes: list[ast.stmt], state: State) -> State | None:
        """What is known after statements; None if none follows."""
        is_all = nodes is self.text.body
        nodes = [part for node in nodes for part in _without_walrus(node)]
        for number, node in enumerate(nodes):
            probe, given, rest = self._early_return(node, nodes[number + 1 :], state)
            if probe is not None and given is not None:
                self._return_early(probe, given, rest, state, is_all)
                return None
            after = self._statement(node, state)
            if after is None:
                return None
            state = after
        return state

    def _statement(self, node: ast.stmt, state: State) -> State | None:
        match node:
            case ast.If():
                return self._if(node, state)
            case ast.For(target=target, iter=given):
                return self._loop(node, self._use([given], state), [target])
            case ast.While(test=test):
                return self._loop(node, self._use([test], state), [])
            case ast.With(items=items):
                return self._with(node, self._use([each.context_expr for each in items], state))
            case ast.Return(value):
                self._exits.append(self._use([value], state).facts)
                return None
            case ast.Raise() | ast.Break() | ast.Continue():
                self._use([node], state)
                return None
            case ast.Import() | ast.ImportFrom():
                names = list(stored_names([node]))
                once = [Fact("steady", variable=name) for name in names if self.text.stores[name] == 1]
                return state.after_storing(names).adding(*once)
            case ast.Assign() | ast.AnnAssign():
                return self._assign(node, state)
            case ast.AugAssign(target=target):
                if not state.doubtful.isdisjoint(stored_names([target])):
                    raise UnprovenError
                self._check_target(target, state)
                return self._use([node], state).after_storing(stored_names([target]))
            case ast.Expr():
                return self._assign(node, state) if assigned(node) else self._expression(node, state)
            case ast.Try() if self._tried(node) is not None:
                return self._if(self._tried(node), state)  # type: ignore[arg-type]
        return self._opaque(node, state)

    def _opaque(self, node: ast.stmt, state: State) -> State:
        """What is known after a statement in which memos can be read, but not filled."""
        stored = frozenset(stored_names([node]))
        inside = state.after_storing(stored)
        self._use([node], inside._replace(doubtful=state.doubtful))
        if isinstance(node, ast.Try | ast.Match):  # what is in it may not run
            self._exits.append(inside.facts)
            inside = inside._replace(doubtful=state.doubtful)
        return inside.without_steady(loaded_names([node]))

    def _expression(self, node: ast.Expr, state: State) -> State:
        if self._fillings:
            inside = self._fillings[-1]
            if self.text.locals.intersection(loaded_names([node])) - inside.own - inside.slot.names:
                raise UnprovenError  # it may change there, and is used elsewhere
        state = self._use([node], state)
        method = self._called(node)
        return state if method is None else state.adding(*[Fact("filled", slot) for slot in method.filled])

    def _if(self, node: ast.If, state: State) -> State | None:
        probe = self._probe(node.test, state)
        if probe is not None and not state.has_filled(probe.slot):
            empty, filled = (node.orelse, node.body) if probe.is_filled else (node.body, node.orelse)
            return self._fill_if_empty(probe._replace(variable=self._read_in(filled, probe)), empty, state)[0]
        state = self._use([node.test], state)
        return joined(self._block(node.body, state), self._block(node.orelse, state))

    def _loop(self, node: Any, before: State, targets: list[ast.expr]) -> State | None:
        stored = frozenset(stored_names([node]))
        doubtful = before.doubtful | self._doubtful_in(node)
        entry = before.without_steady(self.text.locals).after_storing(stored)._replace(doubtful=doubtful)
        self._check_all([node.test] if isinstance(node, ast.While) else targets, entry)
        self._loops += 1
        end = self._block(node.body, entry.after_storing(stored_names(targets)))
        self._loops -= 1
        after = self._block(node.orelse, entry) if node.orelse else entry
        return joined(joined(entry, after), end and end._replace(facts=entry.facts))

    def _with(self, node: ast.With, before: State) -> State | None:
        """A context can swallow an exception, so that nothing is known for certain afterwards; a lock does not."""
        if all(is_lock(each) for each in node.items):
            return self._block(node.body, before)
        stored = frozenset(stored_names([node]))
        targets = [each.optional_vars for each in node.items if each.optional_vars is not None]
        self._check_all(targets, before.after_storing(stored))
        self._block(node.body, before.after_storing(stored_names(targets)))
        return before.after_storing(stored)._replace(doubtful=before.doubtful | self._doubtful_in(node))

    def _doubtful_in(self, node: ast.AST) -> frozenset[str]:
        """The variables that are assigned where a memo may be filled."""
        branches = [each for each in ast.walk(node) if isinstance(each, ast.If | ast.Try)]
        filling = [each for each in branches if any(map(self.text.mentions, ast.walk(each)))]
        found = [each for each in ast.walk(node) if isinstance(each, ast.Assign) and self.text.lookup(each.value)]
        return frozenset(stored_names([*filling, *found]))

    # -- early returns ------------------------------------------------------------------------------------------------

    def _early_return(
        self, node: ast.stmt, rest: list[ast.stmt], state: State
    ) -> tuple[Probe | None, ast.Return | None, list[ast.stmt]]:
        """What ``if self._t is not None: return self._t`` asks for and returns, and the statements that run if not."""
        node = (self._tried(node) or node) if isinstance(node, ast.Try) else node
        if isinstance(node, ast.If):
            found = self._probe(node.test, state)
            probe = None if found is None or state.has_filled(found.slot) else found
            match node.body:
                case [ast.Return() as given] if probe is not None and probe.is_filled:
                    return probe, given, [*node.orelse, *rest]
        return None, None, []

    def _return_early(self, probe: Probe, given: ast.Return, rest: list[ast.stmt], state: State, is_all: bool) -> None:
        """Both must return the same."""
        *body, last = rest or [ast.Pass()]
        if given.value is None and is_all and not isinstance(last, ast.Return):
            body = rest
        elif not isinstance(last, ast.Return):
            raise UnprovenError
        after, end = self._fill_if_empty(probe, body, state)
        if given.value is not None:
            self._compare(probe, given, last, end, frozenset(stored_names(body)))
            found = {probe.variable} if probe.variable else set()
            self._check(given.value, state._replace(doubtful=state.doubtful - found).adding(Fact("filled", probe.slot)))
        elif isinstance(last, ast.Return) and last.value is not None:
            raise UnprovenError
        self._exits.append(after.facts)

    def _compare(self, probe: Probe, given: ast.Return, last: Any, end: State, stored: frozenset[str]) -> None:
        same = {each.variable for each in end.facts if each.kind == "same" and each.slot == probe.slot}
        texts = [
            ast.unparse(_Renamed(self.text, names, probe.slot).visit(parse(ast.unparse(each))))
            for each, names in [(given, {probe.variable}), (last, same)]
        ]
        hidden = {each.arg for node in (given, last) for each in ast.walk(node) if isinstance(each, ast.arg)}
        hidden.update(each for node in (given, last) for each in stored_inside(node))
        if texts[0] != texts[1] or (stored & set(loaded_names([last]))) - same or hidden & (same | {probe.variable}):
            raise UnprovenError

    def _tried(self, node: ast.Try) -> ast.If | None:
        """``try: return self._t``, with what runs if there is none, as a condition."""
        match node:
            case ast.Try([statement], [ast.ExceptHandler(ast.Name(error), None, body)], [], []):
                slot = self.text.slot(getattr(statement, "value", None) or statement)
                is_item = isinstance(getattr(statement, "value", None), ast.Subscript)
                if slot is not None and error == ("KeyError" if is_item else "AttributeError"):
                    return self._as_condition(statement, slot, body)
        return None

    def _as_condition(self, statement: Any, slot: Slot, body: list[ast.stmt]) -> ast.If | None:
        if isinstance(statement, ast.AnnAssign | ast.AugAssign):
            return None
        read = statement.value
        is_item = isinstance(read, ast.Subscript)
        test: ast.expr = ast.Compare(read.slice, [ast.In()], [read.value]) if is_item else self._existence(read)
        empty = [] if isinstance(statement, ast.Expr) else [statement]
        return ast.copy_location(ast.If(test, empty or [ast.Pass()], body), statement)

    def _existence(self, read: Any) -> ast.expr:
        name = ast.Constant(self.text.mangled(read.attr))
        return ast.Call(ast.Name("hasattr", ast.Load()), [read.value, name], [])


class _Renamed(ast.NodeTransformer):
    """Calls variables, and containers by their other names, after what is in them."""

    def __init__(self, text: MethodText, names: set[str], slot: Slot) -> None:
        self._text = text
        self._names = names - {""}
        self._slot = slot

    def visit(self, node: ast.AST) -> Any:
        if self._text.slot(node) == self._slot or (isinstance(node, ast.Name) and node.id in self._names):
            return ast.Name("<slot>", ast.Load())
        return self.generic_visit(node)


def _without_walrus(node: ast.stmt) -> list[ast.stmt]:
    """``if (t := ...) is None`` as two statements."""
    match node:
        case ast.If(ast.Compare(ast.NamedExpr(target, value), operators, right), body, orelse):
            test = ast.Compare(ast.Name(target.id, ast.Load()), operators, right)
            parts = [ast.Assign([target], value), ast.If(test, body, orelse)]
            return [ast.copy_location(each, node) for each in parts]
    return [node]
