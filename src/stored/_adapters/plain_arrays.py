"""Which plain values and numbers stand for an array of objects, such as texts, or of times?"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

__all__ = ["array_of", "packed_texts", "parts_of", "texts_of"]

_TIMES = re.compile(r"<[mM]8\[[1-9]?[0-9]{0,8}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]")


def parts_of(array: np.ndarray[Any, Any], missing: tuple[Any, ...] = (None,)) -> Any:
    """An array of numbers itself; what stands for one of objects or times, with its shape.

    Parameters
    ----------
    array : ndarray
        The array.
    missing : tuple
        What may stand in the place of a text, each of which is one object for all; NaN of Python's is known.
    """
    if _TIMES.fullmatch(array.dtype.str):  # numbers are compared more quickly
        return "times", array.dtype.str, array.view("<i8")
    if array.dtype.kind != "O":
        return array
    items = array.ravel().tolist()
    packed = packed_texts(items, missing)
    return ("objects", array.shape, items) if packed is None else ("texts", array.shape, *packed)


def array_of(plain: Any, missing: tuple[Any, ...] = (None,)) -> np.ndarray[Any, Any]:
    """The array that plain values stand for, as `parts_of` gives them; a ValueError if they stand for none."""
    if type(plain) is np.ndarray:
        return plain
    if type(plain) is not tuple:
        raise TypeError("this stands for no array")
    kind, *rest = plain
    if kind == "times":
        unit, numbers = rest
        if not (_TIMES.fullmatch(unit) and type(numbers) is np.ndarray and numbers.dtype == np.dtype("<i8")):
            raise ValueError("these are no times")
        return numbers.view(unit)
    shape, *content = rest
    items = _listed(*content) if kind == "objects" else texts_of(content, missing)
    found = np.fromiter(items, object, len(items))
    found.flags.writeable = False  # as the arrays of an entry are
    return found.reshape(shape)


def _listed(items: Any) -> list[Any]:
    if type(items) is not list:
        raise TypeError("items are in a list")
    return items


def packed_texts(items: list[Any], missing: tuple[Any, ...]) -> tuple[Any, Any] | None:
    """How many characters each text has, and the UTF-8 of all; a negative number stands for what is no text.

    None if there is anything but texts, NaN and what is given as missing.
    """
    lengths = np.empty(len(items), np.int64)
    texts = []
    for at, each in enumerate(items):
        if type(each) is str:
            lengths[at] = len(each)
            texts.append(each)
        elif type(each) is float and each != each:
            lengths[at] = -1
        else:
            found = next((number for number, known in enumerate(missing) if each is known), None)
            if found is None:
                return None
            lengths[at] = -2 - found
    return lengths, np.frombuffer("".join(texts).encode("utf-8", "surrogatepass"), np.uint8)


def texts_of(packed: Any, missing: tuple[Any, ...]) -> list[Any]:
    """The texts of which `packed_texts` has given lengths and content."""
    lengths, content = packed
    if not (_is_row(lengths, np.int64) and _is_row(content, np.uint8)):
        raise ValueError("texts are in a row of int64 and one of uint8")
    text = content.tobytes().decode("utf-8", "surrogatepass")
    numbers = lengths.tolist()
    ends = [*itertools.accumulate([max(each, 0) for each in numbers])]
    if (ends[-1] if ends else 0) != len(text):
        raise ValueError("the lengths of texts are not those of the content")
    stands_for = {-1: float("nan"), **{-2 - number: known for number, known in enumerate(missing)}}
    return [
        stands_for[length] if length < 0 else text[end - length : end]
        for length, end in zip(numbers, ends, strict=True)
    ]


def _is_row(array: Any, dtype: type) -> bool:
    return type(array) is np.ndarray and array.ndim == 1 and array.dtype == np.dtype(dtype)
