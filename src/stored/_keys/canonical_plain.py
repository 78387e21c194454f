"""Which text stands for a value of plain Python in a key? Numbers, strings, containers, dates and paths."""

from __future__ import annotations

import array
import collections
import datetime
import functools
import pathlib
import re
import types
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from stored._keys.canonical import Walk, add_forms, text_or_digest
from stored._keys.unstable_values import MemberRefersBackError, UnstableValueError, refuse

__all__ = ["bytes_text", "complex_text", "float_text", "integer_text", "size_and_digest", "string_text"]

INLINE_BYTES = 256
"""Content that takes more bytes than this is replaced by its digest."""

_SAFE_INTEGER = 10**18
"""Integers beyond are written in hexadecimal digits: Python limits how many decimal ones it writes."""


def integer_text(value: int) -> str:
    """The text of an integer, without a point."""
    return str(value) if -_SAFE_INTEGER < value < _SAFE_INTEGER else hex(value)


@functools.lru_cache(maxsize=4096)  # of the parameters of a model, most are the same from one to the next
def float_text(value: float) -> str:
    """The text of a double, with a point or an exponent; 0.0 and -0.0 are one."""
    return repr(value + 0.0)


def complex_text(value: complex) -> str:
    """The text of a complex number, whose parts are doubles."""
    return f"complex({float_text(value.real)}, {float_text(value.imag)})"


def fraction_text(value: Any) -> str:
    """The text of a fraction."""
    return f"Fraction({integer_text(value.numerator)}, {integer_text(value.denominator)})"


def bytes_text(value: Any) -> str:
    """The text of bytes: themselves if they are few, otherwise size and digest."""
    content = bytes(value)
    return ascii(content) if len(content) <= INLINE_BYTES else f"bytes({size_and_digest(content)})"


def size_and_digest(data: Any) -> str:
    """The size in bytes and the digest of a buffer."""
    return f"{memoryview(data).nbytes}:{blake2b(data, digest_size=16).hexdigest()}"


def string_text(value: str) -> str:
    """The text of a string: itself if it is short, otherwise length and digest."""
    return text_or_digest("str", ascii(value))


def _memoryview_text(value: memoryview) -> str:
    return f"memoryview({value.format!a}, {value.shape!r}, {bytes_text(value.tobytes())})"


def _array_text(value: array.array[Any]) -> str:
    return f"array.array({value.typecode!a}, {bytes_text(value.tobytes())})"


def items_text(items: Iterable[object], walk: Walk, place: Callable[[int], str] = "[{}]".format) -> str:
    """The texts of the items of a sequence; in an error, the place of one is its number, or what is made of that."""
    texts: list[str] = []
    try:
        for each in items:
            texts.append(walk.text(each))
    except UnstableValueError as error:
        raise error.inside(place(len(texts))) from None
    return ", ".join(texts)


def _list_text(value: list[Any], walk: Walk) -> str:
    return text_or_digest("list", f"[{items_text(value, walk)}]")


def _tuple_text(value: tuple[Any, ...], walk: Walk) -> str:
    return text_or_digest("tuple", f"({items_text(value, walk)})")


def _members_text(value: Any, walk: Walk) -> str:
    """The texts of the members of a set, in an order that is the same in every process.

    A member that refers to what the set is in has a text that depends on what was met before, and so on the order.
    Functions and classes, which are numbered in the order in which they are met, are met in the order of their names.
    """
    texts: list[str] = []
    try:
        for each in sorted(value, key=_name_of_code):
            texts.append(walk.text(each))
            if not walk.is_closed(value):
                raise MemberRefersBackError(each)
    except UnstableValueError as error:
        raise error.inside("{...}") from None
    return ", ".join(sorted(texts))


def _name_of_code(value: Any) -> tuple[str, int]:
    """The name of a function or a class, and where it stands; of several in a tuple, those of all."""
    if type(value) is tuple:
        return " ".join([f"{_name_of_code(each)}" for each in value]), 0
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}", 0
    if type(value) is types.FunctionType:
        return f"{value.__module__}.{value.__qualname__}", value.__code__.co_firstlineno
    return "", 0


def _set_text(value: Any, walk: Walk) -> str:
    return text_or_digest("set", f"set({_members_text(value, walk)})")


def _frozenset_text(value: Any, walk: Walk) -> str:
    return text_or_digest("frozenset", f"frozenset({_members_text(value, walk)})")


def _pair_texts(value: Any, walk: Walk) -> str:
    texts: list[str] = []
    key: object = None
    try:
        for key, each in list(value.items()):  # another thread may fill it
            texts.append(f"{walk.text(key)}: {walk.text(each)}")
    except UnstableValueError as error:
        raise error.inside(f"[{_short(key)}]") from None
    return ", ".join(texts)


def _short(key: object) -> str:
    """A key of a dict in the place of a value: of an object of an own class, the type."""
    return repr(key)[:60] if isinstance(key, str | int | float | bytes | tuple) else f"<{type(key).__name__}>"


def _dict_text(value: dict[Any, Any], walk: Walk) -> str:
    return text_or_digest("dict", f"{{{_pair_texts(value, walk)}}}")


def _ordered_dict_text(value: Any, walk: Walk) -> str:
    return text_or_digest("OrderedDict", f"OrderedDict({_pair_texts(value, walk)})")


def _default_dict_text(value: Any, walk: Walk) -> str:
    factory = walk.part(value.default_factory, ".default_factory")
    return text_or_digest("defaultdict", f"defaultdict({factory}, {_pair_texts(value, walk)})")


def _counter_text(value: Any, walk: Walk) -> str:
    return text_or_digest("Counter", f"Counter({_pair_texts(value, walk)})")


def _deque_text(value: Any, walk: Walk) -> str:
    return text_or_digest("deque", f"deque({value.maxlen}, {items_text(value, walk)})")


def _mapping_proxy_text(value: Any, walk: Walk) -> str:
    return f"mappingproxy({walk.text(value.copy())})"  # of the type of that which it shows


def _view_text(value: Any, walk: Walk) -> str:
    return text_or_digest("view", f"{type(value).__name__}({items_text(value, walk)})")


def _range_text(value: range) -> str:
    return f"range({integer_text(value.start)}, {integer_text(value.stop)}, {integer_text(value.step)})"


def _slice_text(value: Any, walk: Walk) -> str:
    return f"slice({walk.text(value.start)}, {walk.text(value.stop)}, {walk.text(value.step)})"


# -- dates ------------------------------------------------------------------------------------------------------------


def _datetime_text(value: datetime.datetime) -> str:
    if value.utcoffset() is None:
        fold = ", fold" if value.fold else ""
        return f"datetime({value.replace(tzinfo=None).isoformat()}{fold})"
    since = value - _EPOCH  # value.astimezone(UTC) overflows on the first and the last day that datetime knows
    return f"datetime(utc, {since.days}, {since.seconds}, {since.microseconds})"


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _time_text(value: datetime.time, walk: Walk) -> str:
    fold = ", fold" if value.fold else ""
    return f"time({value.replace(tzinfo=None).isoformat()}, {walk.part(value.tzinfo, '.tzinfo')}{fold})"


def _timedelta_text(value: datetime.timedelta) -> str:
    return f"timedelta({value.days}, {value.seconds}, {value.microseconds})"


def _timezone_text(value: datetime.timezone) -> str:
    return f"timezone({_timedelta_text(value.utcoffset(None))}, {value.tzname(None)!a})"


def _zone_info_text(value: Any, walk: Walk) -> str:
    if value.key is None:  # of a file without a name
        refuse(value)
    return f"ZoneInfo({value.key!a})"


def _path_text(value: pathlib.PurePath) -> str:
    return f"path({type(value).__name__}, {str(value)!a})"


# -- types whose modules are imported when they are needed: importing them takes a tenth of the start-up time ----------


def _is_rare(value: object) -> bool:
    return _rare_form(type(value)) is not None


def _rare_form(kind: type) -> Any:
    return _RARE.get(f"{getattr(kind, '__module__', None)}.{kind.__qualname__}")


_RARE: dict[str, Any] = {
    "decimal.Decimal": lambda value, walk: repr(value),
    "fractions.Fraction": lambda value, walk: fraction_text(value),
    "uuid.UUID": lambda value, walk: f"uuid({value.hex})",
    "zoneinfo.ZoneInfo": _zone_info_text,
}


def _rare_text(value: Any, walk: Walk) -> str:
    text: str = _rare_form(type(value))(value, walk)
    return text


_DICTS: tuple[dict[Any, Any], ...] = ({}, collections.OrderedDict())

_VIEWS = tuple(type(view) for each in _DICTS for view in (each.keys(), each.values(), each.items()))

add_forms(
    leaves={
        float: float_text,
        int: integer_text,
        bool: repr,
        str: string_text,
        type(None): repr,
        complex: complex_text,
        bytes: bytes_text,
        bytearray: lambda value: f"bytearray({bytes_text(value)})",
        re.Pattern: lambda value: f"pattern({string_text(repr(value.pattern))}, {int(value.flags)})",
        memoryview: _memoryview_text,
        array.array: _array_text,
        range: _range_text,
        types.EllipsisType: repr,
        types.NotImplementedType: repr,
        datetime.datetime: _datetime_text,
        datetime.date: lambda value: f"date({value.isoformat()})",
        datetime.timedelta: _timedelta_text,
        datetime.timezone: _timezone_text,
        pathlib.PurePosixPath: _path_text,
        pathlib.PureWindowsPath: _path_text,
        type(pathlib.Path()): _path_text,
    },
    exact={
        tuple: _tuple_text,
        list: _list_text,
        dict: _dict_text,
        set: _set_text,
        frozenset: _frozenset_text,
        collections.OrderedDict: _ordered_dict_text,
        collections.defaultdict: _default_dict_text,
        collections.Counter: _counter_text,
        collections.deque: _deque_text,
        types.MappingProxyType: _mapping_proxy_text,
        **dict.fromkeys(_VIEWS, _view_text),
        slice: _slice_text,
        datetime.time: _time_text,
    },
    kinds=[(_is_rare, _rare_text)],
)
