"""At which arguments does a curve have a value: on a monotonic branch, or anywhere?"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.arguments import read_argument
from stored._tables.axis import Axis, Floats
from stored._tables.chain_rule import coordinate_derivatives
from stored._tables.interpolant import outside_error
from stored._tables.newton_inverse import NewtonInverse
from stored._tables.piece_rows import PieceRows
from stored._tables.pieces import Pieces
from stored._tables.roots import RootFinder
from stored._tables.short_ways import branch_key, one_by_one
from stored._tables.solve import Branch, monotonic_branch
from stored._tables.tolerance import Tolerance
from stored.errors import OutsideValuesError, TableError

__all__ = ["InverseSolver"]

_TURN_PER_ERROR, _LEAST_TURN = 4.0, 0.5
"""The interpolant may turn back by so many times its measured error, but at least by this fraction of the tolerance."""


_MOST_ONE_BY_ONE = 64

_MOST_BRANCHES = 64
"""So many branches are remembered."""


_CHUNK = 8192
"""So many values are solved for at once."""


class InverseSolver:
    """From values of a curve to its arguments.

    Parameters
    ----------
    fit : Pieces
        The curve, or its logarithm, over the coordinate.
    rows : PieceRows
        The places of the pieces.
    axis : Axis
        The axis of its argument.
    label : str
        What messages call the curve.
    unit : Unit or None
        The unit of its values.
    log : bool
        Are the pieces the logarithm of the curve?
    error : float
        The measured error, as `Interpolant` has it.
    largest : float
        The largest absolute value of the curve.
    numbers : dict
        Where functions of single values are to be put, by their branch.
    """

    def __init__(
        self,
        fit: Pieces,
        rows: PieceRows,
        axis: Axis,
        label: str,
        unit: Any,
        log: bool,
        error: float,
        largest: float,
        numbers: dict[object, Callable[[Any], Any]],
    ) -> None:
        self._fit = fit
        self._rows = rows
        self._axis = axis
        self._label = label
        self._unit = unit
        self._log = log
        self._error = error
        self._largest = largest
        self._numbers = numbers
        self._branches: dict[tuple[float, float], tuple[Branch, NewtonInverse]] = {}

    def solve(self, y: Any, limits: tuple[Any, Any] | None) -> Any:
        """The arguments at which the curve has values, between limits of the argument or on the whole axis."""
        if self._unit is None is self._axis.unit:
            found = one_by_one(self._numbers.get(branch_key(limits)), _MOST_ONE_BY_ONE, y)
            if found is not None:
                return found
        given = read_argument(self._what, self._unit, y)
        (values,) = given.points
        branch, newton = self._branch(limits)
        flat = values.ravel()
        with np.errstate(divide="ignore", invalid="ignore"):
            interpolated = np.log(flat) if self._log else flat
        if (
            branch.lowest <= interpolated.min(initial=math.inf)
            and interpolated.max(initial=-math.inf) <= branch.highest
        ):
            x = self._arguments(interpolated, branch, newton)
        else:
            x = self._arguments_anywhere(flat, interpolated, branch, newton)
        return given.result(x.reshape(values.shape), self._axis.unit)

    @property
    def _what(self) -> str:
        return f"value of {self._label}"

    def _arguments_anywhere(self, flat: Floats, interpolated: Floats, branch: Branch, newton: NewtonInverse) -> Floats:
        """The arguments of values, some of which may be NaN or not taken."""
        is_outside = self._is_outside(interpolated, branch) | (np.isnan(interpolated) & ~np.isnan(flat))
        if is_outside.any() and self._axis.outside not in {"nan", "clip"}:
            unit = "" if self._unit is None else str(self._unit)
            raise OutsideValuesError(self._label, float(flat[is_outside][0]), *self._value_range(branch), unit=unit)
        targets = np.clip(np.nan_to_num(interpolated, nan=branch.lowest), branch.lowest, branch.highest)
        x = self._arguments(targets, branch, newton)
        x[np.isnan(flat) | (is_outside & (self._axis.outside == "nan"))] = math.nan
        return x

    def _arguments(self, targets: Floats, branch: Branch, newton: NewtonInverse) -> Floats:
        """The arguments at which the pieces have values that they take."""
        x, good = newton.solve(targets)
        left = np.flatnonzero(~good)
        for start in range(0, left.size, _CHUNK):
            some = left[start : start + _CHUNK]
            bracketed = np.clip(self._axis.backward(branch.solve(targets[some])), *branch.limits)
            x[some] = self._polish(bracketed, targets[some], branch)
        return x

    def _is_outside(self, interpolated: Floats, branch: Branch) -> Any:
        """Which values are not taken on a branch, even if they are changed by twice the error they may have."""
        margins = 2.0 * self._allowed_error(np.array([branch.lowest, branch.highest]))
        return (interpolated < branch.lowest - margins[0]) | (interpolated > branch.highest + margins[1])

    def _value_range(self, branch: Branch) -> tuple[float, float]:
        ends = np.array([branch.lowest, branch.highest])
        low, high = (np.exp(ends) if self._log else ends).tolist()
        return low, high

    def _allowed_error(self, values: Floats) -> Floats:
        """The error that interpolated values may have."""
        if self._axis.points is not None:
            scale = 1.0 if self._log else self._largest
            return np.full(values.shape, self._error * scale)
        return Tolerance.of((self._axis,)).at(values)

    def _turn_allowance(self, values: Floats) -> Floats:
        """By how much interpolated values may turn back beside a kink; those of a spline may not."""
        if self._axis.points is not None:
            return np.zeros(values.shape)
        share = min(1.0, max(_TURN_PER_ERROR * self._error / Tolerance.of((self._axis,)).asked, _LEAST_TURN))
        return np.asarray(share * self._allowed_error(values))

    def _polish(self, x: Floats, targets: Floats, branch: Branch) -> Floats:
        """Improve arguments by Newton's method, as they were rounded on the way from the coordinate."""
        for _ in range(2):
            t = self._axis.forward(x)
            residual = self._fit.derivative(t, 0) - targets
            slope = self._fit.derivative(t, 1) * coordinate_derivatives(self._axis, x, t)[0]
            with np.errstate(divide="ignore", invalid="ignore"):
                better = np.clip(x - residual / slope, *branch.limits)
            better = np.where(np.isfinite(better), better, x)
            improved = np.abs(self._fit.derivative(self._axis.forward(better), 0) - targets) < np.abs(residual)
            x = np.where(improved, better, x)
        return x

    def _branch(self, limits: tuple[float, float] | None) -> tuple[Branch, NewtonInverse]:
        """The branch between limits; one that is asked for again gets its short way."""
        low, high = (self._axis.low, self._axis.high) if limits is None else _check_limits(limits, self._axis)
        key = (float(low), float(high))
        found = self._branches.get(key)
        if found is None:
            return self._new_branch(key)
        if isinstance(self._axis.spacing, str) and branch_key(limits) is limits and limits not in self._numbers:
            self._numbers[limits] = found[1].of_number(self._what, self._unit, self._log)
        return found

    def _new_branch(self, key: tuple[float, float]) -> tuple[Branch, NewtonInverse]:
        t = self._axis.forward(np.array(key))
        branch = monotonic_branch(self._fit, float(t[0]), float(t[1]), self._turn_allowance)
        if not isinstance(branch, Branch):
            raise self._not_monotonic_error(key, branch)
        branch.limits = key
        if len(self._branches) >= _MOST_BRANCHES:
            self._branches.clear()
            self._numbers.clear()
        found = self._branches[key] = branch, NewtonInverse(branch, self._fit, self._rows, self._axis)
        return found

    def _not_monotonic_error(self, limits: tuple[float, float], turn: float | None) -> TableError:
        low, high = map(self._axis.shown, limits)
        where = f"between {self._axis.name} = {low} and {high}"
        if turn is None:
            return TableError(f"{self._label}() has no inverse {where}: it has the same value throughout")
        at = self._axis.shown(float(self._axis.backward(np.array(turn))))
        return TableError(
            f"{self._label}() has no inverse {where}: it turns near {self._axis.name} = {at}; choose a range in which"
            f" it only rises or only falls, such as branch=({low}, {at})"
        )

    def roots(self, value: Any) -> Any:
        """All arguments at which the curve has a value, increasing."""
        is_zero = type(value) in {int, float} and value == 0.0 and not hasattr(self._unit, "function_unit")
        unit = None if is_zero else self._unit
        given = read_argument("value", unit, value)
        (target,) = given.points
        if target.ndim or given.labels is not None:
            raise TypeError(f"value is {value!r}; roots() takes one number at a time")
        return self._axis.argument(self._roots(target))

    def _roots(self, target: Floats) -> Floats:
        if not np.isfinite(target) or (self._log and target <= 0.0):
            return np.empty(0)
        interpolated = np.asarray(np.log(target) if self._log else target)
        allowance = float(self._turn_allowance(interpolated))
        return self._axis.backward(self._find_roots(float(interpolated), allowance))

    @functools.cached_property
    def _find_roots(self) -> RootFinder:
        return RootFinder(self._fit)


def _check_limits(branch: object, axis: Axis) -> tuple[float, float]:
    if not (isinstance(branch, tuple) and len(branch) == 2):
        raise TypeError(f"branch is {branch!r}; give the limits of {axis.name} as a pair of numbers")
    low, high = (_limit(axis, each) for each in branch)
    if not low < high:
        raise ValueError(
            f"branch runs from {axis.shown(low)} to {axis.shown(high)}; its first limit must be the smaller"
        )
    for each in (low, high):
        if not axis.low <= each <= axis.high:
            raise outside_error(axis, each, "choose a branch within it")
    return low, high


def _limit(axis: Axis, given: Any) -> float:
    (found,) = read_argument(axis.name, axis.unit, given).points
    if found.ndim:
        raise TypeError(f"limit of a branch is {given!r}; give single numbers")
    return float(found)
