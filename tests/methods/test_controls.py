"""`Class.method` has the controls of `owner.method`, and takes the owner first."""

from __future__ import annotations

import pytest

from stored import Axis, keyed_by, stored
from stored._methods.controls import Controls


@keyed_by("a")
class Model:
    def __init__(self, a: float) -> None:
        self.a = a

    @stored(interpolate=Axis("x", 0.0, 1.0, rtol=1e-8))
    def curve(self, x: float) -> float:
        return self.a * (1.0 + x)


def test_those_of_interpolants_take_the_owner_first() -> None:
    """As those of the cache do."""
    model = Model(2.0)
    assert Model.curve.interpolant(model)(0.5) == pytest.approx(3.0)
    assert Model.curve.exact(model, 0.5) == pytest.approx(3.0)
    assert Model.curve.inverse(model, 3.0) == pytest.approx(0.5)
    assert Model.curve.derivative(model, 0.5) == pytest.approx(2.0)
    assert Model.curve.integral(model, 0.0, 1.0) == pytest.approx(3.0)
    assert Model.curve.roots(model, 3.0) == pytest.approx([0.5])


def test_it_is_for_what_says_to_whom_they_belong() -> None:
    """A class of its own has to."""
    with pytest.raises(NotImplementedError):
        Controls().cache_info()
    with pytest.raises(NotImplementedError):
        Controls().dependencies()
