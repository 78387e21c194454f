"""How is a full call answered, which is every call that no shortcut answers, and what does the caller get?

The result comes from memory, from the store, from another thread that computes it, or from a computation.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np

from stored._engine import memory_limit
from stored._methods.call import Call, ParametersChangedError
from stored._methods.computing import compute_and_keep
from stored._methods.definition import Definition
from stored._methods.opened_files import NOTING_NO_FILES
from stored._methods.results import Results, results_of
from stored._settings import Settings, settings
from stored._storage import (
    CachedResult,
    Flight,
    Flights,
    Slot,
    freeze,
    report_unusable_entry,
    report_wait_timeout,
)
from stored._tables import spline
from stored.errors import DamagedEntryError, TableError
from stored.typing import ABSENT, Absent

if TYPE_CHECKING:  # imported where they are used, since most of the start-up time would be theirs
    from stored._tables import Interpolant

__all__ = [
    "answer",
    "bound_call",
    "exact",
    "interpolant",
    "refresh",
]

T = TypeVar("T")

_flights = Flights()


def answer(definition: Definition, owner: object, named: dict[str, Any]) -> Any:
    """Answer a full call of a decorated method, by the values of all its arguments."""
    arguments = definition.arguments
    now = settings()
    if now.disable:
        value = arguments.apply(definition.run, owner, named)
        return spline(freeze(value), definition.label) if definition.returns_table else value
    results = results_of(definition, owner)
    if arguments.has_rounding:
        named = arguments.round_arguments(named)
    if definition.axes:
        return _interpolated(results, owner, named, now)
    call = results.call(owner, named)
    result = _result(call, results, now)
    return result.value if result.copy is None else result.copy(result.value)


def _interpolated(results: Results, owner: object, named: dict[str, Any], now: Settings) -> Any:
    """The value by a table; that of the plain method if the parameters change again and again while one is sampled."""

    def value() -> Any:
        call = results.call(owner, named)
        return _value_for_caller(call, results, _result(call, results, now))

    try:
        return _for_steady_parameters(value)
    except ParametersChangedError:
        exact_value = _exact_values(results.call(owner, named))
        results.count_exact(np.size(exact_value))
        return exact_value


_MOST_SAMPLES = 3
"""How often a table is begun because the parameters have changed meanwhile."""


def _for_steady_parameters(act: Callable[[], T]) -> T:
    """Do what may sample a table, and begin again if the owner's parameters change before it is done."""
    for _ in range(_MOST_SAMPLES - 1):
        with contextlib.suppress(ParametersChangedError):
            return act()
    return act()


def _result(call: Call, results: Results, now: Settings) -> CachedResult:
    """The result of a call, from memory, from the store, from another thread, or computed."""
    found = call.find()
    if found is not ABSENT:
        _note_hit(call, results, found)
        return _verified(call, results, found, now) if now.verify else found
    with NOTING_NO_FILES, results.under_way(call):
        return _missing_result(call, results, now)


def _verified(call: Call, results: Results, found: CachedResult, now: Settings) -> CachedResult:
    from stored._methods.verify import verified  # here, since most programs never ask for it

    return verified(call, results, found, now)


def _missing_result(call: Call, results: Results, now: Settings) -> CachedResult:
    """The result of a call that memory has not."""
    found: CachedResult | Literal[Absent.ABSENT] = ABSENT
    slot = call.open_slot(now) if call.definition.persistent else None
    if slot is not None:
        found = _keep_loaded(call, results, slot, slot.load())
        if found is not ABSENT and now.verify:
            return _verified(call, results, found, now)
    if not call.definition.single_flight and found is ABSENT:
        return _compute(call, results, Flight())
    while found is ABSENT:
        # a space by itself, if equal owners have the same
        key = call.space if now.memory_sets else call.space.key, call.space.owner_class, call.method, call.arguments
        own = Flight()
        try:
            try:
                leads, flight = _flights.lead_or_wait(key, own, now.lock_timeout, call.declare_wait)
                found = _lead(call, results, own, now) if leads else _from_other_thread(call, results, flight)
            finally:
                _flights.leave(key, own)
        finally:
            _flights.leave(key, own)  # Ctrl-C may have come as the first began
    return found


def _note_hit(call: Call, results: Results, found: CachedResult) -> None:
    """Count a result that memory had, and answer such calls by a shortcut from now on."""
    results.count_hit(found)
    if memory_limit.limit is not None:
        memory_limit.use(found)
    if call.definition.has_shortcuts:
        results.add_shortcut(call, found)


def _keep_loaded(
    call: Call, results: Results, slot: Slot, found: CachedResult | Literal[Absent.ABSENT]
) -> CachedResult | Literal[Absent.ABSENT]:
    """Keep in memory what the store had; `ABSENT` if that is nothing, or no result of this method."""
    if found is ABSENT:
        return ABSENT
    definition = call.definition
    if definition.is_interpolated or definition.copy is not None:
        try:
            found = call.cached_result(found.value, found.seconds)
        except (DamagedEntryError, TableError, MemoryError, RecursionError) as error:
            report_unusable_entry(slot.store, slot.name, error)
            return ABSENT
    call.memory[call.arguments] = found
    if memory_limit.limit is not None:
        call.count_in_memory(found)
    results.count_hit(found, persistent=True)
    return found


def _from_other_thread(call: Call, results: Results, flight: Flight) -> CachedResult | Literal[Absent.ABSENT]:
    """A result that another thread has computed or loaded meanwhile."""
    result = call.find()
    if result is ABSENT and flight.result is not ABSENT:
        from_flight = cast(CachedResult, flight.result)
        if from_flight.is_for(call.owner, call.code):
            result = from_flight
            call.keep(result)
    if result is not ABSENT:
        results.count_hit(result)
    return result


def _lead(call: Call, results: Results, flight: Flight, now: Settings) -> CachedResult:
    """Compute, unless another thread or process just has: one computes, and the others find what it has kept."""
    if flight.timed_out:
        report_wait_timeout(call.key(), "thread")
    found = call.find()  # another thread may have left just before
    if found is not ABSENT:
        results.count_hit(found)
        return found
    slot = call.slot
    if slot is None or results.latest_seconds < now.min_compute_seconds:
        return _compute(call, results, flight)
    turn = slot.wait_for_turn()
    flight.began = math.inf
    try:
        with turn:
            flight.began = time.monotonic()
            result = _keep_loaded(call, results, slot, slot.load())
            if result is ABSENT:
                return _compute(call, results, flight)
            flight.result = result
            return result
    finally:
        turn.__exit__(None, None, None)  # Ctrl-C may have come as the first one began


def _compute(call: Call, results: Results, flight: Flight) -> CachedResult:
    """Compute a result, or take over that of earlier code if it is accepted."""
    if results.acceptance is None and call.definition.acceptance is None:
        return compute_and_keep(call, results, flight)
    from stored._methods.accept import accept_or_compute

    return accept_or_compute(call, results, flight)


def refresh(results: Results, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Compute a result again, and replace the stored one: the value that the caller gets."""

    def value() -> Any:
        call = bound_call(results, owner, args, kwargs)
        return _value_for_caller(call, results, _refreshed(call, results))

    return _for_steady_parameters(value)


def _refreshed(call: Call, results: Results) -> CachedResult:
    call.open_slot(settings())
    if call.memo_state is not None and call.memo_state.pairs:
        results.forget(call)  # also what was computed with other memos filled
    with results.under_way(call):
        result = compute_and_keep(call, results, Flight())
    call.space.end_shortcuts(call.method)
    return result


def bound_call(results: Results, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """A call, bound to the method's signature and keyed."""
    return results.call(owner, results.definition.arguments.bind(owner, args, kwargs))


def _value_for_caller(call: Call, results: Results, result: CachedResult) -> Any:
    """The value that the caller gets: the result, or the interpolant's value at the call's arguments."""
    if not call.definition.axes:
        return result.for_caller()
    return result.value(*call.axis_values(), exact=functools.partial(_evaluate_exact, call, results))


def _evaluate_exact(call: Call, results: Results, *point: Any) -> Any:
    results.count_exact(1)
    return call.evaluate(**dict(zip(call.definition.axis_names, point, strict=True)))


def bound_beside_axes(
    definition: Definition, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by name, of which those along the axes are left out, and may be anywhere."""
    anywhere = {axis.name: axis.low for axis in definition.axes}
    return definition.arguments.bind_remaining(anywhere, owner, args, kwargs)


def interpolant(definition: Definition, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Interpolant:
    """The interpolant for a call with all arguments but those along the axes."""
    results = results_of(definition, owner)
    named = bound_beside_axes(definition, owner, args, kwargs)

    def value() -> Any:
        call = results.call(owner, named)
        return (call.compute(results.present)[1] if settings().disable else _result(call, results, settings())).value

    return cast("Interpolant", _for_steady_parameters(value))


def exact(definition: Definition, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The plain method's values, for each point if arguments along the axes are arrays."""
    return _exact_values(bound_call(results_of(definition, owner), owner, args, kwargs))


def _exact_values(call: Call) -> Any:
    from stored._tables import values_of_method

    definition = call.definition
    return values_of_method(call.evaluate, definition.axes, definition.label, call.axis_values())
