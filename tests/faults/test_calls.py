"""Whichever call into the file system fails, and how: results are right, no call raises, and nothing is left held."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from stored import StorageUser, configure, keyed_by, stored
from stored._storage.limits import finish_trims
from stored._storage.reports import clear_reports
from stored.errors import EntryWarning, PersistenceWarning
from stored.stores import DirectoryStore
from stored.typing import Turn
from tests.faults.memory import forget_memory
from tests.faults.processes import in_processes
from tests.faults.scale import rounds
from tests.faults.values import whole_entries

FUNCTIONS: list[tuple[Any, str]] = [
    *((os, name) for name in ("open", "read", "pread", "close", "fstat", "lstat", "stat", "rename", "writev")),
    *((os, name) for name in ("write", "pwrite", "unlink", "link", "mkdir", "rmdir", "utime", "scandir", "fsync")),
    (fcntl, "fcntl"),
    (fcntl, "flock"),
]
ERRNOS = [
    errno.EACCES, errno.EBADF, errno.EDQUOT, errno.EIO, errno.EMFILE,
    errno.ENOENT, errno.ENOLCK, errno.ENOSPC, errno.EROFS, errno.ESTALE,
]  # fmt: skip


class Opaque:
    """A result that can only be pickled."""

    def __init__(self, number: float) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and other.number == self.number

    __hash__ = None  # type: ignore[assignment]


@keyed_by("n")
class Model:
    def __init__(self, n: int = 1) -> None:
        self.n = n

    @stored
    def small(self, x: float) -> float:
        return self.n + x

    @stored
    def large(self, x: float) -> np.ndarray[Any, Any]:
        return np.full(200_000, self.n + x)

    @stored
    def opaque(self, x: float) -> Opaque:
        return Opaque(self.n + x)


def use_methods() -> None:
    model = Model()
    assert model.small(1.0) == 2.0
    assert model.opaque(1.0) == Opaque(2.0)
    assert float(model.large(1.0)[-1]) == 2.0
    forget_memory(Model)
    model = Model()
    assert model.small(1.0) == 2.0
    assert model.opaque(1.0) == Opaque(2.0)
    assert float(model.large(1.0).sum()) == 400_000.0
    assert model.small.refresh(1.0) == 2.0
    model.small.cached(1.0)
    model.small.explain(2.0)
    model.small.cache_clear(1.0)
    model.small.cache_clear()
    assert model.small(1.0) == 2.0


def use_user() -> None:
    user = StorageUser("calls", "rw", lambda: "name", lambda: "hash", None)
    user.storeObject("a", 5.0)
    assert user.getStoredObject("a") == 5.0
    other = StorageUser("calls", "rw", lambda: "name", lambda: "hash", None)
    assert other.getStoredObject("a") in {5.0, None}  # written or not
    other.storeObject("a", 6.0)
    assert other.getStoredObject("a") == 6.0
    other.listObjects()
    other.removeObject("a")
    assert other.getStoredObject("a") in {6.0, None}  # if it cannot be removed, that is warned of


def use_limits() -> None:
    with configure(max_bytes=5_000, max_age=1e6):
        model = Model(2)
        assert [model.small(float(x)) for x in range(8)] == [2.0 + x for x in range(8)]
        forget_memory(Model)
        assert [Model(2).small(float(x)) for x in range(8)] == [2.0 + x for x in range(8)]


SCENARIOS: dict[str, Callable[[], None]] = {"methods": use_methods, "user": use_user, "limits": use_limits}


class Failure(NamedTuple):
    """Which call fails, and how."""

    at: int
    error: int


class Calls:
    """The calls into the file system, of which one may fail."""

    def __init__(self, failure: Failure | None = None) -> None:
        self.count = 0
        self.failed = ""
        self._failure = failure

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """A block in which they are counted."""
        with pytest.MonkeyPatch.context() as patch:
            for module, name in FUNCTIONS:
                patch.setattr(module, name, self._wrapped(getattr(module, name), name))
            yield

    def _wrapped(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self._failure is None or self.count != self._failure.at + 1:
                return real(*args, **kwargs)
            self.failed = name
            error = self._failure.error
            if name == "close":
                real(*args)  # as Linux does, whatever it says
            elif name == "fcntl" and error == errno.EBADF:  # the file is closed then, and its locks are gone
                error = errno.EIO
            raise OSError(error, os.strerror(error))

        return call


def run(scenario: Callable[[], None], failure: Failure | None = None) -> Calls:
    """Use the library while a call fails; only its own warnings may be given."""
    calls = Calls(failure)
    with calls.watched(), warnings.catch_warnings():
        for category in (EntryWarning, PersistenceWarning):
            warnings.simplefilter("ignore", category)
        scenario()
    return calls


def nothing_is_held(cache_dir: Path) -> None:
    """Every turn is free for other processes, and upkeep leaves entries alone."""
    store = DirectoryStore(cache_dir)
    assert store._locks.held == {}
    (turn,) = in_processes((turns, store, sorted(store.names())))
    assert set(turn) <= {Turn.MINE}
    store.clear_leftovers()
    whole_entries(cache_dir)


def turns(store: DirectoryStore, names: list[str]) -> list[Turn]:
    found = []
    for name in names:
        with store.compute_turn(name, 0.0) as turn:
            found.append(turn)
    return found


@contextlib.contextmanager
def told(name: str, at: int, error: int) -> Iterator[None]:
    """A block whose errors say which call had failed."""
    try:
        yield
    except Exception as trouble:
        trouble.add_note(f"after {name}, call {at}, had failed with {errno.errorcode[error]}")
        raise


@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_call_may_fail(scenario: str, is_warm: bool, cache_dir: Path) -> None:
    """Many fail once, at length all in ten ways: values are right, nothing is raised, and nothing is left locked."""
    use = SCENARIOS[scenario]
    first = cache_dir / "first"
    with configure(cache_dir=first / "cache", key_file=first / "keys" / "key"):
        number = run(use).count
        if is_warm:
            forget_memory(Model)
            number = run(use).count
        finish_trims()
    assert number > 30
    for at in range(0, number, rounds(6, 1)):
        for error in [ERRNOS[(at + turn) % 10] for turn in range(rounds(1, 10))]:
            place = cache_dir / f"{at} {error}"
            if is_warm:
                shutil.copytree(first, place)
            clear_reports()
            with configure(cache_dir=place / "cache", key_file=place / "keys" / "key"):
                forget_memory(Model)
                failure = Failure(at, error)
                with told("some call", at, error):
                    name = run(use, failure).failed
                forget_memory(Model)
                with told(name, at, error):
                    run(use)  # afterwards all is as if nothing had been
        finish_trims()
        nothing_is_held(place / "cache")
