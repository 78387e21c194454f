"""Repeated calls of stored methods take a shortcut, and notice all that other calls notice."""

from __future__ import annotations

import copy
import enum
import gc
import inspect
import itertools
import math
import os
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stored import Axis, OwnerError, PersistenceWarning, StorageUser, UnstableKeyError, configure, keyed_by, stored
from stored._keys.unchanged import USER_ATTRIBUTES
from stored._methods.call_code import CallCode
from stored._methods.results import Results
from stored._methods.shortcuts import Shortcut
from stored._settings.validity import validity
from stored.stores import MemoryStore

CALLS: list[Any] = []


@keyed_by("scale")
class Model:
    """Methods of all kinds of signatures, which tell what they were called with."""

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    @stored(persistent=False)
    def value(self, x: Any) -> Any:
        CALLS.append(x)
        return (self.scale, x) if not isinstance(x, list | np.ndarray) else (self.scale, str(x))

    @stored(persistent=False)
    def nothing(self) -> float:
        CALLS.append(None)
        return self.scale

    @stored(persistent=False)
    def several(self, x: float, /, y: float = 1.0, *, z: float = 2.0) -> tuple[float, ...]:
        CALLS.append((x, y, z))
        return (self.scale, x, y, z)

    @stored(persistent=False)
    def only_positional(self, x: float, y: float = 1.0, /) -> tuple[float, ...]:
        CALLS.append((x, y))
        return (self.scale, x, y)

    @stored(persistent=False)
    def any_number(self, *xs: float, z: float = 2.0, **others: float) -> tuple[Any, ...]:
        CALLS.append((xs, z, others))
        return (self.scale, xs, z, tuple(others.items()))

    @stored(persistent=False, ignore=("verbose",))
    def ignoring(self, x: float, verbose: bool = False) -> tuple[float, float]:
        CALLS.append((x, verbose))
        return (self.scale, x)

    @stored(persistent=False, maxsize=2)
    def few(self, x: float) -> tuple[float, float]:
        CALLS.append(x)
        return (self.scale, x)

    @stored(persistent=False, round={"x": 1})
    def rounded(self, x: float) -> float:
        CALLS.append(x)
        return x

    @stored(persistent=False)
    def changeable(self) -> list[float]:
        CALLS.append(None)
        return [self.scale]


@pytest.fixture(autouse=True)
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    CALLS.clear()
    monkeypatch.setattr(validity, "has_storage_users", getattr(request, "param", validity.has_storage_users))
    validity.invalidate()


class Colour(enum.StrEnum):
    RED = "red"


def repeated(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a call gives, and gives again by a shortcut."""
    first, *others = (function(*arguments) for _ in range(4))
    assert others == [first] * 3
    return first


both = pytest.mark.parametrize("calls", [False, True], ids=["no StorageUser made", "some made"], indirect=True)


SPELLINGS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "several": [((3.0,), {}), ((3.0, 1.0), {}), ((3.0,), {"y": 1.0}), ((3.0,), {"z": 2, "y": 1}), ((3,), {"z": 2.0})],
    "only_positional": [((3.0,), {}), ((3.0, 1.0), {}), ((3, True), {})],
    "any_number": [((1.0, 2.0), {"_stored_self": 1.0}), ((1, 2), {"z": 2, "_stored_self": 1})],
    "value": [((1.0,), {}), ((), {"x": 1}), ((True,), {}), ((np.float64(1),), {}), ((np.int8(1),), {})],
    "nothing": [((), {})],
}


@both
@pytest.mark.parametrize("name", SPELLINGS)
def test_all_spellings_of_a_call_are_one(name: str) -> None:
    """However a call is spelled, and however often it is made, it is computed once, and every hit is counted."""
    model = Model()
    method = getattr(model, name)
    expected = method.__wrapped__(*SPELLINGS[name][0][0], **SPELLINGS[name][0][1])
    CALLS.clear()
    for _ in range(3):
        for args, kwargs in SPELLINGS[name]:
            assert getattr(model, name)(*args, **kwargs) == expected
            assert method(*args, **kwargs) == expected
    assert len(CALLS) == 1
    info = method.cache_info()
    assert (info.hits, info.misses) == (6 * len(SPELLINGS[name]) - 1, 1)
    assert info.seconds_saved > 0


@both
def test_other_arguments_are_other_results() -> None:
    """Values that do not compare equal never share a result, however alike they look."""
    model = Model()
    values = [
        0,
        1,
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
        assert [model.value(each) for each in values] == [(2.0, each) for each in values]
    assert len(CALLS) == len(values)


def test_what_cannot_be_in_a_table_goes_the_long_way() -> None:
    """NaN, lists, arrays and enumerations are found again too."""
    model = Model()
    for _ in range(3):
        assert math.isnan(model.value(math.nan)[1])
        assert model.value([1.0]) == (2.0, "[1.0]")
        assert model.value(np.arange(2)) == (2.0, "[0 1]")
        assert model.value("red") == model.value(Colour.RED) == (2.0, "red")
    assert len(CALLS) == 4


class NoHash:
    """Its hash cannot be taken, for a reason of its own."""

    def __hash__(self) -> int:
        raise ZeroDivisionError


@both
@pytest.mark.parametrize("odd", [NoHash(), memoryview(bytearray(b"x"))], ids=type)
def test_what_is_wrong_with_an_argument_is_said_the_same_way(odd: object) -> None:
    """An argument that cannot be in a key is refused as one, however often others were called with before."""
    model = Model()
    for _ in range(3):
        with pytest.raises(UnstableKeyError, match="argument 'x'"):
            model.value(odd)
        repeated(model.value, 1.0)


@both
def test_every_change_of_a_parameter_is_noticed() -> None:
    """Assigned, written to the __dict__ or deleted, in between any calls; what was computed before is found again."""
    model = Model()
    for _ in range(3):
        for scale in (2.0, 3.0, 5):
            model.scale = scale
            for _ in range(3):
                assert model.value(1.0) == (scale, 1.0)
                assert model.nothing() == scale
    vars(model)["scale"] = 7.0
    assert model.value(1.0) == (7.0, 1.0)
    del model.scale
    with pytest.raises(OwnerError, match="set every parameter"):
        model.value(1.0)


@both
def test_what_is_forgotten_is_computed_again() -> None:
    """cache_clear of a call, of the method, of the class's method, and refresh end a shortcut."""
    model = Model()
    for number, forget in enumerate(
        (
            lambda: model.value.cache_clear(),
            lambda: model.value.cache_clear(1.0),
            lambda: model.value.refresh(1.0),
            lambda: Model.value.cache_clear(),
            lambda: Model.value.cache_clear(model),
        ),
        start=1,
    ):
        for _ in range(3):
            assert model.value(1.0) == (2.0, 1.0)
        assert len(CALLS) == number
        forget()
    assert model.value(1.0) == (2.0, 1.0)


def test_counts_survive_what_ends_a_shortcut() -> None:
    """Hits are counted one by one, whatever happens to the shortcut between them."""
    model = Model()
    for number in range(1, 6):
        for _ in range(4):
            model.value(1.0)
        with configure(persistence="r"):
            model.value(1.0)
        model.value(float(number + 10))
        assert model.value.cache_info().hits == 5 * number - 1
    assert model.value.cache_info().misses == 6


def test_ignored_arguments_are_no_part_of_the_table() -> None:
    """A call with another value of an ignored argument finds the same result."""
    model = Model()
    for verbose in (False, True, False, True):
        assert model.ignoring(1.0, verbose=verbose) == (2.0, 1.0)
    assert CALLS == [(1.0, False)]


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


@both
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


@keyed_by("tilt")
class Tilted(Model):
    """With one more parameter."""

    def __init__(self, scale: float = 2.0, tilt: float = 1.0) -> None:
        super().__init__(scale)
        self.tilt = tilt


@both
def test_owners_of_several_kinds_take_turns() -> None:
    """A method that is inherited by a class with more parameters looks at all of them, in turns with the others."""
    owners: list[Any] = [Model(), Tilted(), Model(3.0), Tilted(3.0)]
    for _ in range(4):
        assert [owner.nothing() for owner in owners] == [2.0, 2.0, 3.0, 3.0]
    assert len(CALLS) == 4
    owners[1].tilt = 2.0
    for _ in range(3):
        assert [owner.nothing() for owner in owners] == [2.0, 2.0, 3.0, 3.0]
    assert len(CALLS) == 5


class Described:
    """An owner with words of its own."""

    x = 1.0

    def getHashableString(self) -> str:
        return f"x={self.x}"

    @stored(persistent=False)
    def value(self) -> float:
        CALLS.append(self.x)
        return self.x


@both
@pytest.mark.parametrize("delegates", [False, True])
def test_an_own_string_is_asked_with_every_call(delegates: bool) -> None:
    """A change of what getHashableString returns is noticed at once, and a StorageUser that comes later is too."""

    class Owner(Described):
        if delegates:

            def __getattr__(self, name: str) -> Any:
                raise AttributeError(name)

    owner: Any = Owner()
    for x in (1.0, 2.0, 1.0):
        owner.x = x
        for _ in range(3):
            assert owner.value() == x
    owner.su = StorageUser("m", "", lambda: "Owner", lambda: "another", None)
    made = len(CALLS)
    owner.value()
    assert len(CALLS) == made + 1


def test_an_owner_with_a_user_is_told_of_changes() -> None:
    """Repeated calls of an owner that holds a StorageUser still tell it of each change, once."""
    told = []

    class Holder:
        x = 1.0

        def __init__(self) -> None:
            self.su = StorageUser("m", "", lambda: "Holder", lambda: f"x={self.x}", lambda: told.append(self.x))

        @stored(persistent=False)
        def value(self) -> float:
            return self.x

    holder = Holder()
    for x in (1.0, 2.0, 3.0):
        holder.x = x
        for _ in range(3):
            assert holder.value() == x
    assert told == [2.0, 3.0]
    holder.su.resetStorage()
    for _ in range(3):
        assert holder.value() == x
    assert holder.value.cache_info()[:2] == (8, 4)


@both
def test_owners_die_with_their_shortcuts() -> None:
    """An owner goes with its last reference; one that comes in its place has its own results."""
    for scale in map(float, range(50)):
        model = Model(scale)
        for _ in range(3):
            assert model.value(1.0) == (scale, 1.0)
        gone = weakref.ref(model)
        del model
        assert gone() is None
    assert len(CALLS) == 50


def test_what_is_forgotten_meanwhile_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """If all shortcuts are invalidated while one is added, it is dropped again."""
    model = Model()
    model.value(1.0)
    real = Shortcut.add

    def add(self: Shortcut, *arguments: Any) -> None:
        real(self, *arguments)
        validity.invalidate()

    monkeypatch.setattr(Shortcut, "add", add)
    model.value(1.0)
    monkeypatch.undo()
    with configure(disable=True):
        model.value(1.0)
    assert len(CALLS) == 2


def test_a_memory_that_was_emptied_meanwhile_gives_no_shortcut(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another thread clears between an answer and its shortcut, there is none."""
    model = Model()
    model.value(1.0)
    real = Shortcut.holds

    def holds(self: Shortcut, owner: object) -> bool:
        model.value.cache_clear()
        return real(self, owner)

    monkeypatch.setattr(Shortcut, "holds", holds)
    model.value(1.0)
    monkeypatch.undo()
    model.value(1.0)
    assert len(CALLS) == 2


def test_parameters_that_go_meanwhile_give_no_shortcut(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another thread deletes a parameter between an answer and its shortcut, the next call says so."""
    model = Model()
    model.value(1.0)
    real = Shortcut.__init__

    def init(self: Shortcut, *arguments: Any) -> None:
        real(self, *arguments)
        del model.scale

    monkeypatch.setattr(Shortcut, "__init__", init)
    assert model.value(1.0) == (2.0, 1.0)
    monkeypatch.undo()
    with pytest.raises(OwnerError, match="set every parameter"):
        model.value(1.0)


def test_parameters_that_change_meanwhile_give_no_shortcut(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another thread changes the parameters between an answer and its shortcut, no result is taken for another's."""
    model = Model()
    model.value(1.0)
    real = Shortcut.__init__

    def init(self: Shortcut, *arguments: Any) -> None:
        real(self, *arguments)
        model.scale = 3.0

    monkeypatch.setattr(Shortcut, "__init__", init)
    assert model.value(1.0) == (2.0, 1.0)
    monkeypatch.undo()
    for _ in range(3):
        assert model.value(1.0) == (3.0, 1.0)
    model.scale = 2.0
    assert model.value(1.0) == (2.0, 1.0)


def test_reserved_names_are_refused() -> None:
    """An argument whose name the compiled call uses itself is a TypeError at once."""
    with pytest.raises(TypeError, match="'_stored_x' has a name that begins with _stored"):

        @stored
        def method(self: object, _stored_x: float) -> float:
            return _stored_x


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


def test_shortcuts_are_what_answers() -> None:
    """Repeated calls are no full calls: these tests are of shortcuts."""
    call_code: CallCode = Model.value._self_definition.call_code
    model = Model()
    for _ in range(3):
        model.value(1.0)
    shortcut: Any = call_code._shortcuts.last
    assert shortcut.table[1.0].count == 1
    counted: Iterator[int] = itertools.count(2)
    for _ in range(5):
        model.value(1.0)
        assert shortcut.table[1.0].count == next(counted)


# -- beside full calls -------------------------------------------------------------------------------------------------


KINDS = ("keyed_by", "frozen", "string", *USER_ATTRIBUTES)


def owner_class(kind: str) -> Any:
    """A new class of owners of some kind, with methods of many signatures, which tell what they are given."""

    class Owner:
        a: Any = 1.0
        b: Any = 2.0
        word = "base"

        def __init__(self) -> None:
            vars(self).update(a=1.0, b=2.0)
            if kind in USER_ATTRIBUTES:
                vars(self)[kind] = StorageUser("m", "rw", self.name, self.string, None)

        def name(self) -> str:
            return "Owner"

        def string(self) -> str:
            return f"{self.a!r} {self.b!r}"

        def tell(self, *given: Any) -> str:
            return f"{self.a!r} {self.b!r} {self.word} {given!r}"

        @stored(persistent=False)
        def one(self, x: Any) -> str:
            return self.tell(x)

        @stored
        def kept(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False)
        def keyword(self, *, x: Any = 1.0) -> str:
            return self.tell(x)

        @stored(persistent=False)
        def three(self, x: Any, y: Any, z: Any) -> str:
            return self.tell(x, y, z)

        @stored
        def defaults(self, x: Any = 1.0, /, y: Any = 0.5, *, z: Any = None) -> str:
            return self.tell(x, y, z)

        @stored(persistent=False)
        def many(self, *xs: Any, y: Any = 1, **others: Any) -> str:
            return self.tell(xs, y, others)

        @stored(persistent=False, ignore=("y",))
        def ignoring(self, x: Any, y: Any = 0) -> str:
            return self.tell(x)

        @stored(persistent=False, maxsize=2)
        def few(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False, round={"x": 1})
        def rounded(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False, depends=("a",))
        def depending(self, x: Any) -> str:
            return f"{self.a!r} {self.word} {x!r}"

        @stored(persistent=False)
        def changeable(self, x: Any) -> list[str]:
            return [self.tell(x)]

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9, outside="exact"))
        def curve(self, x: Any) -> float:
            return float(str(self.a)) * x**2 + len(self.word)

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9), ignore=("x",))
        def ignored_curve(self, x: Any) -> float:
            return float(str(self.b)) * x**2 + len(self.word)

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9))
        def curve_of(self, x: Any, y: Any = 1.0) -> float:
            return float(str(y)) * x**2 + len(self.word)

    if kind == "keyed_by":
        return keyed_by("a", "b")(Owner)
    if kind == "frozen":
        return dataclass(frozen=True)(Owner)
    if kind == "string":
        Owner.getHashableString = Owner.string  # type: ignore[attr-defined]
    return Owner


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

    def recast(self, owner: Any, step: Step) -> None:
        for _ in range(1 + step.how % 2):  # and perhaps back
            object.__setattr__(owner, "__class__", self.kind if type(owner) is self.heir else self.heir)


STEPS = ["call"] * 12 + ["set"] * 3 + ["refresh", "clear", "clear_call", "clear_by_class", "info", "configure"]
STEPS += ["make_user", "drop_user", "make", "die", "recast"]
SMALL = st.integers(0, 3)
ANY_STEP = st.builds(Step, st.sampled_from(STEPS), SMALL, SMALL, SMALL, SMALL)


def some(values: list[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most)


def outcomes(steps: list[Step], *world: Any) -> list[Any]:
    """What each of a series of steps gives in a new world, and the counts at its end."""
    with pytest.MonkeyPatch.context() as patch, configure(store=MemoryStore()):
        patch.setattr(validity, "has_storage_users", False)
        configure(persistence="rw", disable=False)  # steps of an earlier series may have changed them
        new = World(*world)
        results = [new.take(each) for each in steps]
        places = np.ndindex(len(new.owners), len(new.methods))
        return results + [new.take(Step("info", *place, 0, 0)) for place in places]


@pytest.mark.parametrize("half", [1, 2])  # of the examples, as all in one test take long
@pytest.mark.parametrize("kind", KINDS)
@hypothesis_settings(max_examples=30, deadline=None)
@given(some(METHODS, 2), some(VALUES, 4), some(PARAMETERS, 4), st.lists(ANY_STEP, min_size=20, max_size=60))
def test_shortcuts_change_nothing(
    kind: str, half: int, methods: list[str], values: list[Any], parameters: list[Any], steps: list[Step]
) -> None:
    """Whatever happens between calls, they give the same values and counts as if all of them were full calls."""
    short = outcomes(steps, kind, methods, values, parameters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Results, "_add_shortcut", lambda *_: None)
        assert short == outcomes(steps, kind, methods, values, parameters)


@hypothesis_settings(max_examples=100, deadline=None)
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


# -- what has ended answers nothing any more ---------------------------------------------------------------------------


def alike_classes() -> tuple[Any, Any]:
    """Two new classes that share a new method, and whose parameters have different checks."""

    class Base:
        def __init__(self, scale: float = 2.0) -> None:
            self.scale = self.tilt = scale

        @stored(persistent=False)
        def value(self, x: float) -> tuple[float, float]:
            CALLS.append(x)
            return (self.scale, x)

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9))
        def curve(self, x: float) -> float:
            CALLS.append(x)
            return self.scale

    return keyed_by("scale")(type("First", (Base,), {})), keyed_by("scale", "tilt")(type("Second", (Base,), {}))


def change(model: Any) -> None:
    model.scale = 3.0


ENDS = pytest.mark.parametrize(
    "end",
    [
        lambda owner, name: getattr(owner, name).cache_clear(),
        lambda owner, name: getattr(owner, name).cache_clear(1.0),
        lambda owner, name: getattr(type(owner), name).cache_clear(),
        lambda *_: configure(disable=True),
        lambda owner, _: setattr(owner, "scale", 3.0),
    ],
    ids=["clear", "clear call", "clear class", "disable", "change"],
)
NAMES = pytest.mark.parametrize("name", ["value", "curve"])


@both
@ENDS
@NAMES
@pytest.mark.parametrize("used_again", [False, True])
def test_a_function_that_was_replaced_finds_nothing_old(
    end: Callable[[Any, str], object], name: str, used_again: bool
) -> None:
    """A call that began before another class took over the method's calls computes what has been forgotten since."""
    first, second = alike_classes()
    owner, other = first(), second()
    replaced = []
    for _ in range(1 + used_again):
        repeated(getattr(owner, name), 1.0)
        replaced.append(type(getattr(owner, name)).__call__)
        repeated(getattr(other, name), 1.0)
    assert type(getattr(owner, name)).__call__ is not replaced[0]
    end(owner, name)
    for call in replaced:
        CALLS.clear()
        assert call(getattr(owner, name), 1.0) == getattr(owner, name).__wrapped__(1.0)
        assert len(CALLS) > 1 or call is not replaced[0]


@both
@ENDS
@NAMES
def test_a_shortcut_that_ends_while_it_is_looked_up_answers_nothing(
    end: Callable[[Any, str], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another thread forgets what a call has just found the shortcut to, the call computes."""
    real, ends = shortcuts_class().find, [False]

    def find(self: Any, owner: Any) -> Any:
        found = real(self, owner)
        if ends[0]:
            end(owner, name)
        return found

    monkeypatch.setattr(shortcuts_class(), "find", find)
    kind, _ = alike_classes()
    owner, other = kind(), kind(5.0)
    for each in (owner, other, owner, other):
        repeated(getattr(each, name), 1.0)
    CALLS.clear()
    ends[0] = True
    result = getattr(owner, name)(1.0)
    assert len(CALLS) > 0
    assert result == getattr(owner, name).__wrapped__(1.0)


def shortcuts_class() -> Any:
    """The class in which a compiled function looks its shortcuts up."""
    return type(Model.value._self_definition.call_code._shortcuts)


@both
def test_an_owner_is_not_taken_for_one_that_stood_at_its_place() -> None:
    """If an object is found under the number of an owner that is gone, it is none of its results that it gets."""
    model, other = Model(), Model()
    repeated(model.value, 1.0)
    shortcuts: Any = Model.value._self_definition.call_code._shortcuts
    shortcuts._by_owner[id(other)] = shortcuts._by_owner[id(model)]
    repeated(other.value, 1.0)
    assert len(CALLS) == 2


@pytest.mark.parametrize("calls", [False], indirect=True)
@pytest.mark.parametrize("of_user", [False, True])
def test_a_change_of_settings_while_a_shortcut_is_made_ends_it(of_user: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If all shortcuts are invalidated before one that was prepared is added, it is not added."""
    model: Any = Model()
    model.value(1.0)
    real = CallCode.add

    def add(self: CallCode, *arguments: Any) -> None:
        if of_user:
            model.user = StorageUser("m", "", lambda: "Model", lambda: "another", None)
        else:
            configure(disable=True)
        real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(CallCode, "add", add)
        model.value(1.0)
    if of_user:
        model.su = model.user
    model.value(1.0)
    assert len(CALLS) == 2


@both
@pytest.mark.parametrize("attribute", USER_ATTRIBUTES)
def test_a_user_that_comes_and_goes_is_noticed(attribute: str) -> None:
    """From the moment that an owner holds a StorageUser, in place of another too, and until it does no more."""
    model: Any = Model()
    repeated(model.value, 1.0)
    for number, each in enumerate(["su", attribute], start=2):
        setattr(model, each, StorageUser("m", "", lambda: "Model", lambda: "another", None))
        repeated(model.value, 1.0)
        assert len(CALLS) == number
    getattr(model, attribute).resetStorage()
    repeated(model.value, 1.0)
    assert len(CALLS) == 4
    vars(model).clear()
    model.scale = 2.0
    repeated(model.value, 1.0)
    assert len(CALLS) == 4


@both
@pytest.mark.parametrize("change", [None, 2, "invalidate", "refresh", "clear", "another class"])
def test_shortcuts_are_taken_again(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an equal value of a parameter, and all that ends a shortcut, repeated calls take a shortcut again."""
    first, second = alike_classes()
    owner = first()
    repeated(owner.value, 1.0)
    if change == 2:
        owner.scale = 2
    elif change == "invalidate":
        configure(persistence="r")
    elif change == "refresh":
        owner.value.refresh(1.0)
    elif change == "clear":
        owner.value.cache_clear()
    elif change is not None:
        repeated(second().value, 1.0)
    repeated(owner.value, 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(Results, "answer", None)
        assert owner.value(1.0) == (2.0, 1.0)


def test_what_watches_may_go_while_others_are_invalidated() -> None:
    """What one watcher's end takes with it is not told."""

    class Watcher:
        other: Watcher | None = None
        told = 0

        def invalidate(self) -> None:
            Watcher.told += 1
            self.other = None

    first = Watcher()
    validity.watch(first)
    first.other = Watcher()
    validity.watch(first.other)
    validity.invalidate()
    validity.invalidate()
    assert Watcher.told == 2


@both
@pytest.mark.parametrize("calls_between", [0, 1, 3])
@pytest.mark.parametrize("of_class", [False, True])
def test_a_class_that_is_assigned_and_taken_back_leaves_no_shortcut(calls_between: int, of_class: bool) -> None:
    """After an assignment to __class__ and back, with calls between or without, cache_clear forgets everything."""

    class Other(Model):
        pass

    model = Model()
    repeated(model.value, 1.0)
    model.__class__ = Other
    for _ in range(calls_between):
        model.value(1.0)
    assert len(CALLS) == 1 + (calls_between > 0)
    model.__class__ = Model
    repeated(model.value, 1.0)
    made = len(CALLS)
    (Model.value if of_class else model.value).cache_clear()
    repeated(model.value, 1.0)
    assert len(CALLS) == made + 1


@both
def test_classes_that_follow_each_other_share_a_function() -> None:
    """Many classes that use a method by turns have their own results, and compile nothing more in the end."""
    first, second = alike_classes()
    owners = first(), second()
    calls = [type(owner.value).__call__ for _ in range(5) for owner in owners if repeated(owner.value, 1.0)]
    assert len(set(calls)) == 2
    CALLS.clear()
    base = alike_classes()[0].__mro__[1]
    functions = set()
    for number in range(20):
        kind = keyed_by("scale", f"other{number}")(type("Kind", (base,), {f"other{number}": 1.0}))
        owner = kind(float(number))
        assert repeated(owner.value, 1.0) == (number, 1.0)
        functions.add(type(owner.value).__call__)
        setattr(owner, f"other{number}", 2.0)
        repeated(owner.value, 1.0)
        del owner
    assert len(CALLS) == 40
    assert len(functions) < 12


def test_clearing_passes_by_owners_that_never_told_their_parameters() -> None:
    """Class.method.cache_clear() goes on if an owner has no parameters yet."""
    model, bare = Model(), Model()
    repeated(model.value, 1.0)
    del bare.scale
    with pytest.raises(OwnerError, match="set every parameter"):
        bare.value(1.0)
    Model.value.cache_clear()
    repeated(model.value, 1.0)
    assert len(CALLS) == 2


# -- threads and processes ---------------------------------------------------------------------------------------------


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
    """What was computed before is given by no call that begins after cache_clear, configure or a change is over."""
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


FORK = """
import os, signal, threading
from stored import UnstableKeyError, keyed_by, stored

@keyed_by("scale")
class Model:
    scale = 2.0

    @stored(persistent=False)
    def value(self, x):
        return self.scale * x

model, held, over = Model(), threading.Event(), threading.Event()
model.value(1.0)

def hold():
    with Model.value._self_definition.call_code._lock:
        held.set()
        over.wait(60)

def fork():
    child = os.fork()
    if not child:
        signal.alarm(20)  # a deadlock ends too
        good = [model.value(1.0) for _ in range(3)] == [2.0] * 3
        model.value.cache_clear()
        os._exit(not good or model.value(3.0) != 6.0)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

codes = []
holder, forker = threading.Thread(target=hold), threading.Thread(target=fork)
holder.start()
held.wait(60)
forker.start()
forker.join()
over.set()
holder.join()
raise SystemExit(codes != [0])
"""


def test_a_forked_process_takes_shortcuts_though_another_thread_held_the_lock() -> None:
    """Forked by a thread while another makes or ends a shortcut, the child calls, and takes shortcuts of its own."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=120, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# -- names and attributes ----------------------------------------------------------------------------------------------


@keyed_by("scale", "type", "getattr", "known", "owner")
class Named:
    """Its arguments and parameters have the names of what a compiled call uses."""

    scale = type = getattr = known = owner = 1.0

    @stored(persistent=False)
    def value(
        this,
        KeyError: float,  # noqa: A002
        TypeError: float = 1.0,  # noqa: A002
        /,
        AttributeError: float = 2.0,  # noqa: A002
        self: float = 3.0,
        *,
        type: float = 4.0,  # noqa: A002
        getattr: float = 5.0,  # noqa: A002
        self2: float = 6.0,
        known: float = 7.0,
        hit: float = 8.0,
        owner: float = 9.0,
        make: float = 10.0,
    ) -> tuple[float, ...]:
        CALLS.append(this.scale)
        return (KeyError, TypeError, AttributeError, self, type, getattr, self2, known, hit, owner, make)


@both
def test_arguments_may_have_any_names() -> None:
    """Names that the compiled call could use itself are arguments like others, and so are names of parameters."""
    model = Named()
    assert repeated(model.value, 0.0) == tuple(map(float, range(11)))
    for _ in range(3):
        assert model.value(0.0, type=0.5, make=0.5)[4:] == (0.5, 5.0, 6.0, 7.0, 8.0, 9.0, 0.5)
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'KeyError'"):
            Named.value(model)
    model.known = 2.0
    assert repeated(model.value, 0.0, 1.0, 2.0, 3.0) == tuple(map(float, range(11)))
    assert len(CALLS) == 3


@pytest.mark.parametrize("called_before", [False, True])
def test_attributes_given_to_a_method_later_are_seen_on_objects(called_before: bool) -> None:
    """What is set on a stored method after its decoration is there for bound methods too, and calls go on."""
    kind, _ = alike_classes()
    model = kind()
    if called_before:
        repeated(model.value, 1.0)
    kind.value.note, kind.value.other = 5, 6
    kind.value.__doc__, kind.value.__module__ = "Told later.", "elsewhere"
    kind.value.__annotations__ = {"x": int}
    kind.value.__name__, kind.value.__qualname__ = "named", "Later.named"
    kind.value.note += 1
    for bound in (model.value, kind().value):
        assert (bound.note, bound.other, bound.__doc__, bound.__module__) == (6, 6, "Told later.", "elsewhere")
        assert (bound.__annotations__, bound.__name__, bound.__qualname__) == ({"x": int}, "named", "Later.named")
        assert repeated(bound, 1.0) == (2.0, 1.0)
    del kind.value.other
    assert not hasattr(model.value, "other")
    with pytest.raises(AttributeError):
        model.value.note = 7


class Odd(str):
    """Text that shows itself as something else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "repr"

    def __str__(self) -> str:
        return "str"


@pytest.mark.parametrize("tell", [np.str_, Odd, Colour])
def test_text_of_any_class_is_the_same_text(tell: Callable[[str], str]) -> None:
    """What an owner with a text of another class has stored, an owner with plain text of the same content finds."""

    class Told:  # made in a function: more stands in its name
        def __init__(self, tell: Callable[[str], str]) -> None:
            self.tell = tell

        def getName(self) -> str:
            return self.tell("red")

        def getHashableString(self) -> str:
            return self.tell("red")

        @stored
        def value(self) -> float:
            CALLS.append(None)
            return 1.0

    owners = [Told(tell), Told(str), Told(tell)]
    assert [repeated(owner.value) for owner in owners] == [1.0] * 3
    for owner in owners:
        owner.tell = tell if owner.tell is str else str
        repeated(owner.value)
    assert len(CALLS) == 1


# -- memory, and warnings ----------------------------------------------------------------------------------------------


@keyed_by("scale")
class Arrays:
    scale = 2.0

    @stored(persistent=False)
    def value(self, x: float) -> np.ndarray[Any, Any]:
        return np.full(3, self.scale * x)

    @stored(persistent=False, maxsize=2)
    def few(self, x: float) -> np.ndarray[Any, Any]:
        return np.full(3, self.scale * x)

    @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9, outside="clip"))
    def curve(self, x: float) -> float:
        return self.scale * x


FORGET: dict[str, Callable[[list[Any], str], object]] = {
    "change": lambda owners, name: (setattr(owners[0], "scale", 3.0), getattr(owners[0], name)(1.0)),
    "clear": lambda owners, name: getattr(owners[0], name).cache_clear(),
    "clear by class": lambda _, name: getattr(Arrays, name).cache_clear(),
    "refresh": lambda owners, name: getattr(owners[0], name).refresh(1.0),
    "die": lambda owners, _: owners.clear(),
}


@both
@pytest.mark.parametrize("kind", KINDS)
def test_owners_of_all_kinds_die_with_their_shortcuts(kind: str) -> None:
    """Nothing keeps an owner when its last reference has gone but what the owner itself holds."""
    made, gone = owner_class(kind), []
    for _ in range(10):
        owner = made()
        assert len({repr(repeated(owner.one, x)) for x in (1.0, 2.0)}) == 2
        gone.append(weakref.ref(owner))
    del owner
    gc.collect()
    assert [each() for each in gone] == [None] * 10


def test_an_owner_with_a_user_dies_with_results_that_refer_to_it() -> None:
    """What a stored method returns may be its owner: together with its StorageUser it is collected."""

    class Owner:
        def __init__(self) -> None:
            self.su = StorageUser("m", "", lambda: "Owner", lambda: "string", None)

        @stored(persistent=False)
        def itself(self) -> Any:
            return self

    owner = Owner()
    assert repeated(owner.itself) is owner
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_classes_made_in_functions_die() -> None:
    """A class that nobody uses any more is collected, though its objects have been asked for their strings."""

    class Base:
        def getHashableString(self) -> str:
            return "base"

    def made() -> weakref.ref[type]:
        class Owner(Base):
            def getHashableString(self) -> str:
                return super().getHashableString() + "x"

            @stored(persistent=False)
            def value(self) -> float:
                return 1.0

        assert repeated(Owner().value) == 1.0
        return weakref.ref(Owner)

    gone = made()
    gc.collect()
    assert gone() is None


def test_a_bound_method_can_stand_in_a_class() -> None:
    """As an attribute of another class it is called without that class's object, as a bound method is."""
    model = Model()

    class Plot:
        value = model.value

    assert repeated(Plot().value, 1.0) == (2.0, 1.0)


def test_a_switch_leaves_arguments_as_they_are() -> None:
    """Where nothing is stored, nothing is rounded."""
    with configure(disable=True):
        assert Model().rounded(1.04) == 1.04
    assert Model().rounded(1.04) == 1.0


MICRO, MU = "\u00b5", "\u03bc"  # the sign of the unit, and the letter that Python takes it for


@both
def test_names_are_those_that_python_makes_of_them() -> None:
    """Parameters may have names that Python writes in another way, and a change of them is noticed."""
    source = f"""
@keyed_by("{MICRO}", "b")
class Owner:
    {MICRO} = b = 1.0

    @stored(persistent=False, depends=("{MICRO}",))
    def value(self):
        return self.{MU}
"""
    scope: dict[str, Any] = {"keyed_by": keyed_by, "stored": stored}
    exec(source, scope)
    owner = scope["Owner"]()
    for value in (1.0, 2.0, 1.0):
        setattr(owner, MU, value)
        assert repeated(owner.value) == value


COVERED = """
from stored import keyed_by, stored

@keyed_by("a")
class Model:
    a = 1.0

    @stored(persistent=False)
    def value(self):
        return self.a

assert [Model().value() for _ in range(3)] == [1.0] * 3
"""


def test_coverage_is_not_disturbed(tmp_path: Path) -> None:
    """A user can measure the coverage of a program, and is not asked for sources that there are not."""
    (tmp_path / "program.py").write_text(COVERED)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    for command in (["run", "program.py"], ["report"]):
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@both
@pytest.mark.parametrize("name", ["value", "few", "curve"])
@pytest.mark.parametrize("forget", FORGET)
@pytest.mark.parametrize("invalidated", [False, True])
def test_what_is_forgotten_is_freed(name: str, forget: str, invalidated: bool) -> None:
    """When a result is forgotten, or its owner dies, nothing keeps it, without any garbage collection."""
    owners = [Arrays()]
    gc.disable()
    try:
        for _ in range(3):
            getattr(owners[0], name)(1.0)
        result: Any = weakref.ref(owners[0].curve.interpolant() if name == "curve" else getattr(owners[0], name)(1.0))
        if invalidated:
            configure(persistence="r")
        assert result() is not None
        FORGET[forget](owners, name)
        assert result() is None
    finally:
        gc.enable()


@both
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
        assert (len(shortcut.table), len(shortcut.hits)) == (size, 1)
    assert len(CALLS) == 4


def test_a_warning_tells_the_line_of_the_call(tmp_path: Path) -> None:
    """Warnings from within a call of a stored method, the first and others, name the line where it was called."""
    (tmp_path / "blocked").write_text("a file where a directory is needed")

    @keyed_by("scale")
    class Owner:
        scale = 2.0

        @stored
        def value(self, x: float = 1.0) -> float:
            return self.scale * x

    owner = Owner()
    with configure(persistence=""):
        repeated(owner.value)
    for number in range(3):
        with configure(cache_dir=tmp_path / "blocked" / str(number)), pytest.warns(PersistenceWarning) as caught:
            frame: Any = inspect.currentframe()
            line, _ = frame.f_lineno, owner.value(float(number + 2))
        assert {(each.filename, each.lineno) for each in caught} == {(__file__, line)}
