"""Random sequences of changes, calls, clears, resets and limits give what plain methods give."""

from __future__ import annotations

import contextlib
import copy
import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import TableError, configure, storage_user
from stored.stores import MemoryStore
from tests.engine.changing import COMPUTED, KINDS, held_and_keyed, set_parameter

NUMBERS: list[Any] = [0.0, 1.0, 2.0, 3.0, 1, True, -0.0, float("nan"), np.float64(2.0), [1.0], [2.0], (1.0,)]
OBJECTS = st.integers(0, 3)
METHODS = st.sampled_from(["value", "array", "items", "table", "curve", "few", "kept", "number"])
ARGUMENTS = st.sampled_from([1.0, 0.0, 0.5, 1, True])
SET = st.tuples(st.just("set"), OBJECTS, st.sampled_from([0.0, 1.0, 2.0] * 3 + NUMBERS))
CALL = st.tuples(st.just("call"), OBJECTS, METHODS, ARGUMENTS, st.integers(1, 3))
CLEAR = st.tuples(st.just("clear"), OBJECTS, METHODS, st.sampled_from([None, 1.0]))
OTHER = st.one_of(
    st.tuples(st.just("refresh"), OBJECTS, METHODS, ARGUMENTS),
    st.tuples(st.just("clear class"), OBJECTS, METHODS),
    st.tuples(st.just("reset"), OBJECTS),
    st.tuples(st.just("new"), OBJECTS, OBJECTS),
    st.tuples(st.just("copy"), OBJECTS, OBJECTS),
    st.tuples(st.just("collect"), OBJECTS),
    st.tuples(st.just("store"), OBJECTS),
    st.tuples(st.just("read"), OBJECTS),
    st.tuples(st.just("append"), OBJECTS),
    st.tuples(st.just("sets"), st.sampled_from([1, 2, 8])),
    st.tuples(st.just("bytes"), st.sampled_from([None, 0, 1500, 10_000])),
)
STEPS = st.lists(st.one_of(SET, SET, CALL, CALL, CALL, CLEAR, OTHER), min_size=10, max_size=60)

TAKES = {"value": True, "curve": True, "few": True}


class Comparison:
    """Objects of one class, with what their methods must give.

    Parameters
    ----------
    kind : type
        The class.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.owners = [kind(0.0) for _ in range(4)]
        self.least: dict[str, int] = {}  # by parameter: results of `number` from before this are cleared

    def take(self, step: str, *arguments: Any) -> None:
        """Take a step, and compare what it gives."""
        getattr(self, f"_{step.replace(' ', '_')}")(*arguments)

    def _set(self, index: int, n: Any) -> None:
        set_parameter(self.owners[index], copy.copy(n))

    def _append(self, index: int) -> None:
        n = self.owners[index].n
        if isinstance(n, list):
            n.append(3.0) if len(n) < 3 else n.clear()

    def _call(self, index: int, name: str, x: Any, times: int) -> None:
        for _ in range(times):
            self._compare(index, name, x, self._method(index, name))

    def _refresh(self, index: int, name: str, x: Any) -> None:
        self._note_clear(index, name)
        self._compare(index, name, x, self._method(index, name).refresh)

    def _method(self, index: int, name: str) -> Any:
        return getattr(self.owners[index], name)

    def _compare(self, index: int, name: str, x: Any, call: Any) -> None:
        arguments = (x,) if name in TAKES else ()
        owner, error = self.owners[index], None
        plain = None
        before = len(COMPUTED)
        try:
            plain = getattr(owner, name).__wrapped__(*arguments)
        except (TypeError, ValueError) as found:  # a list has no product with a number
            error = found
        del COMPUTED[before:]
        has_no_table = not isinstance(owner.n, float | int) or owner.n != owner.n
        if error is not None or (name in {"table", "curve"} and has_no_table):
            with contextlib.suppress(TypeError, ValueError, TableError):
                call(*arguments)
            return
        found = call(*arguments)
        if name == "number":
            assert self.least.get(self._parameter(index), 0) < found <= len(COMPUTED)
        elif name == "table":
            np.testing.assert_allclose(found(1.0), owner.n, atol=1e-12)
        else:
            np.testing.assert_allclose(found, plain, rtol=1e-12 if name == "curve" else 0, atol=1e-13)

    def _parameter(self, index: int) -> str:
        n = self.owners[index].n
        return f"{type(n)} {n!r}"

    def _note_clear(self, index: int, name: str) -> None:
        if name == "number":
            self.least[self._parameter(index)] = len(COMPUTED)

    def _clear(self, index: int, name: str, x: Any) -> None:
        method = self._method(index, name)
        if x is None or name not in TAKES:
            self._note_clear(index, name)
            method.cache_clear()
        else:
            method.cache_clear(x)
            assert not method.cached(x)

    def _clear_class(self, index: int, name: str) -> None:
        getattr(self.kind, name).cache_clear()
        if name != "kept":  # entries of objects that are gone stay on disk
            assert not self._method(index, name).cached(*([1.0] if name in TAKES else []))
        if name == "number":
            self.least = {self._parameter(each): len(COMPUTED) for each in range(4)}

    def _reset(self, index: int) -> None:
        self._note_clear(index, "number")
        storage_user(self.owners[index]).resetStorage()

    def _new(self, index: int, like: int) -> None:
        self.owners[index] = self.kind(copy.copy(self.owners[like].n))

    def _copy(self, index: int, like: int) -> None:
        self.owners[index] = copy.deepcopy(self.owners[like])

    def _collect(self, index: int) -> None:
        self.owners[index] = self.kind(0.0)
        gc.collect()

    def _store(self, index: int) -> None:
        user = storage_user(self.owners[index])
        user.storeObject("object", self._parameter(index), persistent=bool(index % 2))
        assert user.getStoredObject("object") == self._parameter(index)

    def _read(self, index: int) -> None:
        if self.kind.__name__ != "HeldAndKeyed":  # of which the StorageUser does not know the parameter
            found = storage_user(self.owners[index]).getStoredObject("object")
            assert found is None or eval(found.partition("> ")[2], {"nan": np.nan, "np": np}) == pytest.approx(
                self.owners[index].n, nan_ok=True
            )

    def _sets(self, number: int) -> None:
        configure(memory_sets=number)

    def _bytes(self, number: int | None) -> None:
        configure(max_memory_bytes=number)


@pytest.mark.parametrize("make", KINDS)
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_random_steps_give_what_plain_methods_give(make: Any, steps: list[Any]) -> None:
    """With several objects of a class, equal and not: no step leads to a number of other parameters, or of before."""
    COMPUTED.clear()
    with configure(memory_sets=8, store=MemoryStore(), max_memory_bytes=None):
        comparison = Comparison(make())
        for step in steps:
            comparison.take(*step)


@pytest.mark.parametrize("make", [make for make in KINDS if make is not held_and_keyed])
@settings(max_examples=5, deadline=None)
@given(steps=STEPS, sets=st.lists(st.sampled_from([0, 1, 8]), min_size=1, max_size=4))
def test_random_steps_with_and_without_sharing(make: Any, steps: list[Any], sets: list[int]) -> None:
    """The same while objects share what is in memory at one time, and have results of their own at another."""
    COMPUTED.clear()
    with configure(memory_sets=8, store=MemoryStore(), max_memory_bytes=None):
        comparison = Comparison(make())
        for number, step in enumerate(steps):
            configure(memory_sets=sets[number % len(sets)])
            comparison.take(*step)
            comparison.least.clear()  # without sharing, what one object clears others have
