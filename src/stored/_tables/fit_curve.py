"""A function of one number, sampled until polynomials meet it to a tolerance.

The axis is halved where the function is not smooth. On each part the function is sampled at Leja points, a few more in
each round, until the polynomial through them meets values that it never saw. The polynomials are then resampled onto
pieces of degree 5, fine enough that evaluating is a matter of picking one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.leja import MOST_NODES, leja_points
from stored._tables.part import GENERATIONS, History, Part
from stored._tables.tolerance import Tolerance
from stored.errors import ToleranceError

__all__ = ["Sampled", "sample_curve"]

Evaluate: TypeAlias = Callable[[Floats, bool], Floats]
"""From coordinates to values, in the form in which they are interpolated; True asks for single calls."""

_FIRST_ROOT, _FIRST = 17, 7
"""The nodes to begin with, on the whole axis and on a part of it."""

_BEFORE_SPLIT_ROOT, _BEFORE_SPLIT = 33, 21

_HELD_OUT = 0.5 - 0.5 * np.cos(math.pi * np.modf(np.arange(1, 13) * (math.sqrt(5.0) - 1.0) / 2.0)[0])
"""Where in a part the function is held out from the fit: closer towards its ends, as nodes are, and never at one."""

_ENOUGH_HELD_OUT = 6

_SAFETY, _SAFETY_NOISE, _SAFETY_SLOW = 3.0, 12.0, 100.0
"""The error at points held out is taken times this: near a kink, where errors fall slowly, it can be far larger."""

_FAST = 0.02

_NOISE = 1e-14
"""Below this fraction of the largest value errors are rounding, and need not fall."""

_LIKE_BEFORE = 0.8

_IN_A_ROW = 2

_FEW = 3

_GRID = 128

_NEARLY_ZERO = 1e-6
"""A function whose values fall below this fraction of the largest is said to pass zero."""


class Sampled(NamedTuple):
    """What sampling gave.

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


Fitting: TypeAlias = Generator[tuple[Floats, bool], Floats, bool]


def _fitting(part: Part, span: float, tolerance: Tolerance) -> Fitting:
    """Fit a part: yields the coordinates whose values it needs, and returns whether the tolerance was met."""
    size = _FIRST if part.depth else _FIRST_ROOT
    part.values = yield part.coordinates(leja_points(0, size)), False
    history = part.history
    while size < MOST_NODES:
        larger = min(size + max(4, size // 12), MOST_NODES)
        seen = leja_points(size, larger)
        new = yield part.coordinates(seen), False
        part.error = float(np.max(np.abs(part(seen) - new)))
        part.values, size = np.concatenate([part.values, new]), larger
        history.append((larger - seen.size, part.error))
        grid = part(np.linspace(-1.0, 1.0, _GRID + 1))
        part.allowed = tolerance.allowed(grid, (part.high - part.low) / span / _GRID)
        is_smooth = _falls_fast(history) or part.error <= _NOISE * float(np.max(np.abs(part.values)))
        safety = _SAFETY if is_smooth else _SAFETY_NOISE if _is_noise(part) else _SAFETY_SLOW
        if _is_promising(history, part.allowed / safety):
            yield from _sample_held_out(part)
            if _meets(part, safety):
                return True
        if size >= (_BEFORE_SPLIT if part.depth else _BEFORE_SPLIT_ROOT) and _is_hopeless(history, part.allowed):
            return False
    return False


def _sample_held_out(part: Part) -> Generator[tuple[Floats, bool], Floats, None]:
    if part.held_out[0].size:
        return
    t, values = part.inherited
    if t.size < _ENOUGH_HELD_OUT:
        few = _HELD_OUT if part.depth == 0 else _HELD_OUT[: _ENOUGH_HELD_OUT - t.size]
        wanted = part.low + (part.high - part.low) * few
        t, values = np.concatenate([t, wanted]), np.concatenate([values, (yield wanted, True)])
    nodes = part.nodes()
    fresh = ~np.isin(t, nodes)
    part.held_out = t[fresh], values[fresh]


def _meets(part: Part, safety: float) -> bool:
    t, values = part.held_out
    part.error = float(np.max(np.abs(part(part.local(t)) - values), initial=0.0))
    return safety * part.error <= part.allowed


def _falls_fast(history: History) -> bool:
    """Do errors fall as those of smooth functions do: fiftyfold, while the nodes double?"""
    late = [error for number, error in history if 2 * number >= history[-1][0]]
    return len(late) > _IN_A_ROW and max(late[-_IN_A_ROW:]) <= _FAST * late[0]


def _is_noise(part: Part) -> bool:
    """Do errors not fall with the part's width either? Beside a kink they are a quarter, in a quarter of the axis."""
    if len(part.above) < GENERATIONS:
        return False
    before = dict(part.above[0])
    ratios = [error / before[number] for number, error in part.history if before.get(number)]
    return len(ratios) >= _FEW and float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-300))))) > _LIKE_BEFORE


def _is_promising(history: History, wanted: float) -> bool:
    """Was the last polynomial nearly good enough, and the one before not by much worse, as by chance near a kink?"""
    last = [error for _, error in history[-_IN_A_ROW:]]
    return len(last) == _IN_A_ROW and last[1] <= 2.0 * wanted and last[0] <= 20.0 * wanted


def _is_hopeless(history: History, allowed: float) -> bool:
    """Would a polynomial need more nodes than there are, by how errors have fallen since half as many?"""
    number = history[-1][0]
    late = [error for each, error in history if 2 * each >= number]
    # the largest of a few, as one alone may have missed a kink
    before, now = max(late[:_FEW]), max(late[-_FEW:])
    if history[-1][1] <= allowed or len(late) <= _FEW:
        return False
    if allowed == 0.0 or now >= before:
        return True
    return number * (1.0 + 0.5 * math.log(allowed / now) / math.log(now / before)) > MOST_NODES


def sample_curve(evaluate: Evaluate, limits: tuple[float, float], axis: Axis, label: str) -> Sampled:
    """Sample a function to the tolerance of its axis.

    Parameters
    ----------
    evaluate : callable
        Takes coordinates and returns values in the form in which they are interpolated.
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
    tolerance = Tolerance.of((axis,))
    span = limits[1] - limits[0]
    work = _Work(evaluate, axis, label, tolerance)
    root = Part(*limits, 0, 0)
    waiting: list[tuple[Part, Fitting]] = [(root, _fitting(root, span, tolerance))]
    requests = {id(part): next(fitting) for part, fitting in waiting}
    done: list[Part] = []
    while waiting:
        answers = work.answered(requests, [part for part, _ in waiting])
        further: list[tuple[Part, Fitting]] = []
        requests = {}
        for part, fitting in waiting:
            try:
                requests[id(part)] = fitting.send(answers[id(part)])
                further.append((part, fitting))
            except StopIteration as stop:
                if stop.value:
                    done.append(part)
                    continue
                if part.is_narrow(span):
                    raise work.failure([part], "jump") from None
                for half in part.halves():
                    further.append((half, _fitting(half, span, tolerance)))
                    requests[id(half)] = next(further[-1][1])
        waiting = further
    done.sort(key=lambda part: part.low)
    t, values = (np.concatenate([part.held_out[index] for part in done]) for index in (0, 1))
    floors = np.concatenate([np.full(part.held_out[0].size, part.allowed) for part in done])
    return Sampled(done, (t, values), np.maximum(tolerance.at(values), floors))


class _Work:
    """The evaluations of one sampling: each point once, and no more than the axis allows."""

    def __init__(self, evaluate: Evaluate, axis: Axis, label: str, tolerance: Tolerance) -> None:
        self._evaluate = evaluate
        self._axis = axis
        self._label = label
        self._tolerance = tolerance
        self._known: dict[float, float] = {}

    def answered(self, requests: dict[int, tuple[Floats, bool]], parts: list[Part]) -> dict[int, Floats]:
        """The values that parts wait for, from one call for all of them."""
        for single in (False, True):
            wanted = [t for t, singly in requests.values() if singly is single]
            new = np.setdiff1d(np.concatenate([*wanted, np.empty(0)]), list(self._known))
            if len(self._known) + new.size > self._axis.max_points:
                raise self.failure(parts, "hard")
            if new.size:
                self._known.update(zip(new.tolist(), self._evaluate(new, single).tolist(), strict=True))
        return {each: np.array([self._known[at] for at in t.tolist()]) for each, (t, _) in requests.items()}

    def failure(self, parts: list[Part], why: str) -> ToleranceError:
        """What to raise when parts could not be fitted."""
        worst = max(parts, key=lambda part: part.error / part.allowed if part.allowed else part.error)
        low, high = self._axis.backward(np.array([worst.low, worst.high])).tolist()
        values = np.concatenate([worst.values, worst.inherited[1], worst.held_out[1]])
        scale = 1.0 if self._tolerance.log else float(np.max(np.abs(values), initial=0.0))
        known = np.abs(list(self._known.values()))
        relative = not self._tolerance.log and not self._axis.atol and bool(known.size)
        zero = relative and known.min() <= _NEARLY_ZERO * known.max()
        return ToleranceError(
            self._label,
            self._axis.name,
            worst.error / scale if scale else worst.error,
            self._tolerance.asked,
            (low, high),
            len(self._known),
            "zero" if zero else why,
        )
