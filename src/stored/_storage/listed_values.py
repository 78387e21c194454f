"""Which values of parameters and arguments does an entry list? For those who look through a store, never for a load."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from stored._keys import Key, Pairs
from stored._storage.format import Entry
from stored.errors import DamagedEntryError

__all__ = ["ListedValues", "Values", "list_values", "read_values"]


Values: TypeAlias = tuple[Sequence[str], tuple[Any, ...], Mapping[str, Any]]
"""The names of the parameters of a call, their values, and the values of its arguments by name."""

ListedValues: TypeAlias = dict[str, dict[str, Any]]

_LONGEST_TEXT = 256

_LONGEST_LIST = 16

_SAFE_INTEGER = 2**53

_FLOATS = frozenset((float,))


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
    given = {name: arguments[name] for name, _ in key.arguments if name in arguments}
    return {
        "parameters": _listed(dict(zip(names, parameters, strict=False)), key.space.pairs),
        "arguments": _listed(given, lambda: key.arguments),
    }


def _listed(values: dict[str, Any], texts: Callable[[], Pairs]) -> dict[str, Any]:
    if _FLOATS.issuperset(map(type, values.values())) and isfinite(sum(values.values())):  # as most are
        return values
    return {name: _json(value, name, texts) for name, value in values.items()}


def _json(value: Any, name: str, texts: Callable[[], Pairs]) -> Any:
    """A value as JSON holds it, or in its place its canonical text."""
    if _is_plain(value):
        return _of_python(value)
    if type(value) in {list, tuple} and len(value) <= _LONGEST_LIST and all(map(_is_plain, value)):
        return [*map(_of_python, value)]
    return {"text": dict(texts())[name]}


def _of_python(value: Any) -> Any:
    return float(value) if isinstance(value, float) else value


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
