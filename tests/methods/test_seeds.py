"""A random generator whose seed is None makes results private, where that is known only when the method runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from stored import OwnerWarning, keyed_by, stored


def with_default(n: int, seed: int | None = None) -> Any:
    return default_rng(seed).normal(size=n)


def by_variable(n: int, given: int | None) -> Any:
    seed = given
    return np.random.RandomState(seed).normal(size=n)


SEED: int | None = None


class Config:
    def __init__(self, seed: int | None) -> None:
        self.seed = seed


@keyed_by("p", "seed", "config")
class Model:
    def __init__(self, seed: int | None) -> None:
        self.p, self.seed, self.config = 1.0, seed, Config(seed)

    @stored
    def of_attribute(self) -> Any:
        return default_rng(self.seed).normal()

    @stored
    def of_expression(self) -> Any:
        return default_rng(None if self.seed is None else abs(self.seed)).normal()

    @stored
    def of_argument(self, seed: int | None = None) -> Any:
        return default_rng(seed).normal()

    @stored
    def of_part(self) -> Any:
        return default_rng(self.config.seed).normal()

    @stored
    def without(self) -> Any:
        return with_default(3)

    @stored
    def by_name(self) -> Any:
        return with_default(3, seed=self.seed)

    @stored
    def by_place(self) -> Any:
        return by_variable(3, self.seed)

    @stored
    def of_module(self) -> Any:
        return default_rng(SEED).normal()

    @stored
    def of_closure(self) -> Any:
        seed = self.seed
        return [default_rng(seed).normal() for _ in range(2)]

    @stored(ignore=("default_rng",))
    def ignored(self) -> Any:
        return default_rng(self.seed).normal()


OF_SEED = ["of_attribute", "of_expression", "of_part", "by_name", "by_place", "of_closure"]


@pytest.mark.parametrize("name", [*OF_SEED, "of_argument", "without", "of_module"])
def test_a_seed_that_is_none_makes_results_private(name: str) -> None:
    """The warning names the function, what it calls and the seed."""
    with pytest.warns(OwnerWarning, match=r"makes a generator by .* with a seed that can be None \("):
        getattr(Model(None), name)()
    assert getattr(Model(None), name).cache_info().stores == 0
    assert not np.array_equal(getattr(Model(None), name)(), getattr(Model(None), name)())


@pytest.mark.parametrize("name", OF_SEED)
def test_a_seed_that_is_a_number_is_an_ordinary_value(name: str) -> None:
    """Objects of equal parameters share the result, and the store has it."""
    assert np.array_equal(getattr(Model(5), name)(), getattr(Model(5), name)())
    assert getattr(Model(5), name).explain().where is not None


def test_arguments_and_what_is_ignored() -> None:
    """One call with a seed and one without; who ignores what makes the generator wants the first draw."""
    model = Model(None)
    assert model.of_argument(3) == Model(None).of_argument(3) == default_rng(3).normal()
    assert model.ignored() == Model(None).ignored()


def test_a_module_s_seed_is_read_when_the_method_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As all constants are."""
    monkeypatch.setitem(globals(), "SEED", 4)
    assert Model(None).of_module() == Model(None).of_module() == default_rng(4).normal()


@keyed_by("scale")
class Scipy:
    scale = 1.0

    @stored
    def global_draws(self) -> Any:
        return stats.norm.rvs(size=2)

    @stored
    def frozen_draws(self) -> Any:
        return stats.norm(0, self.scale).rvs(2)

    @stored
    def scrambled(self) -> Any:
        return stats.qmc.Sobol(2).random(2)

    @stored
    def seeded(self) -> Any:
        return stats.norm(0, self.scale).rvs(2, random_state=3)

    @stored
    def plain(self) -> Any:
        return stats.norm(0, self.scale).cdf(2.0)


@pytest.mark.parametrize("name", ["global_draws", "frozen_draws", "scrambled"])
def test_scipy_s_draws_without_a_seed_make_results_private(name: str) -> None:
    """Also those of distributions with given parameters, and of scrambled sequences."""
    with pytest.warns(OwnerWarning, match="draws from the random generator of a module by scipy.stats"):
        getattr(Scipy(), name)()
    assert not np.array_equal(getattr(Scipy(), name)(), getattr(Scipy(), name)())


@pytest.mark.parametrize("name", ["seeded", "plain"])
def test_scipy_with_a_seed_or_without_draws_is_stored(name: str) -> None:
    """Whatever else the distribution is used for."""
    getattr(Scipy(), name)()
    assert getattr(Scipy(), name).explain().where is not None
