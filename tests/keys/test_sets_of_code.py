"""A set of functions or classes has one text, in whichever order it is gone through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
    def one(): return 1
    def two(): return 2
    class A: x = one
    class B: x = two
    MEMBERS = {{{members}}}
    {padding}
    def f(): return sorted(each.__name__ for each in MEMBERS)
"""


@pytest.mark.parametrize("members", ["one, two, max", "A, B, int", "(A, one), (B, two)", "one, two, A, B"])
def test_the_order_of_a_set_does_not_matter(tmp_path: Path, members: str) -> None:
    """It depends on where its members lie in memory, which differs between processes."""
    versions = set()
    for number in range(4):
        text = MODULE.replace("    ", "", 1).format(members=members, padding="PAD = 1")
        lines = [line.removeprefix("    ") for line in text.splitlines()]
        before = [f"unused{each} = [{each}] * 1000" for each in range(number * 7)]
        (tmp_path / "model.py").write_text("\n".join([*before, *lines]) + "\n")
        script = "import model; from stored._keys.code_graph import code_state; print(code_state([model.f]).digest)"
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        versions.add(done.stdout)
    assert len(versions) == 1
