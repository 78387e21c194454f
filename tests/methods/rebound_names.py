"""Names that tests rebind while results are stored."""

from __future__ import annotations

import dataclasses
import enum
import functools
from typing import Any

from stored import keyed_by, stored
from tests.methods import rebound_library as library
from tests.methods.rebound_library import Helper, scaled

SCALE = 2.0
LIMITS = {"low": 1.0, "high": [2.0, 3.0]}
TABLE = [1.0, 2.0]


def weight(x: float) -> float:
    return SCALE * x


def twice(x: float) -> float:
    return 2 * x


CHOICES = {"one": twice}


class Setting:
    def __init__(self, number: float) -> None:
        self.number = number

    def value(self) -> float:
        return self.number + 20

    def of(self, x: float) -> float:
        return self.number * x


SETTING = Setting(3.0)


class Colour(enum.Enum):
    RED = 1.0

    def of(self, x: float) -> float:
        return self.value * x


@dataclasses.dataclass(frozen=True)
class Point:
    x: float

    def norm(self) -> float:
        return abs(self.x)


def doubling(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return 2 * function(*args)

    return wrapper


@doubling
def wrapped(x: float) -> float:
    return x + SCALE


@functools.singledispatch
def dispatched(x: Any) -> float:
    return float(x)


plus = functools.partial(scaled, 1.5)


class Base:
    ORDER = 2.0

    def shape(self, x: float) -> float:
        return x**self.ORDER

    @classmethod
    def of_class(cls) -> float:
        return cls.ORDER + 1

    @staticmethod
    def of_nothing(x: float) -> float:
        return x + 1

    @property
    def double(self) -> float:
        return 2 * self.ORDER


def magnitude(x: float) -> float:
    return abs(x)


@keyed_by("p")
class Model(Base):
    def __init__(self, p: float) -> None:
        self.p = p

    def helper(self, x: float) -> float:
        return self.shape(x) + self.double

    @stored
    def constant(self) -> tuple[float, float]:
        return self.p * SCALE, SCALE

    @stored
    def function(self) -> float:
        return weight(self.p)

    @stored
    def through_self(self) -> float:
        return self.helper(self.p) + self.of_class() + self.of_nothing(1.0)

    @stored
    def of_super(self) -> float:
        return super().shape(self.p)

    @stored
    def nested(self) -> float:
        return 10 * self.function()

    @stored
    def container(self) -> float:
        return LIMITS["high"][0] * TABLE[1]  # type: ignore[index]

    @stored
    def chosen(self) -> float:
        return CHOICES["one"](self.p)

    @stored
    def instance(self) -> float:
        return SETTING.of(self.p)

    @stored
    def of_module(self) -> float:
        return library.FACTOR * library.scaled(1.0, self.p)

    @stored
    def imported(self) -> float:
        return scaled(2.0, self.p)

    @stored
    def inside(self) -> float:
        from tests.methods.rebound_library import OFFSET

        return OFFSET + self.p

    @stored
    def of_class_by_name(self) -> float:
        return Helper(self.p).value() + Base.ORDER

    @stored
    def enumeration(self) -> float:
        return Colour.RED.of(self.p)

    @stored
    def decorated(self) -> float:
        return float(wrapped(self.p))

    @stored
    def dispatch(self) -> float:
        return dispatched(self.p)

    @stored
    def partial(self) -> float:
        return plus(self.p)

    @stored
    def of_builtin(self) -> float:
        return abs(-self.p)

    @stored
    def of_taken(self, abs: float = 2.0) -> float:  # noqa: A002
        return magnitude(-self.p) * abs

    @stored
    def of_argument(self, point: Point) -> float:
        return point.norm()

    @stored
    def of_library(self) -> float:
        return float(library.np.hypot(self.p, 1.0))
