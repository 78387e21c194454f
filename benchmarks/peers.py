"""What does each library do on the common paths? Every function here runs in a process of its own.

The paths: a hit with one positional argument, with one keyword and with three positional arguments; a hit of an owner
that describes itself; an interpolator found again by name; a table loaded from disk for an object that is new.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import stored
from benchmarks.timing import Action
from stored._methods.answer import answer

__all__ = [
    "CONSTANT",
    "CONSTANT_STRING",
    "FULL_CALL",
    "HIT",
    "JOINED",
    "KEYWORD",
    "LOAD",
    "OBJECT",
    "OWN",
    "PEERS",
    "PLAIN",
    "STRING",
    "THREE",
    "USER",
]

HIT = "hit, one positional argument"
KEYWORD = "hit, one keyword argument"
THREE = "hit, three positional arguments"
JOINED = "hit, two attributes that are not declared"
CONSTANT = "hit, the owner's own string is a constant"
OWN = "hit, the owner's own string is made anew"
USER = "hit, the owner holds a StorageUser"
CONSTANT_STRING = "a string that is a constant, alone"
STRING = "a string that is made anew, alone"
OBJECT = "getStoredObject(name, interpolator=True)"
LOAD = "cold load of a (2, 200) table"
FULL_CALL = "hit, one positional argument, without its shortcut"
PLAIN = "a bound object that does nothing"

TABLE = np.array([np.arange(200.0), np.arange(200.0) ** 2])
PARAMETERS = (67.7, 0.31, 0.049, 0.81, 0.97)
LOADED = 100
"""The number of objects that load a table each."""


class Parameters:
    """A model with five float parameters."""

    def __init__(self, H0: float = PARAMETERS[0]) -> None:
        self.H0 = H0
        self.Om0, self.Ob0, self.sigma8, self.ns = PARAMETERS[1:]

    def getHashableString(self) -> str:
        """Name and parameters, as a user might write them."""
        return f"model_{self.H0:.4f}"


def one(self: Any, z: float) -> float:
    """A method with one argument."""
    return z


def three(self: Any, z: float, k: float, q: float) -> float:
    """A method with three arguments."""
    return z + k + q


def _hits(model: object) -> dict[str, Action]:
    names = {"model": model}
    return {
        HIT: Action("model.one(1.0)", names),
        KEYWORD: Action("model.one(z=1.0)", names),
        THREE: Action("model.three(1.0, 2.0, 3.0)", names),
    }


def _decorated(decorate: Callable[[Any], Any]) -> dict[str, Action]:
    class Model(Parameters):
        def __init__(self) -> None:
            super().__init__()
            self.cache: dict[Any, Any] = {}  # for libraries that ask for one

        @decorate
        def one(self, z: float) -> float:
            return z

        @decorate
        def three(self, z: float, k: float, q: float) -> float:
            return z + k + q

    return _hits(Model())


def _functions(decorate: Callable[[Any], Any]) -> dict[str, Action]:
    """For libraries that remember functions, not methods: the parameters are arguments too."""

    def one(H0: float, Om0: float, Ob0: float, sigma8: float, ns: float, z: float) -> float:
        return z

    def three(H0: float, Om0: float, Ob0: float, sigma8: float, ns: float, z: float, k: float, q: float) -> float:
        return z + k + q

    names = {"one": decorate(one), "three": decorate(three), "p": PARAMETERS}
    return {
        HIT: Action("one(*p, 1.0)", names),
        KEYWORD: Action("one(*p, z=1.0)", names),
        THREE: Action("three(*p, 1.0, 2.0, 3.0)", names),
    }


def _loads(decorate: Callable[[Any], Any], number: int = LOADED) -> Action:
    """A function of values that gives a table, called with values that were stored before."""

    def table(H0: float, Om0: float, Ob0: float, sigma8: float, ns: float, z: float) -> Any:
        return TABLE

    remembered = decorate(table)

    def load() -> None:
        for index in range(number):
            remembered(index + 0.5, *PARAMETERS[1:], 1.0)

    load()
    return Action("load()", {"load": load}, number)


# --------------------------------------------------------------------------------------------------------------------
# Ours
# --------------------------------------------------------------------------------------------------------------------


class NoDescription(Parameters):
    """The parameters as attributes only."""

    getHashableString = None  # type: ignore[assignment]  # noqa: N815


@stored.keyed_by("H0", "Om0", "Ob0", "sigma8", "ns")
class Keyed(NoDescription):
    """An owner described by `keyed_by`."""

    one = stored.stored(one)
    three = stored.stored(three)

    @stored.stored
    def table(self, z: float) -> Any:
        """A table."""
        return TABLE


@stored.keyed_by("H0", "Om0", "Ob0", "sigma8", "ns")
class Reading(NoDescription):
    """An owner with a method that reads two attributes beside its parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.w0, self.wa = -1.0, 0.1

    @stored.stored
    def one(self, z: float) -> float:
        """Reads them."""
        return z + self.w0 + self.wa


class Described(Parameters):
    """An owner that describes itself."""

    one = stored.stored(one)


class Constant(Described):
    """An owner whose string takes almost no time, so that a hit takes only the time of the library."""

    def getHashableString(self) -> str:
        """Always the same."""
        return "model"


class Holding(Parameters):
    """An owner that holds a StorageUser."""

    def __init__(self) -> None:
        super().__init__()
        self.su = stored.StorageUser("bench", "rw", lambda: "bench", self.getHashableString, None)

    one = stored.stored(one)


class Empty:
    """The least that a decorated method needs in Python: a descriptor, a bound object with a name, and its call."""

    class Bound:
        """Knows its owner."""

        __slots__ = ("__qualname__", "__weakref__", "owner")

        def __call__(self, z: float) -> float:
            """Give the argument back."""
            return z

    def __get__(self, owner: object, kind: type | None = None) -> Any:
        """The bound object."""
        bound: Any = self.Bound()
        bound.owner = owner
        bound.__qualname__ = "Floor.one"
        return bound


class Floor:
    """An owner with such a method."""

    one = Empty()


def _configured(place: Path) -> None:
    stored.configure(cache_dir=place / "cache", key_file=place / "key")


def ours(place: Path) -> Mapping[str, Action]:
    """The paths of stored in a process without any `StorageUser`."""
    _configured(place)

    def load() -> None:
        for index in range(LOADED):
            Keyed(index + 0.5).table(1.0)

    load()
    model: Any = Keyed()
    names = {"answer": answer, "definition": Keyed.one._as_method(), "model": model}
    return {
        **_hits(model),
        FULL_CALL: Action('answer(definition, model, {"z": 1.0})', names),
        JOINED: Action("model.one(1.0)", {"model": Reading()}),
        CONSTANT: Action("model.one(1.0)", {"model": Constant()}),
        CONSTANT_STRING: Action("model.getHashableString()", {"model": Constant()}),
        OWN: Action("model.one(1.0)", {"model": Described()}),
        STRING: Action("model.getHashableString()", {"model": Described()}),
        LOAD: Action("load()", {"load": load}, LOADED),
        PLAIN: Action("model.one(1.0)", {"model": Floor()}),
    }


def ours_with_users(place: Path) -> Mapping[str, Action]:
    """The paths of stored in a process with a `StorageUser`: every hit checks whether its owner holds one by now."""
    _configured(place)
    return {
        **_hits(Keyed()),
        OWN: Action("model.one(1.0)", {"model": Described()}),
        USER: Action("model.one(1.0)", {"model": Holding()}),
        OBJECT: _object(stored.StorageUser),
    }


def _object(kind: Any) -> Action:
    model = Parameters()
    user = kind("bench", "rw", lambda: "bench", model.getHashableString, None)
    user.storeObject("table", TABLE)
    return Action('user.getStoredObject("table", interpolator=True)', {"user": user})


# --------------------------------------------------------------------------------------------------------------------
# Peers
# --------------------------------------------------------------------------------------------------------------------


def with_functools(place: Path) -> Mapping[str, Action]:
    """`functools.lru_cache` on methods; and the same after the owner's string was asked for."""
    hits = _decorated(functools.lru_cache)
    both = Action("model.getHashableString(); model.one(1.0)", hits[HIT].names)
    return {**hits, OWN: both, USER: both}


def with_wrapt(place: Path) -> Mapping[str, Action]:
    """`wrapt.lru_cache` on methods."""
    import wrapt

    return _decorated(wrapt.lru_cache)


def with_cachetools(place: Path) -> Mapping[str, Action]:
    """`cachetools.cachedmethod` with a dictionary of each object."""
    import cachetools

    return _decorated(cachetools.cachedmethod(lambda self: self.cache))


def with_methodtools(place: Path) -> Mapping[str, Action]:
    """`methodtools.lru_cache`."""
    import methodtools

    return _decorated(methodtools.lru_cache())


def with_diskcache(place: Path) -> Mapping[str, Action]:
    """`diskcache.Cache.memoize`."""
    import diskcache

    cache = diskcache.Cache(str(place))
    return {**_functions(cache.memoize()), LOAD: _loads(cache.memoize())}


def with_joblib(place: Path) -> Mapping[str, Action]:
    """`joblib.Memory.cache`."""
    import joblib

    memory = joblib.Memory(place, verbose=0)
    return {**_functions(memory.cache), LOAD: _loads(memory.cache)}


def with_cachier(place: Path) -> Mapping[str, Action]:
    """`cachier`, hits from memory and loads from files."""
    from cachier import cachier

    loads = _loads(cachier(backend="pickle", cache_dir=str(place), separate_files=True))
    return {**_functions(cachier(backend="memory")), LOAD: loads}


def with_colossus(place: Path) -> Mapping[str, Action]:
    """The storage module of Colossus: an interpolator, an object, and an object in a file that a new user opens."""
    from colossus import settings
    from colossus.utils import storage

    settings.BASE_DIR = str(place)

    def user(index: float) -> Any:
        model = Parameters(index)
        return storage.StorageUser("bench", "rw", lambda: "bench", model.getHashableString, None)

    for index in range(LOADED):
        user(index + 0.5).storeObject("table", TABLE)

    def load() -> None:
        for index in range(LOADED):
            user(index + 0.5).getStoredObject("table")

    held = user(1000.0)
    held.storeObject("one", 1.0)
    return {
        OBJECT: _object(storage.StorageUser),
        USER: Action('user.getStoredObject("one")', {"user": held}),
        STRING: Action("model.getHashableString()", {"model": Parameters()}),
        LOAD: Action("load()", {"load": load}, LOADED),
    }


PEERS: dict[str, Callable[[Path], Mapping[str, Action]]] = {
    "stored": ours,
    "stored, with a StorageUser in the process": ours_with_users,
    "functools.lru_cache": with_functools,
    "wrapt.lru_cache": with_wrapt,
    "cachetools.cachedmethod": with_cachetools,
    "methodtools.lru_cache": with_methodtools,
    "diskcache": with_diskcache,
    "joblib.Memory": with_joblib,
    "cachier": with_cachier,
    "Colossus": with_colossus,
}
