"""From the polynomials of a sampled curve to pieces of degree 5."""

from __future__ import annotations

import numpy as np
import pytest

from stored._tables import resample_curve as resample_module
from stored._tables.leja import leja_points
from stored._tables.part import Part
from stored._tables.resample_curve import resample_curve
from tests.tables.piecewise import FUNCTIONS, resampled, values_at


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pieces_join(name: str) -> None:
    """At every edge the piece before ends where the next begins, to rounding."""
    pieces = resampled(FUNCTIONS[name])
    starts, ends = pieces.coefficients[1:, 0], pieces.coefficients[:-1].sum(axis=1)
    np.testing.assert_allclose(starts, ends, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pieces_reproduce_the_function(name: str) -> None:
    """Resampling keeps within the tolerance."""
    pieces = resampled(FUNCTIONS[name])
    t = np.random.default_rng(1).uniform(0.0, 1.0, 5000)
    truth = FUNCTIONS[name](t)
    assert np.all(np.abs(values_at(pieces, t) - truth) <= 2e-6 * np.abs(truth) + 2e-7)


def test_difficult_places_are_divided_and_the_rest_is_not() -> None:
    """The narrowest pieces are at the kink, and easy functions have pieces of one width."""
    kink = resampled(FUNCTIONS["divided"])
    assert kink.depths.any()
    narrow = np.flatnonzero(kink.widths == kink.widths.min())
    assert kink.edges[narrow[0]] <= 0.3 <= kink.edges[narrow[-1] + 1]
    assert not resampled(FUNCTIONS["plain"]).depths.any()
    assert len(resampled(FUNCTIONS["one piece"]).depths) == 1


def test_resampling_ends_where_rounding_is_all_that_is_left() -> None:
    """A part that allows no error at all is not divided for ever."""
    part = Part(0.0, 1.0, 0)
    part.values = np.exp(leja_points(0, 20))
    part.allowed = 1e-17
    pieces = resample_curve([part], 0.0, 1.0)
    assert len(pieces.coefficients) <= 2**16
    t = np.linspace(0.0, 1.0, 99)
    np.testing.assert_allclose(values_at(pieces, t), np.exp(2.0 * t - 1.0), rtol=1e-12)


def test_resampling_ends_at_the_finest_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """A polynomial too steep for the pieces there can be gets the finest ones."""
    monkeypatch.setattr(resample_module, "_MOST_HALVINGS", 3)
    part = Part(0.0, 1.0, 0)
    part.values = np.sin(40.0 * leja_points(0, 90))
    part.allowed = 1e-12
    assert len(resample_curve([part], 0.0, 1.0).coefficients) == 4
