"""Values have equal text if and only if no method can tell them apart, in every process."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import enum
import functools
import io
import itertools
import math
import operator
import os
import pathlib
import pickle
import random
import subprocess
import sys
import threading
import time
import types
import uuid
import zoneinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._keys import canonical, digest, text_or_none
from stored._keys.canonical import canonical_texts
from stored.errors import OwnerError, UnstableKeyError
from tests.keys.models import Colour, Dark, Model, OldWord, Told
from tests.keys.values import INTEGERS, NUMBER_PAIRS, TEXTS, VALUES, equal, respelled


@settings(max_examples=200, deadline=None)
@given(NUMBER_PAIRS)
def test_numbers_have_equal_text_exactly_if_type_and_value_agree(pair: tuple[Any, Any]) -> None:
    """A number's type counts, and its exact value, down to the last bit of a long double."""
    one, other = pair
    assert (canonical(one) == canonical(other)) is equal(one, other)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_equal_values_have_equal_text(data: st.DataObject) -> None:
    """Whichever objects they are, and whatever their layout in memory."""
    value = data.draw(VALUES)
    other = respelled(value, data.draw)
    assert equal(value, other)
    assert canonical(value) == canonical(other)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=5))
def test_different_values_have_different_texts(values: list[Any]) -> None:
    """And the same ones equal texts, for any pair among arbitrary values, nested in each other."""
    for one, other in itertools.combinations(values, 2):
        assert (canonical(one) == canonical(other)) is equal(one, other)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(TEXTS, INTEGERS)), max_size=3), st.data())
def test_text_cannot_imitate_structure(pairs: list[tuple[str, Any]], data: st.DataObject) -> None:
    """A string that contains the encoder's own syntax is never taken for what it spells."""
    text = canonical(dict(pairs))
    for imitation in (text, text[1:-1], ascii(text)):
        assert canonical(imitation) != text
        assert canonical([imitation]) != canonical([dict(pairs)])


KINDS: list[Any] = [
    1, 2, "1", b"1", (1,), [1], {1}, {1: None}, {1: 1}, None, ...,
    "None", "Ellipsis", "x", b"x", "b'x'", "'x'",
    (), [], {}, set(), ((),), ([],), (1, 2), ((1, 2),), "1, 2", 1j, "complex(0, 1)", (0, 1), range(3), range(0),
    (0, 1, 2), slice(0, 3), slice(3), np.array(1.0), np.array([1.0]), np.array([[1.0]]),
    np.array([1]), np.array(["1"]), np.array([b"1"]),
    np.array([]), np.zeros((0, 2)), np.zeros((2, 0)),
    np.array([1.0], ">f8"), np.array([1.0], "f4"), np.dtype("f8"), np.dtype("f4"),
    "nan", math.nan, math.inf, "inf", range(0, 3, 2), range(0, 4, 2), range(1, 1),
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    datetime.timedelta(1), datetime.timedelta(0, 1), uuid.UUID(int=1), datetime.time(1), datetime.time(1, fold=1),
    datetime.datetime(2020, 1, 1, fold=1), datetime.UTC, datetime.timezone(datetime.timedelta(0), "Z"),
    zoneinfo.ZoneInfo("UTC"), zoneinfo.ZoneInfo("Europe/Berlin"), datetime.time(1, tzinfo=datetime.UTC),
    True, 1.0, Decimal("1"), Decimal("1.0"), Fraction(1), Fraction(1, 2), Fraction(10**400, 3), 10**400,
    Decimal("NaN"), Decimal("sNaN"), 1 + 0j,
    np.int32(1), np.int64(1), np.bool_(True), np.float32(1), np.longdouble(1), np.complex64(1), np.str_("1"),
    np.bytes_(b"1"), np.datetime64("2020-01-01"), np.datetime64("2020-01-01T00"), np.datetime64("NaT", "s"),
    np.timedelta64(1, "s"), np.zeros(1, "i4,f8")[0], np.zeros(1, "i4,f4")[0], np.void(b"x"), np.zeros(1, "V2")[0],
    bytearray(b"1"), memoryview(b"1"), memoryview(b"1").cast("c"), array.array("b", b"1"), array.array("B", b"1"),
    frozenset({1}), frozenset(), collections.OrderedDict(a=1), collections.Counter(a=1), {"a": 1},
    collections.defaultdict(list, a=1), collections.defaultdict(None, a=1), types.MappingProxyType({"a": 1}),
    types.MappingProxyType(collections.OrderedDict(a=1)), collections.deque([1]), collections.deque([1], 3),
    {"a": 1}.keys(), {"a": 1}.values(), {"a": 1}.items(), {"a": 1, "b": 1}, {"b": 1, "a": 1},
    collections.ChainMap({"a": 1}), time.gmtime(0), time.gmtime(1), types.SimpleNamespace(a=1),
    collections.UserList([1]),
    NotImplemented, sys, os,
    pathlib.PurePosixPath("x"), pathlib.PureWindowsPath("x"),
    pathlib.Path("x"),
    int, float, len, math.sin, np.sin, np.mean, np.exp2, scipy.special.exp2, str.upper, str.lower, [].append,
    (1).__add__,
    dict.fromkeys, operator.attrgetter("a"), operator.attrgetter("a", "b"), operator.itemgetter("a"),
    operator.methodcaller("a"), operator.methodcaller("a", 1), operator.methodcaller("a", b=1), int.__add__,
    functools.partial(max, 1), functools.partial(max, 1.0), functools.partial(max, key=1), functools.lru_cache(len),
    bytes(300), bytes(301), np.zeros(300, "u1"), np.zeros(300, "i1"),
]  # fmt: skip


def test_kinds_are_distinguished() -> None:
    """Values of different kinds never share a text, however alike they look."""
    texts = [canonical(value) for value in KINDS]
    assert len(set(texts)) == len(KINDS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (range(2**70), range(0, 2**70, 1)),
        (0.0, -0.0),
        (complex(0.0, -0.0), complex(-0.0, 0.0)),
        (np.float32(0.0), np.float32(-0.0)),
        (np.longdouble("0.0"), np.longdouble("-0.0")),
        (np.longlong(1), np.int64(1)),
        (np.complex64(complex(0.0, -0.0)), np.complex64(0)),
        (1.5, np.float64(1.5)),
        (1.5j, np.complex128(1.5j)),
        (np.dtype("f8", metadata={"a": 1}), np.dtype("f8")),
        (pathlib.Path("a/b"), pathlib.Path("a//b")),
        (
            datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC),
            datetime.datetime(2020, 1, 1, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=-5))),
        ),
        (np.datetime64("NaT", "s"), np.datetime64("NaT", "s")),
        (np.float32("nan"), np.float32("nan")),
        (Decimal("nan"), Decimal("nan")),
        (pickle.loads(pickle.dumps(zoneinfo.ZoneInfo("UTC"))), zoneinfo.ZoneInfo("UTC")),
    ],
)
def test_values_that_are_one_have_equal_text(one: Any, other: Any) -> None:
    """The exceptions to the rule, and values that were made in another way."""
    assert canonical(one) == canonical(other)
    assert canonical([one]) == canonical([other])


def test_a_day_at_the_end_of_time_has_a_text() -> None:
    """The first and last moments exist in other time zones, though not in UTC."""
    zone = datetime.timezone(datetime.timedelta(hours=5))
    first = datetime.datetime.min.replace(tzinfo=zone)
    assert canonical(first) != canonical(datetime.datetime.min.replace(tzinfo=datetime.UTC))


def test_a_zone_without_an_offset_is_none() -> None:
    """A moment whose zone says nothing is naive for Python, and must not depend on the machine's own zone."""

    class Nowhere(datetime.tzinfo):
        def utcoffset(self, moment: Any) -> None:
            return None

    moment = datetime.datetime(2020, 1, 1)
    assert canonical(moment.replace(tzinfo=Nowhere())) == canonical(moment)
    assert canonical(moment.replace(tzinfo=zoneinfo.ZoneInfo("UTC"))) != canonical(moment)


def test_fractions_beyond_every_float_have_texts_of_their_own() -> None:
    """A ratio too large for a float counts by its terms."""
    large = Fraction(10**400 + 1, 3)
    assert canonical(large) == canonical(Fraction(10**400 + 1, 3)) != canonical(large + 1)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ("x" * 2000, "x" * 1999 + "y"),
        (list(range(1000)), [*range(999), 0]),
        (tuple(range(1000)), (*range(999), 0)),
        (set(range(1000)), set(range(1001))),
        (frozenset(range(1000)), frozenset(range(1001))),
        (dict.fromkeys(range(1000)), dict.fromkeys(reversed(range(1000)))),
        (collections.deque(range(1000)), collections.deque(range(1001))),
        ([["x" * 500] * 5] * 5, [["x" * 500] * 5] * 4),
    ],
)
def test_long_texts_stand_by_their_digest(value: Any, other: Any) -> None:
    """Headers and messages stay short, and different values different."""
    assert len(canonical(value)) < 300
    assert canonical(value) != canonical(other)
    assert canonical(value) not in (canonical(canonical(value)), canonical([value]))


# -- values that are refused ------------------------------------------------------------------------------------------

ZONE = (pathlib.Path(zoneinfo.TZPATH[0]) / "UTC").read_bytes()


UNSTABLE = object()


class OwnRandom(random.Random):
    pass


@pytest.mark.parametrize(
    "value",
    [
        object(),
        iter([1]),
        np.random.default_rng(0),
        np.frompyfunc(lambda x: x, 1, 1),
        threading.Event(),
        random.Random(1),
        OwnRandom(1),
        zoneinfo.ZoneInfo.from_file(io.BytesIO(ZONE)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_without_a_stable_form_are_refused(value: Any) -> None:
    """What has no text that is the same in another process is an error that names the type, wherever it stands."""
    holders = (value, [value], {"a": (value,)}, functools.partial(print, value), types.SimpleNamespace(a=value))
    for holder in holders:
        with pytest.raises(UnstableKeyError, match=type(value).__qualname__.replace("[", ".")) as caught:
            canonical(holder)
        assert caught.value.found.startswith(f"{type(value).__module__}.{type(value).__qualname__}")


def loop(length: int, *more: Any) -> list[Any]:
    """A list that is inside itself, so many lists deep."""
    first: list[Any] = []
    last = first
    for _ in range(length - 1):
        last.append([])
        last = last[0]
    last += [first, *more]
    return first


def test_containers_that_contain_themselves_have_a_text() -> None:
    """A reference back stands for itself, and how far it goes counts."""
    values = [loop(1), loop(2), loop(3), [loop(1)], loop(1, 1), loop(1, [1]), [loop(1), loop(2)], [[]]]
    assert len({canonical(each) for each in values}) == len(values)
    assert canonical(loop(3, 1)) == canonical(loop(3, 1))
    shared = loop(2)
    assert canonical([shared, shared]) == canonical([loop(2), loop(2)])


def argument_of_f(name: str) -> tuple[str, str, str]:
    return f"argument {name!r} of f(): ", name, "leave it out with ignore=(...)"


def test_values_that_are_nested_too_deeply_are_refused() -> None:
    """With the name of the argument, and in short."""
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(UnstableKeyError, match=r"argument 'b' of f\(\): .*list is nested too deeply"):
        canonical_texts(("a", "b"), (1, deep), argument_of_f)
    with pytest.raises(UnstableKeyError, match="nested too deeply"):
        canonical(deep)


def test_what_is_shared_is_looked_at_once() -> None:
    """The time goes with the number of objects, not of ways to them; also where the last of them is refused."""
    table: Any = {"a": [1.0]}
    for _ in range(100):
        table = {"a": table, "b": table}
    assert len(canonical(table)) < 2000
    lost: Any = [threading.Event()]
    for _ in range(100):
        lost = [[], lost, lost]
    with pytest.raises(UnstableKeyError, match=r"it(\[1\]){50}.*\.\.\. is a value of type threading.Event"):
        canonical(lost)


class Holder:
    def __init__(self, held: Any) -> None:
        self.held = held


def closing(held: Any) -> Any:
    return lambda: held


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (object(), "b is a value of type builtins.object"),
        ({"flux": [1, 2, object()]}, "b['flux'][2] is a value of type builtins.object"),
        ({1.5: ({"a"}, object())}, "b[1.5][1] is"),
        ({Colour.RED: object()}, "b[<Colour>] is"),
        ({object(): 1}, "b[<object>] is"),
        (Holder([object()]), "b.held[0] is"),
        (Model(1, Holder(object())), "b.dark.held is"),
        ({object()}, "b{...} is"),
        (closing([object()]), "b.held[0] is"),
        (lambda x=(UNSTABLE,): x, "b.__defaults__[0][0] is"),
        (functools.partial(max, object()), "b.args[0] is"),
        (functools.partial(max, key=object()), "b.keywords['key'] is"),
        (np.array([1, object()], dtype=object), "b[1] is"),
        (collections.deque([object()]), "b[0] is"),
        (collections.defaultdict(closing([object()])), "b.default_factory.held[0] is"),
    ],
)
def test_a_refused_value_is_named_with_its_place(value: Any, place: str) -> None:
    """An error says which of many values it was, where in it, and of which type."""
    with pytest.raises(UnstableKeyError) as caught:
        canonical_texts(("a", "b"), (1, value), argument_of_f)
    assert str(caught.value).startswith(f"argument 'b' of f(): {place}")
    assert caught.value.found == "builtins.object"
    assert "ignore=" in str(caught.value)
    assert canonical_texts(("a", "b"), (1, "x"), argument_of_f) == ("1", "'x'")


class Node:
    def __init__(self, *near: Any) -> None:
        self.near = set(near)


def test_members_of_sets_that_refer_back_are_refused() -> None:
    """To the set itself or to what it is in: their texts would depend on their order."""
    parent, child = Node(), Node()
    parent.near.add(child)
    child.up = parent  # type: ignore[attr-defined]
    grandchild = Node()
    child.near.add(grandchild)
    grandchild.up = child.near  # type: ignore[attr-defined]
    for each, place in ((parent, r"it\.near"), ([child], r"it\[0\]\.near")):
        with pytest.raises(UnstableKeyError, match=rf"{place}{{\.\.\.}}.* of type .*Node, which refers back .*a list"):
            canonical(each)
    ring = Node()
    ring.near.add(ring)
    assert canonical(ring) != canonical(Node(ring))
    assert canonical(Node(Node(), Node())) == canonical(Node(Node(), Node())) != canonical(Node(Node()))


# -- enumerations and classes with an equality of their own -----------------------------------------------------------


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    RED = "red"


class Bits(enum.Flag):
    A = 1
    B = 2


Point = collections.namedtuple("Point", "x y")
Place = collections.namedtuple("Place", "x y")


class Loose(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


def test_enumerations_are_described_by_class_name_and_value() -> None:
    """Members equal themselves alone, also those that are numbers or strings."""
    alone = [Colour.RED, Colour.BLUE, Bits.A, Bits.B, Bits.A | Bits.B, 1, 2, 3, "Colour.RED", "red", "OldWord.RED"]
    alone += [Number.ONE, Word.RED, OldWord.RED, Bits(0)]
    assert len({canonical(each) for each in alone}) == len(alone)


class Odd(enum.Enum):
    A = object()
    B = UNSTABLE
    C = [object()]
    D = 1


def test_a_member_whose_value_has_no_form_is_described_by_its_name() -> None:
    """One of an enumeration that its module has; of others, which may be another one next time, it is refused."""
    assert len({canonical(each) for each in Odd}) == 4
    assert canonical([Odd.A, Odd.C, Odd.A]) == canonical([Odd.A, Odd.C, Odd.A])
    assert canonical(Odd)

    def made(value: Any) -> Any:
        return enum.Enum("Made", {"A": value}).A  # type: ignore[misc]

    assert canonical(made(object())) == canonical(made(object()))
    for found in (made(np.poly1d([1, 2])), type(made(np.poly1d([1, 2])))):
        with pytest.raises(UnstableKeyError, match=r"\.A\.value is a value of type numpy\.poly1d"):
            canonical(found)


def test_members_are_described_by_their_attributes_too() -> None:
    """Those that the class or somebody else has set; names stand in quotes, so that one is not taken for two."""
    before = canonical(Odd.D)
    Odd.D.scale = 2  # type: ignore[attr-defined]
    after = canonical(Odd.D)
    del Odd.D.scale  # type: ignore[attr-defined]
    assert before == canonical(Odd.D) != after
    kinds = [enum.Enum("K", {"X": 0, **rest}) for rest in ({"A": 1, "B": 2}, {"A: 1, B": 2})]
    assert len({canonical(each["X"]) for each in kinds}) == 2


def test_named_tuples_are_described_by_class() -> None:
    """A named tuple is no plain one, nor one of another class."""
    values = [Point(1, 2), Point(1, 2.0), Place(1, 2), (1, 2), [Point(1, 2)], [(1, 2)]]
    assert len({canonical(each) for each in values}) == len(values)


class _Converted(float):
    """Converts itself to a number that it is not equal to, and has no hash."""

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> float:
        return float.__add__(self, 273.15)


class _Counted(int):
    def __int__(self) -> int:
        return 7


def test_a_number_of_an_own_class_has_a_text_of_its_own() -> None:
    """And leaves that of the equal plain number as it is, since texts of numbers are remembered."""
    for value, plain in ((_Converted(26.85), 26.85), (_Counted(12345), 12345), (Loose(1), 1.0)):
        assert canonical(value) != canonical(plain) == repr(plain)
        assert repr(plain) in canonical(value)


def test_subclasses_are_described_by_class_value_and_attributes() -> None:
    """Whatever they override, their value is that of the type of Python's from which they inherit."""

    def made(base: type, *args: Any, note: Any = 1) -> Any:
        value = OWN[base](*args)
        value.note = note
        return value

    arguments: dict[type, Any] = {
        str: ("a", "b"),
        bytes: (b"a", b"b"),
        bytearray: (b"a", b"b"),
        int: (1, 2),
        float: (1.0, 2.0),
        complex: (1j, 2j),
        list: ([1], [2]),
        tuple: ([1], [2]),
        set: ([1], [2]),
        frozenset: ([1], [2]),
        dict: ({"a": 1}, {"a": 2}),
        collections.OrderedDict: ({"a": 1}, {"a": 2}),
        collections.Counter: ({"a": 1}, {"a": 2}),
        collections.deque: ([1], [2]),
        Decimal: ("1.0", "1"),
        Fraction: ("1/2", "1/3"),
        ValueError: ("a", "b"),
    }
    for base, (one, other) in arguments.items():
        values = [made(base, one), made(base, other), made(base, one, note=2), base(one)]
        values = [each for each in values if type(each) is not ValueError]
        assert len({canonical(each) for each in values}) == len(values), base
        assert canonical(made(base, one)) == canonical(made(base, one))
    own = collections.defaultdict(list, a=1)
    assert canonical(OwnDefault(list, a=1)) not in (canonical(own), canonical(OwnDefault(set, a=1)))
    moments = [OwnMoment(2020, 1, 1), OwnMoment(2020, 1, 2), OwnDay(2020, 1, 1), OwnTime(1), OwnTime(2), OwnStep(1)]
    moments += [OwnMoment(2020, 1, 1, tzinfo=OwnZone()), OwnStep(2), OwnZone(), OwnPath("a"), OwnPath("b")]
    assert len({canonical(each) for each in moments}) == len(moments)
    numbers = [OwnSingle(1), OwnSingle(2), np.float32(1), OwnDouble(1), np.float64(1), OwnWord("1"), np.str_("1")]
    assert len({canonical(each) for each in numbers}) == len(numbers)
    arrays = [np.zeros(1).view(OwnArray), np.ones(1).view(OwnArray), np.zeros(1), OwnTypedArray("b", b"a")]
    assert len({canonical(each) for each in arrays}) == len(arrays)


OWN: dict[type, Any] = {
    base: type(
        "Own",
        (base,),
        {"__module__": __name__, **dict.fromkeys(("__iter__", "__eq__", "__hash__", "items", "__str__"))},
    )
    for base in (
        *(str, bytes, bytearray, int, float, complex, list, tuple, set, frozenset, dict, Decimal, Fraction, ValueError),
        *(collections.OrderedDict, collections.Counter, collections.deque),
    )
}


class OwnDefault(collections.defaultdict[str, int]):
    pass


class OwnMoment(datetime.datetime):
    pass


class OwnDay(datetime.date):
    pass


class OwnTime(datetime.time):
    pass


class OwnStep(datetime.timedelta):
    pass


class OwnZone(datetime.tzinfo):
    def utcoffset(self, moment: Any) -> datetime.timedelta:
        return datetime.timedelta(hours=1)


class OwnPath(type(pathlib.Path())):  # type: ignore[misc]
    pass


class OwnSingle(np.float32):
    pass


class OwnDouble(np.float64):
    pass


class OwnWord(np.str_):
    pass


class OwnArray(np.ndarray[Any, Any]):
    pass


class OwnTypedArray(array.array):  # type: ignore[type-arg]
    pass


def test_class_names_cannot_imitate_structure() -> None:
    """A class may have any name, and still has another text than one with another value."""
    one = dataclasses.make_dataclass("A", [("x", Any)], frozen=True)
    other = dataclasses.make_dataclass("B", [("x", Any)], frozen=True)
    other.__qualname__ = "A', x=1, y"
    assert canonical(one(1)) != canonical(other(1))
    assert "\\'" in canonical(other(1)) or '"' in canonical(other(1))


# -- owners as values -------------------------------------------------------------------------------------------------


@attrs.frozen
class Matter:
    density: float
    note: str = attrs.field(default="", eq=False)


@dataclasses.dataclass
class Unfrozen:
    w0: float


class ToldByClass:
    @classmethod
    def _getHashableString(cls) -> str:
        return "fixed"


def test_owners_are_values_by_their_parameters() -> None:
    """An owner inside another counts with its class and its parameters; of a frozen class, these are all fields."""
    assert canonical(Model(1, Dark(-1.0, "a"))) == canonical(Model(1, Dark(-1.0, "a")))
    different = [
        Model(1, Dark(-1.0, "a")),
        Model(1, Dark(-1.0, "b")),
        Model(True, Dark(-1.0, "a")),
        Matter(1.0, "a"),
        Matter(1.0, "b"),
        Unfrozen(1.0),
        Unfrozen(2.0),
        Model(1, Dark(-1)),
        Model(1, Dark(-0.9)),
        Model(1, Matter(-1)),
        Model(1, -1),
        Dark(-1),
        Matter(-1),
        Told("x"),
        Told("y"),
    ]
    different += [ToldByClass(), {"w0": -1}, Model(1, Told("1")), Model("1", Dark(-1)), Model(1, Told("'x'"))]
    assert len({canonical(each) for each in different}) == len(different)


def test_an_owners_string_must_be_text() -> None:
    """Anything else that it returns could mean something else in another process."""
    with pytest.raises(OwnerError, match=r"Told.getHashableString\(\) returned <object"):
        canonical([Told(object())])


def test_owners_that_hold_each_other_have_a_text() -> None:
    """A reference back stands for itself."""

    def pair(h: float) -> Model:
        model = Model(1, None)
        model.dark = Model(h, model)
        return model

    assert canonical(pair(2.0)) == canonical(pair(2.0)) != canonical(pair(3.0))


# -- processes and versions -------------------------------------------------------------------------------------------

DIGESTS = """
import enum, math, functools, dataclasses, datetime, pathlib
from fractions import Fraction
from decimal import Decimal
import numpy as np
from stored._keys import canonical, digest

class Colour(enum.Enum):
    RED = "red"

@dataclasses.dataclass(frozen=True)
class Dark:
    names: frozenset

class Plain:
    limits = {"low", "high", "middle"}
    def __init__(self, names):
        self.names, self.size = names, len(names)

def made_here(n):
    class Local:
        order = [n, {"a", "b", "c"}]
        def __init__(self, x):
            self.x = x
        def value(self):
            return self.x * n
    return Local

def chooses(x, kinds=frozenset("abcdef")):
    return x in {"alpha", "beta", "gamma", "delta", "epsilon"} and x in kinds

namespace = {}
exec("def made(x):\\n return x in {'alpha', 'beta', 'gamma', 'delta', ('a', 'b')}"
     " and [y for y in x if y in {'u', 'v', 'w'}]", namespace)
words = ["alpha", "beta", "gamma", "delta", "epsilon", 1, 2.5, None, b"x", (1, "a")]
values = [
    set(words), frozenset(words), {word: repr(word) for word in words},
    [set("abc"), {"k": set("xyz")}],
    Fraction(1, 3), Decimal("0.1"), np.float32(0.1), np.longdouble(1) / 3, 1j, math.nan, "\\ud83d", Colour.RED,
    Dark(frozenset(words[:5])), chooses, namespace["made"], lambda x: x in {"p", "q", "r", "s"},
    functools.partial(chooses, {"a", "b"}),
    np.arange(1000.0), np.arange(3), np.sin, Dark,
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), pathlib.PurePath("a"), range(9),
    np.sqrt(np.arange(40, dtype="g")), {frozenset(words[:5]): {frozenset("abc"), frozenset("xyz")}},
    Plain({"a", "b", "c"}), Plain, Dark({"a", "b"}), made_here(3)(4), made_here(3),
    np.float32(0.1), np.datetime64(0, "s"),
]
print("\\n".join(digest(canonical(value)) for value in values))
"""


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_texts_are_the_same_in_every_process(tmp_path: Path) -> None:
    """Whatever the hash seed, which decides the order of sets, those among a function's constants included."""
    script = tmp_path / "digests.py"
    script.write_text(DIGESTS)
    seen = [run(str(script), PYTHONHASHSEED=seed) for seed in ("0", "1", "12345")]
    assert seen[0] == seen[1] == seen[2]
    assert len(set(seen[0].split())) == 32  # two are equal


def test_digests_never_change() -> None:
    """What is on disk is found by later versions too."""
    assert digest("") == "cae66941d9efbd404e4d88758ea67670"  # of blake2b, of 16 bytes
    assert canonical({"b": [1.0, 1], "a": ("x", None, b"y")}) == "{'b': [1.0, 1], 'a': ('x', None, b'y')}"
    assert canonical([True, 1j, np.int32(5), {2}]) == "[True, complex(0.0, 1.0), int32(5), set(2)]"
    assert digest("\ud83d\ude00") != digest("😀")


def test_a_call_that_is_too_deep() -> None:
    """A number has a text, so that it is the call that is too deep, and not the number."""

    def deepest() -> str | None:
        try:
            return deepest()
        except RecursionError:
            return text_or_none(True)

    assert deepest() == text_or_none(True) == canonical(True)


class MaskedOfOnesOwn(np.ma.MaskedArray):
    """A masked array of a class of somebody's own, whose mask is no attribute."""


def test_masked_arrays_of_other_classes_are_refused() -> None:
    """Their mask would not count."""
    with pytest.raises(UnstableKeyError, match="MaskedOfOnesOwn"):
        canonical(np.ma.array([1.0]).view(MaskedOfOnesOwn))
