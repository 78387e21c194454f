"""Shortcuts for all kinds of values change nothing, also when values, or classes of values, change in place."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import configure, keyed_by, stored
from stored._engine import spaces
from stored._methods.counters import CacheInfo
from stored._methods.results import Results
from stored.stores import MemoryStore
from tests.faults.scale import rounds
from tests.methods.shortcut_values import CHANGES, CHANGES_OF_CLASS, Kinds, describe

OWNERS = ("keyed_by", "frozen", "only")

METHODS = ("one", "both", "keyword", "kept", "joining", "depending", "listed")


def owner_class(kind: str) -> Any:
    """A new class of owners, whose methods tell all that they see of parameters, attributes and arguments."""

    class Owner:
        a: Any = 1.0
        b: Any = 2.0

        def __init__(self) -> None:
            vars(self).update(a=1.0, b=2.0, c=3.0)

        def tell(self, *given: Any) -> str:
            return " ".join(map(describe, (self.a, self.b, *given)))

        @stored(persistent=False)
        def one(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False)
        def both(self, x: Any, y: Any) -> str:
            return self.tell(x, y)

        @stored(persistent=False)
        def keyword(self, *, x: Any = 1.0) -> str:
            return self.tell(x)

        @stored
        def kept(self, x: Any) -> str:
            return self.tell(x)

        @stored(persistent=False)
        def joining(self, x: Any) -> str:
            return self.tell(self.c, x)

        @stored(persistent=False, depends=("a",))
        def depending(self, x: Any) -> str:
            return describe(self.a) + describe(x)

        @stored(persistent=False)
        def listed(self, x: Any) -> list[str]:
            return [self.tell(x)]

    if kind == "only":
        del Owner.joining
        return keyed_by("a", "b", only=True)(Owner)
    return keyed_by("a", "b")(Owner) if kind == "keyed_by" else dataclasses.dataclass(frozen=True)(Owner)


class Step(NamedTuple):
    """Something that happens, by the name of a method of `World`, and numbers of what it happens to."""

    name: str
    owner: int
    method: int
    value: int
    how: int


class World:
    """Owners of one kind, and values that are their parameters and arguments, and change."""

    def __init__(self, kind: str, methods: list[str], chosen: list[tuple[str, int]]) -> None:
        kinds = Kinds()
        found = kinds.values()
        self.values = [found[name][number % len(found[name])] for name, number in chosen]
        self.owners = [owner_class(kind)() for _ in range(2)]
        self.methods = [each for each in methods if hasattr(self.owners[0], each)] or ["one"]

    def take(self, step: Step) -> Any:
        """What a step gives, or raises."""
        try:
            return getattr(self, step.name)(self.owners[step.owner], step)
        except Exception as error:
            return type(error), str(error)

    def value(self, step: Step, more: int = 0) -> Any:
        return self.values[(step.value + more) % len(self.values)]

    def call(self, owner: Any, step: Step) -> Any:
        name = self.methods[step.method % len(self.methods)]
        given = [self.value(step), self.value(step, step.how)][: 2 if name == "both" else 1]
        if name == "keyword":
            return [owner.keyword(x=given[0]) for _ in range(3)]
        return [getattr(owner, name)(*given) for _ in range(3)]

    def call_with_equal(self, owner: Any, step: Step) -> Any:
        """With a new object of the same value, if that can be copied."""
        method = getattr(owner, self.methods[0])
        value = self.value(step)
        given = value.copy() if hasattr(value, "copy") else value
        return [method(x=given) for _ in range(2 if self.methods[0] != "both" else 0)]

    def set(self, owner: Any, step: Step) -> None:
        vars(owner)["abc"[step.how % 3]] = self.value(step)

    def change(self, _: Any, step: Step) -> None:
        CHANGES[step.method % len(CHANGES)](self.value(step), step.how)

    def change_class(self, _: Any, step: Step) -> None:
        kind = type(self.value(step))
        if hasattr(kind, "tell"):
            CHANGES_OF_CLASS[step.method % len(CHANGES_OF_CLASS)](kind, step.how)

    def clear(self, owner: Any, step: Step) -> None:
        getattr(owner, self.methods[step.method % len(self.methods)]).cache_clear()

    def info(self, owner: Any, step: Step) -> Any:
        return getattr(owner, self.methods[step.method % len(self.methods)]).cache_info()._replace(seconds_saved=0.0)


STEPS = ["call"] * 12 + ["set"] * 4 + ["change"] * 3 + ["change_class"] * 3 + ["call_with_equal", "clear", "info"]

SMALL = st.integers(0, 3)

ANY_STEP = st.builds(Step, st.sampled_from(STEPS), st.integers(0, 1), SMALL, SMALL, SMALL)

KINDS = sorted(Kinds().values())


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def outcomes(steps: list[Step], sets: int, *world: Any) -> list[Any]:
    """What each of a series of steps gives in a new world, and the counts at its end."""
    with configure(store=MemoryStore(), memory_sets=sets), without_garbage_collection():
        new = World(*world)
        ends = [Step("info", owner, method, 0, 0) for owner in range(2) for method in range(len(new.methods))]
        return [new.take(each) for each in (*steps, *ends)]


def without_counts(found: list[Any]) -> list[Any]:
    return [each for each in found if not isinstance(each, CacheInfo)]


def check_that_shortcuts_change_nothing(steps: list[Step], sets: int, *world: Any) -> None:
    """Compare with full calls alone, and with those that make the text of all parameters each time.

    Of the last the counts are others: they keep one set of parameters less in memory.
    """
    short = outcomes(steps, sets, *world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Results, "add_shortcut", lambda *_: None)
        assert short == outcomes(steps, sets, *world)
        patch.setattr(spaces, "comparable", lambda _: None)
        assert without_counts(short) == without_counts(outcomes(steps, sets, *world))


@pytest.mark.filterwarnings("ignore::stored.errors.OwnerWarning")
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=rounds(40, 600), deadline=None)
@given(
    st.sampled_from(OWNERS),
    st.lists(st.sampled_from(METHODS), min_size=1, max_size=2),
    st.data(),
    st.sampled_from([0, 3]),
    st.lists(ANY_STEP, min_size=15, max_size=50),
)
def test_shortcuts_of_all_kinds_change_nothing(
    kind: str, owner: str, methods: list[str], data: Any, sets: int, steps: list[Step]
) -> None:
    """Whatever happens to values and their classes between calls, they give the same values, errors and counts."""
    numbers = st.tuples(st.sampled_from([kind] * 3 + KINDS), st.integers(0, 150))
    chosen = data.draw(st.lists(numbers, min_size=1, max_size=4))
    check_that_shortcuts_change_nothing(steps, sets, owner, methods, chosen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["one", "both", "joining"])
def test_repeated_calls_with_all_kinds_are_answered_as_at_first(kind: str, method: str) -> None:
    """By each value, as argument and as parameter, the same is found again, and what is new is computed."""
    count = len(Kinds().values()[kind])
    steps = [Step("call", 0, 0, number, 1) for number in range(2 * count)]
    steps += [Step("set", 0, 0, 0, 0), *[Step(name, 0, 0, n, 0) for n in range(count) for name in ("set", "call")]]
    chosen = [(kind, number) for number in range(count)]
    for sets in (0, 3):
        check_that_shortcuts_change_nothing(steps, sets, "keyed_by", [method], chosen)
