"""What is known of memos and variables at some point of a function, and what do proofs tell each other?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple, Protocol

from stored._keys.memo_slots import Slot

__all__ = ["Fact", "Filling", "ProofContext", "Proven", "State", "UnprovenError", "joined"]


class UnprovenError(Exception):
    """A function may give something else if a memo is filled."""


class Fact(NamedTuple):
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


class State(NamedTuple):
    """What is known, and which variables may depend on whether a memo was filled."""

    facts: frozenset[Fact] = frozenset()
    doubtful: frozenset[str] = frozenset()

    def after_storing(self, names: Iterable[str]) -> State:
        """What is known when variables have been assigned."""
        stored = frozenset(names)
        kept = [each for each in self.facts if each.variable not in stored and stored.isdisjoint(each.slot.names)]
        return State(frozenset(kept), self.doubtful - stored)

    def adding(self, *facts: Fact) -> State:
        """What is known when these are known, too."""
        return self._replace(facts=self.facts.union(facts))

    def without_steady(self, names: Iterable[str]) -> State:
        """What is known when variables may have changed inside."""
        changed = set(names)
        return self._replace(
            facts=frozenset([each for each in self.facts if each.kind != "steady" or each.variable not in changed])
        )

    def has_filled(self, slot: Slot) -> bool:
        """Is it surely filled?"""
        return Fact("filled", slot) in self.facts


def joined(one: State | None, other: State | None) -> State | None:
    """What is known if one of two things has happened."""
    if one is None or other is None:
        return one or other
    return State(one.facts & other.facts, one.doubtful | other.doubtful)


class Filling(NamedTuple):
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


class Proven(Protocol):
    """What other functions have to know of one that is proven."""

    filled: frozenset[Slot]

    def ends_filled(self, slot: Slot) -> bool:
        """Does the function end with filling a slot?"""


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

    def method(self, name: str) -> Proven | None:
        """The proof for a method of the object."""
