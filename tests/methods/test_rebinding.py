"""What code reaches can be rebound while a program runs: the next call gives what the plain one would give."""

from __future__ import annotations

import builtins
import copy
import gc
import importlib
import sys
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from stored import OwnerWarning, keyed_by, stored
from tests.methods import rebound_library as library
from tests.methods import rebound_names as names
from tests.methods.rebound_names import Model

Patch = pytest.MonkeyPatch


REBOUND: dict[str, tuple[str, Callable[[Patch], Any]]] = {
    "a constant": ("constant", lambda patch: patch.setattr(names, "SCALE", 3.0)),
    "the type of a constant": ("constant", lambda patch: patch.setattr(names, "SCALE", 2)),
    "a function": ("function", lambda patch: patch.setattr(names, "weight", lambda x: x + 9)),
    "a constant of a function": ("function", lambda patch: patch.setattr(names, "SCALE", 5.0)),
    "what a stored method calls that is called": ("nested", lambda patch: patch.setattr(names, "SCALE", 5.0)),
    "a stored method": ("nested", lambda patch: patch.setattr(Model, "function", lambda self: 4.0)),
    "a method": ("through_self", lambda patch: patch.setattr(Model, "helper", lambda self, x: x)),
    "a method of a base": ("through_self", lambda patch: patch.setattr(names.Base, "shape", lambda self, x: x)),
    "a method that takes the place of a base's": (
        "through_self",
        lambda patch: patch.setattr(Model, "shape", lambda self, x: x, raising=False),
    ),
    "a method of super()": ("of_super", lambda patch: patch.setattr(names.Base, "shape", lambda self, x: x + 9)),
    "a method of an object": ("through_self", lambda patch: patch.setattr(MODEL[0], "helper", lambda x: 77.0, False)),
    "a class attribute": ("through_self", lambda patch: patch.setattr(names.Base, "ORDER", 3.0)),
    "a property": ("through_self", lambda patch: patch.setattr(names.Base, "double", property(lambda self: 9.0))),
    "a class method": ("through_self", lambda patch: patch.setattr(Model, "of_class", lambda self: 9.0)),
    "a static method": ("through_self", lambda patch: patch.setattr(Model, "of_nothing", staticmethod(lambda x: x))),
    "an item": ("container", lambda patch: patch.setitem(names.LIMITS, "high", [9.0])),
    "an item inside": ("container", lambda patch: names.LIMITS["high"].__setitem__(0, 9.0)),
    "an item of a list": ("container", lambda patch: names.TABLE.__setitem__(1, 9.0)),
    "a container": ("container", lambda patch: patch.setattr(names, "TABLE", [5.0, 6.0])),
    "a function in a container": ("chosen", lambda patch: patch.setitem(names.CHOICES, "one", names.wrapped)),
    "an attribute of an object": ("instance", lambda patch: patch.setattr(names.SETTING, "number", 4.0)),
    "an object": ("instance", lambda patch: patch.setattr(names, "SETTING", names.Setting(5.0))),
    "a method of the class of an object": (
        "instance",
        lambda patch: patch.setattr(names.Setting, "of", lambda self, x: x),
    ),
    "a constant of another module": ("of_module", lambda patch: patch.setattr(library, "FACTOR", 6.0)),
    "a function of another module": ("of_module", lambda patch: patch.setattr(library, "scaled", lambda k, x: x)),
    "a constant that this one uses": ("of_module", lambda patch: patch.setattr(library, "OFFSET", 8.0)),
    "a module": (
        "of_module",
        lambda patch: patch.setattr(names, "library", types.SimpleNamespace(FACTOR=1.0, scaled=lambda k, x: x)),
    ),
    "a function that was imported": ("imported", lambda patch: patch.setattr(names, "scaled", lambda k, x: x)),
    "what is imported inside": ("inside", lambda patch: patch.setattr(library, "OFFSET", 8.0)),
    "a class": ("of_class_by_name", lambda patch: patch.setattr(names, "Helper", names.Setting)),
    "a method of a class": (
        "of_class_by_name",
        lambda patch: patch.setattr(library.Helper, "value", lambda self: 3.0),
    ),
    "a constant of a class": ("of_class_by_name", lambda patch: patch.setattr(library.Helper, "offset", 3.0)),
    "a constant by its class": ("of_class_by_name", lambda patch: patch.setattr(names.Base, "ORDER", 3.0)),
    "a method of an enumeration": (
        "enumeration",
        lambda patch: patch.setattr(names.Colour, "of", lambda self, x: x + 9),
    ),
    "what a wrapped function uses": ("decorated", lambda patch: patch.setattr(names, "SCALE", 5.0)),
    "a wrapped function": ("decorated", lambda patch: patch.setattr(names, "wrapped", names.twice)),
    "what a partial function uses": ("partial", lambda patch: patch.setattr(library, "OFFSET", 8.0)),
    "a built-in name": ("of_builtin", lambda patch: patch.setattr(names, "abs", names.twice, raising=False)),
    "a built-in name that is an argument": (
        "of_taken",
        lambda patch: patch.setattr(names, "abs", names.twice, raising=False),
    ),
    "a built-in function": ("of_builtin", lambda patch: patch.setattr(builtins, "abs", names.twice)),
    "a method of the class of an argument": (
        "of_argument",
        lambda patch: patch.setattr(names.Point, "norm", lambda self: 5.0),
    ),
    "a function of a library": ("of_library", lambda patch: patch.setattr(np, "hypot", lambda x, y: x)),
}

MODEL: list[Model] = [Model(1.5)]


def plain(owner: Model, method: str, *args: Any) -> Any:
    found = vars(Model)[method]
    return found.__wrapped__(owner, *args)


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
@pytest.mark.parametrize("calls", [0, 1, 3])
@pytest.mark.parametrize("kind", REBOUND)
def test_what_is_rebound_counts_at_the_next_call(kind: str, calls: int, monkeypatch: Patch) -> None:
    """Before the first call, after it, and once calls take shortcuts; undone, the result of before is found again."""
    method, rebind = REBOUND[kind]
    owner = MODEL[0] = Model(1.5)
    args = [names.Point(-2.0)] if method == "of_argument" else []
    before = plain(owner, method, *args)
    for _ in range(calls):
        assert getattr(owner, method)(*args) == before
    contents = copy.deepcopy((names.LIMITS, names.TABLE))
    with monkeypatch.context() as patch:
        rebind(patch)
        now = plain(owner, method, *args)
        assert repr(now) != repr(before)
        for _ in range(3):
            assert repr(getattr(owner, method)(*args)) == repr(now)
            assert repr(getattr(Model(1.5), method)(*args)) == repr(plain(Model(1.5), method, *args))
    names.LIMITS.update(contents[0])
    names.TABLE[:] = contents[1]
    for _ in range(3):
        assert getattr(owner, method)(*args) == before


def test_a_mock_makes_results_private(monkeypatch: Patch) -> None:
    """It has no form: its results are for one object only, which a warning says, and not stored."""
    monkeypatch.setattr(names, "weight", mock.Mock(return_value=12.0))
    owner = Model(2.5)
    with pytest.warns(OwnerWarning, match=r"for one object only.*code of Model.function\(\): weight is a "):
        assert owner.function() == 12.0
    assert owner.function() == 12.0
    assert names.weight.call_count == 1  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert owner.function() == Model(2.5).function() == 5.0


def test_a_mock_of_a_library_makes_results_private(monkeypatch: Patch) -> None:
    """As one of the user's own."""
    monkeypatch.setattr(np, "hypot", mock.Mock(return_value=12.0))
    owner = Model(2.5)
    with pytest.warns(OwnerWarning, match="for one object only"):
        assert owner.of_library() == 12.0
    monkeypatch.undo()
    assert owner.of_library() == np.hypot(2.5, 1.0)


def test_a_module_that_is_loaded_again_counts(tmp_path: Path, monkeypatch: Patch) -> None:
    """By importlib.reload, also for objects that were there before."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "reloaded_by_test.py"
    path.write_text("K = 2\ndef helper(x): return x * K\n")
    module = importlib.import_module(path.stem)

    @keyed_by("p")
    class Own:
        p = 3.0

        @stored
        def method(self) -> float:
            return float(module.helper(self.p))

    owner = Own()
    assert [owner.method(), owner.method()] == [6.0, 6.0]
    path.write_text("K = 5\ndef helper(x): return x * K + 1\n")
    importlib.reload(module)
    assert [owner.method(), owner.method()] == [16.0, 16.0]


def test_a_name_that_is_not_there_yet_counts_once_it_is(monkeypatch: Patch) -> None:
    """And the other way round."""
    module = types.ModuleType("incomplete")
    exec("def helper(x):\n try: return x * LATER\n except NameError: return x", vars(module))

    @keyed_by("p")
    class Own:
        p = 3.0

        @stored(persistent=False)
        def method(self) -> float:
            return float(module.helper(self.p))

    owner = Own()
    assert [owner.method(), owner.method()] == [3.0, 3.0]
    monkeypatch.setattr(module, "LATER", 2.0, raising=False)
    assert [owner.method(), owner.method()] == [6.0, 6.0]
    monkeypatch.undo()
    assert [owner.method(), owner.method()] == [3.0, 3.0]


@pytest.mark.filterwarnings("ignore:a result of .* was not kept:stored.OwnerWarning")
def test_code_that_changes_meanwhile_keeps_no_result(monkeypatch: Patch) -> None:
    """A result that may mix old and new code is its caller's alone."""
    started, go = threading.Event(), threading.Event()
    module = types.ModuleType("changing")
    module.K = 1.0  # type: ignore[attr-defined]

    @keyed_by("p")
    class Own:
        p = 3.0

        @stored(ignore=("started", "go"))
        def method(self) -> float:
            before = float(module.K)
            started.set()
            go.wait(20)
            return before

    owner, found = Own(), list[float]()
    thread = threading.Thread(target=lambda: found.append(owner.method()))
    thread.start()
    assert started.wait(20)
    module.K = 2.0  # type: ignore[attr-defined]
    go.set()
    thread.join(20)
    assert found == [1.0]
    assert owner.method() == 2.0


HISTORY: list[float] = []


def test_a_method_that_changes_what_it_uses_is_told() -> None:
    """Its results are not kept; the warning names what has changed."""

    @keyed_by("p")
    class Own:
        p = 3.0

        @stored
        def method(self) -> int:
            HISTORY.append(self.p)
            return len(HISTORY)

    owner = Own()
    with pytest.warns(OwnerWarning, match=r"method\(\) of .* was not kept: HISTORY, which it uses, has changed while"):
        assert owner.method() == 1
    assert owner.method() == 2


def test_classes_are_freed_with_their_code() -> None:
    """What is known of code keeps no class alive, and no function."""

    def made() -> Any:
        def helper(x: float) -> float:
            return x if x < 1 else helper(x - 1)

        class Part:
            def of(self, x: float) -> Any:
                return Part, helper(x)

        @keyed_by("p")
        class Own:
            p = 3.0

            @stored
            def method(self) -> float:
                return Part().of(self.p)[1]

        return Own, Part, helper

    kinds = made()
    assert kinds[0]().method() == 0.0
    assert kinds[0]().method() == 0.0
    references = [weakref.ref(each) for each in kinds]
    del kinds
    gc.collect()
    assert [each() for each in references] == [None, None, None]
