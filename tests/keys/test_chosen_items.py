"""Of a table of functions that is indexed by an attribute of the object, the chosen one counts only."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from typing import Any

import pytest

from stored import StorageUser, keyed_by, stored
from stored._keys.chosen_items import chosen_items
from stored._keys.function_reader import read_functions
from stored._methods.results import results_of

CHOOSING = {
    "return T[self.kind](x)": {("T", "kind")},
    "return T[self.kind](x) + T[self.kind](1)": {("T", "kind")},
    "return lib.T[self.kind](x) * U[self.other]": {("lib.T", "kind"), ("U", "other")},
    "return [T[self.kind](each) for each in x]": {("T", "kind")},
    "return (lambda: T[self.kind](x))()": {("T", "kind")},
    "return T[self.kind](x) + len(T)": set(),
    "return T[self.kind](x) + T[self.other](x)": set(),
    "return T[self.kind](x) + T['a'](x)": set(),
    "return T[x.kind](x)": set(),
    "return T[self.kind.name](x)": set(),
    "return T()[self.kind](x)": set(),
    "return T[0][self.kind](x)": set(),
    "return T[self.__kind](x)": set(),
    "T[self.kind] = x": set(),
    "self = x; return T[self.kind](x)": set(),
    "return [T[self.kind](x) for self in x]": set(),
    "return (lambda self: T[self.kind](x))(x)": set(),
    "def g():\n  nonlocal self\n  self = x\n g(); return T[self.kind](x)": set(),
    "global self; return T[self.kind](x)": set(),
    "import self; return T[self.kind](x)": set(),
    "import self.a; return T[self.kind](x)": set(),
    "from a import b as self; return T[self.kind](x)": set(),
    "def self(): pass\n return T[self.kind](x)": set(),
    "class self: pass\n return T[self.kind](x)": set(),
    "try: pass\n except x as self: pass\n return T[self.kind](x)": set(),
    "match x:\n  case {'a': 1, **self}: pass\n return T[self.kind](x)": set(),
    "match x:\n  case [*self]: pass\n return T[self.kind](x)": set(),
    "match x:\n  case self: pass\n return T[self.kind](x)": set(),
    "return (self := x) and T[self.kind](x)": set(),
    "return 1": set(),
}


def choices(source: str) -> Mapping[Any, frozenset[tuple[str, str]]]:
    """Those of the functions of a module, by their nodes."""
    return chosen_items({node: read.text for node, _, read in read_functions(ast.parse(source))})


@pytest.mark.parametrize("body", CHOOSING)
def test_what_chooses(body: str) -> None:
    """One item of a table, by the first argument, which is nothing else in the function."""
    found = choices(f"def f(self, x):\n {body}\n")
    assert {item for node, items in found.items() if node.name == "f" for item in items} == CHOOSING[body]


def test_a_function_without_arguments_chooses_nothing() -> None:
    """It has no first one."""
    assert set(choices("def f():\n return T[self.kind]").values()) == {frozenset()}


def first(x: float) -> float:
    return x


def second(x: float) -> float:
    return x + 100.0


PROFILES = {"first": first, "second": second}
SCALES = {1: 2.0, 2: 3.0}


class Plain:
    def __init__(self, profile: Any = "first", scale: Any = 1, other: Any = None) -> None:
        self.profile, self.scale, self.other = profile, scale, other

    @stored
    def value(self, x: float) -> float:
        return PROFILES[self.profile](x) * SCALES[self.scale]

    @stored
    def with_other(self, x: float) -> float:
        return self.of_other(x) + PROFILES[self.profile](x)

    def of_other(self, x: float) -> float:
        return 0.0 if self.other is None else float(self.other.value.__wrapped__(x))


@keyed_by("profile", "scale", "other")
class Keyed(Plain):
    pass


@keyed_by("profile")
class Switching(Plain):
    @stored
    def switched(self, x: float) -> float:
        self.profile = "second"
        return PROFILES[self.profile](x)


class Told(Plain):
    def getHashableString(self) -> str:
        return f"{self.profile} {self.scale} {self.other and self.other.getHashableString()}"


KINDS = [Keyed, Told]


def misses(owner: Any, name: str = "value") -> int:
    return int(getattr(owner, name).cache_info().misses)


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts another function in the place of one."""
    return lambda name, function: monkeypatch.setitem(PROFILES, name, function)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("calls", [1, 3])
def test_what_is_not_chosen_does_not_count(kind: Any, calls: int, profiles: Any) -> None:
    """Before and behind shortcuts; what is chosen counts, also by objects that come later."""
    owner = kind()
    for _ in range(calls):
        assert owner.value(1.0) == 2.0
    profiles("second", lambda x: -x)
    for _ in range(calls):
        assert owner.value(1.0) == kind().value(1.0) == 2.0
    assert misses(owner) == 1
    profiles("first", lambda x: 5 * x)
    for _ in range(calls):
        assert owner.value(1.0) == kind().value(1.0) == 10.0
    assert misses(owner) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_chooses_can_change(kind: Any, profiles: Any) -> None:
    """Each choice has results of its own, which stay."""
    owner = kind()
    for _ in range(3):
        for name, expected in (("first", 2.0), ("second", 202.0)):
            owner.profile = name
            assert [owner.value(1.0) for _ in range(3)] == [expected] * 3
    assert misses(owner) == 2
    profiles("second", lambda x: x + 1.0)
    for name, expected in (("first", 2.0), ("second", 4.0), ("first", 2.0)):
        owner.profile = name
        assert [owner.value(1.0) for _ in range(3)] == [expected] * 3
    assert misses(owner) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_another_object_can_choose_otherwise(kind: Any, profiles: Any) -> None:
    """A method that is called on another object, too, counts as a whole there."""
    owner = kind("first", 1, kind("second"))
    assert owner.with_other(1.0) == 203.0
    profiles("second", lambda x: x + 1.0)
    assert owner.with_other(1.0) == kind("first", 1, kind("second")).with_other(1.0) == 5.0


def test_a_method_that_sets_what_chooses(profiles: Any) -> None:
    """What it was before the call does not choose."""
    owner = Switching()
    assert owner.switched(1.0) == 101.0
    owner.profile = "first"
    profiles("second", lambda x: -x)
    assert owner.switched(1.0) == -1.0


@pytest.mark.parametrize("key", [True, 1.0, None, (1,)])
def test_of_other_keys_all_counts(key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are equal can be others."""
    monkeypatch.setitem(SCALES, key, 7.0)
    owner = Keyed(scale=key)
    assert owner.value(1.0) == 7.0
    monkeypatch.setitem(SCALES, 2, 9.0)
    assert owner.value(1.0) == 7.0
    assert misses(owner) == 2


def test_a_choice_that_changes_within_the_call_makes_the_result_private(profiles: Any) -> None:
    """As another thread can do: then the code is not the one that was chosen."""
    owner = Keyed()
    results = results_of(Plain.value._self_definition, owner)  # type: ignore[attr-defined]
    assert not results.call(owner, {"x": 1.0}).private
    owner.profile = "second"
    assert results.call(owner, {"x": 1.0}).private


def test_a_property_chooses_nothing(profiles: Any) -> None:
    """What it gives is not known before the call."""

    @keyed_by("n")
    class Computed:
        def __init__(self, n: int) -> None:
            self.n = n
            vars(self)["profile"] = "first"

        @property
        def profile(self) -> str:
            return "second"

        @stored
        def value(self, x: float) -> float:
            return PROFILES[self.profile](x)

    assert Computed(1).value(1.0) == 101.0
    profiles("second", lambda x: -x)
    assert Computed(1).value(1.0) == -1.0


def test_it_is_the_same_with_a_storage_user(profiles: Any) -> None:
    """Whose string tells the choice."""

    class Holding(Plain):
        def __init__(self, profile: str) -> None:
            super().__init__(profile)
            self.su = StorageUser("m", "rw", lambda: "Holding", lambda: self.profile, None)

    owner = Holding("first")
    assert [owner.value(1.0) for _ in range(3)] == [2.0] * 3
    profiles("second", lambda x: -x)
    assert [owner.value(1.0) for _ in range(3)] == [2.0] * 3
    owner.profile = "second"
    assert [owner.value(1.0) for _ in range(3)] == [-2.0] * 3
    assert misses(owner) == 2


def test_a_source_with_long_lines_is_read() -> None:
    """Spaces and lines in between do not matter."""
    source = textwrap.dedent("""
        def f(self, x):
            return T [
                self . kind ](x)
        """)
    assert list(choices(source).values()) == [frozenset({("T", "kind")})]
