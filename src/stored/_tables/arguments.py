"""What did a caller give along the axes, as numbers, and of which kind is the result to be?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stored._tables.axis import Floats
from stored._tables.labels import Labels, is_labelled, labels_of, numbers_of_labelled
from stored._tables.method_values import REAL_KINDS
from stored._tables.units import is_quantity, named_unit, number_in_unit, with_unit

__all__ = ["Arguments", "read_argument", "read_arguments"]


class Arguments(NamedTuple):
    """The arguments of one call along axes.

    Attributes
    ----------
    points : list of ndarray
        The numbers, in the units of the axes, and all of one shape; NaN for what is missing or masked.
    is_number : bool
        Are all of them single numbers, or quantities?
    labels : Labels or None
        The mask, index or coordinates that the result gets.
    """

    points: list[Floats]
    is_number: bool
    labels: Labels | None

    def result(self, values: Floats, unit: Any) -> Any:
        """The values as the caller gets them: like the arguments, and with a unit if there is one.

        Raises
        ------
        TypeError
            If the arguments are of a kind that holds no unit, and there is one.
        """
        if self.labels is not None:
            return self.labels.result(values, unit)
        return with_unit(float(values) if self.is_number else values, unit)


def read_argument(what: str, unit: Any, value: Any) -> Arguments:
    """`read_arguments` of one."""
    if type(value) is np.ndarray and unit is None and value.dtype == np.float64:  # as most are
        return Arguments([value], False, None)
    return read_arguments((what,), (unit,), (value,))


def read_arguments(whats: Sequence[str], units: Sequence[Any], values: Sequence[Any]) -> Arguments:
    """Read the arguments of a call.

    Parameters
    ----------
    whats : sequence of str
        What messages call the arguments.
    units : sequence of (Unit or None)
        The units that they must have.
    values : sequence of object
        The arguments.

    Raises
    ------
    TypeError
        If one is no real number and no array of them, or one of a kind that would lose something on the way; if one
        has a unit where none is expected, or none, or one that does not fit; if they have labels that do not fit.
    ValueError
        If their shapes do not fit.
    """
    for what, unit, value in zip(whats, units, values, strict=True):
        _check_unit(what, unit, value)
    numbers = [_numbers(*each) for each in zip(whats, units, values, strict=True)]
    if any(map(is_labelled, values)):
        points, labels = labels_of(whats, values, numbers)
        return Arguments(points, False, labels)
    points = list(np.broadcast_arrays(*numbers)) if len(numbers) > 1 else numbers
    return Arguments(points, all(map(_is_number, values, numbers)), None)


def _is_number(value: Any, number: Floats) -> bool:
    return number.ndim == 0 and (not isinstance(value, np.ndarray) or is_quantity(value))


def _check_unit(what: str, unit: Any, value: Any) -> None:
    """Refuse a quantity where no unit is expected, and a number where one is."""
    has_unit = is_quantity(value)
    if has_unit and unit is None:
        raise TypeError(
            f"{what} is {value!s:.200}, which has the unit {named_unit(value.unit)}, and must be a number without a"
            " unit; give .to_value(unit), in the unit that the method expects, or give the limits of the axis as"
            " quantities"
        )
    if unit is not None and not has_unit:
        why, remedy = _lack_of_unit(value)
        raise TypeError(
            f"{what} is {value!r:.200}, {why}, and must be a quantity in {named_unit(unit)}, or in a unit that can be"
            f" converted to it; {remedy}"
        )


def _lack_of_unit(value: Any) -> tuple[str, str]:
    """Why a value is no quantity, and how one is made of it."""
    if isinstance(value, list | tuple) and any(map(is_quantity, value)):
        return "which is no quantity itself", "make one of several: u.Quantity([...])"
    if is_quantity(getattr(value, "data", None)):
        return "which is no quantity itself", "give its .data"
    if is_labelled(value):
        numbers = ".filled(np.nan)" if isinstance(value, np.ma.MaskedArray) else ".to_numpy()"
        return "which has no unit", f"give {numbers} of it, multiplied by its unit"
    return "which has no unit", "multiply it by its unit"


def _numbers(what: str, unit: Any, value: Any) -> Floats:
    """An argument as an array of floats; NaN where it is missing or masked."""
    if unit is not None:
        found = np.asarray(number_in_unit(what, value, unit))
    elif is_labelled(value):
        found = numbers_of_labelled(what, value)
    else:
        _check_kind(what, value)
        found = np.asarray(value)
    if found.dtype.kind not in REAL_KINDS:
        raise _no_numbers(what, value, _advice_for_fields(value))
    return found.astype(float, copy=False)


def _no_numbers(what: str, value: object, advice: str = "") -> TypeError:
    return TypeError(
        f"{what} is {value!r:.200} ({type(value).__name__}); it must be a real number or an array of them{advice}"
    )


def _check_kind(what: str, value: Any) -> None:
    """Refuse what only converts to an array: it may have a mask, labels or a unit that would be lost."""
    if isinstance(value, list | tuple | range):
        for kind in set(map(type, value)) - _NUMBERS:
            for each in value:
                if type(each) is kind:
                    _check_kind(what, each)
        return
    if type(value) in _ARRAYS or isinstance(value, np.generic):
        return
    if is_quantity(value):
        raise _no_numbers(what, value, ": make one quantity of several, and give u.Quantity([...]).to_value(unit)")
    is_sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if hasattr(value, "__array__") or is_sequence or _has_buffer(value):
        raise _no_numbers(what, value, _advice_for_fields(value) or _advice_for_numbers(value))


def _advice_for_fields(value: Any) -> str:
    """What to give of something that has fields, columns or variables; empty for anything else."""
    if hasattr(value, "data_vars"):
        return f": give one of its variables, such as [{next(iter(value.data_vars), 'x')!r}]"
    names = getattr(getattr(value, "dtype", None), "names", None)
    return f": give one of its fields, such as [{names[0]!r}]" if names else ""


def _advice_for_numbers(value: Any) -> str:
    """What to give of something that holds more than numbers."""
    if type(value) in _MASKED:
        return ": give all as one masked array, np.ma.array(..., mask=...)"
    if isinstance(value, np.ma.MaskedArray):
        return ": give np.ma.asarray(...) of it, if its numbers and its mask are all that counts"
    if hasattr(value, "unmasked"):
        return ": give it without a mask: .filled(np.nan)"
    return ": give np.asarray(...) of it, if its numbers are all that counts"


_NUMBERS = {float, int, bool, np.float64}

_MASKED = (np.ma.MaskedArray, type(np.ma.masked))

_ARRAYS = (np.ndarray, np.memmap)


def _has_buffer(value: object) -> bool:
    try:
        memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return not isinstance(value, bytes)
