"""What does a table hold?"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats

__all__ = ["Table"]


class Table(TypedDict):
    """A sampled function of one or two numbers.

    Attributes
    ----------
    nodes : list of ndarray
        For each axis, the arguments at which the function was sampled.
    values : ndarray
        The function there, with one dimension for each axis.
    held_out : list of ndarray
        For each axis the arguments, and last the values, that were not fitted, and at which the error was measured.
    limits : list of ndarray, shape (2,)
        For each axis, the coordinates of its limits.
    coefficients : ndarray
        Of the polynomials, as `Pieces` has them for one axis, and `Patches` for two.
    depths : ndarray of uint8
        As `Pieces` has them; for one axis only.
    error : float
        The largest error where the function was held out, as `Interpolant` has it.
    evaluations : int
        At how many points the function was evaluated, checks included.
    unit : Unit
        The unit of the values; only if they have one.
    """

    nodes: list[Floats]
    values: Floats
    held_out: list[Floats]
    limits: list[Floats]
    coefficients: Floats
    depths: NotRequired[NDArray[np.uint8]]
    error: float
    evaluations: int
    unit: NotRequired[Any]
