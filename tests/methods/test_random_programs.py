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
        seeds = range(memory_sets, 3 * rounds(20, 1000), 3)
        hits = sum(run_program(seed, history=each) for seed in seeds for each in range(2))
    assert hits > rounds(20, 1000)


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
@pytest.mark.parametrize("decorator", ["@stored", "@stored(depends='auto')"])
def test_what_is_accepted_is_right(decorator: str) -> None:
    """A helper is edited again and again, and results are taken over as long as it does the same."""
    seeds = range(rounds(20, 1000))
    hits = [sum(run_program(seed, decorator, edits=True, accepts=each) for seed in seeds) for each in (False, True)]
    assert hits[1] > hits[0]


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
@pytest.mark.parametrize("memory_sets", [8, 0])
def test_what_a_method_reads_is_all_that_counts(memory_sets: int) -> None:
    """The same with ``depends="auto"``, also where the owner tells a string that never changes."""
    with configure(memory_sets=memory_sets):
        hits = sum(run_program(seed, "@stored(depends='auto')") for seed in range(memory_sets, 4 * rounds(20, 1000), 4))
    assert hits > rounds(20, 1000)
