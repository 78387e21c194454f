"""A search among increasing values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._tables.buckets import Buckets

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.one_of(finite, st.floats(0.0, 1.0), st.integers(0, 5).map(float)), max_size=60), st.data())
@settings(max_examples=300, deadline=None)
def test_it_counts_as_a_binary_search_does(values: list[float], data: Any) -> None:
    """For any values, repeated ones too, and for numbers at, between, beside and far from them."""
    ordered = np.sort(np.array(values))
    beside = st.tuples(st.sampled_from(values), st.sampled_from([-np.inf, np.inf])) if values else st.nothing()
    near = beside.map(lambda pair: math.nextafter(*pair))
    known = [st.sampled_from(values), near] if values else []
    others = st.one_of(*known, finite, st.floats(0.0, 1.0), st.sampled_from([np.inf, -np.inf]))
    numbers = np.array(data.draw(st.lists(others, max_size=60)), dtype=float)
    found = Buckets(ordered).count_not_above(numbers)
    assert found.tolist() == np.searchsorted(ordered, numbers, side="right").tolist()


@pytest.mark.parametrize("spread", [lambda x: x, lambda x: x**9, np.exp, lambda x: np.round(x, 1)])
def test_even_and_uneven_values_are_searched(spread: Any) -> None:
    """Thousands of values, whatever their distances."""
    random = np.random.default_rng(3)
    values = np.sort(spread(random.uniform(0.0, 9.0, 3000)))
    numbers = spread(random.uniform(-0.1, 9.1, 5000))
    found = Buckets(values).count_not_above(numbers)
    np.testing.assert_array_equal(found, np.searchsorted(values, numbers, side="right"))
