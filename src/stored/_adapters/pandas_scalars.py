"""Which plain values stand for an instant, a duration, a period or an interval of pandas?"""

from __future__ import annotations

import datetime
import functools
import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from stored._adapters.registry import Adapter, add

__all__ = ["MISSING", "UNCHANGING", "checked_unit", "offset_named", "offset_part", "period_dtype", "period_part"]
__all__ += ["zone_of", "zone_part"]

MISSING = (None, pd.NA, pd.NaT)
"""What stands for missing values in arrays of objects, beside NaN."""

UNCHANGING = frozenset((pd.Timestamp, pd.Timedelta, pd.Period, type(pd.NA), type(pd.NaT)))
"""Types of pandas whose values never change."""

_UNITS = ("s", "ms", "us", "ns")

_ZONE = re.compile(r"(?!dateutil|tzlocal)[A-Za-z0-9_+\-/:]{1,64}")
"""Names that pandas looks up in the database of time zones, and offsets; by others it would read any file."""

_OFFSET = re.compile(r"-?[0-9]{0,9}[A-Za-z]{1,16}(-[A-Z0-9]{1,16}){0,4}")


def zone_named(name: str) -> Any:
    """The time zone that pandas makes of a name."""
    if not _ZONE.fullmatch(name):
        raise ValueError("this is no name of a time zone")
    return pd.DatetimeTZDtype(tz=name).tz


def zone_of(found: Any) -> Any:
    """The time zone that `zone_part` has told."""
    return found if type(found) is datetime.timezone else zone_named(found)


def zone_part(zone: Any) -> Any:
    """The name of a time zone; the time zone itself if there is no name of which pandas makes the same."""
    try:
        found = zone_named(str(zone))
    except Exception:  # whatever is raised for texts that are no names
        return zone
    # a zone of pytz has an object for each of its offsets
    is_equal = found == zone or getattr(zone, "zone", None) == str(zone)
    is_same = type(found) is type(zone) and is_equal and str(found) == str(zone)  # offsets are equal by any name
    return str(zone) if is_same else zone


@functools.lru_cache(maxsize=256)
def offset_named(name: str) -> Any:
    """The frequency that pandas makes of a name that it gives itself; others, it might warn of."""
    if not _OFFSET.fullmatch(name):
        raise ValueError("this is no name of a frequency")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pd.tseries.frequencies.to_offset(name)


def offset_part(offset: Any) -> Any:
    """The name of a frequency, or None; the frequency itself if it has more than its name tells."""
    if offset is None:
        return None
    try:
        found = offset_named(offset.freqstr)
    except Exception:  # whatever is raised for texts that are no names
        return offset
    return offset.freqstr if type(found) is type(offset) and found == offset else offset


@functools.lru_cache(maxsize=256)
def period_dtype(name: str) -> Any:
    """The dtype of periods of a frequency."""
    if not _OFFSET.fullmatch(name):
        raise ValueError("this is no name of a frequency")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pd.PeriodDtype(name)


def period_part(dtype: Any) -> str:
    """The name of the frequency of a dtype of periods."""
    return str(dtype.name[len("period[") : -1])


def _timestamp_parts(value: Any) -> Any:
    return value.unit, int(value.asm8.view(np.int64)), zone_part(value.tz), value.fold


def _timestamp(plain: Any) -> Any:
    unit, number, zone, fold = plain
    found = pd.Timestamp(np.datetime64(number, checked_unit(unit)))
    if zone is not None:
        found = found.tz_localize("UTC").tz_convert(zone_of(zone))
    if type(fold) is not int or found.fold != fold:
        found = found.replace(fold=fold)
    return _of_type(found, pd.Timestamp)


def checked_unit(unit: Any) -> Any:
    if unit not in _UNITS:
        raise ValueError("this is no unit of time")
    return unit


def _of_type(found: Any, kind: type) -> Any:
    if type(found) is not kind:
        raise ValueError(f"it is no {kind.__name__}")
    return found


def _timedelta(plain: Any) -> Any:
    unit, number = plain
    return _of_type(pd.Timedelta(np.timedelta64(number, checked_unit(unit))), pd.Timedelta)


def _period(plain: Any) -> Any:
    ordinal, name = plain
    if type(ordinal) is not int:
        raise TypeError("the ordinal of a period is a number")
    return _of_type(pd.Period(ordinal=ordinal, freq=period_dtype(name).freq), pd.Period)


def _interval(plain: Any) -> Any:
    left, right, closed = plain
    return pd.Interval(left, right, closed)


def _single(value: Any) -> Adapter:
    """The adapter of a type that has one value."""
    name = type(value).__name__.removesuffix("Type")
    return Adapter(type(value), f"pandas.{name}", key=lambda _: None, encode=lambda _: None, decode=lambda _: value)


def _of_parts(kind: Any, parts: Any, decode: Any) -> Adapter:
    return Adapter(kind, f"pandas.{kind.__name__}", key=parts, encode=parts, decode=decode)


add(
    _single(pd.NaT),
    _single(pd.NA),
    _of_parts(pd.Timestamp, _timestamp_parts, _timestamp),
    _of_parts(pd.Timedelta, lambda value: (value.unit, int(value.asm8.view(np.int64))), _timedelta),
    _of_parts(pd.Period, lambda value: (value.ordinal, value.freqstr), _period),
    _of_parts(pd.Interval, lambda value: (value.left, value.right, value.closed), _interval),
)
