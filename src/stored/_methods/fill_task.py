"""What is one call that `fill` wants to be computed, and how is it computed, in a worker or here?"""

from __future__ import annotations

import pickle
import time
import traceback
from typing import Any, NamedTuple

from stored._methods.answer import bound_beside_axes, bound_call
from stored._methods.bound_method import BoundMethod
from stored._methods.call import Call
from stored._methods.results import results_of
from stored._settings import SentSettings, adopt_settings, settings
from stored._storage import Slot, read_header
from stored.errors import OwnerError, error_text, shortened
from stored.typing import ABSENT

__all__ = ["FillTask", "Outcome", "compute_task", "kept_slot"]

_LONGEST_CALL = 300
"""Characters of a call that are told."""


class FillTask(NamedTuple):
    """A call of one method of one owner; of a stored function, if there is no method."""

    owner: Any
    method: str | None
    args: tuple[Any, ...]

    def bound(self) -> BoundMethod[Any, Any]:
        """The method of the owner; an `OwnerError` if there is none."""
        if self.method is None:
            function: BoundMethod[Any, Any] = self.owner.__stored_bound__
            return function
        found: Any = getattr(self.owner, self.method, None)
        if not issubclass(type(found), BoundMethod):
            raise OwnerError(
                f"fill() got the method {self.method!r}, which is no stored method of {type(self.owner).__qualname__};"
                " give the name of a method that is decorated with @stored"
            )
        method: BoundMethod[Any, Any] = found
        return method

    def call(self) -> Call:
        """The call as the store knows it; of an interpolated method, that which makes the table."""
        bound = self.bound()
        definition, owner = bound._definition, bound._owner
        results = results_of(definition, owner)
        if not definition.axes:
            return bound_call(results, owner, self.args, {})
        return results.call(owner, bound_beside_axes(definition, owner, self.args, {}))

    def __str__(self) -> str:
        try:
            key = self.call().key()
            text = key.label() if self.method is None else f"{key.space.name}({key.space.string}).{key.label()}"
        except Exception:  # of the owner: it may be the very error that is told
            name = type(self.owner).__qualname__
            arguments = ", ".join(map(repr, self.args))
            text = f"{f'{name}.{self.method}' if self.method else self.owner.__qualname__}({arguments})"
        return shortened(text, _LONGEST_CALL)


class Outcome(NamedTuple):
    """What became of a call.

    Attributes
    ----------
    seconds : float
        How long it took.
    was_found : bool
        Was the result there, from another worker?
    is_kept : bool
        Is it where it can be found?
    error : Exception or None
        What the call raised.
    """

    seconds: float
    was_found: bool = False
    is_kept: bool = True
    error: Exception | None = None


def kept_slot(call: Call) -> Slot | None:
    """The place of a result in the store; None for one that is not to be stored, or not to be read there."""
    slot = call.open_slot(settings())
    return slot if slot is not None and slot.access.reads and slot.access.writes else None


def compute_task(task: FillTask, key: bytes | None = None, sent: SentSettings | None = None) -> Outcome:
    """Compute a result, here or in a worker.

    Parameters
    ----------
    task : FillTask
        The call.
    key : bytes, optional
        The key that it had when it was sent.
    sent : SentSettings, optional
        The settings of the process that has sent it.
    """
    if sent is not None:
        adopt_settings(sent)
    started = time.perf_counter()
    try:
        was_found, is_kept = _compute(task, key)
    except Exception as error:  # of the method
        return Outcome(time.perf_counter() - started, error=error if sent is None else _sendable(error))
    return Outcome(time.perf_counter() - started, was_found, is_kept)


def _compute(task: FillTask, key: bytes | None) -> tuple[bool, bool]:
    """Was the result found, and is it kept where it can be found?"""
    bound, call = task.bound(), task.call()
    if key is not None and key not in {each.key().data for each in call.variants()}:
        raise OwnerError(
            f"{task} is what fill() was to compute when a worker came to it, and something else when it was given:"
            " give each set of parameters an object of its own, and workers the same code"
        )
    slot, remembered = kept_slot(call), call.find()
    if slot is not None and remembered is not ABSENT and slot.load_quietly() is ABSENT:
        if call.definition.is_interpolated:  # memory has no table, but an interpolant over it
            bound._results().clear_call(call)
        else:
            slot.save(remembered.value, remembered.seconds)
    misses = bound.cache_info().misses
    (bound.interpolant if bound._definition.axes else bound)(*task.args)
    # where storing is disabled, nothing is counted
    was_found = bound.cache_info().misses == misses and not settings().disable
    return was_found, slot is None or read_header(slot.store, slot.name) is not None


def _sendable(error: Exception) -> Exception:
    """An error that can be pickled and unpickled, with where it was raised in a note."""
    where = "".join(traceback.format_exception(error))
    try:
        found: Exception = pickle.loads(pickle.dumps(error))
    except Exception:  # of its own class
        found = RuntimeError(error_text(error))
    found.add_note(f"In a worker:\n{where}")
    return found
