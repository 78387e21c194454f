"""Arrays and data sets of xarray come back from entries exactly as they were, and lazy ones are refused in keys."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

xr = pytest.importorskip("xarray")
pytest.importorskip("xarray.indexes")

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stored import UnstableKeyError, keyed_by, stored
from stored._keys import canonical, change_key
from stored._methods.same_values import same_values
from stored._storage import copy_for_caller, freeze, is_mapped
from stored._storage.native import NotNativeError
from tests.science.entries import (
    as_two_users,
    check_that_forms_agree,
    from_entry,
    plain_trees,
    read_forged,
)
from tests.storage.entries import texts


def cube() -> Any:
    """An array with coordinates of many kinds."""
    found = xr.DataArray(
        np.arange(6.0).reshape(2, 3),
        dims=("t", "x"),
        coords={
            "x": ("x", ["a", "b", "c"], {"long_name": "letter"}),
            "t": pd.date_range("2020", periods=2),
            "scale": 5.0,
            "month": ("t", [1, 2]),
            "seen": ("t", pd.date_range("2021", periods=2)),
            "area": (("t", "x"), np.ones((2, 3))),
        },
        name="flux",
        attrs={"unit": "Jy"},
    )
    found.encoding = {"dtype": np.dtype("f4"), "zlib": True, "_FillValue": np.float32(0)}
    found.t.encoding["units"] = "days since 2000-01-01"
    return found


SAMPLES = {
    "a cube": cube(),
    "a data set": xr.Dataset({"a": cube(), "b": ("x", ["u", "v", "w"]), "c": 3}, attrs={"title": "t"}),
    "levels": cube().stack(z=("t", "x")),
    "a variable": cube().variable,
    "a number": xr.DataArray(5.0),
    "objects": xr.DataArray(np.array(["a", None, "b"], object), dims="x"),
    "mixed objects": xr.DataArray(np.array(["a", 1], object), dims="x"),
    "durations": xr.DataArray(pd.to_timedelta([1, 2], unit="s"), dims="x"),
    "bytes": xr.DataArray(np.array([b"a", b"bc"]), dims="x"),
    "without an index": cube().drop_indexes("x"),
    "an index of another coordinate": cube().set_xindex("month"),
    "categories": cube().assign_coords(x=pd.CategoricalIndex(["a", "b", "c"])),
    "periods": cube().assign_coords(t=pd.period_range("2020", periods=2, freq="M")),
    "a time zone": cube().assign_coords(t=pd.date_range("2020", periods=2, tz="UTC")),
    "numbers as labels": cube().assign_coords(x=np.array([1.0, 2.0, 3.0], "f4")),
    "texts of objects as labels": cube().assign_coords(x=np.array(["a", "b", "c"], object)),
    "one of the labels": cube().isel(x=0),
    "categories as values": xr.DataArray(pd.Categorical(["a", "b"]), dims="x"),
    "values that may be missing": xr.DataArray(pd.array([1, None], dtype="Int64"), dims="x"),
    "nothing": xr.Dataset(),
    "encoded": xr.Dataset({"a": cube()}).assign_attrs(b=1),
}
SAMPLES["encoded"].encoding = {"unlimited_dims": {"t"}, "dtype": np.dtype([("a", "f4")])}


@pytest.mark.parametrize("what", sorted(set(SAMPLES) - {"encoded"}))
def test_arrays_and_data_sets_come_back(what: str) -> None:
    """With coordinates, indexes, names, attributes and encodings."""
    value = SAMPLES[what]
    found = check_that_forms_agree(value)
    assert found.identical(value)
    assert found.encoding == value.encoding
    assert found.sizes == value.sizes
    for name in ("coords", "data_vars"):
        assert list(getattr(found, name, [])) == list(getattr(value, name, []))
    if not isinstance(value, xr.Variable):
        assert {name: type(each) for name, each in found.xindexes.items()} == {
            name: type(each) for name, each in value.xindexes.items()
        }
        assert {name: (each.dtype, each.encoding) for name, each in found.coords.items()} == {
            name: (each.dtype, each.encoding) for name, each in value.coords.items()
        }


def test_what_an_encoding_holds_may_have_no_plain_form() -> None:
    """Then it is pickled, as before."""
    with pytest.raises(NotNativeError):
        from_entry(SAMPLES["encoded"])


values = npst.arrays(
    st.one_of(
        npst.floating_dtypes(endianness="="),
        npst.integer_dtypes(),
        npst.complex_number_dtypes(),
        npst.unicode_string_dtypes(max_len=3),
        st.sampled_from(["M8[s]", "m8[ns]", "M8[ns]"]).map(np.dtype),
    ),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
attributes = st.dictionaries(texts, texts | st.integers() | st.floats(allow_nan=False), max_size=2)


@st.composite
def arrays(draw: Any) -> Any:
    found = draw(values)
    dims = tuple(f"d{at}" for at in range(found.ndim))
    coords = {}
    for at, dim in enumerate(dims):
        if draw(st.booleans()):
            labels = draw(npst.arrays(np.int16 if draw(st.booleans()) else "U2", found.shape[at]))
            coords[dim] = dim, labels, draw(attributes)
        if draw(st.booleans()):
            coords[f"{dim} label"] = dim, draw(npst.arrays(np.float32, found.shape[at]))
    return xr.DataArray(found, coords, dims, draw(st.none() | texts), draw(attributes))


@given(arrays())
def test_any_arrays_come_back(value: Any) -> None:
    """Of any shape, with any labels."""
    found = check_that_forms_agree(value)
    assert found.identical(value)
    check_that_forms_agree(value.to_dataset(name="variable"))


def table_in_two_orders() -> list[Any]:
    """Data sets that are equal, and show their dimensions in another order."""
    content = (("y", "x"), np.arange(6.0).reshape(3, 2))
    labels = {"x": [1, 2], "y": [1, 2, 3]}
    return [xr.Dataset({"v": content}, labels), xr.Dataset(coords=labels).assign(v=content)]


def test_the_order_of_variables_and_dimensions_counts() -> None:
    """A table of a data set has its rows in that order."""
    values = table_in_two_orders()
    rows = [each.to_dataframe().v.tolist() for each in values]
    assert rows[0] != rows[1]
    assert len({canonical(each) for each in values}) == 2
    for value, expected in zip(values, rows, strict=True):
        found = check_that_forms_agree(value)
        for each in (found, freeze(value)):
            assert each.to_dataframe().v.tolist() == expected
            assert list(each.variables) == list(value.variables)
            assert list(each.sizes) == list(value.sizes)


def test_an_order_of_dimensions_that_variables_do_not_give_is_pickled() -> None:
    """Nothing but somebody's own code makes one."""
    value = table_in_two_orders()[0]
    value._dims = dict(reversed(value._dims.items()))
    assert canonical(value) not in {canonical(each) for each in table_in_two_orders()}
    with pytest.raises(NotNativeError):
        from_entry(value)


@pytest.mark.parametrize("name", ["x", "t"])
def test_a_coordinate_is_one_of_itself(name: str) -> None:
    """It has labels that cannot be changed."""
    for value in (cube()[name], cube()[name].rename("other"), cube().stack(z=("t", "x"))[name]):
        found = check_that_forms_agree(value)
        for each in (found, freeze(value)):
            assert type(each.variable) is type(value.variable)
            assert each.identical(value)
            assert each.encoding == value.encoding
            assert each.dtype == value.dtype
    bare = cube()[name].drop_vars([*cube()[name].coords])
    other = bare._replace(variable=cube()[name].variable)
    assert canonical(other) != canonical(xr.DataArray(other.data, dims=name, name=name))
    with pytest.raises(NotNativeError):
        from_entry(other)


DIFFERENT = {
    "a value": lambda found: found + 1,
    "a dtype": lambda found: found.astype("f4"),
    "a dimension": lambda found: found.rename(x="y"),
    "the order of dimensions": lambda found: found.transpose(),
    "a coordinate": lambda found: found.assign_coords(scale=6.0),
    "a label": lambda found: found.assign_coords(x=["a", "b", "d"]),
    "no index": lambda found: found.drop_indexes("x"),
    "a name": lambda found: found.rename("other"),
    "an attribute": lambda found: found.assign_attrs(unit="mJy"),
    "no attributes": lambda found: found.drop_attrs(),
    "no encoding": lambda found: found.drop_encoding(),
    "its class": lambda found: found.to_dataset(),
    "its variable": lambda found: found.variable,
}


def test_keys_tell_everything_apart() -> None:
    """No two of these have the same key, neither the quick one nor the text."""
    found = [cube(), *[change(cube()) for change in DIFFERENT.values()]]
    assert len({canonical(each) for each in found}) == len(found)
    assert len({change_key((each,)) for each in found}) == len(found)
    assert canonical(cube()) == canonical(cube())
    assert change_key((cube(),)) == change_key((cube(),))


def test_arrays_are_compared_within_a_tolerance() -> None:
    """As verifying does; all but numbers has to be equal, and lazy ones are compared by themselves."""
    rounded = cube().copy(data=cube().data * (1 + 1e-14))
    assert same_values(cube(), rounded, 1e-12)
    assert not same_values(cube(), rounded, 0.0)
    assert not any(same_values(cube(), change(cube()), 1e-12) for change in DIFFERENT.values())
    pytest.importorskip("dask")
    assert not same_values(cube().chunk(), cube().chunk() + 1, 1e-12)


def lazy(place: Path) -> list[Any]:
    """Arrays whose data are not in memory."""
    found = [] if pytest.importorskip("dask") is None else [cube().chunk(), cube().to_dataset().chunk()]
    cube().drop_vars(["t", "seen"]).drop_attrs().drop_encoding().to_netcdf(place / "cube.nc", engine="scipy")
    return [*found, xr.open_dataarray(place / "cube.nc", engine="scipy")]


@keyed_by("name")
class Model:
    """Works with arrays."""

    def __init__(self, name: str = "model") -> None:
        self.name = name

    @stored
    def mean(self, found: Any) -> Any:
        """The mean of an argument."""
        return found.mean("t")

    @stored
    def sample(self, what: str) -> Any:
        """A result of any kind."""
        return SAMPLES[what]

    @stored
    def lazily(self) -> Any:
        """A result whose data are not in memory."""
        return xr.DataArray(np.arange(3.0)).chunk(2)

    @stored
    def large(self) -> Any:
        """A result of 3 MB."""
        return xr.DataArray(np.arange(400_000.0), dims="x", attrs={"a": 1})


def test_arguments_that_are_not_in_memory_are_refused(tmp_path: Path) -> None:
    """They would have to be read for their key; the error says how, and nothing is loaded."""
    for each in lazy(tmp_path):
        with pytest.raises(
            UnstableKeyError, match=r"found(\['flux'\])? is .* of type xarray.*not in memory.*call \.load\(\)"
        ):
            Model().mean(each)
        variables = [each.variable] if isinstance(each, xr.DataArray) else each.data_vars.values()
        assert not any(getattr(one, "variable", one)._in_memory for one in variables)
        assert change_key((each,)) is None
        loaded = each.load()
        assert Model().mean(loaded).identical(Model.mean.__wrapped__(Model(), loaded))
        each.close()


def test_results_that_are_not_in_memory_are_pickled() -> None:
    """And stay lazy."""
    pytest.importorskip("dask")
    for _ in range(2):
        found = Model().lazily()
        assert found.chunks == ((2, 1),)
        assert float(found.sum()) == 3.0
    with pytest.raises(NotNativeError):
        from_entry(found)


class Labels(xr.indexes.PandasIndex):
    """An index of somebody's own class."""


class Shown(np.ndarray):
    """An array of somebody's own class."""


def without_form() -> dict[str, Any]:
    """Arrays with parts of somebody's own."""
    coordinates = xr.Coordinates({"x": ("x", [1, 2])}, {"x": Labels([1, 2], "x")})
    return {
        r"an index of type Labels; leave it out with \.drop_indexes\('x'\)": xr.DataArray([1.0, 2.0], coordinates),
        r"an array of type .*\.Shown; give one of numpy": xr.DataArray(np.arange(2.0).view(Shown), dims="x"),
    }


@pytest.mark.parametrize("why", without_form())
def test_parts_of_other_classes_are_refused_in_keys_and_pickled_in_results(why: str) -> None:
    """The error says how to go without them."""
    value = without_form()[why]
    with pytest.raises(UnstableKeyError, match=why):
        canonical(value)
    with pytest.raises(NotNativeError):
        from_entry(value)
    kept = freeze(value)
    assert kept.identical(value)
    assert not np.shares_memory(kept.data, value.data)


def test_results_are_the_callers_own() -> None:
    """Whatever is changed in them; kept are the originals."""
    for what, original in SAMPLES.items():
        kept: Any = freeze(original)
        hand_out: Any = copy_for_caller(kept)
        text = canonical(kept) if what != "encoded" else ""
        found = hand_out(kept)
        for each in [found, *getattr(found, "coords", {}).values(), *getattr(found, "data_vars", {}).values()]:
            each.attrs["more"] = 1
            each.encoding["more"] = 1
            with contextlib.suppress(AttributeError, TypeError, ValueError):  # of data sets and labels
                each.data[...] = each.data.ravel()[0] * 2
        if what != "encoded":
            assert canonical(kept) == canonical(hand_out(kept)) == text
        assert "more" not in kept.encoding


def test_large_arrays_are_kept_in_the_mapped_file_and_handed_out_as_copies() -> None:
    """So that callers may write to them."""
    found = from_entry(Model().large())
    assert not found.data.flags.writeable
    Model().large()
    given = Model().large()
    assert not is_mapped(given.data)
    given[0] = 5.0
    assert Model().large()[0] == 0.0


def test_what_one_user_has_stored_another_finds(cache_dir: Path) -> None:
    """Who has another key, and gets no warning."""

    def use() -> list[Any]:
        model = Model()
        found = [model.sample(what) for what in SAMPLES if what != "encoded"]
        return [*found, model.sample.cache_info().misses]

    (*first, computed), (*second, found) = as_two_users(cache_dir, use)
    assert (computed, found) == (len(SAMPLES) - 1, 0)
    assert canonical(first) == canonical(second)


KINDS = {"Variable": xr.Variable, "DataArray": xr.DataArray, "Dataset": xr.Dataset}


@given(st.sampled_from(list(KINDS)), plain_trees)
def test_forged_entries_are_damaged_or_hold_such_a_value(name: str, plain: Any) -> None:
    """Whatever plain values stand in the place of its own."""
    found = read_forged(f"xarray.{name}", plain)
    assert found is None or type(found) is KINDS[name]


TWO = np.zeros(2)


def variable(data: Any = TWO, dims: Any = ("x",), attrs: Any = None, encoding: Any = None) -> Any:
    return dims, data, {} if attrs is None else attrs, {} if encoding is None else encoding


LABELS = pd.Index([1, 2])

REFUSED = {
    "Variable": [
        variable(dims=["x"]),
        variable(dims=("x", "y")),
        variable(attrs=[]),
        variable(encoding={"dtype": ("dtype", "O")}),
        variable(encoding={"dtype": ("other",)}),
        variable(np.zeros(2, "M8[D]")),
        variable(("times", "<M8[x]", np.zeros(2, "i8"))),
        variable(("times", "<M8[s]", np.zeros(2, "i4"))),
        variable(("objects", (2,), ("a", "b"))),
    ],
    "DataArray": [
        ("a", variable(), {"x": variable(None)}, [("one", ("x",), "x", [1, 2])], True),
        ("a", variable(), {"x": variable(None)}, [("one", ("x",), "y", LABELS)], True),
        ("a", variable(), {"x": variable(None)}, [("levels", ("x",), "x", LABELS)], True),
        ("a", variable(), {"x": variable(None)}, [("other", ("x",), "x", LABELS)], True),
        ("a", variable(), {}, [("one", ("x",), "x", LABELS)], True),
        ("a", variable(), {"x": variable("no dtype")}, [("one", ("x",), "x", LABELS)], True),
        ("a", "x", {"y": variable()}, [], False),
    ],
    "Dataset": [
        ({"a": variable()}, {}, [], [], {}, ("a",), ("x",)),
        ({"a": variable()}, {}, [], {}, {"a": 1}, ("a",), ("x",)),
        ({"a": variable()}, {}, [], {}, {}, ("a", "b"), ("x",)),
        ({"a": variable()}, {}, [], {}, {}, ("b",), ("x",)),
        ({"a": variable()}, {}, [], {}, {}, ("a",), ("y",)),
        ({"a": variable()}, {}, [], {}, {}, ["a"], ("x",)),
    ],
}


@pytest.mark.parametrize(("name", "plain"), [(name, each) for name, found in REFUSED.items() for each in found])
def test_what_makes_no_value_is_a_damaged_entry(name: str, plain: Any) -> None:
    """It is read as if it were not there."""
    assert read_forged(f"xarray.{name}", plain) is None
