"""The fast inverse of a monotonic branch: two Newton steps, of which the last is made in the argument.

The first guess is a polynomial of the value between two edges of pieces, which has the inverse's first and second
derivatives at both (quintic Hermite interpolation). The last step begins at a rounded argument, as the curve is
evaluated there: what it neglects is below rounding, as it is only taken if it is short. What does not converge so is
left to `Branch.solve`, which brackets.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Axis, Floats
from stored._tables.chain_rule import argument_slopes
from stored._tables.piece_rows import PieceRows, python_rows
from stored._tables.pieces import Pieces
from stored._tables.polynomial_code import COEFFICIENTS, compiled, horner, residual_code
from stored._tables.real_numbers import number_reader
from stored._tables.solve import Branch
from stored._tables.units import with_unit

__all__ = ["NewtonInverse"]

_CHUNK = 4096
"""So many values are solved for at once: what is computed of them stays in the second-level cache."""

_MOST_STEPS = 10

_CLOSE = 1e-5
"""After a step of this fraction of a piece, the next one is about the square of it."""

_NEGLIGIBLE = 1e-9
"""What a step of this fraction of a piece neglects is below the rounding of its polynomial."""

_GOOD_GUESS = 0.05
"""A first guess is used if its values err by less than this fraction of those between two edges."""

_GUESS = [f"g{power}" for power in range(6)]

_NAMES = ["begin", "per_rise", *_GUESS, "upper", *COEFFICIENTS, "scale", "offset", "width"]

_ARRAYS = f"""
def make():
    def guess(z, {", ".join(_GUESS)}):
        return {horner(_GUESS, "z")}

    def newton(u, target, {", ".join(COEFFICIENTS)}):
        {residual_code(8)}
        return residual, slope
    return guess, newton
"""

_NUMBER = """
def make(read, result, lowest, highest, low, high, start, per_unit, values, rows, forward):
    def inverse(y):
        {read}
        try:
            {log}
            if lowest <= y <= highest:
                target = {signed}
                {names} = rows[bisect(values, target)]
                z = (target - begin) * per_rise
                u = {guess}
                if u < g0:
                    u = g0
                elif u > upper:
                    u = upper
                for _ in steps:
                    {residual}
                    step = residual / slope
                    u -= step
                    if u < g0:
                        u = g0
                    elif u > upper:
                        u = upper
                    if {close} >= step >= -{close}:
                        break
                x = {argument}
                u = ({coordinate} - start) * per_unit * scale - offset
                {last_residual}
                step = residual / slope
                if {negligible} >= step >= -{negligible} and 0.0 <= u <= 1.0 and 0.0 <= u - step <= 1.0:
                    x -= {change}
                    if x < low:
                        x = low
                    elif x > high:
                        x = high
                    return {result}
        except (ArithmeticError, ValueError):  # where arrays have infinities and NaN
            return None
    return inverse
"""

_ARGUMENT = {"linear": "{}", "log": "exp({})", "log1p": "expm1({})"}

_CHANGE = {"linear": "step * width", "log": "step * width * x", "log1p": "step * width * (1.0 + x)"}


class NewtonInverse:
    """From values on a branch to arguments.

    Parameters
    ----------
    branch : Branch
        The branch.
    pieces : Pieces
        The curve, or its logarithm.
    rows : PieceRows
        The places of its pieces.
    axis : Axis
        The axis of its argument.
    """

    def __init__(self, branch: Branch, pieces: Pieces, rows: PieceRows, axis: Axis) -> None:
        self._branch = branch
        self._rows = rows
        self._axis = axis
        coefficients = branch.sign * pieces.coefficients[branch.piece]
        with np.errstate(all="ignore"):
            guesses = _first_guesses(branch, coefficients)
        guesses[_beside_jump(pieces, branch.piece)] = np.nan  # x might be rounded to the other side of it
        rise = np.diff(branch.values)
        with np.errstate(divide="ignore"):
            per_rise = 1.0 / rise
        places = rows.scales[branch.piece], rows.offsets[branch.piece], pieces.widths[branch.piece]
        columns = (branch.values[:-1], per_rise, guesses, branch.upper, coefficients, *places)
        self._table: Floats = np.column_stack(columns)
        self._guess, self._newton = compiled(_ARRAYS)()

    def solve(self, targets: Floats) -> tuple[Floats, NDArray[np.bool]]:
        """The arguments at which the curve has values between the lowest and the highest, and which of them are good.

        Parameters
        ----------
        targets : ndarray, shape (n,)
            Values, or their logarithms.
        """
        x, good = np.empty(targets.size), np.empty(targets.size, dtype=bool)
        space = np.empty((min(_CHUNK, targets.size), len(_NAMES)))
        with np.errstate(all="ignore"):
            for start in range(0, targets.size, _CHUNK):
                chunk = slice(start, start + _CHUNK)
                x[chunk], good[chunk] = self._solve_chunk(self._branch.sign * targets[chunk], space)
        return x, good

    def _solve_chunk(self, targets: Floats, space: Floats) -> tuple[Floats, NDArray[np.bool]]:
        rows = space[: targets.size]
        place = self._branch.values[1:-1].searchsorted(targets, side="right")
        begin, per_rise, *columns = self._table.take(place, axis=0, out=rows, mode="clip").T
        guess, (upper, *coefficients), (scale, offset, width) = columns[:6], columns[6:-3], columns[-3:]
        lower = guess[0]
        u = _clip(self._guess((targets - begin) * per_rise, *guess), lower, upper)
        residual, slope = self._newton(u, targets, *coefficients)
        step = residual / slope
        u = _clip(u - step, lower, upper)
        left = np.flatnonzero(np.abs(step) > _CLOSE)
        for _ in range(_MOST_STEPS - 1):
            if not left.size:
                break
            residual, slope = self._newton(u[left], targets[left], *(each[left] for each in coefficients))
            step = residual / slope
            u[left] = _clip(u[left] - step, lower[left], upper[left])
            left = left[np.abs(step) > _CLOSE]
        x = self._axis.unclipped_backward(self._rows.low + (offset + u) * width)
        t = self._axis.forward(x)
        u = (t - self._rows.low) * self._rows.per_unit * scale - offset
        residual, slope = self._newton(u, targets, *coefficients)
        step = residual / slope
        after = u - step
        good = (np.abs(step) <= _NEGLIGIBLE) & (np.minimum(u, after) >= 0.0) & (np.maximum(u, after) <= 1.0)
        return _clip(x - self._change(step * width, x, t), *self._branch.limits), good

    def _change(self, step: Floats, x: Floats, t: Floats) -> Floats:
        """The change of the argument with a small one of the coordinate."""
        spacing = self._axis.spacing
        if spacing == "linear":
            return step
        if isinstance(spacing, str):
            return np.asarray(step * (x if spacing == "log" else 1.0 + x))
        return np.asarray(step * argument_slopes(self._axis, np.clip(t, *self._axis.coordinate_limits())))

    def of_number(self, what: str, unit: Any, log: bool) -> Callable[[Any], Any]:
        """The same as a function of one number, or quantity, which returns None for what it does not take.

        Parameters
        ----------
        what : str
            What messages call the number.
        unit : Unit or None
            Its unit.
        log : bool
            Is the curve the exponential of the pieces?
        """
        axis, branch, spacing = self._axis, self._branch, str(self._axis.spacing)
        make = compiled(
            _NUMBER.format(
                read="y = read(y)" if unit is not None else "if y.__class__ is not float: y = read(y)",
                log="y = log(y)" if log else "pass",
                signed="y" if branch.sign > 0.0 else "-y",
                names=", ".join(_NAMES),
                guess=horner(_GUESS, "z"),
                residual=residual_code(20),
                last_residual=residual_code(16),
                argument=_ARGUMENT[spacing].format("start + (offset + u) * width"),
                coordinate="x" if spacing == "linear" else "forward(x)",
                change=_CHANGE[spacing],
                close=_CLOSE,
                negligible=_NEGLIGIBLE,
                result="x" if axis.unit is None else "result(x)",
            ),
            bisect=bisect_right,
            steps=range(_MOST_STEPS),
            exp=math.exp,
            expm1=math.expm1,
            log=math.log,
        )
        ends = branch.lowest, branch.highest, *branch.limits, self._rows.low, self._rows.per_unit
        read = number_reader(what, unit)
        values, rows = python_rows(branch.values[1:-1]), python_rows(self._table)
        found: Callable[[Any], Any] = make(
            read, lambda x: with_unit(x, axis.unit), *ends, values, rows, axis.scalar_forward()
        )
        return found


def _clip(u: Floats, lower: Any, upper: Any) -> Floats:
    return np.asarray(np.minimum(np.maximum(u, lower), upper))


def _first_guesses(branch: Branch, coefficients: Floats) -> Floats:
    """For each interval the polynomial from the rise within it, 0 to 1, to u; shape (n, 6)."""
    lower, upper, rise = branch.lower, branch.upper, np.diff(branch.values)
    ends = [_derivatives(coefficients, u, rise) for u in (lower, upper)]
    (d0, s0), (d1, s1) = ends
    across = upper - lower
    a, b, c = across - d0 - 0.5 * s0, d1 - d0 - s0, s1 - s0
    higher = [10.0 * a - 4.0 * b + 0.5 * c, -15.0 * a + 7.0 * b - c, 6.0 * a - 3.0 * b + 0.5 * c]
    guesses = np.column_stack([lower, d0, 0.5 * s0, *higher])
    linear = np.column_stack([lower, across, *np.zeros((4, lower.size))])
    z = np.linspace(0.0, 1.0, 9)[:, None]
    guessed = np.polynomial.polynomial.polyval(z, guesses.T, tensor=False)
    values = np.polynomial.polynomial.polyval(guessed, coefficients.T, tensor=False)
    wrong = np.abs(values - (branch.values[:-1] + z * rise)).max(axis=0)
    return np.where((wrong <= _GOOD_GUESS * rise)[:, None], guesses, linear)


def _derivatives(coefficients: Floats, u: Floats, rise: Floats) -> tuple[Floats, Floats]:
    """The first and second derivatives of the inverse of polynomials at u, where they change by `rise` in a unit."""
    first, second = (
        np.polynomial.polynomial.polyval(u, np.polynomial.polynomial.polyder(coefficients.T, nu), tensor=False)
        for nu in (1, 2)
    )
    return rise / first, -second * rise**2 / first**3


def _beside_jump(pieces: Pieces, piece: NDArray[np.intp]) -> NDArray[np.bool]:
    """Which of these pieces do not join their neighbours, but for rounding?"""
    ends = np.sum(pieces.coefficients, axis=1)[:-1]
    starts = pieces.coefficients[1:, 0]
    scale = np.sum(np.abs(pieces.coefficients), axis=1)
    jumps = np.abs(starts - ends) > 64.0 * np.finfo(float).eps * np.maximum(scale[1:], scale[:-1])
    beside = np.zeros(len(scale), dtype=bool)
    beside[1:] |= jumps
    beside[:-1] |= jumps
    return beside[piece]
