"""Each call of a stored method gives what the plain method gives for the object as it is: programs at random."""

from __future__ import annotations

import pytest

from stored import configure
from tests.faults.scale import rounds
from tests.methods.random_programs import run_program


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
@pytest.mark.parametrize("memory_sets", [8, 2, 0])
def test_each_call_gives_what_the_plain_one_gives(memory_sets: int) -> None:
    """With setters, memos, lazy attributes, nested objects, copies and changes between calls."""
    with configure(memory_sets=memory_sets):
        hits = sum(run_program(seed) for seed in range(memory_sets, 3 * rounds(20, 1000), 3))
    assert hits > rounds(20, 1000)


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
@pytest.mark.parametrize("memory_sets", [8, 0])
def test_what_a_method_reads_is_all_that_counts(memory_sets: int) -> None:
    """The same with ``depends="auto"``, also where the owner tells a string that never changes."""
    with configure(memory_sets=memory_sets):
        hits = sum(run_program(seed, "@stored(depends='auto')") for seed in range(memory_sets, 4 * rounds(20, 1000), 4))
    assert hits > rounds(20, 1000)
