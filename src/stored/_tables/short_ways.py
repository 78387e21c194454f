"""What a curve's calculus does quickly: for single numbers, and for a few numbers one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stored._tables.axis import Floats

__all__ = ["ShortWays", "branch_key", "one_by_one"]

_LIMITS = frozenset({float, int, np.float64})


class ShortWays:
    """Functions of single numbers, which return None for what they do not take; made when they are first needed.

    Attributes
    ----------
    derivatives : dict of int to callable
        By the order.
    integral : callable
        From two limits.
    inverses : dict of (tuple or None) to callable
        By the branch.
    """

    __slots__ = ("derivatives", "integral", "inverses")

    def __init__(self) -> None:
        self.derivatives: dict[int, Callable[[Any], Any]] = {}
        self.integral: Callable[[Any, Any], Any] | None = None
        self.inverses: dict[object, Callable[[Any], Any]] = {}


def branch_key(branch: Any) -> Any:
    """The key of a branch in `inverses`; of one whose limits need to be looked at, a key that is never there."""
    if branch is None:
        return None
    if branch.__class__ is tuple and len(branch) == 2:
        low, high = branch
        if low.__class__ in _LIMITS and high.__class__ in _LIMITS:
            return branch
    return _NO_KEY


_NO_KEY = object()


def one_by_one(function: Callable[..., Any] | None, most: int, *arguments: Any) -> Floats | None:
    """The values of a short way at each number of small arrays; None if it does not take them.

    Parameters
    ----------
    function : callable or None
        The short way.
    most : int
        So many numbers are computed one by one in less time than calls of numpy take.
    *arguments : object
        Arrays of floats of one shape, or floats.
    """
    arrays = [each for each in arguments if each.__class__ is np.ndarray]
    if function is None or not arrays:
        return None
    shape, size = arrays[0].shape, arrays[0].size
    if size > most or not all(_is_number_or_array(each, shape) for each in arguments):
        return None
    columns = [each.ravel().tolist() if each.__class__ is np.ndarray else [each] * size for each in arguments]
    values = []
    for numbers in zip(*columns, strict=True):
        value = function(*numbers)
        if value is None:
            return None
        values.append(value)
    return np.array(values, dtype=float).reshape(shape)


def _is_number_or_array(value: Any, shape: tuple[int, ...]) -> bool:
    if value.__class__ is np.ndarray:
        return bool(value.dtype == np.float64 and value.shape == shape)
    return value.__class__ is float
