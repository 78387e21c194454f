"""Code that may compute something else has another version."""

from __future__ import annotations

import datetime
import functools
import math
import sys
import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stored import UnstableKeyError
from stored._keys import code_version, version_for_class
from tests.keys.models import Base, Colour, Dark, function_of, plus_one, plus_two, power, square
from tests.keys.values import PlainObject


def version(function: Any) -> str:
    return code_version(function, "", ())


def around(k: Any, helper: Any = None) -> Any:
    count = 0

    def method(x: Any) -> Any:
        nonlocal count
        count += 1
        return later if x is None else helper(x) * k * count

    if k == "later":
        later = 1
    return method


def times(k: Any) -> Any:
    def helper(x: Any) -> Any:
        return x * k

    return helper


def test_all_that_has_a_form_in_a_closure_counts() -> None:
    """Constants, containers by content, functions, classes and objects; what has no form is refused with its place."""
    partial = functools.partial
    values = [(1, 2), (1, 3), np.float64(4), np.sin, math.sin, math.cos, frozenset("a"), frozenset("b"), Colour.RED]
    values += [Fraction(1, 3), datetime.date(2020, 1, 1), np.dtype("f4"), partial(power, 1), partial(power, 2)]
    values += [partial(power, n=1), Dark, Base, (power(2), 1), (power(3), 1), functools.lru_cache(power(2))]
    values += [
        [1],
        [2],
        {"a": 1},
        {"a": 2},
        {1},
        bytearray(b"a"),
        np.arange(2),
        np.arange(3),
        Dark(1),
        PlainObject([1]),
    ]
    values += [[1].append, frozenset([Dark(1)]), object()]
    assert len({version(power(each)) for each in values}) == len(values)
    assert version(power(threading.Lock())) == version(power(threading.Lock()))
    with pytest.raises(UnstableKeyError, match=r"code of power.*n\[0\] is a value of type builtins.object.*version="):
        version(power([object()]))
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    with pytest.raises(UnstableKeyError, match=r"code of power.*nested too deeply"):
        version(power(deep))
    assert version(power([1])) == version(power([1]))


def test_a_counter_does_not_count() -> None:
    """A variable that the method rebinds has no part in its version, and one without a value yet is none."""
    counting = around(2, times(1))
    before = version(counting)
    counting(1)
    assert version(counting) == before
    assert version(around("later")) != version(around("sooner"))


def test_helpers_of_a_closure_count() -> None:
    """By their code and by their own closure, also where they call themselves."""
    helpers = (times(1), times(2), times([1]), abs, function_of("f = lambda x: x"), around(1))
    assert len({version(around(2, helper)) for helper in helpers}) == len(helpers)
    assert version(around(2, times(1))) == version(around(2, times(1)))

    def itself(x: int) -> int:
        return itself(x - 1) if x else 0

    assert version(itself) == version(itself)


def test_classes_of_a_closure_count() -> None:
    """With what the factory gave to them; the class of a method itself is no part of its version."""

    def made(k: Any) -> Any:
        class Own:
            order = k

            def method(self) -> Any:
                return Own

            def parent(self) -> Any:
                return super().__str__()

        return Own

    assert version(made(1).method) == version(made(1).method) != version(made(2).method)
    assert version(made(1).parent) == version(made(2).parent)
    assert version(around(int)) != version(around(float))


def test_decorators_in_between_count_by_code_and_closure() -> None:
    """What is wrapped counts, and each wrapper, with what it closed over."""
    wrapped = [plus_one(square), plus_two(square), plus_one(power(2)), plus_one(power(3)), plus_one(plus_one(square))]
    assert len({version(each) for each in wrapped}) == len(wrapped)
    assert version(plus_one(power(2))) == version(plus_one(power(2)))


def test_objects_that_have_any_attribute_are_no_wrappers() -> None:
    """An object that makes any attribute on request is not followed for ever."""

    class Anything:
        def __getattr__(self, name: str) -> Any:
            return Anything()

    assert version(around(Anything())) == version(around(Anything()))


def test_wrappers_in_a_circle_end() -> None:
    """A function that wraps itself counts once."""

    def circle() -> None: ...

    circle.__wrapped__ = circle  # type: ignore[attr-defined]
    assert version(circle) == version(circle)


def test_a_given_version_stands_for_the_code() -> None:
    """Then nothing of the function counts."""
    assert version(None) != code_version(None, "version 2", ()) != code_version(None, "version 2", ((1,),))


def test_bases_count() -> None:
    """An inherited method may call what any of the bases of a class has."""

    class First(Base):
        pass

    class Second(Base):
        pass

    kinds = [Base, First, type("Sub", (First,), {}), type("Sub", (Second,), {}), type("Sub", (First, Second), {})]
    assert len({version_for_class("1", each, ()) for each in kinds}) == len(kinds)
    assert version_for_class("1", Base, ()) == version_for_class("1", Dark, ()) == "1"
    assert len({version_for_class("1", Base, code) for code in ((), ("a",), ("b",), ("a", "b"))}) == 4
