"""What a method is found to read joins the parameters that its class declares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stored import keyed_by, stored
from stored.errors import OwnerWarning


@keyed_by("unit")
class Row(list):  # type: ignore[type-arg]
    unit = 1

    @stored
    def value(self) -> Any:
        return sum(self) * self.unit


@keyed_by("unit")
class Named(dict):  # type: ignore[type-arg]
    unit = 1

    @stored
    def value(self) -> Any:
        return sum(self.values()) * self.unit


@keyed_by("unit")
class Field(np.ndarray):  # type: ignore[type-arg]
    unit = 1

    @stored
    def value(self) -> Any:
        return float(self.sum()) * self.unit


@keyed_by("unit")
class Masked(np.ma.MaskedArray):  # type: ignore[type-arg]
    unit = 1

    @stored
    def value(self) -> Any:
        return float(self.sum()) * self.unit


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: Row([1, 2]), 0),
        (lambda: Named(a=1, b=2), "a"),
        (lambda: np.array([1.0, 2.0]).view(Field), 0),
        (lambda: Masked([1.0, 2.0]), 0),
    ],
)
def test_what_an_owner_contains_counts_where_it_is_read(make: Any, key: Any) -> None:
    """The items of a list, a dict or an array: results are for one object, until one of its items is another."""
    owner = make()
    with pytest.warns(OwnerWarning, match="are kept for one object only"):
        assert owner.value() == 3
    owner[key] = 5
    assert owner.value() == 7
    assert owner.value.cached()


@pytest.mark.filterwarnings("ignore::stored.errors.OwnerWarning")
def test_masks_count() -> None:
    """They are no attributes either."""
    owner = Masked([1.0, 2.0])
    assert owner.value() == 3.0
    owner[0] = np.ma.masked
    assert owner.value() == 2.0
