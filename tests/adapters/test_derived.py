"""Classes of attrs and pydantic need no functions to be registered, and none to be pickled."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest

from stored import register
from stored._adapters import adapter_of
from stored._keys import canonical
from stored._storage.native import NotNativeError
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, comes_back, read_as, user


@register
@attrs.define
class Profile:
    """With slots, a private attribute and one that is not compared."""

    mass: float
    _radii: list[float] = attrs.field(factory=list)
    note: str = attrs.field(default="", eq=False)


@register
@attrs.frozen(slots=False)
class Frozen:
    mass: float
    values: Any = None


@register
@attrs.define
class Sub(Profile):
    z: float = 0.0


@attrs.define
class Unregistered:
    mass: float


@register
@dataclasses.dataclass
class Odd:
    """With a field that only `__init__` takes, and one of the class."""

    mass: dataclasses.InitVar[float]
    doubled: float = dataclasses.field(init=False)

    def __post_init__(self, mass: float) -> None:
        self.doubled = 2 * mass


ALL: dict[str, Any] = {
    "attrs": lambda: Profile(1.0, [2.0], "mine"),
    "frozen attrs": lambda: Frozen(1.0, {"a": (1, None)}),
    "subclass of attrs": lambda: Sub(1.0, [2.0], "mine", 0.5),
    "initvar": lambda: Odd(1.5),
}
round_trips.GOOD |= ALL
round_trips.GOOD["unregistered attrs"] = lambda: Unregistered(1.0)


@pytest.mark.parametrize("name", ALL)
def test_classes_of_attrs_come_back(name: str, tmp_path: Path) -> None:
    """With attributes that are not compared; a second user finds each."""
    assert comes_back(ALL[name]()) == ALL[name]()
    ((first, second),) = by_two_users(tmp_path, [name])
    assert first == second == ALL[name]()
    assert canonical(second) == canonical(ALL[name]())


def test_attributes_that_are_not_compared_count() -> None:
    """In keys, and they come back."""
    assert canonical(Profile(1.0, [], "a")) != canonical(Profile(1.0, [], "b"))
    assert comes_back(Profile(1.0, [], "a")).note == "a"


def test_unregistered_classes_are_pickled(tmp_path: Path) -> None:
    """For their user alone."""
    with pytest.raises(NotNativeError):
        comes_back(Unregistered(1.0))
    for _ in range(2):
        with user(tmp_path, "first"):
            assert round_trips.Maker().made("unregistered attrs") == Unregistered(1.0)
    assert round_trips.Maker.computed.count("unregistered attrs") == 1


def test_forged_attributes_have_names() -> None:
    """What stands for attributes is a dict whose keys are texts."""
    assert comes_back(Frozen(1.0)) == Frozen(1.0)
    entry = round_trips.entry_of(Frozen(1.0))
    assert round_trips.value_in(entry.replace(b'"dict","mass"', b'"list","mass"')) is None
    for plain in ([1], {1: 2}, 3, {("a",): 1}):
        assert read_as(f"{__name__}.Frozen", plain, code_of(Frozen)) is None
    assert read_as(f"{__name__}.Frozen", {"mass": np.float32(1), "values": ()}, code_of(Frozen)) is not None


def code_of(kind: type) -> str:
    """The code that stands in the entry of a value."""
    from stored._adapters import adapter_of
    from stored._storage.registered import Codes

    found = adapter_of(kind)
    assert found is not None
    return Codes()[found]


class Slotted:
    __slots__ = ("a", "b")


class Stated:
    def __getstate__(self) -> Any:
        return "a text"


class Pair(NamedTuple):
    first: int
    second: int


def test_parts_are_named_as_users_write_them() -> None:
    """Attributes, fields and slots; of a state that the class itself makes, none is known."""
    slotted = Slotted()
    slotted.a = 1  # type: ignore[attr-defined]
    register(Slotted)
    register(Stated)
    register(Pair)
    expected: list[tuple[Any, list[tuple[str, Any]]]] = [
        (Frozen(1.0, 2), [(".mass", 1.0), (".values", 2)]),
        (Profile(1.0), [(".mass", 1.0), ("._radii", []), (".note", "")]),
        (Odd(1.5), [(".doubled", 3.0)]),
        (slotted, [(".a", 1)]),
        (Stated(), []),
        (Pair(1, 2), [(".first", 1), (".second", 2)]),
    ]
    for value, parts in expected:
        adapter = adapter_of(type(value))
        assert adapter is not None
        assert adapter.parts is not None
        assert [*adapter.parts(value)] == parts
