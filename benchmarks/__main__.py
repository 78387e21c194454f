"""Time the common paths, and interpolation tables: ``python -m benchmarks [--quick]``.

Every row is a ratio of medians taken in turns within one process, so that it means the same on every machine.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
from pathlib import Path

import numpy as np
from colossus import settings as colossus_settings
from colossus.utils import storage as colossus_storage

import stored
from benchmarks.tables import median_seconds, tables


@stored.keyed_by("H0", "Om0", "Ob0", "sigma8", "ns")
class Model:
    """Five float parameters, and one method in two caches."""

    def __init__(self) -> None:
        self.H0, self.Om0, self.Ob0, self.sigma8, self.ns = 67.7, 0.31, 0.049, 0.81, 0.97

    @stored.stored
    def ours(self, z: float) -> float:
        """Remembered by stored."""
        return z

    @functools.cache  # noqa: B019
    def theirs(self, z: float) -> float:
        """Remembered by functools, which looks at no parameters."""
        return z


def hits(rounds: int) -> str:
    """A repeated call beside functools."""
    model = Model()
    seconds = median_seconds({"ours": lambda: model.ours(1.0), "theirs": lambda: model.theirs(1.0)}, rounds, 1000)
    return _row("hit, five parameters verified", seconds, "functools.lru_cache, nothing verified")


def objects(rounds: int) -> str:
    """An interpolator found again, beside Colossus."""
    users = {
        "ours": stored.StorageUser("bench", "rw", lambda: "bench", lambda: "string", None),
        "theirs": colossus_storage.StorageUser("bench", "rw", lambda: "bench", lambda: "string", None),
    }
    table = np.array([np.arange(200.0), np.arange(200.0) ** 2])
    for user in users.values():
        user.storeObject("table", table)
    find = {name: functools.partial(user.getStoredObject, "table", interpolator=True) for name, user in users.items()}
    return _row("getStoredObject, interpolator", median_seconds(find, rounds, 1000), "Colossus")


def stores(rounds: int) -> str:
    """Many small objects stored by one owner, beside Colossus."""

    def fill(kind: type, number: int) -> None:
        user = kind("bench", "rw", lambda: f"fill {number}", lambda: "string", None)
        for index in range(200):
            user.storeObject(f"object {index}", float(index))

    numbers = iter(range(10**6))
    actions = {
        "ours": lambda: fill(stored.StorageUser, next(numbers)),
        "theirs": lambda: fill(colossus_storage.StorageUser, next(numbers)),
    }
    return _row("storing 200 objects", median_seconds(actions, max(2, rounds // 4), 1), "Colossus")


def _row(path: str, seconds: dict[str, float], peer: str) -> str:
    ratio = seconds["ours"] / seconds["theirs"]
    return f"| {path} | {seconds['ours'] * 1e6:.3g} | {ratio:.2f} | {peer} |"


def main() -> None:
    """Print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run?")
    rounds = 4 if parser.parse_args().quick else 40
    with tempfile.TemporaryDirectory() as place:
        colossus_settings.BASE_DIR = place
        with stored.configure(cache_dir=Path(place) / "stored", key_file=Path(place) / "key"):
            for each in tables(rounds):  # first: a stored.StorageUser would put a guard on the way of every call
                print(each, end="\n\n", flush=True)
            rows = [run(rounds) for run in (hits, objects, stores)]
    print("| path | microseconds | ratio | beside |\n| --- | --- | --- | --- |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
