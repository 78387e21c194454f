"""What is taken along an axis, and what comes back."""

from __future__ import annotations

import array
import collections
import ctypes
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, TableError
from stored._tables.exact_values import values_of_method
from tests.tables.interpolants import bicubic, cube, curve, surface

F = curve(cube)
S = surface(bicubic)


def assert_masked(found: Any, values: Any, mask: Any) -> None:
    """A masked array with this mask, and these values where it has none."""
    assert type(found) is np.ma.MaskedArray
    assert np.ma.getmaskarray(found).tolist() == np.asarray(mask).tolist()
    np.testing.assert_allclose(found.compressed(), np.asarray(values)[~np.asarray(mask)], rtol=1e-8)


@pytest.mark.parametrize("dtype", [float, np.float32, int])
def test_masked_arrays_keep_their_mask(dtype: Any) -> None:
    """What is masked is not evaluated, so it cannot be outside the axis."""
    mask = [False, True, False]
    x = np.ma.array([1, 99, 2], mask=mask, dtype=dtype)
    assert_masked(F(x), [0.0, 0.0, 6.0], mask)
    assert_masked(F.derivative(x), [2.0, 0.0, 11.0], mask)
    assert_masked(F.integral(1.0, x), [0.0, 0.0, 2.25], mask)
    assert_masked(F.inverse(np.ma.array([0.0, 1e9, 6.0], mask=mask)), [1.0, 0.0, 2.0], mask)
    assert_masked(values_of_method(cube, F.axes, "f", (x,)), [0.0, 0.0, 6.0], mask)
    assert x.data[1] == 99


def test_masks_of_several_arguments_are_joined() -> None:
    """Each is broadcast against the others, which may be plain."""
    x, y = np.ma.array([1.0, 2.0], mask=[True, False]), np.ma.array([[0.0], [9.0]], mask=[[False], [True]])
    assert_masked(S(x, y), [[0.0, 4.0], [0.0, 0.0]], [[True, False], [True, True]])
    assert_masked(S(x, 0.0), [0.0, 4.0], [True, False])
    assert_masked(S.derivative(x, [0.0, 0.0]), [0.0, 10.0], [True, False])


def test_masked_scalars() -> None:
    """The masked constant gives itself, and an array without axes one without axes."""
    assert F(np.ma.masked) is np.ma.masked
    assert S(np.ma.masked, 1.0) is np.ma.masked
    assert_masked(S(np.ma.masked, [1.0, 2.0]), [0.0, 0.0], [True, True])
    found = F(np.ma.array(2.0))
    assert (type(found), found.shape) == (np.ma.MaskedArray, ())
    assert values_of_method(cube, F.axes, "f", (np.ma.masked,)) is np.ma.masked


def test_a_mask_is_the_callers_own() -> None:
    """Whoever changes the result changes no argument."""
    x = np.ma.array([1.0, 2.0], mask=[True, False])
    F(x).mask[1] = True
    assert x.mask.tolist() == [True, False]


class Converts:
    """An object that only converts to an array."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([1.0, 2.0])


class Tagged(np.ndarray[Any, Any]):
    """A subclass of arrays, which might have a unit."""


@pytest.mark.parametrize(
    "x",
    [
        Converts(),
        [1.0, Converts()],
        np.matrix([[1.0, 2.0]]),
        np.array([1.0, 2.0]).view(Tagged),
        ([np.array([1.0]).view(Tagged)],),
        [1.0, np.ma.masked],
        [np.ma.array([1.0], mask=[True])],
        array.array("d", [1.0, 2.0]),
        collections.deque([1.0, 2.0]),
        (ctypes.c_double * 2)(1.0, 2.0),
        memoryview(array.array("d", [1.0, 2.0])),
        np.array([(1.0,)], dtype=[("x", float)]).view(np.recarray),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_only_converts_to_an_array_is_refused(x: Any) -> None:
    """It may have what would be lost on the way; the error says how to leave that behind."""
    for function in (F, F.inverse, F.derivative, lambda each: F.integral(1.0, each), lambda each: S(each, 1.0)):
        with pytest.raises(TypeError, match=r"it must be a real number or an array of them: give "):
            function(x)


class OwnMasked(np.ma.MaskedArray):  # type: ignore[type-arg]
    pass


RECORDS = np.array([(1.0, 2.0)], dtype=[("x", float), ("y", float)])


@pytest.mark.parametrize(
    ("x", "remedy", "made"),
    [
        (np.array([1.0, 2.0]).view(Tagged), "give np.asarray(...) of it", np.asarray),
        (OwnMasked([1.0, 2.0], mask=[False, True]), "give np.ma.asarray(...) of it", np.ma.asarray),
        (
            [1.0, np.ma.masked],
            "give all as one masked array, np.ma.array(..., mask=...)",
            lambda _: np.ma.array([1.0, 1.0], mask=[False, True]),
        ),
        ([np.ma.array([1.0], mask=[True])], "give all as one masked array, np.ma.array(..., mask=...)", np.ma.array),
        (RECORDS.view(np.recarray), "give one of its fields, such as ['x']", lambda x: x["x"]),
        (RECORDS, "give one of its fields, such as ['x']", lambda x: x["x"]),
    ],
)
def test_the_remedy_keeps_what_counts(x: Any, remedy: str, made: Any) -> None:
    """What the error says to give is taken, and a mask is not lost by it."""
    with pytest.raises(TypeError, match=re.escape(remedy)):
        F(x)
    found = F(made(x))
    assert np.ma.getmaskarray(found).any() == ("mask" in remedy or "ma.asarray" in remedy)


@pytest.mark.parametrize("x", [np.ma.array([1j]), np.ma.array(["x"]), np.ma.array([(1.0,)], dtype=[("x", float)])])
def test_masked_arrays_are_of_real_numbers(x: Any) -> None:
    """Others are refused as plain ones are."""
    with pytest.raises(TypeError, match=r"it must be a real number or an array of them"):
        F(x)


def test_plain_arrays_of_every_kind(tmp_path: Path) -> None:
    """Lists, tuples, ranges, arrays in files, numbers of numpy."""
    file = np.memmap(tmp_path / "x", dtype=float, shape=(2,), mode="w+")
    file[:] = [1.0, 2.0]
    for x in (file, [1, 2], (1.0, np.float32(2.0)), range(1, 3), [np.float64(1.0), np.int8(2)], [True, 2.0]):
        found = F(x)
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, [0.0, 6.0], atol=1e-8)
    assert F([[1, 2], np.array([2, 1])]).shape == (2, 2)
    assert type(F(np.int64(2))) is float
    assert math.isnan(F([np.nan, 1.0])[0])


@pytest.mark.parametrize("x", [b"12", "12", None, {1.0}, object()])
def test_what_is_no_number_is_refused(x: Any) -> None:
    """Without the advice to make an array of it."""
    with pytest.raises(TypeError, match=r"real number or an array of them$"):
        F(x)


def test_masked_samples_are_not_finite() -> None:
    """A method that masks where it has no value is told so."""
    with pytest.raises(TableError, match=r"is nan at x"):
        curve(lambda x: np.ma.masked if x > 2 else x, vectorized=False)


def test_units_of_other_libraries_are_no_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without astropy no unit is one, and no object that calls itself a quantity."""
    monkeypatch.delitem(__import__("sys").modules, "astropy.units", raising=False)
    with pytest.raises(ValueError, match=r"must be a unit of astropy"):
        Axis("x", 1.0, 2.0, unit="kpc")
    quantity = type("Quantity", (Converts,), {"unit": "kpc"})()
    with pytest.raises(TypeError, match=r"np.asarray"):
        F(quantity)
