"""Which calls are the same, and what may a call return?"""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

from stored import Axis, UnstableKeyError, keyed_by, stored
from tests.methods.models import CALLS, Cosmology


def test_a_call_is_computed_once_in_every_spelling() -> None:
    """Positional, keyword, default and numpy's doubles are one call; equal values of other types are others."""
    cosmo = Cosmology()
    values = [cosmo.age(1.0), cosmo.age(z=1.0), cosmo.age(np.float64(1.0), unit=1.0)]
    assert len(set(values)) == 1
    assert len(CALLS) == 1
    for other in (1, True, np.float32(1.0)):
        cosmo.age(other)
    assert len(CALLS) == 4


def test_nan_hits() -> None:
    """NaN is an argument like any other."""
    cosmo = Cosmology()
    cosmo.age(float("nan"))
    cosmo.age(np.nan)
    assert len(CALLS) == 1


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


def test_a_wrong_call_says_so() -> None:
    """A call that does not fit the signature is a TypeError with the method's name."""
    with pytest.raises(TypeError, match=r"Cosmology\.age\(\) missing 1 required positional argument: 'z'"):
        Cosmology().age()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "value",
    [
        *(
            np.float32(0.5),
            np.float16(0.5),
            np.int8(100),
            np.bool_(True),
            np.complex64(1j),
            (np.float32(0.5),),
            0.5,
            1,
            True,
        ),
        *([np.int8(1)], {"a": np.float32(1)}, np.str_("x")),
    ],
)
def test_the_method_gets_the_very_value(value: Any) -> None:
    """Nothing is converted on its way, at the first call and at those that find the result."""

    @keyed_by("n")
    class Echo:
        n = 3

        @stored(persistent=False)
        def method(self, x: Any) -> Any:
            return repr(x)

        @stored
        def rounded(self, x: Any) -> Any:
            return repr(x)

    for _ in range(3):
        assert Echo().method(value) == repr(value)


def test_values_along_an_axis_are_all_alike() -> None:
    """There the method gets Python's numbers, whichever type the call has, also where it is asked beyond the table."""

    @keyed_by("n")
    class Curve:
        n = 3

        @stored(interpolate=Axis("x", 0.0, 4.0, points=9, outside="exact", vectorized=False))
        def curve(self, x: Any, other: Any = 1) -> Any:
            assert type(x) in {int, float}
            return float(self.n) * x * other

    owner = Curve()
    for x in (2, 2.0, np.int8(2), np.float32(2), np.float64(2)):
        assert owner.curve(x) == pytest.approx(6.0)
        assert owner.curve.exact(x) == 6.0
        assert owner.curve(x + 3) == 15.0


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
