"""The fast inverse of a monotonic branch: a good guess, and a Newton step in the argument.

The last step begins at a rounded argument, as the curve is evaluated there: what it neglects is below rounding, as it
is only taken if it is short. Where the guess is not so good, more steps come before. What does not converge so is left
to `Branch.solve`, which brackets.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Axis, Floats
from stored._tables.buckets import Buckets
from stored._tables.chain_rule import argument_slopes
from stored._tables.code_template import made_by
from stored._tables.inverse_guess import GUESS, inverse_guesses
from stored._tables.piece_rows import PieceRows, python_rows
from stored._tables.pieces import Pieces
from stored._tables.polynomial_code import COEFFICIENTS, horner, residual_code
from stored._tables.real_numbers import number_reader, reading_code
from stored._tables.solve import Branch
from stored._tables.units import with_unit

__all__ = ["NewtonInverse"]

_CHUNK = 4096
"""So many values are solved for at once: what is computed of them stays in the second-level cache."""

_MOST_STEPS = 10

_CLOSE = 1e-7
"""After a step of this fraction of a piece, the next one is negligible, but where the curve stands nearly still."""

_NEGLIGIBLE = 1e-9
"""What a step of this fraction of a piece neglects is below the rounding of its polynomial."""

_BEST_SHARE = 0.1
"""Where all but this share of the guesses are good enough for the last step, it is tried first."""

_NAMES = ["begin", "per_rise", *GUESS, "upper", *COEFFICIENTS, "scale", "offset", "width"]

_ARRAYS = f"""
def make():
    def guess(z, {", ".join(GUESS)}):
        return {horner(GUESS, "z")}

    def newton(u, target, {", ".join(COEFFICIENTS)}):
        {residual_code(8)}
        return residual, slope
    return guess, newton
"""

_NUMBER = """
def make(read, result, lowest, highest, low, high, start, per_unit, values, rows, forward, attempts):
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
                for steps in attempts:
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
        guesses = inverse_guesses(branch, pieces)
        piece = guesses.piece
        places = rows.scales[piece], rows.offsets[piece], pieces.widths[piece]
        columns = guesses.begin, guesses.per_rise, guesses.powers, guesses.upper, guesses.coefficients, *places
        self._table: Floats = np.column_stack(columns)
        self._table[_beside_jump(pieces, piece)] = np.nan  # x might be rounded to the other side of it
        self._begins = guesses.begin[1:]
        self._buckets = Buckets(self._begins)
        is_close = np.mean(guesses.errors > 0.1 * _NEGLIGIBLE) <= _BEST_SHARE
        self._attempts = [range(0), range(_MOST_STEPS)] if is_close else [range(_MOST_STEPS)]
        self._guess, self._newton = made_by(_ARRAYS)()

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
        place = self._buckets.count_not_above(targets)
        columns = self._table.take(place, axis=0, out=space[: targets.size], mode="clip").T
        begin, per_rise, *powers = columns[: 2 + len(GUESS)]
        u = _clip(self._guess((targets - begin) * per_rise, *powers), powers[0], columns[2 + len(GUESS)])
        x, u, good = self._attempt(self._attempts[0], u, targets, columns)
        for steps in self._attempts[1:]:
            left = np.flatnonzero(~good)
            if left.size:
                x[left], u[left], good[left] = self._attempt(steps, u[left], targets[left], columns[:, left])
        return x, good

    def _attempt(
        self, steps: range, u: Floats, targets: Floats, columns: Floats
    ) -> tuple[Floats, Floats, NDArray[np.bool]]:
        """Arguments, the u of these before the last step, and whether they are good."""
        lower, (upper, *coefficients) = columns[2], columns[2 + len(GUESS) : -3]
        scale, offset, width = columns[-3:]
        left: Any = slice(None)
        for _ in steps:
            residual, slope = self._newton(u[left], targets[left], *(each[left] for each in coefficients))
            step = residual / slope
            u[left] = _clip(u[left] - step, lower[left], upper[left])
            far = np.flatnonzero(np.abs(step) > _CLOSE)
            left = far if isinstance(left, slice) else left[far]
            if not left.size:
                break
        x = self._axis.unclipped_backward(self._rows.low + (offset + u) * width)
        t = self._axis.forward(x)
        u = (t - self._rows.low) * self._rows.per_unit * scale - offset
        residual, slope = self._newton(u, targets, *coefficients)
        step = residual / slope
        after = u - step
        good = (np.abs(step) <= _NEGLIGIBLE) & (np.minimum(u, after) >= 0.0) & (np.maximum(u, after) <= 1.0)
        return _clip(x - self._change(step * width, x, t), *self._branch.limits), u, good

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
        make = made_by(
            _NUMBER.format(
                read=reading_code("y", unit),
                log="y = log(y)" if log else "pass",
                signed="y" if branch.sign > 0.0 else "-y",
                names=", ".join(_NAMES),
                guess=horner(GUESS, "z"),
                residual=residual_code(24),
                last_residual=residual_code(20),
                argument=_ARGUMENT[spacing].format("start + (offset + u) * width"),
                coordinate="x" if spacing == "linear" else "forward(x)",
                change=_CHANGE[spacing],
                close=_CLOSE,
                negligible=_NEGLIGIBLE,
                result="x" if axis.unit is None else "result(x)",
            ),
            bisect=bisect_right,
            exp=math.exp,
            expm1=math.expm1,
            log=math.log,
        )
        ends = branch.lowest, branch.highest, *branch.limits, self._rows.low, self._rows.per_unit
        read = number_reader(what, unit)
        tables = python_rows(self._begins), python_rows(self._table)
        found: Callable[[Any], Any] = make(
            read, lambda x: with_unit(x, axis.unit), *ends, *tables, axis.scalar_forward(), self._attempts
        )
        return found


def _clip(u: Floats, lower: Any, upper: Any) -> Floats:
    return np.asarray(np.minimum(np.maximum(u, lower), upper))


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
