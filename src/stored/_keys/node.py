"""What is a node in the graph of code: a function, a class or a module of the user's own, and what it says?"""

from __future__ import annotations

import types
from typing import Any, NamedTuple

from stored._keys.canonical_code import is_known_of_library
from stored._keys.class_names import is_library_class
from stored._keys.libraries import is_library_module
from stored._keys.watched import Holder, Watch

__all__ = ["Node", "is_node"]


class Node(NamedTuple):
    """A function, a class or a module that code reaches.

    Attributes
    ----------
    text : str
        What it says, with the places of others in `references` in place of them.
    references : tuple of Holder
        The nodes that it refers to, in the order in which its text does.
    watches : tuple of Watch
        What tells whether all this is still the same.
    formless : tuple of str
        What it uses that has no form.
    libraries : frozenset of str
        The installed packages that it uses.
    constants : tuple of (str, str)
        Names of values that it uses, with their module before them, and the texts of these.
    caches : tuple of (Holder, str)
        The functions of `functools.lru_cache` that it uses, and those that fill memos of modules, with their names.
    seeds : tuple of (Holder, str, str)
        Functions that make random generators, by what, and of which names the seeds are made.
    draws : bool
        May it draw random numbers?
    """

    text: str
    references: tuple[Holder, ...]
    watches: tuple[Watch, ...]
    formless: tuple[str, ...]
    libraries: frozenset[str]
    constants: tuple[tuple[str, str], ...]
    caches: tuple[tuple[Holder, str], ...]
    seeds: tuple[tuple[Holder, str, str], ...]
    draws: bool

    def is_same(self) -> bool:
        """Is all still the same?"""
        return all(each.is_same() for each in self.watches)


def is_node(value: Any) -> bool:
    """Is a value a function, a class or a module of the user's own?"""
    kind = type(value)
    if kind is types.FunctionType:
        return not is_known_of_library(value)
    if kind is types.ModuleType:
        return not is_library_module(value.__name__)
    return isinstance(value, type) and not is_library_class(value)
