"""The README does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
TOUR = next(block for block in BLOCKS if "class Cosmology" in block)


def before(code: str) -> str:
    """The line that introduces an example."""
    return README.read_text().split(f"```python\n{code}")[0].rstrip().splitlines()[-1]


@pytest.mark.parametrize("code", BLOCKS)
def test_examples_run(code: str, tmp_path: Path) -> None:
    """Every example of the README runs as it stands, and what it prints is what its comments say."""
    of_the_tour = re.search("the tour", before(code), re.IGNORECASE)
    for package in ("astropy", "dask.distributed", "executorlib"):
        if re.search(rf"^ *(from|import) {package}\b", code, re.MULTILINE):
            pytest.importorskip(package)
    code = code.replace("SlurmJobExecutor", "SingleNodeExecutor")  # a computer without SLURM
    script = tmp_path / "example.py"
    script.write_text(TOUR + code if of_the_tour else code)
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(tmp_path / "cache"),
        "STORED_KEY_FILE": str(tmp_path / "config" / "key"),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "class Spectrum" in code:
        assert done.stdout == "Spectrum(wave=array([1. , 1.5, 2. ]), flux=array([2., 2., 2.]))\n"
    if "class Demo" in code:
        assert done.stdout.splitlines() == ["[2.6, 9.5]", "changed: the storage is reset", "None"]
    if "class Cosmology" in code:
        assert "hits=2, misses=2" in done.stdout
        assert "argument n is 100, stored is 200" in done.stdout
    if "fill(" in code:
        assert "18 results in " in done.stdout
        assert ": 0 found, 18 computed, 0 failed; computing took " in done.stdout
    if "interpolant()" in code:
        shown, right = done.stdout.splitlines()[-2:]
        assert shown.startswith("<interpolant of Cosmology.age(z), z from -0.995 to 200 in log1p spacing")
        assert right == "True"
        assert (tmp_path / "age.png").is_file()


PROMISES = re.findall(r"`(\w[\w/]*\.py)::(\w+)`", README.read_text())


@pytest.mark.parametrize(("file", "name"), PROMISES)
def test_every_promise_has_its_test(file: str, name: str) -> None:
    """What the README says of a test, that there is one of that name in that file."""
    assert f"\ndef {name}(" in (Path(__file__).parent / file).read_text()


def test_there_are_promises() -> None:
    """The names of tests are found in the README."""
    assert len(PROMISES) > 20
