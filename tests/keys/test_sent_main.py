"""Functions that another process has sent are of its module, and tell what else is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from stored._keys import sent_main
from stored._keys.sent_main import MainModule, found_in_sent_main, has_sent_functions, main_of, note_sent_function


@pytest.fixture(autouse=True)
def nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent here yet."""
    monkeypatch.setattr(sent_main, "_sent", None)
    monkeypatch.setattr(sent_main, "_functions", [])


def test_what_wraps_a_function_is_of_its_module() -> None:
    """As functools.cache does; a built-in one is of its own."""
    function = sent("def f(): pass", "a")["f"]
    wrapped = functools.lru_cache(function)
    assert main_of(wrapped).name == "a"
    assert main_of(len).name == "builtins"


def sent(code: str, name: str) -> dict[str, Any]:
    """The global names of code of a script that was sent."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(code, names)
    note_sent_function(names["f"], MainModule(name, None))
    return names


CODE = """
class Grid:
    class Inner:
        pass
    def size(self):
        return 1
def f():
    return Grid
number = 3
"""


def test_names_are_those_of_each_module() -> None:
    """The latest first; of one module, if one is meant; nothing else than classes and functions of these names."""
    assert not has_sent_functions()
    first, second = sent(CODE, "a"), sent(CODE, "b")
    assert has_sent_functions()
    assert list(found_in_sent_main("Grid")) == [second["Grid"], first["Grid"]]
    assert list(found_in_sent_main("Grid", "a".__eq__)) == [first["Grid"]]
    assert list(found_in_sent_main("Grid.Inner", "b".__eq__)) == [second["Grid"].Inner]
    assert [list(found_in_sent_main(each)) for each in ("number", "missing", "Grid.missing", "number.real")] == [[]] * 4
    assert [main_of(each["Grid"]).name for each in (first, second)] == ["a", "b"]
    assert main_of(first["f"]).name == "a"


def test_a_class_without_functions_is_of_the_last_that_came() -> None:
    """And of this program, before any has come."""
    names = sent(CODE, "a")
    own = main_of(names["Grid"].Inner)
    sent_main.adopt_main(MainModule("c", None))
    assert main_of(names["Grid"].Inner).name == "c"
    assert own != main_of(names["Grid"].Inner)
    assert main_of(names["Grid"]).name == "a"


def test_functions_of_this_program_stay_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of dill are, which may have the global names of the program that they have come to."""
    made: Callable[[], object] = FunctionType((lambda: None).__code__, vars(sys.modules["__main__"]), "made")
    made.__module__ = "__main__"
    note_sent_function(made, MainModule("a", None))  # type: ignore[arg-type]
    assert not has_sent_functions()
    sent_main.adopt_main(MainModule("a", None))
    assert main_of(made).name != "a"
