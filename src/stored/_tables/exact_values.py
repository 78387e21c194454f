"""What does a method itself give along its axes, at each point of what was asked for?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stored._tables.arguments import read_arguments
from stored._tables.axis import Axis
from stored._tables.method_values import NumberMethod

__all__ = ["values_of_method"]


def values_of_method(function: Callable[..., Any], axes: tuple[Axis, ...], label: str, given: Sequence[Any]) -> Any:
    """Call a method once for single numbers or quantities, and for each point of arrays.

    Parameters
    ----------
    function : callable
        The method, of the axes' arguments by name.
    axes : tuple of Axis
        One or two.
    label : str
        What messages call it.
    given : sequence of object
        The arguments along the axes.

    Returns
    -------
    object
        What the method returns; for arrays, one like them, with the unit of the method's values. NaN where an argument
        is masked or missing.
    """
    names = [axis.name for axis in axes]
    arguments = read_arguments(names, [axis.unit for axis in axes], given)
    if arguments.is_number:
        return function(**dict(zip(names, given, strict=True)))
    points = [each.ravel() for each in arguments.points]
    missing = np.zeros(points[0].shape, dtype=bool)
    if arguments.labels is not None:
        missing = np.any(np.isnan(points), axis=0)
    values = np.full(points[0].shape, np.nan)
    method = NumberMethod(function, axes, label)
    columns = zip(*(each[~missing].tolist() for each in points), strict=True)
    values[~missing] = [method(**dict(zip(names, point, strict=True))) for point in columns]
    return arguments.result(values.reshape(arguments.points[0].shape), method.unit)
