"""What counts for a method is found once for its code on a class, and anew if objects tell parameters otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from stored import OwnerError, configure, keyed_by, stored
from stored._engine import owner_record
from stored._engine.counting import ALL


def model() -> Any:
    """A new class, with methods that depend on all parameters, on one and on what they read."""

    @keyed_by("a", "b")
    class Model:
        def __init__(self, a: float = 1.0, b: float = 2.0) -> None:
            self.a, self.b, self.c = a, b, 3.0

        @stored(persistent=False)
        def total(self) -> float:
            return self.a + self.b

        @stored(persistent=False)
        def joined(self) -> float:
            return self.a + self.c

        @stored(persistent=False, depends=("a",))
        def chosen(self) -> float:
            return self.a

        @stored(persistent=False, depends="auto")
        def found(self) -> float:
            return self.b

    return Model


def counted(owner: Any, method: str) -> Any:
    """What counts for a method of an owner."""
    return owner_record(owner).counted(owner, getattr(type(owner), method).__stored_method__)


@pytest.mark.parametrize(
    ("method", "values"), [("total", (1.0, 2.0)), ("joined", (1.0, 2.0, 3.0)), ("chosen", (1.0,)), ("found", (2.0,))]
)
def test_values_that_count(method: str, values: tuple[float, ...]) -> None:
    """Those of parameters and of attributes that are read, or those that were chosen."""
    owner = model()()
    assert counted(owner, method).present.values(owner) == values


def test_objects_of_a_class_have_it_in_common() -> None:
    """It is found for the first of them, and each has a space of its own."""
    kind = model()
    one, other = counted(kind(), "total"), counted(kind(), "total")
    assert one.code.counting is other.code.counting
    assert one.code.counting.selection == ALL
    assert one.present is not other.present
    assert one.present.spaces is other.present.spaces


def test_another_way_of_telling_parameters_counts_for_new_objects() -> None:
    """A class that gets a hashable string at run time has that alone, whatever counted before."""
    kind = model()
    assert kind(1.0).total() == 3.0
    before = counted(kind(), "total").code.counting
    kind.getHashableString = lambda self: "one for all"
    assert counted(kind(), "total").code.counting is not before
    with configure(memory_sets=2):
        assert [kind(a).total() for a in (4.0, 5.0)] == [6.0, 6.0]
    del kind.getHashableString
    assert [kind(a).total() for a in (4.0, 5.0)] == [6.0, 7.0]


def test_parameters_that_no_object_tells() -> None:
    """The error comes before the code is read."""
    method = model().total.__stored_method__

    class Untold:
        """Tells nothing."""

    with pytest.raises(OwnerError, match="does not tell its parameters"):
        owner_record(untold := Untold()).counted(untold, method)
    assert "__stored_reached__" not in vars(Untold)
