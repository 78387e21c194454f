"""Values of all kinds that quick ways know, with classes made anew, and what can happen to them in place."""

from __future__ import annotations

import copy
import dataclasses
import enum
import itertools
import pickle
import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import attrs
import numpy as np

NUMBER_TYPES: list[Any] = [np.bool, *[np.dtype(char).type for char in "bBhHiIlLqQefdgFDG"]]


def numbers_of(kind: Any) -> list[Any]:
    """Numbers of a type of numpy: also the largest, and those that are not finite, or not equal to themselves."""
    if issubclass(kind, np.inexact):
        limits = np.finfo(kind)
        others = [limits.max, limits.tiny, -0.0, 0.0, np.inf, np.nan]
        others += [complex(np.nan, 1.0), complex(1.0, -0.0)] if issubclass(kind, np.complexfloating) else []
        return [kind(each) for each in (1, 1.5, *others)]
    return [kind(0), kind(1), *([] if kind is np.bool else [np.iinfo(kind).max, np.iinfo(kind).min])]


def describe(value: Any) -> str:
    """All that a method can see of a value, but for what keys leave out: how arrays lie in memory."""
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__} {value.dtype} {value.shape} {value.tolist()}"
    if type(value) in {tuple, list}:
        return f"{type(value).__name__}({', '.join(map(describe, value))})"
    if isinstance(value, dict):
        return f"{type(value).__name__}({[(key, describe(each)) for key, each in value.items()]})"
    return str(value.tell()) if hasattr(value, "tell") else f"{type(value).__name__} {value!r}"


def tell(value: Any) -> str:
    """What an object of a class made here is by now, by methods and attributes of its class too."""
    others = [value.word, value.table, value.helper(), value.origin()]
    return f"{type(value).__name__} {describe(value.content())} {others!r}"


class First:
    def origin(self) -> str:
        return "first"


class Second:
    def origin(self) -> str:
        return "second"


class Red(enum.StrEnum):
    RED = "red"


def helped(self: object) -> str:
    return "helped"


def not_helped(self: object) -> str:
    return "not helped"


class Anything:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __call__(self, *_: object) -> str:
        return "anything"


class Told:
    """What classes made here have, whose fields are `n` and `items`."""

    word: ClassVar[Any] = "red"
    table: ClassVar[Any] = [["a"], ["b"]]
    helper = helped
    origin = First.origin
    tell = tell

    def content(self: Any) -> Any:
        return [self.n, self.items, getattr(self, "extra", None)]


def common() -> dict[str, Any]:
    """The attributes of a new class."""
    return {name: each for name, each in vars(Told).items() if not name.startswith("__")} | {
        "table": copy.deepcopy(Told.table),
        "__module__": __name__,
    }


FIELDS = {"__annotations__": {"n": Any, "items": Any}, "items": ()}


def new_frozen(slots: bool) -> Any:
    """A frozen dataclass, of which a base can get another base."""
    body = common() | FIELDS
    del body["origin"]
    made = type("Frozen", (type("Root", (First,), {"__slots__": ()}),), body)
    return dataclasses.dataclass(frozen=True, slots=slots)(made)


def new_attrs(slots: bool) -> Any:
    return attrs.frozen(slots=slots)(type("Attrs", (), common() | FIELDS))


def new_named_tuple() -> Any:
    base = NamedTuple("Base", [("n", Any), ("items", Any)])  # noqa: UP014  # its class is made by a function
    return type("Named", (base,), common() | {"__slots__": ()})


def new_enum(base: Any, values: list[Any]) -> Any:
    """An enumeration, of which members tell their names, values, and what Python's operators make of them."""

    def fill(body: dict[str, Any]) -> None:
        body["helper"], body["tell"] = helped, tell_of_member
        for name, each in zip("ABC", values, strict=False):
            body[name] = each

    return types.new_class("Kind", (base,), exec_body=fill)


def tell_of_member(member: Any) -> str:
    both = member | member if isinstance(member, enum.Flag) else member
    own = sorted([pair for pair in vars(member).items() if not pair[0].startswith("_")])
    return f"{both!r} {member._name_} {describe(member._value_)} {own} {member.helper()} {member:}"


class Kinds:
    """New classes, and values of these and of all other kinds."""

    def __init__(self) -> None:
        self.frozen = [new_frozen(slots) for slots in (False, True)]
        self.attrs = [new_attrs(slots) for slots in (False, True)]
        self.named = new_named_tuple()
        self.number = type("Number", (float,), {"tell": lambda self: f"Number {float(self)!r}"})
        plain, listed = new_enum(enum.Enum, [1, "two", (3.0, None)]), new_enum(enum.Enum, [[1], {"a": [2]}])
        self.enums = [plain, listed, new_enum(enum.IntEnum, [1, 2]), new_enum(enum.Flag, [1, 2])]
        self.shared = np.arange(6.0)

    def values(self) -> dict[str, list[Any]]:
        """Values, by kind; in the same order each time."""
        shared = self.shared
        locked = np.arange(3.0)
        locked.flags.writeable = False
        arrays = [np.array(1.5), np.arange(2.0), np.arange(3), np.arange(1000.0), np.array([np.nan, -0.0]), locked]
        arrays += [shared[1:4], shared[::-2], shared.reshape(2, 3), shared.reshape(2, 3).T, np.empty(0)]
        arrays += [np.asfortranarray(np.arange(400.0).reshape(20, 20)), np.arange(400.0).reshape(20, 20)[::2, ::3].T]
        arrays += [np.arange(2, dtype=">f8"), np.array(["a", "b"]), np.arange(2, dtype=np.longdouble)]
        arrays += [pickle.loads(pickle.dumps(np.arange(2.0))), np.array([1.0, "a"], dtype=object)]
        arrays += [np.ma.masked_array([1.0, 2.0], [True, False]), np.zeros(2, [("x", "f8"), ("y", "i4")])]
        makers: list[Callable[..., Any]] = [*self.frozen, *self.attrs, self.named]
        objects = [make(n) if make is not self.named else make(n, ()) for make in makers for n in (1, 1.0, np.nan)]
        objects += [make(1.0, [np.arange(2.0)]) for make in makers]
        objects += [make(makers[number - 1](2.0, (1,)), {"a": 1}) for number, make in enumerate(makers)]
        members = [each for kind in self.enums for each in kind] + [self.enums[-1](3), self.enums[-1](0)]
        return {
            "numbers": [*itertools.chain(*map(numbers_of, NUMBER_TYPES)), self.number(1.0), 2**64 + 1, -(2**70), True],
            "plain": [1, 1.0, 0.0, -0.0, float("nan"), 1j, "red", b"red", None, np.str_("red"), Red.RED, "1"],
            "tuples": [
                *[(), (1,), (1.0,), (True,), (1.0, float), (np.float64(1.0),), (np.float32(1),), ((1,), 2.0)],
                *[(float("nan"),), (np.nan, (np.float64("nan"),)), (shared[:2], 1), ([1], "a"), ("red", Red.RED)],
            ],
            "containers": [
                *[[], [1], [1.0], [True], [np.float64(1.0)], [np.nan], [[1.0], "a"], [shared[:2]], list(range(300))],
                *[{}, {"a": 1}, {"a": 1.0}, {1: 2}, {True: 2}, {"a": [1], "b": ()}, OrderedDict(a=1), {"b": 1, "a": 1}],
            ],
            "arrays": arrays,
            "objects": objects,
            "members": members,
        }


def change(value: Any, how: int) -> None:
    """Change a value in place, if that can be done."""
    own = getattr(type(value), "tell", None) is not None
    if isinstance(value, np.ndarray):
        (value if value.flags.writeable or value.base is None else value.base).flat[0] = how
    elif isinstance(value, list):
        value.append(how)
    elif isinstance(value, dict):
        value["b"] = how
    elif own and isinstance(value, enum.Enum):
        name = ("extra", "_value_", "_name_", "extra")[how]
        setattr(value, name, [how, value._value_, f"N{how}"][min(how, 2)] if how else how)
    elif own and not isinstance(value, tuple | float | enum.Enum):
        object.__setattr__(value, ("n", "items", "extra", "n")[how], [how])
    elif isinstance(value, tuple):
        for each in value:
            change(each, how)


def change_inside(value: Any, how: int) -> None:
    """Change what an object contains."""
    for each in (getattr(value, "items", None), getattr(value, "_value_", None)):
        if isinstance(each, list | dict):
            change(each, how)


def rebind(kind: Any, how: int) -> None:
    """Rebind an attribute of a class."""
    names = ("helper", "word", "helper", "word")
    setattr(kind, names[how], (not_helped, Red.RED, Anything(), np.str_("red"))[how])


def rebind_of_python(kind: Any, how: int) -> None:
    """Rebind what Python or a decorator has put into a class, or what does not count."""
    name = ("__or__", "__format__", "__doc__", "__annotations__")[how]
    setattr(kind, name, (lambda *_: "mine", lambda *_: "mine", "a text", {})[how])


def change_bases(kind: Any, how: int) -> None:
    """Let a base inherit from another class, or from the same."""
    root = next(each for each in kind.__mro__ if each.__name__ == "Root")
    root.__bases__ = ((Second,), (First,))[how % 2]


def change_table(kind: Any, how: int) -> None:
    """Change a list inside of a list that the class has."""
    kind.table[how % 2].append(how)


CHANGES: list[Callable[[Any, int], None]] = [change, change_inside]

CHANGES_OF_CLASS: list[Callable[[Any, int], None]] = [rebind, rebind_of_python, change_bases, change_table]
