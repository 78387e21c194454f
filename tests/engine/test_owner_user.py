"""The StorageUser of any owner shares its parameters and its space, and does not keep it alive."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from stored import OwnerError, StorageUser, configure, keyed_by, storage_user, stored
from stored._storage import current_store, headers
from tests.engine.changing import (
    COMPUTED,
    KINDS,
    REFERENCED,
    all_values,
    held,
    held_and_keyed,
    keyed,
    set_parameter,
    slotted,
    told,
)

of_all_kinds = pytest.mark.parametrize("make", KINDS)

of_one_description = pytest.mark.parametrize("make", [make for make in KINDS if make is not held_and_keyed])
"""A StorageUser that does not know the parameter of its owner stores objects by name for its own string alone."""

of_referenced_kinds = pytest.mark.parametrize("make", REFERENCED)


@pytest.fixture(autouse=True)
def memory_sets(cache_dir: object) -> Iterator[None]:
    """The default number of sets in memory, and nothing computed so far."""
    COMPUTED.clear()
    with configure(memory_sets=8):
        yield


# -- which one --------------------------------------------------------------------------------------------------------


@of_all_kinds
def test_it_is_the_same_object_with_every_call(make: Any) -> None:
    """Whatever becomes of the parameters, unless the owner has no weak references."""
    owner = make()(1.0)
    user = storage_user(owner)
    assert storage_user(owner) is user
    owner.value()
    if type(owner).__weakrefoffset__:
        set_parameter(owner, 2.0)
        assert storage_user(owner) is user


def test_it_is_the_one_that_the_owner_holds() -> None:
    """In ``su`` or ``storageUser``, from when the owner holds it."""
    owner = held()(1.0)
    assert storage_user(owner) is owner.su
    later = keyed()(1.0)
    made = storage_user(later)
    later.storageUser = StorageUser("m", "", lambda: "n", lambda: "s", None)
    assert storage_user(later) is later.storageUser
    del later.storageUser
    assert storage_user(later) is made


def test_threads_get_the_same_object() -> None:
    """Also when they ask for it at once."""
    kind = keyed()
    for _ in range(50):
        owner, barrier, users = kind(1.0), threading.Barrier(4), []

        def ask(owner: Any = owner, barrier: Any = barrier, users: list[Any] = users) -> None:
            barrier.wait()
            users.append(storage_user(owner))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, users))) == 1


def test_an_owner_that_tells_nothing_has_none() -> None:
    """The error says which ways there are."""
    with pytest.raises(OwnerError, match="keyed_by"):
        storage_user(object())
    owner = keyed()(1.0)
    del owner.n
    with pytest.raises(OwnerError, match="set every parameter"):
        storage_user(owner)


@of_all_kinds
def test_asking_for_it_changes_nothing(make: Any) -> None:
    """What memory has of decorated methods is there still."""
    owner = make()(1.0)
    all_values(owner)
    COMPUTED.clear()
    storage_user(owner)
    all_values(owner)
    assert COMPUTED == []


# -- its objects ------------------------------------------------------------------------------------------------------


@of_one_description
def test_objects_follow_the_parameters(make: Any) -> None:
    """An object is found for the parameters for which it was stored; in memory only until they change."""
    owner = make()(1.0)
    storage_user(owner).storeObject("disk", 1.0)
    storage_user(owner).storeObject("memory", 1.0, persistent=False)
    assert storage_user(owner).getStoredObject("memory") == 1.0
    set_parameter(owner, 2.0)
    user = storage_user(owner)
    assert (user.getStoredObject("disk"), user.getStoredObject("memory")) == (None, None)
    user.storeObject("disk", 2.0)
    set_parameter(owner, 1.0)
    assert storage_user(owner).getStoredObject("disk") == 1.0
    assert storage_user(owner).getStoredObject("memory") in ({None} if type(owner).__weakrefoffset__ else {None, 1.0})
    assert storage_user(owner).removeObject("disk")
    assert storage_user(owner).getStoredObject("disk") is None


@of_one_description
def test_equal_owners_find_each_others_entries(make: Any) -> None:
    """By their names, hashes and file names, which are those of the owner's parameters."""
    kind = make()
    one, other, third = kind(1.0), kind(1.0), kind(2.0)
    storage_user(one).storeObject("a", 5)
    assert storage_user(other).getStoredObject("a") == 5
    assert storage_user(third).getStoredObject("a") is None
    assert storage_user(one).getUniqueFilename() == storage_user(other).getUniqueFilename()
    assert storage_user(one).getUniqueFilename() != storage_user(third).getUniqueFilename()
    assert storage_user(one).getHash() != storage_user(third).getHash()
    assert storage_user(one).getHash() == storage_user(other).getHash()


def test_it_shows_module_name_and_string() -> None:
    """As the keys of decorated methods have them, also for an owner with a string of its own."""
    owner = told()(1.0)
    user = storage_user(owner)
    assert user.module == type(owner).__module__
    assert user.func_hashstring() == "told 1.0"
    assert user.func_name() in repr(user)
    assert "Told" in user.func_name()
    assert user.func_changed is None
    assert (user.persistence_read, user.persistence_write) == (True, True)


@of_one_description
def test_decorated_calls_are_listed(make: Any) -> None:
    """With the objects stored by name, in memory and on disk, for the present parameters."""
    owner = make()(1.0)
    user = storage_user(owner)
    user.storeObject("a", 5)
    owner.value(3.0)
    owner.kept()
    assert storage_user(owner).listObjects() == ["a", "kept()", "value(x=3.0)"]
    owner.kept.cache_clear()
    assert storage_user(owner).listObjects() == ["a", "value(x=3.0)"]
    set_parameter(owner, 2.0)
    owner.kept()
    assert storage_user(owner).listObjects() == ["kept()"]
    set_parameter(owner, 1.0)
    owner.value(3.0)
    assert storage_user(owner).listObjects() == ["a", "value(x=3.0)"]


@of_all_kinds
def test_a_reset_empties_decorated_results(make: Any) -> None:
    """For the parameters that the owner has, also if they have changed since; entries on disk are found."""
    owner = make()(1.0)
    for n in (1.0, 2.0, 1.0):
        set_parameter(owner, n)
        owner.value()
        owner.kept()
    user = storage_user(owner)
    user.storeObject("memory", 1, persistent=False)
    set_parameter(owner, 2.0)
    user.resetStorage()
    COMPUTED.clear()
    for _ in range(2):
        owner.value()
        owner.kept()
    assert COMPUTED == [("value", 2.0)]
    assert user.getStoredObject("memory") is None


def test_an_object_lists_the_values_of_its_owners_parameters() -> None:
    """The entry of an object that is stored by name says to which parameters it belongs, as numbers."""

    @keyed_by("a", "b")
    class Model:
        a, b = 1.5, "x"

    model = Model()
    storage_user(model).storeObject("object", 1)
    found = list(headers(current_store()))
    assert [each.values for each in found] == [{"parameters": {"a": 1.5, "b": "x"}, "arguments": {}}]


class Narrow:
    """A base class with methods of all and of some parameters."""

    a, b = 1, 2

    @stored
    def of_a(self) -> int:
        return self.a

    @stored
    def of_both(self) -> int:
        return self.a + self.b


def test_methods_of_some_parameters_are_listed() -> None:
    """What depends on some of the parameters is listed for as long as these are the same, in memory and on disk."""

    @keyed_by("a", "b")
    class Model(Narrow):
        @stored(depends=("a",))
        def of_a(self) -> int:
            return self.a

    model = Model()
    model.of_a()
    model.of_both()
    listed = ["of_a()", "of_both()"]
    assert storage_user(model).listObjects() == listed
    with configure(memory_sets=0):
        assert storage_user(Model()).listObjects() == listed
    with configure(persistence=""):
        assert storage_user(model).listObjects() == listed
        model.b = 5
        assert storage_user(model).listObjects() == ["of_a()"]
        model.a = 5
        assert storage_user(model).listObjects() == []


def test_methods_of_parameters_beside_a_user_are_listed() -> None:
    """A user lists what its owner has for the user's string and for the parameters that the owner's class names."""

    @keyed_by("b")
    class Model(Narrow):
        def __init__(self) -> None:
            self.su = StorageUser("beside", "rw", lambda: "model", lambda: f"{self.a}", None)

    model = Model()
    model.su.storeObject("object", 1)
    model.of_a()
    assert model.su.listObjects() == ["object", "of_a()"]
    model.b = 3
    assert model.su.listObjects() == ["object"]
    del model.su
    assert storage_user(model).listObjects() == []


def test_a_user_does_not_list_what_a_copy_of_its_owner_has() -> None:
    """Where objects share no results, it lists what its owner gets, and the user of the copy what that gets."""
    with configure(memory_sets=0, persistence=""):
        owner = held()(1.0)
        other = copy.copy(owner)
        other.number()
        assert storage_user(owner).listObjects() == []
        assert storage_user(other).listObjects() == ["number()"]
        owner.number()
        assert storage_user(owner).listObjects() == ["number()"]


@of_one_description
def test_a_reset_reaches_what_other_objects_computed(make: Any) -> None:
    """Objects of equal parameters share their results, so a reset by one that has used none of them empties them."""
    kind = make()
    owner, other = kind(1.0), kind(1.0)
    with configure(memory_sets=8):
        assert owner.number() == 1
        storage_user(other).resetStorage()
        assert other.number() == 2


def test_a_reset_reaches_methods_of_some_parameters() -> None:
    """What depends on some of the parameters is computed again too."""

    @keyed_by("a", "b")
    class Model:
        a, b, calls = 1, 1, 0

        @stored(persistent=False, depends=("a",))
        def of_a(self) -> int:
            Model.calls += 1
            return self.a

    model = Model()
    for a in (1, 2, 1):
        model.a = a
        model.of_a()
    user = storage_user(model)
    model.a = 2
    user.resetStorage()
    model.of_a()
    assert Model.calls == 3


def test_a_reset_passes_over_owners_whose_parameters_are_missing() -> None:
    """Of several owners that hold one StorageUser, the others are emptied."""
    kind = held_and_keyed()
    owners = [kind(n) for n in (1.0, 2.0, 3.0)]
    for owner in owners:
        owner.su = owners[0].su
        owner.value()
    del owners[1].n
    owners[0].su.resetStorage()
    owners[1].n = 2.0
    COMPUTED.clear()
    for owner in owners:
        owner.value()
    assert COMPUTED == [("value", 1.0), ("value", 2.0), ("value", 3.0)]


def test_a_reset_announces_no_change_of_a_copy() -> None:
    """A copy that holds its original's StorageUser announces its change when it is used itself."""
    owner = held()(1.0)
    other = copy.copy(owner)
    other.announced = []
    assert other.value() == owner.value() == 1.0
    other.n = 2.0
    owner.su.resetStorage()
    assert other.announced == []
    assert other.value() == 2.0
    assert [n for n, _ in other.announced] == [2.0]


@of_one_description
def test_changes_are_told(make: Any) -> None:
    """From the change of a parameter until the storage is used."""
    owner = make()(1.0)
    user = storage_user(owner)
    assert not user.checkForChangedHash()
    set_parameter(owner, 2.0)
    assert user.checkForChangedHash()
    assert user.checkForChangedHash()
    user.getStoredObject("a")
    assert not user.checkForChangedHash()
    set_parameter(owner, 3.0)
    assert user.checkForChangedHash()
    user.resetStorage()
    assert not user.checkForChangedHash()


# -- lifetimes --------------------------------------------------------------------------------------------------------


@of_referenced_kinds
def test_it_does_not_keep_its_owner(make: Any) -> None:
    """One that is made on demand says that its owner is gone."""
    owner = make()(1.0)
    user, gone = storage_user(owner), weakref.ref(owner)
    user.storeObject("a", 1)
    owner.value()
    is_held = hasattr(owner, "su")
    del owner
    if is_held:
        return  # it has functions of its owner
    gc.collect()
    assert gone() is None
    for use in (
        user.getHash,
        user.listObjects,
        user.resetStorage,
        lambda: user.getStoredObject("a"),
        lambda: user.storeObject("a", 1),
        lambda: pickle.dumps(user),
        lambda: copy.deepcopy(user),
        lambda: user.module,
    ):
        with pytest.raises(OwnerError, match="is gone"):
            use()


def test_it_goes_with_its_owner() -> None:
    """What it had in memory goes too."""

    class Payload:
        def __deepcopy__(self, memo: Any) -> Payload:
            return self

    owner, payload = keyed()(1.0), Payload()
    storage_user(owner).storeObject("a", payload, persistent=False)
    gone = weakref.ref(storage_user(owner)), weakref.ref(payload)
    del owner, payload
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


# -- copies and pickles -----------------------------------------------------------------------------------------------


@keyed_by("n")
class Holder:
    """Keeps its StorageUser in an attribute."""

    def __init__(self, n: float, attribute: str = "space") -> None:
        self.n = n
        setattr(self, attribute, storage_user(self))

    @stored(persistent=False)
    def value(self) -> float:
        return self.n


DUPLICATES: list[Any] = [copy.deepcopy, lambda owner: pickle.loads(pickle.dumps(owner))]


@pytest.mark.parametrize("duplicate", DUPLICATES)
@pytest.mark.parametrize("attribute", ["space", "su", "storageUser"])
def test_copies_and_pickles_with_the_owner(duplicate: Any, attribute: str) -> None:
    """An owner that keeps it is copied and pickled with it, and the copy's is the copy's own."""
    owner = Holder(1.0, attribute)
    getattr(owner, attribute).storeObject("a", 5)
    other = duplicate(owner)
    user = getattr(other, attribute)
    assert user is storage_user(other)
    assert user is not getattr(owner, attribute)
    assert not user.checkForChangedHash()
    assert user.getStoredObject("a") == 5
    other.n = 2.0
    assert user.checkForChangedHash()
    assert user.getStoredObject("a") is None
    assert (owner.value(), other.value(), owner.value()) == (1.0, 2.0, 1.0)
    assert storage_user(owner).getStoredObject("a") == 5


@pytest.mark.parametrize("attribute", ["space", "su", "storageUser"])
def test_a_shallow_copy_follows_its_own_parameters(attribute: str) -> None:
    """Though it has the StorageUser of its original as an attribute."""
    owner = Holder(1.0, attribute)
    other = copy.copy(owner)
    other.n = 2.0
    assert (owner.value(), other.value(), owner.value(), other.value()) == (1.0, 2.0, 1.0, 2.0)
    assert storage_user(other) is not storage_user(owner)
    assert storage_user(other).func_hashstring() == "n=2.0"
    del owner
    gc.collect()
    assert other.value() == 2.0


@pytest.mark.parametrize("duplicate", [copy.copy, *DUPLICATES])
def test_it_is_copied_and_pickled_alone(duplicate: Any) -> None:
    """A shallow copy is the same object; others come with a copy of the owner, which somebody else must keep."""
    owner = Holder(1.0)
    user = storage_user(owner)
    found = duplicate([owner, user])
    assert found[1] is storage_user(found[0])
    assert copy.copy(user) is user


def test_an_owner_may_hold_that_of_another_kind() -> None:
    """An object whose ``su`` was made for its cosmology follows the cosmology."""

    class Halo:
        def __init__(self, cosmo: Any) -> None:
            self.cosmo, self.su = cosmo, storage_user(cosmo)

        @stored(persistent=False)
        def mass(self) -> float:
            COMPUTED.append(("mass", self.cosmo.n))
            return self.cosmo.n * 10

    cosmo = keyed()(1.0)
    halo = Halo(cosmo)
    for n in (1.0, 2.0, 1.0, 2.0):
        cosmo.n = n
        for _ in range(3):
            assert halo.mass() == n * 10
    assert len(COMPUTED) == 2
    assert storage_user(halo) is storage_user(cosmo)
    assert "mass()" in halo.su.listObjects()
    halo.su.resetStorage()
    assert halo.mass() == 20.0
    assert len(COMPUTED) == 3


# -- owners without weak references -----------------------------------------------------------------------------------


def test_owners_without_weak_references_keep_apart() -> None:
    """Each one's follows its own parameters, though the parameters of another were equal when it was made."""
    kind = slotted()
    one = kind(1.0)
    first = storage_user(one)
    one.n = 2.0
    other = kind(1.0)
    second = storage_user(other)
    assert first is not second
    second.storeObject("a", 1, persistent=False)
    first.storeObject("a", 2, persistent=False)
    assert (first.func_hashstring(), second.func_hashstring()) == ("n=2.0", "n=1.0")
    assert (first.getStoredObject("a"), second.getStoredObject("a")) == (2, 1)
    assert storage_user(other) is second


@keyed_by("n")
class SlottedHolder:
    """Keeps its StorageUser in a slot."""

    __slots__ = ("n", "space")

    def __init__(self, n: float) -> None:
        self.n = n
        self.space = storage_user(self)


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_copies_of_slotted_owners_have_their_own(duplicate: Any) -> None:
    """What an owner without weak references keeps, its copies keep for themselves."""
    owner = SlottedHolder(1.0)
    owner.space.storeObject("a", 5)
    other = duplicate(owner)
    assert other.space is not owner.space
    assert other.space.getStoredObject("a") == 5
    other.n = 2.0
    assert other.space.func_hashstring() == "n=2.0"
    assert owner.space.getStoredObject("a") == 5


def test_a_reset_reaches_what_an_equal_object_has_computed() -> None:
    """Also if no method of the object that holds the user was ever called."""

    class Holder:
        def __init__(self, n: float) -> None:
            self.n, self.calls = n, 0
            self.su = StorageUser("reset", "", lambda: "Holder", lambda: f"{self.n}", None)

        @stored(persistent=False)
        def value(self) -> float:
            COUNTED.append(self.n)
            return self.n

    COUNTED: list[float] = []
    with configure(memory_sets=8):
        one, other = Holder(1.0), Holder(1.0)
        one.value()
        other.value()
        assert len(COUNTED) == 1
        third = Holder(1.0)
        third.su.resetStorage()
        assert [each.value() for each in (third, one, other)] == [1.0] * 3
        assert len(COUNTED) == 2


def test_an_object_of_another_class_has_a_storage_space_of_its_own() -> None:
    """After an assignment to __class__, what was stored for the class before is neither found nor replaced."""
    model: Any = Ours(1.0)
    storage_user(model).storeObject("x", "ours")
    model.__class__ = Theirs
    assert storage_user(model).getStoredObject("x") is None
    storage_user(model).storeObject("x", "theirs")
    assert storage_user(Theirs(1.0)).getStoredObject("x") == "theirs"
    assert storage_user(Ours(1.0)).getStoredObject("x") == "ours"


@keyed_by("n")
class Ours:
    def __init__(self, n: float) -> None:
        self.n = n


@keyed_by("n")
class Theirs(Ours):
    pass
