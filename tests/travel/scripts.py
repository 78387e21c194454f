"""Scripts whose class of a model goes to workers, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

MODEL = """
import json
import os
import signal
import sys
import time

from stored import Axis, configure, keyed_by, stored, storage_user

FACTOR = 3.0
LOG = os.environ["LOG_OF_TEST"]


class Grid:  # a result that is pickled
    def __init__(self, points):
        self.points = points


def helper(x):
    return FACTOR * x


def die_once(k):
    if str(k) in os.environ.get("DEATHS_OF_TEST", "").split() and not os.path.exists(f"{LOG}-{k}"):
        open(f"{LOG}-{k}", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)


@keyed_by("a")
class Model:
    def __init__(self, a):
        self.a = a

    @stored(ignore=("die_once",))
    def slow(self, k):
        with open(LOG, "a") as log:
            log.write(f"{k}\\n")
        die_once(k)
        time.sleep(0.02)
        return self.a * helper(k)

    @stored(interpolate=Axis("x", 0.0, 1.0, rtol=1e-8))
    def table(self, x):
        return self.a + x**2

    @stored
    def grid(self):
        return Grid([self.a, helper(1.0)])


def work(model, k):
    kind = type(vars(type(model))["slow"]).__name__
    return model.slow(k), round(model.table(0.5), 6), round(float(model.table.inverse(model.a + 0.25)), 6), kind


def computed():
    return len(open(LOG).read().split()) if os.path.exists(LOG) else 0
"""

MAIN = """
if __name__ == "__main__":
    model = Model(2.0)
    asked = [float(k) for k in range(20)] * 2
    found = [list(each) for each in run(model, asked)]
    by_workers = computed()
    mine = [list(work(model, k)) for k in asked]
    print(json.dumps({"found": found, "mine": mine, "by workers": by_workers, "all": computed()}))
"""

RUNS = {
    "joblib": """
        def run(model, asked):
            import joblib

            return joblib.Parallel(8)(joblib.delayed(work)(model, k) for k in asked)
        """,
    "dask": """
        def run(model, asked):
            from dask.distributed import Client, LocalCluster

            options = {"threads_per_worker": 1, "dashboard_address": None}
            with LocalCluster(4, **options) as cluster, Client(cluster) as client:
                return client.gather([client.submit(work, model, k, pure=False) for k in asked])
        """,
    "multiprocess": """
        def run(model, asked):
            import multiprocess

            with multiprocess.get_context("spawn").Pool(2) as pool:
                return pool.starmap(work, [(model, k) for k in asked])
        """,
    **{
        pickler: f"""
        def run(model, asked):
            import subprocess

            import {pickler} as pickler

            data = pickler.dumps((work, model, asked), **{options})
            code = "import {loader} as pickle, sys; f, m, a = pickle.load(sys.stdin.buffer); " \\
                "sys.stdout.buffer.write(pickle.dumps([f(m, k) for k in a]))"
            done = subprocess.run([sys.executable, "-c", code], input=data, stdout=subprocess.PIPE, check=True)
            return pickler.loads(done.stdout)
        """
        for pickler, loader, options in (("cloudpickle", "pickle", {}), ("dill", "dill", {"recurse": True}))
    },
    "mpi": """
        def run(model, asked):
            from mpi4py import MPI

            world = MPI.COMM_WORLD
            found = world.allgather([work(model, k) for k in asked])
            world.Barrier()
            if world.rank:
                sys.exit()
            assert len(found) == 4 and all(each == found[0] for each in found)
            return found[0]
        """,
    **{
        f"futures by {way}": f"""
        def run(model, asked):
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            with ProcessPoolExecutor(2, mp_context=get_context("{way}")) as pool:
                return list(pool.map(work, [model] * len(asked), asked))
        """
        for way in ("fork", "spawn", "forkserver")
    },
}


MPIRUN = ("mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "4")
"""Runs four ranks, on fewer cores too."""


def start(
    script: str,
    folder: Path,
    *,
    before: tuple[str, ...] = (),
    deaths: str = "",
    name: str = "script.py",
    cache: Path | None = None,
) -> Any:
    """What a script prints as JSON, or how it ended; it runs in a folder, with the cache of all of them."""
    place = folder / name
    place.write_text(script)
    environment = {
        **os.environ,
        "LOG_OF_TEST": str(folder / "log"),
        "DEATHS_OF_TEST": deaths,
        "STORED_CACHE_DIR": str(cache or folder / "cache"),
        "STORED_KEY_FILE": str(folder / "config" / "key"),
        "PYTHONWARNINGS": "error::Warning:stored",
    }
    command = [*before, sys.executable, str(place)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    if deaths and done.returncode:
        return done.returncode
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def script_with(run: str, main: str = MAIN, model: str = MODEL) -> str:
    """The model, how it is run, and what is told."""
    return model + textwrap.dedent(run) + main
