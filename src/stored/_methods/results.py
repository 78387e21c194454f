"""What is known of one owner's calls of one stored method? Counts, shortcuts, and the owner's present space."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from stored._engine import Counted, owner_record
from stored._keys import (
    ATOMIC_SET,
    NUMBERS_AND_TEXTS,
    Key,
    MethodReads,
    OwnerParts,
    StoredCode,
    instance_dict,
    parts_of,
    seeds_in,
    states_behind,
)
from stored._methods.call import Call
from stored._methods.counters import CacheInfo, Counters
from stored._methods.decoratable import CLASS_METHOD_REASON
from stored._methods.definition import Definition
from stored._methods.memo_state import MemoTests, look_at_memos, memo_tests, reasons_of_private, warn_of_private
from stored._methods.owner_shortcut import OwnerShortcut
from stored._methods.undescribed import undescribed_tests, warn_of_undescribed
from stored._settings import settings, validity
from stored._storage import CachedResult
from stored.errors import OwnerError
from stored.typing import ABSENT

__all__ = ["Results", "forget_calls", "results_of"]


class Results:
    """One owner's results of one stored method.

    Parameters
    ----------
    definition : Definition
        The method.
    owner_class : type
        The class of the owner, whose overrides can change what an inherited method computes.
    counted : Counted
        What counts for it.
    code : StoredCode
        The code of the method.
    parts : OwnerParts
        What counts of the owner beside the code of its class.
    counters : Counters
        The counters of the owner's calls.

    Attributes
    ----------
    present, reads, joins_reads
        As in `Counted`.
    latest_seconds : float
        The time of the latest computation.
    acceptance : Acceptance or None
        What `cache_accept` of the owner was asked for.
    """

    __slots__ = (
        "acceptance",
        "code",
        "counters",
        "definition",
        "joins_reads",
        "latest_seconds",
        "lock",
        "method",
        "owner_class",
        "parts",
        "present",
        "reads",
        "shortcut",
    )

    def __init__(
        self,
        definition: Definition,
        owner_class: type,
        counted: Counted,
        code: StoredCode,
        parts: OwnerParts,
        counters: Counters,
    ) -> None:
        self.definition = definition
        self.owner_class = owner_class
        self.present, self.reads, self.joins_reads, _ = counted
        self.code = code
        self.parts = parts
        self.method = definition.method_of(owner_class, code)
        if not definition.is_function:  # of which the spaces have nothing else, and outlive it
            self.present.spaces.methods.setdefault(definition, {})[self.method] = None
        self.counters = counters
        self.shortcut: OwnerShortcut | None = None
        self.acceptance: Any = None
        self.latest_seconds = math.inf
        self.lock = self.present.spaces.lock

    def is_current(self, owner: object) -> bool:
        """Are the class of the owner and the code of the method still those of these results?"""
        is_same = type(owner) is self.owner_class and self.code.is_same()
        return is_same and self.parts == _parts(owner, self.code, self.joins_reads)

    def is_same_code(self, call: Call) -> bool:
        """Is the code of now, after a call that may have imported modules which it uses, one of the same version?

        If not, one warning says so, unless it was only not known before what is in these modules.
        """
        code = self.definition.code_of(self.owner_class, self.parts)
        if code.version == self.code.version:
            self._let_be_private(call, [each for each in code.formless if each not in call.private])
            return code.is_same()
        if not self.code.formless and not self.code.has_imported():  # the first is told already
            self.definition.warn_of_changing(self.owner_class, self.code)
        return False

    def call(self, owner: object, values: dict[str, Any]) -> Call:
        """A call with these arguments, rounded, for the owner's present parameters."""
        call = Call(self.definition, self.method, owner, self.present.of(owner), values, self.code)
        if self.parts.chosen and self.parts != _parts(owner, self.code, self.joins_reads):
            call.private.append("another thread has changed what chooses its code")
        if self.reads is not None:
            self._look_at_attributes(call, self.reads)
        if call.formless or not call.space.is_plain:
            self._look_at_forms(call)
        is_plain = call.space.is_plain and NUMBERS_AND_TEXTS.issuperset(map(type, values.values()))
        if not is_plain or self.code.seeds or self.code.formless:
            self._look_at_code(call)
        return call

    def _look_at_forms(self, call: Call) -> None:
        """Let parameters and arguments that have no form make the result private."""
        formless = (*call.space.private, *call.formless)
        if formless:
            self.definition.refuse_formless(self.owner_class, formless[0])
            self._let_be_private(call, reasons_of_private(self.reads or MethodReads(), formless, ()))

    def _look_at_code(self, call: Call) -> None:
        """Let what the code uses that has no form make the result private, also that of parts."""
        given = (*self.present.values(call.owner), *call.values_beside_axes())
        seeds, formless = self.code.seeds, self.code.formless
        if not NUMBERS_AND_TEXTS.issuperset(map(type, given)):
            call.parts = list(parts_of(given))
            call.states = list(states_behind(call.parts))
            seeds += seeds_in(call.states)
            formless += tuple([reason for each in call.states for reason in each.formless])
        for seed in seeds:
            if seed.is_missing(self.definition.function, call.owner, call.values, (*given, *call.parts)):
                self._let_be_private(call, [seed.reason])
        self._let_be_private(call, formless)

    def _let_be_private(self, call: Call, reasons: Iterable[str]) -> None:
        call.private += reasons
        warn_of_private(self.definition, call.owner, reasons)

    def _look_at_attributes(self, call: Call, reads: MethodReads) -> None:
        """Let what memos have in them count, and attributes of which the values cannot be told."""
        if not self.joins_reads:
            warn_of_undescribed(call, reads, self.present)
            return
        state = call.memo_state = look_at_memos(call.owner, reads)
        call.arguments += state.pairs
        if not reads.written.isdisjoint(call.space.private):  # whether it is as before, nothing tells
            call.memo_state = state._replace(is_kept=False)
        if state.formless:
            self.definition.refuse_formless(self.owner_class, state.formless[0])
        if state.stale or state.formless or reads.private:
            is_function = self.definition.is_function
            self._let_be_private(call, reasons_of_private(reads, state.formless, state.stale, is_function))

    def tier_holding(self, call: Call) -> str | None:
        """The tier that has the result, ``"memory"`` or ``"store"``, or None."""
        if call.find() is not ABSENT:
            return "memory"
        slot = call.open_slot(settings())
        return "store" if slot is not None and slot.load() is not ABSENT else None

    def keys_in_memory(self, call: Call) -> list[Key]:
        """The keys of all results of the method in memory, also for other parameters that objects share."""
        spaces = self.present.spaces.spaces() if settings().memory_sets else [call.space]
        keys = [key for space in spaces for key in space.keys()]
        return [key for key in keys if (key.object, key.definition, key.version) == self.method]

    def add_shortcut(self, call: Call, result: CachedResult) -> None:
        """Answer such calls by a shortcut from now on, for as long as the owner's parameters stay the same."""
        token = validity.token  # first, so that any change from here on is noticed
        arguments = call.shortcut_arguments()
        now = settings()
        if arguments is None or not type(call.owner).__weakrefoffset__ or now.disable or now.verify:
            return
        memos: MemoTests | None = ([], {})
        if self.reads is not None and not self.joins_reads:
            memos = undescribed_tests(call, self.reads)
        elif self.reads is not None and (self.reads.memos or self.reads.methods):
            memos = memo_tests(call.owner, self.reads)
        if memos is None or (call.memo_state is not None and call.memo_state.stale):
            return
        if self.shortcut is None:
            self.shortcut = OwnerShortcut(self.counters, self.present)
        elif self.shortcut.has_too_many_hits(len(call.memory)):
            self.end_shortcuts()
        namespace, taken = self.definition.namespace, self.definition.arguments.names
        code = self.code.quick_check(self.owner_class, namespace, taken)
        shortcut = self.shortcut.prepare(call.owner, call.space, token, memos, code)
        if shortcut is None:
            return
        with self.lock:
            if self.present.latest() is call.space and call.find() is result:  # not discarded
                if not shortcut.is_watched:
                    shortcut.is_watched = True
                    call.space.watch(self.method, shortcut)
                hit = call.hit(result)
                if self.definition.call_code.add(call.owner, self.shortcut, shortcut, arguments, hit):
                    result.hit = hit

    def clear(self, owner: object) -> None:
        """Forget all results for the owner's parameters, those of earlier ones in memory, and the counts."""
        space = self.present.of(owner)
        spaces = {each.address for each in (space, *self.present.visited())}
        forget_calls(self.definition, lambda each: each.space.address in spaces)
        self.forget_in_memory()
        if self.definition.persistent:
            space.tier.forget_all(space.address, self.definition.name, self.method[1])

    def forget_in_memory(self) -> None:
        """Forget all results of the last parameters of the owner that memory has, and the counts."""
        is_function = self.definition.is_function  # which may have other code by now, or closes over other values
        for each in self.present.spaces.spaces() if is_function else self.present.visited():
            for method in list(each.memories) if is_function else [self.method]:
                each.forget(method)
        with self.lock:
            self._count_shortcut_hits()
            self.counters.reset()

    def end_shortcuts(self) -> None:
        """End all shortcuts of this owner."""
        with self.lock:
            if self.shortcut is not None:
                self.shortcut.end()

    def _count_shortcut_hits(self) -> None:
        if self.shortcut is not None:
            self.shortcut.count_hits()

    def forget(self, call: Call) -> None:
        """Forget the result of one call."""
        for each in call.variants():
            call.space.forget(self.method, each.arguments)
            slot = each.open_slot(settings())
            if slot is not None:
                slot.forget()

    def clear_call(self, call: Call) -> None:
        """Forget the result of one call, also that of one under way."""
        meant = {(each.space.address, each.arguments) for each in call.variants()}
        forget_calls(self.definition, lambda each: (each.space.address, each.arguments) in meant)
        self.forget(call)

    def under_way(self, call: Call) -> _UnderWay:
        """A block in which a call keeps its result; that is forgotten if results were meanwhile."""
        return _UnderWay(self, call)

    def count_hit(self, result: CachedResult, persistent: bool = False) -> None:
        """Count a call that was answered without computing."""
        with self.lock:
            self.counters.hits += 1
            self.counters.persistent_hits += persistent
            self.counters.seconds_saved += result.seconds

    def count_exact(self, calls: int) -> None:
        """Count values that an interpolated method computed itself."""
        with self.lock:
            self.counters.exact_calls += calls

    def info(self, owner: object) -> CacheInfo:
        """The counts so far."""
        memory = self.present.of(owner).memory(self.method, self.definition.maxsize)
        with self.lock:
            self._count_shortcut_hits()
            counted = self.counters
            return CacheInfo(
                counted.hits,
                counted.misses,
                self.definition.maxsize,
                len(memory),
                counted.persistent_hits,
                counted.stores,
                counted.seconds_saved,
                counted.exact_calls,
            )


class _UnderWay:
    """What `Results.under_way` gives."""

    __slots__ = ("_call", "_results")

    def __init__(self, results: Results, call: Call) -> None:
        self._results = results
        self._call = call

    def __enter__(self) -> None:
        self._call.definition.calls[self._call] = None

    def __exit__(self, *_: object) -> None:
        call = self._call
        del call.definition.calls[call]
        if call.is_forgotten:
            self._results.forget(call)


def forget_calls(definition: Definition, is_meant: Callable[[Call], bool]) -> None:
    """Let the calls that are under way, and meant, keep nothing."""
    for each in list(definition.calls):
        each.is_forgotten |= is_meant(each)


def results_of(definition: Definition, owner: object) -> Results:
    """The results of a method for an owner.

    Raises
    ------
    OwnerError
        If the owner does not tell its parameters.
    """
    try:
        record = owner_record(owner, definition)
        results: Results | None = record.methods.get(definition)
        if results is not None and results.is_current(owner):
            return results
        counted = record.counted(owner, definition)
    except OwnerError as error:
        if hasattr(type(owner), definition.attribute):
            raise
        raise _error_of_other(definition, owner, error) from None
    counters = Counters()
    if results is not None:
        record.methods.pop(definition, None)
        results.end_shortcuts()
        if results.owner_class is type(owner):  # it is the code that has changed, not the class
            counters = results.counters
    kind, code = type(owner), counted.code
    if definition.is_function:
        owner_of_function: Any = owner
        owner_of_function.code_version = code.version
    parts = _parts(owner, code, counted.joins_reads)
    if parts is not _NO_PARTS:
        code = definition.code_of(kind, parts)
    results = Results(definition, kind, counted, code, parts, counters)
    if definition.depends is not None:
        definition.warn_of_more(kind, code)
    if code.closed_over.formless:
        _warn_of_closed_over(definition, kind, code)
    found: Results = record.methods.setdefault(definition, results)
    return found


def _error_of_other(definition: Definition, owner: object, error: OwnerError) -> OwnerError:
    """A method was called on an object of another class, which tells no parameters."""
    if isinstance(owner, type):
        return OwnerError(f"{definition.label}() was called on {owner!r}: {CLASS_METHOD_REASON}")
    kind = definition.owner_class_or_none()
    whose, remedy = "objects that tell their parameters", f". {error}"
    if kind is not None:
        whose, remedy = kind.__qualname__, f"; give an object of {kind.__qualname__} first"
    return OwnerError(
        f"{definition.label}() was called on {owner!r}. It is a method of {whose}; what needs no object is a plain"
        f" function, or stands below @staticmethod{remedy}"
    )


def _warn_of_closed_over(definition: Definition, kind: type, code: StoredCode) -> None:
    """Warn once of each variable that a method with a given version closes over, and whose value has no form."""
    for name in code.closed_over.formless:
        definition.warn_once(
            ("closes over", name),
            f"{definition.label_of(kind)} closes over {name!r}, whose value has no form that is the same in every"
            " process: version= stands for it, so that functions which close over others get the same results; give it"
            f" as an argument, or say ignore=({name!r},) if it does not matter",
        )


def _parts(owner: object, code: StoredCode, joins_reads: bool) -> OwnerParts:
    """What counts of an owner; of attributes whose values join the key, their classes need not."""
    if joins_reads and not code.choosing:
        return _NO_PARTS
    own = instance_dict(owner)
    if joins_reads:
        return OwnerParts(None, code.chosen_by(own))
    kinds = [type(own[each.name]) for each in code.reads.selection.joined if each.name in own]
    return OwnerParts(tuple(dict.fromkeys([each for each in kinds if each not in ATOMIC_SET])), code.chosen_by(own))


_NO_PARTS = OwnerParts()
