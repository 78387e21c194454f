"""A worked example with tables of pandas gives what its plain methods give, and is computed once."""

from __future__ import annotations

from typing import Any

import pytest

pd = pytest.importorskip("pandas")

from tests.faults.processes import in_processes
from tests.science.photometry import CALLS, Photometry, catalogue


def agree(found: Any, plain: Any) -> None:
    """The same, down to dtypes, labels and frequencies."""
    if isinstance(plain, pd.DataFrame):
        pd.testing.assert_frame_equal(found, plain)
    elif isinstance(plain, pd.Series):
        pd.testing.assert_series_equal(found, plain)
    else:
        assert found == plain


def check(photometry: Photometry) -> list[int]:
    """Every stored result is that of the plain method; how many were computed for it."""
    for name, given in CALLS.items():
        agree(getattr(photometry, name)(*given), getattr(Photometry, name).__wrapped__(photometry, *given))
    return [getattr(photometry, name).cache_info().misses for name in CALLS]


def in_new_process() -> list[int]:
    return check(Photometry(catalogue()))


def test_results_are_right_and_computed_once() -> None:
    """In memory, and in another process."""
    photometry = Photometry(catalogue())
    computed = [1, 2, 1, 1, 1, 1]  # one method calls another, with another star
    assert check(photometry) == computed
    assert check(photometry) == computed
    assert in_processes((in_new_process,), method="spawn") == [[0] * len(CALLS)]


def test_results_follow_the_parameters() -> None:
    """A number, a table that takes another's place, and one that is changed in place."""
    photometry = Photometry(catalogue())
    check(photometry)
    photometry.zero_point = 24.0
    check(photometry)
    photometry.catalogue.loc[3, "flux"] = 80.0
    check(photometry)
    assert photometry.magnitudes()["mag"].min() == 24.0 - 2.5 * 1.9030899869919435
    photometry.catalogue = catalogue(30)
    check(photometry)
    photometry.catalogue["band"] = photometry.catalogue["band"].cat.rename_categories({"g": "B"})
    check(photometry)
    assert list(photometry.by_band().index) == ["B", "r"]


def test_callers_may_change_what_they_get() -> None:
    """Others get what the method gave."""
    photometry = Photometry(catalogue())
    found = photometry.magnitudes()
    found["mag"] += 1.0
    found.insert(0, "new", 1.0)
    check(photometry)
