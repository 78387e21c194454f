"""How are all names of a class compared at once with what they were bound to?"""

from __future__ import annotations

import copy
import enum
import gc
import types
from typing import Any

from stored._keys.class_content import is_of_enum
from stored._keys.watched import NamespaceWatch

__all__ = ["NamesOfClass", "dictionary_of", "names_of_class"]


class NamesOfClass:
    """The names of a class, and what they were bound to.

    Attributes
    ----------
    kind : type
        The class.
    names : mapping
        Its names, as they are at any time.
    before : dict
        What they were, to be compared as a whole by equality. Of an enumeration, whose members cannot be bound anew,
        only the number of names is compared.
    one_by_one : list of (str, object)
        Names to be compared by identity: equal values can be others, as 1.0 is for 1.
    """

    def __init__(self, kind: type, before: dict[str, Any], one_by_one: list[tuple[str, Any]]) -> None:
        self.kind = kind
        self.names = dictionary_of(kind)
        self.before = before
        self.one_by_one = one_by_one

    @property
    def is_enum(self) -> bool:
        """Is it an enumeration?"""
        return isinstance(self.kind, enum.EnumMeta)


def names_of_class(watch: NamespaceWatch) -> NamesOfClass | None:
    """The names of a class that is watched; None if comparing them does not see each change."""
    kind = watch.holder()
    if not isinstance(kind, type):
        return None
    before = dict(vars(kind))
    one_by_one: list[tuple[str, Any]] = []
    for name, held, content in watch.items:
        value: Any = held()
        if before.get(name) is not value:
            return None
        if isinstance(kind, enum.EnumMeta) and is_of_enum(kind, name, value):
            continue
        if content is not None:
            if type(value) not in {list, dict} or isinstance(kind, enum.EnumMeta) or not _is_told_by_equality(value):
                return None
            before[name] = copy.copy(value)
        elif isinstance(kind, enum.EnumMeta) or not _is_told_by_equality(value):
            one_by_one.append((name, value))
    return NamesOfClass(kind, before, one_by_one)


def _is_told_by_equality(value: Any) -> bool:
    """Is a value equal to itself only, or to others that are the same in all ways?"""
    kind: Any = type(value)
    if kind in {tuple, list}:
        return all(map(_is_told_by_equality, value))
    if kind is dict:
        return all(type(key) is str and _is_told_by_equality(each) for key, each in value.items())
    by_identity = kind.__eq__ is object.__eq__ or (isinstance(value, type) and kind.__eq__ is type.__eq__)
    return by_identity or kind in _TOLD


_TOLD = frozenset(
    {str, types.NoneType, types.WrapperDescriptorType, types.MethodWrapperType, types.BuiltinFunctionType}
)
"""Equal ones of these are the same in all that counts."""


def dictionary_of(kind: type) -> Any:
    """The dictionary of a class, of which Python reads items quicker than through the proxy that it shows."""
    behind_proxy = gc.get_referents(vars(kind))
    return behind_proxy[0] if len(behind_proxy) == 1 and type(behind_proxy[0]) is dict else vars(kind)
