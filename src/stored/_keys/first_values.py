"""What is an attribute of an object before a method fills it: is it an empty container, and is it one of the object?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import CodeType

from stored._keys.class_functions import class_functions, generated_accesses, is_data, left_by_value
from stored._keys.self_accesses import SelfAccesses
from stored._keys.self_reads import self_accesses

__all__ = ["RESTORING", "FirstValues", "mentioned_names"]

RESTORING = frozenset({"__setstate__", "__getstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__"})
"""They give an object what another one had; that is known to be what the class itself puts there."""


class FirstValues:
    """What all functions of a class and its bases, and the class itself, put into attributes.

    Parameters
    ----------
    kind : type
        The class.
    names : collection of str
        The attributes.
    """

    def __init__(self, kind: type, names: Collection[str]) -> None:
        self._left: dict[str, set[str]] = {name: set() for name in names}
        self._set_on_object: set[str] = set()
        for _, function, position, is_class in class_functions(kind):
            generated = generated_accesses(function, kind)
            self._note(self_accesses(function.__code__, position, is_class) if generated is None else generated)
        defaults = [(name, vars(base)[name]) for base in kind.__mro__[:-1] for name in names if name in vars(base)]
        self._defaults = {name: value for name, value in defaults if is_data(value)}

    def _note(self, accesses: SelfAccesses | None) -> None:
        for write in () if accesses is None else accesses.writes:
            if write.name in self._left:
                self._left[write.name].add(write.leaves)
                if write.how == "set" and write.through != "class":
                    self._set_on_object.add(write.name)

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
