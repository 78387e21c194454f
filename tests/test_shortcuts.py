"""Repeated calls of stored methods take a shortcut, and notice all that other calls notice."""

from __future__ import annotations

import enum
import itertools
import math
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from stored import OwnerError, StorageUser, configure, keyed_by, stored
from stored._config import epoch
from stored._shortcuts import Entrance, Shortcut

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
    monkeypatch.setattr(epoch, "has_users", getattr(request, "param", epoch.has_users))
    epoch.begin()


both = pytest.mark.parametrize("calls", [False, True], ids=["no StorageUser made", "some made"], indirect=True)


SPELLINGS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "several": [((3.0,), {}), ((3.0, 1.0), {}), ((3.0,), {"y": 1.0}), ((3.0,), {"z": 2, "y": 1}), ((3,), {"z": 2.0})],
    "only_positional": [((3.0,), {}), ((3.0, 1.0), {}), ((3, True), {})],
    "any_number": [((1.0, 2.0), {"a": 1.0}), ((1, 2), {"z": 2, "a": 1})],
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


class Colour(enum.StrEnum):
    RED = "red"


def test_what_cannot_be_in_a_table_goes_the_long_way() -> None:
    """NaN, lists, arrays and enumerations are found again too."""
    model = Model()
    for _ in range(3):
        assert math.isnan(model.value(math.nan)[1])
        assert model.value([1.0]) == (2.0, "[1.0]")
        assert model.value(np.arange(2)) == (2.0, "[0 1]")
        assert model.value("red") == model.value(Colour.RED) == (2.0, "red")
    assert len(CALLS) == 4


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
    """If the epoch ends while a shortcut is taken, it is dropped again."""
    model = Model()
    model.value(1.0)
    real = Shortcut.take

    def take(self: Shortcut, *arguments: Any) -> None:
        real(self, *arguments)
        epoch.begin()

    monkeypatch.setattr(Shortcut, "take", take)
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
    """Repeated calls do not go the long way: these tests are of shortcuts."""
    entrance: Entrance = Model.value._self_definition.entrance
    model = Model()
    for _ in range(3):
        model.value(1.0)
    shortcut: Any = entrance._known.last
    assert shortcut.table[1.0].count == 1
    counted: Iterator[int] = itertools.count(2)
    for _ in range(5):
        model.value(1.0)
        assert shortcut.table[1.0].count == next(counted)
