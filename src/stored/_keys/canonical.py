"""One text for each value: plain Python.

Two values have equal text if and only if they compare equal, in every process and under every hash seed: 1, 1.0,
True and ``np.float64(1)`` are one value; NaN equals NaN; arrays are equal by dtype, shape and bytes, whatever their
memory layout. A value without a form that outlives the process is refused with `UnstableKeyError`.

`canonical_numpy` and `canonical_code` add the types of numpy, and functions and classes.
"""

from __future__ import annotations

import datetime
import enum
import functools
import pathlib
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import xxhash

from stored._keys.closures import static_class, static_closure
from stored._keys.parameter_names import checked_string, owner_method, parameter_names
from stored._keys.source import qualified_name
from stored.errors import UnstableKeyError

__all__ = [
    "INLINE_BYTES",
    "Encoder",
    "add_encoders",
    "bytes_text",
    "canonical",
    "class_text",
    "complex_text",
    "constant_closure",
    "content_text",
    "digest",
    "float_text",
    "integer_text",
    "named_canonical",
    "pairs_text",
    "ratio_text",
    "string_text",
    "text_of",
    "unstable_key_error",
]

Encoder: TypeAlias = Callable[[Any], str]

INLINE_BYTES = 256
"""Longer contents stand in a text by their digest."""

_INLINE_TEXT = 1024
"""And so do longer texts of strings and containers, which would make headers and messages long."""


def digest(text: str) -> str:
    """xxh3-128 of a text, 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))


def canonical(value: object) -> str:
    """The text that stands for a value in a key.

    Raises
    ------
    UnstableKeyError
        If the value, or something inside it, has no stable form.
    """
    try:
        return text_of(value)
    except RecursionError:
        raise unstable_key_error(value) from None


def named_canonical(values: Iterable[tuple[str, object]], whose: str) -> tuple[tuple[str, str], ...]:
    """Names with the canonical text of their values.

    Parameters
    ----------
    values : iterable of (str, object)
        Parameters or arguments.
    whose : str
        What an error message calls them, such as ``"argument {} of Cosmology.age()"``.

    Raises
    ------
    UnstableKeyError
        Naming the first value that has no stable form.
    """
    named = []
    for name, value in values:
        encode = _ENCODERS.get(type(value), canonical)
        try:
            named.append((name, encode(value)))
        except (UnstableKeyError, RecursionError) as error:
            why = error if isinstance(error, UnstableKeyError) else unstable_key_error(value)
            raise UnstableKeyError(f"{whose.format(repr(name))}: {why}", why.found) from None
    return tuple(named)


def unstable_key_error(value: object) -> UnstableKeyError:
    found = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, np.ndarray):
        found += f" with dtype {value.dtype}"
    return UnstableKeyError(
        f"a value of type {found} has no form that is the same in every process, so no result can be kept for it;"
        " use numbers, strings, bytes, plain arrays, containers of these, enumerations, frozen dataclasses, functions"
        " without mutable closures, or objects that tell their parameters; an argument that does not change the"
        " result can be left out with ignore=(...)",
        found,
    )


def text_of(value: object) -> str:
    """The canonical text of a value that is nested within limits."""
    encode = _ENCODERS.get(type(value))
    return encode(value) if encode is not None else _text_by_kind(value)


def _text_by_kind(value: Any) -> str:
    for kind, encode in _kinds():
        if isinstance(value, kind) and _compares_as(kind, value):
            return encode(value)
    return _text_of_object(value)


def _compares_as(kind: type, value: object) -> bool:
    """Does a subclass (a namedtuple, an IntEnum) still compare as the type that it inherits from?"""
    own = type(value)
    if kind is types.MethodType or own.__module__ == "numpy":  # a stored method is no method, and says that it is one
        return True
    return getattr(own, "__eq__", None) is getattr(kind, "__eq__", None)


def _text_of_object(value: Any) -> str:
    own = type(value)
    describe = owner_method(own, "getHashableString", "_getHashableString")
    if describe is not None:
        string = checked_string(describe(value), f"{own.__qualname__}.getHashableString()")
        return f"owner({_class_name(own)}, {string!a})"
    names = parameter_names(own)
    if names is None:
        raise unstable_key_error(value)
    return f"owner({_class_name(own)}, {pairs_text((name, getattr(value, name)) for name in names)})"


def _class_name(kind: type) -> str:
    """Text of a class behind an object; one made inside a function is told from its likes by what they closed over."""
    name = ascii(qualified_name(kind))
    if "<locals>" not in name:
        return name
    return f"{name}, {class_text(kind)}"


_class_texts: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()


def class_text(kind: type) -> str:
    """What tells a class that was made in a function from its likes; empty for any other class.

    It is taken once: a class that counts in an attribute stays the class it is.
    """
    if "<locals>" not in kind.__qualname__:
        return ""
    known = _class_texts.get(kind)
    if known is None:
        known = _class_texts[kind] = digest(canonical(static_class(kind, _is_constant)))
    return known


def constant_closure(function: Any) -> dict[str, object]:
    """What a function takes from the function around it, as far as it cannot change and has a canonical text."""
    return static_closure(function, _is_constant)


def _is_constant(value: object) -> bool:
    """Can a value, and all that is in it, never change, and has it a text?"""
    if isinstance(value, frozenset):
        return all(map(_is_constant, value))
    if not isinstance(value, _constants()):
        return False
    try:
        canonical(value)
    except UnstableKeyError:
        return False
    return True


@functools.cache
def _constants() -> tuple[type, ...]:
    return (
        *(types.NoneType, int, float, complex, str, bytes, range, enum.Enum, *_rare_kinds()),
        *(datetime.date, datetime.timedelta, pathlib.PurePath, *_ADDED_CONSTANTS),
    )


def pairs_text(values: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={text_of(value)}" for name, value in values)


def integer_text(value: Any) -> str:
    number = int(value)
    if abs(number) <= 2**53:
        return str(number)
    try:
        same = float(number)
    except OverflowError:
        return hex(number)
    return repr(same) if same == number else hex(number)


def float_text(value: Any) -> str:
    number = float(value)
    if number.is_integer() and abs(number) <= 2**53:
        return str(int(number))
    return repr(number)


def complex_text(value: Any) -> str:
    if value.imag == 0:
        return text_of(value.real)
    return f"complex({text_of(value.real)}, {text_of(value.imag)})"


def ratio_text(value: Any) -> str:
    """Text of any other real number (a Fraction, a Decimal, a long double), by its exact value."""
    from decimal import Decimal
    from fractions import Fraction

    if isinstance(value, Decimal) and value.is_snan():
        raise unstable_key_error(value)  # compares with nothing at all
    if value != value or value in (float("inf"), float("-inf")):
        return float_text(value)
    exact = Fraction(*value.as_integer_ratio())
    if exact.denominator == 1:
        return integer_text(exact.numerator)
    try:
        number = float(exact)
    except OverflowError:
        number = 0.0
    return repr(number) if Fraction(number) == exact else f"{exact.numerator:#x}/{exact.denominator:#x}"


def bytes_text(value: Any) -> str:
    content = bytes(value)
    return ascii(content) if len(content) <= INLINE_BYTES else f"bytes({content_text(content)})"


def content_text(data: Any) -> str:
    return f"{memoryview(data).nbytes}:{xxhash.xxh3_128_hexdigest(data)}"


def string_text(value: Any) -> str:
    return _bounded("str", ascii(str.__str__(value)))  # an enumeration of strings shows its own name in its place


def _bounded(kind: str, text: str) -> str:
    return text if len(text) <= _INLINE_TEXT else f"{kind}({len(text)}:{digest(text)})"


def _sequence_text(value: Any) -> str:
    inside = ", ".join([text_of(each) for each in value])
    return _bounded("list", f"[{inside}]") if isinstance(value, list) else _bounded("tuple", f"({inside})")


def _set_text(value: Any) -> str:
    return _bounded("set", f"set({', '.join(sorted(text_of(each) for each in value))})")


def _dict_text(value: Any) -> str:
    inside = sorted(f"{text_of(key)}: {text_of(each)}" for key, each in value.items())
    return _bounded("dict", f"{{{', '.join(inside)}}}")


def _range_text(value: range) -> str:
    """Ranges compare as the sequences they are."""
    if not value:
        return "range()"
    first, last = value[0], value[-1]
    return f"range({text_of(first)}, {text_of(last)}, {text_of(value.step if first != last else 0)})"


def _datetime_text(value: datetime.datetime) -> str:
    if value.utcoffset() is None:
        return f"datetime({value.replace(tzinfo=None).isoformat()})"
    since = value - _EPOCH  # unlike the same moment in UTC, it exists for the first and the last day of all
    return f"datetime(utc, {since.days}, {since.seconds}, {since.microseconds})"


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _path_text(value: pathlib.PurePath) -> str:
    windows = isinstance(value, pathlib.PureWindowsPath)
    return f"path({value.as_posix().lower() if windows else str(value)!a}{', windows' if windows else ''})"


def _enum_text(value: enum.Enum) -> str:
    return f"enum({_class_name(type(value))}, {text_of(value.value)})"


def _slice_text(value: Any) -> str:
    return f"slice({text_of(value.start)}, {text_of(value.stop)}, {text_of(value.step)})"


_ENCODERS: dict[type, Encoder] = {
    float: float_text,
    int: integer_text,
    bool: integer_text,
    str: string_text,
    type(None): repr,
    tuple: _sequence_text,
    complex: complex_text,
    bytes: bytes_text,
    bytearray: bytes_text,
    list: _sequence_text,
    dict: _dict_text,
    set: _set_text,
    frozenset: _set_text,
    range: _range_text,
    slice: _slice_text,
    types.EllipsisType: repr,
    datetime.datetime: _datetime_text,
    datetime.date: lambda value: f"date({value.isoformat()})",
    datetime.timedelta: lambda value: f"timedelta({value.days}, {value.seconds}, {value.microseconds})",
}


_ADDED_KINDS: list[tuple[type, Encoder]] = []
_ADDED_CONSTANTS: list[type] = []


def add_encoders(exact: Mapping[type, Encoder], kinds: Mapping[type, Encoder], constants: Collection[type]) -> None:
    """Add types that canonical text is made of.

    Parameters
    ----------
    exact : mapping of type to callable
        For values of just these types.
    kinds : mapping of type to callable
        For values of their subclasses too, which are taken before the kinds of plain Python.
    constants : collection of type
        Types whose values can never change.
    """
    _ENCODERS.update(exact)
    _ADDED_KINDS.extend(kinds.items())
    _ADDED_CONSTANTS.extend(constants)


@functools.cache
def _kinds() -> tuple[tuple[type, Encoder], ...]:
    """For subclasses, and types that few use: the first kind that a value belongs to, and still compares as."""
    return (
        *_ADDED_KINDS,
        (str, string_text),
        (bytes, bytes_text),
        (int, integer_text),
        (float, float_text),
        (complex, complex_text),
        *_rare_kinds().items(),
        (tuple, _sequence_text),
        (list, _sequence_text),
        (dict, _dict_text),
        (set, _set_text),
        (frozenset, _set_text),
        (pathlib.PurePath, _path_text),
        (enum.Enum, _enum_text),
    )


def _rare_kinds() -> dict[type, Encoder]:
    """Those whose modules a program may never need: importing them takes a tenth of the start-up time."""
    from decimal import Decimal
    from fractions import Fraction
    from uuid import UUID

    return {Fraction: ratio_text, Decimal: ratio_text, UUID: lambda value: f"uuid({value.hex})"}
