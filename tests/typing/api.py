"""What type checkers see of the public names; only mypy reads this file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from stored import (
    Axis,
    CacheInfo,
    Explanation,
    FillReport,
    Interpolant,
    StorageUser,
    configure,
    fill,
    getCacheDir,
    keyed_by,
    stored,
)
from stored.typing import TableInterpolant


@keyed_by("n")
class Model:
    def __init__(self, n: int) -> None:
        self.n = n

    @stored
    def bare(self, x: float, *, scale: int = 1) -> list[float]:
        return [x] * self.n * scale

    @stored("named")
    def named(self) -> str:
        return "x"

    @stored(name="also named", persistent=False, maxsize=3, ignore=("verbose",), round={"x": 3}, copy=True)
    def with_options(self, x: float, verbose: bool = False) -> NDArray[np.float64]:
        return np.zeros(3)

    @stored(interpolate=True)
    def table(self, k: int) -> NDArray[np.float64]:
        return np.zeros((2, k))

    @stored(interpolate=Axis("x", 0.0, 1.0, points=10), depends=("n",), version="2")
    def curve(self, x: float) -> float:
        return x

    @staticmethod
    @stored
    def static(x: float, *, scale: int = 1) -> list[float]:
        return [x] * scale


@stored
def growth(z: float, Om0: float = 0.3) -> float:
    return z * Om0


@stored("also named", persistent=False, maxsize=3)
def constant() -> str:
    return "x"


@stored(interpolate=Axis("z", 0.0, 1.0))
def age(z: float) -> float:
    return z


@stored(interpolate=True)
def table(k: int) -> NDArray[np.float64]:
    return np.zeros((2, k))


@keyed_by
class Bare:
    def __init__(self, n: int) -> None:
        self.n = n

    @stored
    def twice(self) -> int:
        return 2 * self.n


@keyed_by(module="models", only=True)
@dataclass
class Data:
    n: int


@dataclass(frozen=True)
class Frozen:
    n: int

    @stored
    def total(self) -> int:
        return self.n


model = Model(1)
assert_type(model, Model)
assert_type(fill([model], ["bare", "named"], [(1.0,)], progress=lambda report: report.done), FillReport)
assert_type(model.bare(1.0), list[float])
assert_type(model.bare(1.0, scale=2), list[float])
assert_type(Model.bare(model, 1.0), list[float])
assert_type(model.named(), str)
assert_type(model.with_options(1.0), NDArray[np.float64])
assert_type(model.table(3), TableInterpolant)
assert_type(model.curve(0.5), float)
assert_type(model.curve.exact(0.5), float)
assert_type(model.curve.interpolant(), Interpolant)
assert_type(model.curve.roots(0.5), NDArray[np.float64])
assert_type(Frozen(1).total(), int)
assert_type(Bare(1), Bare)
assert_type(Bare(1).twice(), int)
assert_type(Data(1), Data)
assert_type(model.bare.cache_info(), CacheInfo)
assert_type(model.bare.refresh(1.0), list[float])
assert_type(model.bare.cached(1.0), bool)
assert_type(model.bare.explain(1.0), Explanation)
assert_type(model.bare.__wrapped__(1.0), list[float])
assert_type(model.bare.cache_clear(), None)
assert_type(Model.bare.cache_clear(), None)
assert_type(Model.bare.cache_clear(model), None)

assert_type(growth(1.0), float)
assert_type(growth(1.0, Om0=0.3), float)
assert_type(constant(), str)
assert_type(age(0.5), float)
assert_type(table(3), TableInterpolant)
assert_type(Model.static(1.0), list[float])
assert_type(Model.static(1.0, scale=2), list[float])
assert_type(Model.static.cached(1.0), bool)
assert_type(growth.cache_clear(), None)
assert_type(growth.cache_clear(1.0), None)
assert_type(growth.cache_info(), CacheInfo)
assert_type(growth.cached(1.0), bool)
assert_type(growth.refresh(1.0), float)
assert_type(growth.explain(1.0), Explanation)
assert_type(age.exact(0.5), float)
assert_type(age.interpolant(), Interpolant)
assert_type(age.roots(0.5), NDArray[np.float64])
assert_type(fill(growth, args=[(1.0,)]), FillReport)

growth("one")  # type: ignore[arg-type]
growth()  # type: ignore[call-arg]
growth.cached("one")  # type: ignore[arg-type]
function_as_callback: Callable[[float], float] = growth

as_callback: Callable[[float], list[float]] = model.bare

model.bare("one")  # type: ignore[arg-type]
model.bare()  # type: ignore[call-arg]
model.bare.cached("one")  # type: ignore[arg-type]
stored(size=3)  # type: ignore[call-overload]

user = StorageUser("module", "rw", lambda: "name", lambda: "string", None)
assert_type(user.getHash(), str)
assert_type(user.listObjects(), list[str])
assert_type(getCacheDir(), str)
with configure(persistence="r", disable=True) as settings:
    assert_type(settings.persistence, str)
