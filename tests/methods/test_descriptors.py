"""Descriptors of the user's own count by their code, their data and what they read on the object."""

from __future__ import annotations

from typing import Any

import pytest

from stored import keyed_by, stored

FACTOR = 1.0


class Scaled:
    """A descriptor that only gives a value."""

    def __init__(self, k: float) -> None:
        self.k = k

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else owner.p * self.k * FACTOR + owner.other


@keyed_by("p")
class Model:
    scaled = Scaled(3.0)

    def __init__(self, p: float = 2.0, other: float = 0.0) -> None:
        self.p, self.other = p, other

    @stored
    def method(self) -> float:
        return float(self.scaled) + 1.0


def test_results_are_stored_and_shared() -> None:
    """They are ordinary results."""
    assert Model().method() == Model().method() == 7.0
    assert Model().method.explain().where is not None


def test_code_data_and_attributes_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is seen at the next call."""
    model = Model()
    assert model.method() == 7.0
    model.other = 1.0
    assert model.method() == model.method.__wrapped__() == 8.0
    monkeypatch.setitem(globals(), "FACTOR", 2.0)
    assert model.method() == model.method.__wrapped__() == 14.0
    monkeypatch.setattr(Model, "scaled", Scaled(4.0))
    assert model.method() == model.method.__wrapped__() == 18.0
    monkeypatch.setattr(Scaled, "__get__", lambda self, owner, kind=None: self.k)
    assert model.method() == model.method.__wrapped__() == 5.0


def test_the_data_of_a_descriptor_that_is_changed_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """As any object of the class is."""
    model = Model()
    assert model.method() == 7.0
    monkeypatch.setattr(vars(Model)["scaled"], "k", 5.0)
    assert Model().method() == Model().method.__wrapped__() == 11.0
    assert model.method() == 11.0
