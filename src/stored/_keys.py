"""Canonical text of values, and the keys made of it.

Two values have equal text if and only if they compare equal, in every process and under every hash seed: 1, 1.0,
True and ``np.float64(1)`` are one value; NaN equals NaN; arrays are equal by dtype, shape and bytes, whatever their
memory layout. A value without a form that outlives the process is refused with `UnstableKeyError`.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import fractions
import functools
import json
import pathlib
import re
import types
import uuid
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import xxhash

from stored._source import code_text, qualified_name
from stored.errors import DamagedEntryError, UnstableKeyError

__all__ = [
    "Key",
    "Space",
    "canonical",
    "digest",
    "entry_prefix",
    "frozen_field_names",
    "module_folder",
    "named_canonical",
    "owner_method",
]

_INLINE_BYTES = 256
"""Longer contents stand in a text by their digest."""


def digest(text: str) -> str:
    """xxh3-128 of a text, 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))


# --------------------------------------------------------------------------------------------------------------------
# Canonical text
# --------------------------------------------------------------------------------------------------------------------


def canonical(value: object) -> str:
    """The text that stands for a value in a key.

    Raises
    ------
    UnstableKeyError
        If the value, or something inside it, has no stable form.
    """
    try:
        return _text(value)
    except RecursionError:
        raise _unstable(value) from None


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
        try:
            named.append((name, canonical(value)))
        except UnstableKeyError as error:
            raise UnstableKeyError(f"{whose.format(repr(name))}: {error}", error.found) from None
    return tuple(named)


def _unstable(value: object) -> UnstableKeyError:
    found = f"{type(value).__module__}.{type(value).__qualname__}"
    return UnstableKeyError(
        f"a value of type {found} has no form that is the same in every process, so no result can be kept for it;"
        " use numbers, strings, bytes, plain arrays, containers of these, enumerations, frozen dataclasses, functions"
        " without mutable closures, or objects that tell their parameters; an argument that does not change the"
        " result can be left out with ignore=(...)",
        found,
    )


def _text(value: object) -> str:
    encode = _ENCODERS.get(type(value))
    return encode(value) if encode is not None else _text_by_kind(value)


def _text_by_kind(value: Any) -> str:
    for kind, encode in _KINDS:
        if isinstance(value, kind) and _compares_as(kind, value):
            return encode(value)
    return _text_of_object(value)


def _compares_as(kind: type, value: object) -> bool:
    """Does a subclass (a namedtuple, an IntEnum) still compare as the type that it inherits from?"""
    own = type(value)
    return getattr(own, "__eq__", None) is getattr(kind, "__eq__", None) or own.__module__ in {"numpy", "pathlib"}


def _text_of_object(value: Any) -> str:
    own = type(value)
    describe = owner_method(own, "getHashableString", "_getHashableString")
    if describe is not None:
        return f"owner({qualified_name(own)}, {describe(value)!a})"
    parameters = getattr(own, "__stored_parameters__", None)
    if parameters is not None:
        return f"owner({qualified_name(own)}, {parameters.text(value)})"
    names = frozen_field_names(own)
    if names is not None and not isinstance(value, type):
        return f"owner({qualified_name(own)}, {_pairs((name, getattr(value, name)) for name in names)})"
    raise _unstable(value)


def owner_method(owner: type, *names: str) -> Callable[[Any], Any] | None:
    """The first of these methods that a class has."""
    return next((getattr(owner, name) for name in names if callable(getattr(owner, name, None))), None)


def frozen_field_names(owner: type) -> tuple[str, ...] | None:
    """The compared fields of a frozen dataclass or frozen attrs class, None for any other class."""
    parameters = getattr(owner, "__dataclass_params__", None)
    if parameters is not None and parameters.frozen:
        return tuple(field.name for field in dataclasses.fields(owner) if field.compare)
    attributes = getattr(owner, "__attrs_attrs__", None)
    if attributes is not None and owner.__setattr__.__name__ == "_frozen_setattrs":
        return tuple(attribute.name for attribute in attributes if attribute.eq)
    return None


def _pairs(values: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={_text(value)}" for name, value in values)


def _integer_text(value: Any) -> str:
    number = int(value)
    if abs(number) <= 2**53:
        return str(number)
    try:
        same = float(number)
    except OverflowError:
        return hex(number)
    return repr(same) if same == number else hex(number)


def _float_text(value: Any) -> str:
    number = float(value)
    if number.is_integer() and abs(number) <= 2**53:
        return str(int(number))
    return repr(number)


def _complex_text(value: Any) -> str:
    if value.imag == 0:
        return _text(value.real)
    return f"complex({_text(value.real)}, {_text(value.imag)})"


def _ratio_text(value: Any) -> str:
    """Text of any other real number (a Fraction, a Decimal, a long double), by its exact value."""
    if value != value or value in (float("inf"), float("-inf")):
        return _float_text(value)
    exact = fractions.Fraction(*value.as_integer_ratio())
    if exact.denominator == 1:
        return _integer_text(exact.numerator)
    try:
        number = float(exact)
    except OverflowError:
        number = 0.0
    return repr(number) if fractions.Fraction(number) == exact else f"{exact.numerator:#x}/{exact.denominator:#x}"


def _bytes_text(value: Any) -> str:
    content = bytes(value)
    return ascii(content) if len(content) <= _INLINE_BYTES else f"bytes({_content(content)})"


def _content(data: Any) -> str:
    return f"{memoryview(data).nbytes}:{xxhash.xxh3_128_hexdigest(data)}"


def _array_text(array: Any) -> str:
    if array.dtype.hasobject or type(array) not in {np.ndarray, np.memmap}:
        raise _unstable(array)
    data = np.ascontiguousarray(array).tobytes() if array.nbytes <= _INLINE_BYTES else np.ascontiguousarray(array)
    shown = data.hex() if isinstance(data, bytes) else _content(data.reshape(-1).view(np.uint8))
    return f"array({np.lib.format.dtype_to_descr(array.dtype)!r}, {array.shape!r}, {shown})"


def _scalar_text(value: Any) -> str:
    """Text of a numpy scalar by its exact value; dates and records have no value outside numpy."""
    for kinds, encode in (("b", _integer_text), ("iu", _integer_text), ("c", _complex_text), ("US", _string_text)):
        if value.dtype.kind in kinds:
            return encode(value)
    if value.dtype.kind != "f":
        raise _unstable(value)
    return _ratio_text(value) if value.dtype.itemsize > 8 else _float_text(value)


def _string_text(value: Any) -> str:
    return ascii(bytes(value)) if isinstance(value, bytes) else ascii(str(value))


def _sequence_text(value: Any) -> str:
    inside = ", ".join([_text(each) for each in value])
    return f"[{inside}]" if isinstance(value, list) else f"({inside})"


def _set_text(value: Any) -> str:
    return f"set({', '.join(sorted(_text(each) for each in value))})"


def _dict_text(value: Any) -> str:
    return f"{{{', '.join(sorted(f'{_text(key)}: {_text(each)}' for key, each in value.items()))}}}"


def _range_text(value: range) -> str:
    """Ranges compare as the sequences they are."""
    step = value.step if len(value) > 1 else 0
    return f"range({len(value)}, {value.start if len(value) else 0}, {step})"


def _datetime_text(value: datetime.datetime) -> str:
    moment = value if value.tzinfo is None else value.astimezone(datetime.UTC)
    return f"datetime({moment.isoformat()})"


def _path_text(value: pathlib.PurePath) -> str:
    windows = isinstance(value, pathlib.PureWindowsPath)
    return f"path({value.as_posix().lower() if windows else str(value)!a}{', windows' if windows else ''})"


def _enum_text(value: enum.Enum) -> str:
    return f"enum({qualified_name(type(value))}, {_text(value.value)})"


def _function_text(function: types.FunctionType) -> str:
    """Module, name and source, with the defaults and the closure that the same source may come with."""
    free = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = sorted((name, cell.cell_contents) for name, cell in free.items() if cell.cell_contents is not function)
    parts = [digest(code_text(function)), _text(function.__defaults__), _text(function.__kwdefaults__), _pairs(closure)]
    return f"function({qualified_name(function)}, {', '.join(parts)})"


def _builtin_text(function: types.BuiltinFunctionType) -> str:
    if not isinstance(function.__self__, types.ModuleType | type(None)):
        raise _unstable(function)
    return f"function({function.__module__}.{function.__qualname__})"


def _method_text(method: types.MethodType) -> str:
    return f"method({_text(method.__self__)}, {_text(method.__func__)})"


def _partial_text(value: functools.partial[Any]) -> str:
    return f"partial({_text(value.func)}, {_text(value.args)}, {_text(value.keywords)})"


def _slice_text(value: Any) -> str:
    return f"slice({_text(value.start)}, {_text(value.stop)}, {_text(value.step)})"


_ENCODERS: dict[type, Callable[[Any], str]] = {
    float: _float_text,
    int: _integer_text,
    bool: _integer_text,
    str: ascii,
    type(None): repr,
    tuple: _sequence_text,
    np.ndarray: _array_text,
    complex: _complex_text,
    bytes: _bytes_text,
    bytearray: _bytes_text,
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
    uuid.UUID: lambda value: f"uuid({value.hex})",
    types.FunctionType: _function_text,
    types.BuiltinFunctionType: _builtin_text,
    types.MethodType: _method_text,
    functools.partial: _partial_text,
    np.ufunc: lambda value: f"function(numpy.{value.__name__})",
    type: lambda value: f"type({qualified_name(value)})",
}

# for subclasses: the first kind that a value belongs to, and still compares as
_KINDS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (np.ndarray, _array_text),
    (np.generic, _scalar_text),
    (str, _string_text),
    (bytes, _bytes_text),
    (int, _integer_text),
    (float, _float_text),
    (complex, _complex_text),
    (fractions.Fraction, _ratio_text),
    (Decimal, _ratio_text),
    (tuple, _sequence_text),
    (list, _sequence_text),
    (dict, _dict_text),
    (set, _set_text),
    (frozenset, _set_text),
    (np.dtype, lambda value: f"dtype({np.lib.format.dtype_to_descr(value)!r})"),
    (pathlib.PurePath, _path_text),
    (enum.Enum, _enum_text),
    (type, lambda value: f"type({qualified_name(value)})"),
)


# --------------------------------------------------------------------------------------------------------------------
# Keys
# --------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Space:
    """Whose results: one owner with one set of parameters.

    Parameters
    ----------
    module, name : str
        The module and the name of the owner.
    string : str
        Its hashable string.
    """

    module: str
    name: str
    string: str

    def digest(self) -> str:
        """Of all three parts."""
        return digest(json.dumps([self.module, self.name, self.string], ensure_ascii=False))

    def folder(self) -> str:
        """Where the entries of this space stand in a store."""
        return f"{module_folder(self.module)}/{_slug(self.name)}-{self.digest()}"


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """The full identity of one object.

    Parameters
    ----------
    space : Space
        Whose it is.
    object : str
        Its name.
    definition : str
        The qualified name of the method that computes it; empty for an object stored by name.
    version : str
        The version of that method.
    arguments : tuple of (str, str)
        Names of arguments, with the canonical text of their values.
    """

    space: Space
    object: str
    definition: str = ""
    version: str = ""
    arguments: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The key as a header holds it."""
        space = self.space
        own = {name: getattr(self, name) for name in ("object", "definition", "version")}
        return {
            "module": space.module,
            "name": space.name,
            "string": space.string,
            **own,
            "arguments": [list(pair) for pair in self.arguments],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Key:
        """The key that a header holds.

        Raises
        ------
        DamagedEntryError
            If that is not a key.
        """
        try:
            module, name, string, own, definition, version = (_string(found[part]) for part in _KEY_PARTS)
            arguments = tuple((_string(name), _string(text)) for name, text in found["arguments"])
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedEntryError(f"the header holds no full key ({error!r})") from None
        return cls(Space(module, name, string), own, definition, version, arguments)

    def text(self) -> str:
        """The key as one text; different keys have different texts."""
        return json.dumps(self.as_json(), ensure_ascii=False)

    def entry(self) -> str:
        """The name of this object's entry in a store."""
        return f"{self.space.folder()}/{entry_prefix(self.object)}{digest(self.text())}.stored"

    def call(self) -> str:
        """The object as a message names it."""
        arguments = ", ".join(f"{name}={text}" for name, text in self.arguments)
        return f"{self.space.name}.{self.object}({arguments})" if self.definition else f"object {self.object!r}"


_KEY_PARTS = ("module", "name", "string", "object", "definition", "version")


def module_folder(module: str) -> str:
    """Where the entries of a module stand; two modules may share a folder, never an entry."""
    return _slug(module)


def entry_prefix(name: str) -> str:
    """How the file names of all entries of an object begin."""
    return f"{_slug(name)}-"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _slug(name: str) -> str:
    """A name made safe for any file system: no separators, no leading dot, never empty, never long."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:40].lstrip("._") or "_"
