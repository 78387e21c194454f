"""When does the shortcut to the results of one owner end?"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from stored import OwnerError, StorageUser, configure, keyed_by, stored
from stored._keys import USER_ATTRIBUTES
from stored._methods import answer as answer_module
from stored._methods.answer import bound_call
from stored._methods.results import results_of
from stored._methods.shortcuts import Shortcut
from stored._settings import validity
from tests.methods.models import CALLS, Arrays, Curves, Model, alike_classes, repeated, with_and_without_storage_users
from tests.methods.owners import KINDS, owner_class

# -- changes --


@with_and_without_storage_users
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


@with_and_without_storage_users
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


@keyed_by("tilt")
class Tilted(Model):
    """With one more parameter."""

    def __init__(self, scale: float = 2.0, tilt: float = 1.0) -> None:
        super().__init__(scale)
        self.tilt = tilt


@with_and_without_storage_users
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
    """An owner with a hashable string of its own."""

    x = 1.0

    def getHashableString(self) -> str:
        return f"x={self.x}"

    @stored(persistent=False)
    def value(self) -> float:
        CALLS.append(self.x)
        return self.x


@with_and_without_storage_users
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


def test_an_owner_with_a_user_is_notified_of_changes() -> None:
    """Repeated calls of an owner that holds a StorageUser still notify it of each change, once."""
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


@with_and_without_storage_users
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


@with_and_without_storage_users
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


@with_and_without_storage_users
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
        patch.setattr(answer_module, "results_of", None)
        assert owner.value(1.0) == (2.0, 1.0)


# -- changes while a shortcut is added --


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


def test_what_is_forgotten_meanwhile_gets_no_shortcut() -> None:
    """If another thread clears between an answer and its shortcut, no shortcut is added."""
    curves = Curves()
    definition: Any = Curves.power._self_definition
    curves.power(1.5)
    results = results_of(definition, curves)
    call = bound_call(results, curves, (1.5,), {})
    result: Any = call.memory.get(call.arguments)
    curves.power.cache_clear()
    results.add_shortcut(call, result)
    assert results.shortcut.last is None


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


# -- lifetimes --


@with_and_without_storage_users
def test_owners_die_with_their_shortcuts() -> None:
    """An owner is freed with its last reference; one that comes in its place has its own results."""
    for scale in map(float, range(50)):
        model = Model(scale)
        for _ in range(3):
            assert model.value(1.0) == (scale, 1.0)
        gone = weakref.ref(model)
        del model
        assert gone() is None
    assert len(CALLS) == 50


@with_and_without_storage_users
@pytest.mark.parametrize("kind", KINDS)
def test_owners_of_all_kinds_die_with_their_shortcuts(kind: str) -> None:
    """Only what an owner itself holds can keep it alive after its last reference."""
    made, gone = owner_class(kind), []
    for _ in range(10):
        owner = made()
        assert len({repr(repeated(owner.one, x)) for x in (1.0, 2.0)}) == 2
        gone.append(weakref.ref(owner))
    del owner
    gc.collect()
    assert [each() for each in gone] == [None] * 10


FORGET: dict[str, Callable[[list[Any], str], object]] = {
    "change": lambda owners, name: (setattr(owners[0], "scale", 3.0), getattr(owners[0], name)(1.0)),
    "clear": lambda owners, name: getattr(owners[0], name).cache_clear(),
    "clear by class": lambda _, name: getattr(Arrays, name).cache_clear(),
    "refresh": lambda owners, name: getattr(owners[0], name).refresh(1.0),
    "die": lambda owners, _: owners.clear(),
}


@with_and_without_storage_users
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
        kept = owners[0].curve.interpolant() if name == "curve" else getattr(owners[0], name)(1.0).base
        result: Any = weakref.ref(kept)
        del kept
        if invalidated:
            configure(persistence="r")
        assert result() is not None
        FORGET[forget](owners, name)
        assert result() is None
    finally:
        gc.enable()


def test_a_space_knows_a_shortcut_once() -> None:
    """However many results it leads to: else calls would take the longer the more there are."""
    model = Model()
    for number in range(100):
        for _ in range(2):
            model.value(float(number))
    definition: Any = Model.value._self_definition
    space = results_of(definition, model).present.of(model)
    assert len(space.endables or ()) == 1
    others = [Model() for _ in range(50)]
    for each in others * 2:
        each.value(1.0)
    del each, others
    gc.collect()
    for each in [Model() for _ in range(20)] * 2:
        each.value(1.0)
    assert len(space.endables or ()) < 80
