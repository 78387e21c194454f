"""A set of functions or classes has one text, in whichever order it is gone through."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

MODULE = """
    def one(): return 1
    def two(): return 2
    class A: x = one
    class B: x = two
    MEMBERS = {{{members}}}
    PAD = 1
    def f(): return sorted(each.__name__ for each in MEMBERS)
"""


MEMBERS = ("one, two, max", "A, B, int", "(A, one), (B, two)", "one, two, A, B")
SCRIPT = """
import importlib
from stored._keys.code_graph import code_state
print([code_state([importlib.import_module(f"model{number}").f]).digest for number in range(4)])
"""


def test_the_order_of_a_set_does_not_matter(tmp_path: Path) -> None:
    """It depends on where its members lie in memory, which differs between processes."""
    versions = set()
    for process in range(4):
        before = "".join(f"unused{each} = [{each}] * 1000\n" for each in range(process * 7))
        for number, members in enumerate(MEMBERS):
            text = before + textwrap.dedent(MODULE).format(members=members)
            (tmp_path / f"model{number}.py").write_text(text)
        done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True)
        versions.add(done.stdout)
    assert len(versions) == 1
