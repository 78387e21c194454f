"""What do the options of `stored` do?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis, OwnerError, keyed_by, stored
from tests.methods.models import CALLS, Cosmology
from tests.methods.owners import Described, Held


def test_memory_only_results_go_with_their_parameters() -> None:
    """Without persistence a change forgets for good."""
    cosmo = Cosmology()
    cosmo.power(1.0)
    cosmo.Om0 = 0.4
    assert cosmo.power(1.0) == 0.4
    cosmo.Om0 = 0.3
    assert cosmo.power(1.0) == 0.3
    assert len(CALLS) == 3


def test_ignored_arguments_do_not_count() -> None:
    """An ignored argument may be anything, and changes nothing."""
    cosmo = Cosmology()
    assert cosmo.quiet(2.0, verbose=True) == cosmo.quiet(2.0) == cosmo.quiet(2.0, object())  # type: ignore[arg-type]
    assert len(CALLS) == 1


@given(st.floats(-1e6, 1e6))
@settings(deadline=None, max_examples=50)
def test_rounded_arguments_key_and_compute_the_rounded_value(z: float) -> None:
    """What is computed is the value of the rounded argument, so it is right for all calls with that key."""
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
        with pytest.raises(OwnerError, match=r"depends=\('n',\) needs single parameters .* depends='auto'"):
            owner.other()


def test_copy_hands_out_private_arrays() -> None:
    """With copy=True each caller may write into what it got."""
    cosmo = Cosmology()
    for array in (cosmo.private(), cosmo.private(), Cosmology().private()):
        assert array.sum() == 0.0
        array[:] = 1.0
    assert len(CALLS) == 1


def test_maxsize_drops_the_least_recently_used() -> None:
    """A used result outlives an unused one."""
    cosmo = Cosmology()
    cosmo.power(1.0), cosmo.power(2.0), cosmo.power(1.0), cosmo.power(3.0)
    assert [cosmo.power.cached(k) for k in (1.0, 2.0, 3.0)] == [True, False, True]


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"round": {"nonsense": 2}}, "round of .* names 'nonsense'"),
        ({"ignore": "x"}, "ignore of .* is 'x'; give a tuple of names"),
        ({"depends": "x"}, r"depends is the string 'x'; give 'auto', or a tuple"),
        ({"persistent": "rw"}, "persistent is 'rw'; it must be True or False"),
        ({"single_flight": 3}, "single_flight is 3; it must be True or False"),
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
