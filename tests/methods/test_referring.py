"""A result that refers to its owner is that owner's alone, whatever the parameters of others."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from stored._engine import own_arguments
from stored._methods.answer import bound_call
from stored._methods.referring import refers_to
from stored._methods.results import results_of
from stored._storage import CachedResult
from stored.typing import ABSENT
from tests.methods.models import run_while_one_waits

CALLS: list[object] = []


class Halo:
    """A child that knows its parent."""

    def __init__(self, cosmo: Any) -> None:
        self.cosmo = cosmo

    def density(self) -> float:
        return float(self.cosmo.h)


@keyed_by("h")
class Cosmo:
    """With results of all kinds that refer to it."""

    def __init__(self, h: float = 1.0) -> None:
        self.h = h
        self.helper = [h]

    @stored(persistent=False)
    def halo(self) -> Halo:
        CALLS.append(self)
        return Halo(self)

    @stored(persistent=False)
    def several(self) -> list[Any]:
        return [{"a": (Halo(self), 1)}]

    @stored(persistent=False)
    def function(self) -> Callable[[], float]:
        return lambda: self.h

    @stored(persistent=False)
    def method(self) -> Callable[[], float]:
        return Halo(self).density

    @stored(persistent=False, copy=True)
    def copied(self) -> Callable[[], float]:
        return lambda: self.h

    @stored(persistent=False)
    def weak(self) -> Callable[[], Any]:
        return weakref.ref(self)

    @stored(persistent=False, maxsize=3)
    def of_part(self) -> Callable[[], float]:
        part = self.helper
        return lambda: part[0]


@keyed_by("h")
class Slotted:
    """An owner without weak references."""

    __slots__ = ("h",)

    def __init__(self, h: float) -> None:
        self.h = h

    @stored(persistent=False)
    def me(self) -> Any:
        return self


VALUES: tuple[Callable[[Cosmo], float], ...] = (
    lambda each: each.halo().density(),
    lambda each: each.several()[0]["a"][0].density(),
    lambda each: each.function()(),
    lambda each: each.method()(),
    lambda each: each.copied()(),
    lambda each: each.weak()().h,
    lambda each: each.of_part()(),
)


@pytest.mark.parametrize("value", VALUES)
def test_an_object_does_not_get_what_refers_to_another(value: Callable[[Cosmo], float]) -> None:
    """Else it would change with the parameters of the other."""
    one, other = Cosmo(), Cosmo()
    for _ in range(3):
        assert value(one) == value(other) == 1.0
    one.h, one.helper[0] = 2.0, 2.0
    for _ in range(3):
        assert value(other) == 1.0
        assert value(Cosmo()) == 1.0


def test_each_object_computes_it_once() -> None:
    """Though they are asked in turns; clearing takes it from memory."""
    one, other = Cosmo(), Cosmo()
    CALLS.clear()
    for _ in range(3):
        assert one.halo().cosmo is one
        assert other.halo().cosmo is other
    assert one.halo.cached()
    assert len(CALLS) == 2
    assert len(results_of(Cosmo.halo._self_definition, one).keys_in_memory(bound(one))) == 1  # type: ignore[attr-defined]
    one.halo.cache_clear()
    assert not one.halo.cached()
    one.halo()
    one.halo.cache_clear(*())
    with configure(max_memory_bytes=0):
        one.halo()
        assert not one.halo.cached()


def bound(owner: Cosmo) -> Any:
    """A call without arguments."""
    return results_of(Cosmo.halo._self_definition, owner).call(owner, {})  # type: ignore[attr-defined]


def test_an_owner_without_weak_references_keeps_none() -> None:
    """Since nobody sees when it is freed."""
    one, other = Slotted(1.0), Slotted(1.0)
    assert one.me() is one
    assert other.me() is other
    assert one.me() is one


def test_what_freed_owners_had_goes() -> None:
    """If it does not keep them itself."""
    keeper = Cosmo()
    for _ in range(100):
        Cosmo().weak()
    gc.collect()
    keeper.weak()
    space = results_of(Cosmo.weak._self_definition, keeper).present.of(keeper)  # type: ignore[attr-defined]
    assert len(space.own or ()) < 10


def test_threads_get_their_own() -> None:
    """Of threads that compute at once, none gets what another's object is referred to by."""
    owners = [Cosmo(3.0) for _ in range(8)]
    found: list[bool] = []
    threads = [threading.Thread(target=lambda each=each: found.append(each.halo().cosmo is each)) for each in owners]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [True] * 8


def test_what_does_not_refer_to_an_owner() -> None:
    """Functions of a module, classes, and objects of their own do not."""
    owner = Cosmo()
    for value in (Halo, Halo(None), lambda: Cosmo, np.sin, [np.zeros(3)], {"a": 1.0}, weakref.ref(Halo)):
        assert not refers_to(value, owner)
    for value in (owner, [owner], np.array([owner]), owner.helper, owner.halo, Halo((1, owner)), weakref.ref(owner)):
        assert refers_to(value, owner)
    assert refers_to([[] for _ in range(100_001)], owner)


def own_class() -> Any:
    """A class with a method whose results refer to their object."""

    @keyed_by("n")
    class Own:
        def __init__(self, n: float = 1.0) -> None:
            self.n = n

        @stored(persistent=False)
        def me(self, k: int = 0) -> Any:
            return [self, k]

    return Own


def test_many_objects_have_their_own() -> None:
    """Those of objects that are gone are taken out, and one call can be forgotten for all."""
    kind = own_class()
    with configure(memory_sets=8):
        owners = [kind() for _ in range(9)]
        assert all(each.me(1)[0] is each for each in owners)
        first = owners[0]
        del owners[3:]
        gc.collect()
        others = [kind() for _ in range(9)]
        assert all(each.me(1)[0] is each for each in others)
        first.me.cache_clear(1)
        assert not first.me.cached(1)
        assert first.me(1)[0] is first


def test_a_number_that_is_used_again_leads_nowhere() -> None:
    """What memory has for an object that is gone is not given to one that has its place."""
    owner = own_class()()
    owner.me()
    results = results_of(type(owner).me._self_definition, owner)
    call = bound_call(results, owner, (5,), {})
    gone = CachedResult(1)
    gone.owner = lambda: None
    call.space.keep_own(call.method, own_arguments(call.arguments, owner), gone)
    assert call.find() is ABSENT
    assert owner.me(5)[0] is owner


def test_who_waits_for_an_equal_object_computes_its_own() -> None:
    """What another thread has computed is not handed over if it refers to the other object."""
    begun, go = threading.Event(), threading.Event()

    @keyed_by("n")
    class Slow:
        n = 1.0

        @stored(persistent=False)
        def me(self) -> Any:
            begun.set()
            assert go.wait(20)
            return [self]

    one, other, found = Slow(), Slow(), []
    threads = [threading.Thread(target=lambda owner=owner: found.append((owner, owner.me()))) for owner in (one, other)]
    run_while_one_waits(*threads, begun, go)
    assert len(found) == 2
    assert all(value[0] is owner for owner, value in found)
