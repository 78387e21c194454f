"""Between which of increasing values do numbers lie? By equal buckets, as a binary search mispredicts every branch."""

from __future__ import annotations

import math

import numpy as np

from stored._tables.axis import Floats
from stored._tables.pieces import Integers

__all__ = ["Buckets"]

_PER_VALUE = 4
"""So many buckets are there for each value."""

_FEWEST_VALUES = 8
"""Among fewer, a binary search is as quick."""


class Buckets:
    """A search like that of `numpy.searchsorted`, with ``side="right"``.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Increasing.
    """

    def __init__(self, values: Floats) -> None:
        self._values = values
        self._number = _PER_VALUE * values.size
        with np.errstate(all="ignore"):
            self._per_unit = float(self._number / np.ptp(values)) if values.size >= _FEWEST_VALUES else math.inf
        self._is_used = 0.0 < self._per_unit < math.inf
        if not self._is_used:
            return
        self._low = float(values[0])
        own = self._bucket(values)
        self._first = np.searchsorted(own, np.arange(self._number), side="left")
        following = np.searchsorted(own, np.arange(self._number), side="right")
        self._is_crowded = following - self._first > 1
        self._bounds = np.append(values, np.inf)

    def _bucket(self, numbers: Floats) -> Integers:
        """The bucket of each number; it never falls when the number rises, whatever is rounded."""
        with np.errstate(over="ignore"):
            scaled = (numbers - self._low) * self._per_unit
        return np.minimum(np.maximum(scaled, 0.0), self._number - 1.0).astype(np.intp)

    def count_not_above(self, numbers: Floats) -> Integers:
        """How many of the values are not above each number, shape (n,)."""
        if not self._is_used:
            return np.searchsorted(self._values, numbers, side="right")
        bucket = self._bucket(numbers)
        place = self._first.take(bucket)
        place += self._bounds.take(place) <= numbers
        crowded = np.flatnonzero(self._is_crowded.take(bucket))
        if crowded.size:
            place[crowded] = np.searchsorted(self._values, numbers[crowded], side="right")
        return place
