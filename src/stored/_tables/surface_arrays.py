"""The fast way of arrays along several axes: what needs no care is evaluated in few passes, or as single numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.method_values import REAL_KINDS
from stored._tables.patches import CHUNK, Patches
from stored._tables.real_numbers import real_number
from stored._tables.surface_code import SurfaceFunction

__all__ = ["SurfaceArrays"]

_FEW = 32
"""So many points are evaluated one by one, which takes less time than numpy's calls do."""

_FLOAT = np.dtype(float)


class SurfaceArrays:
    """A function of arrays and numbers, at least one array among them, within the limits of axes.

    Parameters
    ----------
    axes : sequence of Axis
        The axes.
    patches : Patches
        The polynomials.
    log : bool
        Are they the logarithm of the function?
    several : callable
        The function of sequences of floats, which returns a list, or None if it cannot be evaluated at one of them.
    """

    def __init__(self, axes: Sequence[Axis], patches: Patches, log: bool, several: SurfaceFunction) -> None:
        self._axes = axes
        self._patches = patches
        self._log = log
        self._several = several

    def __call__(self, *x: Any) -> Floats | None:
        """The values, in the broadcast shape; None if there is anything but real numbers, or a point outside."""
        points: list[Any] = []
        shape: Any = None
        for each in x:
            if type(each) is not np.ndarray:
                number = real_number(each)
                if math.isnan(number):
                    return None
                points.append(itertools.repeat(number))
                continue
            if each.size > _FEW or (shape is not None and each.shape != shape):
                return self._many(x)
            if each.dtype is not _FLOAT:
                if each.dtype.kind not in REAL_KINDS:
                    return None
                each = each.astype(float)
            shape = each.shape
            points.append(each.tolist() if len(shape) == 1 else each.ravel().tolist())
        values = self._several(*points)
        if values is None:
            return None
        found = np.array(values, dtype=float)
        return found if found.shape == shape else found.reshape(shape)

    def _many(self, x: Sequence[Any]) -> Floats | None:
        """The same of more points, or of arrays of different shapes."""
        given = [each if type(each) is np.ndarray else real_number(each) for each in x]
        arrays = [each for each in given if type(each) is np.ndarray]
        if not all(each.dtype.kind in REAL_KINDS for each in arrays):
            return None
        if any(type(each) is float and math.isnan(each) for each in given):
            return None
        shape = arrays[0].shape
        if any(each.shape != shape for each in arrays):
            try:
                shape = np.broadcast(*arrays).shape
            except ValueError:
                return None
        values = self.inside([_flat(each, shape) for each in given], math.prod(shape))
        return None if values is None else values.reshape(shape)

    def inside(self, x: Sequence[Floats | float], size: int) -> Floats | None:
        """The values at so many points, in chunks that stay in the cache; None if one is not inside.

        Parameters
        ----------
        x : sequence of (ndarray or float)
            Along each axis, the arguments of shape (n,), or one for all points.
        size : int
            Their number.
        """
        values = np.empty(size)
        points = np.empty((len(x), min(CHUNK, size)))
        space = self._patches.work_space(size)
        for start in range(0, size, CHUNK):
            out = values[start : start + CHUNK]
            chunk = points[:, : out.size]
            for row, each in zip(chunk, x, strict=True):
                row[...] = each[start : start + CHUNK] if isinstance(each, np.ndarray) else each
            if not self._to_coordinates(chunk):
                return None
            self._patches.evaluate(chunk, out, space)
            if self._log:
                np.exp(out, out=out)
        return values

    def _to_coordinates(self, points: Floats) -> bool:
        """Replace arguments by coordinates, if all are inside."""
        least, most = np.minimum.reduce(points, axis=1).tolist(), np.maximum.reduce(points, axis=1).tolist()
        for axis, low, high in zip(self._axes, least, most, strict=True):
            if not (axis.low <= low and high <= axis.high):
                return False
        for axis, each in zip(self._axes, points, strict=True):
            if axis.spacing != "linear":
                each[...] = axis.forward(each)
        return True


def _flat(x: Any, shape: tuple[int, ...]) -> Floats | float:
    if type(x) is float:
        return x
    return (x if x.shape == shape else np.broadcast_to(x, shape)).ravel()
