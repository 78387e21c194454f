"""What does a hit cost, by the kind of what it gives, and by that of a parameter and an argument?"""

from __future__ import annotations

import dataclasses
import timeit
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import stored

__all__ = ["Kind", "kinds"]

Kind = tuple[str, float, float, float]
"""A kind of value, and the seconds of a hit that gives one, of one of an object with such a parameter, and of one with
such an argument."""


@dataclasses.dataclass
class Spectrum:
    """A result of somebody's own, which is known by its attributes only."""

    wave: Any
    flux: Any


@stored.register
@dataclasses.dataclass
class Registered:
    """The same, registered."""

    wave: Any
    flux: Any


RESULTS: dict[str, Any] = {}


@stored.keyed_by("parameter")
class Model:
    """A model."""

    def __init__(self, parameter: Any) -> None:
        self.parameter = parameter

    @stored.stored(version="1")  # else the content of the dict would count with each call
    def result(self) -> Any:
        """A result of the kind that the parameter names."""
        return RESULTS[self.parameter]

    @stored.stored
    def number(self) -> float:
        """A number."""
        return 1.0

    @stored.stored
    def of(self, argument: Any) -> float:
        """A number."""
        return 1.0


def _values() -> dict[str, Callable[[], Any]]:
    numbers = np.arange(1000.0)

    def library(name: str) -> Any:
        return import_module(name)

    found: dict[str, Callable[[], Any]] = {
        "float": lambda: 1.0,
        "array of 1,000": lambda: numbers.copy(),
        "list of ten floats": lambda: [*map(float, range(10))],
        "masked array of 1,000": lambda: np.ma.masked_array(numbers, numbers < 5.0),
        "own dataclass of two arrays": lambda: Spectrum(numbers.copy(), numbers.copy()),
        "the same, registered": lambda: Registered(numbers.copy(), numbers.copy()),
    }
    if find_spec("astropy"):
        found |= {
            "Quantity": lambda: library("astropy.units").Quantity(1.0, "km"),
            "Quantity, array of 1,000": lambda: library("astropy.units").Quantity(numbers, "km"),
            "QTable, two columns of 1,000": lambda: library("astropy.table").QTable({"a": numbers, "b": numbers}),
            "cosmology": lambda: library("astropy.cosmology").Planck18,
        }
    if find_spec("pandas"):
        found |= {
            "Series of 1,000": lambda: library("pandas").Series(numbers),
            "DataFrame, two columns of 1,000": lambda: library("pandas").DataFrame({"a": numbers, "b": numbers}),
        }
    if find_spec("xarray"):
        found["DataArray of 1,000"] = lambda: library("xarray").DataArray(numbers, {"x": numbers}, ["x"])
    return found


def _seconds(statement: str, quick: bool, **names: Any) -> float:
    timer = timeit.Timer(statement, globals=names)
    runs = 2 if quick else max(timer.autorange()[0] // 10, 10)
    return min(timer.repeat(number=runs, repeat=3 if quick else 9)) / runs


def kinds(place: Path, quick: bool) -> list[Kind]:
    """The seconds of hits, by kind.

    To be called in a process of its own, whose settings it changes.
    """
    stored.configure(cache_dir=place / "cache", key_file=place / "key")
    rows = []
    for name, make in _values().items():
        RESULTS[name] = make()
        giving, holding, plain, value = Model(name), Model(make()), Model(1.0), make()
        for _ in range(3):
            giving.result(), holding.number(), plain.of(value)
        seconds = (
            _seconds("model.result()", quick, model=giving),
            _seconds("model.number()", quick, model=holding),
            _seconds("model.of(value)", quick, model=plain, value=value),
        )
        rows.append((name, *seconds))
    return rows
