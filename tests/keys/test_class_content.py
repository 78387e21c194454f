"""All that the body of a class says counts, and nothing that Python adds to it."""

from __future__ import annotations

import collections
import dataclasses
import enum
import math
import statistics
import typing
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from stored import UnstableKeyError
from stored._keys.canonical import Walk, canonical
from stored._keys.class_content import class_content


def content(kind: type, with_code: bool = True) -> str:
    return class_content(kind, Walk(is_of_code=True), with_code)


def made(**said: Any) -> type:
    return type("Made", (), said)


def member(value: Any, **said: Any) -> type:
    names: Any = type(enum.Enum).__prepare__("Made", (enum.Enum,))
    names.update(said)
    names["A"] = value
    return enum.EnumMeta("Made", (enum.Enum,), names)


class Factory:
    """A user's class, with the name of one of attrs."""

    def __init__(self, x: int) -> None:
        self.x = x

    __hash__ = object.__hash__


def of_dataclass(default: Any = 1, options: Any = None, **field: Any) -> type:
    return dataclasses.make_dataclass("S", [("x", Any, dataclasses.field(default=default, **field))], **(options or {}))


def of_attrs(**field: Any) -> type:
    return attrs.make_class("S", {"x": attrs.field(**field)})


def of_named_tuple(*defaults: Any) -> type:
    return collections.namedtuple("P", "a", defaults=defaults)


def first(value: Any) -> Any:
    return value


def second(value: Any) -> Any:
    return value + 1


DIFFERENT: dict[str, tuple[Callable[..., type], list[dict[str, Any]]]] = {
    "compiled functions with names of Python's own": (
        made,
        [{"__call__": staticmethod(each)} for each in (np.sin, np.cos, math.sin, math.cos, statistics.mean)],
    ),
    "constants with such names": (made, [{"__table__": each} for each in ((1, 2), (1, 3), [1], {"a": 1}, 1)]),
    "whatever is in a name": (made, [{"x": 1, "y": 2}, {"x=1, 'y'": 2}, {"x=1, y": 2}]),
    "equality of an own": (made, [{"__hash__": None}, {"__hash__": object.__hash__}, {}]),
    "properties": (
        made,
        [{"p": property(*each)} for each in ((first,), (second,), (first, second), (first, None, second))],
    ),
    "of enumerations": (
        member,
        [{"value": each} for each in (1, 1.0, True, (1,), "a")]
        + [{"value": 1, "__call__": each} for each in (first, second, math.sin, math.cos)]
        + [{"value": 1, "__table__": each} for each in ((1,), (2,))],
    ),
    "defaults, metadata and options of dataclasses": (
        of_dataclass,
        [{"default": each} for each in (1, 1.0, (1,), dataclasses.MISSING, Factory(3), Factory(4))]
        + [{name: value} for name in ("init", "repr", "hash", "compare") for value in (False,)]
        + [{"metadata": {"unit": each}} for each in ("km", "m")]
        + [{"options": {each: True}} for each in ("order", "frozen", "unsafe_hash")],
    ),
    "defaults, metadata and options of attrs": (
        of_attrs,
        [{"default": each} for each in (1, 1.0, (1,), Factory(3))]
        + [{"factory": each} for each in (list, dict)]
        + [{"converter": each} for each in (int, float)]
        + [{"validator": each} for each in (attrs.validators.instance_of(int), attrs.validators.instance_of(str))]
        + [{name: False} for name in ("init", "repr", "eq")]
        + [{"metadata": {"unit": each}} for each in ("km", "m")],
    ),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_what_a_class_says_counts(kind: str) -> None:
    """Each of these classes says something else, and each says the same when it is made once more."""
    make, said = DIFFERENT[kind]
    texts = [content(make(**each)) for each in said]
    assert len(set(texts)) == len(texts)
    assert texts == [content(make(**each)) for each in said]


def test_defaults_of_named_tuples_count() -> None:
    """By their types, and none is another than any."""
    kinds = [of_named_tuple(*each) for each in ((), (1,), ((1,),), (None,), (...,))]
    assert len({*map(content, kinds)}) == len(kinds)


def test_attributes_of_enumerations_that_are_no_members_count() -> None:
    """And properties of an enumeration, which are not those of other classes."""

    def marked(scale: Any) -> type:
        class Made(enum.Enum):
            A = 1
            mark = enum.nonmember(scale)

            @enum.property
            def double(self) -> Any:
                return 2 * self.value

        return Made

    assert content(marked(1)) == content(marked(1)) != content(marked(2))


def test_what_python_adds_does_not_count() -> None:
    """Such as the names of slots, which copying notes."""
    kind = made(x=1)
    before = content(kind)
    kind().__reduce_ex__(2)
    assert "__slotnames__" in vars(kind)
    assert content(kind) == before

    class Drawn(typing.Protocol):
        def draw(self) -> int: ...

    assert [each.partition("=")[0] for each in content(Drawn).split(", ")][:1] == ["'draw'"]
    assert "_no_init" not in content(Drawn)


def test_accessors_count_by_closure_where_their_code_does_not() -> None:
    """All that a property has."""

    def with_property(get: int, set_: int, read: Any = None) -> type:
        return made(p=property(read or (lambda self: get), lambda self, value: set_))

    kinds = [with_property(1, 1), with_property(1, 2), with_property(2, 1), with_property(1, 1, math.sin)]
    assert len({content(each, with_code=False) for each in kinds}) == len(kinds)


def test_what_has_no_form_is_refused() -> None:
    """With its place in the class."""
    with pytest.raises(UnstableKeyError, match=r"it\.poly is a value of type numpy\.poly1d"):
        canonical(made(poly=np.poly1d([1, 2])))
