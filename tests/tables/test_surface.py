"""Interpolants of two arguments: their values, and their partial derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from stored import Axis, OutsideAxisError
from tests.tables.interpolants import bicubic, bicubic_x, bicubic_y, interpolant_of, measured, never, surface


def test_surfaces_broadcast() -> None:
    """Two numbers give a float, and arrays are broadcast against each other."""
    made = surface(bicubic)
    assert type(made(2, 0.5)) is float
    assert made(2, 0.5) == pytest.approx(bicubic(2, 0.5))
    x, y = np.linspace(1, 3, 4)[:, None], np.linspace(-1, 2, 5)
    np.testing.assert_allclose(made(x, y), bicubic(x, y), atol=1e-11)
    assert made(x, 0.5).shape == (4, 1)
    assert made(np.array(2.0), 0.5).shape == ()
    assert type(made(np.array(2.0), 0.5)) is np.ndarray
    assert made(np.empty((0, 3)), 0.5).shape == (0, 3)
    with pytest.raises(ValueError, match="broadcast"):
        made(np.ones(2), np.ones(3))


def test_nan_beside_a_value_outside_gives_nan() -> None:
    """Where one coordinate is NaN, the function is not called for the other."""
    assert math.isnan(surface(bicubic, ("exact", "exact"))(math.nan, 50.0, exact=never))
    assert math.isnan(surface(bicubic, ("clip", "clip"))(math.nan, 50.0))
    assert math.isnan(surface(bicubic, ("extrapolate", "extrapolate"))(math.nan, 50.0))


def test_surfaces_continue_along_their_tangents() -> None:
    """Beyond one axis along its tangent; beyond both along the plane that touches the corner."""
    both = surface(bicubic, ("extrapolate", "extrapolate"))
    assert both(4.0, 0.5) == pytest.approx(bicubic(3.0, 0.5) + bicubic_x(3.0, 0.5), rel=1e-9)
    assert both(2.0, -3.0) == pytest.approx(bicubic(2.0, -1.0) - 2 * bicubic_y(2.0, -1.0), rel=1e-9)
    plane = bicubic(3.0, 2.0) + bicubic_x(3.0, 2.0) + 2 * bicubic_y(3.0, 2.0)
    assert both([4.0, 2.0], [4.0, 0.5]).tolist() == pytest.approx([plane, bicubic(2.0, 0.5)], rel=1e-9)
    law = surface(lambda x, y: x**-2.0 * np.exp(y), ("extrapolate", "extrapolate"), spacing="log", values="log")
    assert law(30.0, 7.0) == pytest.approx(math.exp(7.0) / 900, rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("nan", "exact", "nan"),
        ("exact", "nan", "nan"),
        ("clip", "exact", "exact at the limit"),
        ("extrapolate", "exact", "exact"),
        ("exact", "exact", "exact"),
        ("nan", "clip", "nan"),
        ("clip", "nan", "nan"),
        ("raise", "exact", "raise"),
        ("exact", "raise", "raise"),
        ("clip", "extrapolate", "continued from the limit"),
    ],
)
def test_beyond_both_axes(first: str, second: str, expected: str) -> None:
    """Beyond both axes each is treated in its own way: an error comes first, then NaN, then the function itself."""
    calls = []

    def exact(x: float, y: float) -> float:
        calls.append((x, y))
        return 1000 * x + y

    made = surface(bicubic, (first, second))
    if expected == "raise":
        with pytest.raises(OutsideAxisError):
            made(4.0, 3.0, exact=exact)
        assert not calls
        return
    results = {
        "nan": math.nan,
        "exact": 4003.0,
        "exact at the limit": 3003.0,
        "continued from the limit": bicubic(3.0, 2.0) + bicubic_y(3.0, 2.0),
    }
    assert made(4.0, 3.0, exact=exact) == pytest.approx(results[expected], rel=1e-9, nan_ok=True)
    assert len(calls) == expected.startswith("exact")


def test_a_surface_describes_itself() -> None:
    """The repr names both axes."""
    made = surface(bicubic)
    parts = ["interpolant of surface(x, y)", "x from 1 to 3 in linear spacing; y from -1 to 2 in linear spacing"]
    for part in [*parts, "rtol 1e-06 and atol 1e-09 asked for", *measured(made), "1 piece>"]:
        assert part in repr(made)
    axes = (Axis("x", 1.0, 3.0, points=5), Axis("y", 0.0, 1.0, points=8))
    assert ": 5 x 8 points asked for" in repr(interpolant_of(bicubic, *axes))


# -- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nu", [1, (1,), (0, 0), (2, 2), (4, 0), (-1, 2), (1.0, 0), (True, 0), [1, 0], (1, 0, 0), None])
def test_only_orders_up_to_3_together_exist(nu: Any) -> None:
    """The error gives the orders, and those that there are."""
    f = interpolant_of(lambda x, y: x + y, Axis("x", 1.0, 2.0), Axis("y", 1.0, 2.0))
    with pytest.raises(ValueError, match=r"nu is .*; give the orders along both axes"):
        f.derivative(1.5, 1.5, nu)


def test_partial_derivatives_have_the_broadcast_shape() -> None:
    """Numbers give a float, arrays are broadcast, and NaN gives NaN."""
    f = interpolant_of(lambda x, y: x * y, Axis("x", 1.0, 2.0), Axis("y", 1.0, 2.0))
    assert type(f.derivative(1.5, 1)) is float
    assert f.derivative(1.5, 1.25) == pytest.approx(1.25)
    assert f.derivative(np.ones((4, 1)), [1.0, 1.5, 2.0], (0, 1)).shape == (4, 3)
    assert np.isnan(f.derivative([1.0, math.nan, 1.0], [1.0, 1.0, math.nan])).tolist() == [False, True, True]


@pytest.mark.parametrize("outside", ["raise", "clip", "exact", "extrapolate", "nan"])
def test_beyond_a_surface_there_are_no_derivatives(outside: Any) -> None:
    """They are NaN with outside='nan', and refused otherwise."""
    f = interpolant_of(lambda x, y: x * y, Axis("x", 1.0, 2.0), Axis("y", 1.0, 2.0, outside=outside))
    if outside == "nan":
        assert np.isnan(f.derivative(1.5, [0.0, 1.5, 3.0])).tolist() == [True, False, True]
    else:
        with pytest.raises(OutsideAxisError, match=r"y = 3\.0 is outside"):
            f.derivative(1.5, [1.5, 3.0])
    with pytest.raises(OutsideAxisError, match=r"x = 0\.5 is outside"):
        f.derivative(0.5, 1.5)
