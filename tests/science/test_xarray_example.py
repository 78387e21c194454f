"""A worked example with labelled arrays of xarray gives what its plain methods give, and is computed once."""

from __future__ import annotations

import pytest

xr = pytest.importorskip("xarray")

from tests.faults.processes import in_processes
from tests.science.climate import CALLS, Climate, temperature


def check(climate: Climate) -> list[int]:
    """Every stored result is that of the plain method; how many were computed for it."""
    for name, given in CALLS.items():
        xr.testing.assert_identical(getattr(climate, name)(*given), getattr(Climate, name).__wrapped__(climate, *given))
    return [getattr(climate, name).cache_info().misses for name in CALLS]


def in_new_process() -> list[int]:
    return check(Climate(temperature()))


def test_results_are_right_and_computed_once() -> None:
    """In memory, and in another process."""
    climate = Climate(temperature())
    assert check(climate) == [1] * len(CALLS)
    assert check(climate) == [1] * len(CALLS)
    assert in_processes((in_new_process,), method="spawn") == [[0] * len(CALLS)]


def test_results_follow_the_parameters() -> None:
    """Dates, an array that is changed in place, its attributes, and another."""
    climate = Climate(temperature())
    check(climate)
    climate.base = "2000-01-01", "2000-12-31"
    check(climate)
    climate.temperature[3] += 5.0
    check(climate)
    climate.temperature.attrs["units"] = "Celsius"
    check(climate)
    climate.temperature = temperature(days=366)
    check(climate)
    climate.temperature = climate.temperature.assign_coords(lon=climate.temperature.lon - 180)
    check(climate)


def test_callers_may_change_what_they_get() -> None:
    """Others get what the method gave."""
    climate = Climate(temperature())
    found = climate.monthly("max")
    found["t"][:] = 0.0
    found.attrs["source"] = "another"
    found.lat.attrs["units"] = "another"
    check(climate)
