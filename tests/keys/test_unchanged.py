"""A quick check is true only while the parameters are the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stored import keyed_by
from stored._keys import UnchangedCheck, compile_check, find_describer, no_storage_user_checks


@keyed_by("a", "b")
class Model:
    def __init__(self, a: Any = 1.5, b: Any = "x") -> None:
        self.a, self.b = a, b


class Child(Model):
    pass


def quick_check(model: Model, may_hold_user: bool) -> UnchangedCheck | None:
    """The quick check of a model's parameters now."""
    parameters = find_describer(Model)
    return parameters.unchanged_check(Model, parameters.values(model), may_hold_user)


def is_unchanged(model: Model, later: object) -> bool:
    """The quick check of a model's parameters, for an object later."""
    check = quick_check(model, may_hold_user=True)
    assert check is not None
    return compile_check(check.test)(later, SimpleNamespace(**check.expected))


def test_the_same_objects_are_unchanged() -> None:
    """Of the very object, and of another with the same objects as parameters, the check is true."""
    model = Model()
    assert is_unchanged(model, model)
    assert is_unchanged(model, Model(model.a, model.b))


@pytest.mark.parametrize("later", [Model(2.5), Model(1.5, "y"), Model(1), Child(), object()])
def test_anything_else_proves_nothing(later: object) -> None:
    """With another value, another class, or no such attribute, the check is false."""
    assert not is_unchanged(Model(1.25), later)


def test_a_value_that_can_change_has_no_quick_check() -> None:
    """An array can change in place, so that the same object proves nothing."""
    assert quick_check(Model([1.0]), may_hold_user=False) is None


@pytest.mark.parametrize("attribute", ["storageUser", "su"])
def test_an_attribute_for_a_user_ends_the_check(attribute: str) -> None:
    """An owner that holds anything where a StorageUser would be is looked at in full."""
    model = Model()
    later = Model(model.a, model.b)
    setattr(later, attribute, "anything")
    assert not is_unchanged(model, later)


def test_no_condition_can_tell_what_an_odd_class_holds() -> None:
    """Of a class with ``__getattr__`` nothing is proved by an attribute that is not there."""

    class Odd:
        def __getattr__(self, name: str) -> object:
            return None

    assert no_storage_user_checks(Odd) is None
    assert no_storage_user_checks(Odd, "storageUser") == []
    assert len(no_storage_user_checks(Model) or ()) == 2
