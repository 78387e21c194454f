"""Values and owners whose results are kept, and what a cache directory contains."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import stored
from stored import StorageUser, keyed_by


class Plain:
    """An ordinary class, which pickle can carry."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.value == other.value

    def __repr__(self) -> str:
        return f"Plain({self.value!r})"  # without its address, since tests are named after values

    __hash__ = None  # type: ignore[assignment]


class Pair(NamedTuple):
    """Two values."""

    first: Any
    second: Any


CALLS: list[Any] = []
"""What was computed, in this order."""

GATE: list[Connection] = []
"""Ends of pipes at which `Model.gated` says that it has begun, and waits."""


class Custom:
    """A value that has to be pickled."""


@keyed_by("n")
class Model:
    def __init__(self, n: float = 1.0) -> None:
        self.n = n

    @stored.stored
    def power(self, x: float) -> float:
        CALLS.append(x)
        return self.n * x**2

    @stored.stored
    def custom(self) -> Custom:
        CALLS.append("custom")
        return Custom()

    @stored.stored(ignore=("GATE",))
    def gated(self) -> float:
        CALLS.append("gated")
        for end in GATE:
            end.send("begun")
            end.recv()
        return self.n


def new_user(persistence: str = "rw") -> StorageUser:
    """A user with nothing in memory, of one space."""
    return StorageUser("limits", persistence, lambda: "owner", lambda: "owner 1", None)


CONTENT = np.arange(100.0)


def store(*names: str) -> None:
    """Store objects that all take the same room."""
    for name in names:
        new_user().storeObject(name, CONTENT)


def entry_files(place: Path) -> list[Path]:
    """The entries in a directory."""
    return sorted(place.rglob("*.stored"))


def kept(place: Path) -> str:
    """The names of objects on disk; they are of one letter."""
    return "".join(sorted(each.name.split("-")[2][0] for each in entry_files(place)))


def set_ages(place: Path, **ages: float) -> None:
    """Make entries as old as this, in seconds, by the one-letter names of their objects."""
    now = time.time()
    for name, age in ages.items():
        (file,) = place.rglob(f"*-{name}-*.stored")
        os.utime(file, (now, now - age))


def leave_draft(place: Path, name: str = f"1-{'0' * 16}.draft") -> Path:
    """A draft that a dead process has left."""
    (place / ".work").mkdir(parents=True, exist_ok=True)
    (place / ".work" / name).touch()
    return place / ".work" / name
