"""Series, frames and arrays with coordinates along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored._tables.exact_values import values_of_method
from tests.tables.interpolants import bicubic, cube, curve, surface

pd: Any = pytest.importorskip("pandas")
xr: Any = pytest.importorskip("xarray")
u: Any = pytest.importorskip("astropy.units")

F = curve(cube, outside="nan")
S = surface(bicubic)
INDEX = pd.Index(["a", "b", "c"], name="galaxy")


def series(values: Any, **options: Any) -> Any:
    return pd.Series(values, **{"index": INDEX, "name": "x", **options})


def assert_series(found: Any, expected: Any) -> None:
    pd.testing.assert_series_equal(found, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_series_keep_index_and_name(dtype: str) -> None:
    """Call, derivative, integral, inverse and the method itself give Series like the argument."""
    x = series([1, 2, 3], dtype=dtype)
    assert_series(F(x), series([0.0, 6.0, 24.0]))
    assert_series(F.derivative(x), series([2.0, 11.0, 26.0]))
    assert_series(F.integral(1.0, x), series([0.0, 2.25, 16.0]))
    assert_series(F.inverse(series([0.0, 6.0, 24.0])), series([1.0, 2.0, 3.0]))
    assert_series(values_of_method(cube, F.axes, "f", (x,)), series([0.0, 6.0, 24.0]))


@given(st.lists(st.one_of(st.none(), st.floats(0.0, 4.0)), min_size=1), st.sampled_from(["Float64", "Float32"]))
def test_what_is_missing_stays_missing(values: list[float | None], dtype: str) -> None:
    """In Series that know missing values, to which NaN belongs, that of a number outside the axis too."""
    x = pd.Series(values, dtype=dtype)
    found = F(x)
    assert str(found.dtype) == "Float64"
    expected = F(x.to_numpy(dtype=float, na_value=np.nan))
    assert found.isna().tolist() == np.isnan(expected).tolist()
    np.testing.assert_array_equal(found.to_numpy(dtype=float, na_value=np.nan), expected)


def test_nullable_integers_and_bools() -> None:
    """Their results are numbers, missing where they are."""
    assert F(pd.Series([1, None, 3], dtype="Int64")).isna().tolist() == [False, True, False]
    assert F(pd.Series([True, None], dtype="boolean")).isna().tolist() == [False, True]
    found = values_of_method(cube, F.axes, "f", (pd.Series([2, None], dtype="Int64"),))
    assert found[0] == 6.0
    assert found.isna().tolist() == [False, True]


def test_attributes_and_fill_values_stay() -> None:
    """Those of a Series and of a frame, and the fill value of a masked array."""
    x = pd.Series([1.0, 2.0])
    x.attrs["unit"] = "kpc"
    assert F(x).attrs == (x**3).attrs == {"unit": "kpc"}
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    frame.attrs["of"] = {"a": 1}
    assert F(frame).attrs == (frame**3).attrs
    masked = np.ma.array([1.0, 2.0], mask=[False, True], fill_value=-1.0)
    assert F(masked).filled().tolist() == [0.0, -1.0]


def test_nan_in_a_plain_series_stays_nan() -> None:
    """As pandas has it without nullable types."""
    assert_series(F(series([1.0, np.nan, 2.0])), series([0.0, np.nan, 6.0]))


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["a"]),
        pd.Series([1 + 1j]),
        pd.Series([1.0], dtype=object),
        pd.Series(pd.to_datetime(["2020-01-01"])),
        pd.Series([1.0], dtype="category"),
        pd.Series(pd.arrays.SparseArray([1.0, 2.0])),
        pd.DataFrame({"a": [1.0], "b": ["x"]}),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
        xr.DataArray(["a"]),
        xr.DataArray([1j]),
    ],
    ids=str,
)
def test_only_real_numbers_have_values(values: Any) -> None:
    """The error names the dtype."""
    with pytest.raises(TypeError, match=r"of dtype .*; it must be one of real numbers"):
        F(values)


@pytest.mark.parametrize(
    "x",
    [pd.Index([1.0, 2.0]), pd.array([1.0, 2.0]), [pd.Series([1.0])], xr.Variable("t", [1.0])],
    ids=lambda each: type(each).__name__,
)
def test_other_objects_of_theirs_are_refused(x: Any) -> None:
    """What only converts to an array, with the remedy."""
    with pytest.raises(TypeError, match=r"np.asarray"):
        F(x)


def test_a_variable_of_a_data_set_is_to_be_given() -> None:
    """There is no single array of it."""
    with pytest.raises(TypeError, match=r"Dataset.*: give one of its variables, such as \['a'\]$"):
        F(xr.Dataset({"a": 1.0}))
    with pytest.raises(TypeError, match=r"such as \['x'\]$"):
        F(xr.Dataset())


def test_a_data_array_of_a_quantity_says_how_numbers_are_made_of_it() -> None:
    """Of a quantity; `.compute()` would leave it one."""
    x = xr.DataArray([1.0, 2.0], dims="t")
    with_unit = x.copy(data=[1.0, 2.0] * u.kpc)
    with pytest.raises(TypeError, match=r"of Quantity; give its numbers, \.copy\(data=array\.data\.to_value\(unit\)\)"):
        F(with_unit)
    assert F(with_unit.copy(data=with_unit.data.to_value(u.kpc))).values == pytest.approx([0.0, 6.0], abs=1e-8)


def test_frames_keep_index_and_columns() -> None:
    """A frame of numbers is an array of two axes with labels."""
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [2, 3]}, index=["u", "v"])
    pd.testing.assert_frame_equal(F(frame), (frame**3 - frame).astype(float), rtol=1e-8)
    pd.testing.assert_frame_equal(S(frame, frame - 1), bicubic(frame, frame - 1).astype(float), rtol=1e-8)
    with pytest.raises(ValueError, match=r"x and y have different columns"):
        S(frame, frame[["b", "a"]])
    with pytest.raises(ValueError, match=r"x and y have different indices"):
        S(frame, frame.iloc[::-1])


def test_surfaces_of_series() -> None:
    """Beside a Series there are numbers, or a Series of the same index."""
    x, y = series([1.0, 2.0, 3.0]), series([0.0, 1.0, 2.0], name="y")
    assert_series(S(x, 1.0), bicubic(x, 1.0))
    assert_series(S(1.5, y), bicubic(1.5, y))
    assert_series(S(x, y), bicubic(x, y))
    assert S(x, y).name is None
    assert S(x, y.rename("x")).name == "x"
    assert_series(S.derivative(x, y, nu=(0, 1)), (x**3 - 2 * x) * (3 * y**2 + 2 * y))
    with pytest.raises(ValueError, match=r"x and y have different indices; give both the same"):
        S(x, y.iloc[::-1])
    with pytest.raises(TypeError, match=r"x and y are a Series and an array; give y as a Series too"):
        S(x, np.array([0.0, 1.0, 2.0]))
    with pytest.raises(TypeError, match=r"x and y are a DataArray and a Series; give all of them as one type"):
        S(x, xr.DataArray([1.0, 2.0, 1.0]))
    missing = S(pd.Series([1.0, None], dtype="Float64"), pd.Series([1.0, 2.0]))
    assert missing.isna().tolist() == [False, True]


def test_arrays_with_coordinates() -> None:
    """Dimensions, coordinates and name stay; attributes stay where xarray's arithmetic keeps them."""
    x = xr.DataArray(
        [[1.0, 2.0, 3.0]],
        dims=("t", "x"),
        coords={"x": [7, 8, 9], "t": [0.5], "z": 1.0},
        name="r",
        attrs={"units": "kpc"},
    )
    xr.testing.assert_allclose(F(x), x**3 - x)
    for keeps in (True, False):
        with xr.set_options(keep_attrs=keeps):
            found = F(x)
            assert (found.name, found.dims, found.attrs) == ("r", ("t", "x"), (x**3 - x).attrs)
    assert set(found.coords) == {"x", "t", "z"}
    assert F.derivative(x).dims == ("t", "x")
    assert F.inverse(x).name == "r"
    xr.testing.assert_allclose(values_of_method(cube, F.axes, "f", (x,)), F(x))


def test_surfaces_of_arrays_with_coordinates() -> None:
    """They are broadcast by the names of dimensions, and coordinates must be the same."""
    x = xr.DataArray([1.0, 2.0, 3.0], dims="x", coords={"x": [7, 8, 9]}, name="r")
    y = xr.DataArray([0.0, 1.0], dims="t", coords={"t": [1, 2]})
    xr.testing.assert_allclose(S(x, y), bicubic(x, y))
    assert S(x, y).dims == ("x", "t")
    xr.testing.assert_allclose(S(x, y * xr.ones_like(x)), bicubic(x, y * xr.ones_like(x)))
    xr.testing.assert_allclose(S(x, 1.0), bicubic(x, 1.0))
    with pytest.raises(ValueError, match=r"x and y have different coordinates, or sizes, along a dimension"):
        S(x, x.assign_coords(x=[7, 8, 10]))
    with pytest.raises(TypeError, match=r"are a DataArray and an array"):
        S(x, np.array([0.0, 1.0, 2.0]))


def test_arrays_that_are_not_in_memory_are_refused() -> None:
    """One of another kind of arrays, as dask's are."""

    class Duck(np.ndarray[Any, Any]):
        """An array of another kind."""

    with pytest.raises(TypeError, match=r"a DataArray of Duck; give .compute\(\)"):
        F(xr.DataArray(np.array([1.0]).view(Duck), dims="x"))


def test_values_with_a_unit_do_not_fit_into_them() -> None:
    """The unit would be lost; the error says what to give."""
    u: Any = pytest.importorskip("astropy.units")
    f = curve(lambda x: x**2 * u.K)
    for x, remedy in (
        (series([1.0, 2.0, 3.0]), r"\.to_numpy\(\)"),
        (xr.DataArray([1.0]), r"\.to_numpy\(\)"),
        (np.ma.array([1.0]), r"\.filled\(np.nan\)"),
    ):
        with pytest.raises(TypeError, match=f"the result has the unit K, which a .* cannot hold; give {remedy}"):
            f(x)
