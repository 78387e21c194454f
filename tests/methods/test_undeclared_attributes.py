"""Attributes that methods read and owners do not declare: they join keys, are memos, or make results private."""

from __future__ import annotations

import copy
import functools
import gc
import logging
import threading
import warnings
import weakref
from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from typing import Any

import numpy as np
import pytest

from stored import OwnerWarning, configure, keyed_by, stored

COMPUTED: list[str] = []


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Objects share what is in memory, and nothing is computed so far."""
    COMPUTED.clear()
    with configure(memory_sets=8):
        yield


def note(name: str) -> int:
    """Note that a method computes."""
    COMPUTED.append(name)
    return 0


def plain(owner: Any, name: str, *args: Any) -> Any:
    """What the plain method gives for a copy of the owner."""
    return getattr(copy.deepcopy(owner), name).__wrapped__(*args)


# -- attributes that join ---------------------------------------------------------------------------------------------


class Part:
    """A class of the user's own."""

    def __init__(self, x: float) -> None:
        self.x = x


@keyed_by("a")
class Model:
    """An owner with attributes of all kinds, of which it declares one."""

    N = 10

    def __init__(self, a: float, b: float = 1.0) -> None:
        self.a, self.b = a, b
        self.part = Part(b)
        self.table = np.arange(3.0) * b
        self.half = b / 2

    def setup(self, extra: float) -> None:
        """The second phase of making one."""
        self.extra = extra

    @stored
    def with_class_attribute(self) -> float:
        """Reads an attribute of the class."""
        return self.a * self.N + note("class")

    @stored
    def with_derived(self) -> float:
        """Reads what ``__init__`` has computed."""
        return self.a + self.half + note("derived")

    @stored
    def with_part(self) -> float:
        """Reads an object of another class."""
        return self.part.x + note("part")

    @stored
    def with_table(self) -> float:
        """Reads an array."""
        return float(self.table.sum()) + note("table")

    @stored
    def with_extra(self) -> float:
        """Reads an attribute that may not be there."""
        return getattr(self, "extra", -1.0) + note("extra")

    @stored
    def through_helper(self) -> float:
        """Reads by a helper."""
        return self.helper() + note("helper")

    def helper(self) -> float:
        """Reads an attribute."""
        return self.b


def change_class(owner: Model) -> None:
    owner.__class__.N += 1


def change_table(owner: Model) -> None:
    owner.table[1] = 7.0


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("with_class_attribute", lambda owner: setattr(owner, "N", 3)),
        ("with_class_attribute", change_class),
        ("with_derived", lambda owner: setattr(owner, "half", 3.0)),
        ("with_part", lambda owner: setattr(owner.part, "x", 3.0)),
        ("with_part", lambda owner: setattr(owner, "part", Part(4.0))),
        ("with_table", change_table),
        ("with_extra", lambda owner: owner.setup(5.0)),
        ("with_extra", lambda owner: setattr(owner, "extra", None) or owner.setup(2.0)),
        ("through_helper", lambda owner: setattr(owner, "b", 9.0)),
    ],
)
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_change_is_noticed(name: str, change: Any, calls: int) -> None:
    """At the next call, whether that goes by a shortcut or not."""
    owner = Model(2.0)
    for _ in range(calls):
        getattr(owner, name)()
    assert len(COMPUTED) == 1
    before = Model.N
    change(owner)
    assert getattr(owner, name)() == plain(owner, name)
    Model.N = before


def test_equal_attributes_share_a_result() -> None:
    """Also in another object, and after a change and back."""
    first, second = Model(2.0), Model(2.0)
    assert first.with_table() == second.with_table()
    assert first.through_helper() == second.through_helper()
    first.b = 5.0
    first.through_helper()
    first.b = 1.0
    assert first.through_helper() == 1.0
    assert COMPUTED == ["table", "helper", "helper"]


def test_attributes_that_a_method_does_not_read_do_not_count() -> None:
    """Results stay what they are."""
    owner = Model(2.0)
    owner.through_helper()
    owner.half = owner.table = owner.anything = 3.0
    owner.through_helper()
    assert COMPUTED == ["helper"]


def test_results_are_found_on_disk() -> None:
    """By an object with equal attributes, once memory is empty."""
    Model(2.0, 3.0).with_table()
    with configure(memory_sets=0):
        assert Model(2.0, 3.0).with_table() == 9.0
        assert Model(2.0, 4.0).with_table() == 12.0
    assert COMPUTED == ["table", "table"]


def test_arrays_are_read_by_content_and_not_kept() -> None:
    """Repeated calls find the result of an array that did not change; the array is freed with its owner."""
    owner = Model(2.0)
    owner.table = np.arange(100_000.0)
    for _ in range(3):
        owner.with_table()
    assert COMPUTED == ["table"]
    reference = weakref.ref(owner.table)
    del owner
    gc.collect()
    assert reference() is None


def test_frozen_owners_tell_what_is_kept_beside_the_fields() -> None:
    """An ``InitVar`` that is kept, and what ``__post_init__`` sets."""

    @dataclass(frozen=True)
    class Frozen:
        a: float
        scale: InitVar[float]

        def __post_init__(self, scale: float) -> None:
            object.__setattr__(self, "kept", scale)

        @stored
        def value(self) -> float:
            return self.a * self.kept  # type: ignore[attr-defined,no-any-return]

    assert [Frozen(1.0, 2.0).value(), Frozen(1.0, 3.0).value()] == [2.0, 3.0]


def test_an_owner_that_is_handed_on_counts_as_a_whole() -> None:
    """What cannot be followed may read anything."""

    @keyed_by("a")
    class Handing:
        a, N = 1.0, 1

        def __init__(self, hidden: float) -> None:
            self.hidden = hidden

        @stored
        def value(self) -> Any:
            return sorted(vars(self).items())[0][1] * self.N

    owner = Handing(1.0)
    assert owner.value() == 1.0
    owner.hidden = 2.0
    assert owner.value() == 2.0
    Handing.N = 5
    assert owner.value() == 10.0


def test_explain_names_the_attribute() -> None:
    """As it does for parameters."""
    owner = Model(2.0)
    owner.through_helper()
    owner.b = 4.0
    assert "b is 4.0, stored is 1.0" in str(owner.through_helper.explain())


# -- memos ------------------------------------------------------------------------------------------------------------


@keyed_by("a")
class Lazy:
    """An owner with memos of several kinds."""

    def __init__(self, a: float) -> None:
        self.a, self.unit = a, 1.0
        self._table: Any = None
        self._rows: dict[int, float] = {}

    def set(self, a: float) -> None:
        """Change the parameter as the class wants it."""
        self.a, self._table = a, None
        self._rows.clear()
        self.__dict__.pop("grid", None)

    @property
    def table(self) -> Any:
        """Filled when it is needed."""
        if self._table is None:
            self._table = np.arange(3.0) * self.a
        return self._table

    @functools.cached_property
    def grid(self) -> Any:
        """The same by the standard library."""
        return np.arange(3.0) * self.a

    def row(self, k: int) -> float:
        """One item a key."""
        if k not in self._rows:
            self._rows[k] = k * self.a
        return self._rows[k]

    @stored
    def by_table(self, k: int) -> float:
        """Reads one."""
        return float(self.table[k]) * self.unit + note("by table")

    @stored
    def by_grid(self, k: int) -> float:
        """Reads another."""
        return float(self.grid[k]) * self.unit + note("by grid")

    @stored
    def by_row(self, k: int) -> float:
        """Reads the third."""
        return self.row(k) * self.unit + note("by row")

    @stored
    def asks(self, k: int) -> float:
        """Can tell whether it is filled."""
        return (1.0 if self._table is None else 2.0) + 0 * float(self.table[k]) + note("asks")


METHODS = ["by_table", "by_grid", "by_row"]


@pytest.mark.parametrize("name", METHODS)
def test_a_memo_that_a_method_fills_does_not_count(name: str) -> None:
    """Each call is computed once, by all objects, whether they have filled it or not."""
    owner = Lazy(2.0)
    for _ in range(4):
        assert getattr(owner, name)(1) == 2.0
    assert getattr(Lazy(2.0), name)(1) == 2.0
    assert len(COMPUTED) == 1


@pytest.mark.parametrize("name", METHODS)
def test_a_memo_that_parameters_empty_is_filled_anew(name: str) -> None:
    """Results of all parameters are right, and found again."""
    owner = Lazy(2.0)
    for _ in range(2):
        for a in (2.0, 3.0, 4.0):
            owner.set(a)
            assert getattr(owner, name)(1) == a
    assert len(COMPUTED) == 3


@pytest.mark.parametrize("name", METHODS)
def test_a_memo_of_other_parameters_makes_results_private(name: str) -> None:
    """With one warning, that tells where; what the plain call gives is given, and nobody else finds it."""
    owner = Lazy(2.0)
    getattr(owner, name)(1)
    owner.a = 3.0
    with pytest.warns(OwnerWarning, match=r"'(_table|grid|_rows)', filled at") as found:
        assert getattr(owner, name)(1) == plain(owner, name, 1) == 2.0
    assert len(found) == 1
    assert __file__ in str(found[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(owner, name)(1) == 2.0
        assert getattr(Lazy(3.0), name)(1) == 3.0
    assert len(COMPUTED) == 4  # one of them by `plain`


@pytest.mark.parametrize("name", METHODS)
def test_a_memo_stays_when_what_it_is_not_made_of_changes(name: str) -> None:
    """The method depends on more than what fills its memo."""
    owner = Lazy(2.0)
    getattr(owner, name)(1)
    owner.unit = 5.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(owner, name)(1) == 10.0
    other = Lazy(2.0)
    other.unit = 5.0
    assert getattr(other, name)(1) == 10.0
    assert len(COMPUTED) == 2


@pytest.mark.parametrize("name", METHODS)
def test_a_memo_that_others_fill_counts_by_value(name: str) -> None:
    """Nobody knows what it was made of."""
    owner = Lazy(2.0)
    owner._table = owner.__dict__["grid"] = np.full(3, 9.0)
    owner._rows[1] = 9.0
    for _ in range(4):
        assert getattr(owner, name)(1) == 9.0
    assert getattr(Lazy(2.0), name)(1) == 2.0
    other = copy.deepcopy(owner)
    assert getattr(other, name)(1) == 9.0
    assert len(COMPUTED) == 2


@pytest.mark.parametrize("name", METHODS)
def test_a_memo_that_is_replaced_behind_a_shortcut_is_noticed(name: str) -> None:
    """The next call gives what the plain one gives."""
    owner = Lazy(2.0)
    for _ in range(4):
        getattr(owner, name)(1)
    owner._table = owner.__dict__["grid"] = np.full(3, 9.0)
    owner._rows[1] = 9.0
    assert getattr(owner, name)(1) == 9.0
    owner.set(2.0)
    assert getattr(owner, name)(1) == 2.0


def test_whether_a_memo_is_filled_counts_if_the_method_asks() -> None:
    """Two results, each for its state."""
    owner = Lazy(2.0)
    assert [owner.asks(1), owner.asks(1), Lazy(2.0).asks(1), owner.asks(1)] == [1.0, 2.0, 1.0, 2.0]
    assert len(COMPUTED) == 2


def test_memos_keep_no_owner_alive() -> None:
    """Also one that holds its owner."""
    owner: Any = Lazy(2.0)
    for _ in range(3):
        owner.by_table(1)
    owner._table = [0.0, owner.by_table, 5.0]
    owner.by_table(2)
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is None


# -- private results --------------------------------------------------------------------------------------------------


class Opaque:
    """Objects that hold what has no form."""

    def __init__(self, value: float) -> None:
        self.stream = iter([value])
        self.value = value


@keyed_by("a")
class Private:
    """An owner whose methods read what has no form."""

    def __init__(self, a: float, value: float) -> None:
        self.a, self.opaque = a, Opaque(value)
        self.log, self.lock, self.calls = logging.getLogger("tests"), threading.Lock(), 0

    @stored
    def value(self) -> float:
        """Reads it."""
        return self.opaque.value + note("value")

    @stored
    def logging(self) -> float:
        """Reads what never counts."""
        with self.lock:
            self.log.debug("computing")
        return self.a + note("logging")

    @stored
    def counting(self) -> float:
        """Returns what it writes."""
        self.calls += 1
        return self.calls + note("counting")


def test_a_value_without_form_makes_results_private() -> None:
    """They are kept for the object, never on disk, and never given to another object."""
    owner = Private(1.0, 2.0)
    with pytest.warns(OwnerWarning, match="'opaque', read at .*test_undeclared_attributes") as found:
        assert [owner.value(), owner.value(), Private(1.0, 3.0).value()] == [2.0, 2.0, 3.0]
    assert len(found) == 1
    assert len(COMPUTED) == 2
    assert (owner.value.cache_info().stores, owner.value.cached()) == (0, True)
    owner.opaque = Opaque(5.0)
    assert owner.value() == 5.0


def test_private_results_go_with_their_object() -> None:
    """Nothing else holds them, or the object."""
    owner = Private(1.0, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        owner.value()
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is None


def test_loggers_and_locks_do_not_count() -> None:
    """Results are shared, and stored."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [Private(1.0, 2.0).logging(), Private(1.0, 3.0).logging()] == [1.0, 1.0]
    assert COMPUTED == ["logging"]


def test_what_a_method_counts_itself_is_right() -> None:
    """Each call has another value of the counter."""
    owner = Private(1.0, 2.0)
    with pytest.warns(OwnerWarning, match="it reads the attribute 'calls', which it also writes"):
        assert [owner.counting() for _ in range(3)] == [1.0, 2.0, 3.0]


# -- only=True, and strings of an owner's own -------------------------------------------------------------------------


def test_only_the_names_that_are_given() -> None:
    """On the user's word: neither what bases tell nor what is read counts, also in subclasses."""

    @keyed_by("a")
    class Base:
        a, b, c = 1.0, 2.0, 3.0

        @stored
        def value(self) -> float:
            return self.a + self.b + self.c

    @keyed_by("b", only=True)
    class Only(Base):
        pass

    class Sub(Only):
        pass

    for kind in (Only, Sub):
        owner = kind()
        assert owner.value() == 6.0
        owner.a = owner.c = 10.0
        assert owner.value() == 6.0
        owner.b = 0.0
        assert owner.value() == 20.0


def test_a_subclass_without_only_adds_what_is_read() -> None:
    """Its own declaration decides."""

    @keyed_by("b", only=True)
    class Only:
        a, b = 1.0, 2.0

        @stored
        def value(self) -> float:
            return self.a + self.b

    @keyed_by("a")
    class Sub(Only):
        pass

    owner = Sub()
    assert owner.value() == 3.0
    owner.a = 2.0
    assert owner.value() == 4.0


def test_depends_is_the_users_word() -> None:
    """It narrows the key to what it names."""

    @keyed_by("a", "b")
    class Narrowed:
        a, b, c = 1.0, 2.0, 3.0

        @stored(depends=("a",))
        def value(self) -> float:
            return self.a + self.c

    owner = Narrowed()
    with pytest.warns(OwnerWarning, match="leaves out what the method reads"):
        owner.value()
    owner.c = 5.0
    assert owner.value() == 4.0


def telling() -> Any:
    """A class of owners with a string of their own, which does not tell all."""

    class Telling:
        def __init__(self, a: float, b: Any) -> None:
            self.a, self.b = a, b

        def getHashableString(self) -> str:
            return f"{self.a}"

        @stored
        def value(self) -> Any:
            return self.b

    return Telling


@pytest.mark.parametrize(("first", "second"), [(1.0, 2.0), ([1], [2]), (np.zeros(2), np.ones(2))])
def test_a_string_is_the_whole_with_a_warning(first: Any, second: Any) -> None:
    """Equal strings have one result; that an attribute differs is told once."""
    own = telling()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own(1.0, first).value()
        own(2.0, second).value()
    with pytest.warns(OwnerWarning, match=r"'b' of .*Telling, at .* differs between calls"):
        np.testing.assert_array_equal(own(1.0, second).value(), first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own(1.0, None).value()


def test_what_takes_long_to_compare_is_not_looked_at() -> None:
    """Nor what has no key."""
    own = telling()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for b in (np.zeros(100_000), np.ones(100_000), float("nan"), Opaque(1.0), Opaque(2.0)):
            own(1.0, b).value.cached()


# -- memos in doubt ---------------------------------------------------------------------------------------------------


@keyed_by("a")
class Together:
    """An owner with memos that are filled together, and one whose items a method counts."""

    def __init__(self, a: float) -> None:
        self.a = a
        self._low: Any = None
        self._high: Any = None
        self._items: dict[int, float] = {}

    @stored
    def width(self) -> Any:
        """Asks for one, and reads both."""
        if self._low is None:
            self._low, self._high = self.a, self.a * 3
        return (self._high or 0) - self._low

    @stored
    def counted(self, k: int) -> float:
        """Fills one item, and counts all."""
        if k not in self._items:
            self._items[k] = k * self.a
        return self._items[k] + 100 * len(self._items)


def test_memos_of_which_somebody_empties_one() -> None:
    """What the method gives then is not what it gives for both."""
    owner = Together(2.0)
    assert [owner.width(), owner.width()] == [4.0, 4.0]
    owner._high = None
    assert owner.width() == plain(owner, "width") == -2.0


def test_items_of_a_memo_count_if_the_method_counts_them() -> None:
    """How many there are is left by earlier calls."""
    owner = Together(2.0)
    for k in (1, 2, 1, 3, 1, 2):
        expected = plain(owner, "counted", k)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert owner.counted(k) == expected


@pytest.mark.parametrize("calls", [1, 5])
def test_a_string_that_stays_is_told_behind_a_shortcut_too(calls: int) -> None:
    """However often the call was found before, and once."""

    class Telling:
        def __init__(self) -> None:
            self.h = 1.0

        def getHashableString(self) -> str:
            return "always the same"

        @stored
        def value(self) -> float:
            return self.h

    owner = Telling()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(calls):
            assert owner.value() == 1.0
    owner.h = 2.0
    with pytest.warns(OwnerWarning, match="reads the attribute 'h'") as found:
        assert [owner.value() for _ in range(3)] == [1.0] * 3
    assert len(found) == 1
