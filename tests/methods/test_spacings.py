"""Tables are read with the spacing that they were made with: what its functions reach counts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stored import Axis, keyed_by, stored

POWER = 2.0


def forward(x: Any) -> Any:
    """A spacing that depends on a constant."""
    return x**POWER


def backward(y: Any) -> Any:
    """Its inverse."""
    return y ** (1.0 / POWER)


AXIS = Axis("x", 1.0, 3.0, spacing=(forward, backward), rtol=1e-8)


@keyed_by("a")
class Model:
    """A model with tables in that spacing."""

    def __init__(self, a: float) -> None:
        self.a = a

    @stored(interpolate=AXIS)
    def curve(self, x: float) -> float:
        """Depends on its code."""
        return self.a + math.sin(x)

    @stored(interpolate=AXIS, version="1")
    def versioned(self, x: float) -> float:
        """Its version stands for its own code."""
        return self.a + math.sin(x)


@pytest.mark.parametrize("method", ["curve", "versioned"])
def test_what_a_spacing_reaches_counts(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A constant that it uses is rebound: no table of before is read in the new spacing, by old or new objects."""
    model = Model(2.0)
    expected = pytest.approx(2.0 + math.sin(1.7), rel=1e-7)
    assert getattr(model, method)(1.7) == expected
    monkeypatch.setitem(globals(), "POWER", 3.0)
    assert getattr(model, method)(1.7) == expected
    assert getattr(Model(2.0), method)(1.7) == expected
