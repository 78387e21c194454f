"""Which values does a function close over that count beside a version which the user has given for its code?

That version stands for the code, and not for what a factory was given: functions of one factory have the same code.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any, NamedTuple

from stored._keys.canonical import Walk
from stored._keys.canonical_code import closure_text, function_text, variables_without_value
from stored._keys.closures import variable
from stored._keys.ignored_names import Ignored
from stored._keys.libraries import find_by_name
from stored._keys.unstable_values import UnstableValueError
from stored._keys.watched import NameWatch

__all__ = ["ClosedOver", "closed_over"]


class ClosedOver(NamedTuple):
    """What a function closes over.

    Attributes
    ----------
    texts : tuple of str
        The text of it; none if it is nothing.
    watches : tuple of NameWatch
        What tells whether it is still the same.
    formless : tuple of str
        The variables whose values have no form.
    """

    texts: tuple[str, ...]
    watches: tuple[NameWatch, ...]
    formless: tuple[str, ...]


def closed_over(function: Any, ignored: Ignored) -> ClosedOver:
    """What a function closes over, and the functions that it wraps; of others, that have no name, code counts, too.

    Parameters
    ----------
    function : callable
        The function as it was decorated.
    ignored : Ignored
        The names that do not count.
    """
    walk = _ClosureWalk(function, ignored)
    text = walk.code_part(function, "")
    return ClosedOver((text,) if walk.watches or walk.formless else (), tuple(walk.watches), tuple(walk.formless))


class _ClosureWalk(Walk):
    """The text of what a function closes over."""

    __slots__ = ("_ignored", "_own", "formless", "watches")

    def __init__(self, function: Any, ignored: Ignored) -> None:
        super().__init__(is_of_code=True)
        self._ignored = ignored
        self._own: list[Any] = [function]
        inspect.unwrap(function, stop=self._note_wrapped)
        self.watches: list[NameWatch] = []
        self.formless: list[str] = []

    def _note_wrapped(self, function: Any) -> bool:
        self._own.append(getattr(function, "__wrapped__", None))
        return False

    def text(self, value: Any) -> str:
        return self.entered(value, self._function_text) if type(value) is FunctionType else super().text(value)

    def _function_text(self, function: FunctionType, _: Walk) -> str:
        left_out = variables_without_value(function)
        for name in function.__code__.co_freevars:
            if name not in left_out and not self.leaves_out(name):
                self.watches.append(NameWatch(function, (name,), variable(function, name)))
        if any(function is each for each in self._own):
            return f"function({closure_text(function, self)})"
        found = find_by_name(function.__module__, function.__qualname__)
        return function_text(function, self, with_code=getattr(found, "__wrapped__", found) is not function)

    def leaves_out(self, name: str) -> bool:
        """The class of a method, which it has for super(), is told by the method's name."""
        return name == "__class__" or self._ignored.has(name)

    def code_part(self, value: object, step: str) -> str:
        position, lowest = len(self._open), self._lowest
        try:
            return super().code_part(value, step)
        except (UnstableValueError, RecursionError):
            self._close(position)
            self._lowest = lowest
            self.formless.append(step.removeprefix("."))
            return "without a form"
