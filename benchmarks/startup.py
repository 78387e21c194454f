"""How long do whole processes take: a first import, and the test suite of Colossus?"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

__all__ = ["DEPENDENCIES", "SuiteRun", "heaviest_imports", "import_seconds", "run", "suite_runs"]

DEPENDENCIES = "import numpy, wrapt, xxhash"


def run(code: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new process."""
    # compiled files are written, as in every installation
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, env={**kept, **environment}, check=True, capture_output=True, text=True)  # noqa: S603


def _seconds(code: str) -> float:
    started = time.perf_counter()
    run(code)
    return time.perf_counter() - started


def import_seconds(rounds: int) -> list[tuple[float, float]]:
    """Seconds of processes that import stored, and of ones that import its dependencies without scipy, in turns."""
    codes = ("import stored", DEPENDENCIES)
    for code in codes:  # which compiles all that is not compiled yet
        run(code)
    pairs = []
    for turn in range(rounds):
        order = codes if turn % 2 else codes[::-1]
        seconds = {code: _seconds(code) for code in order}
        pairs.append((seconds[codes[0]], seconds[codes[1]]))
    return pairs


_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def heaviest_imports(rounds: int, most: int) -> list[tuple[str, float]]:
    """The modules, beyond those of the dependencies, whose own code takes longest to import, with their seconds."""
    found: dict[str, list[int]] = {}
    for _ in range(rounds):
        report = run(f"{DEPENDENCIES}; import stored", "-X", "importtime").stderr
        for microseconds, name in _LINE.findall(report.partition("| xxhash\n")[2]):
            found.setdefault(name, []).append(int(microseconds))
    medians = {name: statistics.median(each) * 1e-6 for name, each in found.items()}
    return sorted(medians.items(), key=lambda each: -each[1])[:most]


_SUITE = """
import functools, io, pathlib, time, unittest
import colossus.settings
colossus.settings.BASE_DIR = {place!r}
{install}
from colossus.utils.storage import StorageUser

in_storage, is_within = 0.0, False

def timed(method):
    @functools.wraps(method)
    def call(*args, **kwargs):
        global in_storage, is_within
        if is_within:
            return method(*args, **kwargs)
        is_within, started = True, time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            in_storage += time.perf_counter() - started
            is_within = False
    return call

for name in ("__init__", "getStoredObject", "storeObject", "resetStorage", "checkForChangedHash"):
    setattr(StorageUser, name, timed(getattr(StorageUser, name)))
root = pathlib.Path(colossus.__path__[0])
suite = unittest.TestLoader().discover(str(root / "tests"), pattern={pattern!r}, top_level_dir=str(root.parent))
started = time.process_time()
result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
seconds = time.process_time() - started
assert result.testsRun and result.wasSuccessful(), result
print(seconds, in_storage)
"""
_INSTALL = "import stored.compat.colossus; stored.compat.colossus.install()"


class SuiteRun(NamedTuple):
    """Seconds that the suite of Colossus takes in all, and in storage."""

    whole: float
    in_storage: float


def suite_runs(place: Path, rounds: int, pattern: str = "test_*.py") -> Iterator[tuple[SuiteRun, SuiteRun]]:
    """The suite of Colossus on stored, and on its own storage, both with the files of an earlier run, in turns."""
    if find_spec("colossus") is None:  # then there are no rounds
        return
    place.mkdir(parents=True)
    environment = {"STORED_KEY_FILE": str(place / "key"), "PYTHONWARNINGS": "ignore"}
    codes = []
    for name, install in (("ours", _INSTALL), ("theirs", "")):
        (place / name).mkdir()
        codes.append(_SUITE.format(place=str(place / name), install=install, pattern=pattern))
        run(codes[-1], **environment)
    for turn in range(rounds):
        order = (0, 1) if turn % 2 else (1, 0)
        done = {each: SuiteRun(*map(float, run(codes[each], **environment).stdout.split())) for each in order}
        yield done[0], done[1]
