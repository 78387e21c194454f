"""Which owner has which results, and for how long?"""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import OwnerError, StorageUser, keyed_by, stored
from stored._engine import owners
from tests.methods.models import CALLS, Colour, Cosmology, Model, repeated
from tests.methods.owners import OWNERS, Described, FrozenSlots, Held, Plain, Slotted, set_parameter


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """No method of the models has been called yet."""
    CALLS.clear()


# -- owners --


@pytest.mark.parametrize("kind", OWNERS)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda owner: pickle.loads(pickle.dumps(owner))])
def test_copies_never_answer_from_the_original(kind: Any, duplicate: Any) -> None:
    """A copied, deep-copied or unpickled owner follows its own parameters, and leaves the original alone."""
    owner = kind(1.0)
    owner.method()
    other = duplicate(owner)
    set_parameter(other, 2.0)
    assert [other.method(), owner.method(), other.method()] == [2.0, 1.0, 2.0]
    set_parameter(owner, 3.0)
    assert [other.method(), owner.method()] == [2.0, 3.0]


def test_an_attribute_su_may_be_anything() -> None:
    """Only a `StorageUser` in ``storageUser`` or ``su`` describes an owner."""
    owner = Plain(1.0)
    owner.su = "single unit"  # type: ignore[attr-defined]
    assert [owner.method(), Plain(2.0).method()] == [1.0, 2.0]


def test_owners_need_not_be_hashable() -> None:
    """Owners that compare by value and cannot be hashed have results all the same."""

    @keyed_by("n")
    class Unhashable(Plain):
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("never compared")

        __hash__ = None  # type: ignore[assignment]

    assert Unhashable(1.0).method() == 1.0


def test_a_lambda_that_describes_another_object_is_refused() -> None:
    """A copy whose StorageUser has lambdas of the original gets an error rather than the original's results."""

    class Careless:
        def __init__(self, n: float) -> None:
            self.n = n
            self.su = StorageUser("careless", "rw", lambda: "careless", lambda: f"n {self.n}", None)

        @stored
        def method(self) -> float:
            return self.n

    owner = Careless(1.0)
    assert owner.method() == 1.0
    other = copy.copy(owner)
    other.n = 2.0
    with pytest.raises(OwnerError, match="holds the StorageUser of the object it was copied from"):
        other.method()


def test_a_delegate_does_not_lend_its_storage_user() -> None:
    """What __getattr__ fetches from another object is not held by this one."""

    @keyed_by("bias")
    class Wrapper:
        def __init__(self, inner: Any, bias: float) -> None:
            self.inner, self.bias = inner, bias

        def __getattr__(self, name: str) -> Any:
            if name == "inner":
                raise AttributeError(name)
            return {"n": 1, "su": self.inner.su}[name]

        @stored
        def method(self) -> float:
            return self.bias * 10

    inner = Held(1.0)
    assert [Wrapper(inner, 1.0).method(), Wrapper(inner, 2.0).method()] == [10.0, 20.0]


class SlottedHolder:
    __slots__ = ("n", "su")

    def __init__(self, n: float) -> None:
        self.n = n
        self.su = StorageUser("slots", "rw", self.name, self.string, None)

    def name(self) -> str:
        return "slots"

    def string(self) -> str:
        return f"n {self.n}"

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n * 100


def test_copies_of_slotted_holders_describe_themselves() -> None:
    """A copy that holds the original's StorageUser, and that nothing can be kept for, follows its own parameters."""
    owner = SlottedHolder(1.0)
    other = copy.copy(owner)
    assert owner.method() == 100.0
    owner.n = 2.0
    assert [other.method(), owner.method()] == [100.0, 200.0]
    other.n = 3.0
    assert [other.method(), owner.method(), SlottedHolder(2.0).method()] == [300.0, 200.0, 200.0]
    SlottedHolder.method.cache_clear()
    assert not owner.method.cached()


def test_a_class_that_is_assigned_has_its_own_parameters() -> None:
    """After an assignment to __class__ the results are those for the parameters of the new class."""

    @keyed_by("a")
    class First:
        a = 1.0
        b = 5.0

        @stored
        def both(self) -> tuple[float, float]:
            return self.a, self.b

    @keyed_by("b")
    class Second(First):
        pass

    owner = First()
    assert owner.both() == (1.0, 5.0)
    owner.__class__ = Second
    for b in (5.0, 7.0, 5.0):
        owner.b = b
        assert owner.both() == (1.0, b)


def test_an_owner_that_another_thread_registers_meanwhile_has_one_record(while_waiting: Any) -> None:
    """A thread that waits to register an owner finds the record that another has made."""
    owner = Plain(1.0)
    found = while_waiting(owners, "_registry_lock", lambda: owners.owner_record(owner))
    assert owners.owner_record(owner) is found[0]


# -- lifetimes --


@pytest.mark.parametrize("kind", [kind for kind in OWNERS if kind not in {FrozenSlots, Slotted}])
def test_owners_are_freed(kind: Any) -> None:
    """Results keep no owner alive; one with a StorageUser refers to itself, so it takes a garbage collection."""
    owner = kind(1.0)
    owner.method()
    reference = weakref.ref(owner)
    del owner
    if issubclass(kind, Held):
        gc.collect()
    assert reference() is None


def test_slotted_owners_are_remembered_within_bounds() -> None:
    """Owners without weak references are registered by their parameters, up to a maximum number."""
    for n in range(owners._MOST_UNREFERENCED + 10):
        Slotted(float(n)).method()
    assert len(owners._default_registry.unreferenced) <= owners._MOST_UNREFERENCED


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


# -- clearing the results of all owners --


def test_class_wide_clear_of_an_owner_that_never_computed() -> None:
    """An owner whose only call failed has nothing to clear."""
    owner = FrozenSlots(1.0)
    with pytest.raises(TypeError):
        owner.method(1, 2)  # type: ignore[call-arg]
    FrozenSlots.method.cache_clear()
    assert not owner.method.cached()


def test_class_wide_clear_reaches_every_kind_of_owner() -> None:
    """Owners with a StorageUser and owners without weak references are cleared with the others."""
    for kind in OWNERS:
        owner = kind(1.0)
        owner.method()
        kind.method.cache_clear()
        assert not owner.method.cached(), kind


def test_class_wide_clear_passes_over_owners_that_are_not_ready() -> None:
    """An owner with a missing parameter is cleared for its last parameters, and does not stop the others."""
    owners = [Cosmology(71.0), Cosmology(72.0), Cosmology(73.0)]
    for owner in owners:
        owner.age(1.0)
    del owners[1].H0
    Cosmology.age.cache_clear()
    owners[1].H0 = 72.0
    assert not any(owner.age.cached(1.0) for owner in owners)


def test_clearing_passes_over_owners_that_never_had_their_parameters() -> None:
    """Class.method.cache_clear() clears the others if an owner has no parameters yet."""
    model, bare = Model(), Model()
    repeated(model.value, 1.0)
    del bare.scale
    with pytest.raises(OwnerError, match="set every parameter"):
        bare.value(1.0)
    Model.value.cache_clear()
    repeated(model.value, 1.0)
    assert len(CALLS) == 2


# -- how owners tell their parameters --


@pytest.mark.parametrize("kind", OWNERS)
def test_every_way_to_tell_parameters(kind: Any) -> None:
    """Each kind of owner hits, notices changes, and finds results of equal owners."""
    kind.method.cache_clear()  # owners with slots share a memory, in which other tests leave results
    owner = kind(1.0)
    assert [owner.method(), owner.method()] == [1.0, 1.0]
    set_parameter(owner, 2.0)
    assert owner.method() == 2.0
    assert kind(1.0).method() == 1.0
    assert CALLS == [1.0, 2.0]


def test_an_owner_that_tells_nothing_is_refused() -> None:
    """The error names the class and the four ways to tell parameters."""

    class Silent:
        @stored
        def method(self) -> int:
            return 1

    with pytest.raises(OwnerError) as caught:
        Silent().method()
    for part in ("Silent", "StorageUser", "getHashableString", "@keyed_by", "frozen dataclass"):
        assert part in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_a_string_that_is_none_is_refused() -> None:
    """A hashable string that is not text is an error."""

    class Wrong(Described):
        def getHashableString(self) -> str:
            return 5  # type: ignore[return-value]

    with pytest.raises(OwnerError, match="returned 5 of type int"):
        Wrong(1.0).method()


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
