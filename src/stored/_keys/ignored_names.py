"""Which names in code does a method leave out?"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import FunctionType
from typing import NamedTuple

from stored._keys.by_function import ByFunction

__all__ = ["Ignored", "full_name", "ignored_by", "note_ignored"]


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

    def has(self, *labels: str) -> bool:
        """Is something that has these names one of them, or a part of one of them?"""
        beginnings = {label[:end] for label in labels for end in (*_dots(label), len(label))} if self.names else set()
        self.found.update(self.names & beginnings)
        return not self.names.isdisjoint(beginnings)


def full_name(value: object) -> str:
    """The name of a function or a class with that of the module that defines it; empty for all else."""
    is_named = isinstance(value, FunctionType | type | functools._lru_cache_wrapper)
    return f"{value.__module__}.{getattr(value, '__qualname__', '')}" if is_named else ""


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
