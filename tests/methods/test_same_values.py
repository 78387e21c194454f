"""Two values are the same if their types are, and all in them, with numbers within a tolerance."""

from __future__ import annotations

import collections
import copy
import dataclasses
import enum
import math
import threading
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from stored import register
from stored._methods.same_values import difference, same_values, shown


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Data:
    x: float
    name: str = "a"
    hidden: Any = dataclasses.field(default=0, compare=False)


class Plain:
    def __init__(self, x: Any) -> None:
        self.x = x


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x


class WithBoth(Slotted):
    """It has slots, and a ``__dict__``."""

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.other = 1.0


class Hidden:
    """It has a slot in whose place there is something else, and a ``__dict__``."""

    __slots__ = ("__dict__", "place")

    def __init__(self, value: float) -> None:
        self.value = value


Hidden.place = 1.0  # type: ignore[misc,assignment]


class Equal:
    """With an equality of its own."""

    def __init__(self, x: Any, error: bool = False) -> None:
        self.x, self.error = x, error

    def __eq__(self, other: object) -> bool:
        if self.error:
            raise ValueError
        return isinstance(other, Equal) and self.x == other.x

    __hash__ = None  # type: ignore[assignment]


class Unpicklable(Equal):
    def __reduce__(self) -> Any:
        raise TypeError


class Mapping(dict[str, int]):
    """With attributes."""


def with_attribute(value: Any) -> Any:
    value.extra = 1
    return value


class Empty(Equal):
    """Whose comparison gives an empty array."""

    def __eq__(self, other: object) -> Any:
        return np.array([])

    __hash__ = None  # type: ignore[assignment]


class Opaque:
    """Of which nothing can be told."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __reduce__(self) -> Any:
        raise TypeError


class WithUnit(np.ndarray):
    """As quantities are."""


def with_unit(unit: str) -> Any:
    found = np.ones(2).view(WithUnit)
    found.unit = unit
    return found


def knot(x: Any) -> Any:
    one, other = Plain(x), [x]
    one.other = other  # type: ignore[attr-defined]
    other.append(one)
    return one


RECORDS_OF_NAN = np.array([(1, math.nan)], dtype=[("n", "i4"), ("x", "f8")])
RECORDS = np.array([(1, 2.0)], dtype=[("n", "i4"), ("x", "f8")])

SAME: list[tuple[Any, Any]] = [
    (1.0, 1.0 + 1e-13),
    (math.nan, float("nan")),
    (math.inf, math.inf),
    (0.0, -0.0),
    (1j, 1j * (1 + 1e-13)),
    (np.float32(1.5), np.float32(1.5)),
    (None, None),
    ("a", "".join(["a"])),
    (10**30, 10**30),
    (Decimal("1.5"), Decimal("1.50")),
    (Decimal("NaN"), Decimal("NaN")),
    (np.datetime64("NaT", "s"), np.datetime64("NaT", "s")),
    (frozenset({1, "a"}), frozenset({"a", 1})),
    (Colour.RED, Colour.RED),
    ([1.0, (2, {"a": np.ones(3)})], [1.0 + 1e-13, (2, {"a": np.ones(3) * (1 - 1e-13)})]),
    ({1, 2}, {2, 1}),
    (collections.deque([1.0]), collections.deque([1.0])),
    (np.array([1.0, np.nan, np.inf]), np.array([1.0, np.nan, np.inf])),
    (np.arange(4), np.arange(4)),
    (np.array(["a"], dtype=object), np.array(["a"], dtype=object)),
    (RECORDS, RECORDS.copy()),
    (np.array(["2020"], dtype="M8[Y]"), np.array(["2020"], dtype="M8[Y]")),
    (with_unit("m"), with_unit("m")),
    (Data(1.0), Data(1.0 + 1e-13)),
    (Data(1.0), Data(1.0, hidden=1)),
    (np.ma.array([1.0, 2.0], mask=[False, True]), np.ma.array([1.0, 3.0], mask=[False, True])),
    (np.ma.array([1.0, 2.0]), np.ma.array([1.0, 2.0], mask=[False, False])),
    (RECORDS_OF_NAN[0], RECORDS_OF_NAN.copy()[0]),
    (Mapping(a=1), Mapping(a=1)),
    (Plain([1.0]), Plain([1.0 + 1e-13])),
    (Slotted(1.0), Slotted(1.0)),
    (Equal(1), Equal(1)),
    (Equal(math.nan), Equal(math.nan)),
    (Equal(1, error=True), Equal(1, error=True)),
    (knot(1.0), knot(1.0)),
    (Opaque(), Opaque()),
]

OTHER: list[tuple[Any, Any]] = [
    (1.0, 1.0 + 1e-8),
    (1.0, 1),
    (1, True),
    (1.0, np.float32(1.0)),
    (math.nan, 1.0),
    (math.inf, -math.inf),
    (math.inf, 1e308),
    ("a", "b"),
    (10**30, 10**30 + 1),
    (Decimal("1.5"), Decimal("1.6")),
    (Colour.RED, Colour.BLUE),
    ([1.0], (1.0,)),
    ([1.0], [1.0, 2.0]),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {"b": 1}),
    ({1}, {2}),
    ({1}, {1.0}),
    ({1: 1}, {1.0: 1}),
    (np.datetime64("NaT", "Y"), np.datetime64("2020", "Y")),
    (np.ones(2), np.ones(3)),
    (np.ones(2), np.ones(2, dtype="f4")),
    (np.ones(2), np.array([1.0, 1.1])),
    (np.arange(2), np.array([0, 2])),
    (np.array(["a", 1.0], dtype=object), np.array(["a", 2.0], dtype=object)),
    (RECORDS, np.array([(1, 3.0)], dtype=RECORDS.dtype)),
    (with_unit("m"), with_unit("km")),
    (Data(1.0), Data(2.0)),
    (Plain([1.0]), Plain([2.0])),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    (complex(1, math.nan), complex(2, math.nan)),
    (np.array([complex(1, math.nan)]), np.array([complex(2, math.nan)])),
    (np.ma.array([1.0, 2.0], mask=[False, True]), np.ma.array([1.0, 2.0], mask=[True, False])),
    (np.ma.array([1.0, 2.0]), np.ma.array([1.0, 3.0])),
    (Mapping(a=1), with_attribute(Mapping(a=1))),
    (Empty(1), Empty(2)),
    (Slotted(1.0), Slotted(2.0)),
    (WithBoth(1.0), WithBoth(2.0)),
    (Hidden(1.0), Hidden(2.0)),
    (Equal(1), Equal(2)),
    (Unpicklable(1), Unpicklable(2)),
    (knot(1.0), knot(2.0)),
]


@pytest.mark.parametrize("number", range(len(SAME)))
def test_what_is_the_same(number: int) -> None:
    """In both orders, and in containers."""
    one, other = SAME[number]
    assert same_values(one, other, 1e-9)
    assert same_values(other, one, 1e-9)
    assert same_values({"a": [one]}, {"a": [other]}, 1e-9)


@pytest.mark.parametrize("number", range(len(OTHER)))
def test_what_is_another_value(number: int) -> None:
    """In both orders, and in containers."""
    one, other = OTHER[number]
    assert not same_values(one, other, 1e-9)
    assert not same_values(other, one, 1e-9)
    assert not same_values({"a": [one]}, {"a": [other]}, 1e-9)


def test_without_a_tolerance_each_digit_counts() -> None:
    """Of numbers and arrays."""
    assert same_values(0.1 + 0.2, 0.3, 1e-15)
    assert not same_values(0.1 + 0.2, 0.3, 0.0)
    assert same_values(np.array([0.3]), np.array([0.3]), 0.0)
    assert not same_values(np.array([0.1 + 0.2]), np.array([0.3]), 0.0)


@pytest.mark.parametrize("number", range(len(SAME)))
def test_a_copy_is_the_same(number: int) -> None:
    """Of everything that can be copied."""
    value = SAME[number][0]
    if not isinstance(value, Opaque | WithUnit):
        assert same_values(value, copy.deepcopy(value), 0.0)


def test_values_are_shown_in_one_line() -> None:
    """And not at length."""
    assert shown(np.float64(1.5)) == "1.5"
    assert shown(np.zeros((2, 2))) == "[[0. 0.] [0. 0.]]"
    assert len(shown(np.zeros(10_000))) < 100
    assert len(shown(list(range(1000)))) < 100
    assert len(shown("a" * 1000)) < 250


class Alike(Slotted):
    def __repr__(self) -> str:
        return "it"


def test_long_values_that_look_alike_are_shown_where_they_differ() -> None:
    """At the end of an array, and in its last digits."""
    array = np.arange(1000.0)
    changed = array.copy()
    changed[500] = 500.00000000000011
    assert difference(array, changed, 0.0, False) == (
        "[ 0. 1. 2. ... 997. 998. 999.], of which ... 498.0, 499.0, 500.0, 501.0, 502.0, 503.0, 504.0, 505.0, 506...",
        "[ 0. 1. 2. ... 997. 998. 999.], of which ... 498.0, 499.0, 500.0000000000001, 501.0, 502.0, 503.0, 504.0...",
    )
    numbers = list(range(100))
    assert difference(numbers, [*numbers[:-1], 7], 0.0, False) == (
        "[0, 1, 2, 3, 4, 5, ...], of which ...94, 95, 96, 97, 98, 99]",
        "[0, 1, 2, 3, 4, 5, ...], of which ...94, 95, 96, 97, 98, 7]",
    )
    assert difference(Alike(1), Alike(2), 0.0, False) == ("it", "it")
    assert difference(1.0, 2.0, 0.0, False) == ("1.0", "2.0")


class Fitted:
    def __init__(self, slope: float, note: str = "") -> None:
        self.slope, self.note = slope, note


def _slope(value: Fitted) -> tuple[float]:
    if value.note:
        raise ValueError(value.note)
    return (value.slope,)


def test_registered_types_are_compared_by_their_plain_form() -> None:
    """Or as others are, if there is none."""
    register(Fitted, encode=_slope, decode=lambda found: Fitted(*found))
    assert same_values([Fitted(1.0)] * 2, [Fitted(1.0 + 1e-12), Fitted(1.0)], 1e-9)
    assert not same_values(Fitted(1.0), Fitted(1.1), 1e-9)
    assert same_values(Fitted(1.0, "no form"), Fitted(1.0, "no form"), 1e-9)
    assert not same_values(Fitted(1.0, "no form"), Fitted(1.0, "nor this"), 1e-9)
    assert not same_values(Fitted(1.0), Fitted(1.0, "no form"), 1e-9)
