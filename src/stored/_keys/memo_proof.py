"""Does a function give the same, whether memos were filled before or not?

It does if it reads none before it has surely been filled, by the function or before it: as in
``if self._t is None: self._t = ...``, after which there is no difference. The same holds for variables that are
assigned where a memo is filled. Whatever has another form counts as no proof.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple, Protocol

from stored._keys.memo_slots import INNER, MethodText, Probe, Slot, assigned, stored_names
from stored._keys.self_calls import CHANGING, leaves

__all__ = ["MemoProof", "ProofContext", "UnprovenError"]


class UnprovenError(Exception):
    """A function may give something else if a memo is filled."""


class ProofContext(Protocol):
    """What the proof for one function has to know, or says, of others."""

    def note_fill(self, slot: Slot, site: Hashable) -> None:
        """Note where something is filled."""

    def note_empty_container(self, memo: str, text: str) -> None:
        """Note that a container is made where there is none."""

    def note_bare_use(self, memo: str) -> None:
        """Note the use of a container that may not have been made."""

    def note_existence(self, memo: str) -> None:
        """Note that it is asked whether there is an attribute, be it None."""

    def are_emptied_together(self, memo: str, other: str) -> bool:
        """Is the other emptied wherever the first is?"""

    def method(self, name: str) -> MemoProof | None:
        """The proof for a method of the object."""


class _Fact(NamedTuple):
    """What is known at some point of a function.

    Attributes
    ----------
    kind : str
        The slot is surely "filled"; the variable has what was found in it, filled or "found" empty; the variable has
        the "same" in it as the slot; the variable does not depend on arguments ("steady").
    slot : Slot
        The slot.
    variable : str
        The variable.
    """

    kind: str
    slot: Slot = Slot("")
    variable: str = ""


class _State(NamedTuple):
    """What is known, and which variables may depend on whether a memo was filled."""

    facts: frozenset[_Fact] = frozenset()
    doubtful: frozenset[str] = frozenset()

    def after_storing(self, names: Iterable[str]) -> _State:
        """What is known when variables have been assigned."""
        stored = frozenset(names)
        kept = [each for each in self.facts if each.variable not in stored and stored.isdisjoint(each.slot.names)]
        return _State(frozenset(kept), self.doubtful - stored)

    def adding(self, *facts: _Fact) -> _State:
        """What is known when these are known, too."""
        return self._replace(facts=self.facts.union(facts))

    def without_steady(self, names: Iterable[str]) -> _State:
        """What is known when variables may have changed inside."""
        changed = set(names)
        return self._replace(
            facts=frozenset([each for each in self.facts if each.kind != "steady" or each.variable not in changed])
        )

    def has_filled(self, slot: Slot) -> bool:
        """Is it surely filled?"""
        return _Fact("filled", slot) in self.facts


class _Filling(NamedTuple):
    """Statements that run only if something is not filled.

    Attributes
    ----------
    slot : Slot
        What.
    loops : int
        The loops around them.
    own : frozenset of str
        The variables that are theirs alone.
    is_alone : bool
        Is it one statement?
    """

    slot: Slot
    loops: int
    own: frozenset[str]
    is_alone: bool


_ONE_USE_MAKERS = frozenset({"iter", "map", "filter", "zip", "enumerate", "reversed", "open"})


class MemoProof:
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
        self.text = text
        self._place = place
        self._context = context
        self._fillings: list[_Filling] = []
        self._loops = 0
        self._exits: list[frozenset[_Fact]] = []
        if any(isinstance(each, _UNFOLLOWED) for each in ast.walk(text.node)):
            raise UnprovenError
        end = self._block(text.body, _State())
        self._exits += [] if end is None else [end.facts]
        facts = frozenset.intersection(*self._exits) if self._exits else frozenset()
        self.filled = frozenset([each.slot for each in facts if each.kind == "filled" and not each.slot.names])

    # -- expressions --------------------------------------------------------------------------------------------------

    def _check(self, node: ast.AST, state: _State, is_deferred: bool = False) -> None:
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

    def _check_all(self, nodes: Iterable[ast.AST], state: _State, is_deferred: bool = False) -> None:
        for each in nodes:
            self._check(each, state, is_deferred)

    def _is_proven(self, slot: Slot, state: _State, is_deferred: bool) -> bool:
        is_item = bool(slot.key)
        is_fixed = not is_deferred or all(self.text.stores[name] == 0 for name in slot.names)
        is_clear = is_item or slot.memo in self.text.memos.whole
        return state.has_filled(slot) and is_fixed and is_clear and state.doubtful.isdisjoint(slot.names)

    def _check_inner(self, node: ast.AST, state: _State, is_deferred: bool) -> None:
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

    def _use(self, nodes: Iterable[ast.AST | None], state: _State) -> _State:
        """Check expressions, after which their variables may have changed inside."""
        given = [each for each in nodes if each is not None]
        self._check_all(given, state)
        if not self._fillings:
            return state.without_steady(_loaded(given))
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
        return set(filter(self.text.locals.__contains__, map(_root, changed)))

    # -- statements ---------------------------------------------------------------------------------------------------

    def _block(self, nodes: list[ast.stmt], state: _State) -> _State | None:
        """What is known after statements; None if none follows."""
        for number, node in enumerate(nodes):
            probe, given, rest = self._early_return(node, nodes[number + 1 :], state)
            if probe is not None and given is not None:
                self._return_early(probe, given, rest, state, nodes is self.text.body)
                return None
            after = self._statement(node, state)
            if after is None:
                return None
            state = after
        return state

    def _statement(self, node: ast.stmt, state: _State) -> _State | None:
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

    def _opaque(self, node: ast.stmt, state: _State) -> _State:
        """What is known after a statement in which memos can be read, but not filled."""
        stored = frozenset(stored_names([node]))
        inside = state.after_storing(stored)
        self._use([node], inside._replace(doubtful=state.doubtful))
        if isinstance(node, ast.Try | ast.Match):  # what is in it may not run
            self._exits.append(inside.facts)
            inside = inside._replace(doubtful=state.doubtful)
        return inside.without_steady(_loaded([node]))

    def _expression(self, node: ast.Expr, state: _State) -> _State:
        if self._fillings:
            inside = self._fillings[-1]
            if self.text.locals.intersection(_loaded([node])) - inside.own - inside.slot.names:
                raise UnprovenError  # it may change there, and is used elsewhere
        state = self._use([node], state)
        method = self._called(node)
        return state if method is None else state.adding(*[_Fact("filled", slot) for slot in method.filled])

    def _called(self, node: ast.stmt) -> MemoProof | None:
        match node:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(self.text.owner), name))):
                return self._context.method(self.text.mangled(name))
        return None

    def _if(self, node: ast.If, state: _State) -> _State | None:
        probe = self._probe(node.test, state)
        if probe is not None and not state.has_filled(probe.slot):
            empty, filled = (node.orelse, node.body) if probe.is_filled else (node.body, node.orelse)
            return self._fill_if_empty(probe._replace(variable=self._read_in(filled, probe)), empty, state)[0]
        state = self._use([node.test], state)
        return _joined(self._block(node.body, state), self._block(node.orelse, state))

    def _loop(self, node: Any, before: _State, targets: list[ast.expr]) -> _State | None:
        stored = frozenset(stored_names([node]))
        doubtful = before.doubtful | self._doubtful_in(node)
        entry = before.without_steady(self.text.locals).after_storing(stored)._replace(doubtful=doubtful)
        self._check_all([node.test] if isinstance(node, ast.While) else targets, entry)
        self._loops += 1
        end = self._block(node.body, entry.after_storing(stored_names(targets)))
        self._loops -= 1
        after = self._block(node.orelse, entry) if node.orelse else entry
        return _joined(_joined(entry, after), end and end._replace(facts=entry.facts))

    def _with(self, node: ast.With, before: _State) -> _State:
        """The context can swallow an exception, so that nothing is known for certain afterwards."""
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

    # -- assignments --------------------------------------------------------------------------------------------------

    def _assign(self, node: ast.stmt, state: _State) -> _State:
        pairs = assigned(node)
        if not pairs:
            return state  # an annotation alone
        target, value = pairs[0]
        if isinstance(target, ast.Name) and len(pairs) == 1:
            if target.id in self.text.containers:
                self._use_container(self.text.containers[target.id], state)
                return state
            slot = self.text.lookup(value)
            if slot is not None and not state.has_filled(slot):
                return self._found(target.id, slot, state)
        return self._assign_pairs(node, pairs, state)

    def _found(self, name: str, slot: Slot, state: _State) -> _State:
        """A variable gets what is in a slot, or None."""
        self._check_key(slot, state)
        if (slot.memo in self.text.memos.items and not slot.key) or name in self._captured_outside([]):
            raise UnprovenError
        after = state.after_storing([name])
        after = after if name in slot.names else after.adding(_Fact("found", slot, name))
        return after._replace(doubtful=after.doubtful | {name})

    def _assign_pairs(self, node: Any, pairs: list[tuple[ast.expr, ast.expr]], state: _State) -> _State:
        slots, stored = [self.text.slot(target) for target, _ in pairs], frozenset(stored_names([node]))
        values = [node.value] if not isinstance(node, ast.Expr) else [pairs[0][1]]
        is_steady = self._is_steady(node, state)
        used = self._use(values, state)
        state = state if is_steady else used
        for number, ((target, value), slot) in enumerate(zip(pairs, slots, strict=True)):
            if slot is None:
                self._check_target(target, state)
            elif stored & slot.names or (not slot.key and slot.memo in self.text.memos.items and len(pairs) > 1):
                raise UnprovenError
            else:
                self._fill(slot, value, number, state)
        after = state.after_storing(stored)
        for (target, _), slot in zip(pairs, slots, strict=True):
            after = after if slot is None else after.adding(_Fact("filled", slot))
            if is_steady and isinstance(target, ast.Name):
                after = after.adding(_Fact("steady", variable=target.id))
        return after.adding(*self._same(pairs, slots, state))

    def _same(self, pairs: list[tuple[ast.expr, ast.expr]], slots: list[Slot | None], before: _State) -> list[_Fact]:
        """The variables that have the same in them as a slot, after ``self._t = t``, ``t = self._t = ...`` or so."""
        names = [(each.id, value) for each, value in pairs if isinstance(each, ast.Name)]
        stored = [name for name, _ in names]
        found = [
            (slot, name)
            for (_, value), slot in zip(pairs, slots, strict=True)
            if slot is not None
            for name in [*_unless_in(stored, value), *(each for each, its_value in names if its_value is value)]
        ]
        if len(pairs) == len(names) == 1:
            slot = self.text.slot(names[0][1])
            found += [(slot, names[0][0])] if slot is not None and before.has_filled(slot) else []
        return [_Fact("same", slot, name) for slot, name in found if name not in slot.names]

    def _is_steady(self, node: ast.stmt, state: _State) -> bool:
        """Does it assign variables once, to what does not depend on arguments, and can be used twice?"""
        if not isinstance(node, ast.Assign):
            return False
        names = list(stored_names([node]))
        is_plain = bool(names) and all(isinstance(each, ast.Name) for each in node.targets)
        is_once = all(self.text.stores[name] == 1 and name not in self.text.arguments for name in names)
        is_of_steady = all(
            name not in self.text.locals or _Fact("steady", variable=name) in state.facts
            for name in _loaded([node.value])
        )
        is_reusable = not any(isinstance(each, ast.GeneratorExp) for each in ast.walk(node))
        is_reusable &= _ONE_USE_MAKERS.isdisjoint(_loaded([node.value]))
        return is_plain and is_once and is_of_steady and is_reusable and not self._changed_by_calls([node])

    def _check_target(self, target: ast.expr, state: _State) -> None:
        self._check(target, state)
        is_part = bool(self._fillings) and not isinstance(target, ast.Name)
        if is_part and _root(target) not in {self.text.owner} | self._fillings[-1].own:
            raise UnprovenError  # something changes that is used elsewhere

    # -- what is filled -----------------------------------------------------------------------------------------------

    def _fill(self, slot: Slot, value: ast.expr, number: int, state: _State) -> None:
        """Something is filled: with what depends on parameters and on its key only."""
        inside = self._fillings[-1] if self._fillings else None
        if slot.memo in self.text.memos.items and not slot.key:
            if leaves(value) != "empty" or inside is None or inside.slot != slot:
                raise UnprovenError
            self._context.note_empty_container(slot.memo, ast.unparse(value))
            return
        self._check_key(slot, state)
        if inside is None or inside.loops != self._loops:
            is_fixed = not self.text.arguments - {self.text.owner} and not self._loops
            self._check(value, state if is_fixed else self._foreign(slot, state))
        elif not inside.slot.names <= slot.names:
            raise UnprovenError
        if not slot.key and leaves(value) != "value":
            raise UnprovenError
        is_of_owner = (inside is None or inside.is_alone) and self.text.locals.isdisjoint(_loaded([value]))
        where = self.text.mangled("__") if is_of_owner else (value.lineno, value.col_offset)
        self._context.note_fill(slot, (self._place, where, ast.unparse(value), number))

    def _foreign(self, slot: Slot, state: _State) -> _State:
        """In what is filled, variables may not be used that can differ from call to call."""
        steady = {each.variable for each in state.facts if each.kind == "steady"}
        foreign = self.text.locals - slot.names - steady
        return state._replace(doubtful=state.doubtful | foreign)

    def _check_key(self, slot: Slot, state: _State) -> None:
        if not state.doubtful.isdisjoint(slot.names):
            raise UnprovenError
        if slot.key:
            self._use_container(slot.memo, state)

    def _use_container(self, memo: str, state: _State) -> None:
        if not state.has_filled(Slot(memo)):
            self._context.note_bare_use(memo)

    def _probe(self, test: ast.expr, state: _State) -> Probe | None:
        found = {each.variable: each.slot for each in state.facts if each.kind == "found"}
        return self.text.probe(test, found)

    def _read_in(self, nodes: list[ast.stmt], probe: Probe) -> str:
        """The variable that gets what is filled, in the branch where it is; nothing else may be there."""
        match nodes:
            case [] | [ast.Pass()]:
                return probe.variable
            case [ast.Assign([ast.Name(name)], value)] if self.text.slot(value) == probe.slot:
                return name
        raise UnprovenError

    def _fill_if_empty(self, probe: Probe, body: list[ast.stmt], state: _State) -> tuple[_State, _State]:
        """What is known after statements that run if something is not filled, and at their end."""
        slot, stored = probe.slot, frozenset(stored_names(body))
        self._check_key(slot, state)
        if probe.is_of_existence:
            self._context.note_existence(slot.memo)
        if stored & (slot.names | self._captured_outside(body)) or _escapes(body) or not self._ends_filled(body, slot):
            raise UnprovenError
        own = [name for name, count in Counter(stored_names(body)).items() if count == self.text.stores[name]]
        self._fillings.append(_Filling(slot, self._loops, frozenset(own) - self.text.arguments, len(body) == 1))
        end = self._block(body, self._foreign(slot, state))
        self._fillings.pop()
        if end is None or not end.has_filled(slot):
            raise UnprovenError
        filled = [
            each
            for each in end.facts - state.facts
            if each.kind == "filled" and (each.slot == slot or self._is_filled_with(each.slot, slot))
        ]
        found = frozenset([probe.variable] if probe.variable else [])
        same = end.facts & {_Fact("same", slot, name) for name in found}
        after = state.after_storing(stored | found).adding(*filled, *same)
        doubtful = (state.doubtful | stored | found) - {each.variable for each in same}
        return after._replace(doubtful=doubtful), end

    def _is_filled_with(self, slot: Slot, other: Slot) -> bool:
        return slot.key == other.key and self._context.are_emptied_together(slot.memo, other.memo)

    def _captured_outside(self, body: list[ast.stmt]) -> frozenset[str]:
        """The variables of functions that stand elsewhere: when these run is not known."""
        inside = {id(each) for node in body for each in ast.walk(node)}
        inner = [each for each in ast.walk(self.text.node) if isinstance(each, _LATER) and id(each) not in inside]
        return frozenset(_loaded([each for each in inner if each is not self.text.node]))

    def _ends_filled(self, body: list[ast.stmt], slot: Slot) -> bool:
        """Is the slot filled at last, so that nothing that fails can follow?"""
        *before, last = body or [ast.Pass()]
        if any(self.text.slot(target) == slot for target, _ in assigned(last)):
            return True
        match last:
            case ast.Assign([ast.Name()], value) if self.text.slot(value) == slot:
                return self._ends_filled(before, slot)
        method = self._called(last)
        return method is not None and not before and slot in method.filled and method.ends_filled(slot)

    def ends_filled(self, slot: Slot) -> bool:
        """Does the function end with filling a slot?"""
        return self._ends_filled(self.text.body, slot)

    # -- early returns ------------------------------------------------------------------------------------------------

    def _early_return(
        self, node: ast.stmt, rest: list[ast.stmt], state: _State
    ) -> tuple[Probe | None, ast.Return | None, list[ast.stmt]]:
        """What ``if self._t is not None: return self._t`` asks for and returns, and the statements that run if not."""
        node = (self._tried(node) or node) if isinstance(node, ast.Try) else node
        if isinstance(node, ast.If):
            probe = self._probe(node.test, state)
            match node.body:
                case [ast.Return() as given] if probe is not None and probe.is_filled:
                    if not state.has_filled(probe.slot):
                        return probe, given, [*node.orelse, *rest]
        return None, None, []

    def _return_early(self, probe: Probe, given: ast.Return, rest: list[ast.stmt], state: _State, is_all: bool) -> None:
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
            self._check(
                given.value, state._replace(doubtful=state.doubtful - found).adding(_Fact("filled", probe.slot))
            )
        elif isinstance(last, ast.Return) and last.value is not None:
            raise UnprovenError
        self._exits.append(after.facts)

    def _compare(self, probe: Probe, given: ast.Return, last: Any, end: _State, stored: frozenset[str]) -> None:
        same = {each.variable for each in end.facts if each.kind == "same" and each.slot == probe.slot}
        texts = [
            ast.unparse(_Renamed(self.text, names, probe.slot).visit(ast.parse(ast.unparse(each))))
            for each, names in [(given, {probe.variable}), (last, same)]
        ]
        hidden = {each.arg for node in (given, last) for each in ast.walk(node) if isinstance(each, ast.arg)}
        hidden.update(each for node in (given, last) for each in _stored_inside(node))
        if texts[0] != texts[1] or (stored & set(_loaded([last]))) - same or hidden & (same | {probe.variable}):
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


_LATER = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.GeneratorExp

_PARTS = ast.stmt | ast.ExceptHandler | ast.match_case

_UNFOLLOWED = (
    ast.Yield | ast.YieldFrom | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Global | ast.Nonlocal
)


def _loaded(nodes: Iterable[ast.AST]) -> list[str]:
    return [each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)]


def _stored_inside(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)]


def _root(node: ast.expr) -> str:
    """The variable in which, or in a part of whose value, something is."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _unless_in(names: list[str], value: ast.expr) -> list[str]:
    return [value.id] if isinstance(value, ast.Name) and value.id not in names else []


def _joined(one: _State | None, other: _State | None) -> _State | None:
    """What is known if one of two things has happened."""
    if one is None or other is None:
        return one or other
    return _State(one.facts & other.facts, one.doubtful | other.doubtful)


def _escapes(nodes: Iterable[ast.stmt], is_in_loop: bool = False) -> bool:
    """Can statements be left before their end, other than by an exception?"""
    for node in nodes:
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not is_in_loop):
            return True
        inside = is_in_loop or isinstance(node, ast.For | ast.AsyncFor | ast.While)
        parts = [each for each in ast.iter_child_nodes(node) if isinstance(each, _PARTS)]
        if not isinstance(node, INNER) and _escapes(parts, inside):  # type: ignore[arg-type]
            return True
    return False
