"""Values of plain Python have equal text if and only if they compare equal, in every process."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import functools
import itertools
import math
import os
import pathlib
import subprocess
import sys
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

from stored._keys import canonical, digest
from stored._keys.canonical import canonical_texts
from stored.errors import OwnerError, UnstableKeyError
from tests.keys.models import Colour, Dark, Model, OldWord, Told
from tests.keys.values import INTEGERS, NUMBER_PAIRS, TEXTS, VALUES, equal, respelled


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


def test_kinds_are_distinguished() -> None:
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


def test_nan_and_infinities_are_one_value_in_every_type() -> None:
    """A Decimal can be infinite or no number too."""
    for name in ("nan", "inf", "-inf"):
        assert canonical(Decimal(name)) == canonical(np.longdouble(name)) == canonical(float(name))


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
        (dict.fromkeys(range(1000)), dict.fromkeys(range(1001))),
        ([["x" * 500] * 5] * 5, [["x" * 500] * 5] * 4),
    ],
)
def test_long_texts_stand_by_their_digest(value: Any, other: Any) -> None:
    """Headers and messages stay short, and different values different."""
    assert len(canonical(value)) < 300
    assert canonical(value) != canonical(other)
    assert canonical(value) not in (canonical(canonical(value)), canonical([value]))


# -- values that are refused ------------------------------------------------------------------------------------------


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
    """What has no text that is the same in another process is an error that names the type, wherever it stands."""
    for holder in (value, [value], {"a": (value,)}, functools.partial(print, value)):
        with pytest.raises(UnstableKeyError, match=type(value).__qualname__.replace("[", ".")) as caught:
            canonical(holder)
        assert caught.value.found.startswith(f"{type(value).__module__}.{type(value).__qualname__}")


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
        canonical_texts(("a", "b"), (1, [object()]), "argument {} of f()")
    assert caught.value.found == "builtins.object"
    assert canonical_texts(("a", "b"), (1, "x"), "{}") == ("1", "'x'")


# -- enumerations and classes with an equality of their own -----------------------------------------------------------


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
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


class _Converted(float):
    """Converts itself to a number that it is not equal to, and has no hash."""

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> float:
        return float.__add__(self, 273.15)


class _Counted(int):
    def __int__(self) -> int:
        return 7


def test_a_number_that_converts_itself_has_the_text_of_its_equal() -> None:
    """And leaves that of the equal plain number as it is, since texts of numbers are remembered."""
    for value, plain in ((_Converted(26.85), 26.85), (_Counted(12345), 12345)):
        assert canonical(value) == canonical(plain) == repr(plain)


def test_an_equality_of_its_own_is_not_guessed() -> None:
    """A subclass that redefines equality is not taken for its base."""
    with pytest.raises(UnstableKeyError, match="Loose"):
        canonical(Loose(1))


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
    """Anything else that it returns could mean something else in another process."""
    with pytest.raises(OwnerError, match=r"Told.getHashableString\(\) returned <object"):
        canonical([Told(object())])


def test_a_mutable_dataclass_is_no_value() -> None:
    """Only frozen ones have parameters."""
    with pytest.raises(UnstableKeyError, match="Unfrozen"):
        canonical(Unfrozen(1.0))


def test_owners_that_hold_each_other_are_refused_in_short() -> None:
    """The message of an endless nesting is no endless message."""
    model = Model(1, None)
    model.dark = Model(2, model)
    with pytest.raises(UnstableKeyError) as caught:
        canonical(model)
    assert len(str(caught.value)) < 2000


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


def test_digests_never_change() -> None:
    """What is on disk is found by later versions too."""
    assert digest("") == "cae66941d9efbd404e4d88758ea67670"  # of blake2b, of 16 bytes
    assert canonical({"b": [1.0, 0.1], "a": ("x", None, b"y")}) == "{'a': ('x', None, b'y'), 'b': [1, 0.1]}"
    assert digest("\ud83d\ude00") != digest("😀")
