"""What has no form is named by what users write to get it, not by how values are encoded."""

from __future__ import annotations

import fractions
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import keyed_by, register, stored
from stored._keys import canonical
from stored._keys.canonical import text_with_numbers
from stored._storage.native import NotNativeError, located, pack_native
from stored.errors import PersistenceWarning, UnstableKeyError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pd = pytest.importorskip("pandas")
    xr = pytest.importorskip("xarray")
    u = pytest.importorskip("astropy.units")
    from astropy.cosmology import FlatLambdaCDM
    from astropy.table import MaskedColumn, QTable, Table
    from astropy.utils.masked import Masked

Make = Callable[[Any], Any]


def objects(*items: Any) -> Any:
    """An array of these objects."""
    return np.array([*items, None], dtype=object)[:-1]


PLACES: dict[str, Make] = {
    "['o'][1]": lambda bad: pd.DataFrame({"n": [1, 2], "o": [1, bad]}),
    "['o']['s']['k']": lambda bad: pd.DataFrame({"o": [1, {"k": bad}]}, index=["r", "s"]),
    "['s']": lambda bad: pd.Series([1, bad], index=["r", "s"]),
    "[1, 1]": lambda bad: xr.DataArray(objects(1, 2, 3, bad).reshape(2, 2), dims=("x", "y")),
    ".attrs['k']": lambda bad: xr.DataArray(np.zeros(2), dims="x", attrs={"k": bad}),
    ".coords['l'][1]": lambda bad: xr.DataArray(np.zeros(2), dims="x", coords={"l": ("x", objects(1, bad))}),
    "['v'].attrs['k']": lambda bad: xr.Dataset({"v": ("x", np.zeros(2), {"k": bad})}),
    "['v'][1]": lambda bad: xr.Dataset({"v": ("x", objects(1, bad))}),
    ".attrs['f']": lambda bad: with_attribute(pd.DataFrame({"n": [1]}), bad),
    ".attrs['f'] ": lambda bad: with_attribute(pd.Series([1]), bad),
    ".attrs['d']": lambda bad: xr.Dataset({"v": 1.0}, attrs={"d": bad}),
    ".coords['x'].attrs['k']": lambda bad: xr.DataArray(np.zeros(2), {"x": ("x", [1, 2], {"k": bad})}),
    "['a'][1]": lambda bad: Table({"a": objects(1, bad)}),
    "['m'][1]": lambda bad: Table({"m": MaskedColumn(objects(1, bad))}),
    "['q'][0]": lambda bad: QTable({"n": [1.0] * u.kpc, "q": objects(bad)}),
    "['a'].meta['k']": lambda bad: with_meta(Table({"a": [1, 2]}), "a", bad),
    ".meta['k']": lambda bad: Table({"a": [1, 2]}, meta={"k": bad}),
    ".meta['h']": lambda bad: FlatLambdaCDM(70.0, 0.3, meta={"h": bad}),
    "[1]": lambda bad: np.ma.MaskedArray(objects(1, bad), mask=[False, True]),
    "[0]": lambda bad: Masked(objects(bad), mask=[False]),
    "['y'][0]": lambda bad: np.array([(bad,)], dtype=[("y", object)]).view(np.recarray),
}


def with_attribute(table: Any, bad: Any) -> Any:
    table.attrs["f"] = bad
    return table


def with_meta(table: Any, name: str, bad: Any) -> Any:
    table[name].meta["k"] = bad
    return table


@pytest.mark.parametrize("place", PLACES)
def test_the_place_of_what_is_in_no_key(place: str) -> None:
    """In a list, which has a place of its own."""
    with pytest.raises(UnstableKeyError) as caught:
        canonical([PLACES[place](BAD)])
    assert str(caught.value).startswith(f"it[0]{place.strip()} is a value of type builtins.object")


class Failing:
    """Its function to encode it fails."""


register(Failing, encode=lambda value: value.nothing, decode=lambda found: Failing())

BAD = object()


@keyed_by("table")
class Model:
    def __init__(self, table: Any) -> None:
        self.table = table

    @stored
    def value(self, x: Any) -> Any:
        return x

    @stored
    def bad(self) -> Any:
        return [pd.DataFrame({"n": [1, 2], "o": [1, (each for each in ())]})]


def test_the_place_has_the_name_of_parameter_or_argument() -> None:
    """As users write it."""
    frame = PLACES["['o'][1]"](BAD)
    with pytest.raises(UnstableKeyError, match=r"Model\.table\['o'\]\[1\] is a value of type builtins\.object"):
        Model(frame).value(1)
    with pytest.raises(UnstableKeyError, match=r"x\['o'\]\[1\] is a value of type builtins\.object"):
        Model(1).value(frame)


def test_a_variable_that_is_not_loaded_is_named() -> None:
    """By its place in the data set; a single array is named itself."""
    pytest.importorskip("dask")
    lazy = xr.DataArray(np.zeros(2), dims="x").chunk()
    with pytest.raises(UnstableKeyError, match=r"it\['v'\] is .*not in memory"):
        canonical(xr.Dataset({"v": lazy}))
    with pytest.raises(UnstableKeyError, match=r"it is a value of type xarray\.core\.dataarray\.DataArray, .*memory"):
        canonical(lazy)


def test_a_part_that_users_have_no_name_for_is_told_of_the_whole() -> None:
    """No step of what stands for a value in keys is in the place."""
    table = Table({"a": [1]})
    table.extra = BAD
    with pytest.raises(UnstableKeyError, match=r"^a part of it\['k'\] is a value of type builtins\.object"):
        canonical({"k": table})
    with pytest.raises(UnstableKeyError, match=r"^a part of it is a value of type builtins\.object"):
        canonical(table)


def test_tables_that_contain_themselves_end() -> None:
    """What refers back is met once."""
    frame = pd.DataFrame({"a": [0, 1]}, dtype=object)
    frame.iloc[0, 0] = [frame]
    assert canonical(frame)
    frame.iloc[1, 0] = BAD
    with pytest.raises(UnstableKeyError, match=r"it\['a'\].*is a value of type builtins\.object"):
        canonical(frame)


def test_no_number_stands_for_a_part_of_a_table() -> None:
    """The whole table has no form."""
    assert text_with_numbers(pd.Series([threading.local()]), []) is None


RESULTS = [each for each in PLACES if each.startswith(("['o']", "['s']", "['v']", "['a'].meta", ".", "[1, 1]"))]


@pytest.mark.parametrize("place", RESULTS)
def test_the_place_of_what_cannot_be_written(place: str) -> None:
    """In a result."""
    value = [PLACES[place](BAD)]
    with pytest.raises(NotNativeError) as caught:
        pack_native(value)
    found = located(value, caught.value)
    assert str(found) == "builtins.object"
    assert found.place() == f"[0]{place.strip()}"


def test_the_warning_names_the_place(tmp_path: Path) -> None:
    """Of a result that is not written."""
    with pytest.warns(PersistenceWarning, match=r"; \[0\]\['o'\]\[1\] of it is of type builtins\.generator"):
        Model(1).bad()


def test_what_is_pickled_has_no_other_place() -> None:
    """Where the search finds nothing, or a function fails on its way, the first error is told."""
    error = NotNativeError("something")
    assert located([1], error) is error
    assert located([Failing()], error) is error
    assert error.place() == ""
    assert error.of_part().place() == "a part"
    assert error.inside("[0]").place() == "a part of [0]"
    assert canonical(pd.Series([fractions.Fraction(1, 2)], dtype=object))


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": [1]}),
        pd.Series([1]),
        xr.DataArray(objects(1, 2), dims="x"),
        xr.Dataset({"v": 1.0}),
        Table({"a": [1]}),
        FlatLambdaCDM(70.0, 0.3),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_search_that_finds_nothing_ends(value: Any) -> None:
    """The error stays as it is."""
    error = NotNativeError("something")
    assert located(value, error) is error
