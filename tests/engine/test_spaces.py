"""The results of the last few sets of parameters stay in memory, and objects of one class share them."""

from __future__ import annotations

import contextlib
import copy
import gc
import itertools
import os
import pickle
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored
from stored import StorageUser, UnstableKeyError, configure, keyed_by
from stored._engine import live_records, owner_record
from stored._engine.space import StorageSpace
from stored._engine.spaces import _remove
from tests.engine.changing import (
    COMPUTED,
    KINDS,
    REFERENCED,
    Keyed,
    Methods,
    all_values,
    frozen,
    held,
    keyed,
    set_parameter,
    told,
)

of_all_kinds = pytest.mark.parametrize("make", KINDS)

of_referenced_kinds = pytest.mark.parametrize("make", REFERENCED)


@pytest.fixture(autouse=True)
def memory_sets(cache_dir: object) -> Iterator[None]:
    """The default number of sets in memory, and nothing computed so far."""
    COMPUTED.clear()
    with configure(memory_sets=8):
        yield


# -- the parameters of before -----------------------------------------------------------------------------------------


@of_all_kinds
def test_what_was_computed_for_earlier_parameters_is_found(make: Any) -> None:
    """A, B, A, B: tables, interpolants, arrays and what is copied for callers are computed once for each."""
    owner = make()(1.0)
    for n in (1.0, 2.0, 1.0, 2.0, 1.0, 1.0, 2.0):
        set_parameter(owner, n)
        assert set(all_values(owner)) == {n}
    for name in ("value", "array", "items", "table", "few", "kept"):
        assert [n for each, n in COMPUTED if each == name] == [1.0, 2.0], name
    assert len({n for each, n in COMPUTED if each == "curve"}) == 2


@of_referenced_kinds
def test_as_many_sets_are_remembered_as_asked(make: Any) -> None:
    """Of more sets of parameters, the least recently used is computed again."""
    owner = make()(0)
    with configure(memory_sets=3):
        for n in (0, 1, 2, 0, 2, 1):
            set_parameter(owner, n)
            assert owner.value() == n
        assert [("value", n) for n in range(3)] == COMPUTED
        COMPUTED.clear()
        for n in (10, 11, 12, 10, 0):
            set_parameter(owner, n)
            assert owner.value() == n
        assert [("value", n) for n in (10, 11, 12, 0)] == COMPUTED


@pytest.mark.parametrize("plain", [70.0, 70.0 + 1j])
def test_numbers_of_numpy_are_those_of_python(plain: Any) -> None:
    """As parameters of double precision: what is computed or cleared for one is computed or cleared for the other."""
    owner = keyed()(plain)
    other = np.array(plain)[()]
    assert owner.number() == 1
    owner.n = other
    assert owner.number() == 1
    owner.number.cache_clear()
    owner.n = plain
    assert owner.number() == 2
    owner.n = other
    assert owner.number.refresh() == 3
    owner.n = plain
    assert owner.number() == 3


def test_depends_remembers_its_own_parameters() -> None:
    """A method of some of the parameters goes back to them, whatever the others are."""

    @keyed_by("a", "b")
    class Model:
        a, b, calls = 1, 1, 0

        @stored.stored(persistent=False, depends=("a",))
        def of_a(self) -> int:
            Model.calls += 1
            return self.a * 10

    model = Model()
    for a, b in ((1, 1), (1, 2), (2, 2), (1, 3), (2, 1)):
        model.a, model.b = a, b
        assert model.of_a() == a * 10
    assert Model.calls == 2


def test_another_class_by_assignment_and_back() -> None:
    """An object that is given another class, and its own again, finds the results of each."""
    first, second = keyed(), keyed()
    owner = first(1.0)
    for kind in (first, second, first, second):
        owner.__class__ = kind
        assert owner.value() == 1.0
    assert len(COMPUTED) == 2


# -- objects of one class ---------------------------------------------------------------------------------------------


@of_all_kinds
def test_equal_objects_share_what_is_in_memory(make: Any) -> None:
    """An object finds what another of its class has computed for equal parameters, also after that is gone."""
    kind = make()
    one, other = kind(1.0), kind(float("1.0"))
    assert set(all_values(one)) == {1.0}
    computed = len(COMPUTED)
    assert set(all_values(other)) == {1.0}
    assert one.array().base is other.array().base
    del one, other
    gc.collect()
    assert set(all_values(kind(1.0))) == {1.0}
    assert len(COMPUTED) == computed


@of_all_kinds
def test_an_object_that_comes_to_equal_another_shares_with_it(make: Any) -> None:
    """Not before, and not after it has gone on."""
    kind = make()
    one, other = kind(1.0), kind(2.0)
    assert (one.value(), other.value()) == (1.0, 2.0)
    set_parameter(other, 1.0)
    assert other.array().base is one.array().base
    set_parameter(other, 3.0)
    assert (one.value(), other.value(), one.array()[0]) == (1.0, 3.0, 1.0)
    assert len(COMPUTED) == 4


@of_all_kinds
@pytest.mark.parametrize("clear", ["all", "one", "class"])
def test_what_one_object_clears_is_gone_for_others(make: Any, clear: str) -> None:
    """At once, however often the others have called; other calls, methods and parameters stay."""
    kind = make()
    one, other, third = kind(1.0), kind(1.0), kind(2.0)
    for owner in (one, other, third) * 3:
        owner.number()
        owner.value()
        owner.value(2.0)
    if clear == "all":
        other.number.cache_clear()
    elif clear == "one":
        other.value.cache_clear(1.0)
    else:
        kind.number.cache_clear()
    COMPUTED.clear()
    for owner in (one, other, one, other, third):
        owner.number()
        owner.value()
        owner.value(2.0)
    assert {
        "all": [("number", 1.0)],
        "one": [("value", 1.0)],
        "class": [("number", 1.0), ("number", 2.0)],
    }[clear] == COMPUTED


@of_all_kinds
def test_what_one_object_refreshes_others_have(make: Any) -> None:
    """At once, however often they have called."""
    kind = make()
    one, other = kind(1.0), kind(1.0)
    before = {owner.number() for owner in (one, other) * 3}
    after = other.number.refresh()
    assert {after} != before
    assert [owner.number() for owner in (one, other) * 3] == [after] * 6


@of_referenced_kinds
def test_subclasses_and_other_classes_share_nothing(make: Any) -> None:
    """What a subclass changes is in no result of its base, and classes of one name are apart."""
    kind = make()

    class Sub(kind):  # type: ignore[misc]
        pass

    for each in (kind, Sub, make()):
        assert all(owner.value() == 1.0 for owner in (each(1.0), each(1.0)))
    assert len(COMPUTED) == 3


@pytest.mark.parametrize("make", [keyed, frozen, told, held])
def test_a_copy_of_a_class_shares_nothing_with_it(make: Any) -> None:
    """A class that is made of the names of another, as dataclasses with slots are, has results of its own."""
    kind = make()
    assert kind(1.0).value() == 1.0
    names = {name: value for name, value in vars(kind).items() if name not in {"__dict__", "__weakref__"}}
    again = type(kind.__name__, kind.__bases__, {**names, "__qualname__": kind.__qualname__})
    assert again(1.0).value() == 1.0
    assert len(COMPUTED) == 2
    assert kind(1.0).value() == again(1.0).value() == 1.0
    assert len(COMPUTED) == 2


@of_referenced_kinds
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_share_until_they_differ(make: Any, duplicate: Any) -> None:
    """A copy of an object finds what that has computed, and follows its own parameters."""
    owner = make()(1.0)
    owner.value()
    other = duplicate(owner)
    assert other.value() == 1.0
    set_parameter(other, 2.0)
    assert (owner.value(), other.value(), owner.value()) == (1.0, 2.0, 1.0)
    set_parameter(owner, 2.0)
    assert owner.value() == other.value() == 2.0
    assert len(COMPUTED) == 2


def test_unpickled_objects_share_until_they_differ() -> None:
    """In the same process, an unpickled object finds what its class has in memory."""
    owner = Keyed(1.0)
    owner.value.cache_clear()
    owner.value()
    other = pickle.loads(pickle.dumps(owner))
    assert other.array().base is owner.array().base
    other.n = 2.0
    assert (owner.value(), other.value()) == (1.0, 2.0)


def test_a_class_that_is_pickled_by_value_takes_no_results_along() -> None:
    """As libraries pickle the classes of a notebook, with all their names; the copy begins with an empty memory."""
    kind = keyed()
    kind(1.0).value()
    names = {name: value for name, value in vars(kind).items() if name not in {"__dict__", "__weakref__"}}
    spaces = pickle.loads(pickle.dumps(names.pop("__stored_spaces__")))
    again = type(kind.__name__, kind.__bases__, {**names, "__stored_spaces__": spaces})
    assert again(1.0).value() == kind(1.0).value() == again(1.0).value() == 1.0
    assert len(COMPUTED) == 2


# -- values of all types ----------------------------------------------------------------------------------------------

VALUES: list[Any] = [1, 1.0, True, np.float64(1.0), np.float32(1.0), np.int64(1), 1 + 0j, np.bool_(True), 0.0, -0.0, 0]
VALUES += [False, float("nan"), -float("nan"), np.float64("nan"), 2**53, 2.0**53, 2**53 + 1, complex("nan"), 1e-300]


@pytest.mark.parametrize("make", [keyed, frozen])
def test_equal_values_of_other_types_give_no_wrong_number(make: Any) -> None:
    """Whatever the order in which they come, a call gives the number that the plain call gives."""
    owner = make()(0)
    for n in [*VALUES, *VALUES[::-1], *itertools.chain(*itertools.combinations(VALUES, 2))]:
        set_parameter(owner, n)
        for _ in range(2):
            assert owner.value(3.0) == pytest.approx(owner.value.__wrapped__(3.0), rel=0, abs=0, nan_ok=True)
            np.testing.assert_array_equal(owner.array(), owner.array.__wrapped__())


@pytest.mark.parametrize("n", [float("nan"), np.float64("nan"), complex("nan"), (float("nan"), 1)])
def test_nan_is_the_same_parameter(n: Any) -> None:
    """Whichever object it is, and whether it is computed anew at each look."""

    @keyed_by("n")
    class Model(Methods):
        @property
        def n(self) -> Any:  # type: ignore[override]
            return pickle.loads(pickle.dumps(n))

    for owner in [Model(), Model()] * 3:
        owner.number()
    assert len(COMPUTED) == 1


@pytest.mark.parametrize("make", [keyed, frozen])
@pytest.mark.parametrize("first", [[1.0, 2.0], np.array([1.0, 2.0]), {0: 1.0}, bytearray(b"ab")])
def test_parameters_that_change_in_place(make: Any, first: Any) -> None:
    """A change of their content is noticed, and what was computed for the content of before is found again."""
    kind = make()
    owner, equal = kind(first), kind(copy.deepcopy(first))
    before = owner.number()
    assert equal.number() == before
    old, first[0] = first[0], 7
    after = owner.number()
    assert [owner.number(), equal.number()] == [after, before]
    first[0] = old
    assert owner.number() == equal.number() == before
    equal.n[0] = 7
    assert equal.number() == after != before
    assert len(COMPUTED) == 2


def test_values_may_or_may_not_change_in_turns() -> None:
    """A parameter is a number at one time and a list at another."""
    owner = keyed()(1.0)
    for n in (1.0, [1.0], 1.0, [2.0], [1.0], (1.0,), 1.0):
        owner.n = n
        assert owner.items() == [n]
    assert len(COMPUTED) == 4


# -- parameters that methods change -----------------------------------------------------------------------------------


@keyed_by("n")
class Restless:
    """Its methods change its parameter while they compute."""

    def __init__(self, n: float) -> None:
        self.n = n
        self.calls = 0

    @stored.stored(persistent=False)
    def square(self) -> float:
        self.calls += 1
        return self.n**2

    @stored.stored(persistent=False)
    def advance(self) -> float:
        self.calls += 1
        self.n += 1
        return self.n

    @stored.stored(persistent=False)
    def derivative(self) -> float:
        self.calls += 1
        n = self.n
        self.n = n + 1
        upper = self.square()
        self.n = n - 1
        lower = self.square()
        self.n = n
        return (upper - lower) / 2

    @stored.stored(persistent=False)
    def spoiled(self) -> float:
        self.calls += 1
        n, self.n = self.n, object()  # type: ignore[assignment]
        return n


def test_a_result_of_parameters_that_changed_is_not_kept() -> None:
    """It is returned, and computed again for the parameters of before and of after."""
    owner = Restless(1.0)
    assert [owner.advance() for _ in range(3)] == [2.0, 3.0, 4.0]
    owner.n = 1.0
    assert owner.advance() == 2.0
    assert owner.calls == 4


def test_a_method_that_puts_its_parameters_back_is_remembered() -> None:
    """As finite differences do, which find their own steps again."""
    owner = Restless(1.0)
    for n in (1.0, 2.0, 1.0, 3.0, 2.0):
        owner.n = n
        assert owner.derivative() == 2 * n
        assert owner.square() == n**2
    assert owner.calls == 3 + len({0.0, 1.0, 2.0, 3.0, 4.0})


def test_a_method_that_spoils_its_parameters_returns() -> None:
    """The next call says what is wrong, and the parameters of before have their results still."""
    owner = Restless(5.0)
    assert owner.square() == 25.0
    assert owner.spoiled() == 5.0
    with pytest.raises(UnstableKeyError, match=r"Restless\.n is"):
        owner.square()
    owner.n = 5.0
    assert owner.square() == 25.0
    assert owner.calls == 2


# -- how much is in memory --------------------------------------------------------------------------------------------


def alive(references: list[weakref.ref[Any]]) -> int:
    gc.collect()
    return sum(reference() is not None for reference in references)


@pytest.mark.parametrize("make", [keyed, told, held])
def test_many_sets_of_parameters_stay_within_bounds(make: Any) -> None:
    """Of 20,000 sets, the last few have their results and spaces in memory."""
    owner, results, spaces = make()(0), [], []
    for n in range(20_000 if make is keyed else 2_000):
        set_parameter(owner, n)
        results.append(weakref.ref(owner.array().base))
        owner.array()
        spaces.append(weakref.ref(owner_record(owner).present_space(owner).latest()))
    assert alive(results) <= 9
    assert alive(spaces) <= 18
    assert all(reference() is not None for reference in results[-8:])


@of_all_kinds
def test_results_of_objects_that_go_at_once_stay_within_bounds(make: Any) -> None:
    """When a hundred objects are freed together, a few of their sets of parameters stay, without any more calls."""
    kind = make()
    owners = [kind(n) for n in range(100)]
    references = [weakref.ref(owner.array().base) for owner in owners]
    assert alive(references) == 100
    del owners
    if kind.__weakrefoffset__:
        assert alive(references) <= 8


def test_short_lived_objects_leave_nothing() -> None:
    """Of 10,000 objects the last few sets of parameters stay in memory, and no record of any."""
    gc.collect()
    spaces_before = sum(type(each) is StorageSpace for each in gc.get_objects())
    kind, before, references = keyed(), len(live_records()), []
    for n in range(10_000):
        owner = kind(n)
        result = owner.array()
        if not n % 100:
            owner.array()
            references.append(weakref.ref(result))
    del owner, result
    assert alive(references) <= 9
    assert len(live_records()) <= before
    assert sum(type(each) is StorageSpace for each in gc.get_objects()) <= spaces_before + 9


@of_referenced_kinds
def test_no_parameters_of_short_lived_objects_stay(make: Any) -> None:
    """Beyond the last few sets not even the parameters, also of objects that a garbage collection frees."""
    kind = make()
    for n in range(300):
        kind(n).value()
        if not n % 100:
            gc.collect()
    gc.collect()
    owner = kind(0)
    spaces = owner_record(owner).present_space(owner).spaces
    assert len(spaces.spaces()) == len(spaces.known) <= 9


@of_referenced_kinds
def test_results_that_use_methods_when_they_are_freed(make: Any) -> None:
    """Where what leaves memory computes in its turn, which drops sets too, all that is beyond the limit goes."""
    for sets in [8, 64] * 3:  # after some, new spaces take the places of freed ones in the interpreter's memory
        _use_methods_when_freed(make, sets)


def _use_methods_when_freed(make: Any, sets: int) -> None:
    kind, freed = make(), []

    class Result:
        def __del__(self) -> None:
            for n in (len(freed), len(freed) + 0.5):
                set_parameter(last, n)
                last.few(1.0)
            freed.append(n)

    with configure(persistence="", memory_sets=sets):
        last, owner = kind(100.0), kind(0.0)
        spaces = owner_record(last).present_space(last).spaces
        for n in range(sets):
            set_parameter(owner, 1000.0 + n)
            owner.few(1.0)
            [memory] = owner_record(owner).present_space(owner).of(owner).memories.values()
            [result] = memory.values()
            result.value = Result()
        del owner, memory, result
        with configure(memory_sets=1):
            gc.collect()
            assert len(freed) == sets
            assert len(spaces._recent) == 1


@of_referenced_kinds
def test_objects_and_their_classes_are_freed(make: Any) -> None:
    """A class goes with all that memory has of it, also if results refer to the class."""

    def used() -> weakref.ref[type]:
        kind = make()

        class Sub(kind):  # type: ignore[misc]
            @stored.stored(persistent=False)
            def own_class(self) -> type:
                return type(self)

        owner = Sub(1.0)
        for n in (1.0, 2.0, 1.0):
            set_parameter(owner, n)
            all_values(owner)
            assert owner.own_class() is Sub
        return weakref.ref(Sub)

    assert alive([used()]) == 0


@of_referenced_kinds
def test_an_object_is_freed_while_its_results_stay(make: Any) -> None:
    """What is in memory for its parameters keeps no object alive."""
    kind = make()
    owner = kind(1.0)
    for n in (1.0, 2.0, 1.0):
        set_parameter(owner, n)
        all_values(owner)
    gone = weakref.ref(owner)
    del owner
    assert alive([gone]) == 0
    COMPUTED.clear()
    assert set(all_values(kind(2.0))) == {2.0}
    assert COMPUTED == []


def test_the_number_of_sets_can_change() -> None:
    """Fewer go at once; with none, each object has results of its own, for the parameters that it has."""
    owner = keyed()(0)
    references = []
    for n in range(6):
        owner.n = n
        references.append(weakref.ref(owner.array().base))
    assert alive(references) == 6
    with configure(memory_sets=2):
        assert alive(references) == 2
        with configure(memory_sets=0):
            assert alive(references) == 1
            other = type(owner)(5)
            for each, n in ((owner, 5), (other, 5), (owner, 6), (owner, 5), (other, 5)):
                each.n = n
                assert each.value() == n
        for n in (5, 6, 5, 6):
            owner.n = other.n = n
            assert owner.value() == other.value() == n
    assert alive(references) <= 1


def test_objects_of_times_with_and_without_sharing_keep_apart() -> None:
    """Whatever the number of sets was when they came, they have their own numbers and leave nothing behind."""
    kind, references = keyed(), []
    for sets in (8, 0, 8, 0, 1):
        with configure(memory_sets=sets):
            owners = [kind(n % 3) for n in range(6)]
            for owner in owners:
                references.append(weakref.ref(owner.array().base))
                assert owner.array()[0] == owner.n
            for owner in owners:
                owner.n += 1
                assert owner.array()[0] == owner.n
            del owners[::2]
        for owner in owners:
            assert owner.array()[0] == owner.n
            owner.n -= 1
            assert owner.array()[0] == owner.n
    del owner, owners
    with configure(memory_sets=0):
        assert alive(references) == 0


def test_with_no_sets_each_object_computes_for_itself() -> None:
    """Nothing is shared, and nothing remembered."""
    with configure(memory_sets=0):
        kind = keyed()
        one, other = kind(1.0), kind(1.0)
        for owner in (one, other, one, other):
            assert owner.value() == 1.0
        assert len(COMPUTED) == 2
        for n in (2.0, 1.0, 2.0):
            one.n = n
            assert one.value() == n
        assert len(COMPUTED) == 5
        one.value.cache_clear()
        other.value()
        assert len(COMPUTED) == 5


# -- clearing ---------------------------------------------------------------------------------------------------------


@of_all_kinds
def test_a_class_wide_clear_reaches_earlier_parameters_and_freed_objects(make: Any) -> None:
    """Memory has nothing of the method afterwards, for any parameters."""
    kind = make()
    owner = kind(1.0)
    for n in (1.0, 2.0):
        set_parameter(owner, n)
        owner.value()
        owner.number()
    kind(3.0).value()
    kind.value.cache_clear()
    COMPUTED.clear()
    for n in (1.0, 2.0, 3.0):
        set_parameter(owner, n)
        owner.value()
    assert COMPUTED == [("value", 1.0), ("value", 2.0), ("value", 3.0)]
    set_parameter(owner, 1.0)
    owner.number()
    assert len(COMPUTED) == 3


@of_referenced_kinds
def test_a_clear_reaches_parameters_from_before_many_changes(make: Any) -> None:
    """However often an owner went to and fro between others since, what memory keeps of them is cleared too."""
    owner = make()(1.0)
    with configure(memory_sets=8):
        set_parameter(owner, 3.0)
        owner.few(1.0)
        for n in (1.0, 2.0) * 12:
            set_parameter(owner, n)
            owner.few(1.0)
        owner.few.cache_clear()
        set_parameter(owner, 3.0)
        assert not owner.few.cached(1.0)


@of_all_kinds
def test_clearing_before_the_first_call_keeps_the_maxsize(make: Any) -> None:
    """A method whose memory is bounded stays so."""
    owner = make()(1.0)
    owner.few.cache_clear()
    owner.few.cache_clear(1.0)
    for x in range(5):
        owner.few(float(x))
    assert owner.few.cache_info()[2:4] == (2, 2)


# -- owners with a StorageUser ----------------------------------------------------------------------------------------


def test_the_callback_comes_with_each_change() -> None:
    """Also when the results for the new parameters are in memory: once, before the storage is reset."""
    owner = held()(1.0)
    for n in (1.0, 2.0, 1.0, 1.0, 2.0):
        owner.n = n
        for _ in range(3):
            assert owner.value() == n
    assert owner.announced == [(2.0, True), (1.0, True), (2.0, True)]
    assert len(COMPUTED) == 2


def test_objects_stored_by_name_are_emptied_at_each_change() -> None:
    """Those in memory only are gone when the parameters come back, persistent ones are found on disk."""
    owner = held()(1.0)
    owner.su.storeObject("memory", 1, persistent=False)
    owner.su.storeObject("disk", 2)
    owner.value()
    owner.n = 2.0
    assert owner.value() == 2.0
    assert owner.su.getStoredObject("disk") is None
    owner.n = 1.0
    assert owner.value() == 1.0
    assert owner.su.getStoredObject("memory") is None
    assert owner.su.getStoredObject("disk") == 2
    assert len(COMPUTED) == 2


def test_a_reset_of_the_storage_empties_decorated_results() -> None:
    """Of all objects with these parameters; those on disk are found."""
    kind = held()
    owner, other = kind(1.0), kind(1.0)
    for each in (owner, other) * 2:
        each.value()
        each.kept()
    owner.su.resetStorage()
    COMPUTED.clear()
    for each in (owner, other) * 2:
        each.value()
        each.kept()
    assert COMPUTED == [("value", 1.0)]


def test_users_of_one_string_and_other_persistence_keep_apart() -> None:
    """Where results live is part of how an object tells its parameters."""
    kind = held()
    writing, passing = kind(1.0), kind(1.0, "")
    assert (passing.kept()[0], writing.kept()[0]) == (1.0, 1.0)
    assert len(COMPUTED) == 2
    assert writing.kept.cache_info().stores == 1
    assert passing.kept.cache_info().stores == 0


def test_an_error_of_the_callback_comes_again() -> None:
    """Until it passes, no call is answered for the new parameters, though memory has the result."""
    owner = held()(1.0)
    for n in (1.0, 2.0, 1.0):
        owner.n = n
        owner.value()
    owner.n = 2.0
    owner.su.func_changed = lambda: 1 / 0
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            owner.value()
    owner.su.func_changed = None
    assert owner.value() == 2.0
    assert len(COMPUTED) == 2


def test_another_user_of_the_same_string_shares() -> None:
    """An object that is given another StorageUser has its results still if the string is the same, else others."""
    owner = held()(1.0)
    owner.value()
    owner.su = StorageUser("held", "rw", lambda: "held", owner.string, None)
    assert owner.value() == 1.0
    assert len(COMPUTED) == 1
    owner.su = StorageUser("held", "rw", lambda: "held", lambda: f"other {owner.n!r}", None)
    assert owner.value() == 1.0
    assert len(COMPUTED) == 2


# -- large arrays -----------------------------------------------------------------------------------------------------


@keyed_by("n")
class Large:
    """Its arrays are of 2 MiB."""

    def __init__(self, n: float) -> None:
        self.n = n
        self.calls = 0

    @stored.stored
    def array(self) -> Any:
        self.calls += 1
        return np.arange(2.0**18).reshape(512, 512) * self.n

    @stored.stored
    def text(self) -> Any:
        return np.full(2**18, f"{self.n}")

    @stored.stored(copy=True)
    def copied(self) -> Any:
        return np.full(2**18, self.n)

    @stored.stored(persistent=False)
    def passing(self) -> Any:
        return np.full(2**18, self.n)


def memory_of(array: Any) -> str:
    """The name of the type whose memory an array shows."""
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return type(array.obj if isinstance(array, memoryview) else array).__name__


def test_large_arrays_that_were_written_are_mapped() -> None:
    """Memory has the file in their place, with every set of parameters; who computed an array has one of its own."""
    owner = Large(1.0)
    for n, first in ((1.0, "ndarray"), (2.0, "ndarray"), (1.0, "mmap"), (2.0, "mmap")):
        owner.n = n
        for memory in (first, "mmap"):
            found = owner.array()
            assert memory_of(found) == memory
            assert not found.flags.writeable
            np.testing.assert_array_equal(found, np.arange(2.0**18).reshape(512, 512) * n)
        assert memory_of(owner.text()) == first
        assert memory_of(owner.text()) == "mmap"
        assert (owner.text() == f"{n}").all()
    assert owner.calls == 2
    assert memory_of(owner.array.refresh()) == "ndarray"
    assert memory_of(owner.array()) == "mmap"


def test_arrays_that_are_not_written_or_copied_stay_in_memory() -> None:
    """What callers may change, or no file has, is no mapped file."""
    owner = Large(1.0)
    assert {memory_of(each) for each in (owner.copied(), owner.passing())} == {"ndarray"}
    with configure(persistence="r"):
        assert memory_of(Large(3.0).array()) == "ndarray"


def test_a_mapped_array_outlives_its_file(cache_dir: Any) -> None:
    """What has been handed out stays right when its entry is replaced or removed."""
    owner = Large(1.0)
    found = owner.array()
    owner.array.refresh()
    owner.array.cache_clear()
    assert not list(cache_dir.rglob("*array*.stored"))
    np.testing.assert_array_equal(found, owner.array())


def test_an_array_whose_file_cannot_be_read_stays(cache_dir: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is at hand, whatever becomes of the file that was just written."""
    from stored._storage import Slot

    monkeypatch.setattr(Slot, "load", lambda _: stored.typing.ABSENT)
    owner = Large(7.0)  # of which no other test has results in memory
    assert [memory_of(owner.array()) for _ in range(2)] == ["ndarray", "ndarray"]


# -- a fork -----------------------------------------------------------------------------------------------------------


@of_referenced_kinds
def test_a_forked_process_has_what_memory_had(make: Any) -> None:
    """The child finds the results of all sets, and what it changes is its own."""
    owner = make()(1.0)
    for n in (1.0, 2.0):
        set_parameter(owner, n)
        owner.value()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            values = []
            for n in (1.0, 2.0, 3.0):
                set_parameter(owner, n)
                values.append(owner.value())
            os._exit(0 if values == [1.0, 2.0, 3.0] and len(COMPUTED) == 3 else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert owner.value() == 2.0
    assert len(COMPUTED) == 2


def test_objects_that_live_to_the_end_end_quietly(tmp_path: Path) -> None:
    """A program that ends with objects, classes and results in memory has nothing to say."""
    script = """
        from tests.engine import changing
        for make in changing.KINDS:
            kind = make()
            kind.example = owner = kind(1.0)
            for n in (1.0, 2.0, 1.0):
                changing.set_parameter(owner, n)
                changing.all_values(owner)
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache"), "STORED_KEY_FILE": str(tmp_path / "key")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def scaled_by(outside: list[float]) -> Any:
    """A class whose value depends on something that no key contains."""

    @keyed_by("n")
    class Model:
        def __init__(self, n: float) -> None:
            self.n = n

        @stored.stored(persistent=False)
        def value(self, k: int = 0) -> float:
            return self.n * outside[0] + k

    return Model


def test_a_clear_and_a_reset_reach_earlier_parameters() -> None:
    """What was computed before them does not come back with earlier parameters, nor with equal ones of other types."""
    outside = [1.0]

    Model = scaled_by(outside)
    owner: Any = Model(1.0)
    ends = (
        owner.value.cache_clear,
        stored.storage_user(owner).resetStorage,
        Model.value.cache_clear,
    )
    for number, end in enumerate(ends, start=2):
        for n in (2, 1.0, True, 2.0):
            owner.n = n
            assert owner.value() == n * outside[0]
        outside[0] = number
        end()
        for n in (2.0, 1.0, 1, True, 2):
            owner.n = n
            assert owner.value() == n * outside[0]
    for n in (1.0, np.float64(1.0)):
        owner.n = n
        owner.value(3)
    outside[0] = 9
    owner.value.cache_clear(3)
    owner.n = 1.0
    assert owner.value(3) == 12
    outside[0] = 10
    owner.value.refresh(3)
    owner.n = np.float64(1.0)
    assert owner.value(3) == 13.0


def test_a_space_that_is_freed_late_takes_no_new_one_away() -> None:
    """Where another object has come to its parameters before its end was noticed."""
    owner = keyed()(1.0)
    owner.value()
    spaces = owner_record(owner).present_space(owner).spaces
    ((key, reference),) = spaces.known.items()
    _remove(spaces.known, key, object())
    assert spaces.known == {key: reference}
    _remove(spaces.known, key, reference)
    assert spaces.known == {}


def test_listing_spaces_while_a_garbage_collection_frees_some() -> None:
    """What is freed in the middle is left out, and nothing fails."""

    @keyed_by("n")
    class Model:
        def __init__(self, n: float) -> None:
            self.n, self.me = n, self  # freed by a garbage collection only

        @stored.stored(persistent=False)
        def value(self) -> float:
            return self.n

    threshold = gc.get_threshold()
    with configure(memory_sets=1):
        for number in range(120):
            gc.disable()
            for n in range(20):
                Model(float(20 * number + n)).value()
            spaces = owner_record(owner := Model(-1.0)).present_space(owner).spaces
            gc.set_threshold(gc.get_count()[0] + number)  # in the middle of one of the next steps
            gc.enable()
            try:
                assert len(spaces.shared()) <= len(spaces.spaces()) + 21
            finally:
                gc.set_threshold(*threshold)


@pytest.mark.parametrize("kind", ["clear", "reset"])
def test_a_clear_and_a_reset_reach_parameters_to_which_shortcuts_lead(kind: str) -> None:
    """Parameters that an owner has again and again, by a shortcut each time, are not forgotten among those since."""
    outside = [1.0]
    owner = scaled_by(outside)(-1.0)
    for _ in range(3):
        owner.value()
    for number in range(40):
        for n in (float(number), float("-1")):  # another object of equal value each time
            owner.n = n
            owner.value()
    owner.n = 39.0
    owner.value()
    outside[0] = 2.0
    (owner.value.cache_clear if kind == "clear" else stored.storage_user(owner).resetStorage)()
    owner.n = float("-1")
    assert owner.value() == -2.0


def test_a_parameter_that_a_computation_deletes() -> None:
    """The caller gets the value, which is not kept; the next call says what is missing."""

    @keyed_by("a", "b")
    class Deleting:
        def __init__(self) -> None:
            self.a, self.b = 1.0, 2.0

        @stored.stored(persistent=False)
        def value(self) -> float:
            found = self.a + self.b
            del self.b
            return found

    owner: Any = Deleting()
    assert owner.value() == 3.0
    with pytest.raises(stored.OwnerError, match="no attribute 'b'"):
        owner.value()
    owner.b = 2.0
    assert not owner.value.cached()
