"""What do the functions of a class reach? Found once for each class."""

from __future__ import annotations

from typing import Any

from stored._keys.ignored_names import Ignored
from stored._keys.known_of_class import known_of_class
from stored._keys.parameter_names import parameter_names
from stored._keys.reach_report import Reached
from stored._keys.reached import reached

__all__ = ["reached_of"]


def reached_of(kind: type, function: Any, ignored: Ignored | None = None) -> Reached:
    """What a function of a class reaches.

    Parameters
    ----------
    kind : type
        The class.
    function : callable
        The function.
    ignored : Ignored, optional
        The names that do not count, of which those are noted that were found.
    """
    declared, names = frozenset(parameter_names(kind) or ()), frozenset[str]() if ignored is None else ignored.names
    key = id(function), declared, names
    found: Reached = known_of_class(kind, key, lambda: (function, reached(kind, function, declared, names)))[1]
    if ignored is not None:
        ignored.found.update(found.ignored)
    return found
