"""The decorator as its users meet it."""

from __future__ import annotations

import copy
import dataclasses
import functools
import gc
import inspect
import math
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import types
import weakref
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stored as package
from stored import (
    Axis,
    OutsideAxisError,
    OwnerError,
    StorageUser,
    ToleranceError,
    UnstableKeyError,
    configure,
    keyed_by,
    stored,
)
from stored._methods import registry
from stored._methods import results as results_module
from stored._methods.answer import bound_call, results_for
from stored._settings.validity import validity

CALLS: list[Any] = []


@pytest.fixture(autouse=True)
def no_calls() -> None:
    CALLS.clear()


@keyed_by("H0", "Om0")
class Cosmology:
    """A model with every kind of stored method."""

    def __init__(self, H0: float = 70.0, Om0: float = 0.3) -> None:
        self.H0, self.Om0 = H0, Om0

    @stored
    def age(self, z: float, *, unit: float = 1.0) -> float:
        """Age at a redshift."""
        CALLS.append(("age", self.H0, z))
        return unit / self.H0 / (1.0 + z)

    @stored("spectrum", persistent=False, maxsize=2)
    def power(self, k: float) -> float:
        CALLS.append(("power", k))
        return k * self.Om0

    @stored
    def grid(self, n: int = 3) -> np.ndarray:
        CALLS.append(("grid", n))
        return np.arange(n) * self.H0

    @stored
    def nothing(self) -> None:
        CALLS.append("nothing")

    @stored(ignore=("verbose",))
    def quiet(self, x: float, verbose: bool = False) -> float:
        CALLS.append(("quiet", x))
        return x * self.H0

    @stored(round={"z": 2})
    def rounded(self, z: float) -> float:
        CALLS.append(("rounded", z))
        return z

    @stored(depends=("Om0",))
    def growth(self) -> float:
        CALLS.append("growth")
        return self.Om0

    @stored(copy=True)
    def private(self) -> np.ndarray:
        CALLS.append("private")
        return np.zeros(3)

    @stored
    def containers(self) -> dict[str, list[int]]:
        CALLS.append("containers")
        return {"a": [1, 2]}

    @stored(interpolate=True)
    def table(self, n: int = 10) -> np.ndarray:
        CALLS.append("table")
        x = np.linspace(0.0, 1.0, n)
        return np.array([x, self.H0 * x**3])

    @stored(interpolate=Axis("x", 0.0, 1.0, points=20, outside="exact", vectorized=False))
    def curve(self, x: float, scale: float = 1.0) -> float:
        CALLS.append(("curve", x, scale))
        return scale * x**3

    @stored(interpolate=(Axis("x", 0.0, 1.0, points=6, vectorized=False), Axis("y", 1.0, 2.0, points=5)))
    def surface(self, x: float, y: float) -> float:
        CALLS.append("surface")
        return x * y


# -- keys --


def test_a_call_is_computed_once_in_every_spelling() -> None:
    """Positional, keyword, default and equal values of other types are one call."""
    cosmo = Cosmology()
    values = [cosmo.age(1), cosmo.age(z=1.0), cosmo.age(np.float64(1.0), unit=1), cosmo.age(True)]
    assert len(set(values)) == 1
    assert len(CALLS) == 1


def test_an_equal_owner_finds_the_result() -> None:
    """Results belong to the parameters, not to the object."""
    first = Cosmology(70.0).age(1.0)
    assert Cosmology(70).age(1.0) == first
    assert len(CALLS) == 1


def test_nothing_outlives_its_parameters() -> None:
    """A changed parameter is noticed at the next call, and the old results return with the old value."""
    cosmo = Cosmology(70.0)
    old = cosmo.age(0.0)
    cosmo.H0 = 35.0
    assert cosmo.age(0.0) == 2 * old
    cosmo.H0 = 70.0
    assert cosmo.age(0.0) == old
    assert len(CALLS) == 2  # the last one came from disk


def test_memory_only_results_go_with_their_parameters() -> None:
    """Without persistence a change forgets for good."""
    cosmo = Cosmology()
    cosmo.power(1.0)
    cosmo.Om0 = 0.4
    assert cosmo.power(1.0) == 0.4
    cosmo.Om0 = 0.3
    assert cosmo.power(1.0) == 0.3
    assert len(CALLS) == 3


def test_nan_hits() -> None:
    """NaN is an argument like any other."""
    cosmo = Cosmology()
    cosmo.age(float("nan"))
    cosmo.age(np.nan)
    assert len(CALLS) == 1


def test_none_is_a_result() -> None:
    """None is stored, in memory and on disk."""
    assert Cosmology().nothing() is None
    cosmo = Cosmology()
    assert cosmo.nothing() is None
    assert cosmo.nothing() is None
    assert CALLS == ["nothing"]


def test_arrays_are_keyed_by_content() -> None:
    """Memory layout makes no difference to an array argument, content and dtype do."""
    cosmo, array = Cosmology(), np.arange(6.0).reshape(2, 3)
    for same in (array, array.copy(order="F"), np.repeat(array, 2, axis=0)[::2]):
        cosmo.quiet.cached(same)
        cosmo.quiet(same)
    assert len(CALLS) == 1
    cosmo.quiet(array.astype(np.float32))
    cosmo.quiet(array + 1)
    assert len(CALLS) == 3


def test_an_unstable_argument_is_refused_by_name() -> None:
    """An argument without a stable form is a TypeError that names it, and nothing is computed."""
    with pytest.raises(UnstableKeyError, match=r"argument 'z' of Cosmology\.age\(\)") as caught:
        Cosmology().age(object())  # type: ignore[arg-type]
    assert isinstance(caught.value, TypeError)
    assert caught.value.found == "builtins.object"
    assert "ignore=" in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).found == caught.value.found
    assert not CALLS


def test_ignored_arguments_do_not_count() -> None:
    """An ignored argument may be anything, and changes nothing."""
    cosmo = Cosmology()
    assert cosmo.quiet(2.0, verbose=True) == cosmo.quiet(2.0) == cosmo.quiet(2.0, object())  # type: ignore[arg-type]
    assert len(CALLS) == 1


@given(st.floats(-1e6, 1e6))
@settings(deadline=None, max_examples=50)
def test_rounded_arguments_key_and_compute_the_rounded_value(z: float) -> None:
    """What is computed is the value of the rounded argument, so all that share the key share the truth."""
    assert Cosmology().rounded(z) == round(z, 2)


def test_rounding_takes_arrays_and_none_and_refuses_text() -> None:
    """Arrays are rounded by element, None is left alone, text is refused by name."""
    cosmo = Cosmology()
    np.testing.assert_array_equal(cosmo.rounded(np.array([0.123, 0.456])), [0.12, 0.46])  # type: ignore[arg-type]
    assert cosmo.rounded(None) is None  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="argument 'z' of"):
        cosmo.rounded("one")  # type: ignore[arg-type]


def test_depends_keeps_what_does_not_depend() -> None:
    """A change of other parameters keeps the result; a change of a named one does not."""
    cosmo = Cosmology()
    cosmo.growth()
    cosmo.H0 = 50.0
    cosmo.growth()
    assert CALLS == ["growth"]
    cosmo.Om0 = 0.5
    assert cosmo.growth() == 0.5


def test_a_wrong_call_says_so() -> None:
    """A call that does not fit the signature is a TypeError with the method's name."""
    with pytest.raises(TypeError, match=r"Cosmology\.age\(\) missing 1 required positional argument: 'z'"):
        Cosmology().age()  # type: ignore[call-arg]


def test_an_exception_is_never_stored() -> None:
    """What failed once is tried again."""

    @keyed_by("n")
    class Failing:
        n = 1

        @stored
        def method(self) -> int:
            CALLS.append(1)
            if len(CALLS) == 1:
                raise ValueError("first time")
            return 2

    owner = Failing()
    with pytest.raises(ValueError, match="first time"):
        owner.method()
    assert owner.method() == 2


def test_parameters_changed_by_the_method_leave_nothing_stored() -> None:
    """A result computed while parameters changed is returned and not kept, under either parameters."""

    @keyed_by("n")
    class Restless:
        def __init__(self) -> None:
            self.n = 0

        @stored
        def method(self) -> int:
            self.n += 1
            return self.n

    owner = Restless()
    assert [owner.method(), owner.method()] == [1, 2]
    owner.n = 0
    assert owner.method() == 1
    assert owner.method.cache_info().stores == 0


# -- versions --


def make(source: str, tmp_path: Path, name: str) -> Any:
    """A class from a source file, as an import would make it."""
    file = tmp_path / f"{name}.py"
    file.write_text("from stored import stored, keyed_by\n" + textwrap.dedent(source))
    module = types.ModuleType("same_module")
    module.__file__ = str(file)
    exec(compile(file.read_text(), str(file), "exec"), vars(module))
    return module.Model  # type: ignore[attr-defined]


BODY = """
@keyed_by("n")
class Model:
    n = 3
    {decorator}
    def method(self):
        {body}
"""


def test_a_changed_body_never_returns_the_old_result(tmp_path: Path) -> None:
    """Comments and docstrings keep a result; another body does not."""
    bodies = ["return self.n", "'''Doc.'''\n        return self.n  # as before", "return self.n + 1"]
    results = []
    for index, body in enumerate(bodies):
        model = make(BODY.format(decorator="@stored", body=body), tmp_path, f"v{index}")()
        results.append((model.method.cached(), model.method()))
    assert results == [(False, 3), (True, 3), (False, 4)]


def test_an_explicit_version_stands_for_the_source(tmp_path: Path) -> None:
    """With a version the body may change and the result stays; another version is another result."""
    first = make(BODY.format(decorator="@stored(version='1')", body="return self.n"), tmp_path, "a")()
    same = make(BODY.format(decorator="@stored(version='1')", body="return self.n + 1"), tmp_path, "b")()
    other = make(BODY.format(decorator="@stored(version='2')", body="return self.n + 1"), tmp_path, "c")()
    assert [first.method(), same.method(), other.method()] == [3, 3, 4]


def test_classes_of_one_factory_are_told_apart() -> None:
    """A constant from the enclosing function is part of the method's version."""

    def factory(power: int) -> Any:
        @keyed_by("n")
        class Made:
            n = 3

            @stored
            def method(self) -> int:
                return int(self.n**power)

        return Made()

    assert [factory(1).method(), factory(2).method(), factory(1).method()] == [3, 9, 3]


def test_another_axis_is_another_definition(tmp_path: Path) -> None:
    """Changing the axis makes the table anew."""
    source = """
    from stored import Axis
    @keyed_by("n")
    class Model:
        n = 3
        @stored(interpolate=Axis("x", 0.0, 1.0, points={points}))
        def method(self, x):
            return x
    """
    first = make(source.format(points=5), tmp_path, "a")()
    first.method(0.5)
    assert make(source.format(points=5), tmp_path, "b")().method.cached(0.1)
    assert not make(source.format(points=6), tmp_path, "c")().method.cached(0.1)


# -- owners --


class Described:
    """Tells its own string."""

    def __init__(self, n: float) -> None:
        self.n = n

    def getHashableString(self) -> str:
        return f"Described {self.n}"

    def getName(self) -> str:
        return "described"

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


class Hidden(Described):
    """The same with the underscore of Colossus."""

    getHashableString = None  # type: ignore[assignment]

    def _getHashableString(self) -> str:
        return f"Hidden {self.n}"


class Held:
    """Holds a StorageUser."""

    attribute = "su"

    def __init__(self, n: float) -> None:
        self.n = n
        self.changes = 0
        setattr(self, self.attribute, StorageUser("held", "rw", self.name, self.string, self.changed))

    def name(self) -> str:
        return "held"

    def string(self) -> str:
        return f"held {self.n}"

    def changed(self) -> None:
        self.changes += 1

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


class HeldLong(Held):
    attribute = "storageUser"


@dataclasses.dataclass(frozen=True)
class Frozen:
    n: float
    label: str = dataclasses.field(default="", compare=False)

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    n: float

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@attrs.frozen
class FrozenAttrs:
    n: float

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@keyed_by("n")
class Slotted:
    __slots__ = ("n",)

    def __init__(self, n: float) -> None:
        self.n = n

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


@keyed_by("n")
class Plain:
    def __init__(self, n: float) -> None:
        self.n = n

    @stored
    def method(self) -> float:
        CALLS.append(self.n)
        return self.n


OWNERS = [Described, Hidden, Held, HeldLong, Frozen, FrozenSlots, FrozenAttrs, Slotted, Plain]


def set_parameter(owner: Any, n: float) -> None:
    object.__setattr__(owner, "n", n)  # what nobody should do to a frozen object is noticed too


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


@pytest.mark.parametrize("kind", [kind for kind in OWNERS if kind not in {FrozenSlots, Slotted}])
def test_owners_are_freed(kind: Any) -> None:
    """Nothing of ours keeps an owner alive; one with a StorageUser refers to itself and waits for gc."""
    owner = kind(1.0)
    owner.method()
    reference = weakref.ref(owner)
    del owner
    if issubclass(kind, Held):
        gc.collect()
    assert reference() is None


def test_an_attribute_su_may_be_anything() -> None:
    """Only a StorageUser in storageUser or su describes an owner."""
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


def test_an_owner_may_share_the_space_of_another_kind() -> None:
    """An object can hold the StorageUser of its cosmology; its results then follow the cosmology."""

    class Halo:
        def __init__(self, cosmo: Held) -> None:
            self.cosmo, self.su = cosmo, cosmo.su  # type: ignore[attr-defined]

        @stored
        def mass(self) -> float:
            return self.cosmo.n * 10

    cosmo = Held(1.0)
    halo = Halo(cosmo)
    assert halo.mass() == 10.0
    cosmo.n = 2.0
    assert halo.mass() == 20.0


def test_methods_and_explicit_calls_share_a_space() -> None:
    """A change noticed by either is announced once and resets both."""
    owner = Held(1.0)
    owner.su.storeObject("method", "explicit", persistent=False)  # type: ignore[attr-defined]
    assert owner.method() == 1.0
    assert owner.su.getStoredObject("method") == "explicit"  # type: ignore[attr-defined]
    owner.n = 2.0
    assert owner.method() == 2.0
    assert owner.changes == 1
    assert owner.su.getStoredObject("method") is None  # type: ignore[attr-defined]
    assert owner.changes == 1


def test_an_owner_that_tells_nothing_is_refused() -> None:
    """The error names the class and the four ways."""

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
    """An owner's own string must be text."""

    class Wrong(Described):
        def getHashableString(self) -> str:
            return 5  # type: ignore[return-value]

    with pytest.raises(OwnerError, match="returned 5 of type int"):
        Wrong(1.0).method()


def test_depends_is_checked_when_the_class_is_made() -> None:
    """depends may name parameters only, and needs them one by one."""
    with pytest.raises(OwnerError, match="'H1', which is none of the parameters H0"):

        @keyed_by("H0")
        class Wrong:
            @stored(depends=("H1",))
            def method(self) -> int:
                return 1

    class StringOwner(Described):
        @stored(depends=("n",))
        def other(self) -> int:
            return 1

    class UserOwner(Held):
        @stored(depends=("n",))
        def other(self) -> int:
            return 1

    for owner in (StringOwner(1.0), UserOwner(1.0)):
        with pytest.raises(OwnerError, match="single parameters"):
            owner.other()


def test_overrides_with_super_are_two_results() -> None:
    """A method and the override that calls it never answer for one another."""

    class Child(Plain):
        @stored
        def method(self) -> float:
            return super().method() + 10.0

    child = Child(1.0)
    assert [child.method(), child.method(), Plain.method(child)] == [11.0, 11.0, 1.0]
    assert Child(1.0).method() == 11.0
    assert Plain(1.0).method() == 1.0


def test_slotted_owners_are_remembered_within_bounds() -> None:
    """Owners without weak references are known by their parameters, a bounded number of them."""
    for n in range(registry._MOST_UNREFERENCED + 10):
        Slotted(float(n)).method()
    assert len(registry._default_registry.unreferenced) <= registry._MOST_UNREFERENCED


# -- what is handed out --


def test_arrays_cannot_be_changed() -> None:
    """Arrays come read-only from the first call on, and stay so."""
    cosmo = Cosmology()
    for array in (cosmo.grid(), cosmo.grid(), Cosmology().grid()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_the_methods_own_array_is_not_shared() -> None:
    """A method may go on using the array that it returned."""

    @keyed_by("n")
    class Reusing:
        n = 1

        def __init__(self) -> None:
            self.buffer = np.zeros(2)

        @stored(persistent=False)
        def method(self, k: float) -> np.ndarray:
            self.buffer[:] = k
            return self.buffer

    owner = Reusing()
    first = owner.method(1.0)
    owner.method(2.0)
    np.testing.assert_array_equal(first, [1.0, 1.0])
    np.testing.assert_array_equal(owner.method(1.0), [1.0, 1.0])


def test_containers_are_handed_out_anew() -> None:
    """Changing a returned list or dict changes nothing stored."""
    cosmo = Cosmology()
    cosmo.containers()["a"].append(3)
    cosmo.containers()["b"] = []
    assert cosmo.containers() == {"a": [1, 2]}
    assert Cosmology().containers() == {"a": [1, 2]}


def test_copy_hands_out_private_arrays() -> None:
    """With copy=True each caller may write into what it got."""
    cosmo = Cosmology()
    for array in (cosmo.private(), cosmo.private(), Cosmology().private()):
        assert array.sum() == 0.0
        array[:] = 1.0
    assert len(CALLS) == 1


# -- attributes --


def test_cache_clear() -> None:
    """One call, all calls of an owner, and all live owners can be forgotten, on disk too."""
    first, second = Cosmology(70.0), Cosmology(71.0)
    for cosmo in (first, second):
        cosmo.age(1.0), cosmo.age(2.0)
    first.age.cache_clear(1.0)
    assert (first.age.cached(1.0), first.age.cached(2.0), second.age.cached(1.0)) == (False, True, True)
    first.age.cache_clear()
    assert first.age.cache_info()[:4] == (0, 0, None, 0)
    assert (first.age.cached(2.0), second.age.cached(1.0)) == (False, True)
    first.age(1.0)
    Cosmology.age.cache_clear(first)
    assert (first.age.cached(1.0), second.age.cached(1.0)) == (False, True)
    Cosmology.age.cache_clear()
    assert not second.age.cached(1.0)
    assert not Cosmology(71.0).age.cached(1.0)


def test_class_wide_clear_of_an_owner_that_never_computed() -> None:
    """An owner whose only call failed has nothing to clear."""
    owner = FrozenSlots(1.0)
    with pytest.raises(TypeError):
        owner.method(1, 2)  # type: ignore[call-arg]
    FrozenSlots.method.cache_clear()
    assert not owner.method.cached()


def test_cache_clear_leaves_other_methods_alone() -> None:
    """Only the results of this method go."""
    cosmo = Cosmology()
    cosmo.age(1.0), cosmo.growth(), cosmo.grid()
    cosmo.age.cache_clear()
    assert cosmo.growth.cached()
    assert cosmo.grid.cached()


def test_class_wide_clear_reaches_every_kind_of_owner() -> None:
    """Owners with a StorageUser and owners without weak references are cleared with the others."""
    for kind in OWNERS:
        owner = kind(1.0)
        owner.method()
        kind.method.cache_clear()
        assert not owner.method.cached(), kind


def test_cache_info_counts() -> None:
    """Hits and misses as functools counts them, and what the disk and the time were good for."""
    cosmo = Cosmology()
    cosmo.power(1.0), cosmo.power(1.0), cosmo.power(2.0), cosmo.power(3.0)
    info = cosmo.power.cache_info()
    assert (info.hits, info.misses, info.maxsize, info.currsize) == (1, 3, 2, 2)
    assert (info.persistent_hits, info.stores) == (0, 0)
    cosmo.age(1.0)
    other = Cosmology()
    other.age(1.0), other.age(1.0)
    info = other.age.cache_info()
    assert (info.hits, info.misses, info.persistent_hits, info.stores) == (2, 0, 1, 0)
    assert info.seconds_saved > 0.0
    assert Cosmology.age.cache_info(cosmo).stores == 1


def test_maxsize_drops_the_least_recently_used() -> None:
    """A used result outlives an unused one."""
    cosmo = Cosmology()
    cosmo.power(1.0), cosmo.power(2.0), cosmo.power(1.0), cosmo.power(3.0)
    assert [cosmo.power.cached(k) for k in (1.0, 2.0, 3.0)] == [True, False, True]


def test_cached_computes_nothing() -> None:
    """cached looks in memory and on disk, and leaves it at that."""
    cosmo = Cosmology()
    assert not cosmo.age.cached(1.0)
    assert not CALLS
    cosmo.age(1.0)
    assert cosmo.age.cached(1.0)
    assert Cosmology.age.cached(Cosmology(), 1.0)


def test_refresh_replaces_everywhere() -> None:
    """refresh computes again; memory and disk then have the new value."""

    @keyed_by("n")
    class Counting:
        n = 1

        @stored
        def method(self) -> int:
            CALLS.append(1)
            return len(CALLS)

    owner = Counting()
    assert [owner.method(), owner.method(), owner.method.refresh(), owner.method()] == [1, 1, 2, 2]
    assert Counting().method() == 2
    assert Counting.method.refresh(owner) == 3


def test_explain_names_the_difference() -> None:
    """Explanations tell hits from misses and name the parts that differ, with both values."""
    cosmo = Cosmology()
    assert str(cosmo.age.explain(1.0)).endswith("miss, nothing of this method is stored")
    cosmo.age(1.0)
    assert cosmo.age.explain(1.0).where == "memory"
    assert "hit, in memory" in str(cosmo.age.explain(1.0))
    assert Cosmology().age.explain(1.0).where == "store"
    assert "hit, in the store" in repr(Cosmology.age.explain(Cosmology(), 1.0))
    assert cosmo.age.explain(2.0).differences == {"argument z": ("1", "2")}
    cosmo.H0 = 50.0
    explanation = cosmo.age.explain(1.0)
    assert explanation.differences == {"parameter H0": ("70", "50")}
    assert "parameter H0 is 50, stored is 70" in str(explanation)


def test_explain_of_memory_only_results() -> None:
    """What was never written is explained from memory."""
    cosmo = Cosmology()
    cosmo.power(1.0)
    assert cosmo.power.explain(2.0).differences == {"argument k": ("1", "2")}


def test_explain_sees_another_version(tmp_path: Path) -> None:
    """A changed body is named as the reason."""
    make(BODY.format(decorator="@stored", body="return 1"), tmp_path, "a")().method()
    other = make(BODY.format(decorator="@stored", body="return 2"), tmp_path, "b")()
    assert list(other.method.explain().differences) == ["the method's version"]


def test_explain_of_a_string_owner() -> None:
    """A hashable string without parts is compared whole."""
    Described(1.0).method()
    differences = Described(2.0).method.explain().differences
    assert differences == {"the hashable string": ("Described 1.0", "Described 2.0")}


def test_wrapped_is_the_plain_method() -> None:
    """Through __wrapped__ nothing is looked up or stored."""
    cosmo = Cosmology()
    assert cosmo.age.__wrapped__(1.0) == 1 / 140
    assert not cosmo.age.cached(1.0)


def test_the_method_looks_like_the_original() -> None:
    """Name, docstring, signature, annotations and kind are those of the plain function."""
    plain, method, bound = Cosmology.age.__wrapped__, Cosmology.age, Cosmology().age
    for each in (method, bound):
        assert each.__name__ == "age"
        assert each.__qualname__ == "Cosmology.age"
        assert each.__doc__ == "Age at a redshift."
        assert each.__module__ == __name__
        assert each.__annotations__ == plain.__annotations__
    assert inspect.signature(method) == inspect.signature(plain)
    assert list(inspect.signature(bound).parameters) == ["z", "unit"]
    assert inspect.isfunction(method)
    assert inspect.ismethod(bound)
    assert bound.__self__.H0 == 70.0
    assert "stored method Cosmology.age" in repr(bound)
    assert repr(method) == "<stored method Cosmology.age>"
    assert (Cosmology.H0 if hasattr(Cosmology, "H0") else None) is None


def test_bound_methods_compare_pickle_and_copy() -> None:
    """A bound stored method behaves as a bound method does."""
    cosmo = Cosmology()
    assert cosmo.age == cosmo.age
    assert hash(cosmo.age) == hash(cosmo.age)
    assert cosmo.age != Cosmology().age
    assert cosmo.age != cosmo.grid
    assert cosmo.age != 1
    again = pickle.loads(pickle.dumps(cosmo.age))
    assert again(1.0) == cosmo.age(1.0)
    assert again.__self__ is not cosmo
    assert copy.copy(cosmo.age) == cosmo.age
    assert copy.deepcopy(cosmo.age).__self__ is not cosmo
    for duplicate in (
        pickle.loads(pickle.dumps(Cosmology.age)),
        copy.copy(Cosmology.age),
        copy.deepcopy(Cosmology.age),
    ):
        assert duplicate is Cosmology.age


def test_a_method_under_another_name_pickles() -> None:
    """The attribute of the class counts, not the name of the function."""
    assert pickle.loads(pickle.dumps(Renamed(2.0).other))() == 2.0


@keyed_by("n")
class Renamed:
    def __init__(self, n: float) -> None:
        self.n = n

    def _method(self) -> float:
        return self.n

    other = stored(_method)


def test_methods_of_one_wrapper_are_told_apart() -> None:
    """Functions that a factory made are known by their places in the class, in results and when they are cleared."""

    def power(exponents: list[int]) -> Any:
        def compute(self: Any) -> int:
            return int(self.n ** exponents[0])

        return compute

    @keyed_by("n")
    class Powers:
        n = 3
        square, cube = stored(power([2])), stored(power([3]))
        again = square

    owner = Powers()
    assert [owner.square(), owner.cube(), owner.again()] == [9, 27, 9]
    owner.cube.cache_clear()
    assert owner.square.cached()


def test_properties_can_be_stored() -> None:
    """@property goes above @stored."""

    @keyed_by("n")
    class WithProperty:
        n = 1

        @property
        @stored
        def doubled(self) -> int:
            CALLS.append(1)
            return 2 * self.n

    owner = WithProperty()
    assert [owner.doubled, owner.doubled] == [2, 2]
    assert len(CALLS) == 1


# -- misuse --


def generator(self: object) -> Any:
    yield 1


async def coroutine(self: object) -> int:
    return 1


async def asynchronous_generator(self: object) -> Any:
    yield 1


@pytest.mark.parametrize(
    "wrong",
    [staticmethod(len), classmethod(len), property(len), int, 5, generator, coroutine, asynchronous_generator],
)
def test_only_plain_methods_can_be_stored(wrong: Any) -> None:
    """Anything but a plain method is refused where it is decorated."""
    with pytest.raises(TypeError, match=r"plain methods|used only once"):
        stored(wrong)


def test_code_without_source_needs_a_version() -> None:
    """A built-in cannot tell its version, and works with one."""
    with pytest.raises(TypeError, match="version="):
        stored(len)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ignore": ("nonsense",)}, "ignore of .* names 'nonsense'; its arguments are x"),
        ({"round": {"nonsense": 2}}, "round of .* names 'nonsense'"),
        ({"ignore": "x"}, "ignore of .* is 'x'; give a tuple of names"),
        ({"depends": "x"}, r"depends is the string 'x'; give a tuple"),
        ({"persistent": "rw"}, "persistent is 'rw'; it must be True or False"),
        ({"interpolate": (Axis("x", 0, 1, points=5), Axis("x", 0, 1, points=5))}, "two axes of one name, 'x'"),
        ({"maxsize": 0}, "maxsize is 0; it must be a positive integer"),
        (
            {"interpolate": (Axis("x", 0, 1, points=5), Axis("y", 0, 1))},
            r"points=\[5, None\]; give points for both",
        ),
        ({"interpolate": 5}, "interpolate is 5; give True, an Axis, or a pair"),
        ({"interpolate": Axis("nonsense", 0.0, 1.0, points=5)}, "interpolate of .* names 'nonsense'"),
    ],
)
def test_wrong_options_are_refused_at_decoration(options: dict[str, Any], message: str) -> None:
    """An option that cannot work says so when the class is made."""
    with pytest.raises((TypeError, ValueError), match=message):
        stored(**options)(lambda self, x: x)


def test_code_without_a_name_is_refused() -> None:
    """What has no name cannot have results of its own."""
    with pytest.raises(TypeError, match="has no __name__"):
        stored(version="1")(functools.partial(function))


def test_a_function_without_self_is_refused() -> None:
    """Stored methods have owners."""
    with pytest.raises(TypeError, match="takes no self"):
        stored(lambda: 1)


# -- interpolation --


def test_a_table_becomes_an_interpolant() -> None:
    """interpolate=True gives a spline, made once, from memory and from disk."""
    for cosmo in (Cosmology(), Cosmology()):
        assert cosmo.table()(0.5) == pytest.approx(70.0 / 8)
        assert cosmo.table()(0.5) == pytest.approx(70.0 / 8)
    assert CALLS == ["table"]


def test_a_curve_is_sampled_once() -> None:
    """The method is called at the nodes, once for each set of other arguments, and never again."""
    cosmo = Cosmology()
    assert cosmo.curve(0.5) == pytest.approx(0.125)
    assert len(CALLS) == 20
    assert cosmo.curve(0.25, scale=2.0) == pytest.approx(2 * 0.25**3)
    assert len(CALLS) == 40
    np.testing.assert_allclose(Cosmology().curve([[0.5], [1.0]]), [[0.125], [1.0]])  # type: ignore[arg-type]
    assert isinstance(cosmo.curve(0.5), float)
    assert len(CALLS) == 40


def test_exact_calls_outside_the_axis_are_counted() -> None:
    """outside="exact" calls the method itself, with the other arguments, and cache_info says so."""
    cosmo = Cosmology()
    assert cosmo.curve(2.0, scale=3.0) == 24.0
    np.testing.assert_allclose(cosmo.curve(np.array([0.5, 3.0])), [0.125, 27.0])  # type: ignore[arg-type]
    assert cosmo.curve.cache_info().exact_calls == 2


def test_a_surface_is_sampled_on_a_grid() -> None:
    """A pair of axes makes a surface."""
    cosmo = Cosmology()
    assert cosmo.surface(0.5, 1.5) == pytest.approx(0.75)
    assert len(CALLS) == 30
    with pytest.raises(OutsideAxisError, match=r"y = 3\.0 is outside the axis"):
        cosmo.surface(0.5, 3.0)


def test_interpolated_results_refresh_and_clear() -> None:
    """refresh samples again, and gives the value; cache_clear drops the table."""
    cosmo = Cosmology()
    assert cosmo.curve.refresh(0.5) == pytest.approx(0.125)
    assert cosmo.curve.cached(0.1)
    cosmo.curve.cache_clear()
    assert not cosmo.curve.cached(0.1)


@keyed_by("scale")
class Curves:
    """Interpolated methods of every kind, of one parameter that every value shows."""

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    @stored(interpolate=Axis("x", 0.1, 3.0, spacing="log", values="log", rtol=1e-10, vectorized=False))
    def power(self, x: float) -> float:
        """scale * x**2"""
        CALLS.append("power")
        return self.scale * x**2

    @stored(interpolate=Axis("x", 0.0, 7.0, atol=1e-10, vectorized=False))
    def wave(self, amplitude: float, x: float, *, phase: float = 0.0) -> float:
        return self.scale * amplitude * math.sin(x + phase)

    @stored(interpolate=(Axis("x", 0.0, 1.0), Axis("y", 0.0, 2.0)))
    def plane(self, x: float, y: float) -> float:
        return self.scale + x * y**2

    @stored(interpolate=Axis("x", 0.0, 1.0, vectorized=True))
    def arrays(self, x: Any) -> Any:
        CALLS.append(np.shape(x))
        return self.scale + x

    @stored(interpolate=Axis("x", 0.0, 1.0, rtol=1e-8, max_points=30))
    def hard(self, x: float) -> float:
        return self.scale + abs(x - 0.3)


def test_interpolated_methods_have_inverse_derivative_integral_and_roots() -> None:
    """They are those of the interpolant that answers the calls."""
    curves = Curves()
    assert curves.power.inverse(curves.power(1.5)) == pytest.approx(1.5, rel=1e-14)
    assert curves.power.derivative(1.5) == pytest.approx(6.0)
    assert curves.power.derivative(1.5, 2) == curves.power.derivative(1.5, nu=2) == pytest.approx(4.0)
    assert curves.power.integral(0.5, 2.0) == pytest.approx(2 / 3 * (8 - 0.125))
    np.testing.assert_allclose(curves.power.roots(2.0), [1.0])
    assert curves.power.exact(1.5) == 4.5
    assert curves.power.interpolant()(1.5) == curves.power(1.5)
    assert curves.power.cache_info().misses == 1


def test_other_arguments_choose_the_table() -> None:
    """They are given beside the values along the axis, by name, or in order to interpolant()."""
    curves = Curves()
    assert curves.wave(3.0, 1.0, phase=0.5) == pytest.approx(6.0 * math.sin(1.5))
    for made in (curves.wave.interpolant(3.0, phase=0.5), curves.wave.interpolant(amplitude=3.0, phase=0.5)):
        assert made(1.0) == curves.wave(3.0, 1.0, phase=0.5)
    assert curves.wave.derivative(1.0, amplitude=3.0) == pytest.approx(6.0 * math.cos(1.0), rel=1e-6)
    assert curves.wave.inverse(3.0, (0.0, 1.5), amplitude=3.0) == pytest.approx(math.pi / 6)
    assert curves.wave.integral(0.0, math.pi, amplitude=3.0) == pytest.approx(12.0)
    np.testing.assert_allclose(curves.wave.roots(amplitude=3.0), [0.0, math.pi, 2 * math.pi], atol=1e-9)
    np.testing.assert_allclose(curves.wave.exact(3.0, [0.0, 1.0]), [0.0, 6.0 * math.sin(1.0)])  # type: ignore[arg-type]
    assert curves.wave.cache_info().currsize == 2
    for wrong in ({}, {"amplitude": 1.0, "x": 1.0}, {"amplitude": 1.0, "depth": 2}):
        with pytest.raises(TypeError, match=r"Curves\.wave\(\) got a call that does not fit its signature"):
            curves.wave.interpolant(**wrong)


def test_rounded_arguments_have_no_shortcut_and_an_interpolant() -> None:
    """The value along the axis is rounded at every call; interpolant() has none to round."""

    @keyed_by("scale")
    class Rounded:
        scale = 2.0

        @stored(interpolate=Axis("x", 0.0, 3.0), round={"x": 1, "y": 0})
        def power(self, x: float, y: float = 1.2) -> float:
            return self.scale * x * y

    rounded = Rounded()
    assert repeated(rounded, 1.54) == pytest.approx(3.0)
    assert rounded.power.interpolant()(1.54) == pytest.approx(3.08)


def test_arguments_named_like_options_go_to_the_interpolant() -> None:
    """Where a name means both, the error says how to tell which."""

    @keyed_by("scale")
    class Named:
        scale = 2.0

        @stored(interpolate=Axis("x", 0.5, 3.0))
        def flux(self, x: float, nu: float = 1.0, value: float = 0.0) -> float:
            return self.scale * x**nu + value

    named = Named()
    with pytest.raises(TypeError, match=r"has an argument 'nu' of its own.*flux\.interpolant\(nu=\.\.\.\)\.derivative"):
        named.flux.derivative(1.0, nu=2)
    with pytest.raises(TypeError, match="has an argument 'value' of its own"):
        named.flux.roots(1.0)
    assert named.flux.interpolant(nu=2.0).derivative(1.0) == pytest.approx(4.0)  # type: ignore[attr-defined]
    assert named.flux.integral(1.0, 2.0, nu=2.0) == pytest.approx(14 / 3)


def test_tables_are_read_only_from_the_first() -> None:
    """Nobody can write into what answers the calls of all, freshly sampled or found again."""
    for curves in (Curves(), Curves()):
        made = curves.power.interpolant()
        for array in (made.values, *made.nodes, *made.held_out):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 7.0


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


def test_surfaces_have_derivatives_and_no_inverse() -> None:
    """What is for one axis says so."""
    curves = Curves()
    assert curves.plane(0.5, 1.0) == pytest.approx(2.5)
    assert curves.plane.derivative(0.5, 1.5) == pytest.approx(2.25, rel=1e-4)
    assert curves.plane.derivative(0.5, 1.5, nu=(1, 1)) == pytest.approx(3.0, rel=1e-3)
    np.testing.assert_allclose(curves.plane.exact(0.5, [1.0, 2.0]), [2.5, 4.0])  # type: ignore[arg-type]
    for call in (lambda: curves.plane.inverse(1.0), lambda: curves.plane.integral(0, 1), lambda: curves.plane.roots()):
        with pytest.raises(TypeError, match=r"plane\(\) is interpolated along x and y; \w+ is for one axis only"):
            call()


@pytest.mark.parametrize("name", ["interpolant", "inverse", "derivative", "integral", "roots", "exact"])
def test_other_methods_have_no_interpolant(name: str) -> None:
    """The error says what to decorate with; hasattr is False."""
    cosmo = Cosmology()
    assert hasattr(cosmo.curve, name)
    with pytest.raises(
        AttributeError, match=rf"age\(\) is not interpolated .* has no {name}; say @stored\(interpolate"
    ):
        getattr(cosmo.age, name)
    with pytest.raises(AttributeError, match=rf"has no {name}; the call itself gives the spline of its table"):
        getattr(cosmo.table, name)


def test_a_tolerance_that_is_not_met_stores_nothing() -> None:
    """The error names method and axis, comes again, and nothing is kept of it."""
    curves = Curves()
    for _ in range(2):
        with pytest.raises(
            ToleranceError, match=r"Curves\.hard\(\) was not interpolated to 1e-08 along x: after \d+ evaluations"
        ):
            curves.hard(0.5)
    assert not curves.hard.cached(0.5)
    assert curves.hard.cache_info().stores == 0


def test_disabled_interpolants_are_made_each_time() -> None:
    """With disable=True nothing is found or kept, and the interpolant is still one."""
    curves = Curves()
    with configure(disable=True):
        assert curves.power.interpolant()(1.5) == pytest.approx(4.5)
        made = len(CALLS)
        assert curves.power.inverse(4.5) == pytest.approx(1.5)
    assert len(CALLS) == 2 * made
    assert not curves.power.cached(1.5)


# -- shortcuts: repeated calls with a float must notice all that other calls notice --


@pytest.fixture(params=[False, True], ids=["no StorageUser made", "some made"])
def has_storage_users(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether owners can hold a StorageUser, which decides how they are looked at."""
    monkeypatch.setattr(validity, "has_storage_users", request.param)
    validity.invalidate()
    return bool(request.param)


def repeated(curves: Any, x: float = 1.5) -> float:
    """A call after others that make it a shortcut."""
    for _ in range(3):
        curves.power(x)
    return float(curves.power(x))


@pytest.mark.usefixtures("has_storage_users")
def test_a_shortcut_notices_every_change_of_a_parameter() -> None:
    """Assigned, written to the __dict__, deleted, or of another type: the next call knows."""
    curves = Curves()
    assert repeated(curves) == pytest.approx(4.5)
    curves.scale = 3.0
    assert curves.power(1.5) == pytest.approx(6.75)
    assert repeated(curves) == pytest.approx(6.75)
    vars(curves)["scale"] = 5.0
    assert curves.power(1.5) == pytest.approx(11.25)
    assert repeated(curves) == pytest.approx(11.25)
    curves.scale = np.array([1.0])  # type: ignore[assignment]
    with pytest.raises(package.TableError, match="must return one real number"):
        curves.power(1.5)
    del curves.scale
    with pytest.raises(OwnerError, match="set every parameter"):
        curves.power(1.5)
    curves.scale = 5
    assert repeated(curves) == pytest.approx(11.25)


@pytest.mark.usefixtures("has_storage_users")
def test_equal_parameters_keep_the_shortcut() -> None:
    """Another object of equal value changes nothing, and calls are counted one by one."""
    curves = Curves(float("2.5"))
    repeated(curves)
    curves.scale = float("2.50")
    repeated(curves)
    made = len(CALLS)
    assert curves.power.cache_info()[:2] == (7, 1)
    repeated(curves)
    assert curves.power.cache_info()[:2] == (11, 1)
    assert len(CALLS) == made


@pytest.mark.usefixtures("has_storage_users")
def test_a_shortcut_ends_with_what_it_leads_to() -> None:
    """refresh and cache_clear, of the owner's method and the class's, sample again."""
    curves, other = Curves(), Curves()
    repeated(curves)
    one = len(CALLS)
    for number, forget in enumerate(
        (
            lambda: curves.power.refresh(1.5),
            lambda: curves.power.cache_clear(),
            lambda: curves.power.cache_clear(1.5),
            lambda: Curves.power.cache_clear(curves),
            lambda: Curves.power.cache_clear(),
        ),
        start=2,
    ):
        forget()
        assert repeated(curves) == pytest.approx(4.5)
        assert len(CALLS) == number * one
    assert repeated(other) == pytest.approx(4.5)
    assert len(CALLS) == 6 * one


def test_what_is_forgotten_meanwhile_gets_no_shortcut() -> None:
    """Between an answer and its shortcut another thread may clear: then there is none."""
    curves = Curves()
    definition: Any = Curves.power._self_definition
    results, call = results_for(definition, curves), bound_call(definition, curves, (1.5,), {})
    result = results.answer(curves, call)
    curves.power.cache_clear()
    results._add_shortcut(curves, call, result)
    assert results._shortcut._shortcut is None


@pytest.mark.usefixtures("has_storage_users")
def test_switches_close_shortcuts() -> None:
    """configure(disable=True) computes, for a block too, and the shortcut is there again after it."""
    curves = Curves()
    repeated(curves)
    made = len(CALLS)
    with configure(disable=True):
        assert curves.power(1.5) == 4.5
        assert curves.power(50.0) == 5000.0
    assert len(CALLS) == made + 2
    repeated(curves)
    assert len(CALLS) == made + 2


@pytest.mark.usefixtures("has_storage_users")
def test_copies_and_other_owners_do_not_share_a_shortcut() -> None:
    """Each object has the results for its own parameters, in turns."""
    curves = Curves()
    repeated(curves)
    owners = [curves, copy.copy(curves), copy.deepcopy(curves), Curves(3.0)]
    owners[1].scale = 7.0
    for _ in range(3):
        assert [each.power(1.0) for each in owners] == pytest.approx([2.0, 7.0, 2.0, 3.0])


@pytest.mark.usefixtures("has_storage_users")
def test_another_class_is_noticed() -> None:
    """An object whose class changes has the results of the new class."""

    class Double(Curves):
        def factor(self) -> float:
            return 2.0

    curves = Curves()
    repeated(curves)
    curves.__class__ = Double
    assert curves.power(1.5) == pytest.approx(4.5)
    assert curves.power.cache_info()[:2] == (0, 1)


def test_a_storage_user_that_comes_later_is_noticed() -> None:
    """An owner that is given a StorageUser after a call is keyed by what that tells too."""
    for name in ("su", "storageUser"):
        curves: Any = Curves()
        repeated(curves)
        curves.tilt = 1
        setattr(curves, name, StorageUser("m", "", lambda: "Curves", lambda: f"tilt {curves.tilt}", None))  # noqa: B023
        for tilt in (1, 2):
            curves.tilt = tilt
            made = len(CALLS)
            repeated(curves)
            assert len(CALLS) > made


def test_a_storage_user_of_the_class_is_noticed() -> None:
    """It is noticed when it comes, as that of an object is."""

    @keyed_by("scale")
    class Held(Curves):
        pass

    tilt = 1
    user = StorageUser("m", "", lambda: "Held", lambda: f"tilt {tilt}", None)
    held = Held()
    repeated(held)
    Held.su = user  # type: ignore[attr-defined]
    for tilt in (1, 2):  # noqa: B007
        made = len(CALLS)
        repeated(held)
        assert len(CALLS) > made


def test_a_delegate_has_no_shortcut_and_the_same_results() -> None:
    """A class that answers for missing attributes is looked at in full."""

    @keyed_by("scale")
    class Held(Curves):
        su: Any = None

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name)

    StorageUser("m", "", lambda: "x", lambda: "y", None)
    held = Held()
    assert repeated(held) == pytest.approx(4.5)
    held.su = StorageUser("m", "", lambda: "Held", lambda: "z", None)
    made = len(CALLS)
    repeated(held)
    assert len(CALLS) > made


@pytest.mark.usefixtures("has_storage_users")
def test_a_shortcut_keeps_nobody_alive() -> None:
    """An owner goes with its last reference, and its table with it."""
    curves = Curves()
    repeated(curves)
    gone = weakref.ref(curves)
    del curves
    assert gone() is None


@pytest.mark.usefixtures("has_storage_users")
def test_parameters_may_be_named_by_keywords() -> None:
    """Names that cannot be written with a dot are compared all the same."""

    @keyed_by("class")
    class Odd:
        @stored(interpolate=Axis("x", 0.0, 1.0, vectorized=False))
        def power(self, x: float) -> float:
            return float(getattr(self, "class") + x)

    odd = Odd()
    for value in (1.0, 2.0):
        setattr(odd, "class", value)
        assert repeated(odd, 0.5) == pytest.approx(value + 0.5)


@pytest.mark.usefixtures("has_storage_users")
def test_what_a_shortcut_does_not_answer_goes_the_other_way() -> None:
    """Integers, numpy numbers, arrays, NaN and what is outside give what they give without one."""
    curves = Curves()
    repeated(curves)
    assert curves.power(2) == curves.power(np.float32(2)) == curves.power(2.0)  # type: ignore[arg-type]
    assert [type(curves.power(x)) for x in (2, np.float64(2), 2.0)] == [float] * 3
    assert curves.power(x=2.0) == curves.power(2.0)
    assert math.isnan(curves.power(math.nan))
    np.testing.assert_allclose(curves.power([[1.0], [2.0]]), [[2.0], [8.0]])  # type: ignore[arg-type]
    with pytest.raises(OutsideAxisError):
        curves.power(4.0)
    with pytest.raises(TypeError, match="x is 'one'"):
        curves.power("one")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Curves\.power\(\) missing 1 required positional argument: 'x'"):
        curves.power()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"Curves\.power\(\) takes 2 positional arguments but 3 were given"):
        curves.power(1.0, 2.0)  # type: ignore[call-arg]
    assert curves.power.interpolant().pieces >= 1


@pytest.mark.usefixtures("has_storage_users")
def test_threads_never_mix_owners_or_parameters() -> None:
    """Many threads on owners of changing parameters: every value belongs to the parameters of its call."""
    owners = [Curves(float(number)) for number in range(1, 5)]
    wrong = []

    def work(number: int) -> None:
        curves = owners[number]
        for turn in range(60):
            curves.scale = float(turn % 3 + 1 + 10 * number)
            for other in (1.0, 1.5):
                value = curves.power(other)
                if value != pytest.approx(curves.scale * other**2, rel=1e-9):
                    wrong.append((number, turn, value))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(owners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.usefixtures("has_storage_users")
def test_slotted_owners_have_the_same_results() -> None:
    """Owners without a __dict__, and without weak references, are answered right."""

    @keyed_by("scale")
    class Slotted:
        __slots__ = ("scale",)

        @stored(interpolate=Axis("x", 0.1, 3.0, vectorized=False))
        def power(self, x: float) -> float:
            return float(self.scale * x)

    @keyed_by("scale")
    class Referenced(Slotted):
        __slots__ = ("__weakref__",)

    for kind in (Slotted, Referenced):
        owner: Any = kind()
        for scale in (1.0, 2.0, 1.0):
            owner.scale = scale
            assert repeated(owner, 1.0) == pytest.approx(scale)


# -- switches --


def test_disabled_methods_are_plain() -> None:
    """configure(disable=True) computes every time, reads nothing and writes nothing."""
    cosmo = Cosmology()
    with configure(disable=True):
        assert cosmo.age(1.0) == cosmo.age(1.0)
        assert cosmo.curve(0.5) == 0.125
        assert cosmo.table()(0.5) == pytest.approx(70.0 / 8)
    assert len(CALLS) == 4
    assert not cosmo.age.cached(1.0)
    assert cosmo.age.cache_info().misses == 0


@pytest.mark.parametrize(("persistence", "computed"), [("rw", 1), ("r", 2), ("w", 2), ("", 2)])
def test_persistence_is_obeyed(persistence: str, computed: int) -> None:
    """A new owner finds results only where they were written and may be read."""
    with configure(persistence=persistence):
        Cosmology().age(1.0)
        Cosmology().age(1.0)
    assert len(CALLS) == computed


def test_clearing_needs_the_right_to_write() -> None:
    """With read-only persistence the memory is cleared and the disk is not."""
    Cosmology().age(1.0)
    with configure(persistence="r"):
        Cosmology().age.cache_clear()
    assert Cosmology().age.cached(1.0)


# -- processes and threads --

MODEL = """
from stored import keyed_by, stored, Axis
import numpy as np, sys
calls = []
@keyed_by("H0", "name")
class Model:
    def __init__(self, H0, name): self.H0, self.name = H0, name
    @stored
    def plain(self, z, label="x"): calls.append(1); return self.H0 * z
    @stored
    def table(self): calls.append(1); return np.arange(5) * self.H0
    @stored(interpolate=Axis("z", 0, 1, points=8, vectorized=False))
    def curve(self, z): calls.append(1); return z
    @stored(interpolate=True)
    def spline(self): calls.append(1); return np.array([np.arange(5.0), np.arange(5.0)])
    @stored
    def odd(self): calls.append(1); return {frozenset([1]): complex(1, 2), "self": type(self)}
def use(H0):
    m = Model(H0, "n")
    return [float(m.plain(2.0)), m.table().tolist(), m.curve(0.5), float(m.spline()(2.5)), m.odd()[frozenset([1])]]
"""


def run(tmp_path: Path, cache_dir: Path, code: str, seed: str) -> str:
    """Run code against the model in a fresh process."""
    (tmp_path / "the_model.py").write_text(MODEL)
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(cache_dir),
        "STORED_KEY_FILE": str(tmp_path / "config" / "key"),
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_second_process_finds_every_result(tmp_path: Path, cache_dir: Path) -> None:
    """A fresh process computes nothing; with one parameter changed, everything; changed back, nothing."""
    code = "from the_model import *\nr = use({}); print(r, len(calls))"
    first = run(tmp_path, cache_dir, code.format(70.0), "1")
    assert first.endswith(" 12")
    assert run(tmp_path, cache_dir, code.format(70.0), "2") == first.replace(" 12", " 0")
    changed = f"{code.format(71.0)}; calls.clear(); r = use(70.0); print(r, len(calls))"
    other, back = run(tmp_path, cache_dir, changed, "3").splitlines()
    assert other.endswith(" 12")
    assert back == first.replace(" 12", " 0")


def test_threads_compute_once() -> None:
    """Of many threads that need one result, one computes, on one owner or on equal ones."""
    started, release = threading.Barrier(9), threading.Event()

    @keyed_by("n")
    class Slow:
        n = 1

        @stored(persistent=False)
        def method(self) -> int:
            CALLS.append(1)
            assert release.wait(20)
            return 7

    shared, results = Slow(), []

    def work(owner: Slow) -> None:
        started.wait(20)
        results.append(owner.method())

    threads = [threading.Thread(target=work, args=(shared if i % 2 else Slow(),), daemon=True) for i in range(8)]
    for thread in threads:
        thread.start()
    started.wait(20)
    while len(results_module._flights._waiting) < 7:
        pass
    release.set()
    for thread in threads:
        thread.join(20)
    assert results == [7] * 8
    shared.method()
    assert len(CALLS) == 1


def test_one_computation_for_threads_on_one_owner() -> None:
    """However the threads interleave, an owner computes a persistent result once."""
    cosmo, barrier = Cosmology(), threading.Barrier(8)

    def work() -> None:
        barrier.wait(20)
        for z in range(20):
            assert cosmo.age(float(z)) == 1 / 70 / (1 + z)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(CALLS) == 20
    info = cosmo.age.cache_info()
    assert (info.hits, info.misses) == (140, 20)


def test_threads_that_notice_a_change_share_one_memory() -> None:
    """When two threads meet new parameters at once, neither throws away what the other computes."""
    describing, go = threading.Event(), threading.Event()

    class Slow(Described):
        def getHashableString(self) -> str:
            describing.set()
            assert go.wait(20)
            return "slow"

        @stored(persistent=False)
        def result(self) -> int:
            CALLS.append(1)
            return 1

    owner = Slow(1.0)
    threads = [threading.Thread(target=owner.result, daemon=True) for _ in range(2)]
    threads[0].start()
    assert describing.wait(20)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(20)
    owner.result()
    assert CALLS == [1]


def test_recursion_through_stored_methods() -> None:
    """A stored method may call itself and other stored methods."""

    @keyed_by("n")
    class Recursive:
        n = 1

        @stored
        def fibonacci(self, k: int) -> int:
            CALLS.append(k)
            return k if k < 2 else self.fibonacci(k - 1) + self.fibonacci(k - 2)

    assert Recursive().fibonacci(30) == 832040
    assert len(CALLS) == 31


def test_a_failing_leader_frees_the_others() -> None:
    """When the thread that computes fails, another computes."""
    entered = threading.Event()
    go = threading.Event()

    @keyed_by("n")
    class Failing:
        n = 1

        @stored
        def method(self) -> int:
            CALLS.append(1)
            if len(CALLS) == 1:
                entered.set()
                assert go.wait(20)
                raise ValueError("leader")
            return 5

    owner, results = Failing(), []

    def lead() -> None:
        with pytest.raises(ValueError, match="leader"):
            owner.method()

    threads = [threading.Thread(target=lead), threading.Thread(target=lambda: results.append(owner.method()))]
    threads[0].start()
    assert entered.wait(20)
    threads[1].start()
    while not results_module._flights._waiting:
        pass
    go.set()
    for thread in threads:
        thread.join(20)
    assert results == [5]


# -- what a review found --


def test_parameters_of_a_class_count_beside_a_storage_user() -> None:
    """A subclass keyed by more than its base's StorageUser knows has results for each of both."""

    @keyed_by("w0")
    class Extended(Held):
        def __init__(self, n: float, w0: float) -> None:
            super().__init__(n)
            self.w0 = w0

        @stored
        def both(self) -> tuple[float, float]:
            CALLS.append(1)
            return self.n, self.w0

    owner = Extended(1.0, 5.0)
    assert [owner.both(), Extended(1.0, 6.0).both(), owner.both()] == [(1, 5), (1, 6), (1, 5)]
    owner.w0 = 7.0
    assert owner.both() == (1, 7)
    owner.n = 2.0
    assert owner.both() == (2, 7)
    assert Extended(2.0, 7.0).both() == (2, 7)
    assert len(CALLS) == 4
    assert owner.changes == 1


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


@pytest.mark.parametrize(
    ("narrow", "plain", "value"),
    [
        (np.float32(0.5), 0.5, 0.5 / 3),
        (np.float16(0.5), 0.5, 0.5 / 3),
        (np.int8(100), 100, 100 / 3),
        (np.bool_(True), True, 1 / 3),
        (np.complex64(1j), 1j, 1j / 3),
        ((np.float32(0.5),), (0.5,), 0.5 / 3),
    ],
)
def test_equal_arguments_have_one_precision(narrow: Any, plain: Any, value: Any) -> None:
    """Whoever calls first, the shared result has the precision of a Python number."""

    @keyed_by("n")
    class Thirds:
        n = 3

        @stored
        def method(self, x: Any) -> Any:
            x = x[0] if isinstance(x, tuple) else x
            return x / np.array(self.n, dtype=type(x) if isinstance(x, np.generic) else None)

    assert Thirds().method(narrow) == value
    assert Thirds().method(plain) == value


def test_an_inherited_method_belongs_to_the_class_that_runs_it() -> None:
    """A subclass that overrides a helper has results of its own, also if it inherits how it is described."""

    class Base(Described):
        def helper(self) -> float:
            return 1.0

        @stored
        def scaled(self) -> float:
            return self.n * self.helper()

    class Child(Base):
        def helper(self) -> float:
            return 2.0

    assert [Base(3.0).scaled(), Child(3.0).scaled(), Base(3.0).scaled()] == [3.0, 6.0, 3.0]


def test_partials_of_bound_methods_pickle_and_copy() -> None:
    """functools.partial takes a bound stored method apart; its pieces pickle and copy all the same."""
    partial = functools.partial(Cosmology().age, 1.0)
    assert pickle.loads(pickle.dumps(partial))() == partial()
    assert copy.deepcopy(partial)() == partial()


def test_class_wide_clear_passes_over_owners_that_are_not_ready() -> None:
    """An owner with a parameter missing is cleared as it was last seen, and does not stop the others."""
    owners = [Cosmology(71.0), Cosmology(72.0), Cosmology(73.0)]
    for owner in owners:
        owner.age(1.0)
    del owners[1].H0
    Cosmology.age.cache_clear()
    owners[1].H0 = 72.0
    assert not any(owner.age.cached(1.0) for owner in owners)


def test_an_entry_that_holds_no_table_is_replaced(cache_dir: Path) -> None:
    """A well-formed entry whose value is not the table that was asked for is a miss with a warning."""
    from stored._storage.disk import PersistentTier
    from stored._storage.memory import CachedResult

    cosmo = Cosmology()
    value = cosmo.curve(0.5)
    definition = Cosmology.curve._self_definition
    key = results_for(definition, cosmo).key(cosmo, bound_call(definition, cosmo, (0.5,), {}))
    PersistentTier("rw").save(key, CachedResult({"foo": 1}))
    with pytest.warns(package.EntryWarning, match="was not used"):
        assert Cosmology().curve(0.5) == value
    assert Cosmology().curve(0.5) == value


def test_explain_splits_parameters_that_hold_commas() -> None:
    """Parameters that are containers or text are told apart one by one."""

    @keyed_by("t", "s", "y")
    class Several:
        def __init__(self, t: Any, s: str, y: int) -> None:
            self.t, self.s, self.y = t, s, y

        @stored
        def method(self) -> int:
            return self.y

    Several((1, 2), "a, b='", 4).method()
    assert Several((1, 2), "a, b='", 5).method.explain().differences == {"parameter y": ("4", "5")}


def function(x: float) -> float:
    return x


@pytest.mark.parametrize("wrap", [lambda f: f, staticmethod, classmethod])
def test_what_is_no_method_says_so(wrap: Any) -> None:
    """A stored function outside a class, or below @staticmethod or @classmethod, is explained."""

    class Holder:
        method = wrap(stored(lambda x, y=1: x))

    call = stored(function) if wrap(function) is function else Holder.method
    with pytest.raises(OwnerError, match="@stored is for methods of objects"):
        call(2.0) if wrap is not classmethod else call()


def test_an_argument_in_place_of_the_object_is_explained() -> None:
    """A method called on its class with an argument only says on what it was called."""
    with pytest.raises(OwnerError, match=r"Cosmology\.age\(\) was called on 1\.0"):
        Cosmology.age(1.0)  # type: ignore[call-arg, arg-type]


def test_an_iterator_is_no_result() -> None:
    """What could be read only once is refused, with the method's name and what to return instead."""

    @keyed_by("n")
    class Iterating:
        n = 3

        @stored
        def method(self) -> Any:
            return map(float, range(self.n))

    with pytest.raises(TypeError, match=r"method\(\) cannot be stored: a map .* return list"):
        Iterating().method()


def test_a_method_needs_its_object() -> None:
    """Called on the class without an object, the method is named."""
    with pytest.raises(TypeError, match=r"Cosmology\.age\(\) was called without its object"):
        Cosmology.age()  # type: ignore[call-arg]


def test_copies_that_fail_are_explained() -> None:
    """copy=True with a value that cannot be copied names the method and the remedy."""

    @keyed_by("n")
    class Locked:
        n = 1

        @stored(copy=True)
        def method(self) -> Any:
            return [threading.Lock()]

    with pytest.raises(TypeError, match=r"method\(\) returned a list that cannot be copied .*leave copy out"):
        Locked().method()


# -- faults --


def test_an_unwritable_directory_costs_persistence_only(tmp_path: Path) -> None:
    """The result is returned and kept in memory, with one warning for all stores."""
    (tmp_path / "file").write_text("in the way")
    with configure(cache_dir=tmp_path / "file" / "cache"):
        cosmo = Cosmology()
        with pytest.warns(package.PersistenceWarning, match="kept in memory only") as caught:
            assert cosmo.age(1.0) == cosmo.age(1.0)
            cosmo.age(2.0)
        assert len([each for each in caught if "kept in memory" in str(each.message)]) == 1
        assert caught[0].filename == __file__
    assert len(CALLS) == 2


def test_a_damaged_entry_is_replaced(cache_dir: Path) -> None:
    """An altered entry is a miss with one warning; the next process finds the new one."""
    value = Cosmology().age(1.0)
    (entry,) = cache_dir.rglob("age-*.stored")
    content = bytearray(entry.read_bytes())
    content[-1] ^= 1
    entry.write_bytes(content)
    with pytest.warns(package.EntryWarning, match="was not used") as caught:
        assert Cosmology().age(1.0) == value
    assert len(caught) == 1
    assert Cosmology().age(1.0) == value
    assert len(CALLS) == 2


def test_results_that_cannot_be_written_stay_in_memory() -> None:
    """A value that cannot be pickled is returned and remembered here, with one warning."""

    @keyed_by("n")
    class Odd:
        n = 1

        @stored
        def method(self) -> Any:
            CALLS.append(1)
            return lambda: 1

    owner = Odd()
    with pytest.warns(package.PersistenceWarning, match="cannot be pickled"):
        first = owner.method()
    assert owner.method() is first
    assert len(CALLS) == 1
