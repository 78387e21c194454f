"""Where must a function of one number be sampled, so that polynomials approximate it to a tolerance?

The axis is halved where the function is not smooth. On each part the function is sampled at Leja points, a few more in
each round, until the polynomial through them agrees with values that it was not fitted to. `resample_curve` then makes
pieces of degree 5 of the polynomials, of which evaluation only has to pick one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.convergence import falls_fast, is_hopeless, is_noise, is_promising
from stored._tables.leja import MOST_NODES, leja_points
from stored._tables.part import Part
from stored._tables.tolerance import Tolerance
from stored.errors import ToleranceError

__all__ = ["SampledCurve", "sample_curve"]

Evaluate: TypeAlias = Callable[[Floats, bool], Floats]
"""From coordinates to interpolated values; True asks for calls with single numbers."""

_FIRST_ROOT, _FIRST = 17, 7
"""The number of nodes to begin with, on the whole axis and on a part of it."""

_BEFORE_HALVING_ROOT, _BEFORE_HALVING = 33, 21
"""The number of nodes from which the whole axis, or a part of it, may be halved."""

_HELD_OUT = 0.5 - 0.5 * np.cos(math.pi * np.modf(np.arange(1, 13) * (math.sqrt(5.0) - 1.0) / 2.0)[0])
"""Where in a part the function is held out from the fit: closer towards its ends, as nodes are, and never at one."""

_ENOUGH_HELD_OUT = 6

_SAFETY, _SAFETY_NOISE, _SAFETY_SLOW = 3.0, 12.0, 100.0
"""The error at points held out is multiplied by this: near a kink, where errors fall slowly, it can be far larger."""

_NOISE = 1e-14
"""Below this fraction of the largest value errors are rounding, and need not fall."""

_GRID = 128
"""The tolerance of a part is evaluated at the ends of so many equal cells."""

_NEARLY_ZERO = 1e-6
"""A function whose values fall below this fraction of the largest is said to pass zero."""


class SampledCurve(NamedTuple):
    """The polynomials that approximate a function, and their errors.

    Attributes
    ----------
    parts : list of Part
        In order; they cover the axis.
    held_out : tuple of (ndarray, ndarray)
        Coordinates and values that no polynomial was fitted to.
    allowed : ndarray
        The errors that are allowed there: more than the tolerance, where the function passes zero.
    """

    parts: list[Part]
    held_out: tuple[Floats, Floats]
    allowed: Floats


def sample_curve(evaluate: Evaluate, limits: tuple[float, float], axis: Axis, label: str) -> SampledCurve:
    """Sample a function to the tolerance of its axis.

    Parameters
    ----------
    evaluate : callable
        From coordinates to interpolated values; its second argument is True where it must be called with single
        numbers.
    limits : tuple of (float, float)
        The coordinates of the axis's limits.
    axis : Axis
        The axis.
    label : str
        What messages call the function.

    Raises
    ------
    ToleranceError
        If the tolerance is not met at `max_points` points.
    """
    evaluator = _Evaluator(evaluate, axis, label)
    tolerance = Tolerance.of((axis,))
    span = limits[1] - limits[0]
    fits = [_PartFit(Part(*limits, 0), span, tolerance)]
    done: list[Part] = []
    while fits:
        evaluator.evaluate(fits)
        for fit in fits:
            fit.advance(evaluator.known_values(fit.request.t))
            if fit.is_met is False and fit.part.is_too_narrow(span):
                raise evaluator.failure([fit.part], "jump")
        done += [fit.part for fit in fits if fit.is_met]
        fits = [each for fit in fits if not fit.is_met for each in fit.following()]
    return _sampled_curve(sorted(done, key=lambda part: part.low), tolerance)


def _sampled_curve(parts: list[Part], tolerance: Tolerance) -> SampledCurve:
    t, values = (np.concatenate([part.held_out[index] for part in parts]) for index in (0, 1))
    floors = np.concatenate([np.full(part.held_out[0].size, part.allowed) for part in parts])
    return SampledCurve(parts, (t, values), np.maximum(tolerance.at(values), floors))


# -- the fit of one part ----------------------------------------------------------------------------------------------


class _Request(NamedTuple):
    """Coordinates at which a fit needs values, and whether they must come from calls with single numbers."""

    t: Floats
    singly: bool


_Requests: TypeAlias = Generator[_Request, Floats, None]

_Fit: TypeAlias = Generator[_Request, Floats, bool]


class _PartFit:
    """The fit of a part, which waits for values.

    Parameters
    ----------
    part : Part
        The part.
    span : float
        The width of the axis, in the coordinate.
    tolerance : Tolerance
        The tolerance.

    Attributes
    ----------
    request : _Request
        What it waits for.
    is_met : bool or None
        Has it met the tolerance? None while that is not known.
    """

    def __init__(self, part: Part, span: float, tolerance: Tolerance) -> None:
        self.part = part
        self.is_met: bool | None = None
        self._span, self._tolerance = span, tolerance
        self._fit = _fit(part, span, tolerance)
        self.request = next(self._fit)

    def advance(self, values: Floats) -> None:
        """Go on with the values that were requested."""
        try:
            self.request = self._fit.send(values)
        except StopIteration as stop:
            self.is_met = stop.value

    def following(self) -> list[_PartFit]:
        """The fits to go on with: itself while it waits for values, then those of the two halves."""
        if self.is_met is None:
            return [self]
        return [_PartFit(half, self._span, self._tolerance) for half in self.part.halves()]


def _fit(part: Part, span: float, tolerance: Tolerance) -> _Fit:
    """Fit a part: yield requests for values, and return whether the tolerance was met."""
    first, before_halving = (_FIRST, _BEFORE_HALVING) if part.depth else (_FIRST_ROOT, _BEFORE_HALVING_ROOT)
    part.values = yield _Request(part.coordinates(leja_points(0, first)), False)
    while part.values.size < MOST_NODES:
        yield from _add_nodes(part)
        grid = part(np.linspace(-1.0, 1.0, _GRID + 1))
        part.allowed = tolerance.allowed(grid, (part.high - part.low) / span / _GRID)
        safety = _safety(part)
        if is_promising(part.history, part.allowed / safety):
            yield from _hold_out(part)
            part.error = _error_held_out(part)
            if safety * part.error <= part.allowed:
                return True
        if part.values.size >= before_halving and is_hopeless(part.history, part.allowed):
            return False
    return False


def _add_nodes(part: Part) -> _Requests:
    """Sample more nodes, and measure there the error of the polynomial without them."""
    size = part.values.size
    s = leja_points(size, min(size + max(4, size // 12), MOST_NODES))
    values = yield _Request(part.coordinates(s), False)
    part.error = float(np.max(np.abs(part(s) - values)))
    part.history.append((size, part.error))
    part.values = np.concatenate([part.values, values])


def _safety(part: Part) -> float:
    if falls_fast(part.history) or part.error <= _NOISE * float(np.max(np.abs(part.values))):
        return _SAFETY
    return _SAFETY_NOISE if is_noise(part.history, part.earlier) else _SAFETY_SLOW


def _hold_out(part: Part) -> _Requests:
    """Choose the values that the polynomial is checked against, unless there are some, and sample what is missing."""
    if part.held_out[0].size:
        return
    t, values = part.inherited
    if t.size < _ENOUGH_HELD_OUT:
        shares = _HELD_OUT if part.depth == 0 else _HELD_OUT[: _ENOUGH_HELD_OUT - t.size]
        new = part.low + (part.high - part.low) * shares
        t, values = np.concatenate([t, new]), np.concatenate([values, (yield _Request(new, True))])
    is_no_node = ~np.isin(t, part.nodes())
    part.held_out = t[is_no_node], values[is_no_node]


def _error_held_out(part: Part) -> float:
    t, values = part.held_out
    return float(np.max(np.abs(part(part.local(t)) - values), initial=0.0))


# -- evaluations ------------------------------------------------------------------------------------------------------


class _Evaluator:
    """Evaluates a function once at each point, and at no more points than its axis allows."""

    def __init__(self, evaluate: Evaluate, axis: Axis, label: str) -> None:
        self._evaluate = evaluate
        self._axis = axis
        self._label = label
        self._tolerance = Tolerance.of((axis,))
        self._known: dict[float, float] = {}

    def evaluate(self, fits: list[_PartFit]) -> None:
        """Evaluate what the fits request, in one call for all of them (and one for calls with single numbers)."""
        for singly in (False, True):
            wanted = [fit.request.t for fit in fits if fit.request.singly is singly]
            new = np.setdiff1d(np.concatenate([*wanted, np.empty(0)]), list(self._known))
            if len(self._known) + new.size > self._axis.max_points:
                raise self.failure([fit.part for fit in fits], "hard")
            if new.size:
                self._known.update(zip(new.tolist(), self._evaluate(new, singly).tolist(), strict=True))

    def known_values(self, t: Floats) -> Floats:
        """The values at coordinates that were requested."""
        return np.array([self._known[each] for each in t.tolist()])

    def failure(self, parts: list[Part], why: str) -> ToleranceError:
        """The error to raise when parts could not be fitted; it names the worst of them."""
        worst = max(parts, key=lambda part: part.error / part.allowed if part.allowed else part.error)
        low, high = self._axis.backward(np.array([worst.low, worst.high])).tolist()
        values = np.concatenate([worst.values, worst.inherited[1], worst.held_out[1]])
        scale = 1.0 if self._tolerance.log else float(np.max(np.abs(values), initial=0.0))
        return ToleranceError(
            self._label,
            self._axis.name,
            worst.error / scale if scale else worst.error,
            self._tolerance.asked,
            (low, high),
            len(self._known),
            "zero" if self._passes_zero() else why,
            self._axis.unit_text.strip(),
        )

    def _passes_zero(self) -> bool:
        """Does the function pass zero, near which no relative error is small?"""
        sizes = np.abs(list(self._known.values()))
        is_relative = not self._tolerance.log and not self._axis.atol and bool(sizes.size)
        return is_relative and bool(sizes.min() <= _NEARLY_ZERO * sizes.max())
