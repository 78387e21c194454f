"""Which plain values and arrays stand for an index of pandas?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from stored._adapters.added_attributes import rest_of, with_rest
from stored._adapters.exact_parts import items_of
from stored._adapters.kept_arrays import Placing, frozen, shared_view, writable
from stored._adapters.pandas_arrays import Form, add_forms, is_array, own_values, row_of
from stored._adapters.pandas_scalars import MISSING, offset_named, offset_part
from stored._adapters.plain_arrays import array_of, parts_of
from stored._adapters.registry import Adapter, add

__all__ = ["COPIES_ON_WRITE", "added", "is_numpy", "never_alone", "own_index", "placing_for_callers", "plain_values"]
__all__ += ["values_of", "with_added", "with_own_added"]

COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3
"""Does pandas copy shared memory before it writes to it? Older ones, only if they are told to."""


_KNOWN = frozenset(
    {
        "_mgr",
        "_attrs",
        "_flags",
        "_name",
        "_item_cache",
        "_cacher",
        "_is_copy",
        "_data",
        "_range",
        "_freq",
        "_cache",
        "_id",
    }
    | {
        "_references",
        "_levels",
        "_codes",
        "_names",
        "sortorder",
        "plot",
        "_index_data",
        "_engine",
        "_tz",
        "_codes_cache",
    }
)
"""The attributes that objects of pandas are told by, and memos."""


def added(value: Any) -> tuple[dict[str, Any], ...]:
    """The attributes that somebody has set on an object of pandas; nothing if there are none."""
    accessors = getattr(value, "_accessors", ())
    rest = {name: each for name, each in rest_of(value, _KNOWN).items() if name not in accessors}
    return (rest,) if rest else ()


def with_added(made: Any, *rest: Any) -> Any:
    """The object itself, which gets what `added` has found on another."""
    return with_rest(made, rest[0], _KNOWN) if rest else made


def with_own_added(made: Any, value: Any) -> Any:
    """As `with_added`, of copies of what stands on a value."""
    return with_added(made, *copy.deepcopy(added(value)))


class _NeverFreed:
    """What pandas takes for one more user of memory that is kept here."""


_NEVER_FREED = _NeverFreed()


def never_alone(references: Any) -> None:
    """Let pandas copy memory before each write to it, even if there is no other user of it left.

    What is kept is read-only, and pandas tries to write to memory that nobody else uses.
    """
    references.add_index_reference(_NEVER_FREED)


def placing_for_callers() -> Placing:
    """How the memory of what is handed out is placed."""
    return shared_view if COPIES_ON_WRITE else writable


def plain_values(values: Any) -> Any:
    """What stands for the values of an index or a column: of numpy, an array or texts; of pandas, themselves."""
    array = values.array
    return parts_of(values.to_numpy(), MISSING) if is_numpy(array) else array


def is_numpy(array: Any) -> bool:
    """Is it what pandas wraps an array of numpy in?"""
    return type(array) is pd.arrays.NumpyExtensionArray


def values_of(plain: Any) -> Any:
    """The array that `plain_values` has told of."""
    if is_array(plain):
        return plain
    found = array_of(plain, MISSING)
    return row_of(found, *"biufcO")


def _index(kind: Any, plain: Any) -> Any:
    values, name, frequency = items_of(plain, 3)
    return _made(kind, values_of(values), name, offset_named(frequency) if frequency is not None else None)


def _made(kind: Any, values: Any, name: Any, frequency: Any = None) -> Any:
    """An index of a class, of which the values are told by an array."""
    found: Any = pd.Index(values, dtype=values.dtype, name=name, copy=False, tupleize_cols=False)
    if type(found) is not kind or found.dtype != values.dtype:
        raise ValueError(f"these are no values of a {kind.__name__}")
    if frequency is not None:
        found.freq = frequency
    if COPIES_ON_WRITE:
        never_alone(found._references)
    return found


def _index_parts(index: Any) -> Any:
    return plain_values(index), index.name, offset_part(getattr(index, "freq", None)) if _has_frequency(index) else None


def _has_frequency(index: Any) -> bool:
    return isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex)


def _range(plain: Any) -> Any:
    start, stop, step, name = items_of(plain, 4)
    return pd.RangeIndex(start, stop, step, name=name)


def _levels(plain: Any) -> Any:
    levels, codes, names, sort_order = items_of(plain, 4)
    if not (type(levels) is list and type(codes) is list and len(levels) == len(codes) and type(names) is tuple):
        raise TypeError("levels and codes are lists of one length")
    rows = [_codes_of(*each) for each in zip(levels, codes, strict=True)]
    if len({len(each) for each in rows}) > 1 or not (sort_order is None or type(sort_order) is int):
        raise ValueError("codes are equally long")
    # by itself, pandas would write down all labels of a range
    return pd.MultiIndex(levels, rows, names=names, sortorder=sort_order, copy=False, verify_integrity=False)


def _codes_of(level: Any, codes: Any) -> Any:
    """The codes of a level, checked."""
    if not isinstance(level, pd.Index) or not level.is_unique:
        raise TypeError("levels are indexes, and have no label twice")
    row = row_of(codes, "i")
    if row.size and not -1 <= row.min() <= row.max() < len(level):
        raise ValueError("codes are places of labels")
    return row


def _level_parts(index: Any) -> Any:
    codes = [np.asarray(each) for each in index.codes]
    return [each.rename(None) for each in index.levels], codes, tuple(index.names), index.sortorder


def own_index(index: Any, placing: Placing) -> Any:
    """The same index, as an object of its own, whose memory is placed as asked."""
    return with_own_added(_own_labels(index, placing), index)


def _own_labels(index: Any, placing: Placing) -> Any:
    kind = type(index)
    if kind is pd.RangeIndex:
        return pd.RangeIndex(index.start, index.stop, index.step, name=index.name)  # a slice has another end
    if kind is pd.MultiIndex:
        levels = [own_index(each.rename(None), placing) for each in index.levels]
        codes = [placing(np.asarray(each)) for each in index.codes]
        return pd.MultiIndex(
            levels, codes, names=index.names, sortorder=index.sortorder, copy=False, verify_integrity=False
        )
    if kind not in _KINDS:
        return index.copy(deep=True)
    array = index.array
    if placing is shared_view and type(array) in _READ_ONLY:
        return index[:]  # with what it has found out to look up values
    values = placing(index.to_numpy()) if is_numpy(array) else own_values(array, placing)
    return _made(kind, values, index.name, index.freq if _has_frequency(index) else None)


_READ_ONLY = (
    pd.arrays.NumpyExtensionArray,
    pd.arrays.DatetimeArray,
    pd.arrays.TimedeltaArray,
    pd.arrays.PeriodArray,
)
"""What shows an array of numpy that is read-only once it is kept."""

_KINDS = (
    pd.Index,
    pd.DatetimeIndex,
    pd.TimedeltaIndex,
    pd.PeriodIndex,
    pd.CategoricalIndex,
    pd.IntervalIndex,
)


def _categorical(plain: Any) -> Any:
    codes, categories, is_ordered = plain
    if not isinstance(categories, pd.Index):
        raise TypeError("categories are an index")
    dtype = pd.CategoricalDtype(categories, is_ordered)
    return pd.Categorical.from_codes(row_of(codes, "i"), dtype=dtype)


def _own_categorical(values: Any, placing: Placing) -> Any:
    dtype = pd.CategoricalDtype(own_index(values.categories, placing), values.ordered)
    return pd.Categorical.from_codes(placing(values.codes), dtype=dtype, validate=False)


def _adapter(kind: Any, parts: Callable[[Any], Any], made: Callable[[Any], Any]) -> Adapter:
    def all_parts(index: Any) -> Any:
        found = added(index)
        return ("added", parts(index), *found) if found else parts(index)

    def decode(plain: Any) -> Any:
        if type(plain) is tuple and type(plain[0]) is str:
            _, found, rest = items_of(plain, 3)
            return with_added(made(found), rest)
        return made(plain)

    return Adapter(
        kind,
        f"pandas.{kind.__name__}",
        key=all_parts,
        encode=all_parts,
        decode=decode,
        copy=lambda index: own_index(index, frozen),
        private=lambda index: own_index(index, writable),
        hand_out=lambda index: own_index(index, placing_for_callers()),
    )


def _decoder(kind: Any) -> Callable[[Any], Any]:
    return lambda plain: _index(kind, plain)


add_forms(
    {
        pd.Categorical: Form(
            lambda values: (values.codes, values.categories, bool(values.ordered)), _categorical, _own_categorical
        )
    }
)
add(
    *[_adapter(kind, _index_parts, _decoder(kind)) for kind in _KINDS],
    _adapter(pd.RangeIndex, lambda index: (index.start, index.stop, index.step, index.name), _range),
    _adapter(pd.MultiIndex, _level_parts, _levels),
)
