"""Attributes that are not declared, where it is hard to see that they are read or that they changed."""

from __future__ import annotations

import copy
import functools
import itertools
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored
from tests.faults.memory import forget_memory
from tests.faults.processes import in_threads


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Objects share what is in memory."""
    with configure(memory_sets=8):
        yield


def _copied(owner: Any) -> Any:
    try:
        return copy.deepcopy(owner)
    except TypeError:  # a lock has no copy
        return owner


def check(owner: Any, *changes: Callable[[Any], object], name: str = "value") -> None:
    """Each call gives what the plain method gives for a copy: before and after changes, by shortcuts or not."""
    for change in (lambda owner: None, *changes):
        change(owner)
        for _ in range(3):
            expected = getattr(_copied(owner), name).__wrapped__()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert getattr(owner, name)() == expected


@keyed_by("a")
class Flat:
    """Attributes that are functions which read the object."""

    def __init__(self, a: float, kind: str) -> None:
        self.a, self.w = a, -1.0
        self.profile: Any = {
            "method": self._profile,
            "lambda": lambda: self.w,
            "partial": functools.partial(self._scaled, 2.0),
        }[kind]
        self.table = {"x": self.profile}

    def _profile(self) -> float:
        return self.w

    def _scaled(self, factor: float) -> float:
        return self.w * factor

    @stored
    def value(self) -> Any:
        """Calls one."""
        return self.profile() + self.table["x"]()


@pytest.mark.parametrize("kind", ["method", "lambda", "partial"])
def test_functions_that_read_the_object(kind: str) -> None:
    """They count by all that the object has."""
    owner = Flat(1.0, kind)
    check(owner, lambda owner: setattr(owner, "w", -0.5))


class Solver:
    """Refers back to its model."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def solve(self) -> float:
        """Reads it."""
        return 10 * float(self.model.w)


@keyed_by("a")
class Solved:
    """Hands itself to another object."""

    def __init__(self, a: float) -> None:
        self.a, self.w = a, 1.0
        self.solver = Solver(self)

    @stored
    def value(self) -> float:
        """Asks that."""
        return self.solver.solve()


def test_an_object_that_refers_back() -> None:
    """What it reads of the owner counts."""
    check(Solved(1.0), lambda owner: setattr(owner, "w", 2.0))


@keyed_by("h")
class Cosmology:
    """An owner inside others, with an attribute that it does not declare, and a memo."""

    def __init__(self, h: float) -> None:
        self.h, self.w = h, -1.0
        self._table: Any = None

    def age(self) -> float:
        """Fills the memo."""
        if self._table is None:
            self._table = [self.h, self.w]
        return float(sum(self._table))


@keyed_by("cosmo")
class Halo:
    """Holds it."""

    def __init__(self, cosmo: Cosmology) -> None:
        self.cosmo = cosmo

    @stored
    def value(self) -> float:
        """Reads both."""
        return self.cosmo.w + self.cosmo.h

    @stored
    def age(self) -> float:
        """Fills the memo."""
        return self.cosmo.age()


def test_an_owner_in_another_counts_with_what_it_does_not_tell() -> None:
    """Its methods may read it."""
    halo = Halo(Cosmology(70.0))
    check(halo, lambda halo: setattr(halo.cosmo, "w", 2.0))


def test_a_memo_of_an_owner_in_another_does_not_count() -> None:
    """It is filled while the other computes, which is once."""
    halo = Halo(Cosmology(70.0))
    halo.age()
    assert halo.age() == Halo(Cosmology(70.0)).age() == 69.0
    assert (halo.age.cache_info().misses, halo.age.cache_info().stores) == (1, 1)


@keyed_by("a")
class Passing:
    """Hands itself to functions of classes."""

    def __init__(self, a: float) -> None:
        self.a, self.u = a, 1.0

    @staticmethod
    def static(model: Any) -> float:
        """Reads it."""
        return float(model.u)

    @classmethod
    def of_class(cls, model: Any) -> float:
        """Reads it."""
        return float(model.u)

    @stored
    def value(self) -> float:
        """Does."""
        return Passing.static(self) + Passing.of_class(self)


def test_functions_of_classes_that_get_the_object() -> None:
    """What they read counts."""
    check(Passing(1.0), lambda owner: setattr(owner, "u", 2.0))


class Raising:
    """A descriptor whose value is there only later."""

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if "fitted" not in vars(owner):
            raise RuntimeError("not fitted")
        return owner.fitted

    def __set__(self, owner: Any, value: Any) -> None:
        vars(owner)["fitted"] = value


@keyed_by("a")
class Fitted:
    """Reads it in one branch."""

    result = Raising()

    def __init__(self, a: float) -> None:
        self.a, self.is_fitted = a, False

    @stored
    def value(self) -> float:
        """Reads."""
        return self.result if self.is_fitted else self.a

    def fit(self) -> None:
        """Let there be a value."""
        self.result, self.is_fitted = 7.0, True


def test_errors_of_attributes_that_are_not_reached() -> None:
    """They are no errors of the call."""
    check(Fitted(1.0), Fitted.fit, lambda owner: setattr(owner, "result", 8.0))


@keyed_by("a")
class Odd:
    """Attributes with names that are no identifiers."""

    def __init__(self, a: float) -> None:
        self.a = a
        vars(self)["Omega m"] = 0.3
        setattr(self, "class", 3.0)
        setattr(self, "", 1.0)

    @stored
    def value(self) -> Any:
        """Reads them."""
        return self.__dict__["Omega m"] + getattr(self, "class")

    @stored
    def nameless(self) -> Any:
        """Reads one."""
        return getattr(self, "")


def test_odd_names() -> None:
    """They join like others."""
    check(Odd(1.0), lambda owner: vars(owner).update({"Omega m": 0.5}), lambda owner: setattr(owner, "class", 5.0))
    check(Odd(1.0), lambda owner: setattr(owner, "", 2.0), name="nameless")


class Noted:
    """An object of the user's with a logger and a lock inside."""

    def __init__(self, x: float) -> None:
        self.x, self.log, self.lock = x, logging.getLogger("tests"), threading.Lock()


@keyed_by("a")
class WithNoted:
    """Holds one."""

    def __init__(self, a: float) -> None:
        self.a, self.part = a, Noted(1.0)

    @stored
    def value(self) -> float:
        """Reads it."""
        return self.part.x


def test_loggers_and_locks_inside_do_not_count() -> None:
    """The rest does."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert WithNoted(1.0).value() == 1.0
    check(WithNoted(1.0), lambda owner: setattr(owner.part, "x", 7.0))


@keyed_by("x")
class Existing:
    """Memos that are asked for by whether they are there."""

    def __init__(self, x: float) -> None:
        self.x = x

    @functools.cached_property
    def found(self) -> Any:
        """None for a negative number."""
        return None if self.x < 0 else self.x

    @stored
    def value(self) -> Any:
        """Uses one."""
        return 0 if self.found is None else self.found

    @stored
    def by_hasattr(self) -> Any:
        """Uses another."""
        if not hasattr(self, "_kept"):
            self._kept = [] if self.x < 0 else [self.x]
        return len(self._kept)


@pytest.mark.parametrize("name", ["value", "by_hasattr"])
def test_memos_that_hold_nothing(name: str) -> None:
    """None and an empty list are values, if that is what was computed."""
    check(Existing(-1.0), lambda owner: setattr(owner, "x", 5.0), name=name)


@keyed_by("x")
class TakingAll:
    """Reads by a name that is computed."""

    def __init__(self, x: float) -> None:
        self.x, self.name = x, "double"

    @functools.cached_property
    def double(self) -> float:
        """Kept."""
        return 2 * self.x

    @stored
    def value(self) -> Any:
        """Reads it."""
        return getattr(self, self.name)


def test_kept_values_count_where_all_attributes_do() -> None:
    """Also one that was assigned, or that is left of before."""
    check(TakingAll(1.0), lambda owner: setattr(owner, "x", 3.0), lambda owner: setattr(owner, "double", 77.0))


@keyed_by("a")
class Counting:
    """Counts its calls beside a memo."""

    def __init__(self, a: float) -> None:
        self.a, self.calls = a, 0
        self._grid: Any = None

    @stored
    def value(self) -> float:
        """Fills the memo."""
        self.calls += 1
        if self._grid is None:
            self._grid = np.arange(3.0) * self.a
        return float(self._grid.sum())


def test_a_counter_that_nobody_reads_does_no_harm() -> None:
    """The memo is one all the same: no warning, and one computation."""
    owner = Counting(2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [owner.value(), owner.value(), Counting(2.0).value()] == [6.0, 6.0, 6.0]
    assert owner.calls == 1


class Grid:
    """Can be changed in place."""

    def __init__(self, n: int) -> None:
        self.n = n

    def refine(self) -> None:
        """Change it."""
        self.n *= 2


@keyed_by("a")
class Refined:
    """Memos that are changed in place."""

    def __init__(self, a: int) -> None:
        self.a = a
        self._grid: Any = None
        self._table: Any = None

    @property
    def grid(self) -> Grid:
        """One."""
        if self._grid is None:
            self._grid = Grid(self.a)
        return self._grid  # type: ignore[no-any-return]

    @property
    def table(self) -> Any:
        """Another."""
        if self._table is None:
            self._table = np.full(4, float(self.a))
        return self._table

    @stored
    def value(self) -> float:
        """Reads both."""
        return self.grid.n + float(self.table.sum())


@pytest.mark.parametrize(
    "change",
    [
        lambda owner: owner.grid.refine(),
        lambda owner: setattr(owner.grid, "n", 5),
        lambda owner: np.multiply(owner.table, 2.0, owner.table),
        lambda owner: owner.table.reshape(2, 2).__setitem__(0, 9.0),
    ],
)
def test_memos_that_are_changed_in_place(change: Callable[[Any], object]) -> None:
    """Their content counts."""
    check(Refined(3), change, lambda owner: setattr(owner, "_grid", None), change)


def test_first_calls_of_threads() -> None:
    """The class is looked at while others note what they have found there."""
    for _ in range(10):

        @keyed_by("a")
        class Shared:
            def __init__(self, a: float) -> None:
                self.a, self.u = a, 1.0

            @stored
            def value(self) -> float:
                return self.a + self.u

            @stored
            def other(self) -> float:
                return self.value() * self.u

        def work(kind: Any, number: int) -> Any:
            return kind(float(number)).other(), kind(1.0).value()

        assert in_threads(*[(work, Shared, number) for number in range(4)]) == [(n + 1.0, 2.0) for n in range(4)]


def test_copies_of_owners_count_by_themselves() -> None:
    """A memo that a copy has taken over is one that somebody else has filled."""
    owner = Refined(3)
    owner.value()
    other = copy.deepcopy(owner)
    other.grid.refine()
    check(other)
    check(owner)


@keyed_by("a")
class Asking:
    """Can tell whether its memo is filled, and depends on what no key has."""

    factor = 1.0

    def __init__(self, a: float) -> None:
        self.a = a
        self._t: Any = None

    @stored(ignore=("FACTOR",))
    def value(self, k: int) -> float:
        """Tells."""
        x = 0.0 if self._t is None else 0.5
        if self._t is None:
            self._t = self.a
        return (self._t + k) * FACTOR[0] + x


FACTOR = [1.0]


@pytest.mark.parametrize("sets", [0, 8])
def test_what_is_refreshed_or_cleared_is_so_in_all_states(sets: int) -> None:
    """Whether memos were filled when it was computed or not."""
    with configure(memory_sets=sets):
        FACTOR[0] = 1.0
        owner = Asking(2.0)
        assert [owner.value(1), owner.value(1), owner.value(2)] == [3.0, 3.5, 4.5]
        FACTOR[0] = 10.0
        assert owner.value.refresh(1) == 30.5
        assert [Asking(2.0).value(1), owner.value(1), owner.value(2)] == [30.0, 30.5, 4.5]
        FACTOR[0] = 1.0
        owner.value.cache_clear(1)
        assert [Asking(2.0).value(1), owner.value(1), owner.value(2)] == [3.0, 3.5, 4.5]


@keyed_by("a")
class Special:
    """Is read by special methods, and past its own class."""

    def __init__(self, a: float) -> None:
        self.a, self.w = a, 1

    def __iter__(self) -> Iterator[float]:
        return iter((self.a, self.w))

    def __index__(self) -> int:
        return self.w

    @stored
    def unpacked(self) -> float:
        """As two values."""
        a, w = self
        return a + w

    @stored
    def twice_named(self) -> Any:
        """As two values, which are one more value."""
        whole = (a, w) = self
        return a + w + whole.w

    @stored
    def repeated(self) -> Any:
        """As a number of times."""
        return ["ab" * self, self * [0]]  # type: ignore[operator]

    @stored
    def past_the_class(self) -> Any:
        """By the method that all objects have."""
        return super().__getattribute__("w")


@pytest.mark.parametrize("name", ["unpacked", "twice_named", "repeated", "past_the_class"])
def test_the_object_is_read_without_its_name(name: str) -> None:
    """What special methods read counts."""
    check(Special(1.0), lambda owner: setattr(owner, "w", 2), name=name)


def tophat(x: float) -> float:
    """A default."""
    return x


class Formless:
    """Can be called, and has no form."""

    def __init__(self, value: float) -> None:
        self.poly = np.poly1d([value])

    def __call__(self, *_: object) -> float:
        return float(self.poly(0.0))


@keyed_by("a")
class Replaceable:
    """Has methods in whose place an object can have attributes."""

    def __init__(self, a: float) -> None:
        self.a = a

    kernel = staticmethod(tophat)

    def helper(self) -> float:
        """Another one."""
        return 1.0

    @stored
    def other(self) -> float:
        """A stored one."""
        return 2.0

    @stored
    def value(self) -> float:
        """Calls all of them."""
        return self.a + self.kernel(1.0) + self.helper() + self.other() + self.third() + self.fourth()

    def third(self) -> float:
        """One more."""
        return 0.0

    def fourth(self) -> float:
        """And one more."""
        return 0.0


@pytest.mark.parametrize("name", ["kernel", "helper", "other"])
@pytest.mark.parametrize("is_early", [True, False])
def test_an_attribute_in_the_place_of_a_method(name: str, is_early: bool) -> None:
    """It counts by its value, whether it was there from the beginning or is set later, and ends shortcuts."""
    owner, other = Replaceable(1.0), Replaceable(1.0)
    if not is_early:
        check(owner)
    for number in (10.0, 20.0):
        setattr(owner, name, lambda *_, number=number: number)
        check(owner)
        check(other)
    vars(owner).update({name: Formless(7.0)})
    check(owner)
    delattr(owner, name)
    check(owner)
    assert owner.value() == other.value()


def closing(factor: Any) -> Any:
    """A class with a partial method."""

    @keyed_by("a")
    class Partial:
        a = 1.0

        def scaled(self, factor: Any) -> float:
            return self.a * float(factor(0.0) if callable(factor) else factor)

        twice = functools.partialmethod(scaled, factor)

        @stored
        def value(self) -> float:
            return self.twice()

    Partial.__qualname__ = "Partial"
    Partial.__module__ = "somewhere.else"
    return Partial()


def test_what_a_partial_method_has_in_it() -> None:
    """It counts, and without a form it makes results private."""
    for value in (2.0, 3.0, np.poly1d([4.0]), np.poly1d([5.0])):
        check(closing(value))


@keyed_by("x")
class ManySites:
    """Fills memos that depend on what was called before."""

    def __init__(self, x: float) -> None:
        self.x = x
        self._t: Any = None
        self._a: Any = None
        self._b: Any = None

    def reset(self) -> None:
        """Empties them."""
        self._t = self._a = self._b = None

    def f(self) -> float:
        """Fills one."""
        if self._t is None:
            self._t = self.x * 2
        return self._t

    def g(self) -> float:
        """Fills it otherwise."""
        if self._t is None:
            self._t = self.x * 3
        return self._t

    def a(self) -> float:
        """Asks whether another is filled."""
        if self._a is None:
            self._a = self.x if self._b is None else 10 * self.x
        return self._a

    def b(self) -> float:
        """That other."""
        if self._b is None:
            self._b = self.x
        return self._b

    @stored
    def fg(self) -> float:
        """One way round."""
        return self.f() + self.g()

    @stored
    def gf(self) -> float:
        """The other way round."""
        return self.g() + self.f()

    @stored
    def ab(self) -> float:
        """One way round."""
        return self.a() + self.b()

    @stored
    def ba(self) -> float:
        """The other way round."""
        return 100 * self.b() + self.a()

    @stored
    def of_f(self) -> float:
        """Through one only."""
        return self.f()

    @stored
    def of_g(self) -> float:
        """Through the other."""
        return self.g()


@pytest.mark.parametrize("order", list(itertools.permutations(["fg", "gf", "ab", "ba", "of_f", "of_g"], 3)))
def test_memos_that_tell_what_was_called_before(order: tuple[str, ...]) -> None:
    """Calls give what the plain ones give, on one object and on new ones."""
    owner = ManySites(2.0)
    for _ in range(2):
        for name in order:
            check(owner, name=name)
            check(ManySites(2.0), name=name)
        owner.reset()


@keyed_by("x")
class Ordinary:
    """Keeps what it computes in the ways that people write, and gets its attributes in a loop."""

    computed = 0

    def __init__(self, x: float, **options: Any) -> None:
        self.x = x
        self._cache: dict[str, Any] = {}
        self._is_ready = False
        self._grid: Any = None
        for name, value in options.items():
            setattr(self, name, value)

    def set(self, **options: Any) -> None:
        """Change parameters, and empty what was made of them."""
        vars(self).update(options)
        for name in ("kept",):
            vars(self).pop(name, None)
        self._cache = {}
        self._grid = None

    @functools.cached_property
    def kept(self) -> float:
        """Kept by Python."""
        return self.x + 1.0

    @stored
    def first(self) -> float:
        """Keeps it in a dict that another method uses, too."""
        COMPUTED.append("first")
        if "first" not in self._cache:
            self._cache["first"] = self.x + 1.0
        return self._cache["first"]

    @stored
    def second(self) -> float:
        """The other one."""
        COMPUTED.append("second")
        if "second" not in self._cache:
            self._cache["second"] = self.x + 2.0
        return self._cache["second"]

    @stored
    def by_grid(self) -> float:
        """Keeps it in an attribute."""
        COMPUTED.append("by_grid")
        if self._grid is None:
            self._grid = [self.x, 3.0]
        return float(sum(self._grid))

    @stored
    def by_kept(self) -> float:
        """Reads what Python keeps."""
        COMPUTED.append("by_kept")
        return self.kept


COMPUTED: list[str] = []


@pytest.mark.parametrize("names", list(itertools.permutations(["first", "second", "by_grid", "by_kept"], 3)))
def test_ordinary_memos_are_no_reason_to_compute_anew(names: tuple[str, ...], cache_dir: Any) -> None:
    """Nor for warnings: each is computed once for all objects, in whatever order they are called."""
    forget_memory(Ordinary)
    COMPUTED.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        owner = Ordinary(1.0, other=2)
        for name in (*names, *names):
            expected = getattr(Ordinary, name).__wrapped__(Ordinary(1.0))
            COMPUTED.pop()
            assert getattr(owner, name)() == expected
            assert getattr(Ordinary(1.0, other=3), name)() == expected
        assert sorted(COMPUTED) == sorted(names)
        owner.set(x=5.0)
        for name in names:
            assert getattr(owner, name)() == getattr(Ordinary, name).__wrapped__(Ordinary(5.0))


@keyed_by("a")
class Advancing:
    """Takes the next of what has no form."""

    def __init__(self, a: float) -> None:
        self.a = a
        self.numbers = (each for each in range(100))
        self.log: list[int] = []

    @stored
    def value(self) -> int:
        """The next one."""
        return next(self.numbers)


def test_what_a_method_advances_is_never_found() -> None:
    """Nothing tells whether it is where it was."""
    owner = Advancing(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [owner.value() for _ in range(5)] == [0, 1, 2, 3, 4]
