"""Masked arrays, record arrays, seeds and random generators of numpy."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from stored._adapters.added_attributes import rest_of, with_rest
from stored._adapters.fill_values import fill_value_part, is_fill_value, with_fill_value, with_own_fill_value
from stored._adapters.own_dtypes import copy_with_own_dtype, own_record
from stored._adapters.registry import BY_PICKLE, Adapter, add

DRAWS = (
    "a random generator, whose state changes with each number that it draws: a stored result would give the same"
    " numbers again; give a seed, and make the generator of it in the method"
)
"""Why no random generator can be in a key or stored."""


_OF_MASKED = frozenset({"_mask", "_fill_value", "_hardmask", "_sharedmask", "_isfield", "_baseclass"})

_PASSED_ON = ("_optinfo", "_basedict")
"""Dictionaries of what arrays that are made of a masked one get as attributes; numpy makes them empty."""


def _added_to_masked(value: Any) -> tuple[dict[str, Any], ...]:
    """What somebody has set on a masked array; nothing if there is no such attribute."""
    rest = {name: each for name, each in rest_of(value, _OF_MASKED).items() if each or name not in _PASSED_ON}
    return (rest,) if rest else ()


def _with_added_to_masked(made: Any, rest: Any) -> Any:
    with_rest(made, rest, _OF_MASKED)
    if not all(type(vars(made)[name]) is dict for name in _PASSED_ON):
        raise ValueError("what is passed on stands in dictionaries")
    return made


def _masked_parts(value: Any) -> Any:
    """Data, also those that are masked, mask, fill value, and whether the mask is hard."""
    mask = None if value.mask is np.ma.nomask else value.mask
    # to ask for a fill value that is not set sets it, on the object of a caller
    return value.data, mask, fill_value_part(value), bool(value.hardmask), *_added_to_masked(value)


def _masked_array(parts: Any) -> Any:
    data, mask, fill_value, is_hard, *rest = _checked_tuple(parts)
    if type(data) is not np.ndarray or (mask is not None and mask.shape != data.shape):
        raise ValueError("data and mask of a masked array have different shapes")
    found: Any = np.ma.MaskedArray(data, np.ma.nomask if mask is None else mask, copy=False, hard_mask=is_hard)
    with_fill_value(found, fill_value)
    return _with_added_to_masked(found, *rest) if rest else found


def _checked_tuple(parts: Any) -> Any:
    if type(parts) is not tuple:
        raise TypeError("parts are a tuple")
    return parts


def _encoded_mask(value: Any) -> Any:
    is_plain = type(value.data) is np.ndarray and is_fill_value(value._fill_value, value.dtype)
    return _masked_parts(value) if is_plain else BY_PICKLE


def _copied_mask(value: Any) -> Any:
    made = copy_with_own_dtype(value)
    for name in vars(made).keys() - vars(value).keys():  # numpy makes attributes of what is passed on
        del vars(made)[name]
    vars(made).update(copy.deepcopy(rest_of(value, _OF_MASKED)))
    return with_own_fill_value(made, value)


def _void_dtype(dtype: Any) -> Any:
    """A dtype of records as that of plain items with fields."""
    return np.dtype((np.void, dtype)) if dtype.type is np.record else dtype


def _record_array(array: Any) -> Any:
    if array.dtype.names is None:
        raise ValueError("records have fields")
    return array.view(np.dtype((np.record, array.dtype)), np.recarray)


def _record_parts(value: Any) -> Any:
    content = value.view(_void_dtype(value.dtype), np.ndarray)
    return (content, dict(vars(value))) if vars(value) else content


def _encoded_records(value: Any) -> Any:
    return BY_PICKLE if value.dtype.names is None else _record_parts(value)


def _decoded_records(parts: Any) -> Any:
    if type(parts) is not tuple:
        return _record_array(parts)
    content, rest = parts
    return with_rest(_record_array(content), rest, ())


def _copied_records(value: Any) -> Any:
    made = copy_with_own_dtype(value)
    vars(made).update(copy.deepcopy(vars(value)))
    return made


def _seed_parts(value: Any) -> Any:
    return value.entropy, tuple(value.spawn_key), value.pool_size, value.n_children_spawned


def _encoded_seed(value: Any) -> Any:
    parts = _seed_parts(value)
    return parts if _are_seed_parts(*parts) else BY_PICKLE


def _are_seed_parts(entropy: Any, spawn_key: Any, pool_size: Any, spawned: Any) -> bool:
    """Are these plain, and few enough? To mix them takes time in proportion to their product."""
    numbers = entropy if type(entropy) is list else [entropy]
    return (
        len(numbers) + len(spawn_key) <= _MOST_SEEDS
        and all(type(each) is int and each.bit_length() <= _MOST_BITS for each in [*numbers, *spawn_key, spawned])
        and type(pool_size) is int
        and pool_size <= _LARGEST_POOL
    )


_MOST_SEEDS, _MOST_BITS, _LARGEST_POOL = 64, 1024, 64


def _seeds(parts: Any) -> Any:
    entropy, spawn_key, pool_size, spawned = parts
    if not _are_seed_parts(*parts):
        raise ValueError("these are no seeds")
    return np.random.SeedSequence(entropy, spawn_key=spawn_key, pool_size=pool_size, n_children_spawned=spawned)


add(
    Adapter(
        np.ma.MaskedArray,
        "numpy.ma.MaskedArray",
        key=_masked_parts,
        encode=_encoded_mask,
        decode=_masked_array,
        copy=_copied_mask,
        private=_copied_mask,
        parts=lambda value: [("", value.data), (".fill_value", value._fill_value)],
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
        encode=_encoded_records,
        decode=_decoded_records,
        copy=_copied_records,
        private=_copied_records,
        parts=lambda value: [("", _record_parts(value))],
    ),
    Adapter(
        np.record,
        "numpy.record",
        encode=lambda value: np.array(value.view(_void_dtype(value.dtype))),
        decode=lambda found: _record_array(found.reshape(1))[0],
        copy=own_record,
    ),
    Adapter(
        np.random.SeedSequence,
        "numpy.random.SeedSequence",
        key=_seed_parts,
        encode=_encoded_seed,
        decode=_seeds,
        copy=copy.deepcopy,
    ),
    *[
        Adapter(each, f"numpy.random.{each.__name__}", subclasses=True, refusal=DRAWS)
        for each in (np.random.Generator, np.random.RandomState, np.random.BitGenerator)
    ],
)
