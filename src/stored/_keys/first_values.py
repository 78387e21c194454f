"""What is an attribute before a method fills it: an empty container, one of the class, or filled by other methods?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from types import CodeType, FunctionType

from stored._keys.class_functions import class_functions, is_data, left_by_value
from stored._keys.self_accesses import Write
from stored._keys.self_reads import function_accesses

__all__ = ["MAKING", "RESTORING", "FirstValues", "mentioned_names"]

RESTORING = frozenset({"__setstate__", "__getstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__"})
"""They give an object what another one had; that is known to be what the class itself puts there."""

MAKING = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__"})
"""Functions that write all attributes of a new object."""


class FirstValues:
    """What all functions of a class and its bases, and the class itself, put into attributes.

    Parameters
    ----------
    kind : type
        The class.
    names : collection of str
        The attributes.
    own : collection of FunctionType
        What the method reaches.
    """

    def __init__(self, kind: type, names: Collection[str], own: Collection[FunctionType]) -> None:
        self._own_labels: dict[str, set[str]] = {}
        self._others: list[tuple[Write, str]] = []
        left_out = {id(each) for each in own}
        self._left: dict[str, set[str]] = {name: set() for name in names}
        self._set_on_object: set[str] = set()
        for name, function, position, is_class in class_functions(kind):
            accesses = function_accesses(function, kind, position, is_class)
            writes = () if accesses is None else accesses.writes
            self._note(writes)
            if id(function) in left_out:
                self._note_own(writes)
            elif name not in MAKING:
                self._others += [(write, function.__qualname__) for write in writes if write.leaves == "value"]
        defaults = [(name, vars(base)[name]) for base in kind.__mro__[:-1] for name in names if name in vars(base)]
        self._defaults = {name: value for name, value in defaults if is_data(value)}

    def _note(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if write.name in self._left:
                self._left[write.name].add(write.leaves)
                if write.how == "set" and write.through != "class":
                    self._set_on_object.add(write.name)

    def _note_own(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if write.leaves == "value":
                self._own_labels.setdefault(write.name, set()).add(write.label)

    def filled_elsewhere(self, name: str) -> str:
        """Which other function fills an attribute, or the same items of it, when it likes; empty if none does."""
        own = self._own_labels.get(name, {""})
        found = [(write, function) for write, function in self._others if write.name == name]
        same = [each for each in found if "" in own or each[0].label in {"", *own}]
        return f"{same[0][1]} fills it too, line {same[0][0].line}" if same else ""

    def can_be_empty_container(self, name: str) -> bool:
        """Is the attribute somewhere set to an empty container?"""
        return "empty" in self._left[name] or left_by_value(self._defaults.get(name)) == "empty"

    def is_of_class_only(self, name: str) -> bool:
        """Is it an attribute of the class, of which no object gets one of its own?"""
        return name in self._defaults and name not in self._set_on_object


def mentioned_names(code: CodeType) -> frozenset[str]:
    """All names and strings in a function."""
    return frozenset(_names(code))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, str):
            yield each
        elif isinstance(each, CodeType):
            yield from _names(each)
