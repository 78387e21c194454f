"""Is the code of a class still the same, seen so quickly that each call that has an object of it can look?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stored._keys.class_names import is_library_class
from stored._keys.code_check import InlineTests, each_once
from stored._keys.code_graph import CodeState, state_of
from stored._keys.known_of_class import known_of_class, replace_known
from stored._keys.parameter_names import STRING_METHODS
from stored._keys.unchanged import USER_ATTRIBUTES, TestScope

__all__ = ["ClassWatch", "add_tests_of_member", "class_watch", "may_tell_more"]


class ClassWatch:
    """A class, and what its code reached when it was looked at.

    Parameters
    ----------
    kind : type
        The class.

    Attributes
    ----------
    state : CodeState
        What it reached.
    may_tell_more : bool
        May its objects tell more than their fields, as owners?
    """

    __slots__ = ("_check", "may_tell_more", "state")

    def __init__(self, kind: type) -> None:
        self.state: CodeState = state_of(kind)
        self.may_tell_more = may_tell_more(kind)
        tests = InlineTests({}, frozenset())
        self.add_tests(tests)
        scope = TestScope({}, tests.all_given())
        self._check: Callable[[Any, Any], bool] = scope.compile_check(" and ".join(tests.tests))

    def add_tests(self, tests: InlineTests) -> None:
        """Add the tests that all that it reached is still the same."""
        for each, looks_inside in each_once([watch for node in self.state.nodes for watch in node.watches]):
            tests.watch(each, looks_inside)

    def is_same(self) -> bool:
        """Is all that it reached still the same?"""
        try:
            return self._check(None, None)
        except Exception:  # something is no longer there, or cannot be compared
            return False


def may_tell_more(kind: type) -> bool:
    """Has a class what an owner tells its parameters by, beside fields?"""
    return any(hasattr(kind, name) for name in (*STRING_METHODS, *USER_ATTRIBUTES, "__stored_parameters__"))


def class_watch(kind: type) -> ClassWatch | None:
    """What sees whether the code of a class is the same; None for a class of a library, which never changes."""
    if is_library_class(kind):
        return None
    known: ClassWatch = known_of_class(kind, "watch", lambda: ClassWatch(kind))
    return known if known.is_same() else replace_known(kind, "watch", ClassWatch(kind))


def add_tests_of_member(kind: type, source: str, value: str, size: str, tests: InlineTests) -> ClassWatch | None:
    """Add the tests that a member of an enumeration is what it was: its value, no more attributes, and its class.

    Parameters
    ----------
    kind : type
        The class of the member: one with a value that cannot change, and no attributes of its own.
    source, value, size : str
        The expressions of the member, of the value that it had, and of the number of attributes that Python gave it.
    tests : InlineTests
        The tests.

    Returns
    -------
    ClassWatch or None
        What saw the class; None if that is one of a library.
    """
    tests.tests.append(f"{source}._value_ is {value}")
    tests.tests.append(f"{tests.given(len)}({source}.__dict__) == {size}")
    watch = class_watch(kind)
    if watch is not None:
        watch.add_tests(tests)
    return watch
