"""Under which parameters have the methods of an owner filled its memos? Attributes that are computed once, and kept."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Literal

from stored._keys import ATOMIC_SET
from stored.errors import OwnerError, UnstableKeyError
from stored.typing import ABSENT

if TYPE_CHECKING:
    from stored._engine.spaces import PresentSpace

__all__ = ["FilledMemos", "is_filled", "weak_snapshot"]


def is_filled(value: object) -> bool:
    """Has a memo anything in it? None, an empty container and an attribute that is not there have nothing."""
    if value is None or value is ABSENT:
        return False
    return not (type(value) in _CONTAINERS and not len(value))  # type: ignore[arg-type]


_CONTAINERS = frozenset((dict, list, set))


class FilledMemos:
    """What is known of the memos of one owner; it keeps none of their values alive."""

    __slots__ = ("_filled",)

    def __init__(self) -> None:
        self._filled: dict[str, tuple[Any, PresentSpace, Hashable]] = {}

    def state(self, owner: object, name: str, value: object) -> Literal["holds", "stale", "unknown"]:
        """Was a memo filled under the parameters that the owner has now, under others, or is it not known?

        Parameters
        ----------
        owner : object
            The owner.
        name : str
            The attribute.
        value : object
            Its value.
        """
        known = self._filled.get(name)
        if known is None or not _is_same(known[0], value):
            return "unknown"
        _, present, key = known
        try:
            return "holds" if type(owner) is present.owner_class and present.of(owner).key == key else "stale"
        except (OwnerError, UnstableKeyError):  # not all parameters are set
            return "stale"

    def note(self, name: str, value: object, present: PresentSpace, key: Hashable) -> None:
        """A method has filled a memo under the parameters of a space with this key."""
        snapshot = weak_snapshot(value)
        if snapshot is not None:
            self._filled[name] = snapshot, present, key


_MAX_ITEMS = 4096

_MAX_DEPTH = 4


def weak_snapshot(value: Any, depth: int = 0) -> Any:
    """What tells later whether a value is the same object, with the same items; None if nothing does."""
    kind = type(value)
    if kind in ATOMIC_SET:
        return kind, value
    if kind in _PARTS:
        if depth > _MAX_DEPTH or len(value) > _MAX_ITEMS:
            return None
        parts = [weak_snapshot(each, depth + 1) for each in _PARTS[kind](value)]
        return None if None in parts else (kind, parts)
    try:
        return weakref.ref, weakref.ref(value)
    except TypeError:
        return None


_PARTS: dict[type, Any] = {
    tuple: list,
    list: list,
    set: list,
    frozenset: list,
    dict: lambda value: [*value.keys(), *value.values()],
}


def _is_same(snapshot: Any, value: Any) -> bool:
    kind, content = snapshot
    if kind is weakref.ref:
        return content() is value
    if type(value) is not kind:
        return False
    if kind in ATOMIC_SET:
        return bool(value == content)
    parts = _PARTS[kind](value)
    return len(parts) == len(content) and all(map(_is_same, content, parts))
