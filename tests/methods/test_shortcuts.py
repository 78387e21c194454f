"""Repeated calls of stored methods take a shortcut, and notice all that other calls notice."""

from __future__ import annotations

import contextlib
import copy
import enum
import gc
import itertools
import math
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import StorageUser, UnstableKeyError, configure, keyed_by, stored
from stored._keys import USER_ATTRIBUTES
from stored._methods.call_code import CallCode
from stored._methods.results import Results
from stored._settings import validity
from stored.stores import MemoryStore
from tests.faults.scale import rounds
from tests.methods.models import CALLS, Arrays, Colour, Model, repeated, with_and_without_storage_users
from tests.methods.owners import KINDS, owner_class


def test_shortcuts_are_what_answers() -> None:
    """Repeated calls are no full calls: these tests are of shortcuts."""
    call_code: CallCode = Model.value._self_definition.call_code
    model = Model()
    for _ in range(3):
        model.value(1.0)
    shortcut: Any = call_code._shortcuts.last
    assert shortcut.tables[float][1.0].count == 1
    counted: Iterator[int] = itertools.count(2)
    for _ in range(5):
        model.value(1.0)
        assert shortcut.tables[float][1.0].count == next(counted)


# -- arguments --


class Loose(float):
    """Equal to a float, with the same hash."""


class Number(enum.IntEnum):
    ONE = 1


@with_and_without_storage_users
def test_other_arguments_are_other_results() -> None:
    """Values of other types, or that do not compare equal, never share a result, however alike they look."""
    model = Model()
    values = [
        0,
        1,
        1.0,
        True,
        np.int32(1),
        Loose(1.0),
        Number.ONE,
        "1",
        b"1",
        None,
        1.5,
        "None",
        2**53 + 1,
        float(2**53),
        (1,),
        "x",
        complex(1, 2),
        math.inf,
        -math.inf,
    ]
    for _ in range(3):
        for each in values:
            found = model.value(each)
            assert (found, type(found[1])) == ((2.0, each), type(each))
            assert model.only_positional(1.0, each)[2] is each or type(each) not in {bool, int}
    assert len(CALLS) == 2 * len(values)


def test_what_cannot_be_in_a_table_goes_the_long_way() -> None:
    """NaN, lists, arrays and enumerations are found again too."""
    model = Model()
    for _ in range(3):
        assert math.isnan(model.value(math.nan)[1])
        assert model.value([1.0]) == (2.0, "[1.0]")
        assert model.value(np.arange(2)) == (2.0, "[0 1]")
        assert model.value("red") == model.value(Colour.RED) == (2.0, "red")
        assert type(model.value(Colour.RED)[1]) is Colour
    assert len(CALLS) == 5


class NoHash:
    """Its hash cannot be taken, for a reason of its own."""

    def __hash__(self) -> int:
        raise ZeroDivisionError

    def __init__(self) -> None:
        self.guard = threading.Event()


@with_and_without_storage_users
@pytest.mark.parametrize("odd", [NoHash(), iter([1])], ids=type)
def test_what_is_wrong_with_an_argument_is_said_the_same_way(odd: object) -> None:
    """An argument that cannot be in a key is refused as one, however often others were called with before."""
    model = Model()
    for _ in range(3):
        with pytest.raises(UnstableKeyError, match="argument 'x'"):
            model.value(odd)
        repeated(model.value, 1.0)


@with_and_without_storage_users
def test_nan_and_what_lies_beyond_the_axis_fill_no_table() -> None:
    """Calls that a shortcut cannot answer leave nothing in it, however many there are."""
    model, curves = Model(), Arrays()
    for _ in range(50):
        for x in (1.0, float("nan")):
            model.value(x)
            model.several(1.0, x)
            curves.curve(x)
        curves.curve(7.0)
    for method, size in ((Model.value, 1), (Model.several, 1), (Arrays.curve, 0)):
        shortcut: Any = method._self_definition.call_code._shortcuts.last
        assert ([*map(len, shortcut.tables.values())], len(shortcut.hits)) == ([1] * size, 1)
    assert len(CALLS) == 4


# -- options and settings --


def test_ignored_arguments_are_no_part_of_the_table() -> None:
    """A call with another value of an ignored argument finds the same result."""
    model = Model()
    for verbose in (False, True, False, True):
        assert model.ignoring(1.0, verbose=verbose) == (2.0, 1.0)
    assert CALLS == [(1.0, False)]


def test_rounded_arguments_share_results() -> None:
    """With round, calls are keyed by the rounded value, however often they are made."""
    model = Model()
    for x in (1.01, 1.02, 1.01, 1.04):
        assert model.rounded(x) == 1.0
    assert CALLS == [1.0]


def test_changeable_results_are_handed_out_anew() -> None:
    """A list from a repeated call is the caller's own."""
    model = Model()
    for _ in range(4):
        result = model.changeable()
        result.append(0.0)
    assert model.changeable() == [2.0]
    assert len(CALLS) == 1


def test_the_least_recently_used_still_goes_first() -> None:
    """With a maxsize, hits by a shortcut count as uses."""
    model = Model()
    model.few(1.0)
    model.few(2.0)
    for _ in range(3):
        model.few(1.0)
    model.few(3.0)  # takes the place of 2.0
    model.few(1.0)
    assert CALLS == [1.0, 2.0, 3.0]
    for x in (2.0, 1.0, 2.0, 1.0, 1.0):  # 3.0 gives place
        model.few(x)
    assert CALLS == [1.0, 2.0, 3.0, 2.0]
    model.few(3.0)  # takes the place of 2.0, which was used before 1.0
    model.few(1.0)
    assert CALLS == [1.0, 2.0, 3.0, 2.0, 3.0]
    assert model.few.cache_info()[:4] == (9, 5, 2, 2)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["call"] * 6 + ["clear", "refresh"]), st.sampled_from([0.0, 1.0, 2.0, math.nan])),
        max_size=60,
    )
)
def test_a_maxsize_drops_the_least_recently_used(steps: list[tuple[str, float]]) -> None:
    """With a maxsize, what is computed anew is what an ordered dictionary says, however often a call is repeated."""
    CALLS.clear()
    model, kept, expected = Model(), OrderedDict[float, None](), []
    for step, x in steps:
        if step == "clear":
            model.few.cache_clear(x)
            kept.pop(x, None)
            continue
        assert (model.few if step == "call" else model.few.refresh)(x) == (2.0, x)
        if step == "refresh" or x not in kept:
            expected.append(x)
        kept[x] = None
        kept.move_to_end(x)
        if len(kept) > 2:
            kept.popitem(last=False)
        assert model.few.cache_info().currsize == len(kept)
    assert expected == CALLS


@with_and_without_storage_users
def test_a_switch_is_noticed() -> None:
    """configure(disable=True) computes each time, for a block."""
    model = Model()
    for _ in range(3):
        model.value(1.0)
    with configure(disable=True):
        for _ in range(3):
            model.value(1.0)
    assert len(CALLS) == 4
    model.value(1.0)
    assert len(CALLS) == 4


# -- beside full calls --


METHODS = [name for name, each in vars(owner_class("")).items() if hasattr(each, "cache_clear")]


POSITIONAL = {"keyword": 0, "three": 3}  # the others take one


KEYWORDS = {"keyword": ["x"], "defaults": ["y", "z"], "many": ["y", "w"], "ignoring": ["y"], "curve_of": ["y"]}


VALUES: list[Any] = [0.0, -0.0, 0, 1, 1.0, 1.5, True, "1", "red", Colour.RED, np.str_("red"), b"1", None, 1 + 0j, (1,)]
VALUES += [(1.0, 0.5), [1.0], np.arange(2.0), np.arange(2), np.float64(1.5), np.float32(1.5), np.int8(1), 5.0, {}]
VALUES += [2**53 + 1, Decimal(1), Fraction(3, 2), np.array(1.5), object, frozenset({1}), np.bool_(True)]
VALUES += [math.nan, float("nan"), math.inf]


PARAMETERS: list[Any] = [1.0, 1, True, 2.0, float("2"), 2, "2", math.nan, float("nan"), None, 0.0, -0.0, (1.0,), [1.0]]


SETTINGS: list[dict[str, Any]] = [{"disable": True}, {"disable": False}, {"persistence": ""}, {"persistence": "rw"}]


class Step(NamedTuple):
    """Something that happens, by the name of a method of `World`, and numbers of what it happens to."""

    name: str
    owner: int
    method: int
    value: int
    how: int


class World:
    """Owners of one kind, and what can happen to them and to the results of some of their methods."""

    def __init__(self, kind: str, methods: list[str], values: list[Any], parameters: list[Any]) -> None:
        self.kind = owner_class(kind)
        self.heir = type("Heir", (self.kind,), {"word": "heir"})
        self.owners = [self.kind()]
        self.methods, self.values, self.parameters = methods, values, parameters

    def take(self, step: Step) -> Any:
        """What a step gives, or raises."""
        try:
            return repr(getattr(self, step.name)(self.owners[step.owner % len(self.owners)], step))
        except Exception as error:
            return type(error), str(error)

    def name(self, step: Step) -> str:
        return self.methods[step.method % len(self.methods)]

    def arguments(self, step: Step) -> tuple[list[Any], dict[str, Any]]:
        name, start = self.name(step), step.value % len(self.values)
        values = [*self.values[start:], *self.values[:start]] * 3
        named = {each: values[1] for bit, each in enumerate(KEYWORDS.get(name, ())) if step.how & (1 << bit)}
        return values[: POSITIONAL.get(name, 1)], named

    def call(self, owner: Any, step: Step) -> Any:
        args, kwargs = self.arguments(step)
        return [getattr(owner, self.name(step))(*args, **kwargs) for _ in range(3)]

    def refresh(self, owner: Any, step: Step) -> Any:
        args, kwargs = self.arguments(step)
        return getattr(owner, self.name(step)).refresh(*args, **kwargs)

    def clear(self, owner: Any, step: Step) -> None:
        getattr(owner, self.name(step)).cache_clear()

    def clear_call(self, owner: Any, step: Step) -> None:
        args, kwargs = self.arguments(step)
        getattr(owner, self.name(step)).cache_clear(*args, **kwargs)

    def clear_by_class(self, owner: Any, step: Step) -> None:
        getattr(self.kind, self.name(step)).cache_clear(*[owner][: step.how % 2])

    def info(self, owner: Any, step: Step) -> Any:
        return getattr(owner, self.name(step)).cache_info()._replace(seconds_saved=0.0)

    def set(self, owner: Any, step: Step) -> None:
        vars(owner)["ab"[step.how % 2]] = self.parameters[step.value % len(self.parameters)]

    def configure(self, _: Any, step: Step) -> None:
        configure(**SETTINGS[step.how])

    def make_user(self, owner: Any, step: Step) -> None:
        user = StorageUser("n", "rw", owner.name, owner.string, None)
        if step.how < 2:
            vars(owner)[USER_ATTRIBUTES[step.how]] = user

    def drop_user(self, owner: Any, step: Step) -> None:
        vars(owner).pop(USER_ATTRIBUTES[step.how % 2], None)

    def make(self, owner: Any, step: Step) -> None:
        makers = [self.kind, self.heir, lambda: copy.copy(owner), lambda: copy.deepcopy(owner)]
        self.owners.append(makers[step.how]())

    def die(self, owner: Any, _: Step) -> None:
        self.owners = [each for each in self.owners if each is not owner] or [self.kind()]

    def collect(self, _: Any, __: Step) -> None:
        """Free what is kept by references in a circle, as a StorageUser and the owner that it asks."""
        gc.collect(1)

    def recast(self, owner: Any, step: Step) -> None:
        for _ in range(1 + step.how % 2):  # and perhaps back
            object.__setattr__(owner, "__class__", self.kind if type(owner) is self.heir else self.heir)


STEPS = ["call"] * 12 + ["set"] * 3 + ["refresh", "clear", "clear_call", "clear_by_class", "info", "configure"]
STEPS += ["make_user", "drop_user", "make", "die", "collect", "recast"]


SMALL = st.integers(0, 3)


ANY_STEP = st.builds(Step, st.sampled_from(STEPS), SMALL, SMALL, SMALL, SMALL)


def some(values: list[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def outcomes(steps: list[Step], *world: Any) -> list[Any]:
    """What each of a series of steps gives in a new world, and the counts at its end.

    Garbage is collected in steps alone: a clear for the class reaches on disk what live owners have.
    """
    with pytest.MonkeyPatch.context() as patch, configure(store=MemoryStore()), without_garbage_collection():
        patch.setattr(validity, "has_storage_users", False)
        configure(persistence="rw", disable=False)  # steps of an earlier series may have changed them
        new = World(*world)
        results = [new.take(each) for each in steps]
        places = np.ndindex(len(new.owners), len(new.methods))
        return results + [new.take(Step("info", *place, 0, 0)) for place in places]


@pytest.mark.parametrize("half", [1, 2])  # of the examples, as all in one test take long
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=rounds(8, 40), deadline=None)
@given(some(METHODS, 2), some(VALUES, 4), some(PARAMETERS, 4), st.lists(ANY_STEP, min_size=20, max_size=60))
def test_shortcuts_change_nothing(
    kind: str, half: int, methods: list[str], values: list[Any], parameters: list[Any], steps: list[Step]
) -> None:
    """Whatever happens between calls, they give the same values and counts as if all of them were full calls."""
    short = outcomes(steps, kind, methods, values, parameters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Results, "add_shortcut", lambda *_: None)
        assert short == outcomes(steps, kind, methods, values, parameters)


def test_hits_count_after_the_first_parameter_that_needs_another_check() -> None:
    """A parameter that is NaN is checked in another way, for which the call is compiled again: no hit is lost."""
    owner = owner_class("su")()
    for a in (1.0, math.nan, 2.0, math.nan):
        vars(owner)["a"] = a
        before = owner.one.cache_info()
        for turn in range(1, 5):
            owner.one(1)
            assert sum(owner.one.cache_info()[:2]) == sum(before[:2]) + turn


# -- owners and threads --


@with_and_without_storage_users
def test_an_owner_is_not_taken_for_one_that_stood_at_its_place() -> None:
    """If an object is found under the number of an owner that is gone, it is none of its results that it gets."""
    model, other = Model(), Model()
    repeated(model.value, 1.0)
    shortcuts: Any = Model.value._self_definition.call_code._shortcuts
    shortcuts._by_owner[id(other)] = shortcuts._by_owner[id(model)]
    repeated(other.value, 1.0)
    assert len(CALLS) == 2


def test_a_shortcut_that_has_ended_leads_to_no_other() -> None:
    """A call that still holds it is a full call, though the owner has others by now: their check may be another."""
    owner = owner_class("keyed_by")()
    with configure(memory_sets=2):
        repeated(owner.one, 1)
        shortcuts: Any = type(owner).one._self_definition.call_code._shortcuts
        first = shortcuts.find(owner)
        owner.a = 3.0
        repeated(owner.one, 1)
        assert shortcuts.switch(owner, first) is shortcuts.find(owner) is not first
        first.end()
        assert shortcuts.switch(owner, first) is None


def test_threads_on_changing_parameters_never_mix() -> None:
    """Threads that share owners and change their parameters get values of parameters that there were."""
    owners = [Model(float(number)) for number in range(2)]
    wrong: list[Any] = []

    def work(owner: Model, own: float) -> None:
        for turn in range(300):
            if turn % 7 == 0:
                owner.scale = own + turn % 3
            scale, x = owner.value(turn % 4)
            if x != turn % 4 or scale not in {0.0, 1.0, 2.0, 3.0}:
                wrong.append((scale, x))

    threads = [threading.Thread(target=work, args=(owner, float(n))) for n in range(2) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


@pytest.fixture
def switch_often() -> Iterator[Callable[[bool], None]]:
    """Lets threads take turns very often or, as it must be while they start under coverage, as usual."""
    before = sys.getswitchinterval()
    yield lambda often: sys.setswitchinterval(1e-6 if often else before)
    sys.setswitchinterval(before)


def forget_all(owners: list[Any]) -> None:
    for owner in owners:
        owner.value.cache_clear()


def forget_by_class(owners: list[Any]) -> None:
    type(owners[0]).value.cache_clear()


def disable(_: list[Any]) -> None:
    configure(disable=True)


def change_parameters(owners: list[Any]) -> None:
    for owner in owners:
        owner.scale += 1.0


@pytest.mark.parametrize("end", [forget_all, forget_by_class, disable, change_parameters])
def test_nothing_old_is_found_after_its_end(
    end: Callable[[list[Any]], None], switch_often: Callable[[bool], None]
) -> None:
    """What was computed before is returned by no call that begins after cache_clear, configure or a change is over."""
    wrong: list[Any] = []

    def use(owners: list[Any], floors: list[int], start: threading.Barrier) -> None:
        start.wait(60)
        for turn in range(60):
            owner = owners[turn % len(owners)]
            floor, least = floors[0], owner.scale
            version, scale = owner.value(float(turn % 2))
            if version < floor or not least <= scale <= owner.scale:
                wrong.append((version, floor, least, scale, owner.scale))

    for _ in range(30):
        configure(disable=False)
        classes, versions = racing_classes()
        owners, floors, start = [kind() for kind in classes for _ in range(2)], [0], threading.Barrier(4)
        for owner in owners:
            for x in (0.0, 1.0):
                repeated(owner.value, x)
        threads = [threading.Thread(target=use, args=(owners, floors, start)) for _ in range(3)]
        for thread in threads:
            thread.start()
        start.wait(60)
        switch_often(True)
        versions[0] = 1  # all was at hand, so what is computed from now on need not be forgotten
        end(owners)
        floors[0] = 1
        for thread in threads:
            thread.join(60)
        switch_often(False)
    assert not wrong


def racing_classes() -> tuple[list[Any], list[int]]:
    """Three new classes that share a new method, which tells the version of now and the owner's scale."""
    versions = [0]

    class Base:
        scale = tilt = 1.0

        @stored(persistent=False)
        def value(self, x: float) -> tuple[int, float]:
            return versions[0], self.scale

    names = [("scale",), ("scale", "tilt"), ("tilt", "scale")]
    return [keyed_by(*each)(type("Kind", (Base,), {})) for each in names], versions
