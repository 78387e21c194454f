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
