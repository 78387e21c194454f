"""Shortcuts for quantities and units change nothing, also when these change in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import configure, keyed_by, stored
from stored._engine import spaces
from stored._methods.counters import CacheInfo
from stored._methods.results import Results
from tests.faults.scale import rounds

u: Any = pytest.importorskip("astropy.units")


def quantities() -> list[Any]:
    """New quantities: of numbers, arrays, views of arrays, and units that are equal, alike, or made anew."""
    shared = np.arange(4.0)
    made = u.def_unit("made", 2.0 * u.m)
    return [
        *[1.0 * u.m, 1.0 * u.km, 1000.0 * u.m, np.float32(1.0) * u.m, 1 * u.m, u.Quantity(1, u.m, dtype=int)],
        *[1.0 * u.Unit("m"), 1.0 * (u.m * u.s / u.s), 1.0 * made, np.nan * u.m, -0.0 * u.m, 1.0 * u.one],
        *[np.arange(2.0) * u.m, np.arange(1000.0) * u.m, shared[:2] << u.m, shared[::2] << u.s, np.arange(2) * u.mag],
        *[u.m, u.km, made, 0.0 * u.deg_C, (1.0 * u.m, 2.0), [1.0 * u.m], {"a": 1.0 * u.m}, shared],
    ]


def describe(value: Any) -> str:
    if isinstance(value, u.Quantity):
        return f"{value.value!r} {value.dtype} {value.unit!r}"
    if isinstance(value, dict):
        return describe([*value.items()])
    return str([*map(describe, value)]) if isinstance(value, list | tuple) else f"{type(value).__name__} {value!r}"


def new_owner() -> Any:
    @keyed_by("a")
    class Owner:
        a: Any = 1.0

        @stored(persistent=False)
        def one(self, x: Any) -> str:
            return f"{describe(self.a)} {describe(x)}"

        @stored(persistent=False)
        def both(self, x: Any, y: Any = 1.0) -> str:
            return f"{describe(self.a)} {describe(x)} {describe(y)}"

    return Owner()


def step(owner: Any, values: list[Any], kind: str, first: int, second: int) -> Any:
    """What a step gives, or raises."""
    value, other = values[first % len(values)], values[second % len(values)]
    try:
        if kind == "call":
            return [owner.one(value) for _ in range(3)]
        if kind == "call both":
            return [owner.both(value, other) for _ in range(3)]
        if kind == "set":
            owner.a = value
        elif kind == "write":
            value[...] = second * getattr(value, "unit", 1.0)
        elif kind == "set unit":
            value._unit = other.unit
        return owner.one.cache_info()._replace(seconds_saved=0.0)
    except Exception as error:
        return type(error), str(error)


def outcomes(steps: list[Any], sets: int, chosen: list[int]) -> list[Any]:
    with configure(memory_sets=sets):
        made = quantities()
        owner, values = new_owner(), [made[number] for number in chosen]
        return [step(owner, values, *each) for each in steps]


def without_counts(found: list[Any]) -> list[Any]:
    return [each for each in found if not isinstance(each, CacheInfo)]


def check_that_shortcuts_change_nothing(*case: Any) -> None:
    short = outcomes(*case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Results, "add_shortcut", lambda *_: None)
        assert short == outcomes(*case)
        patch.setattr(spaces, "comparable", lambda _: None)  # so that full calls make the text of all parameters
        assert without_counts(short) == without_counts(outcomes(*case))


STEPS = ["call"] * 6 + ["call both"] * 2 + ["set"] * 3 + ["write"] * 2 + ["set unit"]

COUNT = len(quantities())


@settings(max_examples=rounds(100, 2_000), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3), st.integers(0, 3)), min_size=10, max_size=40),
    st.sampled_from([0, 3]),
    st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=4),
)
def test_shortcuts_of_quantities_change_nothing(steps: list[Any], sets: int, chosen: list[int]) -> None:
    """Whatever is written to them, or however their units change, calls give the same values, errors and counts."""
    check_that_shortcuts_change_nothing(steps, sets, chosen)


def test_each_quantity_is_answered_as_at_first() -> None:
    """As argument and as parameter, in turn and again."""
    numbers = range(COUNT)
    steps = [("call", n, 0) for _ in range(2) for n in numbers]
    steps += [(kind, n, 0) for _ in range(2) for n in numbers for kind in ("set", "call")]
    for sets in (0, 3):
        check_that_shortcuts_change_nothing(steps, sets, [*numbers])


@pytest.mark.parametrize(
    "make",
    [
        lambda: 1.0 * u.Unit("m / s"),
        lambda: np.arange(3.0) * (u.kpc / u.Gyr),
        lambda: u.Quantity(np.nan, u.m),
        lambda: u.m**2 / u.s,
        lambda: (1.0 * u.m, 2.0),
    ],
)
def test_units_made_anew_do_not_let_tables_grow(make: Any) -> None:
    """Equal quantities have one place in a table."""
    owner = new_owner()
    for _ in range(100):
        owner.one(make())
    assert owner.one.cache_info().misses == 1
    shortcut = type(owner).one._self_definition.call_code._shortcuts.last
    assert len(getattr(shortcut, "hits", ())) <= 1
