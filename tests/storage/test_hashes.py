"""Sets and dicts are not made of elements that were chosen to share a hash."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from stored._storage.hashes import MAX_CHOSEN, MAX_SAME_HASH, takes_long

PERIOD = 2**61 - 1

CHOSEN: dict[str, Any] = {
    "integers": lambda n: n * PERIOD,
    "negative integers": lambda n: -n * PERIOD,
    "complex numbers": lambda n: complex(1000003 * n, -n),
    "tuples": lambda n: ("a", (n * PERIOD, 1.5)),
}


@pytest.mark.parametrize("chosen", CHOSEN)
def test_chosen_numbers_share_a_hash(chosen: str) -> None:
    """More than the limit are found among others, and as many as the limit are allowed."""
    others: list[object] = [*range(1, 1000), *map(str, range(1000)), None, 1.5]
    some = [CHOSEN[chosen](n) for n in range(2, MAX_SAME_HASH + 3)]
    assert len(set(map(hash, some))) == 1
    assert takes_long(some)
    assert takes_long(others[:500] + some + others[500:])
    assert not takes_long(some[:-1])
    assert not takes_long(others[:500] + some[2:] + others[500:])


def test_numbers_beyond_a_limit_are_too_many() -> None:
    """Numbers may be chosen for the places that they take in a table, which their hashes do not show; texts may not."""
    texts = list(map(str, range(2 * MAX_CHOSEN)))
    some: list[object] = list(range(MAX_CHOSEN))
    assert not takes_long(texts)
    assert not takes_long(texts + some)
    assert takes_long([*texts, *some, -5])


def test_sets_in_sets_are_few() -> None:
    """What comparing them costs is multiplied at each level."""
    same = [frozenset([n * PERIOD]) for n in range(1, 6)]
    assert not takes_long(same[:4])
    assert takes_long(same)
    assert not takes_long([("a", each) for each in same[:4]])
    assert takes_long([("a", each) for each in same])
    nested: object = 1
    for depth in range(1, 6):
        nested = (frozenset([nested]),)
        assert takes_long([nested]) == takes_long(["a", nested]) == (depth > 3)


HONEST: dict[str, Iterable[Any]] = {
    "integers": range(-8_000, 8_000),
    "floats": np.linspace(-1, 1, 10_001).tolist(),
    "powers of two": [math.ldexp(1.0, n) for n in range(-1074, 1024)],
    "large powers of two": [2**n for n in range(3000)],
    "numbers of numpy": list(np.arange(1000.0)),
    "NaN": [float("nan") for _ in range(1000)],
    "complex numbers": [complex(re, im) for re in range(-50, 50) for im in range(-50, 50)],
    "sets": [frozenset([x, y]) for x in range(100) for y in range(x)],
    "sets of signs": [frozenset([x, y]) for x in (-1, 0, 1) for y in (-1, 0, 1)],
    "simplices": [frozenset(frozenset([x, y]) for x in range(n) for y in range(x)) for n in range(10)],
    "pairs": [(x, y / 10) for x in range(100) for y in range(100)],
    "dates": list(np.arange("1980-01-01", "2020-01-01", dtype="M8[D]")),
    "one text many times": ["text"] * 1000,
    "bytes": [b"text"] * 1000,
}


@pytest.mark.parametrize("honest", HONEST)
def test_what_programs_use_is_allowed(honest: str) -> None:
    """Ranges, grids and powers do not share a hash, and texts need not be looked at."""
    assert not takes_long(list(HONEST[honest]))
