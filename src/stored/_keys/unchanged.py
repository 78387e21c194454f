"""What is a quick check that parameters are unchanged? Its form; the classes in `owner_parameters` make one."""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, NamedTuple

__all__ = [
    "ATOMIC_SET",
    "SAME_CLASS_TEST",
    "USER_ATTRIBUTES",
    "TestScope",
    "UnchangedCheck",
    "compile_check",
    "compile_rebinding",
    "is_attribute_name",
    "no_storage_user_checks",
]

USER_ATTRIBUTES = ("storageUser", "su")
"""Where an owner holds its `StorageUser`."""

ATOMIC_SET = frozenset((float, int, str, bool, type(None), bytes, complex))
"""Types whose objects can never change: the same object is the same value."""


def is_attribute_name(name: str) -> bool:
    """Can a test read an attribute by a dot and this name? Others are set by ``setattr`` or in ``__dict__``."""
    return name.isidentifier() and not keyword.iskeyword(name)


class UnchangedCheck(NamedTuple):
    """How to see, without computing anything, that an owner's parameters are still the same.

    Attributes
    ----------
    test : str
        A Python expression in ``{owner}``, ``{expected}``, ``{type}`` and ``{getattr}``. If it is true, the parameters
        are the same; if it is false or raises `AttributeError`, they may or may not be.
    expected : mapping of str to object
        Names and values of the attributes of ``{expected}``.
    refers_to_owner : bool
        Can an expected value refer to the owner? Then only the owner itself may refer to this check, so that the owner
        can be freed.
    rebound : tuple of (str or None), optional
        The attributes of ``{expected}`` that have the values of the parameters, in their order: other objects of equal
        value may be put there. None in the place of one that no attribute has; None alone if the parameters have to be
        asked for in the full way after each change.
    scope : TestScope, optional
        Where other names in the test are looked up.
    """

    test: str
    expected: Mapping[str, Any]
    refers_to_owner: bool = False
    rebound: tuple[str | None, ...] | None = None
    scope: TestScope | None = None


class TestScope:
    """Where the names in tests are looked up.

    Parameters
    ----------
    names : dict
        The global names of a module.
    given : mapping of str to object
        What tests compare with, under names that no other scope has.
    """

    def __init__(self, names: dict[str, Any], given: Mapping[str, Any]) -> None:
        self.names = names or {"__name__": __name__}  # which profilers ask for
        self.given = given
        self._compiled: dict[str, Callable[[Any, Any], bool]] = {}

    def compile_check(self, test: str) -> Callable[[Any, Any], bool]:
        """The test of an `UnchangedCheck` as a function of owner and expected values."""
        found = self._compiled.get(test)
        if found is None:
            parts = {each: f"_stored_{each}" for each in ("owner", "expected", "type", "getattr")}
            given = {"_stored_type": type, "_stored_getattr": getattr, **self.given}
            source = f"lambda {', '.join(given)}: lambda _stored_owner, _stored_expected: {test.format(**parts)}"
            inner = eval(source, {"__name__": __name__})(*given.values())  # noqa: S307  # identifiers only
            found = FunctionType(inner.__code__, self.names, "check", None, inner.__closure__)
            self._compiled[test] = found
        return found


@functools.lru_cache(maxsize=256)
def compile_check(test: str) -> Callable[[Any, Any], bool]:
    """The test of an `UnchangedCheck` as a function of owner and expected values.

    With five floats and CPython 3.11, the compiled test takes 60 ns of a hit of 380 ns. In its place,
    ``attrgetter(*names)(owner) == values`` behind a check of the class takes 125 ns, a sixth of a hit more; and since
    ``1 == True``, the types of the values would have to be compared too, which makes it 340 ns.
    """
    expression = test.format(owner="owner", expected="expected", type="type", getattr="getattr")
    check: Callable[[Any, Any], bool] = eval(f"lambda owner, expected: {expression}")  # noqa: S307  # identifiers only
    return check


@functools.lru_cache(maxsize=256)
def compile_rebinding(names: tuple[str | None, ...] | None) -> Callable[[Any, tuple[Any, ...]], None] | None:
    """A function that gives these attributes of expected values other objects; None without names."""
    if names is None:
        return None
    if not any(names):
        return _rebind_nothing
    scope: dict[str, Any] = {"__name__": __name__}  # which profilers ask for
    targets = ", ".join(["_" if name is None else f"expected.{name}" for name in names])
    exec(f"def rebind(expected, values):\n    {targets}, = values", scope)  # noqa: S102  # identifiers only
    rebind: Callable[[Any, tuple[Any, ...]], None] = scope["rebind"]
    return rebind


def _rebind_nothing(expected: object, values: tuple[Any, ...]) -> None:
    """Expect the same as before, of which no object is compared."""


SAME_CLASS_TEST = "{type}({owner}) is {expected}.owner_class"
"""The first condition of every test."""


def no_storage_user_checks(owner_class: type, before: str | None = None) -> list[str] | None:
    """Conditions for tests: the owner holds no `StorageUser`.

    Parameters
    ----------
    owner_class : type
        The class of the owner.
    before : str, optional
        Only the attributes of `USER_ATTRIBUTES` that come before this one must be empty.

    Returns
    -------
    list of str or None
        None if no conditions can tell: the class has a ``__getattr__``, which may return what another object holds.
    """
    names = USER_ATTRIBUTES[: None if before is None else USER_ATTRIBUTES.index(before)]
    if names and hasattr(owner_class, "__getattr__"):
        return None
    return [f"{{getattr}}({{owner}}, {name!r}, None) is None" for name in names]
