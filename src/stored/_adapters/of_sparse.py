"""Sparse arrays and matrices of `scipy.sparse`.

Those of rows, of columns, of blocks, of coordinates and of diagonals are encoded; `lil` and `dok`, which are made of
lists and dicts of numbers, are keyed and pickled. Whether indices are known to be sorted or unique does not count.
"""

from __future__ import annotations

from typing import Any

from scipy import sparse

from stored._adapters.exact_parts import adapter_by_parts, array_of, items_of, lengths
from stored._adapters.registry import Adapter, add

_NUMBERS = "?bBhHiIlLqQfdgFDG"
_INDICES = "ilq"
"""The characters of the dtypes that compiled code knows."""

_KEPT = {
    *("_shape", "_maxprint", "maxprint", "data", "indices", "indptr", "offsets", "coords", "row", "col"),
    *("_has_sorted_indices", "_has_canonical_format", "has_sorted_indices", "has_canonical_format"),
    *("dtype", "_dict", "rows"),
}
"""The attributes of objects that are a part of their form, or follow from it, in all versions of scipy."""


def _within(indices: Any, length: int) -> None:
    if indices.size and (int(indices.min()) < 0 or int(indices.max()) >= length):
        raise ValueError(f"indices are not from 0 to {length - 1}")


# -- rows, columns and blocks -----------------------------------------------------------------------------------------


def _compressed_parts(value: Any) -> Any:
    return value.data, value.indices, value.indptr, value.shape


def _compressed(kind: Any, parts: Any) -> Any:
    data, indices, starts, shape = items_of(parts, 4)
    blocks = 3 if kind in _OF_BLOCKS else 1
    array_of(data, _NUMBERS, blocks)
    array_of(starts, array_of(indices, _INDICES, 1).dtype.char, 1)
    shape = lengths(shape, 1 if kind is sparse.csr_array and len(shape) == 1 else 2)
    count, length = _lengths_of_blocks(shape, data) if blocks == 3 else (1, *shape)[-2:]
    if kind in _OF_COLUMNS:
        count, length = length, count
    if starts.size != count + 1 or starts[0] != 0 or starts[-1] != len(data) or not (starts[1:] >= starts[:-1]).all():
        raise ValueError("the numbers of rows and of values do not fit")
    if indices.size != len(data):
        raise ValueError("the numbers of indices and of values do not fit")
    _within(indices, length)
    made = kind((data, indices, starts), shape=shape, copy=False)
    made.indices, made.indptr = indices, starts  # of the dtype that they have
    return made


def _lengths_of_blocks(shape: tuple[int, ...], data: Any) -> tuple[int, int]:
    height, width = data.shape[1:]
    if 0 in (height, width) or shape[0] % height or shape[1] % width:
        raise ValueError("blocks do not fit into the array")
    return shape[0] // height, shape[1] // width


# -- coordinates ------------------------------------------------------------------------------------------------------


def _coordinate_parts(value: Any) -> Any:
    return value.data, tuple(value.coords), value.shape


def _coordinates(kind: Any, parts: Any) -> Any:
    data, coordinates, shape = items_of(parts, 3)
    array_of(data, _NUMBERS, 1)
    if type(coordinates) is not tuple or not coordinates:
        raise ValueError("the indices of each dimension are in a tuple")
    if kind is sparse.coo_matrix:
        items_of(coordinates, 2)
    for each, length in zip(coordinates, lengths(shape, len(coordinates)), strict=True):
        if array_of(each, _INDICES, 1).size != data.size:
            raise ValueError("the numbers of indices and of values do not fit")
        _within(each, length)
    made = kind((data, coordinates), shape=shape, copy=False)
    made.coords = coordinates  # of the dtypes that they have
    return made


# -- diagonals --------------------------------------------------------------------------------------------------------


def _diagonal_parts(value: Any) -> Any:
    return value.data, value.offsets, value.shape


def _diagonals(kind: Any, parts: Any) -> Any:
    data, offsets, shape = items_of(parts, 3)
    height, width = lengths(shape, 2)
    if array_of(data, _NUMBERS, 2).shape[0] != array_of(offsets, _INDICES, 1).size:
        raise ValueError("the numbers of diagonals do not fit")
    if offsets.size and (int(offsets.min()) < -height or int(offsets.max()) > width):
        raise ValueError("diagonals are outside")
    made = kind((data, offsets), shape=shape, copy=False)
    made.offsets = offsets  # of the dtype that they have
    return made


# -- lists and dicts --------------------------------------------------------------------------------------------------


def _list_parts(value: Any) -> Any:
    return value.dtype, value.shape, value.rows.tolist(), value.data.tolist()


def _dict_parts(value: Any) -> Any:
    return value.dtype, value.shape, list(value.keys()), list(value.values())


# -- registration -----------------------------------------------------------------------------------------------------


def _adapter(kind: Any, parts_of: Any, make: Any = None) -> Adapter:
    return adapter_by_parts(kind, f"scipy.sparse.{kind.__name__}", parts_of, make, _KEPT)


_OF_COLUMNS = frozenset((sparse.csc_array, sparse.csc_matrix))
_OF_BLOCKS = frozenset((sparse.bsr_array, sparse.bsr_matrix))
_COMPRESSED = (sparse.csr_array, sparse.csr_matrix, *_OF_COLUMNS, *_OF_BLOCKS)

add(
    *[_adapter(each, _compressed_parts, _compressed) for each in _COMPRESSED],
    *[_adapter(each, _coordinate_parts, _coordinates) for each in (sparse.coo_array, sparse.coo_matrix)],
    *[_adapter(each, _diagonal_parts, _diagonals) for each in (sparse.dia_array, sparse.dia_matrix)],
    *[_adapter(each, _list_parts) for each in (sparse.lil_array, sparse.lil_matrix)],
    *[_adapter(each, _dict_parts) for each in (sparse.dok_array, sparse.dok_matrix)],
)
