"""Shortcuts lead to the results of the last few sets of parameters, and to no others."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from stored import PersistenceWarning, StorageUser, configure, keyed_by, stored
from stored._methods import results as results_module
from stored._methods.call import Call
from stored._storage import Slot
from tests.engine.changing import COMPUTED, REFERENCED, held, keyed, set_parameter


@pytest.fixture(autouse=True)
def memory_sets(cache_dir: object) -> Iterator[None]:
    """The default number of sets in memory, and nothing computed so far."""
    COMPUTED.clear()
    with configure(memory_sets=8):
        yield


@pytest.fixture
def full_calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls that no shortcut answered, by their arguments."""
    calls: list[Any] = []

    def call(definition: Any, method: Any, owner: object, space: Any, values: dict[str, Any], code: Any) -> Call:
        calls.append(tuple(values.values()))
        return Call(definition, method, owner, space, values, code)

    monkeypatch.setattr(results_module, "Call", call)
    return calls


def test_full_calls_are_seen(full_calls: list[Any]) -> None:
    """Else the tests that there were none would mean nothing."""
    keyed()(1.0).value(2.0)
    assert full_calls == [(2.0,)]


@pytest.mark.parametrize("make", [each for each in REFERENCED if each.__name__ != "held_and_keyed"])
def test_each_argument_keeps_its_shortcut(make: Any, full_calls: list[Any]) -> None:
    """Calls with several arguments in turns take shortcuts, with all kinds of owners that have a quick check."""
    owner = make()(1.0)
    for _ in range(3):
        for x in (1.0, 2.0, 3.0):
            assert owner.value(x) == x
    full_calls.clear()
    for _ in range(3):
        for x in (1.0, 2.0, 3.0):
            assert owner.value(x) == x
    assert full_calls == []


@pytest.mark.parametrize("make", [each for each in REFERENCED if not each.__name__.startswith("held")])
def test_going_back_takes_the_shortcut(make: Any, full_calls: list[Any]) -> None:
    """To parameters whose results have shortcuts, by other objects of equal value too."""
    owner = make()(1.0)
    for _ in range(3):
        for n in ("1.0", "2.0", "3.0"):
            set_parameter(owner, float(n))
            assert owner.value(2.0) == float(n) * 2
            assert owner.curve(0.0) == 0.0
    full_calls.clear()
    for n in ("1.0", "2.0", "3.0", "2.0", "1.0"):
        for _ in range(2):
            set_parameter(owner, float(n))
            assert owner.value(2.0) == float(n) * 2
            assert owner.curve(0.0) == 0.0
    assert full_calls == []


def test_a_reset_ends_the_shortcuts_of_an_owner_with_a_user(full_calls: list[Any]) -> None:
    """The next call computes, and those after it take shortcuts again."""
    owner = held()(1.0)
    for _ in range(3):
        owner.value()
    owner.su.resetStorage()
    for _ in range(3):
        owner.value()
    assert COMPUTED == [("value", 1.0)] * 2
    full_calls.clear()
    owner.value()
    assert full_calls == []


def test_shortcuts_of_many_sets_are_bounded() -> None:
    """Those of the last few sets of parameters stay, and results that are dropped have none."""
    owner, references = keyed()(0), []
    for n in range(100):
        owner.n = n
        for _ in range(3):
            references.append(weakref.ref(owner.array()))
    assert len({id(each()) for each in references if each() is not None}) <= 9
    for n in (99, 98, 50, 99, 50):
        owner.n = n
        for _ in range(3):
            assert owner.array()[0] == n


def test_settings_end_the_shortcuts_of_all_sets() -> None:
    """A call after `configure(disable=True)` is a plain call, for whichever parameters."""
    owner = keyed()(1.0)
    for n in (1.0, 2.0) * 3:
        owner.n = n
        owner.value()
    with configure(disable=True):
        for n in (1.0, 2.0):
            owner.n = n
            owner.value()
    assert COMPUTED == [("value", 1.0), ("value", 2.0)] * 2


# -- who computes -----------------------------------------------------------------------------------------------------


@keyed_by("n", only=True)
class Waiting:
    """Its method waits for an event."""

    def __init__(self, n: float, begun: threading.Event, may_end: threading.Event) -> None:
        self.n, self.begun, self.may_end = n, begun, may_end
        self.calls = 0

    @stored(persistent=False)
    def slow(self) -> float:
        self.calls += 1
        self.begun.set()
        assert self.may_end.wait(20)
        return self.n

    @stored
    def kept(self) -> float:
        self.calls += 1
        return self.n


def test_a_thread_that_waits_too_long_computes() -> None:
    """Who has waited for another thread to the limit computes too, and is warned."""
    begun, may_end = threading.Event(), threading.Event()
    owner, other = Waiting(1.0, begun, may_end), Waiting(1.0, begun, threading.Event())
    other.may_end.set()
    thread = threading.Thread(target=owner.slow)
    with configure(lock_timeout=0.01):
        thread.start()
        assert begun.wait(20)
        with pytest.warns(PersistenceWarning, match="still being computed by another thread"):
            assert other.slow() == 1.0
        may_end.set()
        thread.join()
    assert (owner.calls, other.calls) == (1, 1)


def test_what_another_process_stored_while_this_one_waited_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found when the turn comes, and not computed."""
    owner, real = Waiting(1.0, threading.Event(), threading.Event()), Slot.wait_for_turn

    def wait_for_turn(self: Slot) -> Any:
        self.save(5.0)  # as another process does before it ends its turn
        return real(self)

    monkeypatch.setattr(Slot, "wait_for_turn", wait_for_turn)
    assert [owner.kept(), owner.kept()] == [5.0, 5.0]
    assert owner.calls == 0
    assert owner.kept.cache_info().persistent_hits == 1


def test_an_owner_keeps_the_set_to_which_a_shortcut_went_back() -> None:
    """Its present results stay in memory, however many other sets objects of the class have meanwhile."""
    kind = keyed()
    owner, other = kind(1.0), kind(3.0)
    for n in (1.0, 2.0, 1.0, 2.0, 1.0):
        set_parameter(owner, n)
        owner.value()
    with configure(memory_sets=2):
        for n in (1.0, 2.0, 1.0, 2.0, 1.0):
            set_parameter(owner, n)
            owner.value()
        for n in (3.0, 4.0, 5.0):
            set_parameter(other, n)
            other.value()
        COMPUTED.clear()
        assert owner.value() == 1.0
        assert COMPUTED == []


def test_an_error_of_the_change_callback_is_seen() -> None:
    """A call after a change that a shortcut might have answered calls the callback once, and raises its error."""
    announced = []

    class Owner:
        n = 1.0

        def __init__(self) -> None:
            self.su = StorageUser("callback", "", lambda: "owner", lambda: f"{self.n}", self.change)

        def change(self) -> None:
            announced.append(self.n)
            if len(announced) == 1:
                raise RuntimeError("not yet")

        @stored
        def value(self) -> float:
            return self.n

    owner = Owner()
    for _ in range(3):
        assert owner.value() == 1.0
    owner.n = 2.0
    with pytest.raises(RuntimeError, match="not yet"):
        owner.value()
    assert announced == [2.0]
    assert owner.value() == 2.0
    assert announced == [2.0, 2.0]
