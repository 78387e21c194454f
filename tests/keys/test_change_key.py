"""`change_key` differs whenever a value has changed, and is None where only the text of the value can tell."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import UnstableKeyError
from stored._adapters.registry import Adapter, NoFormError, add
from stored._keys import canonical, change_key
from stored.typing import ABSENT
from tests.keys.values import Gaussian

plain = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 2.0]), st.text("ab", max_size=2)
    ),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3),
        st.lists(parts, max_size=3).map(tuple),
        st.dictionaries(st.integers(0, 2), parts, max_size=2),
        st.lists(st.integers(0, 2), max_size=3).map(np.array),
    ),
    max_leaves=6,
)


@given(plain, plain)
def test_equal_keys_mean_equal_texts(first: Any, second: Any) -> None:
    """Whatever can be told by a text is told by the key, and nothing else."""
    assert (change_key((first,)) == change_key((second,))) == (canonical(first) == canonical(second))


@given(plain)
def test_copies_have_the_key_of_the_original(value: Any) -> None:
    """Content counts, not the object."""
    assert change_key((value,)) == change_key((copy.deepcopy(value),)) is not None


def test_arrays_count_with_content_shape_and_type() -> None:
    """In place too, and read in the order in which they lie in memory."""
    array = np.arange(6.0)
    before = change_key((array,))
    array[3] = 7.0
    assert change_key((array,)) != before
    assert change_key((array.reshape(2, 3),)) != change_key((array,))
    assert change_key((array.astype("f4"),)) != change_key((array,))
    square = np.asfortranarray(array.reshape(2, 3))
    fortran = change_key((square,))
    square[1, 2] = 8.0
    assert change_key((square,)) != fortran
    assert change_key((square,)) == change_key((square.copy(order="F"),)) != change_key((square.T,))
    assert change_key((np.arange(12.0)[::2],)) == change_key((np.arange(12.0)[::2].copy(),))


def test_what_is_absent_is_a_value() -> None:
    """An attribute that is not there differs from one that is None."""
    assert change_key((ABSENT,)) not in {None, change_key((None,))}


deep: list[Any] = []
for _ in range(20):
    deep = [deep]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        object(),
        Gaussian(1.0),
        np.array([None]),
        np.array(["a"]),
        np.zeros(2, ">f8"),
        {1, 2},
        deep,
        np.datetime64(1, "s"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_have_none(value: Any) -> None:
    """Their text must be made."""
    assert change_key((value,)) is None
    assert change_key(([1, value],)) is None


def test_scalars_of_numpy_are_told_by_dtype_and_bytes() -> None:
    """As they stand in the attributes of arrays; NaN too."""
    values = np.float32(1), np.float64(1), np.float32(2), np.float32("nan"), np.int64(1), np.bool_(True)
    assert len({change_key((each,)) for each in values}) == len(values)
    assert all(change_key((each,)) == change_key((type(each)(each),)) for each in values)


def test_what_can_be_in_no_key_has_none() -> None:
    """Its text says why."""

    class Lazy:
        pass

    def refuse(value: Lazy) -> None:
        raise NoFormError("which is not loaded; load it")

    add(Adapter(Lazy, "tests.Lazy", key=refuse))
    assert change_key((Lazy(),)) is None
    with pytest.raises(UnstableKeyError, match=r"it\[0\] is a value of type .*Lazy, which is not loaded; load it"):
        canonical([Lazy()])
