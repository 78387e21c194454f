"""Which values of parameters and arguments does an entry list? For those who look through a store, never for a load."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from stored._keys import Key, Pairs
from stored._storage.format import Entry
from stored.errors import DamagedEntryError
from stored.typing import ABSENT

__all__ = ["ListedValues", "Values", "list_values", "read_values"]


Values: TypeAlias = tuple[Sequence[str], tuple[Any, ...], Mapping[str, Any]]
"""The names of the parameters of a call, their values, and the values of its arguments by name."""

ListedValues: TypeAlias = dict[str, dict[str, Any]]

_LONGEST_TEXT = 256

_LONGEST_LIST = 16

_SAFE_INTEGER = 2**53


def list_values(key: Key, values: Values) -> ListedValues:
    """The values of a call, as JSON holds them; in place of those that it cannot hold, their canonical texts.

    Parameters
    ----------
    key : Key
        The key of the result, which has the texts.
    values : Values
        The values. Arguments on which the result does not depend are left out.
    """
    names, parameters, arguments = values
    given = [(name, arguments[name]) for name, _ in key.arguments if name in arguments]
    return {
        "parameters": _listed(zip(names, parameters, strict=False), key.space.pairs),
        "arguments": _listed(given, lambda: key.arguments),
    }


def _listed(values: Iterable[tuple[str, Any]], texts: Callable[[], Pairs]) -> dict[str, Any]:
    listed = {}
    for name, value in values:
        # most are floats, which need no call
        found = value if value.__class__ is float and isfinite(value) else _json(value)
        listed[name] = {"text": dict(texts())[name]} if found is ABSENT else found
    return listed


def _json(value: Any) -> Any:
    """A value as JSON holds it; `ABSENT` for one that it cannot hold."""
    if _is_plain(value):
        return float(value) if isinstance(value, float) else value
    if type(value) in {list, tuple} and len(value) <= _LONGEST_LIST and all(map(_is_plain, value)):
        return [*map(_json, value)]
    return ABSENT


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is float or kind is np.float64:
        return isfinite(value)
    if kind is int:
        return bool(-_SAFE_INTEGER < value < _SAFE_INTEGER)
    return kind is bool or kind is types.NoneType or (kind is str and len(value) <= _LONGEST_TEXT)


def read_values(entry: Entry) -> ListedValues:
    """The values that an entry lists; those that it should list but does not are absent."""
    listed: ListedValues = {"parameters": {}, "arguments": {}}
    try:
        found = entry.values()
    except DamagedEntryError:
        return listed
    for part in listed:
        if isinstance(found, dict) and isinstance(found.get(part), dict):
            listed[part] = found[part]
    return listed
