"""The parameters behind a StorageUser at one moment."""

from __future__ import annotations

from stored._engine import UserSnapshot
from stored._keys import Space
from tests.engine.models import Model


def test_a_snapshot_holds_until_a_change_or_a_reset() -> None:
    """The snapshot of a user tells its space, and ends with it."""
    model = Model()
    snapshot = UserSnapshot(model.su, Model, "su")
    assert snapshot.space == Space("engine", "m", "model 1.0")
    assert snapshot.holds(model)
    model.n = 2.0
    assert not snapshot.holds(model)
    again = UserSnapshot(model.su, Model, "su")
    model.su.resetStorage()
    assert not again.holds(model)
