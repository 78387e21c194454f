"""Dates, paths and exact numbers are written without pickle."""

from __future__ import annotations

import datetime
import decimal
import pathlib
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored._adapters import adapter_named
from stored._keys import canonical
from stored._storage.native import NotNativeError
from tests.adapters.round_trips import round_trip

ZONES = st.one_of(
    st.none(),
    st.builds(datetime.timezone, st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23))),
    st.just(datetime.timezone(datetime.timedelta(0), "utc")),
    st.just(zoneinfo.ZoneInfo("Europe/Berlin")),
)
VALUES = st.one_of(
    st.dates(),
    st.datetimes(timezones=ZONES, allow_imaginary=False),
    st.times(timezones=ZONES),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.sampled_from([datetime.UTC, datetime.timezone(datetime.timedelta(hours=1), "CET")]),
    st.builds(pathlib.PurePosixPath, st.text("ab/.", max_size=9)),
    st.builds(pathlib.PureWindowsPath, st.text("ab\\:", max_size=9)),
    st.builds(pathlib.Path, st.text("ab/", max_size=9)),
)


@given(VALUES)
def test_they_come_back(value: Any) -> None:
    """With type, time zone and all digits."""
    [found] = round_trip([value])
    assert type(found) is type(value)
    assert (repr(found), canonical(found)) == (repr(value), canonical(value))
    if isinstance(value, datetime.datetime | datetime.time):
        assert (found.fold, type(found.tzinfo)) == (value.fold, type(value.tzinfo))


class Zone(datetime.tzinfo):
    def utcoffset(self, when: Any) -> datetime.timedelta:
        return datetime.timedelta(0)


@pytest.mark.parametrize(
    "value", [datetime.datetime(2020, 1, 1, tzinfo=Zone()), decimal.Decimal("1" * 20_000)], ids=["zone", "digits"]
)
def test_others_are_pickled(value: Any) -> None:
    """A time zone of one's own, and more digits than can be read quickly."""
    with pytest.raises(NotNativeError):
        round_trip(value)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("datetime.timedelta", (1.5, 0, 0)),
        ("datetime.datetime", ("2020-01-01T00:00:00", 0, "../../etc/passwd")),
        ("datetime.timezone", None),
        ("decimal.Decimal", "1" * 20_000),
        ("fractions.Fraction", (1, 0)),
    ],
)
def test_what_is_none_of_them_is_an_error(name: str, plain: Any) -> None:
    """Which makes the entry a damaged one."""
    adapter = adapter_named(name)
    assert adapter is not None
    assert adapter.decode is not None
    with pytest.raises((ValueError, TypeError, ZeroDivisionError)):
        adapter.decode(plain)
