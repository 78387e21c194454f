"""How are all names of a class compared at once with what they were bound to?"""

from __future__ import annotations

import enum
import gc
from typing import Any, NamedTuple

from stored._keys.class_content import is_of_enum
from stored._keys.contents import Content
from stored._keys.watched import NamespaceWatch
from stored.typing import ABSENT

__all__ = ["NamesOfClass", "dictionary_of", "names_of_class"]


class NamesOfClass(NamedTuple):
    """The names of a class, and what they were bound to.

    Attributes
    ----------
    kind : type
        The class.
    names : mapping
        Its names, as they are at any time.
    before : dict or None
        What they were, to be compared as a whole by equality, which sees names that come and go. None for an
        enumeration, whose members cannot be bound anew: of it, only the number of names is compared.
    size : int
        How many there were.
    one_by_one : list of (str, object, Content or None)
        Names to be compared by identity, since others can be equal, as 1.0 is to 1; and what these contained.
    """

    kind: type
    names: Any
    before: dict[str, Any] | None
    size: int
    one_by_one: list[tuple[str, Any, Content | None]]


def names_of_class(watch: NamespaceWatch) -> NamesOfClass | None:
    """The names of a class that is watched; None if it is no class, or has changed by now."""
    kind = watch.holder()
    if not isinstance(kind, type):
        return None
    before = dict(vars(kind))
    one_by_one = [(name, held(), content) for name, held, content in watch.items]
    if any(before.get(name, ABSENT) is not value for name, value, _ in one_by_one):
        return None
    if not isinstance(kind, enum.EnumMeta):
        return NamesOfClass(kind, dictionary_of(kind), before, len(before), one_by_one)
    counted = [each for each in one_by_one if each[0].startswith("__") or not is_of_enum(kind, *each[:2])]
    return NamesOfClass(kind, dictionary_of(kind), None, len(before), counted)


def dictionary_of(kind: type) -> Any:
    """The dictionary of a class, of which Python reads items quicker than through the proxy that it shows."""
    behind_proxy = gc.get_referents(vars(kind))
    return behind_proxy[0] if len(behind_proxy) == 1 and type(behind_proxy[0]) is dict else vars(kind)
