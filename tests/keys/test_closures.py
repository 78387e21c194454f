"""Which variables of enclosing functions does a function use?"""

from __future__ import annotations

from typing import Any

from stored._keys.closures import closure_cells


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


def names(function: Any, with_rebound: bool) -> list[str]:
    return [name for name, _ in closure_cells(function, with_rebound)]


def test_variables_that_the_function_rebinds_can_be_left_out() -> None:
    """Counters, also those that a function inside it rebinds."""
    assert names(around(2), True) == ["count", "helper", "k", "total"]
    assert names(around(2), False) == ["helper", "k"]
    assert names(around, True) == names(around, False) == []


def test_cells_have_the_values() -> None:
    """As they are now."""
    assert {name: cell.cell_contents for name, cell in closure_cells(around([2]), False)} == {"helper": None, "k": [2]}
