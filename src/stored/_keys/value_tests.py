"""How is it tested, in the check of a shortcut, that an attribute still has its value?"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stored._keys.change_key import Same, part_of
from stored._keys.class_watch import add_tests_of_member
from stored._keys.code_check import InlineTests
from stored._keys.immutable_values import is_immutable
from stored._keys.object_parts import is_plain_member
from stored._keys.unchanged import ATOMIC_SET, UnchangedCheck

__all__ = ["Changing", "ValueTest", "joined_check", "steady_values", "value_test"]


class Changing:
    """Stands for a value that can change, or whose class can.

    Parameters
    ----------
    part : Hashable
        What it contained when it was looked at.
    member : Enum or None
        Itself, if it is a member of an enumeration: the class keeps it.
    """

    __slots__ = ("member", "part")

    def __init__(self, part: Hashable, member: Any = None) -> None:
        self.part = part
        self.member = member


class ValueTest(NamedTuple):
    """A test that an expression has a value.

    Attributes
    ----------
    test : str
        An expression, as that of an `UnchangedCheck`.
    expected : mapping of str to object
        Names and values of attributes of ``{expected}``.
    is_rebound : bool
        May another object of equal value be put in the place of the expected one?
    """

    test: str
    expected: Mapping[str, Any]
    is_rebound: bool = False


def steady_values(values: tuple[Any, ...], parts: Any) -> tuple[Any, ...]:
    """Values, with what stands for those that can change; an ellipsis where nothing does, which is not kept alive.

    Parameters
    ----------
    values : tuple
        The values.
    parts : tuple of Hashable or None
        What `lasting` gives for them.
    """
    if parts is None:
        return tuple([each if type(each) in ATOMIC_SET else ... for each in values])
    return tuple(
        [
            each if is_immutable(each) else Changing(part, each if issubclass(type(each), enum.Enum) else None)
            for each, part in zip(values, parts, strict=True)
        ]
    )


def value_test(source: str, name: str, value: Any) -> ValueTest | None:
    """A test that an expression has a value; None if there is none.

    Parameters
    ----------
    source : str
        The expression.
    name : str
        The attribute of ``{expected}`` that the test may use, and the beginning of others.
    value : object
        The value, or what `steady_values` has for it.
    """
    if type(value) is not Changing:
        return ValueTest(f"{source} is {{expected}}.{name}", {name: value}, True) if is_immutable(value) else None
    part: Any = value.part
    if value.member is not None and is_plain_member(value.member):
        return _test_of_member(source, name, value.member, part[1])
    if part[0] is np.ndarray and type(part[-1]) is bytes and len(part) == _PARTS_OF_SMALL_ARRAY:
        return _test_of_array(source, name, *part[1:])
    return ValueTest(f"{{expected}}.part_of({source}) == {{expected}}.{name}", {name: part, "part_of": part_of})


def joined_check(
    check: UnchangedCheck, tests: Sequence[ValueTest | None], others: Mapping[str, Any] | None = None
) -> UnchangedCheck | None:
    """A check with tests of further values; None if there is none of one.

    Parameters
    ----------
    check : UnchangedCheck
        The check.
    tests : sequence of (ValueTest or None)
        The tests.
    others : mapping of str to object, optional
        Further attributes of ``{expected}``, for values that are no attributes: none of them can be rebound.
    """
    found = [each for each in tests if each is not None]
    if len(found) < len(tests):
        return None
    expected = {**check.expected, **(others or {})}
    for each in found:
        expected |= each.expected
    names = [next(iter(each.expected)) if each.is_rebound else None for each in found]
    return check._replace(
        test=" and ".join([check.test, *[each.test for each in found]]),
        expected=expected,
        rebound=None if check.rebound is None or others else (*check.rebound, *names),
    )


def _test_of_member(source: str, name: str, member: Any, code: Any) -> ValueTest | None:
    """It is the same member, with the same value and no other attributes, of a class with the same code."""
    tests = InlineTests({}, frozenset(), f"{{expected}}.{name}_")
    tests.expect(f"(_stored_value := {source})", member)
    tests.expect("_stored_value._name_", member._name_)
    known = tests.given(member._value_), f"{len(vars(member))}"
    watch = add_tests_of_member(type(member), "_stored_value", *known, tests)
    if watch is not None and Same(watch.state) != code:
        return None
    given = {each.removeprefix("{expected}."): value for each, value in tests.all_given().items()}
    return ValueTest(" and ".join(tests.tests), given)


_PARTS_OF_SMALL_ARRAY = 4


def _test_of_array(source: str, name: str, char: str, shape: tuple[int, ...], content: bytes) -> ValueTest:
    """It is an array of the same dtype, shape and content."""
    tests = [
        f"{{type}}(_stored_value := {source}) is {{expected}}.ndarray",
        f"_stored_value.tobytes() == {{expected}}.{name}",
        f"_stored_value.shape == {{expected}}.{name}_shape",
        f"_stored_value.dtype == {{expected}}.{name}_dtype",
    ]
    expected = {"ndarray": np.ndarray, name: content, f"{name}_shape": shape, f"{name}_dtype": np.dtype(char)}
    return ValueTest(" and ".join(tests), expected)
