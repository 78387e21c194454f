"""Tables of functions: what they hold, and the errors of making them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stored import Axis, TableError, ToleranceError
from stored._tables import make_table, resample_surface, tabulate
from tests.tables.interpolants import interpolant_of


def test_a_table_has_the_same_fields_however_it_was_sampled() -> None:
    """The fields are those of every table, and depths if it is of one axis."""
    fields = {"nodes", "values", "held_out", "limits", "coefficients", "error", "evaluations"}
    for points in (None, 9):
        axes = Axis("x", 1.0, 2.0, points=points), Axis("y", 1.0, 2.0, points=points)
        assert tabulate(lambda x: x, axes[:1], "f").keys() == fields | {"depths"}
        assert tabulate(lambda x, y: x + y, axes, "f").keys() == fields


@pytest.mark.parametrize("points", [None, 12])
def test_a_function_that_treats_arrays_otherwise_is_called_with_numbers(points: int | None) -> None:
    """A function that gives other values for arrays than for numbers is sampled with numbers throughout."""

    def skewed(x: Any) -> Any:
        return x + np.mean(x)

    f = interpolant_of(skewed, Axis("x", 1.0, 3.0, points=points))
    assert f(2.5) == pytest.approx(5.0, rel=1e-9)
    assert interpolant_of(
        lambda x, y: skewed(x) + y, Axis("x", 1.0, 3.0, points=points), Axis("y", 1.0, 2.0, points=points)
    )(2.5, 1.5) == pytest.approx(6.5, rel=1e-9)


@pytest.mark.parametrize("points", [None, 9])
def test_values_in_logarithm_must_be_positive(points: int | None) -> None:
    """The error says what value stands where, and why it must be positive, along one axis and two."""
    x, y = Axis("x", 1.0, 3.0, values="log", points=points), Axis("y", 0.0, 1.0, points=points)
    for call in (
        lambda: interpolant_of(lambda x: 2.9 - x, x),
        lambda: interpolant_of(lambda x, y: 2.9 - x - 0 * y, x, y),
    ):
        with pytest.raises(TableError, match=r"is -0\.\d+ at x = .*; .* must be positive, because values='log'"):
            call()


def test_an_error_too_large_after_resampling_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that cannot follow the polynomial are an error that says why."""
    axes = Axis("x", 0.0, 1.0, rtol=1e-10), Axis("y", 0.0, 1.0)
    for module in (make_table, resample_surface):
        monkeypatch.setattr(module, "MOST_PATCHES", 256)
    with pytest.raises(ToleranceError, match="only on too many patches") as caught:
        tabulate(lambda x, y: np.sin(60 * x) + 2 + y, axes, "f")
    assert (caught.value.why, caught.value.axis, caught.value.asked) == ("patches", "x and y", 1e-10)
    assert caught.value.error > 1e-10
    with pytest.raises(ToleranceError, match="near the limit of double precision"):
        make_table._checked_error(np.array([1.0, 2.0]), np.array([1.5, 1.5]), axes, "f", 10)
