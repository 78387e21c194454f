"""How is an array copied, so that nobody can rename the fields of the copy's dtype for others?"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

__all__ = ["copy_with_own_dtype", "frozen", "own_dtype", "own_record"]


def own_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A copy of a dtype, with those inside it."""
    return dtype.newbyteorder("|")  # which changes no order, and makes all anew


def copy_with_own_dtype(value: Any) -> Any:
    """A deep copy of an array or a record; a plain one would share its dtype."""
    copied = copy.deepcopy(value)
    if copied.dtype.names is None:
        return copied
    is_record = isinstance(copied, np.void)
    array = np.array(copied) if is_record else copied
    own = array.view(own_dtype(array.dtype))
    return own[()] if is_record else own


def frozen(array: np.ndarray[Any, Any]) -> Any:
    """A copy of an array that nobody can make writable."""
    own = np.array(array, order="K")
    own.flags.writeable = False
    # the flag of an array that owns its memory can be set back; that of a view cannot
    return own.view() if own.dtype.names is None else own.view(own_dtype(own.dtype))


def own_record(record: np.void) -> Any:
    """A copy of a record, which shares its memory with the array it was taken from; without objects, read-only."""
    if record.dtype.hasobject:
        return copy_with_own_dtype(record)
    return np.ndarray((), own_dtype(record.dtype), record.tobytes())[()]
