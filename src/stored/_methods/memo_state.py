"""Which of an owner's attributes are filled before a call, and does that count? Memos, and results for one object."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from stored._keys import (
    ATOMIC_SET,
    Memo,
    MethodReads,
    filled_memos,
    holds_something,
    is_attribute_name,
    is_fixed,
    number_text,
    own_values,
    text_or_none,
)
from stored._methods.definition import Definition
from stored.typing import ABSENT

__all__ = [
    "MemoState",
    "MemoTests",
    "look_at_memos",
    "memo_tests",
    "note_filled",
    "reasons_of_private",
    "warn_of_private",
]


class MemoState(NamedTuple):
    """What the memos of an owner had in them before a call, and what took the place of methods.

    Attributes
    ----------
    before : mapping of str to str
        By name, as `FilledMemos.state` says.
    absent : frozenset of str
        The names of those that were not there.
    pairs : tuple of (str, str)
        What the key of the call has of them, beside its arguments.
    stale : tuple of Memo
        Those that were filled under other parameters, or by others, and have no form.
    formless : tuple of str
        The attributes without a form that take the place of methods.
    is_kept : bool
        Can a result be found again?
    """

    before: Mapping[str, str]
    absent: frozenset[str]
    pairs: tuple[tuple[str, str], ...]
    stale: tuple[Memo, ...]
    formless: tuple[str, ...]
    is_kept: bool


def look_at_memos(owner: object, reads: MethodReads) -> MemoState:
    """What counts of the memos of an owner, and of attributes that take the place of methods.

    Of a memo that the method fills, made of what there is now, nothing, or what is filled if the method can tell; of
    one that somebody else has filled, its value.
    """
    filled = filled_memos(owner)
    values = {memo: memo.value(owner) for memo in reads.memos}
    before = {memo.name: filled.state(owner, memo, value) for memo, value in values.items()}
    counted = {memo: value for memo, value in values.items() if memo.is_read and _counts(memo, reads, before)}
    pairs: list[tuple[str, str]] = []
    stale: list[Memo] = []
    is_kept = True
    for memo, value in counted.items():
        text = _text_of_state(memo, value, before[memo.name])
        if text is None:
            is_kept = is_kept and bool(type(value).__weakrefoffset__)
            text = number_text(value)
        if before[memo.name] == "stale" or text.startswith("<"):
            stale.append(memo)
        pairs.append((f"self.{memo.name}", text))
    absent = frozenset([memo.name for memo, value in values.items() if value is ABSENT])
    formless: list[str] = []
    for name, value in own_values(owner, reads.methods):
        text = text_or_none(value)
        if text is None:
            formless.append(name)
            is_kept = is_kept and bool(type(value).__weakrefoffset__)
            text = number_text(value)
        pairs.append((f"self.{name}", text))
    return MemoState(before, absent, tuple(pairs), tuple(stale), tuple(formless), is_kept)


def _counts(memo: Memo, reads: MethodReads, before: Mapping[str, str]) -> bool:
    """Does the state of a memo count? That of memos which one function fills must be one, else somebody emptied one."""
    if not (memo.is_transparent and memo.is_determined) or before[memo.name] not in {"empty", "holds"}:
        return True
    together = {before[each.name] for each in reads.memos if each.is_read and each.place[::2] == memo.place[::2]}
    return len(together) > 1


def _text_of_state(memo: Memo, value: object, state: str) -> str | None:
    """What stands for a memo in a key; None if it holds what has no text."""
    if state == "empty":
        return "empty"
    is_container = type(value) in {dict, list, set}  # which may be filled in part
    is_marked = state == "holds" and not is_container and memo.is_determined
    return "filled" if is_marked else text_or_none(value)


def note_filled(owner: object, reads: MethodReads, state: MemoState, definition: Definition) -> None:
    """Note which memos a computation has filled, or filled further, while its parameters stayed the same.

    One that is made of what the method writes itself may have been filled while that was another value.
    """
    if any(state.before[memo.name] in {"unknown", "stale"} for memo in reads.memos if memo.is_read):
        return  # what it has filled may be made of these
    filled, code_of = filled_memos(owner), functools.partial(_version, weakref.ref(definition))
    for memo in reads.memos:
        value = memo.value(owner)
        if state.before[memo.name] in {"unknown", "stale"} or value is ABSENT or memo.is_made_of(reads.written):
            continue
        is_something = holds_something(value) if memo.is_container else value is not None
        if is_something or memo.name in state.absent:
            filled.note(owner, memo, value, state.before[memo.name] == "holds", code_of)


def _version(definition: weakref.ref[Definition], kind: type) -> str | None:
    """The version of a method of a class now; None if it is gone."""
    found = definition()
    return None if found is None else found.code_of(kind).version


MemoTests: TypeAlias = tuple[list[str], dict[str, Any]]
"""Conditions for the check of a shortcut, and the attributes of what they expect."""


def memo_tests(owner: object, reads: MethodReads) -> MemoTests | None:
    """Conditions for the check of a shortcut: memos and methods are what they are now. None if none can tell."""
    if own_values(owner, reads.methods):  # which take the place of methods
        return None
    tests, expected = _method_tests(reads.methods)
    for number, memo in enumerate(reads.memos):
        if not memo.is_read:
            continue
        value = memo.value(owner)
        name = f"memo{number}"
        source = f"{{owner}}.{memo.name}"
        if not is_attribute_name(memo.name):
            return None
        if memo.is_computed:
            source = f"{{owner}}.__dict__.get({memo.name!r})"
        elif value is ABSENT or value is None:
            source = f"{{getattr}}({{owner}}, {memo.name!r}, None)"
        if value is ABSENT or value is None:
            tests.append(f"{source} is None")
        elif type(value) in ATOMIC_SET:
            expected[name] = value
            tests.append(f"{source} is {{expected}}.{name}")
        elif is_fixed(value):
            expected[name] = weakref.ref(value)  # the value may refer to the owner
            tests.append(f"{source} is {{expected}}.{name}()")
        else:
            return None
    return tests, expected


_FEW = 3
"""So many names are looked for quicker one by one."""


def _method_tests(names: frozenset[str]) -> MemoTests:
    """Conditions under which no attribute of the object takes the place of a method."""
    if len(names) <= _FEW:
        return [f"{name!r} not in {{owner}}.__dict__" for name in sorted(names)], {}
    return ["{owner}.__dict__.keys().isdisjoint({expected}.methods)"], {"methods": names}


def reasons_of_private(
    reads: MethodReads, names: tuple[str, ...], stale: tuple[Memo, ...], is_function: bool = False
) -> list[str]:
    """Why results are for one object only.

    Parameters
    ----------
    reads : MethodReads
        What the method reads.
    names : tuple of str
        The attributes whose values have no text.
    stale : tuple of Memo
        The memos that were filled under other parameters.
    is_function : bool
        Is the method a plain function, which has no attributes?
    """
    if is_function:
        remedy = "decorate the plain function below that, or say version='1', which stands for the code"
        return [f"{each.text}; {remedy}" for each in reads.private]
    only = "or say which attributes count: @keyed_by(..., only=True)"
    reasons = [f"{each.text}, at {each.place}; let the method not depend on that, {only}" for each in reads.private]
    for name in names:
        place = "" if name not in reads.places else f", read at {reads.places[name]},"
        reasons.append(
            f"the attribute {name!r}{place} has a value with no form that is the same in every process, or holds one;"
            " changes inside that are not seen; give it a value that has one, say"
            f" ignore=('self.{name}',) if it does not change results, {only}"
        )
    for memo in stale:
        reasons.append(
            f"the attribute {memo.name!r}, filled at {memo.place}, was filled while parameters or code were others, or"
            f" by something else with a value that has no form; empty it where parameters change, {only}"
        )
    return reasons


def warn_of_private(definition: Definition, owner: object, reasons: Iterable[str]) -> None:
    """Warn once of each reason why results are for one object only."""
    kind = type(owner).__qualname__
    for reason in reasons:
        definition.warn_once(
            (kind, reason),
            f"results of {definition.label_of(type(owner))} are kept"
            f" {'in this process' if definition.is_function else 'for one object'} only, in memory, and not stored:"
            f" {reason}",
        )
