"""Parameters that cannot change, of all types: a stored call gives what the plain call gives, whatever came before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import keyed_by, stored
from stored._keys import immutable_key


@keyed_by("a", "b")
class Model:
    def __init__(self) -> None:
        self.a: Any = 0
        self.b: Any = 0.5

    @stored(persistent=False)
    def told(self, x: Any = 1) -> str:
        return f"{self.a!r} of {type(self.a)}, {self.b!r}, {x!r} of {type(x)}"


VALUES: list[Any] = [0, 1, 1.0, True, None, "", "a", b"a", 1j, 2**70]
VALUES += [(), (1,), (1.0,), (1, 2), (0.0, 1.0, 2.0), ((1,), 2)]
VALUES += [(np.int32(1),), (np.float64(1.0), 2), (1.0, float), float, np.array([1, 2]), np.array(1), [1, 2], {"a": 1}]
VALUES += [kind(1) for kind in (np.int8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.longdouble)]
VALUES += [np.float64(2.5), np.complex64(1), np.bool(True)]
PLAIN = [each for each in VALUES if type(each) is not type]


def of_python(told: str) -> str:
    """What is told, with numpy's doubles as Python's: in keys, they are one."""
    return told.replace("np.float64(2.5)", "2.5").replace("numpy.float64", "float")


@pytest.mark.parametrize("first", PLAIN, ids=repr)
def test_a_parameter_changes_its_type(first: Any) -> None:
    """To any other value and back, again and again."""
    for second in PLAIN:
        model = Model()
        for value in (first, second, first, second):
            model.a = value
            for _ in range(3):
                assert model.told() == Model.told.__wrapped__(model)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(PLAIN), st.sampled_from(PLAIN)), max_size=40))
def test_any_series_of_changes(steps: list[tuple[str, Any, Any]]) -> None:
    """Each call gives what the plain one gives, by values and types."""
    model = Model()
    for name, value, x in steps:
        setattr(model, name, value)
        for _ in range(3):
            assert of_python(model.told(x)) == of_python(Model.told.__wrapped__(model, x))


@given(st.lists(st.sampled_from(VALUES), max_size=3), st.lists(st.sampled_from(VALUES), max_size=3))
def test_keys_compare(one: list[Any], other: list[Any]) -> None:
    """Keys can be compared whatever they stand for, and are equal for equal values of equal types alone."""
    keys = immutable_key(tuple(one)), immutable_key(tuple(other))
    if None not in keys:
        assert (keys[0] == keys[1]) is (repr(one) == repr(other))
