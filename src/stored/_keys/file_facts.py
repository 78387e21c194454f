"""What is known of a file of source code, in a form that can be kept from one process to the next.

It says of which text of the file, and of which versions of Python and this library, it is; in others, it is not taken.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

from stored._keys.canonical import digest
from stored._keys.code_object import code_object_text
from stored._keys.used_names import Origin, ReadFunction, UsedName
from stored._version import __version__

__all__ = ["Bounds", "FileFacts", "FoundFunction", "kept_facts", "load_facts_by", "note_facts", "unsaved_facts"]

Bounds: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Where the body of a function begins and ends: line and column."""


class FoundFunction(NamedTuple):
    """A function of a file, and where it stands."""

    bounds: Bounds
    read: ReadFunction


class FileFacts(NamedTuple):
    """What a file says.

    Attributes
    ----------
    functions : dict
        Its functions by name and first line, with the digests of their texts.
    codes : dict
        All code objects of it, by qualified name and first line, or their digests.
    """

    functions: dict[tuple[str, int], list[FoundFunction]]
    codes: dict[tuple[str, int], list[CodeType | str]]

    def has(self, code: CodeType) -> bool:
        """Is a code object one of those that the file compiles to?"""
        same_place = self.codes.get((code.co_qualname, code.co_firstlineno), [])
        if any(isinstance(each, CodeType) and each == code for each in same_place):
            return True
        return bool(same_place) and _code_digest(code) in map(_code_digest, same_place)


def _code_digest(code: CodeType | str) -> str:
    return code if isinstance(code, str) else digest(code_object_text(code))


# -- from one process to the next -------------------------------------------------------------------------------------

_LEAST_LINES = 300
"""A shorter file is read about as quickly as what was kept of it."""

_loaders: list[Callable[[str], object]] = []
_unsaved: dict[str, Callable[[], str]] = {}


def load_facts_by(load: Callable[[str], object]) -> None:
    """Take what was kept of a file from a function, which takes its name and returns the text, if there is one."""
    _loaders[:] = [load]


def kept_facts(filename: str, lines: list[str], flags: int) -> FileFacts | None:
    """What was kept of a file; None if nothing was, or it was of another text.

    Parameters
    ----------
    filename : str
        The name of the file.
    lines : list of str
        Its lines.
    flags : int
        The flags with which it is compiled.
    """
    if not _loaders or not _is_kept(filename, lines):
        return None
    text = _loaders[0](filename)
    try:
        kept: Any = json.loads(text) if isinstance(text, str) else None
        return None if kept is None or kept["state"] != _state(lines, flags) else _facts_of(kept)
    except (ValueError, LookupError, TypeError):
        return None


def _is_kept(filename: str, lines: list[str]) -> bool:
    """Is it a long file, and no cell of a notebook?"""
    return len(lines) >= _LEAST_LINES and os.path.isabs(filename)


def note_facts(filename: str, lines: list[str], flags: int, facts: FileFacts) -> None:
    """Note what was read of a file, to be kept once a result is."""
    if _is_kept(filename, lines):
        _unsaved[filename] = lambda: json.dumps({"state": _state(lines, flags), **_plain(facts)})


def unsaved_facts() -> list[tuple[str, str]]:
    """The names of files of which nothing was kept, and the texts to keep."""
    found = []
    while _unsaved:
        filename, text_of = _unsaved.popitem()
        found.append((filename, text_of()))
    return found


def _state(lines: list[str], flags: int) -> list[object]:
    return [__version__, sys.version, flags, digest("".join(lines))]


def _plain(facts: FileFacts) -> dict[str, Any]:
    """The facts in plain values; names that are used stand in a table."""
    numbers: dict[UsedName, int] = {}

    def numbered(names: frozenset[UsedName]) -> list[int]:
        return [numbers.setdefault(each, len(numbers)) for each in names]

    functions = []
    for place, found in facts.functions.items():
        for bounds, (text, reads, memos, changes, choices) in found:
            read = text, numbered(reads), sorted(memos), numbered(changes), sorted(choices)
            functions.append((*place, bounds, *read))
    codes = [(*place, [_code_digest(each) for each in found]) for place, found in facts.codes.items()]
    return {"names": list(numbers), "functions": functions, "codes": codes}


def _facts_of(kept: dict[str, Any]) -> FileFacts:
    names = [
        UsedName(root, tuple(path), origin and Origin(*origin), *more) for root, path, origin, *more in kept["names"]
    ]
    functions: dict[tuple[str, int], list[FoundFunction]] = {}
    for name, line, (start, end), text, reads, memos, changes, choices in kept["functions"]:
        used, changing = (frozenset([names[each] for each in found]) for found in (reads, changes))
        chosen = frozenset([(table, attribute) for table, attribute in choices])
        read = ReadFunction(text, used, frozenset(memos), changing, chosen)
        bounds = (start[0], start[1]), (end[0], end[1])
        functions.setdefault((name, line), []).append(FoundFunction(bounds, read))
    return FileFacts(functions, {(name, line): found for name, line, found in kept["codes"]})
