"""Which text stands for a value in a key? Values of plain Python.

Two values have equal text if and only if they compare equal, in every process and under every hash seed: 1, 1.0,
True and ``np.float64(1)`` are one value; NaN equals NaN; arrays are equal by dtype, shape and bytes, whatever their
memory layout. A value that has no form which is the same in every process is refused with `UnstableKeyError`.

`canonical_numpy` adds the types of numpy, `canonical_code` functions and classes.
"""

from __future__ import annotations

import datetime
import enum
import functools
import pathlib
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np

from stored._keys.closures import stable_class, stable_closure
from stored._keys.parameter_names import checked_string, owner_method_caller, parameter_names
from stored._keys.source import qualified_name
from stored.errors import UnstableKeyError

__all__ = [
    "INLINE_BYTES",
    "Encoder",
    "add_encoders",
    "bytes_text",
    "canonical",
    "canonical_texts",
    "complex_text",
    "constant_closure",
    "digest",
    "exact_number_text",
    "float_text",
    "integer_text",
    "local_class_digest",
    "pairs_text",
    "size_and_digest",
    "string_text",
    "text_of",
    "unstable_key_error",
]

Encoder: TypeAlias = Callable[[Any], str]

INLINE_BYTES = 256
"""Content that takes more bytes than this is replaced by its digest."""

_INLINE_TEXT = 1024
"""Texts of strings and containers that are longer are replaced by their digest, to keep headers and messages short."""


def digest(text: str) -> str:
    """What stands for a text in keys and names: 128 bits of blake2b, 32 hex digits."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


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


def canonical_texts(names: Iterable[str], values: Iterable[object], label: str) -> tuple[str, ...]:
    """The canonical texts of values that have names.

    Parameters
    ----------
    names : iterable of str
        The names of parameters or arguments.
    values : iterable of object
        Their values.
    label : str
        What an error message calls them, with ``{}`` for the name, such as ``"argument {} of Cosmology.age()"``.

    Raises
    ------
    UnstableKeyError
        Naming the first value that has no stable form.
    """
    texts: list[str] = []
    find, append = _ENCODERS.get, texts.append
    value: object = None
    try:
        for value in values:
            append(find(type(value), canonical)(value))
    except (UnstableKeyError, RecursionError) as error:
        reason = error if isinstance(error, UnstableKeyError) else unstable_key_error(value)
        name = list(names)[len(texts)]
        raise UnstableKeyError(f"{label.format(repr(name))}: {reason}", reason.found) from None
    return tuple(texts)


def unstable_key_error(value: object) -> UnstableKeyError:
    """The error for a value that has no canonical text."""
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
    """As `canonical`, for a value inside another; a value that is nested too deeply is a `RecursionError`."""
    encode = _ENCODERS.get(type(value))
    return encode(value) if encode is not None else _text_by_kind(value)


def _text_by_kind(value: Any) -> str:
    for kind, encode in _kinds():
        if isinstance(value, kind) and _compares_as(kind, value):
            return encode(value)
    return _text_of_object(value)


def _compares_as(kind: type, value: object) -> bool:
    """Does a value of a subclass (a namedtuple, an IntEnum) compare in the way of the type that it inherits from?"""
    cls = type(value)
    if kind is types.MethodType or cls.__module__ == "numpy":  # a stored method only pretends to be a MethodType
        return True
    return getattr(cls, "__eq__", None) is getattr(kind, "__eq__", None)


def _text_of_object(value: Any) -> str:
    cls = type(value)
    describe = owner_method_caller(cls, "getHashableString", "_getHashableString")
    if describe is not None:
        string = checked_string(describe(value), f"{cls.__qualname__}.getHashableString()")
        return f"owner({_class_name(cls)}, {string!a})"
    names = parameter_names(cls)
    if names is None:
        raise unstable_key_error(value)
    return f"owner({_class_name(cls)}, {pairs_text((name, getattr(value, name)) for name in names)})"


def _class_name(kind: type) -> str:
    """A class as text: its name and, if it was made inside a function, the digest of what the function gave to it."""
    name = ascii(qualified_name(kind))
    if "<locals>" not in name:
        return name
    return f"{name}, {local_class_digest(kind)}"


_local_class_digests: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()


def local_class_digest(kind: type) -> str:
    """The digest of what a function gave to a class that it made; empty for any other class.

    Classes that one function makes have the same name and code; their digests differ. The digest is computed once for
    each class: a class stays the same one although it counts something in an attribute.
    """
    if "<locals>" not in kind.__qualname__:
        return ""
    found = _local_class_digests.get(kind)
    if found is None:
        found = _local_class_digests[kind] = digest(canonical(stable_class(kind, _is_constant)))
    return found


def constant_closure(function: Any) -> dict[str, object]:
    """The variables of enclosing functions that a function uses, if they cannot change and have a canonical text."""
    return stable_closure(function, _is_constant)


def _is_constant(value: object) -> bool:
    """Is a value, with all that is in it, unable to change, and does it have a canonical text?"""
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
    """Names and values in one text."""
    return ", ".join(f"{name}={text_of(value)}" for name, value in values)


@functools.lru_cache(maxsize=1024)  # equal numbers have equal texts; a subclass may convert itself to another
def integer_text(value: Any) -> str:
    """The text of an integer: that of the equal float where there is one."""
    number = int(value)
    if abs(number) <= 2**53:
        return str(number)
    try:
        same = float(number)
    except OverflowError:
        return hex(number)
    return repr(same) if same == number else hex(number)


@functools.lru_cache(maxsize=4096)  # of the parameters of a model, most are the same from one to the next
def float_text(value: Any) -> str:
    """The text of a double: that of the equal integer where there is one."""
    number = float(value)
    if number.is_integer() and abs(number) <= 2**53:
        return str(int(number))
    return repr(number)


def complex_text(value: Any) -> str:
    """The text of a complex number: that of its real part if it has no other."""
    if value.imag == 0:
        return text_of(value.real)
    return f"complex({text_of(value.real)}, {text_of(value.imag)})"


def exact_number_text(value: Any) -> str:
    """The text of any other real number (a Fraction, a Decimal, a long double): its exact value."""
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
    """The text of bytes: themselves if they are few, otherwise size and digest."""
    content = bytes(value)
    return ascii(content) if len(content) <= INLINE_BYTES else f"bytes({size_and_digest(content)})"


def size_and_digest(data: Any) -> str:
    """The size in bytes and the digest of a buffer."""
    return f"{memoryview(data).nbytes}:{blake2b(data, digest_size=16).hexdigest()}"


def string_text(value: Any) -> str:
    """The text of a string: itself if it is short, otherwise length and digest."""
    return _text_or_digest("str", ascii(str.__str__(value)))  # str() of a member of a string enumeration is its name


def _text_or_digest(kind: str, text: str) -> str:
    return text if len(text) <= _INLINE_TEXT else f"{kind}({len(text)}:{digest(text)})"


def _sequence_text(value: Any) -> str:
    inside = ", ".join([text_of(each) for each in value])
    kind, text = ("list", f"[{inside}]") if isinstance(value, list) else ("tuple", f"({inside})")
    return _text_or_digest(kind, text)


def _set_text(value: Any) -> str:
    return _text_or_digest("set", f"set({', '.join(sorted(text_of(each) for each in value))})")


def _dict_text(value: Any) -> str:
    inside = sorted(f"{text_of(key)}: {text_of(each)}" for key, each in value.items())
    return _text_or_digest("dict", f"{{{', '.join(inside)}}}")


def _range_text(value: range) -> str:
    """Ranges are equal if their elements are."""
    if not value:
        return "range()"
    first, last = value[0], value[-1]
    return f"range({text_of(first)}, {text_of(last)}, {text_of(value.step if first != last else 0)})"


def _datetime_text(value: datetime.datetime) -> str:
    if value.utcoffset() is None:
        return f"datetime({value.replace(tzinfo=None).isoformat()})"
    since = value - _EPOCH  # value.astimezone(UTC) overflows on the first and the last day that datetime knows
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
    """Add types of which canonical text can be made.

    Parameters
    ----------
    exact : mapping of type to callable
        For values of exactly these types.
    kinds : mapping of type to callable
        For values of subclasses too; they are tried before the types of plain Python.
    constants : collection of type
        Types whose values can never change.
    """
    _ENCODERS.update(exact)
    _ADDED_KINDS.extend(kinds.items())
    _ADDED_CONSTANTS.extend(constants)


@functools.cache
def _kinds() -> tuple[tuple[type, Encoder], ...]:
    """For subclasses and rare types: the first one counts of which a value is an instance, and as which it compares."""
    return (
        *_ADDED_KINDS,
        (str, string_text),
        (bytes, bytes_text),
        (int, lambda value: integer_text(int.__int__(value))),
        (float, lambda value: float_text(float.__float__(value))),
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
    """Types whose modules are imported only when needed: importing them takes a tenth of the start-up time."""
    from decimal import Decimal
    from fractions import Fraction
    from uuid import UUID

    return {Fraction: exact_number_text, Decimal: exact_number_text, UUID: lambda value: f"uuid({value.hex})"}
