"""Draws of generators without a seed are not kept, also where that is known only while a method runs."""

from __future__ import annotations

import copy
import random
import threading
import types
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.random import RandomState, SeedSequence, default_rng
from numpy.random import default_rng as make_rng
from scipy import stats

from stored import OwnerWarning, StoredWarning, keyed_by, stored

SETTINGS = types.ModuleType("settings_of_test")
SETTINGS.seed = None  # type: ignore[attr-defined]
PARAMS: dict[str, Any] = {"seed": None}
SEED: int | None = None


def with_default(n: int, seed: int | None = None) -> Any:
    return default_rng(seed).normal(size=n)


def mended(n: int, seed: int | None = None) -> Any:
    if seed is None:
        seed = 1234
    return default_rng(seed).normal(size=n)


def by_variable(n: int, given: int | None) -> Any:
    seed = given
    return default_rng(seed).normal(size=n)


def nothing() -> None:
    return None


def of_distribution(distribution: Any) -> Any:
    return distribution.rvs(size=3)


class Noise:
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def draw(self) -> Any:
        return default_rng(self.seed).normal()


class GlobalNoise:
    def draw(self) -> Any:
        return np.random.normal()


@keyed_by("p", "seed", "options", "noise", "mask")
class Model:
    def __init__(self, seed: int | None = None, noise: Any = None) -> None:
        self.p, self.seed, self.options, self.mask = 1.0, seed, {"seed": seed}, None
        self.noise = Noise(seed) if noise is None else noise
        self.kind = "norm"

    @property
    def told_seed(self) -> int | None:
        return self.seed


OF_SEED = {
    "attribute": lambda self: default_rng(self.seed).normal(),
    "expression": lambda self: default_rng(None if self.seed is None else abs(self.seed)).normal(),
    "item": lambda self: default_rng(self.options["seed"]).normal(),
    "get": lambda self: default_rng(self.options.get("seed")).normal(),
    "part": lambda self: self.noise.draw(),
    "attribute of a part": lambda self: default_rng(self.noise.seed).normal(),
    "by name": lambda self: with_default(3, seed=self.seed),
    "by place": lambda self: with_default(3, self.seed),
    "variable": lambda self: by_variable(3, self.seed),
    "comprehension": lambda self: [default_rng(self.seed).normal() for _ in range(2)],
    "property": lambda self: default_rng(self.told_seed).normal(),
    "sequence": lambda self: default_rng(SeedSequence(self.seed)).normal(),
    "alias": lambda self: make_rng(self.seed).normal(),
    "made part": lambda self: Noise(seed=self.seed).draw(),
    "keywords": lambda self: default_rng(**self.options).normal(),
    "legacy": lambda self: RandomState(self.seed).normal(),
    "Python's": lambda self: random.Random(self.seed).random(),
    "scipy's": lambda self: stats.norm(0, self.p).rvs(2, random_state=self.seed),
    "scrambled": lambda self: stats.qmc.Sobol(2, seed=self.seed).random(2),
}

NEVER = {
    "module": lambda self: default_rng(SEED).normal(),
    "other module": lambda self: default_rng(SETTINGS.seed).normal(),
    "global table": lambda self: default_rng(PARAMS["seed"]).normal(),
    "function": lambda self: default_rng(nothing()).normal(),
    "default": lambda self: with_default(3),
    "default beside a seed": lambda self: with_default(3) + with_default(3, seed=1),
    "zero": lambda self: default_rng(0 or None).normal(),
    "rvs": lambda self: stats.norm.rvs(size=2),
    "frozen": lambda self: stats.norm(0, self.p).rvs(2),
    "given": lambda self: of_distribution(stats.norm),
    "by getattr": lambda self: getattr(stats, self.kind).rvs(size=3),
    "beside a seed": lambda self: stats.norm.rvs(size=2, random_state=1) + stats.norm.rvs(size=2),
    "bootstrap": lambda self: stats.bootstrap(([1.0, 2.0, 4.0],), np.mean, n_resamples=9).standard_error,
}

ALWAYS = {
    "helper": lambda self: by_variable(3, 42),
    "arithmetic": lambda self: default_rng(int(self.p) + 1).normal(),
    "default that is mended": lambda self: mended(3),
    "bits": lambda self: np.random.Generator(np.random.PCG64(42)).normal(),
    "legacy": lambda self: RandomState(int(self.p) + 1).normal(),
    "text": lambda self: random.Random(f"{self.mask}-{self.p}").random(),
    "scipy's": lambda self: stats.norm(0, self.p).rvs(2, random_state=3),
    "not drawn": lambda self: stats.norm(0, self.p).cdf(2.0),
    "copy": lambda self: copy.deepcopy(default_rng(3)).normal(),
    "function": lambda self: default_rng(abs(-3)).normal(),
}


def model_with(function: Any, **options: Any) -> Any:
    """A class with a stored method."""

    class Own(Model):
        method = stored(**options)(function)

    return Own


def calls(kind: Any, *given: Any, **named: Any) -> list[Any]:
    """What two objects of the same parameters give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoredWarning)
        return [kind(*given, **named).method() for _ in range(2)]


def check_draws_anew(kind: Any, told: str) -> None:
    """Each object draws anew, and one warning says so."""
    with pytest.warns(OwnerWarning, match=told):
        kind(None).method()
    one, other = calls(kind, None)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("function", [*OF_SEED.values(), *NEVER.values()], ids=[*OF_SEED, *NEVER])
def test_draws_without_a_seed_are_not_kept(function: Any) -> None:
    """Nothing is found for another object."""
    kind = model_with(function)
    check_draws_anew(kind, r"without a seed|a seed that can be None|global generator")
    assert kind(None).method.explain().where is None


@pytest.mark.parametrize("function", OF_SEED.values(), ids=OF_SEED)
def test_draws_with_a_seed_are_ordinary_values(function: Any) -> None:
    """Though something else is None."""
    kind = model_with(function)
    one = kind(5).method()
    assert np.array_equal(one, kind(5).method())
    assert np.array_equal(one, kind(5).method.__wrapped__())
    assert kind(5).method.explain().where is not None


@pytest.mark.parametrize("function", ALWAYS.values(), ids=ALWAYS)
def test_what_has_a_seed_of_its_own_is_kept(function: Any) -> None:
    """Whatever is None elsewhere."""
    kind = model_with(function)
    assert np.array_equal(kind(None).method(), kind(None).method())
    assert kind(None).method.explain().where is not None


def test_arguments() -> None:
    """One call with a seed and one without."""
    kind = model_with(lambda self, seed=None: default_rng(seed).normal())
    assert kind().method(3) == kind().method(3) == default_rng(3).normal()
    one, other = calls(kind)
    assert one != other


def test_who_ignores_what_draws_wants_the_first_draw() -> None:
    """From then on."""
    kind = model_with(lambda self: default_rng(self.seed).normal(), ignore=("default_rng",))
    assert kind(None).method() == kind(None).method()


def test_a_module_s_seed_is_read_when_the_method_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As all constants are."""
    monkeypatch.setitem(globals(), "SEED", 4)
    kind = model_with(NEVER["module"])
    assert kind().method() == kind().method() == default_rng(4).normal()


def test_parts_that_draw_from_a_global_generator_make_results_private() -> None:
    """As the method itself would; an argument, too."""
    kind = model_with(lambda self: self.noise.draw())
    with pytest.warns(OwnerWarning, match=r"GlobalNoise\.draw\(\) draws from the random generator of a module"):
        kind(None, GlobalNoise()).method()
    one, other = calls(kind, None, noise=GlobalNoise())
    assert one != other
    taking = model_with(lambda self, noise: noise.draw())
    with pytest.warns(OwnerWarning, match=r"GlobalNoise\.draw\(\) draws"):
        assert taking().method(GlobalNoise()) != taking().method(GlobalNoise())


def test_other_threads_draw_as_they_like() -> None:
    """What they do does not count."""
    begun, ended = threading.Event(), threading.Event()

    def drawing() -> None:
        begun.wait()
        default_rng()
        ended.set()

    def function(self: Any) -> Any:
        begun.set()
        ended.wait(10)
        return default_rng(self.seed).normal()

    thread = threading.Thread(target=drawing)
    thread.start()
    kind = model_with(function, ignore=("begun", "ended"))
    assert kind(5).method() == kind(5).method() == default_rng(5).normal()
    thread.join()


def test_methods_that_call_those_that_draw() -> None:
    """They draw, too."""

    @keyed_by("seed")
    class Outer:
        def __init__(self, seed: int | None) -> None:
            self.seed = seed

        @stored
        def inner(self) -> Any:
            return default_rng(self.seed).normal()

        @stored
        def method(self) -> Any:
            return self.inner() + 1.0

    one, other = calls(Outer, None)
    assert one != other
    assert len(set(calls(Outer, 3))) == 1


def legacy_with_default(n: int, seed: int | None = None) -> Any:
    return RandomState(seed).normal(size=n)


def legacy_keyword(n: int, *, seed: int | None = None) -> Any:
    return RandomState(seed).normal(size=n)


def legacy_variable(given: int | None) -> Any:
    seed = given
    return RandomState(seed).normal()


def legacy_of_closure(seed: int | None) -> Any:
    def draw(self: Any) -> Any:
        return RandomState(seed).normal()

    return draw


LEGACY = {
    "attribute": lambda self: RandomState(self.seed).normal(),
    "of a part": lambda self: RandomState(self.noise.seed).normal(),
    "property": lambda self: RandomState(self.told_seed).normal(),
    "default": lambda self: legacy_with_default(3, self.seed),
    "by name": lambda self: legacy_with_default(3, seed=self.seed),
    "keyword": lambda self: legacy_keyword(3, seed=self.seed),
    "inner": lambda self: (lambda: legacy_with_default(3, seed=self.seed))(),
    "variable": lambda self: legacy_variable(self.seed),
    "argument": lambda self, seed=None: RandomState(seed).normal(),
    "module": lambda self: RandomState(SEED).normal(),
    "closure": legacy_of_closure(None),
}


@pytest.mark.parametrize("function", LEGACY.values(), ids=LEGACY)
def test_generators_of_old_without_a_seed_make_results_private(function: Any) -> None:
    """Numpy takes a seed from the system for each of these, so that their arguments have to tell."""
    check_draws_anew(model_with(function), r"makes a generator by .*RandomState\(\) with a seed that can be None")


def test_a_variable_that_is_not_set() -> None:
    """The method itself raises the error."""

    def factory(is_set: bool) -> Any:
        if is_set:
            seed = 1

        def draw(self: Any) -> Any:
            return RandomState(seed).normal()

        return draw

    with pytest.raises(NameError):
        model_with(factory(False))().method()


@keyed_by("seed", "noise")
class Full:
    """A model in which nothing is None."""

    def __init__(self, seed: int) -> None:
        self.seed, self.noise = seed, Noise(seed)

    @property
    def told_seed(self) -> int:
        return self.seed


OWN_SEEDS = ("attribute", "of a part", "property", "by name", "keyword", "inner", "variable", "closure")


@pytest.mark.parametrize("name", OWN_SEEDS)
def test_generators_of_old_with_a_seed_are_ordinary(name: str) -> None:
    """Where nothing is None; of a closure, what it holds."""

    class Own(Full):
        method = stored(legacy_of_closure(7) if name == "closure" else LEGACY[name])

    assert np.array_equal(Own(5).method(), Own(5).method())
    assert Own(5).method.explain().where is not None
