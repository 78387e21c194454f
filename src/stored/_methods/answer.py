"""How is a full call answered, which is every call that no shortcut answers, and what does the caller get?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stored._keys import Key
from stored._methods.call import Call
from stored._methods.definition import Definition
from stored._methods.registry import results_of
from stored._methods.results import Results
from stored._settings import settings
from stored._storage import CachedResult, freeze, keys_of_same_method
from stored._tables import spline
from stored.errors import OwnerError

if TYPE_CHECKING:  # imported where they are used, since most of the start-up time would be theirs
    from stored._methods.explain import Explanation
    from stored._tables import Interpolant

__all__ = ["answer", "bound_call", "exact", "explain_call", "interpolant", "results_for", "value_for_caller"]


def answer(definition: Definition, owner: object, values: tuple[Any, ...]) -> Any:
    """Answer a full call of a decorated method, by the values of all its arguments."""
    arguments = definition.arguments
    bound = arguments.bind_values(owner, values)
    if settings().disable:
        return _call_plain_method(definition, bound)
    results = results_for(definition, owner)
    bound = arguments.round_arguments(bound)
    # as _keyed does, without a call more on the way of every full call
    call = Call(definition, bound, arguments.key(bound, definition.axis_names))
    return value_for_caller(call, results.answer(owner, call), results)


def _call_plain_method(definition: Definition, bound: inspect.BoundArguments) -> Any:
    value = definition.function(*bound.args, **bound.kwargs)
    return spline(freeze(value), definition.label) if definition.returns_table else value


def results_for(definition: Definition, owner: object) -> Results:
    """The results of a method for an owner.

    Raises
    ------
    OwnerError
        If the owner does not tell its parameters.
    """
    try:
        return results_of(owner, definition)
    except OwnerError as error:
        if hasattr(type(owner), definition.attribute):
            raise
        raise OwnerError(
            f"{definition.label}() was called on {owner!r}. @stored is for methods of objects that tell their"
            f" parameters, below @property, and without @staticmethod or @classmethod. {error}"
        ) from None


def bound_call(definition: Definition, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """A call, bound to the method's signature and keyed."""
    return _keyed(definition, definition.arguments.bind(owner, args, kwargs))


def _keyed(definition: Definition, bound: inspect.BoundArguments) -> Call:
    return Call(definition, bound, definition.arguments.key(bound, definition.axis_names))


def value_for_caller(call: Call, result: CachedResult, results: Results) -> Any:
    """The value that the caller gets: the result, or the interpolant's value at the call's arguments."""
    if not call.definition.axes:
        return result.for_caller()
    return result.value(*call.axis_values(), exact=functools.partial(_evaluate_exact, call, results))


def _evaluate_exact(call: Call, results: Results, *point: float) -> Any:
    results.count_exact(1)
    return call.evaluate(**dict(zip(call.definition.axis_names, point, strict=True)))


def interpolant(definition: Definition, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Interpolant:
    """The interpolant for a call with all arguments but those along the axes."""
    anywhere = {axis.name: axis.low for axis in definition.axes}
    call = _keyed(definition, definition.arguments.bind_remaining(anywhere, owner, args, kwargs))
    if settings().disable:
        return cast("Interpolant", call.cached_result(call.compute(), 0.0).value)
    return cast("Interpolant", results_for(definition, owner).answer(owner, call).value)


def exact(definition: Definition, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The plain method's values, for each point if arguments along the axes are arrays."""
    call = bound_call(definition, owner, args, kwargs)
    given = call.axis_values()
    points = np.broadcast_arrays(*given)
    if not any(isinstance(each, np.ndarray) or np.ndim(each) for each in given):
        return call.evaluate()
    columns = zip(*(each.ravel().tolist() for each in points), strict=True)
    values = [call.evaluate(**dict(zip(definition.axis_names, point, strict=True))) for point in columns]
    return np.array(values, dtype=float).reshape(points[0].shape)


def explain_call(definition: Definition, owner: object, call: Call) -> Explanation:
    """Why a call hits or misses."""
    from stored._methods.explain import explain

    results = results_for(definition, owner)
    key = results.key(owner, call)

    def candidates() -> list[Key]:
        return results.keys_in_memory(owner) + (
            keys_of_same_method(results.store(), key) if definition.persistent else []
        )

    return explain(key, results.tier_holding(owner, call), candidates)
