"""A class of a script or a notebook goes to the workers of others: each result is computed once, by anyone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from stored import configure, upkeep
from tests.travel.scripts import MPIRUN, RUNS, script_with, start

NEEDS = {"dask": "distributed", "mpi": "mpi4py"}
EXPECTED = [[2.0 * 3.0 * k, 2.25, 0.5, "StoredMethod"] for k in [*range(20)] * 2]


def started(name: str, folder: Path, deaths: str = "") -> Any:
    """What the script tells whose workers are of this kind; it is skipped if they are not installed."""
    if not name.startswith("futures"):
        pytest.importorskip(NEEDS.get(name, name))
    before: tuple[str, ...] = ()
    if name == "mpi":
        if shutil.which("mpirun") is None:
            pytest.skip("there is no mpirun, as openmpi-bin has it")
        before = MPIRUN
    return start(script_with(RUNS[name]), folder, before=before, deaths=deaths)


@pytest.mark.parametrize("name", RUNS)
def test_each_result_is_computed_once(name: str, tmp_path: Path) -> None:
    """By one of the workers; the parent, and a later process of the script, find them."""
    told = started(name, tmp_path)
    assert told["found"] == told["mine"] == EXPECTED
    assert told["by workers"] == told["all"] == 20
    assert started(name, tmp_path)["all"] == 20


@pytest.mark.parametrize("name", ["joblib", "dask", "mpi"])
def test_workers_that_are_killed(name: str, tmp_path: Path) -> None:
    """By SIGKILL, while they compute: others go on, or the next run does; only what was lost is computed again."""
    deaths = "3.0 11.0 19.0"
    for _ in range(5):
        told = started(name, tmp_path, deaths)
        if not isinstance(told, int):  # else the workers have ended the script with them
            break
    assert told["found"] == told["mine"] == EXPECTED
    assert 20 < told["all"] <= 20 + 3 * (8 if name == "joblib" else 4)
    with configure(cache_dir=tmp_path / "cache", key_file=tmp_path / "config" / "key"):
        upkeep()
    left = [each for each in (tmp_path / "cache" / ".work").iterdir() if each.suffix != ".failed"]
    # an empty mark may stay for a while, of a rank that mpirun has ended with the others
    assert {each.name for each in left} <= {"locks", "size"}


COLLECTIVE = """
import json
import os

from mpi4py import MPI
from stored import keyed_by, stored


@keyed_by("a")
class Field:
    def __init__(self, a):
        self.a = a

    @stored(single_flight=False)
    def total(self):
        with open(os.environ["LOG_OF_TEST"], "a") as log:
            log.write("x")
        return self.a * MPI.COMM_WORLD.allreduce(MPI.COMM_WORLD.rank + 1)


if __name__ == "__main__":
    found = MPI.COMM_WORLD.gather(Field(2.0).total())
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps([found, os.path.getsize(os.environ["LOG_OF_TEST"])]))
"""


def test_a_method_that_all_ranks_enter(tmp_path: Path) -> None:
    """One that communicates is computed by all of them, together, and then found by all."""
    pytest.importorskip("mpi4py")
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun, as openmpi-bin has it")
    for _ in range(2):
        assert start(COLLECTIVE, tmp_path, before=MPIRUN) == [[20.0] * 4, 4]
