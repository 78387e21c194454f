"""How does the owner of a plain function's results tell its parameters? It has none: arguments and code count."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from stored._keys.method_reads import Selection
from stored._keys.owner_protocols import Described, OwnerParameters
from stored._keys.result_key import Space
from stored._keys.unchanged import UnchangedCheck

__all__ = ["FunctionParameters"]


class FunctionParameters:
    """The parameters of a function: none. In memory, results of each version of its code have a space of their own.

    Functions that one function makes have the same name, and other closures: so the results of the last few of them
    stay in memory, as those of the last few parameters of owners do.

    Parameters
    ----------
    module : str
        The module of the function, as keys have it.
    qualname : str
        The qualified name of the function.
    """

    names: tuple[str, ...] = ()
    convert: Mapping[str, Any] = {}
    joins_reads = True
    is_whole = False

    def __init__(self, module: str, qualname: str) -> None:
        self.described: Described = self
        self._space = Space(module, qualname, (), ())

    def names_for(self, owner: type, base: type, others_named: bool = False) -> tuple[str, ...]:
        """No parameters."""
        return ()

    def selected(self, selection: Selection) -> OwnerParameters:
        """Itself: there is nothing to select from."""
        return self

    def values(self, owner: Any) -> tuple[str]:
        """The version of the code."""
        return (owner.code_version,)

    @property
    def quick_values(self) -> Callable[[Any], tuple[str]]:
        """The function that returns it."""
        return self.values

    def quick_key(self, values: tuple[Any, ...]) -> Hashable:
        """The version itself, which cannot change."""
        return values

    def check(self, owner: Any, values: tuple[Any, ...]) -> None:
        """It is text."""

    def space(self, owner_class: type, values: tuple[Any, ...]) -> Space:
        """The name of the function; the version stands in each key, and not here."""
        return self._space

    def unchanged_check(self, owner_class: type, values: tuple[Any, ...], may_hold_user: bool) -> UnchangedCheck | None:
        """Is the version the one that the owner had? Whether that is the code's is checked with all code."""
        return UnchangedCheck(
            "{owner}.code_version is {expected}.version", {"version": values[0]}, rebound=("version",)
        )
