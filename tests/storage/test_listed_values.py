"""An entry lists the values of parameters and arguments, for those who look through a store."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from stored._keys import Key, Space
from stored._storage.format import unpack
from stored._storage.listed_values import read_values, values_json
from tests.storage.entries import Parts, entry_of


def listed(value: Any, text: str = "the text") -> Any:
    """How a parameter of this value is listed, and an argument alike."""
    key = Key(Space("m", "n", (("p", text),)), "f", "d", "1", (("p", text),))
    data = values_json(key.space.pairs(), key.arguments, (("p",), (value,), {"p": value}))
    found = read_values(unpack(entry_of(1, values=data)))
    assert found["parameters"] == found["arguments"]
    return found["parameters"]["p"]


@pytest.mark.parametrize("value", [1.5, -0.0, 3, 2**53 - 1, "é\ud800", "", None, True, False, [], [1, 2.5, None, "x"]])
def test_numbers_and_texts_are_listed_as_they_are(value: Any) -> None:
    """What JSON can hold to the last bit is listed as itself."""
    found = listed(value)
    assert (type(found), repr(found)) == (type(value), repr(value))


def test_like_values_are_listed_alike() -> None:
    """A float64 is a float, and a tuple a list."""
    assert listed((1, 2.5)) == [1, 2.5]
    assert type(listed(np.float64(2.5))) is float
    assert [type(each) for each in listed([np.float64(2.5)])] == [float]


@pytest.mark.parametrize(
    "value",
    [
        *(math.nan, math.inf, np.float64("nan"), 2**53, -(10**5000), 1j, b"x", "x" * 257, [1] * 17, [[1]], (math.nan,)),
        *(np.float32(1.0), np.int64(1), np.arange(3), {"a": 1}, {1}, type("Text", (str,), {})("x")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_listed_by_their_text(value: Any) -> None:
    """What JSON cannot hold, or what is long, is listed by its canonical text in the key."""
    assert listed(value) == {"text": "the text"}


def test_what_the_key_lacks_is_not_listed() -> None:
    """Ignored arguments are left out, and so are the texts of names without a value."""
    key = Key(Space("m", "n", "hashable string"), "f", "d", "1", (("x", "1"), ("y", "2")))
    data = values_json(key.space.pairs(), key.arguments, (("p",), (1,), {"x": 1, "verbose": True}))
    assert json.loads(data) == {"parameters": {}, "arguments": {"x": 1}}


def test_values_have_a_limit() -> None:
    """Values that would make the header long are not listed."""
    many = {str(n): "x" * 200 for n in range(1000)}
    assert values_json((), tuple((name, "t") for name in many), ((), (), many)) == b""


@pytest.mark.parametrize("values", [b"", b"{", b"[]", b"1", b"{}", b'{"parameters":[],"arguments":3}', b"\xff"])
def test_damaged_values_are_none(values: bytes) -> None:
    """A listing goes on where an entry lists no values."""
    assert read_values(unpack(Parts(b"1", values=values).joined())) == {"parameters": {}, "arguments": {}}
