"""Where piecewise polynomials have a value: branches, and roots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import Axis
from stored._tables.pieces import Pieces
from stored._tables.solve import Branch, monotonic_branch
from tests.tables.interpolants import interpolant_of
from tests.tables.piecewise import FUNCTIONS, resampled


def curve(function: Callable[..., Any], **options: Any) -> Any:
    return interpolant_of(function, Axis("x", **{"low": 0.5, "high": 5.0, "rtol": 1e-8, **options}))


def test_pieces_that_do_not_join_are_no_branch() -> None:
    """A jump down between two rising pieces is a turn; a jump up is not."""
    down = np.array([[0.0, 1.0, 0, 0, 0, 0], [-0.2, 2.0, 0, 0, 0, 0]])
    found = monotonic_branch(Pieces(0.0, 1.0, down, np.zeros(2, np.uint8)), 0.0, 1.0, np.zeros_like)
    assert isinstance(found, float)
    up = np.array([[0.0, 1.0, 0, 0, 0, 0], [1.2, 2.0, 0, 0, 0, 0]])
    branch = monotonic_branch(Pieces(0.0, 1.0, up, np.zeros(2, np.uint8)), 0.0, 1.0, np.zeros_like)
    assert isinstance(branch, Branch)
    assert branch.solve(np.array([0.5, 1.2, 2.2])).tolist() == pytest.approx([0.25, 0.5, 0.75])


@pytest.mark.parametrize("name", ["deep", "one piece", "kink", "flat"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bracketing_finds_all_values(name: str, sign: float) -> None:
    """Newton's method in a bracket finds thousands of values to rounding, over kinks and flat places too."""
    functions = {**FUNCTIONS, "kink": lambda t: t + np.abs(t - 0.3) + 1.0, "flat": lambda t: (t - 0.4) ** 3 + 1.0}
    pieces = resampled(lambda t: sign * functions[name](t))
    branch = monotonic_branch(pieces, 0.0, 1.0, lambda values: np.full(values.shape, 1e-7))
    assert isinstance(branch, Branch)
    t = np.concatenate([np.random.default_rng(5).uniform(0.0, 1.0, 20_000), pieces.edges])
    targets = np.clip(pieces.derivative(t, 0), branch.lowest, branch.highest)
    found = branch.solve(targets)
    slopes = np.abs(pieces.derivative(np.clip(found, 0.0, 1.0), 1))
    errors = np.abs(pieces.derivative(np.clip(found, 0.0, 1.0), 0) - targets)
    np.testing.assert_array_less(errors, 1e-14 + 1e-12 * slopes)
