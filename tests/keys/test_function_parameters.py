"""A function has no parameters: in keys there are none, and in memory its version stands for them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from stored._keys import FunctionParameters, find_describer
from stored._keys.method_reads import Selection


def test_versions_are_apart_in_memory_only() -> None:
    """The key of all of them is that of the function."""
    told = FunctionParameters("module", "outer.<locals>.f")
    owners: Any = [SimpleNamespace(code_version=each) for each in ("one", "other")]
    one, other = [told.values(each) for each in owners]
    assert one != other
    assert told.quick_key(one) == one
    assert told.space(object, one) is told.space(object, other)
    assert (told.space(object, one).module, told.space(object, one).name) == ("module", "outer.<locals>.f")
    assert (told.names, told.space(object, one).pairs()) == ((), ())
    told.check(owners[0], one)


def test_it_tells_the_same_for_whatever_is_selected() -> None:
    """There is nothing to select from; a class that has it is told by it."""
    told = FunctionParameters("module", "f")
    assert told.selected(Selection(())) is told
    assert find_describer(type("Owner", (), {"__stored_parameters__": told})) is told
