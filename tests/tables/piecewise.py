"""Piecewise polynomials, for the tests of several modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stored import Axis
from stored._tables.fit_curve import sample_curve
from stored._tables.pieces import DEGREE, Pieces
from stored._tables.quick_values import quick_values
from stored._tables.resample_curve import resample_curve

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda t: np.exp(-t) * np.sin(7.0 * t),
    "divided": lambda t: 1.0 + np.abs(t - 0.3),
    "one piece": lambda t: 1.0 + t,
    "deep": lambda t: 1.0 + np.sqrt(t),
}


def resampled(function: Callable[[Any], Any], low: float = 0.0, high: float = 1.0) -> Pieces:
    axis = Axis("x", low, high, rtol=1e-6, atol=1e-7)
    return resample_curve(sample_curve(lambda t, singly: function(t), (low, high), axis, "f").parts, low, high)


def values_at(pieces: Pieces, t: Any) -> Any:
    return quick_values(pieces, Axis("t", pieces.low, pieces.high), False)(t)


def divided_pieces(seed: int, low: float = -1.0, high: float = 2.5) -> Pieces:
    """Random polynomials in five cells, one of which is divided, and again in the middle of it."""
    depths = np.array([0, 0, *[1] * 7, *[2] * 16, *[1] * 8, 0, *[1] * 16], dtype=np.uint8)
    coefficients = np.random.default_rng(seed).normal(size=(depths.size, DEGREE + 1))
    return Pieces(low, high, coefficients, depths)
