"""Tables and columns of pandas: which plain values and arrays stand for them, and how are they handed out?"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from stored._adapters.kept_arrays import Placing, frozen, writable
from stored._adapters.pandas_arrays import own_values
from stored._adapters.pandas_indexes import (
    COPIES_ON_WRITE,
    added,
    is_numpy,
    never_alone,
    own_index,
    placing_for_callers,
    plain_values,
    values_of,
    with_added,
    with_own_added,
)
from stored._adapters.registry import Adapter, add

_MOST_BLOCKS = 100
"""Tables that consist of more arrays, pandas warns of when a column is inserted."""


def _column_values(column: Any) -> Any:
    return column.to_numpy() if is_numpy(column.array) else column.array


def _table_values(frame: Any) -> np.ndarray[Any, Any] | None:
    """All values as one array, if they are numbers of one dtype."""
    dtypes = {*frame.dtypes}
    is_one = len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype.kind in "biufc"
    return frame.to_numpy() if is_one else None


def _frame_parts(frame: Any) -> Any:
    """The values, as one array or column by column; labels, attributes and flags."""
    values: Any = _table_values(frame)
    if values is None:
        values = [plain_values(column) for _, column in frame.items()]
    return values, frame.columns, frame.index, *_labels_beside(frame)


def _labels_beside(value: Any) -> Any:
    return value.attrs, value.flags.allows_duplicate_labels, *added(value)


def _parts_of_frame(frame: Any) -> Iterator[tuple[str, Any]]:
    yield from ((".attrs", frame.attrs), (".columns", frame.columns), (".index", frame.index))
    for name, column in frame.items():  # which has the attributes of the table too
        yield f"[{name!r}]", column


def _parts_of_series(series: Any) -> Iterator[tuple[str, Any]]:
    for label, each in series.items():
        yield f"[{label!r}]", each
    yield from ((".index", series.index), (".name", series.name), (".attrs", series.attrs))


def _frame(plain: Any) -> Any:
    if type(plain) is not tuple:
        raise TypeError("parts are a tuple")
    values, columns, index, *rest = plain
    if type(values) is list:
        values = [values_of(each) for each in values]
    elif type(values) is not np.ndarray or values.ndim != 2 or values.dtype.kind not in "biufc":
        raise ValueError("these are no values of a table")
    return _labelled(_made_frame(values, columns, index), *rest)


def _made_frame(values: Any, columns: Any, index: Any) -> Any:
    """A table that shows an array, or one of each column."""
    if not (isinstance(index, pd.Index) and isinstance(columns, pd.Index)):
        raise TypeError("the labels of a table are indexes")
    if isinstance(values, np.ndarray):
        return pd.DataFrame(values, index=index, columns=columns, copy=False)
    if {*map(len, values)} - {len(index)}:
        raise ValueError("columns have another length than the index")
    found = pd.DataFrame({at: _column(each, index) for at, each in enumerate(values)}, index=index, copy=False)
    found.columns = columns
    return found


def _column(values: Any, index: Any) -> Any:
    """An array as pandas takes it for a column of the same dtype: of objects, it would make texts."""
    return pd.Series(values, index=index, dtype=object, copy=False) if values.dtype == object else values


def _labelled(found: Any, attributes: Any, allows_duplicates: Any, *rest: Any) -> Any:
    """A table or a column with attributes and flags, that never writes to the memory that it shows."""
    if type(attributes) is not dict or type(allows_duplicates) is not bool:
        raise TypeError("attributes are a dict, and flags are True or False")
    found.attrs = attributes
    found.flags.allows_duplicate_labels = allows_duplicates
    if COPIES_ON_WRITE:
        for block in found._mgr.blocks:
            never_alone(block.refs)
    return with_added(found, *rest)


def _own_frame(frame: Any, placing: Placing) -> Any:
    values: Any = _table_values(frame)
    if values is None:
        values = [own_values(_column_values(column), placing) for _, column in frame.items()]
    else:
        values = placing(values)
    made = _made_frame(values, own_index(frame.columns, placing), own_index(frame.index, placing))
    return _labelled(made, *copy.deepcopy(_labels_beside(frame)))


def _frame_for_caller(frame: Any, placing: Placing | None = None) -> Any:
    found = _own_frame(frame, placing or placing_for_callers())
    return found if len(found._mgr.blocks) <= _MOST_BLOCKS else with_own_added(found.copy(), found)


def _series_parts(series: Any) -> Any:
    return plain_values(series), series.index, series.name, *_labels_beside(series)


def _series(plain: Any) -> Any:
    if type(plain) is not tuple:
        raise TypeError("parts are a tuple")
    values, index, name, *rest = plain
    return _labelled(_made_series(values_of(values), index, name), *rest)


def _made_series(values: Any, index: Any, name: Any) -> Any:
    if not isinstance(index, pd.Index) or len(index) != len(values):
        raise TypeError("the labels of a column are an index of the same length")
    return pd.Series(values, index=index, name=name, dtype=values.dtype, copy=False)


def _own_series(series: Any, placing: Placing) -> Any:
    values = own_values(_column_values(series), placing)
    made = _made_series(values, own_index(series.index, placing), series.name)
    return _labelled(made, *copy.deepcopy(_labels_beside(series)))


add(
    Adapter(
        pd.DataFrame,
        "pandas.DataFrame",
        key=_frame_parts,
        encode=_frame_parts,
        decode=_frame,
        copy=lambda frame: _own_frame(frame, frozen),
        hand_out=_frame_for_caller,
        private=lambda frame: _frame_for_caller(frame, writable),
        parts=_parts_of_frame,
    ),
    Adapter(
        pd.Series,
        "pandas.Series",
        key=_series_parts,
        encode=_series_parts,
        decode=_series,
        copy=lambda series: _own_series(series, frozen),
        hand_out=lambda series: _own_series(series, placing_for_callers()),
        private=lambda series: _own_series(series, writable),
        parts=_parts_of_series,
    ),
)
