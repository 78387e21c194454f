"""What counts for a stored method of the objects of a class, by the way in which these tell their parameters?"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

from stored._engine.spaces import OwnersOfClass
from stored._keys import Describer, MethodReads, Selection
from stored._storage import PersistentTier

__all__ = ["ALL", "CountedMethod", "Counting", "counting_of", "owners_of"]

ALL = Selection()
"""All parameters, and nothing else."""

TIER = PersistentTier("rw")
"""Where the results of owners that describe themselves persist: where the settings say."""


class CountedCode(Protocol):
    """The code of a method of the objects of a class."""

    reads: MethodReads
    """What it reads of them."""

    counting: Any
    """What counts for the method, once that was asked."""


class CountedMethod(Protocol):
    """A stored method, as far as it says what counts for it."""

    depends: tuple[str, ...] | Literal["auto"] | None
    """The parameters on which it depends, or "auto" for those that it reads; None for all of them."""

    @property
    def stored_name(self) -> tuple[str, str]:
        """The name of its results, and its qualified name."""

    def code_of(self, owner_class: type, /) -> Any:
        """Its code on a class, as `CountedCode` has it; another one once that has changed."""

    def complete_reads(self, owner_class: type, /) -> MethodReads:
        """What it reads of the owners of a class; an `OwnerError` if its code cannot be followed everywhere."""


class Counting(NamedTuple):
    """What counts for a method of the objects of a class.

    Attributes
    ----------
    describer : Describer or None
        What tells the parameters of the objects, if they do so themselves.
    selection : Selection
        Which values count.
    reads : MethodReads or None
        What the method reads beside them, if that has to be looked at for each call.
    joins_reads : bool
        Do the attributes that it reads join the parameters? Not if the owner tells a string of its own.
    owners : OwnersOfClass or None
        What the objects have in common, if they tell their parameters themselves.
    """

    describer: Describer | None
    selection: Selection
    reads: MethodReads | None
    joins_reads: bool
    owners: OwnersOfClass | None


def counting_of(owner_class: type, method: CountedMethod, describer: Describer | None, code: CountedCode) -> Counting:
    """What counts for a method of the objects of a class, kept with its code.

    Parameters
    ----------
    owner_class : type
        The class.
    method : CountedMethod
        The method.
    describer : Describer or None
        What tells the parameters of the objects now, if they do so themselves.
    code : CountedCode
        The code of the method.

    Raises
    ------
    OwnerError
        If what it reads is all that counts, and not known.
    """
    known: Counting | None = code.counting
    if known is None or known.describer is not describer:
        known = code.counting = _counting(owner_class, method, describer, code.reads)
    return known


def _counting(owner_class: type, method: CountedMethod, describer: Describer | None, reads: MethodReads) -> Counting:
    joins_reads = describer is not None and describer.joins_reads
    is_whole = describer is not None and describer.is_whole
    looked_at = None if is_whole or not reads.are_to_be_looked_at() else reads
    if method.depends == "auto":
        complete = method.complete_reads(owner_class)
        selection = Selection(complete.parameters) if is_whole else complete.narrow
        joins_reads = True  # also in place of a string
    elif method.depends is not None or is_whole:
        selection, looked_at = Selection(method.depends), None
    else:
        selection = reads.selection if joins_reads else ALL
    owners = None if describer is None else owners_of(owner_class, describer, selection)
    return Counting(describer, selection, looked_at, joins_reads, owners)


def owners_of(owner_class: type, describer: Describer, selection: Selection) -> OwnersOfClass:
    """What the objects of a class have in common of which these values count."""
    parameters = describer if selection == ALL else describer.selected(selection)
    return OwnersOfClass(owner_class, parameters, (describer, selection), TIER)
