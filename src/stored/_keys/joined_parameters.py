"""How do owners tell the parameters that they declare, and beside them the attributes that a method reads?"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any

from stored._keys.attributes import counted_attributes, gives_what_it_contains
from stored._keys.canonical import text_with_numbers
from stored._keys.canonical_objects import plain_content
from stored._keys.identity import number_text
from stored._keys.library_state import made_by_library
from stored._keys.method_reads import JoinedRead, Selection
from stored._keys.owner_protocols import Described
from stored._keys.result_key import Space, space_of
from stored._keys.unchanged import UnchangedCheck, is_attribute_name
from stored._keys.value_tests import ValueTest, joined_check, value_test
from stored.typing import ABSENT

__all__ = ["JoinedParameters"]


class _AllAttributes(dict[str, Any]):
    """All attributes of an object but its parameters, as one value."""


class JoinedParameters:
    """Parameters that a class declares, and attributes that a method of it reads beside them.

    Parameters
    ----------
    declared : FieldParameters
        The parameters that are declared.
    selection : Selection
        The attributes that join them.
    """

    def __init__(self, declared: Any, selection: Selection) -> None:
        self.described: Described = self
        self._declared = declared
        self._joined = selection.joined
        self._takes_all = selection.takes_all
        joined = tuple([each.label for each in self._joined])
        self.names = (*declared.names, *joined, *(["other attributes"] if self._takes_all else []))
        is_plain = declared.are_attributes and not (declared.convert or self._takes_all)
        is_plain = is_plain and all(each.through == "self" and each.name.isidentifier() for each in self._joined)
        self.quick_values: Callable[[Any], tuple[Any, ...]] = self.values
        if is_plain and len(self.names) > 1:
            self._get = attrgetter(*self.names)
            self.quick_values = self._all_at_once

    def _all_at_once(self, owner: Any) -> tuple[Any, ...]:
        try:
            found: tuple[Any, ...] = self._get(owner)
        except Exception:  # of an attribute to which the method may never come
            return self.values(owner)
        return found

    def values(self, owner: Any) -> tuple[Any, ...]:
        """The values now; of a joined attribute that is not there, `ABSENT`."""
        values = [*self._declared.values(owner), *[each.value(owner) for each in self._joined]]
        if self._takes_all:
            first = 0 if self._declared.are_attributes else len(self._declared.names)
            told = {name for name in self.names[first:] if gives_what_it_contains(type(owner), name)}
            told |= made_by_library(type(owner))
            attributes = counted_attributes(owner, with_filled=True)
            content = plain_content(owner)
            attributes += [] if content is ABSENT else [("what it contains", content)]
            values.append(_AllAttributes([pair for pair in attributes if pair[0] not in told]))
        return tuple(values)

    def check(self, owner: Any, values: tuple[Any, ...]) -> None:
        """Refuse methods of the owner itself as parameters."""
        self._declared.check(owner, values[: len(self._declared.names)])

    def quick_key(self, values: tuple[Any, ...]) -> Hashable:
        """As that of the parameters; None if an attribute is not there, or all of them count."""
        key: Hashable = self._declared.quick_key(values)
        return key

    def space(self, owner_class: type, values: tuple[Any, ...]) -> Space:
        """The name of the class, and the texts of the values; a number for an attribute that has no text."""
        count = len(self._declared.names)
        declared = self._declared.space(owner_class, values[:count])
        private = [*declared.private]
        texts = [_text(*each, private) for each in zip(self.names[count:], values[count:], strict=True)]
        texts = [*(text for _, text in declared.pairs()), *texts]
        return space_of(declared.module, declared.name, tuple(texts), self.names, private)

    def unchanged_check(self, owner_class: type, values: tuple[Any, ...], may_hold_user: bool) -> UnchangedCheck | None:
        """Are parameters and attributes the same objects? None if one of them can change."""
        count = len(self._declared.names)
        check: UnchangedCheck | None = self._declared.unchanged_check(owner_class, values[:count], may_hold_user)
        if check is None or self._takes_all:
            return None
        pairs = enumerate(zip(self._joined, values[count:], strict=True))
        tests = [_test_of(read, f"joined{number}", value) for number, (read, value) in pairs]
        return joined_check(check, tests)


def _test_of(read: JoinedRead, name: str, value: Any) -> ValueTest | None:
    if read.through == "super" or not is_attribute_name(read.name):
        return None
    return value_test(_source(read), name, value)


def _source(read: JoinedRead) -> str:
    if read.through == "dict":
        return f"{{owner}}.__dict__.get({read.name!r}, {{expected}})"
    return f"{{owner}}.{read.name}" if read.through == "self" else f"{{expected}}.owner_class.{read.name}"


def _text(name: str, value: Any, private: list[str]) -> str:
    """The text of a value, or what stands for it; `private` takes the names of those without a text."""
    if value is ABSENT:
        return "absent"
    if type(value) is _AllAttributes:
        texts = [f"{each!a}: {_text(each, part, private)}" for each, part in value.items()]
        return f"{{{', '.join(texts)}}}"
    numbered: list[str] = []
    text = text_with_numbers(value, numbered)
    if numbered or text is None:
        private.append(name)
    return number_text(value) if text is None else text
