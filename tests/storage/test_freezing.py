"""What is kept is out of reach of everybody, and callers get what they may change as a copy."""

from __future__ import annotations

import array
import collections
import contextlib
import copy
import os
import re
import struct
import threading
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._storage import copy_for_caller, freeze, freeze_for_callers
from tests.storage.models import Pair, Plain


class Labelled(Pair):
    """A namedtuple that takes attributes."""


at_once = False


@pytest.fixture(autouse=True, scope="module", params=[False, True], ids=["in two steps", "at once"])
def _way(request: pytest.FixtureRequest) -> None:
    """What callers get is found out with freezing, as for computed values, or after it, as for loaded ones."""
    global at_once
    at_once = request.param


def kept_and_copied(value: Any, private: bool = False) -> tuple[Any, Any]:
    """A value as it is kept, and a function that hands it out."""
    if at_once:
        kept, copy = freeze_for_callers(value, private or None)
    else:
        kept = freeze(value)
        copy = copy_for_caller(kept, private or None)
    return kept, (lambda: kept) if copy is None else (lambda: copy(kept))


@pytest.mark.parametrize(("value", "spoil"), [([1.0, "x"], list.clear), ({"a": 1.0}, dict.clear)])
def test_plain_containers_are_copied_in_and_out(value: Any, spoil: Any) -> None:
    """Neither whoever has the original of a list or dict of plain values nor a caller can change what is kept."""
    original = value.copy()
    kept, for_caller = kept_and_copied(original)
    spoil(original)
    spoil(for_caller())
    assert kept == for_caller() == value


def test_arrays_are_kept_read_only() -> None:
    """A kept array is a copy that nobody can write to, nor make writable."""
    original = np.arange(6.0).reshape(2, 3)
    kept, for_caller = kept_and_copied(original)
    original[:] = 9
    assert for_caller().base is kept.base
    assert kept.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        kept.flags.writeable = True
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        kept.T[1:].flags.writeable = True


FIELDS = [("x", "f8"), ("inner", [("p", "i4")])]
WITH_FIELDS: dict[str, Any] = {
    "array": np.zeros(2, FIELDS),
    "masked array": np.ma.masked_array(np.zeros(2, FIELDS), mask=[(True, (False,)), (False, (True,))]),
    "record array": np.rec.array([(1.0, (2,))], dtype=FIELDS),
    "array with objects": np.array([(1.0, [2])], dtype=[("x", "f8"), ("o", "O")]),
}


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("place", [lambda array: array, lambda array: array[0], lambda array: [(array,)]])
@pytest.mark.parametrize("name", WITH_FIELDS)
def test_names_of_fields_are_each_callers_own(name: str, place: Any, deep: bool) -> None:
    """Also where the array is of a class that must be copied, or is deep in what is copied."""

    def array_in(value: Any) -> Any:
        return array_in(value[0]) if type(value) in {list, tuple} else value

    original = place(WITH_FIELDS[name])
    names, expected = array_in(original).dtype.names, repr(original)
    kept, for_caller = freeze_for_callers(original, deep or None)
    assert for_caller is not None
    for _ in range(2):
        found = for_caller(kept)
        assert (type(array_in(found)), repr(found)) == (type(array_in(original)), expected)
        array_in(found).dtype.names = ("q", "z")
    assert array_in(kept).dtype.names == array_in(original).dtype.names == names


@pytest.mark.parametrize("order", ["C", "F"])
def test_kept_arrays_keep_their_layout(order: Any) -> None:
    """Shape, dtype and order of an array are those of the original."""
    original = np.zeros((2, 3, 4), ">f4", order=order)
    kept = freeze(original)
    assert (kept.shape, kept.dtype, kept.strides) == (original.shape, original.dtype, original.strides)
    assert freeze(np.array(1.5)).shape == ()


def test_mapped_arrays_are_kept_in_memory(tmp_path: Path) -> None:
    """What is kept does not change with the file that the original is a map of."""
    original = np.memmap(tmp_path / "a", np.uint8, "w+", shape=3)
    kept, for_caller = kept_and_copied(original)
    original[:] = 9
    assert type(kept) is np.ndarray
    assert for_caller().tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", [[("a", "i4")], (np.record, [("a", "i4")])], ids=["void", "record"])
def test_records_are_copied_out_of_their_array(dtype: Any) -> None:
    """A record taken from an array is kept apart from it, and read-only."""
    original = np.zeros(2, dtype)
    kept, for_caller = kept_and_copied([original[0]])
    original["a"] = 9
    assert kept[0]["a"] == 0
    assert type(kept[0]) is type(original[0])
    with pytest.raises(ValueError, match="read-only"):
        for_caller()[0]["a"] = 9


def test_containers_are_rebuilt() -> None:
    """Changes to the original, and to what was handed out, change nothing kept, however deep."""
    inside = np.zeros(2)
    original = {"list": [1, [2]], "tuple": ([3], {4}), "array": inside, "pair": Pair([5], {"k": inside})}
    expected = copy.deepcopy(original)
    kept, for_caller = kept_and_copied(original)

    def spoil(value: Any) -> None:
        value["list"][1].append(0)
        value["tuple"][0].clear()
        value["tuple"][1].add(0)
        value["pair"].first.append(0)
        value["pair"].second["new"] = 0
        value["more"] = 0

    inside += 1
    spoil(original)
    spoil(for_caller())
    for value in (kept, for_caller()):
        assert repr(value) == repr(expected)
        assert list(value) == list(expected)
        with pytest.raises(ValueError, match="read-only"):
            value["pair"].second["k"][0] = 1
    assert for_caller()["array"].base is kept["array"].base  # no array is copied for a caller


@pytest.mark.parametrize(
    "value",
    [None, 1.5, "x", b"x", (), (1, (2.5, "x")), frozenset({1}), Pair(1, 2), Plain([]), (np.float64(1), Plain([]))],
    ids=repr,
)
def test_what_cannot_change_is_handed_out_itself(value: Any) -> None:
    """Immutable values, and objects of other classes, reach callers without a copy."""
    assert copy_for_caller(freeze(value)) is None


CHANGEABLE = [
    (bytearray(b"ab"), lambda value: value.append(0)),
    (array.array("d", [1]), lambda value: value.append(0)),
    (collections.deque([1]), lambda value: value.append(0)),
    (collections.OrderedDict(a=[1]), lambda value: value["a"].append(0)),
    (collections.Counter("aab"), lambda value: value.update("c")),
    (collections.defaultdict(list, a=[1]), lambda value: value["b"]),
    (Labelled([1], 2), lambda value: value.first.append(0)),
    (np.ma.array([1, 2], mask=[0, 1]), lambda value: value.__setitem__(0, np.ma.masked)),
    (np.ma.array([1, 2], mask=[0, 1]), lambda value: value.mask.__setitem__(0, True)),
    (np.rec.array([(1,)], dtype=[("a", "i4")]), lambda value: value.a.fill(9)),
    (np.array([[1], None], dtype=object), lambda value: value[0].append(0)),
    (np.array([[1], None], dtype=object), lambda value: value.__setitem__(0, 0)),
    (np.array([([1],)], [("o", "O")])[0], lambda value: value["o"].append(0)),
    (np.array(["a", "b"], np.dtypes.StringDType()), lambda value: value.__setitem__(0, "z")),
]


@pytest.mark.parametrize(("value", "spoil"), CHANGEABLE, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("wrap", [lambda each: each, lambda each: (each,), lambda each: {"k": [each]}])
def test_what_cannot_be_made_read_only_is_copied(value: Any, spoil: Any, wrap: Any) -> None:
    """Containers, arrays of objects and arrays with a class of their own are copied in and out."""
    original = copy.deepcopy(value)
    expected = repr(wrap(original))
    kept, for_caller = kept_and_copied(wrap(original))
    spoil(original)
    assert repr(kept) == expected
    out = for_caller()
    assert type(out) is type(wrap(value))
    spoil(out if out is not None and type(out) is type(value) else out[0] if type(out) is tuple else out["k"][0])
    assert repr(kept) == repr(for_caller()) == expected


def test_what_refuses_to_be_copied_is_kept_itself() -> None:
    """A container with something in it that has no copy is kept as it is, and the result is not lost."""
    original = collections.deque([threading.Lock()])
    kept, for_caller = kept_and_copied([original])
    assert kept[0] is original
    assert for_caller()[0] is original


def test_a_value_that_holds_itself_is_copied() -> None:
    """A list that holds itself is kept and handed out as a copy that holds itself."""
    original: list[Any] = [[1]]
    original.append(original)
    kept, for_caller = kept_and_copied((original,))
    original[0].append(2)
    first = for_caller()
    first[0][0].append(3)
    for value in (kept, for_caller()):
        assert value[0][0] == [1]
        assert value[0][1] is value[0]
        assert value[0] is not original


@pytest.mark.parametrize("kind", [list, tuple], ids=["list", "tuple"])
def test_very_deep_nesting_is_kept(kind: Any) -> None:
    """A value nested more deeply than Python can follow is still kept and handed out."""
    value = kind()
    for _ in range(100_000):
        value = kind([value])
    kept, for_caller = kept_and_copied(value)
    assert type(kept) is type(for_caller()) is kind
    while value:  # taken apart by hand, as freeing it at once would go as deep
        value, kept = value[0], None


def test_private_copies_are_writable() -> None:
    """With private copies every caller has arrays and objects of its own, to do with as it likes."""
    _, for_caller = kept_and_copied(
        {"a": np.zeros(2), "o": Plain([1]), "r": np.zeros(1, [("x", "i4")])[0]}, private=True
    )
    first = for_caller()
    first["a"][0] = 1
    first["o"].value.append(2)
    first["r"]["x"] = 1
    second = for_caller()
    assert (second["a"].tolist(), second["o"].value, second["r"]["x"]) == ([0, 0], [1], 0)
    assert second["a"].flags.writeable


values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.builds(np.arange, st.integers(0, 3)),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inside, max_size=3)
        | st.builds(Pair, inside, inside)
    ),
    max_leaves=10,
)


def shown(value: Any) -> str:
    """A text that differs between values of different types, values or order."""
    return f"{struct.pack('<d', value).hex()}" if type(value) is float else repr(value)


@settings(max_examples=100, deadline=None)
@given(values)
def test_keeping_changes_no_value(value: Any) -> None:
    """What is kept and handed out has the types and values of the original."""
    kept, for_caller = kept_and_copied(value)
    assert shown(kept) == shown(for_caller()) == shown(value)
    assert type(kept) is type(for_caller()) is type(value)
    _, private = kept_and_copied(value, private=True)
    assert shown(private()) == shown(value)


def _open_file() -> Any:
    return open(os.devnull, "rb")


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [1, {"a": (value,)}]], ids=["bare", "nested"])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: map(abs, [1, 2]), "map"),
        (lambda: zip([1], [2], strict=True), "zip"),
        (lambda: (each for each in [1]), "generator"),
        (lambda: iter([1]), "list_iterator"),
        (lambda: np.arange(3).flat, "flatiter"),
        (_open_file, "BufferedReader"),
    ],
)
def test_what_can_be_used_only_once_is_refused(make: Any, kind: str, wrap: Any) -> None:
    """An iterator or an open file would be empty for the second caller; the error says what to return instead."""
    value = make()
    with pytest.raises(TypeError, match=rf"{kind} .*can be used only once; return list\(\.\.\.\) or an array"):
        freeze(wrap(value))
    if hasattr(value, "close"):
        value.close()


# -- what does not last -----------------------------------------------------------------------------------------------


async def coroutine() -> int:
    return 1


async def asynchronous() -> Any:
    yield 1


class Dataset:
    """Data that a with statement can close."""

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *exception: object) -> None: ...


class Timed(contextlib.ContextDecorator, Dataset):
    """Is made for a with statement."""


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: iter([1]), "can be used only once; return list"),
        (lambda: (x for x in [1]), "can be used only once; return list"),
        (asynchronous, "can be used only once; return a list"),
        (coroutine, "can be awaited only once; return what it gives"),
        (lambda: contextlib.nullcontext(), "is for one with statement"),
        (lambda: contextlib.contextmanager(lambda: iter([1]))(), "is for one with statement"),
        (lambda: contextlib.asynccontextmanager(asynchronous)(), "is for one with statement"),
        (Timed, "is for one with statement"),
        (lambda: {"a": 1}.values(), "shows an object that may change; return list"),
        (lambda: {"a": 1}.keys(), "shows an object that may change"),
        (lambda: collections.OrderedDict(a=1).items(), "shows an object that may change"),
        (lambda: memoryview(b"x"), "shows an object that may change"),
    ],
)
def test_what_does_not_last_is_refused(make: Any, why: str) -> None:
    """What can be used once, or changes with something else, alone and inside a container, with the remedy."""
    for hold in (lambda each: each, lambda each: {"a": [each]}):
        value = make()
        with pytest.raises(TypeError, match=rf"a {type(value).__qualname__} was to be kept, which {why}"):
            freeze(hold(value))


PLACES: list[tuple[Any, str]] = [
    (lambda each: each, ""),
    (lambda each: [1, (each,)], r"\[1\]\[0\]"),
    (lambda each: {"a": [], "spectra": [1, each]}, r"\['spectra'\]\[1\]"),
    (lambda each: {"x" * 100: each}, r"\['x{49}\.\.\.\]"),
    (lambda each: collections.namedtuple("Pair", "one two")(1, each), r"\[1\]"),
    (lambda each: {1, each}, ""),
    (lambda each: [collections.deque([each])], ""),
]


@pytest.mark.parametrize(("around", "place"), PLACES)
def test_the_place_of_what_cannot_be_kept_is_told(around: Any, place: str) -> None:
    """By the way to it through tuples, lists and dicts."""
    for value in (iter(()), np.random.default_rng(1)):
        with pytest.raises(TypeError, match="was to be kept") as caught:
            freeze(around(value))
        assert re.search(
            rf"it stands at {place} of what was returned$" if place else r"(array|method)$", str(caught.value)
        )


def test_data_that_a_with_statement_can_close_are_kept() -> None:
    """They can be used without one, too."""
    data = Dataset()
    assert freeze(data) is data


def test_a_mapping_proxy_is_kept_apart_from_what_it_shows() -> None:
    """It is a view of a copy."""
    original: dict[str, Any] = {"a": [1]}
    kept, for_caller = kept_and_copied(types.MappingProxyType(original))
    original["a"].append(2)
    original["b"] = 1
    for_caller()["a"].append(3)
    assert kept == for_caller() == {"a": [1]}
    assert type(for_caller()) is types.MappingProxyType


class OwnTuple(collections.namedtuple("OwnTuple", "a")):
    pass


class OwnList(list[Any]):
    pass


def array_of(value: Any) -> Any:
    found = np.empty((1, 1), dtype=object)
    found[0, 0] = value
    return found


def record_of(value: Any) -> Any:
    found = np.zeros(1, [("a", object), ("b", float)])
    found["a"][0] = value
    return found


def chained(value: Any) -> Any:
    return types.MappingProxyType(collections.OrderedDict(v=collections.deque([value])))


@pytest.mark.parametrize("made", [lambda: iter([1]), lambda: {}.values(), lambda: memoryview(b"a")])
@pytest.mark.parametrize(
    "around",
    [
        lambda each: collections.deque([each]),
        lambda each: collections.deque([types.MappingProxyType({"a": each})]),
        lambda each: collections.defaultdict(list, {"a": [each]}),
        lambda each: collections.OrderedDict(a=(each,)),
        OwnTuple,
        lambda each: OwnList([each]),
        array_of,
        record_of,
        lambda each: record_of(each)[0],
        chained,
    ],
)
def test_what_does_not_last_is_refused_in_every_container(around: Any, made: Any) -> None:
    """Though it cannot be copied, or can be, and would show another object."""
    with pytest.raises(TypeError, match="was to be kept"):
        freeze(around(made()))


def test_containers_that_are_in_themselves_are_looked_at_once() -> None:
    """And kept as they are."""
    itself: Any = collections.deque()
    itself.append(itself)
    kept = freeze(itself)
    assert kept is not itself
    assert kept[0] is kept
