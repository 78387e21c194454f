"""Which plain values and arrays stand for the arrays that pandas has beside numpy's?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stored._adapters.kept_arrays import Placing, frozen, own_objects, writable
from stored._adapters.pandas_scalars import (
    MISSING,
    UNCHANGING,
    checked_unit,
    period_dtype,
    period_part,
    zone_of,
    zone_part,
)
from stored._adapters.plain_arrays import packed_texts, texts_of
from stored._adapters.registry import Adapter, add

__all__ = ["Form", "add_forms", "is_array", "own_values", "row_of"]


def own_values(values: Any, placing: Placing) -> Any:
    """The same values, as an array of numpy or pandas of its own, whose memory is placed as asked."""
    if isinstance(values, np.ndarray):
        return own_objects(values, placing, UNCHANGING) if values.dtype == object else placing(values)
    form = _FORMS.get(type(values))
    return values.copy() if form is None else form.own(values, placing)


def is_array(value: Any) -> bool:
    """Is it an array of pandas?"""
    return isinstance(value, pd.api.extensions.ExtensionArray)


def row_of(found: Any, *kinds: str) -> np.ndarray[Any, Any]:
    """An array with one axis, of one of these kinds; a ValueError for anything else."""
    if type(found) is not np.ndarray or found.ndim != 1 or found.dtype.kind not in kinds:
        raise ValueError("this is no array of the kind that is expected")
    return found


class Form(NamedTuple):
    """How an array of pandas is taken apart, put together, and placed in memory."""

    parts: Callable[[Any], Any]
    made: Callable[[Any], Any]
    own: Callable[[Any, Placing], Any]


# -- instants, durations and periods ----------------------------------------------------------------------------------


def _instants(values: Any) -> Any:
    zone = zone_part(values.tz)
    return values.unit, values.asi8, zone


def _made_instants(plain: Any) -> Any:
    unit, numbers, zone = plain
    row = _numbers(numbers)
    if zone is not None:
        return _instants_in(row, checked_unit(unit), zone_of(zone))
    dtype = np.dtype(f"M8[{checked_unit(unit)}]")
    return pd.array(row.view(dtype), dtype=dtype, copy=False)


def _instants_in(numbers: Any, unit: str, zone: Any) -> Any:
    """Instants in a time zone, from numbers since the epoch."""
    return pd.array(numbers, dtype=pd.DatetimeTZDtype(unit, zone), copy=False)


def _own_instants(values: Any, placing: Placing) -> Any:
    numbers = placing(values.asi8)
    if values.tz is not None:
        return _instants_in(numbers, values.unit, values.tz)
    return pd.array(numbers.view(values.dtype), dtype=values.dtype, copy=False)


def _made_durations(plain: Any) -> Any:
    unit, numbers = plain
    dtype = np.dtype(f"m8[{checked_unit(unit)}]")
    return pd.array(_numbers(numbers).view(dtype), dtype=dtype, copy=False)


def _own_durations(values: Any, placing: Placing) -> Any:
    return pd.array(placing(values.asi8).view(values.dtype), dtype=values.dtype, copy=False)


def _numbers(found: Any) -> np.ndarray[Any, Any]:
    row = row_of(found, "i")
    if row.dtype != np.int64:
        raise ValueError("instants and periods are int64")
    return row


def _made_periods(plain: Any) -> Any:
    numbers, name = plain
    return pd.arrays.PeriodArray(_numbers(numbers), dtype=period_dtype(name))


def _own_periods(values: Any, placing: Placing) -> Any:
    return pd.arrays.PeriodArray(placing(values.asi8), dtype=values.dtype)


# -- numbers with missing values --------------------------------------------------------------------------------------


def _masked_parts(values: Any) -> Any:
    """The numbers, with zeros where they are missing, and where they are."""
    data, mask = values._data, values._mask
    return (np.where(mask, data.dtype.type(0), data) if mask.any() else data), mask


def _masked_form(kind: Any, numbers: str) -> Form:
    def made(plain: Any) -> Any:
        data, mask = plain
        return kind(row_of(data, *numbers), row_of(mask, "b"), copy=False)

    def own(values: Any, placing: Placing) -> Any:
        return kind(placing(values._data), placing(values._mask), copy=False)

    return Form(_masked_parts, made, own)


# -- texts and others -------------------------------------------------------------------------------------------------


def _texts(values: Any) -> Any:
    """How they are stored, what stands for a missing one, and the texts: a list, if some are of numpy or a subclass."""
    dtype = values.dtype
    is_nan = getattr(dtype, "na_value", pd.NA) is not pd.NA
    texts = values.to_numpy(object).tolist()
    packed = packed_texts(texts, MISSING)
    # one that is no storage of today's has no form
    return dtype.storage if dtype.storage in _STORAGES else dtype, is_nan, texts if packed is None else packed


_STORAGES = ("python", "pyarrow")


def _made_texts(plain: Any) -> Any:
    storage, is_nan, packed = plain
    if storage not in _STORAGES:
        raise ValueError("this is no way to store texts")
    texts = _checked_texts(packed) if type(packed) is list else texts_of(packed, MISSING)
    options = {"na_value": np.nan} if is_nan else {}
    try:
        dtype = pd.StringDtype(storage, **options)
    except ImportError:  # what pandas does itself without pyarrow
        dtype = pd.StringDtype("python", **options)
    return pd.array(texts, dtype=dtype)


def _checked_texts(found: list[Any]) -> list[Any]:
    if not all(isinstance(each, str) or (pd.api.types.is_scalar(each) and pd.isna(each)) for each in found):
        raise ValueError("these are no texts")
    return found


def _made_intervals(plain: Any) -> Any:
    left, right, closed = plain
    return pd.arrays.IntervalArray.from_arrays(_checked_end(left), _checked_end(right), closed)


def _checked_end(found: Any) -> Any:
    return found if is_array(found) else row_of(found, *"iuf")


def _end(values: Any) -> Any:
    """One end of intervals, as an array."""
    return values.array if isinstance(values.array, _NO_NUMPY) else values.to_numpy()


_NO_NUMPY = (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray)


def _own_intervals(values: Any, placing: Placing) -> Any:
    ends = [own_values(_end(each), placing) for each in (values.left, values.right)]
    return pd.arrays.IntervalArray.from_arrays(*ends, closed=values.closed)


_STRINGS: Any = next(
    (each for each in pd.arrays.StringArray.__mro__ if each.__name__ == "BaseStringArray"), pd.arrays.StringArray
)
"""What all arrays of texts are, whatever they are stored by."""

_FORMS: dict[Any, Form] = {}


def add_forms(forms: dict[Any, Form]) -> None:
    """Add arrays of pandas, by their types."""
    _FORMS.update(forms)
    add(*[_adapter(*each) for each in forms.items()])


def _adapter(kind: Any, form: Form) -> Adapter:
    return Adapter(
        kind,
        f"pandas.{kind.__name__}",
        key=form.parts,
        encode=form.parts,
        decode=form.made,
        copy=lambda values: own_values(values, frozen),
        hand_out=lambda values: own_values(values, writable),
    )


add_forms(
    {
        pd.arrays.DatetimeArray: Form(_instants, _made_instants, _own_instants),
        pd.arrays.TimedeltaArray: Form(lambda values: (values.unit, values.asi8), _made_durations, _own_durations),
        pd.arrays.PeriodArray: Form(
            lambda values: (values.asi8, period_part(values.dtype)), _made_periods, _own_periods
        ),
        pd.arrays.IntegerArray: _masked_form(pd.arrays.IntegerArray, "iu"),
        pd.arrays.FloatingArray: _masked_form(pd.arrays.FloatingArray, "f"),
        pd.arrays.BooleanArray: _masked_form(pd.arrays.BooleanArray, "b"),
        pd.arrays.IntervalArray: Form(
            lambda values: (_end(values.left), _end(values.right), values.closed), _made_intervals, _own_intervals
        ),
    }
)
add(
    Adapter(
        _STRINGS,
        "pandas.StringArray",
        subclasses=True,
        key=_texts,
        encode=_texts,
        decode=_made_texts,
        copy=lambda values: values.copy(),
    )
)
