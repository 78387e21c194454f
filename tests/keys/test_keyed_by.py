"""`keyed_by` names the parameters of a class, and the folder and the name of its results."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stored import StorageUser, keyed_by, stored
from stored._keys import canonical
from stored.errors import OwnerError
from tests.keys.models import Cosmology, snapshot, string

# -- the name of a space ----------------------------------------------------------------------------------------------


@keyed_by("x", module="shared", name="model")
class Named:
    x = 1


def test_a_space_can_be_named_otherwise() -> None:
    """With a module and a name of the user's choice."""
    space = snapshot(Named()).space
    assert (space.module, space.name) == ("shared", "model")


def test_a_chosen_name_is_not_inherited() -> None:
    """A subclass can compute other things from the same parameters, so it must not find its base's results."""

    @keyed_by("x", module="shared", name="model")
    class Base:
        x = 1

    class Sub(Base):
        pass

    @keyed_by("x", module="shared")
    class Other(Base):
        pass

    assert len({snapshot(kind()).space for kind in (Base, Sub, Other)}) == 3
    assert __name__ in snapshot(Other()).space.name


def test_classes_of_one_name_are_separate_in_a_shared_folder() -> None:
    """Where the folder is chosen, the module is in the name."""
    kinds = []
    for module in ("a", "b"):
        kind = type("Model", (), {"x": 1, "__module__": module})
        kinds.append(keyed_by("x", module="shared")(kind))
    assert len({snapshot(kind()).space for kind in kinds}) == 2


# -- misuse -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["getHashableString", "_getHashableString"])
def test_keyed_by_below_a_string_is_refused(own: str) -> None:
    """The string of the base comes first and does not know the new parameter, so changes would go unnoticed."""
    base = type("Base", (), {own: lambda self: "fixed"})
    with pytest.raises(OwnerError, match=rf"Sub inherits {own}\(\), which comes before keyed_by"):
        keyed_by("w0")(type("Sub", (base,), {}))
    both = keyed_by("w0")(type("Both", (base,), {own: lambda self: "own"}))
    assert string(both()) == "own"


@pytest.mark.parametrize("names", [(1,), ("",), ("a b",), ("a.b",), (None,), (("a", "b"),), (Cosmology, "a")])
def test_keyed_by_takes_names(names: Any) -> None:
    """Anything else, the class itself included, is an error that says what it should be."""
    with pytest.raises(OwnerError, match="keyed_by takes the names of attributes, as in @keyed_by"):
        keyed_by(*names)


@pytest.mark.parametrize("option", ["module", "name"])
def test_module_and_name_are_strings(option: str) -> None:
    """Anything else is refused before any class is decorated."""
    with pytest.raises(OwnerError, match=rf"{option} of keyed_by is 3 of type int; it must be a str"):
        keyed_by("a", **{option: 3})  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [lambda: 1, Cosmology(1), "H0"])
def test_keyed_by_decorates_classes(target: Any) -> None:
    """On anything else it would have no effect."""
    with pytest.raises(OwnerError, match="keyed_by decorates classes, and got"):
        keyed_by("H0")(target)


def test_keyed_by_returns_the_class() -> None:
    """Itself, not a copy, with slots or without."""
    kind = type("Model", (), {"__slots__": ("x",)})
    assert keyed_by("x")(kind) is kind


# -- converted parameters ---------------------------------------------------------------------------------------------


@keyed_by("H0", "name", convert={"H0": float})
class Converted:
    def __init__(self, H0: Any, name: Any = "x") -> None:
        self.H0, self.name = H0, name

    @stored
    def kind(self) -> str:
        return type(self.H0).__name__


def test_a_converted_parameter_is_keyed_and_compared_by_that_value() -> None:
    """Whatever the type that it has; the others by what they are."""
    owner = Converted(70)
    before = snapshot(owner)
    assert string(owner) == "H0=70.0, name='x'"
    for same in (70.0, np.float64(70), Fraction(70), "70", True + 69):
        owner.H0 = same
        assert before.holds(owner)
    owner.H0 = 71
    assert not before.holds(owner)
    assert string(Converted(70, 1)) != string(Converted(70, 1.0))
    assert canonical([Converted(70)]) == canonical([Converted(70.0)]) != canonical([Converted(71)])


def test_the_method_sees_the_parameter_as_it_is() -> None:
    """What it computed for the first is found for the others, in memory, with shortcuts and on disk."""
    owner = Converted(70)
    for _ in range(3):
        assert owner.kind() == "int"
    for same in (70.0, 70, "70", 70.0):
        owner.H0 = same
        for _ in range(3):
            assert owner.kind() == "int"
    assert owner.kind.cache_info().misses == 1
    owner.H0 = 50.0
    assert [owner.kind() for _ in range(3)] == ["float"] * 3
    owner.H0 = 70.0
    assert Converted(70.0).kind() == owner.kind() == "int"
    owner.name = "y"
    assert owner.kind() == "float"


def test_converters_are_inherited_and_narrowed() -> None:
    """A subclass has those of its bases, and may give them for parameters of these; `depends` keeps them."""

    @keyed_by("w0", convert={"w0": float, "name": str})
    class Dark(Converted):
        w0 = -1

        @stored(depends=("H0",))
        def first(self) -> Any:
            return self.H0

    class Below(Dark):
        pass

    assert string(Below(70, 5)) == "H0=70.0, name='5', w0=-1.0"
    assert snapshot(Below(70), depends=("H0",)).space.string == "H0=70.0"
    assert (Below(70).first(), Below(70.0).first()) == (70, 70)


def test_a_value_that_cannot_be_converted_is_named() -> None:
    """With what the function said; also where the owner is a value itself, and at a change."""
    owner = Converted("seventy")
    for ask in (owner.kind, lambda: canonical(owner)):
        with pytest.raises(OwnerError, match=r"Converted\.H0 is 'seventy' of type str.*could not convert string"):
            ask()
    owner.H0 = 70
    repeated = [owner.kind() for _ in range(3)]
    owner.H0 = None
    with pytest.raises(OwnerError, match=r"Converted\.H0 is None.*TypeError"):
        owner.kind()
    owner.H0 = 70.0
    assert [*repeated, owner.kind()] == ["int"] * 4


@pytest.mark.parametrize("convert", [{"Om0": float}, {"H0": 3}, "H0", ("H0",)])
def test_wrong_converters_are_refused(convert: Any) -> None:
    """When the class is made: names of no parameter, and what is no function by name."""
    with pytest.raises(
        OwnerError, match=r"convert of keyed_by (names 'Om0', which is none of the parameters H0|is .*; give)"
    ):
        keyed_by("H0", convert=convert)(type("Model", (), {"H0": 1}))
    with pytest.raises(OwnerError, match=r"convert of keyed_by names 'Om0'"):
        keyed_by("H0", convert={"Om0": float})(type("Model", (), {"H0": 1}))


def test_a_user_and_converted_parameters_add_up() -> None:
    """Where a StorageUser and the class tell parameters together."""

    @keyed_by("y", convert={"y": float})
    class Both:
        def __init__(self, y: Any) -> None:
            self.y = y
            self.su = StorageUser("converted", "rw", lambda: "both", lambda: "s", None)

        @stored
        def kind(self) -> str:
            return type(self.y).__name__

    assert [Both(1).kind(), Both(1.0).kind()] == ["int", "int"]


@pytest.mark.parametrize("only", ["yes", [1], None, 1])
def test_only_is_true_or_false(only: Any) -> None:
    """It takes the user's word for everything, so nothing else stands for it."""
    with pytest.raises(OwnerError, match=r"only of keyed_by is .*; it must be True or False"):
        keyed_by("a", only=only)
