"""What do arguments have beside their numbers, which their results get too: a mask, an index, coordinates?

Nothing of pandas and xarray is imported here: who has one of their objects has imported them.
"""

from __future__ import annotations

import copy
import functools
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stored._tables.axis import Floats
from stored._tables.real_numbers import REAL_DTYPES
from stored._tables.units import is_quantity, named_unit

__all__ = ["Labels", "is_labelled", "labels_of", "numbers_of_labelled"]


class Labels:
    """A mask, an index or coordinates.

    Parameters
    ----------
    kind : str
        The type of the arguments.
    make : callable
        Makes the result from its values.
    remedy : str
        What to give for a result with a unit.
    """

    def __init__(self, kind: str, make: Callable[[Floats], Any], remedy: str) -> None:
        self._kind = kind
        self._make = make
        self._remedy = remedy

    def result(self, values: Floats, unit: Any) -> Any:
        """The values with these labels.

        Raises
        ------
        TypeError
            If the values have a unit, which the type of the arguments cannot hold.
        """
        if unit is not None:
            raise TypeError(
                f"the result has the unit {named_unit(unit)}, which a {self._kind} cannot hold; give {self._remedy}"
            )
        return self._make(values)


def _kind(value: object) -> str:
    """Which of the known types is exactly that of a value? Empty if none is."""
    kind = type(value)
    if kind in _MASKED:
        return "masked array"
    for module, names in (("pandas", ("Series", "DataFrame")), ("xarray", ("DataArray",))):
        found = sys.modules.get(module)
        for name in names if found is not None and kind.__name__ in names else ():
            if kind is getattr(found, name, None):
                return name
    return ""


_MASKED = (np.ma.MaskedArray, type(np.ma.masked))


def is_labelled(value: object) -> bool:
    """Is it a masked array, a Series, a DataFrame or a DataArray?"""
    return bool(_kind(value))


def numbers_of_labelled(what: str, value: Any) -> Any:
    """The numbers of one of these, with NaN for what is masked or missing.

    Raises
    ------
    TypeError
        If they are no numbers in memory.
    """
    kind = _kind(value)
    if kind == "masked array":
        return _filled(value)
    columns = value.items() if kind == "DataFrame" else [("", value)]
    for _, column in columns:
        array = column.array if kind != "DataArray" else column.data
        if not (type(column.dtype) in _NUMPY_DTYPES or (kind == "Series" and _is_nullable(array))):
            raise _no_numbers(what, kind, column.dtype)
        if kind == "DataArray" and type(array) is not np.ndarray:
            raise TypeError(f"{what} is a DataArray of {type(array).__name__}; give {_numbers_in_memory(array)}")
    return value.to_numpy(dtype=float, na_value=np.nan) if kind == "Series" else np.asarray(value, dtype=float)


def _numbers_in_memory(array: Any) -> str:
    """What to give of a DataArray that holds an array of another library."""
    if is_quantity(array):
        return "its numbers, .copy(data=array.data.to_value(unit)), in the unit that the method expects"
    return ".compute(), or one of a numpy array"


_NUMPY_DTYPES = frozenset(map(type, REAL_DTYPES))


def _no_numbers(what: str, kind: str, dtype: object) -> TypeError:
    return TypeError(f"{what} is a {kind} of dtype {dtype}; it must be one of real numbers, such as .astype(float)")


def _filled(value: Any) -> Any:
    if type(value.dtype) not in _NUMPY_DTYPES:
        return np.ma.getdata(value)  # which the caller of this refuses
    return np.where(np.ma.getmaskarray(value), np.nan, np.ma.getdata(value).astype(float))


def _is_nullable(array: Any) -> bool:
    """Is it an array of pandas that holds numbers and what is missing?"""
    arrays = sys.modules["pandas"].arrays
    return isinstance(array, arrays.IntegerArray | arrays.FloatingArray | arrays.BooleanArray)


def labels_of(whats: Sequence[str], values: Sequence[Any], numbers: Sequence[Floats]) -> tuple[list[Floats], Labels]:
    """The numbers in one shape, and the labels of the result.

    Parameters
    ----------
    whats : sequence of str
        What messages call the arguments.
    values : sequence of object
        The arguments, of which at least one has labels.
    numbers : sequence of ndarray
        Their numbers.

    Raises
    ------
    TypeError
        If arguments of several types have labels, or one without labels is an array beside an index or coordinates.
    ValueError
        If the labels are not the same.
    """
    kinds = {kind for kind in map(_kind, values) if kind}
    names = " and ".join(whats)
    if len(kinds) > 1:
        raise TypeError(f"{names} are a {' and a '.join(sorted(kinds))}; give all of them as one type")
    (kind,) = kinds
    if kind == "masked array":
        return _masked(values, numbers)
    for what, value, each in zip(whats, values, numbers, strict=True):
        if each.ndim and not _kind(value):
            raise TypeError(f"{names} are a {kind} and an array; give {what} as a {kind} too, with the same labels")
    return (_coordinates if kind == "DataArray" else _index)(names, kind, values, numbers)


def _masked(values: Sequence[Any], numbers: Sequence[Floats]) -> tuple[list[Floats], Labels]:
    masks = np.broadcast_arrays(*map(np.ma.getmaskarray, values))
    points = list(np.broadcast_arrays(*numbers))
    mask = functools.reduce(operator.or_, masks)
    is_constant = points[0].ndim == 0 and not any(type(value) is np.ma.MaskedArray for value in values)

    fill_value = next((each.fill_value for each in values if getattr(each, "_fill_value", None) is not None), None)

    def make(result: Floats) -> Any:
        return np.ma.masked if is_constant else np.ma.array(result, mask=mask.copy(), fill_value=fill_value)

    return points, Labels("masked array", make, ".filled(np.nan)")


def _index(names: str, kind: str, values: Sequence[Any], numbers: Sequence[Floats]) -> tuple[list[Floats], Labels]:
    labelled = [each for each in values if _kind(each)]
    first = labelled[0]
    for other in labelled[1:]:
        same_columns = kind == "Series" or first.columns.equals(other.columns)
        if not (first.index.equals(other.index) and same_columns):
            raise ValueError(f"{names} have different {'indices' if same_columns else 'columns'}; give both the same")
    points = [np.broadcast_to(each, first.shape) for each in numbers]
    make = functools.partial(_series if kind == "Series" else _frame, labelled)
    return points, Labels(kind, make, ".to_numpy()")


def _series(labelled: list[Any], values: Floats) -> Any:
    pandas = sys.modules["pandas"]
    name = labelled[0].name if all(each.name == labelled[0].name for each in labelled) else None
    is_nullable = any(_is_nullable(each.array) for each in labelled)
    data: Any = pandas.arrays.FloatingArray(values, np.isnan(values)) if is_nullable else values
    found = pandas.Series(data, index=labelled[0].index, name=name, copy=False)
    found.attrs = _common_attributes(labelled)
    return found


def _frame(labelled: list[Any], values: Floats) -> Any:
    first = labelled[0]
    found = sys.modules["pandas"].DataFrame(values, index=first.index, columns=first.columns, copy=False)
    found.attrs = _common_attributes(labelled)
    return found


def _common_attributes(labelled: list[Any]) -> dict[Any, Any]:
    """The attributes of tables that arithmetic with them keeps."""
    first = labelled[0].attrs
    return copy.deepcopy(first) if all(each.attrs == first for each in labelled) else {}


def _coordinates(
    names: str, kind: str, values: Sequence[Any], numbers: Sequence[Floats]
) -> tuple[list[Floats], Labels]:
    xarray = sys.modules["xarray"]
    # arithmetic, which keeps attributes or drops them as the options of xarray say
    zeros = [1.0 * xarray.zeros_like(each, dtype=float) for each in values if _kind(each)]
    try:
        with xarray.set_options(arithmetic_join="exact"):
            like = functools.reduce(operator.add, zeros)
    except ValueError as error:
        raise ValueError(f"{names} have different coordinates, or sizes, along a dimension: {error}") from None
    points = [
        value.broadcast_like(like).transpose(*like.dims).data if _kind(value) else np.broadcast_to(each, like.shape)
        for value, each in zip(values, numbers, strict=True)
    ]

    def make(result: Floats) -> Any:
        found = like.copy(deep=True, data=result)
        found.encoding = {}
        return found

    return [each.astype(float, copy=False) for each in points], Labels(kind, make, ".to_numpy()")
