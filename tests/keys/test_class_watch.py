"""Whether the code of a class is the same is seen quickly, and as it is seen otherwise."""

from __future__ import annotations

import enum
import gc
import sys
import types
from typing import Any

import numpy as np
import pytest

from stored import keyed_by, stored
from stored._keys.class_watch import class_watch
from stored._keys.code_check import InlineTests, inline_check
from stored._keys.code_graph import state_of
from stored._keys.namespace_test import names_of_class
from stored._keys.repeated_check import RepeatedCheck
from stored._keys.value_tests import steady_values, value_test
from stored._keys.watched import NamespaceWatch, NameWatch

FACTOR = 2.0


class Kind(enum.Enum):
    ONE = 1

    def weight(self) -> float:
        return FACTOR * self.value


def test_a_name_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that uses a name which is no longer there is not the same, and is looked at anew."""
    watch = class_watch(Kind)
    assert watch is not None
    assert watch.is_same()
    module = sys.modules[__name__]
    with monkeypatch.context() as patch:
        patch.delattr(module, "FACTOR")
        assert not watch.is_same()
    assert class_watch(Kind) is not None
    assert watch.is_same()


def test_classes_of_libraries_never_change() -> None:
    """There is nothing to be watched of them."""
    assert class_watch(np.ndarray) is None


def test_names_of_modules_are_not_compared_at_once() -> None:
    """A module gets names at any time, and so is looked at name by name."""
    module = types.ModuleType("made")
    module.value = 1.0  # type: ignore[attr-defined]
    assert names_of_class(NamespaceWatch(module, frozenset())) is None


def test_a_class_that_has_changed_is_not_compared() -> None:
    """What is to be expected of it is what it was when it was looked at, and not what it is by now."""

    class Changing:
        value = 1.0

    watch = NamespaceWatch(Changing, frozenset({"__dict__", "__weakref__"}))
    assert names_of_class(watch) is not None
    Changing.value = 2.0
    assert names_of_class(watch) is None
    del Changing
    gc.collect()
    assert names_of_class(watch) is None


def test_an_inline_check_that_raises_has_lapsed() -> None:
    """It is made anew, then."""
    module = types.ModuleType("made_for_lapse")
    module.value = 1.0  # type: ignore[attr-defined]

    class Plain:
        pass

    watches = [NamespaceWatch(Plain, frozenset({"__dict__", "__weakref__"})), NameWatch(module, ("value",), 1.0)]
    check = inline_check(Plain, (), watches, {}, ())
    assert not check.has_lapsed()
    del module.value
    assert check.has_lapsed()


def test_a_member_whose_class_has_changed_meanwhile_has_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was noted of it is of other code, so that a test would be of that."""
    code = state_of(Kind)
    (noted,) = steady_values((Kind.ONE,), ((Kind, None),))
    assert value_test("{owner}.kind", "value0", noted) is None
    assert state_of(Kind) is code


def test_nothing_to_check_is_always_the_same() -> None:
    """Code that reaches nothing which can change is the same however often it is asked."""
    check = RepeatedCheck((), ())
    assert all(check.is_same() for _ in range(40))


def test_much_code_is_checked_without_being_compiled() -> None:
    """An expression of thousands of names would take long to compile."""
    module = types.ModuleType("made_large")
    for number in range(300):
        setattr(module, f"name{number}", float(number))
    watches = [NameWatch(module, (f"name{number}",), getattr(module, f"name{number}")) for number in range(300)]
    check = RepeatedCheck((), watches)
    assert all(check.is_same() for _ in range(40))
    module.name7 = 0.0  # type: ignore[attr-defined]
    assert not check.is_same()


def test_tests_of_values_that_are_converted() -> None:
    """Parameters may be converted to numbers of numpy, and to what can change."""
    calls: list[Any] = []

    @keyed_by("a", "bins", convert={"a": np.float64, "bins": sorted})
    class Converted:
        def __init__(self) -> None:
            self.a, self.bins = 1, [2.0, 1.0]

        @stored(persistent=False)
        def value(self) -> float:
            calls.append(self.a)
            return float(self.a)

    model: Any = Converted()
    for _ in range(4):
        assert model.value() == 1.0
    model.bins.append(0.5)
    for _ in range(3):
        assert model.value() == 1.0
    assert len(calls) == 2
    model.a = 3
    assert [model.value() for _ in range(3)] == [3.0] * 3


def test_a_prefix_of_names() -> None:
    """What tests compare with has the names that are asked for."""
    tests = InlineTests({}, frozenset(), "own_")
    tests.expect("x", Kind.ONE)
    assert tests.tests == ["x is own_0"]
    assert tests.all_given() == {"own_0": Kind.ONE}
