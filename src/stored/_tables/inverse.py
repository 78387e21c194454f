"""The inverse of a curve, and its roots, solved on the curve itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.chain_rule import coordinate_derivatives
from stored._tables.interpolant import as_given, real_numbers
from stored._tables.pieces import Pieces
from stored._tables.solve import Branch, crossings, monotonic_branch
from stored._tables.tolerance import Tolerance
from stored.errors import OutsideAxisError, OutsideValuesError, TableError

__all__ = ["Inverse"]

_TURN_PER_ERROR, _LEAST_TURN = 4.0, 0.5
"""The interpolant may turn back by so many times its measured error, or by this fraction of the tolerance."""


class Inverse:
    """From values of a curve to its arguments.

    Parameters
    ----------
    fit : Pieces
        The curve, or its logarithm, over the coordinate.
    axis : Axis
        Its argument.
    label : str
        What messages call the curve.
    log : bool
        Are the pieces the logarithm of the curve?
    error : float
        The measured error, as the interpolant shows it.
    largest : float
        The largest absolute value of the curve.
    """

    def __init__(self, fit: Pieces, axis: Axis, label: str, log: bool, error: float, largest: float) -> None:
        self._fit = fit
        self._axis = axis
        self._label = label
        self._log = log
        self._error = error
        self._largest = largest
        self._branches: dict[tuple[float, float], Branch] = {}

    def __call__(self, y: Any, branch: tuple[float, float] | None) -> Any:
        """The arguments at which the curve has values, on a branch or the whole axis."""
        wanted = real_numbers(f"value of {self._label}", y)
        found = self._branch(branch)
        flat = wanted.ravel()
        if self._log:
            with np.errstate(divide="ignore", invalid="ignore"):
                flat = np.log(flat)
        margin = 2.0 * self._margin(np.array([found.lowest, found.highest]))
        beyond = (
            (flat < found.lowest - margin[0])
            | (flat > found.highest + margin[1])
            | (np.isnan(flat) & ~np.isnan(wanted.ravel()))
        )
        if beyond.any() and self._axis.outside not in {"nan", "clip"}:
            raise OutsideValuesError(self._label, float(wanted.ravel()[beyond][0]), *self._value_range(found))
        missing = np.isnan(wanted.ravel()) | (beyond & (self._axis.outside == "nan"))
        target = np.clip(np.nan_to_num(flat, nan=found.lowest), found.lowest, found.highest)
        x = self._polished(np.clip(self._axis.backward(found.solve(target)), *found.limits), target, found)
        x[missing] = math.nan
        return as_given(x.reshape(wanted.shape), (y,))

    def _value_range(self, branch: Branch) -> tuple[float, float]:
        ends = np.array([branch.lowest, branch.highest])
        low, high = (np.exp(ends) if self._log else ends).tolist()
        return low, high

    def _margin(self, values: Floats) -> Floats:
        """The error that values may have, in the form in which they are interpolated."""
        if self._axis.points is not None:
            scale = 1.0 if self._log else self._largest
            return np.full(values.shape, self._error * scale)
        return Tolerance.of((self._axis,)).at(values)

    def _turn_allowance(self, values: Floats) -> Floats:
        """By how much the interpolant may turn back beside a kink; a spline may not."""
        if self._axis.points is not None:
            return np.zeros(values.shape)
        share = min(1.0, max(_TURN_PER_ERROR * self._error / Tolerance.of((self._axis,)).asked, _LEAST_TURN))
        return np.asarray(share * self._margin(values))

    def _polished(self, x: Floats, target: Floats, branch: Branch) -> Floats:
        """Newton's method on the argument itself: going through the coordinate and back has rounded it."""
        for _ in range(2):
            t = self._axis.forward(x)
            off = self._fit.derivative(t, 0) - target
            slope = self._fit.derivative(t, 1) * coordinate_derivatives(self._axis, x, t)[0]
            with np.errstate(divide="ignore", invalid="ignore"):
                better = np.clip(x - off / slope, *branch.limits)
            better = np.where(np.isfinite(better), better, x)
            improved = np.abs(self._fit.derivative(self._axis.forward(better), 0) - target) < np.abs(off)
            x = np.where(improved, better, x)
        return x

    def _branch(self, limits: tuple[float, float] | None) -> Branch:
        low, high = (self._axis.low, self._axis.high) if limits is None else _limits(limits, self._axis)
        key = (float(low), float(high))
        found = self._branches.get(key)
        if found is None:
            t = self._axis.forward(np.array(key))
            turn = monotonic_branch(self._fit, float(t[0]), float(t[1]), self._turn_allowance)
            if not isinstance(turn, Branch):
                raise self._not_monotonic(key, turn)
            turn.limits = key
            found = self._branches[key] = turn
        return found

    def _not_monotonic(self, limits: tuple[float, float], turn: float | None) -> TableError:
        where = f"between {self._axis.name} = {limits[0]!r} and {limits[1]!r}"
        if turn is None:
            return TableError(f"{self._label}() has no inverse {where}: it has the same value throughout")
        at = float(self._axis.backward(np.array(turn)))
        return TableError(
            f"{self._label}() has no inverse {where}: it turns near {self._axis.name} = {at!r}; choose a range in which"
            f" it only rises or only falls, such as branch=({limits[0]!r}, {at!r})"
        )

    def roots(self, value: float) -> Floats:
        """All arguments at which the curve has a value, increasing."""
        target = real_numbers("value", value)
        if target.ndim:
            raise TypeError(f"value is {value!r}; roots are asked for one number at a time")
        if not np.isfinite(target) or (self._log and target <= 0.0):
            return np.empty(0)
        form = np.log(target) if self._log else target
        return self._axis.backward(crossings(self._fit, float(form), float(self._turn_allowance(np.asarray(form)))))


def _limits(branch: object, axis: Axis) -> tuple[float, float]:
    if not (isinstance(branch, tuple) and len(branch) == 2):
        raise TypeError(f"branch is {branch!r}; give the limits of {axis.name} as a pair of numbers")
    low, high = (float(real_numbers(axis, each)) for each in branch)
    if not low < high:
        raise ValueError(f"branch runs from {low!r} to {high!r}; its first limit must be the smaller")
    for each in (low, high):
        if not axis.low <= each <= axis.high:
            raise OutsideAxisError(axis.name, each, axis.low, axis.high, "choose a branch within it")
    return low, high
