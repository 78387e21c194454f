"""What does an object of astropy say of itself as a column of a table: name, format, description and so on?"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

__all__ = ["add_info", "info_parts", "meta_of", "meta_parts", "text_or_none", "with_info_of"]

_TEXTS = ("name", "format", "description")


def info_parts(value: Any) -> dict[str, Any] | None:
    """Name, format, description and metadata, as far as they are set; None if there are none."""
    if "info" not in vars(value):
        return None
    info = value.info
    found = {name: getattr(info, name) for name in _TEXTS}
    found = {name: each for name, each in found.items() if each is not None}
    if info.meta:
        found["meta"] = meta_parts(info.meta)
    return found or None


def add_info(value: Any, parts: Any) -> Any:
    """The value itself, to which is said what `info_parts` has found; a `ValueError` for anything else."""
    if parts is None:
        return value
    if type(parts) is not dict or not parts.keys() <= {*_TEXTS, "meta"}:
        raise ValueError("this describes no column")
    for name, each in parts.items():
        setattr(value.info, name, meta_of(each) if name == "meta" else text_or_none(each))
    return value


def with_info_of(value: Any, copied: Any) -> Any:
    """A copy of a value, which gets a copy of what that says of itself; astropy copies none for single values."""
    if "info" in vars(value):
        for name in (*_TEXTS, "meta"):
            each = getattr(value.info, name)
            if each:
                setattr(copied.info, name, copy.deepcopy(each))
    return copied


def text_or_none(found: Any) -> Any:
    """A text, or None; a `ValueError` for anything else."""
    if not (found is None or type(found) is str):
        raise ValueError("this is no text")
    return found


def meta_parts(meta: Any) -> Any:
    """Metadata as a plain dictionary, and whether they are an ordered one; those of another class as they are."""
    return (type(meta) is OrderedDict, dict(meta)) if type(meta) in {dict, OrderedDict} else meta


def meta_of(parts: Any) -> Any:
    """The metadata that `meta_parts` has taken apart; a `ValueError` for anything else."""
    is_ordered, meta = parts
    if type(meta) is not dict:
        raise ValueError("these are no metadata")
    return OrderedDict(meta) if is_ordered else meta
