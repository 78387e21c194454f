"""Is an attribute that a method writes a memo, which it fills where it is empty, and otherwise leaves alone?

Whether somebody else has filled it is seen when the method is called (`filled_memos`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from types import FunctionType
from typing import TypeAlias

from stored._keys.first_values import FirstValues
from stored._keys.reach_report import AttributeWrite, Place, Reason
from stored._keys.self_accesses import Read, Write

__all__ = ["WrittenAttributes"]

_Written: TypeAlias = tuple[Write, Place, bool]


class WrittenAttributes:
    """The attributes that a method and what it reaches write.

    Parameters
    ----------
    kind : type
        The class of the object.
    functions : collection of FunctionType
        What is reached.
    writes : list of (Write, Place, bool)
        What they write, and whether arguments decide that.
    reads : list of (str, list of (Read, Place))
        What they read, by name.
    kept : dict of str to Place
        The attributes that keep what a function has computed, as ``cached_property`` does.
    unknown : list of Reason
        Where any attribute may be read or written.
    """

    def __init__(
        self,
        kind: type,
        functions: Collection[FunctionType],
        writes: list[_Written],
        reads: list[tuple[str, list[tuple[Read, Place]]]],
        kept: Mapping[str, Place],
        unknown: list[Reason],
    ) -> None:
        self._writes = writes
        self._reads = reads
        self._kept = kept
        self._unknown = unknown
        self._names = {write.name: None for write, _, _ in writes if write.through != "other"} | dict.fromkeys(kept)
        self._kind = kind
        self._functions = functions

    @cached_property
    def _first(self) -> FirstValues:
        """What they are before; most methods write nothing, and need it not."""
        return FirstValues(self._kind, self._names, self._functions)

    def all(self) -> dict[str, AttributeWrite]:
        """All of them, by name."""
        return {name: self._attribute_write(name) for name in self._names}

    def _attribute_write(self, name: str) -> AttributeWrite:
        found = [each for each in self._writes if each[0].name == name and each[0].through != "other"]
        filled = [place for write, place, _ in found if write.leaves == "value"]
        emptied = [place for write, place, _ in found if write.leaves != "value"]
        if name in self._kept:
            filled.insert(0, self._kept[name])
        why_not = self._why_not_lazy(name, found)
        is_certain = name in self._kept or any(write.is_certain for write, _, _ in found)
        is_container = any(write.how != "set" for write, _, _ in found)
        return AttributeWrite(name, tuple(filled), tuple(emptied), is_certain, is_container, not why_not, why_not)

    def _why_not_lazy(self, name: str, found: list[_Written]) -> str:
        """Why an attribute is no memo; empty if it is one."""
        fills = [each for each in found if each[0].leaves == "value"]
        reasons = [
            self._no_memo_as_filled(name, fills),
            *(f"it depends on what it was before, at {place}" for write, place, _ in fills if self._feeds(name, write)),
            *(f"what it contains at {place} is left by earlier calls" for place in self._whole_reads(name, fills)),
            *(
                f"what is kept depends on arguments ({', '.join(_arguments(write))}), at {place}"
                for write, place, _ in fills
                if _arguments(write)
            ),
            *(f"{each.text}, at {each.place}" for each in self._unknown),
            self._first.filled_elsewhere(name),
            *(
                f"another object's may be written at {place}"
                for write, place, _ in self._writes
                if write.name == name and write.through == "other" and write.leaves == "value"
            ),
        ]
        return next(filter(None, reasons), "")

    def _no_memo_as_filled(self, name: str, fills: list[_Written]) -> str:
        if name in self._kept:
            return ""
        if not fills:
            return "what is reached only empties it"
        is_set = any(write.how == "set" and write.is_certain and write.through == "self" for write, _, _ in fills)
        if not is_set and not self._first.can_be_empty_container(name):
            return "nothing shows that it is an empty container at first"
        is_of_class = not is_set and self._first.is_of_class_only(name)
        if is_of_class or any(write.through == "class" for write, _, _ in fills):
            return "all objects of the class share it"
        is_conditional = any(write.control or under for write, _, under in fills if write.how == "set")
        if is_conditional and len(fills) > 1:
            return "arguments decide what is kept"
        return ""

    def _whole_reads(self, name: str, fills: list[_Written]) -> list[Place]:
        """Where all items of a container are read, that are filled one by one."""
        if all(write.how == "set" for write, _, _ in fills):
            return []
        reads = [each for read_name, found in self._reads if read_name == name for each in found]
        return [place for read, place in reads if read.is_whole]

    def _feeds(self, name: str, write: Write) -> bool:
        """Is what is put there made from what was there? That counts only if it is read for something else, too."""
        if write.how == "grow":
            return any(
                read.is_used or read.is_called
                for read_name, reads in self._reads
                if read_name == name
                for read, _ in reads
            )
        return f"self.{name}" in write.depends


def _arguments(write: Write) -> list[str]:
    return sorted(each for each in write.depends if "." not in each)
