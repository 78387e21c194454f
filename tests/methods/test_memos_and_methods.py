"""Memos that are filled by methods which an attribute of the object takes the place of later."""

from __future__ import annotations

import functools
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
