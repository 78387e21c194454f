"""What a factory gives to its functions and classes counts, if it cannot change."""

from __future__ import annotations

import datetime
import functools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from stored._keys import canonical, constant_closure
from tests.keys.models import Base, Colour, Dark, function_of, plus_one, plus_two, power, square


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


def test_constants_of_a_closure() -> None:
    """What cannot change counts; counters, lists and names that are not bound yet do not."""
    assert constant_closure(around(2)) == {"k": 2, "helper": None}
    assert constant_closure(around([2])) == {"helper": None}
    assert constant_closure(around("later")) == {"k": "later", "helper": None, "later": 1}


def test_constants_of_any_kind_in_a_closure_count() -> None:
    """All that never changes and has a text distinguishes a factory's functions; what can change is left out."""
    partial = functools.partial
    constants = [(1, 2), (1, 3), np.float64(4), np.sin, math.sin, math.cos, frozenset("a"), frozenset("b"), Colour.RED]
    constants += [Fraction(1, 3), datetime.date(2020, 1, 1), np.dtype("f4"), partial(power, 1), partial(power, 2)]
    constants += [partial(power, n=1), Dark, Base, (power(2), 1), (power(3), 1), functools.lru_cache(power(2))]
    texts = {canonical(constant_closure(power(each))) for each in constants}
    assert len(texts) == len(constants)
    mutable: list[Any] = [[1], {"a": 1}, {1}, bytearray(b"a"), np.arange(2), object(), Dark(1), [].append]
    mutable += [frozenset([Dark(1)]), np.frompyfunc(math.sin, 1, 1)]
    assert [constant_closure(power(each)) for each in mutable] == [{}] * len(mutable)


def test_functions_of_a_closure() -> None:
    """A helper counts by its code and by its own closure, itself excepted."""
    closures = [
        constant_closure(around(2, helper))
        for helper in (times(1), times(2), abs, function_of("f = lambda x: x"), around(1))
    ]
    assert len({str(each) for each in closures}) == 5
    assert str(closures[0]) == str(constant_closure(around(2, times(1))))

    def itself(x: int) -> int:
        return itself(x - 1) if x else 0

    assert constant_closure(itself) == {}


def test_classes_of_a_closure() -> None:
    """A class counts by its name, one made in a function by what that gave to it; its own methods do not count it."""

    def made(k: Any) -> Any:
        class Own:
            order = k

            def method(self) -> Any:
                return Own, __class__  # type: ignore[name-defined]

        return Own

    assert constant_closure(made(1).method) == constant_closure(made(1).method) != constant_closure(made(2).method)
    assert constant_closure(around(int)) != constant_closure(around(float))


def test_decorators_in_between_count_by_code_and_closure() -> None:
    """What is wrapped counts, and each wrapper, with what it closed over."""
    wrapped = [plus_one(square), plus_two(square), plus_one(power(2)), plus_one(power(3)), plus_one(plus_one(square))]
    assert len({canonical(constant_closure(each)) for each in wrapped}) == len(wrapped)
    assert canonical(constant_closure(plus_one(power(2)))) == canonical(constant_closure(plus_one(power(2.0))))


def test_objects_that_have_any_attribute_are_no_wrappers() -> None:
    """An object that makes any attribute on request is not followed for ever."""

    class Anything:
        def __getattr__(self, name: str) -> Any:
            return Anything()

    assert constant_closure(around(Anything())) == {"helper": None}


def test_wrappers_in_a_circle_end() -> None:
    """A function that wraps itself counts once."""

    def circle() -> None: ...

    circle.__wrapped__ = circle  # type: ignore[attr-defined]
    assert constant_closure(circle) == {}
