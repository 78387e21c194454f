"""Who else writes an attribute: which functions of the class, beside those that a method reaches?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import CodeType, FunctionType

from stored._keys.class_functions import ABSENT, class_functions, generated_accesses, is_data, left_by_value
from stored._keys.self_accesses import SelfAccesses, Write
from stored._keys.self_reads import self_accesses

__all__ = ["RESTORING", "OtherWrites", "mentioned_names"]

RESTORING = frozenset({"__setstate__", "__getstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__"})
"""They give an object what another one had; that is known to be what the class itself puts there."""


class OtherWrites:
    """The writes of attributes by all functions of a class and its bases, without some.

    Parameters
    ----------
    kind : type
        The class.
    names : collection of str
        The attributes.
    without : collection of FunctionType
        The functions that do not count.
    """

    def __init__(self, kind: type, names: Collection[str], without: Collection[FunctionType]) -> None:
        self._kind = kind
        self._filled: dict[str, str] = {}
        self._left: dict[str, set[str]] = {name: set() for name in names}
        self._set_on_object: set[str] = set()
        self._unknown = ""
        self._returned: dict[str, frozenset[str]] = {}
        self._find_aliases(names)
        left_out = {id(each) for each in without}
        for name, function, position, is_class in class_functions(kind):
            accesses = self._accesses(function, position, is_class)
            if id(function) not in left_out:
                self._note(name, function, accesses)
            else:
                self._note_own(accesses or SelfAccesses())
        for name in names:
            self._note_default(name)

    def _find_aliases(self, names: Collection[str]) -> None:
        """Note the methods and properties that return an attribute, which can be written through them."""
        for name, function, position, is_class in class_functions(self._kind):
            if not mentioned_names(function.__code__).isdisjoint(names):
                accesses = self._accesses(function, position, is_class)
                returned = frozenset() if accesses is None else accesses.returned & frozenset(names)
                self._returned[name] = self._returned.get(name, frozenset()) | returned

    def _accesses(self, function: FunctionType, position: int | None, is_class: bool) -> SelfAccesses | None:
        generated = generated_accesses(function, self._kind)
        return self_accesses(function.__code__, position, is_class) if generated is None else generated

    def _note(self, name: str, function: FunctionType, accesses: SelfAccesses | None) -> None:
        mentioned = mentioned_names(function.__code__)
        if accesses is None:  # what its source would say is not known
            for each in mentioned & self._left.keys():
                self._fill(each, f"the source of {function.__qualname__} is not known, and names it")
            return
        for write in accesses.writes:
            for each in (write.name, *self._returned.get(write.name, ())):
                self._note_write(each, write, function)
        if accesses.unknown_writes and name not in RESTORING:
            finding = accesses.unknown_writes[0]
            self._unknown = self._unknown or f"{finding.reason}, in {function.__qualname__}, line {finding.line}"

    def _note_write(self, name: str, write: Write, function: FunctionType) -> None:
        if name not in self._left:
            return
        self._left[name].add(write.leaves)
        if write.how == "set" and write.through != "class":
            self._set_on_object.add(name)
        if write.leaves == "value":
            self._fill(name, f"{function.__qualname__} fills it too, line {write.line}")

    def _note_own(self, accesses: SelfAccesses) -> None:
        """What is reached can show, too, what the attribute is at first."""
        for write in accesses.writes:
            if write.name in self._left and write.through == "self" and write.how == "set":
                self._left[write.name].add(write.leaves)
                self._set_on_object.add(write.name)

    def _fill(self, name: str, reason: str) -> None:
        self._filled.setdefault(name, reason)

    def _note_default(self, name: str) -> None:
        for base in self._kind.__mro__[:-1]:
            value = vars(base).get(name, ABSENT)
            if value is not ABSENT and is_data(value):
                left = left_by_value(value)
                self._left[name].add(left)
                if left == "value":
                    self._fill(name, f"{base.__qualname__} has a value for it")

    def reason(self, name: str) -> str:
        """Why something else may fill an attribute; empty if nothing does."""
        return self._filled.get(name) or self._unknown

    def makes_empty_container(self, name: str) -> bool:
        """Is the attribute somewhere set to an empty container?"""
        return "empty" in self._left[name]

    def is_of_class_only(self, name: str, is_set: bool) -> bool:
        """Is it an attribute of the class, of which no object gets one of its own?"""
        on_class = any(is_data(vars(base)[name]) for base in self._kind.__mro__ if name in vars(base))
        return on_class and not is_set and name not in self._set_on_object


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
