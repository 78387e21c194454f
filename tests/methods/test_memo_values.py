"""Memos that hold anything: what has no form, no weak references, or is changed in place; and owners that take none."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from stored import OwnerWarning, configure, keyed_by, stored


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Objects share what is in memory."""
    with configure(memory_sets=8):
        yield


def without_weak_references() -> Any:
    """An object of a value that nothing can tell later."""
    return iter([7.0])


def future(value: float) -> Any:
    """An object without a form that takes weak references."""
    made: Future[float] = Future()
    made.set_result(value)
    return made


def read_only(value: float) -> Any:
    """An array that nobody can change."""
    array = np.full(3, value)
    array.flags.writeable = False
    return array


def deep(value: float) -> Any:
    """A list that is too deep for a snapshot of its parts, and ends with an object without a form."""
    made: Any = [future(value)]
    for _ in range(8):
        made = [made]
    return made


def deepest(value: float) -> Any:
    """A list of numbers in more lists than have a form."""
    made: Any = [value]
    for _ in range(800):
        made = [made]
    return made


class Holder:
    """An object of the user's own."""

    def __init__(self, value: float) -> None:
        self.value = value


class Slotted:
    """Has a slot."""

    __slots__ = ("value",)


class Shadowed(Slotted):
    """Has something else in the place of the slot of its own."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: float) -> None:
        Slotted.value.__set__(self, value)  # type: ignore[attr-defined]

    def get(self) -> float:
        """What is in the slot."""
        return float(Slotted.value.__get__(self))  # type: ignore[attr-defined]


Shadowed.value = property(Shadowed.get)  # type: ignore[assignment, method-assign]


def value_in(made: Any) -> float:
    """What these hold."""
    if isinstance(made, Holder):
        return float(made.value(0.0)) if callable(made.value) else made.value
    if isinstance(made, Shadowed):
        return made.get()
    while isinstance(made, list):
        made = made[0]
    if isinstance(made, Future):
        return float(made.result())
    if isinstance(made, np.ndarray):
        return float(made[0])
    return made if isinstance(made, float) else 7.0


MAKERS: dict[str, Callable[[float], Any]] = {
    "no weak references": lambda value: without_weak_references(),
    "future": future,
    "future in a list": lambda value: [future(value), 1.0],
    "future in a deep list": deep,
    "read-only array": read_only,
    "own object": Holder,
    "own object with what has no form": lambda value: Holder(np.poly1d([value])),
    "own object that cannot be read": lambda value: Shadowed(value),
    "deepest list": deepest,
}


@keyed_by("a")
class Lazy:
    """Makes a value when it is needed."""

    computed = 0

    def __init__(self, a: float, kind: str) -> None:
        self.a, self.kind = a, kind
        self._made: Any = None

    def made(self) -> Any:
        """The memo."""
        if self._made is None:
            self._made = MAKERS[self.kind](self.a)
        return self._made

    @stored
    def value(self) -> float:
        """Reads it."""
        return self.a + value_in(self.made())


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
def test_a_memo_that_holds_anything(kind: str) -> None:
    """Calls give what the plain one gives, whatever is in the memo, and whoever has filled it."""
    owner = Lazy(7.0, kind)
    for _ in range(3):
        assert owner.value() == 14.0
    owner._made = MAKERS[kind](8.0)
    for _ in range(3):
        assert owner.value() == owner.value.__wrapped__()
    owner._made = Holder(8.5) if "own" not in kind else read_only(8.5)
    for _ in range(3):
        assert owner.value() == owner.value.__wrapped__()
    owner.a = 9.0
    for _ in range(3):
        assert owner.value() == owner.value.__wrapped__()
    other = Lazy(9.0, kind)
    assert other.value() == other.value.__wrapped__()


class Slots:
    """An owner that takes no weak references, and has nothing but slots."""

    __slots__ = ("_made", "a")

    def __init__(self, a: float) -> None:
        self.a, self._made = a, None


@keyed_by("a")
class LazySlots(Slots):
    """Makes a value when it is needed."""

    __slots__ = ()

    @functools.cached_property
    def table(self) -> float:
        """Cannot be kept."""
        return self.a

    @stored
    def value(self) -> float:
        """Reads a memo, and one that cannot be filled."""
        if self._made is None:
            self._made = future(self.a)
        try:
            return self.table
        except TypeError:
            return value_in(self._made)


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
def test_an_owner_of_slots() -> None:
    """Calls give what the plain one gives."""
    owner = LazySlots(7.0)
    assert [owner.value(), owner.value()] == [7.0, 7.0]
    owner._made = future(8.0)
    assert [owner.value(), owner.value()] == [8.0, 8.0]


@keyed_by("a")
class Odd:
    """Fills memos in odd ways."""

    def __init__(self, a: float) -> None:
        self.a, self.b = a, 1.0
        self.__dict__["odd name"] = None
        self._table: Any = None

    def made(self) -> Any:
        """By a name that is no identifier."""
        if self.__dict__["odd name"] is None:
            self.__dict__["odd name"] = [self.a, self.b]
        return self.__dict__["odd name"]

    @stored
    def named(self) -> float:
        """Reads that with the odd name."""
        return float(sum(self.made()))

    @stored
    def nested(self) -> float:
        """Reads one that a function inside fills."""

        def fill() -> None:
            self._table = [self.a, self.b]

        if self._table is None:
            fill()
        return float(sum(self._table))

    @stored
    def of_its_class(self) -> Any:
        """Looks at its class."""
        return super().__class__.__name__, self.b


@keyed_by("a")
class Early:
    """Has a container that is not always made."""

    def __init__(self, a: float) -> None:
        self.a, self._cache = a, None

    @stored
    def value(self, k: int) -> float:
        """Fills it, but for 0."""
        if k == 0:
            return self.a
        if self._cache is None:
            self._cache = {}
        if k not in self._cache:
            self._cache[k] = self.a * k
        return float(self._cache[k])


def test_a_container_that_is_not_made() -> None:
    """What a call leaves empty is empty."""
    owner = Early(2.0)
    assert [owner.value(0), owner.value(0), owner.value(2), owner.value(0), owner.value(2)] == [2.0, 2.0, 4.0, 2.0, 4.0]
    owner._cache = None
    assert [owner.value(0), owner.value(2), Early(2.0).value(2)] == [2.0, 4.0, 4.0]


@pytest.mark.parametrize("name", ["named", "nested", "of_its_class"])
@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
def test_odd_memos(name: str) -> None:
    """Calls give what the plain one gives, before and after a change."""
    owner = Odd(np.float64(1.0))
    for change in (lambda: None, lambda: setattr(owner, "b", 2.0)):
        change()
        for _ in range(3):
            expected = getattr(owner, name)()
            assert expected == getattr(owner, name).__wrapped__()


@keyed_by("a")
class Remembering:
    """Fills a memo from a method that remembers results itself."""

    def __init__(self, a: float) -> None:
        self.a, self._table = a, None

    @functools.lru_cache(maxsize=8)  # noqa: B019  # as users write it
    def remembered(self) -> float:
        """The parameter when it was first asked for."""
        return self.a

    @stored
    def value(self) -> float:
        """Reads the memo."""
        if self._table is None:
            self._table = self.remembered()
        return self._table


def test_a_memo_of_what_another_cache_remembers() -> None:
    """Calls give what the plain one gives, and results are for one object."""
    owner = Remembering(1.0)
    with pytest.warns(OwnerWarning, match="one object only"):
        assert owner.value() == 1.0
    owner.a, owner._table = 2.0, None
    for _ in range(3):
        assert owner.value() == owner.value.__wrapped__()
    assert Remembering(2.0).value() == 2.0


def closing_over(value: Any) -> Any:
    """An owner of a class whose method closes over a value."""

    @keyed_by("a")
    class Closing:
        def __init__(self, a: float) -> None:
            self.a = a

        @stored
        def value(self) -> float:
            return self.a + value_in(value)

    return Closing(1.0)


def test_a_method_that_closes_over_what_has_no_form() -> None:
    """Its results are for one object, which a warning says once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first, second = closing_over(future(1.0)), closing_over(future(2.0))
        assert [first.value(), first.value(), second.value()] == [2.0, 2.0, 3.0]
    texts = [str(each.message) for each in caught if each.category is OwnerWarning]
    assert any("Future" in each for each in texts)
