"""Tables and columns of astropy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy import table

from stored._adapters.column_info import meta_of, meta_parts, rest_of, text_or_none
from stored._adapters.registry import BY_PICKLE, Adapter, add


def _described(column: Any) -> Any:
    return column.name, column.unit, column.format, column.description, meta_parts(column.meta)


_OF_COLUMNS = frozenset(
    {"_parent_table", "indices", "_name", "_unit", "_format", "description", "_meta", "info", "_fill_value", "_mask"}
    | {"_sharedmask", "_isfield", "_baseclass", "_optinfo", "_basedict"}
)
"""The attributes of columns that are told, and those that tell of other objects."""

_OF_TABLES = frozenset(
    {"_masked", "_column_class", "columns", "formatter", "_copy_indices", "_init_indices", "primary_key", "_meta"}
    | {"_groups", "pprint_include_names", "pprint_exclude_names"}
)
"""The attributes of tables that are told, and those by which they are printed."""


def _rest_of_column(column: Any) -> dict[str, Any]:
    rest = rest_of(column, _OF_COLUMNS)
    return {name: each for name, each in rest.items() if name != "_hardmask" or each}


def _column_key(column: Any) -> Any:
    is_masked = isinstance(column, np.ma.MaskedArray)
    return *(_masked_column_parts if is_masked else _column_parts)(column), _rest_of_column(column)


def _encoded_column(column: Any) -> Any:
    return BY_PICKLE if _rest_of_column(column) else _column_key(column)[:-1]


def _column_parts(column: Any) -> Any:
    return column.view(np.ndarray), *_described(column)


def _masked_column_parts(column: Any) -> Any:
    mask = None if column.mask is np.ma.nomask else np.array(column.mask)
    return column.data.data, mask, np.array(column.fill_value), *_described(column)


def _options(name: Any, unit: Any, form: Any, description: Any, meta: Any) -> dict[str, Any]:
    if isinstance(unit, str):
        raise ValueError("a unit is no text")
    texts = {"name": name, "format": form, "description": description}
    options = {option: text_or_none(each) for option, each in texts.items()}
    return {**options, "unit": unit, "meta": meta_of(meta), "copy": False}


def _column(parts: Any) -> Any:
    data, *described = parts
    return table.Column(_checked_array(data), **_options(*described))


def _masked_column(parts: Any) -> Any:
    data, mask, fill_value, *described = parts
    if mask is not None and _checked_array(mask).shape != _checked_array(data).shape:
        raise ValueError("data and mask of a column have different shapes")
    fill = _checked_array(fill_value)[()]
    return table.MaskedColumn(
        _checked_array(data), mask=np.ma.nomask if mask is None else mask, fill_value=fill, **_options(*described)
    )


def _checked_array(found: Any) -> Any:
    if type(found) is not np.ndarray:
        raise ValueError("this is no array")
    return found


def _copied_column(column: Any) -> Any:
    made = column.copy()
    if made.dtype.hasobject:
        made[...] = copy.deepcopy(column.view(np.ndarray))
    vars(made).update(copy.deepcopy(_rest_of_column(column)))
    return made


def _named_of_column(column: Any) -> Iterator[tuple[str, Any]]:
    yield "", np.asarray(column)
    yield ".meta", dict(column.meta)


def _named_of_table(value: Any) -> Iterator[tuple[str, Any]]:
    for name in value.colnames:
        yield f"[{name!r}]", value[name]
    yield ".meta", dict(value.meta)


def _table_parts(value: Any) -> Any:
    columns = [(name, value[name]) for name in value.colnames]
    return columns, meta_parts(value.meta), bool(value.masked)


def _table_key(value: Any) -> Any:
    return *_table_parts(value), *_order_of_rows(value), rest_of(value, _OF_TABLES)


def _order_of_rows(value: Any) -> tuple[Any, ...]:
    """Primary key, indices and groups of rows; empty without these."""
    indices = [[each.info.name for each in index.columns] for index in value.indices]
    groups = vars(value).get("_groups")
    keys = None if groups is None else groups.keys
    if keys is None and not indices and value.primary_key is None:
        return ()
    return value.primary_key, indices, None if keys is None else (groups.indices, keys)


def _encoded_table(value: Any) -> Any:
    return BY_PICKLE if _order_of_rows(value) or rest_of(value, _OF_TABLES) else _table_parts(value)


def _decoded_table(kind: Any, parts: Any) -> Any:
    columns, meta, masked = parts
    lengths = {len(column) for _, column in columns}
    if type(columns) is not list or type(masked) is not bool or len(lengths) > 1:
        raise ValueError("columns of a table are equally long")
    names = [text_or_none(name) for name, _ in columns]
    if not all(hasattr(column, "info") for _, column in columns):
        raise ValueError("these are no columns")
    made = kind([column for _, column in columns], names=names, meta=meta_of(meta), copy=False, masked=masked or None)
    if [type(made[name]) for name in names] != [type(column) for _, column in columns]:
        raise ValueError("a table of this kind has other columns")
    return made


def _copied_table(value: Any) -> Any:
    made = value.copy()
    vars(made).update(_masked=value.masked, **copy.deepcopy(rest_of(value, _OF_TABLES)))  # which a copy forgets
    for name in value.colnames:
        column = value[name]
        if isinstance(column, np.ndarray) and column.dtype.hasobject:
            made[name][...] = copy.deepcopy(column.view(np.ndarray))
    return made


def _adapter(kind: Any) -> Adapter:
    return Adapter(
        kind,
        f"astropy.table.{kind.__name__}",
        key=_table_key,
        encode=_encoded_table,
        decode=lambda parts: _decoded_table(kind, parts),
        copy=_copied_table,
        parts=_named_of_table,
    )


add(
    Adapter(
        table.Column,
        "astropy.table.Column",
        key=_column_key,
        encode=_encoded_column,
        decode=_column,
        copy=_copied_column,
        parts=_named_of_column,
    ),
    Adapter(
        table.MaskedColumn,
        "astropy.table.MaskedColumn",
        key=_column_key,
        encode=_encoded_column,
        decode=_masked_column,
        copy=_copied_column,
        parts=_named_of_column,
    ),
    _adapter(table.Table),
    _adapter(table.QTable),
)
