"""Tables and columns of astropy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy import table

from stored._adapters.added_attributes import rest_of, with_rest
from stored._adapters.column_info import meta_of, meta_parts, text_or_none
from stored._adapters.exact_parts import items_of
from stored._adapters.fill_values import fill_value_part, is_fill_value, with_fill_value, with_own_fill_value
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
    """All that a column tells, the metadata of its table included."""
    parent = column.parent_table
    return _parts_of_column(column), None if parent is None else meta_parts(parent.meta)


def _parts_of_column(column: Any) -> Any:
    parts, rest = (_masked_column_parts if _is_masked(column) else _column_parts)(column), _rest_of_column(column)
    return (*parts, rest) if rest else parts


def _is_masked(column: Any) -> bool:
    return isinstance(column, np.ma.MaskedArray)


def _encoded_column(column: Any) -> Any:
    is_plain = not _is_masked(column) or (is_fill_value(column._fill_value, column.dtype) and not column.hardmask)
    return _parts_of_column(column) if is_plain else BY_PICKLE


def _column_parts(column: Any) -> Any:
    return column.view(np.ndarray), *_described(column)


def _masked_column_parts(column: Any) -> Any:
    mask = None if column.mask is np.ma.nomask else np.array(column.mask)
    return column.data.data, mask, fill_value_part(column), *_described(column)


def _options(name: Any, unit: Any, form: Any, description: Any, meta: Any) -> dict[str, Any]:
    if isinstance(unit, str):
        raise ValueError("a unit is no text")
    texts = {"name": name, "format": form, "description": description}
    options = {option: text_or_none(each) for option, each in texts.items()}
    return {**options, "unit": unit, "meta": meta_of(meta), "copy": False}


def _column(parts: Any) -> Any:
    data, *described, rest = _with_rest(parts, 6)
    return with_rest(table.Column(_checked_array(data), **_options(*described)), rest, _OF_COLUMNS)


def _with_rest(parts: Any, count: int) -> Any:
    """So many parts, and the attributes that somebody has set."""
    if type(parts) is tuple and len(parts) == count:
        return *parts, {}
    return items_of(parts, count + 1)


def _masked_column(parts: Any) -> Any:
    data, mask, fill_value, *described, rest = _with_rest(parts, 8)
    if mask is not None and _checked_array(mask).shape != _checked_array(data).shape:
        raise ValueError("data and mask of a column have different shapes")
    made = table.MaskedColumn(_checked_array(data), mask=np.ma.nomask if mask is None else mask, **_options(*described))
    return with_rest(with_fill_value(made, fill_value), rest, _OF_COLUMNS)


def _checked_array(found: Any) -> Any:
    if type(found) is not np.ndarray:
        raise ValueError("this is no array")
    return found


def _copied_column(column: Any) -> Any:
    made = column.copy()
    if made.dtype.hasobject:
        made[...] = copy.deepcopy(column.view(np.ndarray))
    return _completed(made, column)


def _completed(made: Any, column: Any) -> Any:
    """A copy of a column, which gets what astropy does not copy."""
    vars(made).update(copy.deepcopy(_rest_of_column(column)))
    return with_own_fill_value(made, column) if _is_masked(column) else made


def _named_of_column(column: Any) -> Iterator[tuple[str, Any]]:
    yield "", np.asarray(column)
    yield ".meta", dict(column.meta)


def _named_of_table(value: Any) -> Iterator[tuple[str, Any]]:
    yield ".meta", dict(value.meta)  # first, since columns tell it too
    for name in value.colnames:
        yield f"[{name!r}]", value[name]


def _table_parts(value: Any) -> Any:
    columns = [(name, value[name]) for name in value.colnames]
    return columns, meta_parts(value.meta), value.masked


def _table_key(value: Any) -> Any:
    columns, *others = _table_parts(value)
    told = [(name, type(each).__name__, _told(each)) for name, each in columns]
    return told, *others, *_order_of_rows(value), rest_of(value, _OF_TABLES)


def _told(column: Any) -> Any:
    """What a column of a table tells, without the table; other objects tell it themselves."""
    return _parts_of_column(column) if type(column) in _COLUMNS else column


_COLUMNS = (table.Column, table.MaskedColumn)


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
    columns, meta, masked = items_of(parts, 3)
    lengths = {len(column) for _, column in columns}
    if type(columns) is not list or type(masked) not in {bool, type(None)} or len(lengths) > 1:
        raise ValueError("columns of a table are equally long")
    names = [text_or_none(name) for name, _ in columns]
    if not all(hasattr(column, "info") for _, column in columns):
        raise ValueError("these are no columns")
    made = kind([column for _, column in columns], names=names, meta=meta_of(meta), copy=False, masked=masked)
    if [type(made[name]) for name in names] != [type(column) for _, column in columns]:
        raise ValueError("a table of this kind has other columns")
    _complete_columns(made, {name: column for name, column in columns if type(column) in _COLUMNS})
    return made


def _complete_columns(made: Any, originals: dict[str, Any]) -> None:
    for name, column in originals.items():
        _completed(made[name], column)


def _copied_table(value: Any) -> Any:
    columns = {name: value[name] for name in value.colnames if type(value[name]) in _COLUMNS}
    fill_values = {name: each._fill_value for name, each in columns.items() if _is_masked(each)}
    made = value.copy()
    for name, each in fill_values.items():  # a copy asks for it, which sets it on the original
        columns[name]._fill_value = each
    _complete_columns(made, columns)
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
        private=_copied_table,
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
        private=_copied_column,
        parts=_named_of_column,
    ),
    Adapter(
        table.MaskedColumn,
        "astropy.table.MaskedColumn",
        key=_column_key,
        encode=_encoded_column,
        decode=_masked_column,
        copy=_copied_column,
        private=_copied_column,
        parts=_named_of_column,
    ),
    _adapter(table.Table),
    _adapter(table.QTable),
)
