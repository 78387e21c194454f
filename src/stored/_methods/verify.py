"""Does a stored result still hold? A share of the calls that results answer is computed anew, and compared."""

from __future__ import annotations

import contextlib
import functools
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stored._methods.call import Call
from stored._methods.computing import Computed, compute, keep
from stored._methods.dependencies import dependencies_of
from stored._methods.results import Results
from stored._methods.same_values import difference, shown, shown_at
from stored._settings import Settings, settings, validity
from stored._storage import CachedResult, Flight
from stored.errors import StaleResultWarning, error_text, warn_caller

__all__ = ["take_stale_results", "verified"]


class _Choice:
    """Chooses a share of calls, anew from the seed with each change of these settings."""

    def __init__(self) -> None:
        self._settings: tuple[float, int] | None = None
        self._random = random.Random()  # noqa: S311  (no secret)
        validity.watch(self)

    def invalidate(self) -> None:
        """Begin anew if the settings have changed."""
        now = settings()
        if (now.verify, now.verify_seed) != self._settings:
            self._settings = now.verify, now.verify_seed
            self._random = random.Random(now.verify_seed)  # noqa: S311

    def takes(self, share: float) -> bool:
        """Is the next call one of them?"""
        if self._settings is None:  # of the environment
            self.invalidate()
        return self._random.random() < share

    def points(self, count: int, most: int) -> list[int]:
        """Some of the points of a call, by their numbers."""
        return sorted(self._random.sample(range(count), min(count, most)))

    def between(self, low: float, high: float) -> float:
        """A number between two others."""
        return self._random.uniform(low, high)


_choice = _Choice()


class _Under(threading.local):
    """What is computed anew in this thread: a result that several others need is computed once."""

    def __init__(self) -> None:
        self.calls: set[Any] | None = None


_under = _Under()


@contextlib.contextmanager
def _computing_anew(key: Any) -> Iterator[bool]:
    """A block in which a call is computed anew; False if it was already, for another one further out."""
    is_outermost = _under.calls is None
    calls = _under.calls = _under.calls or set()
    is_first = key not in calls
    calls.add(key)
    try:
        yield is_first
    finally:
        if is_outermost:
            _under.calls = None


_stale_results: list[str] | None = None


def take_stale_results() -> list[str]:
    """What was told of stale results since this was called last: warnings can be filtered, and code can catch them."""
    global _stale_results
    found, _stale_results = _stale_results or [], []
    return found


def verified(call: Call, results: Results, found: CachedResult, now: Settings) -> CachedResult:
    """A stored result, or a new one in its place if it was chosen to be computed anew, and does not hold.

    Parameters
    ----------
    call : Call
        The call.
    results : Results
        The owner's results of the method.
    found : CachedResult
        What memory or the store has for it.
    now : Settings
        The settings in force.
    """
    if not _choice.takes(now.verify):
        return found
    with _computing_anew((call.space.address, call.method, call.arguments)) as is_first:
        if not is_first:
            return found
        if call.definition.axes:
            return _verified_table(call, results, found)
        return _verified_value(call, results, found, now.verify_rtol)


def _verified_value(call: Call, results: Results, found: CachedResult, rtol: float) -> CachedResult:
    with _forgetting_on_error(call, results, lambda: shown(found.value)):
        computed = compute(call, results)
    values = found.value, computed.result.value
    differing = difference(*values, rtol, call.definition.returns_table) if computed.is_present else None
    if differing is None:
        return found
    _replace(call, results, computed, *differing)
    return computed.result


@contextlib.contextmanager
def _forgetting_on_error(call: Call, results: Results, show: Callable[[], str]) -> Iterator[None]:
    """A block in which an error takes the place of the stored result, which is forgotten, and shown by a function."""
    try:
        yield
    except Exception as error:
        results.forget(call)
        _warn(call, results, show(), f"an error, {error_text(error)}; it is forgotten")
        raise


_MOST_POINTS = 3


def _verified_table(call: Call, results: Results, found: CachedResult) -> CachedResult:
    """The table, if it gives what the method gives at some points.

    These are points that are asked for and lie on the axes, and one more anywhere on these: the table may be asked for
    itself, or for its derivative.
    """
    interpolant, axes, names = found.value, call.definition.axes, call.definition.axis_names
    given = [each.ravel() for each in interpolant.read_arguments(*call.axis_values()).points]
    pairs = zip(axes, given, strict=True)
    inside = np.logical_and.reduce([(axis.low <= each) & (each <= axis.high) for axis, each in pairs])
    points = [each[inside].tolist() for each in given]
    asked = [[each[number] for each in points] for number in _choice.points(len(points[0]), _MOST_POINTS)]
    for numbers in [*asked, [_choice.between(axis.low, axis.high) for axis in axes]]:
        point = [axis.argument(each) for axis, each in zip(axes, numbers, strict=True)]
        stored = interpolant(*point)
        show = functools.partial(shown_at, stored, names, point)
        with _forgetting_on_error(call, results, show):
            now = call.evaluate(**dict(zip(names, point, strict=True)))
            if interpolant.is_value(stored, now) or not results.present.holds(call.owner, call.space):
                continue
            computed = compute(call, results)
        _replace(call, results, computed, show(), shown(now))
        return computed.result
    return found


def _replace(call: Call, results: Results, computed: Computed, before: str, after: str) -> None:
    results.forget(call)
    call.open_slot(settings())
    keep(call, results, computed, Flight())
    call.space.end_shortcuts(call.method)
    _warn(call, results, before, f"{after}, which replaces it")


def _warn(call: Call, results: Results, before: str, after: str) -> None:
    unseen = dependencies_of(call.definition, results.owner_class, call.owner).unseen
    seen_not = (
        f"its key does not see {'; '.join(unseen)}"
        if unseen
        else "nothing is known that its key does not see: perhaps a clock, a network, or what a library remembers"
    )
    is_left_out = any(not each.startswith("the file ") for each in unseen)
    remedy = f"{'Let that count, or name' if is_left_out else 'Name'} what it depends on in uses=(...) of @stored"
    message = (
        f"a stored result of {call.key().call()} is stale: it was {before}, and computing it now gives {after};"
        f" {seen_not}. {remedy}"
    )
    if _stale_results is not None:
        _stale_results.append(message)
    warn_caller(message, StaleResultWarning)
