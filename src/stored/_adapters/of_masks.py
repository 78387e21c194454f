"""Arrays and quantities of astropy that are masked."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from astropy.utils.masked import Masked

from stored._adapters.added_attributes import rest_of
from stored._adapters.column_info import add_info, info_parts, with_info_of
from stored._adapters.registry import BY_PICKLE, Adapter, add

_KNOWN = {"_mask", "_unit", "info"}


def _parts(value: Any) -> Any:
    """What is below the mask, the mask, and what else there is."""
    return value.unmasked, np.array(value.mask), info_parts(value), rest_of(value, _KNOWN)


def _encoded(value: Any) -> Any:
    *parts, rest = _parts(value)
    return BY_PICKLE if rest else (*parts,)


def _decoded(parts: Any) -> Any:
    unmasked, mask, info = parts
    if not isinstance(unmasked, np.ndarray) or type(mask) is not np.ndarray or mask.dtype.kind not in "bV":
        raise ValueError("this is no masked array")
    return add_info(Masked(unmasked, mask=mask, copy=False), info)


def _copied(value: Any) -> Any:
    made = value.copy()
    vars(made).update(copy.deepcopy(rest_of(value, _KNOWN)))
    return with_info_of(value, made)


add(
    Adapter(
        Masked,
        "astropy.utils.masked.Masked",
        subclasses=True,
        key=_parts,
        encode=_encoded,
        decode=_decoded,
        copy=_copied,
        private=_copied,
        parts=lambda value: [("", value.unmasked)],
    )
)
