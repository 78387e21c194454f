"""By which arguments are results found? Tables for the types of arguments, each as quick as its types allow.

A table takes arguments in brackets: a single one itself, several in a tuple. If it has no result for them, that is an
error, of any kind. Arguments that can change are compared by what they contain, since the same object proves nothing.
"""

from __future__ import annotations

import enum
import functools
import itertools
from marshal import dumps
from typing import Any

import numpy as np
import xxhash

from stored._keys import (
    MOST_BYTES,
    NUMBERS_AND_TEXTS,
    PLAIN_TYPES,
    InlineTests,
    add_tests_of_member,
    has_nan,
    hashable_part,
    is_plain_member,
    marshalled,
)

__all__ = ["add_hit", "check_argument"]


def add_hit(tables: dict[Any, Any], arguments: tuple[Any, ...], hit: Any) -> bool:
    """Add a result to the table for arguments of these types; False if there is one, or no key for them.

    Parameters
    ----------
    tables : dict
        The tables, by the type of a single argument, and by the types of several.
    arguments : tuple
        The arguments.
    hit : object
        The result.
    """
    types = tuple(map(type, arguments))
    if has_nan([each for each in arguments if type(each) in NUMBERS_AND_TEXTS]):
        return False  # it would not be found again
    is_single = len(types) == 1
    name, key = (types[0], arguments[0]) if is_single else (types, arguments)
    if name not in tables:
        # those of numpy that are, in keys, those of Python have one table with them
        plain = tuple([PLAIN_TYPES.get(each, each) for each in types])
        table = _single_table(plain[0], key) if is_single else _table_of_several(plain, arguments)
        tables[name] = tables.setdefault(plain[0] if is_single else plain, table)
    table = tables[name]
    if _has(table, key):
        return False
    if _is_added(table, key, hit):
        return True
    if not isinstance(table, _Members):
        return False
    tables[name] = _single_table(types[0], key)  # for the code of its class, and what members have, as they are by now
    return _is_added(tables[name], key, hit)


def check_argument(argument: Any) -> None:
    """Raise an error, of any kind, if nothing stands for an argument in tables."""
    if isinstance(argument, enum.Enum):
        hashable_part(argument)
    else:
        _single_table(type(argument), argument)[argument] = None


def _is_added(table: Any, key: Any, hit: Any) -> bool:
    try:
        table[key] = hit
        return bool(table[key] is hit)
    except Exception:  # nothing stands for the arguments
        return False


class _Arrays:
    """By arrays of plain numbers."""

    __slots__ = ("_hits", "_large")

    def __init__(self) -> None:
        self._hits: dict[Any, Any] = {}
        self._large: dict[Any, Any] = {}

    def __getitem__(self, array: Any) -> Any:
        if array.nbytes > MOST_BYTES:
            return self._large[hashable_part(array)]
        return self._hits[array.tobytes(), array.dtype, array.shape]

    def __setitem__(self, array: Any, hit: Any) -> None:
        part = hashable_part(array)  # an error if its bytes are not its content
        if array.nbytes > MOST_BYTES:
            self._large[part] = hit
        else:
            self._hits[array.tobytes(), array.dtype, array.shape] = hit


class _Tuples:
    """By tuples: of numbers and texts by the types of these, and then by themselves."""

    __slots__ = ("_flat", "_others")

    def __init__(self) -> None:
        self._flat: dict[tuple[type, ...], dict[tuple[Any, ...], Any]] = {}
        self._others: dict[Any, Any] = {}

    def __getitem__(self, items: tuple[Any, ...]) -> Any:
        try:
            if len(items) == 2:  # as most have
                first, second = items
                return self._flat[type(first), type(second)][items]
            return self._flat[tuple(map(type, items))][items]
        except (KeyError, TypeError):  # there is none, or an item cannot be hashed
            return self._others[_part_of_container(items)]

    def __setitem__(self, items: tuple[Any, ...], hit: Any) -> None:
        types = tuple(map(type, items))
        if NUMBERS_AND_TEXTS.issuperset(types) and not has_nan(items):
            _check_size(items)
            self._flat.setdefault(types, {})[items] = hit
        else:
            self._others[_part_of_container(items)] = hit


class _Containers:
    """By lists and dicts: of Python's own numbers and texts by what `marshal` writes, which has their types."""

    __slots__ = ("_others", "_plain")

    def __init__(self) -> None:
        self._plain: dict[Any, Any] = {}
        self._others: dict[Any, Any] = {}

    def __getitem__(self, container: Any) -> Any:
        try:  # arrays and numpy's numbers are written as bytes, which are in no plain container
            return self._plain[_content(dumps(container, 2))]
        except (KeyError, ValueError):
            return self._others[_part_of_container(container)]

    def __setitem__(self, container: Any, hit: Any) -> None:
        try:
            self._plain[_content(marshalled(container))] = hit
        except ValueError:
            self._others[_part_of_container(container)] = hit


def _content(written: bytes) -> Any:
    """What was written, or its digest; these are never equal."""
    return written if len(written) <= MOST_BYTES else (xxhash.xxh3_128_digest(written),)


_MOST_ITEMS = 1024
"""Larger containers are not in tables, unless by a digest: all that stands for their items would stay in memory."""


def _check_size(container: Any) -> None:
    if len(container) > _MOST_ITEMS:
        raise ValueError(f"{len(container)} items")


def _part_of_container(container: Any) -> Any:
    _check_size(container)
    return hashable_part(container)


class _Members:
    """By members of an enumeration: each enumeration has a subclass that tests the code of its class.

    They are looked up by their names, since Python asks every audit hook when it is asked for an `id`.
    """

    __slots__ = ("hits",)

    def __init__(self) -> None:
        self.hits: dict[str | None, tuple[Any, Any, int, Any]] = {}

    def __setitem__(self, member: Any, hit: Any) -> None:
        if not is_plain_member(member):
            raise ValueError(member)
        self.hits[member._name_] = hit, member._value_, len(vars(member)), member


_MEMBERS = """
def make({given}, base):
    class Members(base):
        __slots__ = ()
        def __getitem__(self, member):
            hit, value, size, known = self.hits[member._name_]
            if known is member and {test}:
                return hit
            raise KeyError(member)
    return Members()
"""


def _table_of_members(kind: type) -> Any:
    tests = InlineTests({}, frozenset())
    add_tests_of_member(kind, "member", "value", "size", tests)
    given = tests.all_given()
    scope: dict[str, Any] = {"__name__": __name__}
    exec(_MEMBERS.format(given=", ".join(given), test=" and ".join(tests.tests).format()), scope)  # noqa: S102  # identifiers only
    return scope["make"](*given.values(), _Members)


class _Parts:
    """By all else that can be compared."""

    __slots__ = ("_hits",)

    def __init__(self) -> None:
        self._hits: dict[Any, Any] = {}

    def __getitem__(self, value: Any) -> Any:
        return self._hits[hashable_part(value)]

    def __setitem__(self, value: Any, hit: Any) -> None:
        self._hits[hashable_part(value)] = hit


class _Several:
    """By several arguments, of which some are no numbers or texts: these have numbers, in tables of their own."""

    __slots__ = ("_hits", "_key", "_tables")

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self._tables = [
            None if type(each) in NUMBERS_AND_TEXTS else _single_table(type(each), each) for each in arguments
        ]
        self._hits: dict[Any, Any] = {}
        self._key = _key_maker(tuple([each is not None for each in self._tables]))(self._tables)

    def __getitem__(self, arguments: tuple[Any, ...]) -> Any:
        return self._hits[self._key(arguments)]

    def __setitem__(self, arguments: tuple[Any, ...], hit: Any) -> None:
        for place, each in enumerate(arguments):
            table = self._tables[place]
            if table is None or _has(table, each) or _is_added(table, each, next(_numbers)):
                continue
            if not isinstance(table, _Members):
                raise ValueError(each)
            renewed = self._tables[place] = _single_table(type(each), each)
            renewed[each] = next(_numbers)
        self._hits[self._key(arguments)] = hit


_numbers = itertools.count()


def _has(table: Any, key: Any) -> bool:
    try:
        table[key]
    except Exception:  # of whatever kind
        return False
    return True


@functools.lru_cache(maxsize=256)
def _key_maker(are_numbered: tuple[bool, ...]) -> Any:
    """What makes the function from arguments to their key, in which numbers of tables stand for some of them."""
    parts = [
        f"tables[{place}][arguments[{place}]]" if is_numbered else f"arguments[{place}]"
        for place, is_numbered in enumerate(are_numbered)
    ]
    return eval(f"lambda tables: lambda arguments: ({', '.join(parts)})", {"__name__": __name__})  # noqa: S307  # numbers only


def _single_table(kind: type, argument: Any) -> Any:
    if kind in NUMBERS_AND_TEXTS:
        return {}
    if kind is np.ndarray:
        return _Arrays()
    if kind is tuple:
        return _Tuples()
    if kind is list or kind is dict:
        return _Containers()
    return _table_of_members(kind) if issubclass(kind, enum.Enum) and is_plain_member(argument) else _Parts()


def _table_of_several(types: tuple[type, ...], arguments: tuple[Any, ...]) -> Any:
    return {} if NUMBERS_AND_TEXTS.issuperset(types) else _Several(arguments)
