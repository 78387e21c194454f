"""A result that refers to what code has by its names is for that code alone, as these names were bound then."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from stored._methods import referring
from stored._methods.referring import refers_to_values
from stored._storage import CachedResult
from stored.typing import ABSENT

CALLS: list[object] = []


class Box:
    """Something that changes."""

    def __init__(self, v: Any) -> None:
        self.v = v


BOX = Box(1)


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Functions and objects share what is in memory."""
    CALLS.clear()
    with configure(memory_sets=8):
        yield


def looking(box: Any, **options: Any) -> Any:
    @stored(persistent=False, ignore=("CALLS",), **options)
    def look() -> Callable[[], Any]:
        CALLS.append(box)
        return lambda: box.v

    return look


def deep(box: Any) -> Any:
    inner = Box({"a": [box]})

    @stored(persistent=False)
    def look() -> Any:
        part = inner.v["a"][0]
        return lambda: part.v

    return look


def by_helper(box: Any) -> Any:
    def helper() -> Any:
        return box.v

    @stored(persistent=False)
    def look() -> Any:
        return helper

    return look


def by_default(box: Any) -> Any:
    def helper(box: Any = box, *, other: Any = box) -> Any:
        return other.v

    @stored(persistent=False)
    def look() -> Any:
        return lambda: helper()

    return look


def by_class(box: Any) -> Any:
    class Holder:
        held = box

    @stored(persistent=False)
    def look() -> Any:
        held = Holder.held
        return lambda: held.v

    return look


def with_version(box: Any) -> Any:
    return looking(box, version="1")


def of_itself(box: Any) -> Any:
    @stored(persistent=False)
    def look(n: int = 1) -> Any:
        return look(0) if n else (lambda: box.v)

    return look


def of_method(box: Any) -> Any:
    @keyed_by("a")
    class Model:
        a = 1

        @stored(persistent=False)
        def look(self) -> Any:
            return lambda: (self, box.v)[1]

    return Model().look


KINDS = [looking, deep, by_helper, by_default, by_class, with_version, of_itself, of_method]


@pytest.mark.parametrize("made", KINDS)
def test_a_function_does_not_get_what_refers_to_what_another_closes_over(made: Any) -> None:
    """Else it would change with what that has."""
    first, second = Box(1), Box(1)
    one, other = made(first), made(second)
    for _ in range(3):
        assert one()() == other()() == 1
    first.v = 100
    assert other()() == 1
    assert one()() == 100


def test_each_function_computes_it_once() -> None:
    """Though they are asked in turns; clearing takes it from memory."""
    one, other = looking(Box(1)), looking(Box(1))
    for _ in range(3):
        assert one()() == other()() == 1
    assert len(CALLS) == 2
    assert one.cached()
    one.cache_clear()
    assert not one.cached()


def test_a_variable_is_no_value() -> None:
    """It may be bound again, where the function that was returned sees it."""

    def made() -> Any:
        n = 1

        def step() -> None:
            nonlocal n
            n += 1

        @stored(persistent=False)
        def look() -> Any:
            return lambda: n

        return look, step

    (one, step), (other, _) = made(), made()
    assert one()() == other()() == 1
    step()
    assert other()() == 1
    assert one()() == 2


@stored(persistent=False, ignore=("CALLS",))
def look_at_global() -> Any:
    CALLS.append(BOX)
    box = BOX
    return lambda: box.v


@keyed_by("a")
class Looking:
    a = 1

    @stored(persistent=False, ignore=("CALLS",))
    def look(self) -> Any:
        CALLS.append(BOX)
        return lambda box=BOX: box.v

    @stored(persistent=False, ignore=("CALLS",))
    def look_with_self(self) -> Any:
        CALLS.append(BOX)
        return lambda box=BOX: self.a * box.v


@pytest.mark.parametrize("look", [look_at_global, Looking().look, Looking().look_with_self])
def test_a_global_that_is_rebound(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """To an equal object: from then on results refer to this one."""
    old = Box(1)
    monkeypatch.setattr(f"{__name__}.BOX", old)
    assert look()() == look()() == 1
    monkeypatch.setattr(f"{__name__}.BOX", Box(1))
    assert look()() == look()() == 1
    old.v = 100
    assert look()() == 1
    assert len(CALLS) == 2


def test_objects_with_equal_parameters_share_what_refers_to_code() -> None:
    """Of one class, whose code has the same objects by name."""
    assert Looking().look() is Looking().look()
    assert len(CALLS) == 1


def test_what_does_not_refer_to_it_is_shared() -> None:
    """By all functions that agree."""

    def made(box: Any) -> Any:
        @stored(persistent=False, ignore=("CALLS",))
        def values() -> Any:
            CALLS.append(box)
            return {"a": [box.v, np.arange(3)], "f": Box(box.v)}

        return values

    assert made(Box(1))()["a"][0] == made(Box(1))()["a"][0] == 1
    assert len(CALLS) == 1


def test_a_result_is_for_code_that_is_there() -> None:
    """Nobody gets it once that is gone."""
    result = CachedResult(1)
    code = type("Code", (), {})()
    result.code = weakref.ref(code)
    assert result.is_for(None, code)
    assert not result.is_for(None, None)
    assert result.holder is code
    del code
    assert result.holder is ABSENT
    assert CachedResult(1).holder is None


def test_functions_and_results_are_freed() -> None:
    """With what these refer to."""
    made, boxes = [], []
    for _ in range(40):
        box = Box(1)
        function = looking(box)
        assert function()() == 1
        made.append(weakref.ref(function.__wrapped__))
        boxes.append(weakref.ref(box))
    CALLS.clear()
    del function, box
    gc.collect()
    assert sum(each() is not None for each in made) == 0
    looking(Box(1))()
    assert sum(each() is not None for each in boxes) <= 32


def test_what_has_too_much_in_it_refers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the code as of the result."""
    monkeypatch.setattr(referring, "_MOST_OBJECTS", 3)
    many = [[each] for each in range(5)]
    assert refers_to_values([], [many])
    assert refers_to_values(many, [[]])
    assert not refers_to_values([], [[]])
    assert not refers_to_values([], [(), 1, len])
