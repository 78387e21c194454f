"""Does a method read an attribute that the owner's own string does not tell? Then equal strings have other results."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from stored._engine import PresentSpace
from stored._keys import ATOMIC_SET, MethodReads, change_key, instance_dict, is_attribute_name
from stored._methods.call import Call
from stored.typing import ABSENT

__all__ = ["undescribed_tests", "warn_of_undescribed"]


def warn_of_undescribed(call: Call, reads: MethodReads, present: PresentSpace) -> None:
    """Warn once of each attribute that differs between calls of owners with an equal string.

    Memos do not count, nor does what takes long to compare.

    Parameters
    ----------
    call : Call
        The call.
    reads : MethodReads
        What its method reads.
    present : PresentSpace
        What tells whether the owner still has the string.
    """
    seen = call.space.seen
    for each in reads.steady:
        now = _quick_key(each.value(call.owner))
        if now is None:
            continue
        before = seen.setdefault(each.label, now)
        if before != now and present.holds(call.owner, call.space):
            seen[each.label] = now
            _warn_of(call, each.label, str(reads.places.get(each.name, "")))


_MOST_TESTS = 8


def undescribed_tests(call: Call, reads: MethodReads) -> tuple[list[str], dict[str, Any]]:
    """Conditions for the check of a shortcut: attributes of which nothing was warned are what they are now.

    Of those that can change, or are computed, nothing is looked at: that would take as long as a call without a
    shortcut.
    """
    own, kind = instance_dict(call.owner), type(call.owner).__qualname__
    names = [
        each.name
        for each in reads.steady
        if each.through == "self" and _is_hash_stable(own.get(each.name, ABSENT)) and is_attribute_name(each.name)
    ]
    names = [name for name in names if (kind, name) not in call.definition.warned][:_MOST_TESTS]
    tests = [f"{{owner}}.{name} == {{expected}}.unseen{number}" for number, name in enumerate(names)]
    return tests, {f"unseen{number}": own[name] for number, name in enumerate(names)}


def _is_hash_stable(value: Any) -> bool:
    """Can it be told by ``==`` whether a value is the same: has every equal value of its type the same key?"""
    return type(value) in ATOMIC_SET and value == value  # NaN is not equal to itself


_MAX_BYTES = 1 << 16


def _quick_key(value: Any) -> Hashable:
    kind = type(value)
    is_small = kind in ATOMIC_SET or (kind is np.ndarray and value.nbytes <= _MAX_BYTES)
    return change_key((value,)) if is_small or kind in {list, tuple, dict} else None


def _warn_of(call: Call, name: str, place: str) -> None:
    definition, kind = call.definition, type(call.owner).__qualname__
    definition.warn_once(
        (kind, name),
        f"{definition.label}() reads the attribute {name!r} of {kind}, at {place}, which differs between calls, while"
        " the hashable string is the same, so that both get one result; add it to what getHashableString() returns",
    )
