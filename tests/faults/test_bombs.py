"""No entry, whoever has written it, takes more time and memory than in proportion to its size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stored import EntryWarning, keyed_by, stored
from tests.faults.bombs import BOMBS, outcome
from tests.faults.memory import forget_memory
from tests.faults.processes import in_processes

HARMLESS = {
    "deep values": "int",
    "empty sets": "list",
    "empty arrays": "list",
    "a long integer": "int",
}
"""These give a value."""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_does_no_harm(bomb: str) -> None:
    """It is refused with a short message, or is a value, in seconds and with little memory; the process lives."""
    [found] = in_processes((outcome, bomb))
    if bomb in HARMLESS:
        assert found == HARMLESS[bomb]
    else:
        assert 20 <= len(found) < 500


def test_a_file_with_a_hole_is_not_read(cache_dir: Path) -> None:
    """A small entry in a file of 16 GiB is refused for its size; only the first bytes are read."""
    model = Model()
    assert model.value() == 3.0
    (file,) = cache_dir.rglob("*.stored")
    size = file.stat().st_size
    os.truncate(file, 16 << 30)
    forget_memory(Model)
    before = os.times()
    with pytest.warns(EntryWarning, match=f"says that they are {size}"):
        assert Model().value() == 3.0
    assert os.times().user + os.times().system - before.user - before.system < 10
    assert file.stat().st_size == size


@keyed_by("n")
class Model:
    n = 1.5

    @stored
    def value(self) -> float:
        return 2 * self.n
