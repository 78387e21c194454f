"""Which arguments does a function take? `functools.wraps` shows those of another one, which a wrapper may not take."""

from __future__ import annotations

import inspect
from typing import Any

from stored._keys.unchanged import ATOMIC_SET

__all__ = ["VARIADIC", "call_signature"]

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
"""The kinds of parameters that take any number of arguments."""


def call_signature(function: Any, label: str) -> inspect.Signature:
    """The signature of a function: its own, or that of what it wraps if it passes on any number of arguments.

    Parameters
    ----------
    function : callable
        The function.
    label : str
        What messages call it.

    Raises
    ------
    TypeError
        If a wrapper takes others than it shows.
    """
    innermost = inspect.unwrap(function, stop=_tells_its_own)
    shown = inspect.signature(innermost, follow_wrapped=False)
    while function is not innermost:
        own = _own_signature(function)
        if own is not None and _takes_others(own, shown):
            raise TypeError(
                f"{label}() is a wrapper that takes {own}, and shows {shown} by functools.wraps, so that its calls"
                " cannot be told apart; let it take *args and **kwargs alone, or all its arguments by name"
            )
        function = function.__wrapped__
    return shown


def _tells_its_own(function: Any) -> bool:
    if hasattr(function, "__signature__"):
        return True
    own = _own_signature(function)
    return own is not None and not any(each.kind in VARIADIC for each in own.parameters.values())


def _own_signature(function: Any) -> inspect.Signature | None:
    """What a function takes itself; None if nobody can tell, as of some that C defines."""
    try:
        return inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return None


def _takes_others(own: inspect.Signature, shown: inspect.Signature) -> bool:
    """Has a wrapper arguments by name, beside the first, that stand elsewhere in what it shows?"""
    expected = list(shown.parameters.values())
    by_name = {each.name: each for each in expected if each.kind is each.KEYWORD_ONLY}
    for number, each in enumerate(own.parameters.values()):
        if each.kind in VARIADIC:
            continue
        found = by_name.get(each.name) if each.kind is each.KEYWORD_ONLY else next(iter(expected[number:]), None)
        is_other_name = found is None or (found.name != each.name and (number > 0 or each.default is not each.empty))
        if is_other_name or not _is_same(each.default, found and found.default):
            return True
    return False


def _is_same(default: Any, other: Any) -> bool:
    return default is other or (type(default) is type(other) and type(other) in ATOMIC_SET and default == other)
