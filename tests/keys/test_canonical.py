"""Canonical text of values, and keys."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import itertools
import json
import math
import os
import pathlib
import subprocess
import sys
import types
import uuid
import zoneinfo
from collections.abc import Callable
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
from hypothesis.extra import numpy as hnp

from stored import keyed_by, stored
from stored._keys.canonical import canonical, canonical_pairs, constant_closure, digest
from stored._keys.result_key import Key, Space, entry_prefix, module_folder
from stored.errors import DamagedEntryError, OwnerError, UnstableKeyError
from stored.stores._base import check_name

# -- an independent statement of "compare equal" -----------------------------------------------------------------------

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

# -- values, drawn so that equal ones of different types are common ----------------------------------------------------

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


@settings(max_examples=200, deadline=None)
@given(NUMBER_PAIRS)
def test_numbers_have_equal_text_exactly_if_they_are_equal(pair: tuple[Any, Any]) -> None:
    """A number's type does not count, its exact value does, down to the last bit of a long double."""
    one, other = pair
    assert (canonical(one) == canonical(other)) is equal(one, other)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_equal_values_have_equal_text(data: st.DataObject) -> None:
    """Whatever their types, their order of insertion or their layout in memory."""
    value = data.draw(VALUES)
    other = respelled(value, data.draw)
    assert equal(value, other)
    assert canonical(value) == canonical(other)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=5))
def test_different_values_have_different_texts(values: list[Any]) -> None:
    """And equal ones equal texts, for any pair among arbitrary values."""
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
    "nan", math.nan, math.inf, "inf",
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    datetime.timedelta(1), datetime.timedelta(0, 1), uuid.UUID(int=1),
    pathlib.PurePosixPath("x"), pathlib.PureWindowsPath("x"),
    int, float, len, math.sin, np.sin, np.mean, np.exp2, scipy.special.exp2,
    bytes(300), bytes(301), np.zeros(300, "u1"), np.zeros(300, "i1"),
]  # fmt: skip


def test_kinds_are_told_apart() -> None:
    """Values of different kinds never share a text, however alike they look."""
    texts = [canonical(value) for value in KINDS]
    assert len(set(texts)) == len(KINDS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (range(0, 3, 2), range(0, 4, 2)),
        (range(5, 6, 3), range(5, 6, 1)),
        (range(0), range(3, 3)),
        (range(2**70), range(0, 2**70, 1)),
        (bytearray(b"x"), b"x"),
        (np.bytes_(b"x" * 300), b"x" * 300),
        (np.str_("x"), "x"),
        (np.dtype("f8", metadata={"a": 1}), np.dtype("f8")),
        (pathlib.PureWindowsPath("A\\b"), pathlib.PureWindowsPath("a/B")),
        (pathlib.Path("a/b"), pathlib.PurePosixPath("a//b")),
        (
            datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC),
            datetime.datetime(2020, 1, 1, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=-5))),
        ),
        (datetime.datetime(2020, 1, 1, fold=1), datetime.datetime(2020, 1, 1)),
        (collections.defaultdict(list, a=1), {"a": 1}),
        (functools.partial(max, 1), functools.partial(max, 1.0)),
    ],
)
def test_equal_objects_of_the_standard_library_have_equal_text(one: Any, other: Any) -> None:
    """Equality is what Python says it is, not how an object was made."""
    assert one == other or isinstance(one, functools.partial)
    assert canonical(one) == canonical(other)


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


def test_float32_is_not_the_float_it_was_rounded_from() -> None:
    """The nearest float32 to 0.1 is another number than 0.1, though numpy compares them after rounding."""
    assert canonical(np.float32(0.1)) != canonical(0.1)
    assert canonical(np.float32(0.1)) == canonical(float(np.float32(0.1)))
    assert canonical(np.longdouble(1) / 3) != canonical(1 / 3)
    assert canonical(Decimal("0.1")) != canonical(0.1)
    assert canonical(Fraction(1, 10**400)) != canonical(Fraction(1, 10**401))


# -- arrays ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 5000])
def test_an_array_is_its_dtype_shape_and_content(size: int) -> None:
    """Whatever its layout: C, Fortran, strided, reversed or mapped from a file."""
    plain = np.arange(6.0 * size).reshape(2, 3, size)
    strided = np.zeros((4, 3, 2 * size))[::2, :, ::2]
    strided[...] = plain
    texts = {canonical(each) for each in (plain, np.asfortranarray(plain), strided, plain[::-1].copy()[::-1])}
    assert len(texts) == 1
    others = [
        plain.astype(">f8"),
        plain.astype("f4"),
        plain.reshape(3, 2, size),
        plain.reshape(-1),
        plain[:, ::-1],
        plain + 1,
    ]
    assert len({canonical(each) for each in others} | texts) == len(others) + 1
    assert len(texts.pop()) < 1000


def test_a_memory_mapped_array_is_an_array(tmp_path: Path) -> None:
    """Where its content lies does not count."""
    np.save(tmp_path / "a.npy", np.arange(5.0))
    assert canonical(np.load(tmp_path / "a.npy", mmap_mode="r")) == canonical(np.arange(5.0))


@pytest.mark.parametrize("code", ["g", "G", ">g"])
def test_padding_of_long_doubles_does_not_count(code: str) -> None:
    """The bytes of an array that belong to no number are never set, and so must not tell equal arrays apart."""
    one, other = np.zeros(3, code), np.zeros(3, code)
    other.view(np.uint8)[...] = 255
    other[...] = one
    one[...] = other[...] = [1, 2, np.sqrt(np.longdouble(2))]
    assert canonical(one) == canonical(other)
    other[2] = np.nextafter(one[2].real, np.longdouble(3))
    assert canonical(one) != canonical(other)


def test_structured_arrays() -> None:
    """Fields count by name, form, place and content; the padding between them does not."""
    form = np.dtype([("a", "i1"), ("b", "f8", (2,))], align=True)
    one, other = np.zeros(2, form), np.frombuffer(b"\xff" * 2 * form.itemsize, form).copy()
    other["a"], other["b"] = 0, 0
    assert canonical(one) == canonical(other)
    other["b"][1, 1] = 1e-9
    assert canonical(one) != canonical(other)
    forms = [form, np.dtype([("a", "i1"), ("b", "f8", (2,))]), np.dtype([("a", "i1"), ("c", "f8", (2,))], align=True)]
    overlapping = np.dtype({"names": ["a", "b"], "formats": ["f8", "f4"], "offsets": [0, 4]})
    assert len({canonical(np.zeros(2, each)) for each in [*forms, overlapping, [("a", "f8"), ("b", "f4")]]}) == 5
    assert canonical(np.zeros(2, [])) != canonical(np.zeros(3, []))


def test_empty_dates_and_missing_dates_are_arrays_like_others() -> None:
    """Dates differ by unit and value; an array without bytes still has a shape."""
    days = np.array(["2020-01-01", "NaT"], "M8[D]")
    assert canonical(days) == canonical(days.copy())
    assert canonical(days) != canonical(days.astype("M8[s]"))
    for form in ("S0", "U0", "V0"):
        one, other = (np.zeros(size, [("a", form), ("b", "i4")])["a"] for size in (2, 300))
        assert one.dtype.itemsize == 0
        assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "value",
    [
        np.ma.masked_array([1.0, 2.0], [0, 1]),
        np.ma.masked,
        np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        np.array([1, object()], dtype=object),
        np.zeros(2, [("a", "f8"), ("b", "O")]),
        np.zeros(2, [("a", "O", (2,))]),
        np.array(["a"], np.dtypes.StringDType()),
        np.datetime64("2020-01-01"),
        np.timedelta64(1, "s"),
        np.zeros(1, "i4,f8")[0],
        np.dtype("O"),
        Decimal("sNaN"),
        collections.OrderedDict(a=1),
        collections.Counter(a=1),
        memoryview(b"x"),
        object(),
        iter([1]),
        sys,
        np.random.default_rng(0),
        [].append,
        np.frompyfunc(lambda x: x, 1, 1),
        list[int],
        functools.cache(lambda: 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_without_a_stable_form_are_refused(value: Any) -> None:
    """What cannot be told apart in another process is an error that names the type, wherever it stands."""
    for holder in (value, [value], {"a": (value,)}, functools.partial(print, value)):
        with pytest.raises(UnstableKeyError, match=type(value).__qualname__.replace("[", ".")) as caught:
            canonical(holder)
        assert caught.value.found.startswith(f"{type(value).__module__}.{type(value).__qualname__}")


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_is_refused() -> None:
    """A subclass of array computes by its own rules."""
    with pytest.raises(UnstableKeyError, match="matrix"):
        canonical(np.matrix([[1.0]]))


def test_an_unstable_array_is_told_with_its_dtype() -> None:
    """The message says what about an array is unstable."""
    with pytest.raises(UnstableKeyError, match=r"numpy.ndarray with dtype object"):
        canonical(np.array([None]))


def test_containers_that_contain_themselves_are_refused() -> None:
    """They have no finite form."""
    loop: list[Any] = []
    loop.append(loop)
    table: dict[str, Any] = {"a": (1,)}
    table["b"] = [table]
    for value in (loop, table):
        with pytest.raises(UnstableKeyError):
            canonical(value)


def test_the_name_of_the_value_is_in_the_message() -> None:
    """An error says which of many values it was."""
    with pytest.raises(UnstableKeyError, match=r"argument 'b' of f.*builtins.object") as caught:
        canonical_pairs([("a", 1), ("b", [object()])], "argument {} of f()")
    assert caught.value.found == "builtins.object"
    assert canonical_pairs([("a", 1), ("b", "x")], "{}") == (("a", "1"), ("b", "'x'"))


# -- enumerations and classes with an equality of their own ------------------------------------------------------------


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    RED = "red"


class OldWord(str, enum.Enum):  # noqa: UP042
    RED = "red"


class Bits(enum.Flag):
    A = 1
    B = 2


Point = collections.namedtuple("Point", "x y")


class Loose(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


def test_enumerations_compare_as_python_has_it() -> None:
    """Plain members equal themselves alone; those that are numbers or strings equal these."""
    alone = [Colour.RED, Colour.BLUE, Bits.A, Bits.B, Bits.A | Bits.B, 1, 2, 3, "Colour.RED", "red", "OldWord.RED"]
    assert len({canonical(each) for each in alone}) == len(alone)
    assert canonical(Number.ONE) == canonical(1)
    assert canonical(Word.RED) == canonical(OldWord.RED) == canonical("red")


def test_named_tuples_compare_as_tuples() -> None:
    """A named tuple equals the plain one."""
    assert canonical(Point(1, 2)) == canonical((1.0, True + 1))


def test_an_equality_of_its_own_is_not_guessed() -> None:
    """A subclass that redefines equality is not taken for its base."""
    with pytest.raises(UnstableKeyError, match="Loose"):
        canonical(Loose(1))


def test_class_names_cannot_imitate_structure() -> None:
    """A class may be called anything, and is still told from another with another value."""
    one = dataclasses.make_dataclass("A", [("x", Any)], frozen=True)
    other = dataclasses.make_dataclass("B", [("x", Any)], frozen=True)
    other.__qualname__ = "A', x=1, y"
    assert canonical(one(1)) != canonical(other(1))
    assert "\\'" in canonical(other(1)) or '"' in canonical(other(1))


# -- owners as values --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Dark:
    w0: float
    label: str = dataclasses.field(default="", compare=False)


@attrs.frozen
class Matter:
    density: float
    note: str = attrs.field(default="", eq=False)


@dataclasses.dataclass
class Unfrozen:
    w0: float


@keyed_by("h", "dark")
class Model:
    def __init__(self, h: Any, dark: Any) -> None:
        self.h, self.dark, self.scratch = h, dark, object()

    def age(self, z: float) -> float:
        return z * self.h


class Told:
    def __init__(self, string: Any) -> None:
        self.string = string

    def getHashableString(self) -> Any:
        return self.string

    @classmethod
    def made(cls) -> Told:
        return cls("x")


class ToldByClass:
    @classmethod
    def _getHashableString(cls) -> str:
        return "fixed"


def test_owners_are_values_by_their_parameters() -> None:
    """An owner inside another counts with its class and its parameters, and with nothing else."""
    assert canonical(Model(1, Dark(-1.0, "a"))) == canonical(Model(True, Dark(-1, "b")))
    assert canonical(Matter(1.0, "a")) == canonical(Matter(1, "b"))
    different = [
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
    """What else it returns could mean anything in another process."""
    with pytest.raises(OwnerError, match=r"Told.getHashableString\(\) returned <object"):
        canonical([Told(object())])


def test_a_mutable_dataclass_is_no_value() -> None:
    """Only frozen ones tell their parameters."""
    with pytest.raises(UnstableKeyError, match="Unfrozen"):
        canonical(Unfrozen(1.0))


def test_owners_that_hold_each_other_are_refused_in_short() -> None:
    """The message of an endless nesting is no endless message."""
    model = Model(1, None)
    model.dark = Model(2, model)
    with pytest.raises(UnstableKeyError) as caught:
        canonical(model)
    assert len(str(caught.value)) < 2000


def test_bound_methods_are_values_by_owner_and_function() -> None:
    """A method counts with the parameters of its owner."""
    assert canonical(Model(1, 2).age) == canonical(Model(1.0, 2).age)
    assert canonical(Model(1, 2).age) != canonical(Model(1, 3).age)
    assert canonical(Told.made) != canonical(Told("x").getHashableString)


def test_bound_stored_methods_are_bound_methods() -> None:
    """A stored method as an argument counts as the plain one does, with its owner's parameters."""

    class Stored(Model):
        @stored
        def time(self) -> float:
            return self.h

    owner = Stored(1, 2)
    assert canonical(owner.time) == canonical(types.MethodType(owner.time.__func__, owner))
    assert canonical(owner.time) != canonical(Stored(1, 3).time)


def made_in_a_function(k: float) -> Any:
    @dataclasses.dataclass(frozen=True)
    class Law:
        x: float

        def __call__(self) -> float:
            return self.x * k

    return Law


def test_local_classes_count_with_what_they_closed_over() -> None:
    """Two classes of one name made by one function are told apart by what the function gave them."""
    assert canonical(made_in_a_function(2)(1)) == canonical(made_in_a_function(2.0)(1))
    assert canonical(made_in_a_function(2)(1)) != canonical(made_in_a_function(3)(1))


class Base:
    order = 1

    def step(self) -> int:
        return 1

    @property
    def size(self) -> int:
        return 1

    @staticmethod
    def helper() -> int:
        return 1


def test_classes_are_values_if_they_can_be_found() -> None:
    """A class itself is a value by its name and what it says; a local one could be any of its likes."""
    assert len({canonical(each) for each in (Base, Dark, int, bool, np.float64, Colour, OldWord)}) == 7
    with pytest.raises(UnstableKeyError, match="type"):
        canonical(made_in_a_function(2))


@pytest.mark.parametrize("line", ["order = 1", "step(self): return 1", "size(self): return 1", "helper(): return 1"])
def test_a_changed_class_is_another_value(line: str) -> None:
    """Changed code or a changed constant, in a method, a property, a static method, or the class body."""
    source = (
        "class C:\n order = 1\n def step(self): return 1\n @property\n def size(self): return 1\n"
        " @staticmethod\n def helper(): return 1\n"
    )
    texts = set()
    for said in (source, source.replace(line, line.replace("1", "2"))):
        module = types.ModuleType("made_for_a_test")
        sys.modules["made_for_a_test"] = module
        try:
            exec(said, module.__dict__)
            texts.add(canonical(module.C))
        finally:
            del sys.modules["made_for_a_test"]
    assert len(texts) == 2


# -- functions ---------------------------------------------------------------------------------------------------------


def power(n: Any) -> Callable[[float], float]:
    return lambda x: x**n


def plus_one(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(x: float) -> float:
        return function(x) + 1

    return wrapper


def plus_two(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(x: float) -> float:
        return function(x) + 2

    return wrapper


def square(x: float) -> float:
    return x * x


def counting() -> tuple[Any, Any]:
    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n > 0 and even(n - 1)

    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    return even, factorial


def test_closures_count() -> None:
    """Functions of equal source and different closure differ, whatever the closure holds."""
    assert canonical(power(2)) == canonical(power(2.0))
    contents = [2, 3, "2", [2], np.array([2]), power(2), power(3), Dark(2)]
    assert len({canonical(power(each)) for each in contents}) == len(contents)


def test_mutable_content_of_a_closure_is_in_the_text() -> None:
    """A list that a function closed over changes the function."""
    content = [1]
    function = power(content)
    before = canonical(function)
    content.append(2)
    assert canonical(function) != before


def test_constants_of_any_kind_are_told_from_a_closure() -> None:
    """All that never changes and has a text tells a factory's functions apart; what can change is left out."""
    partial = functools.partial
    constants = [(1, 2), (1, 3), np.float64(4), np.sin, math.sin, math.cos, frozenset("a"), frozenset("b"), Colour.RED]
    constants += [Fraction(1, 3), datetime.date(2020, 1, 1), np.dtype("f4"), partial(power, 1), partial(power, 2)]
    constants += [partial(power, n=1), Dark, Base, (power(2), 1), (power(3), 1), functools.lru_cache(power(2))]
    texts = {canonical(constant_closure(power(each))) for each in constants}
    assert len(texts) == len(constants)
    mutable: list[Any] = [[1], {"a": 1}, {1}, bytearray(b"a"), np.arange(2), object(), Dark(1), [].append]
    mutable += [frozenset([Dark(1)]), np.frompyfunc(math.sin, 1, 1)]
    assert [constant_closure(power(each)) for each in mutable] == [{}] * len(mutable)


def test_decorators_in_between_are_told_by_code_and_closure() -> None:
    """What is wrapped counts, and each wrapper, with what it closed over."""
    wrapped = [plus_one(square), plus_two(square), plus_one(power(2)), plus_one(power(3)), plus_one(plus_one(square))]
    assert len({canonical(constant_closure(each)) for each in wrapped}) == len(wrapped)
    assert canonical(constant_closure(plus_one(power(2)))) == canonical(constant_closure(plus_one(power(2.0))))


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ("x" * 2000, "x" * 1999 + "y"),
        (list(range(1000)), [*range(999), 0]),
        (tuple(range(1000)), (*range(999), 0)),
        (set(range(1000)), set(range(1001))),
        (dict.fromkeys(range(1000)), dict.fromkeys(range(1001))),
        ([["x" * 500] * 5] * 5, [["x" * 500] * 5] * 4),
    ],
)
def test_long_texts_stand_by_their_digest(value: Any, other: Any) -> None:
    """Headers and messages stay short, and different values different."""
    assert len(canonical(value)) < 300
    assert canonical(value) != canonical(other)
    assert canonical(value) not in (canonical(canonical(value)), canonical([value]))


def test_an_unstable_closure_is_refused() -> None:
    """What a function closed over must have a form, and must be there."""
    with pytest.raises(UnstableKeyError, match=r"builtins.object"):
        canonical(power(object()))

    def early() -> int:
        return late

    with pytest.raises(UnstableKeyError, match=r"builtins.function"):
        canonical(early)
    late = 1
    assert canonical(early)


def test_recursive_functions() -> None:
    """One that calls itself has a form; two that call each other have none."""
    even, factorial = counting()
    assert canonical(factorial) == canonical(counting()[1])
    with pytest.raises(UnstableKeyError):
        canonical(even)


def test_defaults_count() -> None:
    """Positional and keyword-only defaults are part of a function."""
    functions = [lambda x, n=1: x, lambda x, n=2: x, lambda x, *, n=1: x, lambda x, *, n=2: x]
    assert len({canonical(each) for each in functions}) == 4


def test_wrappers_are_not_what_they_wrap() -> None:
    """functools.wraps copies the name and leads to the source of the wrapped function; the wrapper still counts."""
    assert (
        len({canonical(each) for each in (square, plus_one(square), plus_two(square), plus_one(plus_one(square)))}) == 4
    )


def test_partials_and_compiled_functions() -> None:
    """A partial is its function and arguments; what is compiled is its name, if it is found under it."""
    partial = functools.partial
    values = [partial(square, 1), partial(square, 2), partial(square, x=1), partial(power, 1), np.sin, np.cos, math.sin]
    values += [scipy.special.gamma, scipy.special.log1p, np.log1p, np.median, np.linalg.norm]
    assert len({canonical(each) for each in values}) == len(values)


def test_a_ufunc_that_only_has_the_name_is_refused() -> None:
    """A function called like one of a library is not that one."""
    impostor = np.frompyfunc(math.sin, 1, 1)
    with pytest.raises(UnstableKeyError, match=r"numpy.ufunc"):
        canonical(impostor)


# -- processes ---------------------------------------------------------------------------------------------------------

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

def chooses(x, kinds=frozenset("abcdef")):
    return x in {"alpha", "beta", "gamma", "delta", "epsilon"} and x in kinds

namespace = {}
exec("def made(x):\\n return x in {'alpha', 'beta', 'gamma', 'delta', ('a', 'b')}"
     " and [y for y in x if y in {'u', 'v', 'w'}]", namespace)
words = ["alpha", "beta", "gamma", "delta", "epsilon", 1, 2.5, None, b"x", (1, "a")]
values = [
    set(words), frozenset(words), {word: repr(word) for word in set(words)},
    [set("abc"), {"k": set("xyz")}],
    Fraction(1, 3), Decimal("0.1"), np.float32(0.1), np.longdouble(1) / 3, 1j, math.nan, "\\ud83d", Colour.RED,
    Dark(frozenset(words[:5])), chooses, namespace["made"], lambda x: x in {"p", "q", "r", "s"},
    functools.partial(chooses, {"a", "b"}),
    np.arange(1000.0), np.arange(3), np.sin, Dark,
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), pathlib.PurePath("a"), range(9),
    np.sqrt(np.arange(40, dtype="g")), {frozenset(words[:5]): {frozenset("abc"), frozenset("xyz")}},
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
    assert len(set(seen[0].split())) == 25  # a set and a frozenset are equal


def test_numbers_without_end_are_one_value_in_every_type() -> None:
    """A Decimal can be infinite or no number too."""
    for name in ("nan", "inf", "-inf"):
        assert canonical(Decimal(name)) == canonical(np.longdouble(name)) == canonical(float(name))


def test_digests_never_change() -> None:
    """What is on disk is found by later versions too."""
    assert digest("") == "99aa06d3014798d86001c324468d497f"
    assert canonical({"b": [1.0, 0.1], "a": ("x", None, b"y")}) == "{'a': ('x', None, b'y'), 'b': [1, 0.1]}"
    assert digest("\ud83d\ude00") != digest("😀")


# -- keys --------------------------------------------------------------------------------------------------------------

ANY_TEXT = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "C:\\x",
            "~",
            "\0",
            "-",
            "_",
            "a" * 500,
            "é",
            ".hidden",
            "a\n",
        ]
    ),
)
KEYS = st.builds(
    Key,
    st.builds(Space, ANY_TEXT, ANY_TEXT, ANY_TEXT),
    ANY_TEXT,
    ANY_TEXT,
    ANY_TEXT,
    st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(KEYS)
def test_entry_names_are_safe(key: Key) -> None:
    """Whatever the module, the owner and the object are called, the name stays inside the store, two folders deep."""
    name = key.entry_name()
    assert check_name(name) == name
    assert name.startswith(f"{module_folder(key.space.module)}/")
    assert name.startswith(f"{key.space.folder()}/{entry_prefix(key.object)}")
    assert name.count("/") == 2
    assert all(len(part) < 120 and not part.startswith(".") for part in name.split("/"))


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_keys_survive_the_header(key: Key) -> None:
    """A key read back is the key that was written."""
    assert Key.from_json(key.as_json()) == key
    assert Key.from_json(json.loads(json.dumps(key.as_json(), ensure_ascii=False))) == key


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, min_size=2, max_size=4))
def test_different_keys_have_different_texts_and_entries(keys: list[Key]) -> None:
    """Equal keys share them, different keys never do."""
    for one, other in itertools.combinations(keys, 2):
        assert (one.text() == other.text()) is (one == other)
        assert (one.entry_name() == other.entry_name()) is (one == other)


SPACE = Space("m", "n", "s")


def test_text_moved_between_the_parts_of_a_key_changes_it() -> None:
    """No part can be continued in the next one."""
    keys = [
        Key(Space("a", "b", "c"), "d"),
        Key(Space("a", "b, c", ""), "d"),
        Key(Space('a", "b', "c", ""), "d"),
        Key(SPACE, "f", "d", "v", (("a", "1, b=2"),)),
        Key(SPACE, "f", "d", "v", (("a", "1"), ("b", "2"))),
        Key(SPACE, "f", "d", "v", (("a", "1"),)),
        Key(SPACE, "f", "d", "v"),
        Key(SPACE, "f", "", "v"),
        Key(SPACE, "f", "v", ""),
    ]
    assert len({key.text() for key in keys}) == len({key.entry_name() for key in keys}) == len(keys)
    assert len({key.space.digest() for key in keys[:4]}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"module": 1},
        {"string": None},
        {"object": ["x"]},
        {"arguments": None},
        {"arguments": [["a"]]},
        {"arguments": [["a", 1]]},
        {"arguments": [[1, "a"]]},
        {"arguments": 3},
    ],
)
def test_what_is_no_key_is_refused(change: dict[str, Any]) -> None:
    """A header that was tampered with is an error of its own kind, never a wrong key."""
    header = Key(SPACE, "f", "d", "v", (("a", "1"),)).as_json()
    with pytest.raises(DamagedEntryError, match="no full key"):
        Key.from_json({**header, **change})
    for name in change:
        with pytest.raises(DamagedEntryError):
            Key.from_json({key: value for key, value in header.items() if key != name})


def test_messages_name_a_call() -> None:
    """A call shows its arguments, an object stored by name its name."""
    assert Key(SPACE, "age", "m.C.age", "v", (("z", "1"), ("k", "'a'"))).call() == "n.age(z=1, k='a')"
    assert Key(SPACE, "limits").call() == "object 'limits'"


def test_fractions_beyond_every_float_have_texts_of_their_own() -> None:
    """A ratio too large for a float is told by its terms."""
    large = Fraction(10**400 + 1, 3)
    assert canonical(large) == canonical(Fraction(10**400 + 1, 3)) != canonical(large + 1)
