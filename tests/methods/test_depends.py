"""Results depend on the parameters that `depends` names, or that the method is found to read."""

from __future__ import annotations

import functools
import gc
import os
import re
import subprocess
import sys
import textwrap
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import OwnerError, OwnerWarning, StorageUser, configure, keyed_by, stored
from stored.typing import ABSENT

COMPUTED: Counter[str] = Counter()


def note(name: str) -> None:
    COMPUTED[name] += 1


auto = functools.partial(stored, depends="auto", ignore=("note",))


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    gc.collect()  # objects that hold a StorageUser refer to themselves, and keep what is in memory for them
    COMPUTED.clear()


class Quantities:
    """Five, of which one reads what varies, one what is made of it, and one calls another."""

    def __init__(self, a: float, b: float, n: float) -> None:
        self.a, self.b, self.n = a, b, n
        self.double = 2 * b

    @auto()
    def of_a(self) -> float:
        note("of_a")
        return self.a

    @auto()
    def of_b(self) -> float:
        note("of_b")
        return self.double + self.b

    @auto()
    def of_both(self) -> float:
        note("of_both")
        return self.of_a() * 10 + self.of_b()

    @auto(persistent=False)
    def of_none(self, k: int = 1) -> float:
        note("of_none")
        return k

    @auto("of n")
    def of_n(self) -> float:
        note("of_n")
        return self.of_a() + self.n


class Keyed(Quantities):
    """Whose class names its parameters."""


keyed_by("a", "b", "n")(Keyed)


class Whole(Quantities):
    """With the user's word that these are all that count."""


keyed_by("a", "b", "n", only=True)(Whole)


class Telling(Quantities):
    """With a string of its own."""

    def getHashableString(self) -> str:
        return f"{self.a} {self.b} {self.n}"


class Holding(Quantities):
    """That holds a StorageUser."""

    def __init__(self, a: float, b: float, n: float) -> None:
        super().__init__(a, b, n)
        self.su = StorageUser("quantities", "rw", lambda: "it", lambda: f"{self.a} {self.b} {self.n}", None)


class HoldingKeyed(Holding):
    """That holds one, and whose class names parameters beside it."""


keyed_by("a", "b", "n")(HoldingKeyed)

of_all_kinds = pytest.mark.parametrize("kind", [Keyed, Whole, Telling, Holding, HoldingKeyed])


def values(owner: Quantities) -> list[float]:
    return [owner.of_a(), owner.of_b(), owner.of_both(), owner.of_none(), owner.of_n()]


def expected(a: float, b: float, n: float) -> list[float]:
    return [a, 3 * b, 10 * a + 3 * b, 1, a + n]


@of_all_kinds
@pytest.mark.parametrize("memory_sets", [8, 0])
def test_a_chain_computes_what_depends_on_what_varies(kind: Any, memory_sets: int) -> None:
    """Of five quantities one depends on it: 2,000 sets of parameters are computed for it, and one for the others."""
    with configure(memory_sets=memory_sets, persistence=""):
        owner = kind(1.0, 2.0, 0.0)
        for n in range(2000):
            owner.n = float(n)
            assert values(owner) == expected(1.0, 2.0, n)
    assert COMPUTED == {"of_a": 1, "of_b": 1, "of_both": 1, "of_none": 1, "of_n": 2000}


@of_all_kinds
def test_what_is_read_counts_in_new_objects_and_on_disk(kind: Any) -> None:
    """A change of what a quantity reads computes it, and those that call it; other objects find the rest."""
    assert values(kind(1.0, 2.0, 3.0)) == expected(1.0, 2.0, 3.0)
    COMPUTED.clear()
    for owner in (kind(1.0, 2.0, 4.0), kind(1.0, 5.0, 4.0)):
        assert values(owner) == expected(1.0, owner.b, 4.0)
    with configure(memory_sets=0):
        del owner
        gc.collect()
        owner = kind(1.0, 2.0, 3.0)
        assert [owner.of_a(), owner.of_b(), owner.of_both(), owner.of_n()] == [1.0, 6.0, 16.0, 4.0]
        assert owner.of_a.cache_info().persistent_hits == 1
    del COMPUTED["of_none"]
    assert COMPUTED == {"of_n": 1, "of_b": 1, "of_both": 1}


def test_an_attribute_that_is_made_of_parameters_counts() -> None:
    """As it is in the object, whatever the parameter is by now."""
    owner = Telling(1.0, 2.0, 3.0)
    owner.of_b()
    owner.double = 0.0
    assert owner.of_b() == 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Whole(1.0, 2.0, 3.0).of_b() == 6.0


def test_later_processes_find_what_does_not_depend(tmp_path: Path) -> None:
    """A process with another value of a parameter that is not read computes nothing."""
    (tmp_path / "chained.py").write_text(
        textwrap.dedent("""
        import sys
        from stored import keyed_by, stored

        @keyed_by("H0", "Om0")
        class Model:
            def __init__(self, H0, Om0):
                self.H0, self.Om0 = H0, Om0

            @stored(depends="auto")
            def growth(self, n=3):
                return sum(self.Om0**k for k in range(n))

            @stored(depends="auto")
            def power(self, k):
                return self.growth() * k / self.H0

        model = Model(float(sys.argv[1]), 0.3)
        print(model.growth(), model.power(1.0) == model.power.__wrapped__(1.0))
        print(model.growth.cache_info().misses, model.power.cache_info().misses)
        """)
    )
    runs = [
        subprocess.run(
            [sys.executable, "chained.py", H0],
            cwd=tmp_path,
            env={**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for H0 in ("70", "70", "68")
    ]
    assert [run[1:] for run in runs] == [["True", "1", "1"], ["True", "0", "0"], ["True", "0", "1"]]
    assert len({run[0] for run in runs}) == 1


def test_code_that_reads_more_from_now_on() -> None:
    """A helper that is exchanged, and reads another parameter, is seen with what it reads."""
    owner = Keyed(1.0, 2.0, 3.0)
    owner.of_both()
    try:
        Keyed.of_a = stored(depends="auto")(lambda self: self.a + self.n)  # type: ignore[method-assign,assignment]
        assert owner.of_both() == 46.0
        owner.n = 0.0
        assert owner.of_both() == 16.0
    finally:
        del Keyed.of_a
    assert owner.of_both() == 16.0


def test_a_declared_property_counts_by_its_value() -> None:
    """What gives the value of a parameter is not followed: it may read by computed names."""

    @keyed_by("H0", "n")
    class Model:
        def __init__(self) -> None:
            self._values = {"H0": 70.0, "n": 1.0}

        def _get(self, name: str) -> float:
            return getattr(self, "_values")[name]  # noqa: B009

        H0 = property(lambda self: getattr(self, "".join(["_", "values"]))["H0"])
        n = property(lambda self: self._get("n"), lambda self, value: self._values.update(n=value))

        @auto()
        def double(self) -> float:
            note("double")
            return 2 * self.H0

    model = Model()
    for n in range(3):
        model.n = n
        assert model.double() == 140.0
    model._values["H0"] = 50.0
    assert model.double() == 100.0
    assert COMPUTED["double"] == 2


def test_a_declared_property_may_be_changed_in_place() -> None:
    """What is in it counts, and how it is given does not."""

    @keyed_by("options")
    class Model:
        def __init__(self) -> None:
            self._given = {"m": 1}

        options = property(lambda self: getattr(self, "".join(["_", "given"])))

        @auto(persistent=False)
        def value(self) -> int:
            note("value")
            self.options.update(n=2)
            return len(self.options)

    model = Model()
    assert [model.value() for _ in range(3)] == [2] * 3
    model.options["k"] = 3
    assert model.value() == 3
    assert COMPUTED["value"] == 3  # once more after the first, which has changed a parameter


@pytest.mark.parametrize("kind", [Keyed, Telling, Holding])
def test_an_attribute_that_is_changed_in_place_counts(kind: Any) -> None:
    """Of owners of each kind, before and behind shortcuts."""

    class Model(kind):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(1.0, 2.0, 3.0)
            self.items = [1, 2]

        @auto()
        def total(self) -> int:
            note("total")
            return sum(self.items)

    model = Model()
    for _ in range(3):
        assert [model.total() for _ in range(3)] == [sum(model.items)] * 3
        model.items.append(1)
    assert COMPUTED["total"] == 3


@dataclass(frozen=True)
class Frozen:
    a: float
    b: float
    c: float = 0.0

    @stored(depends="auto", ignore=("self.b", "note"))
    def sum(self) -> float:
        note("sum")
        return self.a + 0 * self.b


def test_frozen_owners_and_ignored_parameters() -> None:
    """What ignore names does not count, though it is read."""
    assert [Frozen(1.0, b, c).sum() for b, c in ((0, 0), (1, 0), (0, 1))] == [1.0] * 3
    assert COMPUTED["sum"] == 1
    found = Frozen(1.0, 2.0).sum.dependencies()
    assert [each.name for each in found.parameters] == ["a"]
    assert "self.b, which ignore leaves out" in found.unseen


def test_dependencies_tell_what_is_found() -> None:
    """The parameters that count, and the attributes beside them."""
    found = Keyed(1.0, 2.0, 3.0).of_both.dependencies()
    assert [each.name for each in found.parameters] == ["a", "b"]
    assert [each.name for each in found.attributes] == ["double"]
    found = Telling.of_n.dependencies()
    assert [each.name for each in found.parameters] == []
    assert {each.name for each in found.attributes} == {"a", "n"}


# -- what cannot be found -------------------------------------------------------------------------------------------


def asking(owner: Any, name: str) -> Any:
    return getattr(owner, "_" + name)


@keyed_by("a")
class Incomplete:
    a, _x = 1.0, 2.0

    @stored(depends="auto")
    def of_computed_names(self) -> Any:
        return asking(self, "x")

    @stored
    def as_usual(self) -> Any:
        return asking(self, "x")


def test_where_the_code_cannot_be_followed_is_an_error() -> None:
    """That names file, line and reason; without "auto" the method works."""
    line = asking.__code__.co_firstlineno + 1
    message = (
        r"depends='auto' of Incomplete.of_computed_names\(\) takes what the method reads of Incomplete, but an"
        rf" attribute is read by a name that is computed, at {re.escape(__file__)}:{line} in asking, so that it may"
        r" read anything; read attributes by their names there, or name the parameters"
    )
    for call in (Incomplete().of_computed_names, Incomplete().of_computed_names.explain):
        with pytest.raises(OwnerError, match=message):
            call()
    assert Incomplete().as_usual() == 2.0
    assert Incomplete.of_computed_names.dependencies().everything


def test_what_is_read_beside_depends_is_told_once() -> None:
    """By name, with the places; what ignore names is not."""

    @keyed_by("a", "b")
    class Narrowed:
        a, b = 1.0, 2.0

        def __init__(self) -> None:
            self.c = 3.0

        @stored(depends=("a",))
        def value(self) -> float:
            return self.a + self.b + self.c

        @stored(depends=("a",), ignore=("self.b", "self.c"))
        def ignoring(self) -> float:
            return self.a + self.b + self.c

        @stored(depends=("a", "b"))
        def reading_less(self) -> float:
            return self.a

    owner = Narrowed()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in (1.0, 2.0, 1.0):
            owner.a = n
            assert owner.value() == n + 5.0
        Narrowed().value()
        owner.ignoring(), owner.reading_less()
    (found,) = caught
    assert found.category is OwnerWarning
    assert found.filename == __file__
    place = rf"{re.escape(__file__)}:\d+ in .*Narrowed.value"
    assert re.match(
        rf"depends=\('a',\) of .*Narrowed.value\(\) leaves out what the method reads of .*Narrowed: 'b' \({place}\),"
        rf" 'c' \({place}\). If it changes, results stay; add parameters to depends, say depends='auto', which takes"
        r" what is read, or name 'self.b' in ignore=\(...\) if it does not change results",
        str(found.message),
    )
    owner.c = 4.0
    assert owner.value() == 6.0


@of_all_kinds
def test_results_can_be_forgotten(kind: Any) -> None:
    """In memory and on disk, by the method or by what an object stores."""
    owner = kind(1.0, 2.0, 3.0)
    for clear in (owner.of_a.cache_clear, kind.of_a.cache_clear):
        assert owner.of_a() == 1.0
        clear()
        assert not owner.of_a.cached()
    assert COMPUTED["of_a"] == 2


def test_a_class_that_computes_attributes_may_hold_a_user() -> None:
    """No quick check tells what it holds."""

    class Computing(Holding):
        def __getattr__(self, name: str) -> Any:
            if name == "late":
                return self.a
            raise AttributeError(name)

        @auto(persistent=False)
        def value(self) -> float:
            note("value")
            return self.late

    owner = Computing(1.0, 2.0, 3.0)
    for a in (1.0, 2.0):
        owner.a = a
        assert [owner.value() for _ in range(3)] == [a] * 3
    assert COMPUTED["value"] == 2


def test_another_user_takes_its_place() -> None:
    """An object that holds another StorageUser has results of its own, and shortcuts see it."""
    owner = Holding(1.0, 2.0, 3.0)
    assert [owner.of_a() for _ in range(3)] == [1.0] * 3
    first, owner.su = owner.su, StorageUser("others", "", lambda: "it", lambda: "it", None)
    assert [owner.of_a() for _ in range(3)] == [1.0] * 3
    owner.su = first
    assert [owner.of_a() for _ in range(3)] == [1.0] * 3
    assert COMPUTED["of_a"] == 2
    assert getattr(owner, "none", ABSENT) is ABSENT


@keyed_by("H0")
class WithLaw:
    """A method of it is chosen in ``__init__``; beside it stands something without form."""

    def __init__(self, H0: float) -> None:
        self.H0 = H0
        self.generator = np.random.default_rng(1)
        self.law = self._power

    def _power(self) -> float:
        return self.H0 * 2

    @stored(depends="auto")
    def chosen(self) -> float:
        return self.law()

    @stored(depends="auto")
    def replaced(self) -> float:
        return self._power()

    @stored(depends="auto")
    def called(self, other: Any) -> float:
        return other.law()  # type: ignore[no-any-return]


def test_an_attribute_that_hides_what_is_read_is_an_error() -> None:
    model = WithLaw(1.0)
    with pytest.raises(OwnerError) as error:
        model.chosen()
    assert re.sub(r" at \S*test_depends\.py:\d+", " at <place>", str(error.value)) == (
        "depends='auto' of WithLaw.chosen() takes what the method reads of WithLaw, but the attribute 'law', read at"
        " <place> in WithLaw.chosen, has a value with no form that is the same in every process; give it a value"
        " that has one, say ignore=('self.law',) if it does not change results, or name the parameters on which"
        " results depend: depends=('H0', ...)"
    )
    with pytest.raises(OwnerError, match=r"the attribute 'WithLaw\.generator' has .* process; give it .* has one, or"):
        model.called(model)


def test_an_attribute_in_place_of_a_method_can_hide_what_is_read() -> None:
    model = WithLaw(1.0)
    assert model.replaced() == 2.0
    model._power = functools.partial(WithLaw._power, model)  # type: ignore[method-assign]
    with pytest.raises(OwnerError, match="the attribute '_power' has a value with no form"):
        model.replaced()


@pytest.mark.parametrize(
    ("depends", "message"),
    [
        ("Auto", "depends is the string 'Auto'; give 'auto', or a tuple of names: ('Auto',)"),
        (5, "depends is 5; give 'auto', or a tuple of names, which are strings"),
        ((1,), "depends is (1,); give 'auto', or a tuple of names, which are strings"),
    ],
)
def test_what_depends_cannot_be(depends: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        stored(depends=depends)
    assert str(error.value) == message
