"""The source of a function is found where it surely is that of its code."""

from __future__ import annotations

import ast
import functools
import linecache
from pathlib import Path
from typing import Any

from stored._keys.code_graph import code_state
from stored._keys.function_tree import function_tree
from tests.keys.source_code import load

CELL = """
import time
import math

def wait(x):
    time.sleep(0.0)
    return math.sqrt(x)

class Model:
    def method(self):
        return wait(time.time())
"""


def test_a_cell_whose_statements_are_compiled_one_by_one(tmp_path: Path) -> None:
    """As IPython does it: calls of what the same cell imports have another bytecode then."""
    namespace: dict[str, Any] = {}
    filename = str(tmp_path / "ipykernel" / "1.py")
    linecache.cache[filename] = (len(CELL), None, CELL.splitlines(keepends=True), filename)
    for statement in ast.parse(CELL).body:
        exec(compile(ast.Module([statement], []), filename, "exec"), namespace)
    for function in (namespace["wait"], namespace["Model"].method):
        tree = function_tree(function.__code__)
        assert tree is not None
        assert tree.node.name == function.__name__  # type: ignore[union-attr]


def test_the_open_of_ipython_counts_as_the_built_in_one() -> None:
    """It is a function of a package, which notebooks have in place of it."""

    @functools.wraps(open)
    def modified(file: Any, *args: Any, **kwargs: Any) -> Any:
        return open(file, *args, **kwargs)

    source = "def read(name):\n    with open(name) as file:\n        return file.read()\n"
    plain, special = load(source), load(source, open=modified)
    state, other = [code_state([each["read"]]) for each in (plain, special)]
    assert [each.text for each in other.nodes] == [each.text for each in state.nodes]
    assert other.libraries == state.libraries
    assert other.digest == state.digest
