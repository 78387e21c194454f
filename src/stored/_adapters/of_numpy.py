"""Masked arrays, record arrays and random generators of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from stored._adapters.own_dtypes import copy_with_own_dtype, own_record
from stored._adapters.registry import BY_PICKLE, Adapter, add

DRAWS = (
    "a random generator, whose state changes with each number that it draws: a stored result would give the same"
    " numbers again; give a seed, and make the generator of it in the method"
)
"""Why no random generator can be in a key or stored."""


def _masked_parts(value: Any) -> Any:
    """Data, also those that are masked, mask, fill value, and whether the mask is hard."""
    mask = None if value.mask is np.ma.nomask else value.mask
    return value.data, mask, np.asarray(value.fill_value), bool(value.hardmask)


def _masked_array(parts: Any) -> Any:
    data, mask, fill_value, is_hard = parts
    if type(data) is not np.ndarray or (mask is not None and mask.shape != data.shape):
        raise ValueError("data and mask of a masked array have different shapes")
    found: Any = np.ma.MaskedArray(data, np.ma.nomask if mask is None else mask, copy=False, hard_mask=is_hard)
    found.fill_value = fill_value[()]
    return found


def _encoded_mask(value: Any) -> Any:
    return BY_PICKLE if type(value.data) is not np.ndarray else _masked_parts(value)


def _void_dtype(dtype: Any) -> Any:
    """A dtype of records as that of plain items with fields."""
    return np.dtype((np.void, dtype)) if dtype.type is np.record else dtype


def _record_array(array: Any) -> Any:
    if array.dtype.names is None:
        raise ValueError("records have fields")
    return array.view(np.dtype((np.record, array.dtype)), np.recarray)


def _record_parts(value: Any) -> Any:
    return value.view(_void_dtype(value.dtype), np.ndarray)


add(
    Adapter(
        np.ma.MaskedArray,
        "numpy.ma.MaskedArray",
        key=_masked_parts,
        encode=_encoded_mask,
        decode=_masked_array,
        copy=copy_with_own_dtype,
    ),
    Adapter(
        type(np.ma.masked),
        "numpy.ma.masked",
        key=lambda value: None,
        encode=lambda value: None,
        decode=lambda found: np.ma.masked,
    ),
    Adapter(
        np.recarray,
        "numpy.recarray",
        key=_record_parts,
        encode=_record_parts,
        decode=_record_array,
        copy=copy_with_own_dtype,
    ),
    Adapter(
        np.record,
        "numpy.record",
        encode=lambda value: np.array(value.view(_void_dtype(value.dtype))),
        decode=lambda found: _record_array(found.reshape(1))[0],
        copy=own_record,
    ),
    *[
        Adapter(each, f"numpy.random.{each.__name__}", subclasses=True, refusal=DRAWS)
        for each in (np.random.Generator, np.random.RandomState, np.random.BitGenerator)
    ],
)
