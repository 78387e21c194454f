"""`keyed_by` names the parameters of a class, and the folder and the name of its results."""

from __future__ import annotations

from typing import Any

import pytest

from stored import keyed_by
from stored.errors import OwnerError
from tests.keys.models import Cosmology, snapshot, string

# -- the name of a space ----------------------------------------------------------------------------------------------


def test_a_space_can_be_named_otherwise() -> None:
    """With a module and a name of the user's choice."""
    model = type("Model", (), {"x": 1})
    space = snapshot(keyed_by("x", module="shared", name="model")(model)()).space
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


@pytest.mark.parametrize("names", [(1,), ("",), ("a b",), ("a.b",), (None,), (("a", "b"),), (Cosmology,)])
def test_keyed_by_takes_names(names: Any) -> None:
    """Anything else, the class itself included, is an error that says what it should be."""
    with pytest.raises(OwnerError, match="keyed_by takes the names of attributes, as in @keyed_by"):
        keyed_by(*names)


@pytest.mark.parametrize("option", ["module", "name"])
def test_module_and_name_are_strings(option: str) -> None:
    """Anything else is refused before any class is decorated."""
    with pytest.raises(OwnerError, match=rf"{option} of keyed_by is 3 of type int; it must be a str"):
        keyed_by("a", **{option: 3})  # type: ignore[arg-type]


def test_keyed_by_needs_names() -> None:
    """A class without parameters would never notice a change."""
    with pytest.raises(OwnerError, match="keyed_by needs the names of the parameters"):
        keyed_by()


@pytest.mark.parametrize("target", [lambda: 1, Cosmology(1), "H0"])
def test_keyed_by_decorates_classes(target: Any) -> None:
    """On anything else it would have no effect."""
    with pytest.raises(OwnerError, match="keyed_by decorates classes, and got"):
        keyed_by("H0")(target)


def test_keyed_by_returns_the_class() -> None:
    """Itself, not a copy, with slots or without."""
    kind = type("Model", (), {"__slots__": ("x",)})
    assert keyed_by("x")(kind) is kind
