"""Where does a monotonic branch have a value, nearly? Polynomials of the value, between the edges of pieces and closer.

Each has the value, the first and the second derivative of the inverse at both ends of its interval (quintic Hermite
interpolation). Intervals in which one is poor are halved.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stored._tables.axis import Floats
from stored._tables.pieces import Integers, Pieces
from stored._tables.solve import Branch

__all__ = ["GUESS", "Guesses", "inverse_guesses"]

GUESS = [f"g{power}" for power in range(6)]
"""The names of the coefficients of the polynomials."""

_CLOSE = 1e-10
"""Guesses need not be better than this fraction of a piece."""

_MOST_HALVINGS = 6

_MOST_INTERVALS = 2048
"""Intervals are halved as long as there are not more than so many."""

_SAMPLES = np.linspace(0.0, 1.0, 9)[:, None]


class Guesses(NamedTuple):
    """The intervals, of increasing values.

    Attributes
    ----------
    piece : ndarray of int, shape (n,)
        The piece in which each lies.
    lower, upper : ndarray, shape (n,)
        The range of u.
    coefficients : ndarray, shape (n, 6)
        Of the piece's polynomial, negative if the function falls.
    begin, end : ndarray, shape (n,)
        The values of that at its ends.
    powers : ndarray, shape (n, 6)
        From the part of the rise, 0 to 1, to u.
    errors : ndarray, shape (n,)
        By how much u is wrong.
    """

    piece: Integers
    lower: Floats
    upper: Floats
    coefficients: Floats
    begin: Floats
    end: Floats
    powers: Floats
    errors: Floats

    @property
    def per_rise(self) -> Floats:
        """The part of the rise for a unit of the value; infinite where there is none."""
        with np.errstate(divide="ignore", over="ignore"):
            return 1.0 / (self.end - self.begin)


def inverse_guesses(branch: Branch, pieces: Pieces) -> Guesses:
    """Guesses for all values of a branch.

    Parameters
    ----------
    branch : Branch
        The branch.
    pieces : Pieces
        Its function.
    """
    intervals = branch.piece, branch.lower, branch.upper, branch.values[:-1], branch.values[1:]
    with np.errstate(all="ignore"):
        guesses = _guesses(branch.sign, pieces, *intervals)
        for _ in range(_MOST_HALVINGS):
            poor = guesses.errors > _CLOSE
            if not poor.any() or poor.size + np.count_nonzero(poor) > _MOST_INTERVALS:
                break
            guesses = _guesses(branch.sign, pieces, *_halved(guesses, poor))
    return guesses


def _guesses(
    sign: float, pieces: Pieces, piece: Integers, lower: Floats, upper: Floats, begin: Floats, end: Floats
) -> Guesses:
    coefficients = sign * pieces.coefficients[piece]
    rise, across = end - begin, upper - lower
    (d0, s0), (d1, s1) = (_inverse_derivatives(coefficients, u, rise) for u in (lower, upper))
    a, b, c = across - d0 - 0.5 * s0, d1 - d0 - s0, s1 - s0
    higher = [10.0 * a - 4.0 * b + 0.5 * c, -15.0 * a + 7.0 * b - c, 6.0 * a - 3.0 * b + 0.5 * c]
    quintic = np.column_stack([lower, d0, 0.5 * s0, *higher])
    line = np.column_stack([lower, across, *np.zeros((4, lower.size))])
    errors = [_errors(powers, coefficients, lower, upper, begin, rise) for powers in (quintic, line)]
    is_better = errors[0] < errors[1]
    powers = np.where(is_better[:, None], quintic, line)
    return Guesses(piece, lower, upper, coefficients, begin, end, powers, np.where(is_better, *errors))


def _inverse_derivatives(coefficients: Floats, u: Floats, rise: Floats) -> tuple[Floats, Floats]:
    """The first and the second derivative of the inverse of polynomials to the part of the rise, at u."""
    first, second = _derivative(coefficients, u, 1), _derivative(coefficients, u, 2)
    return rise / first, -second * rise**2 / first**3


def _derivative(coefficients: Floats, u: Floats, nu: int) -> Floats:
    powers = np.polynomial.polynomial.polyder(coefficients.T, nu)
    return np.asarray(np.polynomial.polynomial.polyval(u, powers, tensor=False))


def _errors(powers: Floats, coefficients: Floats, lower: Floats, upper: Floats, begin: Floats, rise: Floats) -> Floats:
    """By how much guesses are wrong, by a Newton step; infinite where that leads nowhere."""
    guessed = np.polynomial.polynomial.polyval(_SAMPLES, powers.T, tensor=False)
    u = np.asarray(np.minimum(np.maximum(guessed, lower), upper), dtype=float)
    residual = _derivative(coefficients, u, 0) - (begin + _SAMPLES * rise)
    steps = np.abs(residual / _derivative(coefficients, u, 1)).max(axis=0)
    return np.where(np.isnan(steps), np.inf, steps)


def _halved(guesses: Guesses, poor: NDArray[np.bool]) -> tuple[Integers, Floats, Floats, Floats, Floats]:
    """The intervals, with the poor ones halved in u."""
    middle = 0.5 * (guesses.lower + guesses.upper)
    value = np.clip(_derivative(guesses.coefficients, middle, 0), guesses.begin, guesses.end)
    number = np.repeat(np.arange(poor.size), 1 + poor)
    is_second = np.concatenate([[False], number[1:] == number[:-1]])
    is_first = np.concatenate([is_second[1:], [False]])
    lower, upper, begin, end = (each[number] for each in (guesses.lower, guesses.upper, guesses.begin, guesses.end))
    lower[is_second], begin[is_second] = middle[number][is_second], value[number][is_second]
    upper[is_first], end[is_first] = middle[number][is_first], value[number][is_first]
    return guesses.piece[number], lower, upper, begin, end
