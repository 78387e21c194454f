"""Is a memo filled where, and only where, it is found not to be, and with what each call would fill it with?"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, Any

from stored._keys.assigned_names import assigned, can_be_left, is_lock, loaded_names, stored_names
from stored._keys.memo_facts import Fact, Filling, Proven, State, UnprovenError
from stored._keys.memo_reads import MemoReads
from stored._keys.memo_slots import Probe, Slot
from stored._keys.self_calls import leaves

__all__ = ["MemoFills"]

_ONE_USE_MAKERS = frozenset({"iter", "map", "filter", "zip", "enumerate", "reversed", "open"})


class MemoFills(MemoReads):
    """Checks assignments of one function, and what runs only if a memo is not filled."""

    if TYPE_CHECKING:  # what goes through the function has it

        def _block(self, nodes: list[ast.stmt], state: State) -> State | None:
            """What is known after statements; None if none follows."""

    # -- assignments --------------------------------------------------------------------------------------------------

    def _assign(self, node: ast.stmt, state: State) -> State:
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

    def _found(self, name: str, slot: Slot, state: State) -> State:
        """A variable gets what is in a slot, or None."""
        self._check_key(slot, state)
        if (slot.memo in self.text.memos.items and not slot.key) or name in self._captured_outside([]):
            raise UnprovenError
        after = state.after_storing([name])
        after = after if name in slot.names else after.adding(Fact("found", slot, name))
        return after._replace(doubtful=after.doubtful | {name})

    def _assign_pairs(self, node: Any, pairs: list[tuple[ast.expr, ast.expr]], state: State) -> State:
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
            after = after if slot is None else after.adding(Fact("filled", slot))
            if is_steady and isinstance(target, ast.Name):
                after = after.adding(Fact("steady", variable=target.id))
        return after.adding(*self._same(pairs, slots, state))

    def _same(self, pairs: list[tuple[ast.expr, ast.expr]], slots: list[Slot | None], before: State) -> list[Fact]:
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
        return [Fact("same", slot, name) for slot, name in found if name not in slot.names]

    def _is_steady(self, node: ast.stmt, state: State) -> bool:
        """Does it assign variables once, to what does not depend on arguments, and can be used twice?"""
        if not isinstance(node, ast.Assign):
            return False
        names = list(stored_names([node]))
        is_plain = bool(names) and all(isinstance(each, ast.Name) for each in node.targets)
        is_once = all(self.text.stores[name] == 1 and name not in self.text.arguments for name in names)
        is_of_steady = all(
            name not in self.text.locals or Fact("steady", variable=name) in state.facts
            for name in loaded_names([node.value])
        )
        is_reusable = not any(isinstance(each, ast.GeneratorExp) for each in ast.walk(node))
        is_reusable &= _ONE_USE_MAKERS.isdisjoint(loaded_names([node.value]))
        return is_plain and is_once and is_of_steady and is_reusable and not self._changed_by_calls([node])

    def _fill(self, slot: Slot, value: ast.expr, number: int, state: State) -> None:
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
        is_of_owner = (inside is None or inside.is_alone) and self.text.locals.isdisjoint(loaded_names([value]))
        where = self.text.mangled("__") if is_of_owner else (value.lineno, value.col_offset)
        self._context.note_fill(slot, (self._place, where, ast.unparse(value), number))

    # -- what runs only if a memo is not filled -----------------------------------------------------------------------

    def _probe(self, test: ast.expr, state: State) -> Probe | None:
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

    def _fill_if_empty(self, probe: Probe, body: list[ast.stmt], state: State) -> tuple[State, State]:
        """What is known after statements that run if something is not filled, and at their end."""
        slot, stored = probe.slot, frozenset(stored_names(body))
        self._check_key(slot, state)
        if probe.is_of_existence:
            self._context.note_existence(slot.memo)
        if (
            stored & (slot.names | self._captured_outside(body))
            or can_be_left(body)
            or not self._ends_filled(body, slot)
        ):
            raise UnprovenError
        own = [name for name, count in Counter(stored_names(body)).items() if count == self.text.stores[name]]
        self._fillings.append(Filling(slot, self._loops, frozenset(own) - self.text.arguments, len(body) == 1))
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
        same = end.facts & {Fact("same", slot, name) for name in found}
        after = state.after_storing(stored | found).adding(*filled, *same)
        doubtful = (state.doubtful | stored | found) - {each.variable for each in same}
        return after._replace(doubtful=doubtful), end

    def _is_filled_with(self, slot: Slot, other: Slot) -> bool:
        return slot.key == other.key and self._context.are_emptied_together(slot.memo, other.memo)

    def _ends_filled(self, body: list[ast.stmt], slot: Slot) -> bool:
        """Is the slot filled at last, so that nothing that fails can follow?"""
        *before, last = body or [ast.Pass()]
        if any(self.text.slot(target) == slot for target, _ in assigned(last)):
            return True
        match last:
            case ast.Assign([ast.Name()], value) if self.text.slot(value) == slot:
                return self._ends_filled(before, slot)
            case ast.With(items, inner) if all(map(is_lock, items)) and not before:
                return self._ends_filled(inner, slot)
            case ast.If(test, inner, []) if self.text.probe(test, {}) in {
                Probe(slot, "", False),
                Probe(slot, "", False, True),
            }:
                return not before and self._ends_filled(inner, slot)
        method = self._called(last)
        return method is not None and not before and slot in method.filled and method.ends_filled(slot)

    def ends_filled(self, slot: Slot) -> bool:
        """Does the function end with filling a slot?"""
        return self._ends_filled(self.text.body, slot)

    def _called(self, node: ast.stmt) -> Proven | None:
        match node:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(self.text.owner), name))):
                return self._context.method(self.text.mangled(name))
        return None


def _unless_in(names: list[str], value: ast.expr) -> list[str]:
    return [value.id] if isinstance(value, ast.Name) and value.id not in names else []
