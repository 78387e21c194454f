"""The fast inverse: where it is good it is right, and where it is not it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables import make_interpolant, tabulate
from stored._tables.newton_inverse import NewtonInverse
from stored._tables.piece_rows import PieceRows
from stored._tables.pieces import Pieces
from stored._tables.solve import Branch, monotonic_branch
from tests.tables.piecewise import FUNCTIONS, resampled


def inverse_of(pieces: Pieces, axis: Axis) -> tuple[Branch, NewtonInverse]:
    branch = monotonic_branch(pieces, pieces.low, pieces.high, np.zeros_like)
    assert isinstance(branch, Branch)
    branch.limits = axis.low, axis.high
    return branch, NewtonInverse(branch, pieces, PieceRows(pieces), axis)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("spacing", ["linear", "log", "log1p", (np.sqrt, np.square)])
@pytest.mark.parametrize("name", ["one piece", "deep", "rising", "stationary"])
def test_nearly_all_values_are_found(name: str, spacing: Any, sign: float) -> None:
    """All but few are good, and of those the value is given again to rounding, as an array and as numbers."""
    functions = {**FUNCTIONS, "rising": lambda t: np.exp(3 * t), "stationary": lambda t: 3.0 - (1.0 - t) ** 2}
    axis = Axis("x", 1.0, 4.0, spacing=spacing)
    low, high = axis.coordinate_limits()
    pieces = resampled(lambda t: sign * functions[name]((t - low) / (high - low)), low, high)
    branch, newton = inverse_of(pieces, axis)
    t = np.random.default_rng(8).uniform(low, high, 20_000)
    targets = np.clip(pieces.derivative(t, 0), branch.lowest, branch.highest)
    x, good = newton.solve(targets)
    assert np.mean(good) > 0.999
    found = pieces.derivative(axis.forward(x[good]), 0)
    slopes = np.abs(pieces.derivative(axis.forward(x[good]), 1))
    np.testing.assert_array_less(np.abs(found - targets[good]), 2e-14 + 8 * slopes * np.spacing(4.0))
    if isinstance(spacing, str):
        number = newton.of_number("y", None, log=False)
        singly = [number(target) for target in targets[:500].tolist()]
        assert [each is not None for each in singly] == good[:500].tolist()
        for one, many in zip(singly, x[:500].tolist(), strict=True):
            assert one is None or one == (many if spacing == "linear" else pytest.approx(many, rel=1e-13))


@given(st.integers(0, 10**6), st.floats(0.0, 1.0))
@settings(max_examples=200, deadline=None)
def test_any_rising_pieces_are_inverted(seed: int, share: float) -> None:
    """Cells with random rising polynomials, some of them with jumps between: what is good has the value."""
    random = np.random.default_rng(seed)
    coefficients = random.exponential(size=(6, 6)) * random.choice([0.0, 1e-3, 1.0], size=(6, 6))
    coefficients[:, 1] += 0.01
    ends = np.cumsum(coefficients.sum(axis=1) + random.choice([0.0, 0.5], size=6))
    coefficients[1:, 0] = ends[:-1]
    coefficients[1:, 0] -= coefficients[0, 0]
    pieces = Pieces(0.0, 3.0, coefficients, np.zeros(6, np.uint8))
    found = monotonic_branch(pieces, 0.0, 3.0, np.zeros_like)
    if not isinstance(found, Branch):
        return
    branch, newton = inverse_of(pieces, Axis("x", 0.0, 3.0))
    target = branch.lowest + share * (branch.highest - branch.lowest)
    (x,), (good,) = newton.solve(np.array([target]))
    one = newton.of_number("y", None, log=False)(target)
    assert one == (x if good else None)
    if good:
        slope = float(pieces.derivative(np.array([x]), 1)[0])
        assert abs(pieces.derivative(np.array([x]), 0)[0] - target) <= 1e-14 * branch.highest + 8 * slope * 1e-15


def test_values_in_a_jump_are_found_at_its_place() -> None:
    """Of a table with a jump, a value that is skipped has the place of the jump as its argument, whatever is asked."""
    axis = Axis("x", 0.0, 2.0, atol=1.0)
    jump = np.array([[0.0, 1.0, 0, 0, 0, 0], [1.5, 2.0, 0, 0, 0, 0]])
    table = {**tabulate(lambda x: x, (axis,), "f"), "coefficients": jump, "depths": np.zeros(2, np.uint8)}
    f = make_interpolant((axis,), table, "f")
    for y in (1.2, 1.4999, float(np.nextafter(1.5, 0.0))):
        assert [f.inverse(y) for _ in range(3)] == [pytest.approx(1.0, abs=1e-15)] * 3
        assert f.inverse(np.full(100, y)) == pytest.approx(1.0, abs=1e-15)
    assert [f.inverse(0.5), f.inverse(1.5), f.inverse(2.5)] == [0.5, 1.0, 1.5]
