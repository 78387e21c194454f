"""Canonical text of values, and the keys made of it.

Two values have equal text if and only if they compare equal, in every process and under every hash seed: 1, 1.0,
True and ``np.float64(1)`` are one value; NaN equals NaN; arrays are equal by dtype, shape and bytes, whatever their
memory layout. A value without a form that outlives the process is refused with `UnstableKeyError`.
"""

from __future__ import annotations

import datetime
import enum
import functools
import itertools
import operator
import pathlib
import re
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xxhash

from stored import _source
from stored._source import code_text, qualified_name
from stored.errors import DamagedEntryError, OwnerError, UnstableKeyError

__all__ = [
    "ENTRY_ENDING",
    "Key",
    "Space",
    "canonical",
    "checked_string",
    "class_text",
    "digest",
    "entry_prefix",
    "module_folder",
    "named_canonical",
    "owner_method",
    "parameter_names",
    "static_closure",
]

_INLINE_BYTES = 256
"""Longer contents stand in a text by their digest."""

_INLINE_TEXT = 1024
"""And so do longer texts of strings and containers, which would make headers and messages long."""


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
        encode = _ENCODERS.get(type(value), canonical)
        try:
            named.append((name, encode(value)))
        except (UnstableKeyError, RecursionError) as error:
            why = error if isinstance(error, UnstableKeyError) else _unstable(value)
            raise UnstableKeyError(f"{whose.format(repr(name))}: {why}", why.found) from None
    return tuple(named)


def _unstable(value: object) -> UnstableKeyError:
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


def _text(value: object) -> str:
    encode = _ENCODERS.get(type(value))
    return encode(value) if encode is not None else _text_by_kind(value)


def _text_by_kind(value: Any) -> str:
    if isinstance(value, types.MethodType):  # also what only poses as one, as stored methods do
        return _method_text(value)
    for kind, encode in _kinds():
        if isinstance(value, kind) and _compares_as(kind, value):
            return encode(value)
    return _text_of_object(value)


def _compares_as(kind: type, value: object) -> bool:
    """Does a subclass (a namedtuple, an IntEnum) still compare as the type that it inherits from?"""
    own = type(value)
    return getattr(own, "__eq__", None) is getattr(kind, "__eq__", None) or own.__module__ == "numpy"


def _text_of_object(value: Any) -> str:
    own = type(value)
    describe = owner_method(own, "getHashableString", "_getHashableString")
    if describe is not None:
        string = checked_string(describe(value), f"{own.__qualname__}.getHashableString()")
        return f"owner({_class_name(own)}, {string!a})"
    names = parameter_names(own)
    if names is None:
        raise _unstable(value)
    return f"owner({_class_name(own)}, {_pairs((name, getattr(value, name)) for name in names)})"


def owner_method(owner: type, *names: str) -> Callable[[Any], Any] | None:
    """A caller of the first of these methods that a class has."""
    found = next((name for name in names if callable(getattr(owner, name, None))), None)
    return None if found is None else operator.methodcaller(found)


def checked_string(found: object, source: str) -> str:
    """What an owner's function returned, if it is text."""
    if not isinstance(found, str):
        raise OwnerError(f"{source} returned {found!r} of type {type(found).__name__}; it must return a str")
    return str.__str__(found)  # whatever its class shows it as


def parameter_names(owner: type) -> tuple[str, ...] | None:
    """The attributes that are the parameters of a class's objects, None if it names none.

    Every base has its say: what `keyed_by` named anywhere among them, and the compared fields of a frozen class.
    """
    keyed = [
        vars(base)["__stored_parameters__"] for base in owner.__mro__[::-1] if "__stored_parameters__" in vars(base)
    ]
    fields = _frozen_field_names(owner)
    if not keyed and fields is None:
        return None
    return tuple(dict.fromkeys([*(name for each in keyed for name in each.names), *(fields or ())]))


def _frozen_field_names(owner: type) -> tuple[str, ...] | None:
    """The compared fields of a frozen dataclass or frozen attrs class, None for any other class."""
    for base in owner.__mro__[:-1]:
        if "__dataclass_params__" in vars(base):
            return _dataclass_names(base)
        if "__attrs_attrs__" in vars(base):
            return _attrs_names(base)
        if not vars(base).keys().isdisjoint({"__init__", "__new__", "__setattr__"}):
            return None  # it may hold what is no field of its bases
    return None


def _dataclass_names(owner: Any) -> tuple[str, ...] | None:
    from dataclasses import fields

    return tuple(each.name for each in fields(owner) if each.compare) if owner.__dataclass_params__.frozen else None


def _attrs_names(owner: Any) -> tuple[str, ...] | None:
    frozen = owner.__setattr__.__name__ == "_frozen_setattrs"
    return tuple(attribute.name for attribute in owner.__attrs_attrs__ if attribute.eq) if frozen else None


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
        known = _class_texts[kind] = digest(canonical(_source.static_class(kind, _is_constant)))
    return known


def static_closure(function: Any) -> dict[str, object]:
    """What a function takes from the function around it, as far as it cannot change and has a canonical text."""
    return _source.static_closure(function, _is_constant)


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
        *(datetime.date, datetime.timedelta, pathlib.PurePath, np.generic, np.dtype, np.ufunc, type(np.mean)),
        types.BuiltinFunctionType,
    )


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
    from decimal import Decimal
    from fractions import Fraction

    if isinstance(value, Decimal) and value.is_snan():
        raise _unstable(value)  # compares with nothing at all
    if value != value or value in (float("inf"), float("-inf")):
        return _float_text(value)
    exact = Fraction(*value.as_integer_ratio())
    if exact.denominator == 1:
        return _integer_text(exact.numerator)
    try:
        number = float(exact)
    except OverflowError:
        number = 0.0
    return repr(number) if Fraction(number) == exact else f"{exact.numerator:#x}/{exact.denominator:#x}"


def _bytes_text(value: Any) -> str:
    content = bytes(value)
    return ascii(content) if len(content) <= _INLINE_BYTES else f"bytes({_content(content)})"


def _content(data: Any) -> str:
    return f"{memoryview(data).nbytes}:{xxhash.xxh3_128_hexdigest(data)}"


def _array_text(array: Any) -> str:
    if type(array) not in {np.ndarray, np.memmap}:
        raise _unstable(array)
    form = _dtype_text(array.dtype)
    if form is None:
        raise _unstable(array)
    data = _array_data(array)
    shown = data.tobytes().hex() if array.nbytes <= _INLINE_BYTES else _content(data)
    return f"array({form}, {array.shape!r}, {shown})"


def _dtype_text(dtype: Any) -> str | None:
    """Text of a dtype, None if its bytes mean something in this process only, or something numpy does not know."""
    if dtype.subdtype is not None:
        base = _dtype_text(dtype.subdtype[0])
        return None if base is None else f"({base}, {dtype.shape})"
    if dtype.names is None:
        return None if dtype.hasobject or dtype.type.__module__ != "numpy" else ascii(dtype.str)
    forms = [_dtype_text(dtype.fields[name][0]) for name in dtype.names]
    if None in forms:
        return None
    fields = [f"{name!a}: {form}, {dtype.fields[name][1:]!a}" for name, form in zip(dtype.names, forms, strict=True)]
    return f"{{{'; '.join(fields)}; {dtype.itemsize}}}"


def _array_data(array: Any) -> Any:
    """All that an array holds, as a line of bytes without the padding between them, which is never set."""
    if array.dtype.names is not None:
        return np.concatenate([np.zeros(0, np.uint8), *(_array_data(array[name]) for name in array.dtype.names)])
    data = np.ascontiguousarray(array).reshape(-1)
    if data.dtype.char not in "gG" or np.dtype("g").itemsize == _LONG_DOUBLE_BYTES:
        return data.view(np.uint8)
    parts = data.astype(data.dtype.newbyteorder("=")).view(np.uint8).reshape(-1, np.dtype("g").itemsize)
    return np.ascontiguousarray(parts[:, :_LONG_DOUBLE_BYTES]).reshape(-1)


_LONG_DOUBLE_BYTES = 10 if np.finfo(np.longdouble).nmant == 63 else np.dtype("g").itemsize
"""How many of a long double's bytes have a meaning; x86 pads ten to sixteen."""


def _scalar_text(value: Any) -> str:
    """Text of a numpy scalar by its exact value; dates and records have no value outside numpy."""
    for kinds, encode in (
        ("b", _integer_text),
        ("iu", _integer_text),
        ("c", _complex_text),
        ("U", _string_text),
        ("S", _bytes_text),
    ):
        if value.dtype.kind in kinds:
            return encode(value)
    if value.dtype.kind != "f":
        raise _unstable(value)
    return _ratio_text(value) if value.dtype.itemsize > 8 else _float_text(value)


def _string_text(value: Any) -> str:
    return _bounded("str", ascii(str.__str__(value)))  # an enumeration of strings shows its own name in its place


def _bounded(kind: str, text: str) -> str:
    return text if len(text) <= _INLINE_TEXT else f"{kind}({len(text)}:{digest(text)})"


def _sequence_text(value: Any) -> str:
    inside = ", ".join([_text(each) for each in value])
    return _bounded("list", f"[{inside}]") if isinstance(value, list) else _bounded("tuple", f"({inside})")


def _set_text(value: Any) -> str:
    return _bounded("set", f"set({', '.join(sorted(_text(each) for each in value))})")


def _dict_text(value: Any) -> str:
    inside = sorted(f"{_text(key)}: {_text(each)}" for key, each in value.items())
    return _bounded("dict", f"{{{', '.join(inside)}}}")


def _range_text(value: range) -> str:
    """Ranges compare as the sequences they are."""
    if not value:
        return "range()"
    first, last = value[0], value[-1]
    return f"range({_text(first)}, {_text(last)}, {_text(value.step if first != last else 0)})"


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
    return f"enum({_class_name(type(value))}, {_text(value.value)})"


def _function_text(function: types.FunctionType) -> str:
    """Module, name and source, with the defaults and the closure that the same source may come with."""
    free = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    try:
        closure = [(name, cell.cell_contents) for name, cell in free if cell.cell_contents is not function]
    except ValueError:  # a name that is not bound yet, and can be bound to anything
        raise _unstable(function) from None
    parts = [digest(code_text(function)), _text(function.__defaults__), _text(function.__kwdefaults__), _pairs(closure)]
    return f"function({qualified_name(function)!a}, {', '.join(parts)})"


def _global_text(value: Any) -> str:
    """Text of what is compiled, or part of a library: the name by which it is found in its module, if it is."""
    name = getattr(value, "__qualname__", value.__name__)
    for module in (getattr(value, "__module__", None), "numpy", "scipy.special"):
        if _found(module, name) is value:
            return f"function({f'{module}.{name}'!a})"
    raise _unstable(value)


def _found(module: str | None, name: str) -> object:
    found: object = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _type_text(kind: type) -> str:
    """Text of a class itself: its name, and what is said in it and in its bases."""
    if _found(kind.__module__, kind.__qualname__) is not kind:
        raise _unstable(kind)
    said = [
        (name, _said(each)) for base in kind.__mro__ for name, each in vars(base).items() if name != "__firstlineno__"
    ]
    return f"type({qualified_name(kind)!a}, {digest(canonical([pair for pair in said if pair[1] is not None]))})"


def _said(attribute: Any) -> object:
    """What an attribute of a class adds to its meaning, as far as it is written there: code, or a constant."""
    function = getattr(attribute, "__func__", getattr(attribute, "fget", attribute))
    if isinstance(function, types.FunctionType):
        return code_text(function)
    return attribute if type(attribute) in {bool, int, float, complex} else None


def _method_text(method: types.MethodType) -> str:
    return f"method({_text(method.__self__)}, {_text(method.__func__)})"


def _partial_text(value: functools.partial[Any]) -> str:
    return f"partial({_text(value.func)}, {_text(value.args)}, {_text(value.keywords)})"


def _dtype_value_text(dtype: Any) -> str:
    form = _dtype_text(dtype)
    if form is None:
        raise _unstable(dtype)
    return f"dtype({form})"


def _slice_text(value: Any) -> str:
    return f"slice({_text(value.start)}, {_text(value.stop)}, {_text(value.step)})"


_ENCODERS: dict[type, Callable[[Any], str]] = {
    float: _float_text,
    int: _integer_text,
    bool: _integer_text,
    str: _string_text,
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
    types.FunctionType: _function_text,
    types.BuiltinFunctionType: _global_text,
    types.MethodType: _method_text,
    functools.partial: _partial_text,
    np.ufunc: _global_text,
    type(np.mean): _global_text,
    type: _type_text,
}


@functools.cache
def _kinds() -> tuple[tuple[type, Callable[[Any], str]], ...]:
    """For subclasses, and types that few use: the first kind that a value belongs to, and still compares as."""
    return (
        (np.ndarray, _array_text),
        (np.generic, _scalar_text),
        (str, _string_text),
        (bytes, _bytes_text),
        (int, _integer_text),
        (float, _float_text),
        (complex, _complex_text),
        *_rare_kinds().items(),
        (tuple, _sequence_text),
        (list, _sequence_text),
        (dict, _dict_text),
        (set, _set_text),
        (frozenset, _set_text),
        (np.dtype, _dtype_value_text),
        (pathlib.PurePath, _path_text),
        (enum.Enum, _enum_text),
        (type, _type_text),
    )


def _rare_kinds() -> dict[type, Callable[[Any], str]]:
    """Those whose modules a program may never need: importing them takes a tenth of the start-up time."""
    from decimal import Decimal
    from fractions import Fraction
    from uuid import UUID

    return {Fraction: _ratio_text, Decimal: _ratio_text, UUID: lambda value: f"uuid({value.hex})"}


# --------------------------------------------------------------------------------------------------------------------
# Keys
# --------------------------------------------------------------------------------------------------------------------


class Space(NamedTuple):
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
        return digest(_text_of(self))

    def folder(self) -> str:
        """Where the entries of this space stand in a store."""
        return f"{module_folder(self.module)}/{_slug(self.name)}-{self.digest()}"


class Key(NamedTuple):
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
        arguments = itertools.chain.from_iterable(self.arguments)
        return _text_of((*self.space, self.object, self.definition, self.version, *arguments))

    def entry(self) -> str:
        """The name of this object's entry in a store."""
        return _entry(self)

    def call(self) -> str:
        """The object as a message names it."""
        arguments = ", ".join(f"{name}={text}" for name, text in self.arguments)
        return f"{self.space.name}.{self.object}({arguments})" if self.definition else f"object {self.object!r}"


@functools.lru_cache(maxsize=128)  # a miss asks for it several times
def _entry(key: Key) -> str:
    return f"{key.space.folder()}/{entry_prefix(key.object)}{digest(key.text())}{ENTRY_ENDING}"


def _text_of(parts: Iterable[str]) -> str:
    """One text for several; classes of text that show themselves in other ways are taken as what they hold."""
    return ascii([str.__str__(each) for each in parts])


ENTRY_ENDING = ".stored"

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


@functools.lru_cache(maxsize=1024)
def _slug(name: str) -> str:
    """A name made safe for any file system: no separators, no leading dot, never empty, never long."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:40].lstrip("._") or "_"
