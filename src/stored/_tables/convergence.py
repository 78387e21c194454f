"""How do the errors of a polynomial fall as it gets more nodes, and will they fall far enough?"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from stored._tables.leja import MOST_NODES

__all__ = ["GENERATIONS", "History", "falls_fast", "is_hopeless", "is_noise", "is_promising"]

History: TypeAlias = list[tuple[int, float]]
"""Numbers of nodes, and the errors of the polynomials through them."""

GENERATIONS = 2
"""The errors of a part are compared with those of the part that was halved so many times to get it."""

_FAST = 0.02
"""Errors of a smooth function fall to this fraction or less, while the number of nodes doubles."""

_NOT_LESS = 0.8
"""Errors that are on average more than this fraction of those of a wider part are noise."""

_IN_A_ROW = 2
"""A polynomial is not judged by one error alone, but by so many in a row."""

_FEW = 3
"""So many errors are compared at least, as one alone may have missed a kink."""


def falls_fast(history: History) -> bool:
    """Do the errors fall as those of smooth functions do?"""
    late = _since_half_as_many_nodes(history)
    return len(late) > _IN_A_ROW and max(late[-_IN_A_ROW:]) <= _FAST * late[0]


def is_noise(history: History, earlier: list[History]) -> bool:
    """Are the errors of a part the same as those of a wider one? Beside a kink they fall with the width.

    Parameters
    ----------
    history : list of (int, float)
        Of the part.
    earlier : list of list of (int, float)
        Of the parts that were halved to get it, the widest first.
    """
    if len(earlier) < GENERATIONS:
        return False
    before = dict(earlier[0])
    ratios = [error / before[number] for number, error in history if before.get(number)]
    return len(ratios) >= _FEW and float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-300))))) > _NOT_LESS


def is_promising(history: History, wanted: float) -> bool:
    """Is the last error nearly small enough, and the one before it not much larger, as it would be by chance?"""
    last = [error for _, error in history[-_IN_A_ROW:]]
    return len(last) == _IN_A_ROW and last[1] <= 2.0 * wanted and last[0] <= 20.0 * wanted


def is_hopeless(history: History, allowed: float) -> bool:
    """Would a polynomial need more than `MOST_NODES` nodes, if its errors went on to fall as they did?"""
    late = _since_half_as_many_nodes(history)
    before, now = max(late[:_FEW]), max(late[-_FEW:])
    if history[-1][1] <= allowed or len(late) <= _FEW:
        return False
    if allowed == 0.0 or now >= before:
        return True
    number = history[-1][0]
    return number * (1.0 + 0.5 * math.log(allowed / now) / math.log(now / before)) > MOST_NODES


def _since_half_as_many_nodes(history: History) -> list[float]:
    return [error for number, error in history if 2 * number >= history[-1][0]]
