"""Owners and other objects as parameters, attributes and arguments: what they keep counts as it should."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import OwnerWarning, configure, keyed_by, storage_user, stored
from tests.faults.memory import forget_memory
from tests.faults.scale import rounds


@pytest.fixture(autouse=True)
def empty_memory(cache_dir: Path) -> Iterator[None]:
    """Objects share what is in memory, and there is nothing from other tests."""
    for each in OWNERS:
        forget_memory(each)
    with configure(memory_sets=8):
        yield


computed: list[str] = []
"""The names of what was computed."""


class Plain:
    """An object of the user's own, with memos of all kinds."""

    def __init__(self, a: float, c: float = 1.0) -> None:
        self.a, self.c = a, c
        self.poly = np.poly1d([c])
        self._table: Any = None
        self._log: list[str] = []
        self._last = ""
        self.public: Any = None

    def formless(self) -> float:
        """Reads what has no form."""
        return float(self.poly(0.0))

    def fill(self) -> None:
        """Fills a memo."""
        self._table = [self.a * self.c]

    def lazy(self) -> float:
        """Reads it."""
        self._log.append("lazy")
        self._last = "lazy"
        if self._table is None:
            self.fill()
        return float(self._table[0])

    def load(self) -> None:
        """Fills an attribute that others can see."""
        if self.public is None:
            self.public = 7.0

    def seen(self) -> float:
        """Tells whether that is filled."""
        return -1.0 if self.public is None else self.public

    @functools.cached_property
    def kept(self) -> float:
        """Kept by Python."""
        return self.a + self.c


@keyed_by("a")
class Inner(Plain):
    """The same, as an owner."""


@keyed_by("a")
class InnerOfForm(Plain):
    """An owner all of whose attributes have a form."""

    def __init__(self, a: float, c: float = 1.0) -> None:
        super().__init__(a, c)
        del self.poly


class PlainOfForm(Plain):
    """An object all of whose attributes have a form."""

    def __init__(self, a: float, c: float = 1.0) -> None:
        super().__init__(a, c)
        del self.poly


METHODS = ["formless", "lazy", "seen", "kept"]


class Calling:
    """Asks a part."""

    def ask(self, part: Any, name: str) -> Any:
        """By its name."""
        computed.append(name)
        found = getattr(part, name)
        return found() if callable(found) else found


@keyed_by("part")
class ByParameter(Calling):
    """Has a part as a parameter."""

    def __init__(self, part: Any) -> None:
        self.part = part

    @stored
    def value(self, name: str) -> Any:
        """What the part gives."""
        return self.ask(self.part, name)


@keyed_by("n")
class ByAttribute(Calling):
    """Has a part as an attribute that it does not declare."""

    def __init__(self, part: Any) -> None:
        self.n, self.part = 1.0, part

    @stored
    def value(self, name: str) -> Any:
        """What the part gives."""
        return self.ask(self.part, name)


@keyed_by("n")
class ByArgument(Calling):
    """Gets a part as an argument."""

    def __init__(self, part: Any) -> None:
        self.n = 1.0
        self.given = lambda name: self._value(part, name)

    def value(self, name: str) -> Any:
        """What the part gives."""
        return self.given(name)

    @stored
    def _value(self, part: Any, name: str) -> Any:
        return self.ask(part, name)


OWNERS = [ByParameter, ByAttribute, ByArgument]

CHANGES: dict[str, Callable[[Any], object]] = {
    "other attribute": lambda part: setattr(part, "c", 3.0),
    "parameter": lambda part: setattr(part, "a", 5.0),
    "memo by hand": lambda part: setattr(part, "_table", [99.0]),
    "loaded": lambda part: part.load(),
    "filled": lambda part: (part.lazy(), part.kept),
    "kept by hand": lambda part: part.__dict__.update(kept=99.0),
    "emptied": lambda part: (setattr(part, "_table", None), part.__dict__.pop("kept", None)),
}


CASES = list(itertools.product(CHANGES, CHANGES, OWNERS, [Inner, InnerOfForm, PlainOfForm]))


@pytest.mark.parametrize(("first", "second", "owner_class", "kind"), CASES[:: rounds(4, 1)])
@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
def test_parts_that_change(owner_class: Any, kind: Any, first: str, second: str) -> None:
    """The owner, and a new one with a new part of equal attributes, get what a plain call gives each of them."""
    part = kind(2.0)
    owner = owner_class(part)
    names = METHODS if kind is Inner else METHODS[1:]
    for change in (lambda part: None, CHANGES[first], CHANGES[second]):
        change(part)
        fresh = kind(part.a, part.c)
        for name in names:
            expected = Calling().ask(copy.deepcopy(part), name)
            assert owner.value(name) == expected
            assert owner.value(name) == expected
            assert owner_class(copy.deepcopy(part)).value(name) == expected
            assert owner_class(fresh).value(name) == Calling().ask(kind(part.a, part.c), name)


@pytest.mark.parametrize("owner_class", OWNERS)
def test_an_owner_with_an_attribute_without_a_form(owner_class: Any) -> None:
    """Its results are for one object, which a warning says; others with another such attribute have their own."""

    class Fresh(owner_class):
        """One of which nothing was warned before."""

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        owners = [Fresh(Inner(2.0, c)) for c in (1.0, 7.0)]
        for _ in range(2):
            assert [each.value("formless") for each in owners] == [1.0, 7.0]
    texts = [str(each.message) for each in caught if each.category is OwnerWarning]
    assert any("poly" in each or "part" in each for each in texts)


@pytest.mark.parametrize("kind", [InnerOfForm, PlainOfForm])
@pytest.mark.parametrize("owner_class", OWNERS)
def test_a_memo_of_a_part_is_no_reason_to_compute_anew(owner_class: Any, kind: Any) -> None:
    """What a call fills in a part does not count for it, nor for others."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        owner = owner_class(kind(2.0))
        before = len(computed)
        assert [owner.value("lazy"), owner.value("lazy"), owner_class(kind(2.0)).value("lazy")] == [2.0] * 3
        assert [owner.value("kept"), owner.value("kept"), owner_class(kind(2.0)).value("kept")] == [3.0] * 3
        assert len(computed) == before + 2
        forget_memory(owner_class)
        assert owner_class(kind(2.0)).value("lazy") == 2.0
        assert len(computed) == before + 2


def test_objects_by_name_of_an_owner_without_a_form(cache_dir: Path) -> None:
    """They are those of this process: a number that stands for an object is another object's in the next one."""
    owner = ByParameter(Inner(2.0))
    user = storage_user(owner)
    user.storeObject("object", 1.0)
    assert user.getStoredObject("object") == 1.0
    assert list(cache_dir.rglob("*.stored")) == []


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A part that never changes."""

    a: float

    @functools.cached_property
    def poly(self) -> Any:
        """Has no form."""
        return np.poly1d([self.a])

    def value(self) -> float:
        """Reads it."""
        return float(self.poly(0.0))


def test_what_a_frozen_part_keeps_does_not_count() -> None:
    """It can be made of nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        part = Frozen(3.0)
        assert part.value() == 3.0
        before = len(computed)
        assert [ByParameter(each).value("value") for each in (part, Frozen(3.0))] == [3.0, 3.0]
        assert len(computed) == before + 1


def test_data_in_a_part() -> None:
    """A long list is taken for data, and counts like all else."""
    part = InnerOfForm(2.0)
    part.data = list(range(2000))  # type: ignore[attr-defined]
    owner = ByParameter(part)
    assert [owner.value("lazy"), owner.value("lazy")] == [2.0, 2.0]
    before = len(computed)
    part.data[0] = 7  # type: ignore[attr-defined]
    assert owner.value("lazy") == 2.0
    assert len(computed) == before + 1
