"""Repeated calls of interpolated methods take a shortcut, and notice all that other calls notice."""

from __future__ import annotations

import copy
import math
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from stored import Axis, OutsideAxisError, OwnerError, StorageUser, TableError, configure, keyed_by, stored
from stored._tables import CurveInterpolant
from tests.methods.models import CALLS, Curves, repeated_power, with_and_without_storage_users


@with_and_without_storage_users
def test_a_shortcut_notices_every_change_of_a_parameter() -> None:
    """Assigned, written to the __dict__, deleted, or of another type: the next call knows."""
    curves = Curves()
    assert repeated_power(curves) == pytest.approx(4.5)
    curves.scale = 3.0
    assert curves.power(1.5) == pytest.approx(6.75)
    assert repeated_power(curves) == pytest.approx(6.75)
    vars(curves)["scale"] = 5.0
    assert curves.power(1.5) == pytest.approx(11.25)
    assert repeated_power(curves) == pytest.approx(11.25)
    curves.scale = np.array([1.0])  # type: ignore[assignment]
    with pytest.raises(TableError, match="must return one real number"):
        curves.power(1.5)
    del curves.scale
    with pytest.raises(OwnerError, match="set every parameter"):
        curves.power(1.5)
    curves.scale = 5
    assert repeated_power(curves) == pytest.approx(11.25)


@pytest.mark.parametrize(
    "x",
    [1.5, 2, True, np.float64(1.5), np.float32(1.5), np.int64(2), np.array(1.5), np.array([1.5, 2.0]), np.ones(2000)],
)
@with_and_without_storage_users
def test_numbers_and_arrays_of_all_kinds_take_the_shortcut(monkeypatch: pytest.MonkeyPatch, x: Any) -> None:
    """After a call at whatever there is, they are evaluated without a full call, and counted one by one."""
    for first in (0.5, [0.5], np.array([0.5])):
        curves = Curves()
        curves.power(first)
        expected = np.asarray(curves.power(x))
        hits = curves.power.cache_info().hits
        with monkeypatch.context() as patched:
            patched.setattr(CurveInterpolant, "__call__", None)
            found = curves.power(x)
        assert np.asarray(found).tobytes() == expected.tobytes()
        np.testing.assert_allclose(found, 2.0 * np.square(np.asarray(x, dtype=float)), rtol=1e-9)
        assert curves.power.cache_info().hits == hits + 1


@with_and_without_storage_users
def test_equal_parameters_keep_the_shortcut() -> None:
    """Another object of equal value changes nothing, and calls are counted one by one."""
    curves = Curves(float("2.5"))
    repeated_power(curves)
    curves.scale = float("2.50")
    repeated_power(curves)
    made = len(CALLS)
    assert curves.power.cache_info()[:2] == (7, 1)
    repeated_power(curves)
    assert curves.power.cache_info()[:2] == (11, 1)
    assert len(CALLS) == made


@with_and_without_storage_users
def test_a_shortcut_ends_with_what_it_leads_to() -> None:
    """refresh and cache_clear, of the owner's method and the class's, sample again."""
    curves, other = Curves(), Curves()
    repeated_power(curves)
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
        assert repeated_power(curves) == pytest.approx(4.5)
        assert len(CALLS) == number * one
    assert repeated_power(other) == pytest.approx(4.5)
    assert len(CALLS) == 6 * one


@with_and_without_storage_users
def test_disabling_ends_shortcuts() -> None:
    """configure(disable=True) computes each time, for a block; after it the result is found again."""
    curves = Curves()
    repeated_power(curves)
    made = len(CALLS)
    with configure(disable=True):
        assert curves.power(1.5) == 4.5
        assert curves.power(50.0) == 5000.0
    assert len(CALLS) == made + 2
    repeated_power(curves)
    assert len(CALLS) == made + 2


@with_and_without_storage_users
def test_copies_and_other_owners_do_not_share_a_shortcut() -> None:
    """Each object has the results for its own parameters, in turns."""
    curves = Curves()
    repeated_power(curves)
    owners = [curves, copy.copy(curves), copy.deepcopy(curves), Curves(3.0)]
    owners[1].scale = 7.0
    for _ in range(3):
        assert [each.power(1.0) for each in owners] == pytest.approx([2.0, 7.0, 2.0, 3.0])


@with_and_without_storage_users
def test_another_class_is_noticed() -> None:
    """An object whose class changes has the results of the new class."""

    class Double(Curves):
        def factor(self) -> float:
            return 2.0

    curves = Curves()
    repeated_power(curves)
    curves.__class__ = Double
    assert curves.power(1.5) == pytest.approx(4.5)
    assert curves.power.cache_info()[:2] == (0, 1)


def test_a_storage_user_that_comes_later_is_noticed() -> None:
    """An owner that is given a StorageUser after a call is keyed by what that tells too."""
    for name in ("su", "storageUser"):
        curves: Any = Curves()
        repeated_power(curves)
        curves.tilt = 1
        setattr(curves, name, StorageUser("m", "", lambda: "Curves", lambda: f"tilt {curves.tilt}", None))  # noqa: B023
        for tilt in (1, 2):
            curves.tilt = tilt
            made = len(CALLS)
            repeated_power(curves)
            assert len(CALLS) > made


def test_a_storage_user_of_the_class_is_noticed() -> None:
    """It is noticed when it comes, as that of an object is."""

    @keyed_by("scale")
    class Held(Curves):
        pass

    tilt = 1
    user = StorageUser("m", "", lambda: "Held", lambda: f"tilt {tilt}", None)
    held = Held()
    repeated_power(held)
    Held.su = user  # type: ignore[attr-defined]
    for tilt in (1, 2):  # noqa: B007
        made = len(CALLS)
        repeated_power(held)
        assert len(CALLS) > made


def test_a_delegate_has_no_shortcut_and_the_same_results() -> None:
    """A class with __getattr__ takes no shortcut, and notices changes all the same."""

    @keyed_by("scale")
    class Held(Curves):
        su: Any = None

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name)

    StorageUser("m", "", lambda: "x", lambda: "y", None)
    held = Held()
    assert repeated_power(held) == pytest.approx(4.5)
    held.su = StorageUser("m", "", lambda: "Held", lambda: "z", None)
    made = len(CALLS)
    repeated_power(held)
    assert len(CALLS) > made


@with_and_without_storage_users
def test_a_shortcut_keeps_nobody_alive() -> None:
    """An owner is freed with its last reference, although shortcuts lead to its results."""
    curves = Curves()
    repeated_power(curves)
    gone = weakref.ref(curves)
    del curves
    assert gone() is None


@with_and_without_storage_users
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
        assert repeated_power(odd, 0.5) == pytest.approx(value + 0.5)


@with_and_without_storage_users
def test_what_a_shortcut_does_not_answer_goes_the_other_way() -> None:
    """Integers, numpy numbers, arrays, NaN and what is outside give what they give without one."""
    curves = Curves()
    repeated_power(curves)
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


@with_and_without_storage_users
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


@with_and_without_storage_users
def test_slotted_owners_have_the_same_results() -> None:
    """Owners without a __dict__, with and without weak references, get the results for their parameters."""

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
            assert repeated_power(owner, 1.0) == pytest.approx(scale)
