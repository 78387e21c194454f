"""Pydantic models and estimators of scikit-learn as owners."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from stored import keyed_by, stored
from stored._keys import canonical
from stored.errors import OwnerError, UnstableKeyError
from tests.keys.models import string

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pydantic = pytest.importorskip("pydantic")
    sklearn = pytest.importorskip("sklearn.base")
    from sklearn import linear_model, pipeline, preprocessing, tree


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


class Boosted(sklearn.BaseEstimator):  # type: ignore[misc]
    """As the models of xgboost and lightgbm are, which keep what has no name of its own beside the arguments."""

    def __init__(self, depth: Any = 3, **more: Any) -> None:
        self.depth, self.more = depth, more

    def get_params(self, deep: bool = True) -> Any:
        return {"depth": self.depth, **self.more}

    def set_params(self, **params: Any) -> Any:
        self.depth = params.pop("depth", self.depth)
        self.more.update(params)
        return self

    @stored
    def value(self) -> Any:
        return self.depth * self.more.get("rate", 1)


@keyed_by(only=True, name="boosted")
class Whole(Boosted):
    pass


@keyed_by("depth", "more")
class Naming(Boosted):
    pass


@keyed_by
class Bare(Boosted):
    pass


@keyed_by("more")
class NamingMore(Bare):
    pass


@pytest.mark.parametrize("kind", [Boosted, Bare, Whole, Naming, NamingMore])
def test_the_parameters_of_an_estimator_may_have_no_names(kind: Any) -> None:
    """They are what `get_params` gives, unless attributes are named; a change of any is noticed."""
    owner = kind(2, rate=5)
    assert [owner.value(), owner.value(), kind(2, rate=7).value()] == [10, 10, 14]
    assert kind(2, rate=5).value.cached()
    owner.set_params(rate=6)
    assert owner.value() == 12
    expected = "depth=2, more={'rate': 6}" if kind in {Naming, NamingMore} else "get_params()={'depth': 2, 'rate': 6}"
    assert string(owner) == expected


def test_dependencies_name_what_tells_the_parameters() -> None:
    """Where they have no names."""
    text = str(Boosted(2).value.dependencies())
    assert "what get_params() of the object tells" in text
    assert "hashable string" not in text


def test_params_without_names_cannot_be_chosen() -> None:
    """The error says how they can; nothing may be chosen."""

    class Chosen(Boosted):
        @stored(depends=("depth",))
        def chosen(self) -> Any:
            return self.depth

        @stored(depends=())
        def constant(self) -> Any:
            return 1

    with pytest.raises(OwnerError, match=r"get_params\(\) tells them as a whole.*@keyed_by"):
        Chosen(2).chosen()
    assert [Chosen(2).constant(), Chosen(3).constant()] == [1, 1]


def test_an_estimator_that_does_not_tell_its_params_is_refused() -> None:
    """One of which an attribute is missing, and one that returns something else."""

    class Listing(Boosted):
        def get_params(self, deep: bool = True) -> Any:
            return [self.depth]

    with pytest.raises(OwnerError, match=r"Listing\.get_params\(\) returned \[2\] of type list; it must return a dict"):
        Listing(2).value()
    owner = Boosted(2)
    del owner.depth
    with pytest.raises(OwnerError, match=r"Boosted\.depth is not set"):
        owner.value()


@keyed_by("inner")
class Nested:
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @stored
    def value(self) -> Any:
        return float(self.inner.predict([[1.0]])[0])

    @stored
    def of(self, model: Any) -> Any:
        return float(model.predict([[1.0]])[0])


def ridge(slope: float, alpha: float = 1.0) -> Any:
    return linear_model.Ridge(alpha=alpha).fit([[0.0], [1.0]], [0.0, slope])


def test_an_estimator_of_a_library_is_a_parameter_and_an_argument() -> None:
    """Its parameters count, and so does what it was fitted to."""
    owner = Nested(ridge(1.0))
    values = [owner.value(), owner.of(ridge(1.0))]
    assert values == [owner.value.__wrapped__()] * 2
    assert Nested(ridge(1.0)).value.cached()
    assert owner.of.cached(ridge(1.0))
    assert not owner.of.cached(ridge(1.0, alpha=2.0))
    assert not owner.of.cached(ridge(2.0))
    owner.inner.fit([[0.0], [1.0]], [0.0, 3.0])
    assert owner.value() == owner.value.__wrapped__() != values[0]
    owner.inner.coef_[:] = 0.0
    assert owner.value() == owner.value.__wrapped__()


def test_the_version_of_its_library_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may predict something else."""
    before = canonical(ridge(1.0))
    monkeypatch.setattr("stored._keys.canonical_objects.distribution_text", lambda module: f"{module} 0")
    assert canonical(ridge(1.0)) != before


class Steps(pipeline.Pipeline):  # type: ignore[misc]
    @stored
    def value(self) -> Any:
        return float(self.predict([[1.0]])[0])


@pytest.mark.filterwarnings("ignore::stored.errors.OwnerWarning")
def test_a_pipeline_is_an_owner_and_an_argument() -> None:
    """With all of its steps."""
    steps = [("scale", preprocessing.StandardScaler()), ("fit", linear_model.Ridge())]
    for owner, value in ((Steps(steps), Steps.value), (Nested(pipeline.Pipeline(steps)), Nested.value)):
        model = getattr(owner, "inner", owner)
        model.fit([[0.0], [1.0]], [0.0, 1.0])
        assert value(owner) == value.__wrapped__(owner)
        model.fit([[0.0], [1.0]], [0.0, 5.0])
        assert value(owner) == value.__wrapped__(owner)
    model = pipeline.Pipeline(steps)
    assert Nested(1).of(model) == Nested(model).value()
    assert Nested(1).of.cached(model)
    model.set_params(fit__alpha=9.0)
    assert not Nested(1).of.cached(model)


def test_what_has_no_form_in_an_estimator_is_named() -> None:
    """A tree is compiled, and a generator draws other numbers each time."""
    model = tree.DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(UnstableKeyError, match=r"Nested\.inner\.tree_ is a value of type sklearn"):
        Nested(model).value()
    model = linear_model.Ridge(random_state=np.random.RandomState(1))
    with pytest.raises(UnstableKeyError, match=r"inner\.random_state is .*a random generator"):
        Nested(model).value()
    model = linear_model.Ridge()
    del model.alpha
    with pytest.raises(OwnerError, match=r"inner is an owner of type sklearn.*no attribute 'alpha'"):
        Nested(model).value()
