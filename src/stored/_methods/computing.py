"""How is a result computed, and where is it kept?"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from stored._keys import ATOMIC_SET, DRAWING, CachesInUse, Draws, PartMemos, StoredCode, caches_behind
from stored._methods.call import Call
from stored._methods.code_history import note_code_of_values, note_version
from stored._methods.kept_facts import save_facts
from stored._methods.memo_state import note_filled
from stored._methods.opened_files import NotingFiles
from stored._methods.results import Results
from stored._storage import CachedResult, Flight, array_bytes, is_mapped
from stored.typing import ABSENT

__all__ = ["Computed", "compute", "compute_and_keep", "keep"]


class Computed(NamedTuple):
    """What a computation gave.

    Attributes
    ----------
    value : object
        The value to store.
    result : CachedResult
        The result that memory keeps.
    is_present : bool
        Has the owner still the parameters, and the method the code, of before? Else the result may mix old and new.
    """

    value: Any
    result: CachedResult
    is_present: bool


def compute_and_keep(call: Call, results: Results, flight: Flight) -> CachedResult:
    """Compute a result, and keep it in memory and in the store."""
    computed = compute(call, results)
    keep(call, results, computed, flight)
    return computed.result


def compute(call: Call, results: Results) -> Computed:
    """Call the plain method, or sample it along its axes."""
    code = results.code
    memos = PartMemos(call.parts)
    reached = [*code.caches, *caches_behind(call.parts, call.states)] if call.parts else code.caches
    caches = CachesInUse(reached, lambda: code.setting(call.states), code.texts_of_uses)
    draws = Draws() if _may_draw(call, code) else None
    has_finished = False
    started = time.perf_counter()
    try:
        with NotingFiles(call.definition, results.owner_class, results.code):
            value, result = call.compute(results.present)
        has_finished = True
    finally:
        results.code.accept_fills()
        outdated = caches.end(has_finished)
        call.definition.warn_of_unknown(results.owner_class)
    result.seconds = time.perf_counter() - started
    memos.note_filled(lambda: results.code.set_elsewhere)
    is_present = results.present.holds(call.owner, call.space)
    if is_present and not results.code.is_same() and not results.is_same_code(call):
        is_present = False
    drawn = draws.reason() if draws is not None and not call.private else ""
    if drawn:
        is_present = False
        call.definition.warn_of_draws(results.owner_class, drawn)
    if outdated:
        is_present = False
        call.definition.warn_of_outdated(results.owner_class, outdated[0])
    if is_present and results.reads is not None and call.memo_state is not None:
        note_filled(call.owner, results.reads, call.memo_state, call.definition)
    return Computed(value, result, is_present)


def _may_draw(call: Call, code: StoredCode) -> bool:
    """May the call draw random numbers, and does nobody ignore that?"""
    if not code.may_draw and not (call.states and any(each.may_draw for each in call.states)):
        return False
    return DRAWING.isdisjoint([each.rpartition(".")[2] for each in call.definition.ignored.names])


def keep(call: Call, results: Results, computed: Computed, flight: Flight) -> None:
    """Keep what was computed in memory and in the store.

    If it may mix old and new, or was forgotten meanwhile, only this caller gets it.
    """
    value, result, is_present = computed
    is_stored, slot = False, None if call.private else call.slot  # it may be private only since it was computed
    if is_present and not call.is_forgotten:
        if (type(result.value) in ATOMIC_SET and not call.private) or call.note_reference(result):
            flight.result = result
            call.keep(result)
        is_stored = slot is not None and slot.save_computed(value, result.seconds, results.code.packages)
    if slot is not None and is_stored:
        note_version(call, slot.store, results.code.listing)
        note_code_of_values(call, slot.store)
        save_facts()
    results.latest_seconds = result.seconds
    with results.lock:
        results.counters.misses += 1
        if is_stored:
            results.counters.stores += 1
    if slot is not None and is_stored and slot.written_bytes >= _LARGE and array_bytes(result.value) >= _LARGE:
        _keep_mapped(call, result)


_LARGE = 1 << 20
"""Bytes of arrays from which a value that was written is exchanged for what is read of the mapped file."""


def _keep_mapped(call: Call, result: CachedResult) -> None:
    """Keep what is large in the form of the file that it was written to, which memory need not hold."""
    if call.definition.copy is not None or call.slot is None:
        return
    found = call.slot.load()
    if found is not ABSENT and is_mapped(found.value):
        call.keep(CachedResult(found.value, found.copy, result.seconds))
