"""Random values for tests, often equal ones of different types, and a second definition of which are the same."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import functools
import math
import pathlib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import FunctionType
from typing import Any, NamedTuple

import attrs
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stored import keyed_by

# -- classes, each with two attributes -------------------------------------------------------------------------------


class Gaussian(NamedTuple):
    first: Any
    second: Any = None


class TopHat(NamedTuple):
    first: Any
    second: Any = None


@dataclasses.dataclass
class Record:
    first: Any
    second: Any = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass(frozen=True, eq=False)
class FrozenRecord:
    first: Any
    second: Any = dataclasses.field(default=None, repr=False)


@attrs.define
class AttrsRecord:
    first: Any
    second: Any = attrs.field(default=None, eq=False)


class PlainObject:
    def __init__(self, first: Any, second: Any = None) -> None:
        self.second, self.first = second, first


class OtherObject(PlainObject):
    pass


@keyed_by("first", "second")
class KeyedObject:
    def __init__(self, first: Any, second: Any = None) -> None:
        self.first, self.second = first, second


class OwnList(list[Any]):
    pass


class OwnDict(dict[Any, Any]):
    pass


class OwnFloat(float):
    pass


class Kernel(enum.Enum):
    GAUSS = 1
    TOPHAT = 2


class IntKernel(enum.IntEnum):
    GAUSS = 1
    TOPHAT = 2


class Bits(enum.Flag):
    A = 1
    B = 2


def closing_over(first: Any, second: Any = None) -> Any:
    return lambda x: (x, first, second)


def with_defaults(first: Any, second: Any = None) -> Any:
    def function(x: Any = first, y: Any = second) -> Any:
        return x, y

    return function


RECORDS: list[Any] = [
    *(Gaussian, TopHat, Record, FrozenRecord, AttrsRecord, PlainObject, OtherObject, KeyedObject),
    *(
        closing_over,
        with_defaults,
        functools.partial(functools.partial, max),
        lambda x, y=None: functools.partial(min, x, key=y),
    ),
    *(
        lambda x, y=None: OwnList([x, y]),
        lambda x, y=None: OwnDict(a=x, b=y),
        lambda x, y=None: collections.deque([x, y], 3),
    ),
    lambda x, y=None: collections.OrderedDict(a=x, b=y),
    lambda x, y=None: collections.defaultdict(list, a=x, b=y),
    lambda x, y=None: collections.defaultdict(set, b=x, a=y),
]

# -- which values no method can tell apart ----------------------------------------------------------------------------

NUMBERS = (bool, int, float, complex, Fraction, Decimal, np.number, np.bool_)


def equal(one: Any, other: Any) -> bool:
    """Are two values of one type, equal, and in one order? NaN equals itself, and numpy's doubles are Python's."""
    one, other = map(_of_python, (one, other))
    if type(one) is not type(other):
        return False
    for kinds, same in _SAME:
        if isinstance(one, kinds):
            return same(one, other)
    return bool(one == other)


def _of_python(value: Any) -> Any:
    if isinstance(value, np.float64):
        return float(value)
    return complex(value) if isinstance(value, np.complex128) else value


def same_number(one: Any, other: Any) -> bool:
    return bool((one == other) or (one != one and other != other))


def same_complex(one: Any, other: Any) -> bool:
    return same_number(one.real, other.real) and same_number(one.imag, other.imag)


def same_array(one: Any, other: Any) -> bool:
    return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())


def same_sequence(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(map(equal, one, other))


def same_dict(one: Any, other: Any) -> bool:
    factories = [getattr(each, "default_factory", None) for each in (one, other)]
    return factories[0] is factories[1] and same_sequence(list(one.items()), list(other.items()))


def same_members(one: Any, other: Any) -> bool:
    rest = list(other)
    for each in one:
        found = next((index for index, candidate in enumerate(rest) if equal(each, candidate)), None)
        if found is None:
            return False
        del rest[found]
    return not rest


def same_attributes(one: Any, other: Any) -> bool:
    return all(equal(getattr(one, name), getattr(other, name)) for name in ("first", "second"))


def same_function(one: Any, other: Any) -> bool:
    contents = [[cell.cell_contents for cell in each.__closure__ or ()] for each in (one, other)]
    return one.__code__ is other.__code__ and equal(*contents) and equal(one.__defaults__, other.__defaults__)


def same_partial(one: Any, other: Any) -> bool:
    return equal(one.func, other.func) and equal(one.args, other.args) and equal(one.keywords, other.keywords)


_SAME: tuple[tuple[Any, Callable[[Any, Any], bool]], ...] = (
    (enum.Enum, lambda one, other: one is other),
    (Decimal, lambda one, other: repr(one) == repr(other)),
    ((complex, np.complexfloating), same_complex),
    (NUMBERS, same_number),
    ((np.datetime64, np.timedelta64), lambda one, other: one.dtype == other.dtype and str(one) == str(other)),
    (np.ndarray, same_array),
    ((list, tuple), same_sequence),
    (collections.deque, lambda one, other: one.maxlen == other.maxlen and same_sequence(list(one), list(other))),
    (dict, same_dict),
    ((set, frozenset), same_members),
    (range, lambda one, other: (one.start, one.stop, one.step) == (other.start, other.stop, other.step)),
    ((Record, FrozenRecord, AttrsRecord, PlainObject, KeyedObject), same_attributes),
    (functools.partial, same_partial),
    (FunctionType, same_function),
)


# -- random values ----------------------------------------------------------------------------------------------------

INTEGERS = st.one_of(
    st.integers(-3, 300),
    st.sampled_from(
        [2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2, 2**63, -(2**63), 2**64 + 2**12, 10**22, 10**400, -(10**400)]
    ),
)

FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 0.1, 0.5, 1 / 3, 1e16, 1e22, 1e300, 5e-324, math.nan, math.inf, -math.inf, 2.0**53]),
    st.floats(width=16),
    st.floats(),
)


def as_other_types(number: Any) -> list[Any]:
    """The same number, or one near to it, in every type that takes it."""
    found = []
    for make in _NUMBER_TYPES:
        try:
            with np.errstate(all="ignore"):
                found.append(make(number))
        except (OverflowError, ValueError, TypeError, decimal.InvalidOperation, np.exceptions.ComplexWarning):
            continue
    return found


_NUMBER_TYPES: list[Any] = [
    lambda x: x,
    int,
    float,
    complex,
    bool,
    Fraction,
    Decimal,
    lambda x: Fraction(x) / 3,
    *(getattr(np, name) for name in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]),
    *(
        getattr(np, name)
        for name in ["float16", "float32", "float64", "longdouble", "complex64", "complex128", "clongdouble", "bool_"]
    ),
    lambda x: complex(0, x),
    lambda x: np.complex64(complex(x, 1)),
    lambda x: str(x),
    lambda x: str(x).encode(),
    lambda x: (x,),
    lambda x: [x],
    lambda x: np.array(x, dtype=np.float64),
    lambda x: np.array([x], dtype=np.float32),
]

TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=6),
    st.sampled_from(
        ["1", "nan", "'1'", "1, H0=2", "', H0='", "[1]", "b'x'", "x", "\ud83d\ude00", "😀", "\udc80", "complex(0, 1)"]
    ),
)

NUMBER_PAIRS = (
    st.one_of(INTEGERS, FLOATS)
    .map(as_other_types)
    .flatmap(lambda found: st.tuples(st.sampled_from(found), st.sampled_from(found)))
)

ARRAYS = hnp.arrays(
    st.sampled_from(["f8", ">f8", "f4", "i8", "i4", "u1", "c16", "?", "U2", "S3", "M8[s]", "m8[ns]"]),
    st.sampled_from([(), (0,), (1,), (2,), (1, 2), (2, 1), (0, 3)]),
    fill=st.nothing(),
)

DATES = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2000, 1, 3))

ODD = st.one_of(
    st.sampled_from([*Kernel, *IntKernel, *Bits, Bits.A | Bits.B, int, float, np.float64, len, math.sin, np.sin]),
    st.builds(range, st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from(["a", "a/b", "A"]).flatmap(
        lambda text: st.sampled_from([pathlib.PurePosixPath(text), pathlib.PureWindowsPath(text), text])
    ),
    DATES,
    DATES.map(lambda moment: moment.date()),
    st.timedeltas(datetime.timedelta(0), datetime.timedelta(2)),
    st.integers(0, 3).map(lambda days: np.datetime64(days, "D")),
    st.integers(0, 3).map(lambda seconds: np.timedelta64(seconds, "s")),
    st.integers(0, 3).map(lambda number: OwnFloat(number)),
)

LEAVES = st.one_of(
    INTEGERS,
    FLOATS,
    TEXTS,
    st.none(),
    st.booleans(),
    TEXTS.map(lambda x: x.encode("utf-8", "surrogatepass")),
    st.binary(max_size=3).map(bytearray),
    ODD,
)

HASHABLE = st.one_of(INTEGERS, FLOATS.filter(lambda x: x == x), TEXTS, st.tuples(st.integers(0, 2), TEXTS))

VALUES = st.recursive(
    st.one_of(LEAVES, ARRAYS, NUMBER_PAIRS.map(lambda pair: pair[1])),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.lists(inside, max_size=3).map(tuple),
        st.dictionaries(HASHABLE, inside, max_size=3),
        st.sets(HASHABLE, max_size=3),
        st.frozensets(HASHABLE, max_size=3),
        st.builds(lambda make, *parts: make(*parts), st.sampled_from(RECORDS), inside, inside),
        st.builds(lambda make, part: make(part), st.sampled_from(RECORDS), inside),
    ),
    max_leaves=5,
)


def respelled(value: Any, draw: Any) -> Any:
    """The same value in other objects, often in another memory layout, or order where that does not count."""
    if isinstance(value, np.ndarray):
        return np.array(value, order="F") if draw(st.booleans()) else np.repeat(value[..., None], 2, -1)[..., 0]
    if type(value) in {list, tuple}:
        return type(value)([respelled(each, draw) for each in value])
    if type(value) is dict:
        return {respelled(key, draw): respelled(each, draw) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return type(value)(sorted(value, key=repr, reverse=True))
    if isinstance(value, Record | PlainObject | KeyedObject):
        return type(value)(respelled(value.first, draw), respelled(value.second, draw))
    if type(value) is float:
        return np.float64(value)
    if type(value) is np.float32 and value == 0:
        return -value
    return copy.deepcopy(value)
