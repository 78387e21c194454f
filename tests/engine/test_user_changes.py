"""Changes of an owner's parameters, and the callback that announces them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stored import StorageUser
from tests.engine.models import Model


def test_the_example_of_the_original(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of the original's documentation: stored, read back, and gone after a change, which is announced."""

    class DemoClass:
        def __init__(self, some_parameter: float = 1.5) -> None:
            self.some_parameter = some_parameter
            self.su = StorageUser("myModule", "rw", self.getName, self.getHashableString, self.reportChanges)
            self.some_data = [2.6, 9.5]
            self.su.storeObject("test_data", self.some_data, persistent=False)

        def getName(self) -> str:
            return "MyModule"

        def getHashableString(self) -> str:
            param_string = "MyModule_%.4f" % (self.some_parameter)  # noqa: UP031  (the example, as it stands)
            return param_string

        def reportChanges(self) -> None:
            print("Changes in this module detected, storage has been reset.")

        def loadData(self) -> Any:
            data = self.su.getStoredObject("test_data")
            return data

    dc = DemoClass()
    assert dc.loadData() == [2.6, 9.5]
    assert capsys.readouterr().out == ""
    dc.some_parameter = 1.2
    assert dc.loadData() is None
    assert capsys.readouterr().out == "Changes in this module detected, storage has been reset.\n"


ACCESSES: dict[str, Callable[[StorageUser], object]] = {
    "get": lambda user: user.getStoredObject("a"),
    "store": lambda user: user.storeObject("b", 1),
    "remove": lambda user: user.removeObject("b"),
    "list": lambda user: user.listObjects(),
    "interpolator": lambda user: user.getStoredObject("xy", interpolator=True),
}


@pytest.mark.parametrize("access", ACCESSES)
def test_every_access_notices_a_change_once(access: str) -> None:
    """The callback runs once for each change, at the first access of any kind, and never without a change."""
    model = Model()
    ACCESSES[access](model.su)
    assert model.announced == []
    for n in (2.0, 1.0):
        model.n = n
        ACCESSES[access](model.su)
        ACCESSES[access](model.su)
        assert model.announced.pop() == n
        assert model.announced == []
    model.n = 5.0
    model.n = 1.0
    ACCESSES[access](model.su)
    assert model.announced == []


def test_the_callback_may_be_none() -> None:
    """Without a callback a change resets all the same."""
    string = "one"
    user = StorageUser("engine", "rw", lambda: "n", lambda: string, None)
    user.storeObject("a", 1)
    string = "two"
    assert user.getStoredObject("a") is None


def test_checking_for_a_change_changes_nothing() -> None:
    """A check tells of a change until an access or a reset, and does not announce it."""
    model = Model()
    assert model.su.checkForChangedHash() is False
    model.n = 2.0
    assert model.su.checkForChangedHash() is True
    assert model.su.checkForChangedHash() is True
    assert model.announced == []
    model.su.getStoredObject("a")
    assert model.su.checkForChangedHash() is False
    model.n = 3.0
    model.su.resetStorage()
    assert model.su.checkForChangedHash() is False
    assert model.announced == [2.0]


def test_a_change_back_finds_what_was_persistent() -> None:
    """Memory ends with a change; the disk keeps the results of every parameter set apart."""
    model = Model()
    model.su.storeObject("a", "one")
    model.su.storeObject("temporary", 1, persistent=False)
    model.n = 2.0
    assert model.su.getStoredObject("a") is None
    model.su.storeObject("a", "two")
    model.n = 1.0
    assert model.su.getStoredObject("a") == "one"
    assert model.su.getStoredObject("temporary") is None
    model.n = 2.0
    assert model.su.getStoredObject("a") == "two"


def test_the_callback_runs_before_the_reset() -> None:
    """During the callback the user still tells of the change."""
    model = Model()
    changed = []
    model.on_change = lambda: changed.append(model.su.checkForChangedHash())
    model.n = 2.0
    model.su.getStoredObject("a")
    assert changed == [True]


def test_a_callback_may_store_and_read() -> None:
    """In the callback the new parameters hold; what it stores is kept, and it is not called again."""
    model = Model()
    model.su.storeObject("a", "old")
    seen = []

    def on_change() -> None:
        seen.append(model.su.getStoredObject("a"))
        model.su.storeObject("derived", model.n * 2, persistent=False)
        seen.append(model.su.getStoredObject("derived"))

    model.on_change = on_change
    model.n = 2.0
    assert model.su.getStoredObject("a") is None
    assert model.su.getStoredObject("derived") == 4.0
    assert seen == [None, 4.0]
    assert model.announced == [2.0]


def test_a_callback_may_change_the_string_further() -> None:
    """Parameters derived in the callback are part of the same change: the string at its end counts."""

    class Derived(Model):
        twice = 2.0

        def getHashableString(self) -> str:
            return f"{self.n} {self.twice}"

        def reportChanges(self) -> None:
            super().reportChanges()
            self.su.storeObject("midway", 1, persistent=False)
            self.twice = self.n * 2

    model = Derived()
    model.su.storeObject("a", "old")
    model.n = 5.0
    model.su.storeObject("b", "new")
    assert model.announced == [5.0]
    assert model.su.listObjects() == ["b"]
    fresh = Derived(5.0)
    fresh.twice = 10.0
    fresh.su.resetStorage()
    assert fresh.su.getStoredObject("b") == "new"
    assert fresh.su.getStoredObject("a") is None


def test_a_callback_may_undo_the_change() -> None:
    """If the callback puts the old parameters back, what is stored for them is still there."""
    model = Model()
    model.su.storeObject("a", 1, persistent=False)

    def undo() -> None:
        model.n = 1.0

    model.on_change = undo
    model.n = 2.0
    assert model.su.getStoredObject("a") == 1


def test_a_callback_may_reset_the_storage() -> None:
    """An explicit reset within the callback is harmless."""
    model = Model()
    model.su.storeObject("a", 1)
    model.on_change = model.su.resetStorage
    model.n = 2.0
    assert model.su.getStoredObject("a") is None
    assert model.announced == [2.0]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_callback_that_raises_is_called_again(error: type[BaseException]) -> None:
    """Its exception reaches the caller, nothing is stored or found, and the next access announces the change anew."""
    model = Model()
    model.su.storeObject("a", "old")

    def fail() -> None:
        model.su.storeObject("midway", 1, persistent=False)
        raise error("not now")

    model.on_change = fail
    model.n = 2.0
    for access in ACCESSES.values():
        with pytest.raises(error, match="not now"):
            access(model.su)
    assert len(model.announced) == len(ACCESSES)
    model.on_change = lambda: None
    assert model.su.getStoredObject("a") is None
    assert model.su.listObjects() == []
    assert len(model.announced) == len(ACCESSES) + 1
    model.n = 1.0
    assert model.su.getStoredObject("a") == "old"
