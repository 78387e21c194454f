"""Copies of owners: their StorageUsers describe the copy, or are refused."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
from collections.abc import Callable
from typing import Any
from weakref import ref

import pytest

import stored
from stored import OwnerError, StorageUser, storage_user
from stored._engine import described_instead, live_records, rebound_user
from tests.engine.models import Model


class Decorated(Model):
    """An owner with an explicit space and a decorated method."""

    @stored.stored
    def value(self) -> float:
        return self.n


DUPLICATES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]


class Picklable(Model):
    """Without the lambda that pickle refuses."""

    def __init__(self, n: float = 1.0) -> None:
        super().__init__(n)
        del self.on_change

    def reportChanges(self) -> None:
        self.announced.append(self.n)

    @stored.stored
    def value(self) -> float:
        return self.n


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_decorated_methods_of_a_copy_follow_the_copy(duplicate: Callable[[Any], Any]) -> None:
    """Neither the copy nor the original ever gets the other's result, in whatever order they change."""
    model = Picklable()
    assert model.value() == 1.0
    other = duplicate(model)
    assert other.value() == 1.0
    other.n = 2.0
    assert (other.value(), model.value()) == (2.0, 1.0)
    model.n = 3.0
    assert (other.value(), model.value()) == (2.0, 3.0)
    model.n = 2.0
    assert (other.value(), model.value()) == (2.0, 2.0)


@pytest.mark.parametrize("duplicate", DUPLICATES[1:])
def test_a_copied_user_describes_the_copy(duplicate: Callable[[Any], Any]) -> None:
    """A deep copy and an unpickled owner have a space of their own: memory is empty, the disk is shared."""
    model = Picklable()
    model.su.storeObject("disk", 1)
    model.su.storeObject("memory", 2, persistent=False)
    other = duplicate(model)
    assert other.su is not model.su
    assert other.su.checkForChangedHash() is False
    assert other.su.getStoredObject("disk") == 1
    assert other.su.getStoredObject("memory") is None
    other.n = 2.0
    assert other.su.getStoredObject("disk") is None
    assert other.announced == [2.0]
    assert model.announced == []
    assert model.su.getStoredObject("memory") == 2
    other.su.storeObject("disk", "other's")
    model.n = 2.0
    assert model.su.getStoredObject("disk") == "other's"
    assert other.su.module == "engine"
    assert other.su.persistence_write


@pytest.mark.parametrize(
    "describe",
    [
        lambda owner: lambda: f"{owner.n}",
        lambda owner: lambda owner=owner: f"{owner.n}",
    ],
)
def test_a_function_that_goes_on_describing_the_original_is_refused(describe: Callable[[Any], Any]) -> None:
    """A plain function cannot follow a deep copy of the object it refers to, and the error says what to do."""

    class Careless:
        def __init__(self) -> None:
            self.n = 1.0
            self.su = StorageUser("engine", "rw", lambda: "careless", describe(self), None)

    owner = Careless()
    with pytest.raises(OwnerError, match=r"Careless holds the StorageUser of the object it was copied from.*methods"):
        copy.deepcopy(owner)
    alone = copy.deepcopy(owner.su)  # without its owner, it is one more user of the same owner
    alone.storeObject("a", 1)
    owner.n = 2.0
    assert alone.getStoredObject("a") is None


def test_a_partial_follows_a_deep_copy() -> None:
    """functools.partial of the owner is copied with the owner."""

    class Owner:
        def __init__(self) -> None:
            self.n = 1.0
            self.su = StorageUser("engine", "rw", lambda: "o", functools.partial(Owner.describe, self), None)

        def describe(self) -> str:
            return f"{self.n}"

    owner = Owner()
    owner.su.storeObject("a", 1)
    other = copy.deepcopy(owner)
    other.n = 2.0
    assert other.su.getStoredObject("a") is None
    assert owner.su.getStoredObject("a") == 1


def test_a_user_described_by_no_object_can_be_copied() -> None:
    """Functions that refer to no object describe the same for every copy."""
    user = StorageUser("engine", "rw", lambda: "free", lambda: "1", None)
    user.storeObject("a", 1)
    for duplicate in (copy.copy, copy.deepcopy):
        assert duplicate(user).getStoredObject("a") == 1
    assert described_instead(user, Model()) is None


def test_an_object_described_in_place_of_the_owner_is_found() -> None:
    """It is found behind a method, a closure, a default or a partial, if it is of the owner's class."""
    model, other = Model(), Model()

    def user(describe: Callable[[], str]) -> StorageUser:
        return StorageUser("engine", "", lambda: "x", describe, None)

    for each in (
        model.su,
        user(lambda: str(model.n)),
        user(lambda owner=model: str(owner.n)),  # type: ignore[misc]
        user(functools.partial(Model.getHashableString, model)),
        user(functools.partial(Model.getHashableString, self=model)),
    ):
        assert described_instead(each, other) is model
        assert described_instead(each, model) is None
        assert described_instead(each, Decorated()) is None
    assert described_instead(user(lambda: "free"), model) is None


def test_an_owner_may_be_described_along_with_another() -> None:
    """A string that tells of the owner and of another object of its class describes the owner."""
    model, fiducial = Model(), Model()
    user = StorageUser("engine", "", lambda: "x", lambda: f"{fiducial.n} {model.n}", None)
    assert described_instead(user, model) is None


def test_an_empty_closure_describes_nothing() -> None:
    """A function that refers to a variable not yet set is passed over."""

    def describe() -> str:
        return "1" if len(calls) < 9 else str(later)

    calls: list[int] = []
    user = StorageUser("engine", "", lambda: "x", describe, None)
    assert described_instead(user, Model()) is None
    later = Model()
    assert described_instead(user, Model()) is later


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_announces_a_change_before_its_first_use(duplicate: Callable[[Any], Any]) -> None:
    """A parameter changed right after copying is announced, so that what derives from it is derived anew."""
    model = Picklable()
    other = duplicate(model)
    before = len(other.announced)
    other.n = 2.0
    assert other.su.getStoredObject("a") is None
    assert len(other.announced) == before + 1


def test_rebound_calls_the_methods_of_the_copy() -> None:
    """A rebound user has the name, string and callback of the copy, and the module and persistence of the original."""
    model = Model(persistence="r")
    other = copy.copy(model)
    other.n, other.announced, other.name = 2.0, [], "other"
    user = rebound_user(model.su, model, other)
    assert user.getHash() == Model(2.0).su.getHash()
    assert repr(user).startswith("<StorageUser engine/other ")
    assert (user.persistence_read, user.persistence_write) == (True, False)
    other.n = 3.0
    user.getStoredObject("a")
    assert (other.announced, model.announced) == ([3.0], [])


def test_rebound_keeps_functions_of_nobody() -> None:
    """A name function and a callback that are not methods serve the copy too; a hash function does not."""
    model = Model()
    user = StorageUser("engine", "rw", lambda: "fixed", model.getHashableString, None)
    other = copy.copy(model)
    other.n = 2.0
    assert repr(rebound_user(user, model, other)).startswith("<StorageUser engine/fixed ")
    careless = StorageUser("engine", "rw", model.getName, lambda: f"{model.n}", None)
    with pytest.raises(OwnerError, match="whose func_hashstring describes that object; give each copy a StorageUser"):
        rebound_user(careless, model, other)


def test_a_copy_is_freed_before_its_original() -> None:
    """A copy whose methods were used is not kept by the StorageUser that it has from the original."""
    model = Decorated()
    other = copy.copy(model)
    other.value()
    user, reference = storage_user(other), ref(other)
    del other
    gc.collect()
    assert reference() is None
    assert model.value() == 1.0
    with pytest.raises(OwnerError, match="the object that this StorageUser belonged to is gone"):
        user.getStoredObject("a")


@pytest.mark.parametrize("memory_sets", [0, 8])
def test_the_user_of_a_copy_has_the_results_of_its_methods(memory_sets: int) -> None:
    """It lists them and empties them, and those of the original stay."""
    model = Picklable()
    with stored.configure(memory_sets=memory_sets, persistence=""):
        other = copy.copy(model)
        other.n = 2.0
        other.value(), model.value()
        assert storage_user(other).listObjects() == ["value()"]
        storage_user(other).resetStorage()
        assert storage_user(other).listObjects() == []
        assert (other.value.cached(), model.value.cached()) == (False, True)


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_the_user_of_a_copy_may_be_held(duplicate: Callable[[Any], Any]) -> None:
    """A copy that was given its StorageUser, and copies of that, follow their own parameters."""
    first = copy.copy(Picklable())
    first.su = storage_user(first)
    assert first.value() == 1.0
    second = duplicate(first)
    second.n = 2.0
    assert (second.value(), first.value()) == (2.0, 1.0)
    storage_user(second).storeObject("a", 5)
    assert storage_user(first).getStoredObject("a") is None
    first.n = 2.0
    assert storage_user(first).getStoredObject("a") == 5
    assert (first.value(), second.value()) == (2.0, 2.0)


def test_a_clear_for_the_class_reaches_copies_once() -> None:
    """A copy's results are cleared with those of all owners."""
    model = Decorated()
    other = copy.copy(model)
    other.n = 2.0
    other.value(), model.value()
    Decorated.value.cache_clear()
    assert not other.value.cached()
    assert not model.value.cached()
    live = [owner for owner, _ in live_records()]
    assert sum(owner is other for owner in live) == 1
