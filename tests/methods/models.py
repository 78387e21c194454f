"""Models with stored methods of many kinds, and helpers that call them."""

from __future__ import annotations

import enum
import math
import textwrap
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, keyed_by, stored
from stored._methods import answer as answer_module

CALLS: list[Any] = []


@keyed_by("H0", "Om0")
class Cosmology:
    """A model with every kind of stored method."""

    def __init__(self, H0: float = 70.0, Om0: float = 0.3) -> None:
        self.H0, self.Om0 = H0, Om0

    @stored
    def age(self, z: float, *, unit: float = 1.0) -> float:
        """Age at a redshift."""
        CALLS.append(("age", self.H0, z))
        return unit / self.H0 / (1.0 + z)

    @stored("spectrum", persistent=False, maxsize=2)
    def power(self, k: float) -> float:
        CALLS.append(("power", k))
        return k * self.Om0

    @stored
    def grid(self, n: int = 3) -> np.ndarray:
        CALLS.append(("grid", n))
        return np.arange(n) * self.H0

    @stored
    def nothing(self) -> None:
        CALLS.append("nothing")

    @stored(ignore=("verbose",))
    def quiet(self, x: float, verbose: bool = False) -> float:
        CALLS.append(("quiet", x))
        return x * self.H0

    @stored(round={"z": 2})
    def rounded(self, z: float) -> float:
        CALLS.append(("rounded", z))
        return z

    @stored(depends=("Om0",))
    def growth(self) -> float:
        CALLS.append("growth")
        return self.Om0

    @stored(copy=True)
    def private(self) -> np.ndarray:
        CALLS.append("private")
        return np.zeros(3)

    @stored
    def containers(self) -> dict[str, list[int]]:
        CALLS.append("containers")
        return {"a": [1, 2]}

    @stored(interpolate=True)
    def table(self, n: int = 10) -> np.ndarray:
        CALLS.append("table")
        x = np.linspace(0.0, 1.0, n)
        return np.array([x, self.H0 * x**3])

    @stored(interpolate=Axis("x", 0.0, 1.0, points=20, outside="exact", vectorized=False))
    def curve(self, x: float, scale: float = 1.0) -> float:
        CALLS.append(("curve", x, scale))
        return scale * x**3

    @stored(interpolate=(Axis("x", 0.0, 1.0, points=6, vectorized=False), Axis("y", 1.0, 2.0, points=5)))
    def surface(self, x: float, y: float) -> float:
        CALLS.append("surface")
        return x * y


@keyed_by("scale")
class Curves:
    """Interpolated methods of every kind, of one parameter that every value shows."""

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    @stored(interpolate=Axis("x", 0.1, 3.0, spacing="log", values="log", rtol=1e-10, vectorized=False))
    def power(self, x: float) -> float:
        """scale * x**2"""
        CALLS.append("power")
        return self.scale * x**2

    @stored(interpolate=Axis("x", 0.0, 7.0, atol=1e-10, vectorized=False))
    def wave(self, amplitude: float, x: float, *, phase: float = 0.0) -> float:
        return self.scale * amplitude * math.sin(x + phase)

    @stored(interpolate=(Axis("x", 0.0, 1.0), Axis("y", 0.0, 2.0)))
    def plane(self, x: float, y: float) -> float:
        return self.scale + x * y**2

    @stored(interpolate=Axis("x", 0.0, 1.0, vectorized=True))
    def arrays(self, x: Any) -> Any:
        CALLS.append(np.shape(x))
        return self.scale + x

    @stored(interpolate=Axis("x", 0.0, 1.0, rtol=1e-8, max_points=30))
    def hard(self, x: float) -> float:
        return self.scale + abs(x - 0.3)


@keyed_by("scale")
class Model:
    """Methods of all kinds of signatures, which return what they were called with."""

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    @stored(persistent=False)
    def value(self, x: Any) -> Any:
        CALLS.append(x)
        return (self.scale, x) if not isinstance(x, list | np.ndarray) else (self.scale, str(x))

    @stored(persistent=False)
    def nothing(self) -> float:
        CALLS.append(None)
        return self.scale

    @stored(persistent=False)
    def several(self, x: float, /, y: float = 1.0, *, z: float = 2.0) -> tuple[float, ...]:
        CALLS.append((x, y, z))
        return (self.scale, x, y, z)

    @stored(persistent=False)
    def only_positional(self, x: float, y: float = 1.0, /) -> tuple[float, ...]:
        CALLS.append((x, y))
        return (self.scale, x, y)

    @stored(persistent=False)
    def any_number(self, *xs: float, z: float = 2.0, **others: float) -> tuple[Any, ...]:
        CALLS.append((xs, z, others))
        return (self.scale, xs, z, tuple(others.items()))

    @stored(persistent=False, ignore=("verbose",))
    def ignoring(self, x: float, verbose: bool = False) -> tuple[float, float]:
        CALLS.append((x, verbose))
        return (self.scale, x)

    @stored(persistent=False, maxsize=2)
    def few(self, x: float) -> tuple[float, float]:
        CALLS.append(x)
        return (self.scale, x)

    @stored(persistent=False, round={"x": 1})
    def rounded(self, x: float) -> float:
        CALLS.append(x)
        return x

    @stored(persistent=False)
    def changeable(self) -> list[float]:
        CALLS.append(None)
        return [self.scale]


@keyed_by("scale")
class Arrays:
    scale = 2.0

    @stored(persistent=False)
    def value(self, x: float) -> np.ndarray[Any, Any]:
        return np.full(3, self.scale * x)

    @stored(persistent=False, maxsize=2)
    def few(self, x: float) -> np.ndarray[Any, Any]:
        return np.full(3, self.scale * x)

    @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9, outside="clip"))
    def curve(self, x: float) -> float:
        return self.scale * x


def alike_classes() -> tuple[Any, Any]:
    """Two new classes that share a new method, and whose parameters have different checks."""

    class Base:
        def __init__(self, scale: float = 2.0) -> None:
            self.scale = self.tilt = scale

        @stored(persistent=False)
        def value(self, x: float) -> tuple[float, float]:
            CALLS.append(x)
            return (self.scale, x)

        @stored(persistent=False, interpolate=Axis("x", 0.0, 4.0, points=9))
        def curve(self, x: float) -> float:
            CALLS.append(x)
            return self.scale

    return keyed_by("scale")(type("First", (Base,), {})), keyed_by("scale", "tilt")(type("Second", (Base,), {}))


class Colour(enum.StrEnum):
    RED = "red"


with_and_without_storage_users = pytest.mark.parametrize(
    "has_storage_users", [False, True], ids=["no StorageUser made", "some made"], indirect=True
)


def repeated(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns, at first and by a shortcut."""
    first, *others = (function(*arguments) for _ in range(4))
    assert others == [first] * 3
    return first


def repeated_power(curves: Any, x: float = 1.5) -> float:
    """What `power` returns after calls that made a shortcut."""
    for _ in range(3):
        curves.power(x)
    return float(curves.power(x))


MODEL_SOURCE = """
@keyed_by("n")
class Model:
    n = 3
    {decorator}
    def method(self):
        {body}
"""


def model_from_source(source: str, tmp_path: Path, name: str) -> Any:
    """A class from a source file, as an import would make it."""
    file = tmp_path / f"{name}.py"
    file.write_text("from stored import stored, keyed_by\n" + textwrap.dedent(source))
    module = types.ModuleType("same_module")
    module.__file__ = str(file)
    exec(compile(file.read_text(), str(file), "exec"), vars(module))
    return module.Model  # type: ignore[attr-defined]


def run_while_one_waits(
    leader: threading.Thread, follower: threading.Thread, begun: threading.Event, go: threading.Event
) -> None:
    """Run two threads: the first computes until it may go on, which is once the second waits for it."""
    leader.start()
    assert begun.wait(20)
    follower.start()
    while not answer_module._flights._waiting:
        pass
    go.set()
    leader.join(20)
    follower.join(20)
