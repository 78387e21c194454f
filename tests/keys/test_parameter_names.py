"""The parameters of a class are the names given to keyed_by and the fields of a frozen class, of all its bases."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from stored import keyed_by
from stored._keys import find_describer
from stored.errors import OwnerError
from tests.keys.models import Cosmology, Frozen, FrozenAttrs, snapshot, string


@pytest.mark.parametrize("kind", [Frozen, FrozenAttrs])
def test_all_fields_of_frozen_classes_are_the_parameters(kind: Any) -> None:
    """A method may read a field that is not compared, too."""
    assert string(kind(1, "a")) == "H0=1, label='a'"
    assert len({string(each) for each in (kind(1, "a"), kind(1, "b"), kind(1.0, "a"), kind(2, "a"))}) == 4


def test_a_field_that_is_not_set_yet_is_one_value() -> None:
    """One that `__init__` leaves out, and a method sets when it is first asked for."""

    @dataclasses.dataclass(frozen=True)
    class Lazy:
        x: int
        table: Any = dataclasses.field(init=False, repr=False)

    owner = Lazy(1)
    before = snapshot(owner)
    assert before.holds(owner)
    object.__setattr__(owner, "table", [1])
    assert not before.holds(owner)
    assert string(owner) == "x=1, table=[1]"
    del owner.__dict__["x"]
    with pytest.raises(OwnerError, match=r"Lazy is keyed by x, table, but .*'x'"):
        string(owner)


def test_a_subclass_adds_to_the_names_of_its_base() -> None:
    """Decorated itself or not, it is keyed by what its base is keyed by."""

    class Plain(Cosmology):
        pass

    @keyed_by("w0", "H0")
    class Dark(Plain):
        w0 = -1

    assert string(Plain(1, 2)) == "H0=1, Om0=2"
    assert string(Dark(1, 2)) == "H0=1, Om0=2, w0=-1"
    assert string(Cosmology(1, 2)) == "H0=1, Om0=2"


def test_the_names_of_every_base_count() -> None:
    """Of two keyed bases, both sets of names count."""

    @keyed_by("n")
    class Spectrum:
        n = 1

    class Both(Cosmology, Spectrum):
        pass

    owner = Both(1, 2)
    before = snapshot(owner)
    owner.n = 2
    assert not before.holds(owner)
    assert set(string(owner).split(", ")) == {"H0=1", "Om0=2", "n=2"}


def test_frozen_classes_and_keyed_by_add_up() -> None:
    """Fields of a frozen subclass join the names of its base, and names the fields of a frozen base."""

    @keyed_by("h")
    class Base:
        h = 1

    @dataclasses.dataclass(frozen=True)
    class Sub(Base):
        w0: float

    @keyed_by("extra")
    class Below(Frozen):
        extra = 3

    assert string(Sub(-1)) == "h=1, w0=-1"
    assert string(Below(70)) == "extra=3, H0=70, label=''"


def test_a_subclass_of_a_frozen_class_may_add_methods_only() -> None:
    """One with an __init__ of its own may have attributes that are no fields, and has to name its parameters."""

    class Methods(Frozen):
        def age(self) -> float:
            return 1 / float(self.H0)

    class More(Frozen):
        def __init__(self, H0: float, extra: float) -> None:
            super().__init__(H0)
            object.__setattr__(self, "extra", extra)

    assert string(Methods(70)) == "H0=70, label=''"
    with pytest.raises(OwnerError, match="does not tell its parameters"):
        find_describer(More)
