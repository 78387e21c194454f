"""Generated code for piecewise polynomials of two coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables import patches as patches_module
from stored._tables.patches import Patches
from tests.tables.interpolants import SPACINGS, interpolant_of

ORDERS = [(i, j) for i in range(4) for j in range(4)]
LIMITS = [(-1.0, 2.0), (0.5, 4.0)]


def _random_patches(seed: int, sizes: tuple[int, int]) -> Patches:
    """Patches that do not join, so that each must be found by itself."""
    return Patches(LIMITS, np.random.default_rng(seed).normal(size=(3, 5, *sizes)))


def _expected(patches: Patches, x: float, y: float, nu: tuple[int, int]) -> float:
    """By numpy's polynomials."""
    u, v = (x + 1.0) * 1.0, (y - 0.5) * (5 / 3.5)
    i, j = min(int(u), 2), min(int(v), 4)
    powers = np.polynomial.polynomial.polyder(patches.coefficients[i, j], nu[0], scl=1.0, axis=0)
    powers = np.polynomial.polynomial.polyder(powers, nu[1], scl=5 / 3.5, axis=1)
    return float(np.polynomial.polynomial.polyval2d(u - i, v - j, powers))


@pytest.fixture(params=["at hand", "on demand"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coefficients all kept as floats and by power, or gathered when they are needed."""
    if request.param == "on demand":
        monkeypatch.setattr(patches_module, "_MOST_FLOATS", 0)
        monkeypatch.setattr(patches_module, "_MOST_COLUMNS", 0)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("nu", ORDERS)
@pytest.mark.parametrize("sizes", [(4, 4), (6, 6), (4, 5)])
def test_numbers_and_arrays_give_derivatives_of_polynomials(sizes: tuple[int, int], nu: tuple[int, int]) -> None:
    """All orders up to 3 along each axis, at random points and at the limits, in equal bits for both."""
    patches = _random_patches(len(sizes), sizes)
    random = np.random.default_rng(5)
    x, y = (np.append(random.uniform(*each, 50), each) for each in LIMITS)
    one, several = patches.functions(LIMITS, [None, None], False, frozenset({float}), _refuse, nu)
    found = patches([x, y], nu).tolist()
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    assert found == [one(*point) for point in points] == several(x.tolist(), y.tolist())
    assert found == pytest.approx([_expected(patches, *point, nu) for point in points], rel=1e-11, abs=1e-9)


@given(seed=st.integers(0, 2**32), shares=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)))
@settings(max_examples=100, deadline=None)
def test_the_patch_of_a_point_is_the_one_of_an_array(seed: int, shares: tuple[float, float]) -> None:
    """Of patches that do not join, both find the same one, also for points at edges."""
    patches = _random_patches(seed, (4, 4))
    x, y = (min(low + share * (high - low), high) for share, (low, high) in zip(shares, LIMITS, strict=True))
    one, _ = patches.functions(LIMITS, [None, None], False, frozenset({float}), _refuse)
    assert one(x, y) == float(patches([np.array([x]), np.array([y])])[0])


@pytest.mark.parametrize("x", [math.nan, -1.1, 2.1, math.inf, -math.inf])
def test_beyond_the_limits_there_is_nothing(x: float) -> None:
    """Numbers outside, and NaN, give None, alone and in a sequence."""
    one, several = _random_patches(1, (4, 4)).functions(LIMITS, [None, None], False, frozenset({float}), _refuse)
    assert one(x, 1.0) is None
    assert one(1.0, 9 * x) is None
    assert several([0.0, x], [1.0, 1.0]) is None


def test_other_types_are_passed_on() -> None:
    """Where one argument is of a type that is no number, the other function answers."""
    one, _ = _random_patches(1, (4, 4)).functions(
        LIMITS, [None, None], False, frozenset({float, int}), lambda *x: ("other", *x)
    )
    assert one("x", 1.0) == ("other", "x", 1.0)
    assert one(1.0, True) == ("other", 1.0, True)
    assert one(1, 2) == one(1.0, 2.0)


@pytest.mark.parametrize("values", ["linear", "log"])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("nu", [(1, 0), (0, 1), (1, 1), (0, 2), (3, 0), (1, 2)])
def test_derivatives_at_numbers_are_those_of_arrays(nu: tuple[int, int], spacing: Any, values: Any) -> None:
    """Numbers give floats, with the bits that arrays get; outside the axes both raise the same error."""
    f = interpolant_of(
        lambda x, y: np.exp(-0.5 * x + 0.3 * y),
        Axis("x", 1.0, 3.0, spacing=spacing, values=values),
        Axis("y", 0.5, 2.0),
    )
    x, y = np.linspace(1.0, 3.0, 21), np.linspace(0.5, 2.0, 21)
    found = [f.derivative(*each, nu) for each in zip(x.tolist(), y.tolist(), strict=True)]
    assert {type(each) for each in found} == {float}
    assert found == f.derivative(x, y, nu).tolist()
    assert f.derivative(np.float32(1.5), 1, nu) == f.derivative(1.5, 1.0, nu)
    assert math.isnan(f.derivative(math.nan, 1.0, nu))
    errors = []
    for point in ((0.5, 1.0), ([0.5], 1.0)):
        with pytest.raises(ValueError, match=r"x = 0\.5 is outside") as caught:
            f.derivative(*point, nu)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


def _refuse(*x: object) -> None:
    raise AssertionError(f"called with {x}")
