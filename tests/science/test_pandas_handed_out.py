"""Tables that are handed out are the caller's own, and large ones are not copied for it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from stored import keyed_by, stored
from stored._adapters import of_pandas, pandas_indexes
from stored._keys import canonical
from stored._storage import copy_for_caller, freeze, is_mapped
from stored._storage.native import NotNativeError
from tests.science.entries import as_two_users, from_entry


def table() -> Any:
    """A table with columns and labels of many kinds."""
    found = pd.DataFrame(
        {
            "x": [1.0, 2.0, 3.0],
            "n": [1, 2, 3],
            "text": ["a", None, "c"],
            "object": pd.Series([[1], "b", None], dtype=object),
            "kind": pd.Categorical(["u", "v", "u"]),
            "time": pd.date_range("2020", periods=3, tz="Europe/Berlin"),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "span": pd.interval_range(0, 3),
            "month": pd.period_range("2020", periods=3, freq="M"),
        },
        index=pd.date_range("2020", periods=3, freq="D", name="day"),
    )
    found.attrs["source"] = {"name": "a"}
    return found


def numbers() -> Any:
    """A table of numbers alone."""
    return pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["x", "y"], index=pd.CategoricalIndex(["u", "v", "w"]))


def levels() -> Any:
    """A table with several levels of labels."""
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["one", "two"])
    return pd.DataFrame({"x": range(4)}, index=index, columns=pd.Index(["x"], name="what"))


def column() -> Any:
    """A column of numbers."""
    return pd.Series([1.0, 2.0, 3.0], index=pd.Index(["a", "b", "c"], name="letter"), name="x")


def texts() -> Any:
    """A column of texts."""
    return pd.Series(["a", "b", None], name="x")


class Days(pd.DatetimeIndex):
    """Labels of somebody's own class."""


def own_labels() -> Any:
    """A table with labels of a class that is not known."""
    return pd.DataFrame({"x": [1.0, 2.0]}, index=Days(pd.DatetimeIndex(["2020", "2021"])))


def tuples() -> Any:
    """A column whose labels are tuples."""
    return pd.Series([1.0, 2.0], index=pd.Index([("a", 1), ("b", 2)], tupleize_cols=False))


def unchanging() -> Any:
    """Columns of objects that never change, and others that entries hold."""
    found = table().drop(columns="object")
    found["object"] = pd.Series(["b", None, 1.5], dtype=object).to_numpy()
    return found


KINDS = {each.__name__: each for each in (table, numbers, levels, column, texts, tuples, unchanging)}


def tried(act: Callable[[], object]) -> None:
    """Some things pandas refuses, or warns of, for some tables."""
    refused = pd.errors.IndexingError, AttributeError, IndexError, KeyError, TypeError, ValueError
    with warnings.catch_warnings(), contextlib.suppress(*refused):
        warnings.simplefilter("ignore")
        act()


def write_to(array: Any, value: Any = 77) -> None:
    tried(lambda: array.__setitem__(0, value))
    tried(lambda: array.__setitem__((0, 0), value))


def arrays_inside(found: Any) -> list[Any]:
    """All arrays by which the memory of a table or a column can be reached."""
    columns = [found] if isinstance(found, pd.Series) else [found.iloc[:, at] for at in range(found.shape[1])]
    reached: list[Any] = [block.values for block in found._mgr.blocks]
    for each in [found, found.index, *columns]:
        for name in ("values", "array", "_values"):
            with warnings.catch_warnings(), contextlib.suppress(AttributeError, ValueError):
                warnings.simplefilter("ignore")
                reached.append(getattr(each, name))
        reached += [each.to_numpy(), np.asarray(each)]
    inside = ("_ndarray", "_data", "_mask", "_codes", "codes", "asi8")
    return reached + [getattr(each, name) for each in reached for name in inside if hasattr(each, name)]


def make_writable(array: Any) -> None:
    array.flags.writeable = True


def change_everything(found: Any) -> None:
    """Whatever a caller can do to a table, a column and their labels."""
    for array in arrays_inside(found):
        for value in (77, "z", None):
            write_to(array, value)
        tried(lambda array=array: make_writable(array))
        write_to(array)
    index = found.index
    tried(lambda: setattr(index, "freq", None))
    for name in ("name", "names"):
        for labels in [index, getattr(found, "columns", index)]:
            tried(lambda labels=labels, name=name: setattr(labels, name, "other" if name == "name" else ["other"]))
    for name in ("categories", "left", "right"):
        for labels in [
            index,
            *[getattr(getattr(found.get(each), "array", None), name, None) for each in ("kind", "span")],
        ]:
            tried(lambda labels=labels, name=name: setattr(getattr(labels, name, labels), "name", "other"))
    found.attrs.get("source", {})["name"] = "b"
    found.attrs["more"] = 1
    found.flags.allows_duplicate_labels = False
    first = found.columns[0] if isinstance(found, pd.DataFrame) else 0
    tried(lambda: found.iloc.__setitem__((0, 0) if found.ndim == 2 else 0, 55))
    tried(lambda: found.loc.__setitem__(found.index[1], 55))
    tried(lambda: found["object"].iloc[0].append(2))
    tried(lambda: found.fillna(0, inplace=True))
    tried(lambda: found.replace(1.0, 5.0, inplace=True))
    tried(lambda: found.sort_index(ascending=False, inplace=True))
    tried(lambda: found.__setitem__(first, 0))
    tried(lambda: found.insert(0, "new", 1))
    tried(lambda: setattr(found, "columns", range(found.shape[1])))
    tried(lambda: setattr(found, "index", range(len(found))))
    tried(lambda: found.update(found * 2))


@pytest.mark.parametrize("form", ["frozen", "from an entry"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copies_on_write", [True, False])
def test_what_a_caller_changes_is_changed_for_nobody_else(
    kind: str, form: str, copies_on_write: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever way it is reached."""
    if copies_on_write and not pandas_indexes.COPIES_ON_WRITE:
        pytest.skip("this pandas copies when it is told to")
    for module in (of_pandas, pandas_indexes):
        monkeypatch.setattr(module, "COPIES_ON_WRITE", copies_on_write)
    original = KINDS[kind]()
    text = canonical(original)
    kept = freeze(original if form == "frozen" or kind == "table" else from_entry(original))
    hand_out: Any = copy_for_caller(kept)
    change_everything(original)
    change_everything(hand_out(kept))
    assert canonical(kept) == text
    assert canonical(hand_out(kept)) == text


def set_in_rows(found: Any) -> Any:
    found.iloc[0, 0] = 9.0
    return found


def set_by_label(found: Any) -> Any:
    found.loc[found.index[0]] = 9.0
    return found


def set_in_labels(found: Any) -> Any:
    column = found.index.to_series()
    column.iloc[0] = 9.0
    return column


def set_in_column_of_labels(found: Any) -> Any:
    column = pd.Series(found.index)
    column.iloc[0] = 9.0
    return column


def set_in_place(found: Any) -> Any:
    found.mask(found >= 0, 9.0, inplace=True)
    return found


ACTS: dict[str, Callable[[Any], object]] = {
    "rows": set_in_rows,
    "labels": set_by_label,
    "in place": set_in_place,
    "what was turned": lambda found: set_in_rows(found.T),
    "labels as a column": lambda found: set_in_rows(found.reset_index()),
    "a column of labels": set_in_labels,
    "another column of labels": set_in_column_of_labels,
    "some columns": lambda found: set_in_rows(found[["x"]]),
}


@pytest.mark.skipif(not pandas_indexes.COPIES_ON_WRITE, reason="this pandas copies when it is told to")
@pytest.mark.parametrize("act", ACTS)
def test_a_caller_can_write_when_he_is_the_last_who_has_it(act: str) -> None:
    """Though the memory is read-only, and nothing is kept any longer."""
    original = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]}, index=pd.Index([0.5, 1.5], name="z"))
    kept: Any = freeze(original)
    hand_out: Any = copy_for_caller(kept)
    found = hand_out(kept)
    del kept
    changed, expected = ACTS[act](found), ACTS[act](original.copy())
    assert canonical(changed) == canonical(expected)


def test_tables_with_many_columns_take_another_without_a_warning() -> None:
    """Pandas warns of tables that consist of many arrays."""
    found = freeze(pd.DataFrame({f"c{at}": [at] if at % 2 else [str(at)] for at in range(250)}))
    hand_out: Any = copy_for_caller(found)
    given = hand_out(found)
    given.insert(0, "new", 1.5)
    assert given.shape == (1, 251)
    assert given.dtypes.iloc[3] == found.dtypes.iloc[2]


@keyed_by("rows")
class Survey:
    """Makes large tables."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @stored
    def fluxes(self) -> Any:
        """One table of numbers."""
        return pd.DataFrame({"g": np.arange(self.rows) * 0.5, "r": np.arange(self.rows) * 1.5})

    @stored
    def objects(self) -> Any:
        """Columns of many kinds."""
        found = self.fluxes()
        found["name"] = "star"
        found["seen"] = pd.date_range("2020", periods=self.rows, tz="UTC")
        found["kind"] = pd.Categorical.from_codes(np.zeros(self.rows, np.int8), ["a", "b"])
        found["count"] = pd.array(np.arange(self.rows), dtype="Int64")
        return found

    @stored
    def column(self) -> Any:
        """A column and a result in a container."""
        return {"flux": pd.Series(np.arange(self.rows) * 0.5), "limits": (1.0, 2.0)}


LARGE = 3_000_000 // 8


def memory_of(array: Any) -> Any:
    """The array of numpy that holds the data."""
    return next(getattr(array, name) for name in ("_ndarray", "_data", "_codes") if hasattr(array, name))


@pytest.mark.skipif(not pandas_indexes.COPIES_ON_WRITE, reason="this pandas copies when it is told to")
def test_large_columns_lie_in_the_mapped_file() -> None:
    """Also of what was handed out, until somebody writes to it."""
    Survey(LARGE).fluxes()
    Survey(LARGE).objects()
    Survey(LARGE).column()
    found = Survey(LARGE).fluxes()
    assert is_mapped(found["g"].to_numpy())
    pd.testing.assert_frame_equal(found, pd.DataFrame({"g": np.arange(LARGE) * 0.5, "r": np.arange(LARGE) * 1.5}))
    found.loc[0, "g"] = 9.0
    assert not is_mapped(found["g"].to_numpy())
    assert found["g"].sum() == Survey(LARGE).fluxes()["g"].sum() + 9.0
    many = Survey(LARGE).objects()
    assert is_mapped(many["g"].to_numpy())
    assert all(is_mapped(memory_of(many[name].array)) for name in ("seen", "kind", "count"))
    assert is_mapped(Survey(LARGE).column()["flux"].to_numpy())


def results(rows: int) -> list[Any]:
    """What a new survey gives, each without computing."""
    survey = Survey(rows)
    found = [survey.fluxes(), survey.objects(), survey.column()]
    return [*found, [getattr(survey, name).cache_info().misses for name in ("fluxes", "objects", "column")]]


def test_what_one_user_has_stored_another_finds(cache_dir: Path) -> None:
    """Who has another key, and gets no warning."""
    (*first, computed), (*second, found) = as_two_users(cache_dir, lambda: results(3))
    assert (computed, found) == ([1, 1, 1], [0, 0, 0])
    assert canonical(first) == canonical(second)


def test_labels_of_an_unknown_class_are_copied() -> None:
    """They stay what they are, and a table with them is pickled."""
    kept: Any = freeze(own_labels())
    hand_out: Any = copy_for_caller(kept)
    given = hand_out(kept)
    assert [type(each.index) for each in (kept, given)] == [Days, Days]
    given.index.name = "other"
    assert kept.index.name is None
    with pytest.raises(NotNativeError):
        from_entry(kept)
