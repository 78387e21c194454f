"""Which names in code does a method leave out?"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from stored._keys.by_function import ByFunction
from stored._keys.class_functions import CODE
from stored._keys.libraries import find_by_name

__all__ = ["Ignored", "ignored_by", "note_ignored"]


class Ignored(NamedTuple):
    """The names in code that do not count, as they stand there, with their module before them, or as ``self.log``.

    Attributes
    ----------
    names : frozenset of str
        The names.
    found : set of str
        Those of them that were found.
    """

    names: frozenset[str]
    found: set[str]

    def has(self, *labels: str, value: object = None) -> bool:
        """Is something that has these names one of them, or a part of one of them?

        Parameters
        ----------
        *labels : str
            The names.
        value : object, optional
            What it is: a function, or a class, may be known by the module that defines it, too.
        """
        if not self.names:
            return False
        beginnings = {label[:end] for label in labels for end in (*_dots(label), len(label))} | {_full_name(value)}
        self.found.update(self.names & beginnings)
        return not self.names.isdisjoint(beginnings)


def _full_name(value: Any) -> str:
    """The name by which the module that defines a function or a class has it; empty for all else."""
    if not isinstance(value, CODE):
        return ""
    module, name = value.__module__, value.__qualname__
    return f"{module}.{name}" if find_by_name(module, name) is value else ""


def _dots(label: str) -> Iterator[int]:
    return (number for number, each in enumerate(label) if each == ".")


_by_function = ByFunction[Ignored]()


def note_ignored(function: FunctionType, ignored: Ignored) -> None:
    """Note the names that a stored method leaves out, which count for nobody who reaches its function."""
    _by_function.note(function, ignored)


def ignored_by(function: object) -> list[Ignored]:
    """The names that a function leaves out, if it is that of a stored method that does so."""
    found = _by_function.of(function)
    return [] if found is None else [found]
