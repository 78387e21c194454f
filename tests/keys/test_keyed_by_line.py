"""The error of a class that does not tell its parameters writes the line to add."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import attrs
import pytest

from stored._keys import find_describer
from stored.errors import OwnerError


@dataclasses.dataclass
class Data:
    mass: float


@attrs.define
class Attrs:
    mass: float


class Tuple(NamedTuple):
    mass: float


class Kept:
    def __init__(self, mass: Any) -> None:
        self.mass = mass


class Private:
    def __init__(self, H0: Any, z: Any) -> None:
        self._H0, self.grid = H0, z


class NotKept:
    def __init__(self, z: Any) -> None:
        self.grid = z


class Starred:
    def __init__(self, **more: Any) -> None:
        vars(self).update(more)


class Plain:
    n = 1


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        *[(kind, "Write @keyed_by above the class, which takes its fields") for kind in (Data, Attrs, Tuple)],
        (Kept, "Write @keyed_by above the class, which takes the attributes in which"),
        (Private, 'Write @keyed_by("_H0") above the class, with all attributes'),
        (NotKept, 'Write @keyed_by("H0", "Om0") above the class, with all attributes'),
        (Starred, 'Write @keyed_by("H0", "Om0") above the class, with the attributes'),
        (Plain, "Write @keyed_by above the class, whose objects are made without arguments"),
    ],
)
def test_the_line_is_that_of_the_class(kind: Any, line: str) -> None:
    """Bare where it would work; otherwise with the attributes in which `__init__` keeps what it takes."""
    with pytest.raises(OwnerError) as caught:
        find_describer(kind)
    assert line in str(caught.value)
