"""Shortcuts notice what changes in the classes of parameters and arguments, and what their objects tell."""

from __future__ import annotations

import dataclasses
import enum
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import wrapt

from stored import UnstableKeyError, keyed_by, stored
from stored._methods.results import Results
from tests.methods.shortcut_values import Anything, Red, describe, not_helped
from tests.methods.test_shortcuts_of_kinds import owner_class

ROLES = pytest.mark.parametrize("role", ["argument", "parameter"])


def caller(role: str, value: Any) -> Callable[[Any], str]:
    """Calls a method with a value, as argument or parameter, of an owner that has been called with another one."""
    owner = owner_class("keyed_by")()

    def call(given: Any) -> str:
        if role == "argument":
            return str(owner.one(given))
        owner.a = given
        return str(owner.one(0.5))

    for _ in range(4):
        call(value)
    return call


def check_notices(role: str, value: Any, change: Callable[[], Any]) -> None:
    """After a change, repeated calls tell what the value tells by then, and that is something else."""
    before, call = describe(value), caller(role, value)
    assert before in call(value)
    change()
    assert describe(value) != before
    assert all(describe(value) in call(value) for _ in range(3))


def new_class() -> Any:
    @dataclasses.dataclass(frozen=True)
    class Kind:
        n: float
        word: ClassVar[Any] = "red"
        table: ClassVar[Any] = [["a"], {"b": ["c"]}]

        def tell(self) -> str:
            return f"{self.n} {self.word!r} {self.table} {self.helper()}"

        def helper(self) -> str:
            return ""

    return Kind


@ROLES
@pytest.mark.parametrize("other", [Red.RED, np.str_("red")], ids=type)
def test_an_attribute_of_a_class_that_is_equal_but_another_is_noticed(role: str, other: Any) -> None:
    """A text in the class of a frozen object is not the member of an enumeration that is equal to it."""
    kind = new_class()
    check_notices(role, kind(1.0), lambda: setattr(kind, "word", other))


@ROLES
def test_a_method_that_is_replaced_by_what_is_equal_to_all_is_noticed(role: str) -> None:
    """As by ``ANY`` of unittest.mock."""
    kind = new_class()
    check_notices(role, kind(1.0), lambda: setattr(kind, "helper", Anything()))


@ROLES
@pytest.mark.parametrize("place", [lambda table: table[0], lambda table: table[1]["b"]])
def test_what_is_inside_of_containers_of_a_class_is_noticed(role: str, place: Callable[[Any], Any]) -> None:
    """Also what is in a list, or a dict, inside of another one."""
    kind = new_class()
    check_notices(role, kind(1.0), lambda: place(kind.table).append("d"))


class Flags(enum.Flag):
    A = 1
    B = 2

    def tell(self) -> str:
        return f"{self | Flags.B!r}"


class Formatted(enum.IntEnum):
    A = 1

    def tell(self) -> str:
        return f"{self:5}"


@ROLES
@pytest.mark.parametrize(("member", "name"), [(Flags.A, "__or__"), (Formatted.A, "__format__")])
def test_what_python_gave_to_an_enumeration_is_noticed(
    role: str, member: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator that the class has from Python can be replaced by another."""
    check_notices(role, member, lambda: monkeypatch.setattr(type(member), name, lambda *_: "mine"))


class Named(enum.Enum):
    A = 1

    def tell(self) -> str:
        return str(self.name)


@ROLES
def test_another_name_of_a_member_is_noticed(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that gets another name in place is another value."""
    check_notices(role, Named.A, lambda: monkeypatch.setattr(Named.A, "_name_", "X"))


class Mixed(enum.Enum):
    A = 1
    B = 2


def test_members_with_attributes_have_shortcuts_too() -> None:
    """A member that gets an attribute is found by it, and so are the others."""
    owner = owner_class("keyed_by")()
    for member in (Mixed.A, Mixed.B):
        for _ in range(3):
            owner.one(member)
    Mixed.B.extra = 1  # type: ignore[attr-defined]
    for _ in range(3):
        for member in (Mixed.A, Mixed.B):
            owner.one(member)
    assert count_full_calls(lambda: (owner.one(Mixed.A), owner.one(Mixed.B))) == 0


def count_full_calls(act: Callable[[], Any]) -> int:
    found: list[Any] = []
    real = Results.call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Results, "call", lambda *given: (found.append(given), real(*given))[1])
        act()
    return len(found)


# -- what objects tell beside their fields --


@dataclasses.dataclass(frozen=True)
class Length(float):
    """A frozen object with a number that is in none of its fields."""

    value: dataclasses.InitVar[float]
    unit: str

    def __new__(cls, value: float, unit: str) -> Length:
        return float.__new__(cls, value)

    def tell(self) -> str:
        return f"{float(self)} {self.unit}"


@ROLES
def test_a_frozen_object_that_is_a_number_is_another_for_another_number(role: str) -> None:
    """Though all of its fields are the same."""
    call = caller(role, Length(1.0, "m"))
    assert "2.0 m" in call(Length(2.0, "m"))


@dataclasses.dataclass(frozen=True)
class Described:
    """A frozen object whose own string tells of a file."""

    path: str

    def getHashableString(self) -> str:
        return str(Path(self.path).exists())

    def tell(self) -> str:
        return str(Path(self.path).exists())


@keyed_by("exists")
@dataclasses.dataclass(frozen=True)
class Keyed:
    """A frozen object with a parameter that is computed, and tells of a file."""

    path: str

    @property
    def exists(self) -> bool:
        return Path(self.path).exists()

    def tell(self) -> str:
        return str(self.exists)


@ROLES
@pytest.mark.parametrize("kind", [Described, Keyed])
def test_what_a_frozen_owner_tells_of_itself_is_asked_for_each_time(role: str, kind: Any, tmp_path: Path) -> None:
    """Its hashable string, and parameters that are computed, can change while its fields are the same."""
    file = tmp_path / "file"
    check_notices(role, kind(str(file)), file.touch)


@ROLES
def test_a_proxy_of_a_member_is_no_member(role: str) -> None:
    """It can stand for another one later, so that it has no key."""
    for _ in range(3):
        with pytest.raises(UnstableKeyError, match="ObjectProxy"):
            caller(role, wrapt.ObjectProxy(Mixed.A))


@ROLES
def test_names_that_are_no_strings_are_refused_as_in_full_calls(role: str) -> None:
    """A frozen object with such a name in its ``__dict__`` has no key, and the error says so."""
    value = new_class()(1.0)
    value.__dict__[1] = 2
    with pytest.raises(UnstableKeyError, match="__dict__ key 1"):
        caller(role, value)


@ROLES
def test_braces_in_names_of_a_class_mean_nothing(role: str) -> None:
    """A class may have an attribute of any name."""
    kind = new_class()
    setattr(kind, "{x}", 1)
    check_notices(role, kind(1.0), lambda: setattr(kind, "helper", not_helped))


# -- parameters --


def test_a_tuple_that_holds_types_is_not_one_of_numbers() -> None:
    """What stands for ``(1.0,)`` among parameters has its type in it; ``(1.0, float)`` is another value."""
    call = caller("parameter", (1.0,))
    other = (1.0, float)
    assert describe(other) in call(other)
    assert describe((1.0,)) in call((1.0,))


def test_an_array_that_was_pickled_has_shortcuts_too() -> None:
    """Its dtype is equal to that of others, and not the same object."""
    array = pickle.loads(pickle.dumps(np.arange(3.0)))
    call = caller("parameter", array)
    assert count_full_calls(lambda: call(array)) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda kind: setattr(kind, "__doc__", "a text"),
        lambda kind: setattr(kind, "__annotations__", {}),
        lambda kind: setattr(kind, "__abstractmethods__", frozenset()),
        lambda kind: setattr(kind, "extra", 1),
        lambda kind: pickle.dumps(kind),
        lambda kind: keyed_by("n")(kind),
        lambda kind: becomes_owner(kind),
    ],
)
@ROLES
def test_shortcuts_come_back_after_what_is_harmless(role: str, change: Callable[[Any], Any]) -> None:
    """A class gets an attribute, or becomes that of owners: full calls notice that once."""
    value = Plain(1.0)
    call = caller(role, value)
    names = dict(vars(Plain))
    try:
        change(Plain)
        for _ in range(3):
            call(value)
        assert count_full_calls(lambda: call(value)) == 0
    finally:
        for name in vars(Plain).keys() - names:
            if not name.startswith("__stored_"):
                delattr(Plain, name)


@dataclasses.dataclass(frozen=True)
class Plain:
    n: float


def becomes_owner(kind: Any) -> None:
    kind.twice = stored(persistent=False)(lambda self: 2 * self.n)
    kind.twice.__set_name__(kind, "twice")
    kind(1.0).twice()


def test_several_arguments_notice_changes_of_a_class() -> None:
    """Of a member among others, the code of its class counts as that of one alone, and shortcuts come back."""

    class Weight(enum.Enum):
        ONE = 1

        def of(self, x: float) -> float:
            return x

    @keyed_by("n")
    class Model:
        n = 1.0

        @stored(persistent=False)
        def value(self, x: Any, weight: Any, grid: Any) -> float:
            return float(weight.of(x) + np.sum(grid))

    model, grid = Model(), np.array([1.0, 2.0])
    for factor in (1.0, 2.0, 3.0):
        Weight.of = lambda self, x, factor=factor: factor * x  # type: ignore[method-assign, misc, assignment]
        for _ in range(3):
            assert model.value(2.0, Weight.ONE, grid) == 2.0 * factor + np.sum(grid)
        assert count_full_calls(lambda: model.value(2.0, Weight.ONE, grid)) == 0
        grid[0] += 1.0


def test_several_arguments_of_which_one_has_no_place() -> None:
    """A set among them is found by a full call, each time."""
    model = Sets()
    for _ in range(4):
        assert model.count(1.0, {1, 2}) == 2.0
    assert model.count.cache_info()[:2] == (3, 1)


@keyed_by("n")
class Sets:
    n = 1.0

    @stored(persistent=False)
    def count(self, x: float, members: set[int]) -> float:
        return x * len(members)
