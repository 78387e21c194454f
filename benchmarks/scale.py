"""How do time and memory grow with results in memory, entries on disk, objects alive, and the size of arrays?

Every series is measured in a process of its own.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import resource
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

import stored
from benchmarks.timing import Action, alone

__all__ = ["FILLERS", "Growth", "array_growth", "entry_growth", "fill_path", "growths", "owner_growth"]

Numbers = Sequence[float]


@dataclass(frozen=True)
class Growth:
    """How something grows.

    Parameters
    ----------
    title : str
        What is counted along `sizes`.
    sizes : sequence of float
        How many there are.
    times : dict of str to sequence of float
        Seconds for one, by what is done.
    space : dict of str to sequence of float
        Bytes for one, by what takes them.
    """

    title: str
    sizes: Numbers
    times: dict[str, Numbers]
    space: dict[str, Numbers]


def _resident() -> int:
    """The bytes of memory that this process uses now: see proc(5)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _seconds_each(action: Callable[[Any], object], things: Sequence[Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    for each in things:
        action(each)
    return (time.perf_counter() - started) / len(things)


def _measured(title: str, sizes: Sequence[int], series: Mapping[str, tuple[Any, ...]], new: str, again: str) -> Growth:
    """The growth that functions measure, by library, without libraries that cannot be imported.

    A function is given with its arguments before the sizes. For each size it returns the seconds of something new, the
    seconds of the same again, and bytes.
    """
    times: dict[str, Numbers] = {}
    space: dict[str, Numbers] = {}
    for name, call in series.items():
        try:
            columns = list(zip(*alone(*call, sizes), strict=True))
        except ImportError:
            continue
        times[f"{name}, {new}"], times[f"{name}, {again}"], space[name] = columns
    return Growth(title, sizes, times, space)


# --------------------------------------------------------------------------------------------------------------------
# Results in memory
# --------------------------------------------------------------------------------------------------------------------


@stored.keyed_by("scale")
class Keyed:
    """An owner."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    @stored.stored(persistent=False)
    def one(self, z: float) -> float:
        """In memory only."""
        return z

    @stored.stored
    def kept(self, z: float) -> float:
        """In memory and on disk."""
        return z


class Plain:
    """An owner whose method is remembered by functools."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    @functools.cache  # noqa: B019
    def one(self, z: float) -> float:
        """In memory only."""
        return z


KINDS = {"stored": Keyed, "functools.cache": Plain}


def _memory_series(kind: Callable[[], Any], sizes: Sequence[int]) -> list[tuple[float, float, float]]:
    """Seconds for a new result, for a hit, and bytes for each result."""
    model, series, done = kind(), [], 0
    model.one(-1.0)
    before = _resident()
    for size in sizes:
        numbers = [float(number) for number in range(done, size)]
        new = _seconds_each(model.one, numbers)
        found = random.Random(size).sample(range(size), min(size, 1000))  # noqa: S311
        again = [float(number) for number in found]
        _seconds_each(model.one, again)
        hit = _seconds_each(model.one, again)
        series.append((new, hit, (_resident() - before) / size))
        done = size
    return series


def memory_growth(sizes: Sequence[int]) -> Growth:
    """One owner with ever more results in memory."""
    series = {name: (_memory_series, kind) for name, kind in KINDS.items()}
    return _measured("results of one owner in memory", sizes, series, "a new result", "a hit")


# --------------------------------------------------------------------------------------------------------------------
# Entries on disk
# --------------------------------------------------------------------------------------------------------------------


def _stored_on_disk(place: Path) -> tuple[Callable[[float], object], Callable[[], Callable[[float], object]]]:
    stored.configure(cache_dir=place / "cache", key_file=place / "key")
    return Keyed().kept, lambda: Keyed().kept


def _diskcache_on_disk(place: Path) -> tuple[Callable[[float], object], Callable[[], Callable[[float], object]]]:
    import diskcache

    def kept(z: float) -> float:
        return z

    # by default it removes what exceeds 1 GB
    cache = diskcache.Cache(str(place), eviction_policy="none")
    remembered = cache.memoize()(kept)
    return remembered, lambda: remembered


def _disk_series(begin: Callable[[Path], Any], place: Path, sizes: Sequence[int]) -> list[tuple[float, float, float]]:
    """Seconds to write one more, to read one in a new object, and bytes on disk for each."""
    place.mkdir(parents=True)
    write, fresh = begin(place)
    series, done = [], 0
    for size in sizes:
        last = max(done, size - 1000)
        for number in range(done, last):
            write(float(number))
        new = _seconds_each(write, [float(number) for number in range(last, size)])
        found = random.Random(size).sample(range(size), min(size, 1000))  # noqa: S311
        read = _seconds_each(fresh(), [float(number) for number in found])
        series.append((new, read, _bytes_below(place) / size))
        done = size
    return series


def _bytes_below(place: Path) -> int:
    return sum(each.stat().st_blocks * 512 for each in place.rglob("*") if each.is_file())


def entry_growth(place: Path, sizes: Sequence[int]) -> Growth:
    """One directory with ever more entries."""
    begins = {"stored": _stored_on_disk, "diskcache": _diskcache_on_disk}
    series = {name: (_disk_series, begin, place / name) for name, begin in begins.items()}
    return _measured("entries in one directory", sizes, series, "compute and write", "read")


# --------------------------------------------------------------------------------------------------------------------
# Owners alive
# --------------------------------------------------------------------------------------------------------------------


def _owner_series(kind: Callable[[float], Any], sizes: Sequence[int]) -> list[tuple[float, float, float]]:
    """Seconds for an object's first result, for a hit of each in turn, and bytes for each object."""
    owners: list[Any] = []
    series = []
    kind(-1.0).one(1.0)
    before = _resident()
    for size in sizes:
        done = len(owners)
        owners += [kind(float(number)) for number in range(done, size)]
        new = _seconds_each(lambda owner: owner.one(1.0), owners[done:])
        _seconds_each(lambda owner: owner.one(1.0), owners)
        hit = _seconds_each(lambda owner: owner.one(1.0), owners)
        series.append((new, hit, (_resident() - before) / size))
    return series


def owner_growth(sizes: Sequence[int]) -> Growth:
    """Ever more owners alive, called in turn."""
    series = {name: (_owner_series, kind) for name, kind in KINDS.items()}
    return _measured("owners alive, with one result each", sizes, series, "the first result", "a hit of each in turn")


# --------------------------------------------------------------------------------------------------------------------
# Arrays
# --------------------------------------------------------------------------------------------------------------------


def _user() -> stored.StorageUser:
    return stored.StorageUser("bench", "rw", lambda: "bench", lambda: "arrays", None)


def _array(size: int) -> Any:
    return np.random.default_rng(0).random(size // 8)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _store_array(place: Path, size: int) -> tuple[float, float]:
    """Seconds, and by how much memory rose at most."""
    stored.configure(cache_dir=place / "cache", key_file=place / "key")
    array, user = _array(size), _user()
    user.storeObject("small", 1.0)
    before = _peak()
    started = time.perf_counter()
    user.storeObject(f"array {size}", array)
    return time.perf_counter() - started, _peak() - before


def _save_array(place: Path, size: int) -> tuple[float, float]:
    array = _array(size)
    before = _peak()
    started = time.perf_counter()
    np.save(place / "new.npy", array)  # as ours, in the place of an older file only when it is whole
    os.replace(place / "new.npy", place / f"{size}.npy")
    return time.perf_counter() - started, _peak() - before


def _load_array(place: Path, size: int, rounds: int) -> tuple[list[tuple[float, float]], int, int]:
    """Seconds of our loads, and of numpy's with a checksum, in turns; and the most memory that each allocates."""
    stored.configure(cache_dir=place / "cache", key_file=place / "key")

    def ours() -> Any:
        return _user().getStoredObject(f"array {size}")

    def theirs() -> Any:
        array = np.load(place / f"{size}.npy", mmap_mode="r")
        return array, xxhash.xxh3_128_digest(array)

    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds + 1)][1:]
    assert np.array_equal(ours(), np.load(place / f"{size}.npy", mmap_mode="r"))  # noqa: S101
    return pairs, _most_allocated(ours), _most_allocated(theirs)


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _most_allocated(action: Callable[[], object]) -> int:
    """The most bytes that are allocated; memory that is mapped from a file does not count."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@dataclass(frozen=True)
class Loads:
    """Loads of the largest array: seconds of ours and theirs, and bytes allocated by ours."""

    size: int
    pairs: list[tuple[float, float]]
    allocated: int


def array_growth(place: Path, sizes: Sequence[int], rounds: int) -> tuple[Growth, Loads]:
    """Arrays of ever more bytes, stored and loaded; times are for each mebibyte, and so is memory.

    Loads are timed so often in turns, and stores a third as often.
    """
    place.mkdir(parents=True)
    times: dict[str, list[float]] = {}
    space: dict[str, list[float]] = {}

    def note(what: str, seconds: float, most: float) -> None:
        times.setdefault(what, []).append(seconds / (size / 2**20))
        space.setdefault(what, []).append(most / (size / 2**20))

    for size in sizes:
        # in turns, since memory that a computer has not used before takes longer to fill
        turns = [(alone(_store_array, place, size), alone(_save_array, place, size)) for _ in range(rounds // 3)]
        for name, each in zip(("stored, store", "numpy.save"), zip(*turns, strict=True), strict=True):
            note(name, *np.median(each, axis=0).tolist())
        pairs, ours, theirs = alone(_load_array, place, size, rounds)
        seconds = np.median(pairs, axis=0).tolist()
        note("stored, load", seconds[0], ours)
        note("numpy.load, mapped, and xxh3 of it", seconds[1], theirs)
        loads = Loads(size, pairs, ours)
    in_mebibytes = [size / 2**20 for size in sizes]
    return Growth("mebibytes of one array", in_mebibytes, dict(times), dict(space)), loads


# --------------------------------------------------------------------------------------------------------------------
# Many small objects
# --------------------------------------------------------------------------------------------------------------------


SMALL: dict[str, Callable[[int], Any]] = {"arrays": lambda number: np.full((2, 8), float(number)), "floats": float}
"""Small objects: their name, and the function that makes one."""

FILLS = (400, 800, 1600)


def fill_path(number: int, what: str) -> str:
    """The name of the path that stores so many small objects."""
    return f"storing {number:,} small {what} in one owner"


def _fills(store: Callable[[str], Callable[[str, Any], object]]) -> dict[str, Action]:
    """The actions for a function that takes an owner's name and returns its function to store an object by name."""
    owners = iter(f"owner {number}" for number in range(10**9))

    def fill(number: int, make: Callable[[int], Any]) -> None:
        keep = store(next(owners))
        for each in range(number):
            keep(f"object {each}", make(each))

    return {
        fill_path(number, what): Action(f"fill({number}, make)", {"fill": fill, "make": make}, is_long=True)
        for what, make in SMALL.items()
        for number in FILLS
    }


def _fill_user(kind: Any) -> dict[str, Action]:
    return _fills(lambda name: kind("bench", "rw", lambda: name, lambda: "string", None).storeObject)


def fill_ours(place: Path) -> Mapping[str, Action]:
    """A StorageUser of ours."""
    stored.configure(cache_dir=place / "cache", key_file=place / "key")
    return _fill_user(stored.StorageUser)


def fill_colossus(place: Path) -> Mapping[str, Action]:
    """A StorageUser of Colossus."""
    from colossus import settings
    from colossus.utils import storage

    settings.BASE_DIR = str(place)
    return _fill_user(storage.StorageUser)


def fill_diskcache(place: Path) -> Mapping[str, Action]:
    """A Cache of diskcache."""
    import diskcache

    cache = diskcache.Cache(str(place))
    return _fills(lambda owner: lambda name, value: cache.set((owner, name), value))


FILLERS = {"stored": fill_ours, "Colossus": fill_colossus, "diskcache": fill_diskcache}


def growths(place: Path, full: bool) -> list[Growth]:
    """All growths but that of arrays."""
    decades = (100, 1000, 10_000, 100_000) if full else (100, 300)
    return [
        memory_growth(decades),
        entry_growth(place, decades),
        owner_growth(decades[:3]),
    ]
