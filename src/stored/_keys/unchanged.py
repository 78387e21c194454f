"""Are the parameters of an owner still the same? A check that computes nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["ATOMIC", "OWN_TEST", "USER_ATTRIBUTES", "UnchangedCheck", "compile_check", "no_storage_user_checks"]

USER_ATTRIBUTES = ("storageUser", "su")
"""Where an owner holds its `StorageUser`."""

ATOMIC = (float, int, str, bool, type(None), bytes, complex)
"""Types whose objects can never change: the same object is the same value."""


class UnchangedCheck(NamedTuple):
    """How to see, without computing anything, that an owner's parameters are still the same.

    Attributes
    ----------
    test : str
        A Python expression in ``{owner}``, ``{expected}``, ``{type}`` and ``{getattr}``. False and `AttributeError` prove
        nothing.
    known : mapping of str to object
        The attributes of ``{expected}``.
    refers_to_owner : bool
        Can what is known refer to the owner? Then nothing but the owner itself may keep it.
    """

    test: str
    expected: Mapping[str, Any]
    refers_to_owner: bool = False


@functools.lru_cache(maxsize=256)
def compile_check(test: str) -> Callable[[Any, Any], bool]:
    """The expression of a `UnchangedCheck` as a function of owner and known: it takes a fifth of the time of a loop."""
    expression = test.format(owner="owner", expected="expected", type="type", getattr="getattr")
    made: Callable[[Any, Any], bool] = eval(f"lambda owner, expected: {expression}")  # noqa: S307  # identifiers only
    return made


OWN_TEST = "{type}({owner}) is {expected}.own"
"""What every proof begins with."""


def no_storage_user_checks(own: type, before: str | None = None) -> list[str] | None:
    """Tests that an owner holds no `StorageUser`, or none in an attribute that comes before one of them.

    None if there are no such tests: of an attribute that an object has not, ``__getattr__`` may answer for another.
    """
    names = USER_ATTRIBUTES[: None if before is None else USER_ATTRIBUTES.index(before)]
    if names and hasattr(own, "__getattr__"):
        return None
    return [f"{{getattr}}({{owner}}, {name!r}, None) is None" for name in names]
