"""Inverses, derivatives and integrals find their interpolant as quickly as calls, and notice all that calls notice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stored import Axis, OutsideAxisError, keyed_by, stored

CALLS: list[Any] = []


@keyed_by("scale")
class Filter:
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    @stored(interpolate=Axis("z", 0.0, 2.0, rtol=1e-8))
    def flux(self, z: Any, band: Any = "r", *, order: Any = 1, verbose: bool = False) -> Any:
        CALLS.append((self.scale, band, order))
        return self.scale * np.exp(z) + len(str(band)) * order

    @stored(interpolate=Axis("z", 0.0, 2.0, rtol=1e-8))
    def clashing(self, z: Any, branch: str = "a") -> Any:
        return np.exp(z) + len(branch)

    @stored(interpolate=Axis("z", 0.0, 2.0, rtol=1e-8))
    def by_place(self, z: Any, band: str = "r", /) -> Any:
        return np.exp(z) + len(band)

    @stored(interpolate=(Axis("x", 0.0, 1.0, rtol=1e-6), Axis("y", 0.0, 1.0, rtol=1e-6)))
    def surface(self, x: Any, y: Any, band: str) -> Any:
        return self.scale * x * np.exp(y) + len(band)

    @stored
    def plain(self, z: float) -> float:
        return z


OTHERS: list[dict[str, Any]] = [
    {},
    {"band": "r"},
    {"band": "gri"},
    {"order": 2},
    {"order": 2.0},
    {"order": np.float64(2.0)},
    {"order": np.int32(2)},
    {"band": ("g", 1), "order": True},
]


@pytest.mark.parametrize("others", OTHERS, ids=str)
def test_the_interpolant_is_that_of_the_other_arguments(others: dict[str, Any]) -> None:
    """However often it is asked, and whatever was asked before, it gives what the interpolant itself gives."""
    model = Filter()
    for turn in range(4):
        for _ in range(3):
            Filter.flux.exact(model, 1.0)
            model.flux(1.0, band="zz")
        direct: Any = model.flux.interpolant(**others)
        value = direct(1.3)
        assert model.flux.inverse(value, **others) == direct.inverse(value)
        assert model.flux.derivative(0.5, **others) == direct.derivative(0.5)
        assert model.flux.derivative(0.5, nu=2, **others) == direct.derivative(0.5, 2)
        assert model.flux.integral(0.5, 1.0, **others) == direct.integral(0.5, 1.0)
        assert model.flux.roots(value, **others).tolist() == direct.roots(value).tolist()
        assert type(model.flux.inverse(value, **others)) is float
        if turn == 1:
            model.scale = 2.0


def test_each_counts_as_a_call() -> None:
    """A table that is at hand is a hit, whichever way it is found."""
    model = Filter()
    model.flux(1.0)
    for number in range(1, 8):
        model.flux.derivative(1.0)
        assert model.flux.cache_info()[:2] == (number, 1)


def test_parameters_and_code_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change of parameters, a clear, or of what the method uses, there is another interpolant."""
    model = Filter()
    for scale in (1.0, 2.0, 3.0, 1.0, 2.0):
        model.scale = scale
        for _ in range(3):
            assert model.flux.derivative(1.0) == pytest.approx(scale * np.exp(1.0), rel=1e-6)
    before = len(CALLS)
    model.flux.cache_clear()
    assert model.flux.derivative(1.0) == pytest.approx(2.0 * np.exp(1.0), rel=1e-6)
    assert len(CALLS) > before
    monkeypatch.setattr(np, "exp", np.cosh)
    assert model.flux.derivative(1.0) == pytest.approx(2.0 * np.sinh(1.0), rel=1e-6)


def test_arguments_that_are_options_are_refused_as_before() -> None:
    """A name that an option of the inverse has is never taken for the one or the other."""
    model = Filter()
    for _ in range(4):
        model.clashing(1.0)
        with pytest.raises(TypeError, match="has an argument 'branch' of its own"):
            model.clashing.inverse(3.0, branch="a")
        assert model.clashing.derivative(1.0) == pytest.approx(np.exp(1.0), rel=1e-6)


def test_errors_are_those_of_full_calls() -> None:
    """What does not fit the signature, or the axis, is told as where nothing is at hand."""
    model = Filter()
    for _ in range(4):
        model.flux(1.0)
        model.by_place(1.0)
        model.surface(0.5, 0.5, "r")
        with pytest.raises(TypeError, match="unexpected keyword argument 'bend'"):
            model.flux.inverse(3.0, bend="r")
        with pytest.raises(TypeError, match="band"):
            model.surface.derivative(0.5, 0.5)
        with pytest.raises(TypeError, match="band"):
            model.by_place.derivative(0.5, band="g")
        with pytest.raises(OutsideAxisError):
            model.flux.derivative(3.0)
        with pytest.raises(TypeError, match="inverse is for one axis only"):
            model.surface.inverse(1.0, band="r")
        with pytest.raises(AttributeError, match="is not interpolated"):
            model.plain.inverse(1.0)  # type: ignore[attr-defined]
        assert model.surface.derivative(0.5, 0.5, band="r") == pytest.approx(np.exp(0.5), rel=1e-4)
        assert model.by_place.inverse(np.exp(1.0) + 1.0) == pytest.approx(1.0)
