"""What does the caller of a stored method get?"""

from __future__ import annotations

import threading
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, OutsideAxisError, OwnerError, ToleranceError, configure, keyed_by, stored
from tests.faults.processes import in_processes, in_threads
from tests.methods.models import CALLS, Cosmology, Curves, Model, repeated_power

# -- values --


def test_arrays_cannot_be_changed() -> None:
    """Arrays come read-only from the first call on, and stay so."""
    cosmo = Cosmology()
    for array in (cosmo.grid(), cosmo.grid(), Cosmology().grid()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


FIELDS = [("x", "f8"), ("inner", [("p", "i4"), ("q", "i2")])]


def reshape(array: Any) -> None:
    array.shape = (array.size, 1)


def reinterpret(array: Any) -> None:
    array.dtype = "u1"


def stride(array: Any) -> None:
    array.strides = (0,)


def rename(array: Any) -> None:
    array.dtype.names = ("y", "z")


def rename_inside(array: Any) -> None:
    array.dtype["inner"].names = ("r", "s")


@keyed_by("n")
class Given:
    """Gives one value in each place where a result can have it."""

    n = 1

    @stored(persistent=False)
    def alone(self) -> Any:
        return self.made()

    @stored
    def persistent(self) -> Any:
        return self.made()

    @stored
    def pair(self) -> Any:
        return self.made(), "a"

    @stored(persistent=False, maxsize=2)
    def nested(self, x: float = 1.0) -> Any:
        return {"a": [(self.made(),)]}

    @stored(copy=True)
    def copied(self) -> Any:
        return [self.made()]

    made: Any = None


def first_of(value: Any) -> Any:
    """The array or record in a result."""
    while isinstance(value, dict | list | tuple):
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value


@pytest.mark.filterwarnings("ignore:Setting the (shape|strides|dtype):DeprecationWarning")
@pytest.mark.parametrize("name", ["alone", "persistent", "pair", "nested", "copied"])
@pytest.mark.parametrize(
    ("how", "is_record"),
    [
        *((how, False) for how in (reshape, reinterpret, stride, rename, rename_inside)),
        (rename, True),
        (rename_inside, True),
    ],
)
def test_nobody_changes_what_an_array_says(
    how: Any, name: str, is_record: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shape, dtype, strides and names of fields that one caller sets are no other caller's, nor the method's."""
    has_fields = how in {rename, rename_inside}
    original = np.zeros(3, FIELDS) if has_fields else np.arange(3.0)
    monkeypatch.setattr(Given, "made", lambda _: original[0] if is_record else original)
    expected = repr(first_of(Given.made(None)).dtype), repr(first_of(Given.made(None)))
    owners = [Given(), Given(), Given()]
    for owner in [*owners, *owners]:
        for _ in range(3):
            found = first_of(getattr(owner, name)())
            assert (repr(found.dtype), repr(found)) == expected
            how(found)
    assert (repr(original.dtype), original.shape, original.strides[0]) == (
        repr(np.dtype(FIELDS if has_fields else float)), (3,), original.itemsize
    )  # fmt: skip


def test_the_methods_own_array_is_not_shared() -> None:
    """A method may go on using the array that it returned."""

    @keyed_by("n", only=True)
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


# -- interpolated values --


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


@keyed_by("n")
class Disturbed:
    """Another thread, so to say, changes the parameter after some evaluations."""

    def __init__(self, *changes: float | None) -> None:
        self.n = 1.0
        self.changes = list(changes)

    @stored(interpolate=Axis("x", 0.0, 1.0, points=4))
    def line(self, x: float) -> float:
        value = self.n + x
        change = self.changes.pop(0) if self.changes else None
        self.n = self.n if change is None else change
        return value


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("changes", [[5.0], [None, 5.0, None, 1.0], [None, 5.0, None, 7.0]])
def test_a_table_is_begun_again_if_the_parameters_change(changes: list[float | None], persistent: bool) -> None:
    """It is of the new parameters, and those before have none."""
    with configure(persistence="rw" if persistent else ""):
        owner = Disturbed(*changes)
        value = owner.line(0.5)
        assert value == pytest.approx(owner.n + 0.5)
        assert owner.line.cached(0.5)
        assert owner.line(0.5) == value
        before, owner.n = owner.n, 1.0
        assert owner.line.cached(0.5) == (before == 1.0)
        assert owner.line(0.5) == pytest.approx(1.5)


def test_parameters_that_always_change_have_no_table() -> None:
    """Such a call is that of the plain method; what is a table, or makes one anew, says what to do."""
    owner = Disturbed(*map(float, range(2, 1000)))
    assert owner.line(0.5) == owner.n - 1 + 0.5
    np.testing.assert_array_equal(owner.line([0.0, 1.0]), [owner.n - 2, owner.n])
    assert not owner.line.cached(0.5)
    assert owner.line.cache_info().exact_calls == 3
    for make in (owner.line.interpolant, lambda: owner.line.refresh(0.5)):
        with pytest.raises(OwnerError, match=r"changed while Disturbed.line\(\) was sampled.*an object of its own"):
            make()


def test_tables_are_read_only_from_the_first() -> None:
    """Nobody can write into what answers the calls of all, freshly sampled or found again."""
    for curves in (Curves(), Curves()):
        made = curves.power.interpolant()
        for array in (made.values, *made.nodes, *made.held_out):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 7.0


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


def test_rounded_arguments_have_no_shortcut_and_an_interpolant() -> None:
    """The value along the axis is rounded at every call; interpolant() has none to round."""

    @keyed_by("scale")
    class Rounded:
        scale = 2.0

        @stored(interpolate=Axis("x", 0.0, 3.0), round={"x": 1, "y": 0})
        def power(self, x: float, y: float = 1.2) -> float:
            return self.scale * x * y

    rounded = Rounded()
    assert repeated_power(rounded, 1.54) == pytest.approx(3.0)
    assert rounded.power.interpolant()(1.54) == pytest.approx(3.08)


# -- disabled --


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


def test_disabled_interpolants_are_made_each_time() -> None:
    """With disable=True nothing is found or kept, and the interpolant is still one."""
    curves = Curves()
    with configure(disable=True):
        assert curves.power.interpolant()(1.5) == pytest.approx(4.5)
        made = len(CALLS)
        assert curves.power.inverse(4.5) == pytest.approx(1.5)
    assert len(CALLS) == 2 * made
    assert not curves.power.cached(1.5)


def test_a_switch_leaves_arguments_as_they_are() -> None:
    """Where nothing is stored, nothing is rounded."""
    with configure(disable=True):
        assert Model().rounded(1.04) == 1.04
    assert Model().rounded(1.04) == 1.0


# -- objects that are no owners --


def function(x: float) -> float:
    return x


def test_a_stored_class_method_says_why_it_is_none() -> None:
    """Below @classmethod, results would belong to a class."""

    class Holder:
        method = classmethod(stored(lambda cls, y=1: y))  # type: ignore[arg-type, var-annotated]

    with pytest.raises(OwnerError, match=r"would belong to a class.* a plain function"):
        Holder.method()


def test_an_argument_in_place_of_the_object_is_explained() -> None:
    """A method called on its class with an argument only says on what it was called."""
    with pytest.raises(OwnerError, match=r"Cosmology\.age\(\) was called on 1\.0"):
        Cosmology.age(1.0)  # type: ignore[call-arg, arg-type]


BARRIERS: list[Any] = []
"""Where all must meet who compute."""


@keyed_by("n")
class Collective:
    """A model of which all ranks, or threads, compute a part."""

    n = 2.0

    @stored(single_flight=False, ignore=("BARRIERS",))
    def total(self) -> float:
        CALLS.append("total")
        BARRIERS[0].wait(60)  # as an allreduce does
        return self.n * 10


def total_in_a_process(barrier: Any) -> float:
    BARRIERS[:] = [barrier]
    return Collective().total()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_all_enter_a_method_that_communicates(kind: str, cache_dir: Path) -> None:
    """With single_flight=False nobody waits for the result of another; it is stored once, and found afterwards."""
    CALLS.clear()
    if kind == "threads":
        BARRIERS[:] = [threading.Barrier(3)]
        assert in_threads(*[(Collective().total,)] * 3) == [20.0] * 3
        assert CALLS == ["total"] * 3
    else:
        barrier = get_context("fork").Barrier(3)
        assert in_processes(*[(total_in_a_process, barrier)] * 3) == [20.0] * 3
    BARRIERS.clear()  # whoever computes from now on fails
    assert len(list(cache_dir.rglob("*.stored"))) == 1
    other = Collective()
    assert (other.total(), other.total()) == (20.0, 20.0)
    assert other.total.cache_info()[:2] == (2, 0)
