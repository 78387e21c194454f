"""What takes whole processes: a first import, and the test suite of Colossus."""

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

__all__ = ["DEPENDENCIES", "heaviest_imports", "import_seconds", "imports_scipy", "suite_seconds"]

DEPENDENCIES = "import numpy, wrapt, xxhash"


def _run(code: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # compiled files are written, as in every installation
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, env={**kept, **environment}, check=True, capture_output=True, text=True)  # noqa: S603


def _seconds(code: str) -> float:
    started = time.perf_counter()
    _run(code)
    return time.perf_counter() - started


def import_seconds(rounds: int) -> list[tuple[float, float]]:
    """Of processes that import stored, and its dependencies without scipy, in turns."""
    codes = ("import stored", DEPENDENCIES)
    _run(codes[0])
    pairs = []
    for turn in range(rounds):
        order = codes if turn % 2 else codes[::-1]
        seconds = {code: _seconds(code) for code in order}
        pairs.append((seconds[codes[0]], seconds[codes[1]]))
    return pairs


def imports_scipy() -> bool:
    """Does importing stored import scipy?"""
    return _run("import stored, sys; print('scipy' in sys.modules)").stdout.strip() == "True"


_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def heaviest_imports(rounds: int, most: int) -> list[tuple[str, float]]:
    """The modules, beyond those of the dependencies, whose own code takes longest to import, with their seconds."""
    found: dict[str, list[int]] = {}
    for _ in range(rounds):
        said = _run(f"{DEPENDENCIES}; import stored", "-X", "importtime").stderr
        for microseconds, name in _LINE.findall(said.partition("| xxhash\n")[2]):
            found.setdefault(name, []).append(int(microseconds))
    medians = {name: statistics.median(each) * 1e-6 for name, each in found.items()}
    return sorted(medians.items(), key=lambda each: -each[1])[:most]


_SUITE = """
import io, pathlib, time, unittest
import colossus.settings
colossus.settings.BASE_DIR = {place!r}
{install}
root = pathlib.Path(colossus.__path__[0])
suite = unittest.TestLoader().discover(str(root / "tests"), pattern={pattern!r}, top_level_dir=str(root.parent))
started = time.process_time()
result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
seconds = time.process_time() - started
assert result.testsRun and result.wasSuccessful(), result
print(seconds)
"""
_INSTALL = "import stored.compat.colossus; stored.compat.colossus.install()"


def suite_seconds(place: Path, rounds: int, pattern: str = "test_*.py") -> Iterator[tuple[float, float]]:
    """Processor time of the suite of Colossus on stored, and on its own storage, both with what earlier runs left."""
    if find_spec("colossus") is None:  # then there are no rounds
        return
    place.mkdir(parents=True)
    environment = {"STORED_KEY_FILE": str(place / "key"), "PYTHONWARNINGS": "ignore"}
    codes = []
    for name, install in (("ours", _INSTALL), ("theirs", "")):
        (place / name).mkdir()
        codes.append(_SUITE.format(place=str(place / name), install=install, pattern=pattern))
        _run(codes[-1], **environment)
    for turn in range(rounds):
        order = (0, 1) if turn % 2 else (1, 0)
        seconds = {each: float(_run(codes[each], **environment).stdout) for each in order}
        yield seconds[0], seconds[1]
