"""What is one call of a stored method? It has its arguments and their key, and computes the result."""

from __future__ import annotations

import copy as copying
import inspect
from typing import Any, NamedTuple

import numpy as np

from stored._keys import ATOMIC
from stored._methods.definition import Definition
from stored._storage import CachedResult, copy_for_caller, freeze
from stored._tables import spline

__all__ = ["Call"]


def is_hash_stable(value: Any) -> bool:
    """Can a dictionary find results by an argument: has every value that is equal to it the same key?"""
    return type(value) in ATOMIC and value == value  # NaN is not equal to itself


def _widened(value: Any) -> Any:
    """The Python number for a numpy integer, or for a numpy number of less than double precision."""
    if type(value) is tuple:
        return tuple([_widened(each) for each in value])
    if isinstance(value, np.bool | np.integer | np.float16 | np.float32 | np.complex64):
        return value.item()
    return value


class Call(NamedTuple):
    """One call of a stored method."""

    definition: Definition
    bound: inspect.BoundArguments
    arguments: tuple[tuple[str, str], ...]

    def compute(self) -> Any:
        """Call the plain method, or sample it along its axes."""
        definition = self.definition
        if definition.axes:
            from stored._tables import tabulate

            return freeze(tabulate(self.evaluate, definition.axes, definition.label))
        value = self._copied(self.evaluate()) if definition.copy else self.evaluate()
        try:
            return freeze(value)
        except TypeError as error:
            raise TypeError(f"the result of {definition.label}() cannot be stored: {error}") from None

    def _copied(self, value: Any) -> Any:
        try:
            return copying.deepcopy(value)
        except Exception as error:  # whatever the value's own class raises
            raise TypeError(
                f"{self.definition.label}() returned a {type(value).__qualname__} that cannot be copied ({error}), as"
                " copy=True asks; return something that can, or leave copy out"
            ) from error

    def cached_result(self, value: Any, seconds: float) -> CachedResult:
        """The result as memory keeps it: the value, the spline over a table, or the interpolant along the axes."""
        definition = self.definition
        if definition.returns_table:
            return CachedResult(spline(value, definition.label), None, seconds)
        if definition.axes:
            from stored._tables import make_interpolant

            return CachedResult(make_interpolant(definition.axes, value, definition.label), None, seconds)
        return CachedResult(value, copy_for_caller(value, definition.copy), seconds)

    def shortcut_key(self, result: CachedResult) -> Any:
        """The key of a result in a shortcut: plain arguments, or a function that computes such results; or None."""
        definition = self.definition
        values = [self.bound.arguments[name] for name in definition.shortcut_arguments]
        if definition.is_scalar:
            return result.value.scalar if type(values[0]) is float else None
        if not definition.has_result_table or result.copy is not None or not all(map(is_hash_stable, values)):
            return None
        return values[0] if len(values) == 1 else tuple(values)

    def evaluate(self, **point: float) -> Any:
        """Call the plain method, with other values along the axes if a point is given."""
        bound = copying.copy(self.bound)
        # equal numbers have one result, which must not be computed with the precision of a narrower type
        bound.arguments = {name: _widened(value) for name, value in {**self.bound.arguments, **point}.items()}
        return self.definition.function(*bound.args, **bound.kwargs)

    def axis_values(self) -> list[Any]:
        """The values of the arguments along the axes."""
        return [self.bound.arguments[name] for name in self.definition.axis_names]
