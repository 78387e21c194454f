"""What does JSON stand for that anybody may have written? Reading it takes bounded stack, and time in proportion."""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["MAX_DIGITS", "MAX_NESTING", "parse_json"]

MAX_NESTING = 128
"""Lists and objects inside each other; what the library writes has fewer. A thread with 64 KiB of stack has room."""

MAX_DIGITS = 4300
"""Decimal digits of an integer, as Python has it by default: for more, a conversion takes time in their square."""


def parse_json(data: bytes) -> Any:
    """What one JSON text in UTF-8 stands for; half a surrogate pair is a character like others.

    Raises
    ------
    ValueError
        If it is none, is nested more than `MAX_NESTING` deep, or has an integer of more than `MAX_DIGITS` digits.
    """
    if data.count(b"[") + data.count(b"{") > MAX_NESTING:
        _check_nesting(data)
    # the parser in C counts digits itself, unless the program has set another limit than the usual one
    decoder = _PLAIN if 0 < sys.get_int_max_str_digits() <= MAX_DIGITS else _COUNTING
    text = str(data, "utf-8", "surrogatepass")
    found, end = decoder.raw_decode(text)
    if end != len(text):
        raise ValueError(f"more follows after {end} characters")
    return found


def _check_nesting(data: bytes) -> None:
    """Refuse what is nested too deeply, before a parser is: in some releases of CPython it would overflow the stack."""
    between_strings = data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = b"".join(between_strings).translate(_AS_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_NESTING):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")  # the innermost pairs
    if brackets:
        raise ValueError(f"it is nested more than {MAX_NESTING} deep, or its brackets do not match")


_AS_SQUARE = bytes.maketrans(b"{}", b"[]")

_NO_BRACKETS = bytes(set(range(256)).difference(b"[]{}"))


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits is longer than {MAX_DIGITS}")
    return int(digits)


_PLAIN = json.JSONDecoder()

_COUNTING = json.JSONDecoder(parse_int=_integer)
