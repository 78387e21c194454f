"""Arrays and data sets of xarray: which plain values and arrays stand for them?"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex, PandasMultiIndex

from stored._adapters.kept_arrays import frozen, writable
from stored._adapters.pandas_arrays import is_array, own_values
from stored._adapters.pandas_indexes import own_index
from stored._adapters.plain_arrays import array_of, parts_of
from stored._adapters.registry import BY_PICKLE, Adapter, NoFormError, add

_NOT_LOADED = (
    "which holds data that are not in memory, and may change in their file; call .load() (or .compute()) on it first"
)

_DTYPE = re.compile(r"[<>|][a-zA-Z][0-9]{1,9}(\[[0-9]{0,9}[a-zA-Z]{1,2}\])?")


# -- variables --------------------------------------------------------------------------------------------------------


def _variable_parts(variable: Any, is_index: bool = False) -> Any:
    """The dimensions, values, attributes and encoding; of the values of an index, their dtype alone."""
    # labels always are in memory, those of levels are put together from there
    if not (is_index or type(variable) is xr.IndexVariable or variable._in_memory):
        raise NoFormError(_NOT_LOADED)
    values = _label_dtype_part(variable.dtype) if is_index else _values_part(variable.data)
    return variable.dims, values, dict(variable.attrs), _encoding_parts(variable.encoding)


def _values_part(values: Any) -> Any:
    if type(values) is np.ndarray:
        return parts_of(values)
    if is_array(values):
        return values
    kind = type(values)
    raise NoFormError(
        f"which holds an array of type {kind.__module__}.{kind.__qualname__}; give one of numpy, as .as_numpy() does"
    )


def _encoding_parts(encoding: Any) -> Any:
    """How values are to be written to a file; dtypes by what numpy calls them."""
    return {name: _encoded_option(option) for name, option in encoding.items()}


def _encoded_option(option: Any) -> Any:
    is_plain = isinstance(option, np.dtype) and _DTYPE.fullmatch(option.str) and np.dtype(option.str) == option
    return ("dtype", option.str) if is_plain else ("value", option)


def _encoding(plain: Any) -> Any:
    return {name: _dtype(option) if kind == "dtype" else option for name, (kind, option) in plain.items()}


def _dtype(name: str) -> Any:
    if not _DTYPE.fullmatch(name):
        raise ValueError("this is no dtype")
    return np.dtype(name)


def _variable(plain: Any) -> Any:
    dims, values, attributes, encoding = plain
    found = values if is_array(values) else array_of(values)
    made = xr.Variable(_checked(dims, tuple), found, _checked(attributes, dict), _encoding(encoding))
    if made.dtype != found.dtype:
        raise ValueError("xarray takes these values for others")
    return made


def _checked(found: Any, kind: type) -> Any:
    if type(found) is not kind:
        raise TypeError(f"this is no {kind.__name__}")
    return found


# -- coordinates ------------------------------------------------------------------------------------------------------


def _coordinates_parts(value: Any) -> Any:
    """The coordinates, and the indexes of some of them."""
    variables = value.coords.variables
    indexes = [_index_parts(index, found) for index, found in value.xindexes.group_by_index()]
    known = {name for _, names, *_ in indexes for name in names}
    return {name: _variable_parts(each, name in known) for name, each in variables.items()}, indexes


def _index_parts(index: Any, variables: Any) -> Any:
    """Of which kind an index is, of which coordinates, along which dimension, and the index of pandas."""
    names = tuple(variables)
    kind = {PandasIndex: "one", PandasMultiIndex: "levels"}.get(type(index))
    if kind is None:
        raise NoFormError(
            f"which has an index of type {type(index).__qualname__}; leave it out with .drop_indexes({names[0]!r})"
        )
    return kind, names, index.dim, index.index


def _coordinates(plain: Any, indexes: Any) -> Any:
    variables = dict(plain.items())
    made: dict[Any, Any] = {}
    for kind, names, dim, labels in indexes:
        shown, index = _index(kind, {name: plain[name] for name in names}, dim, labels)
        variables |= shown
        made |= dict.fromkeys(names, index)
    return xr.Coordinates({name: each if name in made else _variable(each) for name, each in variables.items()}, made)


def _index(kind: Any, plain: Any, dim: Any, labels: Any) -> Any:
    """An index of xarray, and the coordinates that show it."""
    if not isinstance(labels, pd.Index):
        raise TypeError("the labels of coordinates are an index")
    dtypes = {name: _label_dtype(values) for name, (_, values, *_) in plain.items()}
    if kind == "one":
        ((name, dtype),) = dtypes.items()
        index: Any = PandasIndex(labels.rename(name), dim, coord_dtype=dtype)
    else:
        index = PandasMultiIndex(labels, dim, {name: dtypes[name] for name in labels.names})
    shown = index.create_variables()
    for name, (dims, _, attributes, encoding) in plain.items():
        if shown[name].dims != dims:
            raise ValueError("coordinates have other dimensions than their index")
        shown[name].attrs, shown[name].encoding = _checked(attributes, dict), _encoding(encoding)
    return shown, index


def _label_dtype_part(dtype: Any) -> str | None:
    """The name of the dtype of labels, of numpy's; those of pandas have the dtype of their index."""
    return dtype.str if isinstance(dtype, np.dtype) else None


def _label_dtype(name: str | None) -> Any:
    if name is None:
        return None
    return np.dtype(object) if name == "|O" else _dtype(name)


# -- arrays and data sets ---------------------------------------------------------------------------------------------


def _array_parts(value: Any) -> Any:
    return value.name, _variable_parts(value.variable), *_coordinates_parts(value), type(value.variable) is xr.Variable


def _encoded_array(value: Any) -> Any:
    """The parts of an array; of one that is a coordinate of itself, the name of that in the place of its values."""
    if type(value.variable) is xr.Variable:
        return _array_parts(value)
    coordinates = value.coords.variables.items()
    name = next((name for name, each in coordinates if _is_same_variable(each, value.variable)), None)
    return BY_PICKLE if name is None else (value.name, name, *_coordinates_parts(value), False)


def _is_same_variable(one: Any, other: Any) -> bool:
    is_alike = type(one) is type(other) and one.dtype == other.dtype and one.encoding == other.encoding
    return is_alike and bool(one.identical(other))


def _shown(name: Any, coordinate: Any, coordinates: Any) -> Any:
    """An array that is a coordinate of itself."""
    variable = coordinates.variables[coordinate]
    made = xr.DataArray(np.broadcast_to(np.int8(0), variable.shape), coordinates, variable.dims, name)
    return made._replace(variable=variable)


def _data_array(plain: Any) -> Any:
    name, variable, coordinates, indexes, is_array_of_its_own = plain
    if not is_array_of_its_own:
        return _shown(name, variable, _coordinates(coordinates, indexes))
    found = _variable(variable)
    made = xr.DataArray(found.data, _coordinates(coordinates, indexes), found.dims, name, found.attrs)
    made.encoding = found.encoding
    return made


def _dataset_parts(value: Any) -> Any:
    variables = {name: _variable_parts(each.variable) for name, each in value.data_vars.items()}
    labels = dict(value.attrs), _encoding_parts(value.encoding)
    return variables, *_coordinates_parts(value), *labels, tuple(value.variables), tuple(value.sizes)


def _encoded_dataset(value: Any) -> Any:
    # dimensions stand in the order in which variables have them, whatever has been done to the data set
    return BY_PICKLE if tuple(_sizes(value.variables)) != tuple(value.sizes) else _dataset_parts(value)


def _sizes(variables: Any) -> Any:
    return dict.fromkeys(dim for each in variables.values() for dim in each.dims)


def _dataset(plain: Any) -> Any:
    variables, coordinates, indexes, attributes, encoding, names, dims = plain
    made = xr.Dataset(
        {name: _variable(each) for name, each in variables.items()},
        _coordinates(coordinates, indexes),
        _checked(attributes, dict),
    )
    made = _reordered(made, _checked(names, tuple))
    if tuple(made.sizes) != dims:
        raise ValueError("these are no dimensions of this data set")
    made.encoding = _encoding(encoding)
    return made


def _reordered(made: Any, names: tuple[Any, ...]) -> Any:
    """A data set with its variables in another order, in which it shows them and its dimensions."""
    if len(names) != len(made.variables) or {*names} != made.variables.keys():
        raise ValueError("these are no names of these variables")
    if names == tuple(made.variables):
        return made
    return made[list(names)]


# -- what users call the parts ----------------------------------------------------------------------------------------


def _named_of_variable(variable: Any) -> Iterator[tuple[str, Any]]:
    if variable._in_memory and type(variable.data) is np.ndarray:
        yield "", variable.data
    yield from ((".attrs", dict(variable.attrs)), (".encoding", dict(variable.encoding)))


def _named_of_array(value: Any) -> Iterator[tuple[str, Any]]:
    if value.variable._in_memory:  # otherwise the array itself is to be loaded
        yield ".name", value.name
        yield from _named_of_variable(value.variable)
        yield from _named_coordinates(value)


def _named_of_dataset(value: Any) -> Iterator[tuple[str, Any]]:
    for name, each in value.data_vars.items():
        yield f"[{name!r}]", each.variable
    yield from _named_coordinates(value)
    yield from ((".attrs", dict(value.attrs)), (".encoding", dict(value.encoding)))


def _named_coordinates(value: Any) -> Iterator[tuple[str, Any]]:
    for name, each in value.coords.variables.items():
        if name in value.xindexes:  # whose labels are in no array
            yield f".coords[{name!r}].attrs", dict(each.attrs)
        else:
            yield f".coords[{name!r}]", each.to_base_variable()


# -- adapters ---------------------------------------------------------------------------------------------------------


def _own_parts(parts: Any) -> Any:
    """The same plain values, arrays and labels, which share nothing that can change."""
    kind = type(parts)
    if kind in (tuple, list):
        return kind([_own_parts(each) for each in parts])
    if kind is dict:
        return {name: _own_parts(each) for name, each in parts.items()}
    if isinstance(parts, pd.Index):
        return own_index(parts, frozen)  # xarray shows labels, and does not change them
    return own_values(parts, writable) if kind is np.ndarray or is_array(parts) else copy.deepcopy(parts)


def _adapter(kind: Any, parts: Any, made: Any, named: Any, encode: Any = None) -> Adapter:
    def encoded(value: Any) -> Any:
        try:
            return (encode or parts)(value)
        except NoFormError:
            return BY_PICKLE

    def copied(value: Any) -> Any:
        plain = encoded(value)
        return value.copy(deep=True) if plain is BY_PICKLE else made(_own_parts(plain))

    name = f"xarray.{kind.__name__}"
    return Adapter(kind, name, key=parts, encode=encoded, decode=made, copy=copied, parts=named)


add(
    _adapter(xr.Variable, _variable_parts, _variable, _named_of_variable),
    _adapter(xr.DataArray, _array_parts, _data_array, _named_of_array, _encoded_array),
    _adapter(xr.Dataset, _dataset_parts, _dataset, _named_of_dataset, _encoded_dataset),
)
