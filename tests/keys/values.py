"""Random values for tests, often equal ones of different types, and a second definition of which compare equal."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

# -- which values compare equal ---------------------------------------------------------------------------------------

NUMBERS = (bool, int, float, complex, Fraction, Decimal, np.number, np.bool_)


def exact(number: Any) -> Any:
    """The value of a real number, exactly; 'nan' and the infinities by name."""
    if isinstance(number, np.generic) and not isinstance(number, np.longdouble):
        number = number.item()
    if number != number:
        return "nan"
    if number in (math.inf, -math.inf):
        return str(float(number))
    return Fraction(*number.as_integer_ratio())


def parts(number: Any) -> tuple[Any, Any]:
    """Real and imaginary part, exactly."""
    if isinstance(number, complex | np.complexfloating):
        return exact(number.real), exact(number.imag)
    return exact(number), Fraction(0)


def equal(one: Any, other: Any) -> bool:
    """Do two values compare equal, as Python has it, but numpy's numbers by their exact values and NaN to itself?"""
    for kinds, same in _SAME:
        if isinstance(one, kinds) or isinstance(other, kinds):
            return isinstance(one, kinds) and isinstance(other, kinds) and same(one, other)
    return bool(one == other)


def same_array(one: Any, other: Any) -> bool:
    return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())


def same_sequence(one: Any, other: Any) -> bool:
    kind = list if isinstance(one, list) else tuple
    return isinstance(other, kind) and len(one) == len(other) and all(map(equal, one, other))


def same_dict(one: Any, other: Any) -> bool:
    return same_members(list(one.items()), list(other.items()))


def same_members(one: Any, other: Any) -> bool:
    rest = list(other)
    for each in one:
        found = next((index for index, candidate in enumerate(rest) if equal(each, candidate)), None)
        if found is None:
            return False
        del rest[found]
    return not rest


_SAME: tuple[tuple[Any, Callable[[Any, Any], bool]], ...] = (
    (NUMBERS, lambda one, other: parts(one) == parts(other)),
    (np.ndarray, same_array),
    ((list, tuple), same_sequence),
    (dict, same_dict),
    ((set, frozenset), same_members),
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

LEAVES = st.one_of(
    INTEGERS, FLOATS, TEXTS, st.none(), st.booleans(), TEXTS.map(lambda x: x.encode("utf-8", "surrogatepass"))
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
    ),
    max_leaves=5,
)


def respelled(value: Any, draw: Any) -> Any:
    """An equal value, often of another type, in another order, or in another memory layout."""
    if isinstance(value, np.ndarray):
        return np.array(value, order="F") if draw(st.booleans()) else np.repeat(value[..., None], 2, -1)[..., 0]
    if type(value) in {list, tuple}:
        return type(value)([respelled(each, draw) for each in value])
    if isinstance(value, dict):
        return {respelled(key, draw): respelled(each, draw) for key, each in reversed(value.items())}
    if isinstance(value, set | frozenset):
        return draw(st.sampled_from([set, frozenset]))(sorted(value, key=repr, reverse=True))
    if isinstance(value, NUMBERS):
        return draw(st.sampled_from([each for each in as_other_types(value) if equal(each, value)] or [value]))
    return value
