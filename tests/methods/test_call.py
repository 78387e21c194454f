"""Which calls are the same, and what may a call return?"""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

from stored import UnstableKeyError, keyed_by, stored
from tests.methods.models import CALLS, Cosmology


def test_a_call_is_computed_once_in_every_spelling() -> None:
    """Positional, keyword, default and equal values of other types are one call."""
    cosmo = Cosmology()
    values = [cosmo.age(1), cosmo.age(z=1.0), cosmo.age(np.float64(1.0), unit=1), cosmo.age(True)]
    assert len(set(values)) == 1
    assert len(CALLS) == 1


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
