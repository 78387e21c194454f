"""How long do loads, misses, chains and switches take beside diskcache, joblib and a dict?

``python -m benchmarks.engine [--quick] [--place FOLDER] [ROW ...]`` prints ratios of medians, both sides timed in turns
within one run, and WRONG where one is beyond its bar. Each row is measured in a process of its own.

Nothing is deleted: on ext4, creating files takes several times as long for minutes after many were deleted.
"""

from __future__ import annotations

import inspect
import itertools
import os
import random
import re
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import stored
from benchmarks import startup
from benchmarks.rows import COUNTED, Measured, Row, Step, in_turns, main
from benchmarks.timing import alone

__all__ = ["ROWS", "chain_on_disk", "first_store_seconds"]

MEMORY_SETS = 8
"""How many sets of parameters stay in memory."""

LOADED_SETS = 64
"""Sets of parameters that are loaded one after the other: more than stay in memory."""

ENTRIES = 200_000
"""Entries in the directory of the first store."""

STORED_SETS = 20_000
"""Sets of parameters whose folders are counted."""

FOLDERS = 256
"""Folders that share made entries, where the library has a folder for each owner or digest."""

CHAIN_STEPS = 500
"""Steps of a chain in memory in one round."""

NO_LIMIT_IN_REACH = 10**15
"""A `max_bytes` that must be looked after, and removes nothing."""


@stored.keyed_by("H0", "Om0", "w", "ns", "s8")
class Model:
    """A model with five parameters."""

    def __init__(self, H0: float = 70.0) -> None:
        self.H0 = H0
        self.Om0, self.w, self.ns, self.s8 = 0.3, -1.0, 0.96, 0.8

    @stored.stored
    def table(self, k: float) -> Any:
        """An array, on disk."""
        return np.arange(400.0).reshape(2, 200) + k

    @stored.stored
    def step(self) -> dict[str, float]:
        """A small dict, on disk."""
        return {"chi2": self.H0 * 2.0, "prior": 0.5}

    @stored.stored(persistent=False)
    def value(self) -> float:
        """A number, in memory."""
        return self.H0 * 2.0


def _table(k: float) -> Any:
    """As `Model.table`, for libraries that remember functions."""
    return np.arange(400.0).reshape(2, 200) + k


def _configure(cache_dir: Path, **others: Any) -> None:
    if "memory_sets" in inspect.signature(stored.configure).parameters:
        others["memory_sets"] = MEMORY_SETS
    stored.configure(cache_dir=cache_dir, key_file=cache_dir.with_name("key"), **others)


def _diskcache(place: Path) -> Any:
    import diskcache

    return diskcache.Cache(str(place / "diskcache"))


# --------------------------------------------------------------------------------------------------------------------
# On disk
# --------------------------------------------------------------------------------------------------------------------


def _load_and_diskcache(place: Path, run: Path, quick: bool) -> Measured:
    return _loads(place, _diskcache(place).memoize(name="table")(_table), quick)


def _load_and_joblib(place: Path, run: Path, quick: bool) -> Measured:
    import joblib

    return _loads(place, joblib.Memory(place / "joblib", verbose=0).cache(_table), quick)


def _loads(place: Path, remembered: Callable[[float], object], quick: bool) -> Measured:
    _configure(place / "stored")
    heights = [float(height) for height in range(LOADED_SETS)]
    for height in heights:
        Model(height).table(1.0)
        remembered(height)
    ours, theirs = itertools.cycle(heights), itertools.cycle(heights)
    found = in_turns(lambda: Model(next(ours)).table(1.0), lambda: remembered(next(theirs)), LOADED_SETS, quick)
    _check_loads(heights)
    return found


def _check_loads(heights: Iterable[float]) -> None:
    """A load is none if its parameters are in memory."""
    for height in heights:
        method: Any = Model(height).table
        before = method.cache_info().persistent_hits
        method(1.0)
        if method.cache_info().persistent_hits != before + 1:
            raise RuntimeError(f"the table of H0 = {height} was not loaded from disk")


def _miss(place: Path, run: Path, quick: bool) -> Measured:
    _configure(place / "stored")
    remembered = _diskcache(place).memoize(name="table")(_table)
    model: Any = Model()
    ours, theirs = itertools.count(1.0), itertools.count(1.0)
    return in_turns(lambda: model.table(next(ours)), lambda: remembered(next(theirs)), 50, quick)


def chain_on_disk(place: Path, run: Path, quick: bool) -> Measured:
    """A model gets new parameters and stores a small dict, beside a set of diskcache."""
    _configure(place / "stored")
    cache = _diskcache(place)
    model, plain = Model(), Model()
    steps: Any = model
    ours, theirs = itertools.count(1.0), itertools.count(1.0)

    def step() -> None:
        model.H0 = next(ours)
        steps.step()

    def plain_step() -> None:
        plain.H0 = next(theirs)
        cache.set((plain.H0, plain.Om0, plain.w, plain.ns, plain.s8), {"chi2": plain.H0 * 2.0, "prior": 0.5})

    return in_turns(step, plain_step, 50, quick)


# --------------------------------------------------------------------------------------------------------------------
# In memory
# --------------------------------------------------------------------------------------------------------------------


def _switching(place: Path) -> tuple[Any, Step]:
    """A model, and a step that gives it the other of two sets of parameters and asks for a value."""
    _configure(place / "stored")
    model: Any = Model()

    def switch() -> None:
        model.H0 = 71.0 if model.H0 == 70.0 else 70.0
        model.value()

    return model, switch


def _switch(place: Path, run: Path, quick: bool) -> Measured:
    _, switch = _switching(place)
    plain, known = Model(), dict[tuple[float, ...], float]()

    def plain_switch() -> None:
        plain.H0 = 71.0 if plain.H0 == 70.0 else 70.0
        known.setdefault((plain.H0, plain.Om0, plain.w, plain.ns, plain.s8), plain.H0 * 2.0)

    return in_turns(switch, plain_switch, 500, quick)


def _recomputations(place: Path, run: Path, quick: bool) -> Measured:
    model, switch = _switching(place)

    def misses() -> int:
        """The larger of the counts at both sets of parameters, whether each has counts of its own or not."""
        found: list[int] = []
        for _ in range(2):
            switch()
            found.append(model.value.cache_info().misses)
        return max(found)

    before = misses()
    for _ in range(1000):
        switch()
    return Measured([float(misses() - before)], COUNTED)


def _chain_in_memory(place: Path, run: Path, quick: bool) -> Measured:
    _configure(place / "stored")
    model, plain, known = Model(), Model(), dict[tuple[float, ...], float]()
    steps: Any = model
    # a dict of bounded size, as our memory is: of one that grows, the new memory takes half of the time
    ours, theirs = itertools.count(1.0), itertools.cycle([float(number) for number in range(CHAIN_STEPS)])

    def step() -> None:
        model.H0 = next(ours)
        steps.value()

    def plain_step() -> None:
        plain.H0 = next(theirs)
        known.setdefault((plain.H0, plain.Om0, plain.w, plain.ns, plain.s8), plain.H0 * 2.0)

    return in_turns(step, plain_step, CHAIN_STEPS, quick)


# --------------------------------------------------------------------------------------------------------------------
# The directory
# --------------------------------------------------------------------------------------------------------------------


def _folders(place: Path, run: Path, quick: bool) -> Measured:
    _configure(place / "stored")
    number, model = STORED_SETS // (100 if quick else 1), Model()
    steps: Any = model
    for each in range(number):
        model.H0 = float(each)
        steps.step()
    folders = sum(len(names) for _, names, _ in os.walk(place / "stored"))
    return Measured([folders / number], COUNTED)


def _first_store(place: Path, run: Path, quick: bool) -> Measured:
    cache = alone(_directory_of_entries, place, run, ENTRIES // (100 if quick else 1))
    found: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(3 if quick else 12):
        for is_limited in (True, False) if turn % 2 else (False, True):
            arguments = f"{os.fspath(cache)!r}, {is_limited}, {float(time.time_ns())!r}"
            code = f"from benchmarks.engine import first_store_seconds; print(first_store_seconds({arguments}))"
            found[is_limited].append(float(startup.run(code).stdout))
    return Measured(found[True][1:], found[False][1:])


def first_store_seconds(cache: str, is_limited: bool, k: float) -> float:
    """Seconds of the first call in a process that stores something."""
    _configure(Path(cache), **({"max_bytes": NO_LIMIT_IN_REACH} if is_limited else {}))
    model: Any = Model()
    started = time.perf_counter()
    model.table(k)
    return time.perf_counter() - started


def _directory_of_entries(place: Path, run: Path, number: int) -> Path:
    """A directory with so many files that have places, names and sizes of entries; made once for each run's folder.

    They have no content: their sizes take no space on disk.
    """
    few = place / "few"
    _configure(few)
    for height in range(8):
        model: Any = Model(float(height))
        model.table(float(height))
    entries = [each for each in sorted(few.rglob("*")) if _LONG.search(each.name) and each.suffix == ".stored"]
    if len(entries) != 8:
        raise RuntimeError(f"there should be 8 entries, with digests in their names, and there are {entries}")
    columns = list(zip(*(each.relative_to(few).parts for each in entries), strict=True))
    layout = "/".join(_DIGEST.sub("*", column[0]) for column in columns)
    cache = run / f"{number}-entries-{zlib.crc32(layout.encode()):08x}"
    if not cache.exists():
        _make_files(cache, itertools.islice(_names_like(columns), number), entries[0].stat().st_size)
    return cache


_LONG = re.compile("[0-9a-f]{16,}")
_DIGEST = re.compile(f"{_LONG.pattern}|^[0-9a-f]{{1,4}}$")
"""A digest in a name, or a folder that is named after the first digits of one."""


def _names_like(columns: Sequence[Sequence[str]]) -> Iterator[str]:
    """Names in which digests are replaced, in parts that were not the same for all entries."""
    numbers = random.Random(0)  # noqa: S311
    owners = [numbers.randbytes(32).hex() for _ in range(FOLDERS)]
    for each in itertools.count():
        own = numbers.randbytes(32).hex()
        parts = []
        for depth, column in enumerate(columns):
            digits = own if depth == len(columns) - 1 else owners[each % FOLDERS]
            is_shared = len(set(column)) == 1
            parts.append(column[0] if is_shared else _with_digits(column[0], digits))
        yield "/".join(parts)


def _with_digits(part: str, digits: str) -> str:
    return _DIGEST.sub(lambda found: digits[: len(found[0])], part)


def _make_files(place: Path, names: Iterable[str], size: int) -> None:
    """Make files of a size without content; under another name until all are there."""
    draft = place.with_name(f"{place.name}-draft-{os.getpid()}")
    made: set[str] = set()
    for name in names:
        folder = os.path.dirname(name)
        if folder not in made:
            (draft / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            made.add(folder)
        opened = os.open(f"{draft}/{name}", os.O_CREAT | os.O_WRONLY, 0o600)
        os.ftruncate(opened, size)
        os.close(opened)
    draft.rename(place)
    os.sync()  # what is timed next does not wait for it


# --------------------------------------------------------------------------------------------------------------------
# All rows
# --------------------------------------------------------------------------------------------------------------------


def _import(place: Path, run: Path, quick: bool) -> Measured:
    ours, theirs = zip(*startup.import_seconds(2 if quick else 20), strict=True)
    return Measured(ours, theirs)


LOAD, SWITCH = "load of a (2, 200) array by a new object", "switching between two sets in memory"

ROWS: Mapping[str, Row] = {
    "load-diskcache": Row(LOAD, "a hit of diskcache", 0.8, _load_and_diskcache),
    "load-joblib": Row(LOAD, "a hit of joblib", 0.3, _load_and_joblib),
    "miss": Row("miss that stores a (2, 200) array", "a miss of diskcache", 0.8, _miss),
    "chain-disk": Row("a chain's step that stores a small dict", "a set of diskcache", 1.2, chain_on_disk),
    "switch": Row(SWITCH, "a dict", 10.0, _switch),
    "recomputations": Row("recomputations while switching", "one", 0.0, _recomputations),
    "chain-memory": Row("a chain's step in memory", "a dict", 30.0, _chain_in_memory),
    "folders": Row(f"folders, {STORED_SETS:,} sets of parameters", "stored results", 0.02, _folders),
    "import": Row("import stored", startup.DEPENDENCIES, 1.15, _import),
    "max-bytes": Row(f"first store with max_bytes, {ENTRIES:,} entries", "without", 1.5, _first_store),
}
"""The last fills a directory; files that are made just after that could take longer."""


if __name__ == "__main__":  # under the name by which other processes find its functions
    engine = import_module("benchmarks.engine")
    sys.exit(main("benchmarks.engine", (__doc__ or "").split("\n")[0], engine.ROWS))
