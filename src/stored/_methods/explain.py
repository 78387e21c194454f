"""Why does a call hit or miss? A miss is explained by what differs from the nearest key that is stored."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stored._keys import Key, Listing
from stored.errors import shortened

__all__ = ["Explanation", "code_changes", "explain"]

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
    note : str
        What there is to say beside, as of results of earlier code, or why results are not stored; empty if nothing.
    """

    call: str
    where: str | None
    differences: dict[str, tuple[str, str]] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        text = self._text()
        separator = "\n  " if _NEW_LINE in text else "; "
        return f"{text}{self.note and separator}{self.note}"

    def _text(self) -> str:
        if self.where is not None:
            return f"{self.call}: hit, in {'memory' if self.where == 'memory' else 'the store'}"
        if not self.differences:
            return f"{self.call}: miss, nothing of this method is stored"
        code = [_code_change(name, *texts) for name, texts in self.differences.items() if name.startswith(_CODE)]
        others = {name: texts for name, texts in self.differences.items() if not name.startswith(_CODE)}
        parts = [
            f"{_shortened(name)} is {_shortened(asked)}, stored is {_shortened(found)}{_type_note(name, found, asked)}"
            for name, (found, asked) in itertools.islice(others.items(), _MOST_DIFFERENCES)
        ]
        more = len(others) - len(parts)
        parts += [f"and {more} more"] if more else []
        return "\n".join([f"{self.call}: miss, nearest stored result differs: {'; '.join(parts)}", *code])

    __repr__ = __str__


def explain(
    key: Key,
    where: str | None,
    candidates: Callable[[], Iterable[Key]],
    changes: Callable[[Key], dict[str, tuple[str, str]]],
    latest: Sequence[str] = (),
    note: str = "",
) -> Explanation:
    """Explain a call.

    Parameters
    ----------
    key : Key
        The call's.
    where : {"memory", "store"} or None
        Where its result is.
    candidates : callable
        Gives the keys of what is stored; asked for a miss only.
    changes : callable
        Takes one of them, and gives what has changed in the code since then, as `code_changes` does.
    latest : sequence of str, optional
        The earlier versions that are known, the latest first; of keys that are as near, that of the latest is told.
    note : str, optional
        What there is to say of results of earlier code.
    """
    if where is not None:
        return Explanation(key.call(), where, note=note)

    def distance(pair: tuple[dict[str, Any], Key]) -> tuple[int, int]:
        version = pair[1].version
        return len(pair[0]), latest.index(version) if version in latest else len(latest)

    found = min(((_differences(each, key), each) for each in candidates()), key=distance, default=None)
    if found is None:
        return Explanation(key.call(), None, note=note)
    differences, nearest = found
    return Explanation(key.call(), None, differences | changes(nearest), note)


def code_changes(before: Listing, now: Listing) -> dict[str, tuple[str, str]]:
    """What has changed in the code: for each part what it was, and what it is.

    Parameters
    ----------
    before, now : dict
        The listings of two versions.
    """
    found: dict[str, tuple[str, str]] = {}
    old, new = before["code"], now["code"]
    for name in dict.fromkeys((*old, *new)):
        texts = [each.get(name, ["absent", "absent"]) for each in (old, new)]
        if texts[0][0] != texts[1][0]:
            found[f"{_CODE}{name}"] = (texts[0][1] or "another text", texts[1][1] or "this text")
    for kind, parts in (("constant", "constants"), ("package", "packages"), ("of uses:", "uses")):
        values: list[Any] = [each.get(parts, {}) for each in (before, now)]
        for name in dict.fromkeys((*values[0], *values[1])):
            pair = values[0].get(name, "absent"), values[1].get(name, "absent")
            if pair[0] != pair[1]:
                found[f"{kind} {name}"] = pair
    return found


_CODE = "code "

_NEW_LINE = "\n"

_MOST_LINES = 12


def _code_change(name: str, found: str, asked: str) -> str:
    """The lines of a function that are others now, if both sources are known."""
    lines = [each for each in difflib.ndiff(found.splitlines(), asked.splitlines()) if each[0] in "-+"]
    shown = lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], "..."]
    return "\n".join([f"  {name} has changed:", *[f"    {each.rstrip()}" for each in shown]])


def _type_note(label: str, found: str, asked: str) -> str:
    """What to say of two values that are equal but for their types, or for code; nothing of others."""
    if _DIGEST.sub("", found) == _DIGEST.sub("", asked):
        return " (code that its class, or a function in it, reaches has changed)"
    kind, _, name = label.partition(" ")
    numbers = _number_in(found), _number_in(asked)
    if None in numbers or numbers[0] != numbers[1]:
        return ""
    if kind != "parameter":
        return " (equal but for the type)"
    return f" (equal but for the type: convert={{{name!r}: float}} of keyed_by makes them one)"


_DIGEST = re.compile(r":[0-9a-f]{32}")

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
    return shortened(text, _LONGEST_TEXT)


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
