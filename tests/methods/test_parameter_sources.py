"""How does one owner tell its parameters?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import OwnerError, keyed_by, stored
from tests.methods.models import CALLS, Colour, repeated
from tests.methods.owners import OWNERS, Described, Held, set_parameter


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
