"""How does an owner that holds a StorageUser tell its parameters?"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stored import keyed_by, stored
from stored._engine.user_parameters import UserParameters
from stored._keys import FieldParameters, Space, compile_check
from tests.engine.models import Model
from tests.methods.models import CALLS
from tests.methods.owners import Held


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """No method of the models has been called yet."""
    CALLS.clear()


def test_a_user_tells_its_space_until_a_change() -> None:
    """The parameters of a user are its space, another after each change of the string, and equal for equal ones."""
    model = Model()
    parameters = UserParameters(model.su, "su", None)
    before = parameters.values(model)
    assert parameters.described.space(Model, before) == Space("engine", "m", "model 1.0")
    assert tuple(parameters.described.names) == ("",)
    model.n = 2.0
    assert parameters.values(model) != before
    assert model.announced == [2.0]
    model.n = 1.0
    assert parameters.quick_key(parameters.values(model)) == parameters.quick_key(before)


def test_a_quick_check_ends_with_a_change_or_a_reset() -> None:
    """The check looks at the user, its space, its string and its name."""
    model = Model()
    parameters = UserParameters(model.su, "su", None)
    renamed = lambda: setattr(model, "name", "other")  # noqa: E731
    replaced = lambda: setattr(model, "su", Model().su)  # noqa: E731
    for end in (lambda: setattr(model, "n", 2.0), renamed, model.su.resetStorage, replaced):
        check = parameters.unchanged_check(Model, parameters.values(model), may_hold_user=True)
        assert check is not None
        is_same, expected = compile_check(check.test), SimpleNamespace(**check.expected)
        assert is_same(model, expected)
        end()
        assert not is_same(model, expected)


def test_a_user_that_the_owner_does_not_hold_has_no_quick_check() -> None:
    """A copy that holds its original's user is described by another, which no attribute leads to."""
    model = Model()
    parameters = UserParameters(model.su, None, None)
    assert parameters.unchanged_check(Model, parameters.values(model), may_hold_user=True) is None


def test_fields_count_beside_the_user() -> None:
    """The names of a class stand beside the string, and are compared by their texts if they can change."""
    model = Model()
    parameters = UserParameters(model.su, "su", FieldParameters(("name",)))
    values = parameters.values(model)
    assert parameters.described.space(Model, values).string == "model 1.0, name='m'"
    assert tuple(parameters.described.names) == ("", "name")
    assert parameters.unchanged_check(Model, values, may_hold_user=True) is None
    key = parameters.quick_key(values)
    model.name = "other"
    assert parameters.quick_key(parameters.values(model)) not in {key, None}
    model.name = ["a", "b"]  # type: ignore[assignment]
    assert parameters.quick_key((values[0], model.name)) is None


def test_an_owner_may_share_the_space_of_another_kind() -> None:
    """An object can hold the StorageUser of its cosmology; its results then follow the cosmology."""

    class Halo:
        def __init__(self, cosmo: Held) -> None:
            self.cosmo, self.su = cosmo, cosmo.su  # type: ignore[attr-defined]

        @stored
        def mass(self) -> float:
            return self.cosmo.n * 10

    cosmo = Held(1.0)
    halo = Halo(cosmo)
    assert halo.mass() == 10.0
    cosmo.n = 2.0
    assert halo.mass() == 20.0


def test_methods_and_explicit_calls_share_a_space() -> None:
    """A change noticed by either is announced once and resets both."""
    owner = Held(1.0)
    owner.su.storeObject("method", "explicit", persistent=False)  # type: ignore[attr-defined]
    assert owner.method() == 1.0
    assert owner.su.getStoredObject("method") == "explicit"  # type: ignore[attr-defined]
    owner.n = 2.0
    assert owner.method() == 2.0
    assert owner.changes == 1
    assert owner.su.getStoredObject("method") is None  # type: ignore[attr-defined]
    assert owner.changes == 1


def test_parameters_of_a_class_count_beside_a_storage_user() -> None:
    """A subclass keyed by more than its base's StorageUser knows has results for each of both."""

    @keyed_by("w0")
    class Extended(Held):
        def __init__(self, n: float, w0: float) -> None:
            super().__init__(n)
            self.w0 = w0

        @stored
        def both(self) -> tuple[float, float]:
            CALLS.append(1)
            return self.n, self.w0

    owner = Extended(1.0, 5.0)
    assert [owner.both(), Extended(1.0, 6.0).both(), owner.both()] == [(1, 5), (1, 6), (1, 5)]
    owner.w0 = 7.0
    assert owner.both() == (1, 7)
    owner.n = 2.0
    assert owner.both() == (2, 7)
    assert Extended(2.0, 7.0).both() == (2, 7)
    assert len(CALLS) == 4
    assert owner.changes == 1


def test_a_change_of_the_name_alone_is_noticed() -> None:
    """By methods, also on a hit, and by explicit calls; it is not announced, since the string is the same."""

    class Named(Model):
        @stored
        def called(self) -> str:
            return self.name

    owner = Named()
    for each in ("m", "m", "other", "other", "m"):
        owner.name = each
        assert owner.called() == each
    owner.su.storeObject("kept", 1)
    owner.name = "other"
    assert owner.su.getStoredObject("kept") is None
    owner.name = "m"
    assert owner.su.getStoredObject("kept") == 1
    assert owner.announced == []
