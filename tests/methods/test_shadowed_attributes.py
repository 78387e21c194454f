"""Results are right where a class has something else for the names of attributes that its objects contain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stored import keyed_by, stored


def temperature_of(model: Any) -> Any:
    return model.__dict__["T"]


@keyed_by("Om0")
class Model:
    """It has a property, and a plain value, by names under which its objects contain something else."""

    order = 3

    def __init__(self, T: float) -> None:
        self.Om0 = 0.3
        self.T = T

    @property
    def T(self) -> float:
        return round(self.__dict__["T"])

    @T.setter
    def T(self, value: float) -> None:
        self.__dict__["T"] = value

    @stored
    def by_property(self) -> Any:
        return self.T

    @stored
    def by_item(self) -> Any:
        return self.__dict__["T"]

    @stored(depends="auto")
    def by_what_is_read(self) -> Any:
        return self.__dict__["T"]

    @stored
    def by_variable(self) -> Any:
        content = vars(self)
        return content.get("T")

    @stored
    def by_function(self) -> Any:
        return temperature_of(self)

    @stored
    def by_pattern(self) -> Any:
        match self.__dict__:
            case {"T": found}:
                return found

    @stored
    def as_a_whole(self) -> Any:
        return dict(sorted(vars(self).items()))

    @stored
    def is_set(self) -> Any:
        return "order" in self.__dict__

    @stored
    def is_set_as_a_call(self) -> Any:
        return self.__dict__.__contains__("order")

    @stored(depends="auto")
    def order_or_none(self) -> Any:
        return vars(self).get("order")


METHODS = [name for name, each in vars(Model).items() if hasattr(each, "__stored_method__")]


def plain(kind: type, name: str) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = getattr(kind, name).__wrapped__
    return found


@pytest.mark.parametrize("calls", [1, 5])
@pytest.mark.parametrize("name", METHODS)
def test_what_an_object_contains_counts(name: str, calls: int) -> None:
    def is_right(model: Model) -> bool:
        return all(getattr(model, name)() == plain(Model, name)(model) for _ in range(calls))

    model = Model(1.1)
    assert is_right(model)
    model.T = 1.2
    assert is_right(model)
    model.T = 5.0
    assert is_right(model)
    assert is_right(Model(1.4))
    model.order = 3
    assert is_right(model)
    model.order = 4
    assert is_right(model)
    del model.__dict__["order"]
    assert is_right(model)


@keyed_by("H0")
class Rounded:
    """The parameter that it declares is a property."""

    def __init__(self, H0: float) -> None:
        self.__dict__["H0"] = H0

    @property
    def H0(self) -> float:
        return round(self.__dict__["H0"])

    @stored
    def by_item(self) -> Any:
        return self.__dict__["H0"]

    @stored(depends="auto")
    def by_what_is_read(self) -> Any:
        return self.__dict__["H0"]

    @stored
    def as_a_whole(self) -> Any:
        return dict(vars(self))


@pytest.mark.parametrize("name", ["by_item", "by_what_is_read", "as_a_whole"])
def test_what_an_object_contains_counts_beside_a_parameter(name: str) -> None:
    for value in (70.1, 70.2, 70.2, 71.0):
        model = Rounded(value)
        assert getattr(model, name)() == plain(Rounded, name)(model)


@keyed_by("x")
class Delegating:
    """What an object does not contain, its class gives by a function."""

    def __init__(self) -> None:
        self.x = 1

    def __getattr__(self, name: str) -> int:
        if name.startswith("_"):
            raise AttributeError(name)
        return 5

    @stored
    def contained(self) -> Any:
        return self.__dict__.get("offset", 0)


def test_what_an_object_contains_counts_where_the_class_gives_the_rest() -> None:
    model = Delegating()
    assert model.contained() == 0
    model.__dict__["offset"] = 5  # what __getattr__ gives
    assert model.contained() == 5


class Base:
    limit = 1


@keyed_by("x")
class Derived(Base):
    """It looks at its bases, and at its names."""

    limit = 7

    def __init__(self) -> None:
        self.x = 1

    @stored
    def by_number(self) -> Any:
        return type(self).__mro__[1].limit  # type: ignore[attr-defined]

    @stored
    def by_call(self) -> Any:
        return [vars(each).get("limit") for each in type(self).mro()]

    @stored
    def by_base(self) -> Any:
        return type(self).__base__.limit  # type: ignore[union-attr]

    @stored
    def by_bases(self) -> Any:
        return type(self).__bases__[0].limit  # type: ignore[attr-defined]

    @stored
    def name(self) -> Any:
        return self.__class__.__name__

    @stored
    def qualified_name(self) -> Any:
        return type(self).__qualname__


@pytest.fixture
def names_of_derived() -> Iterator[None]:
    before = Derived.__name__, Derived.__qualname__
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: setattr(Derived, "__name__", before[0]))
        stack.callback(lambda: setattr(Derived, "__qualname__", before[1]))
        yield


@pytest.mark.usefixtures("names_of_derived")
@pytest.mark.parametrize("name", [each for each, value in vars(Derived).items() if hasattr(value, "__stored_method__")])
def test_values_of_bases_and_names_of_classes_count(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Derived()

    def is_right() -> bool:
        return bool(getattr(model, name)() == plain(Derived, name)(model))

    assert is_right()
    monkeypatch.setattr(Base, "limit", 5)
    assert is_right()
    monkeypatch.setattr(Derived, "limit", 5)
    assert is_right()
    Derived.__name__ = "Other"
    assert is_right()
    Derived.__qualname__ = "other.Other"
    assert is_right()
