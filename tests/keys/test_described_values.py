"""An owner that is a value tells all that it tells as an owner."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from stored import StorageUser, keyed_by, storage_user
from stored._keys import canonical
from stored._keys.described_values import described_values
from stored.errors import OwnerError
from tests.keys.models import Cosmology, Dark, Told


class Named(Told):
    def __init__(self, string: Any, name: Any) -> None:
        super().__init__(string)
        self.name = name

    def getName(self) -> Any:
        return self.name


class Holding:
    """Holds a StorageUser that is made of its own methods."""

    def __init__(self, n: int, name: str = "a", module: str = "m", attribute: str = "su") -> None:
        self.n, self.name = n, name
        setattr(self, attribute, StorageUser(module, "", self.told_name, self.told_string, None))

    def told_name(self) -> str:
        return self.name

    def told_string(self) -> str:
        return f"n={self.n}"


@keyed_by("w")
class Both(Holding):
    w = 1


def test_what_owners_tell() -> None:
    """String and name, keyed fields, and module, name and string of a StorageUser; nothing else tells anything."""
    assert described_values(Told("x")) == [("getHashableString", "x")]
    assert described_values(Named("x", "y")) == [("getHashableString", "x"), ("getName", "y")]
    assert described_values(Cosmology(1, 2)) == [("H0", 1), ("Om0", 2)]
    assert described_values(Holding(1)) == [("su", ("m", "a", "n=1"))]
    assert described_values(Both(1, attribute="storageUser")) == [("storageUser", ("m", "a", "n=1")), ("w", 1)]
    assert described_values(Dark(1)) is described_values(1) is None


def test_all_of_it_counts() -> None:
    """As a parameter or an argument."""
    owners = [Holding(1), Holding(2), Holding(1, "b"), Holding(1, module="k"), Holding(1, attribute="storageUser")]
    owners += [Both(1), Told("x"), Named("x", "y"), Named("x", "z"), Named("y", "z")]
    assert len({canonical(each) for each in owners}) == len(owners)
    assert canonical(Holding(1)) == canonical(Holding(1))


def test_a_copy_tells_its_own_parameters() -> None:
    """Though it holds the StorageUser of its original, whose methods are that one's."""
    original = Holding(1)
    copied = copy.copy(original)
    copied.n = 2
    assert canonical([copied]) == canonical([Holding(2)]) != canonical([original])


def test_a_user_that_is_made_for_the_owner_asks_it() -> None:
    """What it tells is what the owner tells."""
    owner: Any = Cosmology(1, 2)
    owner.su = storage_user(owner)
    assert described_values(owner) == [("H0", 1), ("Om0", 2)]


def test_functions_of_a_user_are_called() -> None:
    """Those that are no methods, too; what they return must be text."""

    class Plain:
        def __init__(self, string: Any) -> None:
            self.su = StorageUser("m", "", lambda: "n", lambda: string, None)

    assert canonical(Plain("x")) == canonical(Plain("x")) != canonical(Plain("y"))
    owner = Plain("x")
    owner.su.func_hashstring = lambda: 5  # type: ignore[assignment, return-value]
    with pytest.raises(OwnerError, match=r"Plain.su returned 5 of type int"):
        canonical(owner)


def test_what_an_attribute_named_su_holds_may_be_anything() -> None:
    """Only a StorageUser tells parameters."""

    class Own:
        def __init__(self, su: Any) -> None:
            self.su = su

    assert described_values(Own(1)) is None
    assert canonical(Own(1)) != canonical(Own(2))


def test_strings_that_are_none_are_refused() -> None:
    """The function is named."""
    for owner, function in ((Named(5, "a"), "getHashableString"), (Named("a", 5), "getName")):
        with pytest.raises(OwnerError, match=rf"Named.{function}\(\) returned 5"):
            canonical([owner])


def test_an_owner_that_has_not_set_all_parameters_is_named_with_its_place() -> None:
    """As an error of the owner; fields that a frozen class does not set need no value."""

    @keyed_by("a", "b")
    class Two:
        def __init__(self) -> None:
            self.a = 1

    with pytest.raises(OwnerError, match=r"it\['x'\]\[0\] is an owner of type .*Two, but .*'b'; set every"):
        canonical({"x": [Two()]})

    @keyed_by("a")
    @dataclasses.dataclass(frozen=True)
    class Late:
        a: int
        b: int = dataclasses.field(init=False)

    assert canonical(Late(1)) == canonical(Late(1)) != canonical(Late(2))
