"""The check of code sees what has changed between the walk and the moment when it was made, too."""

from __future__ import annotations

import types
from typing import Any

from stored._keys.code_check import code_check
from stored._keys.watched import NameWatch


def test_a_name_that_was_bound_again_before_the_check_was_made() -> None:
    """It is not taken for what the walk has found."""
    module: Any = types.ModuleType("of_test")
    module.K = 1.5
    watch = NameWatch(module, ("K",), module.K)
    assert code_check((), [watch])() is True  # type: ignore[misc]
    module.K = 2.5
    assert code_check((), [watch])() is False  # type: ignore[misc]


def test_without_names_there_is_nothing_to_check() -> None:
    """So calls check nothing."""
    assert code_check((), []) is None
