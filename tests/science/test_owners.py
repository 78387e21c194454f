"""Pydantic models and estimators of scikit-learn as owners."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from stored import keyed_by, stored
from stored.errors import OwnerError
from tests.keys.models import string

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pydantic = pytest.importorskip("pydantic")
    sklearn = pytest.importorskip("sklearn.base")


@keyed_by
class Halo(pydantic.BaseModel):
    mass: float
    shape: float = 5.0
    _steps: int = pydantic.PrivateAttr(3)

    @stored
    def value(self) -> Any:
        return self.mass * self.shape

    @stored
    def stepped(self) -> Any:
        return self.mass * self._steps


def test_the_fields_of_a_model_are_the_parameters() -> None:
    """Equal models share results, a changed field is noticed, and no warning is given."""
    owner = Halo(mass=2)
    assert string(owner) == "mass=2.0, shape=5.0"
    assert [owner.value() for _ in range(3)] == [10.0] * 3
    assert Halo(mass=2).value.cached()
    owner.shape = 6.0
    assert [owner.value() for _ in range(3)] == [12.0] * 3


def test_private_attributes_of_a_model_count_where_they_are_read() -> None:
    """They are no fields, and join."""
    owner = Halo(mass=2)
    assert owner.stepped() == 6.0
    owner._steps = 4
    assert [owner.stepped(), Halo(mass=2).stepped()] == [8.0, 6.0]


def test_a_sub_model_adds_its_fields() -> None:
    """Undecorated too."""

    class Wider(Halo):
        extra: int = 1

    assert string(Wider(mass=2)) == "mass=2.0, shape=5.0, extra=1"


def test_extra_attributes_of_a_model_count() -> None:
    """All of them, as one parameter."""

    @keyed_by
    class Open(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        mass: float

        @stored
        def value(self) -> Any:
            return self.mass * self.shape

        @stored
        def all(self) -> Any:
            return dict(self.model_extra)

    owner = Open(mass=2, shape=3)
    assert string(owner) == "mass=2.0, model_extra={'shape': 3}"
    assert [owner.value(), owner.value()] == [6.0, 6.0]
    owner.shape = 4
    assert [owner.value(), owner.all()] == [8.0, {"shape": 4}]
    owner.more = 5
    assert owner.all() == {"shape": 4, "more": 5}


def test_a_memo_of_a_model_is_filled() -> None:
    """A private attribute that a method fills when it needs it; validators that run then are not known."""

    @keyed_by
    class Lazy(pydantic.BaseModel):
        mass: float
        _table: Any = pydantic.PrivateAttr(None)

        def table(self) -> Any:
            if self._table is None:
                self._table = [self.mass] * 2
            return self._table

        @stored
        def value(self) -> Any:
            return sum(self.table())

    owner = Lazy(mass=2)
    assert [owner.value(), owner.value(), Lazy(mass=2).value()] == [4.0] * 3

    @keyed_by
    class Validating(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(validate_assignment=True)
        mass: float
        calls: int = 0

        @stored
        def value(self) -> Any:
            self.calls = 1
            return self.mass

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [Validating(mass=2).value(), Validating(mass=3).value()] == [2.0, 3.0]


class Estimator(sklearn.BaseEstimator):  # type: ignore[misc]
    def __init__(self, alpha: Any = 1.0, order: Any = 2) -> None:
        self.alpha, self.order = alpha, order

    def fit(self, x: Any) -> Estimator:
        self.coef_ = self.alpha * np.asarray(x)
        return self

    @stored
    def total(self, scale: float) -> Any:
        return float(self.coef_.sum()) * scale


@keyed_by
class Decorated(Estimator):
    pass


@pytest.mark.parametrize("kind", [Estimator, Decorated])
def test_the_parameters_of_an_estimator_are_those_of_get_params(kind: Any) -> None:
    """Decorated or not; what was fitted joins the keys of methods that read it."""
    owner = kind(2.0).fit([1, 2])
    assert string(owner) == "alpha=2.0, order=2"
    assert [*owner.get_params(deep=False)] == ["alpha", "order"]
    assert [owner.total(1.0), owner.total(1.0)] == [6.0, 6.0]
    owner.fit([1, 3])
    assert owner.total(1.0) == 8.0
    assert kind(2.0).fit([1, 3]).total.cached(1.0)
    assert not kind(3.0).fit([1, 3]).total.cached(1.0)
    owner.set_params(alpha=5.0)
    assert not owner.total.cached(1.0)


def test_an_estimator_that_does_not_keep_an_argument_is_refused() -> None:
    """With its name."""

    class Wrong(sklearn.BaseEstimator):  # type: ignore[misc]
        def __init__(self, alpha: Any) -> None:
            self.beta = alpha

        @stored
        def total(self) -> Any:
            return self.beta

    with pytest.raises(OwnerError, match=r"takes 'alpha', but Wrong\.alpha is not set"):
        Wrong(1).total()
