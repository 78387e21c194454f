"""Piecewise polynomials at one number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables import pieces as pieces_module
from stored._tables.pieces import Pieces
from stored._tables.quick_values import quick_values
from tests.tables.interpolants import SPACINGS
from tests.tables.piecewise import FUNCTIONS, divided_pieces, resampled, values_at


@pytest.fixture(params=["at hand", "on demand"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coefficients all kept as floats, or made floats when they are needed."""
    if request.param == "on demand":
        monkeypatch.setattr(pieces_module, "_MOST_FLOAT_ROWS", 0)


def _scalar(pieces: Pieces, axis: Axis, log: bool) -> Callable[[Any], float | None]:
    return quick_values(pieces, axis, log)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_number_gives_what_an_array_gives(name: str, spacing: Any, log: bool) -> None:
    """At ends, edges and random points, and a bit beside them, both agree to a few units in the last place."""
    axis = Axis("x", 0.2, 3.0, spacing=spacing)
    low, high = axis.coordinate_limits()
    pieces = resampled(lambda t: FUNCTIONS[name]((t - low) / (high - low)), low, high)
    scalar = _scalar(pieces, axis, log)
    some = pieces.edges[:: max(1, pieces.edges.size // 200)]
    x = axis.backward(np.concatenate([some, np.random.default_rng(6).uniform(low, high, 300), [low, high]]))
    x = np.clip(np.concatenate([x, np.nextafter(x, 0.0), np.nextafter(x, 9.0)]), axis.low, axis.high)
    found = [scalar(each) for each in x.tolist()]
    assert {type(each) for each in found} == {float}
    forward = axis.scalar_forward() or float
    # steep pieces show the last bit in which the coordinates of numbers and arrays may differ
    for t, rtol in ((np.array([forward(each) for each in x.tolist()]), 1e-14), (axis.forward(x), 1e-10)):
        inside = (low <= t) & (t <= high)  # the last bit may lead beyond a limit, too
        values = values_at(pieces, t[inside])
        expected = np.exp(values) if log else values
        np.testing.assert_allclose(np.array(found)[inside], expected, rtol=rtol, atol=rtol)


@pytest.mark.usefixtures("rows")
@given(seed=st.integers(0, 2**32), share=st.floats(0.0, 1.0))
@settings(max_examples=50, deadline=None)
def test_random_divided_pieces_are_looked_up(seed: int, share: float) -> None:
    """For pieces that do not join, the one of a number is the one that an array finds."""
    pieces = divided_pieces(seed % 5)
    axis = Axis("x", pieces.low, pieces.high)
    x = min(max(pieces.low + share * (pieces.high - pieces.low), pieces.low), pieces.high)
    expected = float(values_at(pieces, np.array([x]))[0])
    assert _scalar(pieces, axis, False)(x) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_ends_are_inside(name: str) -> None:
    """Both limits give the function's own values there."""
    scalar = _scalar(resampled(FUNCTIONS[name]), Axis("x", 0.0, 1.0), False)
    ends = [float(FUNCTIONS[name](np.array(each))) for each in (0.0, 1.0)]
    assert [scalar(0.0), scalar(1.0)] == pytest.approx(ends, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("x", [math.nan, -0.1, 1.1, math.inf, -math.inf])
def test_what_is_not_inside_gives_none(x: float) -> None:
    """What needs care is left to the caller, and never evaluated."""
    assert _scalar(resampled(FUNCTIONS["plain"]), Axis("x", 0.0, 1.0), False)(x) is None
