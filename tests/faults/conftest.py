"""Fixtures of the fault tests, which run with the memory that users have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stored import configure
from tests.faults.memory import forget_memory

DEFAULT = 8


@pytest.fixture(autouse=True)
def memory_sets(cache_dir: object, request: pytest.FixtureRequest) -> Iterator[int]:
    """Objects share what is in memory, as they do by default, and nothing is there of other tests.

    A test that is parametrized with `memory_sets` says itself how many sets of parameters are kept.
    """
    classes = [each for each in vars(request.module).values() if isinstance(each, type)]
    with configure(memory_sets=getattr(request, "param", DEFAULT)) as now:
        forget_memory(*[each for each in classes if each.__module__ == request.module.__name__])
        yield now.memory_sets
