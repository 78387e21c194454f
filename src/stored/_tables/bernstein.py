"""Between which values does a polynomial lie? In the hull of its Bernstein coefficients (Farouki 2012, section 5.1).

R. T. Farouki, "The Bernstein polynomial basis: a centennial retrospective", Computer Aided Geometric Design 29, 379.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from stored._tables.axis import Floats

__all__ = ["to_bernstein"]


@functools.lru_cache(maxsize=8)
def _matrix(degree: int) -> Floats:
    powers = range(degree + 1)
    return np.array([[math.comb(row, power) / math.comb(degree, power) for power in powers] for row in powers])


def to_bernstein(powers: Floats, axis: int = -1) -> Floats:
    """Bernstein coefficients from those of powers of u, which runs from 0 to 1.

    Parameters
    ----------
    powers : ndarray
        Coefficients of u**0, u**1, ... along an axis.
    axis : int
        That axis.

    Returns
    -------
    ndarray
        Of the same shape. The polynomial lies between the smallest and the largest of them.
    """
    along_last = np.moveaxis(powers, axis, -1)
    return np.moveaxis(along_last @ _matrix(along_last.shape[-1] - 1).T, -1, axis)
