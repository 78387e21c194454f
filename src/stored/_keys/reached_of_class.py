"""What do the functions of a class reach? Found once for each class."""

from __future__ import annotations

from typing import Any

from stored._keys.known_of_class import known_of_class
from stored._keys.parameter_names import parameter_names
from stored._keys.reach_report import Reached
from stored._keys.reached import reached

__all__ = ["reached_of"]


def reached_of(kind: type, function: Any) -> Reached:
    """What a function of a class reaches."""
    declared = frozenset(parameter_names(kind) or ())
    return known_of_class(kind, (id(function), declared), lambda: (function, reached(kind, function, declared)))[1]
