"""Which variables of enclosing functions does a function use?"""

from __future__ import annotations

from typing import Any

from stored._keys.closures import closure_cells, rebound_variables


def around(k: Any, helper: Any = None) -> Any:
    count = total = 0

    def method(x: Any) -> Any:
        nonlocal count

        def inside() -> None:
            nonlocal total
            total += 1

        count += 1
        return helper(x) * k * count, inside

    return method


def test_variables_that_the_function_rebinds() -> None:
    """Counters, also those that a function inside it rebinds."""
    assert rebound_variables(around(2).__code__) == {"count", "total"}
    assert rebound_variables(around.__code__) == set()


def test_cells_have_the_values() -> None:
    """As they are now."""
    values = {name: cell.cell_contents for name, cell in closure_cells(around([2]))}
    assert values == {"count": 0, "helper": None, "k": [2], "total": 0}
    assert list(closure_cells(around)) == []
