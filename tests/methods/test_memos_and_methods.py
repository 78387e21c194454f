"""Memos that were filled by other code, or with other values, than what would fill them now."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import pytest

from stored import keyed_by, stored

pytestmark = pytest.mark.filterwarnings("ignore::stored.OwnerWarning")


class Part:
    def __init__(self, x: float) -> None:
        self.x = x
        self._memo: Any = None

    def double(self) -> float:
        return 2 * self.x

    def lazy(self) -> Any:
        if self._memo is None:
            self._memo = self.double()
        return self._memo

    @functools.cached_property
    def kept(self) -> float:
        return self.double() + 5.0


@keyed_by("a")
class Model:
    def __init__(self, a: float) -> None:
        self.a = a
        self.part = Part(a)
        self._memo: Any = None
        self._rows: dict[int, float] = {}

    def total(self) -> float:
        return self.a

    @functools.cached_property
    def kept(self) -> float:
        return self.total() + 5.0

    @stored
    def by_memo(self) -> Any:
        if self._memo is None:
            self._memo = self.total()
        return self._memo

    @stored
    def by_row(self, k: int = 2) -> float:
        if k not in self._rows:
            self._rows[k] = self.total() * k
        return self._rows[k]

    @stored
    def by_kept(self) -> float:
        return self.kept

    @stored
    def by_memo_of_part(self) -> Any:
        return self.part.lazy()

    @stored
    def by_kept_of_part(self) -> float:
        return self.part.kept


def change(model: Model) -> None:
    seven: Any = functools.partial(float, 7)
    model.total = model.part.double = seven  # type: ignore[method-assign]


METHODS = [name for name, each in vars(Model).items() if hasattr(each, "__stored_method__")]


@pytest.mark.parametrize("name", METHODS)
def test_what_the_method_had_filled_is_not_taken_for_that_of_the_attribute(name: str) -> None:
    """An object that keeps the old memo gives what that has; others with the same attributes fill it anew."""
    plain = getattr(Model, name).__wrapped__
    model = Model(1.0)
    before = getattr(model, name)()
    change(model)
    assert getattr(model, name)() == plain(model) == before
    other = Model(1.0)
    change(other)
    unused = Model(1.0)
    change(unused)
    assert getattr(other, name)() == plain(unused) != before


SCALE = 1.0


class Scaled:
    def __init__(self, x: float) -> None:
        self.x = x
        self._memo: Any = None

    def lazy(self) -> float:
        if self._memo is None:
            self._memo = SCALE * self.x
        return float(self._memo)

    @functools.cached_property
    def kept(self) -> float:
        return SCALE * self.x + 1.0


@keyed_by("a", "part")
class User:
    def __init__(self, a: float = 2.0) -> None:
        self.a = a
        self.part = Scaled(a)
        self._memo: Any = None
        self._rows: dict[int, float] = {}

    @functools.cached_property
    def kept(self) -> float:
        return SCALE * self.a + 1.0

    @stored
    def by_memo(self) -> float:
        if self._memo is None:
            self._memo = SCALE * self.a
        return float(self._memo)

    @stored
    def by_row(self, k: int = 2) -> float:
        if k not in self._rows:
            self._rows[k] = SCALE * self.a * k
        return self._rows[k]

    @stored
    def by_kept(self) -> float:
        return self.kept

    @stored(depends="auto")
    def by_lazy_part(self) -> float:
        return self.part.lazy()

    @stored
    def by_kept_of_part(self) -> float:
        return self.part.kept


@pytest.mark.parametrize("name", [name for name, each in vars(User).items() if hasattr(each, "__stored_method__")])
def test_what_other_code_has_filled_is_not_taken_for_that_of_now(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that keeps the old memo gives what that has; others compute by the code of now."""
    user = User()
    before = getattr(user, name)()
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert [getattr(user, name)() for _ in range(3)] == [before] * 3
    assert getattr(User(), name)() == getattr(User, name).__wrapped__(User()) != before
    monkeypatch.setitem(globals(), "SCALE", 1.0)
    assert [getattr(user, name)(), getattr(User(), name)()] == [before] * 2


class Sub(User):
    @stored
    def by_method(self) -> float:
        if self._memo is None:
            self._memo = self.factor()
        return float(self._memo)

    def factor(self) -> float:
        return 3.0


class SubOfSub(Sub):
    def factor(self) -> float:
        return 4.0


def test_what_another_class_has_filled_is_not_taken_for_that_of_now() -> None:
    user = SubOfSub()
    assert user.by_method() == 4.0
    user.__class__ = Sub
    assert user.by_method() == 4.0
    assert Sub().by_method() == 3.0


@contextlib.contextmanager
def shifted(part: Any, by: float) -> Iterator[Any]:
    before = part.x
    part.x = before + by
    try:
        yield part
    finally:
        part.x = before


class Changing(User):
    @stored
    def derivative(self) -> float:
        with shifted(self.part, 10.0) as part:
            return float(part.kept)

    @stored
    def own_derivative(self) -> float:
        before, self.a = self.a, 10.0
        try:
            return self.kept
        finally:
            self.a = before

    @stored
    def filling(self) -> float:
        self.part._memo = 100.0
        return self.a

    @stored
    def of_part(self) -> float:
        return self.part.lazy() + self.part.kept

    @stored
    def own(self) -> float:
        return self.kept


@pytest.mark.parametrize(
    ("first", "then"), [("derivative", "of_part"), ("own_derivative", "own"), ("filling", "of_part")]
)
def test_what_was_filled_under_values_of_a_moment_counts(first: str, then: str) -> None:
    """A method has changed what a memo is made of, and changed it back, or has filled it itself."""
    user = Changing()
    getattr(user, first)()
    plain = getattr(Changing, then).__wrapped__
    assert getattr(user, then)() == plain(user)
    assert getattr(Changing(), then)() == plain(Changing()) != plain(user)


class Unit:
    """An object of it stands in it, with a memo, later on."""

    default: Unit | None = None

    def __init__(self, x: float) -> None:
        self.x = x

    @functools.cached_property
    def kept(self) -> float:
        return self.x + 1.0


@keyed_by("part")
class UsesUnit:
    def __init__(self) -> None:
        self.part = Unit(1.0)

    @stored
    def value(self) -> float:
        return self.part.kept


def test_a_class_in_which_its_own_objects_stand_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UsesUnit()
    assert [user.value(), user.value(), UsesUnit().value()] == [2.0] * 3
    monkeypatch.setattr(Unit, "default", user.part)
    assert [user.value(), user.value(), UsesUnit().value()] == [2.0] * 3


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: float

    def double(self) -> float:
        return 2 * self.x

    @functools.cached_property
    def kept(self) -> float:
        return self.double() + 5.0


@keyed_by("part")
class UsesFrozen:
    def __init__(self) -> None:
        self.part = Frozen(1.0)

    @stored
    def value(self) -> float:
        return self.part.kept


def test_what_a_frozen_part_keeps_counts_once_its_method_is_replaced() -> None:
    seven: Any = functools.partial(float, 7)
    user, other = UsesFrozen(), UsesFrozen()
    assert user.part.kept == 7.0
    assert [user.value(), UsesFrozen().value()] == [7.0] * 2
    for each in (user, other):
        object.__setattr__(each.part, "double", seven)
    assert [user.value(), other.value()] == [7.0, 12.0]
