"""Which values of parameters and arguments does an entry list? For those who look through a store, never for a load."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from stored._keys import Pairs
from stored._storage.format import Entry, dump_json
from stored.errors import DamagedEntryError

__all__ = ["ListedValues", "Values", "read_values", "values_json"]


Values: TypeAlias = tuple[Sequence[str], tuple[Any, ...], Mapping[str, Any]]
"""The names of the parameters of a call, their values, and the values of its arguments by name."""

ListedValues: TypeAlias = dict[str, dict[str, Any]]

_MAX_BYTES = 1 << 16
"""If the values take more, none is listed."""

_LONGEST_TEXT = 256

_LONGEST_LIST = 16

_SAFE_INTEGER = 2**53


def values_json(parameters: Pairs, arguments: Pairs, values: Values) -> bytes:
    """The JSON of the values of a call; nothing if they are too long.

    Parameters
    ----------
    parameters, arguments : tuple of (str, str)
        The names that are listed, with the texts that stand for the values that JSON cannot hold.
    values : Values
        The values; a name without one is left out.
    """
    names, values_of_parameters, values_of_arguments = values
    listed = {
        "parameters": _listed(parameters, dict(zip(names, values_of_parameters, strict=False))),
        "arguments": _listed(arguments, values_of_arguments),
    }
    data = dump_json(listed)
    return data if len(data) <= _MAX_BYTES else b""


def _listed(texts: Pairs, values: Mapping[str, Any]) -> dict[str, Any]:
    listed = {}
    for name, text in texts:
        if name in values:
            value = values[name]
            # most are floats, which need no call
            listed[name] = value if value.__class__ is float and isfinite(value) else _json(value, text)
    return listed


def _json(value: Any, text: str) -> Any:
    """A value as JSON holds it, or in its place its canonical text."""
    if _is_plain(value):
        return float(value) if isinstance(value, float) else value
    if type(value) in {list, tuple} and len(value) <= _LONGEST_LIST and all(map(_is_plain, value)):
        return [_json(each, "") for each in value]
    return {"text": text}


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
