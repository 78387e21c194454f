"""What can each way of telling parameters do? `owner_parameters` and `joined_parameters` have these ways."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from stored._keys.method_reads import Selection
from stored._keys.result_key import Space
from stored._keys.unchanged import UnchangedCheck

__all__ = ["Described", "Describer", "OwnerParameters"]


class Described(Protocol):
    """Describes values of parameters; it refers to no owner."""

    @property
    def names(self) -> Sequence[str]:
        """The names of the values, for listings; that of a hashable string is empty."""

    def space(self, owner_class: type, values: tuple[Any, ...]) -> Space:
        """The owner's name and parameters, as keys contain them.

        Raises
        ------
        UnstableKeyError
            Naming a parameter that has no stable form.
        """


class OwnerParameters(Protocol):
    """How the objects of a class tell their parameters: by a tuple of values for each object."""

    def values(self, owner: Any) -> tuple[Any, ...]:
        """The values now.

        Raises
        ------
        OwnerError
            If the owner does not tell them.
        """

    @property
    def quick_values(self) -> Callable[[Any], tuple[Any, ...]]:
        """The quickest function that returns the values now; if it raises `AttributeError`, `values` says why."""

    def quick_key(self, values: tuple[Any, ...]) -> Hashable:
        """What stands for values in a dictionary that are not all of types in `ATOMIC_SET`.

        None if they must be compared by their texts, since they can change. Values with equal keys have equal texts.
        """

    def check(self, owner: Any, values: tuple[Any, ...]) -> None:
        """Refuse values, not all of types in `ATOMIC_SET`, that no object but the owner could have.

        Raises
        ------
        UnstableKeyError
            Naming the parameter.
        """

    described: Described
    """Describes the values."""

    def unchanged_check(self, owner_class: type, values: tuple[Any, ...], may_hold_user: bool) -> UnchangedCheck | None:
        """A quick check that these are still the owner's values, or None if there is none.

        Parameters
        ----------
        owner_class : type
            The class of the owner.
        values : tuple
            The values.
        may_hold_user : bool
            Can the owner hold a `StorageUser` by now, which would take the place of these parameters?
        """


class Describer(OwnerParameters, Protocol):
    """One of the ways in which owners tell their parameters themselves."""

    joins_reads: bool
    """Do attributes that methods read join the parameters?"""

    is_whole: bool
    """Does the user answer for it that the parameters are all that counts?"""

    def selected(self, selection: Selection) -> OwnerParameters:
        """A describer of what counts for a method."""
