"""Times and differences of times of astropy."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from astropy import time
from astropy.coordinates import EarthLocation

from stored._adapters.added_attributes import rest_of
from stored._adapters.column_info import add_info, info_parts, text_or_none, with_info_of
from stored._adapters.exact_parts import items_of
from stored._adapters.registry import BY_PICKLE, Adapter, add

_DELTAS = ("_delta_ut1_utc", "_delta_tdb_tt")
"""Differences between scales that a user has set, or that were found when a time was asked for in another scale."""

_FOLLOWING = {"_time", "_location", "_format", "SCALES", "cache", "_id_cache", "info", *_DELTAS}
"""The attributes that are told, and memos."""


def _days(value: Any) -> tuple[Any, Any, Any]:
    """Two parts of a Julian date, also where it is masked, and the mask."""
    if not value.masked:
        return _plain(value.jd1), _plain(value.jd2), None
    below = value.unmasked
    return _plain(below.jd1), _plain(below.jd2), np.array(value.mask)


def _plain(days: Any) -> Any:
    return float(days) if np.ndim(days) == 0 else days


def _parts(value: Any) -> Any:
    deltas = [copy.copy(vars(value)[name]) if name in vars(value) else None for name in _DELTAS]
    shown = value.format, value.precision, value.in_subfmt, value.out_subfmt
    return *_days(value), value.scale, shown, getattr(value, "location", None), *deltas, info_parts(value)


def _key(value: Any) -> Any:
    parts, rest = _parts(value), rest_of(value, _FOLLOWING)
    return (*parts, rest) if rest else parts


def _encoded(value: Any) -> Any:
    if rest_of(value, _FOLLOWING):
        return BY_PICKLE
    parts = _parts(value)
    try:
        made = _decoded(type(value), parts)
    except Exception:  # whatever its class raises
        return BY_PICKLE
    return parts if _same_days(_days(made), parts) else BY_PICKLE


def _same_days(found: Any, expected: Any) -> bool:
    """A time can be made of days of which the parts are others than those that it is made with."""
    return all(np.array_equal(*pair, equal_nan=True) for pair in zip(found[:2], expected[:2], strict=True))


def _decoded(kind: Any, parts: Any) -> Any:
    first, second, mask, scale, shown, location, *deltas, info = items_of(parts, 9)
    if not (_are_days(first) and _are_days(second) and np.shape(first) == np.shape(second)):
        raise ValueError("these are no days")
    is_time = kind is time.Time
    if not (location is None or (is_time and type(location) is EarthLocation)):
        raise ValueError("these are no times")
    options = {"location": location} if is_time else {}
    with np.errstate(all="ignore"):
        made = kind(first, second, format="jd", scale=text_or_none(scale), **options)
    if mask is not None:
        made[_checked_mask(mask, made.shape)] = np.ma.masked
    made.format, made.precision, made.in_subfmt, made.out_subfmt = shown
    for name, each in zip(_DELTAS, deltas, strict=True):
        if each is not None:
            setattr(made, name, each)
    return add_info(made, info)


def _are_days(found: Any) -> bool:
    if type(found) is np.ndarray:
        return found.dtype == np.dtype(float) and bool(np.isfinite(found).all())
    return type(found) is float and np.isfinite(found)


def _checked_mask(mask: Any, shape: tuple[int, ...]) -> Any:
    if type(mask) is not np.ndarray or mask.dtype != np.dtype(bool) or mask.shape != shape:
        raise ValueError("this is no mask of these times")
    return mask


def _copied(value: Any) -> Any:
    made = value.copy()
    vars(made).update(copy.deepcopy(rest_of(value, _FOLLOWING)))
    if getattr(value, "location", None) is not None:
        with_info_of(value.location, made.location)
    return with_info_of(value, made)


def _adapter(kind: Any) -> Adapter:
    name = f"astropy.time.{kind.__name__}"
    return Adapter(
        kind, name, key=_key, encode=_encoded, decode=lambda parts: _decoded(kind, parts), copy=_copied, private=_copied
    )


add(_adapter(time.Time), _adapter(time.TimeDelta))
