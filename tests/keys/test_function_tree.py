"""The source of a function is found where it surely is that of its code."""

from __future__ import annotations

import ast
import linecache
from pathlib import Path
from typing import Any

from stored._keys.function_tree import function_tree

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
