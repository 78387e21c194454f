"""What stands in the place of masked values of an array, if it has been said or asked for?

Until then numpy keeps nothing: other arrays that are made of it get what their own dtype has by default.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fill_value_part", "is_fill_value", "with_fill_value", "with_own_fill_value"]


def fill_value_part(value: Any) -> Any:
    """The fill value of a masked array, as an array without dimensions; None if it has none of its own."""
    return None if value._fill_value is None else np.asarray(value._fill_value)


def is_fill_value(found: Any, dtype: np.dtype[Any]) -> bool:
    """Can it be the fill value of a masked array of a dtype?"""
    if found is None:
        return True
    is_text = dtype.kind in "SU"  # numpy's own is longer than some
    return (
        type(found) is np.ndarray
        and found.shape == ()
        and (found.dtype.kind == dtype.kind if is_text else found.dtype == dtype)
    )


def with_fill_value(made: Any, found: Any) -> Any:
    """A masked array itself, which gets a fill value; a `ValueError` if it is none."""
    if not is_fill_value(found, made.dtype):
        raise ValueError("this is no fill value of such an array")
    made._fill_value = found
    return made


def with_own_fill_value(made: Any, value: Any) -> Any:
    """A copy of a masked array, which gets a copy of its fill value; by a view with another dtype, numpy forgets it."""
    fill_value = fill_value_part(value)
    if fill_value is not None:
        is_like = made.dtype.names is not None and fill_value.dtype == made.dtype
        fill_value = np.array(fill_value, dtype=made.dtype if is_like else None)
    made._fill_value = fill_value
    return made
