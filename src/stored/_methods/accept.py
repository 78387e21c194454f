"""May results of earlier code be taken over? Once a few of them, computed anew as they are asked for, agree."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from stored._keys import StoredCode
from stored._methods.call import Call
from stored._methods.code_history import earlier_versions
from stored._methods.computing import compute, compute_and_keep, keep
from stored._methods.explain_call import changes_since
from stored._methods.results import Results
from stored._methods.same_values import difference, shown, shown_at
from stored._settings import settings
from stored._storage import ADOPTED, CachedResult, Flight
from stored.errors import DamagedEntryError, StaleResultWarning, TableError, warn_caller
from stored.typing import ABSENT

__all__ = ["Acceptance", "accept_or_compute"]


class Acceptance:
    """That results of earlier code are accepted for the code of now; see `cache_accept`.

    Parameters
    ----------
    sample : int
        How many are computed anew first.
    rtol : float
        By how much numbers in them may differ, relative to the larger.
    code : StoredCode
        The code of now, after another edit of which nothing is accepted.

    Attributes
    ----------
    compared : dict of str to int
        How many results of each earlier version have been compared, and agree.
    differing : set of str
        The versions of which one differs.
    adopted : int
        How many were taken over.
    """

    def __init__(self, sample: int, rtol: float, code: StoredCode) -> None:
        if isinstance(sample, bool) or not isinstance(sample, int) or sample < 1:
            raise ValueError(f"sample is {sample!r}; it must be a positive integer")
        if isinstance(rtol, bool) or not isinstance(rtol, int | float) or not 0.0 <= rtol < math.inf:
            raise ValueError(f"rtol is {rtol!r}; it must be a finite number that is not negative")
        self.sample = sample
        self.rtol = rtol
        self.compared: Counter[str] = Counter()
        self.differing: set[str] = set()
        self.adopted = 0
        self._versions: dict[tuple[str, str], str] = {}
        self._code = code

    def holds_for(self, method: tuple[str, str, str]) -> bool:
        """Is it for this version of a method? That of a class is the one with which it is first asked for."""
        name, identity, version = method
        if (name, identity) not in self._versions and not self._code.is_same():
            return False
        return self._versions.setdefault((name, identity), version) == version

    def __str__(self) -> str:
        counts = [
            f"{min(n, self.sample)} of {self.sample} of version {each[:8]} agree" for each, n in self.compared.items()
        ]
        differing = [f"one of version {each[:8]} differs" for each in sorted(self.differing)]
        found = ", ".join([*counts, *differing]) or "none has been compared"
        return f"cache_accept() takes over results of earlier code: {found}, {self.adopted} taken over"


def _acceptance_of(results: Results) -> Acceptance | None:
    """What the object, or else the class, accepts for the code of now; None if nothing.

    Where the classes of attributes of an owner count, or what these choose, another version may be another owner's.
    """
    if results.parts.classes or results.parts.chosen:
        return None
    found: list[Acceptance | None] = [results.acceptance, results.definition.acceptance]
    for each in found:
        if each is not None and each.holds_for(results.method):
            return each
    return None


def accept_or_compute(call: Call, results: Results, flight: Flight) -> CachedResult:
    """Take over the result of earlier code, if that is accepted; else compute, and compare where that is asked for."""
    acceptance = _acceptance_of(results)
    if acceptance is None or call.private:
        return compute_and_keep(call, results, flight)
    earlier = next((each for each in _earlier_results(call) if each.version not in acceptance.differing), None)
    if earlier is None:
        return compute_and_keep(call, results, flight)
    if acceptance.compared[earlier.version] >= acceptance.sample:
        with results.lock:
            acceptance.adopted += 1
        return _adopt(call, results, earlier, flight)
    computed = compute(call, results)
    keep(call, results, computed, flight)
    if computed.is_present:
        _compare(call, results, acceptance, earlier, computed.result)
    return computed.result


class _Earlier(NamedTuple):
    """A result of earlier code: its version, the value as entries have it, if it is of one, and as memory keeps it."""

    version: str
    value: Any
    result: CachedResult


def _earlier_results(call: Call) -> Iterator[_Earlier]:
    """Those of a call, the latest first; on disk, or else in memory."""
    name, identity, version = call.method
    for old in earlier_versions(call) if call.open_slot(settings()) is not None else ():
        found = call.space.tier.slot(call.key(old)).load_quietly()
        if found is not ABSENT:
            with contextlib.suppress(DamagedEntryError, TableError):  # it is no table of these axes
                yield _Earlier(old, found.value, call.cached_result(found.value, found.seconds))
    for (*other, old), memory in list(call.space.memories.items())[::-1]:
        found = memory.get(call.arguments, ABSENT)
        if [name, identity] == other and old != version and found is not ABSENT:
            yield _Earlier(old, ABSENT, CachedResult(found.value, found.copy, found.seconds))


def _adopt(call: Call, results: Results, earlier: _Earlier, flight: Flight) -> CachedResult:
    """Keep a result of earlier code as one of the code of now; its entry says so."""
    result, slot = earlier.result, call.slot
    flight.result = result
    call.note_reference(result)  # it was kept, or stored, so it can be
    call.keep(result)
    is_saved = slot is not None and earlier.value is not ABSENT
    if slot is not None and is_saved:
        slot.save(earlier.value, result.seconds, {**results.code.packages, ADOPTED: earlier.version[:8]})
    results.count_hit(result, persistent=is_saved)
    return result


def _compare(call: Call, results: Results, acceptance: Acceptance, earlier: _Earlier, now: CachedResult) -> None:
    differing = _differing(call, earlier.result.value, now.value, acceptance.rtol)
    if differing is None:
        with results.lock:
            acceptance.compared[earlier.version] += 1
        return
    acceptance.differing.add(earlier.version)
    acceptance.compared.pop(earlier.version, None)
    before, after = differing
    changed = ", ".join(changes_since(results, call, call.key(earlier.version)))
    warn_caller(
        f"a result of {call.key().call()} by earlier code, version {earlier.version[:8]}, is stale: it was {before},"
        f" and the code of now gives {after}. cache_accept() takes over no result of that version any more;"
        f" what has changed: {changed or 'nothing that is known'}",
        StaleResultWarning,
    )


def _differing(call: Call, before: Any, after: Any, rtol: float) -> tuple[str, str] | None:
    """Two values, as messages show them, if they differ; None if not."""
    if call.definition.axes:
        found = after.disagreement(before)
        if found is None:
            return None
        point, *values = found
        return shown_at(values[0], call.definition.axis_names, point), shown(values[1])
    return difference(before, after, rtol, call.definition.returns_table)
