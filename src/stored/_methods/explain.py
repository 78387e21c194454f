"""Why does a call hit or miss? A miss is explained by what differs from the nearest key that is stored."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from stored._keys import Key

__all__ = ["Explanation", "explain"]

_PART_NAMES = {"version": "the method's version", "string": "the hashable string"}

_LONGEST_TEXT = 2000
"""Characters of a value in the text of an explanation; only hashable strings can have more."""

_MOST_DIFFERENCES = 20


@dataclass(frozen=True)
class Explanation:
    """Why a call hits or misses.

    Attributes
    ----------
    call : str
        The call.
    where : {"memory", "store"} or None
        Where its result is; None for a miss.
    differences : dict of str to (str, str)
        For a miss, how the key differs from the nearest one that is stored: for each part what is stored and what is
        asked for. Empty if nothing of this method is stored.
    """

    call: str
    where: str | None
    differences: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.where is not None:
            return f"{self.call}: hit, in {'memory' if self.where == 'memory' else 'the store'}"
        if not self.differences:
            return f"{self.call}: miss, nothing of this method is stored"
        parts = [
            f"{_shortened(name)} is {_shortened(asked)}, stored is {_shortened(found)}{_type_note(name, found, asked)}"
            for name, (found, asked) in itertools.islice(self.differences.items(), _MOST_DIFFERENCES)
        ]
        more = len(self.differences) - len(parts)
        parts += [f"and {more} more"] if more else []
        return f"{self.call}: miss, nearest stored result differs: {'; '.join(parts)}"

    __repr__ = __str__


def explain(key: Key, where: str | None, candidates: Callable[[], Iterable[Key]]) -> Explanation:
    """Explain a call.

    Parameters
    ----------
    key : Key
        The call's.
    where : {"memory", "store"} or None
        Where its result is.
    candidates : callable
        Gives the keys of what is stored; asked for a miss only.
    """
    if where is not None:
        return Explanation(key.call(), where)
    nearest = min((_differences(each, key) for each in candidates()), key=len, default={})
    return Explanation(key.call(), None, nearest)


def _type_note(label: str, found: str, asked: str) -> str:
    """What to say of two values that are equal but for their types; nothing of others."""
    kind, _, name = label.partition(" ")
    numbers = _number_in(found), _number_in(asked)
    if None in numbers or numbers[0] != numbers[1]:
        return ""
    if kind != "parameter":
        return " (equal but for the type)"
    return f" (equal but for the type: convert={{{name!r}: float}} of keyed_by makes them one)"


_NUMBER = re.compile(r"(?:\w+\(['\"]?)?([-+.\w]+)['\"]?\)?")
"""The text of a real number: its digits, within the name of its type if that is not Python's int or float."""


def _number_in(text: str) -> float | None:
    """The value of a real number of any type, by its text; None if it is none."""
    found = _NUMBER.fullmatch(text.replace("True", "1").replace("False", "0"))
    try:
        return None if found is None or text.startswith(("'", '"')) else float(found[1])
    except ValueError:
        return None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def _differences(found: Key, asked: Key) -> dict[str, tuple[str, str]]:
    """The parts in which two keys of one method differ."""
    parts = [(dict(each.space.pairs()), dict(each.arguments), each.version) for each in (found, asked)]
    (old_parameters, old_arguments, old_version), (parameters, arguments, version) = parts
    differences: dict[str, tuple[str, str]] = {}
    for kind, old, new in (("parameter", old_parameters, parameters), ("argument", old_arguments, arguments)):
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                label = f"{kind} {name}" if name else _PART_NAMES["string"]
                differences[label] = (old.get(name, "absent"), new.get(name, "absent"))
    if old_version != version:
        differences[_PART_NAMES["version"]] = (old_version[:8], version[:8])
    return differences
