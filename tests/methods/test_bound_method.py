"""A stored method of one owner behaves as a bound method does, and has the controls of its results."""

from __future__ import annotations

import copy
import functools
import math
import pickle

import numpy as np
import pytest

from stored import Axis, StorageUser, keyed_by, stored
from tests.methods.models import CALLS, Cosmology, Curves, Model, repeated

# -- as a bound method --


def test_wrapped_is_the_plain_method() -> None:
    """Through __wrapped__ nothing is looked up or stored."""
    cosmo = Cosmology()
    assert cosmo.age.__wrapped__(1.0) == 1 / 140
    assert not cosmo.age.cached(1.0)


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


def test_partials_of_bound_methods_pickle_and_copy() -> None:
    """functools.partial takes a bound stored method apart; its pieces pickle and copy all the same."""
    partial = functools.partial(Cosmology().age, 1.0)
    assert pickle.loads(pickle.dumps(partial))() == partial()
    assert copy.deepcopy(partial)() == partial()


def test_a_bound_method_can_stand_in_a_class() -> None:
    """As an attribute of another class it is called without that class's object, as a bound method is."""
    model = Model()

    class Plot:
        value = model.value

    assert repeated(Plot().value, 1.0) == (2.0, 1.0)


# -- controls --


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


@pytest.mark.parametrize("attribute", ["getHashableString", "su"])
def test_a_clear_for_the_class_asks_no_owner(attribute: str) -> None:
    """One whose own functions fail, as they may while it is being made, keeps no result from going."""

    class Owner:
        def __init__(self, n: float) -> None:
            self.n = n
            if attribute == "su":
                self.su = StorageUser("m", "rw", lambda: "Owner", self.string, None)

        def string(self) -> str:
            return f"{self.n}"

        @stored
        def value(self) -> float:
            return self.n

    if attribute != "su":
        Owner.getHashableString = Owner.string  # type: ignore[attr-defined]
    before, broken, after = Owner(1.0), Owner(2.0), Owner(3.0)
    for each in (before, broken, after):
        each.value()
    del broken.n
    Owner.value.cache_clear()
    assert not before.value.cached()
    assert not after.value.cached()
    broken.n = 2.0
    assert broken.value.cache_info().currsize == 0


def test_cache_clear_leaves_other_methods_alone() -> None:
    """Only the results of this method go."""
    cosmo = Cosmology()
    cosmo.age(1.0), cosmo.growth(), cosmo.grid()
    cosmo.age.cache_clear()
    assert cosmo.growth.cached()
    assert cosmo.grid.cached()


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

        @stored(ignore=("CALLS",))
        def method(self) -> int:
            CALLS.append(1)
            return len(CALLS)

    owner = Counting()
    assert [owner.method(), owner.method(), owner.method.refresh(), owner.method()] == [1, 1, 2, 2]
    assert Counting().method() == 2
    assert Counting.method.refresh(owner) == 3


# -- of interpolated methods --


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


def test_surfaces_have_derivatives_and_no_inverse() -> None:
    """Methods that are for one axis only raise an error that says so."""
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
