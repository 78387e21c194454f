"""How does an array lie in memory that callers must not change, and how is it handed out?"""

from __future__ import annotations

import copy
import datetime
import decimal
import fractions
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from stored._adapters.own_dtypes import frozen

__all__ = ["Placing", "frozen", "own_objects", "shared_view", "writable"]

Placing: TypeAlias = Callable[[Any], Any]
"""Takes an array, and gives one with the same content: a copy, or a view."""


def writable(array: np.ndarray[Any, Any]) -> Any:
    """A copy of an array for somebody who may write to it."""
    return np.array(array, order="K")


def shared_view(array: np.ndarray[Any, Any]) -> Any:
    """The same memory, as an array of its own."""
    return array.view()


_UNCHANGING = frozenset(
    (
        *(str, bytes, int, float, complex, bool, type(None), np.str_, np.bytes_, np.bool_),
        *[np.dtype(char).type for char in np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "mM"],
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction),
    )
)
"""Types of values that never change, and may be in arrays of objects."""


def own_objects(array: np.ndarray[Any, Any], placing: Placing, unchanging: frozenset[type] = frozenset()) -> Any:
    """As the placing says, if what is in an array of objects can never change; a deep copy otherwise."""
    kinds = {*map(type, array.ravel().tolist())}
    return placing(array) if kinds <= _UNCHANGING | unchanging else copy.deepcopy(array)
