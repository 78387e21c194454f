"""Dates, paths, exact numbers and the like, of the standard library: how are they written without pickle?"""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import zoneinfo
from collections.abc import Callable
from typing import Any

from stored._adapters.registry import BY_PICKLE, Adapter, add

_LONGEST = 10_000
"""Digits of a number: those that take longer than in proportion to their length are pickled."""


def _exactly(kind: type, parts: Any) -> Any:
    """The parts from an entry, which must be of one type."""
    if not all(type(each) is kind for each in parts):
        raise ValueError(f"these are not all of type {kind.__name__}")
    return parts


def _zone_parts(zone: Any) -> Any:
    """The offset of a time zone, and its name if it has one, or the name of a place; `BY_PICKLE` for others."""
    if type(zone) is datetime.timezone:
        return zone.__getinitargs__()  # type: ignore[attr-defined]
    if type(zone) is zoneinfo.ZoneInfo and zone.key is not None:
        return zone.key
    return None if zone is None else BY_PICKLE


def _zone(parts: Any) -> Any:
    if type(parts) is str:
        return zoneinfo.ZoneInfo(parts)  # which refuses what is no name below the folders of time zones
    return None if parts is None else datetime.timezone(*parts)


def _instant_parts(value: Any) -> Any:
    zone = _zone_parts(value.tzinfo)
    return BY_PICKLE if zone is BY_PICKLE else (value.replace(tzinfo=None).isoformat(), value.fold, zone)


def _instant(kind: Any, parts: Any) -> Any:
    text, fold, zone = parts
    return kind.fromisoformat(text).replace(fold=fold, tzinfo=_zone(zone))


def _decimal_parts(value: decimal.Decimal) -> Any:
    text = str(value)
    return text if len(text) <= _LONGEST else BY_PICKLE


def _decimal(text: str) -> decimal.Decimal:
    if len(text) > _LONGEST:
        raise ValueError("this has too many digits")
    return decimal.Decimal(text)


_FORMS: list[tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = [
    (datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    (datetime.datetime, _instant_parts, lambda parts: _instant(datetime.datetime, parts)),
    (datetime.time, _instant_parts, lambda parts: _instant(datetime.time, parts)),
    (
        datetime.timedelta,
        lambda value: (value.days, value.seconds, value.microseconds),
        lambda parts: datetime.timedelta(*_exactly(int, parts)),
    ),
    (datetime.timezone, _zone_parts, lambda parts: datetime.timezone(*parts)),
    (decimal.Decimal, _decimal_parts, _decimal),
    (
        fractions.Fraction,
        lambda value: (value.numerator, value.denominator),
        lambda parts: fractions.Fraction(*_exactly(int, parts)),
    ),
    (pathlib.PurePosixPath, str, pathlib.PurePosixPath),
    (pathlib.PureWindowsPath, str, pathlib.PureWindowsPath),
    (pathlib.PosixPath, str, pathlib.PosixPath),
]

add(
    *[
        Adapter(kind, f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}", encode=encode, decode=decode)
        for kind, encode, decode in _FORMS
    ]
)
