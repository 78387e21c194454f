"""Scripts and notebooks of a group find each other's results: the folder in which they stand does not count."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import stored
from helper import scale

@stored.keyed_by("H0")
class Model:
    def __init__(self, H0):
        self.H0 = H0

    @stored.stored
    def age(self, z):
        print("computes")
        return scale(self.H0 * z)

print(Model(70.0).age(2.0))
"""


def run(folder: Path, cache: Path, kind: str) -> str:
    """What a program prints that stands in a folder, beside a module of its own."""
    folder.mkdir()
    (folder / "helper.py").write_text("def scale(x):\n    return 2 * x\n")
    (folder / "run.py").write_text(PROGRAM)
    arguments = ["run.py"] if kind == "script" else ["-c", PROGRAM]
    named = {"JPY_SESSION_NAME": f"{folder}/run.ipynb"} if kind == "notebook" else {}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "STORED_CACHE_DIR": str(cache), "STORED_KEY_FILE": f"{folder}/config/key", **named},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("kind", ["script", "notebook"])
def test_the_place_does_not_count(tmp_path: Path, kind: str) -> None:
    """The same program in another folder, with another key file, computes nothing anew."""
    cache = tmp_path / "shared"
    cache.mkdir()
    cache.chmod(0o2770)
    assert run(tmp_path / "one", cache, kind) == "computes\n280.0\n"
    assert run(tmp_path / "other", cache, kind) == "280.0\n"
