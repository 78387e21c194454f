"""Tables of shortcuts stay small, keep nothing alive, and hold what was true of their arguments."""

from __future__ import annotations

import dataclasses
import enum
import gc
import multiprocessing
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from stored._keys import FieldParameters
from stored._methods.results import Results
from tests.faults.scale import rounds
from tests.methods.shortcut_values import describe


@keyed_by("a")
class Owner:
    """Its method tells its parameter and its arguments."""

    def __init__(self, a: Any = 1.0) -> None:
        self.a = a

    @stored(persistent=False)
    def one(self, x: Any) -> str:
        return f"{describe(self.a)} {describe(x)}"

    @stored(persistent=False)
    def size(self, x: Any) -> int:
        return len(x)


def last_shortcut(method: Any) -> Any:
    return method._self_definition.call_code._shortcuts.last


def new_point(n: float) -> Any:
    @dataclasses.dataclass(frozen=True)
    class Point:
        n: float

        def tell(self) -> str:
            return f"{self.n}"

    return Point(n)


# -- memory --


@pytest.mark.parametrize(
    "make",
    [
        lambda: float("nan"),
        lambda: np.float32("nan"),
        lambda: (float("nan"), 1.0),
        lambda: (np.float64("nan"), (1, float("nan"))),
        lambda: [float("nan")],
        lambda: np.array([np.nan, 1.0]),
        lambda: np.arange(1000.0),
        lambda: [1.0, {"a": 2}],
        lambda: (1.0, np.arange(2.0)),
        lambda: [np.arange(2.0)],
        lambda: new_point(1.0),
        lambda: enum.Enum("Letters", {"A": [1]}).A,
        lambda: enum.Flag("Letters", {"A": 1, "B": 2})(3),
    ],
)
def test_the_same_calls_do_not_let_tables_grow(make: Callable[[], Any]) -> None:
    """However often they are repeated with new objects of the same value, also of classes that are made anew."""
    owner = Owner()
    for _ in range(300):
        owner.one(make())
    assert owner.one.cache_info().misses == 1
    shortcut = last_shortcut(Owner.one)
    assert len(getattr(shortcut, "hits", ())) <= 80
    assert owner.one.cache_info().hits == 299


@pytest.mark.parametrize("make", [list, tuple, np.array], ids=["list", "tuple", "array"])
def test_large_arguments_do_not_stay_in_memory(make: Callable[[Any], Any]) -> None:
    """Tables have the digest of what is large, or nothing."""
    owner, numbers = Owner(), [1.5] * 50_000  # a single one, since the texts of thousands of numbers are kept
    owner.size(make(numbers[:1]))
    tracemalloc.start()
    try:
        for _ in range(4):
            owner.size(make(numbers))
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()


def test_a_large_list_is_found_by_its_digest() -> None:
    """Full calls are made until it is in the table, and no more."""
    owner, numbers = Owner(), [float(number) for number in range(5_000)]
    for _ in range(3):
        owner.size(list(numbers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Results, "call", None)
        assert owner.size(list(numbers)) == 5_000
    numbers[-1] = 1.0
    assert [owner.one(list(numbers)) for _ in range(3)] == [f"float 1.0 {describe(numbers)}"] * 3


@pytest.mark.parametrize("value", [np.arange(1000.0), [1.0], (1.0, 2), new_point(2.0)], ids=type)
def test_owners_are_freed_with_their_shortcuts(value: Any) -> None:
    """What a shortcut was made of keeps no owner alive, neither as parameter nor as argument."""
    owners = [Owner(value), Owner()]
    for _ in range(4):
        owners[0].one(1.0)
        owners[1].one(value)
    references = [weakref.ref(each) for each in owners]
    owners.clear()
    assert [each() for each in references] == [None, None]


def test_classes_of_arguments_are_freed_with_the_owner() -> None:
    """Those of frozen objects and of members."""
    owner: Any = Owner()
    point, member = new_point(1.0), enum.Enum("Letters", {"A": 1}).A  # type: ignore[attr-defined]
    for _ in range(4):
        owner.one(point)
        owner.one(member)
    references = [weakref.ref(type(point)), weakref.ref(type(member))]
    del owner, point, member
    gc.collect()
    assert [each() for each in references] == [None, None]


@pytest.mark.parametrize("make", [lambda: new_point(1.0), lambda: enum.Enum("Letters", {"A": 1}).A])
def test_classes_of_parameters_are_freed_with_the_owner(make: Callable[[], Any]) -> None:
    """The code of calls, which all owners share, keeps none of what it has compared."""
    owner: Any = Owner(make())
    reference = weakref.ref(type(owner.a))
    for _ in range(4):
        owner.one(1.0)
    del owner
    gc.collect()
    assert reference() is None


# -- threads --


@pytest.mark.parametrize("kind", ["array", "list", "large array", "view in a tuple"])
def test_an_argument_that_changes_after_it_was_keyed_is_in_no_table(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread writes to it as the result of before is found: that is not the one of what is in it now."""
    content = np.zeros(1000 if kind == "large array" else 2)
    given: Any = {"list": [0.0, 0.0], "view in a tuple": (content[:1], 1)}.get(kind, content)
    owner, real = Owner(), Results.add_shortcut

    def add_shortcut(self: Results, *rest: Any) -> None:
        content[0] = 1.0
        if kind == "list":
            given[0] = 1.0
        real(self, *rest)

    first = owner.one(given)
    monkeypatch.setattr(Results, "add_shortcut", add_shortcut)
    assert owner.one(given) == first
    monkeypatch.undo()
    for _ in range(3):
        assert owner.one(given) == f"float 1.0 {describe(given)}"


def test_a_parameter_that_changes_while_it_is_told_is_known_as_what_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread writes to an array while the text of it is made, and writes what it was before."""
    owner, real = Owner(np.zeros(2)), FieldParameters.space

    def space(self: FieldParameters, *rest: Any) -> Any:
        owner.a[:] = 1.0
        found = real(self, *rest)
        owner.a[:] = 0.0
        return found

    with configure(memory_sets=3):
        with monkeypatch.context() as patch:
            patch.setattr(FieldParameters, "space", space)
            owner.one.cached(1.0)
        for number in (0.0, 1.0):
            owner.a[:] = number
            assert [owner.one(1.0) for _ in range(3)] == [f"{describe(owner.a)} float 1.0"] * 3


@pytest.fixture
def switch_often() -> Any:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switch_often")
@pytest.mark.parametrize("role", ["parameter", "argument"])
def test_threads_that_write_to_arrays_give_no_value_that_never_was(role: str) -> None:
    """Calls while a parameter, or an argument, is changed in place have one of the values that it had.

    All are computed before, since what is computed while its arguments change may be of any of them.
    """

    class Reader(Owner):
        @stored(persistent=False)
        def read(self, x: Any) -> list[float]:
            return [*self.a.tolist(), *x.tolist()]

    array, steady, wrong = np.zeros(3), np.zeros(3), list[Any]()
    owner = keyed_by("a")(Reader)(array if role == "parameter" else steady)
    given = steady if role == "parameter" else array
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            for number in range(3):
                array.fill(number)

    def call() -> None:
        for _ in range(rounds(8_000, 200_000)):
            found = owner.read(given)
            changing, other = (found[:3], found[3:]) if role == "parameter" else (found[3:], found[:3])
            if len({*changing}) != 1 or changing[0] not in {0.0, 1.0, 2.0} or other != [0.0] * 3:
                wrong.append(found)

    def check_each() -> None:
        for number in range(3):
            array.fill(number)
            assert [owner.read(given) for _ in range(3)] == [[*owner.a.tolist(), *given.tolist()]] * 3

    writer = threading.Thread(target=write)
    threads = [threading.Thread(target=call) for _ in range(2)]
    with configure(memory_sets=5):
        check_each()
        for thread in (writer, *threads):
            thread.start()
        for thread in threads:
            thread.join(60)
        ended.set()
        writer.join(60)
        assert not wrong
        check_each()
        assert owner.read.cache_info().misses == 3


# -- processes --


def told_in_child(owner: Any, array: np.ndarray, member: Any, results: Any) -> None:
    found = [owner.one(array), owner.one(member), owner.one((1, 2.0))]
    array[0] = 5.0
    owner.a[0] = 6.0
    results.put([*found, *[owner.one(array) for _ in range(3)], owner.one.cache_info()[:2]])


class Letters(enum.Enum):
    A = 1


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes are not forked here")
def test_a_forked_process_has_shortcuts_of_its_own() -> None:
    """They answer as before, see what changes there in place, and what changes there is nothing to this process."""
    owner, array = Owner(np.zeros(2)), np.ones(2)
    for _ in range(3):
        before = [owner.one(array), owner.one(Letters.A), owner.one((1, 2.0))]
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=told_in_child, args=(owner, array, Letters.A, results))
    child.start()
    found = results.get()
    child.join(60)
    changed = f"{describe(np.array([6.0, 0.0]))} {describe(np.array([5.0, 1.0]))}"
    assert found == [*before, *[changed] * 3, (11, 4)]
    assert [owner.one(array), owner.one(Letters.A), owner.one((1, 2.0))] == before
    assert owner.one.cache_info()[:2] == (9, 3)
