"""The owner of a function's results is its own; the spaces of memory are those of all functions of its name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from stored._engine import function_owner, owner_record
from stored._engine.owners import Registry
from stored._keys import MethodReads


def function(x: float) -> float:
    return x


class Method:
    """All that a record asks of a method."""

    depends = None
    stored_name = ("f", "module.f")

    def code_of(self, owner_class: type) -> Any:
        return SimpleNamespace(reads=MethodReads(), counting=None)

    def complete_reads(self, owner_class: type) -> MethodReads:
        return MethodReads()


def test_owners_of_one_name_share_their_spaces() -> None:
    """If the options by which memory holds results are the same."""
    owners = [function_owner(function, limit) for limit in (None, None, 3)]
    presents = [owner_record(each).counted(each, Method()).present for each in owners]
    assert presents[0].spaces is presents[1].spaces
    assert presents[0].spaces is not presents[2].spaces
    assert len({type(each) for each in owners}) == 3


def test_what_is_known_of_an_owner_is_kept_by_its_class() -> None:
    """No global registry refers to it."""
    owner = function_owner(function)
    record = owner_record(owner)
    registry: Registry = vars(type(owner))["__stored_registry__"]
    assert [each for _, each in registry.records()] == [record]
    assert owner_record(owner) is record
